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
	decision->add_buy = qts_exit_sync(state, position, &decision->state_changed);
	gate = exit_quote_gate(quote);
	if (gate != QTS_BLOCK_NONE)
		return gate;
	if (qts_exit_observe(profile, state, exit_price(quote), now))
		decision->state_changed = true;
	return exit_position_gate(position);
}

static void
exit_decide(const QtsExitContext *context, QtsExitRule rule, const QtsExitTest *test,
			QtsExitDecision *decision)
{
	decision->rule = rule;
	decision->qty = test->qty;
	decision->full = test->qty == context->position->qty;
	decision->supersede = context->position->live_severity > 0;
	decision->threshold = test->threshold;
}

QtsExitDecision
qts_exit_evaluate(const QtsExitProfile *profile, const QtsExitPosition *position, QtsExitState *state,
				  const QtsExitQuote *quote, QtsControlMode control, QtsTime now)
{
	QtsExitDecision decision = {0};
	QtsExitContext context;
	const QtsExitRule *rules;
	int count;

	decision.price = exit_price(quote);
	decision.hold = exit_update(profile, position, state, quote, now, &decision);
	/* the position's original quantity and live intents still belong to the old cycle */
	if (decision.hold != QTS_BLOCK_NONE || decision.add_buy)
		return decision;

	context = (QtsExitContext){profile, position, state, decision.price, control, now, QTS_BLOCK_NONE};
	count = qts_exit_phase_rules(state->phase, &rules);
	for (int i = 0; i < count; i++)
	{
		QtsExitTest test = qts_exit_test(&context, rules[i]);

		if (!test.breached || test.block != QTS_BLOCK_NONE)
			continue;
		exit_decide(&context, rules[i], &test, &decision);
		qts_exit_restart_confirm(state, rules[i]);
		decision.state_changed = true;
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
	const QtsExitRule *rules;
	int count;

	context = (QtsExitContext){profile, position, &copy, exit_price(quote), control, now, QTS_BLOCK_NONE};
	context.gate = exit_update(profile, position, &copy, quote, now, &scratch);
	count = qts_exit_phase_rules(copy.phase, &rules);
	for (int i = 0; i < count; i++)
	{
		QtsExitTest test = qts_exit_test(&context, rules[i]);

		rows[i] = (QtsExitExplain){
			.rule = rules[i],
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
