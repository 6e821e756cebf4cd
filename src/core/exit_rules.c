/*-------------------------------------------------------------------------
 *
 * exit_rules.c
 *		One exit rule against one position: threshold, breach, quantity and
 *		what keeps it from firing (runtime 4.5-4.7, 4.10).
 *
 * Reads only.  Evaluation and explanation share this code, so that what is
 * explained is what would be done.
 *
 *-------------------------------------------------------------------------
 */
#include "core/exit.h"
#include "core/exit_internal.h"
#include "core/money.h"

#define COUNT_OF(array) ((int) (sizeof(array) / sizeof((array)[0])))

int
qts_exit_phase_rules(QtsExitPhase phase, const QtsExitRule **rules)
{
	static const QtsExitRule open[] = {
		QTS_RULE_HARD_STOP,
		QTS_RULE_SL2,
		QTS_RULE_SL1,
		QTS_RULE_TP1,
	};
	static const QtsExitRule tp1_done[] = {
		QTS_RULE_HARD_STOP, QTS_RULE_SL2, QTS_RULE_STOP_FLOOR, QTS_RULE_SL1, QTS_RULE_TP2,
	};
	static const QtsExitRule tp2_done[] = {
		QTS_RULE_HARD_STOP, QTS_RULE_SL2, QTS_RULE_STOP_FLOOR,
		QTS_RULE_SL1,		QTS_RULE_TP3, QTS_RULE_TRAIL_PARTIAL,
	};
	static const QtsExitRule tp3_done[] = {
		QTS_RULE_HARD_STOP,
		QTS_RULE_SL2,
		QTS_RULE_STOP_FLOOR,
	};
	static const QtsExitRule trailing[] = {
		QTS_RULE_HARD_STOP,
		QTS_RULE_SL2,
		QTS_RULE_TRAIL,
		QTS_RULE_STOP_FLOOR,
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
qts_exit_severity(QtsExitRule rule)
{
	switch (rule)
	{
		case QTS_RULE_HARD_STOP:
			return 120;
		case QTS_RULE_SL2:
			return 100;
		case QTS_RULE_SL1:
			return 90;
		case QTS_RULE_STOP_FLOOR:
			return 80;
		case QTS_RULE_MANUAL:
			return 40;
		case QTS_RULE_TP3:
			return 30;
		case QTS_RULE_TP2:
			return 20;
		case QTS_RULE_TP1:
			return 10;
		case QTS_RULE_TRAIL_PARTIAL:
		case QTS_RULE_TRAIL:
			return 5;
		case QTS_RULE_NONE:
		case QTS_RULE_COUNT:
			break;
	}
	return 0;
}

bool
qts_exit_allowed(QtsControlMode control, QtsExitRule rule)
{
	int severity = qts_exit_severity(rule);

	if (severity == 0)
		return false;
	if (rule == QTS_RULE_HARD_STOP || rule == QTS_RULE_MANUAL || control == QTS_CONTROL_RUNNING)
		return true;
	return control == QTS_CONTROL_PAUSE_PROFIT && severity >= qts_exit_severity(QTS_RULE_STOP_FLOOR);
}

/* 0 when there is no mark yet or no trail. */
static QtsPrice
exit_trail_price(const QtsExitProfile *profile, const QtsExitState *state)
{
	QtsPpm trail = qts_exit_trail(profile, state->atr_pct);
	QtsPrice price;

	if (state->hwm <= 0 || trail <= 0 || trail >= QTS_PPM || !qts_price_offset(state->hwm, -trail, &price))
		return 0;
	return price;
}

bool
qts_exit_floor_breached(const QtsExitState *state, QtsPrice price)
{
	return state->phase != QTS_PHASE_OPEN && state->stop_floor > 0 && price > 0 && price <= state->stop_floor;
}

bool
qts_exit_trail_breached(const QtsExitProfile *profile, const QtsExitState *state, QtsPrice price)
{
	if (state->phase != QTS_PHASE_TRAILING_ACTIVE &&
		(state->phase != QTS_PHASE_TP2_DONE || state->trail_partial_done))
		return false;
	return price > 0 && price <= exit_trail_price(profile, state);
}

static bool
exit_confirmed(const QtsExitProfile *profile, int ticks, QtsTime since, QtsTime now)
{
	int64_t lasted;

	return ticks >= 1 && ticks >= profile->confirm_ticks && since != QTS_TIME_NONE &&
		   !__builtin_sub_overflow(now, since, &lasted) && lasted >= profile->confirm_time;
}

/* share of a quantity, rounded down but at least one share */
static QtsQty
exit_share_profit(QtsQty base, QtsPpm share)
{
	QtsQty qty;

	if (base <= 0 || !qts_muldiv_floor(base, share, QTS_PPM, &qty))
		return 0;
	return qty > 1 ? qty : 1;
}

/* share of a quantity, rounded up: a stop errs on the safe side */
static QtsQty
exit_share_stop(QtsQty base, QtsPpm share)
{
	QtsQty qty;

	if (base <= 0 || !qts_muldiv_floor(-base, share, QTS_PPM, &qty))
		return 0;
	return -qty;
}

static QtsQty
exit_wanted(const QtsExitContext *context, QtsExitRule rule)
{
	const QtsExitProfile *profile = context->profile;
	const QtsExitPosition *position = context->position;

	switch (rule)
	{
		case QTS_RULE_SL1:
			return exit_share_stop(position->qty, profile->sl1.qty);
		case QTS_RULE_TP1:
			return exit_share_profit(position->original_qty, profile->tp1.qty);
		case QTS_RULE_TP2:
			return exit_share_profit(position->original_qty, profile->tp2.qty);
		case QTS_RULE_TP3:
			return exit_share_profit(position->original_qty, profile->tp3.qty);
		case QTS_RULE_TRAIL_PARTIAL:
			return exit_share_profit(position->qty, profile->trail_partial_qty);
		default:
			return position->qty;
	}
}

/* A threshold on the return from the average price. */
static void
exit_test_return(const QtsExitContext *context, QtsPpm ratio, QtsExitTest *test)
{
	QtsPrice avg = context->position->avg_price;
	QtsPrice price = 0;

	test->threshold_ppm = ratio;
	if (avg <= 0 || !qts_price_offset(avg, ratio, &price))
		return;
	/* the first price that triggers: from above for a stop, from below for a profit */
	if (ratio > 0 && !qts_return_at_least(price, avg, ratio))
		price++;
	test->threshold = price;
	if (context->price > 0)
		test->breached = ratio < 0 ? qts_return_at_most(context->price, avg, ratio)
								   : qts_return_at_least(context->price, avg, ratio);
}

static void
exit_test_percent(const QtsExitContext *context, const QtsExitThreshold *threshold, QtsExitTest *test)
{
	test->enabled = qts_exit_threshold_on(threshold);
	if (test->enabled)
		exit_test_return(context, qts_exit_threshold(context->profile, threshold, context->state->atr_pct),
						 test);
}

static void
exit_test_level(const QtsExitContext *context, QtsPrice level, bool breached, QtsExitTest *test)
{
	test->threshold = level;
	test->threshold_ppm = level > 0 ? qts_return_ppm(level, context->position->avg_price) : 0;
	test->breached = level > 0 && breached;
}

static void
exit_test_condition(const QtsExitContext *context, QtsExitRule rule, QtsExitTest *test)
{
	const QtsExitProfile *profile = context->profile;
	const QtsExitState *state = context->state;

	switch (rule)
	{
		case QTS_RULE_HARD_STOP:
			test->enabled = profile->hardstop_enabled && profile->hardstop < 0;
			if (test->enabled)
				exit_test_return(context, profile->hardstop, test);
			break;
		case QTS_RULE_SL2:
			exit_test_percent(context, &profile->sl2, test);
			break;
		case QTS_RULE_SL1:
			exit_test_percent(context, &profile->sl1, test);
			break;
		case QTS_RULE_TP1:
			exit_test_percent(context, &profile->tp1, test);
			break;
		case QTS_RULE_TP2:
			exit_test_percent(context, &profile->tp2, test);
			break;
		case QTS_RULE_TP3:
			exit_test_percent(context, &profile->tp3, test);
			break;
		case QTS_RULE_STOP_FLOOR:
			/* armed once, it holds for the cycle whatever the profile says later */
			test->enabled = profile->stop_floor_profit > 0 || state->stop_floor > 0;
			exit_test_level(context, state->stop_floor, qts_exit_floor_breached(state, context->price), test);
			break;
		case QTS_RULE_TRAIL_PARTIAL:
		case QTS_RULE_TRAIL:
			test->enabled = qts_exit_trail(profile, state->atr_pct) > 0 &&
							(rule == QTS_RULE_TRAIL || profile->trail_partial_qty > 0);
			exit_test_level(context, exit_trail_price(profile, state),
							qts_exit_trail_breached(profile, state, context->price), test);
			break;
		default:
			break;
	}
}

static bool
exit_test_confirmed(const QtsExitContext *context, QtsExitRule rule)
{
	const QtsExitState *state = context->state;

	if (rule == QTS_RULE_STOP_FLOOR)
		return exit_confirmed(context->profile, state->floor_ticks, state->floor_since, context->now);
	if (rule == QTS_RULE_TRAIL || rule == QTS_RULE_TRAIL_PARTIAL)
		return exit_confirmed(context->profile, state->trail_ticks, state->trail_since, context->now);
	return true;
}

static QtsExitBlock
exit_test_block(const QtsExitContext *context, QtsExitRule rule, const QtsExitTest *test)
{
	const QtsExitPosition *position = context->position;

	if (context->gate != QTS_BLOCK_NONE)
		return context->gate;
	if (!test->enabled)
		return QTS_BLOCK_OFF;
	if (!qts_exit_allowed(context->control, rule))
		return QTS_BLOCK_CONTROL_MODE;
	if (rule == QTS_RULE_TRAIL_PARTIAL && context->state->trail_partial_done)
		return QTS_BLOCK_PHASE;
	if (test->threshold <= 0)
		return QTS_BLOCK_NOT_ARMED;
	if (position->live_rule[rule] || qts_exit_severity(rule) <= position->live_severity)
		return QTS_BLOCK_LIVE_INTENT;
	if (test->qty <= 0)
		return QTS_BLOCK_NOTHING_AVAILABLE;
	if (test->breached && !exit_test_confirmed(context, rule))
		return QTS_BLOCK_CONFIRMING;
	return QTS_BLOCK_NONE;
}

QtsExitTest
qts_exit_test(const QtsExitContext *context, QtsExitRule rule)
{
	const QtsExitPosition *position = context->position;
	QtsExitTest test = {0};
	QtsQty room;

	exit_test_condition(context, rule, &test);
	/* superseding frees what the less severe orders hold */
	room = position->live_severity > 0 || position->available > position->qty ? position->qty
																			  : position->available;
	test.qty = exit_wanted(context, rule);
	if (test.qty > room)
		test.qty = room;
	test.block = exit_test_block(context, rule, &test);
	return test;
}
