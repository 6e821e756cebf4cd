/*-------------------------------------------------------------------------
 *
 * replay.c
 *		B17, second half: prices walked by the exit rules, in C.
 *
 * A position over a seeded random walk of prints and of bars, outside the
 * server: every price looked at, and with prices passed over that concern no
 * rule, as backtests do.  Both must come to the same decisions.
 *
 *-------------------------------------------------------------------------
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/backtest.h"
#include "core/session.h"
#include "stats.h"

#define ROUNDS 7
#define PRICES 1000000
#define START (INT64_C(848451600) * QTS_SEC) /* 2026-11-20 10:00 in Seoul */

static QtsWalkPrice *prices;
static int64_t decisions;

/* Of this process alone: nothing here waits for anything. */
static int64_t
cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

static void
prices_make(void)
{
	uint64_t x = 20261120;
	QtsKrw price = 100000;

	prices = malloc(sizeof(QtsWalkPrice) * PRICES);
	if (prices == NULL)
		exit(1);
	for (int i = 0; i < PRICES; i++)
	{
		x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		price += 100 * ((int64_t) (x >> 33) % 3 - 1);
		if (price < 60000 || price > 160000)
			price = 100000;
		prices[i] = (QtsWalkPrice){.at = START + i * QTS_MS * 10,
								   .last = QTS_PRICE(price),
								   .bid = QTS_PRICE(price - 100),
								   .ask = QTS_PRICE(price),
								   .volume = 10};
	}
}

static void
count(void *arg, const QtsWalkEvent *event)
{
	(void) arg;
	if (event->kind == QTS_WALK_DECISION)
		decisions++;
}

static void
walk_start(QtsWalk *walk, bool every_look, QtsTime at)
{
	QtsExitProfile profile = qts_exit_profile_default();
	QtsFillModel model = {.slippage = 500};
	QtsWalkDay day = {.open_at = START - QTS_HOUR,
					  .closing_at = START + 24 * QTS_HOUR,
					  .close_at = START + 24 * QTS_HOUR,
					  .atr = QTS_PRICE(2000),
					  .rates = {1405, 5000, 15000}};

	day.date = qts_seoul_date(START);
	qts_walk_init(walk, &profile, &model);
	walk->every_look = every_look;
	walk->sink = count;
	qts_walk_enter(walk, at, 1000, 0);
	qts_walk_day(walk, &day);
}

/* ns a print; sold out, it is bought again */
static double
ticks(bool every_look)
{
	QtsWalk walk;
	int64_t start = cpu_ns();

	decisions = 0;
	walk_start(&walk, every_look, START);
	for (int i = 0; i < PRICES; i++)
	{
		qts_walk_tick(&walk, &prices[i]);
		if (qts_walk_over(&walk))
			walk_start(&walk, every_look, prices[i].at);
	}
	return (double) (cpu_ns() - start) / PRICES;
}

/* ns a bar of ten prints */
static double
bars(void)
{
	QtsWalk walk;
	int64_t start;

	walk_start(&walk, false, START);
	start = cpu_ns();
	for (int i = 0; i + 10 <= PRICES; i += 10)
	{
		QtsKrw open = prices[i].last / QTS_PRICE_SCALE;
		QtsKrw close = prices[i + 9].last / QTS_PRICE_SCALE;
		QtsBar bar = {prices[i].at, open, open > close ? open : close, open < close ? open : close, close,
					  100,			-1};

		qts_walk_bar(&walk, &bar, 100 * QTS_MS, QTS_PATH_LOW_FIRST);
		if (qts_walk_over(&walk))
			walk_start(&walk, false, prices[i].at);
	}
	return (double) (cpu_ns() - start) / (PRICES / 10);
}

int
main(void)
{
	static Samples all = {.name = "every print looked at"};
	static Samples some = {.name = "as a backtest"};
	static Samples of_bars = {.name = "one bar, as a backtest"};
	int64_t expected;

	prices_make();
	for (int i = 0; i < ROUNDS + 1; i++)
	{
		double slow = ticks(true);
		double fast;
		double bar = bars();

		(void) ticks(true);
		expected = decisions;
		fast = ticks(false);
		if (decisions != expected || decisions == 0)
		{
			fprintf(stderr, "bench: %" PRId64 " decisions, not %" PRId64 "\n", decisions, expected);
			return 1;
		}
		if (i == 0)
			continue;
		samples_add(&all, slow);
		samples_add(&some, fast);
		samples_add(&of_bars, bar);
	}
	samples_title("B17 a stored print walked by the exit rules", "ns");
	samples_print(&all);
	samples_print(&some);
	samples_print(&of_bars);
	samples_ratio(&all, &some, 0.5);
	printf("  %.1f million prints/s on one CPU, %" PRId64 " decisions\n", 1000 / samples_quantile(&some, 0.5),
		   decisions);
	samples_goal(&all, 0.5, 1000);
	free(prices);
	return 0;
}
