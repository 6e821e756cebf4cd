/*-------------------------------------------------------------------------
 *
 * test_exit_more.c
 *		GAP_DOWN, BREAK_EVEN, custom rules, TIME and EMERGENCY by example,
 *		and buys that fill in parts (runtime 4.5, 4.8, 4.10, 4.11, 13.3).
 *
 *-------------------------------------------------------------------------
 */
#include "exit_fixture.h"

/* Held since yesterday; the close was 100,000, the first price of today is this. */
static Fixture
opened_at(QtsKrw first)
{
	Fixture f = fixture();

	/* so that what is lost against the average does not matter */
	f.position.avg_price = QTS_PRICE(95000);
	f.position.held_days = f.position.held_trading_days = 1;
	f.quote.prev_close = QTS_PRICE(100000);
	f.quote.first = QTS_PRICE(first);
	f.quote.since_open = QTS_SEC;
	return f;
}

static void
test_gap(void)
{
	Fixture f = opened_at(95000);
	QtsExitDecision d = fixture_at(&f, 95000);

	ok(decided(d, QTS_RULE_GAP_DOWN, 100) && d.full && d.severity == 110, "-5 % at the open: all");
	is(d.threshold, QTS_PRICE(95000), "the threshold is the close less 5 %, a price above zero (B-X9)");
	f.quote.since_open = 30 * QTS_SEC;
	ok(decided(fixture_at(&f, 96000), QTS_RULE_GAP_DOWN, 100),
	   "the first price counts, to the end of the window");
	f.quote.since_open++;
	ok(decided(fixture_at(&f, 95000), QTS_RULE_NONE, 0), "not after it");
	f = opened_at(95001);
	ok(decided(fixture_at(&f, 95000), QTS_RULE_NONE, 0), "-4.999 % is no gap, whatever follows");
	f = opened_at(95000);
	f.quote.first = 0;
	ok(decided(fixture_at(&f, 95000), QTS_RULE_NONE, 0), "no first price yet");
	f = opened_at(95000);
	f.quote.prev_close = 0;
	ok(decided(fixture_at(&f, 95000), QTS_RULE_NONE, 0), "no close to compare with");
	f = opened_at(95000);
	f.quote.since_open = -1;
	ok(decided(fixture_at(&f, 95000), QTS_RULE_NONE, 0), "not before the open");
	f = opened_at(95000);
	f.position.held_days = 0;
	ok(decided(fixture_at(&f, 95000), QTS_RULE_NONE, 0), "shares bought today were bought after it");
	f = opened_at(95000);
	f.profile.gap_enabled = false;
	ok(decided(fixture_at(&f, 95000), QTS_RULE_NONE, 0), "off");
	f = opened_at(90000);
	f.position.avg_price = QTS_PRICE(100000);
	ok(decided(fixture_at(&f, 90000), QTS_RULE_HARD_STOP, 100), "HARD_STOP comes before it");
	ok(decided(fixture_at(&f, 91000), QTS_RULE_GAP_DOWN, 100), "SL2 after it");
	f.control = QTS_CONTROL_PAUSE_PROFIT;
	ok(decided(fixture_at(&f, 91000), QTS_RULE_GAP_DOWN, 100), "a pause of profits does not hold it");
	f.control = QTS_CONTROL_PAUSE_ALL;
	ok(decided(fixture_at(&f, 91000), QTS_RULE_NONE, 0), "a pause of all does");
}

static void
test_break_even(void)
{
	Fixture f = fixture();
	QtsExitDecision d;

	f.profile.even_enabled = true;
	(void) fixture_at(&f, 102999);
	for (int i = 0; i < 6; i++)
		ok(decided(fixture_at(&f, 100000), QTS_RULE_NONE, 0), "+2.999 % does not arm it");
	(void) fixture_at(&f, 103000);
	ok(decided(fixture_at(&f, 101001), QTS_RULE_NONE, 0), "armed, above the buffer");
	for (int i = 0; i < 3; i++)
		ok(decided(fixture_at(&f, 101000), QTS_RULE_NONE, 0), "at +1 %: confirming");
	d = fixture_at(&f, 101000);
	ok(decided(d, QTS_RULE_BREAK_EVEN, 100) && d.full && d.severity == 80 && d.threshold == QTS_PRICE(101000),
	   "two ticks and three seconds: all");
	(void) fixture_at(&f, 101000);
	ok(decided(fixture_at(&f, 101001), QTS_RULE_NONE, 0) && f.state.even_ticks == 0,
	   "cleared by a price above");
	ok(decided(fixture_at(&f, 94000), QTS_RULE_SL2, 100), "SL2 comes before it");
	f.profile.even_enabled = false;
	for (int i = 0; i < 6; i++)
		ok(decided(fixture_at(&f, 100000), QTS_RULE_NONE, 0), "off by default");
}

static Fixture
with_customs(void)
{
	Fixture f = fixture();

	f.profile.custom_count = 3;
	f.profile.custom[0] = (QtsCustomRule){"first", true, false, 1, 40000, 300000};
	f.profile.custom[1] = (QtsCustomRule){"second", true, false, 2, 40000, 500000};
	f.profile.custom[2] = (QtsCustomRule){"stop", true, true, 3, -20000, 330000};
	return f;
}

static void
test_custom(void)
{
	Fixture f = with_customs();
	QtsExitDecision d = fixture_at(&f, 104000);

	ok(decided(d, QTS_RULE_CUSTOM, 30) && d.custom == 0 && d.severity == 35, "profit_above by priority");
	f.position.live_custom[0] = true;
	d = fixture_at(&f, 104000);
	ok(decided(d, QTS_RULE_CUSTOM, 50) && d.custom == 1, "B-X5: the next one is another rule");
	f.position.live_custom[1] = true;
	ok(decided(fixture_at(&f, 104000), QTS_RULE_NONE, 0), "each of them once");
	ok(decided(fixture_at(&f, 107000), QTS_RULE_TP1, 25), "then the profit targets");
	d = fixture_at(&f, 98000);
	ok(decided(d, QTS_RULE_CUSTOM, 33) && d.custom == 2 && d.severity == 70, "profit_below");
	ok(decided(fixture_at(&f, 97000), QTS_RULE_SL1, 50), "SL1 comes before it");
	f.position.qty = f.position.available = 10;
	ok(decided(fixture_at(&f, 98000), QTS_RULE_CUSTOM, 4), "of the remaining shares; a stop is rounded up");
	f.position.live_custom[0] = f.position.live_custom[2] = false;
	ok(decided(fixture_at(&f, 104000), QTS_RULE_CUSTOM, 3), "a profit down");
	f.position.qty = f.position.available = 1;
	ok(decided(fixture_at(&f, 104000), QTS_RULE_CUSTOM, 1), "at least one share");

	f = with_customs();
	f.control = QTS_CONTROL_PAUSE_PROFIT;
	ok(decided(fixture_at(&f, 104000), QTS_RULE_NONE, 0), "PAUSE_PROFIT holds profit_above");
	ok(decided(fixture_at(&f, 98000), QTS_RULE_CUSTOM, 33), "and lets profit_below through");
	f.control = QTS_CONTROL_PAUSE_ALL;
	ok(decided(fixture_at(&f, 98000), QTS_RULE_NONE, 0), "PAUSE_ALL holds both");

	f = with_customs();
	f.position.live_severity = qts_exit_severity(QTS_RULE_TP1);
	d = fixture_at(&f, 98000);
	ok(decided(d, QTS_RULE_CUSTOM, 33) && d.supersede, "B-X3: it supersedes a live profit");
	f.profile.custom[2].enabled = false;
	ok(decided(fixture_at(&f, 98000), QTS_RULE_NONE, 0), "disabled");
	f.profile.custom[2].enabled = true;
	f.profile.custom[2].qty = 0;
	ok(decided(fixture_at(&f, 98000), QTS_RULE_NONE, 0), "a share of 0 is off, not one share");
	f.profile.custom[0].threshold = f.profile.custom[1].threshold = 0;
	f.position.live_severity = 0;
	ok(decided(fixture_at(&f, 104000), QTS_RULE_NONE, 0), "a threshold of 0 is off, not always");
	f = with_customs();
	fixture_fill(&f, QTS_RULE_CUSTOM, 30);
	is(f.state.phase, QTS_PHASE_OPEN, "its fills move no phase");
}

static void
test_time(void)
{
	Fixture f = fixture();
	QtsExitDecision d;

	f.position.held_trading_days = 9;
	f.position.held_days = 13;
	(void) fixture_at(&f, 102000);
	ok(decided(fixture_at(&f, 101000), QTS_RULE_NONE, 0), "nine trading days, once up by 2 %: hold");
	f.position.held_trading_days = 10;
	d = fixture_at(&f, 101000);
	ok(decided(d, QTS_RULE_TIME, 100) && d.full && d.severity == 1 && d.threshold == 0, "ten: all");
	f.profile.max_hold_days = 0;
	ok(decided(fixture_at(&f, 101000), QTS_RULE_NONE, 0), "a limit of 0 is off");
	f.profile.max_hold_days = 14;
	f.profile.trading_days = false;
	ok(decided(fixture_at(&f, 101000), QTS_RULE_NONE, 0), "thirteen calendar days of fourteen");
	f.position.held_days = 14;
	ok(decided(fixture_at(&f, 101000), QTS_RULE_TIME, 100), "fourteen");
	ok(decided(fixture_at(&f, 97000), QTS_RULE_SL1, 50), "everything else comes before it");
	f.control = QTS_CONTROL_PAUSE_PROFIT;
	ok(decided(fixture_at(&f, 101000), QTS_RULE_NONE, 0), "a pause of profits holds it");

	f = fixture();
	f.position.held_trading_days = 2;
	ok(decided(fixture_at(&f, 101999), QTS_RULE_NONE, 0), "two days without momentum: hold");
	f.position.held_trading_days = 3;
	ok(decided(fixture_at(&f, 101999), QTS_RULE_TIME, 100), "three: never up by 2 %");
	ok(decided(fixture_at(&f, 102000), QTS_RULE_NONE, 0), "this price is momentum enough");
	ok(decided(fixture_at(&f, 100000), QTS_RULE_NONE, 0), "for good: the mark remembers");
}

static void
test_emergency(void)
{
	Fixture f = fixture();
	QtsExitDecision d;

	f.control = QTS_CONTROL_EMERGENCY_FLATTEN;
	d = fixture_at(&f, 100000);
	ok(decided(d, QTS_RULE_EMERGENCY, 100) && d.full && d.severity == 120, "all, at any price");
	f.position.live_severity = 100;
	f.position.available = 0;
	d = fixture_at(&f, 100000);
	ok(decided(d, QTS_RULE_EMERGENCY, 100) && d.supersede, "live exits have to go");
	f.position.live_severity = 120;
	ok(decided(fixture_at(&f, 80000), QTS_RULE_NONE, 0), "not a second time");
	f = fixture();
	f.control = QTS_CONTROL_EMERGENCY_FLATTEN;
	f.quote.stale = true;
	d = fixture_at(&f, 100000);
	ok(decided(d, QTS_RULE_EMERGENCY, 100) && d.hold == QTS_BLOCK_NONE, "also on a stale price");
	is(f.state.hwm, 0, "from which nothing else is learnt");
	f.quote.last = f.quote.bid = 0;
	d = qts_exit_evaluate(&f.profile, &f.position, &f.state, &f.quote, f.control, f.now);
	ok(decided(d, QTS_RULE_EMERGENCY, 100) && d.price == 0, "and on none");
	f.position.mode = QTS_POSITION_MANUAL_ONLY;
	ok(decided(fixture_at(&f, 100000), QTS_RULE_EMERGENCY, 100), "MANUAL_ONLY too: a person asked for it");
	f.position.mode = QTS_POSITION_DISABLED;
	ok(decided(fixture_at(&f, 100000), QTS_RULE_NONE, 0), "not a position whose exits are disabled");
	f.position.mode = QTS_POSITION_ENABLED;
	f.position.quarantined = true;
	ok(decided(fixture_at(&f, 100000), QTS_RULE_NONE, 0), "nor one whose quantity is in doubt");
	f.position.quarantined = false;
	f.quote.in_session = false;
	ok(decided(fixture_at(&f, 100000), QTS_RULE_NONE, 0), "nor out of hours");
	f.quote.in_session = true;
	f.state.phase = QTS_PHASE_EXITED;
	ok(decided(fixture_at(&f, 100000), QTS_RULE_NONE, 0), "nor after the end");
}

/* A buy of 100 that fills in parts, and one after it. */
static void
test_parts(void)
{
	Fixture f = fixture();
	QtsExitDecision d;

	f.position.qty = f.position.available = f.position.original_qty = 30;
	f.position.last_buy = 7;
	(void) fixture_at(&f, 100000);
	(void) fixture_at(&f, 101000);
	ok(decided(fixture_at(&f, 97000), QTS_RULE_SL1, 15), "SL1 on the first part");
	fixture_fill(&f, QTS_RULE_SL1, 15);
	f.position.live_rule[QTS_RULE_SL1] = true;
	f.position.qty = f.position.available = 85;
	f.position.avg_price = QTS_PRICE(98500);
	d = fixture_at(&f, 97000);
	ok(!d.add_buy && d.grown == 70 && d.state_changed && decided(d, QTS_RULE_NONE, 0),
	   "70 more of the same order");
	ok(f.state.cycle == 1 && f.state.hwm == QTS_PRICE(101000), "belong to the same cycle");
	is(f.state.base_avg_price, QTS_PRICE(98500), "from whose average changes are measured");
	f.position.original_qty += d.grown;
	ok(decided(fixture_at(&f, 95545), QTS_RULE_NONE, 0), "in which SL1 has sold already");
	f.position.qty = f.position.available = 95;
	f.position.last_buy = 8;
	d = fixture_at(&f, 97000);
	ok(d.add_buy && d.grown == 0 && f.state.cycle == 2, "another order begins a new one");
	f.position.qty = f.position.available = 105;
	d = fixture_at(&f, 97000);
	ok(!d.add_buy && d.grown == 10 && f.state.cycle == 2, "and goes on in it");
	f.position.qty = f.position.available = 115;
	f.position.last_buy = 0;
	ok(fixture_at(&f, 97000).add_buy, "shares from nowhere begin a new one");
}

static void
test_band(void)
{
	Fixture f = fixture();
	QtsExitBand band;

	(void) fixture_at(&f, 100000);
	band = qts_exit_band(&f.profile, &f.position, &f.state, &f.quote, f.control);
	ok(band.low >= band.high, "the window after the open: look at everything");
	f.quote.since_open = QTS_HOUR;
	band = qts_exit_band(&f.profile, &f.position, &f.state, &f.quote, f.control);
	ok(band.low == QTS_PRICE(97000) && band.high == QTS_PRICE(100000) + 1, "from SL1 to the mark");
	(void) fixture_at(&f, 106000);
	f.position.live_rule[QTS_RULE_SL1] = true;
	band = qts_exit_band(&f.profile, &f.position, &f.state, &f.quote, f.control);
	ok(band.low == QTS_PRICE(95000) && band.high == QTS_PRICE(106000) + 1, "SL1 has acted: from SL2");
	f.quote.stale = true;
	band = qts_exit_band(&f.profile, &f.position, &f.state, &f.quote, f.control);
	ok(band.low >= band.high, "none of a stale price");
}

int
main(void)
{
	test_gap();
	test_break_even();
	test_custom();
	test_time();
	test_emergency();
	test_parts();
	test_band();
	return tap_done();
}
