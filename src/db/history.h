/*-------------------------------------------------------------------------
 *
 * history.h
 *		Stored prices for backtests: bars and ticks of symbols, the calendar,
 *		rates, indicators and corporate actions, cached for one query.
 *
 * Reads with the snapshot of the calling query.  All memory is in the context
 * given; of the symbols those used longest ago go first.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_DB_HISTORY_H
#define QTS_DB_HISTORY_H

#include "postgres.h"

#include "lib/ilist.h"
#include "utils/timestamp.h"

#include "core/backtest.h"
#include "core/price.h"
#include "core/session.h"
#include "db/stmt.h"

typedef enum QtsHistorySource
{
	QTS_HISTORY_TICKS,
	QTS_HISTORY_1M,
	QTS_HISTORY_1D
} QtsHistorySource;

typedef struct QtsHistoryTick
{
	QtsWalkPrice price;
	QtsSource source;
} QtsHistoryTick;

/* Consecutive prices of one symbol; a slice of time, whatever falls into it. */
typedef struct QtsHistoryChunk
{
	QtsHistorySource source;
	int64 number;
	int n;
	int room;
	QtsBar *bar;		  /* of 1m */
	QtsHistoryTick *tick; /* of ticks */
} QtsHistoryChunk;

/* A daily bar, and what was known when its day was over. */
typedef struct QtsHistoryDay
{
	QtsDate date;
	QtsBar bar;
	QtsPrice atr; /* 0 = not known */
} QtsHistoryDay;

typedef struct QtsHistoryAction
{
	QtsDate date;
	QtsKrw prev_close;
	QtsKrw base;
	QtsPpm ratio; /* price after / price before; 0 = not confirmed */
} QtsHistoryAction;

typedef struct QtsHistoryRate
{
	QtsDate from;
	QtsFeeRates rates;
} QtsHistoryRate;

typedef struct QtsHistorySymbol
{
	dlist_node node; /* most recently used first */
	char symbol[QTS_SYMBOL_LEN + 1];
	MemoryContext cxt;
	QtsInstrument instrument;
	QtsHistoryDay *day;
	int ndays;
	QtsHistoryAction *action;
	int nactions;
	QtsHistoryRate *rate;
	int nrates;
	TimestampTz last[QTS_HISTORY_1D]; /* of ticks and minutes; 0 = not asked yet */
	QtsHistoryChunk **chunk;
	int nchunks;
} QtsHistorySymbol;

typedef struct QtsHistory
{
	MemoryContext cxt;
	dlist_head symbols;
	QtsCalendarDay *calendar;
	int ncalendar;
	int64 rows; /* read so far */
} QtsHistory;

/* A row of a query, its columns as the executor has them: by-reference ones are copied by the taker. */
typedef void (*QtsRowTaker)(void *arg, const Datum *values, const bool *nulls);

/* Every row of the result, one by one, as the calling query sees the tables; returns how many. */
extern int64 qts_history_query(QtsStmt *stmt, const Datum *args, QtsRowTaker take, void *arg);

extern QtsHistory *qts_history_create(MemoryContext parent);

/* Valid until the next call for another symbol. */
extern QtsHistorySymbol *qts_history_symbol(QtsHistory *history, const char *symbol);

/* The slice an instant is in, and its prices; valid until the next call. */
extern int64 qts_history_slice(QtsHistorySource source, TimestampTz at);
extern const QtsHistoryChunk *
qts_history_chunk(QtsHistory *history, QtsHistorySymbol *symbol, QtsHistorySource source, int64 number);

/* When the last price of a source is from; DT_NOBEGIN when there is none. */
extern TimestampTz qts_history_last(QtsHistory *history, QtsHistorySymbol *symbol, QtsHistorySource source);

/* The calendar's row of a day; a day it does not know is a normal one: there are prices of it. */
extern QtsCalendarDay qts_history_calendar(const QtsHistory *history, QtsDate date);

/*
 * What is known of a day before it opens, but for what trading itself tells: base is the
 * price it starts from, 0 = not known.
 */
extern QtsWalkDay
qts_history_walk_day(const QtsHistory *history, const QtsHistorySymbol *symbol, QtsDate date, QtsPrice base);

/* Index of the last daily bar before a day, -1 = none. */
extern int qts_history_day_before(const QtsHistorySymbol *symbol, QtsDate date);

/* Rates of a day; before the first ones known, those. */
extern QtsFeeRates qts_history_rates(const QtsHistorySymbol *symbol, QtsDate date);

/* The last corporate action in (after, date], NULL = none. */
extern const QtsHistoryAction *
qts_history_action(const QtsHistorySymbol *symbol, QtsDate after, QtsDate date);

#endif /* QTS_DB_HISTORY_H */
