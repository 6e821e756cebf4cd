/*-------------------------------------------------------------------------
 *
 * budget.h
 *		How many orders may leave in a minute: the stop for a loop gone wild.
 *
 * A bucket that holds a minute's worth and refills evenly.  Times are
 * monotonic microseconds (anchors R9, architecture 4).
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_BUDGET_H
#define QTS_CORE_BUDGET_H

#include "core/core.h"

typedef struct QtsBudget
{
	int per_minute; /* 0 = no limit */
	int64_t level;	/* microseconds of refill it holds, at most a minute */
	int64_t at;
} QtsBudget;

/* spent: sends of the last minute, from the rows that survive a restart. */
extern void qts_budget_init(QtsBudget *budget, int per_minute, int spent, int64_t now);

/* Another limit from now on; what is spent stays spent. */
extern void qts_budget_limit(QtsBudget *budget, int per_minute, int64_t now);

extern int qts_budget_left(QtsBudget *budget, int64_t now); /* INT32_MAX = no limit */
extern void qts_budget_take(QtsBudget *budget, int count, int64_t now);

/* Microseconds until one more may leave; 0 = now. */
extern int64_t qts_budget_wait(QtsBudget *budget, int64_t now);

#endif /* QTS_CORE_BUDGET_H */
