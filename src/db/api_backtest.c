/*-------------------------------------------------------------------------
 *
 * api_backtest.c
 *		SQL-callable backtests: trades, events, days and the path of one walk;
 *		statistics; progress.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/numeric.h"

#include "core/summary.h"
#include "db/backtest.h"
#include "db/stmt.h"
#include "db/walk_rows.h"

extern PGDLLEXPORT Datum qts_sql_backtest(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum qts_sql_backtest_events(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum qts_sql_backtest_days(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum qts_sql_backtest_path(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum qts_sql_backtest_announce(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum qts_sql_backtest_progress(PG_FUNCTION_ARGS);

#define TRADE_COLUMNS 18
#define DAY_COLUMNS 5
#define PROGRESS_COLUMNS 8

static const char *
trade_status(const QtsBacktestRun *run)
{
	if (!run->walk.entered)
		return "NOT_ENTERED";
	if (qts_walk_over(&run->walk))
		return "CLOSED";
	return run->frozen ? "FROZEN" : "OPEN";
}

static Datum
ratio_percent(QtsPrice price, QtsPrice base)
{
	/* a ppm is a per cent in 1/10 000, as a price is a KRW in 1/10 000 */
	return qts_price_numeric(qts_return_ppm(price, base));
}

static void
trade_emit(ReturnSetInfo *result, const QtsBacktestRun *run, const QtsBacktestArgs *args)
{
	const QtsWalk *walk = &run->walk;
	QtsKrw pnl = walk->entered ? qts_walk_pnl(walk) : 0;
	Datum values[TRADE_COLUMNS];
	bool nulls[TRADE_COLUMNS] = {false};
	QtsPrice bought = walk->split ? 0 : walk->bought_at;

	values[0] = CStringGetTextDatum(args->symbol);
	values[1] = CStringGetTextDatum(args->profile_id);
	values[2] = TimestampTzGetDatum(walk->entered_at);
	values[3] = qts_price_numeric(walk->bought_at);
	values[4] = Int64GetDatum(walk->entered ? walk->bought_qty : args->qty);
	values[5] = TimestampTzGetDatum(walk->exited_at);
	values[6] = qts_price_numeric(qts_average_price(walk->sold, walk->sold_qty));
	values[7] = Int64GetDatum(walk->sold_qty);
	values[8] = CStringGetTextDatum(trade_status(run));
	values[9] = CStringGetTextDatum(qts_exit_rule_name(walk->exit_rule));
	values[10] = Int64GetDatum(pnl);
	values[11] = ratio_percent(walk->bought + pnl, walk->bought);
	values[12] = Int64GetDatum(walk->fees);
	values[13] = Int64GetDatum(walk->taxes);
	/* after a split the extremes are those of other shares */
	values[14] = ratio_percent(walk->lowest, bought);
	values[15] = ratio_percent(walk->highest, bought);
	values[16] = Int32GetDatum(walk->position.held_days);
	values[17] = Int64GetDatum(walk->looks);
	nulls[2] = nulls[3] = nulls[10] = nulls[11] = nulls[16] = !walk->entered;
	nulls[5] = nulls[6] = nulls[9] = walk->sold_qty == 0;
	nulls[14] = nulls[15] = bought == 0;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(qts_sql_backtest);
Datum
qts_sql_backtest(PG_FUNCTION_ARGS)
{
	QtsBacktestQuery *query = qts_backtest_query(fcinfo->flinfo);
	QtsBacktestArgs args;
	QtsBacktestRun run;

	InitMaterializedSRF(fcinfo, 0);
	if (!qts_backtest_args(fcinfo, query, &args))
		return (Datum) 0;
	qts_backtest_init(query, &args, &run);
	qts_backtest_run(&run, &args);
	trade_emit((ReturnSetInfo *) fcinfo->resultinfo, &run, &args);
	return (Datum) 0;
}

/* What a sink needs to know. */
typedef struct Emit
{
	ReturnSetInfo *result;
	const QtsBacktestRun *run;
	TimestampTz last; /* of the path */
} Emit;

/* One walk, its rows put by whom it is told to. */
static Datum
backtest_told(FunctionCallInfo fcinfo, void (*event)(void *, const QtsWalkEvent *),
			  void (*day_over)(QtsBacktestRun *, void *), void (*price_seen)(QtsBacktestRun *, void *))
{
	QtsBacktestQuery *query = qts_backtest_query(fcinfo->flinfo);
	QtsBacktestArgs args;
	QtsBacktestRun run;
	Emit emit = {.run = &run, .last = DT_NOBEGIN / 2};

	InitMaterializedSRF(fcinfo, 0);
	emit.result = (ReturnSetInfo *) fcinfo->resultinfo;
	if (!qts_backtest_args(fcinfo, query, &args))
		return (Datum) 0;
	qts_backtest_init(query, &args, &run);
	run.walk.sink = event;
	run.walk.sink_arg = &emit;
	run.day_over = day_over;
	run.price_seen = price_seen;
	run.arg = &emit;
	qts_backtest_run(&run, &args);
	return (Datum) 0;
}

static void
event_emit(void *arg, const QtsWalkEvent *event)
{
	Emit *emit = arg;

	qts_walk_event_put(emit->result->setResult, emit->result->setDesc, &emit->run->walk.profile, event);
}

PG_FUNCTION_INFO_V1(qts_sql_backtest_events);
Datum
qts_sql_backtest_events(PG_FUNCTION_ARGS)
{
	return backtest_told(fcinfo, event_emit, NULL, NULL);
}

static void
day_emit(QtsBacktestRun *run, void *arg)
{
	ReturnSetInfo *result = ((Emit *) arg)->result;
	const QtsWalk *walk = &run->walk;
	QtsKrw value = 0;
	Datum values[DAY_COLUMNS];
	bool nulls[DAY_COLUMNS] = {false};

	(void) qts_muldiv_floor(walk->position.qty, walk->seen.last, QTS_PRICE_SCALE, &value);
	values[0] = DateADTGetDatum(run->date);
	values[1] = qts_price_numeric(walk->seen.last);
	values[2] = Int64GetDatum(walk->position.qty);
	values[3] = Int64GetDatum(value);
	values[4] = Int64GetDatum(qts_walk_pnl(walk));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(qts_sql_backtest_days);
Datum
qts_sql_backtest_days(PG_FUNCTION_ARGS)
{
	return backtest_told(fcinfo, NULL, day_emit, NULL);
}

/* One point a second at most: more than any picture shows. */
static void
path_emit(QtsBacktestRun *run, void *arg)
{
	Emit *emit = arg;

	if (run->walk.seen.at - emit->last < QTS_SEC && !qts_walk_over(&run->walk))
		return;
	emit->last = run->walk.seen.at;
	qts_walk_path_put(emit->result->setResult, emit->result->setDesc, &run->walk);
}

PG_FUNCTION_INFO_V1(qts_sql_backtest_path);
Datum
qts_sql_backtest_path(PG_FUNCTION_ARGS)
{
	return backtest_told(fcinfo, NULL, NULL, path_emit);
}

PG_FUNCTION_INFO_V1(qts_sql_backtest_announce);
Datum
qts_sql_backtest_announce(PG_FUNCTION_ARGS)
{
	qts_backtest_announce(PG_GETARG_INT64(0));
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(qts_sql_backtest_progress);
Datum
qts_sql_backtest_progress(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result;

	InitMaterializedSRF(fcinfo, 0);
	result = (ReturnSetInfo *) fcinfo->resultinfo;
	for (int i = 0; i < QTS_PROGRESS_SLOTS; i++)
	{
		QtsProgress now;
		Datum values[PROGRESS_COLUMNS];
		bool nulls[PROGRESS_COLUMNS] = {false};

		if (!qts_progress_read(i, &now))
			continue;
		values[0] = Int32GetDatum(now.pid);
		values[1] = TimestampTzGetDatum(now.started);
		values[2] = CStringGetTextDatum(now.symbol);
		values[3] = TimestampTzGetDatum(now.at);
		values[4] = Int64GetDatum(now.walks);
		values[5] = Int64GetDatum(now.total);
		values[6] = Int64GetDatum(now.looks);
		values[7] = Int64GetDatum(now.rows);
		nulls[2] = nulls[3] = now.symbol[0] == '\0';
		nulls[5] = now.total == 0;
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
