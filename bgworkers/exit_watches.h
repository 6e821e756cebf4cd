/*-------------------------------------------------------------------------
 *
 * exit_watches.h
 *		What the exit worker watches: positions by id and by board slot, and
 *		the settings that hold for them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BGWORKERS_EXIT_WATCHES_H
#define QTS_BGWORKERS_EXIT_WATCHES_H

#include "core/exit_window.h"
#include "db/exit_store.h"

#define QTS_EXIT_WINDOWS 16

typedef struct QtsWatches
{
	QtsWatch *all;
	int count;
	int *by_slot; /* first watch of a board slot, -1 = none */
	int nslots;
	int unplaced; /* watches whose symbol the board does not know yet */
	bool touched; /* some are to be looked at, or stored, whatever their prices do */
	QtsProfileRow *profiles;
	int nprofiles;
	QtsControlMode control;
	QtsEscalationLevel level; /* of stale prices, by the rows */
	QtsExitWindow windows[QTS_EXIT_WINDOWS];
	int nwindows;
	bool day_known;
	QtsCalendarDay day;
} QtsWatches;

extern QtsWatches qts_watches;

extern void qts_watches_start(void);

/*
 * Take in what others changed: ended intents at once, settings and a new day at
 * once, positions at a bounded rate.  False: not now, the engine may not act.
 * *later: something waits for the next turn.
 */
extern bool qts_watches_follow(TimestampTz now, int64 mono, bool *later);

/* Slots of symbols the board did not know when the watches were loaded. */
extern void qts_watches_find_slots(void);

#endif /* QTS_BGWORKERS_EXIT_WATCHES_H */
