/*-------------------------------------------------------------------------
 *
 * exit_window.h
 *		How often a position whose price is quiet is looked at (runtime 4.13),
 *		and when a refused rule is tried again.
 *
 * Windows are data (trade.exit_windows) and move with the day's hours.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_EXIT_WINDOW_H
#define QTS_CORE_EXIT_WINDOW_H

#include "core/exit.h"
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

/* When a rule that the broker refused so often, last at that instant, is tried again: 1 s to 5 min later. */
extern QtsTime qts_exit_retry_at(int refused, QtsTime last);

/* A refused rule waits, and no other for it.  How many of a position are remembered: */
#define QTS_EXIT_WAITS 4

typedef struct QtsExitWait
{
	QtsTime until; /* 0 = unused */
	QtsExitRule rule;
	int custom;
} QtsExitWait;

/* False: another one is forgotten for it, and decided again as if it need not wait. */
extern bool qts_exit_wait_add(QtsExitWait *waits, QtsExitRule rule, int custom, QtsTime until);

/* Tells the position which rules wait; true: one has waited long enough. */
extern bool qts_exit_wait_apply(QtsExitWait *waits, QtsExitPosition *position, QtsTime now);

#endif /* QTS_CORE_EXIT_WINDOW_H */
