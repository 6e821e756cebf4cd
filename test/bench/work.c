/*-------------------------------------------------------------------------
 *
 * work.c
 *		Orders in bulk: forty positions and many intents of them at once.
 *
 *-------------------------------------------------------------------------
 */
#include "work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELD " FROM trade.positions WHERE account_id = $1 AND status IN ('OPEN', 'CLOSING')"
#define NEW_INTENT                                                                                                 \
	"INSERT INTO trade.order_intents (account_id, position_id, symbol, intent_type, qty, order_type, limit_price," \
	" reason_code, action_key, priority, source_module, created_ts, updated_ts)"

static PGconn *engine;
static PGconn *plain;
static const char *ours = BENCH_ACCOUNT;
static long used[2][BENCH_SYMBOLS]; /* quantities given out */
static long mark[2][BENCH_SYMBOLS];
static long total;

PGconn *
work_connect(const char *account)
{
	engine = bench_connect("trading");
	ours = account;
	bench_prepare(engine, "open",
				  "INSERT INTO trade.positions (account_id, symbol, qty, original_qty, avg_price, entry_ts)"
				  " SELECT $1, symbol, $2::bigint, $2::bigint, 70000, qts._now() FROM market.stocks"
				  " WHERE symbol BETWEEN '100000' AND '100039' ORDER BY symbol");
	bench_prepare(engine, "many",
				  NEW_INTENT
				  " SELECT account_id, position_id, symbol, 'EXIT_PARTIAL', $2::bigint + k,"
				  " CASE WHEN $4::bigint > 0 THEN 'LMT' ELSE 'MKT' END, nullif($4::bigint, 0), 'MANUAL',"
				  " gen_random_uuid(), 40, 'MANUAL', qts._now(), qts._now()"
				  " FROM generate_series(1, $3::int) AS k, LATERAL (SELECT *" HELD
				  ") AS p ORDER BY k, symbol");
	bench_prepare(engine, "one",
				  NEW_INTENT
				  " SELECT account_id, position_id, symbol, 'EXIT_PARTIAL', $3::bigint, 'MKT', NULL,"
				  " 'MANUAL', gen_random_uuid(), 60, 'MANUAL', qts._now(), qts._now()" HELD
				  " AND symbol = $2");
	bench_prepare(engine, "waiting",
				  "SELECT count(*) FROM trade.order_intents WHERE position_id IN (SELECT position_id" HELD
				  ") AND order_type = 'MKT' AND status NOT IN ('FILLED', 'CANCELLED', 'CANCELLED_PARTIAL')");
	bench_prepare(engine, "close", "SELECT count(qts.exit(position_id, reason => 'bench'))" HELD);
	bench_prepare(engine, "held", "SELECT count(*)" HELD);
	bench_prepare(engine, "ready",
				  "SELECT count(*) FROM trade.account_sync WHERE account_id = $1 AND state = 'READY'"
				  " AND ledger_ok_ts > $2::timestamptz AND balance_ok_ts > $2::timestamptz");
	return engine;
}

PGconn *
work_connect_plain(void)
{
	plain = bench_connect("plain");
	bench_prepare(plain, "many",
				  "INSERT INTO intents (symbol, qty, status) SELECT (100000 + s)::text, $1::bigint + k, 'NEW'"
				  " FROM generate_series(1, $2::int) AS k, generate_series(0, 39) AS s ORDER BY k, s");
	return plain;
}

static long
ask(const char *statement, int nparams, const char *const *params)
{
	PGresult *row = bench_execute(engine, statement, nparams, params);
	long value = PQntuples(row) == 1 ? atol(PQgetvalue(row, 0, 0)) : -1;

	PQclear(row);
	return value;
}

/* Until none is left; fails after a minute without the end in sight. */
static void
wait_for_none(const char *statement)
{
	int64_t end = bench_real_us() + 60 * (int64_t) 1000000;
	long left;

	while ((left = ask(statement, 1, &ours)) != 0)
	{
		if (bench_real_us() > end)
			bench_fail("%s: still %ld after a minute", statement, left);
		bench_pause_until(bench_real_us() + 5000);
	}
}

static long
most_used(WorkSide side)
{
	long most = 0;

	for (int i = 0; i < BENCH_SYMBOLS; i++)
		most = used[side][i] > most ? used[side][i] : most;
	return most;
}

void
work_open(int each_symbol)
{
	long last = most_used(WORK_ENGINE) + 2 * each_symbol;
	char qty[24];

	snprintf(qty, sizeof(qty), "%ld", 2 * each_symbol * last + 1);
	PQclear(bench_execute(engine, "open", 2, (const char *[]){ours, qty}));
}

void
work_holdings(long qty)
{
	char body[8192];
	size_t at =
		(size_t) snprintf(body, sizeof(body), "{\"accounts\":[{\"account\":\"%s\",\"holdings\":[", ours);

	for (int i = 0; i < BENCH_SYMBOLS; i++)
		at += (size_t) snprintf(body + at, sizeof(body) - at,
								"%s{\"symbol\":\"%d\",\"qty\":%ld,\"avg_price\":\"%d\"}", i ? "," : "",
								100000 + i, qty, BENCH_BASE);
	snprintf(body + at, sizeof(body) - at, "]}]}");
	json_decref(control_ask("POST", "/config", body));
}

void
work_intents(WorkSide side, int each_symbol, long limit_price)
{
	long base = most_used(side);
	char first[24];
	char count[24];
	char price[24];

	snprintf(first, sizeof(first), "%ld", base);
	snprintf(count, sizeof(count), "%d", each_symbol);
	snprintf(price, sizeof(price), "%ld", limit_price);
	if (side == WORK_ENGINE)
	{
		PQclear(bench_execute(engine, "many", 4, (const char *[]){ours, first, count, price}));
		total += each_symbol * BENCH_SYMBOLS;
	}
	else
		PQclear(bench_execute(plain, "many", 2, (const char *[]){first, count}));
	for (int i = 0; i < BENCH_SYMBOLS; i++)
		used[side][i] = base + each_symbol;
}

long
work_intent(int symbol)
{
	char name[12];
	char qty[24];

	bench_symbol(symbol, name);
	snprintf(qty, sizeof(qty), "%ld", ++used[WORK_ENGINE][symbol]);
	PQclear(bench_execute(engine, "one", 3, (const char *[]){ours, name, qty}));
	total++;
	return used[WORK_ENGINE][symbol];
}

void
work_mark(void)
{
	memcpy(mark, used, sizeof(mark));
}

static int
by_arrival(const void *a, const void *b)
{
	const Post *x = a;
	const Post *y = b;

	return (x->t_us > y->t_us) - (x->t_us < y->t_us);
}

/* Which intent of its symbol since the mark; -1 = none. */
static long
post_place(WorkSide side, const Post *post, int *symbol)
{
	long nth;

	*symbol = atoi(post->symbol) - 100000;
	if (strcmp(post->account, side == WORK_ENGINE ? ours : BENCH_OUTSIDE) != 0 || *symbol < 0 ||
		*symbol >= BENCH_SYMBOLS)
		return -1;
	nth = post->qty - mark[side][*symbol] - 1;
	return nth < used[side][*symbol] - mark[side][*symbol] ? nth : -1;
}

/* Without those that the broker refused for the rate: they come again. */
static Post *
accepted_posts(int64_t since, int *count)
{
	int all;
	Post *posts = control_posts(since, &all);

	*count = 0;
	for (int i = 0; i < all; i++)
		if (posts[i].odno[0] != '\0')
			posts[(*count)++] = posts[i];
	return posts;
}

Post *
work_posts(WorkSide side, int64_t since, int *count)
{
	Post *posts = accepted_posts(since, count);
	char *seen[BENCH_SYMBOLS];
	long wanted = 0;

	for (int i = 0; i < BENCH_SYMBOLS; i++)
	{
		seen[i] = calloc((size_t) (used[side][i] - mark[side][i]) + 1, 1);
		if (seen[i] == NULL)
			bench_fail("out of memory");
		wanted += used[side][i] - mark[side][i];
	}
	for (int i = 0; i < *count; i++)
	{
		int s;
		long nth = post_place(side, &posts[i], &s);

		if (nth < 0 || seen[s][nth]++)
			bench_fail("a POST of %s x %ld belongs to no intent, or came twice", posts[i].symbol,
					   posts[i].qty);
	}
	for (int i = 0; i < BENCH_SYMBOLS; i++)
		free(seen[i]);
	if (*count != wanted)
		bench_fail("%d POSTs for %ld intents", *count, wanted);
	qsort(posts, (size_t) *count, sizeof(Post), by_arrival);
	return posts;
}

void
work_paced(int count, int64_t step_us, Samples *samples)
{
	int64_t *begun = calloc((size_t) count, sizeof(int64_t));
	int64_t since = control_last();
	int64_t first = bench_real_us() + 10000;
	Post *posts;
	int arrived;

	if (begun == NULL)
		bench_fail("out of memory");
	work_mark();
	for (int i = 0; i < count; i++)
	{
		begun[i] = bench_start(first, step_us, i);
		(void) work_intent(i % BENCH_SYMBOLS);
	}
	control_wait_orders(since, count);
	work_settle();
	posts = work_posts(WORK_ENGINE, since, &arrived);
	for (int i = 0; i < arrived && samples; i++)
	{
		int s;
		long nth = post_place(WORK_ENGINE, &posts[i], &s);

		samples_add(samples, (double) (posts[i].t_us - begun[nth * BENCH_SYMBOLS + s]));
	}
	free(posts);
	free(begun);
}

void
work_settle(void)
{
	wait_for_none("waiting");
}

void
work_close(void)
{
	total += ask("close", 1, &ours);
	wait_for_none("held");
}

long
work_total(void)
{
	return total;
}

void
work_now(char *now, size_t size)
{
	PGresult *row = bench_query(engine, "SELECT qts._now()");

	snprintf(now, size, "%s", PQgetvalue(row, 0, 0));
	PQclear(row);
}

bool
work_is_ready(const char *since)
{
	return ask("ready", 2, (const char *[]){ours, since}) == 1;
}

void
work_wait_ready(const char *since)
{
	int64_t end = bench_real_us() + 20 * (int64_t) 1000000;

	while (!work_is_ready(since))
	{
		if (bench_real_us() > end)
			bench_fail("the account's lists were not read within 20 s");
		bench_pause_until(bench_real_us() + 10000);
	}
}

void
work_setting(const char *name, const char *value)
{
	char sql[160];

	if (value[0] == '\0')
		snprintf(sql, sizeof(sql), "ALTER SYSTEM RESET %s", name);
	else
		snprintf(sql, sizeof(sql), "ALTER SYSTEM SET %s = %s", name, value);
	bench_run(engine, sql);
	bench_run(engine, "SELECT pg_reload_conf()");
}
