/*-------------------------------------------------------------------------
 *
 * prices.c
 *		B5: reading a price: from shared memory in C and in SQL, from Redis,
 *		and from a table.
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

#define ROUNDS 5
#define C_READS "20000000"
#define SQL_CALLS 300000
#define SQL_CALLS_TEXT "300000"
#define READS 4000

static PGconn *engine;

/* Mean ns of one call inside one statement. */
static double
sql_calls(const char *expression)
{
	char sql[300];
	int64_t start;

	/* the symbol depends on the row, so that nothing is computed once */
	snprintf(sql, sizeof(sql), "SELECT count(%s) FROM generate_series(1, " SQL_CALLS_TEXT ") g", expression);
	start = bench_mono_ns();
	bench_run(engine, sql);
	return (double) (bench_mono_ns() - start) / SQL_CALLS;
}

static void
table_reads(Samples *samples)
{
	for (int i = 0; i < READS / ROUNDS; i++)
	{
		char symbol[12];
		const char *params[1] = {symbol};
		int64_t start;

		bench_symbol(i % BENCH_SYMBOLS, symbol);
		start = bench_mono_ns();
		PQclear(bench_execute(engine, "price", 1, params));
		samples_add(samples, (double) (bench_mono_ns() - start) / 1000);
	}
}

#ifdef HAVE_HIREDIS
static redisContext *redis;

static bool
redis_open(void)
{
	const char *path = getenv("BENCH_REDIS");

	/* it was started a moment ago */
	for (int i = 0; path && i < 2000; i++)
	{
		redis = redisConnectUnix(path);
		if (redis != NULL && redis->err == 0)
			break;
		if (redis != NULL)
			redisFree(redis);
		redis = NULL;
		bench_pause_until(bench_real_us() + 5000);
	}
	for (int i = 0; redis && i < BENCH_SYMBOLS; i++)
		freeReplyObject(redisCommand(redis, "SET price:%d 70000", 100000 + i));
	return redis != NULL;
}

static void
redis_reads(Samples *samples)
{
	for (int i = 0; redis && i < READS / ROUNDS; i++)
	{
		int64_t start = bench_mono_ns();
		redisReply *reply = redisCommand(redis, "GET price:%d", 100000 + i % BENCH_SYMBOLS);

		if (reply == NULL || reply->type != REDIS_REPLY_STRING)
			bench_fail("Redis gave no price");
		freeReplyObject(reply);
		samples_add(samples, (double) (bench_mono_ns() - start) / 1000);
	}
}
#else
static bool
redis_open(void)
{
	return false;
}

static void
redis_reads(Samples *samples)
{
	(void) samples;
}
#endif

/* Every symbol on the board. */
static void
board_fill(void)
{
	for (int i = 0; i < BENCH_SYMBOLS; i++)
	{
		char body[64];

		snprintf(body, sizeof(body), "{\"symbol\":\"%06d\",\"price\":%d}", 100000 + i, BENCH_BASE);
		(void) control_now("POST", "/price", body);
	}
	bench_until(engine,
				"SELECT count(*) FROM market.stocks s, qts.price(s.symbol) p WHERE s.symbol < '100040'"
				" AND p.last = 70000",
				BENCH_SYMBOLS);
}

static void
prepare(void)
{
	char sql[600];

	engine = bench_connect("trading");
	board_fill();
	bench_run(engine, "ANALYZE market.prices_best");
	bench_run(engine, "SET jit = off");
	bench_prepare(engine, "price", "SELECT best_price FROM market.prices_best WHERE symbol = $1");
	snprintf(
		sql, sizeof(sql),
		"CREATE OR REPLACE FUNCTION pg_temp.bench_empty(symbol text, OUT last bigint, OUT bid bigint, OUT ask bigint,"
		" OUT volume bigint, OUT source text, OUT exch_ts timestamptz, OUT recv_ts timestamptz, OUT age_ms bigint,"
		" OUT is_stale boolean, OUT stale_reason text) RETURNS record"
		" AS '%s', 'bench_empty' LANGUAGE C STRICT VOLATILE PARALLEL SAFE",
		getenv("BENCH_MODULE"));
	bench_run(engine, sql);
}

int
main(void)
{
	static Samples in_c = {.name = "C, shared memory"};
	static Samples sql = {.name = "SQL, qts.price() in a statement"};
	static Samples empty = {.name = "SQL, empty function of the same shape"};
	static Samples margin = {.name = "SQL, the price's own share"};
	static Samples table = {.name = "SELECT by primary key, prepared"};
	static Samples cache = {.name = "Redis GET, unix socket"};
	bool has_redis = redis_open();

	prepare();
	(void) sql_calls("qts.price((100000 + g % 40)::text)");
	(void) sql_calls("pg_temp.bench_empty((100000 + g % 40)::text)");
	for (int round = 0; round < ROUNDS; round++)
	{
		PGresult *row = bench_query(engine, "SELECT qts._bench_price('100007', " C_READS ")");
		double with;
		double without;

		samples_add(&in_c, atof(PQgetvalue(row, 0, 0)) / 1000);
		PQclear(row);
		with = sql_calls("qts.price((100000 + g % 40)::text)");
		without = sql_calls("pg_temp.bench_empty((100000 + g % 40)::text)");
		samples_add(&sql, with / 1000);
		samples_add(&empty, without / 1000);
		samples_add(&margin, (with - without) / 1000);
		table_reads(&table);
		redis_reads(&cache);
	}
	printf("\nB5 price read, median of the means of %d rounds\n", ROUNDS);
	printf("  %-44s %8.1f ns\n", in_c.name, samples_quantile(&in_c, 0.5) * 1000);
	printf("  %-44s %8.1f ns\n", sql.name, samples_quantile(&sql, 0.5) * 1000);
	printf("  %-44s %8.1f ns\n", empty.name, samples_quantile(&empty, 0.5) * 1000);
	printf("  %-44s %8.1f ns\n", margin.name, samples_quantile(&margin, 0.5) * 1000);
	samples_title("B5 one read from a client", "us");
	samples_print(&table);
	if (has_redis)
		samples_print(&cache);
	else
		printf("  Redis: skipped, redis-server or hiredis is missing\n");
	samples_ratio(&table, &in_c, 0.5);
	samples_ratio(&table, &sql, 0.5);
	if (has_redis)
	{
		samples_ratio(&cache, &in_c, 0.5);
		samples_ratio(&cache, &margin, 0.5);
	}
	printf("  goal C <= 5 ns: %.1f, %s\n", samples_quantile(&in_c, 0.5) * 1000,
		   samples_quantile(&in_c, 0.5) * 1000 <= 5 ? "met" : "MISSED");
	printf("  goal the price's share of a SQL call <= 100 ns: %.1f, %s\n",
		   samples_quantile(&margin, 0.5) * 1000,
		   samples_quantile(&margin, 0.5) * 1000 <= 100 ? "met" : "MISSED");
	PQfinish(engine);
	return 0;
}
