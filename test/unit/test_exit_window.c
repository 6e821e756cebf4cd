/*-------------------------------------------------------------------------
 *
 * test_exit_window.c
 *		Windows of the exit loop (runtime 4.13) and the first price of a day.
 *
 *-------------------------------------------------------------------------
 */
#include "core/exit_window.h"
#include "tap.h"

static const QtsExitWindow shipped[] = {
	{false, -5 * QTS_MINUTE, 11 * QTS_MINUTE, 200 * QTS_MS},
	{true, -15 * QTS_MINUTE, QTS_MINUTE, 500 * QTS_MS},
};

#define USUAL (2 * QTS_SEC)

static QtsTime
at(const QtsCalendarDay *day, int hour, int minute, int second)
{
	return qts_seoul_instant(day->date, hour * QTS_HOUR + minute * QTS_MINUTE + second * QTS_SEC);
}

static QtsTime
interval(const QtsCalendarDay *day, int hour, int minute, int second)
{
	return qts_exit_interval(shipped, 2, day, at(day, hour, minute, second), USUAL);
}

int
main(void)
{
	QtsCalendarDay day = qts_calendar_normal(9500);
	QtsCalendarDay late = day;
	QtsTime open = at(&day, 9, 0, 0);

	is(interval(&day, 8, 54, 59), USUAL, "08:54:59 two seconds");
	is(interval(&day, 8, 55, 0), 200 * QTS_MS, "08:55 200 ms");
	is(interval(&day, 9, 10, 59), 200 * QTS_MS, "09:10 is within");
	is(interval(&day, 9, 11, 0), USUAL, "09:11 is not");
	is(interval(&day, 15, 14, 59), USUAL, "15:14:59");
	is(interval(&day, 15, 15, 0), 500 * QTS_MS, "15:15 500 ms");
	is(interval(&day, 15, 30, 59), 500 * QTS_MS, "15:30 is within");
	is(interval(&day, 15, 31, 0), USUAL, "15:31 is not");
	late.open_at = 10 * QTS_HOUR;
	is(interval(&late, 8, 55, 0), USUAL, "a day that opens at 10:00 has its rush then");
	is(interval(&late, 9, 55, 0), 200 * QTS_MS, "five minutes before");
	is(qts_exit_interval(shipped, 2, &day, at(&day, 9, 0, 0), 100 * QTS_MS), 100 * QTS_MS,
	   "a window makes nothing slower");
	is(qts_exit_interval(shipped, 2, NULL, open, USUAL), USUAL, "an unknown day has no windows");
	late.is_open = false;
	is(interval(&late, 9, 55, 0), USUAL, "nor has a closed one");
	is(qts_exit_interval_holds(shipped, 2, &day, at(&day, 8, 54, 59), QTS_MINUTE), QTS_SEC,
	   "holds until it begins");
	is(qts_exit_interval_holds(shipped, 2, &day, at(&day, 9, 10, 58), QTS_MINUTE), 2 * QTS_SEC, "or ends");
	is(qts_exit_interval_holds(shipped, 2, &day, at(&day, 12, 0, 0), QTS_MINUTE), QTS_MINUTE,
	   "or for the time asked");

	ok(qts_printed_since(open, open + QTS_SEC, 10, open), "a print of the open");
	ok(!qts_printed_since(open - 1, open + QTS_SEC, 10, open), "one of the auction before, late");
	ok(qts_printed_since(QTS_TIME_NONE, open, 10, open), "without a time of the exchange: when it came");
	ok(!qts_printed_since(QTS_TIME_NONE, open - 1, 10, open), "not before the open");
	ok(!qts_printed_since(QTS_TIME_NONE, open + QTS_SEC, 0, open),
	   "nothing traded yet: yesterday's close again");
	return tap_done();
}
