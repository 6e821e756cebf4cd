/*-------------------------------------------------------------------------
 *
 * exit.c
 *		Exit rules: evaluation and explanation (runtime 4).
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "core/exit.h"
#include "core/exit_internal.h"
#include "core/money.h"

static QtsPrice
exit_price(const QtsExitQuote *quote)
{
	QtsPrice price = quote->bid > 0 ? quote->bid : quote->last;

	return price > 0 ? price : 0;
}

/* Is the quote one to learn from? */
static QtsExitBlock
exit_quote_gate(const QtsExitQuote *quote)
{
	if (quote->stale || exit_price(quote) == 0)
		return QTS_BLOCK_STALE_PRICE;
	return quote->in_session ? QTS_BLOCK_NONE : QTS_BLOCK_SESSION;
}

/* May automatic exits act on this position at all? */
static QtsExitBlock
exit_position_gate(const QtsExitPosition *position)
{
	if (position->quarantined)
		return QTS_BLOCK_QUARANTINE;
	if (position->mode != QTS_POSITION_ENABLED)
		return QTS_BLOCK_POSITION_MODE;
	if (position->qty <= 0)
		return QTS_BLOCK_NOTHING_AVAILABLE;
	return position->avg_price > 0 ? QTS_BLOCK_NONE : QTS_BLOCK_NOT_ARMED;
}

/* The same for EMERGENCY: a person wants out, whatever the price and the profile. */
static QtsExitBlock
exit_emergency_gate(const QtsExitPosition *position, const QtsExitQuote *quote)
{
	if (position->quarantined)
		return QTS_BLOCK_QUARANTINE;
	if (position->mode == QTS_POSITION_DISABLED)
		return QTS_BLOCK_POSITION_MODE;
	if (position->qty <= 0)
		return QTS_BLOCK_NOTHING_AVAILABLE;
	return quote->in_session ? QTS_BLOCK_NONE : QTS_BLOCK_SESSION;
}

static bool
exit_over(const QtsExitState *state)
{
	return (int) state->phase < 0 || state->phase >= QTS_PHASE_EXITED;
}

/* Bring the state up to date; what it returns blocks every rule. */
static QtsExitBlock
exit_update(const QtsExitProfile *profile, const QtsExitPosition *position, QtsExitState *state,
			const QtsExitQuote *quote, QtsTime now, QtsExitDecision *decision)
{
	QtsExitBlock gate;

	if (exit_over(state))
		return QTS_BLOCK_PHASE;
	decision->add_buy = qts_exit_sync(state, position, &decision->state_changed, &decision->grown);
	gate = exit_quote_gate(quote);
	if (gate != QTS_BLOCK_NONE)
		return gate;
	if (qts_exit_observe(profile, state, position->avg_price, exit_price(quote), now))
		decision->state_changed = true;
	return exit_position_gate(position);
}

static QtsExitContext
exit_context(const QtsExitProfile *profile, const QtsExitPosition *position, const QtsExitState *state,
			 const QtsExitQuote *quote, QtsControlMode control, QtsTime now, QtsExitBlock gate)
{
	return (QtsExitContext){
		.profile = profile,
		.position = position,
		.state = state,
		.quote = quote,
		.price = exit_price(quote),
		.control = control,
		.now = now,
		.gate = gate,
		.emergency = exit_over(state) ? QTS_BLOCK_PHASE : exit_emergency_gate(position, quote),
	};
}

static void
exit_decide(const QtsExitContext *context, QtsExitRef ref, const QtsExitTest *test, QtsExitDecision *decision)
{
	decision->rule = ref.rule;
	decision->custom = ref.custom;
	decision->severity = test->severity;
	decision->qty = test->qty;
	decision->full = test->qty == context->position->qty;
	decision->supersede = context->position->live_severity > 0;
	decision->threshold = test->threshold;
	decision->hold = QTS_BLOCK_NONE;
	decision->state_changed = true;
}

QtsExitDecision
qts_exit_evaluate(const QtsExitProfile *profile, const QtsExitPosition *position, QtsExitState *state,
				  const QtsExitQuote *quote, QtsControlMode control, QtsTime now)
{
	QtsExitDecision decision = {.custom = QTS_CUSTOM_NONE};
	QtsExitContext context;
	QtsExitRef refs[QTS_EXIT_ROWS];
	int count;

	decision.price = exit_price(quote);
	decision.hold = exit_update(profile, position, state, quote, now, &decision);
	/* the position's original quantity and live intents still belong to the old cycle */
	if (decision.add_buy || decision.grown != 0)
		return decision;
	if (decision.hold != QTS_BLOCK_NONE && control != QTS_CONTROL_EMERGENCY_FLATTEN)
		return decision;

	context = exit_context(profile, position, state, quote, control, now, decision.hold);
	count = qts_exit_rules(&context, refs);
	for (int i = 0; i < count; i++)
	{
		QtsExitTest test = qts_exit_test(&context, refs[i]);

		/* what the broker has just refused is not asked for in smaller pieces by the rules after it */
		if (qts_exit_keeps_back(&context, refs[i], &test))
			break;
		if (!test.breached || test.block != QTS_BLOCK_NONE)
			continue;
		exit_decide(&context, refs[i], &test, &decision);
		/* what waits for superseded orders to go is decided again, and not confirmed again */
		if (test.qty <= position->available)
			qts_exit_restart_confirm(state, refs[i].rule);
		break;
	}
	return decision;
}

int
qts_exit_explain(const QtsExitProfile *profile, const QtsExitPosition *position, const QtsExitState *state,
				 const QtsExitQuote *quote, QtsControlMode control, QtsTime now, QtsExitExplain *rows)
{
	QtsExitDecision scratch = {0};
	QtsExitState copy = *state;
	QtsExitContext context;
	QtsExitRef refs[QTS_EXIT_ROWS];
	QtsExitBlock gate = exit_update(profile, position, &copy, quote, now, &scratch);
	int count;

	context = exit_context(profile, position, &copy, quote, control, now, gate);
	count = qts_exit_rules(&context, refs);
	for (int i = 0; i < count; i++)
	{
		QtsExitTest test = qts_exit_test(&context, refs[i]);

		rows[i] = (QtsExitExplain){
			.rule = refs[i].rule,
			.custom = refs[i].custom,
			.enabled = test.enabled,
			.threshold = test.threshold,
			.threshold_ppm = test.threshold_ppm,
			.distance_ppm = test.threshold > 0 ? qts_return_ppm(test.threshold, context.price) : 0,
			.breached = test.breached,
			.blocked_by = test.block,
		};
	}
	return count;
}

/* A level that the price may not cross, from the side on which it stands. */
static void
band_bound(QtsExitBand *band, QtsPrice level, bool below)
{
	if (level <= 0)
		return;
	if (below && level > band->low)
		band->low = level;
	else if (!below && level < band->high)
		band->high = level;
}

/* Can this rule act on nothing but another price? */
static bool
band_waits_for_price(const QtsExitTest *test)
{
	return !test->priceless && test->block == QTS_BLOCK_NONE;
}

static bool
exit_below(const QtsExitContext *context, QtsExitRef ref)
{
	switch (ref.rule)
	{
		case QTS_RULE_TP1:
		case QTS_RULE_TP2:
		case QTS_RULE_TP3:
			return false;
		case QTS_RULE_CUSTOM:
			return context->profile->custom[ref.custom].below;
		default:
			return true;
	}
}

/* Does time alone or the first price of the day decide something now? */
static bool
band_in_window(const QtsExitProfile *profile, const QtsExitQuote *quote)
{
	return profile->gap_enabled && quote->since_open <= profile->gap_window;
}

QtsExitBand
qts_exit_band(const QtsExitProfile *profile, const QtsExitPosition *position, const QtsExitState *state,
			  const QtsExitQuote *quote, QtsControlMode control)
{
	static const QtsExitBand none = {0, 0, 0};
	QtsExitBand band = {0, INT64_MAX, 0};
	QtsExitContext context;
	QtsExitRef refs[QTS_EXIT_ROWS];
	int count;

	if (exit_over(state) || exit_quote_gate(quote) != QTS_BLOCK_NONE || state->last_avg_price <= 0 ||
		control == QTS_CONTROL_EMERGENCY_FLATTEN || band_in_window(profile, quote) ||
		state->floor_ticks + state->trail_ticks + state->even_ticks > 0)
		return none;
	context =
		exit_context(profile, position, state, quote, control, QTS_TIME_NONE, exit_position_gate(position));
	/* confirmations are counted whether or not their rule may act */
	if (state->phase != QTS_PHASE_OPEN)
		band_bound(&band, state->stop_floor, true);
	if (qts_exit_trail_counts(state))
		band_bound(&band, qts_exit_trail_price(profile, state), true);
	band_bound(&band, qts_exit_even_price(profile, state, position->avg_price), true);
	count = qts_exit_rules(&context, refs);
	for (int i = 0; i < count; i++)
	{
		QtsExitTest test = qts_exit_test(&context, refs[i]);

		if (test.breached && test.block == QTS_BLOCK_NONE)
			return none;
		if (band_waits_for_price(&test))
			band_bound(&band, test.threshold, exit_below(&context, refs[i]));
	}
	/* a higher price moves the mark; where thresholds follow the mark it moves them, too */
	band.rise = qts_exit_follows_mark(profile, state) ? 0 : band.high;
	if (state->hwm < band.high)
		band.high = state->hwm + 1;
	return band;
}

void
qts_exit_raise(QtsExitState *state, QtsExitBand *band, QtsPrice price, QtsTime now)
{
	state->hwm = price;
	state->hwm_at = now;
	band->high = price + 1;
}
