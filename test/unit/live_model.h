/*-------------------------------------------------------------------------
 *
 * live_model.h
 *		The exit worker without its tables: rows, what it remembers of them,
 *		and the steps of bgworkers/exit.c, exit_watches.c and
 *		src/db/exit_store.c in their order.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_TEST_LIVE_MODEL_H
#define QTS_TEST_LIVE_MODEL_H

#include "core/exit.h"
#include "core/exit_window.h"
#include "core/order.h"
#include "tap.h"

#define LIVE_ORDERS 96
#define LIVE_MADE 16

/* A row of order_intents. */
typedef struct LiveOrder
{
	QtsExitRule rule;
	int custom;
	int severity;
	QtsExitPhase phase;
	int cycle;
	QtsQty qty;
	QtsQty filled;
	QtsPrice price;
	QtsPrice threshold;
	QtsTime at;
	QtsTime ended_at;
	bool live;
	bool asked; /* to go */
	bool refused;
	bool applied;
} LiveOrder;

/* A decision under the lock, and whether there was something to make of it. */
typedef struct LiveMade
{
	QtsExitDecision d;
	QtsExitPhase phase;
	int cycle;
	bool made;
} LiveMade;

typedef struct Live
{
	/* rows */
	QtsExitPosition row; /* what no intent tells */
	QtsExitState stored;
	bool has_state;
	LiveOrder order[LIVE_ORDERS];
	int norders;
	/* settings */
	QtsExitProfile profile;
	QtsControlMode control;
	/* the watch */
	QtsExitPosition position;
	QtsExitState state;
	QtsExitBand band;
	QtsExitWait waits[QTS_EXIT_WAITS];
	QtsPrice first;
	bool again; /* to be looked at whatever its price does */
	bool dirty;
	LiveMade made[LIVE_MADE];
	int nmade;
	int64_t passed; /* looks that a band answered */
} Live;

static inline bool
live_failed(const LiveOrder *order)
{
	return !order->live && order->filled == 0;
}

/* WATCH_COLUMNS */
static inline void
live_fill(Live *l)
{
	QtsQty locked = 0;

	l->position = l->row;
	for (int i = 0; i < l->norders; i++)
	{
		const LiveOrder *order = &l->order[i];

		if (order->live)
		{
			locked += order->qty - order->filled;
			if (order->severity > l->position.live_severity)
				l->position.live_severity = order->severity;
		}
		if (order->cycle != l->stored.cycle || live_failed(order) ||
			(!order->live && !qts_exit_once(order->rule)))
			continue;
		if (order->rule == QTS_RULE_CUSTOM)
			l->position.live_custom[order->custom] = true;
		else
			l->position.live_rule[order->rule] = true;
	}
	l->position.available = qts_available_qty(l->position.qty, locked);
}

/* qts_exit_reread() */
static inline void
live_reread(Live *l)
{
	QtsExitState memory = l->state;

	live_fill(l);
	l->band = (QtsExitBand){0};
	l->state = l->stored;
	if (l->stored.cycle == memory.cycle && l->stored.phase == memory.phase)
		l->state = memory;
}

/* watch_carry() */
static inline void
live_reload(Live *l)
{
	QtsExitState old = l->state;

	live_fill(l);
	l->band = (QtsExitBand){0};
	l->state = l->stored;
	if (l->stored.cycle != old.cycle)
	{
		memset(l->waits, 0, sizeof(l->waits));
		return;
	}
	if (!l->has_state)
	{
		l->state = old;
		return;
	}
	l->state.last_avg_price = old.last_avg_price;
	l->state.base_avg_price = old.base_avg_price;
	l->state.last_qty = old.last_qty;
	l->state.cycle_buy = old.cycle_buy;
	if (old.hwm > l->state.hwm)
	{
		l->state.hwm = old.hwm;
		l->state.hwm_at = old.hwm_at;
	}
	if (l->stored.phase != old.phase)
		return;
	l->state.floor_ticks = old.floor_ticks;
	l->state.floor_since = old.floor_since;
	l->state.trail_ticks = old.trail_ticks;
	l->state.trail_since = old.trail_since;
	l->state.even_ticks = old.even_ticks;
	l->state.even_since = old.even_since;
}

/* qts_exit_store_state() */
static inline void
live_store(Live *l)
{
	l->stored = l->state;
	l->row.original_qty = l->position.original_qty;
	l->has_state = true;
	l->dirty = false;
}

static inline bool
live_must_wait(Live *l, const QtsExitDecision *d, QtsTime now)
{
	QtsTime last = 0;
	QtsTime retry_at;
	int refused = 0;

	for (int i = 0; i < l->norders; i++)
	{
		const LiveOrder *order = &l->order[i];

		if (!order->refused || order->cycle != l->state.cycle || order->rule != d->rule ||
			order->custom != d->custom)
			continue;
		refused++;
		if (order->ended_at > last)
			last = order->ended_at;
	}
	retry_at = qts_exit_retry_at(refused, last);
	if (retry_at <= now)
		return false;
	l->again |= qts_exit_wait_add(l->waits, d->rule, d->custom, retry_at);
	return true;
}

/* qts_exit_act() */
static inline bool
live_act(Live *l, const QtsExitDecision *d, QtsTime now)
{
	QtsQty qty = d->qty < l->position.available ? d->qty : l->position.available;

	if (live_must_wait(l, d, now))
		return false;
	for (int i = 0; d->supersede && i < l->norders; i++)
		l->order[i].asked |= l->order[i].live && l->order[i].severity < d->severity;
	live_store(l);
	if (l->nmade < LIVE_MADE)
		l->made[l->nmade++] = (LiveMade){.d = *d, .phase = l->state.phase, .cycle = l->state.cycle};
	if (qty <= 0 || l->norders == LIVE_ORDERS)
		return false;
	l->made[l->nmade - 1].made = true;
	l->order[l->norders++] = (LiveOrder){.rule = d->rule,
										 .custom = d->custom,
										 .severity = d->severity,
										 .phase = l->state.phase,
										 .cycle = l->state.cycle,
										 .qty = qty,
										 .price = d->price,
										 .threshold = d->threshold,
										 .at = now,
										 .live = true};
	return true;
}

/* watch_new_shares() */
static inline void
live_new_shares(Live *l, const QtsExitDecision *d)
{
	l->again = true;
	if (d->add_buy)
	{
		l->position.original_qty = l->position.qty;
		memset(l->position.live_rule, 0, sizeof(l->position.live_rule));
		memset(l->position.live_custom, 0, sizeof(l->position.live_custom));
		memset(l->waits, 0, sizeof(l->waits));
		for (int i = 0; i < l->norders; i++)
			l->order[i].asked |= l->order[i].live;
	}
	l->position.original_qty += d->add_buy ? 0 : d->grown;
	live_store(l);
}

/* watch_decide() and watch_made() */
static inline void
live_decide(Live *l, const QtsExitQuote *quote, const QtsExitState *before, QtsTime now)
{
	QtsExitState unseen;
	QtsExitDecision d;

	l->state = *before;
	live_reread(l);
	(void) qts_exit_wait_apply(l->waits, &l->position, now);
	unseen = l->state;
	d = qts_exit_evaluate(&l->profile, &l->position, &l->state, quote, l->control, now);
	if (d.add_buy || d.grown != 0)
		live_new_shares(l, &d);
	else if (d.rule != QTS_RULE_NONE && live_act(l, &d, now))
	{
		if (d.rule == QTS_RULE_CUSTOM)
			l->position.live_custom[d.custom] = true;
		else
			l->position.live_rule[d.rule] = true;
		if (d.severity > l->position.live_severity)
			l->position.live_severity = d.severity;
		l->position.available = qts_available_qty(l->position.available, d.qty);
	}
	else if (l->again)
		l->state = unseen;
}

/* watch_in_band() */
static inline bool
live_in_band(Live *l, const QtsExitQuote *quote, QtsTime now)
{
	QtsPrice price = quote->bid > 0 ? quote->bid : quote->last;

	if (quote->stale || !quote->in_session || price <= l->band.low)
		return false;
	if (price < l->band.high)
		return true;
	if (price >= l->band.rise)
		return false;
	qts_exit_raise(&l->state, &l->band, price, now);
	return true;
}

/* watch_evaluate() */
static inline void
live_evaluate(Live *l, const QtsExitQuote *quote, QtsTime now)
{
	QtsExitState before;
	QtsExitDecision d;

	if (l->position.qty == 0)
		return;
	if (qts_exit_wait_apply(l->waits, &l->position, now))
		l->band = (QtsExitBand){0};
	if (live_in_band(l, quote, now))
	{
		l->passed++;
		return;
	}
	before = l->state;
	d = qts_exit_evaluate(&l->profile, &l->position, &l->state, quote, l->control, now);
	if (d.rule != QTS_RULE_NONE || d.add_buy || d.grown != 0)
	{
		live_decide(l, quote, &before, now);
		(void) qts_exit_wait_apply(l->waits, &l->position, now);
	}
	l->band = qts_exit_band(&l->profile, &l->position, &l->state, quote, l->control);
}

/* One turn: the price that moved, and what is to be looked at again. */
static inline void
live_look(Live *l, const QtsExitQuote *quote, QtsTime now)
{
	do
	{
		l->again = false;
		live_evaluate(l, quote, now);
	} while (l->again);
}

static inline void
live_end(Live *l, int i, bool refused, QtsTime now)
{
	l->order[i].live = false;
	l->order[i].refused = refused;
	l->order[i].ended_at = now;
}

/* apply_position(); true: looked at again at once */
static inline bool
live_effects(Live *l)
{
	bool again = false;

	live_reread(l);
	for (int i = 0; i < l->norders; i++)
	{
		LiveOrder *order = &l->order[i];

		if (order->live || order->applied)
			continue;
		order->applied = true;
		again = again || order->filled < order->qty || qts_exit_sells_all(order->rule);
		if (order->filled > 0 && order->cycle == l->state.cycle)
			qts_exit_apply_fill(&l->profile, &l->state, order->rule, order->filled, l->row.qty,
								l->row.avg_price);
	}
	if (l->state.last_qty > l->row.qty)
		l->state.last_qty = l->row.qty;
	live_store(l);
	/* the rows changed: they are read again */
	live_reload(l);
	return again;
}

static QtsExitProfile
random_profile(TapRandom *rng)
{
	QtsExitProfile profile = qts_exit_profile_default();

	profile.even_enabled = tap_chance(rng, 40);
	profile.gap_enabled = tap_chance(rng, 60);
	profile.gap_pct = -tap_range(rng, 10, 50) * 1000;
	profile.gap_window = tap_range(rng, 5, 60) * QTS_SEC;
	profile.trading_days = tap_chance(rng, 50);
	profile.max_hold_days = tap_chance(rng, 30) ? (int) tap_range(rng, 2, 6) : 0;
	profile.no_momentum_days = tap_chance(rng, 30) ? 1 : 0;
	profile.start_trailing = tap_chance(rng, 70);
	profile.confirm_ticks = (int) tap_range(rng, 1, 3);
	profile.confirm_time = tap_range(rng, 0, 3) * QTS_SEC;
	if (tap_chance(rng, 30))
		profile.tp3.qty = 0;
	if (tap_chance(rng, 50))
		profile.trail_pct = tap_range(rng, 5, 30) * 1000;
	profile.custom_count = (int) tap_range(rng, 0, 3);
	for (int i = 0; i < profile.custom_count; i++)
	{
		QtsCustomRule *rule = &profile.custom[i];

		snprintf(rule->id, sizeof(rule->id), "rule%d", i);
		rule->enabled = true;
		rule->below = tap_chance(rng, 50);
		rule->threshold = (rule->below ? -1 : 1) * tap_range(rng, 5, 60) * 1000;
		rule->qty = tap_range(rng, 1, 10) * 100000;
	}
	return profile;
}

#endif /* QTS_TEST_LIVE_MODEL_H */
