/*-------------------------------------------------------------------------
 *
 * discrepancy.h
 *		Two sources that disagree about one price (runtime 3.9).
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_DISCREPANCY_H
#define QTS_CORE_DISCREPANCY_H

#include "core/price.h"

typedef enum QtsDiscrepancy
{
	QTS_DISCREPANCY_NONE,
	QTS_DISCREPANCY_LOW,
	QTS_DISCREPANCY_MEDIUM,
	QTS_DISCREPANCY_HIGH
} QtsDiscrepancy;

/*
 * How far the other source is from the broker's.  NONE also when they were
 * received 10 s or more apart: the market moves in between.
 */
extern QtsDiscrepancy qts_discrepancy(const QtsQuote *broker, const QtsQuote *other);

/* Difference in millionths of the broker's price. */
extern QtsPpm qts_discrepancy_ppm(const QtsQuote *broker, const QtsQuote *other);

extern const char *qts_discrepancy_name(QtsDiscrepancy severity);

#endif /* QTS_CORE_DISCREPANCY_H */
