/*-------------------------------------------------------------------------
 *
 * orders.c
 *		B1: an intent's INSERT until its POST reaches the broker, and
 *		B2: until the row with the broker's number is visible to others.
 *
 * The same generator feeds the engine and two programs outside, in turns.
 * Every intent of a symbol has its own quantity, so each POST is matched with
 * the one INSERT it belongs to; any difference fails the run.
 *
 *-------------------------------------------------------------------------
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outside.h"

#define ROUNDS 5
#define STEP_US 5000 /* 200 a second */
#define CALM_STEP_US 20000
#define CALM_PER_ROUND 80
#define PER_ROUND 400
#define POLLED_PER_ROUND 200
#define API_PER_ROUND 200
#define B2_PER_ROUND 60
#define B2_STEP_US 20000
#define B2_LOOK_US 50
#define HELD 10000000

typedef enum Path
{
	PATH_INSERT, /* INSERT into trade.order_intents */
	PATH_API,	 /* qts.exit() */
	PATH_OUTSIDE /* INSERT into the outside program's table */
} Path;

static PGconn *engine;
static PGconn *plain;
static char position[BENCH_SYMBOLS][40];
static long used[2][BENCH_SYMBOLS]; /* quantities given out: the engine's, outside */
static long sent[2];

static void
prepare(void)
{
	engine = bench_connect("trading");
	plain = bench_connect("plain");
	bench_prepare(
		engine, "insert",
		"INSERT INTO trade.order_intents (account_id, position_id, symbol, intent_type, qty, reason_code,"
		" action_key, priority, source_module, created_ts, updated_ts) VALUES ('" BENCH_ACCOUNT
		"', $1, $2, 'EXIT_PARTIAL', $3, 'MANUAL', gen_random_uuid(), 40, 'MANUAL', qts._now(), qts._now())"
		" RETURNING intent_id");
	bench_prepare(engine, "exit", "SELECT qts.exit($1, $2, reason => 'bench')");
	bench_prepare(engine, "look",
				  "SELECT 1 FROM trade.orders WHERE intent_id = $1 AND broker_order_no IS NOT NULL");
	bench_prepare(plain, "insert",
				  "INSERT INTO intents (symbol, qty, status) VALUES ($1, $2, 'NEW') RETURNING intent_id");
	bench_prepare(plain, "look",
				  "SELECT 1 FROM intents WHERE intent_id = $1 AND broker_order_no IS NOT NULL");
}

/* A position lives through few intents: each round of the engine's has positions of its own. */
static void
positions_open(void)
{
	PGresult *rows;

	bench_positions(engine, HELD, "MANUAL_ONLY");
	rows = bench_query(engine, "SELECT position_id FROM trade.positions WHERE account_id = '" BENCH_ACCOUNT
							   "' AND status = 'OPEN' ORDER BY symbol");
	for (int i = 0; i < BENCH_SYMBOLS; i++)
		snprintf(position[i], sizeof(position[i]), "%s", PQgetvalue(rows, i, 0));
	PQclear(rows);
}

/* One intent; id receives its key. */
static long
intent_make(Path path, int i, char *id)
{
	int outside = path == PATH_OUTSIDE;
	long qty = ++used[outside][i];
	char symbol[12];
	char text[24];
	PGresult *row;

	bench_symbol(i, symbol);
	snprintf(text, sizeof(text), "%ld", qty);
	if (path == PATH_INSERT)
		row = bench_execute(engine, "insert", 3, (const char *[]){position[i], symbol, text});
	else if (path == PATH_API)
		row = bench_execute(engine, "exit", 2, (const char *[]){position[i], text});
	else
		row = bench_execute(plain, "insert", 2, (const char *[]){symbol, text});
	snprintf(id, 40, "%s", PQgetvalue(row, 0, 0));
	PQclear(row);
	sent[outside]++;
	return qty;
}

static void
positions_close(void)
{
	bench_close_positions(engine);
	sent[0] += BENCH_SYMBOLS;
}

/* All of a round has left, was filled and booked: the next round meets a quiet engine. */
static void
settle(Path path)
{
	if (path == PATH_OUTSIDE)
		bench_until(plain, "SELECT count(*) FROM intents WHERE broker_order_no IS NULL", 0);
	else
		bench_until(engine, "SELECT count(*) FROM trade.order_intents WHERE status <> 'FILLED'", 0);
}

static void
round_open_loop(Path path, int64_t step_us, int count, Samples *samples)
{
	static int64_t begun[BENCH_SYMBOLS][PER_ROUND / BENCH_SYMBOLS + 1];
	long base[BENCH_SYMBOLS];
	int64_t since;
	int64_t first;
	Post *posts;
	char id[40];
	int arrived;

	if (path != PATH_OUTSIDE)
		positions_open();
	since = control_last();
	first = bench_real_us() + 10000;
	memcpy(base, used[path == PATH_OUTSIDE], sizeof(base));
	for (int i = 0; i < count; i++)
	{
		int64_t at = bench_start(first, step_us, i);
		int s = i % BENCH_SYMBOLS;

		begun[s][intent_make(path, s, id) - base[s] - 1] = at;
	}
	control_wait_orders(since, count);
	settle(path);
	posts = control_posts(since, &arrived);
	if (arrived != count)
		bench_fail("%d POSTs for %d intents", arrived, count);
	for (int i = 0; i < arrived && samples; i++)
	{
		int s = atoi(posts[i].symbol) - 100000;
		long nth = posts[i].qty - base[s] - 1;

		if (nth < 0 || nth >= used[path == PATH_OUTSIDE][s] - base[s] || begun[s][nth] == 0)
			bench_fail("a POST of %s x %ld belongs to no intent, or came twice", posts[i].symbol,
					   posts[i].qty);
		samples_add(samples, (double) (posts[i].t_us - begun[s][nth]));
		begun[s][nth] = 0;
	}
	free(posts);
	if (path != PATH_OUTSIDE)
		positions_close();
}

/* Closed loop: one intent, then look until its number is there. */
static void
round_visible(Path path, Samples *samples)
{
	PGconn *conn = path == PATH_OUTSIDE ? plain : engine;
	int64_t first;

	if (path != PATH_OUTSIDE)
		positions_open();
	first = bench_real_us() + 10000;
	for (int i = 0; i < B2_PER_ROUND; i++)
	{
		int64_t at = bench_start(first, B2_STEP_US, i);
		char id[40];
		const char *params[1] = {id};
		bool there = false;

		intent_make(path, i % BENCH_SYMBOLS, id);
		while (!there)
		{
			PGresult *row = bench_execute(conn, "look", 1, params);

			there = PQntuples(row) == 1;
			PQclear(row);
			if (!there && bench_real_us() - at > 20000000)
				bench_fail("no order number after 20 s");
			if (!there)
				bench_pause_until(bench_real_us() + B2_LOOK_US);
		}
		samples_add(samples, (double) (bench_real_us() - at));
	}
	settle(path);
	if (path != PATH_OUTSIDE)
		positions_close();
}

static void
bench_b1(void)
{
	static Samples insert = {.name = "qts, INSERT"};
	static Samples calm = {.name = "qts, INSERT, 50/s"};
	static Samples listen_calm = {.name = "LISTEN client, 50/s"};
	static Samples api = {.name = "qts, qts.exit()"};
	static Samples listen = {.name = "LISTEN client"};
	static Samples poll = {.name = "1 s poller"};

	/* warm-up: caches, connections, and the statistics a server has after its first minutes */
	round_open_loop(PATH_INSERT, STEP_US, PER_ROUND, NULL);
	bench_run(engine, "ANALYZE");
	round_open_loop(PATH_API, STEP_US, API_PER_ROUND, NULL);
	for (int round = 0; round < ROUNDS; round++)
	{
		round_open_loop(PATH_INSERT, STEP_US, PER_ROUND, &insert);
		round_open_loop(PATH_INSERT, CALM_STEP_US, CALM_PER_ROUND, &calm);
		outside_start(OUTSIDE_LISTEN);
		if (round == 0)
			round_open_loop(PATH_OUTSIDE, STEP_US, PER_ROUND, NULL);
		round_open_loop(PATH_OUTSIDE, STEP_US, PER_ROUND, &listen);
		round_open_loop(PATH_OUTSIDE, CALM_STEP_US, CALM_PER_ROUND, &listen_calm);
		outside_stop();
		round_open_loop(PATH_API, STEP_US, API_PER_ROUND, &api);
		outside_start(OUTSIDE_POLL);
		round_open_loop(PATH_OUTSIDE, STEP_US, POLLED_PER_ROUND, &poll);
		outside_stop();
	}
	samples_title("B1 intent -> POST at the broker, 200/s", "us");
	samples_print(&insert);
	samples_print(&calm);
	samples_print(&api);
	samples_print(&listen);
	samples_print(&listen_calm);
	samples_print(&poll);
	samples_ratio(&listen, &insert, 0.5);
	samples_ratio(&listen, &insert, 0.99);
	samples_ratio(&poll, &insert, 0.5);
	samples_goal(&insert, 0.5, 350);
	samples_goal(&insert, 0.99, 1000);
}

static void
bench_b2(void)
{
	static Samples ours = {.name = "qts"};
	static Samples listen = {.name = "LISTEN client, number in one table"};

	for (int round = 0; round < ROUNDS; round++)
	{
		round_visible(PATH_INSERT, &ours);
		outside_start(OUTSIDE_LISTEN);
		round_visible(PATH_OUTSIDE, &listen);
		outside_stop();
	}
	samples_title("B2 intent -> number committed and seen, 50/s", "us");
	samples_print(&ours);
	samples_print(&listen);
	samples_ratio(&listen, &ours, 0.5);
	samples_goal(&ours, 0.5, 700);
	samples_goal(&ours, 0.99, 2000);
}

int
main(void)
{
	int64_t since = control_last();
	Post *posts;
	long arrived[2] = {0, 0};
	int count;

	outside_login();
	prepare();
	bench_b1();
	bench_b2();

	posts = control_posts(since, &count);
	for (int i = 0; i < count; i++)
		arrived[strcmp(posts[i].account, BENCH_OUTSIDE) == 0]++;
	bench_check(arrived[0] == sent[0], "POSTs of the engine = intents", arrived[0], sent[0]);
	bench_check(arrived[1] == sent[1], "POSTs of the programs outside = intents", arrived[1], sent[1]);
	free(posts);
	PQfinish(engine);
	PQfinish(plain);
	return 0;
}
