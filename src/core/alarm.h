/*-------------------------------------------------------------------------
 *
 * alarm.h
 *		Troubles of the server that end in a full disk or a read-only database.
 *
 * They grow for days and end at once; entries stop long before, so that what
 * is held can still be sold.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_ALARM_H
#define QTS_CORE_ALARM_H

#include <stdbool.h>
#include <stdint.h>

typedef enum QtsAlarmLevel
{
	QTS_ALARM_NONE,
	QTS_ALARM_WARN, /* more than half of what is allowed */
	QTS_ALARM_STOP	/* more than is allowed: no new risk */
} QtsAlarmLevel;

/* value against its limit; a limit of 0 is not watched. */
extern QtsAlarmLevel qts_alarm_level(int64_t value, int64_t limit);

/* Who waits for a standby: the same wait seen again and again is a missing standby. */
typedef struct QtsWaiter
{
	uint64_t lsn;  /* what it waits for; 0 = it does not */
	int64_t since; /* when that wait was first seen, us */
	int64_t told;  /* when it was last reported, us; 0 = not yet */
} QtsWaiter;

/*
 * Take in that the worker waits for lsn (0: it does not); true when that is
 * worth a report: after patience, and again every interval.
 */
extern bool qts_waiter_look(QtsWaiter *waiter, uint64_t lsn, int64_t now, int64_t patience, int64_t interval);

#endif /* QTS_CORE_ALARM_H */
