/*-------------------------------------------------------------------------
 *
 * replay.h
 *		One live position looked at again: the same prices, orders and fills,
 *		and what the rules decide on them now against what they decided then.
 *
 * Orders and fills are the recorded ones, so a difference in one decision
 * does not hide the next.  State and decisions are qts_exit_evaluate's and
 * qts_exit_apply_fill's.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_REPLAY_H
#define QTS_CORE_REPLAY_H

#include "core/exit.h"

/* An exit intent as it was recorded. */
typedef struct QtsReplayIntent
{
	int64_t id; /* the caller's */
	QtsExitRule rule;
	int custom;
	int severity;
	int cycle;
	QtsExitPhase phase;
	QtsQty qty;
	QtsQty filled;	/* in the end */
	QtsPrice price; /* decided on */
	QtsPrice threshold;
	QtsTime created_at;
	QtsTime ended_at; /* QTS_TIME_NONE: still live */
	bool automatic;	  /* decided by the rules, not by a person */
	bool failed;	  /* ended without a fill: refused, expired, cancelled */
	bool refused;	  /* by the broker: the rule is tried again later and later */

	/* found by the replay */
	QtsQty sold;  /* so far */
	bool open;	  /* counts as live now */
	bool ended;	  /* its effect is applied */
	bool matched; /* the rules decided it again */
	QtsQty again_qty;
	QtsPrice again_price;
	QtsPrice again_threshold;
	QtsTime again_at;
} QtsReplayIntent;

/* Decided now, and not then. */
typedef struct QtsReplayExtra
{
	QtsExitRule rule;
	int custom;
	int cycle;
	QtsExitPhase phase;
	QtsQty qty;
	QtsPrice price;
	QtsPrice threshold;
	QtsTime at;
} QtsReplayExtra;

#define QTS_REPLAY_EXTRAS 32

typedef struct QtsReplay
{
	QtsExitProfile profile;
	QtsControlMode control;
	QtsExitPosition position; /* qty, average, mode, days: kept by the caller */
	QtsExitState state;
	QtsReplayIntent *intent; /* in order of creation */
	int nintents;
	QtsTime tolerance; /* a decision and its recorded intent may lie so far apart */
	QtsReplayExtra extra[QTS_REPLAY_EXTRAS];
	int nextras;
	QtsTime now;
	int64_t looks;
} QtsReplay;

/*
 * Orders that began or ended until now; call it before looking.  True: one
 * ended, and the worker looked at once whether what is left is to be sold.
 */
extern bool qts_replay_orders(QtsReplay *replay, QtsTime now);

/* Shares of an intent were sold; 0 = of none that is known. */
extern void qts_replay_sold(QtsReplay *replay, int64_t id, QtsQty qty);

/* Look at a quote. */
extern void qts_replay_look(QtsReplay *replay, const QtsExitQuote *quote, QtsTime now);

/* Is the intent decided again exactly as recorded? */
extern bool qts_replay_same(const QtsReplayIntent *intent);

#endif /* QTS_CORE_REPLAY_H */
