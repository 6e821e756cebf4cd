/*-------------------------------------------------------------------------
 *
 * exit_internal.h
 *		What the exit files share among themselves: the test of one rule and
 *		the upkeep of the state.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_EXIT_INTERNAL_H
#define QTS_CORE_EXIT_INTERNAL_H

#include "core/exit.h"

/* Everything one evaluation looks at. */
typedef struct QtsExitContext
{
	const QtsExitProfile *profile;
	const QtsExitPosition *position;
	const QtsExitState *state;
	const QtsExitQuote *quote;
	QtsPrice price; /* decided on: bid, else last; 0 = none */
	QtsControlMode control;
	QtsTime now;
	QtsExitBlock gate;		/* blocks every rule but EMERGENCY; NONE = open */
	QtsExitBlock emergency; /* blocks that one: it looks at no price */
} QtsExitContext;

/* A rule, and which one of the user's own. */
typedef struct QtsExitRef
{
	QtsExitRule rule;
	int custom;
} QtsExitRef;

/* One rule against one context. */
typedef struct QtsExitTest
{
	bool enabled;
	bool priceless; /* the rule has no threshold and needs none */
	int severity;
	QtsPrice threshold;	  /* 0 = none in this state */
	QtsPpm threshold_ppm; /* relative to the average price */
	bool breached;
	QtsExitBlock block;
	QtsQty qty; /* would be sold */
} QtsExitTest;

/*
 * Rules of a phase in evaluation order (4.6), custom ones spelt out; returns
 * their number, at most QTS_EXIT_ROWS.
 */
extern int qts_exit_rules(const QtsExitContext *context, QtsExitRef *refs);
extern QtsExitTest qts_exit_test(const QtsExitContext *context, QtsExitRef ref);

/* It would be decided, had the broker not refused it a moment ago: the rules after it wait, too. */
extern bool qts_exit_keeps_back(const QtsExitContext *context, QtsExitRef ref, const QtsExitTest *test);
extern bool qts_exit_threshold_on(const QtsExitThreshold *threshold);
extern bool qts_exit_custom_on(const QtsCustomRule *rule);

/* Is the rule being confirmed in this state breached at this price? */
extern bool qts_exit_floor_breached(const QtsExitState *state, QtsPrice price);
extern bool qts_exit_trail_breached(const QtsExitProfile *profile, const QtsExitState *state, QtsPrice price);
extern bool qts_exit_even_breached(const QtsExitProfile *profile, const QtsExitState *state, QtsPrice avg,
								   QtsPrice price);
/* Is a price below the trail counted towards a confirmation in this phase? */
extern bool qts_exit_trail_counts(const QtsExitState *state);
/* Does a threshold of this phase depend on the high-water mark? */
extern bool qts_exit_follows_mark(const QtsExitProfile *profile, const QtsExitState *state);
/* The prices they are breached at; 0 = not armed. */
extern QtsPrice qts_exit_trail_price(const QtsExitProfile *profile, const QtsExitState *state);
extern QtsPrice qts_exit_even_price(const QtsExitProfile *profile, const QtsExitState *state, QtsPrice avg);

/*
 * Average price and quantity against the cycle (4.11); true = the cycle was
 * reset.  *grown: shares that came to the same cycle; at the first look what
 * the row does not count, which may be negative.
 */
extern bool qts_exit_sync(QtsExitState *state, const QtsExitPosition *position, bool *changed, QtsQty *grown);

/* A fresh price of the session: high-water mark and confirm counters; true = counters moved. */
extern bool qts_exit_observe(const QtsExitProfile *profile, QtsExitState *state, QtsPrice avg, QtsPrice price,
							 QtsTime now);

/* A confirmed rule was acted on: it has to be confirmed anew. */
extern void qts_exit_restart_confirm(QtsExitState *state, QtsExitRule rule);

#endif /* QTS_CORE_EXIT_INTERNAL_H */
