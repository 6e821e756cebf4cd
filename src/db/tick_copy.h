/*-------------------------------------------------------------------------
 *
 * tick_copy.h
 *		A batch of ticks into market.prices_ticks, the way COPY does it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_DB_TICK_COPY_H
#define QTS_DB_TICK_COPY_H

#include "postgres.h"

#include "broker/feed.h"

/* Inside the caller's transaction; rows are numbered from first_seq on. */
extern void qts_ticks_copy(const QtsTick *ticks, int n, int64 first_seq);

#endif /* QTS_DB_TICK_COPY_H */
