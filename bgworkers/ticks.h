/*-------------------------------------------------------------------------
 *
 * ticks.h
 *		Ticks of any source: judged, stored in one transaction, then published.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BGWORKERS_TICKS_H
#define QTS_BGWORKERS_TICKS_H

#include "postgres.h"

#include "broker/feed.h"

/*
 * Takes a batch in order of arrival and reorders it at will.  What cannot be
 * believed is counted and left out; false: the tables were locked and all of
 * it was lost, counted.  readable_mono is when the first could be read.
 */
extern bool qts_ticks_take(QtsTick *batch, int n, int64 readable_mono);

#endif /* QTS_BGWORKERS_TICKS_H */
