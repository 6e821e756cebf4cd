/*-------------------------------------------------------------------------
 *
 * tick.c
 *		KRX tick sizes and daily price limits (kis-api 8.3, 8.4).
 *
 * Every band starts on a multiple of its own tick, so rounding inside a band
 * never leaves a price that is off the grid of the neighbouring one.
 *
 *-------------------------------------------------------------------------
 */
#include "core/tick.h"

typedef struct TickBand
{
	QtsKrw from; /* first price of the band */
	QtsKrw tick;
} TickBand;

/* Highest band first. */
static const TickBand tick_stock[] = {
	{500000, 1000}, {200000, 500}, {50000, 100}, {20000, 50}, {5000, 10}, {2000, 5},
};
static const TickBand tick_etp[] = {
	{2000, 5},
};

QtsKrw
qts_tick_size(QtsKrw price, QtsInstrument instrument)
{
	bool etp = instrument == QTS_INSTRUMENT_ETP;
	const TickBand *bands = etp ? tick_etp : tick_stock;
	size_t count = etp ? sizeof(tick_etp) / sizeof(tick_etp[0]) : sizeof(tick_stock) / sizeof(tick_stock[0]);

	for (size_t i = 0; i < count; i++)
	{
		if (price >= bands[i].from)
			return bands[i].tick;
	}
	return 1;
}

bool
qts_tick_valid(QtsKrw price, QtsInstrument instrument)
{
	return price > 0 && price % qts_tick_size(price, instrument) == 0;
}

QtsKrw
qts_tick_floor(QtsKrw price, QtsInstrument instrument)
{
	if (price <= 0)
		return 0;
	return price - price % qts_tick_size(price, instrument);
}

QtsKrw
qts_tick_ceil(QtsKrw price, QtsInstrument instrument)
{
	QtsKrw floor = qts_tick_floor(price, instrument);
	QtsKrw tick = qts_tick_size(price, instrument);

	if (price <= 0 || floor == price)
		return floor;
	/* 0 is no valid price: there is none that high */
	return floor > INT64_MAX - tick ? 0 : floor + tick;
}

bool
qts_price_limits(QtsKrw base, QtsInstrument instrument, QtsKrw *lower, QtsKrw *upper)
{
	QtsKrw width;

	if (base <= 0)
		return false;
	/* 30 % without forming base * 3 */
	width = base / 10 * 3 + base % 10 * 3 / 10;
	width -= width % qts_tick_size(base, instrument);
	if (base > INT64_MAX - width)
		return false;
	*upper = qts_tick_floor(base + width, instrument);
	/* off the grid only when the base is, after an ex-date adjustment */
	*lower = qts_tick_ceil(base - width, instrument);
	return true;
}
