/*-------------------------------------------------------------------------
 *
 * reads.c
 *		Hits, misses and stale reads of the caches in shared memory.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/ipc.h"

#include "shm/reads.h"
#include "shm/shm.h"

uint32 qts_reads_here[QTS_CACHE_COUNT][QTS_READ_COUNT];
int qts_reads_room = 0; /* the first read registers the callback */

static void
reads_at_exit(int code, Datum arg)
{
	qts_reads_flush();
}

void
qts_reads_flush(void)
{
	static int registered_pid = 0; /* of this process, not of the one it was forked from */

	if (qts_shm == NULL)
		return;
	for (int c = 0; c < QTS_CACHE_COUNT; c++)
	{
		for (int r = 0; r < QTS_READ_COUNT; r++)
		{
			if (qts_reads_here[c][r] != 0)
				pg_atomic_fetch_add_u64(&qts_shm->stats.reads[c][r], qts_reads_here[c][r]);
			qts_reads_here[c][r] = 0;
		}
	}
	qts_reads_room = QTS_READS_PER_FLUSH;
	if (registered_pid == MyProcPid)
		return;
	registered_pid = MyProcPid;
	before_shmem_exit(reads_at_exit, (Datum) 0);
}

uint64
qts_reads_value(QtsCache cache, QtsRead read)
{
	return pg_atomic_read_u64(&qts_shm->stats.reads[cache][read]);
}

const char *
qts_cache_name(QtsCache cache)
{
	static const char *const names[QTS_CACHE_COUNT] = {
		[QTS_CACHE_PRICE] = "price",
		[QTS_CACHE_BOOK] = "book",
	};

	return names[cache];
}

const char *
qts_read_name(QtsRead read)
{
	static const char *const names[QTS_READ_COUNT] = {
		[QTS_READ_HIT] = "hit",
		[QTS_READ_MISS] = "miss",
		[QTS_READ_STALE] = "stale",
	};

	return names[read];
}
