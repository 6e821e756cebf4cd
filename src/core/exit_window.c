/*-------------------------------------------------------------------------
 *
 * exit_window.c
 *		How often a position whose price is quiet is looked at, when a refused
 *		rule is tried again, and the first price of a session.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "core/exit_window.h"
#include "core/rate.h"

/* Where a window lies on the day; false when there is no session. */
static bool
window_on(const QtsExitWindow *window, const QtsCalendarDay *day, QtsTime *from, QtsTime *until)
{
	QtsTime anchor;

	if (day == NULL || !day->is_open || window->every <= 0)
		return false;
	anchor = qts_seoul_instant(day->date, window->close ? day->close_at : day->open_at);
	*from = anchor + window->from;
	*until = anchor + window->until;
	return *from < *until;
}

QtsTime
qts_exit_interval(const QtsExitWindow *windows, int count, const QtsCalendarDay *day, QtsTime now,
				  QtsTime usual)
{
	QtsTime least = usual;

	for (int i = 0; i < count; i++)
	{
		QtsTime from;
		QtsTime until;

		if (window_on(&windows[i], day, &from, &until) && now >= from && now < until &&
			windows[i].every < least)
			least = windows[i].every;
	}
	return least;
}

QtsTime
qts_exit_interval_holds(const QtsExitWindow *windows, int count, const QtsCalendarDay *day, QtsTime now,
						QtsTime limit)
{
	QtsTime least = limit;

	for (int i = 0; i < count; i++)
	{
		QtsTime from;
		QtsTime until;

		if (!window_on(&windows[i], day, &from, &until))
			continue;
		if (from > now && from - now < least)
			least = from - now;
		if (until > now && until - now < least)
			least = until - now;
	}
	return least;
}

bool
qts_printed_since(QtsTime exch_at, QtsTime recv_at, int64_t volume, QtsTime open_at)
{
	return volume > 0 && (exch_at != QTS_TIME_NONE ? exch_at : recv_at) >= open_at;
}

QtsTime
qts_exit_retry_at(int refused, QtsTime last)
{
	return refused <= 0 ? QTS_TIME_NONE : last + qts_backoff(refused - 1, QTS_SEC, 300 * QTS_SEC, 0);
}

bool
qts_exit_wait_add(QtsExitWait *waits, QtsExitRule rule, int custom, QtsTime until)
{
	QtsExitWait *place = &waits[0];
	bool room;

	for (int i = 0; i < QTS_EXIT_WAITS; i++)
	{
		/* what ends first is worth least; an unused one ended long ago */
		if (waits[i].until < place->until)
			place = &waits[i];
	}
	for (int i = 0; i < QTS_EXIT_WAITS; i++)
	{
		if (waits[i].until != 0 && waits[i].rule == rule && waits[i].custom == custom)
			place = &waits[i];
	}
	room = place->until == 0 || (place->rule == rule && place->custom == custom);
	*place = (QtsExitWait){.until = until, .rule = rule, .custom = custom};
	return room;
}

bool
qts_exit_wait_apply(QtsExitWait *waits, QtsExitPosition *position, QtsTime now)
{
	bool over = false;

	memset(position->wait_rule, 0, sizeof(position->wait_rule));
	memset(position->wait_custom, 0, sizeof(position->wait_custom));
	for (int i = 0; i < QTS_EXIT_WAITS; i++)
	{
		QtsExitWait *wait = &waits[i];
		bool waiting = wait->until > now;

		if (wait->until == 0)
			continue;
		if (wait->rule == QTS_RULE_CUSTOM && wait->custom >= 0 && wait->custom < QTS_CUSTOM_MAX)
			position->wait_custom[wait->custom] = waiting;
		else
			position->wait_rule[wait->rule] = waiting;
		if (waiting)
			continue;
		wait->until = 0;
		over = true;
	}
	return over;
}
