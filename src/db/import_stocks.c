/*-------------------------------------------------------------------------
 *
 * import_stocks.c
 *		Imported master data: CSV with a header, or the broker's master files.
 *
 * What a line does not tell stays as it is.  A stock that is gone is marked,
 * never deleted.  A halt is noted but does not make a stock untradable: files are
 * a day old, and the feed tells a halt as it is.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type_d.h"
#include "mb/pg_wchar.h"
#include "utils/date.h"

#include "core/csv.h"
#include "core/master.h"
#include "db/exec.h"
#include "db/import.h"
#include "db/stmt.h"

enum
{
	STOCK_SYMBOL,
	STOCK_NAME,
	STOCK_MARKET,
	STOCK_SECTOR,
	STOCK_LISTED,
	STOCK_DELISTED,
	STOCK_INDUSTRY,
	STOCK_INSTRUMENT,
	STOCK_STATUS,
	STOCK_MANAGED,
	STOCK_WARNING,
	STOCK_MARKET_CAP,
	STOCK_VALUES
};

/*
 * Delisted: by its status or by a date that has come.  A person's word about
 * trading stays; only a delisting ends it, and a return takes that back.
 */
static QtsStmt store_stocks = {
	"WITH n AS (SELECT DISTINCT ON (u.symbol) u.* FROM unnest($1::text[], $2::text[], $3::text[], $4::text[],"
	" $5::date[], $6::date[], $7::text[], $8::text[], $9::text[], $10::bool[], $11::bool[], $12::int8[])"
	" WITH ORDINALITY AS u (symbol, name, market, sector, listed, delisted, industry, instrument, status, managed,"
	" warning, market_cap, line) ORDER BY u.symbol, u.line DESC),"
	" m AS (SELECT n.symbol, n.name, n.market, coalesce(n.sector, s.sector) AS sector,"
	" coalesce(n.listed, s.listing_date) AS listed, coalesce(n.delisted, s.delisting_date) AS delisted,"
	" coalesce(n.industry, s.industry) AS industry, coalesce(n.instrument, s.instrument, 'STOCK') AS instrument,"
	" CASE WHEN n.delisted <= (timezone('Asia/Seoul', qts._now()))::date THEN 'DELISTED'"
	" ELSE coalesce(n.status, s.status, 'ACTIVE') END AS status, coalesce(n.managed, s.is_managed, false) AS managed,"
	" coalesce(n.warning, s.is_warning, false) AS warning, coalesce(n.market_cap, s.market_cap) AS market_cap"
	" FROM n LEFT JOIN market.stocks AS s ON s.symbol = n.symbol),"
	" w AS (INSERT INTO market.stocks AS o (symbol, name, market, sector, listing_date, delisting_date, industry,"
	" instrument, status, is_managed, is_warning, market_cap, is_tradable, trade_halt_reason)"
	" SELECT m.symbol, m.name, m.market, m.sector, m.listed, m.delisted, m.industry, m.instrument, m.status, m.managed,"
	" m.warning, m.market_cap, m.status <> 'DELISTED',"
	" CASE m.status WHEN 'DELISTED' THEN 'delisted' WHEN 'SUSPENDED' THEN 'halted' END"
	" FROM m ON CONFLICT ON CONSTRAINT stocks_pkey DO UPDATE SET name = excluded.name, market = excluded.market,"
	" sector = excluded.sector, listing_date = excluded.listing_date, delisting_date = excluded.delisting_date,"
	" industry = excluded.industry, instrument = excluded.instrument, status = excluded.status,"
	" is_managed = excluded.is_managed, is_warning = excluded.is_warning, market_cap = excluded.market_cap,"
	" is_tradable = CASE WHEN excluded.status = 'DELISTED' THEN false WHEN o.status = 'DELISTED' THEN true"
	" ELSE o.is_tradable END, trade_halt_reason = CASE WHEN excluded.status = o.status THEN o.trade_halt_reason"
	" ELSE excluded.trade_halt_reason END, updated_ts = clock_timestamp()"
	" WHERE (o.name, o.market, o.sector, o.listing_date, o.delisting_date, o.industry, o.instrument, o.status, o.is_managed, o.is_warning, o.market_cap)"
	" IS DISTINCT FROM (excluded.name, excluded.market, excluded.sector, excluded.listing_date, excluded.delisting_date, excluded.industry, excluded.instrument, excluded.status, excluded.is_managed, excluded.is_warning, excluded.market_cap)"
	" RETURNING xmax = 0 AS fresh)"
	" SELECT count(*) FILTER (WHERE fresh), count(*) FILTER (WHERE NOT fresh) FROM w",
	12,
	{TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, DATEARRAYOID, DATEARRAYOID, TEXTARRAYOID,
	 TEXTARRAYOID, TEXTARRAYOID, BOOLARRAYOID, BOOLARRAYOID, INT8ARRAYOID}};

static void
stocks_store(QtsImport *import, const Datum *arrays)
{
	qts_stmt_run(&store_stocks, arrays, NULL);
	import->inserted += qts_col_int64(0, 1, 0);
	import->replaced += qts_col_int64(0, 2, 0);
}

static bool
one_of(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		if (strcmp(word, words[i]) == 0)
			return true;
	}
	return false;
}

static const char *
stock_words(QtsImport *import)
{
	static const char *const markets[] = {"KOSPI", "KOSDAQ", "KONEX"};
	static const char *const instruments[] = {"STOCK", "ETP"};
	static const char *const states[] = {"ACTIVE", "SUSPENDED", "DELISTED"};

	if (!qts_symbol_valid(import->field[STOCK_SYMBOL]))
		return "not a code of a stock, ETF or ETN";
	if (!one_of(import->field[STOCK_MARKET], markets, lengthof(markets)))
		return "market is not KOSPI, KOSDAQ or KONEX";
	if (import->field[STOCK_INSTRUMENT] != NULL &&
		!one_of(import->field[STOCK_INSTRUMENT], instruments, lengthof(instruments)))
		return "instrument is not STOCK or ETP";
	if (import->field[STOCK_STATUS] != NULL && !one_of(import->field[STOCK_STATUS], states, lengthof(states)))
		return "status is not ACTIVE, SUSPENDED or DELISTED";
	return NULL;
}

static const char *
stock_date(QtsImport *import, int column, const char *bad)
{
	QtsDate date;

	if (import->field[column] == NULL)
		return NULL;
	if (!qts_csv_date(import->field[column], &date))
		return bad;
	qts_import_put(import, column, DateADTGetDatum(date));
	return NULL;
}

static const char *
stock_flag(QtsImport *import, int column, const char *bad)
{
	bool flag;

	if (import->field[column] == NULL)
		return NULL;
	if (!qts_csv_bool(import->field[column], &flag))
		return bad;
	qts_import_put(import, column, BoolGetDatum(flag));
	return NULL;
}

static const char *
stock_row(QtsImport *import, const char **item)
{
	static const int texts[] = {STOCK_SYMBOL,	STOCK_NAME,		  STOCK_MARKET, STOCK_SECTOR,
								STOCK_INDUSTRY, STOCK_INSTRUMENT, STOCK_STATUS};
	const char *why = stock_words(import);
	int64_t cap;

	if (why == NULL)
		why = stock_date(import, STOCK_LISTED, "the date of listing cannot be read");
	if (why == NULL)
		why = stock_date(import, STOCK_DELISTED, "the date of delisting cannot be read");
	if (why == NULL)
		why = stock_flag(import, STOCK_MANAGED, "managed is neither true nor false");
	if (why == NULL)
		why = stock_flag(import, STOCK_WARNING, "warning is neither true nor false");
	if (why == NULL && import->field[STOCK_MARKET_CAP] != NULL)
	{
		if (!qts_csv_whole(import->field[STOCK_MARKET_CAP], &cap) || cap < 0)
			return "the market value is not a whole number";
		qts_import_put(import, STOCK_MARKET_CAP, Int64GetDatum(cap));
	}
	if (why != NULL)
		return why;
	for (size_t i = 0; i < lengthof(texts); i++)
		qts_import_put_text(import, texts[i], import->field[texts[i]]);
	return NULL;
}

/* CP949 from a file; a text was decoded by the client.  NULL: neither. */
static char *
master_name(const QtsMasterRow *row)
{
	int room = row->name_len * MAX_CONVERSION_GROWTH + 1;
	char *name = palloc(room);
	Oid proc;

	if (pg_verifymbstr(row->name, row->name_len, true))
		return pnstrdup(row->name, row->name_len);
	proc = FindDefaultConversionProc(PG_UHC, GetDatabaseEncoding());
	if (!OidIsValid(proc) || pg_verify_mbstr_len(PG_UHC, row->name, row->name_len, true) < 0 ||
		pg_do_encoding_conversion_buf(proc, PG_UHC, GetDatabaseEncoding(),
									  (unsigned char *) unconstify(char *, row->name), row->name_len,
									  (unsigned char *) name, room, true) != row->name_len)
		return NULL;
	return name;
}

static const char *
master_row(QtsImport *import, const char **item, QtsMasterMarket market)
{
	QtsMasterRow row;
	const char *why = qts_master_parse(market, import->text, import->len, &row);
	char *name;

	*item = row.symbol[0] != '\0' ? pstrdup(row.symbol) : NULL;
	if (why != NULL)
		return why;
	name = master_name(&row);
	if (name == NULL)
		return "the name is neither CP949 nor in the encoding of the database";
	qts_import_put_text(import, STOCK_SYMBOL, row.symbol);
	qts_import_put_text(import, STOCK_NAME, name);
	qts_import_put_text(import, STOCK_MARKET, market == QTS_MASTER_KOSPI ? "KOSPI" : "KOSDAQ");
	qts_import_put_text(import, STOCK_INSTRUMENT, row.instrument == QTS_INSTRUMENT_ETP ? "ETP" : "STOCK");
	qts_import_put_text(import, STOCK_STATUS, row.halted ? "SUSPENDED" : "ACTIVE");
	qts_import_put(import, STOCK_MANAGED, BoolGetDatum(row.managed));
	qts_import_put(import, STOCK_WARNING, BoolGetDatum(row.warning));
	if (row.listed_known)
		qts_import_put(import, STOCK_LISTED, DateADTGetDatum(row.listed));
	if (row.market_cap > 0)
		qts_import_put(import, STOCK_MARKET_CAP, Int64GetDatum(row.market_cap));
	return NULL;
}

static const char *
kospi_row(QtsImport *import, const char **item)
{
	return master_row(import, item, QTS_MASTER_KOSPI);
}

static const char *
kosdaq_row(QtsImport *import, const char **item)
{
	return master_row(import, item, QTS_MASTER_KOSDAQ);
}

#define STOCK_TYPES                                                                                          \
	{                                                                                                        \
		TEXTOID, TEXTOID, TEXTOID, TEXTOID, DATEOID, DATEOID, TEXTOID, TEXTOID, TEXTOID, BOOLOID, BOOLOID,   \
			INT8OID                                                                                          \
	}

const QtsImportKind qts_import_stocks = {
	.name = "stocks",
	.columns = {"symbol", "name", "market", "sector", "listed", "delisted", "industry", "instrument",
				"status", "managed", "warning", "market_cap"},
	.required = 3,
	.types = STOCK_TYPES,
	.ntypes = STOCK_VALUES,
	.row = stock_row,
	.store = stocks_store,
};

const QtsImportKind qts_import_kospi_master = {
	.name = "kospi_master",
	.types = STOCK_TYPES,
	.ntypes = STOCK_VALUES,
	.fixed = true,
	.row = kospi_row,
	.store = stocks_store,
};

const QtsImportKind qts_import_kosdaq_master = {
	.name = "kosdaq_master",
	.types = STOCK_TYPES,
	.ntypes = STOCK_VALUES,
	.fixed = true,
	.row = kosdaq_row,
	.store = stocks_store,
};
