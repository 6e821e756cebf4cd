/*-------------------------------------------------------------------------
 *
 * quotes.h
 *		Quotes of the broker by request: followed symbols, tier by tier.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BGWORKERS_QUOTES_H
#define QTS_BGWORKERS_QUOTES_H

#include "postgres.h"

#include "broker/quotes.h"
#include "core/poll.h"
#include "db/exec.h"
#include "shm/price_sync.h"
#include "utils/timestamp.h"

/* Which sessions there should be, by the accounts; inside a transaction. */
extern void qts_quotes_load(void);

/* Open those that are not; never inside a transaction. */
extern void qts_quotes_open(void);
extern void qts_quotes_close(void);

/* Could one be asked at all? */
extern bool qts_quotes_any(void);

/* The symbols to ask for, ranked; copied. */
extern void qts_quotes_follow(const QtsFollowed *ranked, int n, QtsTime now);
extern QtsPolled *qts_quotes_plan(int *n);
extern int64 qts_quotes_overdue_after(const QtsPolled *polled);

/* An account whose market it is; NULL = none. */
extern const QtsAccountRow *qts_quotes_account(void);

/* What the tiers depend on now. */
extern void qts_quotes_condition(const QtsTierCondition *condition, QtsTime now);

/* Somebody waits for this symbol; false = it is not followed. */
extern bool qts_quotes_at_once(const char *symbol);

/* The same after something happened to it, unless it was asked for just now. */
extern void qts_quotes_moved(const char *symbol, QtsTime now);

/* Take what was answered and ask for what is due.  ms until the next turn, -1 = none is due. */
extern long qts_quotes_turn(int64 mono, TimestampTz now);

/*
 * A question that can wait, its tag not below QTS_REFERENCE_TAG: it leaves when
 * no price is due, or one every ten seconds if prices are always due.  false =
 * not now.
 */
extern bool qts_quotes_ask(const QtsQuoteRequest *request, int64 mono, TimestampTz now);
extern bool qts_quotes_room(int64 mono, TimestampTz now);
extern long qts_quotes_room_wait(int64 mono); /* ms, at least 1 */
extern int qts_quotes_per_request(void);	  /* symbols */

extern const QtsSourceHealth *qts_quotes_health(void);
extern void qts_quotes_show(QtsPriceSync *shown);

#endif /* QTS_BGWORKERS_QUOTES_H */
