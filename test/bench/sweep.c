/*-------------------------------------------------------------------------
 *
 * sweep.c
 *		B13: quotes of 1 000 symbols by request, under the broker's rate limit.
 *
 * After its start the prices worker owes every followed symbol a quote, so a
 * sweep begins when it is ended: the planner, the batches, the tiers, the
 * limiter and the pushed forty are the engine's own.  What was asked for, when
 * and with what answer is the simulator's record.
 *
 * The naive client asks for one symbol a call and then sleeps 1/18 s, against
 * a limit of 18.  It gets through a part of the symbols; the time of that part
 * is scaled to all of them.  BENCH_SWEEP is the number of rounds (5), of twelve
 * seconds each; 300 are an hour.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "outside.h"
#include "work.h"

#define SYMBOLS 1000 /* 100000 and on: scripts/bench.sh makes them */
#define A_CALL 30
#define LEAST_CALLS ((SYMBOLS + A_CALL - 1) / A_CALL)
#define LIMIT 12
#define NAIVE_LIMIT 18
#define NAIVE_PART 18 /* symbols a round */
#define ORDERS 5	  /* a sweep */
#define ORDER_STEP_US 600000
#define GOAL_MS 2900
#define GOAL_RATIO 19.0
#define PATIENCE_US (30 * (int64_t) 1000000)
#define LOOK_US 50000
#define QUOTES "intstock-multprice"

/* What the broker saw of one sweep. */
typedef struct Sweep
{
	int calls;	 /* until the last symbol had been asked for */
	int symbols; /* asked for */
	int64_t first;
	int64_t last;
} Sweep;

static PGconn *engine;
static int rounds = 5; /* BENCH_SWEEP */
static int fewest = INT32_MAX;
static int most;

/* Marks the symbols a request asks for; returns how many are new. */
static int
symbols_mark(const json_t *row, bool seen[SYMBOLS])
{
	const char *key;
	json_t *value;
	int count = 0;

	json_object_foreach(json_object_get(row, "body"), key, value)
	{
		long at = json_is_string(value) ? atol(json_string_value(value)) - 100000 : -1;

		if (strncasecmp(key, "FID_INPUT_ISCD", strlen("FID_INPUT_ISCD")) != 0 || at < 0 || at >= SYMBOLS)
			continue;
		count += !seen[at];
		seen[at] = true;
	}
	return count;
}

static Sweep
sweep_since(int64_t since)
{
	Sweep sweep = {0};
	bool seen[SYMBOLS] = {false};
	char path[80];
	json_t *json;
	json_t *row;
	size_t i;

	snprintf(path, sizeof(path), "/requests?path=" QUOTES "&since=%lld", (long long) since);
	json = control_ask("GET", path, "");
	json_array_foreach(json_object_get(json, "requests"), i, row)
	{
		const char *answer = json_string_value(json_object_get(row, "rt_cd"));

		if (sweep.symbols == SYMBOLS)
			break;
		sweep.last = json_integer_value(json_object_get(row, "t_us"));
		if (sweep.calls++ == 0)
			sweep.first = sweep.last;
		/* one that was refused told nothing */
		if (answer != NULL && strcmp(answer, "0") == 0)
			sweep.symbols += symbols_mark(row, seen);
	}
	json_decref(json);
	return sweep;
}

/* Calls of any kind that the broker refused for their rate; the naive client's end the run. */
static long
refused_calls(void)
{
	json_t *json = control_ask("GET", "/stats", "");
	long count = (long) json_integer_value(json_object_get(json, "rate_refusals"));

	json_decref(json);
	return count;
}

/* Ends the prices worker; returns the last request before its successor's. */
static int64_t
sweep_begin(void)
{
	char gone[120];
	long pid = bench_long(engine, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'qts prices'");

	snprintf(gone, sizeof(gone), "SELECT pg_terminate_backend(%ld)::int", pid);
	(void) bench_long(engine, gone);
	snprintf(gone, sizeof(gone), "SELECT count(*) FROM pg_stat_activity WHERE pid = %ld", pid);
	bench_until(engine, gone, 0);
	return control_last();
}

static void
sweep_wait(int64_t since, int calls)
{
	char path[100];
	json_t *json;

	snprintf(path, sizeof(path), "/wait?path=" QUOTES "&since=%lld&count=%d&timeout_ms=20000",
			 (long long) since, calls);
	json = control_ask("GET", path, "");
	if (!json_is_true(json_object_get(json, "ok")))
		bench_fail("the prices worker does not ask for quotes");
	json_decref(json);
}

static void
sweep_end(int64_t since, Samples *took)
{
	int64_t end = bench_real_us() + PATIENCE_US;
	Sweep sweep;

	sweep_wait(since, LEAST_CALLS);
	while ((sweep = sweep_since(since)).symbols < SYMBOLS)
	{
		if (bench_real_us() > end)
			bench_fail("%d of %d symbols were asked for within 30 s", sweep.symbols, SYMBOLS);
		bench_pause_until(bench_real_us() + LOOK_US);
	}
	fewest = sweep.calls < fewest ? sweep.calls : fewest;
	most = sweep.calls > most ? sweep.calls : most;
	samples_add(took, (double) (sweep.last - sweep.first) / 1000);
}

/* The time that all symbols would take, in ms. */
static double
naive_part(int from)
{
	int64_t start = bench_real_us();

	for (int i = 0; i < NAIVE_PART; i++)
	{
		char symbol[12];

		bench_symbol(from + i, symbol);
		if (outside_price(symbol) != BENCH_BASE)
			bench_fail("the naive client was told another price of %s", symbol);
		bench_pause_until(bench_real_us() + 1000000 / NAIVE_LIMIT);
	}
	return (double) (bench_real_us() - start) / 1000 * SYMBOLS / NAIVE_PART;
}

static void
limit_broker(int calls)
{
	char value[16];

	snprintf(value, sizeof(value), "%d", calls);
	control_option("rate_per_second", value);
}

static void
sweeps(Samples *alone, Samples *naive, Samples *beside, Samples *usual, Samples *meanwhile)
{
	for (int i = 0; i < rounds; i++)
	{
		int64_t since = sweep_begin();

		sweep_end(since, alone);
		limit_broker(NAIVE_LIMIT);
		samples_add(naive, naive_part(i * NAIVE_PART % (SYMBOLS - NAIVE_PART)));
		limit_broker(LIMIT);
		work_paced(ORDERS, ORDER_STEP_US, usual);
		since = sweep_begin();
		sweep_wait(since, 1);
		work_paced(ORDERS, ORDER_STEP_US, meanwhile);
		sweep_end(since, beside);
	}
}

static void
report(Samples *alone, Samples *naive, Samples *beside, Samples *usual, Samples *meanwhile)
{
	double ratio = samples_quantile(naive, 0.5) / samples_quantile(alone, 0.5);
	long refused = refused_calls();
	double added = samples_quantile(meanwhile, 1) - samples_quantile(usual, 0.5);

	samples_title("B13 a sweep of 1 000 symbols at 12 calls/s, first request to last", "ms");
	samples_print(alone);
	samples_print(beside);
	samples_print(naive);
	printf(
		"  the naive client asked for %d symbols in all; its times are scaled to %d (by arithmetic %.1f s)\n",
		rounds * NAIVE_PART, SYMBOLS, (double) SYMBOLS / NAIVE_LIMIT);
	printf("  calls of a sweep, symbols due again meanwhile included: %d to %d, at least %d\n", fewest, most,
		   LEAST_CALLS);
	samples_ratio(naive, alone, 0.5);
	samples_goal(alone, 0.5, GOAL_MS);
	printf("  goal naive : qts >= %.0f: %.1f, %s\n", GOAL_RATIO, ratio,
		   ratio >= GOAL_RATIO ? "met" : "MISSED");
	printf("  goal no call refused: %ld, %s\n", refused, refused == 0 ? "met" : "MISSED");
	samples_title("B13 intent -> POST at 12 calls/s", "us");
	samples_print(usual);
	samples_print(meanwhile);
	printf("  goal no order waits more than a slot (%.0f us) longer: %.0f, %s\n", 1e6 / LIMIT, added,
		   added <= 1e6 / LIMIT ? "met" : "MISSED");
}

int
main(void)
{
	static Samples alone = {.name = "qts"};
	static Samples beside = {.name = "qts, with orders meanwhile"};
	static Samples naive = {.name = "naive: a call each, then 1/18 s; scaled"};
	static Samples usual = {.name = "between the sweeps"};
	static Samples meanwhile = {.name = "during a sweep"};

	if (getenv("BENCH_SWEEP") != NULL)
		rounds = atoi(getenv("BENCH_SWEEP"));
	outside_login();
	engine = work_connect(BENCH_ACCOUNT);
	work_open(2 * rounds + 1); /* intents of a symbol */
	work_paced(1, ORDER_STEP_US, NULL);
	sweeps(&alone, &naive, &beside, &usual, &meanwhile);
	work_close();
	report(&alone, &naive, &beside, &usual, &meanwhile);
	PQfinish(engine);
	return 0;
}
