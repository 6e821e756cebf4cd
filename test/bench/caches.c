/*-------------------------------------------------------------------------
 *
 * caches.c
 *		What else a decision reads: how much a cache in shared memory could save.
 *
 * Each line is one prepared read through SPI inside a transaction that is open
 * already, as the workers do it, beside one read of the price board.
 *
 *-------------------------------------------------------------------------
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 7
#define READS "2000"

typedef struct Read
{
	Samples samples;
	const char *sql;
} Read;

static Read reads[] = {
	{{.name = "price: prices_best by key"},
	 "SELECT best_price FROM market.prices_best WHERE symbol = '100007'"},
	{{.name = "control mode: exit_control"}, "SELECT mode FROM trade.exit_control"},
	{{.name = "switches of a claim: three rows"},
	 "SELECT e.active, e.emergency_stop, c.mode, a.status = 'PAUSED' FROM system.engine e, trade.exit_control c,"
	 " trade.accounts a WHERE a.account_id = '" BENCH_ACCOUNT "'"},
	{{.name = "exit profile: text of one"},
	 "SELECT profile_id, config::text FROM trade.exit_profiles WHERE profile_id = 'default_hybrid_v1'"},
	{{.name = "limits: orders of a minute"},
	 "SELECT coalesce(sum(attempt), 0)::int FROM trade.orders WHERE account_id = '" BENCH_ACCOUNT "'"
	 " AND origin = 'AUTO' AND sent_ts > qts._now() - interval '1 minute' AND created_ts > qts._now() - interval '1 hour'"},
	{{.name = "risk totals: forty positions"},
	 "SELECT sum(p.qty * b.best_price), sum((b.best_price - p.avg_price) * p.qty) FROM trade.positions p"
	 " JOIN market.prices_best b USING (symbol) WHERE p.status IN ('OPEN', 'CLOSING')"},
};

#define NREADS ((int) (sizeof(reads) / sizeof(reads[0])))

static double
one(PGconn *engine, const char *sql, const char *how)
{
	const char *params[1] = {sql};
	PGresult *row = bench_execute(engine, how, 1, params);
	double ns = atof(PQgetvalue(row, 0, 0));

	PQclear(row);
	return ns;
}

int
main(void)
{
	static Samples board = {.name = "price: the board"};
	PGconn *engine = bench_connect("trading");
	char sql[300];

	snprintf(
		sql, sizeof(sql),
		"CREATE FUNCTION pg_temp.bench_spi(sql text, n integer) RETURNS double precision AS '%s', 'bench_spi'"
		" LANGUAGE C STRICT VOLATILE",
		getenv("BENCH_STORE"));
	bench_run(engine, sql);
	(void) control_now("POST", "/price", "{\"symbol\":\"100007\",\"price\":70000}");
	bench_until(engine, "SELECT count(*) FROM qts.price('100007') p WHERE p.last = 70000", 1);
	bench_run(engine, "ANALYZE");
	bench_prepare(engine, "spi", "SELECT pg_temp.bench_spi($1, " READS ")");
	bench_prepare(engine, "board", "SELECT qts._bench_price(substr($1, 1, 6), 1000000)");
	for (int i = 0; i < ROUNDS; i++)
	{
		samples_add(&board, one(engine, "100007", "board"));
		for (int r = 0; r < NREADS; r++)
			samples_add(&reads[r].samples, one(engine, reads[r].sql, "spi"));
	}
	samples_title("What a decision reads", "ns");
	samples_print(&board);
	for (int r = 0; r < NREADS; r++)
		samples_print(&reads[r].samples);
	PQfinish(engine);
	return 0;
}
