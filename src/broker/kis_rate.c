/*-------------------------------------------------------------------------
 *
 * kis_rate.c
 *		How fast a KIS session may go: its own limiter, or the one it shares.
 *
 *-------------------------------------------------------------------------
 */
#include "broker/kis_session.h"

#define KEEP_SLOTS                                                                                           \
	(2 * QTS_SEC) /* a claim takes a few milliseconds; whoever dies in it is not waited for longer */

void
kis_rate_open(QtsBroker *broker, const QtsRatePool *pool, int per_second)
{
	qts_rate_init(&broker->limiter, per_second);
	if (pool)
		broker->pool = *pool;
	kis_rate_set(broker, per_second);
}

void
kis_rate_set(QtsBroker *broker, int per_second)
{
	if (broker->pool.set)
		broker->pool.set(broker->pool.arg, per_second);
	else
		qts_rate_set(&broker->limiter, per_second);
}

int
kis_rate_slots(const QtsBroker *broker, QtsRateClass klass, int64_t mono)
{
	return broker->pool.slots ? broker->pool.slots(broker->pool.arg, klass, mono)
							  : qts_rate_slots(&broker->limiter, klass, mono);
}

int64_t
kis_rate_wait(const QtsBroker *broker, QtsRateClass klass, int64_t mono)
{
	return broker->pool.wait ? broker->pool.wait(broker->pool.arg, klass, mono)
							 : qts_rate_wait(&broker->limiter, klass, mono);
}

bool
kis_rate_take(QtsBroker *broker, QtsRateClass klass, int64_t mono)
{
	if (broker->pool.take)
		return broker->pool.take(broker->pool.arg, klass, mono);
	if (!qts_rate_available(&broker->limiter, klass, mono))
		return false;
	qts_rate_take(&broker->limiter, klass, mono);
	return true;
}

void
kis_rate_keep(QtsBroker *broker, int slots, int64_t mono)
{
	if (broker->pool.keep)
		broker->pool.keep(broker->pool.arg, slots, mono + KEEP_SLOTS);
	else
		qts_rate_keep(&broker->limiter, slots, mono + KEEP_SLOTS);
}

void
kis_rate_refused(QtsBroker *broker, int64_t mono, int64_t pause)
{
	if (broker->pool.refused)
		broker->pool.refused(broker->pool.arg, mono, pause);
	else
		qts_rate_refused(&broker->limiter, mono, pause);
}
