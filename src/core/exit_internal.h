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
	QtsPrice price; /* decided on: bid, else last; 0 = none */
	QtsControlMode control;
	QtsTime now;
	QtsExitBlock gate; /* blocks every rule; NONE = open */
} QtsExitContext;

/* One rule against one context. */
typedef struct QtsExitTest
{
	bool enabled;
	QtsPrice threshold;	  /* 0 = none in this state */
	QtsPpm threshold_ppm; /* relative to the average price */
	bool breached;
	QtsExitBlock block;
	QtsQty qty; /* would be sold */
} QtsExitTest;

/* Rules of a phase in evaluation order (4.6); returns their number. */
extern int qts_exit_phase_rules(QtsExitPhase phase, const QtsExitRule **rules);
extern QtsExitTest qts_exit_test(const QtsExitContext *context, QtsExitRule rule);
extern bool qts_exit_threshold_on(const QtsExitThreshold *threshold);

/* Is the rule being confirmed in this state breached at this price? */
extern bool qts_exit_floor_breached(const QtsExitState *state, QtsPrice price);
extern bool qts_exit_trail_breached(const QtsExitProfile *profile, const QtsExitState *state, QtsPrice price);

/* Average price and quantity against the cycle (4.11); true = the cycle was reset. */
extern bool qts_exit_sync(QtsExitState *state, const QtsExitPosition *position, bool *changed);

/* A fresh price of the session: high-water mark and confirm counters; true = counters moved. */
extern bool qts_exit_observe(const QtsExitProfile *profile, QtsExitState *state, QtsPrice price, QtsTime now);

/* A confirmed rule was acted on: it has to be confirmed anew. */
extern void qts_exit_restart_confirm(QtsExitState *state, QtsExitRule rule);

#endif /* QTS_CORE_EXIT_INTERNAL_H */
