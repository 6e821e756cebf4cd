/*-------------------------------------------------------------------------
 *
 * alarms.h
 *		What the monitor worker watches of the server itself.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BGWORKERS_ALARMS_H
#define QTS_BGWORKERS_ALARMS_H

#include "postgres.h"

extern void qts_alarms_start(void);

/* Workers held up by a missing standby; opens a transaction only to tell. */
extern void qts_alarms_standby(int64 mono);

/* Autovacuum, age of transaction ids, replication slots; inside the caller's transaction. */
extern void qts_alarms_server(void);

#endif /* QTS_BGWORKERS_ALARMS_H */
