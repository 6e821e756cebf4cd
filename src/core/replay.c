/*-------------------------------------------------------------------------
 *
 * replay.c
 *		Recorded orders around the live rules, and comparison.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "core/exit_window.h"
#include "core/replay.h"

static void
replay_mark(const QtsReplayIntent *of, bool *rules, bool *customs)
{
	if (of->rule == QTS_RULE_CUSTOM && of->custom >= 0 && of->custom < QTS_CUSTOM_MAX)
		customs[of->custom] = true;
	else
		rules[of->rule] = true;
}

/* After refusals the worker waits before it tries the rule again, longer and longer. */
static bool
replay_waits(const QtsReplay *replay, const QtsReplayIntent *of)
{
	QtsTime last = QTS_TIME_NONE;
	int refused = 0;

	for (int i = 0; i < replay->nintents; i++)
	{
		const QtsReplayIntent *intent = &replay->intent[i];

		if (!intent->ended || !intent->refused || intent->cycle != of->cycle || intent->rule != of->rule ||
			intent->custom != of->custom)
			continue;
		refused++;
		if (intent->ended_at > last)
			last = intent->ended_at;
	}
	return refused > 0 && qts_exit_retry_at(refused, last) > replay->now;
}

/* What the worker reads of the intents: locks, severity, rules that had their turn. */
static void
replay_load(QtsReplay *replay)
{
	QtsExitPosition *position = &replay->position;
	QtsQty locked = 0;

	position->live_severity = 0;
	memset(position->live_rule, 0, sizeof(position->live_rule));
	memset(position->live_custom, 0, sizeof(position->live_custom));
	memset(position->wait_rule, 0, sizeof(position->wait_rule));
	memset(position->wait_custom, 0, sizeof(position->wait_custom));
	for (int i = 0; i < replay->nintents; i++)
	{
		const QtsReplayIntent *intent = &replay->intent[i];

		if (!intent->open && !intent->ended)
			continue;
		if (intent->open)
		{
			locked += intent->qty - intent->sold;
			if (intent->severity > position->live_severity)
				position->live_severity = intent->severity;
		}
		if (intent->cycle != replay->state.cycle)
			continue;
		if (intent->open || (!intent->failed && qts_exit_once(intent->rule)))
			replay_mark(intent, position->live_rule, position->live_custom);
		else if (intent->refused && replay_waits(replay, intent))
			replay_mark(intent, position->wait_rule, position->wait_custom);
	}
	position->available = locked < position->qty ? position->qty - locked : 0;
}

void
qts_replay_sold(QtsReplay *replay, int64_t id, QtsQty qty)
{
	replay->position.qty = replay->position.qty > qty ? replay->position.qty - qty : 0;
	for (int i = 0; i < replay->nintents; i++)
		if (replay->intent[i].id == id)
			replay->intent[i].sold += qty;
	replay_load(replay);
}

bool
qts_replay_orders(QtsReplay *replay, QtsTime now)
{
	bool again = false;

	replay->now = now;
	for (int i = 0; i < replay->nintents; i++)
	{
		QtsReplayIntent *intent = &replay->intent[i];

		if (!intent->open && !intent->ended && intent->created_at <= now)
			intent->open = true;
		if (!intent->open || intent->ended_at == QTS_TIME_NONE || intent->ended_at > now)
			continue;
		intent->open = false;
		intent->ended = true;
		again = again || intent->filled < intent->qty || qts_exit_sells_all(intent->rule);
		if (intent->filled > 0 && (intent->cycle == 0 || intent->cycle == replay->state.cycle))
			qts_exit_apply_fill(&replay->profile, &replay->state, intent->rule, intent->filled,
								replay->position.qty, replay->position.avg_price);
		/* fewer were sold; more were bought, which the next look has to see */
		if (replay->state.last_qty > replay->position.qty)
			replay->state.last_qty = replay->position.qty;
	}
	replay_load(replay);
	return again;
}

static bool
replay_is(const QtsReplayIntent *intent, const QtsReplay *replay, const QtsExitDecision *decision)
{
	return intent->automatic && intent->rule == decision->rule && intent->cycle == replay->state.cycle &&
		   intent->phase == replay->state.phase &&
		   (intent->custom == QTS_CUSTOM_NONE || intent->custom == decision->custom);
}

/* The recorded intent of this decision; NULL = there was none. */
static QtsReplayIntent *
replay_find(QtsReplay *replay, const QtsExitDecision *decision, QtsTime now)
{
	for (int i = 0; i < replay->nintents; i++)
	{
		QtsReplayIntent *intent = &replay->intent[i];

		if (!intent->matched && replay_is(intent, replay, decision) &&
			intent->created_at <= now + replay->tolerance && intent->created_at >= now - replay->tolerance)
			return intent;
	}
	return NULL;
}

static void
replay_extra(QtsReplay *replay, const QtsExitDecision *decision, QtsQty qty, QtsTime now)
{
	QtsReplayExtra extra = {.rule = decision->rule,
							.custom = decision->custom,
							.cycle = replay->state.cycle,
							.phase = replay->state.phase,
							.qty = qty,
							.price = decision->price,
							.threshold = decision->threshold,
							.at = now};

	/* told once, though every look decides it again */
	for (int i = 0; i < replay->nextras; i++)
		if (replay->extra[i].rule == extra.rule && replay->extra[i].custom == extra.custom &&
			replay->extra[i].cycle == extra.cycle && replay->extra[i].phase == extra.phase)
			return;
	if (replay->nextras < QTS_REPLAY_EXTRAS)
		replay->extra[replay->nextras++] = extra;
}

static void
replay_decided(QtsReplay *replay, const QtsExitDecision *decision, QtsTime now)
{
	QtsQty available = replay->position.available;
	QtsQty qty = decision->qty < available ? decision->qty : available;
	QtsReplayIntent *intent;

	/* superseded orders go first: live, nothing is made of it yet */
	if (qty <= 0)
		return;
	intent = replay_find(replay, decision, now);
	if (intent == NULL)
	{
		replay_extra(replay, decision, qty, now);
		return;
	}
	intent->matched = true;
	intent->custom = decision->custom;
	intent->open = true;
	intent->again_qty = qty;
	intent->again_price = decision->price;
	intent->again_threshold = decision->threshold;
	intent->again_at = now;
	replay_load(replay);
}

/* True: there are new shares, for which the price is looked at again. */
static bool
replay_evaluate(QtsReplay *replay, const QtsExitQuote *quote, QtsTime now)
{
	QtsExitDecision decision =
		qts_exit_evaluate(&replay->profile, &replay->position, &replay->state, quote, replay->control, now);

	replay->looks++;
	replay->position.original_qty += decision.grown;
	if (decision.add_buy)
	{
		replay->position.original_qty = replay->position.qty;
		replay_load(replay);
	}
	else if (decision.rule != QTS_RULE_NONE)
		replay_decided(replay, &decision, now);
	return decision.add_buy || decision.grown != 0;
}

void
qts_replay_look(QtsReplay *replay, const QtsExitQuote *quote, QtsTime now)
{
	if (replay->position.qty > 0 && replay_evaluate(replay, quote, now))
		(void) replay_evaluate(replay, quote, now);
}

bool
qts_replay_same(const QtsReplayIntent *intent)
{
	return intent->matched && intent->again_qty == intent->qty && intent->again_price == intent->price &&
		   intent->again_threshold == intent->threshold;
}
