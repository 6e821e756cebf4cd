/*-------------------------------------------------------------------------
 *
 * wakes.c
 *		B4: what the wake-up at commit costs those who commit.
 *
 * Thirty-two sessions insert into plain tables of one shape: one without a
 * trigger, one whose commit wakes the engine's workers, one that notifies a
 * listener.  The woken workers' own look at an empty queue is part of it.
 * Then one session commits 100 000 times, to see whether the cost grows.
 *
 *-------------------------------------------------------------------------
 */
#include "bench.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define CLIENTS 32
#define ROUNDS 5
#define ROUND_US 1500000
#define WARM_US 300000
#define TENTH 10000

enum
{
	NONE,
	WAKE,
	TELL,
	VARIANTS
};

static const char *const variant[VARIANTS] = {"none", "wake", "tell"};
static PGconn *client[CLIENTS];
static int variant_now;
static int64_t end_us;
static atomic_long commits;

static void
prepare(PGconn *conn)
{
	bench_run(
		conn,
		"CREATE SCHEMA bench;"
		"CREATE FUNCTION bench.tell() RETURNS trigger LANGUAGE plpgsql AS"
		" $$ BEGIN PERFORM pg_notify('bench', ''); RETURN NULL; END $$;"
		"CREATE TABLE bench.none (id bigserial PRIMARY KEY, qty bigint, symbol text);"
		"CREATE TABLE bench.wake (LIKE bench.none INCLUDING ALL);"
		"CREATE TABLE bench.tell (LIKE bench.none INCLUDING ALL);"
		"CREATE TRIGGER wake AFTER INSERT ON bench.wake FOR EACH STATEMENT"
		" EXECUTE FUNCTION qts._trg_wake('INTENT');"
		"CREATE TRIGGER tell AFTER INSERT ON bench.tell FOR EACH STATEMENT EXECUTE FUNCTION bench.tell();"
		"CREATE PROCEDURE bench.commits(n int) LANGUAGE plpgsql AS $$ BEGIN FOR i IN 1..n LOOP"
		" INSERT INTO bench.wake (qty, symbol) VALUES (1, '100000'); COMMIT; END LOOP; END $$");
}

static void *
client_main(void *arg)
{
	PGconn *conn = arg;

	while (bench_real_us() < end_us)
	{
		PQclear(bench_execute(conn, variant[variant_now], 0, NULL));
		atomic_fetch_add(&commits, 1);
	}
	return NULL;
}

/* Commits a second of one variant. */
static double
round_of(int which, int64_t length_us)
{
	pthread_t thread[CLIENTS];
	int64_t start = bench_real_us();

	variant_now = which;
	end_us = start + length_us;
	atomic_store(&commits, 0);
	for (int i = 0; i < CLIENTS; i++)
		if (pthread_create(&thread[i], NULL, client_main, client[i]) != 0)
			bench_fail("could not start a thread");
	for (int i = 0; i < CLIENTS; i++)
		pthread_join(thread[i], NULL);
	return (double) atomic_load(&commits) / ((double) (bench_real_us() - start) / 1e6);
}

static void
bench_slope(PGconn *conn)
{
	double first = 0;
	double last = 0;
	char sql[60];

	snprintf(sql, sizeof(sql), "CALL bench.commits(%d)", TENTH);
	bench_run(conn, "SET synchronous_commit = off");
	bench_run(conn, sql);
	for (int i = 0; i < 10; i++)
	{
		int64_t start = bench_mono_ns();
		double each;

		bench_run(conn, sql);
		each = (double) (bench_mono_ns() - start) / TENTH / 1000;
		if (i == 0)
			first = each;
		last = each;
	}
	printf(
		"  100 000 waking commits in one session, not flushed: first tenth %.1f us each, last %.1f us, x%.2f\n",
		first, last, last / first);
}

int
main(void)
{
	static Samples rate[VARIANTS] = {
		{.name = "no trigger"}, {.name = "qts wake"}, {.name = "pg_notify, one listener"}};
	PGconn *conn = bench_connect("trading");
	PGconn *listener = bench_connect("trading");
	double wake;
	long rows;

	prepare(conn);
	bench_run(listener, "LISTEN bench");
	for (int i = 0; i < CLIENTS; i++)
	{
		client[i] = bench_connect("trading");
		for (int v = 0; v < VARIANTS; v++)
		{
			char sql[100];

			snprintf(sql, sizeof(sql), "INSERT INTO bench.%s (qty, symbol) VALUES (1, '100000')", variant[v]);
			bench_prepare(client[i], variant[v], sql);
		}
	}
	for (int v = 0; v < VARIANTS; v++)
		(void) round_of(v, WARM_US);
	for (int round = 0; round < ROUNDS; round++)
		for (int v = 0; v < VARIANTS; v++)
		{
			PGnotify *notify;

			samples_add(&rate[v], round_of(v, ROUND_US));
			(void) PQconsumeInput(listener);
			while ((notify = PQnotifies(listener)) != NULL)
				PQfreemem(notify);
		}
	printf("\nB4 commits a second, %d sessions, median of %d rounds\n", CLIENTS, ROUNDS);
	for (int v = 0; v < VARIANTS; v++)
		printf("  %-44s %10.0f (%.0f to %.0f)\n", rate[v].name, samples_quantile(&rate[v], 0.5),
			   samples_quantile(&rate[v], 0), samples_quantile(&rate[v], 1));
	samples_ratio(&rate[WAKE], &rate[NONE], 0.5);
	samples_ratio(&rate[WAKE], &rate[TELL], 0.5);
	wake = samples_quantile(&rate[WAKE], 0.5) / samples_quantile(&rate[NONE], 0.5);
	printf("  goal wake : none >= 0.97: %.2f, %s\n", wake, wake >= 0.97 ? "met" : "MISSED");
	bench_slope(conn);
	rows = bench_long(conn,
					  "SELECT count(*) FROM trade.order_intents WHERE status NOT IN ('FILLED', 'CANCELLED')");
	bench_check(rows == 0, "intents the idle workers made", rows, 0);
	bench_run(conn, "SET client_min_messages = warning; DROP SCHEMA bench CASCADE");
	for (int i = 0; i < CLIENTS; i++)
		PQfinish(client[i]);
	PQfinish(listener);
	PQfinish(conn);
	return 0;
}
