/*-------------------------------------------------------------------------
 *
 * alarm.c
 *		When a trouble of the server is worth telling, and when entries stop.
 *
 *-------------------------------------------------------------------------
 */
#include "core/alarm.h"

QtsAlarmLevel
qts_alarm_level(int64_t value, int64_t limit)
{
	if (limit <= 0)
		return QTS_ALARM_NONE;
	if (value > limit)
		return QTS_ALARM_STOP;
	return value > limit / 2 ? QTS_ALARM_WARN : QTS_ALARM_NONE;
}

bool
qts_waiter_look(QtsWaiter *waiter, uint64_t lsn, int64_t now, int64_t patience, int64_t interval)
{
	if (lsn == 0 || lsn != waiter->lsn)
	{
		waiter->lsn = lsn;
		waiter->since = now;
		waiter->told = 0;
		return false;
	}
	if (now - waiter->since < patience || (waiter->told != 0 && now - waiter->told < interval))
		return false;
	waiter->told = now;
	return true;
}
