/*-------------------------------------------------------------------------
 *
 * run.c
 *		One schedule from its seed to its verdict.
 *
 *-------------------------------------------------------------------------
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

/* 2025-06-10, a Tuesday, and the day after: normal trading days. */
#define FIRST_DAY 9292
#define FIRST_ODNO 1

/* Enough for the longest grace period and two balances that agree a minute after the last change. */
#define SETTLE (430 * QTS_SEC)
#define SETTLE_MORE (200 * QTS_SEC)
#define SETTLE_TRIES 12

const QtsCalendarDay *
world_today(const World *w)
{
	QtsDate date = qts_seoul_date(w->now);

	for (int i = 0; i < DAYS; i++)
		if (w->day[i].date == date)
			return &w->day[i];
	return NULL;
}

const char *
world_account(const World *w, int account)
{
	static char names[ACCOUNTS][12];

	snprintf(names[account], sizeof(names[account]), "%08u-%02d", (unsigned) (w->seed % 90000000) + 1,
			 account + 1);
	return names[account];
}

int
world_account_index(const World *w, const char *account)
{
	(void) w;
	return account[0] == '\0' ? 0 : atoi(account + 9) - 1;
}

void
world_symbol(int symbol, char *out)
{
	strcpy(out, "000100");
	out[4] = (char) ('1' + symbol);
}

int
world_symbol_index(const char *symbol)
{
	return symbol[4] - '1';
}

void
world_fail(World *w, const char *invariant, const char *format, ...)
{
	va_list args;
	int n;

	if (w->failure[0] != '\0')
		return;
	n = snprintf(w->failure, sizeof(w->failure), "%s: ", invariant);
	va_start(args, format);
	vsnprintf(w->failure + n, sizeof(w->failure) - (size_t) n, format, args);
	va_end(args);
	world_trace(w, "VIOLATION %s", w->failure);
}

void
world_trace(World *w, const char *format, ...)
{
	va_list args;

	if (!w->trace)
		return;
	printf("# %+12.6f ", (double) (w->now - w->plan.start) / QTS_SEC);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

void
world_mix(World *w, uint64_t value)
{
	w->hash = (w->hash ^ value) * UINT64_C(0x100000001b3);
	w->hash ^= w->hash >> 29;
}

void
world_met(World *w, ChaosFault fault, int order)
{
	unsigned steps = 0;

	if (w->calm && fault != FAULT_SESSION_END)
		return;
	w->faults++;
	world_mix(w, (uint64_t) fault);
	world_trace(w, "fault: %s (order %d)", chaos_fault_name(fault), order);
	if (order != NONE)
		steps = 1u << w->order_step[order];
	else
	{
		/* whoever lives meets it */
		for (int i = w->broker.nposts - 1; i >= 0 && i >= w->broker.nposts - 12; i--)
		{
			int uid = w->broker.post[i].order;

			if (w->order_step[uid] != STEP_S7)
				steps |= 1u << w->order_step[uid];
		}
		if (w->store->live)
			for (int i = 0; i < w->tables.nintents; i++)
				if (w->tables.intent[i].status == QTS_INTENT_NEW)
					steps |= 1u << STEP_S0;
		if (steps == 0)
			steps = w->broker.nposts > 0 ? 1u << STEP_S7 : 1u << STEP_IDLE;
	}
	for (int s = 0; s < STEP_COUNT; s++)
		if (steps & (1u << s))
			w->coverage.hits[fault][s]++;
}

bool
world_fault(World *w, ChaosFault fault, int order)
{
	if (w->plan.chance[fault] == 0 || w->calm || !rng_chance(&w->rng, w->plan.chance[fault]))
		return false;
	world_met(w, fault, order);
	return true;
}

/* The step at which an order is that stands at the point. */
static ChaosStep
point_step(const char *name)
{
	static const struct
	{
		const char *name;
		ChaosStep step;
	} steps[] = {{"claim.begin", STEP_S0},	 {"claim.commit", STEP_S0},	  {"claim.stored", STEP_S1},
				 {"net.body", STEP_S2},		 {"net.sent", STEP_S3},		  {"net.answered", STEP_S4},
				 {"answer.commit", STEP_S4}, {"unknown.commit", STEP_S4}, {"answer.stored", STEP_S5},
				 {"notice.commit", STEP_S6}, {"fill.booked", STEP_S6},	  {"ledger.commit", STEP_S6}};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (strcmp(steps[i].name, name) == 0)
			return steps[i].step;
	return STEP_S7;
}

void
chaos_point(World *w, const char *name)
{
	ChaosPlan *plan = &w->plan;
	ChaosFault fault = plan->break_crash ? FAULT_CRASH : FAULT_ERROR;

	if (plan->break_at[0] == '\0' || w->calm || strcmp(plan->break_at, name) != 0 || plan->break_skip-- > 0)
		return;
	plan->break_at[0] = '\0';
	w->faults++;
	w->coverage.hits[fault][point_step(name)]++;
	world_mix(w, (uint64_t) fault);
	world_trace(w, "%s at %s", chaos_fault_name(fault), name);
	w->store->raise(w);
}

static void
run_open(World *w)
{
	Broker *b = &w->broker;

	for (int i = 0; i < DAYS; i++)
		w->day[i] = qts_calendar_normal(FIRST_DAY + i);
	plan_make(w);
	w->now = w->plan.start;
	for (int s = 0; s < SYMBOLS; s++)
		b->last[s] = 21000 + rng_range(&w->rng, 0, 500) * 50;
	for (int a = 0; a < ACCOUNTS; a++)
	{
		b->next_odno[a] = FIRST_ODNO;
		for (int s = 0; s < w->plan.symbols; s++)
		{
			if (rng_chance(&w->rng, 850))
				b->initial[a][s] = rng_range(&w->rng, 1, 200);
			b->held[a][s] = b->initial[a][s];
			if (a < OWN_ACCOUNTS)
				w->target[a][s] = INT32_MAX;
		}
	}
	w->client.up = true;
	w->client.feed_up = true;
	w->client.epoch = 1;
	w->store->open(w);
	world_at(w, w->now, EV_ACTION, 0, 0);
	world_at(w, w->now + QTS_SEC, EV_EXITS, 0, 0);
	client_wake(w, w->now);
}

/* What comes after the last action: calm, perhaps a night, and long enough for every grace period. */
static void
run_schedule_end(World *w)
{
	QtsTime close = qts_seoul_instant(w->day[0].date, w->day[0].close_at);
	QtsTime calm = w->plan.last_action + rng_range(&w->rng, 0, 20 * QTS_SEC);

	if (w->plan.start > close - 2 * QTS_HOUR)
		world_at(w, close, EV_CLOSE, 0, 0);
	if (w->plan.night)
	{
		QtsTime morning = qts_seoul_instant(w->day[1].date, w->day[1].open_at);
		bool early = rng_chance(&w->rng, 400); /* into the opening auction */
		QtsTime off = rng_chance(&w->rng, 400) ? close + rng_range(&w->rng, -5 * QTS_SEC, 5 * QTS_SEC)
											   : close + rng_range(&w->rng, 0, 500 * QTS_SEC);

		world_at(w, off, EV_NIGHT, 0, 0);
		w->plan.last_morning = morning + rng_range(&w->rng, 30 * QTS_SEC, 120 * QTS_SEC);
		world_at(w, morning + (early ? -rng_range(&w->rng, 60 * QTS_SEC, 600 * QTS_SEC) : QTS_SEC),
				 EV_MORNING, 0, 0);
		calm = w->plan.last_morning + rng_range(&w->rng, 0, 20 * QTS_SEC);
	}
	world_at(w, calm, EV_CALM, 0, 0);
}

/* Switched off for the night; on again before the market opens. */
static void
run_night(World *w)
{
	Client *c = &w->client;

	world_met(w, FAULT_NIGHT, NONE);
	world_trace(w, "night");
	client_broken(w, true);
	w->now = qts_seoul_instant(w->day[0].date, w->day[0].close_at) > w->now
				 ? qts_seoul_instant(w->day[0].date, w->day[0].close_at)
				 : w->now;
	broker_close(w);
	/* whatever was under way has arrived or was lost */
	for (int i = w->nevents - 1; i >= 0; i--)
		if (w->event[i].kind == EV_RESTART || w->event[i].kind == EV_TURN || w->event[i].kind == EV_CLOSE)
			w->event[i].kind = EV_END;
	c->wake_at = 0;
	world_at(w,
			 qts_seoul_instant(w->day[1].date, w->day[1].open_at) -
				 rng_range(&w->rng, -20 * QTS_SEC, 650 * QTS_SEC),
			 EV_RESTART, 0, 0);
}

static void
run_calm(World *w)
{
	w->calm = true;
	w->plan.breaks = 0;
	w->plan.break_at[0] = '\0';
	w->client.feed_up = true;
	w->client.feed_gap = true;
	for (int s = 0; s < SYMBOLS; s++)
		w->broker.halted[s] = false;
	plan_switch(w);
	for (int i = 0; i < w->intents; i++)
		w->store->ask_cancel(w, i);
	world_at(w, w->now + SETTLE, EV_PERSON, 0, 0);
}

/* A person settles what the engine has given to people, with the broker's own list in hand. */
static void
run_person(World *w, int again)
{
	bool done = false;

	w->store->snapshot(w);
	for (int i = 0; i < w->tables.norders && w->plan.person; i++)
	{
		const ChaosOrder *order = &w->tables.order[i];
		char odno[12] = "";

		if (order->life.status != QTS_ORDER_UNKNOWN || !order->quarantined)
			continue;
		for (int p = 0; p < w->broker.nposts; p++)
			if (w->broker.post[p].order == i && w->broker.post[p].accepted != NONE)
				snprintf(odno, sizeof(odno), "%010d",
						 w->broker.order[w->broker.post[p].accepted].odno % 1000000);
		world_trace(w, "a person settles order %d: %s", i, odno[0] ? odno : "not accepted");
		w->store->resolve(w, i, odno[0] ? odno : NULL);
		done = true;
	}
	w->client.work_pending = true;
	client_wake(w, w->now);
	if ((done || !check_quiet(w)) && again < SETTLE_TRIES)
		world_at(w, w->now + SETTLE_MORE, EV_PERSON, again + 1, 0);
	else
	{
		check_end(w);
		w->over = true;
	}
}

static void
run_answer(World *w, int i)
{
	Flying *f = &w->flying[i];

	if (f->session != w->client.session || !w->client.up)
	{
		f->used = false;
		return;
	}
	if (f->event.kind == QTS_EVENT_ORDER)
		w->order_step[f->tag] = STEP_S4;
	w->client.inbox[w->client.ninbox++] = i;
	client_wake(w, w->now + rng_range(&w->rng, 0, rng_chance(&w->rng, 30) ? QTS_SEC : QTS_MS));
}

static void
run_event(World *w, const Event *event)
{
	switch (event->kind)
	{
		case EV_ACTION:
			plan_action(w);
			break;
		case EV_EXITS:
			plan_exits(w);
			break;
		case EV_ARRIVE:
			wire_arrive(w, event->a);
			break;
		case EV_ANSWER:
			run_answer(w, event->a);
			break;
		case EV_EXCHANGE:
			broker_exchange(w, event->a);
			break;
		case EV_NOTICE:
			wire_frame(w, event->a);
			break;
		case EV_TURN:
			if (w->client.up && event->at == w->client.wake_at)
				client_turn(w);
			break;
		case EV_RESTART:
			client_restart(w);
			break;
		case EV_FEED:
			w->client.feed_up = event->a != 0 || w->calm;
			w->client.feed_gap |= event->a != 0;
			break;
		case EV_HALT:
			w->broker.halted[event->a] = event->b != 0 && !w->calm;
			break;
		case EV_SWITCH:
			plan_switch(w);
			break;
		case EV_CLOSE:
			broker_close(w);
			break;
		case EV_NIGHT:
			run_night(w);
			break;
		case EV_MORNING:
			w->plan.last_action = w->plan.last_morning;
			plan_action(w);
			plan_exits(w);
			break;
		case EV_CALM:
			run_calm(w);
			break;
		case EV_PERSON:
			run_person(w, event->a);
			break;
		case EV_END:
			break;
	}
}

void
world_run(World *w, uint64_t seed, const ChaosStore *store, bool trace)
{
	Event event;

	memset(w, 0, sizeof(*w));
	w->seed = seed;
	w->trace = trace;
	w->store = store;
	rng_seed(&w->rng, seed);
	w->hash = UINT64_C(0xcbf29ce484222325);
	run_open(w);
	run_schedule_end(w);
	while (!w->over && !w->full && w->failure[0] == '\0' && world_next(w, &event))
	{
		/* numbers are unique within a day only */
		if (qts_seoul_date(event.at) != qts_seoul_date(w->now))
			for (int a = 0; a < ACCOUNTS; a++)
				w->broker.next_odno[a] = FIRST_ODNO;
		w->now = event.at > w->now ? event.at : w->now;
		world_mix(w, (uint64_t) w->now * 32 + (uint64_t) event.kind);
		run_event(w, &event);
		if (store->live)
			check_step(w);
	}
	if (!w->over && !w->full && w->failure[0] == '\0')
		world_fail(w, "quiescence", "nothing left to happen before the end");
	store->close(w);
}
