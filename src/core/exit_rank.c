/*-------------------------------------------------------------------------
 *
 * exit_rank.c
 *		Which exit rules apply in which phase and order, how severe they are
 *		and what the control modes let through (runtime 4.6, 4.10).
 *
 *-------------------------------------------------------------------------
 */
#include "core/exit.h"
#include "core/exit_internal.h"

#define COUNT_OF(array) ((int) (sizeof(array) / sizeof((array)[0])))
#define EXIT_SEVERITY_PROTECTIVE 70 /* stops of the user's own: the least that PAUSE_PROFIT lets through */

static int
exit_phase_rules(QtsExitPhase phase, const QtsExitRule **rules)
{
	static const QtsExitRule open[] = {
		QTS_RULE_HARD_STOP, QTS_RULE_GAP_DOWN, QTS_RULE_SL2, QTS_RULE_BREAK_EVEN,
		QTS_RULE_SL1,		QTS_RULE_CUSTOM,   QTS_RULE_TP1, QTS_RULE_TIME,
	};
	static const QtsExitRule tp1_done[] = {
		QTS_RULE_HARD_STOP, QTS_RULE_GAP_DOWN, QTS_RULE_SL2, QTS_RULE_STOP_FLOOR,
		QTS_RULE_SL1,		QTS_RULE_CUSTOM,   QTS_RULE_TP2, QTS_RULE_TIME,
	};
	static const QtsExitRule tp2_done[] = {
		QTS_RULE_HARD_STOP, QTS_RULE_GAP_DOWN, QTS_RULE_SL2,		   QTS_RULE_STOP_FLOOR, QTS_RULE_SL1,
		QTS_RULE_CUSTOM,	QTS_RULE_TP3,	   QTS_RULE_TRAIL_PARTIAL, QTS_RULE_TIME,
	};
	static const QtsExitRule tp3_done[] = {
		QTS_RULE_HARD_STOP,
		QTS_RULE_SL2,
		QTS_RULE_STOP_FLOOR,
		QTS_RULE_TIME,
	};
	static const QtsExitRule trailing[] = {
		QTS_RULE_HARD_STOP, QTS_RULE_SL2, QTS_RULE_TRAIL, QTS_RULE_STOP_FLOOR, QTS_RULE_TIME,
	};

	switch (phase)
	{
		case QTS_PHASE_OPEN:
			*rules = open;
			return COUNT_OF(open);
		case QTS_PHASE_TP1_DONE:
			*rules = tp1_done;
			return COUNT_OF(tp1_done);
		case QTS_PHASE_TP2_DONE:
			*rules = tp2_done;
			return COUNT_OF(tp2_done);
		case QTS_PHASE_TP3_DONE:
			*rules = tp3_done;
			return COUNT_OF(tp3_done);
		case QTS_PHASE_TRAILING_ACTIVE:
			*rules = trailing;
			return COUNT_OF(trailing);
		case QTS_PHASE_EXITED:
		case QTS_PHASE_COUNT:
			break;
	}
	*rules = NULL;
	return 0;
}

int
qts_exit_rules(const QtsExitContext *context, QtsExitRef *refs)
{
	const QtsExitRule *rules;
	int count = exit_phase_rules(context->state->phase, &rules);
	int n = 0;

	if (context->control == QTS_CONTROL_EMERGENCY_FLATTEN && count > 0)
		refs[n++] = (QtsExitRef){QTS_RULE_EMERGENCY, QTS_CUSTOM_NONE};
	for (int i = 0; i < count; i++)
	{
		if (rules[i] != QTS_RULE_CUSTOM)
			refs[n++] = (QtsExitRef){rules[i], QTS_CUSTOM_NONE};
		else
			for (int k = 0; k < context->profile->custom_count && k < QTS_CUSTOM_MAX; k++)
				refs[n++] = (QtsExitRef){QTS_RULE_CUSTOM, k};
	}
	return n;
}

int
qts_exit_severity(QtsExitRule rule)
{
	static const int severities[QTS_RULE_COUNT] = {
		[QTS_RULE_EMERGENCY] = 120, [QTS_RULE_HARD_STOP] = 120,	  [QTS_RULE_GAP_DOWN] = 110,
		[QTS_RULE_SL2] = 100,		[QTS_RULE_SL1] = 90,		  [QTS_RULE_STOP_FLOOR] = 80,
		[QTS_RULE_BREAK_EVEN] = 80, [QTS_RULE_MANUAL] = 40,		  [QTS_RULE_CUSTOM] = 35,
		[QTS_RULE_TP3] = 30,		[QTS_RULE_TP2] = 20,		  [QTS_RULE_TP1] = 10,
		[QTS_RULE_TRAIL] = 5,		[QTS_RULE_TRAIL_PARTIAL] = 5, [QTS_RULE_TIME] = 1,
	};

	return (int) rule >= 0 && rule < QTS_RULE_COUNT ? severities[rule] : 0;
}

int
qts_custom_severity(bool below)
{
	return below ? EXIT_SEVERITY_PROTECTIVE : qts_exit_severity(QTS_RULE_CUSTOM);
}

bool
qts_exit_allowed(QtsControlMode control, QtsExitRule rule, int severity)
{
	if (qts_exit_severity(rule) == 0)
		return false;
	if (rule == QTS_RULE_EMERGENCY)
		return control == QTS_CONTROL_EMERGENCY_FLATTEN;
	if (rule == QTS_RULE_HARD_STOP || rule == QTS_RULE_MANUAL || control == QTS_CONTROL_RUNNING)
		return true;
	return control == QTS_CONTROL_PAUSE_PROFIT && severity >= EXIT_SEVERITY_PROTECTIVE;
}

bool
qts_exit_sells_all(QtsExitRule rule)
{
	switch (rule)
	{
		case QTS_RULE_EMERGENCY:
		case QTS_RULE_HARD_STOP:
		case QTS_RULE_GAP_DOWN:
		case QTS_RULE_SL2:
		case QTS_RULE_STOP_FLOOR:
		case QTS_RULE_BREAK_EVEN:
		case QTS_RULE_TRAIL:
		case QTS_RULE_TIME:
			return true;
		default:
			return false;
	}
}

bool
qts_exit_once(QtsExitRule rule)
{
	switch (rule)
	{
		case QTS_RULE_SL1:
		case QTS_RULE_CUSTOM:
		case QTS_RULE_TP1:
		case QTS_RULE_TP2:
		case QTS_RULE_TP3:
		case QTS_RULE_TRAIL_PARTIAL:
			return true;
		default:
			return false;
	}
}
