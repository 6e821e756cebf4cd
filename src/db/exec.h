/*-------------------------------------------------------------------------
 *
 * exec.h
 *		Tables of the execution worker: claims, answers, notices, ledger,
 *		balance, fills.
 *
 * Every function here runs inside the caller's transaction unless it says
 * otherwise.  Lock order: engine gate, position, intent, order.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_DB_EXEC_H
#define QTS_DB_EXEC_H

#include "postgres.h"

#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "broker/broker.h"
#include "broker/feed.h"
#include "core/claim.h"
#include "core/life.h"
#include "core/session.h"

/* An order as the worker needs it to act. */
typedef struct QtsOrderRow
{
	pg_uuid_t order_uid;
	pg_uuid_t intent_id;   /* zeros: not ours */
	pg_uuid_t position_id; /* zeros: none */
	char account[12];
	char symbol[QTS_SYMBOL_LEN + 1];
	char odno[QTS_ODNO_LEN + 1];
	char orgno[QTS_ORGNO_LEN + 1];
	bool own; /* origin AUTO */
	QtsOrderLife life;
	QtsOrderLife stored; /* as in the row: what is unchanged is not written again */
} QtsOrderRow;

/* One order to send after the claim has committed. */
typedef struct QtsClaim
{
	pg_uuid_t order_uid;
	QtsOrderRequest request;
	TimestampTz intent_created;
} QtsClaim;

typedef struct QtsCancelClaim
{
	pg_uuid_t order_uid;
	QtsCancelRequest request;
} QtsCancelClaim;

/* exec_claim.c */
typedef struct QtsGate
{
	bool paused; /* the account: no order leaves, only the cancels people asked for */
	QtsDate trade_date;
	/* what was decided until then an earlier primary may have sent; QTS_TIME_NONE = there was none */
	TimestampTz inherited_until;
	QtsClaimGate claim;
} QtsGate;

/*
 * Read the switches, the account's own among them, and lock them against a halt.
 * False: nothing may leave.
 */
extern bool qts_exec_gate(const char *account, QtsGate *gate);

/* How many may leave now; what is missing here was spent (core/budget.h). */
typedef struct QtsAllowance
{
	int entries;
	int exits;
	bool engine_spent; /* all accounts together: entries stop */
	bool told;		   /* of exits that wait, lately */
} QtsAllowance;

/*
 * Claim up to max NEW intents of an account, most urgent first: order rows
 * are written ahead.  Entries beyond the allowance end and stop all entries;
 * exits beyond it wait.  What is claimed is taken from the allowance.
 */
extern int
qts_exec_claim(const char *account, const QtsGate *gate, QtsAllowance *allowance, QtsClaim *claims, int max);

/* Orders an account sent in the last minute. */
extern void qts_exec_spent(const char *account, TimestampTz now, int *entries, int *exits);

/* Claim again orders whose last attempt was provably refused and is due. */
extern int qts_exec_reclaim(const char *account, const QtsGate *gate, QtsClaim *claims, int max);

/* Turn asked-for cancels of intents into cancelled intents or cancel requests of orders. */
extern void qts_exec_cancel_intents(const char *account);

/* Claim requested cancels of live orders. */
extern int qts_exec_claim_cancels(const char *account, TimestampTz now, QtsCancelClaim *claims, int max);

/* exec_answer.c */
extern void qts_exec_order_answer(const pg_uuid_t *order_uid, const QtsBrokerEvent *event, TimestampTz now);
extern void qts_exec_cancel_answer(const pg_uuid_t *order_uid, const QtsBrokerEvent *event, TimestampTz now);

/* At start: whatever may have been sent and has no answer is unknown.  Returns how many. */
extern int qts_exec_orphan_sends(void);

/* exec_order.c */
/* Load and lock an order (with its position and intent before it); false when there is none. */
extern bool qts_exec_lock_order(const pg_uuid_t *order_uid, QtsOrderRow *row);
extern bool qts_exec_find_order(const char *account, QtsDate date, const char *odno, pg_uuid_t *order_uid);

/* Store what changed of its life; mirror it to the intent. */
extern void qts_exec_store_order(QtsOrderRow *row, TimestampTz now);

/* Give an order its broker number and take in what was waiting for that number; raw: the answer as JSON, or NULL. */
extern void qts_exec_bind(QtsOrderRow *row, const char *odno, const char *orgno, QtsDate date,
						  const char *raw, TimestampTz now);

/* exec_fill.c */
/* Book step (if any) as a fill: fill row, position, exit event.  The order row is stored by the caller. */
extern void qts_exec_book(QtsOrderRow *row, const QtsFillStep *step, const char *source,
						  const char *dedupe_key, TimestampTz at);
/* The position is gone without a fill of ours: close it by the broker's word. */
extern void qts_exec_close_by_broker(const pg_uuid_t *position_id, TimestampTz now);

/* exec_notice.c */
typedef struct QtsLooseOrder
{
	char odno[QTS_ODNO_LEN + 1];
	char orgno[QTS_ORGNO_LEN + 1];
	QtsBrokerOrder order;
} QtsLooseOrder;

/* Store a notice and apply it; false when its account is not ours. */
extern bool qts_exec_notice(const QtsNotice *notice, int64 epoch, int64 seq, TimestampTz now);
/* Apply stored notices of a number that had no order when they came. */
extern void qts_exec_attach_notices(QtsOrderRow *row, QtsDate date, TimestampTz now);
/* The same for every order of the day that got its number since: one transaction each. */
extern void qts_exec_attach_late(const char *account, QtsDate date, TimestampTz now);
/* Distinct numbers of new orders seen in notices and bound to nothing. */
extern int qts_exec_loose_orders(const char *account, QtsDate date, QtsLooseOrder *orders, int max);

/* What the end of a day's ledger is judged by. */
typedef struct QtsLedgerRest
{
	QtsLedgerRow *rows; /* of no order here */
	int count;
	char (*listed)[QTS_ODNO_LEN + 1]; /* live orders of ours that it shows, in order */
	int nlisted;
} QtsLedgerRest;

extern bool qts_exec_ledger_lists(const QtsLedgerRest *rest, const char *odno);

/*
 * exec_ledger.c: opens its own transactions, one per order that changes.
 * Takes in a page, and with the last one what only the whole list can tell;
 * asked_at is the first page's.  Pages come in order; an answer that ends
 * early is followed by the first page of another.  Has anything changed?
 */
extern bool qts_exec_ledger(const char *account, QtsDate date, const QtsLedger *page, TimestampTz asked_at,
							bool trusted, bool session_over, TimestampTz now);
/* Answers that are not whole will not go on. */
extern void qts_exec_ledger_forget(void);

/*
 * exec_open.c: how many questions a list of open orders leaves, which the
 * ledger of that day answers: orders gone, filled further, never seen.
 */
extern int
qts_exec_open_list(const char *account, QtsDate date, const QtsOpenList *list, TimestampTz asked_at);

/* Take in the ledger row of a locked order; within the caller's transaction. */
extern void
qts_exec_ledger_row(QtsOrderRow *row, const QtsLedgerRow *seen, bool session_over, TimestampTz now);

/* exec_foreign.c */
/* A ledger row that belongs to no order of ours: record it, and see what it means. */
extern void qts_exec_foreign(const char *account, QtsDate date, const QtsLedgerRow *seen, bool session_over,
							 TimestampTz now);

/* exec_balance.c: opens its own transactions, one per position that is corrected */
/* ledger_trusted: fills come by the ledger and not by the balance. */
extern void qts_exec_balance(const char *account, const QtsBalance *balance, TimestampTz asked_at,
							 bool ledger_trusted, TimestampTz now);

/* exec_unknown.c: opens its own transactions, one per order */
/* Judge every unknown order of an account and trade date by what is known now; NULL = no whole ledger. */
extern void qts_exec_unknowns(const char *account, QtsDate date, const QtsLedgerRest *ledger,
							  TimestampTz asked_at, bool trusted, TimestampTz now);

/* account.c */
typedef struct QtsAccountRow
{
	char account[12];
	QtsEnvironment environment;
	char credentials[64];		/* of prices and notices */
	char order_credentials[64]; /* of orders; the same unless split */
	char rest_url[256];			/* "" = the environment's own */
	char ws_url[256];
	/* what follows may change while the account is in use */
	bool paused;
	int rate_limit; /* the broker's, today, requests per second; 0 = not in trade.rate_limits */
} QtsAccountRow;

/* Accounts that are not removed, in the current context. */
extern QtsAccountRow *qts_accounts_load(int *count);

/* Work an account has: orders that wait for the broker, unknown ones, new intents. */
typedef struct QtsAccountWork
{
	int live_orders;
	int unknown_orders;
	int new_intents;		/* 1 = any */
	int cancels;			/* the same */
	QtsDate oldest;			/* trade date of the oldest unsettled order or notice; DATEVAL_NOEND = none */
	TimestampTz next_retry; /* earliest time a refused order may be sent again; 0 = none */
} QtsAccountWork;

extern void qts_account_work(const char *account, QtsAccountWork *work);

/* As qts._mask() shows an account; palloc'd. */
extern char *qts_account_mask(const char *account);

typedef enum QtsAccountList
{
	QTS_LIST_LEDGER,
	QTS_LIST_BALANCE
} QtsAccountList;

/* A list was read whole (error NULL, a balance with its summary), or why not. */
extern void qts_account_sync(const char *account, const char *state, QtsAccountList list, const char *error,
							 const QtsBalanceSummary *summary, TimestampTz now);

/* calendar.c: today's row, cached until the day or the configuration changes; NULL = no row. */
extern const QtsCalendarDay *qts_calendar_today(TimestampTz now);
/* An order was refused: does that contradict the calendar?  Then the day is doubtful, with an alert. */
extern void qts_calendar_refused(const char *msg_cd, TimestampTz now);

/* A code the master can hold: six capitals or digits, ETN with a Q before them. */
extern bool qts_symbol_valid(const char *symbol);

/* alert.c: one open alert per (code, subject); repeats count up. */
extern void qts_alert(const char *severity, const char *code, const char *subject, const char *hint,
					  const char *format, ...) pg_attribute_printf(5, 6);

#endif /* QTS_DB_EXEC_H */
