/*-------------------------------------------------------------------------
 *
 * escalation.c
 *		What is held back by itself while prices are stale, and when that ends
 *		(runtime 4.16).
 *
 *-------------------------------------------------------------------------
 */
#include "core/escalation.h"
#include "core/names.h"

#define FAILED_AFTER (30 * QTS_SEC)
#define UNSTABLE_AFTER (60 * QTS_SEC)
#define SYMBOL_AFTER (180 * QTS_SEC)
#define STEADY_FOR (30 * QTS_SEC)
#define MANY_STALE 5
#define FRESH_ENOUGH 3

static const char *const level_names[] = {
	[QTS_ESCALATION_NONE] = "NONE",
	[QTS_ESCALATION_L2] = "L2",
	[QTS_ESCALATION_L3] = "L3",
};

void
qts_held_add(QtsHeldFigures *figures, bool stale, bool back)
{
	figures->held++;
	figures->stale += stale;
	figures->back += back;
	figures->back_stale += stale && back;
}

bool
qts_held_any_fresh(const QtsHeldFigures *figures)
{
	return figures->stale < figures->held;
}

static bool
held_failed(const QtsHeldFigures *figures, bool works)
{
	return figures->held > 0 && (!works || !qts_held_any_fresh(figures));
}

static bool
held_unstable(const QtsHeldFigures *figures)
{
	int others = figures->held - figures->back;
	int stale = figures->stale - figures->back_stale;

	return figures->stale >= MANY_STALE || (stale >= 2 && stale * 2 >= others);
}

static bool
held_steady(const QtsHeldFigures *figures, bool works)
{
	int others = figures->held - figures->back;
	int fresh = others - (figures->stale - figures->back_stale);

	return !held_failed(figures, works) && !held_unstable(figures) &&
		   fresh >= (others < FRESH_ENOUGH ? others : FRESH_ENOUGH);
}

/* Has it been so for a time?  *since follows. */
static bool
lasted(QtsTime *since, bool so, QtsTime now, int64_t time)
{
	int64_t age;

	if (!so)
	{
		*since = QTS_TIME_NONE;
		return false;
	}
	if (*since == QTS_TIME_NONE || now < *since)
		*since = now;
	return __builtin_sub_overflow(now, *since, &age) || age >= time;
}

void
qts_escalation_start(QtsEscalation *escalation, QtsEscalationLevel level)
{
	*escalation = (QtsEscalation){level, QTS_TIME_NONE, QTS_TIME_NONE, QTS_TIME_NONE};
}

bool
qts_escalation_look(QtsEscalation *escalation, const QtsHeldFigures *figures, bool expected, bool works,
					QtsTime now)
{
	QtsEscalationLevel before = escalation->level;
	bool failed;
	bool unstable;
	bool steady;

	if (!expected)
	{
		qts_escalation_start(escalation, QTS_ESCALATION_NONE);
		return before != QTS_ESCALATION_NONE;
	}
	failed = lasted(&escalation->failed_since, held_failed(figures, works), now, FAILED_AFTER);
	unstable = lasted(&escalation->unstable_since, held_unstable(figures), now, UNSTABLE_AFTER);
	steady = lasted(&escalation->steady_since, held_steady(figures, works), now, STEADY_FOR);
	if (failed)
		escalation->level = QTS_ESCALATION_L3;
	else if (unstable && before == QTS_ESCALATION_NONE)
		escalation->level = QTS_ESCALATION_L2;
	else if (steady)
		escalation->level = QTS_ESCALATION_NONE;
	return escalation->level != before;
}

void
qts_symbol_start(QtsSymbolHold *symbol, bool held)
{
	*symbol = (QtsSymbolHold){held, QTS_TIME_NONE};
}

bool
qts_symbol_look(QtsSymbolHold *symbol, const QtsHeldFigures *figures, bool stale, QtsTime now)
{
	/* while nothing is fresh it is not about this symbol */
	bool against = symbol->held ? !stale : stale && qts_held_any_fresh(figures);

	if (!lasted(&symbol->since, against, now, symbol->held ? STEADY_FOR : SYMBOL_AFTER))
		return false;
	qts_symbol_start(symbol, !symbol->held);
	return true;
}

QtsControlMode
qts_escalation_mode(QtsEscalationLevel level)
{
	switch (level)
	{
		case QTS_ESCALATION_L3:
			return QTS_CONTROL_PAUSE_ALL;
		case QTS_ESCALATION_L2:
			return QTS_CONTROL_PAUSE_PROFIT;
		case QTS_ESCALATION_NONE:
			break;
	}
	return QTS_CONTROL_RUNNING;
}

const char *
qts_escalation_name(QtsEscalationLevel level)
{
	return qts_name_of(level_names, sizeof(level_names) / sizeof(level_names[0]), (int) level);
}

QtsEscalationLevel
qts_escalation_parse(const char *name)
{
	int level = qts_name_find(level_names, sizeof(level_names) / sizeof(level_names[0]), name);

	return level < 0 ? QTS_ESCALATION_NONE : (QtsEscalationLevel) level;
}
