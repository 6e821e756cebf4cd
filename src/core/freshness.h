/*-------------------------------------------------------------------------
 *
 * freshness.h
 *		Figures of all followed prices, and emergency mode (runtime 3.10).
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_FRESHNESS_H
#define QTS_CORE_FRESHNESS_H

#include "core/price.h"

typedef struct QtsFreshness
{
	int total;
	int stale;
	int overdue;	 /* stale, and older than what its tier is asked for explains */
	int critical;	 /* older than a minute, or none at all */
	int aged;		 /* that have a price, so an age */
	int64_t age_sum; /* ms */
	int64_t age_max;
} QtsFreshness;

/* One symbol, overdue when older than so many us; quote NULL = no price yet. */
extern void qts_freshness_add(QtsFreshness *figures, const QtsQuote *quote, bool stale, int64_t overdue_after,
							  QtsTime now);

/* 0 when nothing has an age. */
extern int64_t qts_freshness_avg_ms(const QtsFreshness *figures);

/* What of it a person must know. */
extern bool qts_freshness_mostly_overdue(const QtsFreshness *figures);
extern bool qts_freshness_old(const QtsFreshness *figures);

/*
 * On above one half overdue, off below one tenth; in between as it was.  A symbol
 * that is asked for every 30 s is stale most of the time, and nothing is wrong.
 */
extern bool qts_emergency(const QtsFreshness *figures, bool now_on);

#endif /* QTS_CORE_FRESHNESS_H */
