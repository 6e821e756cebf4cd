/*-------------------------------------------------------------------------
 *
 * test_breaker.c
 *		Circuit breaker (runtime 13.1, B-E27).
 *
 *-------------------------------------------------------------------------
 */
#include "core/breaker.h"
#include "tap.h"

#define START INT64_C(7000000000)

static const QtsBreakerPolicy policy = {.threshold = 5, .open = 30 * QTS_SEC};

static void
fail(QtsBreaker *b, int times, int64_t at)
{
	for (int i = 0; i < times; i++)
		qts_breaker_report(b, &policy, qts_breaker_enter(b, &policy, at), QTS_BREAKER_FAILED, at);
}

static void
test_opens(void)
{
	QtsBreaker b = {0};
	uint32_t early;

	is(qts_breaker_slots(&b, &policy, START), INT32_MAX, "closed: no limit");
	fail(&b, 4, START);
	is(b.state, QTS_BREAKER_CLOSED, "four failures are not five");
	qts_breaker_report(&b, &policy, qts_breaker_enter(&b, &policy, START), QTS_BREAKER_ANSWERED, START);
	fail(&b, 4, START);
	is(b.state, QTS_BREAKER_CLOSED, "an answer between them starts the count again");
	qts_breaker_report(&b, &policy, qts_breaker_enter(&b, &policy, START), QTS_BREAKER_NO_WORD, START);
	is(b.failures, 4, "a refusal for rate or token neither counts nor clears");
	early = qts_breaker_enter(&b, &policy, START);
	fail(&b, 1, START);
	is(b.state, QTS_BREAKER_OPEN, "the fifth in a row opens it");
	is((int64_t) b.opens, 1, "counted");
	is(qts_breaker_slots(&b, &policy, START), 0, "nothing leaves");
	is(qts_breaker_wait(&b, &policy, START + QTS_SEC), 29 * QTS_SEC, "for the rest of the time");
	is(qts_breaker_slots(&b, &policy, START + 30 * QTS_SEC - 1), 0, "a microsecond short");
	qts_breaker_report(&b, &policy, early, QTS_BREAKER_ANSWERED, START + QTS_SEC);
	is(b.state, QTS_BREAKER_OPEN, "a late answer to an earlier request does not close it");
	qts_breaker_report(&b, &policy, early, QTS_BREAKER_FAILED, START + 20 * QTS_SEC);
	is(qts_breaker_wait(&b, &policy, START + 20 * QTS_SEC), 10 * QTS_SEC,
	   "nor does a late failure prolong it");
}

static void
test_half_open(void)
{
	QtsBreaker b = {0};
	uint32_t late = qts_breaker_enter(&b, &policy, START);
	uint32_t probe;
	int64_t at = START + 30 * QTS_SEC;

	fail(&b, 5, START);
	is(qts_breaker_state(&b, &policy, at), QTS_BREAKER_HALF_OPEN, "half open when the time has passed");
	is(qts_breaker_slots(&b, &policy, at), 1, "exactly one probe");
	probe = qts_breaker_enter(&b, &policy, at);
	is(qts_breaker_slots(&b, &policy, at), 0, "not a second while it is out");
	is(qts_breaker_slots(&b, &policy, at + 3600 * QTS_SEC), 0, "however long it takes");
	is(qts_breaker_wait(&b, &policy, at), INT64_MAX, "the wait is for its answer");
	qts_breaker_report(&b, &policy, late, QTS_BREAKER_ANSWERED, at);
	is(b.state, QTS_BREAKER_HALF_OPEN, "an older answer does not stand in for it");
	qts_breaker_report(&b, &policy, probe, QTS_BREAKER_NO_WORD, at);
	is(qts_breaker_slots(&b, &policy, at), 1, "a probe that proved nothing makes room for another");
	probe = qts_breaker_enter(&b, &policy, at);
	qts_breaker_report(&b, &policy, probe, QTS_BREAKER_FAILED, at);
	is(b.state, QTS_BREAKER_OPEN, "a failed probe opens it again at once");
	is(qts_breaker_wait(&b, &policy, at), 30 * QTS_SEC, "for the whole time");
	is((int64_t) b.opens, 2, "counted again");
	at += 30 * QTS_SEC;
	probe = qts_breaker_enter(&b, &policy, at);
	qts_breaker_report(&b, &policy, probe, QTS_BREAKER_ANSWERED, at);
	is(b.state, QTS_BREAKER_CLOSED, "an answered one closes it");
	is(qts_breaker_slots(&b, &policy, at), INT32_MAX, "everything leaves again");
	fail(&b, 4, at);
	is(b.state, QTS_BREAKER_CLOSED, "and the count began anew");
}

static void
test_cautious(void)
{
	QtsBreaker b = {.cautious = true};
	int64_t at = START + 30 * QTS_SEC;

	fail(&b, 5, START);
	ok(!qts_breaker_wants_voucher(&b, &policy, at - 1), "no voucher asked for before the time");
	qts_breaker_vouch(&b, &policy, at - 1, at - 1);
	is(qts_breaker_slots(&b, &policy, at), 0, "one from before the time is worth nothing");
	ok(qts_breaker_wants_voucher(&b, &policy, at), "a voucher is wanted");
	is(qts_breaker_state(&b, &policy, at), QTS_BREAKER_OPEN, "it stays open without one");
	is(qts_breaker_wait(&b, &policy, at), INT64_MAX, "as long as that takes");
	qts_breaker_vouch(&b, &policy, at - 1, at + 1);
	is(qts_breaker_slots(&b, &policy, at + 1), 0, "a request sent before the time cannot vouch");
	qts_breaker_vouch(&b, &policy, at, at + 2);
	is(qts_breaker_slots(&b, &policy, at + 2), 1, "one sent after it can: the probe may go");
	ok(!qts_breaker_wants_voucher(&b, &policy, at + 2), "no more vouchers wanted");
	fail(&b, 1, at + 2);
	is(qts_breaker_slots(&b, &policy, at + 2 + 30 * QTS_SEC), 0, "each probe needs its own");
}

/* However requests and results are mixed: never two probes, never one while open. */
static void
test_any_order(void)
{
	uint32_t random = 12345;
	int bad = 0;
	int opened = 0;

	for (int round = 0; round < 200; round++)
	{
		QtsBreaker b = {.cautious = round % 2 == 0};
		uint32_t out[64];
		int n = 0;
		int probes = 0;
		int64_t at = START;

		for (int step = 0; step < 500; step++)
		{
			random = random * 1664525 + 1013904223;
			at += random % (2 * QTS_SEC);
			if (random >> 30 == 0)
				qts_breaker_vouch(&b, &policy, at, at);
			if ((random >> 28 & 3) != 0 && n < 64 && qts_breaker_slots(&b, &policy, at) > 0)
			{
				bool closed = b.state == QTS_BREAKER_CLOSED;
				bool early = b.state == QTS_BREAKER_OPEN && at - b.opened < policy.open;

				out[n++] = qts_breaker_enter(&b, &policy, at);
				probes += !closed;
				bad += early || (!closed && probes > 1);
			}
			else if (n > 0)
			{
				uint32_t ticket = out[--n];
				QtsBreakerResult result = (random >> 20 & 7) < 6	? QTS_BREAKER_FAILED
										  : (random >> 20 & 7) == 6 ? QTS_BREAKER_ANSWERED
																	: QTS_BREAKER_NO_WORD;

				if (b.state == QTS_BREAKER_HALF_OPEN && ticket == b.round)
					probes = 0;
				qts_breaker_report(&b, &policy, ticket, result, at);
			}
		}
		opened += b.opens > 0;
	}
	is(bad, 0, "100 000 random steps: never two probes at once");
	ok(opened > 150, "and most of 200 breakers opened");
}

static void
test_names(void)
{
	QtsBreakerPolicy never = {.threshold = 0, .open = QTS_SEC};
	QtsBreaker b = {0};

	for (int i = 0; i < 100; i++)
		qts_breaker_report(&b, &never, qts_breaker_enter(&b, &never, START), QTS_BREAKER_FAILED, START);
	is(b.state, QTS_BREAKER_CLOSED, "threshold 0 never opens");
	is(qts_breaker_class(QTS_RATE_CANCEL), QTS_BREAKER_ORDER, "cancels are of the order class");
	is(qts_breaker_class(QTS_RATE_ORDER), QTS_BREAKER_ORDER, "orders");
	is(qts_breaker_class(QTS_RATE_LEDGER), QTS_BREAKER_ACCOUNT, "ledgers are of the account class");
	is(qts_breaker_class(QTS_RATE_BALANCE), QTS_BREAKER_ACCOUNT, "balances");
	is(qts_breaker_class(QTS_RATE_QUOTE), QTS_BREAKER_QUOTE, "quotes have their own");
}

int
main(void)
{
	test_opens();
	test_half_open();
	test_cautious();
	test_any_order();
	test_names();
	return tap_done();
}
