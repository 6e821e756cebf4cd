/*-------------------------------------------------------------------------
 *
 * check.h
 *		Words the checks share; none of them is from src/core.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHAOS_CHECK_H
#define CHAOS_CHECK_H

#include "world.h"

static inline bool
is_end(QtsOrderStatus status)
{
	return status == QTS_ORDER_FILLED || status == QTS_ORDER_CANCELLED ||
		   status == QTS_ORDER_CANCELLED_PARTIAL || status == QTS_ORDER_REJECTED ||
		   status == QTS_ORDER_EXPIRED;
}

static inline bool
is_live_intent(QtsIntentStatus status)
{
	return status == QTS_INTENT_NEW || status == QTS_INTENT_SUBMITTING || status == QTS_INTENT_UNKNOWN ||
		   status == QTS_INTENT_SUBMITTED || status == QTS_INTENT_PARTIAL;
}

/* Of the order's own row and of sums over all rows; at every step and at the end. */
extern void check_orders(World *w);
extern void check_sums(World *w);

/* Could the broker's order, dated at, be the one that was sent? */
extern bool could_be(const ChaosOrder *sent, const BrokerOrder *seen, QtsTime at);

#endif /* CHAOS_CHECK_H */
