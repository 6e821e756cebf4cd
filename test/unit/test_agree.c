/*-------------------------------------------------------------------------
 *
 * test_agree.c
 *		One random market seen by the live worker, by a replay and by a
 *		backtest: the same decisions at the same instants.
 *
 * The worker is live_model.h.  A failing seed prints one line;
 * ./build/test_agree SEED tells its story.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>

#include "core/backtest.h"
#include "core/replay.h"
#include "live_model.h"

#define RUNS 6000
#define STEPS 250
#define EVENTS 32
#define TOO_OLD (10 * QTS_SEC)

typedef struct Market
{
	TapRandom rng;
	Live live;
	QtsReplay replay;
	QtsReplayIntent recorded[LIVE_ORDERS];
	QtsWalk walk;
	bool walking; /* the backtest is compared, too */
	bool prompt;  /* cancels are confirmed at once, as a backtest's are */
	QtsWalkEvent event[EVENTS];
	int nevents;

	QtsDate date;
	QtsTime now;
	QtsWalkDay day;
	QtsKrw price;
	QtsWalkPrice print; /* the last one */
	QtsTime halted_until;
	int64_t buys;

	const char *broken;
	char story[200];
	bool tell;
	int decisions;
	int compared; /* with the backtest */
	int refusals;
	int cycles;
	int rules[QTS_RULE_COUNT];
} Market;

static void
market_require(Market *m, bool holds, const char *what)
{
	if (!holds && m->broken == NULL)
		m->broken = what;
}

static void
market_told(void *arg, const QtsWalkEvent *event)
{
	Market *m = arg;

	if (event->kind == QTS_WALK_DECISION && m->nevents < EVENTS)
		m->event[m->nevents++] = *event;
	m->cycles += event->kind == QTS_WALK_CYCLE;
}

/* The board as the worker judges it at this instant. */
static QtsExitQuote
market_quote(Market *m)
{
	QtsExitQuote quote = {.last = m->print.last,
						  .bid = m->print.bid,
						  .stale = m->now - m->print.at > TOO_OLD || m->now < m->halted_until,
						  .in_session = m->now >= m->day.open_at && m->now < m->day.closing_at,
						  .prev_close = m->day.prev_close,
						  .since_open = m->now - m->day.open_at};

	if (m->live.first == 0 && !quote.stale && quote.in_session && m->print.at >= m->day.open_at)
		m->live.first = quote.bid > 0 ? quote.bid : quote.last;
	quote.first = m->live.first;
	return quote;
}

/* The worker's intents become rows, which the replay reads. */
static void
market_record(Market *m)
{
	for (int i = 0; i < m->live.norders; i++)
	{
		const LiveOrder *order = &m->live.order[i];
		QtsReplayIntent *intent = &m->recorded[i];

		if (i == m->replay.nintents)
		{
			*intent = (QtsReplayIntent){.id = i + 1,
										.rule = order->rule,
										.custom = order->custom,
										.severity = order->severity,
										.cycle = order->cycle,
										.phase = order->phase,
										.qty = order->qty,
										.price = order->price,
										.threshold = order->threshold,
										.created_at = order->at + 1,
										.ended_at = QTS_TIME_NONE,
										.automatic = true};
			m->replay.nintents++;
		}
		if (order->live || intent->ended_at != QTS_TIME_NONE)
			continue;
		intent->ended_at = order->ended_at;
		intent->filled = order->filled;
		intent->failed = order->filled == 0;
		intent->refused = order->refused;
	}
}

/* A decision that waited for an order to go, made now. */
static bool
made_before(const Live *live, int at)
{
	for (int i = 0; i < at; i++)
	{
		const LiveMade *made = &live->made[i];

		if (!made->made && made->d.rule == live->made[at].d.rule &&
			made->d.custom == live->made[at].d.custom && made->d.qty == live->made[at].d.qty)
			return true;
	}
	return false;
}

static void
compare_event(Market *m, const LiveMade *made, const QtsWalkEvent *event)
{
	const QtsExitDecision *d = &made->d;

	snprintf(m->story, sizeof(m->story), "live %s %d at %" PRId64 ", backtest %s %d at %" PRId64,
			 qts_exit_rule_name(d->rule), (int) d->qty, d->price, qts_exit_rule_name(event->rule),
			 (int) event->qty, event->price);
	market_require(m,
				   event->rule == d->rule && event->custom == d->custom && event->qty == d->qty &&
					   event->price == d->price && event->threshold == d->threshold && event->at == m->now &&
					   event->phase == made->phase && event->cycle == made->cycle,
				   "the backtest decides otherwise");
	m->compared++;
}

static void
compare_backtest(Market *m)
{
	int next = 0;

	for (int i = 0; i < m->live.nmade && m->walking && m->broken == NULL; i++)
	{
		const LiveMade *made = &m->live.made[i];

		if (made_before(&m->live, i))
			continue;
		snprintf(m->story, sizeof(m->story), "live %s %d at %" PRId64, qts_exit_rule_name(made->d.rule),
				 (int) made->d.qty, made->d.price);
		market_require(m, next < m->nevents, "the backtest does not decide");
		if (next < m->nevents)
			compare_event(m, made, &m->event[next++]);
		/* the rest of a superseded order is another decision, live; a backtest's broker is faster */
		m->walking = !(made->d.supersede && made->made);
	}
	if (next < m->nevents && m->broken == NULL)
		snprintf(m->story, sizeof(m->story), "backtest %s %d at %" PRId64,
				 qts_exit_rule_name(m->event[next].rule), (int) m->event[next].qty, m->event[next].price);
	market_require(m, !m->walking || next == m->nevents, "only the backtest decides");
}

static void
compare_replay(Market *m)
{
	const QtsReplayExtra *extra = &m->replay.extra[0];

	for (int i = 0; i < m->replay.nintents && m->broken == NULL; i++)
	{
		const QtsReplayIntent *intent = &m->recorded[i];

		snprintf(m->story, sizeof(m->story), "%s %d at %" PRId64 ", replay %d at %" PRId64,
				 qts_exit_rule_name(intent->rule), (int) intent->qty, intent->price, (int) intent->again_qty,
				 intent->again_price);
		market_require(m, qts_replay_same(intent) && intent->again_at == intent->created_at - 1,
					   "the replay decides otherwise");
	}
	if (m->replay.nextras > 0 && m->broken == NULL)
		snprintf(m->story, sizeof(m->story), "replay %s %d at %" PRId64, qts_exit_rule_name(extra->rule),
				 (int) extra->qty, extra->price);
	market_require(m, m->replay.nextras == 0, "only the replay decides");
}

/* Between decisions, too. */
static void
compare_states(Market *m)
{
	const QtsExitState *live = &m->live.state;
	const QtsExitState *states[] = {&m->replay.state, &m->walk.state};
	const QtsExitPosition *positions[] = {&m->replay.position, &m->walk.position};

	for (int i = 0; i < (m->walking ? 2 : 1) && m->live.position.qty > 0 && m->broken == NULL; i++)
	{
		snprintf(m->story, sizeof(m->story),
				 "phase %d %d cycle %d %d mark %" PRId64 " %" PRId64 " floor %" PRId64 " %" PRId64
				 " available %d %d of %d %d",
				 live->phase, states[i]->phase, live->cycle, states[i]->cycle, live->hwm, states[i]->hwm,
				 live->stop_floor, states[i]->stop_floor, (int) m->live.position.available,
				 (int) positions[i]->available, (int) m->live.position.original_qty,
				 (int) positions[i]->original_qty);
		market_require(m,
					   live->phase == states[i]->phase && live->cycle == states[i]->cycle &&
						   live->hwm == states[i]->hwm && live->stop_floor == states[i]->stop_floor &&
						   m->live.position.available == positions[i]->available &&
						   m->live.position.original_qty == positions[i]->original_qty,
					   i == 0 ? "the replay is in another state" : "the backtest is in another state");
	}
}

static void
look_live(Market *m)
{
	QtsExitQuote quote = market_quote(m);

	live_look(&m->live, &quote, m->now);
	market_record(m);
	qts_replay_look(&m->replay, &quote, m->now);
}

/* The broker confirms what was asked to go; the backtest's has done so. */
static void
market_cancels(Market *m)
{
	for (int i = 0; i < m->live.norders; i++)
	{
		if (!m->live.order[i].live || !m->live.order[i].asked)
			continue;
		live_end(&m->live, i, false, m->now);
		market_record(m);
		market_require(m, qts_replay_orders(&m->replay, m->now) == live_effects(&m->live),
					   "the replay looks at another time");
		look_live(m);
	}
}

/* A look of the worker, and of the others at the same instant. */
static void
market_look(Market *m, bool printed)
{
	m->live.nmade = 0;
	m->nevents = 0;
	if (m->broken != NULL)
		return;
	(void) qts_replay_orders(&m->replay, m->now);
	look_live(m);
	if (m->walking && printed)
		qts_walk_tick(&m->walk, &m->print);
	else if (m->walking)
		qts_walk_look(&m->walk, m->now, market_quote(m).stale);
	if (m->prompt)
		market_cancels(m);
	m->decisions += m->live.nmade;
	for (int i = 0; i < m->live.nmade; i++)
	{
		const LiveMade *made = &m->live.made[i];

		m->rules[made->d.rule]++;
		if (m->tell)
			printf("# %" PRId64 " %s %d at %" PRId64 " %s cycle %d%s\n", m->now,
				   qts_exit_rule_name(made->d.rule), (int) made->d.qty, made->d.price,
				   qts_exit_phase_name(made->phase), made->cycle, made->made ? "" : ", waits");
	}
	compare_backtest(m);
	compare_replay(m);
	compare_states(m);
	if (m->live.position.qty > 0 && tap_chance(&m->rng, 30))
		live_store(&m->live);
}

static void
market_end(Market *m, int i, bool refused)
{
	bool again;

	live_end(&m->live, i, refused, m->now);
	m->refusals += refused;
	market_record(m);
	again = live_effects(&m->live);
	if (m->walking)
		qts_walk_end(&m->walk, m->now);
	market_require(m, qts_replay_orders(&m->replay, m->now) == again, "the replay looks at another time");
	if (again)
		market_look(m, false);
}

/* Live orders are filled, in parts, in the end or not at all. */
static void
market_trade(Market *m)
{
	int count = m->live.norders;

	for (int i = 0; i < count && m->broken == NULL; i++)
	{
		LiveOrder *order = &m->live.order[i];
		QtsQty part;

		if (!order->live || !tap_chance(&m->rng, 60))
			continue;
		part = tap_range(&m->rng, 0, order->qty - order->filled);
		if (part > 0)
		{
			order->filled += part;
			m->live.row.qty -= part;
			live_reload(&m->live);
			qts_replay_sold(&m->replay, i + 1, part);
			if (m->walking)
				qts_walk_fill(&m->walk, part, m->print.last, m->now);
		}
		if (order->filled == order->qty || tap_chance(&m->rng, 10))
			market_end(m, i, !m->prompt && order->filled == 0 && tap_chance(&m->rng, 50));
	}
}

/* Shares come: of the order that goes on, or of another one. */
static void
market_buy(Market *m)
{
	QtsExitPosition *row = &m->live.row;
	QtsQty qty = tap_range(&m->rng, 1, 60);

	if (tap_chance(&m->rng, 40))
		m->buys++;
	if (!m->walking)
		qts_walk_init(&m->walk, &m->live.profile, &m->walk.model);
	m->walk.position.qty = row->qty;
	m->walk.position.avg_price = row->avg_price;
	qts_walk_buy(&m->walk, m->buys, qty, m->print.last, m->now);
	row->qty = m->walk.position.qty;
	row->avg_price = m->walk.position.avg_price;
	row->last_buy = m->buys;
	live_reload(&m->live);
	m->replay.position.qty = row->qty;
	m->replay.position.avg_price = row->avg_price;
	m->replay.position.last_buy = row->last_buy;
}

/* Modes, holds, another profile: the worker loads everything, and looks. */
static void
market_settings(Market *m)
{
	Live *live = &m->live;

	if (tap_chance(&m->rng, 60))
		live->control = tap_chance(&m->rng, 60)
							? QTS_CONTROL_RUNNING
							: (QtsControlMode) tap_range(&m->rng, 0, QTS_CONTROL_PAUSE_ALL);
	if (tap_range(&m->rng, 1, 400) == 1)
		live->control = QTS_CONTROL_EMERGENCY_FLATTEN;
	live->row.mode = tap_chance(&m->rng, 10) ? QTS_POSITION_MANUAL_ONLY : QTS_POSITION_ENABLED;
	live->row.quarantined = tap_chance(&m->rng, 10);
	if (tap_chance(&m->rng, 20))
		live->profile = random_profile(&m->rng);
	live_reload(live);
	m->replay.control = m->walk.control = live->control;
	m->replay.profile = m->walk.profile = live->profile;
	m->replay.position.mode = m->walk.position.mode = live->row.mode;
	m->replay.position.quarantined = m->walk.position.quarantined = live->row.quarantined;
	m->walk.band = (QtsExitBand){0};
	market_look(m, false);
}

/* ATR of the day before, as a share of what was paid; half up. */
static void
market_atr(Market *m)
{
	QtsPpm atr = (m->day.atr * 2 * QTS_PPM / m->live.row.avg_price + 1) / 2;

	m->live.stored.atr_pct = m->live.state.atr_pct = m->replay.state.atr_pct = atr;
}

/* Confirmed before the open: shares and price change, the cycle begins anew. */
static void
market_split(Market *m)
{
	static const QtsPpm ratios[] = {200000, 500000, 2000000, 5000000};
	QtsPpm ratio = ratios[tap_range(&m->rng, 0, 3)];
	QtsExitPosition *row = &m->live.row;

	if (row->qty * QTS_PPM / ratio <= 0 || (m->price * ratio / QTS_PPM) < 2000 ||
		m->price * ratio / QTS_PPM > 900000)
		return;
	m->price = qts_tick_floor(m->price * ratio / QTS_PPM, QTS_INSTRUMENT_STOCK);
	if (m->walking)
		qts_walk_split(&m->walk, ratio, m->now);
	row->qty = row->qty * QTS_PPM / ratio;
	row->avg_price = row->avg_price * ratio / QTS_PPM;
	m->live.stored = (QtsExitState){.phase = QTS_PHASE_OPEN, .cycle = m->live.stored.cycle + 1};
	live_reload(&m->live);
	m->replay.position.qty = row->qty;
	m->replay.position.avg_price = row->avg_price;
	m->replay.state = (QtsExitState){.phase = QTS_PHASE_OPEN, .cycle = m->replay.state.cycle + 1};
	m->print.last = QTS_PRICE(m->price);
	m->print.bid = 0;
}

static void
market_day(Market *m)
{
	QtsKrw lower = 0;
	QtsKrw upper = 0;

	m->now = m->day.close_at;
	for (int i = 0; i < m->live.norders; i++)
		if (m->live.order[i].live)
			market_end(m, i, false);
	m->date++;
	m->now = qts_seoul_instant(m->date, 8 * QTS_HOUR);
	if (m->live.row.qty > 0 && tap_chance(&m->rng, 15))
		market_split(m);
	(void) qts_price_limits(m->price, QTS_INSTRUMENT_STOCK, &lower, &upper);
	m->day = (QtsWalkDay){
		.date = m->date,
		.open_at = qts_seoul_instant(m->date, 9 * QTS_HOUR),
		.closing_at = qts_seoul_instant(m->date, 15 * QTS_HOUR + 20 * QTS_MINUTE),
		.close_at = qts_seoul_instant(m->date, 15 * QTS_HOUR + 30 * QTS_MINUTE),
		.lower = QTS_PRICE(lower),
		.upper = QTS_PRICE(upper),
		.prev_close = QTS_PRICE(m->price),
		.atr = tap_chance(&m->rng, 70) ? QTS_PRICE(m->price) * tap_range(&m->rng, 5, 60) / 1000 : 0};
	m->live.first = 0;
	m->live.row.held_days++;
	m->live.row.held_trading_days++;
	if (m->walking)
		qts_walk_day(&m->walk, &m->day);
	m->replay.position.held_days++;
	m->replay.position.held_trading_days++;
	if (m->live.row.avg_price > 0)
		market_atr(m);
	live_reload(&m->live);
	m->now = m->day.open_at - tap_range(&m->rng, 0, 20) * QTS_SEC;
	m->price = m->price * tap_range(&m->rng, 94, 104) / 100;
}

/* A print on the grid: mostly near, now and then far, up to the limits of the day. */
static void
market_print(Market *m)
{
	QtsKrw lower = m->day.lower / QTS_PRICE_SCALE;
	QtsKrw upper = m->day.upper / QTS_PRICE_SCALE;
	QtsKrw step = m->price * tap_range(&m->rng, -60, 60) / 10000;

	if (tap_chance(&m->rng, 3))
		step = m->price * tap_range(&m->rng, -80, 60) / 1000;
	if (tap_range(&m->rng, 1, 300) == 1)
		step = tap_chance(&m->rng, 50) ? upper : -upper;
	m->price += step;
	m->price = m->price < lower ? lower : m->price > upper ? upper : m->price;
	m->price = qts_tick_floor(m->price, QTS_INSTRUMENT_STOCK);
	m->print = (QtsWalkPrice){.at = m->now, .last = QTS_PRICE(m->price), .volume = 1000};
	if (tap_chance(&m->rng, 70) && m->price > lower)
		m->print.bid = QTS_PRICE(
			m->price - (tap_chance(&m->rng, 50) ? qts_tick_size(m->price - 1, QTS_INSTRUMENT_STOCK) : 0));
	market_look(m, true);
}

static void
market_step(Market *m)
{
	int what = (int) tap_range(&m->rng, 1, 1000);

	m->now += tap_range(&m->rng, 1, 2500) * QTS_MS;
	if (what <= 12 || m->now >= m->day.close_at)
		market_day(m);
	market_trade(m);
	if (m->live.row.qty <= 0)
		return;
	/* a halt, or a feed that is gone */
	if (what > 12 && what <= 20)
		m->halted_until = m->now + tap_range(&m->rng, 1, 60) * QTS_SEC;
	else if (what > 20 && what <= 28)
		m->now += tap_range(&m->rng, 5, 120) * QTS_SEC;
	else if (what > 28 && what <= 48)
		market_settings(m);
	else if (what > 48 && what <= 58)
		market_buy(m);
	m->now++;
	if (what > 700 || m->now < m->halted_until)
		market_look(m, false);
	else
		market_print(m);
}

static void
market_init(Market *m, uint64_t seed, bool tell)
{
	static const QtsKrw starts[] = {2000, 5000, 20000, 50000, 100000, 200000, 500000};
	static const QtsFillModel given = {.given = true};
	Live *live = &m->live;

	memset(m, 0, sizeof(*m));
	m->tell = tell;
	m->rng.state = seed;
	m->prompt = m->walking = tap_chance(&m->rng, 70);
	live->profile = random_profile(&m->rng);
	live->stored.cycle = live->state.cycle = 1;
	m->date = 9700;
	m->price = starts[tap_range(&m->rng, 0, 6)];
	m->replay.profile = live->profile;
	m->replay.state.cycle = 1;
	m->replay.intent = m->recorded;
	m->replay.tolerance = 1;
	qts_walk_init(&m->walk, &live->profile, &given);
	m->walk.sink = market_told;
	m->walk.sink_arg = m;
	market_day(m);
	m->now = m->day.open_at + QTS_SEC;
	m->print = (QtsWalkPrice){.at = m->now, .last = QTS_PRICE(m->price), .volume = 1};
	live->row = (QtsExitPosition){.mode = QTS_POSITION_ENABLED};
	m->replay.position = live->row;
	m->buys = 1;
	market_buy(m);
	live->row.original_qty = m->replay.position.original_qty = live->row.qty;
	market_atr(m);
	live_reload(live);
	market_look(m, true);
}

static void
market_run(Market *m, uint64_t seed, bool tell)
{
	market_init(m, seed, tell);
	for (int step = 0; step < STEPS && m->live.row.qty > 0 && m->broken == NULL; step++)
		market_step(m);
}

int
main(int argc, char **argv)
{
	static Market m;
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	uint64_t last = argc > 1 ? seed : RUNS;
	int rules[QTS_RULE_COUNT] = {0};
	int64_t passed = 0;
	int decisions = 0;
	int compared = 0;
	int refusals = 0;
	int cycles = 0;
	bool good = true;

	for (; seed <= last && good; seed++)
	{
		market_run(&m, seed, argc > 1);
		good =
			tap_note(m.broken == NULL, "seed %" PRIu64 ": %s: %s", seed, m.broken ? m.broken : "", m.story);
		decisions += m.decisions;
		compared += m.compared;
		passed += m.live.passed;
		refusals += m.refusals;
		cycles += m.cycles;
		for (int i = 0; i < QTS_RULE_COUNT; i++)
			rules[i] += m.rules[i];
	}
	ok(good, "live, replay and backtest decide the same");
	if (argc > 1)
		return tap_done();
	printf("# %d decisions, %d with the backtest, %" PRId64 " looks passed over\n", decisions, compared,
		   passed);
	ok(decisions > 2 * RUNS && compared > decisions / 2, "which is a lot");
	ok(passed > RUNS && refusals > 0 && cycles > 0, "bands, refusals and new cycles are no rarity");
	for (int i = QTS_RULE_EMERGENCY; i <= QTS_RULE_TIME; i++)
		ok(rules[i] > 0, qts_exit_rule_name((QtsExitRule) i));
	return tap_done();
}
