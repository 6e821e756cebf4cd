/*-------------------------------------------------------------------------
 *
 * exits.c
 *		B9: a tick that breaks the hard stop, handed to the socket by the
 *		broker, until the POST of the exit is back at the broker.
 *
 * Each round has fresh positions in forty symbols and one falling tick for
 * each of them.  Beside it stands a program that looks at the prices once a
 * second, as the systems do that this one learnt from.
 *
 *-------------------------------------------------------------------------
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outside.h"

#define ROUNDS 12
#define POLLED_EVERY 4 /* one round of the poller after so many of ours */
#define STEP_US 10000  /* 100 falling ticks a second */
#define QTY 10
#define FALLEN (BENCH_BASE * 85 / 100)

static PGconn *engine;

/* Every symbol at the base price, and the engine has seen it. */
static void
prices_reset(void)
{
	char body[BENCH_SYMBOLS * 48 + 32];
	size_t n = (size_t) snprintf(body, sizeof(body), "{\"prices\":[");

	for (int i = 0; i < BENCH_SYMBOLS; i++)
	{
		char symbol[12];

		bench_symbol(i, symbol);
		n += (size_t) snprintf(body + n, sizeof(body) - n, "%s{\"symbol\":\"%s\",\"price\":%d}", i ? "," : "",
							   symbol, BENCH_BASE);
	}
	snprintf(body + n, sizeof(body) - n, "]}");
	(void) control_now("POST", "/price", body);
	bench_until(
		engine,
		"SELECT count(*) FROM market.stocks s, qts.price(s.symbol) p WHERE s.symbol < '100040' AND p.last = 70000"
		" AND NOT p.is_stale",
		BENCH_SYMBOLS);
}

/* Falling ticks, one symbol after the other; at[i] receives when each left the broker. */
static void
prices_fall(int64_t *at, int64_t step_us)
{
	int64_t first = bench_real_us() + 10000;

	for (int i = 0; i < BENCH_SYMBOLS; i++)
	{
		char symbol[12];
		char body[64];

		(void) bench_start(first, step_us, i);
		bench_symbol(i, symbol);
		snprintf(body, sizeof(body), "{\"symbol\":\"%s\",\"price\":%d}", symbol, FALLEN);
		at[i] = control_now("POST", "/price", body);
	}
}

static void
round_collect(const char *account, int64_t since, const int64_t *at, Samples *samples)
{
	bool seen[BENCH_SYMBOLS] = {false};
	int count;
	Post *posts = control_posts(since, &count);

	if (count != BENCH_SYMBOLS)
		bench_fail("%d POSTs for %d falling symbols", count, BENCH_SYMBOLS);
	for (int i = 0; i < count; i++)
	{
		int s = atoi(posts[i].symbol) - 100000;

		if (strcmp(posts[i].account, account) != 0 || s < 0 || s >= BENCH_SYMBOLS || seen[s])
			bench_fail("an exit of %s came twice or from elsewhere", posts[i].symbol);
		seen[s] = true;
		if (samples)
			samples_add(samples, (double) (posts[i].t_us - at[s]));
	}
	free(posts);
}

static void
round_engine(Samples *samples)
{
	int64_t at[BENCH_SYMBOLS];
	int64_t since;

	prices_reset();
	since = control_last();
	bench_positions(engine, QTY, "ENABLED");
	/* the detail line of the worker says what it has loaded */
	bench_until(engine,
				"SELECT substring(detail FROM '^[0-9]+')::int FROM qts._workers() WHERE worker = 'exit'",
				2 * BENCH_SYMBOLS);
	prices_fall(at, STEP_US);
	control_wait_orders(since, BENCH_SYMBOLS);
	bench_until(engine,
				"SELECT count(*) FROM trade.positions WHERE account_id = '" BENCH_ACCOUNT
				"' AND status <> 'CLOSED'",
				0);
	round_collect(BENCH_ACCOUNT, since, at, samples);
}

static void
round_poller(Samples *samples)
{
	int64_t at[BENCH_SYMBOLS];
	int64_t since;

	prices_reset();
	since = control_last();
	outside_rearm();
	outside_start(OUTSIDE_EVALUATOR);
	prices_fall(at, 1000000 / BENCH_SYMBOLS);
	control_wait_orders(since, BENCH_SYMBOLS);
	outside_stop();
	round_collect(BENCH_OUTSIDE, since, at, samples);
}

int
main(void)
{
	static Samples ours = {.name = "qts, decision and intent durable"};
	static Samples poller = {.name = "evaluator of 1 s"};
	long sent = 0;

	outside_login();
	engine = bench_connect("trading");
	round_engine(NULL);
	bench_run(engine, "ANALYZE");
	for (int round = 0; round < ROUNDS; round++)
	{
		round_engine(&ours);
		if (round % POLLED_EVERY == 0)
			round_poller(&poller);
	}
	samples_title("B9 tick at the broker's socket -> POST of the exit, 40 positions, 100 ticks/s", "us");
	samples_print(&ours);
	samples_print(&poller);
	samples_ratio(&poller, &ours, 0.5);
	samples_goal(&ours, 0.5, 400);
	samples_goal(&ours, 0.99, 1000);
	sent = bench_long(engine,
					  "SELECT count(*) FROM trade.exit_events e JOIN trade.order_intents i USING (intent_id)"
					  " WHERE i.reason_code = 'HARD_STOP'");
	bench_check(sent == (ROUNDS + 1) * BENCH_SYMBOLS, "positions closed by the hard stop", sent,
				(ROUNDS + 1) * BENCH_SYMBOLS);
	PQfinish(engine);
	return 0;
}
