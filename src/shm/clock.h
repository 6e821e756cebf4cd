/*-------------------------------------------------------------------------
 *
 * clock.h
 *		qts_now(): the one clock of market logic.
 *
 * The server's clock, or with qts.sim_clock a virtual one that runs from
 * where qts.set_clock() put it, the same for every process.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_SHM_CLOCK_H
#define QTS_SHM_CLOCK_H

#include "postgres.h"

#include "utils/timestamp.h"

extern TimestampTz qts_now(void);

#ifdef QTS_POINTS
/* Time of this process alone, if set: a simulation (test/chaos). */
extern PGDLLEXPORT TimestampTz qts_clock_fixed;
#endif

extern void qts_clock_set(TimestampTz at);
extern void qts_clock_advance(int64 usec);
extern int64 qts_clock_offset(void);

/* After a restart: take the stored offset, unless the clock was set since. */
extern void qts_clock_restore(int64 usec);

#endif /* QTS_SHM_CLOCK_H */
