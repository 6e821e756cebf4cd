/*-------------------------------------------------------------------------
 *
 * test_exit_walk.c
 *		Exit rules on random walks with orders that fill late, in parts or
 *		not at all, with added shares, pauses and price gaps.
 *
 *-------------------------------------------------------------------------
 */
#include "exit_fixture.h"

#define STEPS 400
#define INTENTS 64
#define RUNS 3000

typedef struct Intent
{
	QtsExitRule rule;
	int custom;
	QtsExitPhase phase;
	int cycle;
	QtsQty qty;
	QtsQty filled;
	bool live;
} Intent;

typedef struct Walk
{
	Fixture f;
	TapRandom rng;
	int64_t scale; /* prices times this */
	QtsKrw price;
	Intent intents[INTENTS];
	int count;
	int decisions;
	int raised;
	int banded;			/* evaluations that left a band */
	int64_t buys;		/* orders that bought */
	const char *broken; /* first violated rule */
} Walk;

static void
walk_require(Walk *w, bool holds, const char *what)
{
	if (!holds && w->broken == NULL)
		w->broken = what;
}

static void
walk_init_profile(Walk *w)
{
	QtsExitProfile *profile = &w->f.profile;

	profile->even_enabled = tap_chance(&w->rng, 50);
	profile->trading_days = tap_chance(&w->rng, 50);
	profile->custom_count = (int) tap_range(&w->rng, 0, 3);
	for (int i = 0; i < profile->custom_count; i++)
	{
		QtsCustomRule *rule = &profile->custom[i];

		snprintf(rule->id, sizeof(rule->id), "rule%d", i);
		rule->enabled = tap_chance(&w->rng, 90);
		rule->below = tap_chance(&w->rng, 50);
		rule->threshold = (rule->below ? -1 : 1) * tap_range(&w->rng, 5, 60) * 1000;
		rule->qty = tap_range(&w->rng, 1, 10) * 100000;
	}
}

static void
walk_init(Walk *w, uint64_t seed, int64_t scale)
{
	memset(w, 0, sizeof(*w));
	w->f = fixture();
	w->rng.state = seed;
	w->scale = scale;
	w->price = 50000;
	w->f.position.qty = tap_range(&w->rng, 1, 300);
	w->f.position.original_qty = w->f.position.qty;
	w->f.position.avg_price = QTS_PRICE(w->price) * scale;
	w->f.state.atr_pct = tap_range(&w->rng, 0, 50) * 1000;
	w->buys = w->f.position.last_buy = 1;
	w->f.quote.prev_close = w->f.position.avg_price;
	walk_init_profile(w);
	if (tap_chance(&w->rng, 30))
		w->f.profile.tp3.qty = 0;
	w->f.profile.start_trailing = tap_chance(&w->rng, 70);
}

/* What the exit worker would load. */
static void
walk_load(Walk *w)
{
	QtsExitPosition *position = &w->f.position;
	QtsQty locked = 0;

	position->live_severity = 0;
	memset(position->live_rule, 0, sizeof(position->live_rule));
	memset(position->live_custom, 0, sizeof(position->live_custom));
	for (int i = 0; i < w->count; i++)
	{
		const Intent *intent = &w->intents[i];
		int severity = intent->rule == QTS_RULE_CUSTOM
						   ? qts_custom_severity(w->f.profile.custom[intent->custom].below)
						   : qts_exit_severity(intent->rule);

		if (intent->live)
		{
			locked += intent->qty - intent->filled;
			if (severity > position->live_severity)
				position->live_severity = severity;
		}
		if (intent->cycle != w->f.state.cycle || (!intent->live && intent->filled < intent->qty))
			continue;
		if (intent->rule == QTS_RULE_CUSTOM)
			position->live_custom[intent->custom] = true;
		else if (intent->phase == w->f.state.phase || intent->rule == QTS_RULE_SL1)
			position->live_rule[intent->rule] = true;
	}
	walk_require(w, locked <= position->qty, "more is on sale than held");
	position->available = position->qty - locked;
}

static void
walk_end_intent(Walk *w, Intent *intent)
{
	intent->live = false;
	if (intent->filled > 0 && intent->cycle == w->f.state.cycle)
		qts_exit_apply_fill(&w->f.profile, &w->f.state, intent->rule, intent->filled, w->f.position.qty,
							w->f.position.avg_price);
}

static void
walk_trade(Walk *w)
{
	for (int i = 0; i < w->count; i++)
	{
		Intent *intent = &w->intents[i];
		QtsQty part;

		if (!intent->live || !tap_chance(&w->rng, 50))
			continue;
		part = tap_range(&w->rng, 0, intent->qty - intent->filled);
		intent->filled += part;
		w->f.position.qty -= part;
		walk_require(w, w->f.position.qty >= 0, "oversold");
		if (intent->filled == intent->qty || tap_chance(&w->rng, 20))
			walk_end_intent(w, intent);
	}
}

/* Another day begins, perhaps far from where the last one ended. */
static void
walk_next_day(Walk *w)
{
	Fixture *f = &w->f;

	f->quote.prev_close = QTS_PRICE(w->price) * w->scale;
	f->quote.first = 0;
	f->quote.since_open = 0;
	f->position.held_days += (int) tap_range(&w->rng, 1, 3);
	f->position.held_trading_days++;
	w->price = w->price * tap_range(&w->rng, 92, 106) / 100;
}

/* Shares come: of an order that goes on, or of another one. */
static void
walk_buy(Walk *w)
{
	Fixture *f = &w->f;

	if (tap_chance(&w->rng, 50))
		f->position.last_buy = ++w->buys;
	f->position.qty += tap_range(&w->rng, 1, 50);
	f->position.avg_price =
		QTS_PRICE((f->position.avg_price / w->scale / QTS_PRICE_SCALE + w->price) / 2) * w->scale;
}

static QtsControlMode
walk_control(Walk *w)
{
	if (tap_range(&w->rng, 1, 4000) == 1)
		return QTS_CONTROL_EMERGENCY_FLATTEN;
	return tap_chance(&w->rng, 90) ? QTS_CONTROL_RUNNING
								   : (QtsControlMode) tap_range(&w->rng, 0, QTS_CONTROL_PAUSE_ALL);
}

/* The price, the clock, and now and then something from outside. */
static void
walk_world(Walk *w)
{
	Fixture *f = &w->f;
	QtsTime before = f->now;

	w->price += tap_range(&w->rng, -4, 4) * 100 + (tap_chance(&w->rng, 2) ? -2500 : 0);
	if (w->price < 1000)
		w->price = 1000;
	f->now += tap_range(&w->rng, 1, 4000) * QTS_MS;
	f->quote.last = QTS_PRICE(w->price + 100) * w->scale;
	f->quote.bid = tap_chance(&w->rng, 80) ? QTS_PRICE(w->price) * w->scale : 0;
	f->quote.stale = tap_chance(&w->rng, 5);
	f->quote.in_session = !tap_chance(&w->rng, 3);
	f->quote.since_open += f->now - before;
	if (tap_range(&w->rng, 1, 200) == 1)
		walk_next_day(w);
	if (f->quote.first == 0 && !f->quote.stale && f->quote.in_session)
		f->quote.first = f->quote.bid > 0 ? f->quote.bid : f->quote.last;
	f->position.quarantined = tap_chance(&w->rng, 2);
	f->position.mode = tap_chance(&w->rng, 3) ? QTS_POSITION_MANUAL_ONLY : QTS_POSITION_ENABLED;
	f->control = walk_control(w);
	if (f->position.qty > 0 && tap_chance(&w->rng, 1))
		walk_buy(w);
}

/* Was the same trigger satisfied in this cycle already? */
static bool
walk_did_once(const Walk *w, const QtsExitDecision *d)
{
	for (int i = 0; i < w->count; i++)
	{
		const Intent *intent = &w->intents[i];

		if (intent->rule == d->rule && intent->custom == d->custom && intent->cycle == w->f.state.cycle &&
			(intent->live || (intent->filled == intent->qty && qts_exit_once(d->rule))))
			return true;
	}
	return false;
}

/* Prices above it, to a limit, only move the mark. */
static void
walk_check_raise(Walk *w, QtsExitBand band)
{
	const Fixture *f = &w->f;
	QtsExitState raised = f->state;
	QtsExitState state = f->state;
	QtsExitQuote quote = f->quote;
	QtsTime now = f->now + QTS_MINUTE;
	QtsExitBand next;
	QtsExitDecision d;

	quote.bid = 0;
	quote.last = tap_chance(&w->rng, 50) ? band.rise - 1 : tap_range(&w->rng, band.high, band.rise - 1);
	quote.since_open += QTS_MINUTE;
	if (quote.last > QTS_PRICE(1000000) * w->scale)
		quote.last = band.high;
	qts_exit_raise(&raised, &band, quote.last, now);
	d = qts_exit_evaluate(&f->profile, &f->position, &state, &quote, f->control, now);
	next = qts_exit_band(&f->profile, &f->position, &state, &quote, f->control);
	walk_require(w,
				 d.rule == QTS_RULE_NONE && !d.state_changed && memcmp(&state, &raised, sizeof(state)) == 0,
				 "a price above the band did more than raise the mark");
	walk_require(w, memcmp(&next, &band, sizeof(next)) == 0, "and the band with it");
	w->raised++;
}

/* Prices inside the band concern nobody. */
static void
walk_check_band(Walk *w)
{
	const Fixture *f = &w->f;
	QtsExitBand band = qts_exit_band(&f->profile, &f->position, &f->state, &f->quote, f->control);
	QtsExitState state = f->state;
	QtsExitQuote quote = f->quote;
	QtsExitDecision d;

	if (band.low + 1 >= band.high)
		return;
	w->banded++;
	quote.bid = 0;
	switch (tap_range(&w->rng, 0, 2))
	{
		case 0:
			quote.last = band.low + 1;
			break;
		case 1:
			quote.last = band.high - 1;
			break;
		default:
			quote.last = tap_range(&w->rng, band.low + 1, band.high - 1);
			break;
	}
	quote.since_open += QTS_MINUTE;
	d = qts_exit_evaluate(&f->profile, &f->position, &state, &quote, f->control, f->now + QTS_MINUTE);
	walk_require(w, d.rule == QTS_RULE_NONE && !d.state_changed && !d.add_buy && d.grown == 0,
				 "a price inside the band decided or changed something");
	walk_require(w, memcmp(&state, &f->state, sizeof(state)) == 0, "a price inside the band left a trace");
	if (band.high < band.rise)
		walk_check_raise(w, band);
}

static void
walk_check_decision(Walk *w, const QtsExitState *before, const QtsExitDecision *d)
{
	const QtsExitPosition *position = &w->f.position;
	const QtsExitState *state = &w->f.state;

	walk_require(w, d->add_buy || state->phase == before->phase, "evaluation moved the phase");
	walk_require(w, d->add_buy || (state->cycle == before->cycle || before->cycle == 0),
				 "cycle moved without added shares");
	walk_require(w, d->add_buy || (state->hwm >= before->hwm && state->stop_floor >= before->stop_floor),
				 "mark or floor fell within a cycle");
	walk_require(w, !d->add_buy || (state->phase == QTS_PHASE_OPEN && state->cycle == before->cycle + 1),
				 "reset incomplete");
	if (d->rule == QTS_RULE_NONE)
	{
		walk_require(w, d->qty == 0 && !d->supersede && !d->full, "hold with a quantity");
		return;
	}
	walk_require(w, before->phase != QTS_PHASE_EXITED, "decided after the end");
	walk_require(w, d->hold == QTS_BLOCK_NONE && !d->add_buy && d->grown == 0, "decided while held");
	walk_require(w, w->f.quote.in_session, "decided out of hours");
	walk_require(w, !w->f.quote.stale || d->rule == QTS_RULE_EMERGENCY, "decided on a bad price");
	walk_require(w,
				 !position->quarantined &&
					 (position->mode == QTS_POSITION_ENABLED ||
					  (d->rule == QTS_RULE_EMERGENCY && position->mode == QTS_POSITION_MANUAL_ONLY)),
				 "decided for a position taken out");
	walk_require(w, qts_exit_allowed(w->f.control, d->rule, d->severity), "decided in a pause");
	walk_require(w, d->qty > 0 && d->qty <= position->qty, "quantity out of range");
	walk_require(w, d->supersede || d->qty <= position->available, "more than available");
	walk_require(w, d->full == (d->qty == position->qty), "full or not");
	walk_require(w, (d->custom != QTS_CUSTOM_NONE) == (d->rule == QTS_RULE_CUSTOM), "which custom rule");
	walk_require(w, !walk_did_once(w, d), "more than one exit of a cycle and trigger");
	walk_require(w, !qts_exit_sells_all(d->rule) || d->supersede || d->qty == position->available,
				 "a full exit left shares");
	walk_require(w, d->severity > position->live_severity, "not more severe");
	walk_require(w, d->supersede == (position->live_severity > 0), "supersede or not");
}

/* The explanation names the same rule the evaluation acts on. */
static void
walk_check_explained(Walk *w, const QtsExitState *before, const QtsExitDecision *d)
{
	QtsExitExplain rows[QTS_EXIT_ROWS];
	const Fixture *f = &w->f;
	QtsExitRule first = QTS_RULE_NONE;
	int count = qts_exit_explain(&f->profile, &f->position, before, &f->quote, f->control, f->now, rows);

	for (int i = count - 1; i >= 0; i--)
	{
		if (rows[i].breached && rows[i].blocked_by == QTS_BLOCK_NONE)
			first = rows[i].rule;
	}
	walk_require(w, d->add_buy || d->grown != 0 || first == d->rule, "explained otherwise");
}

static void
walk_act(Walk *w, const QtsExitDecision *d)
{
	for (int i = 0; i < w->count; i++)
	{
		/* added shares end what the old cycle had on sale (4.11) */
		if (w->intents[i].live && (d->supersede || d->add_buy))
			walk_end_intent(w, &w->intents[i]);
	}
	if (d->add_buy)
		w->f.position.original_qty = w->f.position.qty;
	w->f.position.original_qty += d->grown;
	if (d->rule == QTS_RULE_NONE || w->count == INTENTS)
		return;
	w->decisions++;
	w->intents[w->count++] = (Intent){
		.rule = d->rule,
		.custom = d->custom,
		.phase = w->f.state.phase,
		.cycle = w->f.state.cycle,
		.qty = d->qty,
		.live = true,
	};
}

static QtsExitDecision
walk_step(Walk *w)
{
	QtsExitState before;
	QtsExitDecision d;

	walk_world(w);
	walk_trade(w);
	walk_load(w);
	before = w->f.state;
	d = qts_exit_evaluate(&w->f.profile, &w->f.position, &w->f.state, &w->f.quote, w->f.control, w->f.now);
	walk_check_decision(w, &before, &d);
	walk_check_explained(w, &before, &d);
	walk_check_band(w);
	walk_act(w, &d);
	return d;
}

static bool
same_decision(const QtsExitDecision *a, const QtsExitDecision *b)
{
	return a->rule == b->rule && a->qty == b->qty && a->full == b->full && a->supersede == b->supersede &&
		   a->hold == b->hold && a->add_buy == b->add_buy && a->state_changed == b->state_changed &&
		   a->price * 10 == b->price;
}

int
main(void)
{
	static Walk one;
	static Walk ten;
	bool good = true;
	bool scaled = true;
	int seen[QTS_RULE_COUNT] = {0};
	int exited = 0;
	int resets = 0;
	int grown = 0;
	int banded = 0;
	int raised = 0;

	for (uint64_t seed = 1; seed <= RUNS && good && scaled; seed++)
	{
		walk_init(&one, seed, 1);
		walk_init(&ten, seed, 10);
		for (int step = 0; step < STEPS && good && scaled; step++)
		{
			QtsExitDecision a = walk_step(&one);
			QtsExitDecision b = walk_step(&ten);

			seen[a.rule]++;
			resets += a.add_buy;
			grown += a.grown > 0;
			good = tap_note(one.broken == NULL, "seed %d step %d: %s", (int) seed, step,
							one.broken ? one.broken : "");
			scaled = tap_note(same_decision(&a, &b), "seed %d step %d: %s, times ten %s", (int) seed, step,
							  qts_exit_rule_name(a.rule), qts_exit_rule_name(b.rule));
		}
		banded += one.banded;
		raised += one.raised;
		exited += one.f.state.phase == QTS_PHASE_EXITED;
	}
	ok(good, "no walk breaks a rule");
	ok(scaled, "ten times the prices give the same decisions");
	ok(exited > 0 && exited < RUNS, "some walks end, some do not");
	ok(resets > 0, "shares were added");
	ok(grown > 0, "also by an order that went on");
	ok(banded > RUNS * STEPS / 20 && raised > RUNS, "bands are no rarity, nor such that rise");
	for (int i = QTS_RULE_EMERGENCY; i <= QTS_RULE_TIME; i++)
		ok(seen[i] > 0, qts_exit_rule_name((QtsExitRule) i));
	return tap_done();
}
