/*-------------------------------------------------------------------------
 *
 * ticks.h
 *		Ticks and books of any source: judged, stored, published.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BGWORKERS_TICKS_H
#define QTS_BGWORKERS_TICKS_H

#include "postgres.h"

#include "broker/quotes.h"

/*
 * Takes a batch in order of arrival, of one or several sources (tick.source),
 * and reorders it at will.  What cannot be believed is counted and left out.
 * readable_mono is when the first could be read.  Never inside a transaction.
 */
extern void qts_ticks_take(QtsTick *batch, int n, int64 readable_mono);

/* Books go to the board alone: a market that is over needs none.  Crossed and impossible ones are counted. */
extern void qts_books_take(const QtsBook *batch, int n);

#endif /* QTS_BGWORKERS_TICKS_H */
