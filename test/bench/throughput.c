/*-------------------------------------------------------------------------
 *
 * throughput.c
 *		B3: how many orders a second leave when more are waiting than can.
 *
 * All intents of a round are there before the first POST; the rate is taken
 * from the first POST to the last, at the broker.  The engine runs twice: with
 * the broker filling at once, so that fills are booked between the orders, and
 * with the fills held back until the orders are out.  The programs outside
 * book nothing.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>

#include "outside.h"
#include "work.h"

#define ROUNDS 5
#define EACH_SYMBOL 50 /* 2 000 orders a round */
#define BATCH_EACH_SYMBOL 15
#define FILLS_LATER_MS "4000"
#define PG_NET 241.0 /* published: 1 000 requests in 4.14 s */

static PGconn *engine;
static PGconn *plain;

static void
rate_add(WorkSide side, int64_t since, Samples *samples)
{
	int count;
	Post *posts = work_posts(side, since, &count);
	double rate = (count - 1) / ((double) (posts[count - 1].t_us - posts[0].t_us) / 1e6);

	free(posts);
	if (samples)
		samples_add(samples, rate);
}

static void
round_engine(bool fills_later, Samples *samples)
{
	int64_t since;

	work_open(EACH_SYMBOL);
	if (fills_later)
		control_option("fill_delay_ms", FILLS_LATER_MS);
	since = control_last();
	work_mark();
	work_intents(WORK_ENGINE, EACH_SYMBOL, 0);
	control_wait_orders(since, EACH_SYMBOL * BENCH_SYMBOLS);
	control_option("fill_delay_ms", "0");
	rate_add(WORK_ENGINE, since, samples);
	work_settle();
	work_close();
}

static void
round_outside(OutsideKind kind, int each_symbol, Samples *samples)
{
	int64_t since = control_last();

	outside_start(kind);
	work_mark();
	work_intents(WORK_OUTSIDE, each_symbol, 0);
	control_wait_orders(since, each_symbol * BENCH_SYMBOLS);
	bench_until(plain, "SELECT count(*) FROM intents WHERE broker_order_no IS NULL", 0);
	outside_stop();
	rate_add(WORK_OUTSIDE, since, samples);
}

int
main(void)
{
	static Samples alone = {.name = "qts, fills come later"};
	static Samples booking = {.name = "qts, fills booked between the orders"};
	static Samples single = {.name = "client, one at a time"};
	static Samples batch = {.name = "shape of pg_net: 200, then a pause of 1 s"};

	long left;

	outside_login();
	engine = work_connect(BENCH_ACCOUNT);
	plain = work_connect_plain();
	round_engine(false, NULL);
	round_outside(OUTSIDE_SINGLE, EACH_SYMBOL, NULL);
	bench_run(engine, "ANALYZE");
	bench_run(plain, "ANALYZE");
	for (int round = 0; round < ROUNDS; round++)
	{
		round_engine(true, &alone);
		round_outside(OUTSIDE_SINGLE, EACH_SYMBOL, &single);
		round_engine(false, &booking);
		round_outside(OUTSIDE_BATCH, BATCH_EACH_SYMBOL, &batch);
	}
	samples_title("B3 orders a second, saturated, first POST to last at the broker", "/s");
	samples_print(&alone);
	samples_print(&booking);
	samples_print(&single);
	samples_print(&batch);
	printf("  pg_net itself, published by its authors: %.0f/s (another machine)\n", PG_NET);
	samples_ratio(&alone, &single, 0.5);
	samples_ratio(&booking, &single, 0.5);
	samples_ratio(&alone, &batch, 0.5);
	samples_floor(&alone, 0.5, 3500);
	samples_floor(&alone, 0.5, 10 * samples_quantile(&batch, 0.5));
	left = bench_long(engine, "SELECT count(*) FROM trade.orders WHERE account_id = '" BENCH_ACCOUNT
							  "' AND status <> 'FILLED'");
	bench_check(left == 0, "orders of the engine not filled", left, 0);
	PQfinish(engine);
	PQfinish(plain);
	return 0;
}
