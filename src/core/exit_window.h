/*-------------------------------------------------------------------------
 *
 * exit_window.h
 *		How often a position whose price is quiet is looked at (runtime 4.13).
 *
 * Windows are data (trade.exit_windows) and move with the day's hours.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_EXIT_WINDOW_H
#define QTS_CORE_EXIT_WINDOW_H

#include "core/session.h"

typedef struct QtsExitWindow
{
	bool close;	   /* relative to the close, else to the open */
	QtsTime from;  /* [from, until) of it */
	QtsTime until; /* may be before it, and across */
	QtsTime every; /* > 0 */
} QtsExitWindow;

/* The shortest interval of the windows the instant is in, else the usual one; day NULL = no windows. */
extern QtsTime qts_exit_interval(const QtsExitWindow *windows, int count, const QtsCalendarDay *day,
								 QtsTime now, QtsTime usual);

/* Time until one begins or ends, at most limit: when the interval has to be asked again. */
extern QtsTime qts_exit_interval_holds(const QtsExitWindow *windows, int count, const QtsCalendarDay *day,
									   QtsTime now, QtsTime limit);

/*
 * Was this quote printed in the session that began at open_at?  What a source
 * repeats of yesterday, or of the auction, is not its first price.
 */
extern bool qts_printed_since(QtsTime exch_at, QtsTime recv_at, int64_t volume, QtsTime open_at);

#endif /* QTS_CORE_EXIT_WINDOW_H */
