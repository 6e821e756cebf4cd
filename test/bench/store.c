/*-------------------------------------------------------------------------
 *
 * store.c
 *		A server module that does parts of the prices worker's work alone: a
 *		batch of decoded ticks into the tables, an entry onto the board.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "catalog/pg_type_d.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "db/price_store.h"
#include "shm/board.h"
#include "shm/clock.h"
#include "ticks.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT Datum bench_store(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum bench_publish(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum bench_torn(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum bench_seen(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum bench_spi(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum bench_book(PG_FUNCTION_ARGS);

#define SYMBOLS 40

static char symbols[SYMBOLS][QTS_SYMBOL_LEN + 1];

static void
ticks_make(QtsTick *ticks, int n, int64 first, TimestampTz at)
{
	memset(ticks, 0, sizeof(QtsTick) * n);
	for (int i = 0; i < n; i++)
	{
		QtsTick *tick = &ticks[i];

		strcpy(tick->symbol, symbols[i % SYMBOLS]);
		tick->source = QTS_SOURCE_KIS_WS;
		tick->price = 70000 + i % 7 * 100;
		tick->bid = tick->price - 100;
		tick->ask = tick->price;
		tick->volume = 1;
		tick->acml_volume = first + i;
		tick->acml_value = tick->acml_volume * 70000;
		tick->exch_at = at;
		tick->recv_at = at + i;
	}
}

static int
rows_make(QtsPriceRow *rows, QtsQuote *quotes, const QtsTick *ticks, int n)
{
	int count = Min(n, SYMBOLS);

	for (int i = 0; i < count; i++)
	{
		const QtsTick *tick = &ticks[n - 1 - i];

		quotes[i] = (QtsQuote){.last = QTS_PRICE(tick->price),
							   .bid = QTS_PRICE(tick->bid),
							   .ask = QTS_PRICE(tick->ask),
							   .volume = tick->acml_volume,
							   .exch_at = tick->exch_at,
							   .recv_at = tick->recv_at};
		rows[i] = (QtsPriceRow){.symbol = tick->symbol,
								.source = tick->source,
								.quote = &quotes[i],
								.base = QTS_PRICE(70000),
								.acml_value = tick->acml_value,
								.heard = true,
								.best = true};
	}
	return count;
}

/* (batch size, first number, recv_ts of the first) */
PG_FUNCTION_INFO_V1(bench_store);
Datum
bench_store(PG_FUNCTION_ARGS)
{
	int n = PG_GETARG_INT32(0);
	int64 first = PG_GETARG_INT64(1);
	QtsTick *ticks = palloc(sizeof(QtsTick) * n);
	QtsPriceRow rows[SYMBOLS];
	QtsQuote quotes[SYMBOLS];

	for (int i = 0; i < SYMBOLS; i++)
		snprintf(symbols[i], sizeof(symbols[i]), "%d", 100000 + i);
	ticks_make(ticks, n, first, PG_GETARG_TIMESTAMPTZ(2));
	SPI_connect();
	qts_price_store(ticks, n, first, rows, rows_make(rows, quotes, ticks, n));
	SPI_finish();
	PG_RETURN_INT32(n);
}

/* A symbol of our own on the board: the prices worker does not follow it. */
static int
board_slot(void)
{
	int slot = qts_board_claim("BENCH00");

	if (slot < 0)
		elog(ERROR, "the board is full");
	return slot;
}

/* Every field follows from one number, so that a mixture of two writes shows. */
static void
entry_make(QtsBoardEntry *entry, int64 n)
{
	memset(entry, 0, sizeof(*entry));
	for (int s = 0; s < QTS_SOURCE_COUNT; s++)
		entry->of[s] =
			(QtsQuote){.last = n, .bid = n + 1, .ask = n + 2, .volume = n + 3, .exch_at = n, .recv_at = n};
	entry->limits.lower = entry->limits.upper = entry->limits.base = n;
	entry->published_mono = n;
	entry->source = (QtsSource) (n % QTS_SOURCE_COUNT);
}

static bool
entry_torn(const QtsBoardEntry *entry)
{
	QtsBoardEntry whole;

	entry_make(&whole, entry->published_mono);
	return memcmp(&whole, entry, sizeof(whole)) != 0;
}

static int64
mono_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64CONST(1000000000) + now.tv_nsec;
}

/* Publishes for so many ms, at full speed or with a pause (us) after each; returns how often. */
PG_FUNCTION_INFO_V1(bench_publish);
Datum
bench_publish(PG_FUNCTION_ARGS)
{
	int64 end = mono_ns() + PG_GETARG_INT32(0) * INT64CONST(1000000);
	int pause = PG_GETARG_INT32(1);
	int slot = board_slot();
	int64 count = 0;
	QtsBoardEntry entry;

	for (int64 now = mono_ns(); now < end; now = mono_ns(), count++)
	{
		entry_make(&entry, now);
		qts_board_publish(slot, &entry);
		while (pause > 0 && mono_ns() < now + pause * INT64CONST(1000))
			;
		CHECK_FOR_INTERRUPTS();
	}
	PG_RETURN_INT64(count);
}

/* Reads for so many ms: how many, how many torn, how many gave up. */
PG_FUNCTION_INFO_V1(bench_torn);
Datum
bench_torn(PG_FUNCTION_ARGS)
{
	int64 end = mono_ns() + PG_GETARG_INT32(0) * INT64CONST(1000000);
	int slot = board_slot();
	int64 figures[3] = {0};
	Datum values[3];
	QtsBoardEntry entry;

	while (mono_ns() < end)
	{
		for (int i = 0; i < 1000; i++)
		{
			bool seen = qts_board_read(slot, &entry);

			figures[0]++;
			figures[1] += seen && entry_torn(&entry);
			figures[2] += !seen;
		}
		CHECK_FOR_INTERRUPTS();
	}
	for (int i = 0; i < 3; i++)
		values[i] = Int64GetDatum(figures[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(values, 3, INT8OID, 8, true, TYPALIGN_DOUBLE));
}

/* Waits for so many publications of another process; ns from each to its sight here. */
PG_FUNCTION_INFO_V1(bench_seen);
Datum
bench_seen(PG_FUNCTION_ARGS)
{
	int n = PG_GETARG_INT32(0);
	int slot = board_slot();
	int64 end = mono_ns() + INT64CONST(20000000000);
	uint32 version = qts_board_version(slot);
	Datum *values = palloc(sizeof(Datum) * n);
	QtsBoardEntry entry;

	for (int i = 0; i < n;)
	{
		uint32 now = qts_board_version(slot);

		if (now == version)
		{
			CHECK_FOR_INTERRUPTS();
			if (mono_ns() > end)
				elog(ERROR, "nobody publishes");
			continue;
		}
		version = now;
		if (qts_board_read(slot, &entry))
			values[i++] = Float8GetDatum((double) (mono_ns() - entry.published_mono));
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(values, n, FLOAT8OID, 8, true, TYPALIGN_DOUBLE));
}

/* ns of one prepared read of the tables through SPI, as a worker would do it: (sql, how often) */
PG_FUNCTION_INFO_V1(bench_spi);
Datum
bench_spi(PG_FUNCTION_ARGS)
{
	int n = PG_GETARG_INT32(1);
	SPIPlanPtr plan;
	int64 start;
	int64 took;

	SPI_connect();
	plan = SPI_prepare(text_to_cstring(PG_GETARG_TEXT_PP(0)), 0, NULL);
	if (plan == NULL)
		elog(ERROR, "could not prepare: %s", SPI_result_code_string(SPI_result));
	(void) SPI_execute_plan(plan, NULL, NULL, true, 0);
	start = mono_ns();
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (SPI_execute_plan(plan, NULL, NULL, true, 0) != SPI_OK_SELECT)
			elog(ERROR, "could not read");
		SPI_freetuptable(SPI_tuptable);
	}
	took = mono_ns() - start;
	SPI_finish();
	PG_RETURN_FLOAT8((double) took / n);
}

/* A book of this symbol through the engine's own door; crossed = one that is none. */
PG_FUNCTION_INFO_V1(bench_book);
Datum
bench_book(PG_FUNCTION_ARGS)
{
	bool crossed = PG_GETARG_BOOL(1);
	QtsBook book = {.exch_at = QTS_TIME_NONE, .recv_at = qts_now()};

	strlcpy(book.symbol, text_to_cstring(PG_GETARG_TEXT_PP(0)), sizeof(book.symbol));
	(void) qts_board_claim(book.symbol);
	for (int i = 0; i < QTS_BOOK_LEVELS; i++)
	{
		book.bid[i] = (QtsBookLevel){.price = 70000 - 100 * i, .qty = 10 + i};
		book.ask[i] = (QtsBookLevel){.price = (crossed ? 69900 : 70100) + 100 * i, .qty = 20 + i};
	}
	qts_books_take(&book, 1);
	PG_RETURN_VOID();
}
