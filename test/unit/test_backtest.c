/*-------------------------------------------------------------------------
 *
 * test_backtest.c
 *		A position walked over ticks and bars: vectors computed by hand, and
 *		what must hold on any path (docs/backtest.md).
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>

#include "walk_fixture.h"

static void
test_next_tick(void)
{
	Run run;

	run_start(&run, NULL);
	tick_at(&run, 0, 0, 100000, 10);
	ok(event_is(&run, 0, QTS_WALK_ENTRY, QTS_RULE_NONE, 100, 100000), "bought at the price given");
	tick_at(&run, 0, 1, 96900, 10);
	ok(run.n == 2 && event_is(&run, 1, QTS_WALK_DECISION, QTS_RULE_SL1, 50, 96900), "-3.1 %: SL1 is decided");
	is(run.walk.position.qty, 100, "and nothing is sold at the price it was decided on");
	tick_at(&run, 0, 2, 96500, 10);
	ok(run.n == 3 && event_is(&run, 2, QTS_WALK_FILL, QTS_RULE_SL1, 50, 96500), "the next print fills it");
	/* 50 * 96,500 = 4,825,000: 0.01405 % is 677.9, cut to 670; 0.05 % 2,412.5 and 0.15 % 7,237.5, each cut */
	is(run.event[2].fee, 670, "commission of the sale");
	is(run.event[2].tax, 2412 + 7237, "its taxes, each rounded down");
	is(run.event[0].fee, 1400, "commission of the purchase: 10,000,000 * 0.01405 % = 1,405, cut to 1,400");
	tick_at(&run, 0, 3, 94900, 10);
	tick_at(&run, 0, 4, 94800, 10);
	ok(run.n == 5 && event_is(&run, 3, QTS_WALK_DECISION, QTS_RULE_SL2, 50, 94900) &&
		   event_is(&run, 4, QTS_WALK_FILL, QTS_RULE_SL2, 50, 94800),
	   "-5 % sells the rest");
	ok(qts_walk_over(&run.walk) && run.walk.state.phase == QTS_PHASE_EXITED, "it is over");
	/* 4,740,000: fee 665.97 -> 660; tax 2,370 + 7,110 */
	is(qts_walk_pnl(&run.walk), 4825000 + 4740000 - 10000000 - 1400 - 670 - 660 - 9649 - 9480, "the result");
	is(run.walk.lowest, QTS_PRICE(94800), "lowest price held through");
	is(run.walk.highest, QTS_PRICE(100000), "highest");
}

static void
test_quotes(void)
{
	QtsFillModel slips = {.slippage = 1000};
	Run run;
	QtsWalkPrice p;

	run_start(&run, &slips);
	run.walk.entry_price = 0;
	p = (QtsWalkPrice){clock_at(&run, 9, 0, 0), QTS_PRICE(100000), QTS_PRICE(99900), QTS_PRICE(100100), 5};
	qts_walk_tick(&run.walk, &p);
	/* ask 100,100 * 1.001 = 100,200.1, up to the grid of 100 */
	ok(event_is(&run, 0, QTS_WALK_ENTRY, QTS_RULE_NONE, 100, 100300),
	   "bought at the ask, plus 10 bps, on the grid");
	p = (QtsWalkPrice){clock_at(&run, 9, 0, 1), QTS_PRICE(97500), QTS_PRICE(97200), QTS_PRICE(97500), 5};
	qts_walk_tick(&run.walk, &p);
	/* (97,200 - 100,300) / 100,300 = -3.09 %, while the last price is at -2.79 % */
	ok(event_is(&run, 1, QTS_WALK_DECISION, QTS_RULE_SL1, 50, 97200), "the bid decides");
	p = (QtsWalkPrice){clock_at(&run, 9, 0, 2), QTS_PRICE(97500), QTS_PRICE(97300), QTS_PRICE(97500), 5};
	qts_walk_tick(&run.walk, &p);
	/* 97,300 * 0.999 = 97,202.7 */
	ok(event_is(&run, 2, QTS_WALK_FILL, QTS_RULE_SL1, 50, 97200),
	   "sold at the bid, less 10 bps, on the grid");
}

static void
test_volume(void)
{
	QtsFillModel tenth = {.volume_share = 100000};
	Run run;

	run_start(&run, &tenth);
	tick_at(&run, 0, 0, 100000, 1000);
	tick_at(&run, 0, 1, 94000, 1000);
	ok(event_is(&run, 1, QTS_WALK_DECISION, QTS_RULE_SL2, 100, 94000), "SL2 for all");
	tick_at(&run, 0, 2, 93900, 300);
	ok(run.n == 3 && event_is(&run, 2, QTS_WALK_FILL, QTS_RULE_SL2, 30, 93900), "a tenth of 300 is filled");
	is(run.walk.position.available, 0, "the rest is locked");
	tick_at(&run, 0, 3, 93800, 9);
	is(run.n, 3, "a tenth of 9 is nothing");
	tick_at(&run, 0, 4, 89900, 200);
	ok(run.n == 6 && event_is(&run, 3, QTS_WALK_FILL, QTS_RULE_SL2, 20, 89900) &&
		   event_is(&run, 4, QTS_WALK_CANCEL, QTS_RULE_SL2, 50, 0) &&
		   event_is(&run, 5, QTS_WALK_DECISION, QTS_RULE_HARD_STOP, 50, 89900),
	   "-10 %: the hard stop takes the place of what rests");
	run_day(&run, 89900, 0);
	ok(run.n == 7 && event_is(&run, 6, QTS_WALK_CANCEL, QTS_RULE_HARD_STOP, 50, 0), "orders live one day");
	tick_at(&run, 0, 0, 89900, 10000);
	tick_at(&run, 0, 1, 89900, 10000);
	ok(run.n == 9 && event_is(&run, 8, QTS_WALK_FILL, QTS_RULE_HARD_STOP, 50, 89900),
	   "decided again the next day");
}

/* The entry takes its share of the volume as an exit does. */
static void
test_entry_volume(void)
{
	QtsFillModel tenth = {.volume_share = 100000};
	Run run;

	run_start(&run, &tenth);
	run.walk.entry_price = 0;
	tick_at(&run, 0, 0, 100000, 400);
	ok(run.n == 1 && event_is(&run, 0, QTS_WALK_ENTRY, QTS_RULE_NONE, 40, 100000),
	   "a tenth of 400 is bought");
	tick_at(&run, 0, 1, 101000, 9);
	is(run.n, 1, "a tenth of 9 is nothing");
	tick_at(&run, 0, 2, 102000, 200);
	ok(run.n == 2 && event_is(&run, 1, QTS_WALK_ENTRY, QTS_RULE_NONE, 20, 102000),
	   "the rest waits for what trades");
	/* (40 * 100,000 + 20 * 102,000) / 60 = 100,666.6667 */
	is(run.walk.position.avg_price, 1006666667, "thresholds are those of the average");
	is(run.walk.state.cycle, 1, "parts of one order are one cycle");
	is(run.walk.position.original_qty, 60, "whose quantity grows");
	tick_at(&run, 0, 3, 97600, 1000);
	/* 99,440 is paid in the mean: 97,600 is -1.85 % of it, though -3.05 % of what was paid before */
	ok(run.n == 3 && event_is(&run, 2, QTS_WALK_ENTRY, QTS_RULE_NONE, 40, 97600) && run.walk.entry_over,
	   "the average falls with the price: no exit");

	run_start(&run, &tenth);
	run.walk.entry_price = 0;
	tick_at(&run, 0, 0, 100000, 400);
	tick_at(&run, 0, 1, 96900, 5);
	ok(run.n == 3 && event_is(&run, 1, QTS_WALK_CANCEL, QTS_RULE_NONE, 60, 0) &&
		   event_is(&run, 2, QTS_WALK_DECISION, QTS_RULE_SL1, 20, 96900),
	   "an exit in the middle of it ends the entry, and sells of what is held");
	tick_at(&run, 0, 2, 96900, 1000);
	ok(run.n == 4 && event_is(&run, 3, QTS_WALK_FILL, QTS_RULE_SL1, 20, 96900) && run.walk.bought_qty == 40,
	   "nothing is bought any more");
	is(run.walk.bought, 4000000, "what was paid");

	run_start(&run, &tenth);
	bar_at(&run, 0, 100000, 100500, 99500, 100000, 300);
	bar_at(&run, 1, 100000, 100500, 99500, 100000, 300);
	is(run.walk.position.qty, 60, "a tenth of each bar");
	run_day(&run, 100000, 0);
	ok(run.n == 3 && event_is(&run, 2, QTS_WALK_CANCEL, QTS_RULE_NONE, 40, 0),
	   "orders live one day, this one, too");
	tick_at(&run, 0, 0, 100000, 1000);
	is(run.walk.position.qty, 60, "the next day nothing is bought");
}

static void
test_latency(void)
{
	QtsFillModel slow = {.latency = 2 * QTS_SEC};
	Run run;

	run_start(&run, &slow);
	tick_at(&run, 0, 0, 100000, 1);
	tick_at(&run, 0, 1, 94000, 1);
	tick_at(&run, 0, 2, 93000, 1);
	is(run.n, 2, "one second later the order is under way");
	tick_at(&run, 0, 3, 92000, 1);
	ok(run.n == 3 && event_is(&run, 2, QTS_WALK_FILL, QTS_RULE_SL2, 100, 92000),
	   "two seconds later it is there");
}

static void
test_limits(void)
{
	Run run;

	run_start(&run, NULL);
	tick_at(&run, 0, 0, 100000, 1);
	tick_at(&run, 0, 1, 70000, 1);
	tick_at(&run, 0, 2, 70000, 1);
	is(run.walk.position.qty, 100, "locked at the lower limit nothing is sold");
	run_day(&run, 70000, 0);
	tick_at(&run, 0, 0, 60000, 1);
	tick_at(&run, 0, 1, 60100, 1);
	is(run.walk.position.qty, 0, "the next day it is");

	run_start(&run, NULL);
	run.walk.entry_price = 0;
	tick_at(&run, 0, 0, 130000, 1);
	ok(!run.walk.entered, "locked at the upper limit nothing is bought");
	tick_at(&run, 0, 1, 129900, 1);
	ok(run.walk.entered, "below it is");
}

static void
test_session(void)
{
	Run run;
	QtsWalkPrice p = {.last = QTS_PRICE(94000), .volume = 1};

	run_start(&run, NULL);
	tick_at(&run, 0, 0, 100000, 1);
	p.at = clock_at(&run, 15, 25, 0);
	qts_walk_tick(&run.walk, &p);
	is(run.n, 1, "nothing is decided in the closing auction");
	run_day(&run, 94000, 0);
	tick_at(&run, 0, 0, 94000, 1);
	p.at = clock_at(&run, 15, 30, 0);
	qts_walk_tick(&run.walk, &p);
	is(run.walk.position.qty, 0, "what was decided before is filled in it");
}

static void
test_bar_path(void)
{
	Run run;

	run_start(&run, NULL);
	bar_at(&run, 0, 100000, 100500, 92000, 99000, 1000);
	ok(run.n == 5 && event_is(&run, 1, QTS_WALK_DECISION, QTS_RULE_SL1, 50, 97000) &&
		   event_is(&run, 2, QTS_WALK_FILL, QTS_RULE_SL1, 50, 96900) &&
		   event_is(&run, 3, QTS_WALK_DECISION, QTS_RULE_SL2, 50, 95000) &&
		   event_is(&run, 4, QTS_WALK_FILL, QTS_RULE_SL2, 50, 94900),
	   "a bar that falls 8 % sells at -3 % and -5 %, a tick lower each, not at its low and not at its close");
	/* 100,000 to 92,000 in 20 s: 3,000 of 8,000 are 7.5 s */
	is(run.event[1].at - clock_at(&run, 9, 0, 0), 7500 * QTS_MS, "when it came by there");

	run_start(&run, NULL);
	bar_at(&run, 0, 100000, 100000, 100000, 100000, 1000);
	bar_at(&run, 1, 94000, 99000, 93500, 99000, 1000);
	ok(run.n == 3 && event_is(&run, 1, QTS_WALK_DECISION, QTS_RULE_SL2, 100, 94000) &&
		   event_is(&run, 2, QTS_WALK_FILL, QTS_RULE_SL2, 100, 93900),
	   "a gap is decided on at the open and sold a tick lower");

	run_start(&run, NULL);
	bar_at(&run, 0, 100000, 112000, 100000, 111000, 1000);
	ok(run.n == 5 && event_is(&run, 1, QTS_WALK_DECISION, QTS_RULE_TP1, 25, 107000) &&
		   event_is(&run, 2, QTS_WALK_FILL, QTS_RULE_TP1, 25, 107000) &&
		   event_is(&run, 3, QTS_WALK_DECISION, QTS_RULE_TP2, 25, 110000) &&
		   event_is(&run, 4, QTS_WALK_FILL, QTS_RULE_TP2, 25, 110000),
	   "on the way up profits are taken at their thresholds, never better");
	is(run.walk.state.phase, QTS_PHASE_TP2_DONE, "two phases in one bar");
	is(run.walk.state.stop_floor, QTS_PRICE(100600), "the floor is armed");
	is(run.walk.state.hwm, QTS_PRICE(112000), "the high is the mark");

	run_start(&run, NULL);
	bar_at(&run, 0, 100000, 108000, 96000, 100000, 1000);
	ok(event_is(&run, 1, QTS_WALK_DECISION, QTS_RULE_SL1, 50, 97000),
	   "both extremes in one bar: the low comes first");
}

static void
test_bar_confirm(void)
{
	Run run;

	run_start(&run, NULL);
	bar_at(&run, 0, 100000, 107000, 100000, 107000, 1000);
	is(run.walk.state.phase, QTS_PHASE_TP1_DONE, "TP1");
	bar_at(&run, 1, 103000, 103000, 100500, 102000, 1000);
	ok(run.n == 5 && event_is(&run, 3, QTS_WALK_DECISION, QTS_RULE_STOP_FLOOR, 75, 100500),
	   "a breach at the low of a bar lasts long enough to be confirmed");
	is(run.event[3].at - clock_at(&run, 9, 1, 0), 23 * QTS_SEC, "three seconds after the low");
	ok(event_is(&run, 4, QTS_WALK_FILL, QTS_RULE_STOP_FLOOR, 75, 100500),
	   "and is sold before the price comes back");
}

static void
test_bar_volume(void)
{
	QtsFillModel tenth = {.volume_share = 100000};
	Run run;

	run_start(&run, &tenth);
	bar_at(&run, 0, 100000, 100000, 100000, 100000, 1000);
	bar_at(&run, 1, 94000, 96000, 93000, 95500, 300);
	is(run.walk.position.qty, 70, "a tenth of the bar's volume and no more");
	bar_at(&run, 2, 95400, 95600, 95400, 95500, 1000);
	ok(qts_walk_over(&run.walk), "the rest in the next");
	is(run.event[run.n - 1].price, QTS_PRICE(95400), "at what it trades there");
}

static void
test_halt(void)
{
	Run run;
	QtsBar halted = {.close = 50000};

	run_start(&run, NULL);
	tick_at(&run, 0, 0, 100000, 1);
	run_day(&run, 100000, 0);
	halted.at = clock_at(&run, 9, 0, 0);
	qts_walk_bar(&run.walk, &halted, 6 * QTS_HOUR, QTS_PATH_LOW_FIRST);
	is(run.n, 1, "a halted day decides nothing, whatever its close says");
	is(run.walk.seen.last, QTS_PRICE(100000), "nor is it a price");
}

static void
test_split(void)
{
	Run run;

	run_start(&run, NULL);
	tick_at(&run, 0, 0, 103000, 1);
	run_day(&run, 20600, 0);
	qts_walk_split(&run.walk, 200000, clock_at(&run, 8, 59, 50));
	is(run.walk.position.qty, 500, "one share becomes five");
	is(run.walk.position.avg_price, QTS_PRICE(20000), "at a fifth of the price");
	is(run.walk.state.cycle, 2, "a new cycle");
	tick_at(&run, 0, 0, 20600, 1);
	is(run.n, 2, "which is no crash");
	tick_at(&run, 0, 1, 19400, 1);
	ok(event_is(&run, 2, QTS_WALK_DECISION, QTS_RULE_SL1, 250, 19400), "-3 % of the new price is one");
	tick_at(&run, 0, 2, 19400, 1);
	is(qts_walk_pnl(&run.walk), 500 * 19400 - 10000000 - 1400 - 680 - 2425 - 7275, "money is kept");

	run_start(&run, NULL);
	tick_at(&run, 0, 0, 103000, 1);
	run_day(&run, 103000, 0);
	qts_walk_freeze(&run.walk, clock_at(&run, 8, 59, 50));
	tick_at(&run, 0, 0, 20600, 1);
	tick_at(&run, 0, 1, 20600, 1);
	ok(run.n == 2 && event_is(&run, 1, QTS_WALK_FREEZE, QTS_RULE_NONE, 100, 103000),
	   "one nobody confirmed sells nothing");
}

static void
test_atr(void)
{
	Run run;

	run_start(&run, NULL);
	tick_at(&run, 0, 0, 100000, 1);
	is(run.walk.state.atr_pct, 0, "no ATR known");
	run_day(&run, 100000, QTS_PRICE(4000));
	is(run.walk.state.atr_pct, 40000, "4 % of the average price");
	tick_at(&run, 0, 0, 95300, 1);
	is(run.n, 1, "-4.7 % holds with it");
	tick_at(&run, 0, 1, 95200, 1);
	ok(event_is(&run, 1, QTS_WALK_DECISION, QTS_RULE_SL1, 50, 95200), "-4.8 % does not");
}

/* A seeded market of bars; from bar `changed` on it is another one. */
static void
market(Run *run, uint64_t seed, int bars, int changed, uint64_t other, bool as_ticks)
{
	TapRandom rng = {seed};
	QtsKrw price = 100000;

	for (int i = 0; i < bars; i++)
	{
		QtsBar bar = {.volume = 500, .value = -1};
		int spread = 100 * (int) tap_range(&rng, 1, 12);

		if (i == changed)
			rng.state = other;
		if (i > 0 && i % 60 == 0)
			run_day(run, price, QTS_PRICE(price / 50));
		bar.at = clock_at(run, 9, i % 60, 0);
		bar.open = price + 100 * tap_range(&rng, -4, 4);
		bar.close = bar.open + 100 * tap_range(&rng, -8, 8);
		bar.high = (bar.open > bar.close ? bar.open : bar.close) + spread;
		bar.low = (bar.open < bar.close ? bar.open : bar.close) - spread;
		price = bar.close;
		if (!as_ticks)
			qts_walk_bar(&run->walk, &bar, QTS_MINUTE, QTS_PATH_LOW_FIRST);
		else
		{
			const QtsKrw prints[] = {bar.open, bar.low, bar.high, bar.close};

			for (int k = 0; k < 4; k++)
				tick_at(run, i % 60, k * 15, prints[k], bar.volume / 4);
		}
	}
}

static void
test_no_look_ahead(void)
{
	static Run whole;
	static Run other;
	const char *broken = NULL;
	uint64_t bad = 0;

	for (uint64_t seed = 1; seed <= 2000 && broken == NULL; seed++)
	{
		QtsFillModel model = {.volume_share = seed % 3 == 0 ? 20000 : 0,
							  .latency = seed % 5 == 0 ? QTS_SEC : 0};
		int changed = (int) (seed % 170);
		bool ticks = seed % 2 == 0;
		QtsTime when;
		int same = 0;

		run_start(&whole, &model);
		market(&whole, seed, 180, -1, 0, ticks);
		run_start(&other, &model);
		market(&other, seed, 180, changed, seed + 77777, ticks);
		/* dates run with the bars: 60 to a day */
		whole.date = other.date = 9701 + changed / 60;
		when = clock_at(&whole, 9, changed % 60, 0);
		while (same < whole.n && whole.event[same].at < when)
			same++;
		for (int i = 0; i < same; i++)
			if (i >= other.n || memcmp(&whole.event[i], &other.event[i], sizeof(QtsWalkEvent)) != 0)
				broken = "an event before the change differs";
		if (same < other.n && other.event[same].at < when)
			broken = "an event more before the change";
		bad = seed;
	}
	tap_note(broken == NULL, "%s, seed %" PRIu64, broken ? broken : "", bad);
	ok(broken == NULL, "changing the future never changes the past");
}

static void
test_accounts(void)
{
	static Run run;
	const char *broken = NULL;
	uint64_t bad = 0;
	int sales = 0;

	for (uint64_t seed = 1; seed <= 3000 && broken == NULL; seed++)
	{
		QtsFillModel model = {.volume_share = seed % 3 == 0 ? 20000 : 0, .slippage = seed % 7 * 300};
		QtsQty bought = 0;
		QtsQty sold = 0;
		QtsKrw amount = 0;
		QtsTime at = 0;

		bad = seed;
		run_start(&run, &model);
		market(&run, seed, 180, -1, 0, seed % 2 == 0);
		for (int i = 0; i < run.n; i++)
		{
			const QtsWalkEvent *e = &run.event[i];

			if (e->at < at)
				broken = "events are not in order of time";
			at = e->at;
			if (e->kind == QTS_WALK_ENTRY)
				bought += e->qty;
			if (e->kind != QTS_WALK_FILL)
				continue;
			sold += e->qty;
			amount += e->qty * e->price / QTS_PRICE_SCALE;
			if (!qts_tick_valid(e->price / QTS_PRICE_SCALE, QTS_INSTRUMENT_STOCK))
				broken = "a fill off the grid";
			if (e->left != bought - sold)
				broken = "shares are lost";
		}
		sales += (int) sold;
		if (sold != run.walk.sold_qty || amount != run.walk.sold || sold > bought || bought > 100 ||
			bought != run.walk.bought_qty)
			broken = "fills and totals disagree";
		if (run.walk.position.available > run.walk.position.qty || run.walk.position.available < 0)
			broken = "more available than held";
		if (qts_walk_over(&run.walk) && run.walk.state.phase != QTS_PHASE_EXITED)
			broken = "sold out and not exited";
	}
	tap_note(broken == NULL, "%s, seed %" PRIu64, broken ? broken : "", bad);
	ok(broken == NULL && sales > 50000, "every share and every won is accounted for");
}

/* Prices that concern no rule are passed over; that must not show. */
static void
test_band(void)
{
	static Run fast;
	static Run slow;
	const char *broken = NULL;
	uint64_t bad = 0;

	for (uint64_t seed = 1; seed <= 3000 && broken == NULL; seed++)
	{
		bad = seed;
		run_start(&fast, NULL);
		fast.walk.profile.even_enabled = seed % 3 == 0;
		fast.walk.profile.max_hold_days = seed % 4 == 0 ? 2 : 0;
		slow = fast;
		slow.walk.sink_arg = &slow;
		slow.walk.every_look = true;
		market(&fast, seed, 180, -1, 0, seed % 2 == 0);
		market(&slow, seed, 180, -1, 0, seed % 2 == 0);
		if (fast.n != slow.n || memcmp(fast.event, slow.event, sizeof(QtsWalkEvent) * (size_t) fast.n) != 0)
			broken = "other events";
		if (fast.walk.state.hwm != slow.walk.state.hwm || fast.walk.lowest != slow.walk.lowest ||
			fast.walk.highest != slow.walk.highest || fast.walk.looks != slow.walk.looks)
			broken = "other marks";
	}
	tap_note(broken == NULL, "%s, seed %" PRIu64, broken ? broken : "", bad);
	ok(broken == NULL, "with and without passing over prices that decide nothing, all is the same");
}

/* Rules that look at days and at the open. */
static void
test_days(void)
{
	Run run;

	run_start(&run, NULL);
	run.walk.profile.max_hold_days = 2;
	run.walk.profile.trading_days = true;
	tick_at(&run, 0, 0, 100000, 1);
	run_day(&run, 100000, 0);
	tick_at(&run, 0, 0, 100000, 1);
	is(run.n, 1, "one day later it is held");
	run_day(&run, 100000, 0);
	tick_at(&run, 0, 0, 100100, 1);
	ok(run.n == 2 && event_is(&run, 1, QTS_WALK_DECISION, QTS_RULE_TIME, 100, 100100),
	   "two days later TIME sells it");

	run_start(&run, NULL);
	run.walk.profile.gap_enabled = true;
	run.walk.profile.gap_pct = -30000;
	run.walk.profile.gap_window = 30 * QTS_SEC;
	run.walk.profile.sl1.qty = 0;
	tick_at(&run, 0, 0, 104000, 1);
	run_day(&run, 104000, 0);
	tick_at(&run, 0, 1, 100800, 1);
	ok(run.n == 2 && event_is(&run, 1, QTS_WALK_DECISION, QTS_RULE_GAP_DOWN, 100, 100800),
	   "opened 3.08 % below the close before: GAP_DOWN, though above what was paid");
}

int
main(void)
{
	test_next_tick();
	test_quotes();
	test_volume();
	test_entry_volume();
	test_latency();
	test_limits();
	test_session();
	test_bar_path();
	test_bar_confirm();
	test_bar_volume();
	test_halt();
	test_split();
	test_atr();
	test_days();
	test_band();
	test_no_look_ahead();
	test_accounts();
	return tap_done();
}
