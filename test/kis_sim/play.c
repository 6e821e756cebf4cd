/*
 * play.c
 *		Bars from a CSV file (plain or gzip) played as prices: four prints per bar,
 *		open, the nearer extreme first, the other, close.
 *
 * All bars are loaded and sorted by time, then paced on the monotonic clock.  One
 * play at a time; a new one replaces it, and a generation retires its timers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "sim.h"

#define PRINTS_PER_BAR 4
#define PRINTS_PER_TURN 64

typedef struct Bar
{
	QtsSymbol *symbol;
	int64_t ts;
	int64_t price[PRINTS_PER_BAR];
	int64_t volume;
	int order;
} Bar;

static Bar *bars;
static int n_bars;
static int cap_bars;
static int64_t next_print;
static int64_t started_us;
static double prints_per_us;
static bool has_clock;
static bool is_playing;
static int64_t clock_ts;
static uint64_t generation;

static bool
symbol_is_wanted(const json_t *wanted, const char *code)
{
	size_t i;
	json_t *item;

	if (json_array_size(wanted) == 0)
		return true;
	json_array_foreach(wanted, i, item)
	{
		if (json_is_string(item) && strcmp(json_string_value(item), code) == 0)
			return true;
	}
	return false;
}

/* False for lines that are not a tradable bar: headers, halts, junk. */
static bool
bar_parse(char *line, const json_t *wanted, Bar *bar)
{
	char *field[7];
	char *save = NULL;
	int64_t value[4];
	char stamp[40];
	int n = 0;

	for (char *text = strtok_r(line, ",\r\n", &save); text != NULL && n < 7;
		 text = strtok_r(NULL, ",\r\n", &save))
		field[n++] = text;
	if (n < 7 || !symbol_is_wanted(wanted, field[0]))
		return false;
	for (int i = 0; i < 4; i++)
	{
		value[i] = strtoll(field[2 + i], NULL, 10);
		if (value[i] <= 0)
			return false;
	}
	snprintf(stamp, sizeof(stamp), strlen(field[1]) == 10 ? "%.10sT09:00:00" : "%.30s", field[1]);
	if (!qts_clock_parse(stamp, &bar->ts))
		return false;
	bar->symbol = qts_market_find(field[0]);
	if (bar->symbol == NULL)
		bar->symbol = qts_market_add(field[0], value[0]);
	if (bar->symbol == NULL)
		return false;
	bar->price[0] = value[0];
	bar->price[1] = value[3] >= value[0] ? value[2] : value[1];
	bar->price[2] = value[3] >= value[0] ? value[1] : value[2];
	bar->price[3] = value[3];
	bar->volume = strtoll(field[6], NULL, 10);
	return true;
}

static int
bar_compare(const void *a, const void *b)
{
	const Bar *x = a;
	const Bar *y = b;

	if (x->ts != y->ts)
		return x->ts < y->ts ? -1 : 1;
	return x->order - y->order;
}

static bool
play_load(const char *file, const json_t *wanted)
{
	gzFile in = gzopen(file, "rb");
	char line[512];

	if (in == NULL)
		return false;
	n_bars = 0;
	while (n_bars < QTS_MAX_BARS && gzgets(in, line, sizeof(line)) != NULL)
	{
		if (n_bars == cap_bars)
		{
			cap_bars = cap_bars ? cap_bars * 2 : 4096;
			bars = qts_mem_grow(bars, (size_t) cap_bars * sizeof(*bars));
		}
		bars[n_bars].order = n_bars;
		if (bar_parse(line, wanted, &bars[n_bars]))
			n_bars++;
	}
	gzclose(in);
	qsort(bars, (size_t) n_bars, sizeof(*bars), bar_compare);
	return n_bars > 0;
}

static void
play_print(void)
{
	const Bar *bar = &bars[next_print / PRINTS_PER_BAR];
	int step = (int) (next_print % PRINTS_PER_BAR);
	int64_t part = bar->volume / PRINTS_PER_BAR;

	if (has_clock && step == 0 && bar->ts != clock_ts)
	{
		clock_ts = bar->ts;
		qts_clock_set(bar->ts, qts_clock_speed());
		qts_clock_watch();
	}
	if (step == PRINTS_PER_BAR - 1)
	{
		part = bar->volume - part * (PRINTS_PER_BAR - 1);
		qts_counters.bars_played++;
	}
	qts_market_price(bar->symbol, bar->price[step], -1, -1, part);
	next_print++;
}

static void
play_due(void *arg, uint64_t tag)
{
	int64_t total = (int64_t) n_bars * PRINTS_PER_BAR;
	int64_t elapsed;
	int64_t due;
	int64_t wait_us = 0;

	(void) arg;
	if (tag != generation || !is_playing)
		return;
	elapsed = qts_clock_mono() - started_us;
	due = prints_per_us > 0 ? (int64_t) ((double) elapsed * prints_per_us) + 1 : total;
	if (due > total)
		due = total;
	for (int i = 0; i < PRINTS_PER_TURN && next_print < due; i++)
		play_print();
	if (next_print >= total)
	{
		is_playing = false;
		return;
	}
	if (next_print >= due)
		wait_us = (int64_t) ((double) next_print / prints_per_us) - elapsed;
	/* One microsecond at least, so that sockets are served between turns. */
	qts_net_timer(wait_us > 0 ? wait_us : 1, play_due, NULL, tag);
}

bool
qts_play_start(const json_t *body, const char **error)
{
	const char *file = qts_json_text(body, "file");
	const json_t *rate = json_object_get(body, "bars_per_second");

	is_playing = false;
	generation++;
	if (file == NULL || !play_load(file, json_object_get(body, "symbols")))
	{
		*error = "the file cannot be read or holds no bar";
		return false;
	}
	prints_per_us = json_is_number(rate) ? json_number_value(rate) * PRINTS_PER_BAR / 1000000.0 : 0;
	has_clock = qts_json_bool(body, "clock", false);
	next_print = 0;
	clock_ts = 0;
	started_us = qts_clock_mono();
	is_playing = true;
	qts_net_timer(0, play_due, NULL, generation);
	return true;
}

void
qts_play_status(QtsBuf *out)
{
	qts_buf_printf(out, "{\"playing\":%s,\"bars\":%d,\"played\":%lld}", is_playing ? "true" : "false", n_bars,
				   (long long) (next_print / PRINTS_PER_BAR));
}
