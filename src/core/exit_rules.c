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

/* 0 when there is no mark yet or no trail. */
QtsPrice
qts_exit_trail_price(const QtsExitProfile *profile, const QtsExitState *state)
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
qts_exit_trail_counts(const QtsExitState *state)
{
	return state->phase == QTS_PHASE_TRAILING_ACTIVE ||
		   (state->phase == QTS_PHASE_TP2_DONE && !state->trail_partial_done);
}

bool
qts_exit_follows_mark(const QtsExitProfile *profile, const QtsExitState *state)
{
	return state->phase == QTS_PHASE_TP2_DONE || state->phase == QTS_PHASE_TRAILING_ACTIVE ||
		   (state->phase == QTS_PHASE_OPEN && profile->even_enabled);
}

bool
qts_exit_trail_breached(const QtsExitProfile *profile, const QtsExitState *state, QtsPrice price)
{
	return qts_exit_trail_counts(state) && price > 0 && price <= qts_exit_trail_price(profile, state);
}

QtsPrice
qts_exit_even_price(const QtsExitProfile *profile, const QtsExitState *state, QtsPrice avg)
{
	QtsPrice price;

	if (!profile->even_enabled || state->phase != QTS_PHASE_OPEN || avg <= 0 || state->hwm <= 0 ||
		!qts_return_at_least(state->hwm, avg, profile->even_trigger) ||
		!qts_price_offset(avg, profile->even_buffer, &price))
		return 0;
	return price;
}

bool
qts_exit_even_breached(const QtsExitProfile *profile, const QtsExitState *state, QtsPrice avg, QtsPrice price)
{
	return price > 0 && price <= qts_exit_even_price(profile, state, avg);
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

bool
qts_exit_custom_on(const QtsCustomRule *rule)
{
	return rule->enabled && rule->threshold != 0 && rule->qty > 0;
}

static QtsQty
exit_wanted(const QtsExitContext *context, QtsExitRef ref)
{
	const QtsExitProfile *profile = context->profile;
	const QtsExitPosition *position = context->position;
	const QtsCustomRule *custom;

	switch (ref.rule)
	{
		case QTS_RULE_SL1:
			return exit_share_stop(position->qty, profile->sl1.qty);
		case QTS_RULE_CUSTOM:
			custom = &profile->custom[ref.custom];
			return custom->below ? exit_share_stop(position->qty, custom->qty)
								 : exit_share_profit(position->qty, custom->qty);
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
exit_test_return(const QtsExitContext *context, QtsPpm ratio, bool below, QtsExitTest *test)
{
	QtsPrice avg = context->position->avg_price;
	QtsPrice price = 0;

	test->threshold_ppm = ratio;
	if (avg <= 0 || !qts_price_offset(avg, ratio, &price))
		return;
	/* the first price that triggers: from above for a stop, from below for a profit */
	if (!below && !qts_return_at_least(price, avg, ratio))
		price++;
	test->threshold = price;
	if (context->price > 0)
		test->breached = below ? qts_return_at_most(context->price, avg, ratio)
							   : qts_return_at_least(context->price, avg, ratio);
}

static void
exit_test_percent(const QtsExitContext *context, const QtsExitThreshold *threshold, QtsExitTest *test)
{
	test->enabled = qts_exit_threshold_on(threshold);
	if (test->enabled)
		exit_test_return(context, qts_exit_threshold(context->profile, threshold, context->state->atr_pct),
						 threshold->base < 0, test);
}

static void
exit_test_level(const QtsExitContext *context, QtsPrice level, bool breached, QtsExitTest *test)
{
	test->threshold = level;
	test->threshold_ppm = level > 0 ? qts_return_ppm(level, context->position->avg_price) : 0;
	test->breached = level > 0 && breached;
}

/* The first price of the day against the close before, not against what was paid. */
static void
exit_test_gap(const QtsExitContext *context, QtsExitTest *test)
{
	const QtsExitQuote *quote = context->quote;
	QtsPpm pct = context->profile->gap_pct;
	QtsPrice level = 0;

	test->enabled = context->profile->gap_enabled && pct < 0;
	if (!test->enabled || quote->prev_close <= 0 || !qts_price_offset(quote->prev_close, pct, &level))
		return;
	exit_test_level(context, level, quote->first > 0 && quote->first <= level, test);
}

static void
exit_test_time(const QtsExitContext *context, QtsExitTest *test)
{
	const QtsExitProfile *profile = context->profile;
	const QtsExitPosition *position = context->position;
	QtsPrice hwm = context->state->hwm;
	int days = profile->trading_days ? position->held_trading_days : position->held_days;

	test->priceless = true;
	test->enabled = profile->max_hold_days > 0 || profile->no_momentum_days > 0;
	test->breached = (profile->max_hold_days > 0 && days >= profile->max_hold_days) ||
					 (profile->no_momentum_days > 0 && days >= profile->no_momentum_days && hwm > 0 &&
					  !qts_return_at_least(hwm, position->avg_price, profile->no_momentum_profit));
}

static void
exit_test_armed(const QtsExitContext *context, QtsExitRule rule, QtsExitTest *test)
{
	const QtsExitProfile *profile = context->profile;
	const QtsExitState *state = context->state;
	QtsPrice avg = context->position->avg_price;

	switch (rule)
	{
		case QTS_RULE_STOP_FLOOR:
			/* armed once, it holds for the cycle whatever the profile says later */
			test->enabled = profile->stop_floor_profit > 0 || state->stop_floor > 0;
			exit_test_level(context, state->stop_floor, qts_exit_floor_breached(state, context->price), test);
			break;
		case QTS_RULE_BREAK_EVEN:
			test->enabled = profile->even_enabled;
			exit_test_level(context, qts_exit_even_price(profile, state, avg),
							qts_exit_even_breached(profile, state, avg, context->price), test);
			break;
		default:
			test->enabled = qts_exit_trail(profile, state->atr_pct) > 0 &&
							(rule == QTS_RULE_TRAIL || profile->trail_partial_qty > 0);
			exit_test_level(context, qts_exit_trail_price(profile, state),
							qts_exit_trail_breached(profile, state, context->price), test);
			break;
	}
}

static void
exit_test_condition(const QtsExitContext *context, QtsExitRef ref, QtsExitTest *test)
{
	const QtsExitProfile *profile = context->profile;
	const QtsCustomRule *custom;

	switch (ref.rule)
	{
		case QTS_RULE_EMERGENCY:
			test->enabled = test->priceless = test->breached = true;
			break;
		case QTS_RULE_HARD_STOP:
			test->enabled = profile->hardstop_enabled && profile->hardstop < 0;
			if (test->enabled)
				exit_test_return(context, profile->hardstop, true, test);
			break;
		case QTS_RULE_GAP_DOWN:
			exit_test_gap(context, test);
			break;
		case QTS_RULE_SL2:
			exit_test_percent(context, &profile->sl2, test);
			break;
		case QTS_RULE_SL1:
			exit_test_percent(context, &profile->sl1, test);
			break;
		case QTS_RULE_CUSTOM:
			custom = &profile->custom[ref.custom];
			test->enabled = qts_exit_custom_on(custom);
			if (test->enabled)
				exit_test_return(context, custom->threshold, custom->below, test);
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
		case QTS_RULE_TIME:
			exit_test_time(context, test);
			break;
		case QTS_RULE_STOP_FLOOR:
		case QTS_RULE_BREAK_EVEN:
		case QTS_RULE_TRAIL_PARTIAL:
		case QTS_RULE_TRAIL:
			exit_test_armed(context, ref.rule, test);
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
	if (rule == QTS_RULE_BREAK_EVEN)
		return exit_confirmed(context->profile, state->even_ticks, state->even_since, context->now);
	return true;
}

/* Shares bought today were bought after the gap; later it is no gap but a price. */
static QtsExitBlock
exit_gap_block(const QtsExitContext *context)
{
	const QtsExitQuote *quote = context->quote;

	if (context->position->held_days <= 0)
		return QTS_BLOCK_NOT_ARMED;
	return quote->since_open >= 0 && quote->since_open <= context->profile->gap_window ? QTS_BLOCK_NONE
																					   : QTS_BLOCK_WINDOW;
}

/*
 * Is an order for all that is held on its way, of a rule that would be decided
 * first again if it was cancelled?  It would be cancelled again, and so on.
 */
static bool
exit_all_on_sale(const QtsExitContext *context, QtsExitRef ref)
{
	const QtsExitPosition *position = context->position;
	QtsExitRef refs[QTS_EXIT_ROWS];
	int count = position->live_severity > 0 ? qts_exit_rules(context, refs) : 0;

	for (int i = 0; i < count; i++)
	{
		QtsExitRule rule = refs[i].rule;

		if (rule == ref.rule && qts_exit_sells_all(rule))
			return false;
		if (position->live_rule[rule] && qts_exit_sells_all(rule) &&
			qts_exit_severity(rule) <= position->live_severity)
			return true;
	}
	return false;
}

static bool
exit_test_waits(const QtsExitPosition *position, QtsExitRef ref)
{
	return ref.rule == QTS_RULE_CUSTOM ? position->wait_custom[ref.custom] : position->wait_rule[ref.rule];
}

static bool
exit_test_live(const QtsExitContext *context, QtsExitRef ref, int severity)
{
	const QtsExitPosition *position = context->position;

	return severity <= position->live_severity || exit_test_waits(position, ref) ||
		   exit_all_on_sale(context, ref) ||
		   (ref.rule == QTS_RULE_CUSTOM ? position->live_custom[ref.custom] : position->live_rule[ref.rule]);
}

/* Of a position that is held back; EMERGENCY_FLATTEN is above it. */
static QtsControlMode
exit_held_mode(const QtsExitContext *context)
{
	return context->control == QTS_CONTROL_EMERGENCY_FLATTEN ? context->control : QTS_CONTROL_PAUSE_ALL;
}

bool
qts_exit_keeps_back(const QtsExitContext *context, QtsExitRef ref, const QtsExitTest *test)
{
	return test->breached && test->block == QTS_BLOCK_LIVE_INTENT &&
		   exit_test_waits(context->position, ref) && exit_test_confirmed(context, ref.rule);
}

static QtsExitBlock
exit_test_block(const QtsExitContext *context, QtsExitRef ref, const QtsExitTest *test)
{
	QtsExitBlock gate = ref.rule == QTS_RULE_EMERGENCY ? context->emergency : context->gate;

	if (gate != QTS_BLOCK_NONE)
		return gate;
	if (!test->enabled)
		return QTS_BLOCK_OFF;
	if (!qts_exit_allowed(context->control, ref.rule, test->severity))
		return QTS_BLOCK_CONTROL_MODE;
	if (context->position->held_back && !qts_exit_allowed(exit_held_mode(context), ref.rule, test->severity))
		return QTS_BLOCK_HELD_BACK;
	if (ref.rule == QTS_RULE_TRAIL_PARTIAL && context->state->trail_partial_done)
		return QTS_BLOCK_PHASE;
	if (test->threshold <= 0 && !test->priceless)
		return QTS_BLOCK_NOT_ARMED;
	if (ref.rule == QTS_RULE_GAP_DOWN && (gate = exit_gap_block(context)) != QTS_BLOCK_NONE)
		return gate;
	if (exit_test_live(context, ref, test->severity))
		return QTS_BLOCK_LIVE_INTENT;
	if (test->qty <= 0)
		return QTS_BLOCK_NOTHING_AVAILABLE;
	if (test->breached && !exit_test_confirmed(context, ref.rule))
		return QTS_BLOCK_CONFIRMING;
	return QTS_BLOCK_NONE;
}

QtsExitTest
qts_exit_test(const QtsExitContext *context, QtsExitRef ref)
{
	const QtsExitPosition *position = context->position;
	QtsExitTest test = {0};
	QtsQty room;

	test.severity = ref.rule == QTS_RULE_CUSTOM
						? qts_custom_severity(context->profile->custom[ref.custom].below)
						: qts_exit_severity(ref.rule);
	exit_test_condition(context, ref, &test);
	/* superseding frees what the less severe orders hold */
	room = position->live_severity > 0 || position->available > position->qty ? position->qty
																			  : position->available;
	test.qty = exit_wanted(context, ref);
	if (test.qty > room)
		test.qty = room;
	test.block = exit_test_block(context, ref, &test);
	return test;
}
