/*-------------------------------------------------------------------------
 *
 * breaker.c
 *		Circuit breaker of one class of requests to one broker.
 *
 * A result counts only in the round its request left in: what was sent
 * before the breaker opened neither closes it nor stands in for the probe.
 *
 *-------------------------------------------------------------------------
 */
#include "core/breaker.h"

QtsBreakerClass
qts_breaker_class(QtsRateClass klass)
{
	switch (klass)
	{
		case QTS_RATE_CANCEL:
		case QTS_RATE_ORDER:
			return QTS_BREAKER_ORDER;
		case QTS_RATE_LEDGER:
		case QTS_RATE_BALANCE:
			return QTS_BREAKER_ACCOUNT;
		case QTS_RATE_QUOTE:
		case QTS_RATE_CLASS_COUNT:
			break;
	}
	return QTS_BREAKER_QUOTE;
}

static bool
breaker_time_passed(const QtsBreaker *breaker, const QtsBreakerPolicy *policy, int64_t at)
{
	return at - breaker->opened >= policy->open;
}

static bool
breaker_probe_may_go(const QtsBreaker *breaker, const QtsBreakerPolicy *policy, int64_t now)
{
	if (breaker->state == QTS_BREAKER_HALF_OPEN)
		return !breaker->probing;
	return breaker_time_passed(breaker, policy, now) && (!breaker->cautious || breaker->vouched);
}

static void
breaker_turn(QtsBreaker *breaker, QtsBreakerState state, int64_t now)
{
	breaker->state = state;
	breaker->round++;
	breaker->failures = 0;
	breaker->probing = false;
	breaker->vouched = false;
	if (state == QTS_BREAKER_OPEN)
	{
		breaker->opened = now;
		breaker->opens++;
	}
}

QtsBreakerState
qts_breaker_state(const QtsBreaker *breaker, const QtsBreakerPolicy *policy, int64_t now)
{
	if (breaker->state == QTS_BREAKER_OPEN && breaker_probe_may_go(breaker, policy, now))
		return QTS_BREAKER_HALF_OPEN;
	return breaker->state;
}

int
qts_breaker_slots(const QtsBreaker *breaker, const QtsBreakerPolicy *policy, int64_t now)
{
	if (breaker->state == QTS_BREAKER_CLOSED)
		return INT32_MAX;
	return breaker_probe_may_go(breaker, policy, now) ? 1 : 0;
}

int64_t
qts_breaker_wait(const QtsBreaker *breaker, const QtsBreakerPolicy *policy, int64_t now)
{
	if (qts_breaker_slots(breaker, policy, now) > 0)
		return 0;
	if (breaker->state == QTS_BREAKER_OPEN && !breaker_time_passed(breaker, policy, now))
		return policy->open - (now - breaker->opened);
	return INT64_MAX;
}

uint32_t
qts_breaker_enter(QtsBreaker *breaker, const QtsBreakerPolicy *policy, int64_t now)
{
	if (breaker->state == QTS_BREAKER_OPEN && breaker_probe_may_go(breaker, policy, now))
		breaker_turn(breaker, QTS_BREAKER_HALF_OPEN, now);
	if (breaker->state == QTS_BREAKER_HALF_OPEN)
		breaker->probing = true;
	return breaker->round;
}

void
qts_breaker_report(QtsBreaker *breaker, const QtsBreakerPolicy *policy, uint32_t ticket,
				   QtsBreakerResult result, int64_t now)
{
	if (ticket != breaker->round || breaker->state == QTS_BREAKER_OPEN)
		return;
	if (result == QTS_BREAKER_NO_WORD)
		breaker->probing = false;
	else if (breaker->state == QTS_BREAKER_HALF_OPEN)
		breaker_turn(breaker, result == QTS_BREAKER_ANSWERED ? QTS_BREAKER_CLOSED : QTS_BREAKER_OPEN, now);
	else if (result == QTS_BREAKER_ANSWERED)
		breaker->failures = 0;
	else if (policy->threshold > 0 && ++breaker->failures >= policy->threshold)
		breaker_turn(breaker, QTS_BREAKER_OPEN, now);
}

bool
qts_breaker_wants_voucher(const QtsBreaker *breaker, const QtsBreakerPolicy *policy, int64_t now)
{
	return breaker->cautious && breaker->state == QTS_BREAKER_OPEN && !breaker->vouched &&
		   breaker_time_passed(breaker, policy, now);
}

void
qts_breaker_vouch(QtsBreaker *breaker, const QtsBreakerPolicy *policy, int64_t sent_at, int64_t now)
{
	if (qts_breaker_wants_voucher(breaker, policy, now) && breaker_time_passed(breaker, policy, sent_at))
		breaker->vouched = true;
}

const char *
qts_breaker_state_name(QtsBreakerState state)
{
	switch (state)
	{
		case QTS_BREAKER_CLOSED:
			return "CLOSED";
		case QTS_BREAKER_OPEN:
			return "OPEN";
		case QTS_BREAKER_HALF_OPEN:
			return "HALF_OPEN";
	}
	return "?";
}

const char *
qts_breaker_class_name(QtsBreakerClass klass)
{
	static const char *const names[QTS_BREAKER_CLASS_COUNT] = {"order", "account", "quote"};

	return klass < QTS_BREAKER_CLASS_COUNT ? names[klass] : "?";
}
