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
 * Never more than per_second sends in any sliding second, as in any fixed
 * one.  per_second 0 = no limit.  Times are monotonic microseconds.
 */
typedef struct QtsRateLimiter
{
	int per_second; /* 0..QTS_RATE_WINDOW */
	int head;
	int count;
	int64_t sent_at[QTS_RATE_WINDOW];
	int64_t hold_until; /* after EGW00201 */
} QtsRateLimiter;

extern void qts_rate_init(QtsRateLimiter *limiter, int per_second);

/* May a request of this class leave now?  Lower classes keep a reserve for orders. */
extern bool qts_rate_available(const QtsRateLimiter *limiter, QtsRateClass klass, int64_t now);
extern void qts_rate_take(QtsRateLimiter *limiter, int64_t now);

/* How many of this class may leave now. */
extern int qts_rate_slots(const QtsRateLimiter *limiter, QtsRateClass klass, int64_t now);

/* Microseconds until one of this class may leave; 0 = now. */
extern int64_t qts_rate_wait(const QtsRateLimiter *limiter, QtsRateClass klass, int64_t now);

/* The broker refused for rate: nothing leaves for a while. */
extern void qts_rate_refused(QtsRateLimiter *limiter, int64_t now, int64_t pause);

/* base * 2^attempt capped, plus jitter of up to a quarter chosen by random. */
extern int64_t qts_backoff(int attempt, int64_t base, int64_t cap, uint32_t random);

#endif /* QTS_CORE_RATE_H */
