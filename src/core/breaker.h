/*-------------------------------------------------------------------------
 *
 * breaker.h
 *		Circuit breaker of one class of requests to one broker.
 *
 * CLOSED lets everything through and counts failures in a row.  At the
 * threshold it is OPEN: nothing leaves until a time has passed.  Then one
 * request, the probe, goes out alone (HALF_OPEN) and its result decides.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_BREAKER_H
#define QTS_CORE_BREAKER_H

#include "core/core.h"
#include "core/rate.h"

/* Each class has a breaker of its own: quotes can never stop an order. */
typedef enum QtsBreakerClass
{
	QTS_BREAKER_ORDER,	 /* orders and cancels */
	QTS_BREAKER_ACCOUNT, /* ledger, open orders, balance */
	QTS_BREAKER_QUOTE,
	QTS_BREAKER_CLASS_COUNT
} QtsBreakerClass;

typedef enum QtsBreakerState
{
	QTS_BREAKER_CLOSED,
	QTS_BREAKER_OPEN,
	QTS_BREAKER_HALF_OPEN
} QtsBreakerState;

typedef enum QtsBreakerResult
{
	QTS_BREAKER_ANSWERED, /* the broker acts, whatever it said */
	QTS_BREAKER_FAILED,	  /* no answer, or one nobody stands behind */
	QTS_BREAKER_NO_WORD	  /* refused at the gate (rate, token), or never finished: proves nothing */
} QtsBreakerResult;

typedef struct QtsBreakerPolicy
{
	int threshold; /* failures in a row; 0 = never opens */
	int64_t open;  /* us from opening to the probe */
} QtsBreakerPolicy;

/* All zeros is closed.  Times are monotonic microseconds. */
typedef struct QtsBreaker
{
	QtsBreakerState state;
	bool probing;	/* HALF_OPEN: the probe is out */
	bool cautious;	/* the probe needs a voucher first */
	bool vouched;	/* OPEN: another class was answered after the time */
	int failures;	/* in a row, while closed */
	int64_t opened; /* last time it opened */
	uint32_t round; /* grows with every change of state: results of an older round are no news */
	uint64_t opens; /* how often, in all */
} QtsBreaker;

extern QtsBreakerClass qts_breaker_class(QtsRateClass klass);

/* What it is now: an OPEN one whose probe may go is HALF_OPEN. */
extern QtsBreakerState
qts_breaker_state(const QtsBreaker *breaker, const QtsBreakerPolicy *policy, int64_t now);

/* How many requests may leave now: 0, 1 (the probe) or INT32_MAX. */
extern int qts_breaker_slots(const QtsBreaker *breaker, const QtsBreakerPolicy *policy, int64_t now);

/* Microseconds until one may leave; 0 = now, INT64_MAX = not before something else is answered. */
extern int64_t qts_breaker_wait(const QtsBreaker *breaker, const QtsBreakerPolicy *policy, int64_t now);

/* A request leaves; the ticket goes with its result. */
extern uint32_t qts_breaker_enter(QtsBreaker *breaker, const QtsBreakerPolicy *policy, int64_t now);
extern void qts_breaker_report(QtsBreaker *breaker, const QtsBreakerPolicy *policy, uint32_t ticket,
							   QtsBreakerResult result, int64_t now);

/*
 * Only a cautious breaker asks for a voucher: its probe costs money when it
 * fails.  A harmless request of another class, sent when the time had
 * passed, was answered.
 */
extern bool qts_breaker_wants_voucher(const QtsBreaker *breaker, const QtsBreakerPolicy *policy, int64_t now);
extern void
qts_breaker_vouch(QtsBreaker *breaker, const QtsBreakerPolicy *policy, int64_t sent_at, int64_t now);

extern const char *qts_breaker_state_name(QtsBreakerState state);
extern const char *qts_breaker_class_name(QtsBreakerClass klass);

#endif /* QTS_CORE_BREAKER_H */
