/*-------------------------------------------------------------------------
 *
 * money.h
 *		Overflow-checked integer money, ratios, fees and taxes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_MONEY_H
#define QTS_CORE_MONEY_H

#include "core/core.h"

/* Each returns false, leaving *out alone, when the result does not fit. */
extern bool qts_add_checked(int64_t a, int64_t b, int64_t *out);
extern bool qts_mul_checked(int64_t a, int64_t b, int64_t *out);

/* floor(a * b / c) with a 128-bit product; c > 0.  False on overflow. */
extern bool qts_muldiv_floor(int64_t a, int64_t b, int64_t c, int64_t *out);

/* base * (1 + ratio), rounded down; false on overflow. */
extern bool qts_price_offset(QtsPrice base, QtsPpm ratio, QtsPrice *out);

/* (price - base) / base in ppm, rounded toward zero; base > 0 else 0. */
extern QtsPpm qts_return_ppm(QtsPrice price, QtsPrice base);

/* Exact test of (price - base) / base <= ratio, without rounding. */
extern bool qts_return_at_most(QtsPrice price, QtsPrice base, QtsPpm ratio);
extern bool qts_return_at_least(QtsPrice price, QtsPrice base, QtsPpm ratio);

/* Average price of amount / qty, rounded half up; qty > 0 else 0. */
extern QtsPrice qts_average_price(QtsKrw amount, QtsQty qty);

/* Rates of one market on one date (table market.fee_rates), in 1/10 ppm (1e-7). */
typedef struct QtsFeeRates
{
	int64_t commission;		/* each side */
	int64_t securities_tax; /* sells */
	int64_t rural_tax;		/* sells, KOSPI */
} QtsFeeRates;

/* kis-api 8.6: floor, then truncated to 10 KRW. */
extern QtsKrw qts_commission(QtsKrw amount, const QtsFeeRates *rates);

/* kis-api 8.6: each component floored on its own; 0 for buys is the caller's business. */
extern QtsKrw qts_sell_tax(QtsKrw amount, const QtsFeeRates *rates);

#endif /* QTS_CORE_MONEY_H */
