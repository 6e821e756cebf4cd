/*-------------------------------------------------------------------------
 *
 * freshness.c
 *		Figures of all followed prices, and emergency mode (runtime 3.10).
 *
 *-------------------------------------------------------------------------
 */
#include "core/freshness.h"

#define FRESHNESS_CRITICAL_MS 60000
#define FRESHNESS_OLD_MS 30000

void
qts_freshness_add(QtsFreshness *figures, const QtsQuote *quote, bool stale, int64_t overdue_after,
				  QtsTime now)
{
	int64_t age;

	figures->total++;
	if (quote == NULL || quote->last <= 0 || quote->recv_at == QTS_TIME_NONE ||
		__builtin_sub_overflow(now, quote->recv_at, &age))
	{
		figures->stale++;
		figures->overdue++;
		figures->critical++;
		return;
	}
	figures->stale += stale;
	figures->overdue += stale && age > overdue_after;
	age = age < 0 ? 0 : age / QTS_MS;
	figures->critical += age > FRESHNESS_CRITICAL_MS;
	figures->aged++;
	figures->age_sum += age;
	if (age > figures->age_max)
		figures->age_max = age;
}

int64_t
qts_freshness_avg_ms(const QtsFreshness *figures)
{
	return figures->aged == 0 ? 0 : figures->age_sum / figures->aged;
}

bool
qts_freshness_mostly_overdue(const QtsFreshness *figures)
{
	return (int64_t) figures->overdue * 2 > figures->total;
}

bool
qts_freshness_old(const QtsFreshness *figures)
{
	return qts_freshness_avg_ms(figures) > FRESHNESS_OLD_MS;
}

bool
qts_emergency(const QtsFreshness *figures, bool now_on)
{
	if (figures->total == 0)
		return false;
	if (qts_freshness_mostly_overdue(figures))
		return true;
	return now_on && (int64_t) figures->overdue * 10 >= figures->total;
}
