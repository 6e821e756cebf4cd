/*-------------------------------------------------------------------------
 *
 * price_watch.h
 *		Watches the prices as a whole: freshness, throttling, emergency mode.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BGWORKERS_PRICE_WATCH_H
#define QTS_BGWORKERS_PRICE_WATCH_H

#include "postgres.h"

#include "core/price.h"
#include "core/session.h"
#include "shm/board.h"
#include "utils/timestamp.h"

extern void qts_price_watch_start(void);
extern void qts_price_watch_stop(void);

/* About once a second: judge, adapt the tiers, tell, show; its own transactions. */
extern void qts_price_watch(QtsSessionPhase phase, TimestampTz now, int64 mono);

/* The price of a symbol that readers are shown; false = none. */
extern bool qts_price_shown(const char *symbol, QtsBoardQuote *seen);

#endif /* QTS_BGWORKERS_PRICE_WATCH_H */
