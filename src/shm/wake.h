/*-------------------------------------------------------------------------
 *
 * wake.h
 *		Waking workers: at once, or when the current transaction commits.
 *
 * Commit wake-ups are one bit mask per process and one callback registered
 * in _PG_init: a waking session costs the same after any number of commits.
 * Nothing is woken by an abort.  COMMIT PREPARED wakes everybody, because the
 * mask of the preparing transaction is gone by then.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_SHM_WAKE_H
#define QTS_SHM_WAKE_H

#include "postgres.h"

typedef enum QtsWorkerId
{
	QTS_WORKER_PRICES,
	QTS_WORKER_EXIT,
	QTS_WORKER_EXECUTION,
	QTS_WORKER_MONITOR,
	QTS_WORKER_COUNT
} QtsWorkerId;

/* What changed, for the reader's caches: counted per kind in shared memory. */
typedef enum QtsChange
{
	QTS_CHANGE_INTENT,	 /* order_intents: something to claim or to cancel */
	QTS_CHANGE_OUTCOME,	 /* order_intents: one that ended */
	QTS_CHANGE_POSITION, /* positions, position_state, holdings */
	QTS_CHANGE_CONFIG,	 /* profiles, overrides, control mode, calendar, stocks */
	QTS_CHANGE_ACCOUNT,	 /* accounts, engine row */
	QTS_CHANGE_ORDER,	 /* cancel requests and resolutions */
	QTS_CHANGE_QUOTE,	 /* sync_jobs, watchlist: a price somebody wants */
	QTS_CHANGE_COUNT
} QtsChange;

extern void qts_wake_register(void); /* from _PG_init, once */
extern void qts_wake_now(QtsWorkerId worker);

/* At commit: bump the change counter and wake whoever reads it. */
extern void qts_wake_at_commit(QtsChange change);

/* Current value of a change counter; differs from the last look = reload. */
extern uint64 qts_change_count(QtsChange change);

#endif /* QTS_SHM_WAKE_H */
