/*-------------------------------------------------------------------------
 *
 * test_intake.c
 *		Repeated, late, skewed and impossible quotes; limits of the day; books.
 *
 *-------------------------------------------------------------------------
 */
#include "core/intake.h"
#include "core/session.h"
#include "tap.h"

#define DAY 9820 /* any */
#define NOON (INT64_C(848000000) * QTS_SEC)
#define SKEW (60 * QTS_SEC)

static QtsQuote
quote(QtsKrw price, int64_t volume, int64_t exch_s, int64_t recv_ms)
{
	return (QtsQuote){.last = QTS_PRICE(price),
					  .volume = volume,
					  .exch_at = NOON + exch_s * QTS_SEC,
					  .recv_at = NOON + recv_ms * QTS_MS};
}

static QtsIntake
after(QtsQuote seen, QtsQuote next, QtsSource source)
{
	return qts_intake(&seen, &next, source, true, SKEW);
}

static void
test_order(void)
{
	QtsQuote none = {0};
	QtsQuote seen = quote(70000, 100, 1, 1000);
	QtsQuote next = quote(70000, 101, 1, 1001);

	is(after(none, next, QTS_SOURCE_KIS_WS), QTS_INTAKE_TAKEN, "the first of a source");
	is(after(seen, next, QTS_SOURCE_KIS_WS), QTS_INTAKE_TAKEN, "the same price, more volume");
	next = quote(70000, 100, 1, 1500);
	is(after(seen, next, QTS_SOURCE_KIS_WS), QTS_INTAKE_REPEATED, "second, volume and price are known");
	is(after(seen, next, QTS_SOURCE_KIS_REST), QTS_INTAKE_REPEATED, "so says a poll of a quiet stock");
	next = quote(70100, 99, 1, 1500);
	is(after(seen, next, QTS_SOURCE_KIS_WS), QTS_INTAKE_LATE, "less volume in the same second");
	next = quote(70100, 99, 0, 1500);
	is(after(seen, next, QTS_SOURCE_KIS_WS), QTS_INTAKE_LATE, "less volume in an earlier second");
	next = quote(70100, 99, 0, 31000);
	is(after(seen, next, QTS_SOURCE_KIS_WS), QTS_INTAKE_LATE, "however long it took");
	next = quote(70100, 99, 2, 2500);
	is(after(seen, next, QTS_SOURCE_KIS_WS), QTS_INTAKE_TAKEN, "the exchange's clock went on: it is news");
	next = quote(70100, 101, 0, 1500);
	is(after(seen, next, QTS_SOURCE_KIS_WS), QTS_INTAKE_TAKEN,
	   "more volume is later, whatever the clock says");
}

static void
test_absurd_volume(void)
{
	QtsQuote seen = quote(70000, INT64_MAX, 1, 1000);
	QtsQuote next = quote(70100, 100, 1, 1000 + 10000);

	seen.exch_at = next.exch_at = QTS_TIME_NONE;
	is(after(seen, next, QTS_SOURCE_KIS_REST), QTS_INTAKE_LATE,
	   "without a clock: while the last one is fresh");
	next.recv_at++;
	is(after(seen, next, QTS_SOURCE_KIS_REST), QTS_INTAKE_TAKEN,
	   "one absurd volume does not silence a symbol");
	next.recv_at = seen.recv_at + QTS_DAY;
	next.volume = 1;
	is(after(seen, next, QTS_SOURCE_KIS_REST), QTS_INTAKE_TAKEN, "a new day starts from nothing");
}

static void
test_skew(void)
{
	QtsQuote none = {0};

	is(after(none, quote(70000, 1, 60, 0), QTS_SOURCE_KIS_WS), QTS_INTAKE_TAKEN, "a minute ahead may be");
	is(after(none, quote(70000, 1, 61, 0), QTS_SOURCE_KIS_WS), QTS_INTAKE_SKEWED, "more is a broken clock");
	is(after(none, quote(70000, 1, 0, 60001), QTS_SOURCE_KIS_WS), QTS_INTAKE_SKEWED,
	   "or an old print sent again");
	is(after(none, quote(70000, 1, 0, 7200000), QTS_SOURCE_KIS_REST), QTS_INTAKE_TAKEN,
	   "a poll may tell of a print of hours ago");
	is(after(none, (QtsQuote){.last = 1, .exch_at = QTS_TIME_NONE, .recv_at = NOON}, QTS_SOURCE_KIS_WS),
	   QTS_INTAKE_TAKEN, "no exchange time, no skew");
	is(after(none, (QtsQuote){.last = 1, .exch_at = INT64_MIN + 1, .recv_at = INT64_MAX}, QTS_SOURCE_KIS_WS),
	   QTS_INTAKE_SKEWED, "the widest difference");
	QtsQuote far = quote(70000, 1, 7200, 0);
	is(qts_intake(&none, &far, QTS_SOURCE_KIS_WS, true, 0), QTS_INTAKE_TAKEN, "0 = not looked at");
}

static bool
admits(QtsDayLimits *limits, QtsKrw price, QtsKrw base)
{
	return qts_limits_admit(limits, QTS_PRICE(price), QTS_PRICE(base), DAY);
}

static void
test_limits(void)
{
	QtsDayLimits limits = {0};

	ok(!admits(&limits, 0, 70000) && !admits(&limits, -5, 70000) && limits.upper == 0,
	   "not positive: nothing is learnt");
	ok(admits(&limits, 91000, 70000) && admits(&limits, 49000, 70000), "both limits of the quote's own base");
	ok(!admits(&limits, 91100, 70000) && !admits(&limits, 48900, 70000), "beyond them");
	is(limits.base, QTS_PRICE(70000), "the base is known");
	ok(qts_limits_admit(&limits, QTS_PRICE(118000), QTS_PRICE(91000), DAY + 1), "another day, other limits");

	qts_limits_set(&limits, QTS_PRICE(50000), QTS_PRICE(35000), QTS_PRICE(65000), DAY);
	ok(admits(&limits, 65000, 50000) && !admits(&limits, 65100, 50000), "the master's");
	ok(!admits(&limits, 70000, 70000) && !admits(&limits, 70000, 70000) && !admits(&limits, 70000, 70000) &&
		   !admits(&limits, 70000, 70000),
	   "no quote overrules the master");
	ok(qts_limits_admit(&limits, QTS_PRICE(70000), QTS_PRICE(70000), DAY + 1) && !limits.master,
	   "a day the master does not know");

	limits = (QtsDayLimits){.rule = QTS_LIMIT_ETP};
	ok(admits(&limits, 16000, 10000) && admits(&limits, 4000, 10000) && !admits(&limits, 16001, 10000),
	   "a leveraged product moves by 60 %");
	limits = (QtsDayLimits){.rule = QTS_LIMIT_FIRST_DAY};
	ok(admits(&limits, 40000, 10000) && admits(&limits, 6000, 10000) && !admits(&limits, 40001, 10000) &&
		   !admits(&limits, 5999, 10000),
	   "60 % to 400 % on the first day");
	limits = (QtsDayLimits){0};
	ok(admits(&limits, 70000, 0) && admits(&limits, 9999999, 0), "no base, no limits");
}

static void
test_wrong_base(void)
{
	QtsDayLimits limits = {0};

	ok(admits(&limits, 200000, 200000), "a first quote from nowhere");
	ok(!admits(&limits, 70000, 70000) && !admits(&limits, 70100, 70000), "others are refused");
	ok(admits(&limits, 70200, 70000), "until three agree on the base");
	bool refused = true;
	for (int i = 0; i < 20; i++)
		refused = refused && !admits(&limits, 200000, 200000);
	ok(refused, "then no repetition of a forgery changes them");
	limits = (QtsDayLimits){0};
	(void) admits(&limits, 70000, 70000);
	ok(!admits(&limits, 200000, 200000) && !admits(&limits, 300000, 300000) &&
		   !admits(&limits, 200000, 200000) && !admits(&limits, 300000, 300000) &&
		   limits.base == QTS_PRICE(70000),
	   "those that do not agree change nothing");
}

static bool
sides(const QtsDayLimits *limits, QtsKrw bid, QtsKrw ask, QtsKrw bid_left, QtsKrw ask_left)
{
	QtsQuote quote = {.last = QTS_PRICE(70000), .bid = QTS_PRICE(bid), .ask = QTS_PRICE(ask)};

	qts_sides_judge(&quote, limits);
	return quote.last == QTS_PRICE(70000) && quote.bid == QTS_PRICE(bid_left) &&
		   quote.ask == QTS_PRICE(ask_left);
}

static void
test_sides(void)
{
	QtsDayLimits limits = {0};

	ok(admits(&limits, 70000, 70000), "limits of 70,000");
	ok(sides(&limits, 70000, 70100, 70000, 70100), "sides as they are");
	ok(sides(&limits, 1, 70100, 0, 70100), "a bid of one won would fire every stop");
	ok(sides(&limits, 700000, 70100, 0, 70100), "one of ten times the price every profit");
	ok(sides(&limits, 70000, 700000, 70000, 0), "an ask beyond the limits");
	ok(sides(&limits, 70200, 70100, 0, 0), "crossed: neither is known");
	ok(sides(&limits, 70100, 70100, 70100, 70100), "locked");
	ok(sides(&limits, 49000, 0, 49000, 0) && sides(&limits, 0, 91000, 0, 91000),
	   "one side alone, at the limit");
	limits = (QtsDayLimits){0};
	ok(sides(&limits, 1, 700000, 1, 700000), "without limits nothing is known better");
}

static void
test_shown(void)
{
	QtsQuote of[QTS_SOURCE_COUNT] = {{0}};

	is(qts_shown_source(of, NOON, true), QTS_SOURCE_COUNT, "nothing to show");
	of[QTS_SOURCE_NAVER] = quote(70000, 1, 0, -40000);
	of[QTS_SOURCE_KIS_REST] = quote(70100, 1, 0, -45000);
	is(qts_shown_source(of, NOON, true), QTS_SOURCE_NAVER, "none fresh: the last best stays");
	of[QTS_SOURCE_KIS_REST].recv_at = NOON - 30000 * QTS_MS;
	is(qts_shown_source(of, NOON, true), QTS_SOURCE_KIS_REST, "never back in time");
	of[QTS_SOURCE_KIS_REST].recv_at = NOON - 19999 * QTS_MS;
	is(qts_shown_source(of, NOON, true), QTS_SOURCE_KIS_REST, "it is the one that went stale last");
	of[QTS_SOURCE_NAVER].recv_at = NOON;
	is(qts_shown_source(of, NOON, true), QTS_SOURCE_NAVER, "the fresh one");
	of[QTS_SOURCE_KIS_WS] = quote(70200, 1, 0, -2000);
	is(qts_shown_source(of, NOON, true), QTS_SOURCE_KIS_WS, "B-P9: never the last to arrive");
}

static void
test_book(void)
{
	QtsKrw bid[3] = {70000, 69900, 0};
	QtsKrw ask[3] = {70100, 70200, 70300};
	QtsQty qty[3] = {10, 20, 0};
	QtsQty ask_qty[3] = {1, 2, 3};

#define BOOK(lower, upper) qts_book_plausible(bid, qty, ask, ask_qty, 3, QTS_PRICE(lower), QTS_PRICE(upper))
	ok(BOOK(0, 0) && BOOK(49000, 91000), "a book");
	ok(!BOOK(49000, 70200) && !BOOK(69950, 91000), "a level beyond the limits");
	qty[2] = 5;
	ok(!BOOK(0, 0), "shares without a price");
	qty[2] = 0;
	qty[1] = -1;
	ok(!BOOK(0, 0), "a negative quantity");
	qty[1] = 20;
	bid[0] = 70100;
	ok(!BOOK(0, 0), "crossed");
	bid[0] = 69900;
	ok(!BOOK(0, 0), "a price twice");
	bid[0] = 69800;
	ok(!BOOK(0, 0), "not best first");
	bid[0] = 0;
	qty[0] = 0;
	ok(!BOOK(0, 0), "a gap");
	bid[1] = 0;
	qty[1] = 0;
	ok(BOOK(0, 0), "nobody bids at the lower limit");
	ask[2] = INT64_MAX;
	ok(!BOOK(0, 0), "a price beyond all numbers");
	ok(!qts_book_plausible(bid, qty, ask, ask_qty, 0, 0, 0), "no level at all");
#undef BOOK
}

int
main(void)
{
	test_order();
	test_absurd_volume();
	test_skew();
	test_limits();
	test_wrong_base();
	test_sides();
	test_shown();
	test_book();
	return tap_done();
}
