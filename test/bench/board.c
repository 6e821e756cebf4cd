/*-------------------------------------------------------------------------
 *
 * board.c
 *		B6: from publication on the board to another process's sight of it.
 *		B7: no reader ever sees half of a write.
 *
 * Writer and readers are backends; the symbol is one the engine does not
 * follow.  Redis and a table do the same beside them.
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

#define READERS 2
#define TORN_MS "6000"
#define SIGHTS 300
#define PAUSE_US "200"
#define ROUND_TRIPS 2000

static PGconn *
backend(void)
{
	PGconn *conn = bench_connect("trading");
	const char *const functions[4] = {
		"bench_publish(ms integer, pause integer) RETURNS bigint",
		"bench_torn(ms integer) RETURNS bigint[]",
		"bench_seen(n integer) RETURNS double precision[]",
		"bench_book(symbol text, crossed boolean) RETURNS void",
	};

	for (int i = 0; i < 4; i++)
	{
		char sql[400];
		char name[32];

		snprintf(name, sizeof(name), "%.*s", (int) strcspn(functions[i], "("), functions[i]);
		snprintf(sql, sizeof(sql), "CREATE FUNCTION pg_temp.%s AS '%s', '%s' LANGUAGE C VOLATILE",
				 functions[i], getenv("BENCH_STORE"), name);
		bench_run(conn, sql);
	}
	return conn;
}

static void
send_query(PGconn *conn, const char *sql)
{
	if (PQsendQuery(conn, sql) != 1)
		bench_fail("%s: %s", sql, PQerrorMessage(conn));
}

static PGresult *
result_of(PGconn *conn)
{
	PGresult *result = PQgetResult(conn);

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		bench_fail("%s", PQerrorMessage(conn));
	PQclear(PQgetResult(conn));
	return result;
}

/* The i-th number of an array's text. */
static double
element(const char *array, int i)
{
	array++;
	while (i-- > 0)
		array = strchr(array, ',') + 1;
	return atof(array);
}

static void
torn(PGconn *writer, PGconn **reader)
{
	double reads = 0;
	double bad = 0;
	double blocked = 0;
	PGresult *wrote;

	send_query(writer, "SELECT pg_temp.bench_publish(" TORN_MS ", 0)");
	for (int i = 0; i < READERS; i++)
		send_query(reader[i], "SELECT pg_temp.bench_torn(" TORN_MS ")");
	wrote = result_of(writer);
	for (int i = 0; i < READERS; i++)
	{
		PGresult *read = result_of(reader[i]);

		reads += element(PQgetvalue(read, 0, 0), 0);
		bad += element(PQgetvalue(read, 0, 0), 1);
		blocked += element(PQgetvalue(read, 0, 0), 2);
		PQclear(read);
	}
	printf("\nB7 one writer at full speed, %d readers\n", READERS);
	printf("  %s writes, %.0f reads, %.0f of them gave up after a thousand tries\n", PQgetvalue(wrote, 0, 0),
		   reads, blocked);
	PQclear(wrote);
	bench_check(bad == 0, "torn reads", (long) bad, 0);
}

static void
sight(PGconn *writer, PGconn *reader, Samples *samples)
{
	char sql[80];
	PGresult *seen;
	const char *at;

	send_query(writer, "SELECT pg_temp.bench_publish(4000, " PAUSE_US ")");
	snprintf(sql, sizeof(sql), "SELECT pg_temp.bench_seen(%d)", SIGHTS);
	send_query(reader, sql);
	seen = result_of(reader);
	at = PQgetvalue(seen, 0, 0) + 1;
	for (int i = 0; i < SIGHTS; i++)
	{
		samples_add(samples, atof(at) / 1000);
		at = strchr(at, ',') != NULL ? strchr(at, ',') + 1 : at;
	}
	PQclear(seen);
	PQclear(result_of(writer));
}

#ifdef HAVE_HIREDIS
/* What two clients of a cache server do for the same: SET by one, then GET by the other. */
static void
redis_sight(Samples *samples)
{
	const char *path = getenv("BENCH_REDIS");
	redisContext *a = path ? redisConnectUnix(path) : NULL;
	redisContext *b = path ? redisConnectUnix(path) : NULL;

	for (int i = 0; a != NULL && b != NULL && a->err == 0 && b->err == 0 && i < ROUND_TRIPS; i++)
	{
		int64_t start = bench_mono_ns();
		redisReply *set = redisCommand(a, "SET bench:sight %d", i);
		redisReply *get = redisCommand(b, "GET bench:sight");

		if (set == NULL || get == NULL || get->type != REDIS_REPLY_STRING || atoi(get->str) != i)
			bench_fail("Redis lost a value");
		samples_add(samples, (double) (bench_mono_ns() - start) / 1000);
		freeReplyObject(set);
		freeReplyObject(get);
	}
	if (a != NULL)
		redisFree(a);
	if (b != NULL)
		redisFree(b);
}
#else
static void
redis_sight(Samples *samples)
{
	(void) samples;
}
#endif

static void
table_sight(PGconn *writer, PGconn *reader, Samples *samples)
{
	bench_run(writer, "CREATE TABLE IF NOT EXISTS public.bench_sight (symbol text PRIMARY KEY, price bigint)"
					  " WITH (fillfactor = 50)");
	bench_run(writer, "INSERT INTO public.bench_sight VALUES ('x', 0) ON CONFLICT DO NOTHING");
	bench_run(writer, "SET synchronous_commit = off");
	bench_prepare(writer, "set", "UPDATE public.bench_sight SET price = $1 WHERE symbol = 'x'");
	bench_prepare(reader, "get", "SELECT price FROM public.bench_sight WHERE symbol = 'x'");
	for (int i = 0; i < ROUND_TRIPS; i++)
	{
		char price[16];
		const char *params[1] = {price};
		int64_t start;
		PGresult *got;

		snprintf(price, sizeof(price), "%d", i);
		start = bench_mono_ns();
		PQclear(bench_execute(writer, "set", 1, params));
		got = bench_execute(reader, "get", 0, NULL);
		if (atoi(PQgetvalue(got, 0, 0)) != i)
			bench_fail("the table lost a value");
		samples_add(samples, (double) (bench_mono_ns() - start) / 1000);
		PQclear(got);
	}
	bench_run(writer, "DROP TABLE public.bench_sight");
}

/* Books keep their order, crossed ones are refused, and the oldest make room. */
static void
books(PGconn *conn)
{
	const char *rows =
		"SELECT count(*) FROM qts.book('BK00001') b JOIN generate_series(1, 10) g ON g = b.level"
		" WHERE (bid, bid_qty, ask, ask_qty) = (70100 - 100 * g, 9 + g, 70000 + 100 * g, 19 + g)"
		" AND NOT is_stale";
	const char *refused = "SELECT value::bigint FROM qts._metrics() WHERE name = 'qts_books_refused_total'";
	long room = bench_long(conn, "SHOW qts.max_books");
	char sql[160];

	bench_run(conn, "SELECT pg_temp.bench_book('BK00001', false)");
	bench_check(bench_long(conn, rows) == 10, "levels of a book", bench_long(conn, rows), 10);
	bench_run(conn, "SELECT pg_temp.bench_book('BK00001', true)");
	bench_check(bench_long(conn, refused) == 1, "crossed books refused", bench_long(conn, refused), 1);
	bench_check(bench_long(conn, rows) == 10, "levels afterwards", bench_long(conn, rows), 10);
	snprintf(sql, sizeof(sql),
			 "SELECT pg_temp.bench_book('BK' || to_char(g, 'FM00000'), false)"
			 " FROM generate_series(2, %ld) g",
			 room + 1);
	bench_run(conn, sql);
	bench_check(bench_long(conn, rows) == 0, "levels of the one that made room", bench_long(conn, rows), 0);
	snprintf(sql, sizeof(sql),
			 "SELECT count(*) FROM generate_series(2, %ld) g,"
			 " qts.book('BK' || to_char(g, 'FM00000')) b WHERE level = 1",
			 room + 1);
	bench_check(bench_long(conn, sql) == room, "books that are there", bench_long(conn, sql), room);
}

int
main(void)
{
	static Samples board = {.name = "board, a spinning reader"};
	static Samples cache = {.name = "Redis SET, then GET"};
	static Samples table = {.name = "UPDATE, then SELECT by primary key"};
	PGconn *writer = backend();
	PGconn *reader[READERS];

	for (int i = 0; i < READERS; i++)
		reader[i] = backend();
	PQclear(bench_query(writer, "SELECT pg_temp.bench_publish(10, 0)"));
	for (int i = 0; i < 3; i++)
		sight(writer, reader[0], &board);
	redis_sight(&cache);
	table_sight(writer, reader[0], &table);
	samples_title("B6 from the write to another process's sight", "us");
	samples_print(&board);
	if (cache.count > 0)
		samples_print(&cache);
	else
		printf("  Redis: skipped, redis-server or hiredis is missing\n");
	samples_print(&table);
	if (cache.count > 0)
		samples_ratio(&cache, &board, 0.5);
	samples_ratio(&table, &board, 0.5);
	printf("  goal p50 <= 0.2 us: %.2f, %s\n", samples_quantile(&board, 0.5),
		   samples_quantile(&board, 0.5) <= 0.2 ? "met" : "MISSED");
	torn(writer, reader);
	books(writer);
	PQfinish(writer);
	for (int i = 0; i < READERS; i++)
		PQfinish(reader[i]);
	return 0;
}
