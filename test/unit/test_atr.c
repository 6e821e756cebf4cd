/*-------------------------------------------------------------------------
 *
 * test_atr.c
 *		ATR14 of Wilder, exact, and what it must not be computed across.
 *
 *-------------------------------------------------------------------------
 */
#include "core/atr.h"
#include "tap.h"

static QtsBar
bar(QtsKrw open, QtsKrw high, QtsKrw low, QtsKrw close)
{
	return (QtsBar){.open = open, .high = high, .low = low, .close = close, .volume = 1, .value = -1};
}

/* n bars around 10 000 with a range of so many won. */
static void
feed(QtsAtr *atr, int n, QtsKrw range)
{
	for (int i = 0; i < n; i++)
	{
		QtsBar b = bar(10000, 10000 + range / 2, 10000 - range / 2, 10000);

		(void) qts_atr_add(atr, &b);
	}
}

static void
test_wilder(void)
{
	QtsAtr atr = {0};
	QtsBar gap_up = bar(10500, 10600, 10400, 10500);
	QtsBar gap_down = bar(10000, 10050, 9900, 10000);

	feed(&atr, 14, 200);
	is(qts_atr_value(&atr), 0, "14 bars are 13 ranges: not enough");
	feed(&atr, 1, 200);
	is(qts_atr_value(&atr), QTS_PRICE(200), "the fifteenth gives the mean of 14");
	feed(&atr, 50, 200);
	is(qts_atr_value(&atr), QTS_PRICE(200), "a constant range stays");
	/* max(200, 600, 400) = 600: (200 * 13 + 600) / 14 = 228.5714 */
	ok(qts_atr_add(&atr, &gap_up), "a gap inside the limits is taken in");
	is(qts_atr_value(&atr), 2285714, "by the distance from the close before");
	/* max(150, 450, 600) = 600: (228.5714 * 13 + 600) / 14 = 255.102... */
	(void) qts_atr_add(&atr, &gap_down);
	is(qts_atr_value(&atr), 2551020, "downwards as well");
}

static void
test_mean(void)
{
	QtsAtr atr = {0};

	feed(&atr, 1, 0);
	for (int i = 1; i <= 14; i++)
		feed(&atr, 1, 20 * i);
	/* mean of 20, 40 .. 280 */
	is(qts_atr_value(&atr), QTS_PRICE(150), "the first value is the plain mean");
	feed(&atr, 1, 300);
	/* (150 * 13 + 300) / 14 = 160.7142857 */
	is(qts_atr_value(&atr), 1607143, "rounded half up");
}

static void
test_breaks(void)
{
	QtsAtr atr = {0};
	QtsBar halted = {.close = 10000};
	QtsBar half = bar(5000, 5050, 4950, 5000);
	QtsBar limit = bar(10000, 13000, 7000, 13000);
	QtsBar doubled = bar(20000, 20100, 19900, 20000);
	QtsBar frozen = {.close = 5000};

	feed(&atr, 20, 200);
	ok(qts_atr_add(&atr, &halted), "a halted day");
	is(qts_atr_value(&atr), QTS_PRICE(200), "is no range of zero");
	ok(qts_atr_add(&atr, &limit), "a day from limit to limit");
	is(qts_atr_value(&atr), 6142857, "counts: (200 * 13 + 6000) / 14");
	atr = (QtsAtr){0};
	feed(&atr, 20, 200);
	ok(!qts_atr_add(&atr, &half), "half the price is another series");
	is(qts_atr_value(&atr), 0, "which starts anew");
	is(atr.close, QTS_PRICE(5000), "from its own close");
	for (int i = 0; i < 14; i++)
		(void) qts_atr_add(&atr, &half);
	is(qts_atr_value(&atr), QTS_PRICE(100), "and has a value after 14 more");
	atr = (QtsAtr){0};
	feed(&atr, 20, 200);
	ok(!qts_atr_add(&atr, &doubled), "twice the price as well");
	atr = (QtsAtr){0};
	feed(&atr, 20, 200);
	ok(!qts_atr_add(&atr, &frozen), "also on a halted day");
}

static void
test_scale(void)
{
	QtsAtr atr = {0};
	QtsBar half = bar(5000, 5050, 4950, 5000);

	feed(&atr, 20, 200);
	qts_atr_scale(&atr, 500000);
	is(qts_atr_value(&atr), QTS_PRICE(100), "a confirmed split halves it");
	ok(qts_atr_add(&atr, &half), "and the series goes on");
	is(qts_atr_value(&atr), QTS_PRICE(100), "as if nothing had happened");
	qts_atr_scale(&atr, 0);
	is(qts_atr_value(&atr), 0, "no ratio, no history");
	atr = (QtsAtr){.close = INT64_MAX, .sum = 1, .ranges = 14};
	qts_atr_scale(&atr, 5 * QTS_PPM);
	is(atr.close, 0, "what does not fit starts anew");
}

static void
test_jumps(void)
{
	/* real cases of 2026: 406820, 373170, 365590 */
	ok(qts_base_price_jumped(16210, 4055), "one to four");
	ok(qts_base_price_jumped(13430, 4480), "one to three");
	ok(qts_base_price_jumped(563, 2835), "five to one");
	ok(!qts_base_price_jumped(70000, 70000), "the close is the base");
	ok(!qts_base_price_jumped(10000, 10100) && !qts_base_price_jumped(10000, 9900),
	   "one per cent is nothing");
	ok(qts_base_price_jumped(10000, 10101) && qts_base_price_jumped(10000, 9899), "more is something");
	ok(!qts_base_price_jumped(0, 100) && !qts_base_price_jumped(100, 0), "what is not known has not jumped");
}

int
main(void)
{
	test_wilder();
	test_mean();
	test_breaks();
	test_scale();
	test_jumps();
	return tap_done();
}
