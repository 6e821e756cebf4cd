/*-------------------------------------------------------------------------
 *
 * test_session.c
 *		Dates, Seoul time and session phases (kis-api 8.1, 8.2).
 *
 *-------------------------------------------------------------------------
 */
#include "core/session.h"
#include "tap.h"

static QtsTime
clock_at(int hour, int minute, int second)
{
	return hour * QTS_HOUR + minute * QTS_MINUTE + second * QTS_SEC;
}

static QtsDate
date_of(int32_t yyyymmdd)
{
	QtsDate date = 0;

	(void) tap_note(qts_date_from_yyyymmdd(yyyymmdd, &date), "no date: %d", (int) yyyymmdd);
	return date;
}

static void
test_dates(void)
{
	static const int32_t bad[] = {
		0,		  -20260101, 20260001, 20261301,  20260100,	 20260132,	20260229,
		21000229, 20260431,	 260101,   999991231, INT32_MIN, INT32_MAX,
	};
	bool refused = true;

	is(date_of(20000101), 0, "2000-01-01 is day 0");
	is(date_of(20000229), 59, "2000 is a leap year");
	is(date_of(20000301), 60, "2000-03-01");
	is(date_of(19991231), -1, "1999-12-31");
	is(date_of(19700101), -10957, "1970-01-01");
	is(date_of(20261120), 9820, "2026-11-20");
	is(qts_weekday(date_of(20000101)), 6, "2000-01-01 was a Saturday");
	is(qts_weekday(date_of(20261119)), 4, "2026-11-19 is a Thursday");
	is(qts_weekday(date_of(19700101)), 4, "1970-01-01 was a Thursday");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		QtsDate date = 77;

		refused =
			tap_note(!qts_date_from_yyyymmdd(bad[i], &date) && date == 77, "accepted %d", (int) bad[i]) &&
			refused;
	}
	ok(refused, "nothing but calendar days is accepted");
	is(qts_date_yyyymmdd(INT32_MAX), 0, "a day of no four-digit year has no text");
	is(qts_date_yyyymmdd(INT32_MIN), 0, "nor has one before");
}

static bool
next_day(int *year, int *month, int *day)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = *year % 4 == 0 && (*year % 100 != 0 || *year % 400 == 0);

	if (++*day > days[*month - 1] + (*month == 2 && leap))
	{
		*day = 1;
		if (++*month > 12)
		{
			*month = 1;
			++*year;
		}
	}
	return *year <= 9999;
}

static void
test_every_day(void)
{
	int year = 1000;
	int month = 1;
	int day = 1;
	QtsDate expected = date_of(10000101);
	bool good = true;

	do
	{
		int32_t text = year * 10000 + month * 100 + day;
		QtsDate date = INT32_MIN;

		good = tap_note(qts_date_from_yyyymmdd(text, &date) && date == expected &&
							qts_date_yyyymmdd(date) == text,
						"%d", (int) text);
		expected++;
	} while (good && next_day(&year, &month, &day));
	ok(good, "both directions agree with counting for every day of the years 1000 to 9999");
}

static void
test_instants(void)
{
	QtsTime midnight = qts_seoul_instant(date_of(20260102), 0);
	TapRandom rng = {9};
	bool good = true;

	is(midnight, date_of(20260101) * QTS_DAY + 15 * QTS_HOUR, "midnight in Seoul is 15:00 UTC");
	is(qts_seoul_date(midnight), date_of(20260102), "the day begins at midnight");
	is(qts_seoul_date(midnight - 1), date_of(20260101), "not a microsecond before");
	is(qts_seoul_time_of_day(midnight - 1), QTS_DAY - 1, "the last microsecond of a day");
	is(qts_seoul_date(0), 0, "2000-01-01 00:00 UTC");
	is(qts_seoul_time_of_day(0), 9 * QTS_HOUR, "is nine o'clock in Seoul");
	is(qts_seoul_date(-9 * QTS_HOUR - 1), -1, "before the epoch");
	is(qts_seoul_instant(INT32_MAX, 0), QTS_TIME_NONE, "an instant that does not fit is none");
	ok(qts_seoul_time_of_day(INT64_MIN) >= 0 && qts_seoul_time_of_day(INT64_MAX) < QTS_DAY,
	   "the ends of time do not overflow");
	for (int i = 0; i < 100000 && good; i++)
	{
		QtsTime at = (QtsTime) tap_random(&rng) / 4;

		good = qts_seoul_instant(qts_seoul_date(at), qts_seoul_time_of_day(at)) == at;
	}
	ok(good, "date and time of day give the instant back");
}

static bool
phase_is(const QtsCalendarDay *day, QtsTime tod, QtsSessionPhase expected)
{
	QtsSessionPhase got = qts_session_phase(day, qts_seoul_instant(day->date, tod));

	return tap_note(got == expected, "%d us: %s, not %s", (int) (tod / QTS_SEC), qts_session_phase_name(got),
					qts_session_phase_name(expected));
}

static void
test_normal_day(void)
{
	QtsCalendarDay day = qts_calendar_normal(date_of(20261120));

	ok(phase_is(&day, 0, QTS_SESSION_CLOSED), "midnight");
	ok(phase_is(&day, clock_at(8, 30, 0) - 1, QTS_SESSION_CLOSED), "before 08:30");
	ok(phase_is(&day, clock_at(8, 30, 0), QTS_SESSION_OPENING_AUCTION), "08:30");
	ok(phase_is(&day, clock_at(9, 0, 0) - 1, QTS_SESSION_OPENING_AUCTION), "before 09:00");
	ok(phase_is(&day, clock_at(9, 0, 0), QTS_SESSION_CONTINUOUS), "09:00");
	ok(phase_is(&day, clock_at(15, 20, 0) - 1, QTS_SESSION_CONTINUOUS), "before 15:20");
	ok(phase_is(&day, clock_at(15, 20, 0), QTS_SESSION_CLOSING_AUCTION), "15:20");
	ok(phase_is(&day, clock_at(15, 30, 0) - 1, QTS_SESSION_CLOSING_AUCTION), "before 15:30");
	ok(phase_is(&day, clock_at(15, 30, 0), QTS_SESSION_AFTER_CLOSE), "15:30");
	ok(phase_is(&day, clock_at(16, 0, 0), QTS_SESSION_AFTER_CLOSE), "16:00");
	ok(phase_is(&day, clock_at(16, 0, 0) + 1, QTS_SESSION_CLOSED), "after 16:00");
}

static void
test_special_days(void)
{
	QtsCalendarDay exam = qts_calendar_normal(date_of(20261119));
	QtsCalendarDay first = qts_calendar_normal(date_of(20260102));
	QtsCalendarDay holiday = qts_calendar_normal(date_of(20260501));
	QtsCalendarDay broken = qts_calendar_normal(date_of(20261120));

	exam.auction_at += QTS_HOUR;
	exam.open_at += QTS_HOUR;
	exam.closing_auction_at += QTS_HOUR;
	exam.close_at += QTS_HOUR;
	exam.end_at += QTS_HOUR;
	ok(phase_is(&exam, clock_at(9, 30, 0), QTS_SESSION_OPENING_AUCTION), "CSAT day: 09:30");
	ok(phase_is(&exam, clock_at(10, 0, 0), QTS_SESSION_CONTINUOUS), "CSAT day: 10:00");
	ok(phase_is(&exam, clock_at(16, 19, 59), QTS_SESSION_CONTINUOUS), "CSAT day: 16:19:59");
	ok(phase_is(&exam, clock_at(16, 29, 59), QTS_SESSION_CLOSING_AUCTION), "CSAT day: 16:29:59");
	ok(phase_is(&exam, clock_at(16, 30, 0), QTS_SESSION_AFTER_CLOSE), "CSAT day: 16:30");

	first.auction_at += QTS_HOUR;
	first.open_at += QTS_HOUR;
	ok(phase_is(&first, clock_at(9, 59, 59), QTS_SESSION_OPENING_AUCTION), "first trading day: 09:59:59");
	ok(phase_is(&first, clock_at(10, 0, 0), QTS_SESSION_CONTINUOUS), "first trading day: 10:00");
	ok(phase_is(&first, clock_at(15, 30, 0), QTS_SESSION_AFTER_CLOSE), "first trading day closes as usual");

	holiday.is_open = false;
	ok(phase_is(&holiday, clock_at(10, 0, 0), QTS_SESSION_CLOSED), "a holiday is closed");

	is(qts_session_phase(NULL, qts_seoul_instant(broken.date, clock_at(10, 0, 0))), QTS_SESSION_UNKNOWN,
	   "no row: unknown");
	is(qts_session_phase(&broken, qts_seoul_instant(broken.date + 1, clock_at(10, 0, 0))),
	   QTS_SESSION_UNKNOWN, "the row of another day: unknown");
	broken.auction_at = broken.open_at;
	broken.closing_auction_at = broken.close_at = broken.end_at;
	ok(phase_is(&broken, clock_at(9, 0, 0), QTS_SESSION_CONTINUOUS), "a day without auctions");
	broken.closing_auction_at = broken.open_at;
	ok(phase_is(&broken, clock_at(9, 0, 0), QTS_SESSION_UNKNOWN), "a day without trading");
	broken = qts_calendar_normal(date_of(20261120));
	broken.close_at = clock_at(8, 0, 0);
	ok(phase_is(&broken, clock_at(10, 0, 0), QTS_SESSION_UNKNOWN), "times out of order: unknown");
}

/* The after-market of 2026-09-14 on, and the pre-market that was announced. */
static void
test_extended(void)
{
	QtsCalendarDay day = qts_calendar_normal(date_of(20260914));

	ok(phase_is(&day, clock_at(17, 0, 0), QTS_SESSION_CLOSED), "no after-market unless the day has one");
	day.after_at = clock_at(16, 0, 0);
	day.after_until = clock_at(20, 0, 0);
	day.pre_at = clock_at(7, 0, 0);
	day.pre_until = clock_at(8, 0, 0);
	ok(phase_is(&day, clock_at(7, 0, 0) - 1, QTS_SESSION_CLOSED), "before 07:00");
	ok(phase_is(&day, clock_at(7, 0, 0), QTS_SESSION_PRE_MARKET), "07:00");
	ok(phase_is(&day, clock_at(8, 0, 0) - 1, QTS_SESSION_PRE_MARKET), "before 08:00");
	ok(phase_is(&day, clock_at(8, 0, 0), QTS_SESSION_CLOSED), "08:00");
	ok(phase_is(&day, clock_at(9, 0, 0), QTS_SESSION_CONTINUOUS), "the regular session is untouched");
	ok(phase_is(&day, clock_at(16, 0, 0), QTS_SESSION_AFTER_CLOSE), "16:00 belongs to the close");
	ok(phase_is(&day, clock_at(16, 0, 0) + 1, QTS_SESSION_AFTER_MARKET), "right after 16:00");
	ok(phase_is(&day, clock_at(20, 0, 0) - 1, QTS_SESSION_AFTER_MARKET), "before 20:00");
	ok(phase_is(&day, clock_at(20, 0, 0), QTS_SESSION_CLOSED), "20:00");
	day.after_at = clock_at(14, 0, 0);
	day.pre_until = clock_at(10, 0, 0);
	ok(phase_is(&day, clock_at(14, 30, 0), QTS_SESSION_CONTINUOUS),
	   "an overlap does not reach into the session");
	ok(phase_is(&day, clock_at(8, 45, 0), QTS_SESSION_OPENING_AUCTION), "nor into the auction");
	day.after_until = clock_at(13, 0, 0);
	ok(phase_is(&day, clock_at(17, 0, 0), QTS_SESSION_CLOSED), "a window that ends before it starts is none");
	day.is_open = false;
	ok(phase_is(&day, clock_at(7, 30, 0), QTS_SESSION_CLOSED), "a closed day has no pre-market");
}

static bool
contradicted(const QtsCalendarDay *day, QtsTime tod)
{
	return qts_session_contradicted(day, qts_seoul_instant(day->date, tod));
}

static void
test_contradicted(void)
{
	QtsCalendarDay day = qts_calendar_normal(date_of(20261120));

	ok(contradicted(&day, clock_at(10, 0, 0)), "closed at ten: the calendar is wrong");
	ok(contradicted(&day, clock_at(9, 1, 0)), "a minute after the opening as well");
	ok(!contradicted(&day, clock_at(9, 0, 59)), "just after the opening clocks may differ");
	ok(contradicted(&day, clock_at(15, 18, 59)), "a minute before the auction");
	ok(!contradicted(&day, clock_at(15, 19, 0)), "not at its edge");
	ok(!contradicted(&day, clock_at(8, 0, 0)) && !contradicted(&day, clock_at(17, 0, 0)), "nor out of hours");
	day.is_open = false;
	ok(!contradicted(&day, clock_at(10, 0, 0)), "a closed day is not contradicted");
	ok(!qts_session_contradicted(NULL, 0), "nor an unknown one");
}

static void
test_permissions(void)
{
	static const struct
	{
		QtsSessionPhase phase;
		bool orders;
		bool evaluates;
		bool prints;
		bool resting;
		const char *name;
	} rows[] = {
		{QTS_SESSION_UNKNOWN, false, false, false, false, "UNKNOWN"},
		{QTS_SESSION_CLOSED, false, false, false, true, "CLOSED"},
		{QTS_SESSION_OPENING_AUCTION, false, false, false, false, "OPENING_AUCTION"},
		{QTS_SESSION_CONTINUOUS, true, true, true, false, "CONTINUOUS"},
		{QTS_SESSION_CLOSING_AUCTION, true, false, false, false, "CLOSING_AUCTION"},
		{QTS_SESSION_AFTER_CLOSE, false, false, false, true, "AFTER_CLOSE"},
		{QTS_SESSION_PRE_MARKET, false, false, false, true, "PRE_MARKET"},
		{QTS_SESSION_AFTER_MARKET, false, false, false, true, "AFTER_MARKET"},
		{(QtsSessionPhase) 99, false, false, false, false, "INVALID"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
	{
		ok(qts_session_accepts_orders(rows[i].phase) == rows[i].orders &&
			   qts_session_evaluates(rows[i].phase) == rows[i].evaluates &&
			   qts_session_prints(rows[i].phase) == rows[i].prints &&
			   qts_session_resting(rows[i].phase) == rows[i].resting,
		   rows[i].name);
		is_text(qts_session_phase_name(rows[i].phase), rows[i].name, "and its name");
	}
}

int
main(void)
{
	test_dates();
	test_every_day();
	test_instants();
	test_normal_day();
	test_special_days();
	test_extended();
	test_contradicted();
	test_permissions();
	return tap_done();
}
