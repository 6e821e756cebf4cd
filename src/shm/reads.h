/*-------------------------------------------------------------------------
 *
 * reads.h
 *		Hits, misses and stale reads of the caches in shared memory.
 *
 * A read takes nanoseconds, a shared counter that many processes write takes
 * a hundred: each process counts for itself and adds up every thousand reads,
 * when it asks for the figures, and when it ends.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_SHM_READS_H
#define QTS_SHM_READS_H

#include "postgres.h"

#include "shm/stats.h"

#define QTS_READS_PER_FLUSH 1024

extern uint32 qts_reads_here[QTS_CACHE_COUNT][QTS_READ_COUNT];
extern int qts_reads_room; /* until the next flush */

extern void qts_reads_flush(void);
extern uint64 qts_reads_value(QtsCache cache, QtsRead read);
extern const char *qts_cache_name(QtsCache cache);
extern const char *qts_read_name(QtsRead read);

static inline void
qts_read_count(QtsCache cache, QtsRead read)
{
	qts_reads_here[cache][read]++;
	if (unlikely(--qts_reads_room < 0))
		qts_reads_flush();
}

/* At the end of a turn: a worker that reads seldom must not keep its figures for hours. */
static inline void
qts_reads_settle(void)
{
	if (qts_reads_room != QTS_READS_PER_FLUSH && qts_reads_room != 0)
		qts_reads_flush();
}

#endif /* QTS_SHM_READS_H */
