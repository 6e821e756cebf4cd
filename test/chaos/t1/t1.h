/*-------------------------------------------------------------------------
 *
 * t1.h
 *		The engine's tables in memory, and what src/db does with them.
 *
 * Each file here is the twin of one in src/db: the same decisions by the
 * same functions of src/core in the same order, on arrays instead of rows.
 * A change there is made here too; tier 2 shows whether they still agree.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHAOS_T1_H
#define CHAOS_T1_H

#include "world.h"

typedef struct T1Notice
{
	int64_t epoch;
	int64_t seq;
	int account;
	int symbol;
	QtsDate date;
	QtsNoticeKind kind;
	int odno;
	int orig;
	bool sell;
	bool market;
	QtsQty qty;
	QtsKrw price;
	QtsQty order_qty;
	int32_t hhmmss;
	int order; /* NONE: waits for its order */
	bool counted;
} T1Notice;

typedef struct T1Holding
{
	QtsQty qty;
	QtsQty orderable;
	QtsPrice average;
	QtsQty mismatch_qty;
	int mismatch_count;
	int sync_id;
} T1Holding;

/* What ChaosTables does not show. */
typedef struct T1Rest
{
	int nnotices;
	T1Notice notice[MAX_NOTICES];
	T1Holding holding[OWN_ACCOUNTS][SYMBOLS];
	int sync_id[OWN_ACCOUNTS];
	QtsTime balance_ok[OWN_ACCOUNTS];
	bool stop;
	QtsControlMode mode;
} T1Rest;

extern T1Rest t1;
extern const ChaosStore t1_store;

#define T1_MAX_ATTEMPTS 5
#define T1_GRACE_SELL (180 * QTS_SEC)
#define T1_GRACE_BUY (300 * QTS_SEC)
#define T1_HTTP_TIMEOUT (7 * QTS_SEC)

/* order.c */
extern bool t1_unresolved(const ChaosOrder *order);
extern void t1_store_order(World *w, int order, const QtsOrderLife *life);
extern void t1_mirror(World *w, const ChaosOrder *order);
extern void t1_intent_status(World *w, int intent, QtsIntentStatus status);
extern int t1_find_order(const World *w, int account, QtsDate date, int odno);
extern void t1_bind(World *w, int order, int odno, QtsDate date);

/* fill.c */
extern void t1_book(World *w, int order, const QtsFillStep *step, bool by_notice);
extern void t1_close_by_broker(World *w, int position);

/* claim.c */
extern void t1_claim(World *w, int account, bool retry, int max, ChaosClaim *claims, int *n,
					 ChaosCancel *cancels, int *ncancels);

/* answer.c */
extern void t1_orphans(World *w);
extern void t1_order_answer(World *w, int order, const QtsBrokerEvent *event);
extern void t1_cancel_answer(World *w, int order, const QtsBrokerEvent *event);

/* notice.c */
extern bool t1_notice(World *w, const QtsNotice *notice, int64_t epoch, int64_t seq);
extern void t1_attach_notices(World *w, int order);
extern void t1_attach_late(World *w, int account, QtsDate date);

/* ledger.c, unknown.c, balance.c */
extern void t1_ledger(World *w, int account, QtsDate date, const QtsLedger *ledger, QtsTime asked_at,
					  bool trusted, bool over);
extern void
t1_unknowns(World *w, int account, QtsDate date, const QtsLedger *ledger, QtsTime asked_at, bool trusted);
extern void t1_balance(World *w, int account, const QtsBalance *balance, QtsTime asked_at, bool trusted);

/* store.c */
extern void t1_begin(World *w);
extern void t1_commit(World *w);
extern int t1_add_order(World *w, const ChaosOrder *order);

#endif /* CHAOS_T1_H */
