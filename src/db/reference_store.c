/*-------------------------------------------------------------------------
 *
 * reference_store.c
 *		What is asked of the broker once a day: what is missing, and what came.
 *
 * What is stored tells what is done: a row of market.reference_sync commits
 * with the data it is about.  Only the worker that asks writes it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "utils/array.h"
#include "utils/date.h"

#include "core/session.h"
#include "db/reference_store.h"
#include "db/stmt.h"

/* ATR14 needs 15 bars; the broker answers with 100 at most, so more is not dearer. */
#define BARS_WANTED 20
#define BARS_ASKED "100"

static QtsStmt day_before = {
	"SELECT max(c.date) FROM market.calendar AS c WHERE c.is_open AND c.date < $1", 1, {DATEOID}};

static QtsStmt bar_window = {
	"SELECT min(w.date) FILTER (WHERE w.n <= $2), count(*) FILTER (WHERE w.n <= $2), min(w.date) FROM ("
	"SELECT c.date, row_number() OVER (ORDER BY c.date DESC) AS n FROM market.calendar AS c"
	" WHERE c.is_open AND c.date <= $1 ORDER BY c.date DESC LIMIT " BARS_ASKED ") AS w",
	2,
	{DATEOID, INT4OID}};

static QtsStmt calendar_state = {
	"SELECT r.done_date, r.tried_ts, r.failures FROM market.reference_sync AS r WHERE r.task = 'CALENDAR'"};

/* Not done yet, of those followed or of all. */
#define MISSING                                                                                              \
	" FROM market.stocks AS s"                                                                               \
	" LEFT JOIN unnest($2::text[]) WITH ORDINALITY AS f (symbol, place) ON f.symbol = s.symbol"              \
	" LEFT JOIN market.reference_sync AS r ON r.task = $1 AND r.symbol = s.symbol"                           \
	" WHERE (f.symbol IS NOT NULL OR ($4 AND s.status = 'ACTIVE')) AND (r.done_date IS NULL OR r.done_date < $3)"

static QtsStmt next_due = {"SELECT min(r.next_ts)" MISSING, 4, {TEXTOID, TEXTARRAYOID, DATEOID, BOOLOID}};

/* With the last bar of each and how many there are of the latest days. */
static QtsStmt due_symbols = {
	"SELECT c.symbol, c.failures, b.last, b.n FROM (SELECT s.symbol, coalesce(r.failures, 0) AS failures, f.place,"
	" s.market_cap" MISSING " AND (r.next_ts IS NULL OR r.next_ts <= $5 OR r.tried_ts > $5)"
	" ORDER BY f.place, s.market_cap DESC NULLS LAST, s.symbol LIMIT $6) AS c"
	" CROSS JOIN LATERAL (SELECT max(o.date) AS last, count(*) FILTER (WHERE o.date >= $7) AS n"
	" FROM market.ohlcv_1d AS o WHERE o.symbol = c.symbol AND o.date BETWEEN $8 AND $3 AND o.source <> 'TICKS') AS b"
	" ORDER BY c.place, c.market_cap DESC NULLS LAST, c.symbol",
	8,
	{TEXTOID, TEXTARRAYOID, DATEOID, BOOLOID, TIMESTAMPTZOID, INT4OID, DATEOID, DATEOID}};

static QtsStmt store_try = {
	"INSERT INTO market.reference_sync AS r (task, symbol, tried_ts, next_ts, failures)"
	" SELECT $1, u.symbol, $3, u.next, 1 FROM unnest($2::text[], $4::timestamptz[]) AS u (symbol, next)"
	" ON CONFLICT ON CONSTRAINT reference_sync_pkey DO UPDATE SET tried_ts = excluded.tried_ts,"
	" next_ts = excluded.next_ts, failures = r.failures + 1",
	4,
	{TEXTOID, TEXTARRAYOID, TIMESTAMPTZOID, TIMESTAMPTZARRAYOID}};

static QtsStmt store_result = {
	"INSERT INTO market.reference_sync AS r (task, symbol, done_date, next_ts, stored, rejected, stored_ts, last_error)"
	" VALUES ($1, $2, $3, $4, $5, $6, CASE WHEN $5 > 0 THEN $4 END, $7)"
	" ON CONFLICT ON CONSTRAINT reference_sync_pkey DO UPDATE SET done_date = coalesce(excluded.done_date, r.done_date),"
	" failures = CASE WHEN excluded.done_date IS NULL THEN r.failures ELSE 0 END, stored = r.stored + excluded.stored,"
	" rejected = r.rejected + excluded.rejected, stored_ts = coalesce(excluded.stored_ts, r.stored_ts),"
	" last_error = excluded.last_error",
	7,
	{TEXTOID, TEXTOID, DATEOID, TIMESTAMPTZOID, INT8OID, INT8OID, TEXTOID}};

static QtsStmt store_bars = {
	"INSERT INTO market.ohlcv_1d AS o (symbol, date, open, high, low, close, volume, value, source)"
	" SELECT $1, u.date, u.open, u.high, u.low, u.close, u.volume, nullif(u.value, -1), 'KIS'"
	" FROM unnest($2::date[], $3::int8[], $4::int8[], $5::int8[], $6::int8[], $7::int8[], $8::int8[])"
	" AS u (date, open, high, low, close, volume, value) ORDER BY u.date"
	" ON CONFLICT ON CONSTRAINT ohlcv_1d_pkey DO UPDATE SET open = excluded.open, high = excluded.high,"
	" low = excluded.low, close = excluded.close, volume = excluded.volume,"
	" value = coalesce(excluded.value, o.value), source = 'KIS' WHERE o.source <> 'IMPORT'"
	" AND (o.open, o.high, o.low, o.close, o.volume, coalesce(excluded.value, o.value), o.source) IS DISTINCT FROM"
	" (excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume, o.value, 'KIS')",
	8,
	{TEXTOID, DATEARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID,
	 INT8ARRAYOID}};

static QtsStmt check_base = {
	"SELECT qts._check_base_price(s.symbol, s.base_price, s.limits_date) FROM market.stocks AS s"
	" WHERE s.symbol = $1 AND s.limits_date = $2 AND s.base_price IS NOT NULL",
	2,
	{TEXTOID, DATEOID}};

/* What it was the day before: as the master has it, or the close before that day. */
static QtsStmt known_bases = {
	"SELECT coalesce(s.base_price, (SELECT o.close FROM market.ohlcv_1d AS o WHERE o.symbol = u.symbol AND o.date < $2"
	" AND o.source <> 'TICKS' ORDER BY o.date DESC LIMIT 1)), b.close"
	" FROM unnest($1::text[]) WITH ORDINALITY AS u (symbol, place)"
	" LEFT JOIN market.stocks AS s ON s.symbol = u.symbol AND s.limits_date = $2"
	" LEFT JOIN market.ohlcv_1d AS b ON b.symbol = u.symbol AND b.date = $2 AND b.source <> 'TICKS' ORDER BY u.place",
	2,
	{TEXTARRAYOID, DATEOID}};

/* In the order of an import of the master. */
static QtsStmt store_bases = {
	"WITH u AS (SELECT * FROM unnest($1::text[], $2::int8[], $3::int8[], $4::int8[]) AS u (symbol, base, lower, upper)),"
	" l AS (SELECT s.symbol FROM market.stocks AS s JOIN u USING (symbol) ORDER BY s.symbol FOR NO KEY UPDATE OF s)"
	" UPDATE market.stocks AS s SET base_price = u.base, lower_limit = nullif(u.lower, 0),"
	" upper_limit = nullif(u.upper, 0), limits_date = $5, updated_ts = clock_timestamp()"
	" FROM u JOIN l USING (symbol) WHERE s.symbol = u.symbol",
	5,
	{TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, DATEOID}};

/* A stock that is listed today has no bar yet. */
static QtsStmt missing_of = {
	"SELECT count(*), count(*) FILTER (WHERE m.base), count(*) FILTER (WHERE m.bar),"
	" min(m.symbol) FILTER (WHERE m.base OR m.bar) FROM (SELECT s.symbol, s.limits_date IS DISTINCT FROM $2 AS base,"
	" s.listing_date IS DISTINCT FROM $2 AND NOT EXISTS (SELECT FROM market.ohlcv_1d AS b WHERE b.symbol = s.symbol"
	" AND b.date = $3 AND b.source <> 'TICKS') AS bar"
	" FROM market.stocks AS s WHERE s.symbol = ANY ($1)) AS m",
	3,
	{TEXTARRAYOID, DATEOID, DATEOID}};

static Datum
array_of(Datum *values, int n, Oid type)
{
	if (n == 0)
		return PointerGetDatum(construct_empty_array(type));
	if (type == TEXTOID)
		return PointerGetDatum(construct_array(values, n, TEXTOID, -1, false, TYPALIGN_INT));
	if (type == DATEOID)
		return PointerGetDatum(construct_array(values, n, DATEOID, 4, true, TYPALIGN_INT));
	return PointerGetDatum(construct_array(values, n, type, 8, true, TYPALIGN_DOUBLE));
}

/* Those of the symbols that are followed for one of these reasons. */
static Datum
symbols_of(const QtsFollowed *followed, int n, unsigned why)
{
	Datum *values = palloc(sizeof(Datum) * (n + 1));
	int kept = 0;

	for (int i = 0; i < n; i++)
		if ((followed[i].why & why) != 0)
			values[kept++] = qts_text(followed[i].symbol);
	return array_of(values, kept, TEXTOID);
}

static QtsDate
col_date(uint64 row, int column)
{
	bool isnull;
	Datum value = qts_col(row, column, &isnull);

	return isnull ? QTS_DATE_NONE : DatumGetDateADT(value);
}

QtsDate
qts_reference_day_before(QtsDate date)
{
	Datum args[1] = {DateADTGetDatum(date)};

	qts_stmt_run(&day_before, args, NULL);
	return col_date(0, 1);
}

static void
store_tries(QtsReferenceTask task, const QtsReferenceItem *items, int n, TimestampTz now)
{
	Datum *symbols = palloc(sizeof(Datum) * (n + 1));
	Datum *next = palloc(sizeof(Datum) * (n + 1));
	Datum args[4] = {qts_text(qts_reference_name(task)), 0, TimestampTzGetDatum(now)};

	if (n == 0)
		return;
	for (int i = 0; i < n; i++)
	{
		symbols[i] = qts_text(items[i].symbol);
		next[i] = TimestampTzGetDatum(now + qts_reference_delay(task, items[i].tries));
	}
	args[1] = array_of(symbols, n, TEXTOID);
	args[3] = array_of(next, n, TIMESTAMPTZOID);
	qts_stmt_run(&store_try, args, NULL);
}

static QtsReferenceState
load_calendar_state(void)
{
	QtsReferenceState state = {.done = QTS_DATE_NONE, .tried_at = QTS_TIME_NONE};

	if (qts_stmt_run(&calendar_state, NULL, NULL) > 0)
	{
		state.done = col_date(0, 1);
		state.tried_at = qts_col_int64(0, 2, QTS_TIME_NONE);
		state.failures = qts_col_int32(0, 3, 0);
	}
	return state;
}

bool
qts_reference_claim_calendar(QtsDate target, TimestampTz now, TimestampTz *next)
{
	QtsReferenceState state = load_calendar_state();
	QtsReferenceItem item = {.tries = state.failures + 1};

	*next = DT_NOEND;
	if (state.done >= target)
		return false;
	*next = now + qts_reference_delay(QTS_REFERENCE_CALENDAR, item.tries);
	if (!qts_reference_due(QTS_REFERENCE_CALENDAR, target, &state, now))
	{
		*next = state.tried_at + qts_reference_delay(QTS_REFERENCE_CALENDAR, state.failures);
		return false;
	}
	store_tries(QTS_REFERENCE_CALENDAR, &item, 1, now);
	return true;
}

/* The days that count, and the first one to ask for. */
static void
bar_days(QtsDate target, QtsDate *counted_from, int *days, QtsDate *first)
{
	Datum args[2] = {DateADTGetDatum(target), Int32GetDatum(BARS_WANTED)};

	qts_stmt_run(&bar_window, args, NULL);
	*counted_from = col_date(0, 1);
	*days = (int) qts_col_int64(0, 2, 0);
	*first = col_date(0, 3);
	if (*first == QTS_DATE_NONE)
		*counted_from = *first = target;
}

/* What has all its bars is done without asking.  Returns how many are left. */
static int
leave_out_complete(QtsReferenceItem *items, int n, QtsDate target, TimestampTz now)
{
	const QtsReferenceResult nothing = {.done = target};
	int kept = 0;

	for (int i = 0; i < n; i++)
	{
		if (items[i].from == QTS_DATE_NONE)
			qts_reference_result(QTS_REFERENCE_BARS, items[i].symbol, &nothing, now);
		else
			items[kept++] = items[i];
	}
	return kept;
}

int
qts_reference_claim(QtsReferenceTask task, QtsDate target, const QtsFollowed *followed, int nfollowed,
					bool all, TimestampTz now, QtsReferenceItem *items, int max, TimestampTz *next)
{
	Datum args[8] = {qts_text(qts_reference_name(task)),
					 symbols_of(followed, nfollowed, ~0U),
					 DateADTGetDatum(target),
					 BoolGetDatum(all),
					 TimestampTzGetDatum(now),
					 Int32GetDatum(max)};
	QtsDate counted_from;
	QtsDate first;
	int days;
	int found;
	int n;

	bar_days(target, &counted_from, &days, &first);
	args[6] = DateADTGetDatum(counted_from);
	args[7] = DateADTGetDatum(first);
	found = n = (int) qts_stmt_run(&due_symbols, args, NULL);
	for (int i = 0; i < n; i++)
	{
		QtsDate last = col_date(i, 3);

		qts_col_copy(i, 1, items[i].symbol, sizeof(items[i].symbol));
		items[i].tries = qts_col_int32(i, 2, 0) + 1;
		/* the last one once more: what was traded in the evening may have changed it */
		if (last == QTS_DATE_NONE || qts_col_int64(i, 4, 0) < days)
			items[i].from = first;
		else
			items[i].from = last >= target ? QTS_DATE_NONE : last;
	}
	if (task == QTS_REFERENCE_BARS)
		n = leave_out_complete(items, n, target, now);
	store_tries(task, items, n, now);
	*next = now;
	if (found == 0)
	{
		qts_stmt_run(&next_due, args, NULL);
		*next = qts_col_int64(0, 1, DT_NOEND);
	}
	return n;
}

void
qts_reference_result(QtsReferenceTask task, const char *symbol, const QtsReferenceResult *result,
					 TimestampTz now)
{
	Datum args[7] = {qts_text(qts_reference_name(task)), qts_text(symbol),
					 DateADTGetDatum(result->done),		 TimestampTzGetDatum(now),
					 Int64GetDatum(result->stored),		 Int64GetDatum(result->rejected)};
	char nulls[] = "       ";

	if (result->done == QTS_DATE_NONE)
		nulls[2] = 'n';
	if (result->error != NULL)
		args[6] = qts_text(result->error);
	else
		nulls[6] = 'n';
	qts_stmt_run(&store_result, args, nulls);
}

int
qts_reference_store_bars(const char *symbol, const QtsBar *bars, int n, QtsDate today)
{
	static const Oid types[7] = {DATEOID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID};
	Datum args[8] = {qts_text(symbol)};
	Datum *values[7];
	int changed;

	if (n == 0)
		return 0;
	for (int c = 0; c < 7; c++)
		values[c] = palloc(sizeof(Datum) * n);
	for (int i = 0; i < n; i++)
	{
		const int64 numbers[6] = {bars[i].open,	 bars[i].high,	 bars[i].low,
								  bars[i].close, bars[i].volume, bars[i].value};

		values[0][i] = DateADTGetDatum(qts_seoul_date(bars[i].at));
		for (int c = 0; c < 6; c++)
			values[c + 1][i] = Int64GetDatum(numbers[c]);
	}
	for (int c = 0; c < 7; c++)
		args[c + 1] = array_of(values[c], n, types[c]);
	changed = (int) qts_stmt_run(&store_bars, args, NULL);
	args[1] = DateADTGetDatum(today);
	if (changed > 0)
		qts_stmt_run(&check_base, args, NULL);
	return changed;
}

static Datum
base_symbols(const QtsBasePrice *bases, int n)
{
	Datum *values = palloc(sizeof(Datum) * (n + 1));

	for (int i = 0; i < n; i++)
		values[i] = qts_text(bases[i].symbol);
	return array_of(values, n, TEXTOID);
}

void
qts_reference_known(const QtsBasePrice *bases, int n, QtsDate before, QtsBaseKnown *known)
{
	Datum args[2] = {base_symbols(bases, n), DateADTGetDatum(before)};

	memset(known, 0, sizeof(QtsBaseKnown) * n);
	qts_stmt_run(&known_bases, args, before == QTS_DATE_NONE ? " n" : NULL);
	for (int i = 0; i < n; i++)
	{
		known[i].base = qts_col_int64(i, 1, 0);
		known[i].close = qts_col_int64(i, 2, 0);
	}
}

void
qts_reference_store_bases(const QtsBasePrice *bases, int n, QtsDate date)
{
	Datum *values[3];
	Datum args[5] = {base_symbols(bases, n)};

	if (n == 0)
		return;
	for (int c = 0; c < 3; c++)
		values[c] = palloc(sizeof(Datum) * n);
	for (int i = 0; i < n; i++)
	{
		bool limited = bases[i].lower > 0 && bases[i].upper > 0;

		values[0][i] = Int64GetDatum(bases[i].base);
		values[1][i] = Int64GetDatum(limited ? bases[i].lower : 0);
		values[2][i] = Int64GetDatum(limited ? bases[i].upper : 0);
	}
	for (int c = 0; c < 3; c++)
		args[c + 1] = array_of(values[c], n, INT8OID);
	args[4] = DateADTGetDatum(date);
	qts_stmt_run(&store_bases, args, NULL);
}

void
qts_reference_missing(const QtsFollowed *followed, int nfollowed, QtsDate today, QtsDate before,
					  QtsReferenceMissing *missing)
{
	Datum args[3] = {symbols_of(followed, nfollowed, QTS_FOLLOW_HELD | QTS_FOLLOW_CLOSING | QTS_FOLLOW_ORDER),
					 DateADTGetDatum(today), DateADTGetDatum(before)};

	qts_stmt_run(&missing_of, args, before == QTS_DATE_NONE ? "  n" : NULL);
	missing->symbols = (int) qts_col_int64(0, 1, 0);
	missing->bases = (int) qts_col_int64(0, 2, 0);
	missing->bars = (int) qts_col_int64(0, 3, 0);
	qts_col_copy(0, 4, missing->first, sizeof(missing->first));
	missing->calendar = load_calendar_state().done < today;
}
