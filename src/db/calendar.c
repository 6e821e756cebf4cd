/*-------------------------------------------------------------------------
 *
 * calendar.c
 *		Today's row of market.calendar, cached; what the broker says about days.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/date.h"

#include "db/calendar.h"
#include "db/exec.h"
#include "db/stmt.h"
#include "errcodes.h"
#include "shm/wake.h"

extern PGDLLEXPORT Datum qts_sql_merge_calendar(PG_FUNCTION_ARGS);

/* Extended trading begins when the regular day has ended, also on a day that ends later. */
static QtsStmt load_day = {
	"SELECT c.is_open, c.auction_at, c.open_at, c.closing_auction_at, c.close_at, c.end_at, c.doubt IS NOT NULL,"
	" pre.start_at, least(pre.end_at, c.auction_at), greatest(post.start_at, c.end_at), post.end_at"
	" FROM market.calendar AS c"
	" LEFT JOIN LATERAL (SELECT s.start_at, s.end_at FROM market.sessions AS s WHERE s.venue = 'KRX'"
	"  AND s.phase = 'PRE_MARKET' AND s.from_date <= c.date ORDER BY s.from_date DESC LIMIT 1) AS pre ON true"
	" LEFT JOIN LATERAL (SELECT s.start_at, s.end_at FROM market.sessions AS s WHERE s.venue = 'KRX'"
	"  AND s.phase = 'AFTER_MARKET' AND s.from_date <= c.date ORDER BY s.from_date DESC LIMIT 1) AS post ON true"
	" WHERE c.date = $1",
	1,
	{DATEOID}};

static QtsStmt doubt_day = {"SELECT qts._doubt_day($1, $2)", 2, {DATEOID, TEXTOID}};

static QtsStmt lock_day = {
	"SELECT is_open, confirmed FROM market.calendar WHERE date = $1 FOR NO KEY UPDATE", 1, {DATEOID}};

static QtsStmt confirm_day = {
	"UPDATE market.calendar SET confirmed = true WHERE date = $1 AND NOT confirmed AND doubt IS NULL",
	1,
	{DATEOID}};

static QtsStmt close_day = {
	"UPDATE market.calendar SET is_open = false, source = 'KIS', confirmed = true, doubt = NULL,"
	" note = concat_ws('; ', note, 'closed by the broker''s calendar') WHERE date = $1",
	1,
	{DATEOID}};

static QtsStmt add_day = {
	"INSERT INTO market.calendar (date, is_open, auction_at, open_at, closing_auction_at, close_at, end_at, source,"
	" confirmed) SELECT $1, $2, h.auction_at, h.open_at, h.closing_auction_at, h.close_at, h.end_at, 'KIS', true"
	" FROM qts._day_hours($1, NULL, NULL) AS h ON CONFLICT DO NOTHING",
	2,
	{DATEOID, BOOLOID}};

static QtsCalendarDay cached;
static bool cached_known = false;
static bool cached_valid = false;
static QtsDate cached_date;
static uint64 cached_config;

static void
calendar_read(QtsDate date)
{
	memset(&cached, 0, sizeof(cached));
	cached.date = date;
	cached.is_open = qts_col_bool(0, 1);
	cached.auction_at = qts_col_int64(0, 2, 0);
	cached.open_at = qts_col_int64(0, 3, 0);
	cached.closing_auction_at = qts_col_int64(0, 4, 0);
	cached.close_at = qts_col_int64(0, 5, 0);
	cached.end_at = qts_col_int64(0, 6, 0);
	cached.doubtful = qts_col_bool(0, 7);
	cached.pre_at = qts_col_int64(0, 8, 0);
	cached.after_until = qts_col_int64(0, 11, 0);
	/* least() and greatest() skip a null: without a session there is no window */
	cached.pre_until = cached.pre_at == 0 ? 0 : qts_col_int64(0, 9, 0);
	cached.after_at = cached.after_until == 0 ? 0 : qts_col_int64(0, 10, 0);
}

const QtsCalendarDay *
qts_calendar_today(TimestampTz now)
{
	QtsDate date = qts_seoul_date(now);
	uint64 config = qts_change_count(QTS_CHANGE_CONFIG);

	if (!cached_valid || cached_date != date || cached_config != config)
	{
		Datum args[1] = {DateADTGetDatum(date)};

		cached_valid = false; /* until the whole row is here */
		cached_known = qts_stmt_run(&load_day, args, NULL) == 1;
		if (cached_known)
			calendar_read(date);
		cached_date = date;
		cached_config = config;
		cached_valid = true;
	}
	return cached_known ? &cached : NULL;
}

/* Not a business day, or not its hours; paper has codes of its own (kis-api 6.3). */
static bool
calendar_says_closed(const char *msg_cd)
{
	static const char *const codes[] = {"APBK0919", "APBK0918", "40100000", "40570000", "40580000"};

	for (size_t i = 0; i < lengthof(codes); i++)
	{
		if (strcmp(msg_cd, codes[i]) == 0)
			return true;
	}
	return false;
}

void
qts_calendar_refused(const char *msg_cd, TimestampTz now)
{
	QtsDate date = qts_seoul_date(now);
	Datum args[2] = {DateADTGetDatum(date)};
	char why[64];

	if (!calendar_says_closed(msg_cd) || !qts_session_contradicted(qts_calendar_today(now), now))
		return;
	snprintf(why, sizeof(why), "the broker refused an order with %s", msg_cd);
	args[1] = qts_text(why);
	qts_stmt_run(&doubt_day, args, NULL);
	if (!qts_col_bool(0, 1))
		return;
	qts_alert("CRITICAL", "CALENDAR_DOUBT", "",
			  "Entries stop for the day. Look at the exchange's notices, then qts.set_trading_day().",
			  "the calendar says open on %d, but the broker refused an order with %s",
			  qts_date_yyyymmdd(date), msg_cd);
}

static void
calendar_conflict(QtsDate date, bool broker_open)
{
	char subject[16];

	snprintf(subject, sizeof(subject), "%d", qts_date_yyyymmdd(date));
	qts_alert("WARNING", "CALENDAR_CONFLICT", subject,
			  broker_open ? "If the exchange is open that day, say so with qts.set_trading_day()."
						  : "Nothing needs to be done unless the broker is wrong.",
			  "market.calendar has %s as %s, the broker as %s: it counts as closed", subject,
			  broker_open ? "closed" : "open", broker_open ? "open" : "closed");
}

static int
calendar_merge_day(const QtsTradingDay *day)
{
	Datum args[2] = {DateADTGetDatum(day->date), BoolGetDatum(day->open)};
	bool local_open;
	bool confirmed;

	if (qts_stmt_run(&lock_day, args, NULL) == 0)
		return (int) qts_stmt_run(&add_day, args, NULL);
	local_open = qts_col_bool(0, 1);
	confirmed = qts_col_bool(0, 2);
	if (local_open == day->open)
		return confirmed ? 0 : (int) qts_stmt_run(&confirm_day, args, NULL);
	calendar_conflict(day->date, day->open);
	return local_open ? (int) qts_stmt_run(&close_day, args, NULL) : 0;
}

int
qts_calendar_merge(const QtsTradingDay *days, int n)
{
	int changed = 0;

	for (int i = 0; i < n; i++)
		changed += calendar_merge_day(&days[i]);
	return changed;
}

/* The same from SQL: what a person read off the broker's calendar. */
PG_FUNCTION_INFO_V1(qts_sql_merge_calendar);
Datum
qts_sql_merge_calendar(PG_FUNCTION_ARGS)
{
	Datum *dates;
	Datum *open;
	int n;
	int m;
	int changed;
	QtsTradingDay *days;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), DATEOID, sizeof(DateADT), true, TYPALIGN_INT, &dates, NULL,
					  &n);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), BOOLOID, 1, true, TYPALIGN_CHAR, &open, NULL, &m);
	if (n != m)
		ereport(ERROR, (errcode(QTS_ERRCODE_INVALID), errmsg("days and open do not have the same length"),
						errdetail("They have %d and %d elements.", n, m),
						errhint("Give for each day whether the broker has it as open.")));
	days = palloc(sizeof(QtsTradingDay) * (n + 1));
	for (int i = 0; i < n; i++)
		days[i] = (QtsTradingDay){.date = DatumGetDateADT(dates[i]), .open = DatumGetBool(open[i])};
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	changed = qts_calendar_merge(days, n);
	SPI_finish();
	PG_RETURN_INT32(changed);
}
