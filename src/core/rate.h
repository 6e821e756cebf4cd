/*-------------------------------------------------------------------------
 *
 * rate.h
 *		Token bucket of one app key with priorities, and back-off.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_RATE_H
#define QTS_CORE_RATE_H

#include "core/core.h"

/* Highest first: cancel > order > ledger > balance > quote (kis-api 7.1). */
typedef enum QtsRateClass
{
	QTS_RATE_CANCEL,
	QTS_RATE_ORDER,
	QTS_RATE_LEDGER,
	QTS_RATE_BALANCE,
	QTS_RATE_QUOTE,
	QTS_RATE_CLASS_COUNT
} QtsRateClass;

#define QTS_RATE_WINDOW 64 /* remembered sends: the most calls per second */

/*
 * The broker counts arrivals, and two requests may arrive closer together
 * than they left: a second of ours is a twentieth longer.
 */
#define QTS_RATE_SPAN (QTS_SEC + QTS_SEC / 20)

/*
 * Never more than per_second sends in any sliding QTS_RATE_SPAN.  per_second
 * 0 = no limit.  Times are monotonic microseconds.
 */
typedef struct QtsRateLimiter
{
	int per_second; /* 0..QTS_RATE_WINDOW */
	int head;
	int count;
	int64_t sent_at[QTS_RATE_WINDOW];
	int64_t hold_until; /* after EGW00201 */
	int kept;			/* slots only orders may use */
	int64_t kept_until;
	int64_t paced_until; /* until then nothing but orders and cancels */
} QtsRateLimiter;

extern void qts_rate_init(QtsRateLimiter *limiter, int per_second);

/* Another limit; what was sent stays remembered. */
extern void qts_rate_set(QtsRateLimiter *limiter, int per_second);

/*
 * May a request of this class leave now?  Lower classes keep a reserve for
 * orders, and leave one by one, evenly: a window they have filled frees its
 * slots evenly too, and no order waits long for one.
 */
extern bool qts_rate_available(const QtsRateLimiter *limiter, QtsRateClass klass, int64_t now);
extern void qts_rate_take(QtsRateLimiter *limiter, QtsRateClass klass, int64_t now);

/*
 * Orders are claimed before they are sent, and another process may use the
 * same app key: so many slots stay theirs until then.  0 gives them back.
 */
extern void qts_rate_keep(QtsRateLimiter *limiter, int slots, int64_t until);

/* How many of this class may leave now. */
extern int qts_rate_slots(const QtsRateLimiter *limiter, QtsRateClass klass, int64_t now);

/* Microseconds until one of this class may leave; 0 = now. */
extern int64_t qts_rate_wait(const QtsRateLimiter *limiter, QtsRateClass klass, int64_t now);

/* The broker refused for rate: nothing leaves for a while. */
extern void qts_rate_refused(QtsRateLimiter *limiter, int64_t now, int64_t pause);

/*
 * What is used of a limit: our own share, but never more than the broker
 * allows; 0 stands for none of either.  Only a simulator may be without both.
 */
extern int qts_rate_effective(int share, int limit, bool simulated);

/* base * 2^attempt capped, plus jitter of up to a quarter chosen by random. */
extern int64_t qts_backoff(int attempt, int64_t base, int64_t cap, uint32_t random);

#endif /* QTS_CORE_RATE_H */
