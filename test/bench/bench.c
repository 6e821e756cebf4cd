/*-------------------------------------------------------------------------
 *
 * bench.c
 *		The database and the clock, for every measuring program.
 *
 *-------------------------------------------------------------------------
 */
#include "bench.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#define DEADLINE_US (20 * (int64_t) 1000000)
#define STEP_US 5000

void
bench_fail(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("bench: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

void
bench_check(bool ok, const char *what, long have, long want)
{
	if (!ok)
		bench_fail("%s: %ld, expected %ld", what, have, want);
	printf("  checked: %s %ld = %ld\n", what, have, want);
}

PGconn *
bench_connect(const char *database)
{
	const char *keys[] = {"dbname", "user", "application_name", NULL};
	const char *values[] = {database, "postgres", "bench", NULL};
	PGconn *conn = PQconnectdbParams(keys, values, 0);

	if (PQstatus(conn) != CONNECTION_OK)
		bench_fail("%s", PQerrorMessage(conn));
	return conn;
}

static PGresult *
result_checked(PGconn *conn, PGresult *result, const char *what)
{
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		bench_fail("%s: %s", what, PQerrorMessage(conn));
	return result;
}

PGresult *
bench_query(PGconn *conn, const char *sql)
{
	return result_checked(conn, PQexec(conn, sql), sql);
}

void
bench_run(PGconn *conn, const char *sql)
{
	PQclear(bench_query(conn, sql));
}

long
bench_long(PGconn *conn, const char *sql)
{
	PGresult *result = bench_query(conn, sql);
	long value = PQntuples(result) == 1 ? atol(PQgetvalue(result, 0, 0)) : -1;

	PQclear(result);
	return value;
}

void
bench_prepare(PGconn *conn, const char *name, const char *sql)
{
	PQclear(result_checked(conn, PQprepare(conn, name, sql, 0, NULL), sql));
}

PGresult *
bench_execute(PGconn *conn, const char *name, int nparams, const char *const *params)
{
	return result_checked(conn, PQexecPrepared(conn, name, nparams, params, NULL, NULL, 0), name);
}

void
bench_until(PGconn *conn, const char *sql, long want)
{
	int64_t end = bench_real_us() + DEADLINE_US;
	long have;

	while ((have = bench_long(conn, sql)) != want)
	{
		if (bench_real_us() > end)
			bench_fail("still %ld instead of %ld after 20 s: %s", have, want, sql);
		bench_pause_until(bench_real_us() + STEP_US);
	}
}

void
bench_pause_until(int64_t at_us)
{
	struct timespec at = {.tv_sec = at_us / 1000000, .tv_nsec = at_us % 1000000 * 1000};

	/* the default slack of 50 us would be measured as latency */
	(void) prctl(PR_SET_TIMERSLACK, 1L);
	while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &at, NULL) == EINTR)
		continue;
}

int64_t
bench_start(int64_t first_us, int64_t step_us, int i)
{
	int64_t intended = first_us + step_us * i;

	if (bench_real_us() >= intended)
		return intended;
	bench_pause_until(intended);
	return bench_real_us();
}

void
bench_symbol(int i, char *symbol)
{
	snprintf(symbol, 12, "%06d", 100000 + i);
}

int
bench_port(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL || atoi(value) <= 0)
		bench_fail("%s is not set: run scripts/bench.sh", name);
	return atoi(value);
}

void
bench_positions(PGconn *conn, long qty, const char *exit_mode)
{
	char sql[640];

	snprintf(
		sql, sizeof(sql),
		"INSERT INTO trade.positions (account_id, symbol, qty, original_qty, avg_price, entry_ts, exit_mode)"
		" SELECT '" BENCH_ACCOUNT "', symbol, %ld, %ld, %d, qts._now(), '%s' FROM market.stocks"
		" WHERE symbol BETWEEN '100000' AND '100039' ORDER BY symbol",
		qty, qty, BENCH_BASE, exit_mode);
	bench_run(conn, sql);
}

void
bench_close_positions(PGconn *conn)
{
	PGresult *rows =
		bench_query(conn, "SELECT position_id FROM trade.positions WHERE account_id = '" BENCH_ACCOUNT
						  "' AND status <> 'CLOSED'");

	for (int i = 0; i < PQntuples(rows); i++)
	{
		char sql[120];

		snprintf(sql, sizeof(sql), "SELECT qts.exit('%s', reason => 'bench')", PQgetvalue(rows, i, 0));
		bench_run(conn, sql);
	}
	PQclear(rows);
	bench_until(conn,
				"SELECT count(*) FROM trade.positions WHERE account_id = '" BENCH_ACCOUNT
				"' AND status <> 'CLOSED'",
				0);
}
