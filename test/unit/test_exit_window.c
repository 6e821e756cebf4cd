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

/* A refused rule waits 1 s, 2 s, 4 s ... 5 min; others do not. */
static void
test_waits(void)
{
	QtsExitWait waits[QTS_EXIT_WAITS] = {{0}};
	QtsExitPosition position = {0};

	is(qts_exit_retry_at(1, 0), QTS_SEC, "refused once: a second");
	is(qts_exit_retry_at(4, 0), 8 * QTS_SEC, "four times: eight");
	is(qts_exit_retry_at(40, 0), 300 * QTS_SEC, "never more than five minutes");
	ok(qts_exit_wait_add(waits, QTS_RULE_TP1, QTS_CUSTOM_NONE, 10), "there is room for one");
	ok(qts_exit_wait_add(waits, QTS_RULE_CUSTOM, 1, 20) && qts_exit_wait_add(waits, QTS_RULE_CUSTOM, 1, 30),
	   "for another, twice");
	ok(!qts_exit_wait_apply(waits, &position, 9) && position.wait_rule[QTS_RULE_TP1] &&
		   position.wait_custom[1] && !position.wait_rule[QTS_RULE_SL1] && !position.wait_custom[0],
	   "both wait, others do not");
	ok(qts_exit_wait_apply(waits, &position, 10) && !position.wait_rule[QTS_RULE_TP1] &&
		   position.wait_custom[1],
	   "the first is over");
	(void) qts_exit_wait_add(waits, QTS_RULE_SL1, QTS_CUSTOM_NONE, 40);
	(void) qts_exit_wait_add(waits, QTS_RULE_SL2, QTS_CUSTOM_NONE, 50);
	(void) qts_exit_wait_add(waits, QTS_RULE_TP1, QTS_CUSTOM_NONE, 60);
	ok(!qts_exit_wait_add(waits, QTS_RULE_TIME, QTS_CUSTOM_NONE, 70), "one too many");
	position = (QtsExitPosition){0};
	ok(!qts_exit_wait_apply(waits, &position, 25) && !position.wait_custom[1] &&
		   position.wait_rule[QTS_RULE_TIME],
	   "it takes the place of what would have been over first");
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
	test_waits();
	return tap_done();
}
