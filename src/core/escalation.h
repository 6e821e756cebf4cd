/*-------------------------------------------------------------------------
 *
 * escalation.h
 *		What is held back by itself while prices are stale, and when that ends
 *		(runtime 4.16, modes of 4.10).
 *
 * Counted are held symbols that should have a price: trading is on, and the
 * symbol is not halted.  Fresh = has a price that an exit may be decided on,
 * which is one not older than 10 s; stale = every other.
 *
 *	L3, system failure, 30 s: nothing that is held is fresh, or nobody works
 *		on prices.
 *	L2, data instability, 60 s: five symbols are stale, or half of those held
 *		and at least two.
 *	L1, a single symbol, 180 s: it is stale while others are fresh.
 *
 * A symbol held back by L1 is dealt with: it counts among the five, but no
 * longer among the half, nor does recovery wait for it.
 *
 * A level rises and never falls by steps: it ends when neither L2 nor L3 is
 * the case and three symbols (or all, where fewer are held) are fresh, both
 * for 30 s without a break.  L1 ends when its symbol has been fresh for 30 s.
 * Where no prices are expected all levels end at once.
 *
 * Times are what the caller's clock says at each look.  One that steps back
 * starts what is being waited for again.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_ESCALATION_H
#define QTS_CORE_ESCALATION_H

#include "core/exit.h"

typedef enum QtsEscalationLevel
{
	QTS_ESCALATION_NONE,
	QTS_ESCALATION_L2, /* PAUSE_PROFIT */
	QTS_ESCALATION_L3  /* PAUSE_ALL */
} QtsEscalationLevel;

/* Of one symbol, or one position in it. */
typedef struct QtsSymbolHold
{
	bool held;	   /* L1 */
	QtsTime since; /* of what would change it; QTS_TIME_NONE = nothing does */
} QtsSymbolHold;

typedef struct QtsEscalation
{
	QtsEscalationLevel level;
	QtsTime failed_since; /* QTS_TIME_NONE = it is not so */
	QtsTime unstable_since;
	QtsTime steady_since;
} QtsEscalation;

/* Held symbols at one look; all zero = none yet. */
typedef struct QtsHeldFigures
{
	int held;
	int stale;
	int back;		/* of them held back by L1 */
	int back_stale; /* and stale */
} QtsHeldFigures;

extern void qts_held_add(QtsHeldFigures *figures, bool stale, bool back);

/* Is any of them fresh? */
extern bool qts_held_any_fresh(const QtsHeldFigures *figures);

extern void qts_escalation_start(QtsEscalation *escalation, QtsEscalationLevel level);

/*
 * One look.  expected = prices are expected now; works = somebody works on
 * prices.  True when the level changed.
 */
extern bool qts_escalation_look(QtsEscalation *escalation, const QtsHeldFigures *figures, bool expected,
								bool works, QtsTime now);

/*
 * One look at a symbol, with figures of the same look.  Not expected, or
 * halted: call qts_symbol_start() instead.  True when held changed.
 */
extern bool qts_symbol_look(QtsSymbolHold *symbol, const QtsHeldFigures *figures, bool stale, QtsTime now);
extern void qts_symbol_start(QtsSymbolHold *symbol, bool held);

/* The mode a level asks for; RUNNING: none. */
extern QtsControlMode qts_escalation_mode(QtsEscalationLevel level);

extern const char *qts_escalation_name(QtsEscalationLevel level);
/* NONE for what is no name, as for no text at all. */
extern QtsEscalationLevel qts_escalation_parse(const char *name);

#endif /* QTS_CORE_ESCALATION_H */
