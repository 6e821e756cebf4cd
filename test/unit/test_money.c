/*-------------------------------------------------------------------------
 *
 * test_money.c
 *		Checked arithmetic, returns, averages, fees and taxes (kis-api 8.6).
 *
 *-------------------------------------------------------------------------
 */
#include "core/money.h"
#include "tap.h"

static void
test_checked(void)
{
	int64_t out = 42;

	ok(!qts_add_checked(INT64_MAX, 1, &out), "add overflow is refused");
	is(out, 42, "refused add leaves the result alone");
	ok(qts_add_checked(INT64_MAX, -1, &out), "add at the edge");
	is(out, INT64_MAX - 1, "add result");
	ok(!qts_mul_checked(INT64_MIN, -1, &out), "mul overflow is refused");
	ok(qts_mul_checked(-7, 6, &out) && out == -42, "mul result");
	ok(!qts_mul_checked(INT64_C(1) << 32, INT64_C(1) << 31, &out), "mul one past the edge");

	ok(qts_muldiv_floor(7, 1, 2, &out) && out == 3, "muldiv floors a positive");
	ok(qts_muldiv_floor(-7, 1, 2, &out) && out == -4, "muldiv floors a negative");
	ok(qts_muldiv_floor(-8, 1, 2, &out) && out == -4, "muldiv of an exact negative");
	ok(qts_muldiv_floor(INT64_MAX, INT64_MAX, INT64_MAX, &out) && out == INT64_MAX,
	   "muldiv keeps the wide product");
	ok(!qts_muldiv_floor(INT64_MAX, 3, 2, &out), "muldiv overflow is refused");
	ok(!qts_muldiv_floor(1, 1, 0, &out), "muldiv by zero is refused");
	ok(!qts_muldiv_floor(1, 1, -1, &out), "muldiv by a negative is refused");
}

static void
test_returns(void)
{
	QtsPrice out = 0;

	ok(qts_price_offset(QTS_PRICE(70000), -30000, &out) && out == QTS_PRICE(67900),
	   "70,000 less 3 % is 67,900");
	ok(qts_price_offset(716666667, 6000, &out) && out == 720966667, "offset rounds down");
	ok(!qts_price_offset(INT64_MAX, 1, &out), "offset overflow is refused");
	ok(!qts_price_offset(1, INT64_MAX, &out), "ratio overflow is refused");

	is(qts_return_ppm(QTS_PRICE(72300), QTS_PRICE(72000)), 4166, "72,000 to 72,300 is 0.42 %");
	is(qts_return_ppm(QTS_PRICE(72500), 716666667), 11627, "incident 1: 1.16 %, not 3.57 %");
	is(qts_return_ppm(QTS_PRICE(72500), QTS_PRICE(70000)), 35714, "what the cached average said");
	is(qts_return_ppm(QTS_PRICE(99), QTS_PRICE(100)), -10000, "a loss");
	is(qts_return_ppm(2, 3), -333333, "a loss is rounded toward zero");
	is(qts_return_ppm(5, 0), 0, "no base, no return");
	is(qts_return_ppm(INT64_MAX, 1), INT64_MAX, "a return too large saturates");

	ok(qts_return_at_most(9700, 10000, -30000), "-3 % is at most -3 %");
	ok(!qts_return_at_most(9701, 10000, -30000), "one unit above is not");
	ok(qts_return_at_least(10700, 10000, 70000), "+7 % is at least +7 %");
	ok(!qts_return_at_least(10699, 10000, 70000), "one unit below is not");
	/* 1/3: -333333 ppm is not reached although the rounded return says so */
	ok(!qts_return_at_least(2, 3, -333333), "the test does not round");
	ok(!qts_return_at_most(1, 0, 0) && !qts_return_at_least(1, 0, 0), "no base, no verdict");
	ok(qts_return_at_least(INT64_MAX, 1, INT64_MAX) && !qts_return_at_most(INT64_MAX, 1, 0),
	   "extremes do not overflow");
}

static void
test_average(void)
{
	is(qts_average_price(100 * 70000 + 50 * 75000, 150), 716666667, "100@70,000 + 50@75,000");
	is(qts_average_price(1, 3), 3333, "a third rounds down");
	is(qts_average_price(2, 3), 6667, "two thirds round up");
	is(qts_average_price(1, 20000), 1, "half a unit rounds up");
	is(qts_average_price(-1, 20000), 0, "half up, also below zero");
	is(qts_average_price(5, 0), 0, "no quantity");
	is(qts_average_price(INT64_MAX, 1), INT64_MAX, "an average too large saturates");
}

static void
test_costs(void)
{
	const QtsFeeRates kospi = {.commission = 1405, .securities_tax = 5000, .rural_tax = 15000};
	const QtsFeeRates kosdaq = {.commission = 1405, .securities_tax = 20000, .rural_tax = 0};
	const QtsFeeRates none = {0};

	is(qts_commission(10000000, &kospi), 1400, "1,405 KRW of commission become 1,400");
	is(qts_commission(71000, &kospi), 0, "9.97 KRW become none");
	is(qts_commission(71175, &kospi), 10, "10.0001 KRW stay 10");
	is(qts_commission(71174, &kospi), 0, "9.99995 KRW do not");
	is(qts_commission(0, &kospi) + qts_commission(-5, &kospi), 0, "no amount, no commission");

	is(qts_sell_tax(1000000, &kospi), 2000, "0.05 % + 0.15 % of a million");
	is(qts_sell_tax(1000000, &kosdaq), 2000, "0.20 % of a million");
	/* 1999 * 0.0005 = 0.9995 and 1999 * 0.0015 = 2.9985: 0 + 2, not 3 */
	is(qts_sell_tax(1999, &kospi), 2, "each component is floored on its own");
	is(qts_sell_tax(1999, &kosdaq), 3, "a single component is floored once");
	is(qts_sell_tax(1000000, &none), 0, "ETF: none");
	is(qts_sell_tax(INT64_MAX, &kospi) > 0, 1, "huge amounts do not overflow");
}

static void
test_random(void)
{
	TapRandom rng = {20260101};
	bool good = true;

	for (int i = 0; i < 200000 && good; i++)
	{
		int64_t base = tap_range(&rng, 1, INT64_C(1) << 40);
		int64_t price = tap_range(&rng, 1, INT64_C(1) << 40);
		int64_t ratio = tap_range(&rng, -QTS_PPM, QTS_PPM);
		QtsPrice level = -1;
		bool at_most;
		bool at_least;

		/* every third right at the threshold */
		if (i % 3 == 0)
			price = base + base * (ratio / 1000) / 1000 + tap_range(&rng, -1, 1);
		at_most = qts_return_at_most(price, base, ratio);
		at_least = qts_return_at_least(price, base, ratio);
		good = qts_price_offset(base, ratio, &level) && (at_most || at_least) && at_most == (price <= level);
		(void) tap_note(good, "base %" PRId64 " price %" PRId64 " ratio %" PRId64, base, price, ratio);
	}
	ok(good, "price <= offset(base, ratio) exactly when the return is at most the ratio");
}

int
main(void)
{
	test_checked();
	test_returns();
	test_average();
	test_costs();
	test_random();
	return tap_done();
}
