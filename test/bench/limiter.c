/*-------------------------------------------------------------------------
 *
 * limiter.c
 *		B14: how much of the broker's rate limit is used, and how long an
 *		order waits for its slot while queries compete.
 *
 * The simulator refuses what exceeds its limit, over a sliding second or a
 * fixed one.  The reference sends and then sleeps 1/18 s, once against a broker
 * that answers at once and once against one that takes 30 ms.  The first
 * second is left out: it may use the whole limit at once.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outside.h"
#include "work.h"

#define LIMIT 18
#define ROUNDS 3
#define EACH_SYMBOL 3 /* 120 orders a round */
#define LEDGER_EACH_SYMBOL 50
#define WAIT_ORDERS 100
#define WAIT_STEP_US 200000
#define BROKER_MS "30"

static PGconn *engine;

/* The engine reads its rate when it opens a session; and the balance, which must not show what it could adopt. */
static void
limit_engine(const char *rate)
{
	char now[64];

	work_holdings(0);
	work_setting("qts.rest_rate_sim", rate);
	work_setting("qts.enabled", "off");
	bench_until(
		engine,
		"SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'qts execution' AND datname IS NOT NULL",
		0);
	work_now(now, sizeof(now));
	work_setting("qts.enabled", "on");
	work_wait_ready(now);
	work_holdings(BENCH_HOLDING);
}

typedef struct Use
{
	int accepted; /* calls after the first second */
	int orders;
	int refused;
	double seconds;
} Use;

static bool
is_order(const json_t *row)
{
	return strstr(json_string_value(json_object_get(row, "path")), "order-cash") != NULL;
}

/* Each side has an app key, and so a limit, of its own; only the engine asks for anything but orders. */
static bool
is_of(const json_t *row, WorkSide side)
{
	const char *account = json_string_value(json_object_get(row, "account"));

	return (account != NULL && strcmp(account, BENCH_OUTSIDE) == 0) == (side == WORK_OUTSIDE);
}

/* What the broker saw of one side from its first order since a sequence number to its last. */
static Use
use_since(WorkSide side, int64_t since)
{
	Use use = {0};
	char path[80];
	int64_t first = 0;
	int64_t last = 0;
	json_t *json;
	json_t *row;
	size_t i;

	snprintf(path, sizeof(path), "/requests?since=%lld", (long long) since);
	json = control_ask("GET", path, "");
	json_array_foreach(json_object_get(json, "requests"), i, row)
	{
		int64_t at = json_integer_value(json_object_get(row, "t_us"));

		if (!is_order(row) || !is_of(row, side))
			continue;
		first = first == 0 ? at : first;
		last = at;
		use.orders++;
	}
	json_array_foreach(json_object_get(json, "requests"), i, row)
	{
		int64_t at = json_integer_value(json_object_get(row, "t_us"));
		const char *code = json_string_value(json_object_get(row, "msg_cd"));

		if (!is_of(row, side))
			continue;
		if (code != NULL && strcmp(code, "EGW00201") == 0)
			use.refused++;
		else if (at > first + 1000000 && at <= last)
			use.accepted++;
	}
	json_decref(json);
	use.seconds = (double) (last - first) / 1e6 - 1;
	return use;
}

static void
use_add(WorkSide side, int64_t since, Samples *rate, long *refused)
{
	Use use = use_since(side, since);

	samples_add(rate, use.accepted / use.seconds);
	*refused += use.refused;
}

static void
round_engine(Samples *rate, long *refused)
{
	int64_t since;

	work_open(EACH_SYMBOL);
	since = control_last();
	work_intents(WORK_ENGINE, EACH_SYMBOL, 0);
	control_wait_orders(since, EACH_SYMBOL * BENCH_SYMBOLS);
	use_add(WORK_ENGINE, since, rate, refused);
	work_settle();
	work_close();
}

static void
round_sleeper(Samples *rate, long *refused)
{
	static char body[1][512];
	static char odno[1][16];
	int64_t since = control_last();

	for (int i = 0; i < EACH_SYMBOL * BENCH_SYMBOLS; i++)
	{
		outside_body(body[0], sizeof(body[0]), "100000", 1);
		outside_parallel(1, body, odno);
		bench_pause_until(bench_real_us() + 1000000 / LIMIT);
	}
	use_add(WORK_OUTSIDE, since, rate, refused);
}

static void
bench_use(const char *window, const char *title)
{
	static Samples rates[3];
	long refused[3] = {0};

	memset(rates, 0, sizeof(rates));
	rates[0].name = "qts";
	rates[1].name = "sleep 1/18 s after each call";
	rates[2].name = "the same, broker answers after " BROKER_MS " ms";
	control_option("rate_window", window);
	for (int round = 0; round < ROUNDS; round++)
	{
		round_engine(&rates[0], &refused[0]);
		round_sleeper(&rates[1], &refused[1]);
	}
	json_decref(control_ask("POST", "/fault",
							"{\"mode\":\"late_response\",\"times\":0,\"match\":{\"account\":\"" BENCH_OUTSIDE
							"\"},\"params\":{\"ms\":" BROKER_MS "}}"));
	round_sleeper(&rates[2], &refused[2]);
	json_decref(control_ask("DELETE", "/faults", ""));
	samples_title(title, "/s");
	for (int i = 0; i < 3; i++)
	{
		samples_print(&rates[i]);
		printf("    refused for the rate: %ld\n", refused[i]);
	}
	samples_ratio(&rates[0], &rates[1], 0.5);
	samples_ratio(&rates[0], &rates[2], 0.5);
	samples_floor(&rates[0], 0.5, 0.95 * LIMIT);
	printf("  goal no call refused: %ld, %s\n", refused[0], refused[0] == 0 ? "met" : "MISSED");
}

/* Thousands of rows of the day: the ledger is read page after page while orders want out. */
static void
bench_wait(void)
{
	static Samples alone = {.name = "qts, few rows in the ledger"};
	static Samples competing = {.name = "qts, the ledger read all the time"};
	int64_t since;
	Use use;

	work_open(WAIT_ORDERS / BENCH_SYMBOLS + 1);
	work_paced(WAIT_ORDERS, WAIT_STEP_US, &alone);
	work_settle();
	work_close();
	limit_engine("0");
	control_option("rate_per_second", "0");
	work_open(LEDGER_EACH_SYMBOL);
	work_intents(WORK_ENGINE, LEDGER_EACH_SYMBOL, 0);
	work_settle();
	work_close();
	control_option("rate_per_second", "18");
	limit_engine("18");
	work_open(WAIT_ORDERS / BENCH_SYMBOLS + 1);
	since = control_last();
	work_paced(WAIT_ORDERS, WAIT_STEP_US, &competing);
	use = use_since(WORK_ENGINE, since);
	work_settle();
	work_close();
	samples_title("B14 intent -> POST at 18 calls/s, 5 orders/s", "us");
	samples_print(&alone);
	samples_print(&competing);
	printf("    other calls in that time: %.1f/s\n", (use.accepted - use.orders) / use.seconds);
	samples_ratio(&competing, &alone, 0.99);
	samples_goal(&competing, 0.99, 1e6 / LIMIT);
	printf("  goal no call refused: %d, %s\n", use.refused, use.refused == 0 ? "met" : "MISSED");
}

int
main(void)
{
	outside_login();
	engine = work_connect(BENCH_ACCOUNT);
	control_option("rate_per_second", "18");
	limit_engine("18");
	bench_wait();
	bench_use("\"sliding\"", "B14 accepted calls a second, limit 18 in any second");
	bench_use("\"fixed\"", "B14 accepted calls a second, limit 18 in each second");
	control_option("rate_window", "\"sliding\"");
	control_option("rate_per_second", "0");
	limit_engine("0");
	PQfinish(engine);
	return 0;
}
