/*-------------------------------------------------------------------------
 *
 * test_poll.c
 *		Tiers of quotes by request, their batches, and what the limiter lets
 *		through (runtime 3.6, 3.10).
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>

#include "core/poll.h"
#include "core/rate.h"
#include "tap.h"

#define MANY 1000
#define BATCH 30

static QtsFollowed ranked[MANY];
static QtsPolled plan[MANY];
static int batch[MANY];

static QtsTierPolicy
policy_of(bool silent, bool emergency, int throttled)
{
	QtsTierCondition condition = {.push_silent = silent, .emergency = emergency, .throttled = throttled};

	return qts_tier_policy(&condition);
}

/* So many held, watched and others, in order of importance. */
static int
followed_set(int held, int watched, int others)
{
	int n = 0;

	for (int i = 0; i < held + watched + others; i++, n++)
	{
		memset(&ranked[n], 0, sizeof(ranked[n]));
		ranked[n].why = i < held			 ? QTS_FOLLOW_HELD
						: i < held + watched ? QTS_FOLLOW_WATCH
											 : QTS_FOLLOW_RANKING;
		snprintf(ranked[n].symbol, sizeof(ranked[n].symbol), "%06u", (unsigned) i % 1000000);
	}
	return n;
}

static int
in_tier(int n, int tier)
{
	int count = 0;

	for (int i = 0; i < n; i++)
		count += plan[i].tier == tier;
	return count;
}

static void
test_policy(void)
{
	QtsTierPolicy p = policy_of(false, false, 0);

	ok(p.interval[0] == 3 * QTS_SEC && p.interval[1] == 10 * QTS_SEC && p.interval[2] == 30 * QTS_SEC,
	   "3, 10 and 30 s");
	ok(p.cap[0] == 40 && p.cap[1] == 100, "40 and 100 symbols, the last takes the rest");
	is(policy_of(true, false, 0).interval[0], 3 * QTS_SEC / 2, "a silent push feed: held symbols within 2 s");
	is(policy_of(false, false, 1).interval[2], 60 * QTS_SEC, "throttled: the last tier twice as slow");
	is(policy_of(false, false, 2).interval[2], 120 * QTS_SEC, "and again");
	is(policy_of(false, false, 9).interval[2], 120 * QTS_SEC, "but no slower");
	ok(policy_of(false, false, 1).demoted && !p.demoted, "throttled: tier 1 is halved");
}

static void
test_tiers(void)
{
	QtsTierPolicy p = policy_of(false, false, 0);
	int n = followed_set(45, 120, 100);

	qts_poll_plan(ranked, n, &p, NULL, 0, 0, plan);
	ok(in_tier(n, 0) == 40 && in_tier(n, 1) == 100 && in_tier(n, 2) == 125,
	   "tiers that are full pass the least important on: nothing is refused");
	ok(plan[39].tier == 0 && plan[40].tier == 1 && plan[139].tier == 1 && plan[140].tier == 2, "by rank");
	p = policy_of(false, false, 1);
	qts_poll_plan(ranked, n, &p, NULL, 0, 0, plan);
	ok(in_tier(n, 1) == 50 && plan[89].tier == 1 && plan[90].tier == 2,
	   "throttled: the lower half goes down");
	ok(plan[90].demoted && !plan[140].demoted && !plan[89].demoted, "and is marked, for the other source");
	p = policy_of(false, true, 1);
	qts_poll_plan(ranked, n, &p, NULL, 0, 0, plan);
	is(in_tier(n, 0), n, "emergency: every symbol is in tier 0");
	ok(qts_poll_overdue_after(&plan[39], &p) == 13 * QTS_SEC &&
		   qts_poll_overdue_after(&plan[40], &p) == 20 * QTS_SEC &&
		   qts_poll_overdue_after(&plan[140], &p) == 70 * QTS_SEC,
	   "and overdue by what its usual tier is asked for");
}

static void
test_batches(void)
{
	QtsTierPolicy p = policy_of(false, false, 0);
	int n = followed_set(3, 2, 40);
	int got;
	bool good = true;

	qts_poll_plan(ranked, n, &p, NULL, 0, 1000, plan);
	is(qts_poll_wait(plan, n, &p, 1000), 0, "a new symbol is due at once");
	got = qts_poll_batch(plan, n, &p, 1000, BATCH, batch);
	is(got, BATCH, "a batch is full when it can be");
	for (int i = 0; i < got; i++)
		good &= batch[i] == i;
	ok(good, "tier by tier");
	for (int i = 0; i < got; i++)
		qts_poll_asked(&plan[batch[i]], &p, 1000);
	is(qts_poll_batch(plan, n, &p, 1000, BATCH, batch), 15, "the rest");
	for (int i = 0; i < 15; i++)
		qts_poll_asked(&plan[batch[i]], &p, 1000);
	is(qts_poll_batch(plan, n, &p, 1000, BATCH, batch), 0, "what is under way is not asked for again");
	for (int i = 0; i < n; i++)
		qts_poll_told(&plan[i], true, 2000);
	is(qts_poll_wait(plan, n, &p, 1000), 3 * QTS_SEC, "then the fastest tier's interval");
	is(qts_poll_batch(plan, n, &p, 2 * QTS_SEC, BATCH, batch), 0, "nearly due alone is not a reason to ask");
	got = qts_poll_batch(plan, n, &p, 1000 + 9 * QTS_SEC, BATCH, batch);
	ok(got == 5 && batch[0] == 0 && batch[3] == 3, "the places left take what is due soon");
	plan[44].at_once = true;
	is(qts_poll_wait(plan, n, &p, 2000), 0, "somebody waits: at once");
	got = qts_poll_batch(plan, n, &p, 2000, BATCH, batch);
	ok(got >= 1 && batch[0] == 44, "and first");
	qts_poll_asked(&plan[44], &p, 2000);
	is(qts_poll_batch(plan, n, &p, 2000 + 29 * QTS_SEC, BATCH, batch), 30, "later others are due");
	for (int i = 0; i < 44; i++)
		qts_poll_asked(&plan[i], &p, 2000 + 29 * QTS_SEC);
	ok(qts_poll_batch(plan, n, &p, 2000 + 30 * QTS_SEC, BATCH, batch) == 1 && batch[0] == 44,
	   "an answer that never comes frees its symbols");
	is(qts_poll_wait(plan, 0, &p, 0), -1, "no symbol: never");
}

static void
test_clock(void)
{
	QtsTierCondition closed = {.closed = true};
	QtsTierPolicy p = policy_of(false, false, 0);
	int n = followed_set(1, 0, 0);

	qts_poll_plan(ranked, n, &p, NULL, 0, QTS_DAY, plan);
	qts_poll_asked(&plan[0], &p, QTS_DAY);
	qts_poll_told(&plan[0], true, QTS_DAY);
	is(qts_poll_wait(plan, n, &p, QTS_HOUR), 3 * QTS_SEC, "a clock set back by hours delays nothing");
	qts_poll_asked(&plan[0], &p, QTS_DAY);
	is(qts_poll_batch(plan, n, &p, QTS_HOUR + 3 * QTS_SEC, BATCH, batch), 0, "one that is due in a while");
	plan[0].due = QTS_HOUR;
	is(qts_poll_batch(plan, n, &p, QTS_HOUR, BATCH, batch), 1,
	   "one asked in a future that never was is free");
	p = qts_tier_policy(&closed);
	qts_poll_told(&plan[0], true, 0);
	ok(qts_poll_batch(plan, n, &p, QTS_DAY, BATCH, batch) == 0 && qts_poll_wait(plan, n, &p, QTS_DAY) == -1,
	   "the market is closed: nothing is asked");
	plan[0].at_once = true;
	ok(qts_poll_batch(plan, n, &p, QTS_DAY, BATCH, batch) == 1 && qts_poll_wait(plan, n, &p, QTS_DAY) == 0,
	   "but what somebody waits for");
}

static void
test_replan(void)
{
	QtsTierPolicy p = policy_of(false, false, 0);
	static QtsPolled next[MANY];
	int n = followed_set(0, 2, 3);

	qts_poll_plan(ranked, n, &p, NULL, 0, 0, plan);
	for (int i = 0; i < n; i++)
		qts_poll_asked(&plan[i], &p, 0);
	qts_poll_told(&plan[4], true, 10);
	ranked[4].why = QTS_FOLLOW_HELD;
	qsort(ranked, (size_t) n, sizeof(ranked[0]), qts_follow_compare);
	qts_poll_plan(ranked, n, &p, plan, n, 100, next);
	ok(strcmp(next[0].symbol, "000004") == 0 && next[0].tier == 0 && !next[0].asked && next[0].told_at == 10,
	   "a new rank keeps what is known");
	is(qts_poll_wait(next, 1, &p, 100), 3 * QTS_SEC, "and does not sit out the slower tier's wait");
	ok(next[1].asked && next[1].due == 10 * QTS_SEC, "the others are as they were");
}

/* Seconds until every symbol was asked for once; the limiter is the real one. */
static int64_t
sweep_us(int per_second, int *most)
{
	QtsTierPolicy p = policy_of(false, false, 0);
	QtsRateLimiter limiter;
	int n = followed_set(40, 100, 860);
	int64_t now = QTS_SEC;
	int left = n;

	qts_rate_init(&limiter, per_second);
	qts_poll_plan(ranked, n, &p, NULL, 0, now, plan);
	*most = 0;
	while (left > 0)
	{
		int got;
		int recent = 0;

		now += qts_rate_wait(&limiter, QTS_RATE_QUOTE, now);
		got = qts_poll_batch(plan, n, &p, now, BATCH, batch);
		if (got == 0)
			return -1;
		qts_rate_take(&limiter, QTS_RATE_QUOTE, now);
		for (int i = 0; i < got; i++)
		{
			left -= plan[batch[i]].told_at == INT64_MIN;
			qts_poll_asked(&plan[batch[i]], &p, now);
			qts_poll_told(&plan[batch[i]], true, now);
		}
		for (int i = 0; i < limiter.count; i++)
			recent +=
				limiter.sent_at[(limiter.head - 1 - i + QTS_RATE_WINDOW) % QTS_RATE_WINDOW] > now - QTS_SEC;
		*most = recent > *most ? recent : *most;
	}
	return now - QTS_SEC;
}

static void
test_sweep(void)
{
	int most;
	int64_t took = sweep_us(14, &most);

	ok(took > 0 && took <= 29 * QTS_SEC / 10, "B13: 1 000 symbols at 12 quotes a second within 2.9 s");
	tap_note(false, "12 quotes a second (14 with the two places kept for orders): %.2f s",
			 (double) took / QTS_SEC);
	ok(most <= 14, "B-P5: all tiers together stay below the one limit");
	took = sweep_us(12, &most);
	tap_note(false, "12 requests a second, two of them kept for orders: %.2f s", (double) took / QTS_SEC);
	ok(took > 0 && took < 37 * QTS_SEC / 10 && most <= 12,
	   "with two of the 12 kept for orders a little longer");
}

/* An hour of 1 000 symbols: each tier keeps its promise and the limit holds. */
static void
test_hour(void)
{
	QtsTierPolicy p = policy_of(false, false, 0);
	QtsRateLimiter limiter;
	int n = followed_set(40, 100, 860);
	int64_t now = QTS_SEC;
	int64_t late[QTS_TIERS] = {0};
	int sent = 0;

	qts_rate_init(&limiter, 12);
	qts_poll_plan(ranked, n, &p, NULL, 0, now, plan);
	while (now < QTS_HOUR)
	{
		int64_t wait = qts_rate_wait(&limiter, QTS_RATE_QUOTE, now);
		int got = wait > 0 ? 0 : qts_poll_batch(plan, n, &p, now, BATCH, batch);

		if (got == 0)
		{
			int64_t due = qts_poll_wait(plan, n, &p, now);

			now += wait > due ? wait : due > 0 ? due : 1;
			continue;
		}
		qts_rate_take(&limiter, QTS_RATE_QUOTE, now);
		sent++;
		for (int i = 0; i < got; i++)
		{
			QtsPolled *polled = &plan[batch[i]];

			if (polled->told_at != INT64_MIN && now - polled->told_at > late[polled->tier])
				late[polled->tier] = now - polled->told_at;
			qts_poll_asked(polled, &p, now);
			qts_poll_told(polled, true, now);
		}
	}
	tap_note(false, "%d requests in an hour; longest gaps %.1f, %.1f, %.1f s", sent,
			 (double) late[0] / QTS_SEC, (double) late[1] / QTS_SEC, (double) late[2] / QTS_SEC);
	ok(late[0] <= 4 * QTS_SEC && late[1] <= 12 * QTS_SEC && late[2] <= 33 * QTS_SEC,
	   "an hour of 1 000 symbols: no gap much longer than its tier's interval");
}

/* Whatever happens, a batch holds no symbol twice and none that is under way. */
static void
test_property(void)
{
	TapRandom rng = {5};
	bool good = true;

	for (int run = 0; run < 300 && good; run++)
	{
		QtsTierPolicy p = policy_of(tap_chance(&rng, 20), tap_chance(&rng, 10), (int) tap_range(&rng, 0, 2));
		int n = followed_set((int) tap_range(&rng, 0, 60), (int) tap_range(&rng, 0, 60),
							 (int) tap_range(&rng, 0, 60));
		int64_t now = 0;

		qts_poll_plan(ranked, n, &p, NULL, 0, now, plan);
		for (int step = 0; step < 50 && good; step++)
		{
			int got = qts_poll_batch(plan, n, &p, now, BATCH, batch);

			good = tap_note(got <= BATCH, "run %d: %d in a batch", run, got);
			for (int i = 0; i < got && good; i++)
			{
				good = tap_note(!plan[batch[i]].asked || now - plan[batch[i]].asked_at >= 30 * QTS_SEC,
								"run %d: %s twice", run, plan[batch[i]].symbol);
				qts_poll_asked(&plan[batch[i]], &p, now);
			}
			for (int i = 0; i < n; i++)
			{
				if (plan[i].asked && tap_chance(&rng, 50))
					qts_poll_told(&plan[i], tap_chance(&rng, 90), now);
			}
			now += tap_range(&rng, 0, 5 * QTS_SEC);
		}
	}
	ok(good, "no symbol is asked for twice at a time");
}

int
main(void)
{
	test_policy();
	test_tiers();
	test_batches();
	test_clock();
	test_replan();
	test_sweep();
	test_hour();
	test_property();
	return tap_done();
}
