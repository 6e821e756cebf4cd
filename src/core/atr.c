/*-------------------------------------------------------------------------
 *
 * atr.c
 *		Average true range of daily bars (Wilder), and prices that jumped.
 *
 *-------------------------------------------------------------------------
 */
#include "core/atr.h"

#include "core/money.h"

/* The daily limit of KRX is 30 %; rounding to ticks and of adjusted prices adds a little. */
#define ATR_LIMIT INT64_C(310000)

/* Less is within what a base price may be rounded, and far from any stop. */
#define BASE_JUMP INT64_C(10000)

static QtsPrice
atr_max(QtsPrice a, QtsPrice b)
{
	return a > b ? a : b;
}

static QtsPrice
atr_distance(QtsPrice a, QtsPrice b)
{
	return a > b ? a - b : b - a;
}

static bool
atr_beyond_limits(QtsPrice close, QtsPrice high, QtsPrice low)
{
	return !qts_return_at_most(high, close, ATR_LIMIT) || !qts_return_at_least(low, close, -ATR_LIMIT);
}

static void
atr_take(QtsAtr *atr, QtsPrice range)
{
	if (atr->ranges < QTS_ATR_PERIOD)
	{
		atr->sum += range;
		atr->ranges++;
		if (atr->ranges == QTS_ATR_PERIOD)
			atr->sum = (atr->sum + QTS_ATR_PERIOD / 2) / QTS_ATR_PERIOD;
		return;
	}
	atr->sum = (atr->sum * (QTS_ATR_PERIOD - 1) + range + QTS_ATR_PERIOD / 2) / QTS_ATR_PERIOD;
}

bool
qts_atr_add(QtsAtr *atr, const QtsBar *bar)
{
	QtsPrice high = QTS_PRICE(bar->high);
	QtsPrice low = QTS_PRICE(bar->low);
	QtsPrice before = atr->close;

	atr->close = QTS_PRICE(bar->close);
	if (qts_bar_halted(bar))
		high = low = atr->close;
	if (before > 0 && atr_beyond_limits(before, high, low))
	{
		atr->sum = 0;
		atr->ranges = 0;
		return false;
	}
	if (before > 0 && !qts_bar_halted(bar))
		atr_take(atr, atr_max(high - low, atr_max(atr_distance(high, before), atr_distance(low, before))));
	return true;
}

void
qts_atr_scale(QtsAtr *atr, QtsPpm ratio)
{
	QtsPrice close;
	QtsPrice sum;

	if (ratio > 0 && qts_muldiv_floor(atr->close, ratio, QTS_PPM, &close) &&
		qts_muldiv_floor(atr->sum, ratio, QTS_PPM, &sum))
	{
		atr->close = close;
		atr->sum = sum;
		return;
	}
	*atr = (QtsAtr){0};
}

QtsPrice
qts_atr_value(const QtsAtr *atr)
{
	return atr->ranges < QTS_ATR_PERIOD ? 0 : atr->sum;
}

bool
qts_base_price_jumped(QtsKrw last_close, QtsKrw base)
{
	if (last_close <= 0 || base <= 0)
		return false;
	return !qts_return_at_most(base, last_close, BASE_JUMP) ||
		   !qts_return_at_least(base, last_close, -BASE_JUMP);
}
