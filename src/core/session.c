/*-------------------------------------------------------------------------
 *
 * session.c
 *		Trading calendar: which phase of which trading day an instant is in.
 *
 * Seoul is UTC+9 without daylight saving; the server's TimeZone and libc play
 * no part.
 *
 *-------------------------------------------------------------------------
 */
#include "core/session.h"
#include "core/names.h"

#define SESSION_SEOUL_OFFSET (9 * QTS_HOUR)

/* Days from 2000-03-01, where a 400-year cycle of the calendar starts. */
#define SESSION_MARCH_2000 60
#define SESSION_DAYS_400Y 146097
#define SESSION_DAYS_100Y 36524
#define SESSION_DAYS_4Y 1461

static const char *const session_names[] = {
	[QTS_SESSION_UNKNOWN] = "UNKNOWN",
	[QTS_SESSION_CLOSED] = "CLOSED",
	[QTS_SESSION_OPENING_AUCTION] = "OPENING_AUCTION",
	[QTS_SESSION_CONTINUOUS] = "CONTINUOUS",
	[QTS_SESSION_CLOSING_AUCTION] = "CLOSING_AUCTION",
	[QTS_SESSION_AFTER_CLOSE] = "AFTER_CLOSE",
	[QTS_SESSION_PRE_MARKET] = "PRE_MARKET",
	[QTS_SESSION_AFTER_MARKET] = "AFTER_MARKET",
};

QtsCalendarDay
qts_calendar_normal(QtsDate date)
{
	QtsCalendarDay day = {
		.date = date,
		.is_open = true,
		.auction_at = 8 * QTS_HOUR + 30 * QTS_MINUTE,
		.open_at = 9 * QTS_HOUR,
		.closing_auction_at = 15 * QTS_HOUR + 20 * QTS_MINUTE,
		.close_at = 15 * QTS_HOUR + 30 * QTS_MINUTE,
		.end_at = 16 * QTS_HOUR,
	};

	return day;
}

/* Split without adding to the instant first: near the ends that would overflow. */
static QtsTime
session_split(QtsTime at, QtsDate *date)
{
	QtsTime rest = at % QTS_DAY;
	int64_t days = at / QTS_DAY;

	if (rest < 0)
	{
		rest += QTS_DAY;
		days--;
	}
	rest += SESSION_SEOUL_OFFSET;
	if (rest >= QTS_DAY)
	{
		rest -= QTS_DAY;
		days++;
	}
	*date = (QtsDate) days;
	return rest;
}

QtsDate
qts_seoul_date(QtsTime at)
{
	QtsDate date;

	(void) session_split(at, &date);
	return date;
}

QtsTime
qts_seoul_time_of_day(QtsTime at)
{
	QtsDate date;

	return session_split(at, &date);
}

/* QTS_TIME_NONE when the instant does not exist. */
QtsTime
qts_seoul_instant(QtsDate date, QtsTime time_of_day)
{
	QtsTime at;

	if (__builtin_mul_overflow((int64_t) date, QTS_DAY, &at) ||
		__builtin_add_overflow(at, time_of_day, &at) || __builtin_sub_overflow(at, SESSION_SEOUL_OFFSET, &at))
		return QTS_TIME_NONE;
	return at;
}

static bool
session_leap_year(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int
session_month_days(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return month == 2 && session_leap_year(year) ? 29 : days[month - 1];
}

/* Days from 1 March to the first of the month, March being month 0. */
static int
session_march_days(int month)
{
	return (153 * month + 2) / 5;
}

static int
session_floor_div(int a, int b)
{
	return a / b - (a % b < 0 ? 1 : 0);
}

/* 0 outside the four-digit years. */
int32_t
qts_date_yyyymmdd(QtsDate date)
{
	int64_t days = (int64_t) date - SESSION_MARCH_2000;
	int64_t cycle;
	int64_t day;
	int64_t year;
	int month;

	cycle = days / SESSION_DAYS_400Y - (days % SESSION_DAYS_400Y < 0 ? 1 : 0);
	day = days - cycle * SESSION_DAYS_400Y;
	/* the last day of a cycle and of four years would open a year too many */
	year =
		(day - day / (SESSION_DAYS_4Y - 1) + day / SESSION_DAYS_100Y - day / (SESSION_DAYS_400Y - 1)) / 365;
	day -= year * 365 + year / 4 - year / 100;
	year += 2000 + cycle * 400;
	month = (int) (5 * day + 2) / 153;
	day -= session_march_days(month);
	if (month >= 10)
		year++;
	if (year < 1000 || year > 9999)
		return 0;
	return (int32_t) (year * 10000 + (month < 10 ? month + 3 : month - 9) * 100 + day + 1);
}

bool
qts_date_from_yyyymmdd(int32_t yyyymmdd, QtsDate *out)
{
	int year = yyyymmdd / 10000;
	int month = yyyymmdd / 100 % 100;
	int day = yyyymmdd % 100;
	int since;

	if (year < 1000 || year > 9999 || month < 1 || month > 12 || day < 1 ||
		day > session_month_days(year, month))
		return false;
	/* count years from March so that the leap day comes last */
	since = year - 2000 - (month < 3 ? 1 : 0);
	*out = SESSION_MARCH_2000 + since * 365 + session_floor_div(since, 4) - session_floor_div(since, 100) +
		   session_floor_div(since, 400) + session_march_days(month < 3 ? month + 9 : month - 3) + day - 1;
	return true;
}

int
qts_weekday(QtsDate date)
{
	/* 2000-01-01 was a Saturday */
	return (date % 7 + 7 + 6) % 7;
}

static bool
session_day_sane(const QtsCalendarDay *day)
{
	return day->auction_at <= day->open_at && day->open_at < day->closing_auction_at &&
		   day->closing_auction_at <= day->close_at && day->close_at <= day->end_at;
}

/* Outside of the regular day; windows that overlap it count only where they do not. */
static QtsSessionPhase
session_extended(const QtsCalendarDay *day, QtsTime tod)
{
	if (tod < day->auction_at)
		return tod >= day->pre_at && tod < day->pre_until ? QTS_SESSION_PRE_MARKET : QTS_SESSION_CLOSED;
	return tod >= day->after_at && tod < day->after_until ? QTS_SESSION_AFTER_MARKET : QTS_SESSION_CLOSED;
}

QtsSessionPhase
qts_session_phase(const QtsCalendarDay *day, QtsTime at)
{
	QtsDate date;
	QtsTime tod = session_split(at, &date);

	/* a row of another day or out of order is no knowledge */
	if (day == NULL || day->date != date)
		return QTS_SESSION_UNKNOWN;
	if (!day->is_open)
		return QTS_SESSION_CLOSED;
	if (!session_day_sane(day))
		return QTS_SESSION_UNKNOWN;
	if (tod < day->auction_at || tod > day->end_at)
		return session_extended(day, tod);
	if (tod < day->open_at)
		return QTS_SESSION_OPENING_AUCTION;
	if (tod < day->closing_auction_at)
		return QTS_SESSION_CONTINUOUS;
	if (tod < day->close_at)
		return QTS_SESSION_CLOSING_AUCTION;
	return QTS_SESSION_AFTER_CLOSE;
}

bool
qts_session_accepts_orders(QtsSessionPhase phase)
{
	return phase == QTS_SESSION_CONTINUOUS || phase == QTS_SESSION_CLOSING_AUCTION;
}

bool
qts_session_evaluates(QtsSessionPhase phase)
{
	/* auction books are indicative and nothing prints */
	return phase == QTS_SESSION_CONTINUOUS;
}

bool
qts_session_prints(QtsSessionPhase phase)
{
	return phase == QTS_SESSION_CONTINUOUS;
}

bool
qts_session_resting(QtsSessionPhase phase)
{
	return phase == QTS_SESSION_CLOSED || phase == QTS_SESSION_AFTER_CLOSE ||
		   phase == QTS_SESSION_PRE_MARKET || phase == QTS_SESSION_AFTER_MARKET;
}

bool
qts_session_contradicted(const QtsCalendarDay *day, QtsTime at)
{
	return qts_session_phase(day, at - QTS_MINUTE) == QTS_SESSION_CONTINUOUS &&
		   qts_session_phase(day, at + QTS_MINUTE) == QTS_SESSION_CONTINUOUS;
}

const char *
qts_session_phase_name(QtsSessionPhase phase)
{
	return qts_name_of(session_names, sizeof(session_names) / sizeof(session_names[0]), (int) phase);
}
