/*-------------------------------------------------------------------------
 *
 * atr.h
 *		Average true range of daily bars (Wilder), and prices that jumped.
 *
 * Integers only: 1/10 000 KRW, rounded half up at each step.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_ATR_H
#define QTS_CORE_ATR_H

#include "core/bar.h"

#define QTS_ATR_PERIOD 14

typedef struct QtsAtr
{
	QtsPrice close; /* of the last bar, 0 = none yet */
	QtsPrice sum;	/* of the first true ranges, then the average */
	int ranges;		/* true ranges taken in since the start */
} QtsAtr;

/*
 * The next bar in order of time.  A halted day moves the close only.  A price
 * beyond the limits of the day before belongs to another series (a split, an
 * unadjusted next to an adjusted bar, a first day): it starts anew, and false is
 * returned.
 */
extern bool qts_atr_add(QtsAtr *atr, const QtsBar *bar);

/* A confirmed corporate action between two bars: new price / old price in ppm, > 0. */
extern void qts_atr_scale(QtsAtr *atr, QtsPpm ratio);

/* 0 until there are 14 true ranges, 15 bars that is. */
extern QtsPrice qts_atr_value(const QtsAtr *atr);

/* Is the base price of a day so far from the last close that something happened to the shares? */
extern bool qts_base_price_jumped(QtsKrw last_close, QtsKrw base);

#endif /* QTS_CORE_ATR_H */
