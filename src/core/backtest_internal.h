/*-------------------------------------------------------------------------
 *
 * backtest_internal.h
 *		What the walk over ticks and the walk over bars share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_BACKTEST_INTERNAL_H
#define QTS_CORE_BACKTEST_INTERNAL_H

#include "core/backtest.h"

/* Fill what waits at this price, as far as latency, limits and volume let it. */
extern void qts_walk_try_fill(QtsWalk *walk, QtsPrice price, bool is_bid, QtsTime at);
extern void qts_walk_try_enter(QtsWalk *walk, const QtsWalkPrice *price);

/* Is a part of the entry still to be bought? */
extern bool qts_walk_buying(const QtsWalk *walk);

/* Take the price in, for the results. */
extern void qts_walk_see(QtsWalk *walk, const QtsWalkPrice *price);

/* A price as the rules see it on this day. */
extern QtsExitQuote qts_walk_quote(const QtsWalk *walk, const QtsWalkPrice *price, bool stale);

/* After a look at this price: what the next ones must leave to be looked at. */
extern void qts_walk_band(QtsWalk *walk, const QtsWalkPrice *price);

/* What the rules say, and do; true = an order was made or the cycle began anew. */
extern bool qts_walk_decide(QtsWalk *walk, const QtsWalkPrice *price, bool stale);

#endif /* QTS_CORE_BACKTEST_INTERNAL_H */
