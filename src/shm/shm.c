/*-------------------------------------------------------------------------
 *
 * shm.c
 *		Reserves and initialises the engine's shared memory.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"

#include "errcodes.h"
#include "shm/board.h"
#include "shm/books.h"
#include "shm/point.h"
#include "shm/progress.h"
#include "shm/shm.h"

QtsShared *qts_shm = NULL;

static shmem_request_hook_type prev_request = NULL;
static shmem_startup_hook_type prev_startup = NULL;

static void
shm_request(void)
{
	if (prev_request)
		prev_request();
	RequestAddinShmemSpace(
		add_size(MAXALIGN(sizeof(QtsShared)), add_size(qts_board_size(), qts_books_size())));
	RequestAddinShmemSpace(MAXALIGN(qts_progress_size()));
#ifdef QTS_POINTS
	RequestAddinShmemSpace(qts_points_size());
#endif
	RequestNamedLWLockTranche("qts", 2);
}

static void
shm_startup(void)
{
	bool found;

	if (prev_startup)
		prev_startup();

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	qts_shm = ShmemInitStruct("qts", sizeof(QtsShared), &found);
	if (!found)
	{
		memset(qts_shm, 0, sizeof(QtsShared));
		qts_shm->lock = &GetNamedLWLockTranche("qts")[0].lock;
		qts_shm->rate_lock = &GetNamedLWLockTranche("qts")[1].lock;
		for (int i = 0; i < QTS_WORKER_COUNT; i++)
		{
			pg_atomic_init_u32(&qts_shm->slot[i].proc, 0);
			pg_atomic_init_u64(&qts_shm->slot[i].heartbeat, 0);
			pg_atomic_init_u64(&qts_shm->slot[i].turns, 0);
		}
		for (int i = 0; i < QTS_CHANGE_COUNT; i++)
			pg_atomic_init_u64(&qts_shm->changes[i], 1);
		pg_atomic_init_u64(&qts_shm->clock_offset, 0);
		pg_atomic_init_u32(&qts_shm->clock_known, 0);
		pg_atomic_init_u64(&qts_shm->feed_gap, 1);
		pg_atomic_init_u64(&qts_shm->ticks_waiting, 0);
		qts_notices_init(&qts_shm->notices);
		qts_stats_init(&qts_shm->stats);
	}
	qts_board_attach();
	qts_books_attach();
	qts_progress_attach();
#ifdef QTS_POINTS
	qts_points_attach();
#endif
	LWLockRelease(AddinShmemInitLock);
}

void
qts_shm_install(void)
{
	prev_request = shmem_request_hook;
	shmem_request_hook = shm_request;
	prev_startup = shmem_startup_hook;
	shmem_startup_hook = shm_startup;
}

void
qts_require_preload(void)
{
	if (qts_shm == NULL)
		ereport(
			ERROR,
			(errcode(QTS_ERRCODE_NOT_PRELOADED), errmsg("qts is not preloaded"),
			 errdetail(
				 "The engine's workers and shared memory exist only when the server starts with the library."),
			 errhint("Add qts to shared_preload_libraries in postgresql.conf and restart the server.")));
}

const char *
qts_worker_state_name(QtsWorkerState state)
{
	switch (state)
	{
		case QTS_STATE_NOT_STARTED:
			return "NOT_STARTED";
		case QTS_STATE_PARKED:
			return "PARKED";
		case QTS_STATE_CONNECTING:
			return "CONNECTING";
		case QTS_STATE_NO_EXTENSION:
			return "NO_EXTENSION";
		case QTS_STATE_INACTIVE:
			return "INACTIVE";
		case QTS_STATE_FENCED:
			return "FENCED";
		case QTS_STATE_MISMATCH:
			return "VERSION_MISMATCH";
		case QTS_STATE_WAITING:
			return "WAITING";
		case QTS_STATE_RUNNING:
			return "RUNNING";
		case QTS_STATE_ERROR:
			return "ERROR";
	}
	return "?";
}
