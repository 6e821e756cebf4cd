/*-------------------------------------------------------------------------
 *
 * test_exit_cycle.c
 *		Average price, quantity and the exit cycle (runtime 4.11), the
 *		high-water mark (4.3).
 *
 *-------------------------------------------------------------------------
 */
#include "exit_fixture.h"

static QtsExitDecision
with_average(Fixture *f, QtsPrice avg)
{
	f->position.avg_price = avg;
	return fixture_at(f, 100000);
}

static void
test_first(void)
{
	Fixture f = fixture();
	QtsExitDecision d;

	f.state.cycle = 0;
	d = fixture_at(&f, 97000);
	ok(decided(d, QTS_RULE_SL1, 50) && !d.add_buy && d.state_changed, "the first look decides");
	is(f.state.cycle, 1, "cycles start at 1");
	is(f.state.last_avg_price, QTS_PRICE(100000), "the average is remembered");
	is(f.state.base_avg_price, QTS_PRICE(100000), "also as the base");
	is(f.state.last_qty, 100, "and the quantity");
	d = fixture_at(&f, 98000);
	ok(!d.state_changed, "then nothing changes but the mark");
}

static void
test_drift(void)
{
	Fixture f = fixture();
	QtsExitDecision d;

	(void) fixture_at(&f, 100000);
	d = with_average(&f, QTS_PRICE(100000) + 4999999);
	ok(!d.add_buy && !d.state_changed && f.state.last_avg_price == QTS_PRICE(100000), "below 0.5 %: noise");
	d = with_average(&f, QTS_PRICE(100500));
	ok(!d.add_buy && d.state_changed && f.state.last_avg_price == QTS_PRICE(100500), "0.5 %: a correction");
	is(f.state.base_avg_price, QTS_PRICE(100000), "the base stays");
	d = with_average(&f, QTS_PRICE(102000));
	ok(!d.add_buy && f.state.cycle == 1, "2 % from the base: still one");
	d = with_average(&f, QTS_PRICE(102000) + 1);
	ok(d.add_buy && f.state.cycle == 2, "above 2 % from the base: shares were added");
	is(f.state.base_avg_price, QTS_PRICE(102000) + 1, "a new base");

	f = fixture();
	(void) fixture_at(&f, 100000);
	d = with_average(&f, QTS_PRICE(97999));
	ok(d.add_buy && f.state.cycle == 2, "also downwards");

	f = fixture();
	f.state.last_avg_price = QTS_PRICE(97000);
	f.state.base_avg_price = QTS_PRICE(99000);
	f.state.last_qty = 100;
	ok(fixture_at(&f, 100000).add_buy, "above 2 % from the last look");
}

static void
test_add_buy(void)
{
	Fixture f = fixture_in(QTS_PHASE_TP2_DONE);
	QtsExitDecision d;

	(void) fixture_at(&f, 115000);
	(void) fixture_at(&f, 100000);
	f.state.trail_partial_done = true;
	f.position.qty = f.position.available = 51;
	d = fixture_at(&f, 94000);
	ok(d.add_buy && d.state_changed && decided(d, QTS_RULE_NONE, 0),
	   "one share more at the same average resets, and only that");
	is(f.state.phase, QTS_PHASE_OPEN, "phase");
	is(f.state.cycle, 2, "cycle");
	is(f.state.stop_floor, 0, "floor");
	is(f.state.floor_ticks + f.state.trail_ticks, 0, "counters");
	is(f.state.trail_partial_done, false, "partial trail");
	is(f.state.hwm, QTS_PRICE(94000), "the mark starts over");
	f.position.original_qty = 51;
	ok(decided(fixture_at(&f, 94000), QTS_RULE_SL2, 51), "the next look decides for the cycle");

	f = fixture();
	(void) fixture_at(&f, 100000);
	fixture_fill(&f, QTS_RULE_SL1, 50);
	f.position.qty = f.position.available = 100;
	f.position.avg_price = QTS_PRICE(98500);
	f.position.live_rule[QTS_RULE_SL1] = true;
	d = fixture_at(&f, 97000);
	ok(d.add_buy, "shares bought between a fill and the next look are seen");
	f.position.live_rule[QTS_RULE_SL1] = false;
	ok(decided(fixture_at(&f, 95545), QTS_RULE_SL1, 50), "vector 6: SL1 again in cycle 2");

	f = fixture();
	(void) fixture_at(&f, 100000);
	f.position.qty = f.position.available = 60;
	d = fixture_at(&f, 100000);
	ok(!d.add_buy && d.state_changed && f.state.last_qty == 60, "fewer shares are no reset");
	f.position.qty = 0;
	ok(!fixture_at(&f, 100000).add_buy, "none either");

	f = fixture();
	f.state.last_avg_price = f.state.base_avg_price = QTS_PRICE(100000);
	d = fixture_at(&f, 100000);
	ok(!d.add_buy && f.state.last_qty == 100, "an unknown last quantity proves no purchase");

	f = fixture();
	(void) fixture_at(&f, 100000);
	f.quote.stale = true;
	f.position.qty = f.position.available = 150;
	d = fixture_at(&f, 100000);
	ok(d.add_buy && d.hold == QTS_BLOCK_STALE_PRICE && f.state.hwm == 0,
	   "a stale price does not hide added shares");
	f.state.phase = QTS_PHASE_EXITED;
	f.position.qty = 300;
	ok(!fixture_at(&f, 100000).add_buy, "a closed position has no further cycle");
}

static void
test_mark(void)
{
	Fixture f = fixture_in(QTS_PHASE_OPEN);
	QtsTime seen = f.now;

	(void) fixture_at(&f, 99000);
	(void) fixture_at(&f, 100000);
	ok(f.state.hwm == QTS_PRICE(100000) && f.state.hwm_at == seen, "only higher prices move it");
	(void) fixture_at(&f, 100500);
	ok(f.state.hwm == QTS_PRICE(100500) && f.state.hwm_at == f.now, "a higher one does, in OPEN");
	f.quote.stale = true;
	(void) fixture_at(&f, 150000);
	f.quote.stale = false;
	f.quote.in_session = false;
	(void) fixture_at(&f, 150000);
	is(f.state.hwm, QTS_PRICE(100500), "stale and foreign prices do not");
}

int
main(void)
{
	test_first();
	test_drift();
	test_add_buy();
	test_mark();
	return tap_done();
}
