/*-------------------------------------------------------------------------
 *
 * reference.c
 *		What is asked of the broker once a day: when it is due, and which
 *		answers can be believed.
 *
 *-------------------------------------------------------------------------
 */
#include "core/reference.h"

#define CALENDAR_FROM (6 * QTS_HOUR)	/* the broker's night is over */
#define BARS_AFTER (10 * QTS_MINUTE)	/* behind the end of the day, when its bar is whole */
#define BASES_BEFORE (10 * QTS_MINUTE)	/* ahead of the opening auction */
#define NEEDED_BEFORE (10 * QTS_MINUTE) /* ahead of the open: 08:50 on a normal day */
#define HOPELESS 5						/* tries of a day, within half an hour */

const char *
qts_reference_name(QtsReferenceTask task)
{
	static const char *const names[QTS_REFERENCE_TASKS] = {
		[QTS_REFERENCE_CALENDAR] = "CALENDAR",
		[QTS_REFERENCE_BARS] = "DAILY_BARS",
		[QTS_REFERENCE_BASES] = "BASE_PRICES",
	};

	return names[task];
}

QtsDate
qts_reference_target(QtsReferenceTask task, const QtsCalendarDay *today, QtsDate before, QtsTime now)
{
	QtsDate date = qts_seoul_date(now);
	QtsTime time = qts_seoul_time_of_day(now);
	bool open = today != NULL && today->date == date && today->is_open;

	switch (task)
	{
		case QTS_REFERENCE_CALENDAR:
			return time >= CALENDAR_FROM ? date : QTS_DATE_NONE;
		case QTS_REFERENCE_BARS:
			/* a doubtful day may have been none: tomorrow's look takes it along */
			return open && !today->doubtful && time >= today->end_at + BARS_AFTER ? date : before;
		case QTS_REFERENCE_BASES:
			return open && time >= today->auction_at - BASES_BEFORE && time < today->close_at ? date
																							  : QTS_DATE_NONE;
		case QTS_REFERENCE_TASKS:
			break;
	}
	return QTS_DATE_NONE;
}

int64_t
qts_reference_delay(QtsReferenceTask task, int tries)
{
	static const struct
	{
		int64_t first;
		int64_t most;
	} delay[QTS_REFERENCE_TASKS] = {
		[QTS_REFERENCE_CALENDAR] = {5 * QTS_MINUTE, QTS_HOUR},
		[QTS_REFERENCE_BARS] = {QTS_MINUTE, 30 * QTS_MINUTE},
		[QTS_REFERENCE_BASES] = {15 * QTS_SEC, 5 * QTS_MINUTE},
	};
	int64_t wait = delay[task].first;

	for (int i = 1; i < tries && wait < delay[task].most; i++)
		wait *= 2;
	return wait < delay[task].most ? wait : delay[task].most;
}

bool
qts_reference_due(QtsReferenceTask task, QtsDate target, const QtsReferenceState *state, QtsTime now)
{
	if (target == QTS_DATE_NONE || state->done >= target)
		return false;
	if (state->tried_at == QTS_TIME_NONE || state->failures <= 0 || state->tried_at > now)
		return true;
	return now - state->tried_at >= qts_reference_delay(task, state->failures);
}

bool
qts_reference_hopeless(int tries)
{
	return tries >= HOPELESS;
}

bool
qts_reference_needed(const QtsCalendarDay *today, QtsTime now)
{
	QtsTime time = qts_seoul_time_of_day(now);

	return today != NULL && today->date == qts_seoul_date(now) && today->is_open &&
		   time >= today->open_at - NEEDED_BEFORE && time < today->close_at;
}

bool
qts_trading_days_believable(int days, int open)
{
	return days > 0 && (days < 14 || open > 0);
}

/*
 * Before the open the broker may still show the day before.  Trades tell it
 * before the auction, when there are none; later, a base price that has not
 * moved although the stock has.
 */
static bool
base_old(const QtsBasePrice *told, const QtsBaseKnown *known, const QtsCalendarDay *today, QtsTime time)
{
	if (time >= today->open_at)
		return false;
	if (time < today->auction_at && told->volume > 0)
		return true;
	return known->base > 0 && known->close > 0 && told->base == known->base && told->base != known->close;
}

/* The widest limits there are: 60 % to 400 % on the first day, 60 % both ways of what is leveraged. */
QtsBaseVerdict
qts_base_judge(const QtsBasePrice *told, const QtsBaseKnown *known, const QtsCalendarDay *today, QtsTime now)
{
	if (told->base <= 0 || told->lower < 0 || told->upper < 0)
		return QTS_BASE_IMPOSSIBLE;
	if (base_old(told, known, today, qts_seoul_time_of_day(now)))
		return QTS_BASE_OLD;
	if (told->lower == 0 || told->upper == 0)
		return QTS_BASE_UNLIMITED;
	if (told->lower > told->base || told->upper < told->base || told->upper / 4 > told->base ||
		told->lower < told->base / 3)
		return QTS_BASE_IMPOSSIBLE;
	return QTS_BASE_GOOD;
}

const char *
qts_base_fault(QtsBaseVerdict verdict)
{
	switch (verdict)
	{
		case QTS_BASE_OLD:
			return "the broker still shows the base price of the day before";
		case QTS_BASE_IMPOSSIBLE:
			return "base price and limits do not fit";
		case QTS_BASE_GOOD:
		case QTS_BASE_UNLIMITED:
		case QTS_BASE_VERDICTS:
			break;
	}
	return NULL;
}
