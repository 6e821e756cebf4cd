/*-------------------------------------------------------------------------
 *
 * exit_window.c
 *		How often a position whose price is quiet is looked at, and the first
 *		price of a session.
 *
 *-------------------------------------------------------------------------
 */
#include "core/exit_window.h"

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
