/*-------------------------------------------------------------------------
 *
 * plan.c
 *		What kind of schedule a seed makes, and what people do in it.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <string.h>

#include "world.h"

/* Where a crash or an error may be planned; "net." is the library's: nothing throws there. */
static const char *const points[] = {
	"claim.begin",	 "claim.commit",   "claim.stored",	 "net.body",	   "net.sent",	  "net.answered",
	"answer.commit", "answer.stored",  "notice.commit",	 "notice.stored",  "fill.booked", "ledger.commit",
	"ledger.commit", "unknown.commit", "balance.commit", "balance.stored",
};

#define POINTS ((int) (sizeof(points) / sizeof(points[0])))

void
plan_next_break(World *w)
{
	ChaosPlan *plan = &w->plan;
	const char *name = points[rng_range(&w->rng, 0, POINTS - 1)];

	plan->break_at[0] = '\0';
	if (plan->breaks-- <= 0)
		return;
	snprintf(plan->break_at, sizeof(plan->break_at), "%s", name);
	plan->break_crash = strncmp(name, "net.", 4) == 0 || rng_chance(&w->rng, 600);
	plan->break_skip = (int) rng_range(&w->rng, 0, rng_chance(&w->rng, 500) ? 4 : 25);
}

static void
plan_faults(World *w)
{
	ChaosPlan *plan = &w->plan;
	ChaosFault main = (ChaosFault) rng_range(&w->rng, 0, FAULT_COUNT - 1);

	for (int f = 0; f < FAULT_COUNT; f++)
		plan->chance[f] = rng_chance(&w->rng, 350) ? (int) rng_range(&w->rng, 5, 150) : 0;
	plan->chance[main] = (int) rng_range(&w->rng, 100, 600);
	/* one of many things people do, so often enough when they do */
	plan->chance[FAULT_FOREIGN_HTS] = plan->chance[FAULT_FOREIGN_HTS] * 4 % 900;
	plan->chance[FAULT_FOREIGN_API] = plan->chance[FAULT_FOREIGN_API] * 4 % 900;
	/* a broker that refuses or loses nearly everything shows little else */
	for (int f = FAULT_ANSWER_LOST; f <= FAULT_REJECTED_LATE; f++)
		if (plan->chance[f] > 250)
			plan->chance[f] = 250;
	plan->breaks = rng_chance(&w->rng, 600) ? (int) rng_range(&w->rng, 1, 4) : 0;
	plan->skew = plan->chance[FAULT_CLOCK] > 0 ? rng_range(&w->rng, -3 * QTS_SEC, 3 * QTS_SEC) : 0;
}

void
plan_make(World *w)
{
	ChaosPlan *plan = &w->plan;
	bool close;

	plan->accounts = (int) rng_range(&w->rng, 1, OWN_ACCOUNTS);
	plan->symbols = (int) rng_range(&w->rng, 2, SYMBOLS);
	plan->paper = rng_chance(&w->rng, 80);
	plan->documented = rng_chance(&w->rng, 300);
	plan->rate = plan->paper ? 1 : rng_chance(&w->rng, 100) ? 3 : 12;
	plan->person = rng_chance(&w->rng, 500);
	plan_faults(w);
	close = rng_chance(&w->rng, 450) || plan->chance[FAULT_SESSION_END] > 0;
	plan->night = (close && rng_chance(&w->rng, 400)) || plan->chance[FAULT_NIGHT] > 0;
	plan->last_action = rng_range(&w->rng, 150 * QTS_SEC, 500 * QTS_SEC);
	plan->start = qts_seoul_instant(w->day[0].date, close || plan->night
														? w->day[0].close_at - plan->last_action +
															  rng_range(&w->rng, -20 * QTS_SEC, 20 * QTS_SEC)
														: 10 * QTS_HOUR);
	plan->last_action += plan->start;
	plan_next_break(w);
}

static void
action_target(World *w)
{
	int a = (int) rng_range(&w->rng, 0, w->plan.accounts - 1);
	int s = (int) rng_range(&w->rng, 0, w->plan.symbols - 1);
	QtsQty held = w->broker.held[a][s];

	w->target[a][s] = rng_chance(&w->rng, 500) ? 0 : rng_range(&w->rng, 0, held > 0 ? held : 1);
}

static void
action_entry(World *w)
{
	ChaosIntent intent = {.position = NONE, .entry = true, .status = QTS_INTENT_NEW, .created = w->now};

	intent.account = (int) rng_range(&w->rng, 0, w->plan.accounts - 1);
	intent.symbol = (int) rng_range(&w->rng, 0, w->plan.symbols - 1);
	intent.market = rng_chance(&w->rng, 600);
	intent.qty = rng_range(&w->rng, 1, 40);
	intent.price = intent.market ? 0 : w->broker.last[intent.symbol];
	intent.expires = w->now + 60 * QTS_SEC;
	if (w->store->add_intent(w, &intent) != NONE)
	{
		w->intents++;
		w->trading++;
	}
}

/* Somebody enters what could be taken for the order of this POST. */
void
plan_twin(World *w, int p)
{
	const Post *post = &w->broker.post[p];
	BrokerOrder twin = {.account = post->account,
						.symbol = post->symbol,
						.sell = post->request.sell,
						.market = post->request.market,
						.qty = post->request.qty,
						.price = post->request.price};

	if (world_fault(w, FAULT_TWIN, post->order))
		broker_foreign(w, twin.account, twin.symbol, rng_chance(&w->rng, 400), &twin);
}

static void
action_foreign(World *w)
{
	int a = (int) rng_range(&w->rng, 0, ACCOUNTS - 1);
	int s = (int) rng_range(&w->rng, 0, w->plan.symbols - 1);

	if (w->broker.nposts > 0)
		plan_twin(w, w->broker.nposts - 1);
	if (world_fault(w, FAULT_FOREIGN_HTS, NONE))
		broker_foreign(w, a, s, true, NULL);
	else if (world_fault(w, FAULT_FOREIGN_API, NONE))
		broker_foreign(w, a, s, false, NULL);
	else
		broker_foreign(w, ACCOUNTS - 1, s, false, NULL);
}

void
plan_switch(World *w)
{
	static const QtsControlMode modes[] = {QTS_CONTROL_RUNNING, QTS_CONTROL_PAUSE_PROFIT,
										   QTS_CONTROL_PAUSE_ALL};

	if (w->calm)
	{
		w->stop = false;
		w->mode = QTS_CONTROL_RUNNING;
	}
	else
	{
		w->stop = rng_chance(&w->rng, 500);
		w->mode = modes[rng_range(&w->rng, 0, 2)];
		if (w->stop || w->mode != QTS_CONTROL_RUNNING)
			world_met(w, FAULT_STOP, NONE);
	}
	w->store->set_switches(w, w->stop, w->mode);
	w->client.work_pending = true;
	client_wake(w, w->now);
}

/* Somebody does something; then somebody else, later. */
void
plan_action(World *w)
{
	int what = (int) rng_range(&w->rng, 0, 99);
	int s = (int) rng_range(&w->rng, 0, w->plan.symbols - 1);

	if (w->calm)
		return;
	if (what < 38)
		action_target(w);
	else if (what < 62)
		action_entry(w);
	else if (what < 74 && w->intents > 0)
		w->store->ask_cancel(w, w->intents - 1 -
									(int) rng_range(&w->rng, 0, w->intents > 8 ? 7 : w->intents - 1));
	else if (what < 84)
		action_foreign(w);
	else if (what < 88 && w->plan.chance[FAULT_STOP] > 0)
	{
		plan_switch(w);
		world_at(w, w->now + rng_range(&w->rng, 2 * QTS_SEC, 30 * QTS_SEC), EV_SWITCH, 0, 0);
	}
	else if (what < 92 && w->plan.chance[FAULT_HALTED] > 0)
	{
		world_at(w, w->now, EV_HALT, s, 1);
		world_at(w, w->now + rng_range(&w->rng, 3 * QTS_SEC, 60 * QTS_SEC), EV_HALT, s, 0);
	}
	else if (what < 96 && w->plan.chance[FAULT_FEED_DOWN] > 0)
	{
		world_at(w, w->now, EV_FEED, 0, 0);
		world_at(w, w->now + rng_range(&w->rng, QTS_SEC, 60 * QTS_SEC), EV_FEED, 1, 0);
	}
	w->client.work_pending = true;
	client_wake(w, w->now + rng_range(&w->rng, 0, 3 * QTS_MS));
	if (w->now < w->plan.last_action)
		world_at(w, w->now + rng_range(&w->rng, 10 * QTS_MS, 11 * QTS_SEC), EV_ACTION, 0, 0);
}

/* The exit worker: whatever is above its target and not locked is to be sold. */
static void
exits_of(World *w, int a, int s)
{
	static const QtsExitRule rules[] = {QTS_RULE_HARD_STOP, QTS_RULE_SL1,	QTS_RULE_SL2,
										QTS_RULE_TP1,		QTS_RULE_TRAIL, QTS_RULE_MANUAL};
	ChaosIntent intent = {.account = a, .symbol = s, .status = QTS_INTENT_NEW, .created = w->now};
	QtsQty held;
	QtsQty locked;

	intent.position = w->store->position(w, a, s, &held, &locked);
	if (intent.position == NONE || held - locked <= w->target[a][s])
		return;
	intent.rule = rules[rng_range(&w->rng, 0, 5)];
	intent.manual = intent.rule == QTS_RULE_MANUAL;
	intent.priority = qts_exit_severity(intent.rule);
	intent.qty = held - locked - w->target[a][s];
	if (rng_chance(&w->rng, 400))
		intent.qty = rng_range(&w->rng, 1, intent.qty);
	intent.market = rng_chance(&w->rng, 750);
	intent.price = intent.market ? 0 : w->broker.last[s];
	intent.expires = intent.manual ? 0 : w->now + 60 * QTS_SEC;
	if (w->store->add_intent(w, &intent) == NONE)
		return;
	w->intents++;
	w->trading++;
	w->client.work_pending = true;
	client_wake(w, w->now + rng_range(&w->rng, 0, 3 * QTS_MS));
}

void
plan_exits(World *w)
{
	if (w->calm || !qts_session_accepts_orders(qts_session_phase(world_today(w), w->now)))
		return;
	for (int a = 0; a < w->plan.accounts; a++)
		for (int s = 0; s < w->plan.symbols; s++)
			if (rng_chance(&w->rng, 700) && w->target[a][s] != INT32_MAX)
				exits_of(w, a, s);
	world_at(w, w->now + rng_range(&w->rng, QTS_SEC, 9 * QTS_SEC), EV_EXITS, 0, 0);
}
