/*-------------------------------------------------------------------------
 *
 * history.c
 *		Stored prices for backtests, cached for one query.
 *
 * Prices come in slices of time, each one range scan of a primary key, whose
 * rows go straight from the executor into arrays: collecting them as tuples
 * first costs more than all the rest.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/memutils.h"

#include "core/atr.h"
#include "db/history.h"
#include "db/stmt.h"

/* Slices: a day's minutes come from one index range, a busy symbol's ticks from few pages. */
static const int64 slice_width[] = {
	[QTS_HISTORY_TICKS] = QTS_HOUR,
	[QTS_HISTORY_1M] = 16 * QTS_DAY,
};

#define HISTORY_LEAST (INT64CONST(16) * 1024 * 1024)

static QtsStmt read_calendar = {
	"SELECT date, is_open, auction_at, open_at, closing_auction_at, close_at, end_at FROM market.calendar ORDER BY date"};

static QtsStmt read_instrument = {
	"SELECT s.instrument = 'ETP' FROM market.stocks s WHERE s.symbol = $1", 1, {TEXTOID}};

/* A symbol the master does not know (any more) pays what KOSPI pays: the sums are equal. */
static QtsStmt read_rates = {
	"SELECT r.from_date, r.commission::int8, r.securities_tax::int8, r.rural_tax::int8 FROM market.fee_rates r"
	" WHERE (r.market, r.instrument) = (coalesce((SELECT s.market FROM market.stocks s WHERE s.symbol = $1), 'KOSPI'),"
	" coalesce((SELECT s.instrument FROM market.stocks s WHERE s.symbol = $1), 'STOCK')) ORDER BY r.from_date",
	1,
	{TEXTOID}};

static QtsStmt read_actions = {
	"SELECT a.date, a.prev_close, a.base_price, coalesce((a.ratio * 1000000)::int8, 0) FROM market.corporate_actions a"
	" WHERE a.symbol = $1 ORDER BY a.date",
	1,
	{TEXTOID}};

static QtsStmt read_days = {
	"SELECT b.date, b.open, b.high, b.low, b.close, b.volume, a.prev_close, coalesce((a.ratio * 1000000)::int8, 0)"
	" FROM market.ohlcv_1d b LEFT JOIN market.corporate_actions a ON a.symbol = b.symbol AND a.date = b.date"
	" WHERE b.symbol = $1 ORDER BY b.date",
	1,
	{TEXTOID}};

static QtsStmt read_minutes = {"SELECT b.ts, b.open, b.high, b.low, b.close, b.volume FROM market.ohlcv_1m b"
							   " WHERE b.symbol = $1 AND b.ts >= $2 AND b.ts < $3 ORDER BY b.ts",
							   3,
							   {TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID}};

static QtsStmt read_ticks = {
	"SELECT t.recv_ts, t.last_price, t.bid_price, t.ask_price, t.volume,"
	" CASE t.source WHEN 'KIS_WS' THEN 0::int8 WHEN 'KIS_REST' THEN 1 ELSE 2 END FROM qts.ticks($1, $2, $3) t",
	3,
	{TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID}};

static QtsStmt last_minute = {"SELECT max(b.ts) FROM market.ohlcv_1m b WHERE b.symbol = $1", 1, {TEXTOID}};
static QtsStmt last_tick = {
	"SELECT greatest((SELECT max(t.recv_ts) FROM market.prices_ticks t WHERE t.symbol = $1),"
	" (SELECT max(p.from_ts) + interval '30 minutes' FROM market.ticks_packed p WHERE p.symbol = $1))",
	1,
	{TEXTOID}};

typedef struct RowReceiver
{
	DestReceiver pub;
	QtsRowTaker take;
	void *arg;
	int64 rows;
} RowReceiver;

static bool
row_receive(TupleTableSlot *slot, DestReceiver *self)
{
	RowReceiver *receiver = (RowReceiver *) self;

	slot_getallattrs(slot);
	receiver->take(receiver->arg, slot->tts_values, slot->tts_isnull);
	receiver->rows++;
	return true;
}

static void
row_startup(DestReceiver *self, int operation, TupleDesc typeinfo)
{
}

static void
row_shutdown(DestReceiver *self)
{
}

int64
qts_history_query(QtsStmt *stmt, const Datum *args, QtsRowTaker take, void *arg)
{
	RowReceiver receiver = {.pub = {.receiveSlot = row_receive,
									.rStartup = row_startup,
									.rShutdown = row_shutdown,
									.rDestroy = row_shutdown,
									.mydest = DestNone},
							.take = take,
							.arg = arg};
	SPIExecuteOptions options = {.read_only = true, .dest = &receiver.pub};
	int rc;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	if (stmt->plan == NULL)
	{
		SPIPlanPtr plan = SPI_prepare(stmt->sql, stmt->nargs, stmt->argtypes);

		if (plan == NULL)
			elog(ERROR, "could not prepare \"%s\": %s", stmt->sql, SPI_result_code_string(SPI_result));
		SPI_keepplan(plan);
		stmt->plan = plan;
	}
	if (stmt->nargs > 0)
	{
		options.params = makeParamList(stmt->nargs);
		for (int i = 0; i < stmt->nargs; i++)
		{
			options.params->params[i].value = args[i];
			options.params->params[i].isnull = false;
			options.params->params[i].ptype = stmt->argtypes[i];
			options.params->params[i].pflags = PARAM_FLAG_CONST;
		}
	}
	rc = SPI_execute_plan_extended(stmt->plan, &options);
	if (rc < 0)
		elog(ERROR, "could not execute \"%s\": %s", stmt->sql, SPI_result_code_string(rc));
	SPI_finish();
	return receiver.rows;
}

static void
history_query(QtsHistory *history, QtsStmt *stmt, const Datum *args, QtsRowTaker take, void *arg)
{
	history->rows += qts_history_query(stmt, args, take, arg);
}

static int64
row_int64(const Datum *values, const bool *nulls, int i)
{
	return nulls[i] ? 0 : DatumGetInt64(values[i]);
}

/* Room for one more in an array of a context; *room doubles. */
static void *
array_grow(MemoryContext cxt, void *array, int n, int *room, Size width)
{
	if (n < *room)
		return array;
	*room = Max(64, *room * 2);
	if (array == NULL)
		return MemoryContextAllocHuge(cxt, width * *room);
	return repalloc_huge(array, width * *room);
}

typedef struct Growing
{
	QtsHistory *history;
	QtsHistorySymbol *symbol;
	QtsHistoryChunk *chunk;
	QtsAtr atr;
	int room;
} Growing;

static void
take_calendar(void *arg, const Datum *values, const bool *nulls)
{
	Growing *to = arg;
	QtsHistory *history = to->history;

	history->calendar =
		array_grow(history->cxt, history->calendar, history->ncalendar, &to->room, sizeof(QtsCalendarDay));
	history->calendar[history->ncalendar++] = (QtsCalendarDay){
		.date = DatumGetDateADT(values[0]),
		.is_open = DatumGetBool(values[1]),
		.auction_at = DatumGetTimeADT(values[2]),
		.open_at = DatumGetTimeADT(values[3]),
		.closing_auction_at = DatumGetTimeADT(values[4]),
		.close_at = DatumGetTimeADT(values[5]),
		.end_at = DatumGetTimeADT(values[6]),
	};
}

static void
take_instrument(void *arg, const Datum *values, const bool *nulls)
{
	((QtsHistorySymbol *) arg)->instrument =
		DatumGetBool(values[0]) ? QTS_INSTRUMENT_ETP : QTS_INSTRUMENT_STOCK;
}

static void
take_rate(void *arg, const Datum *values, const bool *nulls)
{
	Growing *to = arg;
	QtsHistorySymbol *symbol = to->symbol;

	symbol->rate = array_grow(symbol->cxt, symbol->rate, symbol->nrates, &to->room, sizeof(QtsHistoryRate));
	symbol->rate[symbol->nrates++] = (QtsHistoryRate){.from = DatumGetDateADT(values[0]),
													  .rates = {.commission = row_int64(values, nulls, 1),
																.securities_tax = row_int64(values, nulls, 2),
																.rural_tax = row_int64(values, nulls, 3)}};
}

static void
take_action(void *arg, const Datum *values, const bool *nulls)
{
	Growing *to = arg;
	QtsHistorySymbol *symbol = to->symbol;

	symbol->action =
		array_grow(symbol->cxt, symbol->action, symbol->nactions, &to->room, sizeof(QtsHistoryAction));
	symbol->action[symbol->nactions++] = (QtsHistoryAction){.date = DatumGetDateADT(values[0]),
															.prev_close = row_int64(values, nulls, 1),
															.base = row_int64(values, nulls, 2),
															.ratio = row_int64(values, nulls, 3)};
}

/* As qts.refresh_indicators() computes it, day by day. */
static void
take_day(void *arg, const Datum *values, const bool *nulls)
{
	Growing *to = arg;
	QtsHistorySymbol *symbol = to->symbol;
	QtsHistoryDay *day;
	QtsPpm ratio = row_int64(values, nulls, 7);

	symbol->day = array_grow(symbol->cxt, symbol->day, symbol->ndays, &to->room, sizeof(QtsHistoryDay));
	day = &symbol->day[symbol->ndays++];
	day->date = DatumGetDateADT(values[0]);
	day->bar = (QtsBar){.at = qts_seoul_instant(day->date, 0),
						.open = row_int64(values, nulls, 1),
						.high = row_int64(values, nulls, 2),
						.low = row_int64(values, nulls, 3),
						.close = row_int64(values, nulls, 4),
						.volume = row_int64(values, nulls, 5),
						.value = -1};
	/* bars before an action are in old prices unless they were loaded again since */
	if (!nulls[6] && (ratio == 0 || to->atr.close == QTS_PRICE(row_int64(values, nulls, 6))))
		qts_atr_scale(&to->atr, ratio);
	(void) qts_atr_add(&to->atr, &day->bar);
	day->atr = qts_atr_value(&to->atr);
}

static void
take_minute(void *arg, const Datum *values, const bool *nulls)
{
	Growing *to = arg;
	QtsHistoryChunk *chunk = to->chunk;

	chunk->bar = array_grow(to->symbol->cxt, chunk->bar, chunk->n, &chunk->room, sizeof(QtsBar));
	chunk->bar[chunk->n++] = (QtsBar){.at = DatumGetTimestampTz(values[0]),
									  .open = row_int64(values, nulls, 1),
									  .high = row_int64(values, nulls, 2),
									  .low = row_int64(values, nulls, 3),
									  .close = row_int64(values, nulls, 4),
									  .volume = row_int64(values, nulls, 5),
									  .value = -1};
}

static void
take_tick(void *arg, const Datum *values, const bool *nulls)
{
	Growing *to = arg;
	QtsHistoryChunk *chunk = to->chunk;

	chunk->tick = array_grow(to->symbol->cxt, chunk->tick, chunk->n, &chunk->room, sizeof(QtsHistoryTick));
	chunk->tick[chunk->n++] = (QtsHistoryTick){.price = {.at = DatumGetTimestampTz(values[0]),
														 .last = QTS_PRICE(row_int64(values, nulls, 1)),
														 .bid = QTS_PRICE(row_int64(values, nulls, 2)),
														 .ask = QTS_PRICE(row_int64(values, nulls, 3)),
														 .volume = row_int64(values, nulls, 4)},
											   .source = (QtsSource) row_int64(values, nulls, 5)};
}

static void
take_last(void *arg, const Datum *values, const bool *nulls)
{
	*(TimestampTz *) arg = nulls[0] ? DT_NOBEGIN : DatumGetTimestampTz(values[0]);
}

QtsHistory *
qts_history_create(MemoryContext parent)
{
	MemoryContext cxt = AllocSetContextCreate(parent, "qts history", ALLOCSET_DEFAULT_SIZES);
	QtsHistory *history = MemoryContextAllocZero(cxt, sizeof(QtsHistory));
	Growing to = {.history = history};

	history->cxt = cxt;
	dlist_init(&history->symbols);
	history_query(history, &read_calendar, NULL, take_calendar, &to);
	return history;
}

/* Symbols used longest ago go, then slices of this one. */
static void
history_trim(QtsHistory *history, QtsHistorySymbol *keep)
{
	Size most = Max((Size) work_mem * 1024, (Size) HISTORY_LEAST);

	while (MemoryContextMemAllocated(history->cxt, true) > most)
	{
		QtsHistorySymbol *oldest = dlist_tail_element(QtsHistorySymbol, node, &history->symbols);

		if (oldest != keep)
		{
			dlist_delete(&oldest->node);
			MemoryContextDelete(oldest->cxt);
			continue;
		}
		for (int i = 0; i < keep->nchunks; i++)
		{
			if (keep->chunk[i]->bar != NULL)
				pfree(keep->chunk[i]->bar);
			if (keep->chunk[i]->tick != NULL)
				pfree(keep->chunk[i]->tick);
			pfree(keep->chunk[i]);
		}
		keep->nchunks = 0;
		break;
	}
}

QtsHistorySymbol *
qts_history_symbol(QtsHistory *history, const char *name)
{
	dlist_iter iter;
	MemoryContext cxt;
	QtsHistorySymbol *symbol;
	Datum args[1];

	dlist_foreach(iter, &history->symbols)
	{
		symbol = dlist_container(QtsHistorySymbol, node, iter.cur);
		if (strcmp(symbol->symbol, name) != 0)
			continue;
		dlist_move_head(&history->symbols, &symbol->node);
		return symbol;
	}
	cxt = AllocSetContextCreate(history->cxt, "qts history symbol", ALLOCSET_DEFAULT_SIZES);
	symbol = MemoryContextAllocZero(cxt, sizeof(QtsHistorySymbol));
	symbol->cxt = cxt;
	strlcpy(symbol->symbol, name, sizeof(symbol->symbol));
	dlist_push_head(&history->symbols, &symbol->node);
	args[0] = CStringGetTextDatum(name);
	history_query(history, &read_instrument, args, take_instrument, symbol);
	history_query(history, &read_rates, args, take_rate, &(Growing){.symbol = symbol});
	history_query(history, &read_actions, args, take_action, &(Growing){.symbol = symbol});
	history_query(history, &read_days, args, take_day, &(Growing){.symbol = symbol});
	return symbol;
}

int64
qts_history_slice(QtsHistorySource source, TimestampTz at)
{
	int64 width = slice_width[source];
	int64 number = at / width;

	return at % width < 0 ? number - 1 : number;
}

const QtsHistoryChunk *
qts_history_chunk(QtsHistory *history, QtsHistorySymbol *symbol, QtsHistorySource source, int64 number)
{
	QtsHistoryChunk *chunk;
	Datum args[3];

	for (int i = symbol->nchunks - 1; i >= 0; i--)
		if (symbol->chunk[i]->number == number && symbol->chunk[i]->source == source)
			return symbol->chunk[i];
	CHECK_FOR_INTERRUPTS();
	history_trim(history, symbol);
	chunk = MemoryContextAllocZero(symbol->cxt, sizeof(QtsHistoryChunk));
	chunk->source = source;
	chunk->number = number;
	args[0] = CStringGetTextDatum(symbol->symbol);
	args[1] = TimestampTzGetDatum(number * slice_width[source]);
	args[2] = TimestampTzGetDatum((number + 1) * slice_width[source]);
	history_query(history, source == QTS_HISTORY_TICKS ? &read_ticks : &read_minutes, args,
				  source == QTS_HISTORY_TICKS ? take_tick : take_minute,
				  &(Growing){.symbol = symbol, .chunk = chunk});
	if (symbol->chunk == NULL)
		symbol->chunk = MemoryContextAlloc(symbol->cxt, sizeof(QtsHistoryChunk *));
	else
		symbol->chunk = repalloc(symbol->chunk, sizeof(QtsHistoryChunk *) * (symbol->nchunks + 1));
	symbol->chunk[symbol->nchunks++] = chunk;
	return chunk;
}

TimestampTz
qts_history_last(QtsHistory *history, QtsHistorySymbol *symbol, QtsHistorySource source)
{
	Datum args[1] = {CStringGetTextDatum(symbol->symbol)};

	if (symbol->last[source] == 0)
		history_query(history, source == QTS_HISTORY_TICKS ? &last_tick : &last_minute, args, take_last,
					  &symbol->last[source]);
	return symbol->last[source];
}
