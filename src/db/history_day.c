/*-------------------------------------------------------------------------
 *
 * history_day.c
 *		What was known of a trading day before it opened.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "db/history.h"

/* An indicator older than two weeks is none, as live. */
#define HISTORY_ATR_DAYS 14

QtsCalendarDay
qts_history_calendar(const QtsHistory *history, QtsDate date)
{
	int low = 0;
	int high = history->ncalendar;

	while (low < high)
	{
		int middle = (low + high) / 2;

		if (history->calendar[middle].date < date)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < history->ncalendar && history->calendar[low].date == date)
		return history->calendar[low];
	return qts_calendar_normal(date);
}

int
qts_history_day_before(const QtsHistorySymbol *symbol, QtsDate date)
{
	int low = 0;
	int high = symbol->ndays;

	while (low < high)
	{
		int middle = (low + high) / 2;

		if (symbol->day[middle].date < date)
			low = middle + 1;
		else
			high = middle;
	}
	return low - 1;
}

QtsFeeRates
qts_history_rates(const QtsHistorySymbol *symbol, QtsDate date)
{
	QtsFeeRates rates = {0};

	for (int i = 0; i < symbol->nrates; i++)
		if (i == 0 || symbol->rate[i].from <= date)
			rates = symbol->rate[i].rates;
	return rates;
}

const QtsHistoryAction *
qts_history_action(const QtsHistorySymbol *symbol, QtsDate after, QtsDate date)
{
	for (int i = symbol->nactions - 1; i >= 0; i--)
		if (symbol->action[i].date > after && symbol->action[i].date <= date)
			return &symbol->action[i];
	return NULL;
}

/* What the exchange lets a price move in one day; ETPs move up to twice as far. */
static void
day_limits(const QtsHistorySymbol *symbol, QtsPrice base, QtsWalkDay *day)
{
	QtsKrw lower = 0;
	QtsKrw upper = 0;

	day->prev_close = base;
	if (base <= 0)
		return;
	if (symbol->instrument == QTS_INSTRUMENT_ETP)
	{
		day->lower = base / 5 * 2;
		day->upper = base / 5 * 8;
		return;
	}
	(void) qts_price_limits(base / QTS_PRICE_SCALE, QTS_INSTRUMENT_STOCK, &lower, &upper);
	day->lower = QTS_PRICE(lower);
	day->upper = QTS_PRICE(upper);
}

static QtsPrice
day_atr(const QtsHistorySymbol *symbol, QtsDate date)
{
	int i = qts_history_day_before(symbol, date);
	const QtsHistoryAction *action;
	QtsPrice atr;

	if (i < 0 || date - symbol->day[i].date > HISTORY_ATR_DAYS)
		return 0;
	atr = symbol->day[i].atr;
	action = qts_history_action(symbol, symbol->day[i].date, date);
	if (action != NULL && !qts_muldiv_floor(atr, action->ratio, QTS_PPM, &atr))
		return 0;
	return atr;
}

QtsWalkDay
qts_history_walk_day(const QtsHistory *history, const QtsHistorySymbol *symbol, QtsDate date, QtsPrice base)
{
	QtsCalendarDay calendar = qts_history_calendar(history, date);
	QtsTime midnight = qts_seoul_instant(date, 0);
	QtsWalkDay day = {.date = date, .rates = qts_history_rates(symbol, date)};

	day.open_at = day.closing_at = day.close_at = midnight;
	if (calendar.is_open)
	{
		day.open_at += calendar.open_at;
		day.closing_at += calendar.closing_auction_at;
		day.close_at += calendar.close_at;
	}
	day_limits(symbol, base, &day);
	day.atr = day_atr(symbol, date);
	return day;
}
