/*
 * clock.c
 *		Real, monotonic and virtual time, and the trading phases derived from the
 *		virtual one.
 *
 * Virtual time runs at `speed` from the instant it was set.  The watch timer wakes
 * at every minute that is a session boundary; a generation number retires timers
 * armed before the clock was moved.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "sim.h"

#define KST_US (INT64_C(9) * 3600 * 1000000)

static int64_t base_virtual;
static int64_t base_mono;
static double base_speed = 1.0;
static bool is_set = false;
static uint64_t watch_generation;

static int64_t
clock_read(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
qts_clock_real(void)
{
	return clock_read(CLOCK_REALTIME);
}

int64_t
qts_clock_mono(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

int64_t
qts_clock_now(void)
{
	if (!is_set)
		return qts_clock_real();
	return base_virtual + (int64_t) ((double) (qts_clock_mono() - base_mono) * base_speed);
}

/* What the broker's own clock writes on orders, notices and prints. */
int64_t
qts_clock_stamp(void)
{
	return qts_clock_now() + qts_options.clock_skew_ms * 1000;
}

/* The minute of the day. */
int
qts_clock_minute(void)
{
	int tmd = qts_clock_tmd(qts_clock_now());

	return tmd / 10000 * 60 + tmd / 100 % 100;
}

double
qts_clock_speed(void)
{
	return base_speed;
}

void
qts_clock_set(int64_t virtual_us, double speed)
{
	base_virtual = virtual_us;
	base_mono = qts_clock_mono();
	base_speed = speed;
	is_set = true;
}

/* ISO 8601 with seconds; a missing zone means KST. */
bool
qts_clock_parse(const char *text, int64_t *us)
{
	struct tm tm = {0};
	int used = 0;
	int zone_h;
	int zone_m;
	int64_t shift = 9 * 3600;

	if (text == NULL ||
		sscanf(text, "%4d-%2d-%2d%*1[T ]%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
			   &tm.tm_min, &tm.tm_sec, &used) < 6 ||
		used == 0)
		return false;
	text += used;
	if (*text == '.')
		text += 1 + strspn(text + 1, "0123456789");
	if (*text == 'Z')
		shift = 0;
	else if ((*text == '+' || *text == '-') && sscanf(text + 1, "%2d:%2d", &zone_h, &zone_m) == 2)
		shift = (*text == '-' ? -1 : 1) * (zone_h * 3600 + zone_m * 60);
	else if (*text != '\0')
		return false;
	/* Bounded so that no later arithmetic on the instant can overflow. */
	if (tm.tm_year < 1970 || tm.tm_year > 2200 || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 ||
		tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*us = ((int64_t) timegm(&tm) - shift) * 1000000;
	return true;
}

static void
clock_split(int64_t us, struct tm *tm)
{
	time_t seconds = (time_t) ((us + KST_US) / 1000000);

	gmtime_r(&seconds, tm);
}

int
qts_clock_date(int64_t us)
{
	struct tm tm;

	clock_split(us, &tm);
	return (tm.tm_year + 1900) * 10000 + (tm.tm_mon + 1) * 100 + tm.tm_mday;
}

int
qts_clock_tmd(int64_t us)
{
	struct tm tm;

	clock_split(us, &tm);
	return tm.tm_hour * 10000 + tm.tm_min * 100 + tm.tm_sec;
}

/* 0 is Sunday. */
int
qts_clock_weekday(int64_t us)
{
	struct tm tm;

	clock_split(us, &tm);
	return tm.tm_wday;
}

void
qts_clock_format(int64_t us, const char *format, char *target, size_t size)
{
	struct tm tm;

	clock_split(us, &tm);
	if (strftime(target, size, format, &tm) == 0)
		target[0] = '\0';
}

bool
qts_clock_is_holiday(int64_t us)
{
	int weekday = qts_clock_weekday(us);
	int date = qts_clock_date(us);

	if (weekday == 0 || weekday == 6)
		return true;
	for (int i = 0; i < qts_options.n_holidays; i++)
		if (qts_options.holidays[i] == date)
			return true;
	return false;
}

QtsPhase
qts_clock_phase(void)
{
	int64_t now = qts_clock_now();
	int minute = qts_clock_minute();

	if (qts_options.market_open >= 0)
		return qts_options.market_open ? QTS_PHASE_CONTINUOUS : QTS_PHASE_AFTER;
	if (qts_clock_is_holiday(now))
		return QTS_PHASE_HOLIDAY;
	if (minute < qts_options.open_min)
		return minute >= qts_options.preopen_min ? QTS_PHASE_OPENING : QTS_PHASE_BEFORE;
	if (minute < qts_options.closing_min)
		return QTS_PHASE_CONTINUOUS;
	if (minute < qts_options.close_min)
		return QTS_PHASE_CLOSING;
	if (!qts_options.is_paper && minute >= qts_options.after_open_min && minute < qts_options.after_close_min)
		return QTS_PHASE_AFTER_MARKET;
	return QTS_PHASE_AFTER;
}

const char *
qts_clock_phase_name(QtsPhase phase)
{
	static const char *const names[] = {"holiday", "before", "opening",		"continuous",
										"closing", "after",	 "after_market"};

	return names[phase];
}

static void
clock_watch_fired(void *arg, uint64_t tag)
{
	(void) arg;
	if (tag == watch_generation)
		qts_clock_watch();
}

/*
 * Apply whatever the present instant means for open orders, then sleep until the
 * next whole virtual minute: every boundary is one.
 */
void
qts_clock_watch(void)
{
	int64_t left = 60000000 - qts_clock_now() % 60000000;
	double real_us;

	qts_session_apply();
	watch_generation++;
	if (base_speed <= 0)
		return;
	real_us = (double) left / base_speed;
	qts_net_timer((int64_t) real_us + 100, clock_watch_fired, NULL, watch_generation);
}
