/*-------------------------------------------------------------------------
 *
 * feeds.h
 *		The broker's push feeds, one per credentials.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BGWORKERS_FEEDS_H
#define QTS_BGWORKERS_FEEDS_H

#include "postgres.h"

#include "utils/timestamp.h"

#include "core/priority.h"

/* Which feeds there should be, by the accounts; inside a transaction. */
extern void qts_feeds_load(void);

/* Open those that are not; never inside a transaction. */
extern void qts_feeds_open(int64 mono);

/* Is one not open, and it is time to try again? */
extern bool qts_feeds_missing(int64 mono);

extern void qts_feeds_close(void);
extern int qts_feeds_count(void);

/* The most important symbols are pushed, as many as the feeds have room for. */
extern void qts_feeds_want(const QtsFollowed *ranked, int n);

/*
 * Does one not push prices that are expected?  prints = the session prints
 * them.  Opens a transaction only to tell of a minute's silence.
 */
extern bool qts_feeds_quiet(int64 mono, bool prints);

/*
 * Take what arrived.  Returns ms until the next turn, -1 = none is due; more =
 * a batch was full.
 */
extern long qts_feeds_turn(int64 mono, TimestampTz now, bool *more);

#endif /* QTS_BGWORKERS_FEEDS_H */
