/*-------------------------------------------------------------------------
 *
 * intake.c
 *		What becomes of a quote that arrives: taken, only fresher, or refused.
 *
 *-------------------------------------------------------------------------
 */
#include "core/intake.h"

#include "core/session.h"
#include "core/tick.h"

/* so many quotes agree on a base before it is settled, for or against */
#define LIMIT_AGREED 3

static bool
limits_of_base(QtsLimitRule rule, QtsPrice base, QtsPrice *lower, QtsPrice *upper)
{
	QtsKrw low;
	QtsKrw high;

	if (base <= 0 || base > INT64_MAX / 4)
		return false;
	switch (rule)
	{
		case QTS_LIMIT_ETP:
			*lower = base / 5 * 2;
			*upper = base / 5 * 8;
			return true;
		case QTS_LIMIT_FIRST_DAY:
			*lower = base / 5 * 3;
			*upper = base * 4;
			return true;
		case QTS_LIMIT_STOCK:
			break;
	}
	if (!qts_price_limits(base / QTS_PRICE_SCALE, QTS_INSTRUMENT_STOCK, &low, &high))
		return false;
	*lower = QTS_PRICE(low);
	*upper = QTS_PRICE(high);
	return true;
}

static void
limits_follow(QtsDayLimits *limits, QtsPrice base, QtsDate date)
{
	if (limits->date != date)
		limits->master = false;
	limits->lower = limits->upper = limits->base = 0;
	if (limits_of_base((QtsLimitRule) limits->rule, base, &limits->lower, &limits->upper))
		limits->base = base;
	limits->date = date;
	limits->doubted = 0;
	limits->doubts = limits->agreed = 0;
}

void
qts_limits_set(QtsDayLimits *limits, QtsPrice base, QtsPrice lower, QtsPrice upper, QtsDate date)
{
	limits->lower = lower;
	limits->upper = upper;
	limits->base = base;
	limits->date = date;
	limits->master = true;
	limits->doubted = 0;
	limits->doubts = limits->agreed = 0;
}

bool
qts_limits_admit(QtsDayLimits *limits, QtsPrice price, QtsPrice base, QtsDate date)
{
	if (price <= 0)
		return false;
	/* yesterday's limits say nothing about today */
	if (limits->date != date || limits->upper == 0)
		limits_follow(limits, base, date);
	if (qts_price_plausible(price, limits->lower, limits->upper))
	{
		limits->doubts = 0;
		if (base == limits->base && limits->agreed < LIMIT_AGREED)
			limits->agreed++;
		return true;
	}
	if (limits->master || limits->agreed >= LIMIT_AGREED || base == limits->base || base <= 0)
		return false;
	limits->doubts = base == limits->doubted ? limits->doubts + 1 : 1;
	limits->doubted = base;
	if (limits->doubts < LIMIT_AGREED)
		return false;
	limits_follow(limits, base, date);
	limits->agreed = LIMIT_AGREED;
	return qts_price_plausible(price, limits->lower, limits->upper);
}

void
qts_sides_judge(QtsQuote *quote, const QtsDayLimits *limits)
{
	if (!qts_price_plausible(quote->bid, limits->lower, limits->upper))
		quote->bid = 0;
	if (!qts_price_plausible(quote->ask, limits->lower, limits->upper))
		quote->ask = 0;
	if (quote->bid > quote->ask && quote->ask != 0)
		quote->bid = quote->ask = 0;
}

/* Difference in us, saturated; 0 when one of them is not known. */
static int64_t
time_between(QtsTime from, QtsTime to)
{
	int64_t between;

	if (from == QTS_TIME_NONE || to == QTS_TIME_NONE)
		return 0;
	if (__builtin_sub_overflow(to, from, &between))
		return to > from ? INT64_MAX : -INT64_MAX;
	return between;
}

QtsIntake
qts_intake(const QtsQuote *seen, const QtsQuote *next, QtsSource source, bool trading, int64_t max_skew)
{
	int64_t skew = time_between(next->exch_at, next->recv_at);
	int64_t later = time_between(seen->exch_at, next->exch_at);
	int64_t age = time_between(seen->recv_at, next->recv_at);
	bool checked = source == QTS_SOURCE_KIS_WS && max_skew > 0;
	bool clocked = checked && seen->exch_at != QTS_TIME_NONE && next->exch_at != QTS_TIME_NONE;

	/* what is asked for may have printed hours ago; what is pushed prints now */
	if (checked && (skew > max_skew || skew < -max_skew))
		return QTS_INTAKE_SKEWED;
	if (seen->last <= 0 || seen->recv_at == QTS_TIME_NONE ||
		qts_seoul_date(seen->recv_at) != qts_seoul_date(next->recv_at))
		return QTS_INTAKE_TAKEN;
	if (seen->volume == next->volume && seen->last == next->last && seen->exch_at == next->exch_at)
		return QTS_INTAKE_REPEATED;
	/*
	 * The day's volume only grows.  Where it does not, a checked exchange clock
	 * decides; without one nothing is measured against a quote that went stale:
	 * one absurd volume must not silence a symbol.
	 */
	if (next->volume < seen->volume && later <= 0 &&
		(clocked || age <= qts_stale_after_ms(source, trading) * QTS_MS))
		return QTS_INTAKE_LATE;
	return QTS_INTAKE_TAKEN;
}

QtsSource
qts_shown_source(const QtsQuote quotes[QTS_SOURCE_COUNT], QtsTime now, bool trading)
{
	QtsSource best = qts_best_source(quotes, now, trading);
	QtsTime latest = QTS_TIME_NONE;

	if (best != QTS_SOURCE_COUNT)
		return best;
	for (int i = 0; i < QTS_SOURCE_COUNT; i++)
	{
		QtsTime end;

		if (quotes[i].last <= 0 || quotes[i].recv_at == QTS_TIME_NONE)
			continue;
		end = quotes[i].recv_at + qts_stale_after_ms((QtsSource) i, trading) * QTS_MS;
		if (latest == QTS_TIME_NONE || end > latest)
		{
			latest = end;
			best = (QtsSource) i;
		}
	}
	return qts_newer_source(quotes, best, now);
}

/* One side, best first; sign is 1 for asks, -1 for bids. */
static bool
side_plausible(const QtsKrw *price, const QtsQty *qty, int levels, int sign, QtsPrice lower, QtsPrice upper)
{
	for (int i = 0; i < levels; i++)
	{
		if (price[i] == 0)
		{
			if (qty[i] != 0)
				return false;
			continue;
		}
		if (qty[i] < 0 || price[i] > INT64_MAX / QTS_PRICE_SCALE ||
			!qts_price_plausible(QTS_PRICE(price[i]), lower, upper))
			return false;
		if (i > 0 && (price[i - 1] == 0 || (price[i] - price[i - 1]) * sign <= 0))
			return false;
	}
	return true;
}

bool
qts_book_plausible(const QtsKrw *bid, const QtsQty *bid_qty, const QtsKrw *ask, const QtsQty *ask_qty,
				   int levels, QtsPrice lower, QtsPrice upper)
{
	if (levels <= 0 || (bid[0] != 0 && ask[0] != 0 && bid[0] >= ask[0]))
		return false;
	return side_plausible(bid, bid_qty, levels, -1, lower, upper) &&
		   side_plausible(ask, ask_qty, levels, 1, lower, upper);
}
