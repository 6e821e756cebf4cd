/*-------------------------------------------------------------------------
 *
 * cycle.c
 *		B11: one pass of the exit rules over open positions, all prices changing.
 *
 * The core as the exit worker drives it: a price inside a position's band is
 * passed over, one outside is evaluated and gives a new band.  Beside it the
 * same pass with every position evaluated, and one in which every price is a
 * new high.  No server: what reading the board adds is in "board".
 *
 * The rival is what one would write without an engine: one prepared statement
 * that joins positions, prices and thresholds and returns what is to be sold.
 * It takes turns with the core over the same prices.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "core/exit.h"

#define PASSES 300
#define TURNS 40  /* of the statement */
#define WARM_UP 6 /* PostgreSQL decides on a plan in the first five */
#define LARGEST 10000
#define NOW (INT64_C(800000000) * QTS_SEC)

/* What the worker keeps of a position. */
typedef struct Watch
{
	QtsExitPosition position;
	QtsExitState state;
	QtsExitQuote quote;
	QtsExitBand band;
} Watch;

typedef enum Market
{
	MARKET_BANDS,	 /* a tick up or down */
	MARKET_NO_BANDS, /* the same, each evaluated */
	MARKET_HIGHS	 /* every price is the highest so far */
} Market;

static Watch watches[LARGEST];
static QtsExitProfile profile;
static uint64_t seed = 7;
static long decided;

static uint64_t
draw(void)
{
	uint64_t x = seed += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	return x ^ (x >> 27);
}

static void
watch_look(Watch *watch, QtsTime now, bool banded)
{
	QtsExitDecision decision;
	QtsPrice price = watch->quote.bid;

	if (banded && !watch->quote.stale && price > watch->band.low && price < watch->band.high)
		return;
	if (banded && !watch->quote.stale && price >= watch->band.high && price < watch->band.rise)
	{
		qts_exit_raise(&watch->state, &watch->band, price, now);
		return;
	}
	decision =
		qts_exit_evaluate(&profile, &watch->position, &watch->state, &watch->quote, QTS_CONTROL_RUNNING, now);
	decided += decision.rule != QTS_RULE_NONE;
	if (banded)
		watch->band =
			qts_exit_band(&profile, &watch->position, &watch->state, &watch->quote, QTS_CONTROL_RUNNING);
}

static void
watches_make(int count)
{
	for (int i = 0; i < count; i++)
	{
		Watch *watch = &watches[i];

		memset(watch, 0, sizeof(*watch));
		watch->position = (QtsExitPosition){.qty = 100,
											.available = 100,
											.original_qty = 100,
											.avg_price = QTS_PRICE(50000),
											.mode = QTS_POSITION_ENABLED};
		watch->state.cycle = 1;
		watch->state.atr_pct = (QtsPpm) (draw() % 50) * 1000;
		watch->quote.bid = watch->quote.last = QTS_PRICE(50000);
		watch->quote.in_session = true;
		watch->quote.since_open = QTS_HOUR;
		watch_look(watch, NOW, true);
	}
}

static void
prices_move(int count, Market market)
{
	for (int i = 0; i < count; i++)
	{
		QtsPrice step = market == MARKET_HIGHS ? QTS_PRICE(1) : QTS_PRICE(50) * ((int64_t) (draw() % 3) - 1);
		QtsPrice price = watches[i].quote.bid + step;

		/* nothing is to be sold in the measured time */
		if (market != MARKET_HIGHS && (price < QTS_PRICE(49500) || price > QTS_PRICE(51500)))
			price = QTS_PRICE(50000);
		watches[i].quote.bid = watches[i].quote.last = price;
	}
}

static void
look_at_all(int count, Market market, int n)
{
	for (int i = 0; i < count; i++)
		watch_look(&watches[i], NOW + n * QTS_SEC, market != MARKET_NO_BANDS);
}

/* Microseconds of one pass; the prices are made before it. */
static double
pass(int count, Market market, int n)
{
	int64_t start;

	prices_move(count, market);
	start = bench_mono_ns();
	look_at_all(count, market, n);
	return (double) (bench_mono_ns() - start) / 1000;
}

static void
measure(int count, Market market, Samples *samples)
{
	watches_make(count);
	decided = 0;
	for (int n = 0; n < PASSES; n++)
		samples_add(samples, pass(count, market, n));
	if (decided != 0)
	{
		fprintf(stderr, "bench: %ld exits in a market without any\n", decided);
		exit(1);
	}
	samples_print(samples);
}

/*
 * The rules of phase OPEN and those that follow the mark, without confirmation,
 * modes, live orders and quantities, and the mark is not moved: less than the
 * core does.  Money is numeric, as money is.
 */
static const char *const plain_tables =
	"CREATE TEMP TABLE profiles (profile_id text PRIMARY KEY, hardstop numeric, sl2 numeric, sl2_min numeric,"
	" sl2_max numeric, sl1 numeric, sl1_min numeric, sl1_max numeric, tp1 numeric, tp1_min numeric, tp1_max numeric,"
	" trail numeric, atr_ref numeric);"
	"INSERT INTO profiles VALUES ('default', -0.10, -0.05, -0.035, -0.10, -0.03, -0.02, -0.06, 0.07, 0.04, 0.12, 0.03, 0.02);"
	"CREATE TEMP TABLE positions (position_id bigint PRIMARY KEY, symbol text NOT NULL, profile_id text NOT NULL,"
	" qty bigint NOT NULL, avg_price numeric(18,4) NOT NULL, phase text NOT NULL, hwm_price numeric(18,4),"
	" stop_floor_price numeric(18,4), atr_pct numeric(12,6));"
	"CREATE TEMP TABLE prices (symbol text PRIMARY KEY, bid numeric(18,4) NOT NULL);";

static const char *const plain_pass =
	"SELECT * FROM (SELECT p.position_id, p.qty, q.bid,"
	" CASE WHEN q.bid <= p.avg_price * (1 + f.hardstop) THEN 'HARD_STOP'"
	" WHEN q.bid <= p.avg_price * (1 + greatest(least(f.sl2 * s.scale, f.sl2_min), f.sl2_max)) THEN 'SL2'"
	" WHEN p.phase <> 'OPEN' AND q.bid <= p.stop_floor_price THEN 'STOP_FLOOR'"
	" WHEN p.phase = 'OPEN' AND q.bid <= p.avg_price * (1 + greatest(least(f.sl1 * s.scale, f.sl1_min), f.sl1_max)) THEN 'SL1'"
	" WHEN p.phase = 'OPEN' AND q.bid >= p.avg_price * (1 + least(greatest(f.tp1 * s.scale, f.tp1_min), f.tp1_max)) THEN 'TP1'"
	" WHEN p.phase = 'TRAILING_ACTIVE' AND q.bid <= p.hwm_price * (1 - f.trail) THEN 'TRAIL' END AS rule"
	" FROM positions p JOIN prices q ON q.symbol = p.symbol JOIN profiles f ON f.profile_id = p.profile_id"
	" CROSS JOIN LATERAL (SELECT least(greatest(p.atr_pct / f.atr_ref, 0.7), 1.6) AS scale) s) x WHERE x.rule IS NOT NULL";

/* The prices of the core's pass, untimed and without the dead rows of an update. */
static void
plain_prices(PGconn *conn, int count)
{
	char row[48];

	bench_run(conn, "TRUNCATE prices");
	PQclear(PQexec(conn, "COPY prices FROM STDIN"));
	for (int i = 0; i < count; i++)
	{
		int n = snprintf(row, sizeof(row), "%06d\t%ld\n", i, (long) (watches[i].quote.bid / QTS_PRICE(1)));

		if (PQputCopyData(conn, row, n) != 1)
			bench_fail("%s", PQerrorMessage(conn));
	}
	if (PQputCopyEnd(conn, NULL) != 1)
		bench_fail("%s", PQerrorMessage(conn));
	for (PGresult *result = PQgetResult(conn); result != NULL; result = PQgetResult(conn))
	{
		if (PQresultStatus(result) != PGRES_COMMAND_OK)
			bench_fail("%s", PQerrorMessage(conn));
		PQclear(result);
	}
}

static void
plain_make(PGconn *conn, int count)
{
	char sql[320];

	snprintf(
		sql, sizeof(sql),
		"TRUNCATE positions; INSERT INTO positions SELECT g, lpad(g::text, 6, '0'), 'default', 100, 50000, 'OPEN',"
		" 50000, NULL, (hashint4(g) & 31) / 1000.0 FROM generate_series(0, %d) g",
		count - 1);
	bench_run(conn, sql);
	plain_prices(conn, count);
	bench_run(conn, "ANALYZE positions; ANALYZE prices; ANALYZE profiles");
}

/* Nanoseconds a process has had of a CPU. */
static int64_t
cpu_ns(int pid)
{
	char path[64];
	FILE *file;
	long long ns;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	file = fopen(path, "r");
	if (file == NULL || fscanf(file, "%lld", &ns) != 1)
		bench_fail("%s cannot be read", path);
	fclose(file);
	return ns;
}

static int64_t
own_cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/*
 * Turn and turn about, over the same prices, in CPU time: of the backend alone,
 * so without the client's share.  Small passes are repeated over their prices.
 */
static void
measure_plain(PGconn *conn, int count, Samples *core, Samples *plain)
{
	int repeats = count < LARGEST ? 20 : 1;

	watches_make(count);
	plain_make(conn, count);
	for (int n = 0; n < TURNS + WARM_UP; n++)
	{
		int64_t start;
		int64_t ours;

		prices_move(count, MARKET_BANDS);
		start = own_cpu_ns();
		look_at_all(count, MARKET_BANDS, n);
		ours = own_cpu_ns() - start;
		plain_prices(conn, count);
		start = cpu_ns(PQbackendPID(conn));
		for (int i = 0; i < repeats; i++)
		{
			PGresult *result = bench_execute(conn, "pass", 0, NULL);

			if (PQntuples(result) != 0)
				bench_fail("the statement sells %d in a market without any", PQntuples(result));
			PQclear(result);
		}
		if (n < WARM_UP)
			continue;
		samples_add(plain, (double) (cpu_ns(PQbackendPID(conn)) - start) / repeats / 1000);
		samples_add(core, (double) ours / 1000);
	}
	samples_print(core);
	samples_print(plain);
	samples_ratio(plain, core, 0.5);
}

/* A statement that never sells anything would be quick. */
static void
plain_sells(PGconn *conn)
{
	PGresult *result;

	bench_run(conn, "UPDATE prices SET bid = bid * 0.85");
	result = bench_execute(conn, "pass", 0, NULL);
	bench_check(PQntuples(result) == LARGEST, "positions that the statement sells after a fall of 15 %",
				PQntuples(result), LARGEST);
	PQclear(result);
}

int
main(void)
{
	static Samples bands[3] = {{.name = "100 positions"}, {.name = "1 000"}, {.name = "10 000"}};
	static Samples whole = {.name = "10 000, each evaluated"};
	static Samples highs = {.name = "10 000, each at a new high"};
	static Samples turns[2] = {{.name = "100 in the core"}, {.name = "10 000 in the core"}};
	static Samples plain[2] = {{.name = "100, one SQL statement"}, {.name = "10 000, one SQL statement"}};
	static const int counts[] = {100, 1000, 10000};
	PGconn *conn = bench_connect("plain");

	profile = qts_exit_profile_default();
	samples_title("B11 one pass of the exit rules, all prices changed", "us");
	for (int i = 0; i < 3; i++)
		measure(counts[i], MARKET_BANDS, &bands[i]);
	measure(LARGEST, MARKET_NO_BANDS, &whole);
	measure(LARGEST, MARKET_HIGHS, &highs);
	bench_run(conn, plain_tables);
	bench_prepare(conn, "pass", plain_pass);
	samples_title("B11 the same by one SQL statement a pass, CPU time", "us");
	measure_plain(conn, 100, &turns[0], &plain[0]);
	measure_plain(conn, LARGEST, &turns[1], &plain[1]);
	plain_sells(conn);
	PQfinish(conn);
	samples_goal(&bands[0], 0.5, 20);
	samples_goal(&bands[2], 0.5, 2000);
	samples_goal(&highs, 0.5, 2000);
	return 0;
}
