/*-------------------------------------------------------------------------
 *
 * ingest.c
 *		B12: decoded ticks into the tables, beside COPY, INSERT and Redis.
 *		B17, its first half: ticks through the simulator's WebSocket into them.
 *
 * Nothing waits for the disk, as ticks do not: synchronous_commit is off for
 * all of them alike.
 *
 *-------------------------------------------------------------------------
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_HIREDIS
#include <hiredis/hiredis.h>
#endif

#define ROUNDS 7
#define BATCH 2048
#define BATCHES 40
#define ROWS (BATCH * BATCHES)
#define SINGLES 4000
#define ALONE 1000
#define FRAMES 1000
#define PRINTS 100 /* of a frame */

static PGconn *engine;
static long stored; /* rows so far: what the table must hold at the end */

/* Rows per second of so many since start. */
static double
rate(int rows, int64_t start)
{
	return rows * 1e9 / (double) (bench_mono_ns() - start);
}

static double
ours(void)
{
	int64_t start = bench_mono_ns();

	for (int i = 0; i < BATCHES; i++)
	{
		char first[24];
		const char *params[1] = {first};

		snprintf(first, sizeof(first), "%ld", stored);
		PQclear(bench_execute(engine, "store", 1, params));
		stored += BATCH;
	}
	return rate(ROWS, start);
}

static int
copy_line(char *line, size_t size, long i)
{
	return snprintf(
		line, size,
		"2026-11-20 11:00:%02ld.%06ld+09\t%ld\t%ld\tKIS_WS\t%ld\t%ld\t%ld\t1\t%ld\t2026-11-20 11:00:00+09\n",
		i / 1000000 % 60, i % 1000000, i, 100000 + i % BENCH_SYMBOLS, 70000 + i % 7 * 100,
		69900 + i % 7 * 100, 70000 + i % 7 * 100, i);
}

/* The other end: a tick alone, as a quiet market sends them; us each. */
static double
alone(void)
{
	int64_t start = bench_mono_ns();

	for (int i = 0; i < ALONE; i++)
	{
		char first[24];
		const char *params[1] = {first};

		snprintf(first, sizeof(first), "%ld", stored++);
		PQclear(bench_execute(engine, "alone", 1, params));
	}
	return (double) (bench_mono_ns() - start) / 1000 / ALONE;
}

/* One statement for all of them: the most the server can do. */
static double
copy(void)
{
	int64_t start = bench_mono_ns();
	PGresult *end;

	PQclear(PQexec(engine,
				   "COPY market.prices_ticks (recv_ts, seq, symbol, source, last_price, bid_price, ask_price,"
				   " volume, acml_volume, exch_ts) FROM STDIN"));
	for (int i = 0; i < ROWS; i++)
	{
		char line[256];

		if (PQputCopyData(engine, line, copy_line(line, sizeof(line), stored++)) != 1)
			bench_fail("COPY: %s", PQerrorMessage(engine));
	}
	if (PQputCopyEnd(engine, NULL) != 1)
		bench_fail("COPY: %s", PQerrorMessage(engine));
	while ((end = PQgetResult(engine)) != NULL)
	{
		if (PQresultStatus(end) != PGRES_COMMAND_OK)
			bench_fail("COPY: %s", PQerrorMessage(engine));
		PQclear(end);
	}
	return rate(ROWS, start);
}

/* A row, a transaction: the plain program. */
static double
singles(void)
{
	int64_t start = bench_mono_ns();

	for (int i = 0; i < SINGLES; i++)
	{
		char number[24];
		char symbol[12];
		const char *params[2] = {number, symbol};

		snprintf(number, sizeof(number), "%ld", stored++);
		bench_symbol(i % BENCH_SYMBOLS, symbol);
		PQclear(bench_execute(engine, "single", 2, params));
	}
	return rate(SINGLES, start);
}

#ifdef HAVE_HIREDIS
/* The newest price and an entry of a stream for each tick, a batch in one write: it keeps them in memory alone. */
static double
redis_batches(redisContext *redis)
{
	int64_t start = bench_mono_ns();

	for (int b = 0; b < BATCHES; b++)
	{
		for (int i = 0; i < BATCH; i++)
		{
			redisAppendCommand(redis, "SET price:%d %d", 100000 + i % BENCH_SYMBOLS, 70000 + i % 7 * 100);
			redisAppendCommand(redis, "XADD ticks:%d MAXLEN ~ 100000 * p %d v %d", 100000 + i % BENCH_SYMBOLS,
							   70000 + i % 7 * 100, i);
		}
		for (int i = 0; i < 2 * BATCH; i++)
		{
			redisReply *reply;

			if (redisGetReply(redis, (void **) &reply) != REDIS_OK || reply->type == REDIS_REPLY_ERROR)
				bench_fail("Redis took no tick");
			freeReplyObject(reply);
		}
	}
	return rate(ROWS, start);
}
#endif

/* Frames of a hundred records, sent to whoever is subscribed; volumes go on from round to round. */
static char *
frame_body(long from)
{
	static char body[64 * 1024];
	size_t n = (size_t) snprintf(body, sizeof(body), "{\"text\":\"0|H0STCNT0|%03d|", PRINTS);

	for (int i = 0; i < PRINTS; i++)
	{
		long price = 70000 + (from + i) % 7 * 100;

		n += (size_t) snprintf(
			body + n, sizeof(body) - n,
			"%s%d^100000^%ld^2^%ld^1.00^70000^70000^71000^69000^%ld^%ld^1^%ld^%ld^1^1^0^100.00^1^1^1^50.00^100.00"
			"^090000^3^0^090000^2^0^090000^5^0^20261120^20^N^10000^10000^100000^100000^0.01^1^100.00^0^^70000^2",
			i == 0 ? "" : "^", 100000 + i % BENCH_SYMBOLS, price, price - BENCH_BASE, price, price - 100,
			from + i, (from + i) * 70000);
	}
	snprintf(body + n, sizeof(body) - n, "\"}");
	return body;
}

static double
through_the_socket(long *volume)
{
	const char *lost =
		"SELECT coalesce(sum(value), 0)::bigint FROM qts._metrics() WHERE name = 'qts_ticks_lost_total'";
	long before = bench_long(engine, "SELECT count(*) FROM market.prices_ticks");
	long lost_before = bench_long(engine, lost);
	int64_t start = bench_mono_ns();
	double result;

	for (int f = 0; f < FRAMES; f++)
	{
		json_decref(control_ask("POST", "/frame", frame_body(*volume)));
		*volume += PRINTS;
	}
	bench_until(engine,
				"SELECT count(*) FROM qts.price('100000') p, qts.price('100019') q"
				" WHERE p.volume IS NOT NULL AND q.volume IS NOT NULL",
				1);
	for (;;)
	{
		long rows = bench_long(engine, "SELECT count(*) FROM market.prices_ticks") - before;
		long gone = bench_long(engine, lost) - lost_before;

		if (rows + gone >= FRAMES * PRINTS)
		{
			result = rate((int) rows, start);
			stored += rows;
			bench_check(gone == 0, "prints lost by back-pressure", gone, 0);
			return result;
		}
		if (bench_mono_ns() - start > INT64_C(60000000000))
			bench_fail("only %ld of %d prints became rows, %ld lost", rows, FRAMES * PRINTS, gone);
		bench_pause_until(bench_real_us() + 2000);
	}
}

static void
prepare(void)
{
	char sql[400];

	engine = bench_connect("trading");
	bench_run(engine, "SET synchronous_commit = off");
	snprintf(
		sql, sizeof(sql),
		"CREATE OR REPLACE FUNCTION pg_temp.bench_store(n integer, first bigint, at timestamptz) RETURNS integer"
		" AS '%s', 'bench_store' LANGUAGE C STRICT VOLATILE",
		getenv("BENCH_STORE"));
	bench_run(engine, sql);
	bench_run(engine, "SELECT system._ensure_partitions('2026-11-20', 1)");
	for (int i = 0; i < 2; i++)
	{
		snprintf(sql, sizeof(sql),
				 "SELECT pg_temp.bench_store(%d, $1::bigint, '2026-11-20 10:30:00+09'::timestamptz"
				 " + $1::bigint * interval '1 microsecond')",
				 i == 0 ? BATCH : 1);
		bench_prepare(engine, i == 0 ? "store" : "alone", sql);
	}
	bench_prepare(
		engine, "single",
		"INSERT INTO market.prices_ticks (recv_ts, seq, symbol, source, last_price, bid_price, ask_price,"
		" volume, acml_volume, exch_ts) VALUES ('2026-11-20 12:00:00+09'::timestamptz + $1::bigint"
		" * interval '1 microsecond', $1::bigint, $2, 'KIS_WS', 70000, 69900, 70000, 1, $1::bigint,"
		" '2026-11-20 12:00:00+09')");
	stored = bench_long(engine, "SELECT count(*) FROM market.prices_ticks");
}

static void
tables(void)
{
	static Samples engine_rows = {.name = "qts, batches of 2048, quotes too"};
	static Samples lone = {.name = "qts, a tick alone"};
	static Samples copied = {.name = "COPY, one statement"};
	static Samples single = {.name = "INSERT, a row a transaction"};
	static Samples cache = {.name = "Redis SET + XADD, pipelined, not durable"};
#ifdef HAVE_HIREDIS
	redisContext *redis = getenv("BENCH_REDIS") ? redisConnectUnix(getenv("BENCH_REDIS")) : NULL;

	if (redis != NULL && redis->err != 0)
	{
		redisFree(redis);
		redis = NULL;
	}
#endif
	(void) ours();
	(void) alone();
	(void) copy();
	(void) singles();
	for (int i = 0; i < ROUNDS; i++)
	{
		samples_add(&engine_rows, ours() / 1000);
		samples_add(&lone, alone());
		samples_add(&copied, copy() / 1000);
		samples_add(&single, singles() / 1000);
#ifdef HAVE_HIREDIS
		if (redis != NULL)
			samples_add(&cache, redis_batches(redis) / 1000);
#endif
	}
	samples_title("B12 ticks stored, from the decoded batch on", "thousand rows/s");
	samples_print(&engine_rows);
	samples_print(&copied);
	samples_print(&single);
	if (cache.count > 0)
		samples_print(&cache);
	else
		printf("  Redis: skipped, redis-server or hiredis is missing\n");
	samples_ratio(&engine_rows, &copied, 0.5);
	samples_ratio(&engine_rows, &single, 0.5);
	if (cache.count > 0)
		samples_ratio(&engine_rows, &cache, 0.5);
	samples_title("B12 a tick alone: print, best price, freshness", "us");
	samples_print(&lone);
	printf("  goals: 0.75x COPY, 15x single rows\n");
	bench_check(bench_long(engine, "SELECT count(*) FROM market.prices_ticks") == stored, "rows in the table",
				bench_long(engine, "SELECT count(*) FROM market.prices_ticks"), stored);
}

int
main(void)
{
	static Samples socket = {.name = "qts, frames of 100 prints"};
	long volume;

	prepare();
	tables();
	volume = stored + 1;
	(void) through_the_socket(&volume);
	for (int i = 0; i < ROUNDS; i++)
		samples_add(&socket, through_the_socket(&volume) / 1000);
	samples_title("B17 ticks through the simulator's WebSocket into the tables", "thousand rows/s");
	samples_print(&socket);
	samples_floor(&socket, 0.5, 50);
	PQfinish(engine);
	return 0;
}
