/*-------------------------------------------------------------------------
 *
 * test_alarm.c
 *		Troubles of the server: when they are told, when entries stop (anchors F24, F31).
 *
 *-------------------------------------------------------------------------
 */
#include "core/alarm.h"
#include "tap.h"

#define PATIENCE 2000
#define INTERVAL 5000

static void
test_level(void)
{
	is(qts_alarm_level(0, 100), QTS_ALARM_NONE, "nothing");
	is(qts_alarm_level(50, 100), QTS_ALARM_NONE, "half");
	is(qts_alarm_level(51, 100), QTS_ALARM_WARN, "more than half");
	is(qts_alarm_level(100, 100), QTS_ALARM_WARN, "all that is allowed");
	is(qts_alarm_level(101, 100), QTS_ALARM_STOP, "more");
	is(qts_alarm_level(INT64_MAX, INT64_MAX), QTS_ALARM_WARN, "the largest limit");
	is(qts_alarm_level(INT64_MAX, 0), QTS_ALARM_NONE, "a limit of 0 is not watched");
	is(qts_alarm_level(1, -1), QTS_ALARM_NONE, "nor a negative one");
	is(qts_alarm_level(2, 1), QTS_ALARM_STOP, "the smallest limit");
}

static bool
look(QtsWaiter *waiter, uint64_t lsn, int64_t now)
{
	return qts_waiter_look(waiter, lsn, now, PATIENCE, INTERVAL);
}

static void
test_waiter(void)
{
	QtsWaiter waiter = {0};

	is(look(&waiter, 0, 1000), false, "nobody waits");
	is(look(&waiter, 7, 9000), false, "a wait begins, long after the last look");
	is(look(&waiter, 7, 10999), false, "not yet too long");
	is(look(&waiter, 7, 11000), true, "too long: told");
	is(waiter.since, 9000, "since it was first seen");
	is(look(&waiter, 7, 15999), false, "not told again at once");
	is(look(&waiter, 7, 16000), true, "but after the interval");
	is(look(&waiter, 8, 17000), false, "the next commit waits anew");
	is(look(&waiter, 8, 19000), true, "and is told in its turn");
	is(look(&waiter, 0, 19500), false, "the standby is back");
	is(look(&waiter, 8, 20000), false, "the same place is a new wait");
	is(look(&waiter, 8, 22000), true, "with its own patience");
}

int
main(void)
{
	test_level();
	test_waiter();
	return tap_done();
}
