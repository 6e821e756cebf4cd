/*-------------------------------------------------------------------------
 *
 * notices.c
 *		Single-producer, single-consumer queue of execution notices.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "shm/notices.h"
#include "shm/shm.h"

void
qts_notices_init(QtsNoticeQueue *queue)
{
	uint64 random;

	if (!pg_strong_random(&random, sizeof(random)))
		elog(ERROR, "could not get random bytes for the notice queue");
	queue->epoch = (int64) (random >> 1);
	pg_atomic_init_u64(&queue->head, 0);
	pg_atomic_init_u64(&queue->tail, 0);
}

int
qts_notices_room(void)
{
	QtsNoticeQueue *queue = &qts_shm->notices;

	return QTS_NOTICE_QUEUE - (int) (pg_atomic_read_u64(&queue->head) - pg_atomic_read_u64(&queue->tail));
}

void
qts_notices_push(const QtsNotice *notice)
{
	QtsNoticeQueue *queue = &qts_shm->notices;
	uint64 head = pg_atomic_read_u64(&queue->head);

	Assert(qts_notices_room() > 0);
	queue->entry[head % QTS_NOTICE_QUEUE] = *notice;
	pg_write_barrier(); /* the entry before the head that publishes it */
	pg_atomic_write_u64(&queue->head, head + 1);
}

bool
qts_notices_peek(int i, QtsNotice *out, int64 *epoch, int64 *seq)
{
	QtsNoticeQueue *queue = &qts_shm->notices;
	uint64 at = pg_atomic_read_u64(&queue->tail) + i;

	if (at >= pg_atomic_read_u64(&queue->head))
		return false;
	pg_read_barrier();
	*out = queue->entry[at % QTS_NOTICE_QUEUE];
	*epoch = queue->epoch;
	*seq = (int64) at;
	return true;
}

void
qts_notices_forget(int n)
{
	QtsNoticeQueue *queue = &qts_shm->notices;

	pg_memory_barrier(); /* entries are read before their room is given back */
	pg_atomic_write_u64(&queue->tail, pg_atomic_read_u64(&queue->tail) + n);
}
