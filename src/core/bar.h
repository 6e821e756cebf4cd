/*-------------------------------------------------------------------------
 *
 * bar.h
 *		Bars: open, high, low, close and volume of a span of time.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_BAR_H
#define QTS_CORE_BAR_H

#include "core/core.h"

typedef struct QtsBar
{
	QtsTime at; /* start of the span; of a day: 00:00 Asia/Seoul */
	QtsKrw open;
	QtsKrw high;
	QtsKrw low;
	QtsKrw close;
	QtsQty volume;
	QtsKrw value; /* traded, -1 = not known */
} QtsBar;

/* No share of KRX ever cost that much; arithmetic on what is below cannot overflow. */
#define QTS_BAR_MAX_KRW INT64_C(1000000000)

/* A day on which nothing traded: only the close is set. */
extern bool qts_bar_halted(const QtsBar *bar);

/*
 * What is wrong with it, NULL = nothing.  Prices off the tick grid are real:
 * mid-price orders trade half a tick off.
 */
extern const char *qts_bar_fault(const QtsBar *bar, bool daily);

#endif /* QTS_CORE_BAR_H */
