/*-------------------------------------------------------------------------
 *
 * rate_shared.h
 *		Rate limiters in shared memory, one per app key.
 *
 * The broker counts per app key, whichever process asks.  A limiter outlives
 * the process that used it: one that starts afresh knows what was sent.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_SHM_RATE_SHARED_H
#define QTS_SHM_RATE_SHARED_H

#include "postgres.h"

#include "core/rate.h"

#define QTS_SHM_RATES 32

/* Under QtsShared.rate_lock.  The key is a digest: no secret is in shared memory. */
typedef struct QtsRateSlot
{
	uint64 key[2]; /* zeros = free */
	int64 used_at; /* monotonic us */
	QtsRateLimiter limiter;
} QtsRateSlot;

/*
 * The limiter of an app key at one broker; made when it is the first time.
 * NULL without shared memory.  It stays where it is until the server stops,
 * unless more keys come than there is room for: then the one unused longest
 * is given away, and its users share with the newcomer.
 */
extern QtsRateSlot *qts_rate_join(const char *app_key, int environment, int per_second);

/* A slot's operations, in the form a broker session wants them; arg = the slot. */
extern int qts_rate_shared_slots(void *arg, QtsRateClass klass, int64_t mono);
extern int64_t qts_rate_shared_wait(void *arg, QtsRateClass klass, int64_t mono);
extern bool qts_rate_shared_take(void *arg, QtsRateClass klass, int64_t mono);
extern void qts_rate_shared_keep(void *arg, int slots, int64_t until);
extern void qts_rate_shared_refused(void *arg, int64_t mono, int64_t pause);
extern void qts_rate_shared_set(void *arg, int per_second);

#endif /* QTS_SHM_RATE_SHARED_H */
