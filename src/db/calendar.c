/*-------------------------------------------------------------------------
 *
 * calendar.c
 *		Today's row of market.calendar, cached.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "utils/date.h"

#include "db/exec.h"
#include "db/stmt.h"
#include "shm/wake.h"

static QtsStmt load_day = {
	"SELECT is_open, auction_at, open_at, closing_auction_at, close_at, end_at FROM market.calendar WHERE date = $1",
	1,
	{DATEOID}};

static QtsCalendarDay cached;
static bool cached_known = false;
static bool cached_valid = false;
static QtsDate cached_date;
static uint64 cached_config;

const QtsCalendarDay *
qts_calendar_today(TimestampTz now)
{
	QtsDate date = qts_seoul_date(now);
	uint64 config = qts_change_count(QTS_CHANGE_CONFIG);

	if (!cached_valid || cached_date != date || cached_config != config)
	{
		Datum args[1] = {DateADTGetDatum(date)};

		cached_known = qts_stmt_run(&load_day, args, NULL) == 1;
		if (cached_known)
		{
			cached.date = date;
			cached.is_open = qts_col_bool(0, 1);
			cached.auction_at = qts_col_int64(0, 2, 0);
			cached.open_at = qts_col_int64(0, 3, 0);
			cached.closing_auction_at = qts_col_int64(0, 4, 0);
			cached.close_at = qts_col_int64(0, 5, 0);
			cached.end_at = qts_col_int64(0, 6, 0);
		}
		cached_date = date;
		cached_config = config;
		cached_valid = true;
	}
	return cached_known ? &cached : NULL;
}
