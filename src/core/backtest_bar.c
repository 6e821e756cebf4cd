/*-------------------------------------------------------------------------
 *
 * backtest_bar.c
 *		A bar as a path: open, one extreme, the other, close, and every price
 *		between them.
 *
 * A rule is looked for where it would first have been decided on the way, not
 * at the end of the way: a stop at -3 % in a bar that fell 8 % sells at -3 %.
 * An order then gets the next price of the way, never a better one.
 *
 *-------------------------------------------------------------------------
 */
#include "core/backtest.h"
#include "core/backtest_internal.h"

#define BAR_LEGS 3

/* Is something decided there?  after receives the state if not. */
static bool
bar_probe(const QtsWalk *walk, QtsPrice price, QtsTime at, QtsExitState *after)
{
	QtsWalkPrice probe = {.at = at, .last = price};
	QtsExitQuote quote = qts_walk_quote(walk, &probe, false);
	QtsExitDecision decision;

	*after = walk->state;
	decision = qts_exit_evaluate(&walk->profile, &walk->position, after, &quote, walk->control, at);
	return decision.rule != QTS_RULE_NONE || decision.add_buy;
}

static bool
bar_decides(const QtsWalk *walk, QtsPrice price, QtsTime at)
{
	QtsExitState scratch;

	return bar_probe(walk, price, at, &scratch);
}

static QtsPrice
bar_grid(const QtsWalk *walk, QtsPrice price)
{
	return QTS_PRICE(qts_tick_floor(price / QTS_PRICE_SCALE, walk->model.instrument));
}

/* When a leg from..to over t0..t1 is at a price. */
static QtsTime
bar_time(QtsPrice from, QtsPrice to, QtsTime t0, QtsTime t1, QtsPrice price)
{
	int64_t part = price > from ? price - from : from - price;
	int64_t whole = to > from ? to - from : from - to;
	int64_t passed;

	if (whole == 0 || !qts_muldiv_floor(t1 - t0, part, whole, &passed))
		return t1;
	return t0 + passed;
}

/* The first price of the leg on which something is decided; at its end something is. */
static QtsWalkPrice
bar_first(const QtsWalk *walk, QtsPrice from, QtsPrice to, QtsTime t0, QtsTime t1)
{
	QtsPrice no = from;
	QtsPrice yes = to;

	if (bar_decides(walk, from, t0))
		return (QtsWalkPrice){.at = t0, .last = from};
	for (;;)
	{
		QtsPrice middle = bar_grid(walk, no + (yes - no) / 2);

		/* on the way down the grid's floor may be the end itself */
		if (middle == no || middle == yes || (middle > no) != (yes > no) || (middle > yes) != (no > yes))
			break;
		if (bar_decides(walk, middle, bar_time(from, to, t0, t1, middle)))
			yes = middle;
		else
			no = middle;
	}
	return (QtsWalkPrice){.at = bar_time(from, to, t0, t1, yes), .last = yes};
}

/* The price after this one on the way: one tick on. */
static QtsPrice
bar_next(const QtsWalk *walk, QtsPrice from, QtsPrice to)
{
	QtsPrice tick = QTS_PRICE(qts_tick_size(from / QTS_PRICE_SCALE, walk->model.instrument));

	if (to < from)
		return from - tick > to ? from - tick : to;
	return from + tick < to ? from + tick : to;
}

static void
bar_reach(QtsWalk *walk, QtsPrice price, QtsTime at)
{
	QtsWalkPrice reached = {.at = at, .last = price};

	qts_walk_try_fill(walk, price, false, at);
	qts_walk_try_enter(walk, &reached);
	qts_walk_see(walk, &reached);
}

/* The price goes from one to the other, trading at every step. */
static void
bar_leg(QtsWalk *walk, QtsPrice from, QtsPrice to, QtsTime t0, QtsTime t1)
{
	QtsWalkPrice at;
	QtsExitState after;

	/* no rule decides twice on one way */
	for (int i = 0; i < QTS_RULE_COUNT; i++)
	{
		qts_walk_try_fill(walk, bar_next(walk, from, to), false, t0);
		/* what is still to be bought takes the end of the way */
		if (!walk->entered || qts_walk_over(walk) || (qts_walk_buying(walk) && walk->room > 0))
			break;
		at = (QtsWalkPrice){.at = t1, .last = to};
		if (walk->order.rule == QTS_RULE_NONE && to > walk->band.low && to < walk->band.high)
		{
			qts_walk_see(walk, &at);
			walk->looks++;
			return;
		}
		if (!bar_probe(walk, to, t1, &after))
		{
			if (walk->order.rule != QTS_RULE_NONE)
				break;
			/* nothing waits, nothing happens */
			qts_walk_see(walk, &at);
			walk->state = after;
			qts_walk_band(walk, &at);
			walk->looks++;
			return;
		}
		at = bar_first(walk, from, to, t0, t1);
		qts_walk_see(walk, &at);
		if (!qts_walk_decide(walk, &at, false))
			break;
		walk->order.fresh = true;
		from = at.last;
		t0 = at.at;
	}
	bar_reach(walk, to, t1);
	at = (QtsWalkPrice){.at = t1, .last = to};
	if (qts_walk_decide(walk, &at, false))
		walk->order.fresh = true;
}

/* A breach at the turn of the price lasts: it is looked at again before the price leaves. */
static QtsTime
bar_dwell(QtsWalk *walk, QtsPrice price, QtsTime from, QtsTime until)
{
	QtsTime at = from + walk->profile.confirm_time;

	if (walk->state.floor_ticks + walk->state.trail_ticks + walk->state.even_ticks == 0)
		return from;
	if (at > until)
		at = until;
	bar_leg(walk, price, price, from, at);
	return at;
}

static bool
bar_low_first(const QtsBar *bar, QtsBarPath path)
{
	if (path == QTS_PATH_NEAREST)
		return bar->open - bar->low <= bar->high - bar->open;
	return path == QTS_PATH_LOW_FIRST;
}

/* Nothing waits, and no price of the bar is one to decide on. */
static bool
bar_is_quiet(const QtsWalk *walk, const QtsBar *bar)
{
	return walk->entered && walk->entry_over && walk->order.rule == QTS_RULE_NONE &&
		   QTS_PRICE(bar->low) > walk->band.low && QTS_PRICE(bar->high) < walk->band.high;
}

static void
bar_pass(QtsWalk *walk, const QtsBar *bar, QtsTime span)
{
	QtsWalkPrice low = {.at = bar->at, .last = QTS_PRICE(bar->low)};
	QtsWalkPrice high = {.at = bar->at, .last = QTS_PRICE(bar->high)};
	QtsWalkPrice close = {.at = bar->at + span - 1, .last = QTS_PRICE(bar->close)};

	qts_walk_see(walk, &low);
	qts_walk_see(walk, &high);
	qts_walk_see(walk, &close);
	walk->looks += BAR_LEGS + 1;
}

static void
bar_open(QtsWalk *walk, QtsPrice price, QtsTime at)
{
	QtsWalkPrice open = {.at = at, .last = price};

	/* a print like any other: prices between it and the last close were not traded */
	bar_reach(walk, price, at);
	if (qts_walk_decide(walk, &open, false))
		walk->order.fresh = true;
}

void
qts_walk_bar(QtsWalk *walk, const QtsBar *bar, QtsTime span, QtsBarPath path)
{
	bool low_first = bar_low_first(bar, path);
	QtsPrice stops[BAR_LEGS] = {QTS_PRICE(low_first ? bar->low : bar->high),
								QTS_PRICE(low_first ? bar->high : bar->low), QTS_PRICE(bar->close)};
	QtsPrice open = QTS_PRICE(bar->open);
	QtsTime t = bar->at;

	/* without a trade there is no price, only a repeated one */
	if (qts_bar_halted(bar) || bar->volume <= 0)
		return;
	if (bar_is_quiet(walk, bar))
	{
		bar_pass(walk, bar, span);
		return;
	}
	walk->order.fresh = false;
	if (walk->model.volume_share > 0 &&
		!qts_muldiv_floor(bar->volume, walk->model.volume_share, QTS_PPM, &walk->room))
		walk->room = 0;
	bar_open(walk, open, t);
	for (int i = 0; i < BAR_LEGS && !qts_walk_over(walk); i++)
	{
		QtsTime end = bar->at + span * (i + 1) / BAR_LEGS - (i + 1 == BAR_LEGS ? 1 : 0);

		bar_leg(walk, i == 0 ? open : stops[i - 1], stops[i], t, end);
		t = i + 1 < BAR_LEGS ? bar_dwell(walk, stops[i], end, end + span / (2 * BAR_LEGS)) : end;
	}
}

void
qts_walk_auction(QtsWalk *walk, QtsPrice price, QtsTime at)
{
	QtsWalkPrice print = {.at = at, .last = price};

	qts_walk_try_fill(walk, price, false, at);
	qts_walk_see(walk, &print);
}
