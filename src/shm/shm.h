/*-------------------------------------------------------------------------
 *
 * shm.h
 *		The engine's one shared struct: worker slots, clock, notice queue.
 *
 * Values only: no pointers but the server's own LWLock, no descriptors, no
 * handles.  After a crash restart it is empty, and that must be fine.
 * Every field names its lock.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_SHM_SHM_H
#define QTS_SHM_SHM_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "port/atomics.h"
#include "storage/lwlock.h"

#include "core/breaker.h"
#include "shm/notices.h"
#include "shm/price_sync.h"
#include "shm/rate_shared.h"
#include "shm/stats.h"
#include "shm/wake.h"

#define QTS_SHM_DETAIL 160
#define QTS_SHM_FEEDS 16
#define QTS_SHM_SESSIONS 16

typedef enum QtsWorkerState
{
	QTS_STATE_NOT_STARTED,
	QTS_STATE_PARKED, /* qts.enabled is off, or no database named */
	QTS_STATE_CONNECTING,
	QTS_STATE_NO_EXTENSION,
	QTS_STATE_INACTIVE, /* qts.activate() has not run */
	QTS_STATE_FENCED,	/* another cluster or timeline: QT204 */
	QTS_STATE_MISMATCH, /* library and SQL versions differ: QT203 */
	QTS_STATE_WAITING,	/* another process holds the leader lock */
	QTS_STATE_RUNNING,
	QTS_STATE_ERROR
} QtsWorkerState;

/*
 * One per worker.  Every field is under QtsShared.lock, except those at the
 * end, which only the owner writes, at every turn.
 */
typedef struct QtsSlot
{
	pid_t pid;	/* 0 = not attached */
	int procno; /* valid while pid != 0 */
	QtsWorkerState state;
	TimestampTz since;
	int64 errors; /* failed turns in all */
	int errors_in_row;
	int failed_connects; /* in a row: paces the next attempt */
	TimestampTz last_error_at;
	char last_error[QTS_SHM_DETAIL];
	char detail[QTS_SHM_DETAIL];
	pg_atomic_uint32 proc;		/* process number + 1; 0 = nobody to wake */
	pg_atomic_uint64 heartbeat; /* TimestampTz */
	pg_atomic_uint64 turns;
} QtsSlot;

/* One per broker feed, written by the prices worker; under QtsShared.lock. */
typedef struct QtsFeedSlot
{
	char name[64]; /* credentials name; "" = free */
	char state[16];
	TimestampTz since;
	uint64 epoch;
	uint64 frames;
	uint64 ticks;
	uint64 notices;
	uint64 malformed;
	uint64 overflow;
	char detail[QTS_SHM_DETAIL];
} QtsFeedSlot;

/* One per broker session, written by the execution worker; under QtsShared.lock. */
typedef struct QtsSessionSlot
{
	char name[64]; /* credentials name; "" = free */
	char state[16];
	TimestampTz since;
	int rate; /* requests per second; 0 = no limit */
	uint8 breaker[QTS_BREAKER_CLASS_COUNT];
	uint64 opens[QTS_BREAKER_CLASS_COUNT];
	char detail[QTS_SHM_DETAIL];
} QtsSessionSlot;

typedef struct QtsShared
{
	LWLock *lock;
	LWLock *rate_lock;
	QtsSlot slot[QTS_WORKER_COUNT];
	QtsFeedSlot feed[QTS_SHM_FEEDS];
	QtsSessionSlot session[QTS_SHM_SESSIONS];
	QtsRateSlot rate[QTS_SHM_RATES];
	QtsPriceSync price_sync; /* under lock */

	/* lock-free */
	pg_atomic_uint64 changes[QTS_CHANGE_COUNT];
	pg_atomic_uint64 clock_offset;	/* int64 microseconds, sim clock only */
	pg_atomic_uint32 clock_known;	/* set, or restored from the engine row */
	pg_atomic_uint64 feed_gap;		/* grows whenever notices may have been missed */
	pg_atomic_uint64 ticks_waiting; /* rows that wait for locked tables + 1; 0 = nothing waits */
	QtsNoticeQueue notices;
	QtsStats stats;
} QtsShared;

/* NULL when the library is not preloaded. */
extern QtsShared *qts_shm;

extern void qts_shm_install(void); /* hooks; from _PG_init only */

/* Raise QT201 unless the library was preloaded. */
extern void qts_require_preload(void);

extern const char *qts_worker_state_name(QtsWorkerState state);

#endif /* QTS_SHM_SHM_H */
