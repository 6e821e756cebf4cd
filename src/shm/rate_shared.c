/*-------------------------------------------------------------------------
 *
 * rate_shared.c
 *		Rate limiters in shared memory, one per app key.
 *
 * Each call is a short critical section around a pure function; none raises
 * an error, so a session may make them from a callback of the network.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"

#include "net/net.h"
#include "shm/rate_shared.h"
#include "shm/shm.h"

/* A new limiter cannot know what was sent before the server started. */
#define RATE_FIRST_PAUSE QTS_RATE_SPAN

static QtsRateSlot *
rate_find(const uint64 key[2])
{
	QtsRateSlot *oldest = &qts_shm->rate[0];

	for (int i = 0; i < QTS_SHM_RATES; i++)
	{
		QtsRateSlot *slot = &qts_shm->rate[i];

		if (memcmp(slot->key, key, sizeof(slot->key)) == 0)
			return slot;
		if (slot->used_at < oldest->used_at)
			oldest = slot;
	}
	return oldest;
}

QtsRateSlot *
qts_rate_join(const char *app_key, int environment, int per_second)
{
	const unsigned char *bytes = (const unsigned char *) app_key;
	int len = (int) strlen(app_key);
	int64 mono = qts_mono_us();
	uint64 key[2];
	QtsRateSlot *slot;

	if (qts_shm == NULL)
		return NULL;
	key[0] = hash_bytes_extended(bytes, len, 1 + (uint64) environment);
	key[1] = hash_bytes_extended(bytes, len, 101 + (uint64) environment);
	LWLockAcquire(qts_shm->rate_lock, LW_EXCLUSIVE);
	slot = rate_find(key);
	if (memcmp(slot->key, key, sizeof(key)) != 0)
	{
		memcpy(slot->key, key, sizeof(key));
		qts_rate_init(&slot->limiter, per_second);
		if (per_second != 0)
			qts_rate_refused(&slot->limiter, mono, RATE_FIRST_PAUSE);
	}
	slot->used_at = mono;
	LWLockRelease(qts_shm->rate_lock);
	return slot;
}

int
qts_rate_shared_slots(void *arg, QtsRateClass klass, int64_t mono)
{
	QtsRateSlot *slot = arg;
	int slots;

	LWLockAcquire(qts_shm->rate_lock, LW_SHARED);
	slots = qts_rate_slots(&slot->limiter, klass, mono);
	LWLockRelease(qts_shm->rate_lock);
	return slots;
}

int64_t
qts_rate_shared_wait(void *arg, QtsRateClass klass, int64_t mono)
{
	QtsRateSlot *slot = arg;
	int64_t wait;

	LWLockAcquire(qts_shm->rate_lock, LW_SHARED);
	wait = qts_rate_wait(&slot->limiter, klass, mono);
	LWLockRelease(qts_shm->rate_lock);
	return wait;
}

bool
qts_rate_shared_take(void *arg, QtsRateClass klass, int64_t mono)
{
	QtsRateSlot *slot = arg;
	bool taken;

	LWLockAcquire(qts_shm->rate_lock, LW_EXCLUSIVE);
	taken = qts_rate_available(&slot->limiter, klass, mono);
	if (taken)
	{
		qts_rate_take(&slot->limiter, klass, mono);
		slot->used_at = mono;
	}
	LWLockRelease(qts_shm->rate_lock);
	return taken;
}

void
qts_rate_shared_keep(void *arg, int slots, int64_t until)
{
	QtsRateSlot *slot = arg;

	LWLockAcquire(qts_shm->rate_lock, LW_EXCLUSIVE);
	qts_rate_keep(&slot->limiter, slots, until);
	LWLockRelease(qts_shm->rate_lock);
}

void
qts_rate_shared_refused(void *arg, int64_t mono, int64_t pause)
{
	QtsRateSlot *slot = arg;

	LWLockAcquire(qts_shm->rate_lock, LW_EXCLUSIVE);
	qts_rate_refused(&slot->limiter, mono, pause);
	LWLockRelease(qts_shm->rate_lock);
}

void
qts_rate_shared_set(void *arg, int per_second)
{
	QtsRateSlot *slot = arg;

	LWLockAcquire(qts_shm->rate_lock, LW_EXCLUSIVE);
	qts_rate_set(&slot->limiter, per_second);
	LWLockRelease(qts_shm->rate_lock);
}
