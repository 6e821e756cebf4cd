/*-------------------------------------------------------------------------
 *
 * test_reference.c
 *		What is asked of the broker once a day: when, how often, and what of
 *		the answers is believed.
 *
 *-------------------------------------------------------------------------
 */
#include "core/reference.h"
#include "tap.h"

#define FRIDAY 20261120
#define CLOCK(h, m) ((h) *QTS_HOUR + (m) *QTS_MINUTE)

static QtsDate friday;

static QtsDate
date_of(int32_t yyyymmdd)
{
	QtsDate date = 0;

	(void) qts_date_from_yyyymmdd(yyyymmdd, &date);
	return date;
}

static QtsDate
target(QtsReferenceTask task, const QtsCalendarDay *day, QtsTime time)
{
	return qts_reference_target(task, day, friday - 1, qts_seoul_instant(friday, time));
}

static void
test_targets(void)
{
	QtsCalendarDay day = qts_calendar_normal(friday);
	QtsCalendarDay late = qts_calendar_normal(friday);
	QtsCalendarDay closed = qts_calendar_normal(friday);
	QtsCalendarDay doubtful = qts_calendar_normal(friday);
	QtsCalendarDay other = qts_calendar_normal(friday - 1);

	day.is_open = late.is_open = doubtful.is_open = other.is_open = true;
	closed.is_open = false;
	doubtful.doubtful = true;
	late.auction_at += QTS_HOUR;
	late.open_at += QTS_HOUR;
	late.close_at += QTS_HOUR;
	late.end_at += QTS_HOUR;

	is(target(QTS_REFERENCE_CALENDAR, &day, CLOCK(5, 59)), QTS_DATE_NONE,
	   "the broker's night is left in peace");
	is(target(QTS_REFERENCE_CALENDAR, &day, CLOCK(6, 0)), friday, "trading days from six o'clock on");
	is(target(QTS_REFERENCE_CALENDAR, NULL, CLOCK(23, 0)), friday, "on a day nothing is known of, too");
	is(target(QTS_REFERENCE_CALENDAR, &closed, CLOCK(12, 0)), friday, "and on a closed one");

	is(target(QTS_REFERENCE_BARS, &day, CLOCK(0, 0)), friday - 1, "bars of yesterday in the night");
	is(target(QTS_REFERENCE_BARS, &day, CLOCK(12, 0)), friday - 1, "and when the engine starts in mid-day");
	is(target(QTS_REFERENCE_BARS, &day, CLOCK(16, 9)), friday - 1, "today's bar is not whole yet");
	is(target(QTS_REFERENCE_BARS, &day, CLOCK(16, 10)), friday, "now it is");
	is(target(QTS_REFERENCE_BARS, &late, CLOCK(16, 30)), friday - 1, "a day that ends later");
	is(target(QTS_REFERENCE_BARS, &late, CLOCK(17, 10)), friday, "ends later");
	is(target(QTS_REFERENCE_BARS, &closed, CLOCK(20, 0)), friday - 1, "a closed day has none");
	is(target(QTS_REFERENCE_BARS, NULL, CLOCK(20, 0)), friday - 1, "an unknown day has none");
	is(target(QTS_REFERENCE_BARS, &other, CLOCK(20, 0)), friday - 1, "the row of another day says nothing");
	is(target(QTS_REFERENCE_BARS, &doubtful, CLOCK(20, 0)), friday - 1, "a doubtful day waits");
	is(qts_reference_target(QTS_REFERENCE_BARS, NULL, QTS_DATE_NONE, qts_seoul_instant(friday, 0)),
	   QTS_DATE_NONE, "an empty calendar wants no bars");

	is(target(QTS_REFERENCE_BASES, &day, CLOCK(8, 19)), QTS_DATE_NONE,
	   "the broker may still show yesterday's base");
	is(target(QTS_REFERENCE_BASES, &day, CLOCK(8, 20)), friday,
	   "base prices ten minutes ahead of the auction");
	is(target(QTS_REFERENCE_BASES, &day, CLOCK(14, 0)), friday, "late is better than never");
	is(target(QTS_REFERENCE_BASES, &day, CLOCK(15, 30)), QTS_DATE_NONE, "after the close nobody needs them");
	is(target(QTS_REFERENCE_BASES, &late, CLOCK(8, 30)), QTS_DATE_NONE, "a late day begins later");
	is(target(QTS_REFERENCE_BASES, &late, CLOCK(9, 20)), friday, "with its auction");
	is(target(QTS_REFERENCE_BASES, &closed, CLOCK(9, 0)), QTS_DATE_NONE, "a closed day has none");
	is(target(QTS_REFERENCE_BASES, NULL, CLOCK(9, 0)), QTS_DATE_NONE, "an unknown day has none either");
}

static void
test_due(void)
{
	QtsTime now = qts_seoul_instant(friday, CLOCK(9, 0));
	QtsReferenceState never = {.done = QTS_DATE_NONE, .tried_at = QTS_TIME_NONE};
	QtsReferenceState done = {.done = friday, .tried_at = now - QTS_HOUR};
	QtsReferenceState tried = {.done = friday - 1, .tried_at = now, .failures = 1};

	ok(qts_reference_due(QTS_REFERENCE_CALENDAR, friday, &never, now), "never asked: due");
	ok(!qts_reference_due(QTS_REFERENCE_CALENDAR, QTS_DATE_NONE, &never, now), "no day wanted: not due");
	ok(!qts_reference_due(QTS_REFERENCE_CALENDAR, friday, &done, now + 12 * QTS_HOUR),
	   "done: not again that day");
	ok(qts_reference_due(QTS_REFERENCE_CALENDAR, friday + 1, &done, now + QTS_DAY), "the next day again");
	ok(!qts_reference_due(QTS_REFERENCE_CALENDAR, friday, &tried, now + 5 * QTS_MINUTE - 1),
	   "a try without an end: not yet");
	ok(qts_reference_due(QTS_REFERENCE_CALENDAR, friday, &tried, now + 5 * QTS_MINUTE), "then again");
	ok(qts_reference_due(QTS_REFERENCE_CALENDAR, friday, &tried, now - QTS_HOUR),
	   "a clock set back keeps nothing waiting");
	tried.failures = 0;
	ok(qts_reference_due(QTS_REFERENCE_BARS, friday, &tried, now),
	   "what succeeded for another day is due at once");

	is(qts_reference_delay(QTS_REFERENCE_CALENDAR, 1), 5 * QTS_MINUTE, "trading days: five minutes");
	is(qts_reference_delay(QTS_REFERENCE_CALENDAR, 2), 10 * QTS_MINUTE, "then ten");
	is(qts_reference_delay(QTS_REFERENCE_CALENDAR, 5), QTS_HOUR, "an hour at most");
	is(qts_reference_delay(QTS_REFERENCE_BARS, 1), QTS_MINUTE, "bars: a minute");
	is(qts_reference_delay(QTS_REFERENCE_BARS, 1000000), 30 * QTS_MINUTE, "half an hour at most");
	is(qts_reference_delay(QTS_REFERENCE_BASES, 0), 15 * QTS_SEC, "base prices: a quarter of a minute");
	is(qts_reference_delay(QTS_REFERENCE_BASES, 9), 5 * QTS_MINUTE, "five minutes at most");
	ok(!qts_reference_hopeless(4) && qts_reference_hopeless(5), "five answers without it are enough");
}

/* From every state the next try comes within the longest delay, and never twice within the shortest. */
static void
test_never_stuck(void)
{
	bool bounded = true;
	bool paced = true;

	for (int task = 0; task < QTS_REFERENCE_TASKS; task++)
	{
		QtsReferenceState state = {.done = QTS_DATE_NONE, .tried_at = QTS_TIME_NONE};
		QtsTime now = qts_seoul_instant(friday, CLOCK(9, 0));

		for (int i = 0; i < 40; i++)
		{
			QtsTime start = now;

			while (!qts_reference_due((QtsReferenceTask) task, friday, &state, now))
				now += QTS_SEC;
			bounded &= now - start <= QTS_HOUR;
			paced &= i == 0 || now - start >= 15 * QTS_SEC;
			state.tried_at = now;
			state.failures++;
		}
	}
	ok(bounded, "an outage of any length ends with a try within the hour");
	ok(paced, "and is not answered with a storm");
}

static void
test_needed(void)
{
	QtsCalendarDay day = qts_calendar_normal(friday);

	day.is_open = true;
	ok(!qts_reference_needed(&day, qts_seoul_instant(friday, CLOCK(8, 49))), "08:49: nobody misses it yet");
	ok(qts_reference_needed(&day, qts_seoul_instant(friday, CLOCK(8, 50))),
	   "08:50: what is missing is missed");
	ok(!qts_reference_needed(&day, qts_seoul_instant(friday, CLOCK(15, 30))), "not after the close");
	ok(!qts_reference_needed(&day, qts_seoul_instant(friday + 1, CLOCK(9, 0))),
	   "not by the row of another day");
	ok(!qts_reference_needed(NULL, qts_seoul_instant(friday, CLOCK(9, 0))), "not on a day without a row");
	day.is_open = false;
	ok(!qts_reference_needed(&day, qts_seoul_instant(friday, CLOCK(9, 0))), "nor on a closed one");
}

static void
test_bases(void)
{
	static const struct
	{
		QtsBasePrice told;
		QtsBaseKnown known;
		QtsTime at;
		QtsBaseVerdict want;
		const char *name;
	} cases[] = {
		{{"005930", 70000, 49000, 91000, 0}, {69000, 70000}, CLOCK(8, 20), QTS_BASE_GOOD, "the last close"},
		{{"005930", 70000, 49000, 91000, 0},
		 {70000, 70000},
		 CLOCK(8, 20),
		 QTS_BASE_GOOD,
		 "a stock that did not move"},
		{{"005930", 69000, 48300, 89700, 0}, {69000, 70000}, CLOCK(8, 20), QTS_BASE_OLD, "yesterday's base"},
		{{"005930", 69000, 48300, 89700, 0},
		 {69000, 70000},
		 CLOCK(9, 0),
		 QTS_BASE_GOOD,
		 "is believed once the market is open"},
		{{"005930", 69000, 48300, 89700, 0},
		 {69000, 0},
		 CLOCK(8, 20),
		 QTS_BASE_GOOD,
		 "nothing to compare it with"},
		{{"005930", 70000, 49000, 91000, 500},
		 {69000, 70000},
		 CLOCK(8, 20),
		 QTS_BASE_OLD,
		 "trades before the auction are yesterday's"},
		{{"005930", 70000, 49000, 91000, 500},
		 {69000, 70000},
		 CLOCK(8, 35),
		 QTS_BASE_GOOD,
		 "off-hours trades are not"},
		{{"005930", 35000, 24500, 45500, 0}, {69000, 70000}, CLOCK(8, 20), QTS_BASE_GOOD, "a split"},
		{{"005930", 10000, 6000, 40000, 0},
		 {0, 0},
		 CLOCK(8, 20),
		 QTS_BASE_GOOD,
		 "a first day: 60 % to 400 %"},
		{{"0150G0", 10000, 4000, 16000, 0},
		 {0, 0},
		 CLOCK(8, 20),
		 QTS_BASE_GOOD,
		 "twice an index: 60 % both ways"},
		{{"005930", 70000, 0, 0, 0}, {0, 0}, CLOCK(8, 20), QTS_BASE_UNLIMITED, "no limits told"},
		{{"005930", 70000, 0, 91000, 0}, {0, 0}, CLOCK(8, 20), QTS_BASE_UNLIMITED, "one limit is none"},
		{{"005930", 70000, 71000, 91000, 0},
		 {0, 0},
		 CLOCK(10, 0),
		 QTS_BASE_IMPOSSIBLE,
		 "a base below its limits"},
		{{"005930", 70000, 49000, 69000, 0}, {0, 0}, CLOCK(10, 0), QTS_BASE_IMPOSSIBLE, "above its limits"},
		{{"005930", 70000, 49000, 910000, 0},
		 {0, 0},
		 CLOCK(10, 0),
		 QTS_BASE_IMPOSSIBLE,
		 "an upper limit of ten times"},
		{{"005930", 70000, 4900, 91000, 0},
		 {0, 0},
		 CLOCK(10, 0),
		 QTS_BASE_IMPOSSIBLE,
		 "a lower limit of a tenth"},
		{{"005930", 0, 0, 0, 0}, {0, 0}, CLOCK(10, 0), QTS_BASE_IMPOSSIBLE, "no base at all"},
		{{"005930", 70000, -1, 91000, 0}, {0, 0}, CLOCK(10, 0), QTS_BASE_IMPOSSIBLE, "a negative limit"},
	};
	QtsCalendarDay day = qts_calendar_normal(friday);

	day.is_open = true;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is(qts_base_judge(&cases[i].told, &cases[i].known, &day, qts_seoul_instant(friday, cases[i].at)),
		   cases[i].want, cases[i].name);
	for (int v = 0; v < QTS_BASE_VERDICTS; v++)
		ok((qts_base_fault((QtsBaseVerdict) v) == NULL) == (v == QTS_BASE_GOOD || v == QTS_BASE_UNLIMITED),
		   "what is refused has a reason");
}

static void
test_days(void)
{
	ok(qts_trading_days_believable(24, 17), "a month with its weekends");
	ok(qts_trading_days_believable(10, 0), "ten days of Chuseok");
	ok(!qts_trading_days_believable(14, 0), "an exchange closed for two weeks");
	ok(!qts_trading_days_believable(0, 0), "no days");
}

int
main(void)
{
	friday = date_of(FRIDAY);
	test_targets();
	test_due();
	test_never_stuck();
	test_needed();
	test_bases();
	test_days();
	return tap_done();
}
