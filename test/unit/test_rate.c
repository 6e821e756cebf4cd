/*-------------------------------------------------------------------------
 *
 * test_rate.c
 *		Rate limiter and back-off (kis-api 7.1).
 *
 *-------------------------------------------------------------------------
 */
#include "core/rate.h"
#include "tap.h"

#define START INT64_C(5000000000)
#define SENDS 4000

static int
take_all(QtsRateLimiter *limiter, QtsRateClass klass, int64_t now)
{
	int taken = 0;

	while (taken <= QTS_RATE_WINDOW && qts_rate_available(limiter, klass, now))
	{
		qts_rate_take(limiter, klass, now);
		taken++;
	}
	return taken;
}

static void
send(QtsRateLimiter *limiter, QtsRateClass klass, int64_t at, int count)
{
	for (int i = 0; i < count; i++)
		qts_rate_take(limiter, klass, at);
}

static void
test_window(void)
{
	QtsRateLimiter limiter;

	qts_rate_init(&limiter, 12);
	is(qts_rate_slots(&limiter, QTS_RATE_ORDER, START), 12, "a full second for orders");
	is(take_all(&limiter, QTS_RATE_ORDER, START), 12, "and no more");
	is(qts_rate_wait(&limiter, QTS_RATE_CANCEL, START), QTS_RATE_SPAN, "then the span to wait");
	is(qts_rate_slots(&limiter, QTS_RATE_ORDER, START + QTS_RATE_SPAN - 1), 0, "a microsecond short");
	is(qts_rate_slots(&limiter, QTS_RATE_ORDER, START + QTS_RATE_SPAN), 12, "all free again");
	is(qts_rate_wait(&limiter, QTS_RATE_QUOTE, START + QTS_RATE_SPAN), 0, "nothing to wait for");

	qts_rate_init(&limiter, 1);
	is(take_all(&limiter, QTS_RATE_QUOTE, START), 1, "with one call a second quotes still pass");
	is(qts_rate_wait(&limiter, QTS_RATE_ORDER, START + 400000), 650000, "the rest of the span");

	qts_rate_init(&limiter, 0);
	is(take_all(&limiter, QTS_RATE_QUOTE, START), QTS_RATE_WINDOW + 1, "0 is no limit");
	is(qts_rate_wait(&limiter, QTS_RATE_QUOTE, START), 0, "and no wait");
	qts_rate_init(&limiter, 1000);
	is(take_all(&limiter, QTS_RATE_ORDER, START), QTS_RATE_WINDOW, "the most we can remember");
	qts_rate_init(&limiter, -3);
	is(take_all(&limiter, QTS_RATE_ORDER, START), 1, "nonsense does not lift the limit");
}

static void
test_reserve(void)
{
	QtsRateLimiter limiter;
	int64_t late = START + QTS_RATE_SPAN - 1; /* the pace is over, the window is not */

	qts_rate_init(&limiter, 12);
	send(&limiter, QTS_RATE_QUOTE, START, 9);
	is(take_all(&limiter, QTS_RATE_QUOTE, late), 1, "quotes leave two slots");
	qts_rate_init(&limiter, 12);
	send(&limiter, QTS_RATE_QUOTE, START, 10);
	is(qts_rate_slots(&limiter, QTS_RATE_BALANCE, late), 0, "so do balances");
	is(take_all(&limiter, QTS_RATE_LEDGER, late), 1, "the ledger leaves one");
	is(take_all(&limiter, QTS_RATE_ORDER, late), 1, "for an order");
	is(take_all(&limiter, QTS_RATE_CANCEL, late), 0, "then all is spent");

	qts_rate_init(&limiter, 5);
	send(&limiter, QTS_RATE_QUOTE, START, 4);
	is(qts_rate_slots(&limiter, QTS_RATE_QUOTE, late), 0, "below 6 a second one slot is kept");
	qts_rate_init(&limiter, 2);
	send(&limiter, QTS_RATE_QUOTE, START, 1);
	is(qts_rate_slots(&limiter, QTS_RATE_QUOTE, late), 1, "below 3 none");

	qts_rate_init(&limiter, 12);
	is(take_all(&limiter, QTS_RATE_QUOTE, START), 1, "quotes leave one by one");
	is(qts_rate_wait(&limiter, QTS_RATE_LEDGER, START), QTS_RATE_SPAN / 10, "evenly");
	is(qts_rate_slots(&limiter, QTS_RATE_ORDER, START), 11, "orders as they like");

	/* two early sends and eight late ones: the quote waits for the first two */
	qts_rate_init(&limiter, 12);
	for (int i = 0; i < 10; i++)
		qts_rate_take(&limiter, QTS_RATE_QUOTE, START + (i < 1 ? 0 : i < 2 ? 100000 : 500000));
	is(qts_rate_wait(&limiter, QTS_RATE_QUOTE, START + 500000), 550000, "until the oldest expires");
	qts_rate_take(&limiter, QTS_RATE_QUOTE, START + 500000);
	is(qts_rate_wait(&limiter, QTS_RATE_QUOTE, START + 500000), 650000, "or the one after it");
	is(qts_rate_wait(&limiter, QTS_RATE_ORDER, START + 500000), 0, "orders do not wait");
}

static void
test_disorder(void)
{
	QtsRateLimiter limiter;

	qts_rate_init(&limiter, 2);
	qts_rate_take(&limiter, QTS_RATE_QUOTE, START);
	qts_rate_take(&limiter, QTS_RATE_QUOTE, START - 400000);
	is(qts_rate_slots(&limiter, QTS_RATE_ORDER, START + 700000), 0,
	   "a send stamped before the last one counts from the last one");
	is(qts_rate_wait(&limiter, QTS_RATE_ORDER, START + 700000), 350000, "so does the wait");
}

static void
test_refused(void)
{
	QtsRateLimiter limiter;

	qts_rate_init(&limiter, 12);
	qts_rate_refused(&limiter, START, 2 * QTS_SEC);
	is(qts_rate_slots(&limiter, QTS_RATE_CANCEL, START + QTS_SEC), 0, "refused: nothing leaves");
	is(qts_rate_wait(&limiter, QTS_RATE_CANCEL, START + QTS_SEC), QTS_SEC, "for the pause");
	qts_rate_refused(&limiter, START, QTS_SEC);
	is(qts_rate_wait(&limiter, QTS_RATE_CANCEL, START + QTS_SEC), QTS_SEC,
	   "a shorter pause does not end a longer one");
	ok(qts_rate_available(&limiter, QTS_RATE_CANCEL, START + 2 * QTS_SEC), "then it goes on");
	qts_rate_init(&limiter, 0);
	qts_rate_refused(&limiter, START, QTS_SEC);
	ok(!qts_rate_available(&limiter, QTS_RATE_ORDER, START), "also without a limit");
	qts_rate_refused(&limiter, INT64_MAX, 1);
	ok(!qts_rate_available(&limiter, QTS_RATE_ORDER, INT64_MAX - 1), "no overflow");
}

/* Random demand; every class waits as told.  Checks all windows. */
static bool
run_demand(uint64_t seed)
{
	static int64_t sent[SENDS];
	TapRandom rng = {seed};
	QtsRateLimiter limiter;
	int per_second = (int) tap_range(&rng, 1, QTS_RATE_WINDOW);
	int64_t now = START;
	int count = 0;

	qts_rate_init(&limiter, per_second);
	while (count < SENDS)
	{
		QtsRateClass klass = (QtsRateClass) tap_range(&rng, 0, QTS_RATE_CLASS_COUNT - 1);
		int64_t wait = qts_rate_wait(&limiter, klass, now);
		bool free = qts_rate_available(&limiter, klass, now);

		if (free != (wait == 0))
			return false;
		if (free)
		{
			qts_rate_take(&limiter, klass, now);
			sent[count++] = now;
			now += tap_range(&rng, 0, 40000);
			continue;
		}
		/* one microsecond early is too early */
		if (qts_rate_available(&limiter, klass, now + wait - 1) ||
			!qts_rate_available(&limiter, klass, now + wait))
			return false;
		/* an order may pass in the meantime unless the window is full */
		if (klass >= QTS_RATE_LEDGER && per_second >= 3 && tap_chance(&rng, 30) &&
			!qts_rate_available(&limiter, QTS_RATE_ORDER, now) &&
			qts_rate_wait(&limiter, QTS_RATE_ORDER, now) > wait)
			return false;
		now += wait;
	}
	for (int i = per_second; i < count; i++)
	{
		if (sent[i] - sent[i - per_second] < QTS_RATE_SPAN)
			return false;
	}
	return true;
}

/* Quotes take all they get; then as many orders as fit wait no longer than a slot of theirs each. */
static bool
run_pace(int per_second)
{
	QtsRateLimiter limiter;
	int64_t now = START;

	qts_rate_init(&limiter, per_second);
	for (; now < START + 5 * QTS_SEC; now += 1000)
		take_all(&limiter, QTS_RATE_QUOTE, now);
	for (int i = 0; i < per_second; i++)
	{
		int64_t wait = qts_rate_wait(&limiter, QTS_RATE_ORDER, now);

		if (wait > QTS_RATE_SPAN / (per_second - (per_second < 6 ? 1 : 2)) + 1000)
			return false;
		now += wait;
		qts_rate_take(&limiter, QTS_RATE_ORDER, now);
	}
	return true;
}

/* Quotes take all they get; an order that comes along passes at once. */
static bool
run_flood(int per_second)
{
	QtsRateLimiter limiter;

	qts_rate_init(&limiter, per_second);
	for (int64_t now = START; now < START + 20 * QTS_SEC; now += 7000)
	{
		take_all(&limiter, QTS_RATE_QUOTE, now);
		if ((now - START) % (QTS_RATE_SPAN + 50000) < 7000)
		{
			if (!qts_rate_available(&limiter, QTS_RATE_ORDER, now))
				return false;
			qts_rate_take(&limiter, QTS_RATE_ORDER, now);
		}
	}
	return true;
}

static void
test_properties(void)
{
	bool demand = true;
	bool flood = true;
	bool pace = true;

	for (uint64_t seed = 1; seed <= 100 && demand; seed++)
		demand = tap_note(run_demand(seed), "seed %d", (int) seed);
	ok(demand, "no sliding span holds more than the limit and waits are exact");
	for (int n = 3; n <= QTS_RATE_WINDOW && flood; n++)
		flood = tap_note(run_flood(n), "%d per second", n);
	ok(flood, "an order never waits behind a flood of quotes");
	for (int n = 3; n <= QTS_RATE_WINDOW && pace; n++)
		pace = tap_note(run_pace(n), "%d per second", n);
	ok(pace, "nor do many for longer than one slot each");
}

static void
test_set(void)
{
	QtsRateLimiter limiter;

	qts_rate_init(&limiter, 12);
	is(take_all(&limiter, QTS_RATE_ORDER, START), 12, "twelve sent");
	qts_rate_set(&limiter, 15);
	is(take_all(&limiter, QTS_RATE_ORDER, START + 1), 3, "a higher limit does not forget them");
	qts_rate_set(&limiter, 3);
	is(qts_rate_slots(&limiter, QTS_RATE_ORDER, START + QTS_RATE_SPAN), 0, "nor does a lower one");
	is(qts_rate_slots(&limiter, QTS_RATE_ORDER, START + QTS_RATE_SPAN + 1), 3, "which holds from then on");
	qts_rate_refused(&limiter, START, 5 * QTS_SEC);
	qts_rate_set(&limiter, 12);
	is(qts_rate_slots(&limiter, QTS_RATE_ORDER, START + 4 * QTS_SEC), 0, "a pause is not forgotten either");

	is(qts_rate_effective(12, 18, false), 12, "our share of the limit");
	is(qts_rate_effective(20, 18, false), 18, "never above it");
	is(qts_rate_effective(12, 3, false), 3, "a new customer's");
	is(qts_rate_effective(0, 18, false), 18, "0: as the broker says");
	is(qts_rate_effective(12, 0, false), 12, "no row: our share");
	is(qts_rate_effective(0, 0, false), 1, "neither: as slow as can be");
	is(qts_rate_effective(0, 0, true), 0, "a simulator may have no limit");
	is(qts_rate_effective(0, 5, true), 5, "or one");
	is(qts_rate_effective(900, 800, false), QTS_RATE_WINDOW, "no more than can be remembered");
}

static void
test_keep(void)
{
	QtsRateLimiter limiter;

	qts_rate_init(&limiter, 12);
	qts_rate_keep(&limiter, 8, START + QTS_SEC);
	send(&limiter, QTS_RATE_LEDGER, START, 4);
	is(qts_rate_slots(&limiter, QTS_RATE_LEDGER, START + QTS_SEC - 1), 0, "slots kept for orders");
	is(qts_rate_slots(&limiter, QTS_RATE_ORDER, START), 8, "are theirs");
	qts_rate_take(&limiter, QTS_RATE_ORDER, START);
	is(qts_rate_slots(&limiter, QTS_RATE_LEDGER, START + QTS_SEC - 1), 0,
	   "one used is one less kept, and one more used");
	is(take_all(&limiter, QTS_RATE_ORDER, START), 7, "all of them are sent");
	qts_rate_init(&limiter, 1);
	qts_rate_keep(&limiter, 1, START + QTS_SEC);
	is(qts_rate_slots(&limiter, QTS_RATE_QUOTE, START), 0, "even the only one");
	is(qts_rate_wait(&limiter, QTS_RATE_QUOTE, START), QTS_SEC, "while they are kept");
	is(qts_rate_slots(&limiter, QTS_RATE_QUOTE, START + QTS_SEC), 1, "not for ever");
	qts_rate_keep(&limiter, 0, START + 9 * QTS_SEC);
	is(qts_rate_slots(&limiter, QTS_RATE_QUOTE, START), 1, "given back");
}

static void
test_backoff(void)
{
	bool good = true;

	is(qts_backoff(0, QTS_SEC, 30 * QTS_SEC, 0), QTS_SEC, "first attempt");
	is(qts_backoff(3, QTS_SEC, 30 * QTS_SEC, 0), 8 * QTS_SEC, "doubles");
	is(qts_backoff(5, QTS_SEC, 30 * QTS_SEC, 0), 30 * QTS_SEC, "is capped");
	is(qts_backoff(INT32_MAX, QTS_SEC, 30 * QTS_SEC, 0), 30 * QTS_SEC, "at any attempt");
	is(qts_backoff(-1, QTS_SEC, 30 * QTS_SEC, 0), QTS_SEC, "negative attempts are the first");
	is(qts_backoff(9, 1, INT64_MAX, 0), 512, "no overflow under a huge cap");
	is(qts_backoff(100, 1, INT64_MAX - 1, 0), INT64_MAX - 1, "nor at it");
	is(qts_backoff(100, 1, INT64_MAX, UINT32_MAX), INT64_MAX, "nor by the jitter");
	is(qts_backoff(2, 0, QTS_SEC, 7), 0, "no base, no wait");
	is(qts_backoff(0, 4000, 8000, UINT32_C(1) << 31), 4500, "half the jitter");
	for (uint32_t i = 0; i < 64; i++)
	{
		int64_t delay = qts_backoff(2, QTS_SEC, 30 * QTS_SEC, i * UINT32_C(0x04104104));

		good = good && delay >= 4 * QTS_SEC && delay < 5 * QTS_SEC;
	}
	ok(good, "jitter stays below a quarter");
}

int
main(void)
{
	test_window();
	test_reserve();
	test_disorder();
	test_refused();
	test_properties();
	test_set();
	test_keep();
	test_backoff();
	return tap_done();
}
