/*-------------------------------------------------------------------------
 *
 * import_bars.c
 *		Imported daily and minute bars.
 *
 * What the engine got itself (from the broker, or from its own ticks) is not
 * replaced by a file unless that is asked for.  A file's own rows are: the
 * last one wins.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "utils/date.h"
#include "utils/timestamp.h"

#include "core/bar.h"
#include "core/csv.h"
#include "core/session.h"
#include "db/exec.h"
#include "db/import.h"
#include "db/stmt.h"

enum
{
	BAR_SYMBOL,
	BAR_AT,
	BAR_OPEN,
	BAR_HIGH,
	BAR_LOW,
	BAR_CLOSE,
	BAR_VOLUME,
	BAR_VALUE,
	BAR_VALUES
};

#define BAR_FIRST_YEAR 1980
#define BAR_YEARS 120

/* The rows of the batch, each key once. */
#define NEW_BARS(type, at)                                                                                   \
	"WITH n AS (SELECT DISTINCT ON (u.symbol, u." at ") u.* FROM unnest($1::text[], $2::" type "[],"         \
	" $3::int8[], $4::int8[], $5::int8[], $6::int8[], $7::int8[], $8::int8[]) WITH ORDINALITY"               \
	" AS u (symbol, " at ", open, high, low, close, volume, value, line) ORDER BY u.symbol, u." at           \
	", u.line DESC)"

#define BAR_DIFFERS(other)                                                                                   \
	"(o.open, o.high, o.low, o.close, o.volume, coalesce(" other                                             \
	".value, o.value)) IS DISTINCT FROM (" other ".open, " other ".high, " other ".low, " other              \
	".close, " other ".volume, coalesce(" other ".value, o.value))"

static QtsStmt store_days = {
	NEW_BARS(
		"date",
		"date") ", w AS (INSERT INTO market.ohlcv_1d AS o (symbol, date, open, high, low, close,"
				" volume, value, source) SELECT n.symbol, n.date, n.open, n.high, n.low, n.close, n.volume,"
				" n.value, 'IMPORT' FROM n ON CONFLICT ON CONSTRAINT ohlcv_1d_pkey DO UPDATE SET"
				" open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,"
				" volume = excluded.volume, value = coalesce(excluded.value, o.value), source = 'IMPORT'"
				" WHERE ($9 OR o.source = 'IMPORT') AND " BAR_DIFFERS(
					"excluded") " RETURNING xmax = 0 AS fresh)"
								" SELECT count(*) FILTER (WHERE fresh), count(*) FILTER (WHERE NOT fresh) FROM w",
	9,
	{TEXTARRAYOID, DATEARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID,
	 INT8ARRAYOID, BOOLOID}};

static QtsStmt kept_days = {
	NEW_BARS(
		"date",
		"date") " SELECT count(*) FROM n JOIN market.ohlcv_1d AS o ON o.symbol = n.symbol AND o.date = n.date"
				" WHERE o.source <> 'IMPORT' AND NOT $9 AND " BAR_DIFFERS("n"),
	9,
	{TEXTARRAYOID, DATEARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID,
	 INT8ARRAYOID, BOOLOID}};

/* The keys are those of the partitions, so that a conflict can be met but not named. */
static QtsStmt store_minutes = {
	NEW_BARS("timestamptz",
			 "ts") ", u AS (UPDATE market.ohlcv_1m AS o SET open = n.open, high = n.high, low = n.low,"
				   " close = n.close, volume = n.volume, value = coalesce(n.value, o.value),"
				   " source = 'IMPORT' FROM n WHERE o.symbol = n.symbol AND o.ts = n.ts"
				   " AND ($9 OR o.source = 'IMPORT') AND " BAR_DIFFERS(
					   "n") " RETURNING 1),"
							" i AS (INSERT INTO market.ohlcv_1m (symbol, ts, open, high, low, close, volume,"
							" value, source) SELECT n.symbol, n.ts, n.open, n.high, n.low, n.close, n.volume,"
							" n.value, 'IMPORT' FROM n ON CONFLICT DO NOTHING RETURNING 1)"
							" SELECT (SELECT count(*) FROM i), (SELECT count(*) FROM u)",
	9,
	{TEXTARRAYOID, TIMESTAMPTZARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID,
	 INT8ARRAYOID, BOOLOID}};

static QtsStmt kept_minutes = {
	NEW_BARS("timestamptz",
			 "ts") " SELECT count(*) FROM n JOIN market.ohlcv_1m AS o ON o.symbol = n.symbol AND o.ts = n.ts"
				   " WHERE o.source <> 'IMPORT' AND NOT $9 AND " BAR_DIFFERS("n"),
	9,
	{TEXTARRAYOID, TIMESTAMPTZARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID,
	 INT8ARRAYOID, BOOLOID}};

static QtsStmt ensure_month = {
	"SELECT system._ensure_range('market.ohlcv_1m', $1, $1 + interval '1 minute')", 1, {TIMESTAMPTZOID}};

static const char *
bar_numbers(QtsImport *import, QtsBar *bar)
{
	struct
	{
		int64_t *to;
		int column;
		const char *bad;
	} const numbers[] = {
		{&bar->open, BAR_OPEN, "the open is not a whole number"},
		{&bar->high, BAR_HIGH, "the high is not a whole number"},
		{&bar->low, BAR_LOW, "the low is not a whole number"},
		{&bar->close, BAR_CLOSE, "the close is not a whole number"},
		{&bar->volume, BAR_VOLUME, "the volume is not a whole number"},
		{&bar->value, BAR_VALUE, "the value is not a whole number"},
	};

	memset(bar, 0, sizeof(*bar));
	bar->value = -1;
	for (size_t i = 0; i < lengthof(numbers); i++)
	{
		const char *value = import->field[numbers[i].column];

		if (value != NULL && !qts_csv_whole(value, numbers[i].to))
			return numbers[i].bad;
	}
	return NULL;
}

static const char *
bar_row(QtsImport *import, bool daily, Datum at)
{
	QtsBar bar;
	const char *why = bar_numbers(import, &bar);

	if (why == NULL && !qts_symbol_valid(import->field[BAR_SYMBOL]))
		why = "not a code of a stock, ETF or ETN";
	if (why == NULL)
		why = qts_bar_fault(&bar, daily);
	if (why != NULL)
		return why;
	qts_import_put_text(import, BAR_SYMBOL, import->field[BAR_SYMBOL]);
	qts_import_put(import, BAR_AT, at);
	qts_import_put(import, BAR_OPEN, Int64GetDatum(bar.open));
	qts_import_put(import, BAR_HIGH, Int64GetDatum(bar.high));
	qts_import_put(import, BAR_LOW, Int64GetDatum(bar.low));
	qts_import_put(import, BAR_CLOSE, Int64GetDatum(bar.close));
	qts_import_put(import, BAR_VOLUME, Int64GetDatum(bar.volume));
	if (bar.value >= 0)
		qts_import_put(import, BAR_VALUE, Int64GetDatum(bar.value));
	return NULL;
}

static bool
bar_date_known(QtsDate date)
{
	int year = qts_date_yyyymmdd(date) / 10000;

	return year >= BAR_FIRST_YEAR && year < BAR_FIRST_YEAR + BAR_YEARS;
}

static const char *
daily_row(QtsImport *import, const char **item)
{
	QtsDate date;

	if (!qts_csv_date(import->field[BAR_AT], &date) || !bar_date_known(date))
		return "the date cannot be read";
	return bar_row(import, true, DateADTGetDatum(date));
}

static const char *
minute_row(QtsImport *import, const char **item)
{
	QtsTime at;

	if (!qts_csv_instant(import->field[BAR_AT], &at) || !bar_date_known(qts_seoul_date(at)))
		return "the time cannot be read";
	if (at % QTS_MINUTE != 0)
		return "the time is not the start of a minute";
	return bar_row(import, false, TimestampTzGetDatum(at));
}

static void
bars_store(QtsImport *import, const Datum *arrays, QtsStmt *store, QtsStmt *kept)
{
	Datum args[BAR_VALUES + 1];
	int64 inserted;
	int64 replaced;

	memcpy(args, arrays, sizeof(Datum) * BAR_VALUES);
	args[BAR_VALUES] = BoolGetDatum(import->overwrite);
	qts_stmt_run(store, args, NULL);
	inserted = qts_col_int64(0, 1, 0);
	replaced = qts_col_int64(0, 2, 0);
	import->inserted += inserted;
	import->replaced += replaced;
	if (inserted + replaced == import->rows)
		return;
	qts_stmt_run(kept, args, NULL);
	import->kept += qts_col_int64(0, 1, 0);
}

static void
daily_store(QtsImport *import, const Datum *arrays)
{
	bars_store(import, arrays, &store_days, &kept_days);
}

/* Partitions of the months of this batch; neighbours are mostly of one month. */
static void
minute_store(QtsImport *import, const Datum *arrays)
{
	bool made[BAR_YEARS * 12] = {false};

	for (int i = 0; i < import->rows; i++)
	{
		int32 day = qts_date_yyyymmdd(qts_seoul_date(DatumGetTimestampTz(import->values[BAR_AT][i])));
		int month = (day / 10000 - BAR_FIRST_YEAR) * 12 + day / 100 % 100 - 1;

		if (made[month])
			continue;
		qts_stmt_run(&ensure_month, &import->values[BAR_AT][i], NULL);
		made[month] = true;
	}
	bars_store(import, arrays, &store_minutes, &kept_minutes);
}

const QtsImportKind qts_import_daily_bars = {
	.name = "daily_bars",
	.columns = {"symbol", "date", "open", "high", "low", "close", "volume", "value"},
	.required = 7,
	.types = {TEXTOID, DATEOID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID},
	.ntypes = BAR_VALUES,
	.row = daily_row,
	.store = daily_store,
};

const QtsImportKind qts_import_minute_bars = {
	.name = "minute_bars",
	.columns = {"symbol", "ts", "open", "high", "low", "close", "volume", "value"},
	.required = 7,
	.types = {TEXTOID, TIMESTAMPTZOID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID},
	.ntypes = BAR_VALUES,
	.row = minute_row,
	.store = minute_store,
};
