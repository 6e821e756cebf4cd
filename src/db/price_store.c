/*-------------------------------------------------------------------------
 *
 * price_store.c
 *		Ticks, best prices and freshness.
 *
 * A batch is one statement over arrays, whatever its size.  An unchanged
 * price still advances freshness: a quiet stock is not a stale one.
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
#include "shm/clock.h"

static QtsStmt wanted_symbols = {
	"SELECT symbol, account_id FROM (SELECT symbol, account_id, qty * avg_price AS value FROM trade.positions"
	" WHERE status IN ('OPEN', 'CLOSING') AND qty > 0 UNION ALL SELECT symbol, account_id, 0 FROM trade.orders"
	" WHERE status IN ('PENDING_SUBMIT', 'UNKNOWN', 'SUBMITTED', 'PARTIAL')) s"
	" GROUP BY symbol, account_id ORDER BY max(value) DESC, symbol"};

static QtsStmt warm_prices = {
	"SELECT s.symbol, b.best_price, b.bid_price, b.ask_price, b.acml_volume, b.best_ts, b.exch_ts, b.best_source,"
	" b.prev_close, CASE WHEN s.limits_date = $1 THEN s.lower_limit END, CASE WHEN s.limits_date = $1 THEN s.upper_limit END"
	" FROM market.prices_best b JOIN market.stocks s USING (symbol)",
	1,
	{DATEOID}};

static QtsStmt store_batch = {
	"WITH t AS (SELECT * FROM unnest($1::timestamptz[], $2::int8[], $3::text[], $4::int8[], $5::int8[], $6::int8[],"
	" $7::int8[], $8::int8[], $9::timestamptz[], $10::int8[], $11::int8[])"
	" u (recv_ts, seq, symbol, last_price, bid, ask, volume, acml_volume, exch_ts, change, acml_value)),"
	" ticks AS (INSERT INTO market.prices_ticks (recv_ts, seq, symbol, source, last_price, bid_price, ask_price, volume,"
	" acml_volume, exch_ts) SELECT recv_ts, seq, symbol, 'KIS_WS', last_price, nullif(bid, 0), nullif(ask, 0), volume,"
	" acml_volume, exch_ts FROM t),"
	" newest AS (SELECT DISTINCT ON (symbol) * FROM t ORDER BY symbol, seq DESC),"
	" best AS (INSERT INTO market.prices_best AS b (symbol, best_price, best_source, best_ts, exch_ts, bid_price,"
	" ask_price, change_price, prev_close, acml_volume, acml_value, is_stale, updated_ts)"
	" SELECT symbol, last_price, 'KIS_WS', recv_ts, exch_ts, nullif(bid, 0), nullif(ask, 0), change,"
	" nullif(last_price - change, 0), acml_volume, acml_value, false, recv_ts FROM newest"
	" ON CONFLICT (symbol) DO UPDATE SET best_price = EXCLUDED.best_price, best_source = EXCLUDED.best_source,"
	" best_ts = EXCLUDED.best_ts, exch_ts = EXCLUDED.exch_ts, bid_price = EXCLUDED.bid_price,"
	" ask_price = EXCLUDED.ask_price, change_price = EXCLUDED.change_price, prev_close = EXCLUDED.prev_close,"
	" acml_volume = EXCLUDED.acml_volume, acml_value = EXCLUDED.acml_value, is_stale = false, stale_reason = NULL,"
	" updated_ts = EXCLUDED.updated_ts)"
	" INSERT INTO market.freshness (symbol, source, last_ts, last_price) SELECT symbol, 'KIS_WS', recv_ts, last_price"
	" FROM newest ON CONFLICT (symbol, source) DO UPDATE SET last_ts = EXCLUDED.last_ts, last_price = EXCLUDED.last_price",
	11,
	{TIMESTAMPTZARRAYOID, INT8ARRAYOID, TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID,
	 INT8ARRAYOID, TIMESTAMPTZARRAYOID, INT8ARRAYOID, INT8ARRAYOID}};

/* Only flips are written: a quiet night costs nothing. */
static QtsStmt mark_stale = {
	"UPDATE market.prices_best SET is_stale = true, stale_reason = 'ALL_SOURCES_STALE', updated_ts = $1"
	" WHERE NOT is_stale AND best_ts < $1 - make_interval(secs => CASE best_source WHEN 'KIS_WS' THEN $2"
	" WHEN 'KIS_REST' THEN $3 ELSE $4 END)",
	4,
	{TIMESTAMPTZOID, FLOAT8OID, FLOAT8OID, FLOAT8OID}};

static QtsStmt ensure_partitions = {"SELECT system._ensure_partitions($1, 2)", 1, {DATEOID}};

QtsWanted *
qts_price_wanted(int *count)
{
	int n = (int) qts_stmt_run(&wanted_symbols, NULL, NULL);
	QtsWanted *wanted = palloc0(sizeof(QtsWanted) * (n + 1));

	for (int i = 0; i < n; i++)
	{
		qts_col_copy(i, 1, wanted[i].symbol, sizeof(wanted[i].symbol));
		qts_col_copy(i, 2, wanted[i].account, sizeof(wanted[i].account));
	}
	*count = n;
	return wanted;
}

void
qts_price_warm_board(TimestampTz now)
{
	QtsDate date = qts_seoul_date(now);
	const QtsCalendarDay *day = qts_calendar_today(now);
	Datum args[1] = {DateADTGetDatum(date)};
	int n;

	if (day != NULL)
		qts_board_set_day(day);
	n = (int) qts_stmt_run(&warm_prices, args, NULL);
	for (int i = 0; i < n; i++)
	{
		char *symbol = qts_col_text(i, 1);
		int slot = qts_board_claim(symbol);
		QtsBoardEntry entry = {0};

		if (slot < 0 || qts_board_version(slot) != 0)
			continue;
		entry.quote.last = qts_col_int64(i, 2, 0) * QTS_PRICE_SCALE;
		entry.quote.bid = qts_col_int64(i, 3, 0) * QTS_PRICE_SCALE;
		entry.quote.ask = qts_col_int64(i, 4, 0) * QTS_PRICE_SCALE;
		entry.quote.volume = qts_col_int64(i, 5, 0);
		entry.quote.recv_at = qts_col_int64(i, 6, QTS_TIME_NONE);
		entry.quote.exch_at = qts_col_int64(i, 7, QTS_TIME_NONE);
		(void) qts_source_parse(qts_col_text(i, 8), &entry.source);
		entry.prev_close = qts_col_int64(i, 9, 0) * QTS_PRICE_SCALE;
		entry.lower = qts_col_int64(i, 10, 0) * QTS_PRICE_SCALE;
		entry.upper = qts_col_int64(i, 11, 0) * QTS_PRICE_SCALE;
		qts_board_publish(slot, &entry);
	}
}

static Datum
array_of(Datum *values, bool *nulls, int n, Oid type)
{
	int dims[1] = {n};
	int lbs[1] = {1};

	if (type == TEXTOID)
		return PointerGetDatum(
			construct_md_array(values, NULL, 1, dims, lbs, TEXTOID, -1, false, TYPALIGN_INT));
	return PointerGetDatum(construct_md_array(values, nulls, 1, dims, lbs, type, 8, true, TYPALIGN_DOUBLE));
}

void
qts_price_store(const QtsTick *ticks, int n, int64 first_seq)
{
	Datum *column[11];
	bool *no_exch = palloc0(sizeof(bool) * n);
	Datum args[11];
	static const Oid types[11] = {TIMESTAMPTZOID, INT8OID, TEXTOID,		   INT8OID, INT8OID, INT8OID,
								  INT8OID,		  INT8OID, TIMESTAMPTZOID, INT8OID, INT8OID};

	for (int c = 0; c < 11; c++)
		column[c] = palloc(sizeof(Datum) * n);
	for (int i = 0; i < n; i++)
	{
		const QtsTick *tick = &ticks[i];

		column[0][i] = TimestampTzGetDatum(tick->recv_at);
		column[1][i] = Int64GetDatum(first_seq + i);
		column[2][i] = qts_text(tick->symbol);
		column[3][i] = Int64GetDatum(tick->price);
		column[4][i] = Int64GetDatum(tick->bid);
		column[5][i] = Int64GetDatum(tick->ask);
		column[6][i] = Int64GetDatum(tick->volume);
		column[7][i] = Int64GetDatum(tick->acml_volume);
		column[8][i] = TimestampTzGetDatum(tick->exch_at);
		no_exch[i] = tick->exch_at == QTS_TIME_NONE;
		column[9][i] = Int64GetDatum(tick->change);
		column[10][i] = Int64GetDatum(tick->acml_value);
	}
	for (int c = 0; c < 11; c++)
		args[c] = array_of(column[c], c == 8 ? no_exch : NULL, n, types[c]);
	qts_stmt_run(&store_batch, args, NULL);
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
