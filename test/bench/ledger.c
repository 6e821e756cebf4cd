/*-------------------------------------------------------------------------
 *
 * ledger.c
 *		A thousand open orders: how many requests and how long a look at all
 *		of them takes, and what it does to orders meanwhile.
 *
 * On an account of its own, whose ledger of the day is empty at first.  The
 * reference is the same stream of orders before the thousand are there.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "work.h"

#define ACCOUNT "12345678-03"
#define EACH_SYMBOL 25	/* a thousand */
#define FAR_PRICE 80000 /* rests until it is cancelled */
#define ROWS_A_PAGE 100
#define PACED 100
#define PACED_STEP_US 20000
#define ROUNDS 3
#define PASSES 5
#define TODAY                                                                                                \
	"SELECT count(*) FROM trade.orders WHERE account_id = '" ACCOUNT "' AND broker_order_no IS NOT NULL"
#define READS "SELECT value::bigint FROM qts._metrics() WHERE name = 'qts_ledger_reads_total'"

static PGconn *engine;

static void
account_add(void)
{
	char sql[400];
	char now[64];

	work_now(now, sizeof(now));
	snprintf(sql, sizeof(sql),
			 "SELECT qts.add_account('" ACCOUNT "', environment => 'sim', rest_url => 'http://127.0.0.1:%d',"
			 " ws_url => 'ws://127.0.0.1:%d')",
			 bench_port("BENCH_REST"), bench_port("BENCH_WS"));
	bench_run(engine, sql);
	work_wait_ready(now);
	work_holdings(BENCH_HOLDING);
}

/* Waits for one more complete look at the ledger; returns when it was booked. */
static int64_t
pass_wait(long *reads)
{
	int64_t end = bench_real_us() + 30000000;
	long now;

	while ((now = bench_long(engine, READS)) <= *reads)
	{
		if (bench_real_us() > end)
			bench_fail("the ledger was not read within 30 s");
		bench_pause_until(bench_real_us() + 500);
	}
	*reads = now;
	return bench_real_us();
}

/* Requests for the day's list since a sequence number; first receives when the first came. */
static int
pages_since(int64_t since, int64_t *first)
{
	char path[120];
	json_t *json;
	json_t *row;
	size_t i;
	int count = 0;

	snprintf(path, sizeof(path), "/requests?path=inquire-daily-ccld&since=%lld", (long long) since);
	json = control_ask("GET", path, "");
	*first = 0;
	json_array_foreach(json_object_get(json, "requests"), i, row)
	{
		const char *account = json_string_value(json_object_get(row, "account"));

		if (account == NULL || strcmp(account, ACCOUNT) != 0)
			continue;
		if (count++ == 0)
			*first = json_integer_value(json_object_get(row, "t_us"));
	}
	json_decref(json);
	return count;
}

/* Nothing else happens: each look takes what its pages need. */
static void
bench_passes(void)
{
	static Samples took = {.name = "first request -> all rows booked"};
	long reads = bench_long(engine, READS);
	long rows = bench_long(engine, TODAY);
	long need = (rows + ROWS_A_PAGE - 1) / ROWS_A_PAGE;
	long asked = 0;

	(void) pass_wait(&reads);
	for (int i = 0; i < PASSES; i++)
	{
		int64_t since = control_last();
		int64_t first;
		int64_t done = pass_wait(&reads);
		int pages = pages_since(since, &first);

		/* another account's look may come in between */
		if (pages == 0)
		{
			i--;
			continue;
		}
		asked += pages;
		samples_add(&took, (double) (done - first));
	}
	samples_title("A look at the ledger with 1000 open orders", "us");
	samples_print(&took);
	printf("  %ld rows of the day, %ld pages needed, %.1f requests a look\n", rows, need,
		   (double) asked / PASSES);
	bench_check(asked <= need * PASSES, "requests of five looks, at most the pages needed", asked,
				need * PASSES);
}

static void
cancel_all(void)
{
	bench_run(engine,
			  "SELECT qts.cancel_order(order_uid, 'bench') FROM trade.orders WHERE account_id = '" ACCOUNT
			  "' AND status = 'SUBMITTED'");
	bench_until(engine,
				"SELECT count(*) FROM trade.orders WHERE account_id = '" ACCOUNT
				"' AND status NOT IN ('CANCELLED', 'FILLED')",
				0);
}

int
main(void)
{
	static Samples before = {.name = "qts, nothing else open"};
	static Samples meanwhile = {.name = "qts, 1000 orders open, read every second"};

	engine = work_connect(ACCOUNT);
	account_add();
	/* the feed must not change its subscriptions while positions come and go: the other account holds them */
	work_setting("qts.ledger_interval", "2");
	work_open(EACH_SYMBOL + PACED);
	work_paced(PACED, PACED_STEP_US, NULL);
	work_settle();
	bench_run(engine, "ANALYZE");
	for (int round = 0; round < ROUNDS; round++)
		work_paced(PACED, PACED_STEP_US, &before);
	work_settle();
	work_intents(WORK_ENGINE, EACH_SYMBOL, FAR_PRICE);
	bench_until(engine,
				"SELECT count(*) FROM trade.orders WHERE account_id = '" ACCOUNT "' AND status = 'SUBMITTED'",
				EACH_SYMBOL * BENCH_SYMBOLS);
	bench_passes();
	for (int round = 0; round < ROUNDS; round++)
		work_paced(PACED, PACED_STEP_US, &meanwhile);
	work_settle();
	samples_title("Intent -> POST at 50/s, without and with 1000 open orders", "us");
	samples_print(&before);
	samples_print(&meanwhile);
	samples_ratio(&meanwhile, &before, 0.5);
	samples_ratio(&meanwhile, &before, 0.99);
	cancel_all();
	work_setting("qts.ledger_interval", "");
	work_close();
	bench_run(engine, "SELECT qts.pause_account('" ACCOUNT "', 'the bench of the ledger is over')");
	PQfinish(engine);
	return 0;
}
