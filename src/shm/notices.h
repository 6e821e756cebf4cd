/*-------------------------------------------------------------------------
 *
 * notices.h
 *		Queue of execution notices from the prices worker, which owns the
 *		broker's socket, to the execution worker, which books them.
 *
 * One producer, one consumer, no lock.  The consumer moves the tail only
 * after its transaction has committed, so a notice is read again after an
 * error; (epoch, seq) is then the same and trade.notices refuses the copy.
 * When the queue is full the producer keeps the notice and stops reading its
 * socket: notices are never dropped.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_SHM_NOTICES_H
#define QTS_SHM_NOTICES_H

#include "postgres.h"

#include "port/atomics.h"

#include "broker/feed.h"

#define QTS_NOTICE_QUEUE 4096 /* a power of two */

typedef struct QtsNoticeQueue
{
	int64 epoch;		   /* random, set once per life of the shared memory */
	pg_atomic_uint64 head; /* next to write */
	pg_atomic_uint64 tail; /* next to read */
	QtsNotice entry[QTS_NOTICE_QUEUE];
} QtsNoticeQueue;

extern void qts_notices_init(QtsNoticeQueue *queue);

/* Producer. */
extern int qts_notices_room(void);
extern void qts_notices_push(const QtsNotice *notice);

/* Consumer: the i-th unread notice, false when there is none; then forget n. */
extern bool qts_notices_peek(int i, QtsNotice *out, int64 *epoch, int64 *seq);
extern void qts_notices_forget(int n);

#endif /* QTS_SHM_NOTICES_H */
