/*-------------------------------------------------------------------------
 *
 * indicators.c
 *		ATR14 and closes of every symbol from its daily bars.
 *
 * Replays the bars of a year for each symbol: nothing is carried from run to
 * run, so a corrected bar corrects the value.  One ordered pass through a
 * cursor; memory is one batch.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "core/atr.h"
#include "db/stmt.h"
#include "errcodes.h"

extern PGDLLEXPORT Datum qts_sql_refresh_indicators(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum qts_sql_base_price_jumped(PG_FUNCTION_ARGS);

#define INDICATOR_FETCH 5000
#define INDICATOR_VALUES 6

/* A year is enough: what is older weighs less than a millionth. */
static const char *const bars_sql =
	"SELECT b.symbol, b.date, b.open, b.high, b.low, b.close, a.prev_close, (a.ratio * 1000000)::int8,"
	" a.symbol IS NOT NULL FROM market.ohlcv_1d AS b LEFT JOIN market.corporate_actions AS a ON a.symbol = b.symbol"
	" AND a.date = b.date WHERE b.date <= $1 AND b.date > $1 - 400 ORDER BY b.symbol, b.date";

static QtsStmt store_indicators = {
	"INSERT INTO market.indicators AS o (symbol, date, close, prev_close, atr14, atr_bars, updated_ts)"
	" SELECT n.*, qts._now() FROM unnest($1::text[], $2::date[], $3::int8[], $4::int8[], $5::numeric[], $6::int4[])"
	" AS n (symbol, date, close, prev_close, atr14, atr_bars)"
	" ON CONFLICT ON CONSTRAINT indicators_pkey DO UPDATE SET close = excluded.close, prev_close = excluded.prev_close,"
	" atr14 = excluded.atr14, atr_bars = excluded.atr_bars, updated_ts = excluded.updated_ts"
	" WHERE (o.close, o.prev_close, o.atr14, o.atr_bars)"
	" IS DISTINCT FROM (excluded.close, excluded.prev_close, excluded.atr14, excluded.atr_bars)",
	6,
	{TEXTARRAYOID, DATEARRAYOID, INT8ARRAYOID, INT8ARRAYOID, NUMERICARRAYOID, INT4ARRAYOID}};

/* In the order of the positions' own locks; the exit worker locks them first, too. */
static QtsStmt give_positions = {
	"WITH p AS (SELECT position_id, symbol, avg_price FROM trade.positions WHERE status IN ('OPEN', 'CLOSING')"
	" ORDER BY position_id FOR NO KEY UPDATE)"
	" UPDATE trade.position_state AS s SET atr_pct = qts._atr_pct(p.symbol, p.avg_price) FROM p"
	" WHERE p.position_id = s.position_id AND s.atr_pct IS DISTINCT FROM qts._atr_pct(p.symbol, p.avg_price)"};

static QtsStmt give_previous = {
	"UPDATE market.prices_best AS b SET prev_close = qts.previous_close(b.symbol,"
	" (timezone('Asia/Seoul', b.best_ts))::date) WHERE b.prev_close IS NULL"
	" AND qts.previous_close(b.symbol, (timezone('Asia/Seoul', b.best_ts))::date) IS NOT NULL"};

typedef struct Series
{
	char symbol[QTS_SYMBOL_LEN + 1];
	QtsDate date;
	QtsKrw close;
	QtsKrw prev_close;
	QtsAtr atr;
} Series;

typedef struct Batch
{
	MemoryContext cxt;
	Datum values[INDICATOR_VALUES][INDICATOR_FETCH];
	bool nulls[INDICATOR_VALUES][INDICATOR_FETCH];
	int rows;
	int total;
} Batch;

static void
batch_store(Batch *batch)
{
	static const Oid types[INDICATOR_VALUES] = {TEXTOID, DATEOID, INT8OID, INT8OID, NUMERICOID, INT4OID};
	MemoryContext old = MemoryContextSwitchTo(batch->cxt);
	Datum args[INDICATOR_VALUES];
	int dims[1] = {batch->rows};
	int lower[1] = {1};

	for (int i = 0; i < INDICATOR_VALUES; i++)
	{
		int16 len;
		bool byval;
		char align;

		get_typlenbyvalalign(types[i], &len, &byval, &align);
		args[i] = PointerGetDatum(construct_md_array(batch->values[i], batch->nulls[i], 1, dims, lower,
													 types[i], len, byval, align));
	}
	MemoryContextSwitchTo(old);
	if (batch->rows > 0)
		qts_stmt_run(&store_indicators, args, NULL);
	batch->total += batch->rows;
	batch->rows = 0;
	MemoryContextReset(batch->cxt);
}

static void
series_end(Batch *batch, const Series *series)
{
	MemoryContext old;
	QtsPrice atr = qts_atr_value(&series->atr);
	int n = batch->rows;

	if (series->symbol[0] == '\0')
		return;
	old = MemoryContextSwitchTo(batch->cxt);
	batch->values[0][n] = qts_text(series->symbol);
	batch->values[1][n] = DateADTGetDatum(series->date);
	batch->values[2][n] = Int64GetDatum(series->close);
	batch->values[3][n] = Int64GetDatum(series->prev_close);
	batch->values[4][n] = qts_price_numeric(atr);
	batch->values[5][n] = Int32GetDatum(series->atr.ranges);
	for (int i = 0; i < INDICATOR_VALUES; i++)
		batch->nulls[i][n] = false;
	batch->nulls[3][n] = series->prev_close == 0;
	batch->nulls[4][n] = atr == 0; /* not known, or a price that never moved */
	batch->rows++;
	MemoryContextSwitchTo(old);
}

/* Bars before an action are in old prices unless they were loaded again since. */
static void
series_action(Series *series, uint64 row)
{
	QtsPpm ratio = qts_col_int64(row, 8, 0);

	if (ratio == 0 || series->close == qts_col_int64(row, 7, 0))
		qts_atr_scale(&series->atr, ratio);
}

static void
series_bar(Batch *batch, Series *series, uint64 row)
{
	char symbol[QTS_SYMBOL_LEN + 1];
	QtsBar bar = {.open = qts_col_int64(row, 3, 0),
				  .high = qts_col_int64(row, 4, 0),
				  .low = qts_col_int64(row, 5, 0),
				  .close = qts_col_int64(row, 6, 0)};

	qts_col_copy(row, 1, symbol, sizeof(symbol));
	if (strcmp(symbol, series->symbol) != 0)
	{
		series_end(batch, series);
		memset(series, 0, sizeof(*series));
		strlcpy(series->symbol, symbol, sizeof(series->symbol));
	}
	if (qts_col_bool(row, 9))
		series_action(series, row);
	(void) qts_atr_add(&series->atr, &bar);
	series->prev_close = series->close;
	series->close = bar.close;
	series->date = DatumGetDateADT(qts_col(row, 2, &(bool){false}));
}

static void
refresh_symbols(Batch *batch, DateADT day)
{
	Oid types[1] = {DATEOID};
	Datum args[1] = {DateADTGetDatum(day)};
	Portal portal = SPI_cursor_open_with_args(NULL, bars_sql, 1, types, args, NULL, true, 0);
	Series series = {0};

	for (;;)
	{
		SPITupleTable *table;

		CHECK_FOR_INTERRUPTS();
		SPI_cursor_fetch(portal, true, INDICATOR_FETCH);
		if (SPI_processed == 0)
			break;
		table = SPI_tuptable;
		for (uint64 i = 0; i < SPI_processed; i++)
			series_bar(batch, &series, i);
		/* at most one symbol per bar, so the batch has room for the next fetch */
		SPI_freetuptable(table);
		SPI_tuptable = NULL;
		batch_store(batch);
	}
	SPI_cursor_close(portal);
	series_end(batch, &series);
	batch_store(batch);
}

PG_FUNCTION_INFO_V1(qts_sql_refresh_indicators);
Datum
qts_sql_refresh_indicators(PG_FUNCTION_ARGS)
{
	Batch *batch = palloc0(sizeof(Batch));

	batch->cxt = AllocSetContextCreate(CurrentMemoryContext, "qts indicators", ALLOCSET_DEFAULT_SIZES);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	refresh_symbols(batch, PG_GETARG_DATEADT(0));
	qts_stmt_run(&give_positions, NULL, NULL);
	qts_stmt_run(&give_previous, NULL, NULL);
	SPI_finish();
	PG_RETURN_INT32(batch->total);
}

PG_FUNCTION_INFO_V1(qts_sql_base_price_jumped);
Datum
qts_sql_base_price_jumped(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(qts_base_price_jumped(PG_GETARG_INT64(0), PG_GETARG_INT64(1)));
}
