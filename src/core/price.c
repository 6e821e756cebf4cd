/*-------------------------------------------------------------------------
 *
 * price.c
 *		Freshness of quotes and the best price among sources (runtime 3.3).
 *
 * Age is measured from the instant of receipt.  A quiet stock is not a stale
 * one: the caller stamps recv_at also when a poll repeats the price.
 *
 *-------------------------------------------------------------------------
 */
#include "core/price.h"
#include "core/names.h"

static const char *const price_source_names[] = {
	[QTS_SOURCE_KIS_WS] = "KIS_WS",
	[QTS_SOURCE_KIS_REST] = "KIS_REST",
	[QTS_SOURCE_NAVER] = "NAVER",
};

bool
qts_price_trading(QtsSessionPhase phase)
{
	return phase == QTS_SESSION_CONTINUOUS;
}

int64_t
qts_stale_after_ms(QtsSource source, bool trading)
{
	switch (source)
	{
		case QTS_SOURCE_KIS_WS:
			return trading ? 2000 : 10000;
		case QTS_SOURCE_NAVER:
			return trading ? 30000 : 60000;
		case QTS_SOURCE_KIS_REST:
		case QTS_SOURCE_COUNT:
			break;
	}
	return trading ? 10000 : 30000;
}

bool
qts_quote_fresh(const QtsQuote *quote, QtsSource source, QtsTime now, bool trading)
{
	int64_t limit = qts_stale_after_ms(source, trading) * QTS_MS;
	int64_t age;

	if (quote->last <= 0 || quote->recv_at == QTS_TIME_NONE ||
		__builtin_sub_overflow(now, quote->recv_at, &age))
		return false;
	/* another process may be a little ahead of us; far ahead is a broken clock */
	return age <= limit && age >= -limit;
}

QtsSource
qts_newer_source(const QtsQuote quotes[QTS_SOURCE_COUNT], QtsSource source, QtsTime now)
{
	for (int i = 0; i < (int) source && source < QTS_SOURCE_COUNT; i++)
	{
		/* a quote of the future is none: its clock is broken */
		if (quotes[i].last > 0 && quotes[i].recv_at != QTS_TIME_NONE && quotes[i].recv_at <= now &&
			quotes[i].recv_at > quotes[source].recv_at)
			return (QtsSource) i;
	}
	return source;
}

QtsSource
qts_best_source(const QtsQuote quotes[QTS_SOURCE_COUNT], QtsTime now, bool trading)
{
	for (int i = 0; i < QTS_SOURCE_COUNT; i++)
	{
		if (qts_quote_fresh(&quotes[i], (QtsSource) i, now, trading))
			return qts_newer_source(quotes, (QtsSource) i, now);
	}
	return QTS_SOURCE_COUNT;
}

bool
qts_source_decides(QtsSource source, bool naver_decides)
{
	return source == QTS_SOURCE_KIS_WS || source == QTS_SOURCE_KIS_REST ||
		   (source == QTS_SOURCE_NAVER && naver_decides);
}

int
qts_quality_score(QtsSource source, int64_t age_ms, bool trading)
{
	int64_t limit = qts_stale_after_ms(source, trading);
	int64_t base;

	if ((int) source < 0 || source >= QTS_SOURCE_COUNT || age_ms >= limit)
		return 0;
	base = 30 * (QTS_SOURCE_COUNT - (int) source);
	return (int) (age_ms <= 0 ? base : base - base * age_ms / limit);
}

bool
qts_price_plausible(QtsPrice price, QtsPrice lower, QtsPrice upper)
{
	if (price <= 0)
		return false;
	if (lower == 0 && upper == 0)
		return true;
	return price >= lower && price <= upper;
}

const char *
qts_source_name(QtsSource source)
{
	return qts_name_of(price_source_names, QTS_SOURCE_COUNT, (int) source);
}

bool
qts_source_parse(const char *name, QtsSource *out)
{
	int found = qts_name_find(price_source_names, QTS_SOURCE_COUNT, name);

	if (found < 0)
		return false;
	*out = (QtsSource) found;
	return true;
}
