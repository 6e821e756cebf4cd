/*
 * walk.c
 *		Many symbols that wander by themselves, and the list of what their prices were.
 *
 * Prints are paced on the virtual clock, so a day at speed 60 has as many as a day.
 * Which symbol prints and where it goes is a function of the seed and the print's
 * number alone.  Nothing prints while the market is closed or in an auction; a clock
 * that was set to another time starts the pace afresh.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define WALK_PER_TURN 256
#define WALK_TURN_US 2000
#define WALK_JUMP_US (INT64_C(120) * 1000000) /* virtual: more between two turns is a new time */
#define WALK_MAX_RATE 1000000.0

static QtsSymbol **walkers;
static int n_walkers;
static double per_second; /* of virtual time, of all symbols together */
static uint64_t seed;
static uint64_t printed;
static double owed;
static int64_t last_us;
static uint64_t generation;
static FILE *price_log; /* every change, for whoever follows the truth of a long run */

void
qts_price_history_add(QtsSymbol *symbol)
{
	QtsPricePoint *point;

	if (symbol->history == NULL)
		symbol->history = qts_mem_zero(QTS_PRICE_HISTORY * sizeof(QtsPricePoint));
	point = &symbol->history[symbol->n_history++ % QTS_PRICE_HISTORY];
	point->t_us = qts_clock_real();
	point->virtual_us = qts_clock_now();
	point->price = symbol->price;
	if (price_log != NULL)
		fprintf(price_log, "%" PRId64 " %s %" PRId64 "\n", point->t_us, symbol->code, point->price);
}

/* One print: a step of a tick down, none or up, back from the limits. */
static void
walk_print(void)
{
	uint64_t r = qts_random_mix(seed + printed * UINT64_C(0x9E3779B97F4A7C15));
	QtsSymbol *symbol = walkers[r % (uint64_t) n_walkers];
	int64_t step = (int64_t) (r >> 32) % 3 - 1;
	int64_t price = symbol->price;

	printed++;
	if (step > 0)
		price += qts_market_tick(symbol, price);
	else if (step < 0)
		price -= qts_market_tick(symbol, price - 1);
	if (price > symbol->upper || price < symbol->lower || price <= 0)
		price = symbol->price;
	qts_market_price(symbol, price, -1, -1, 1 + (int64_t) (r >> 40) % 100);
}

static void
walk_due(void *arg, uint64_t tag)
{
	int64_t now = qts_clock_now();
	int64_t passed = now - last_us;

	(void) arg;
	if (tag != generation || n_walkers == 0)
		return;
	last_us = now;
	if (passed > 0 && passed <= WALK_JUMP_US && qts_clock_phase() == QTS_PHASE_CONTINUOUS)
		owed += (double) passed * per_second / 1000000.0;
	for (int i = 0; i < WALK_PER_TURN && owed >= 1.0; i++)
	{
		walk_print();
		owed -= 1.0;
	}
	/* sockets are served between turns */
	qts_net_timer(owed >= 1.0 ? 1 : WALK_TURN_US, walk_due, NULL, tag);
}

/* The symbols named, the first so many, or all there are. */
static bool
walk_symbols(const json_t *list)
{
	size_t i;
	json_t *item;
	QtsSymbol *symbol;
	int64_t most = list == NULL ? QTS_MAX_SYMBOLS : json_integer_value(list);

	n_walkers = 0;
	free(walkers);
	walkers = qts_mem_zero(QTS_MAX_SYMBOLS * sizeof(*walkers));
	for (int k = 0; k < most && (symbol = qts_market_at(k)) != NULL; k++)
		walkers[n_walkers++] = symbol;
	json_array_foreach(list, i, item)
	{
		symbol = json_is_string(item) ? qts_market_find(json_string_value(item)) : NULL;
		if (symbol == NULL || n_walkers == QTS_MAX_SYMBOLS)
			return false;
		walkers[n_walkers++] = symbol;
	}
	return n_walkers > 0;
}

/* Appends to the file named; a walk that names none leaves the log as it is. */
static bool
walk_log(const char *file)
{
	if (file == NULL)
		return true;
	if (price_log != NULL)
		fclose(price_log);
	price_log = fopen(file, "a");
	return price_log != NULL;
}

/* ticks_per_second 0 ends it. */
bool
qts_walk_start(const json_t *body, const char **error)
{
	const json_t *rate = json_object_get(body, "ticks_per_second");
	const json_t *speed = json_object_get(body, "speed");

	generation++;
	per_second = json_is_number(rate) ? json_number_value(rate) : 0;
	*error = "ticks_per_second or speed is out of range";
	if (!(per_second >= 0 && per_second <= WALK_MAX_RATE) ||
		(speed != NULL && !(json_is_number(speed) && json_number_value(speed) >= 0 &&
							json_number_value(speed) <= QTS_MAX_SPEED)))
		return false;
	*error = "the log cannot be written";
	if (!walk_log(qts_json_text(body, "log")))
		return false;
	*error = "no such symbol";
	if (!walk_symbols(json_object_get(body, "symbols")))
	{
		n_walkers = 0;
		return false;
	}
	if (per_second <= 0)
		n_walkers = 0;
	seed = (uint64_t) qts_json_int(body, "seed", 1);
	printed = 0;
	owed = 0;
	if (speed != NULL)
	{
		qts_clock_set(qts_clock_now(), json_number_value(speed));
		qts_clock_watch();
	}
	last_us = qts_clock_now();
	qts_net_timer(0, walk_due, NULL, generation);
	return true;
}

void
qts_walk_status(QtsBuf *out)
{
	qts_buf_printf(out, "{\"walking\":%s,\"symbols\":%d,\"printed\":%" PRIu64 ",\"behind\":%" PRId64 "}",
				   n_walkers > 0 ? "true" : "false", n_walkers, printed, (int64_t) owed);
}

/* The price in force `ms` ago and all since, oldest first. */
static void
price_history(QtsBuf *out, const QtsSymbol *s, int64_t since)
{
	int64_t first = s->n_history > QTS_PRICE_HISTORY ? s->n_history - QTS_PRICE_HISTORY : 0;
	const char *separator = "";

	for (int64_t i = s->n_history - 1; i > first; i--)
		if (s->history[i % QTS_PRICE_HISTORY].t_us <= since)
			first = i;
	qts_buf_text(out, ",\"history\":[");
	for (int64_t i = first; i < s->n_history; i++)
	{
		const QtsPricePoint *p = &s->history[i % QTS_PRICE_HISTORY];

		qts_buf_printf(out, "%s[%" PRId64 ",%" PRId64 ",%" PRId64 "]", separator, p->t_us, p->virtual_us,
					   p->price);
		separator = ",";
	}
	qts_buf_text(out, "]");
}

void
qts_price_truth(const QtsReq *req, QtsBuf *out)
{
	const char *code = qts_req_param(req, "symbol");
	const char *history = qts_req_param(req, "history_ms");
	int64_t now = qts_clock_real();
	int64_t ms = 0;
	const char *separator = "";
	const QtsSymbol *s;

	if (history != NULL)
		(void) qts_text_digits(history, &ms);
	if (price_log != NULL)
		fflush(price_log);
	qts_buf_printf(out, "{\"t_us\":%" PRId64 ",\"virtual_us\":%" PRId64 ",\"prices\":[", now,
				   qts_clock_now());
	for (int i = 0; (s = qts_market_at(i)) != NULL; i++)
	{
		const QtsPricePoint *p =
			s->n_history > 0 ? &s->history[(s->n_history - 1) % QTS_PRICE_HISTORY] : NULL;

		if (code != NULL && strcmp(code, s->code) != 0)
			continue;
		qts_buf_printf(out,
					   "%s{\"symbol\":\"%s\",\"price\":%" PRId64 ",\"bid\":%" PRId64 ",\"ask\":%" PRId64
					   ",\"volume\":%" PRId64 ",\"since_us\":%" PRId64 ",\"since_virtual_us\":%" PRId64,
					   separator, s->code, s->price, s->bid, s->ask, s->volume, p ? p->t_us : 0,
					   p ? p->virtual_us : 0);
		if (history != NULL)
			price_history(out, s, now - ms * 1000);
		qts_buf_text(out, "}");
		separator = ",";
	}
	qts_buf_text(out, "]}");
}
