/*-------------------------------------------------------------------------
 *
 * api_board.c
 *		SQL-callable reads of the price board and the order books.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "shm/board.h"
#include "shm/books.h"
#include "shm/reads.h"
#include "shm/shm.h"

#define PRICE_COLUMNS 10
#define BOOK_COLUMNS 9

PG_FUNCTION_INFO_V1(qts_sql_price);
PG_FUNCTION_INFO_V1(qts_sql_book);
PG_FUNCTION_INFO_V1(qts_sql_cache_stats);
PG_FUNCTION_INFO_V1(qts_sql_bench_price);

/* The symbol as a C string without a copy to the heap of palloc's; "" when too long to be one. */
static void
arg_symbol(text *arg, char *symbol)
{
	size_t length = VARSIZE_ANY_EXHDR(arg);

	if (length > QTS_SYMBOL_LEN)
		length = 0;
	memcpy(symbol, VARDATA_ANY(arg), length);
	symbol[length] = '\0';
}

/* For the life of the process: a call must not look it up again. */
static TupleDesc
price_desc(FunctionCallInfo fcinfo)
{
	static TupleDesc desc = NULL;
	TupleDesc found;
	MemoryContext old;

	if (desc != NULL)
		return desc;
	if (get_call_result_type(fcinfo, NULL, &found) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	old = MemoryContextSwitchTo(TopMemoryContext);
	desc = BlessTupleDesc(CreateTupleDescCopy(found));
	MemoryContextSwitchTo(old);
	return desc;
}

typedef enum PriceWord
{
	WORD_SOURCE, /* and the others by QtsSource */
	WORD_STALE = WORD_SOURCE + QTS_SOURCE_COUNT,
	WORD_MOVED,
	WORD_COUNT
} PriceWord;

/* The few words a price is told in, made once per process: a call copies them. */
static Datum
price_word(int word)
{
	static Datum words[WORD_COUNT] = {0};
	MemoryContext old;

	if (words[word] != (Datum) 0)
		return words[word];
	old = MemoryContextSwitchTo(TopMemoryContext);
	if (word == WORD_STALE)
		words[word] = CStringGetTextDatum("ALL_SOURCES_STALE");
	else if (word == WORD_MOVED)
		words[word] = CStringGetTextDatum("CLOCK_MOVED");
	else
		words[word] = CStringGetTextDatum(qts_source_name((QtsSource) (word - WORD_SOURCE)));
	MemoryContextSwitchTo(old);
	return words[word];
}

Datum
qts_sql_price(PG_FUNCTION_ARGS)
{
	TupleDesc desc;
	char symbol[QTS_SYMBOL_LEN + 1];
	QtsBoardQuote seen;
	Datum values[PRICE_COLUMNS] = {0};
	bool nulls[PRICE_COLUMNS];

	qts_require_preload();
	desc = price_desc(fcinfo);
	arg_symbol(PG_GETARG_TEXT_PP(0), symbol);
	memset(nulls, true, sizeof(nulls));
	if (qts_board_quote(symbol, QTS_BOARD_SHOW, &seen))
	{
		memset(nulls, false, sizeof(nulls));
		values[0] = Int64GetDatum(seen.quote.last / QTS_PRICE_SCALE);
		values[1] = Int64GetDatum(seen.quote.bid / QTS_PRICE_SCALE);
		nulls[1] = seen.quote.bid == 0;
		values[2] = Int64GetDatum(seen.quote.ask / QTS_PRICE_SCALE);
		nulls[2] = seen.quote.ask == 0;
		values[3] = Int64GetDatum(seen.quote.volume);
		values[4] = price_word(WORD_SOURCE + (int) seen.source);
		values[5] = TimestampTzGetDatum(seen.quote.exch_at);
		nulls[5] = seen.quote.exch_at == QTS_TIME_NONE;
		values[6] = TimestampTzGetDatum(seen.quote.recv_at);
		values[7] = Int64GetDatum(seen.age_ms);
		values[8] = BoolGetDatum(seen.stale);
		nulls[9] = !seen.stale;
		if (seen.stale)
			values[9] = price_word(seen.skewed ? WORD_MOVED : WORD_STALE);
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

static void
book_side(const QtsBookLevel *level, Datum *values, bool *nulls)
{
	values[0] = Int64GetDatum(level->price);
	values[1] = Int64GetDatum(level->qty);
	nulls[0] = nulls[1] = level->price == 0;
}

Datum
qts_sql_book(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	char symbol[QTS_SYMBOL_LEN + 1];
	QtsBoardBook seen;

	qts_require_preload();
	InitMaterializedSRF(fcinfo, 0);
	arg_symbol(PG_GETARG_TEXT_PP(0), symbol);
	if (!qts_book_quote(symbol, &seen))
		return (Datum) 0;
	for (int i = 0; i < QTS_BOOK_LEVELS; i++)
	{
		Datum values[BOOK_COLUMNS];
		bool nulls[BOOK_COLUMNS] = {false};

		values[0] = Int32GetDatum(i + 1);
		book_side(&seen.book.bid[i], &values[1], &nulls[1]);
		book_side(&seen.book.ask[i], &values[3], &nulls[3]);
		values[5] = TimestampTzGetDatum(seen.book.exch_at);
		nulls[5] = seen.book.exch_at == QTS_TIME_NONE;
		values[6] = TimestampTzGetDatum(seen.book.recv_at);
		values[7] = Int64GetDatum(seen.age_ms);
		values[8] = BoolGetDatum(seen.stale);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

Datum
qts_sql_cache_stats(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	qts_require_preload();
	InitMaterializedSRF(fcinfo, 0);
	qts_reads_flush();
	for (int c = 0; c < QTS_CACHE_COUNT; c++)
	{
		Datum values[5] = {CStringGetTextDatum(qts_cache_name((QtsCache) c))};
		bool nulls[5] = {false};
		uint64 total = 0;

		for (int r = 0; r < QTS_READ_COUNT; r++)
		{
			values[r + 1] = Int64GetDatum((int64) qts_reads_value((QtsCache) c, (QtsRead) r));
			total += (uint64) DatumGetInt64(values[r + 1]);
		}
		nulls[4] = total == 0;
		values[4] =
			Float8GetDatum(total == 0 ? 0 : 100.0 * (double) DatumGetInt64(values[1]) / (double) total);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

Datum
qts_sql_bench_price(PG_FUNCTION_ARGS)
{
	char symbol[QTS_SYMBOL_LEN + 1];
	int64 reads = PG_GETARG_INT64(1);
	int slot;
	QtsQuote quote;
	QtsSource source;
	volatile int64 sum = 0;
	instr_time start;
	instr_time end;

	qts_require_preload();
	arg_symbol(PG_GETARG_TEXT_PP(0), symbol);
	slot = qts_board_find(symbol);
	if (slot < 0 || reads <= 0)
		PG_RETURN_NULL();
	INSTR_TIME_SET_CURRENT(start);
	for (int64 i = 0; i < reads; i++)
	{
		if ((i & 0xffffff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (qts_board_last(slot, &quote, &source))
			sum += quote.last;
	}
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, start);
	PG_RETURN_FLOAT8(INSTR_TIME_GET_DOUBLE(end) * 1e9 / (double) reads);
}
