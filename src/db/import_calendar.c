/*-------------------------------------------------------------------------
 *
 * import_calendar.c
 *		Imported trading days.
 *
 * A day that the broker closed is not opened by a list.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "utils/date.h"

#include "core/csv.h"
#include "core/session.h"
#include "db/import.h"
#include "db/stmt.h"

enum
{
	DAY_DATE,
	DAY_OPEN,
	DAY_OPENS,
	DAY_CLOSES,
	DAY_NOTE,
	DAY_VALUES
};

/* Columns of the text; kind and is_open say the same in two ways. */
enum
{
	FIELD_DATE,
	FIELD_KIND,
	FIELD_IS_OPEN,
	FIELD_OPEN,
	FIELD_CLOSE,
	FIELD_NAME,
	FIELD_NOTE
};

static QtsStmt store_calendar = {
	"WITH n AS (SELECT DISTINCT ON (u.date) u.*, h.* FROM unnest($1::date[], $2::bool[], $3::time[], $4::time[],"
	" $5::text[]) WITH ORDINALITY AS u (date, is_open, opens, closes, note, line)"
	" CROSS JOIN LATERAL qts._day_hours(u.date, u.opens, u.closes) AS h ORDER BY u.date, u.line DESC),"
	" w AS (INSERT INTO market.calendar AS o (date, is_open, auction_at, open_at, closing_auction_at, close_at, end_at,"
	" note, source) SELECT n.date, n.is_open, n.auction_at, n.open_at, n.closing_auction_at, n.close_at, n.end_at,"
	" n.note, 'IMPORT' FROM n ON CONFLICT ON CONSTRAINT calendar_pkey DO UPDATE SET is_open = excluded.is_open,"
	" auction_at = excluded.auction_at, open_at = excluded.open_at, closing_auction_at = excluded.closing_auction_at,"
	" close_at = excluded.close_at, end_at = excluded.end_at, note = coalesce(excluded.note, o.note), source = 'IMPORT',"
	" confirmed = o.confirmed AND o.is_open = excluded.is_open"
	" WHERE ($6 OR o.source <> 'KIS' OR o.is_open = excluded.is_open)"
	" AND (o.is_open, o.auction_at, o.open_at, o.closing_auction_at, o.close_at, o.end_at,"
	" coalesce(excluded.note, o.note)) IS DISTINCT FROM (excluded.is_open, excluded.auction_at, excluded.open_at,"
	" excluded.closing_auction_at, excluded.close_at, excluded.end_at, o.note) RETURNING xmax = 0 AS fresh)"
	" SELECT count(*) FILTER (WHERE fresh), count(*) FILTER (WHERE NOT fresh),"
	" (SELECT count(*) FROM n JOIN market.calendar AS k ON k.date = n.date WHERE k.source = 'KIS'"
	" AND k.is_open <> n.is_open AND NOT $6) FROM w",
	6,
	{DATEARRAYOID, BOOLARRAYOID, TIMEARRAYOID, TIMEARRAYOID, TEXTARRAYOID, BOOLOID}};

static QtsStmt hours_fit = {
	"SELECT h.auction_at <= h.open_at AND h.open_at < h.closing_auction_at AND h.close_at <= h.end_at"
	" FROM qts._day_hours($1, $2, $3) AS h",
	3,
	{DATEOID, TIMEOID, TIMEOID}};

static void
calendar_store(QtsImport *import, const Datum *arrays)
{
	Datum args[DAY_VALUES + 1];

	memcpy(args, arrays, sizeof(Datum) * DAY_VALUES);
	args[DAY_VALUES] = BoolGetDatum(import->overwrite);
	qts_stmt_run(&store_calendar, args, NULL);
	import->inserted += qts_col_int64(0, 1, 0);
	import->replaced += qts_col_int64(0, 2, 0);
	import->kept += qts_col_int64(0, 3, 0);
}

static const char *
calendar_open(const QtsImport *import, bool *open)
{
	const char *kind = import->field[FIELD_KIND];

	if (import->field[FIELD_IS_OPEN] != NULL)
		return qts_csv_bool(import->field[FIELD_IS_OPEN], open) ? NULL : "is_open is neither true nor false";
	if (kind == NULL)
		return "neither kind nor is_open is given";
	*open = strcmp(kind, "closed") != 0;
	if (*open && strcmp(kind, "open") != 0 && strcmp(kind, "late_open") != 0 && strcmp(kind, "shifted") != 0)
		return "kind is not closed, open, late_open or shifted";
	return NULL;
}

static const char *
calendar_times(QtsImport *import, Datum date, bool open)
{
	static const int columns[] = {FIELD_OPEN, FIELD_CLOSE};
	Datum args[3] = {date};
	char nulls[4] = " nn";

	for (int i = 0; i < 2; i++)
	{
		QtsTime at;

		if (import->field[columns[i]] == NULL)
			continue;
		if (!qts_csv_clock(import->field[columns[i]], &at))
			return "a time of day cannot be read";
		args[i + 1] = TimeADTGetDatum(at);
		nulls[i + 1] = ' ';
		qts_import_put(import, DAY_OPENS + i, args[i + 1]);
	}
	if (nulls[1] == 'n' && nulls[2] == 'n')
		return NULL;
	if (!open)
		return "a closed day has no hours";
	qts_stmt_run(&hours_fit, args, nulls);
	return qts_col_bool(0, 1) ? NULL : "its hours do not fit a trading day";
}

static const char *
calendar_row(QtsImport *import, const char **item)
{
	QtsDate date;
	bool open;
	const char *why = calendar_open(import, &open);

	if (!qts_csv_date(import->field[FIELD_DATE], &date))
		return "the date cannot be read";
	if (why == NULL)
		why = calendar_times(import, DateADTGetDatum(date), open);
	if (why != NULL)
		return why;
	qts_import_put(import, DAY_DATE, DateADTGetDatum(date));
	qts_import_put(import, DAY_OPEN, BoolGetDatum(open));
	qts_import_put_text(import, DAY_NOTE,
						import->field[FIELD_NOTE] ? import->field[FIELD_NOTE] : import->field[FIELD_NAME]);
	return NULL;
}

const QtsImportKind qts_import_calendar = {
	.name = "calendar",
	.columns = {"date", "kind", "is_open", "open", "close", "name", "note"},
	.required = 1,
	.types = {DATEOID, BOOLOID, TIMEOID, TIMEOID, TEXTOID},
	.ntypes = DAY_VALUES,
	.row = calendar_row,
	.store = calendar_store,
};
