/*-------------------------------------------------------------------------
 *
 * reference.h
 *		What is asked of the broker once a day: trading days, daily bars, base
 *		prices with the limits of the day.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BGWORKERS_REFERENCE_H
#define QTS_BGWORKERS_REFERENCE_H

#include "postgres.h"

#include "broker/quotes.h"
#include "core/priority.h"
#include "utils/timestamp.h"

/* Tags of its requests begin here: below are those of the prices. */
#define QTS_REFERENCE_TAG 1024

/* What was in memory is forgotten; what was not stored is asked for again, later. */
extern void qts_reference_start(void);

/* The symbols that matter, ranked; copied. */
extern void qts_reference_follow(const QtsFollowed *ranked, int n);

/*
 * Find out what is missing and ask for it, behind all prices that are due; its
 * own transactions.  ms until the next turn, -1 = none is due.
 */
extern long qts_reference_turn(int64 mono, TimestampTz now);

/* An answer to one of its requests; a transaction of its own. */
extern void qts_reference_told(const QtsQuoteEvent *event, int64 mono, TimestampTz now);

#endif /* QTS_BGWORKERS_REFERENCE_H */
