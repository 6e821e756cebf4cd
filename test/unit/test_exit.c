/*-------------------------------------------------------------------------
 *
 * test_exit.c
 *		Exit rules by example: triggers, order, quantities, gates
 *		(runtime 4.2-4.10, 17).
 *
 *-------------------------------------------------------------------------
 */
#include "exit_fixture.h"

static void
test_open(void)
{
	Fixture f = fixture();
	QtsExitDecision d;

	d = fixture_at(&f, 97001);
	ok(decided(d, QTS_RULE_NONE, 0) && d.hold == QTS_BLOCK_NONE, "-2.999 %: hold");
	d = fixture_at(&f, 97000);
	ok(decided(d, QTS_RULE_SL1, 50) && !d.full && !d.supersede, "-3 %: SL1, half");
	is(d.threshold, QTS_PRICE(97000), "the price that triggered");
	is(d.price, QTS_PRICE(97000), "the price decided on");
	ok(decided(fixture_at(&f, 95001), QTS_RULE_SL1, 50), "-4.999 %: still SL1");
	d = fixture_at(&f, 95000);
	ok(decided(d, QTS_RULE_SL2, 100) && d.full, "-5 %: SL2, all");
	ok(decided(fixture_at(&f, 90001), QTS_RULE_SL2, 100), "-9.999 %: SL2");
	ok(decided(fixture_at(&f, 90000), QTS_RULE_HARD_STOP, 100), "-10 %: HARD_STOP");
	ok(decided(fixture_at(&f, 106999), QTS_RULE_NONE, 0), "+6.999 %: hold");
	d = fixture_at(&f, 107000);
	ok(decided(d, QTS_RULE_TP1, 25) && d.threshold == QTS_PRICE(107000), "+7 %: TP1, a quarter");
	ok(decided(fixture_at(&f, 130000), QTS_RULE_TP1, 25), "+30 %: TP1 first, never TP2 in OPEN");

	f.quote.last = QTS_PRICE(97000);
	f.quote.bid = 0;
	f.now += QTS_SEC;
	d = qts_exit_evaluate(&f.profile, &f.position, &f.state, &f.quote, f.control, f.now);
	ok(decided(d, QTS_RULE_SL1, 50), "without a bid the last price decides");
	f.quote.bid = QTS_PRICE(95000);
	d = qts_exit_evaluate(&f.profile, &f.position, &f.state, &f.quote, f.control, f.now);
	ok(decided(d, QTS_RULE_SL2, 100), "with one the bid does");

	f = fixture();
	f.position.avg_price = 716666667;
	d = fixture_at(&f, 72500);
	ok(decided(d, QTS_RULE_NONE, 0), "incident 1: +1.16 % takes no profit");
	d = fixture_at(&f, 76684);
	ok(decided(d, QTS_RULE_TP1, 25) && d.threshold == 766833334, "a threshold off the grid");
}

static void
test_atr(void)
{
	Fixture f = fixture();

	f.state.atr_pct = 40000;
	ok(decided(fixture_at(&f, 95201), QTS_RULE_NONE, 0), "ATR 4 %: -4.799 % holds");
	ok(decided(fixture_at(&f, 95200), QTS_RULE_SL1, 50), "-4.8 % is SL1");
	ok(decided(fixture_at(&f, 92000), QTS_RULE_SL2, 100), "-8 % is SL2");
	ok(decided(fixture_at(&f, 90000), QTS_RULE_HARD_STOP, 100), "the hard stop is not scaled");
	ok(decided(fixture_at(&f, 111199), QTS_RULE_NONE, 0), "+11.199 % holds");
	ok(decided(fixture_at(&f, 111200), QTS_RULE_TP1, 25), "+11.2 % is TP1");
}

static void
test_quantities(void)
{
	Fixture f = fixture();

	f.position.qty = f.position.available = f.position.original_qty = 7;
	ok(decided(fixture_at(&f, 97000), QTS_RULE_SL1, 4), "SL1: half of 7 is 4");
	ok(decided(fixture_at(&f, 107000), QTS_RULE_TP1, 1), "TP1: a quarter of 7 is 1");
	f = fixture();
	f.position.qty = f.position.available = f.position.original_qty = 1;
	ok(decided(fixture_at(&f, 107000), QTS_RULE_TP1, 1), "TP1 sells at least one share");
	ok(fixture_at(&f, 97000).full, "half of one share is all of it");

	f = fixture_in(QTS_PHASE_TP1_DONE);
	ok(decided(fixture_at(&f, 110000), QTS_RULE_TP2, 25), "TP2 is a share of the original 100");
	f.position.qty = f.position.available = 10;
	ok(decided(fixture_at(&f, 110000), QTS_RULE_TP2, 10), "but never more than held");

	f = fixture();
	f.position.available = 30;
	ok(decided(fixture_at(&f, 97000), QTS_RULE_SL1, 30), "never above available");
	ok(!fixture_at(&f, 95000).full, "then a full exit is not full");
	f.position.available = 0;
	ok(decided(fixture_at(&f, 95000), QTS_RULE_NONE, 0), "incident 3: nothing available");
	f.position.available = -5;
	ok(decided(fixture_at(&f, 95000), QTS_RULE_NONE, 0), "nor below nothing");
	f.position.available = 1000;
	ok(decided(fixture_at(&f, 95000), QTS_RULE_SL2, 100), "never above held");
	f.position.qty = 0;
	is(fixture_at(&f, 95000).hold, QTS_BLOCK_NOTHING_AVAILABLE, "nothing held");
}

static void
test_off(void)
{
	Fixture f = fixture();

	f.profile.sl1.qty = 0;
	ok(decided(fixture_at(&f, 97000), QTS_RULE_NONE, 0), "share 0 is off, not one share");
	f.profile.sl2.base = 0;
	ok(decided(fixture_at(&f, 94000), QTS_RULE_NONE, 0), "base 0 is off, not always");
	f.profile.hardstop_enabled = false;
	ok(decided(fixture_at(&f, 50000), QTS_RULE_NONE, 0), "the hard stop can be off");
	f.profile.hardstop_enabled = true;
	f.profile.hardstop = 0;
	ok(decided(fixture_at(&f, 50000), QTS_RULE_NONE, 0), "also by 0");
	f.profile.tp1.qty = -1;
	ok(decided(fixture_at(&f, 150000), QTS_RULE_NONE, 0), "a negative share is off");

	f = fixture_in(QTS_PHASE_TP2_DONE);
	f.profile.trail_partial_qty = 0;
	(void) fixture_at(&f, 115000);
	for (int i = 0; i < 6; i++)
		ok(decided(fixture_at(&f, 108000), QTS_RULE_NONE, 0), "no partial trail without a share");
}

static void
test_gates(void)
{
	Fixture f = fixture();
	QtsExitDecision d;

	f.quote.stale = true;
	d = fixture_at(&f, 80000);
	ok(d.rule == QTS_RULE_NONE && d.hold == QTS_BLOCK_STALE_PRICE && f.state.hwm == 0,
	   "a stale price decides nothing, not even the hard stop, and leaves no mark");
	f.quote.stale = false;
	f.quote.in_session = false;
	d = fixture_at(&f, 80000);
	ok(d.rule == QTS_RULE_NONE && d.hold == QTS_BLOCK_SESSION && f.state.hwm == 0,
	   "nor one from outside the session");
	f.quote.in_session = true;
	d = fixture_at(&f, 0);
	is(d.hold, QTS_BLOCK_STALE_PRICE, "no price");

	f.position.mode = QTS_POSITION_DISABLED;
	d = fixture_at(&f, 80000);
	ok(d.rule == QTS_RULE_NONE && d.hold == QTS_BLOCK_POSITION_MODE, "DISABLED");
	f.position.mode = QTS_POSITION_MANUAL_ONLY;
	d = fixture_at(&f, 81000);
	ok(d.rule == QTS_RULE_NONE && d.hold == QTS_BLOCK_POSITION_MODE, "MANUAL_ONLY");
	is(f.state.hwm, QTS_PRICE(81000), "the high-water mark rises all the same");
	f.position.mode = QTS_POSITION_ENABLED;
	f.position.quarantined = true;
	d = fixture_at(&f, 82000);
	ok(d.rule == QTS_RULE_NONE && d.hold == QTS_BLOCK_QUARANTINE && f.state.hwm == QTS_PRICE(82000),
	   "quarantined");

	f = fixture();
	f.position.avg_price = 0;
	is(fixture_at(&f, 100000).hold, QTS_BLOCK_NOT_ARMED, "no average price");
}

static void
test_control(void)
{
	Fixture f = fixture();

	f.control = QTS_CONTROL_PAUSE_ALL;
	ok(decided(fixture_at(&f, 94000), QTS_RULE_NONE, 0), "vector 7: PAUSE_ALL at -6 %: none");
	ok(decided(fixture_at(&f, 89000), QTS_RULE_HARD_STOP, 100), "PAUSE_ALL at -11 %: HARD_STOP");
	f.control = QTS_CONTROL_PAUSE_PROFIT;
	ok(decided(fixture_at(&f, 108000), QTS_RULE_NONE, 0), "PAUSE_PROFIT at +8 %: none");
	is(f.state.hwm, QTS_PRICE(108000), "but the mark rises");
	ok(decided(fixture_at(&f, 97000), QTS_RULE_SL1, 50), "PAUSE_PROFIT at -3 %: SL1");

	f = fixture_in(QTS_PHASE_TRAILING_ACTIVE);
	f.control = QTS_CONTROL_PAUSE_PROFIT;
	(void) fixture_at(&f, 120000);
	for (int i = 0; i < 6; i++)
		ok(decided(fixture_at(&f, 110000), QTS_RULE_NONE, 0), "PAUSE_PROFIT: no trail");
	f.control = QTS_CONTROL_RUNNING;
	ok(decided(fixture_at(&f, 110000), QTS_RULE_TRAIL, 30), "confirmed meanwhile: at once");
}

static void
test_live(void)
{
	Fixture f = fixture();
	QtsExitDecision d;

	f.position.live_rule[QTS_RULE_TP1] = true;
	f.position.live_severity = 10;
	f.position.available = 75;
	ok(decided(fixture_at(&f, 107000), QTS_RULE_NONE, 0), "a live rule is not repeated");
	d = fixture_at(&f, 95000);
	ok(decided(d, QTS_RULE_SL2, 100) && d.supersede && d.full,
	   "vector 8: SL2 supersedes a live TP1, for all that is held");
	d = fixture_at(&f, 97000);
	ok(decided(d, QTS_RULE_SL1, 50) && d.supersede && !d.full, "SL1 too, for its half");

	f = fixture();
	f.position.live_severity = 90;
	f.position.live_rule[QTS_RULE_SL1] = true;
	f.position.available = 50;
	ok(decided(fixture_at(&f, 97000), QTS_RULE_NONE, 0), "SL1 once");
	ok(decided(fixture_at(&f, 95000), QTS_RULE_SL2, 100), "SL2 over a live SL1");
	f.position.live_severity = 100;
	f.position.live_rule[QTS_RULE_SL2] = true;
	ok(decided(fixture_at(&f, 95000), QTS_RULE_NONE, 0), "not twice");
	ok(decided(fixture_at(&f, 90000), QTS_RULE_HARD_STOP, 100), "HARD_STOP over a live SL2");
	f.position.live_severity = 120;
	ok(decided(fixture_at(&f, 90000), QTS_RULE_NONE, 0), "nothing over a live HARD_STOP");

	f = fixture();
	f.position.live_severity = 40;
	ok(decided(fixture_at(&f, 107000), QTS_RULE_NONE, 0), "no profit beside a live manual exit");
	ok(decided(fixture_at(&f, 97000), QTS_RULE_SL1, 50), "but a stop");

	f = fixture();
	f.position.live_rule[QTS_RULE_SL1] = true;
	f.position.qty = f.position.available = 50;
	ok(decided(fixture_at(&f, 97000), QTS_RULE_NONE, 0), "a filled SL1 is not repeated");
	ok(decided(fixture_at(&f, 95000), QTS_RULE_SL2, 50), "SL2 sells the rest, nothing to cancel");
	f.position.live_rule[QTS_RULE_SL1] = false;
	ok(decided(fixture_at(&f, 97000), QTS_RULE_SL1, 25), "vector 6: after a rejection SL1 again");
}

static void
test_floor(void)
{
	Fixture f = fixture_in(QTS_PHASE_TP1_DONE);
	QtsExitDecision d;

	is(f.state.phase, QTS_PHASE_TP1_DONE, "TP1 filled");
	is(f.state.stop_floor, QTS_PRICE(100600), "arms the floor 0.6 % above the average");
	(void) fixture_at(&f, 104000);
	ok(decided(fixture_at(&f, 100600), QTS_RULE_NONE, 0), "one tick at the floor: confirming");
	ok(decided(fixture_at(&f, 100601), QTS_RULE_NONE, 0), "above it: cleared");
	is(f.state.floor_ticks, 0, "the counter is");
	ok(decided(fixture_at(&f, 100600), QTS_RULE_NONE, 0), "first tick");
	d = fixture_at(&f, 100500);
	ok(decided(d, QTS_RULE_NONE, 0) && d.state_changed && f.state.floor_ticks == 2,
	   "second tick after one second");
	ok(decided(fixture_at(&f, 100500), QTS_RULE_NONE, 0), "third after two");
	d = fixture_at(&f, 100500);
	ok(decided(d, QTS_RULE_STOP_FLOOR, 75) && d.full && d.state_changed,
	   "two ticks and three seconds: STOP_FLOOR, all");
	is(f.state.floor_ticks, 0, "it has to be confirmed anew");

	f = fixture_in(QTS_PHASE_TP1_DONE);
	(void) fixture_at(&f, 100500);
	f.now += QTS_MINUTE;
	ok(decided(fixture_at(&f, 100500), QTS_RULE_STOP_FLOOR, 75), "a second tick a minute later");
	f = fixture_in(QTS_PHASE_TP1_DONE);
	f.profile.confirm_time = 0;
	(void) fixture_at(&f, 100500);
	ok(decided(fixture_at(&f, 100500), QTS_RULE_STOP_FLOOR, 75), "two ticks without a time");
	f = fixture_in(QTS_PHASE_TP1_DONE);
	(void) fixture_at(&f, 100500);
	f.now -= QTS_HOUR;
	ok(decided(fixture_at(&f, 100500), QTS_RULE_NONE, 0), "a clock that went back starts over");

	f = fixture_in(QTS_PHASE_TP1_DONE);
	for (int i = 0; i < 6; i++)
		(void) fixture_at(&f, 98000);
	f.position.live_rule[QTS_RULE_STOP_FLOOR] = true;
	ok(decided(fixture_at(&f, 97000), QTS_RULE_SL1, 38), "SL1 of the remaining 75 is 38");
	ok(decided(fixture_at(&f, 95000), QTS_RULE_SL2, 75), "SL2 comes before the floor");
	ok(decided(fixture_at(&f, 107000), QTS_RULE_NONE, 0), "TP1 is over");
	ok(decided(fixture_at(&f, 110000), QTS_RULE_TP2, 25), "TP2 is next");

	f = fixture();
	f.profile.stop_floor_profit = 0;
	(void) fixture_at(&f, 107000);
	fixture_fill(&f, QTS_RULE_TP1, 25);
	is(f.state.stop_floor, 0, "0 arms no floor");
}

static void
test_trailing(void)
{
	Fixture f = fixture_in(QTS_PHASE_TP2_DONE);
	QtsExitDecision d;

	is(f.state.phase, QTS_PHASE_TP2_DONE, "TP2 filled");
	(void) fixture_at(&f, 115000);
	is(f.state.hwm, QTS_PRICE(115000), "the mark");
	ok(decided(fixture_at(&f, 110401), QTS_RULE_NONE, 0), "above 96 % of it: hold");
	is(f.state.trail_ticks, 0, "and not counted");
	for (int i = 0; i < 3; i++)
		ok(decided(fixture_at(&f, 110400), QTS_RULE_NONE, 0), "at 96 %: confirming");
	d = fixture_at(&f, 110400);
	ok(decided(d, QTS_RULE_TRAIL_PARTIAL, 25) && d.threshold == QTS_PRICE(110400),
	   "TRAIL_PARTIAL, half of the rest");
	is(f.state.trail_ticks, 0, "to be confirmed anew until it fills");
	fixture_fill(&f, QTS_RULE_TRAIL_PARTIAL, 25);
	is(f.state.phase, QTS_PHASE_TP2_DONE, "stays in the phase");
	for (int i = 0; i < 6; i++)
		ok(decided(fixture_at(&f, 108000), QTS_RULE_NONE, 0), "once");
	ok(decided(fixture_at(&f, 116000), QTS_RULE_TP3, 20), "TP3 still comes");
	fixture_fill(&f, QTS_RULE_TP3, 20);
	is(f.state.phase, QTS_PHASE_TRAILING_ACTIVE, "and starts trailing");
	(void) fixture_at(&f, 120000);
	ok(fixture_at(&f, 115200).state_changed && f.state.trail_ticks == 1, "a counted breach");
	for (int i = 0; i < 2; i++)
		(void) fixture_at(&f, 115200);
	ok(decided(fixture_at(&f, 115200), QTS_RULE_TRAIL, 5), "TRAIL sells the rest");
	is(f.state.trail_ticks, 0, "and would have to be confirmed anew");
	fixture_fill(&f, QTS_RULE_TRAIL, 5);
	is(f.state.phase, QTS_PHASE_EXITED, "and ends it");
	d = fixture_at(&f, 1000);
	ok(d.rule == QTS_RULE_NONE && d.hold == QTS_BLOCK_PHASE, "nothing after the end");

	f = fixture_in(QTS_PHASE_TRAILING_ACTIVE);
	f.state.atr_pct = 30000;
	(void) fixture_at(&f, 120000);
	for (int i = 0; i < 6; i++)
		ok(decided(fixture_at(&f, 112801), QTS_RULE_NONE, 0), "the wider ATR distance holds");
	for (int i = 0; i < 3; i++)
		(void) fixture_at(&f, 112800);
	ok(decided(fixture_at(&f, 112800), QTS_RULE_TRAIL, 30), "TRAIL at 94 % of the mark");

	f = fixture_in(QTS_PHASE_TRAILING_ACTIVE);
	(void) fixture_at(&f, 120000);
	for (int i = 0; i < 3; i++)
		(void) fixture_at(&f, 100000);
	ok(decided(fixture_at(&f, 100000), QTS_RULE_TRAIL, 30), "TRAIL comes before the floor");
	for (int i = 0; i < 4; i++)
		(void) fixture_at(&f, 100000);
	f.position.live_severity = 5;
	f.position.live_rule[QTS_RULE_TRAIL] = true;
	d = fixture_at(&f, 100000);
	ok(decided(d, QTS_RULE_NONE, 0),
	   "the floor leaves a live TRAIL alone: cancelled, it would be decided first again");
	d = fixture_at(&f, 95000);
	ok(decided(d, QTS_RULE_SL2, 30) && d.supersede, "SL2, which comes before it, does not");
	ok(decided(fixture_at(&f, 97000), QTS_RULE_NONE, 0), "no SL1 while trailing");

	f = fixture_in(QTS_PHASE_OPEN);
	f.position.wait_rule[QTS_RULE_SL2] = true;
	ok(decided(fixture_at(&f, 94900), QTS_RULE_NONE, 0), "SL2 was refused: SL1 waits with it");
	ok(decided(fixture_at(&f, 89900), QTS_RULE_HARD_STOP, f.position.qty), "HARD_STOP does not");
	ok(decided(fixture_at(&f, 96900), QTS_RULE_SL1, f.position.qty / 2),
	   "SL1 does not when it alone is true");

	f = fixture_in(QTS_PHASE_TP1_DONE);
	f.position.live_severity = qts_exit_severity(QTS_RULE_TP2);
	f.position.available = 50;
	for (int i = 0; i < 3; i++)
		(void) fixture_at(&f, 100600);
	d = fixture_at(&f, 100600);
	ok(decided(d, QTS_RULE_STOP_FLOOR, 75) && d.supersede, "the floor supersedes a live TP2");
	f.position.live_severity = 0;
	f.position.available = 75;
	ok(decided(fixture_at(&f, 100600), QTS_RULE_STOP_FLOOR, 75),
	   "when that is gone, the rest is sold at the next look: what waited is confirmed");
	f.position.live_severity = qts_exit_severity(QTS_RULE_STOP_FLOOR);
	f.position.live_rule[QTS_RULE_STOP_FLOOR] = true;
	f.position.available = 0;
	ok(decided(fixture_at(&f, 96900), QTS_RULE_NONE, 0),
	   "SL1 takes nothing from an order for all that is held");
}

static void
test_phases(void)
{
	Fixture f = fixture_in(QTS_PHASE_TP3_DONE);
	int sold = 0;

	is(f.state.phase, QTS_PHASE_TP3_DONE, "TP3 without start_trailing");
	(void) fixture_at(&f, 120000);
	for (int i = 0; i < 6; i++)
		ok(decided(fixture_at(&f, 110000), QTS_RULE_NONE, 0), "does not trail");
	ok(decided(fixture_at(&f, 90000), QTS_RULE_HARD_STOP, 30), "but stops");

	/* vector 3 */
	f = fixture();
	f.profile.tp3.qty = 0;
	(void) fixture_at(&f, 107000);
	fixture_fill(&f, QTS_RULE_TP1, 25);
	fixture_fill(&f, QTS_RULE_TP2, 25);
	is(f.state.phase, QTS_PHASE_TRAILING_ACTIVE, "vector 3: TP2 with TP3 off starts trailing");
	for (int i = 0; i < 100; i++)
		sold += fixture_at(&f, 120000 + i).rule != QTS_RULE_NONE;
	is(sold, 0, "no further sells over 100 ticks");

	f = fixture_in(QTS_PHASE_TP2_DONE);
	fixture_fill(&f, QTS_RULE_TP1, 1);
	is(f.state.phase, QTS_PHASE_TP2_DONE, "a late fill takes no phase back");
	fixture_fill(&f, QTS_RULE_SL1, 10);
	is(f.state.phase, QTS_PHASE_TP2_DONE, "SL1 changes no phase");
	fixture_fill(&f, QTS_RULE_SL2, 10);
	is(f.state.phase, QTS_PHASE_TP2_DONE, "a full exit cut short leaves its stops in place");
	ok(decided(fixture_at(&f, 95000), QTS_RULE_SL2, 29), "vector 5: SL2 again for the rest");
	qts_exit_apply_fill(&f.profile, &f.state, QTS_RULE_SL2, 0, 0, f.position.avg_price);
	is(f.state.phase, QTS_PHASE_TP2_DONE, "no fill, no change");
	fixture_fill(&f, QTS_RULE_MANUAL, 29);
	is(f.state.phase, QTS_PHASE_EXITED, "a manual exit of all ends it");
	fixture_fill(&f, QTS_RULE_TP1, 1);
	is(f.state.phase, QTS_PHASE_EXITED, "for good");
}

/* The row of a rule; an empty one when there is none. */
static QtsExitExplain
row_of(const QtsExitExplain *rows, int count, QtsExitRule rule)
{
	for (int i = 0; i < count; i++)
	{
		if (rows[i].rule == rule)
			return rows[i];
	}
	return (QtsExitExplain){0};
}

static void
test_explain(void)
{
	static const QtsExitRule orders[][10] = {
		{QTS_RULE_HARD_STOP, QTS_RULE_GAP_DOWN, QTS_RULE_SL2, QTS_RULE_BREAK_EVEN, QTS_RULE_SL1,
		 QTS_RULE_CUSTOM, QTS_RULE_TP1, QTS_RULE_TIME},
		{QTS_RULE_HARD_STOP, QTS_RULE_GAP_DOWN, QTS_RULE_SL2, QTS_RULE_STOP_FLOOR, QTS_RULE_SL1,
		 QTS_RULE_CUSTOM, QTS_RULE_TP2, QTS_RULE_TIME},
		{QTS_RULE_HARD_STOP, QTS_RULE_GAP_DOWN, QTS_RULE_SL2, QTS_RULE_STOP_FLOOR, QTS_RULE_SL1,
		 QTS_RULE_CUSTOM, QTS_RULE_TP3, QTS_RULE_TRAIL_PARTIAL, QTS_RULE_TIME},
		{QTS_RULE_HARD_STOP, QTS_RULE_SL2, QTS_RULE_STOP_FLOOR, QTS_RULE_TIME},
		{QTS_RULE_HARD_STOP, QTS_RULE_SL2, QTS_RULE_TRAIL, QTS_RULE_STOP_FLOOR, QTS_RULE_TIME},
	};
	QtsExitExplain rows[QTS_EXIT_ROWS];
	QtsExitExplain row;
	bool good = true;
	Fixture f;
	int count;

	for (int phase = 0; phase < QTS_PHASE_EXITED; phase++)
	{
		f = fixture_in((QtsExitPhase) phase);
		f.profile.custom_count = 1;
		count = qts_exit_explain(&f.profile, &f.position, &f.state, &f.quote, f.control, f.now, rows);
		for (int i = 0; i < 10; i++)
			good = tap_note((i < count ? rows[i].rule : QTS_RULE_NONE) == orders[phase][i],
							"phase %d rule %d", phase, i) &&
				   good;
	}
	ok(good, "the evaluation order of every phase");

	f = fixture();
	f.quote.bid = QTS_PRICE(96000);
	f.control = QTS_CONTROL_PAUSE_ALL;
	f.profile.tp1.qty = 0;
	count = qts_exit_explain(&f.profile, &f.position, &f.state, &f.quote, f.control, f.now, rows);
	is(count, 7, "seven rules in OPEN, and none of the user's own");
	ok(rows[0].blocked_by == QTS_BLOCK_NONE && !rows[0].breached && rows[0].enabled &&
		   rows[0].threshold == QTS_PRICE(90000) && rows[0].threshold_ppm == -100000 &&
		   rows[0].distance_ppm == -62500,
	   "HARD_STOP: where it is and how far");
	row = row_of(rows, count, QTS_RULE_SL1);
	ok(row.breached && row.blocked_by == QTS_BLOCK_CONTROL_MODE, "SL1: paused");
	row = row_of(rows, count, QTS_RULE_TP1);
	ok(!row.enabled && row.blocked_by == QTS_BLOCK_OFF && row.threshold == 0, "TP1: off");
	is(f.state.hwm, 0, "explaining changes nothing");
	f.quote.stale = true;
	count = qts_exit_explain(&f.profile, &f.position, &f.state, &f.quote, f.control, f.now, rows);
	is(rows[0].blocked_by, QTS_BLOCK_STALE_PRICE, "a stale price blocks every rule");
	f.state.phase = QTS_PHASE_EXITED;
	is(qts_exit_explain(&f.profile, &f.position, &f.state, &f.quote, f.control, f.now, rows), 0,
	   "no rules after the end");

	f = fixture_in(QTS_PHASE_TP2_DONE);
	f.quote.bid = QTS_PRICE(100000);
	count = qts_exit_explain(&f.profile, &f.position, &f.state, &f.quote, f.control, f.now, rows);
	row = row_of(rows, count, QTS_RULE_STOP_FLOOR);
	ok(row.breached && row.blocked_by == QTS_BLOCK_CONFIRMING, "STOP_FLOOR: confirming");
	ok(row.threshold_ppm == 6000 && row.distance_ppm == 6000, "0.6 % above");
	f.state.trail_partial_done = true;
	count = qts_exit_explain(&f.profile, &f.position, &f.state, &f.quote, f.control, f.now, rows);
	is(row_of(rows, count, QTS_RULE_TRAIL_PARTIAL).blocked_by, QTS_BLOCK_PHASE, "TRAIL_PARTIAL: done");
	f.position.live_severity = 100;
	count = qts_exit_explain(&f.profile, &f.position, &f.state, &f.quote, f.control, f.now, rows);
	is(row_of(rows, count, QTS_RULE_SL1).blocked_by, QTS_BLOCK_LIVE_INTENT, "SL1: a more severe one is live");
}

int
main(void)
{
	test_open();
	test_atr();
	test_quantities();
	test_off();
	test_gates();
	test_control();
	test_live();
	test_floor();
	test_trailing();
	test_phases();
	test_explain();
	return tap_done();
}
