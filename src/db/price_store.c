/*-------------------------------------------------------------------------
 *
 * price_store.c
 *		Ticks, best prices and freshness.
 *
 * Prints are copied in, and what is newest of each symbol and source is one
 * statement over arrays, whatever the size of the batch.  An unchanged price
 * still advances freshness: a quiet stock is not a stale one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "utils/array.h"
#include "utils/date.h"

#include "core/tick.h"
#include "db/exec.h"
#include "db/price_store.h"
#include "db/stmt.h"
#include "db/tick_copy.h"
#include "shm/clock.h"

/* The master may learn a symbol's limits while the day goes on. */
#define WARM_AGAIN_US (60 * QTS_SEC)

/* Every symbol with a price is on the board. */
static QtsStmt known_symbols = {"SELECT symbol FROM market.prices_best"};

/* Symbols to fill: what is stored of each source, and the day's limits. */
static QtsStmt warm_symbols = {
	"SELECT s.symbol, f.source, f.last_price, f.bid_price, f.ask_price, f.acml_volume, f.exch_ts, f.last_ts,"
	" b.best_source,"
	" s.limits_date IS NOT DISTINCT FROM $2, s.base_price, s.lower_limit, s.upper_limit,"
	" s.instrument = 'ETP', s.listing_date IS NOT DISTINCT FROM $2"
	" FROM unnest($1) AS u (symbol) JOIN market.stocks s USING (symbol)"
	" LEFT JOIN market.freshness f USING (symbol) LEFT JOIN market.prices_best b USING (symbol) ORDER BY s.symbol",
	2,
	{TEXTARRAYOID, DATEOID}};

/* A symbol that is no longer in the master costs its row, not the batch. */
static QtsStmt store_quotes = {
	"WITH t AS (SELECT u.* FROM unnest($1::text[], $2::text[], $3::int8[], $4::int8[], $5::int8[], $6::int8[],"
	" $7::timestamptz[], $8::timestamptz[], $9::int8[], $10::int8[], $11::bool[], $12::bool[], $13::bool[])"
	" AS u (symbol, source, last_price, bid, ask, acml_volume, exch_ts, recv_ts, base, acml_value, heard, best, stale)"
	" WHERE EXISTS (SELECT FROM market.stocks s WHERE s.symbol = u.symbol)),"
	" best AS (INSERT INTO market.prices_best AS b (symbol, best_price, best_source, best_ts, exch_ts, bid_price,"
	" ask_price, change_price, prev_close, acml_volume, acml_value, is_stale, stale_reason, updated_ts)"
	" SELECT symbol, last_price, source, recv_ts, exch_ts, bid, ask, last_price - base, base, acml_volume, acml_value,"
	" stale, CASE WHEN stale THEN 'ALL_SOURCES_STALE' END, recv_ts FROM t WHERE best"
	" ON CONFLICT (symbol) DO UPDATE SET best_price = EXCLUDED.best_price, best_source = EXCLUDED.best_source,"
	" best_ts = EXCLUDED.best_ts, exch_ts = EXCLUDED.exch_ts, bid_price = EXCLUDED.bid_price,"
	" ask_price = EXCLUDED.ask_price, change_price = EXCLUDED.change_price, prev_close = EXCLUDED.prev_close,"
	" acml_volume = EXCLUDED.acml_volume, acml_value = EXCLUDED.acml_value, is_stale = EXCLUDED.is_stale,"
	" stale_reason = EXCLUDED.stale_reason, updated_ts = EXCLUDED.updated_ts)"
	" INSERT INTO market.freshness (symbol, source, last_ts, last_price, bid_price, ask_price, acml_volume, exch_ts)"
	" SELECT symbol, source, recv_ts, last_price, bid, ask, acml_volume, exch_ts FROM t WHERE heard"
	" ON CONFLICT (symbol, source) DO UPDATE SET last_ts = EXCLUDED.last_ts, last_price = EXCLUDED.last_price,"
	" bid_price = EXCLUDED.bid_price, ask_price = EXCLUDED.ask_price, acml_volume = EXCLUDED.acml_volume,"
	" exch_ts = EXCLUDED.exch_ts",
	13,
	{TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, TIMESTAMPTZARRAYOID,
	 TIMESTAMPTZARRAYOID, INT8ARRAYOID, INT8ARRAYOID, BOOLARRAYOID, BOOLARRAYOID, BOOLARRAYOID}};

/* Only flips are written: a quiet night costs nothing. */
static QtsStmt mark_stale = {
	"WITH limits (source, rank, life) AS (VALUES ('KIS_WS', 1, make_interval(secs => $2)),"
	" ('KIS_REST', 2, make_interval(secs => $3)), ('NAVER', 3, make_interval(secs => $4))),"
	" dead AS (SELECT b.symbol FROM market.prices_best b JOIN limits l ON l.source = b.best_source"
	" WHERE NOT b.is_stale AND b.best_ts < $1 - l.life),"
	" fresh AS (SELECT DISTINCT ON (d.symbol) d.symbol, l.rank, f.last_ts FROM dead d"
	" JOIN market.freshness f ON f.symbol = d.symbol JOIN limits l USING (source) WHERE f.last_ts >= $1 - l.life"
	" ORDER BY d.symbol, l.rank),"
	/* as in core/price.c: never back in time */
	" next AS (SELECT DISTINCT ON (d.symbol) d.symbol, f.* FROM dead d LEFT JOIN (SELECT f.symbol AS of, f.source,"
	" f.last_price, f.bid_price, f.ask_price, f.acml_volume, f.last_ts, f.exch_ts, l.rank FROM market.freshness f"
	" JOIN limits l USING (source) JOIN fresh g ON g.symbol = f.symbol AND (l.rank = g.rank"
	" OR l.rank < g.rank AND f.last_ts > g.last_ts AND f.last_ts <= $1)) f ON f.of = d.symbol ORDER BY d.symbol, f.rank)"
	" UPDATE market.prices_best b SET is_stale = n.of IS NULL,"
	" stale_reason = CASE WHEN n.of IS NULL THEN 'ALL_SOURCES_STALE' END, updated_ts = $1,"
	" best_source = coalesce(n.source, b.best_source), best_price = coalesce(n.last_price, b.best_price),"
	" best_ts = coalesce(n.last_ts, b.best_ts), exch_ts = CASE WHEN n.of IS NULL THEN b.exch_ts ELSE n.exch_ts END,"
	" bid_price = CASE WHEN n.of IS NULL THEN b.bid_price ELSE n.bid_price END,"
	" ask_price = CASE WHEN n.of IS NULL THEN b.ask_price ELSE n.ask_price END,"
	" change_price = coalesce(n.last_price, b.best_price) - b.prev_close,"
	" acml_volume = coalesce(n.acml_volume, b.acml_volume)"
	" FROM next n WHERE n.symbol = b.symbol"
	" AND (n.of IS NULL OR (n.source, n.last_ts) IS DISTINCT FROM (b.best_source, b.best_ts))",
	4,
	{TIMESTAMPTZOID, FLOAT8OID, FLOAT8OID, FLOAT8OID}};

static QtsStmt ensure_partitions = {"SELECT system._ensure_partitions($1, 2)", 1, {DATEOID}};

static Datum
array_of(Datum *values, bool *nulls, int n, Oid type)
{
	int dims[1] = {n};
	int lbs[1] = {1};

	if (n == 0)
		return PointerGetDatum(construct_empty_array(type));
	if (type == TEXTOID)
		return PointerGetDatum(
			construct_md_array(values, nulls, 1, dims, lbs, TEXTOID, -1, false, TYPALIGN_INT));
	if (type == BOOLOID)
		return PointerGetDatum(
			construct_md_array(values, nulls, 1, dims, lbs, BOOLOID, 1, true, TYPALIGN_CHAR));
	return PointerGetDatum(construct_md_array(values, nulls, 1, dims, lbs, type, 8, true, TYPALIGN_DOUBLE));
}

/* The day's limits, when the master has them. */
static void
warm_limits(QtsBoardEntry *entry, int row, QtsDate date)
{
	if (qts_col_bool(row, 15))
		entry->limits.rule = QTS_LIMIT_FIRST_DAY;
	else
		entry->limits.rule = qts_col_bool(row, 14) ? QTS_LIMIT_ETP : QTS_LIMIT_STOCK;
	if (qts_col_bool(row, 10) && qts_col_int64(row, 13, 0) > 0)
		qts_limits_set(&entry->limits, QTS_PRICE(qts_col_int64(row, 11, 0)),
					   QTS_PRICE(qts_col_int64(row, 12, 0)), QTS_PRICE(qts_col_int64(row, 13, 0)), date);
}

static void
warm_quote(QtsBoardEntry *entry, int row)
{
	QtsSource source;
	QtsQuote *quote;

	if (!qts_source_parse(qts_col_text(row, 2), &source))
		return;
	quote = &entry->of[source];
	quote->last = QTS_PRICE(qts_col_int64(row, 3, 0));
	quote->bid = QTS_PRICE(qts_col_int64(row, 4, 0));
	quote->ask = QTS_PRICE(qts_col_int64(row, 5, 0));
	quote->volume = qts_col_int64(row, 6, 0);
	quote->exch_at = qts_col_int64(row, 7, QTS_TIME_NONE);
	quote->recv_at = qts_col_int64(row, 8, QTS_TIME_NONE);
	if (!qts_source_parse(qts_col_text(row, 9), &entry->source))
		entry->source = source;
}

/*
 * Rows of one symbol follow each other; what the board has is never set back, and
 * not published again when nothing is new: whoever watches would count one price twice.
 */
static void
warm_entries(int n, QtsDate date)
{
	QtsBoardEntry entry = {0};
	QtsBoardEntry before = {0};
	int slot = -1;
	bool fresh = false;

	for (int i = 0; i < n; i++)
	{
		int next = qts_board_find(qts_col_text(i, 1));

		if (next != slot)
		{
			slot = next;
			fresh = !qts_board_read(slot, &entry);
			if (fresh)
				memset(&entry, 0, sizeof(entry));
			memcpy(&before, &entry, sizeof(entry));
			if (fresh)
				entry.source = QTS_SOURCE_COUNT;
			warm_limits(&entry, i, date);
		}
		if (fresh)
			warm_quote(&entry, i);
		if ((i + 1 == n || qts_board_find(qts_col_text(i + 1, 1)) != slot) &&
			(fresh || memcmp(&before, &entry, sizeof(entry)) != 0))
			qts_board_publish(slot, &entry);
	}
}

void
qts_price_warm_board(TimestampTz now)
{
	static bool claimed = false;
	static int seen_used = -1;
	static TimestampTz seen_at = 0;
	QtsDate date = qts_seoul_date(now);
	const QtsCalendarDay *day = qts_calendar_today(now);
	Datum args[2];
	Datum *symbols;
	QtsBoardEntry entry;
	int used;
	int n = 0;

	if (day != NULL)
		qts_board_set_day(day);
	if (!claimed)
	{
		int known = (int) qts_stmt_run(&known_symbols, NULL, NULL);

		for (int i = 0; i < known; i++)
			(void) qts_board_claim(qts_col_text(i, 1));
		claimed = true;
	}
	used = qts_board_used();
	if (used == seen_used && date == qts_seoul_date(seen_at) && now >= seen_at &&
		now - seen_at < WARM_AGAIN_US)
		return;
	symbols = palloc(sizeof(Datum) * (used + 1));
	for (int i = 0; i < used; i++)
		if (!qts_board_read(i, &entry) || entry.limits.date != date || !entry.limits.master)
			symbols[n++] = qts_text(qts_board_symbol(i));
	args[0] = array_of(symbols, NULL, n, TEXTOID);
	args[1] = DateADTGetDatum(date);
	if (n > 0)
		warm_entries((int) qts_stmt_run(&warm_symbols, args, NULL), date);
	seen_used = used;
	seen_at = now;
}

#define QUOTE_COLUMNS 13

static void
store_rows(const QtsPriceRow *rows, int n)
{
	static const Oid types[QUOTE_COLUMNS] = {TEXTOID, TEXTOID,		  INT8OID,		  INT8OID, INT8OID,
											 INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID, INT8OID,
											 BOOLOID, BOOLOID,		  BOOLOID};
	Datum *values[QUOTE_COLUMNS];
	bool *nulls[QUOTE_COLUMNS];
	Datum args[QUOTE_COLUMNS];

	for (int c = 0; c < QUOTE_COLUMNS; c++)
	{
		values[c] = palloc(sizeof(Datum) * n);
		nulls[c] = palloc0(sizeof(bool) * n);
	}
	for (int i = 0; i < n; i++)
	{
		const QtsPriceRow *row = &rows[i];
		const QtsQuote *quote = row->quote;
		const int64 numbers[8] = {quote->last / QTS_PRICE_SCALE,
								  quote->bid / QTS_PRICE_SCALE,
								  quote->ask / QTS_PRICE_SCALE,
								  quote->volume,
								  quote->exch_at,
								  quote->recv_at,
								  row->base / QTS_PRICE_SCALE,
								  row->acml_value};

		values[0][i] = qts_text(row->symbol);
		values[1][i] = qts_text(qts_source_name(row->source));
		for (int c = 0; c < 8; c++)
			values[c + 2][i] = Int64GetDatum(numbers[c]);
		nulls[3][i] = quote->bid == 0;
		nulls[4][i] = quote->ask == 0;
		nulls[6][i] = quote->exch_at == QTS_TIME_NONE;
		nulls[8][i] = row->base == 0;
		nulls[9][i] = row->acml_value == 0;
		values[10][i] = BoolGetDatum(row->heard);
		values[11][i] = BoolGetDatum(row->best);
		values[12][i] = BoolGetDatum(row->stale);
	}
	for (int c = 0; c < QUOTE_COLUMNS; c++)
		args[c] = array_of(values[c], nulls[c], n, types[c]);
	qts_stmt_run(&store_quotes, args, NULL);
}

void
qts_price_store(const QtsTick *ticks, int n, int64 first_seq, const QtsPriceRow *rows, int nrows)
{
	qts_ticks_copy(ticks, n, first_seq);
	if (nrows > 0)
		store_rows(rows, nrows);
}

int
qts_price_mark_stale(TimestampTz now, bool trading)
{
	Datum args[4] = {TimestampTzGetDatum(now),
					 Float8GetDatum(qts_stale_after_ms(QTS_SOURCE_KIS_WS, trading) / 1000.0),
					 Float8GetDatum(qts_stale_after_ms(QTS_SOURCE_KIS_REST, trading) / 1000.0),
					 Float8GetDatum(qts_stale_after_ms(QTS_SOURCE_NAVER, trading) / 1000.0)};

	return (int) qts_stmt_run(&mark_stale, args, NULL);
}

void
qts_price_ensure_partitions(QtsDate date)
{
	Datum args[1] = {DateADTGetDatum(date)};

	qts_stmt_run(&ensure_partitions, args, NULL);
}
