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
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/exit.h"
#include "stats.h"

#define PASSES 300
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

/* Microseconds of one pass; the prices are made before it. */
static double
pass(int count, Market market, int n)
{
	int64_t start;

	for (int i = 0; i < count; i++)
	{
		QtsPrice step = market == MARKET_HIGHS ? QTS_PRICE(1) : QTS_PRICE(50) * ((int64_t) (draw() % 3) - 1);
		QtsPrice price = watches[i].quote.bid + step;

		/* nothing is to be sold in the measured time */
		if (market != MARKET_HIGHS && (price < QTS_PRICE(49500) || price > QTS_PRICE(51500)))
			price = QTS_PRICE(50000);
		watches[i].quote.bid = watches[i].quote.last = price;
	}
	start = bench_mono_ns();
	for (int i = 0; i < count; i++)
		watch_look(&watches[i], NOW + n * QTS_SEC, market != MARKET_NO_BANDS);
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

int
main(void)
{
	static Samples bands[3] = {{.name = "100 positions"}, {.name = "1 000"}, {.name = "10 000"}};
	static Samples whole = {.name = "10 000, each evaluated"};
	static Samples highs = {.name = "10 000, each at a new high"};
	static const int counts[] = {100, 1000, 10000};

	profile = qts_exit_profile_default();
	samples_title("B11 one pass of the exit rules, all prices changed", "us");
	for (int i = 0; i < 3; i++)
		measure(counts[i], MARKET_BANDS, &bands[i]);
	measure(LARGEST, MARKET_NO_BANDS, &whole);
	measure(LARGEST, MARKET_HIGHS, &highs);
	samples_goal(&bands[0], 0.5, 20);
	samples_goal(&bands[2], 0.5, 2000);
	samples_goal(&highs, 0.5, 2000);
	return 0;
}
