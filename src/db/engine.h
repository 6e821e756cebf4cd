/*-------------------------------------------------------------------------
 *
 * engine.h
 *		May the engine act here?  The fence of the workers (architecture 5).
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_DB_ENGINE_H
#define QTS_DB_ENGINE_H

#include "postgres.h"

#include "shm/shm.h"

/*
 * Look at the engine row in a transaction of its own: RUNNING, or why not.
 * detail receives one line for status().  A promotion with failover auto
 * moves the timeline on by itself; everything else needs qts.activate().
 */
extern QtsWorkerState qts_engine_check(const char *role, Oid *role_oid, char *detail, size_t detail_size);

/* Timeline this primary writes on. */
extern uint32 qts_engine_timeline(void);

#endif /* QTS_DB_ENGINE_H */
