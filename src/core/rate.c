/*-------------------------------------------------------------------------
 *
 * rate.c
 *		Token bucket of one app key with priorities, and back-off.
 *
 * The last sends are remembered in a ring, oldest to newest; a slot is free
 * again QTS_RATE_SPAN after its send.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "core/rate.h"

void
qts_rate_init(QtsRateLimiter *limiter, int per_second)
{
	memset(limiter, 0, sizeof(*limiter));
	qts_rate_set(limiter, per_second);
	limiter->hold_until = INT64_MIN;
	limiter->paced_until = INT64_MIN;
}

void
qts_rate_set(QtsRateLimiter *limiter, int per_second)
{
	if (per_second > QTS_RATE_WINDOW)
		per_second = QTS_RATE_WINDOW;
	/* only 0 lifts the limit: a nonsensical one must not */
	limiter->per_second = per_second < 0 ? 1 : per_second;
}

/* i-th oldest send still remembered. */
static int64_t
rate_sent(const QtsRateLimiter *limiter, int i)
{
	int oldest = limiter->head - limiter->count + QTS_RATE_WINDOW;

	return limiter->sent_at[(oldest + i) % QTS_RATE_WINDOW];
}

/* Sends of the last span; they are the newest ones. */
static int
rate_used(const QtsRateLimiter *limiter, int64_t now)
{
	int used = 0;

	while (used < limiter->count && rate_sent(limiter, limiter->count - 1 - used) > now - QTS_RATE_SPAN)
		used++;
	return used;
}

/* Slots of a span that this class leaves to higher ones. */
static int
rate_reserve(const QtsRateLimiter *limiter, QtsRateClass klass)
{
	if (klass >= QTS_RATE_BALANCE && limiter->per_second >= 6)
		return 2;
	return klass >= QTS_RATE_LEDGER && limiter->per_second >= 3 ? 1 : 0;
}

static int
rate_limit(const QtsRateLimiter *limiter, QtsRateClass klass, int64_t now)
{
	int reserve = rate_reserve(limiter, klass);

	if (klass > QTS_RATE_ORDER && limiter->kept_until > now && limiter->kept > reserve)
		reserve = limiter->kept;
	return limiter->per_second - reserve;
}

int
qts_rate_slots(const QtsRateLimiter *limiter, QtsRateClass klass, int64_t now)
{
	int left;

	if (limiter->hold_until > now)
		return 0;
	if (limiter->per_second == 0)
		return INT32_MAX;
	left = rate_limit(limiter, klass, now) - rate_used(limiter, now);
	if (klass > QTS_RATE_ORDER && left > 0)
		left = limiter->paced_until > now ? 0 : 1;
	return left > 0 ? left : 0;
}

bool
qts_rate_available(const QtsRateLimiter *limiter, QtsRateClass klass, int64_t now)
{
	return qts_rate_slots(limiter, klass, now) > 0;
}

void
qts_rate_take(QtsRateLimiter *limiter, QtsRateClass klass, int64_t now)
{
	if (klass <= QTS_RATE_ORDER && limiter->kept > 0)
		limiter->kept--;
	if (klass > QTS_RATE_ORDER && limiter->per_second > 0)
		limiter->paced_until = now + QTS_RATE_SPAN / (limiter->per_second - rate_reserve(limiter, klass));
	/* keep the ring sorted even if the caller's instants are not */
	if (limiter->count > 0 && rate_sent(limiter, limiter->count - 1) > now)
		now = rate_sent(limiter, limiter->count - 1);
	limiter->sent_at[limiter->head] = now;
	limiter->head = (limiter->head + 1) % QTS_RATE_WINDOW;
	if (limiter->count < QTS_RATE_WINDOW)
		limiter->count++;
}

void
qts_rate_keep(QtsRateLimiter *limiter, int slots, int64_t until)
{
	limiter->kept = slots;
	limiter->kept_until = until;
}

int64_t
qts_rate_wait(const QtsRateLimiter *limiter, QtsRateClass klass, int64_t now)
{
	int64_t ready = limiter->hold_until > now ? limiter->hold_until : now;
	int excess;

	if (limiter->per_second > 0)
	{
		if (klass > QTS_RATE_ORDER && limiter->paced_until > ready)
			ready = limiter->paced_until;
		excess = rate_used(limiter, now) - rate_limit(limiter, klass, now);
		if (rate_limit(limiter, klass, now) <= 0)
		{
			/* orders keep all there is */
			if (limiter->kept_until > ready)
				ready = limiter->kept_until;
		}
		else if (excess >= 0)
		{
			int blocker = limiter->count - rate_used(limiter, now) + excess;
			int64_t freed = rate_sent(limiter, blocker) + QTS_RATE_SPAN;

			if (freed > ready)
				ready = freed;
		}
	}
	return ready - now;
}

void
qts_rate_refused(QtsRateLimiter *limiter, int64_t now, int64_t pause)
{
	int64_t until;

	if (__builtin_add_overflow(now, pause, &until))
		until = INT64_MAX;
	if (until > limiter->hold_until)
		limiter->hold_until = until;
}

int
qts_rate_effective(int share, int limit, bool simulated)
{
	int rate = share;

	if (limit > 0 && (share <= 0 || limit < share))
		rate = limit;
	if (rate <= 0)
		return simulated ? 0 : 1;
	return rate < QTS_RATE_WINDOW ? rate : QTS_RATE_WINDOW;
}

int64_t
qts_backoff(int attempt, int64_t base, int64_t cap, uint32_t random)
{
	int64_t delay = base < cap ? base : cap;
	int64_t jitter;

	if (delay <= 0)
		return 0;
	for (int i = 0; i < attempt && delay < cap; i++)
		delay = delay > cap / 2 ? cap : delay * 2;
	jitter = (int64_t) (((unsigned __int128) (delay / 4) * random) >> 32);
	return delay > INT64_MAX - jitter ? INT64_MAX : delay + jitter;
}
