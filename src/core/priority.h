/*-------------------------------------------------------------------------
 *
 * priority.h
 *		Which symbols matter most (runtime 3.4), and which of them are pushed
 *		(runtime 3.5).
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_PRIORITY_H
#define QTS_CORE_PRIORITY_H

#include "core/core.h"

/* Why a symbol is followed; a set. */
#define QTS_FOLLOW_HELD (1u << 0)
#define QTS_FOLLOW_CLOSING (1u << 1)
#define QTS_FOLLOW_ORDER (1u << 2)
#define QTS_FOLLOW_CANDIDATE (1u << 3)
#define QTS_FOLLOW_WATCH (1u << 4)
#define QTS_FOLLOW_SIGNAL (1u << 5)
#define QTS_FOLLOW_SYSTEM (1u << 6)
#define QTS_FOLLOW_RANKING (1u << 7)

/* From this score on a symbol that is pushed stays pushed. */
#define QTS_SCORE_KEEP 10000

typedef struct QtsFollowed
{
	char symbol[QTS_SYMBOL_LEN + 1];
	unsigned why;
	QtsKrw value; /* of the position; 0 = none */
} QtsFollowed;

extern int qts_follow_score(unsigned why);

/*
 * Order of importance, for qsort: held before all others, then score, value,
 * symbol.  No two different symbols are equal.
 */
extern int qts_follow_compare(const void *a, const void *b);

/*
 * The symbols to push, at most max, out of those ranked by
 * qts_follow_compare.  current: those pushed now.  chosen receives indexes
 * into ranked, ascending; returns how many.
 */
extern int qts_push_choose(const QtsFollowed *ranked, int n, const char (*current)[QTS_SYMBOL_LEN + 1],
						   int ncurrent, int max, int *chosen);

#endif /* QTS_CORE_PRIORITY_H */
