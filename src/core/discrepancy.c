/*-------------------------------------------------------------------------
 *
 * discrepancy.c
 *		Two sources that disagree about one price (runtime 3.9).
 *
 * [0.1 %, 0.5 %) LOW, [0.5 %, 1 %] MEDIUM, above HIGH, compared as products:
 * a quotient would round at the boundaries.
 *
 *-------------------------------------------------------------------------
 */
#include "core/discrepancy.h"
#include "core/names.h"

#define DISCREPANCY_APART (10 * QTS_SEC)

static const char *const discrepancy_names[] = {
	[QTS_DISCREPANCY_NONE] = "NONE",
	[QTS_DISCREPANCY_LOW] = "LOW",
	[QTS_DISCREPANCY_MEDIUM] = "MEDIUM",
	[QTS_DISCREPANCY_HIGH] = "HIGH",
};

/* Distance of the prices in KRW ten-thousandths; -1 = they cannot be compared. */
static int64_t
discrepancy_gap(const QtsQuote *broker, const QtsQuote *other)
{
	int64_t apart;

	if (broker->last <= 0 || other->last <= 0 || broker->recv_at == QTS_TIME_NONE ||
		other->recv_at == QTS_TIME_NONE || __builtin_sub_overflow(broker->recv_at, other->recv_at, &apart) ||
		apart >= DISCREPANCY_APART || apart <= -DISCREPANCY_APART)
		return -1;
	return broker->last > other->last ? broker->last - other->last : other->last - broker->last;
}

QtsDiscrepancy
qts_discrepancy(const QtsQuote *broker, const QtsQuote *other)
{
	int64_t gap = discrepancy_gap(broker, other);
	int64_t price = broker->last;

	if (gap < 0 || gap < price / 1000 + (price % 1000 != 0))
		return QTS_DISCREPANCY_NONE;
	if (gap < price / 200 + (price % 200 != 0))
		return QTS_DISCREPANCY_LOW;
	return gap <= price / 100 ? QTS_DISCREPANCY_MEDIUM : QTS_DISCREPANCY_HIGH;
}

QtsPpm
qts_discrepancy_ppm(const QtsQuote *broker, const QtsQuote *other)
{
	int64_t gap = discrepancy_gap(broker, other);
	int64_t scaled;

	if (gap < 0)
		return 0;
	if (__builtin_mul_overflow(gap, QTS_PPM, &scaled))
		return INT64_MAX;
	return scaled / broker->last;
}

const char *
qts_discrepancy_name(QtsDiscrepancy severity)
{
	return qts_name_of(discrepancy_names, sizeof(discrepancy_names) / sizeof(discrepancy_names[0]),
					   (int) severity);
}
