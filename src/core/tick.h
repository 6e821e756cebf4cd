/*-------------------------------------------------------------------------
 *
 * tick.h
 *		KRX tick sizes and daily price limits (kis-api 8.3, 8.4).
 *
 * Prices here are whole KRW: order prices are, although prints may sit half
 * a tick off the grid.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_TICK_H
#define QTS_CORE_TICK_H

#include "core/core.h"

typedef enum QtsInstrument
{
	QTS_INSTRUMENT_STOCK,
	QTS_INSTRUMENT_ETP /* ETF, ETN, ELW */
} QtsInstrument;

extern QtsKrw qts_tick_size(QtsKrw price, QtsInstrument instrument);
extern bool qts_tick_valid(QtsKrw price, QtsInstrument instrument);

/* Nearest grid price at or below (a buy) / at or above (a sell). */
extern QtsKrw qts_tick_floor(QtsKrw price, QtsInstrument instrument);
extern QtsKrw qts_tick_ceil(QtsKrw price, QtsInstrument instrument);

/* Daily +-30 % limits of a base price; false when base <= 0. */
extern bool qts_price_limits(QtsKrw base, QtsInstrument instrument, QtsKrw *lower, QtsKrw *upper);

#endif /* QTS_CORE_TICK_H */
