/*-------------------------------------------------------------------------
 *
 * test_tick.c
 *		Tick table and daily limits (kis-api 8.3, 8.4).
 *
 *-------------------------------------------------------------------------
 */
#include "core/tick.h"
#include "tap.h"

static void
test_table(void)
{
	static const struct
	{
		QtsKrw price;
		QtsKrw stock;
		QtsKrw etp;
	} rows[] = {
		{1, 1, 1},		  {1999, 1, 1},		{2000, 5, 5},	   {4999, 5, 5},		{5000, 10, 5},
		{19999, 10, 5},	  {20000, 50, 5},	{49999, 50, 5},	   {50000, 100, 5},		{199999, 100, 5},
		{200000, 500, 5}, {499999, 500, 5}, {500000, 1000, 5}, {10000000, 1000, 5},
	};
	bool stock = true;
	bool etp = true;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
	{
		stock = tap_note(qts_tick_size(rows[i].price, QTS_INSTRUMENT_STOCK) == rows[i].stock,
						 "stock at %" PRId64, rows[i].price) &&
				stock;
		etp = tap_note(qts_tick_size(rows[i].price, QTS_INSTRUMENT_ETP) == rows[i].etp, "ETP at %" PRId64,
					   rows[i].price) &&
			  etp;
	}
	ok(stock, "tick of stocks in and at the edges of every band");
	ok(etp, "tick of ETF, ETN and ELW");
}

static void
test_rounding(void)
{
	ok(qts_tick_valid(58800, QTS_INSTRUMENT_STOCK), "58,800 is on the grid");
	ok(!qts_tick_valid(58850, QTS_INSTRUMENT_STOCK), "58,850 is not");
	ok(qts_tick_valid(58855, QTS_INSTRUMENT_ETP), "58,855 is for an ETF");
	ok(!qts_tick_valid(0, QTS_INSTRUMENT_STOCK) && !qts_tick_valid(-100, QTS_INSTRUMENT_STOCK),
	   "zero and below are no prices");
	is(qts_tick_floor(58899, QTS_INSTRUMENT_STOCK), 58800, "floor");
	is(qts_tick_ceil(58801, QTS_INSTRUMENT_STOCK), 58900, "ceil");
	is(qts_tick_floor(58800, QTS_INSTRUMENT_STOCK), 58800, "floor of a grid price");
	is(qts_tick_ceil(58800, QTS_INSTRUMENT_STOCK), 58800, "ceil of a grid price");
	is(qts_tick_ceil(1999, QTS_INSTRUMENT_STOCK), 1999, "1,999 is a price");
	is(qts_tick_ceil(4996, QTS_INSTRUMENT_STOCK), 5000, "ceil may end on the next band");
	is(qts_tick_ceil(499501, QTS_INSTRUMENT_STOCK), 500000, "also at 500,000");
	is(qts_tick_floor(-3, QTS_INSTRUMENT_STOCK), 0, "nothing below zero");
	is(qts_tick_ceil(INT64_MAX, QTS_INSTRUMENT_STOCK), 0, "no price that high");
}

static bool
limits_are(QtsKrw base, QtsInstrument instrument, QtsKrw upper, QtsKrw lower)
{
	QtsKrw low = -1;
	QtsKrw high = -1;
	bool known = qts_price_limits(base, instrument, &low, &high);

	return tap_note(known && low == lower && high == upper, "base %" PRId64 ": %" PRId64 " / %" PRId64, base,
					high, low);
}

static void
test_limits(void)
{
	QtsKrw low = 7;
	QtsKrw high = 7;

	ok(limits_are(58800, QTS_INSTRUMENT_STOCK, 76400, 41200), "58,800");
	ok(limits_are(319000, QTS_INSTRUMENT_STOCK, 414500, 223500), "319,000");
	ok(limits_are(33750, QTS_INSTRUMENT_STOCK, 43850, 23650), "33,750");
	/* 1,999 + 599 lies in the band of 5 */
	ok(limits_are(1999, QTS_INSTRUMENT_STOCK, 2595, 1400), "upper falls into a coarser band");
	ok(limits_are(10000, QTS_INSTRUMENT_ETP, 13000, 7000), "an ETF");
	ok(limits_are(3, QTS_INSTRUMENT_STOCK, 3, 3), "a width below one KRW");
	ok(!qts_price_limits(0, QTS_INSTRUMENT_STOCK, &low, &high) &&
		   !qts_price_limits(-5, QTS_INSTRUMENT_STOCK, &low, &high) && low == 7 && high == 7,
	   "no base, no limits");
	ok(!qts_price_limits(INT64_MAX, QTS_INSTRUMENT_STOCK, &low, &high), "no overflow");
}

static void
test_every_price(void)
{
	bool rounds = true;
	bool inside = true;
	QtsKrw last_upper = 0;

	for (QtsKrw price = 1; price <= 1200000; price++)
	{
		for (int kind = QTS_INSTRUMENT_STOCK; kind <= QTS_INSTRUMENT_ETP; kind++)
		{
			QtsInstrument instrument = (QtsInstrument) kind;
			QtsKrw floor = qts_tick_floor(price, instrument);
			QtsKrw ceil = qts_tick_ceil(price, instrument);
			bool valid = qts_tick_valid(price, instrument);

			rounds = rounds && qts_tick_valid(floor, instrument) && qts_tick_valid(ceil, instrument) &&
					 floor <= price && price <= ceil &&
					 ceil - floor == (valid ? 0 : qts_tick_size(price, instrument));
		}
		if (qts_tick_valid(price, QTS_INSTRUMENT_STOCK))
		{
			QtsKrw low;
			QtsKrw high;

			inside = qts_price_limits(price, QTS_INSTRUMENT_STOCK, &low, &high) && inside &&
					 qts_tick_valid(low, QTS_INSTRUMENT_STOCK) &&
					 qts_tick_valid(high, QTS_INSTRUMENT_STOCK) && 10 * (high - price) <= 3 * price &&
					 10 * (price - low) <= 3 * price && high >= last_upper;
			last_upper = high;
		}
	}
	ok(rounds, "floor and ceil are the neighbours on the grid for every price to 1,200,000");
	ok(inside, "limits are valid, within 30 % and rise with the base");
}

int
main(void)
{
	test_table();
	test_rounding();
	test_limits();
	test_every_price();
	return tap_done();
}
