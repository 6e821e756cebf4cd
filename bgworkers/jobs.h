/*-------------------------------------------------------------------------
 *
 * jobs.h
 *		Quotes that somebody waits for, from market.sync_jobs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BGWORKERS_JOBS_H
#define QTS_BGWORKERS_JOBS_H

#include "postgres.h"

#include "core/price.h"

/* What was in memory is forgotten: leases that run are taken over when they end. */
extern void qts_jobs_start(void);

/* Claim what waits, hand in what has ended, free what others left; its own transactions. */
extern void qts_jobs_turn(int64 mono);

/* Something of this symbol came back from a source, or did not. */
extern void qts_jobs_told(const char *symbol, QtsSource source, bool brought, const char *why);

#endif /* QTS_BGWORKERS_JOBS_H */
