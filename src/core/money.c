/*-------------------------------------------------------------------------
 *
 * money.c
 *		Overflow-checked integer money, ratios, fees and taxes.
 *
 * Products are formed in 128 bits, so comparisons and divisions are exact.
 * Where a result must exist but does not fit, it saturates.
 *
 *-------------------------------------------------------------------------
 */
#include "core/money.h"

typedef __int128 QtsWide;

/* Fee rates are in 1e-7. */
#define MONEY_RATE_UNIT INT64_C(10000000)
#define MONEY_COMMISSION_STEP INT64_C(10)

static QtsWide
money_floor_div(QtsWide a, QtsWide b)
{
	QtsWide q = a / b;

	if (a % b < 0)
		q--;
	return q;
}

static bool
money_narrow(QtsWide value, int64_t *out)
{
	if (value < INT64_MIN || value > INT64_MAX)
		return false;
	*out = (int64_t) value;
	return true;
}

static int64_t
money_saturate(QtsWide value)
{
	if (value > INT64_MAX)
		return INT64_MAX;
	if (value < INT64_MIN)
		return INT64_MIN;
	return (int64_t) value;
}

bool
qts_add_checked(int64_t a, int64_t b, int64_t *out)
{
	return money_narrow((QtsWide) a + b, out);
}

bool
qts_mul_checked(int64_t a, int64_t b, int64_t *out)
{
	return money_narrow((QtsWide) a * b, out);
}

bool
qts_muldiv_floor(int64_t a, int64_t b, int64_t c, int64_t *out)
{
	if (c <= 0)
		return false;
	return money_narrow(money_floor_div((QtsWide) a * b, c), out);
}

bool
qts_price_offset(QtsPrice base, QtsPpm ratio, QtsPrice *out)
{
	QtsPpm whole;

	return qts_add_checked(QTS_PPM, ratio, &whole) && qts_muldiv_floor(base, whole, QTS_PPM, out);
}

QtsPpm
qts_return_ppm(QtsPrice price, QtsPrice base)
{
	if (base <= 0)
		return 0;
	return money_saturate(((QtsWide) price - base) * QTS_PPM / base);
}

bool
qts_return_at_most(QtsPrice price, QtsPrice base, QtsPpm ratio)
{
	return base > 0 && ((QtsWide) price - base) * QTS_PPM <= (QtsWide) ratio * base;
}

bool
qts_return_at_least(QtsPrice price, QtsPrice base, QtsPpm ratio)
{
	return base > 0 && ((QtsWide) price - base) * QTS_PPM >= (QtsWide) ratio * base;
}

QtsPrice
qts_average_price(QtsKrw amount, QtsQty qty)
{
	QtsWide twice;

	if (qty <= 0)
		return 0;
	twice = (QtsWide) amount * QTS_PRICE_SCALE * 2 + qty;
	return money_saturate(money_floor_div(twice, (QtsWide) qty * 2));
}

static QtsKrw
money_charge(QtsKrw amount, int64_t rate)
{
	if (amount <= 0 || rate <= 0)
		return 0;
	return money_saturate((QtsWide) amount * rate / MONEY_RATE_UNIT);
}

QtsKrw
qts_commission(QtsKrw amount, const QtsFeeRates *rates)
{
	QtsKrw fee = money_charge(amount, rates->commission);

	return fee - fee % MONEY_COMMISSION_STEP;
}

QtsKrw
qts_sell_tax(QtsKrw amount, const QtsFeeRates *rates)
{
	QtsWide tax = money_charge(amount, rates->securities_tax);

	return money_saturate(tax + money_charge(amount, rates->rural_tax));
}
