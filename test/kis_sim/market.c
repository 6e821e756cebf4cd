/*
 * market.c
 *		Symbols: prices, limits, tick sizes, and the H0STCNT0 record.
 *
 * Only qts_market_price moves a price; it sends the tick before it matches, as the
 * tape shows a print before an execution notice is out.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define HASH_SIZE 16384

static QtsSymbol *symbols[QTS_MAX_SYMBOLS];
static QtsSymbol *symbol_hash[HASH_SIZE];
static int n_symbols;
static int64_t last_tick_us;

static unsigned
market_hash(const char *code)
{
	unsigned h = 5381;

	for (; *code; code++)
		h = h * 33 + (unsigned char) *code;
	return h % HASH_SIZE;
}

QtsSymbol *
qts_market_find(const char *code)
{
	QtsSymbol *symbol = symbol_hash[market_hash(code)];

	while (symbol != NULL && strcmp(symbol->code, code) != 0)
		symbol = symbol->hash_next;
	return symbol;
}

QtsSymbol *
qts_market_at(int index)
{
	return index < n_symbols ? symbols[index] : NULL;
}

int64_t
qts_market_tick(const QtsSymbol *symbol, int64_t price)
{
	static const struct
	{
		int64_t below;
		int64_t tick;
	} bands[] = {{2000, 1}, {5000, 5}, {20000, 10}, {50000, 50}, {200000, 100}, {500000, 500}};

	if (symbol != NULL && symbol->is_etf)
		return price < 2000 ? 1 : 5;
	for (size_t i = 0; i < sizeof(bands) / sizeof(bands[0]); i++)
		if (price < bands[i].below)
			return bands[i].tick;
	return 1000;
}

static void
market_limits(QtsSymbol *symbol)
{
	int64_t tick = qts_market_tick(symbol, symbol->base);
	int64_t width = symbol->base * 3 / 10 / tick * tick;

	symbol->upper = symbol->base + width;
	symbol->upper -= symbol->upper % qts_market_tick(symbol, symbol->upper);
	symbol->lower = symbol->base - width;
}

static void
market_quote(QtsSymbol *symbol, int64_t bid, int64_t ask)
{
	int64_t tick = qts_market_tick(symbol, symbol->price);

	symbol->bid = bid >= 0 ? bid : symbol->price;
	symbol->ask = ask >= 0 ? ask : symbol->price + tick * qts_options.spread_ticks;
	if (ask < 0 && symbol->ask > symbol->upper)
		symbol->ask = symbol->upper >= symbol->price ? symbol->upper : symbol->price;
}

QtsSymbol *
qts_market_add(const char *code, int64_t base)
{
	QtsSymbol *symbol;
	unsigned h = market_hash(code);

	if (n_symbols >= QTS_MAX_SYMBOLS || strlen(code) > 12 || base <= 0)
		return NULL;
	/* Codes reach JSON and frames unquoted, so nothing but letters and digits. */
	if (strspn(code, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(code))
		return NULL;
	symbol = qts_mem_zero(sizeof(*symbol));
	qts_text_copy(symbol->code, sizeof(symbol->code), code);
	qts_text_copy(symbol->name, sizeof(symbol->name), code);
	qts_text_copy(symbol->market, sizeof(symbol->market), "KOSPI");
	symbol->base = symbol->price = symbol->vi_ref = base;
	symbol->sell_min = INT64_MAX;
	market_limits(symbol);
	market_quote(symbol, -1, -1);
	symbol->hash_next = symbol_hash[h];
	symbol_hash[h] = symbol;
	symbols[n_symbols++] = symbol;
	return symbol;
}

bool
qts_market_define(const json_t *row)
{
	const char *code = qts_json_text(row, "symbol");
	QtsSymbol *symbol = code ? qts_market_find(code) : NULL;
	int64_t price;
	bool was_halted;
	bool was_vi;

	if (code == NULL)
		return false;
	if (symbol == NULL)
		symbol = qts_market_add(code, qts_json_int(row, "base", qts_json_int(row, "price", 10000)));
	if (symbol == NULL)
		return false;
	if (qts_json_text(row, "name"))
		qts_text_copy(symbol->name, sizeof(symbol->name), qts_json_text(row, "name"));
	if (qts_json_text(row, "market"))
		qts_text_copy(symbol->market, sizeof(symbol->market), qts_json_text(row, "market"));
	symbol->is_etf = strcmp(symbol->market, "ETF") == 0 || strcmp(symbol->market, "ETN") == 0;
	symbol->base = qts_json_int(row, "base", symbol->base);
	market_limits(symbol);
	was_halted = symbol->is_halted;
	was_vi = symbol->is_vi;
	symbol->is_halted = qts_json_bool(row, "halted", symbol->is_halted);
	symbol->is_vi = qts_json_bool(row, "vi", symbol->is_vi);
	price = qts_json_int(row, "price", symbol->price);
	if (price > 0)
		symbol->price = price;
	market_quote(symbol, qts_json_int(row, "bid", -1), qts_json_int(row, "ask", -1));
	if (!qts_bars_read(symbol, json_object_get(row, "bars")))
		return false;
	if (was_halted != symbol->is_halted || was_vi != symbol->is_vi)
		qts_feed_status(symbol, "");
	/* Lifting a halt or VI lets waiting orders trade. */
	qts_exchange_match(symbol);
	return true;
}

/* So many symbols of our own making, the same ones each time; those there stay as they are. */
bool
qts_market_generate(int64_t count)
{
	char code[16];

	if (count < 0 || count > QTS_MAX_SYMBOLS / 2)
		return false;
	for (int64_t i = 0; i < count; i++)
	{
		int64_t base = 1000 + (int64_t) (qts_random_mix((uint64_t) i) % 400000);
		QtsSymbol *symbol;

		snprintf(code, sizeof(code), "%06d", (int) (500000 + i * 10));
		if (qts_market_find(code) != NULL)
			continue;
		symbol = qts_market_add(code, base - base % qts_market_tick(NULL, base));
		if (symbol == NULL)
			return false;
		snprintf(symbol->name, sizeof(symbol->name), "Generated %d", (int) i);
	}
	return true;
}

int
qts_market_sign(const QtsSymbol *symbol, int64_t price)
{
	if (price >= symbol->upper)
		return 1;
	if (price <= symbol->lower)
		return 4;
	return price > symbol->base ? 2 : price < symbol->base ? 5 : 3;
}

/* A negative bid or ask means "derive it from the price". */
void
qts_market_price(QtsSymbol *symbol, int64_t price, int64_t bid, int64_t ask, int64_t volume)
{
	int tmd = qts_clock_tmd(qts_clock_stamp());
	bool is_new = price != symbol->price || symbol->n_history == 0;

	symbol->last_is_buy = price >= symbol->price;
	symbol->price = price;
	symbol->print_us = qts_clock_now();
	if (is_new)
		qts_price_history_add(symbol);
	symbol->print_date = qts_clock_date(qts_clock_now());
	market_quote(symbol, bid, ask);
	if (symbol->open == 0)
	{
		symbol->open = symbol->high = symbol->low = price;
		symbol->open_tmd = symbol->high_tmd = symbol->low_tmd = tmd;
	}
	if (price > symbol->high)
	{
		symbol->high = price;
		symbol->high_tmd = tmd;
	}
	if (price < symbol->low)
	{
		symbol->low = price;
		symbol->low_tmd = tmd;
	}
	symbol->last_qty = volume;
	symbol->volume += volume;
	symbol->amount += volume * price;
	*(symbol->last_is_buy ? &symbol->buy_volume : &symbol->sell_volume) += volume;
	(*(symbol->last_is_buy ? &symbol->buy_count : &symbol->sell_count))++;
	qts_counters.price_changes++;
	qts_feed_tick(symbol);
	qts_wsapp_flush();
	last_tick_us = qts_clock_real();
	qts_session_print(symbol);
	qts_exchange_match(symbol);
}

/* When the last tick was handed to the sockets. */
int64_t
qts_market_tick_us(void)
{
	return last_tick_us;
}

void
qts_market_new_day(void)
{
	for (int i = 0; i < n_symbols; i++)
	{
		QtsSymbol *s = symbols[i];

		qts_bars_close_day(s);
		s->base = s->vi_ref = s->price - s->price % qts_market_tick(s, s->price);
		market_limits(s);
		s->open = s->high = s->low = s->volume = s->amount = 0;
		s->buy_volume = s->sell_volume = s->buy_count = s->sell_count = 0;
	}
}

static void
market_against(QtsBuf *out, const QtsSymbol *s, int64_t reference, int tmd)
{
	int64_t change = s->price - reference;

	qts_buf_printf(out, "^%06d^%d^%" PRId64, tmd, change > 0 ? 2 : change < 0 ? 5 : 3, change);
}

/* One H0STCNT0 record without the frame head. */
void
qts_market_record(const QtsSymbol *s, QtsBuf *out)
{
	int64_t now = qts_clock_stamp();
	int64_t change = s->price - s->base;
	double rate = s->base ? (double) change * 100.0 / (double) s->base : 0;
	double average = s->volume ? (double) s->amount / (double) s->volume : (double) s->price;
	double strength = s->sell_volume ? (double) s->buy_volume * 100.0 / (double) s->sell_volume : 0;
	double share = s->volume ? (double) s->buy_volume / (double) s->volume : 0;
	QtsPhase phase = qts_clock_phase();

	qts_buf_printf(out,
				   "%s^%06d^%" PRId64 "^%d^%" PRId64 "^%.2f^%.2f^%" PRId64 "^%" PRId64 "^%" PRId64 "^%" PRId64
				   "^%" PRId64 "^%" PRId64 "^%" PRId64 "^%" PRId64,
				   s->code, qts_clock_tmd(now), s->price, qts_market_sign(s, s->price), change, rate, average,
				   s->open, s->high, s->low, s->ask, s->bid, s->last_qty, s->volume, s->amount);
	qts_buf_printf(out, "^%" PRId64 "^%" PRId64 "^%" PRId64 "^%.2f^%" PRId64 "^%" PRId64 "^%d^%.2f^100.00",
				   s->sell_count, s->buy_count, s->buy_count - s->sell_count, strength, s->sell_volume,
				   s->buy_volume, s->last_is_buy ? 1 : 5, share);
	market_against(out, s, s->open, s->open_tmd);
	market_against(out, s, s->high, s->high_tmd);
	market_against(out, s, s->low, s->low_tmd);
	qts_buf_printf(out, "^%d^%s^%s^10000^10000^100000^100000^0.01^%" PRId64 "^100.00^0^^%" PRId64,
				   qts_clock_date(now), phase == QTS_PHASE_AFTER_MARKET ? "30" : "20",
				   s->is_halted ? "Y" : "N", s->volume, s->vi_ref);
	if (qts_options.tick_fields >= 47)
		qts_buf_printf(out, "^%d", phase == QTS_PHASE_AFTER_MARKET ? 3 : 2);
}
