/*-------------------------------------------------------------------------
 *
 * api_summary.c
 *		Statistics of trades and of daily values over arrays.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "core/summary.h"
#include "errcodes.h"

extern PGDLLEXPORT Datum qts_sql_performance(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum qts_sql_trade_stats(PG_FUNCTION_ARGS);

#define PERFORMANCE_COLUMNS 10
#define STATS_COLUMNS 14

/* A one-dimensional array without nulls. */
static int64 *
array_int64(ArrayType *array, const char *name, int *n)
{
	Datum *elements;
	bool *nulls;
	int64 *values;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(QTS_ERRCODE_INVALID), errmsg("invalid %s", name),
						errdetail("It has %d dimensions.", ARR_NDIM(array)),
						errhint("Give a one-dimensional array.")));
	deconstruct_array(array, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &elements, &nulls, n);
	values = palloc(sizeof(int64) * (*n + 1));
	for (int i = 0; i < *n; i++)
	{
		if (nulls[i])
			ereport(ERROR, (errcode(QTS_ERRCODE_INVALID), errmsg("invalid %s", name),
							errdetail("Element %d is null.", i + 1),
							errhint("Leave out what is not known before it is collected.")));
		values[i] = DatumGetInt64(elements[i]);
	}
	return values;
}

static Datum
numeric_ppm(QtsPpm ppm, bool *isnull)
{
	*isnull = ppm == QTS_SUMMARY_NONE;
	return NumericGetDatum(int64_div_fast_to_numeric(*isnull ? 0 : ppm, 6));
}

static QtsPpm
ppm_numeric(Datum value)
{
	return DatumGetInt64(DirectFunctionCall1(
		numeric_int8, DirectFunctionCall2(numeric_mul, value, NumericGetDatum(int64_to_numeric(QTS_PPM)))));
}

static Datum
row_datum(FunctionCallInfo fcinfo, Datum *values, bool *nulls)
{
	TupleDesc desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

PG_FUNCTION_INFO_V1(qts_sql_performance);
Datum
qts_sql_performance(PG_FUNCTION_ARGS)
{
	Datum values[PERFORMANCE_COLUMNS] = {0};
	bool nulls[PERFORMANCE_COLUMNS] = {false};
	int64 *benchmark = NULL;
	int64 *value;
	int n;
	int others;
	QtsPerformance p = {0};
	bool enough;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	value = array_int64(PG_GETARG_ARRAYTYPE_P(0), "equity", &n);
	if (!PG_ARGISNULL(1))
	{
		benchmark = array_int64(PG_GETARG_ARRAYTYPE_P(1), "benchmark", &others);
		if (others != n)
			ereport(ERROR, (errcode(QTS_ERRCODE_INVALID), errmsg("invalid benchmark"),
							errdetail("It has %d values, equity has %d.", others, n),
							errhint("Give one value for each day of the equity curve.")));
	}
	enough = qts_performance(value, benchmark, n, ppm_numeric(PG_GETARG_DATUM(2)), &p);
	values[0] = CStringGetTextDatum(enough ? "OK" : "INSUFFICIENT_DATA");
	values[1] = Int32GetDatum(Max(n - 1, 0));
	if (!enough)
		p.total = p.annual = p.volatility = p.sharpe = p.sortino = p.max_drawdown = QTS_SUMMARY_NONE;
	if (!enough || benchmark == NULL)
		p.alpha = p.beta = QTS_SUMMARY_NONE;
	values[2] = numeric_ppm(p.total, &nulls[2]);
	values[3] = numeric_ppm(p.annual, &nulls[3]);
	values[4] = numeric_ppm(p.volatility, &nulls[4]);
	values[5] = numeric_ppm(p.sharpe, &nulls[5]);
	values[6] = numeric_ppm(p.sortino, &nulls[6]);
	values[7] = numeric_ppm(p.max_drawdown, &nulls[7]);
	values[8] = numeric_ppm(p.alpha, &nulls[8]);
	values[9] = numeric_ppm(p.beta, &nulls[9]);
	return row_datum(fcinfo, values, nulls);
}

PG_FUNCTION_INFO_V1(qts_sql_trade_stats);
Datum
qts_sql_trade_stats(PG_FUNCTION_ARGS)
{
	Datum values[STATS_COLUMNS] = {0};
	bool nulls[STATS_COLUMNS] = {false};
	QtsTradeStats stats = {0};
	int64 *days;
	int64 *pnl;
	int n;
	int others;

	pnl = array_int64(PG_GETARG_ARRAYTYPE_P(0), "pnl", &n);
	days = array_int64(PG_GETARG_ARRAYTYPE_P(1), "held_days", &others);
	if (others != n)
		ereport(ERROR,
				(errcode(QTS_ERRCODE_INVALID), errmsg("invalid held_days"),
				 errdetail("It has %d values, pnl has %d.", others, n), errhint("Give one for each trade.")));
	for (int i = 0; i < n; i++)
		qts_trade_add(&stats, pnl[i], days[i]);
	values[0] = Int64GetDatum(stats.trades);
	values[1] = Int64GetDatum(stats.wins);
	values[2] = Int64GetDatum(stats.losses);
	values[3] = numeric_ppm(qts_trade_win_rate(&stats), &nulls[3]);
	values[4] = Int64GetDatum(stats.won + stats.lost);
	values[5] = Int64GetDatum(qts_trade_average_win(&stats));
	nulls[5] = stats.wins == 0;
	values[6] = Int64GetDatum(qts_trade_average_loss(&stats));
	nulls[6] = stats.losses == 0;
	values[7] = numeric_ppm(qts_trade_profit_factor(&stats), &nulls[7]);
	values[8] = Int64GetDatum(qts_trade_expectancy(&stats));
	nulls[8] = stats.trades == 0;
	values[9] = NumericGetDatum(
		int64_div_fast_to_numeric(stats.trades == 0 ? 0 : stats.days * 100 / stats.trades, 2));
	nulls[9] = stats.trades == 0;
	values[10] = Int64GetDatum(stats.wins_in_row);
	values[11] = Int64GetDatum(stats.losses_in_row);
	values[12] = Int64GetDatum(stats.largest_win);
	values[13] = Int64GetDatum(stats.largest_loss);
	return row_datum(fcinfo, values, nulls);
}
