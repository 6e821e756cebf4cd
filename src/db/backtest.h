/*-------------------------------------------------------------------------
 *
 * backtest.h
 *		Backtests in a query: arguments, and walks over stored prices.
 *
 * Reads only.  State lives as long as the calling query (fn_extra), so that
 * neighbouring calls share prices and parsed profiles.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_DB_BACKTEST_H
#define QTS_DB_BACKTEST_H

#include "postgres.h"

#include "fmgr.h"

#include "db/fill_model.h"
#include "db/history.h"
#include "shm/progress.h"

/* A text that was read once: the next call often brings the same. */
typedef struct QtsBacktestText
{
	char *text;
	Size length;
} QtsBacktestText;

typedef struct QtsBacktestQuery
{
	MemoryContext cxt;
	QtsHistory *history;
	int slot;
	QtsProgress progress;
	MemoryContextCallback ended;

	/* as last parsed */
	QtsBacktestText profile_id;
	QtsBacktestText config;
	QtsExitProfile profile;
	QtsBacktestText model_text;
	QtsModel model;
} QtsBacktestQuery;

typedef struct QtsBacktestArgs
{
	char symbol[QTS_SYMBOL_LEN + 1];
	TimestampTz entry_at;
	QtsQty qty;
	char *profile_id;
	QtsHistorySource source;
	TimestampTz until;
	QtsPrice entry_price; /* 0 = as the market gives */
} QtsBacktestArgs;

/* One walk under way. */
typedef struct QtsBacktestRun
{
	QtsBacktestQuery *query;
	QtsHistorySymbol *symbol;
	QtsWalk walk;
	TimestampTz until;
	QtsDate date;		 /* under way; valid once day_end is set */
	TimestampTz day_end; /* 0 = no day yet */
	QtsPrice last;		 /* the last price seen, of any day */
	bool frozen;
	QtsQuote quote[QTS_SOURCE_COUNT]; /* of ticks: what each source said last */

	/* at the end of each day that had prices and a position */
	void (*day_over)(struct QtsBacktestRun *run, void *arg);
	/* at each price, for pictures */
	void (*price_seen)(struct QtsBacktestRun *run, void *arg);
	void *arg;
} QtsBacktestRun;

/* The query's state, made at its first call. */
extern QtsBacktestQuery *qts_backtest_query(FmgrInfo *flinfo);

/* How many walks the next query of this process will make, for its progress. */
extern void qts_backtest_announce(int64 total);

/* False: an argument that must be given is null, so there is no result. */
extern bool qts_backtest_args(FunctionCallInfo fcinfo, QtsBacktestQuery *query, QtsBacktestArgs *args);

/* Prepare a walk; the caller may set sinks before it is run. */
extern void qts_backtest_init(QtsBacktestQuery *query, const QtsBacktestArgs *args, QtsBacktestRun *run);
extern void qts_backtest_run(QtsBacktestRun *run, const QtsBacktestArgs *args);

#endif /* QTS_DB_BACKTEST_H */
