/*-------------------------------------------------------------------------
 *
 * api_engine.c
 *		SQL-callable functions over shared memory: clock, prices, workers,
 *		feeds, metrics.  They take no lock longer than a copy.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/builtins.h"

#include "db/engine.h"
#include "shm/board.h"
#include "shm/clock.h"
#include "shm/shm.h"

#define WORKER_PROCESSES 16 /* what the manual asks for */

PG_FUNCTION_INFO_V1(qts_sql_now);
PG_FUNCTION_INFO_V1(qts_sql_set_clock);
PG_FUNCTION_INFO_V1(qts_sql_advance_clock);
PG_FUNCTION_INFO_V1(qts_sql_price);
PG_FUNCTION_INFO_V1(qts_sql_workers);
PG_FUNCTION_INFO_V1(qts_sql_feeds);
PG_FUNCTION_INFO_V1(qts_sql_sessions);
PG_FUNCTION_INFO_V1(qts_sql_metrics);
PG_FUNCTION_INFO_V1(qts_sql_bench_price);
PG_FUNCTION_INFO_V1(qts_sql_identity);

Datum
qts_sql_now(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(qts_now());
}

static void
clock_moved(void)
{
	for (int i = 0; i < QTS_WORKER_COUNT; i++)
		qts_wake_now((QtsWorkerId) i);
}

Datum
qts_sql_set_clock(PG_FUNCTION_ARGS)
{
	qts_clock_set(PG_GETARG_TIMESTAMPTZ(0));
	clock_moved();
	PG_RETURN_INT64(qts_clock_offset());
}

Datum
qts_sql_advance_clock(PG_FUNCTION_ARGS)
{
	Interval *by = PG_GETARG_INTERVAL_P(0);

	qts_clock_advance(by->time + (by->day + by->month * (int64) DAYS_PER_MONTH) * USECS_PER_DAY);
	clock_moved();
	PG_RETURN_INT64(qts_clock_offset());
}

/* The symbol as a C string without a copy to the heap of palloc's; "" when too long to be one. */
static void
arg_symbol(text *arg, char *symbol)
{
	size_t length = VARSIZE_ANY_EXHDR(arg);

	if (length > QTS_SYMBOL_LEN)
		length = 0;
	memcpy(symbol, VARDATA_ANY(arg), length);
	symbol[length] = '\0';
}

Datum
qts_sql_price(PG_FUNCTION_ARGS)
{
	static TupleDesc desc = NULL; /* for the life of the process */
	char symbol[QTS_SYMBOL_LEN + 1];
	QtsBoardQuote quote;
	Datum values[6] = {0};
	bool nulls[6] = {true, true, true, true, true, true};

	qts_require_preload();
	if (desc == NULL)
	{
		TupleDesc found;
		MemoryContext old;

		if (get_call_result_type(fcinfo, NULL, &found) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		old = MemoryContextSwitchTo(TopMemoryContext);
		desc = BlessTupleDesc(CreateTupleDescCopy(found));
		MemoryContextSwitchTo(old);
	}
	arg_symbol(PG_GETARG_TEXT_PP(0), symbol);
	if (qts_board_quote(symbol, &quote))
	{
		values[0] = Int64GetDatum(quote.quote.last / QTS_PRICE_SCALE);
		values[1] = Int64GetDatum(quote.quote.bid / QTS_PRICE_SCALE);
		values[2] = Int64GetDatum(quote.quote.ask / QTS_PRICE_SCALE);
		values[3] = CStringGetTextDatum(qts_source_name(quote.source));
		values[4] = Int64GetDatum(quote.age_ms);
		values[5] = BoolGetDatum(quote.stale);
		memset(nulls, false, sizeof(nulls));
		nulls[1] = quote.quote.bid == 0;
		nulls[2] = quote.quote.ask == 0;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

Datum
qts_sql_bench_price(PG_FUNCTION_ARGS)
{
	char symbol[QTS_SYMBOL_LEN + 1];
	int64 reads = PG_GETARG_INT64(1);
	int slot;
	QtsBoardEntry entry;
	volatile int64 sum = 0;
	instr_time start;
	instr_time end;

	qts_require_preload();
	arg_symbol(PG_GETARG_TEXT_PP(0), symbol);
	slot = qts_board_find(symbol);
	if (slot < 0 || reads <= 0)
		PG_RETURN_NULL();
	INSTR_TIME_SET_CURRENT(start);
	for (int64 i = 0; i < reads; i++)
	{
		if ((i & 0xffffff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (qts_board_read(slot, &entry))
			sum += entry.quote.last;
	}
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, start);
	PG_RETURN_FLOAT8(INSTR_TIME_GET_DOUBLE(end) * 1e9 / (double) reads);
}

Datum
qts_sql_identity(PG_FUNCTION_ARGS)
{
	TupleDesc desc;
	Datum values[2] = {Int64GetDatum((int64) GetSystemIdentifier()),
					   Int32GetDatum((int32) qts_engine_timeline())};
	bool nulls[2] = {false, false};

	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION), errmsg("a standby has no timeline of its own"),
				 errhint("Ask the primary, or promote this server first.")));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

static Datum
text_or_null(const char *value, bool *isnull)
{
	*isnull = value[0] == '\0';
	return *isnull ? (Datum) 0 : CStringGetTextDatum(value);
}

static Datum
time_or_null(TimestampTz value, bool *isnull)
{
	*isnull = value == 0;
	return TimestampTzGetDatum(value);
}

/* A process that never came cannot say why. */
static void
worker_absence(char *detail)
{
	if (max_worker_processes < WORKER_PROCESSES)
		snprintf(detail, QTS_SHM_DETAIL,
				 "max_worker_processes is %d: set it to %d or more and restart the server",
				 max_worker_processes, WORKER_PROCESSES);
	else
		strlcpy(detail, "not running: it starts again within a second, or the server log says why not",
				QTS_SHM_DETAIL);
}

Datum
qts_sql_workers(PG_FUNCTION_ARGS)
{
	static const char *const names[QTS_WORKER_COUNT] = {"prices", "exit", "execution", "monitor"};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	qts_require_preload();
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < QTS_WORKER_COUNT; i++)
	{
		QtsSlot slot;
		Datum values[10];
		bool nulls[10] = {false};

		LWLockAcquire(qts_shm->lock, LW_SHARED);
		slot = qts_shm->slot[i];
		LWLockRelease(qts_shm->lock);
		values[0] = Int32GetDatum(i);
		values[1] = CStringGetTextDatum(names[i]);
		values[2] = Int32GetDatum(slot.pid);
		nulls[2] = slot.pid == 0;
		values[3] = CStringGetTextDatum(qts_worker_state_name(slot.state));
		values[4] = time_or_null(slot.since, &nulls[4]);
		values[5] = Int64GetDatum((int64) pg_atomic_read_u64(&slot.turns));
		values[6] = Int64GetDatum(slot.errors);
		values[7] = text_or_null(slot.last_error, &nulls[7]);
		values[8] = time_or_null((TimestampTz) pg_atomic_read_u64(&slot.heartbeat), &nulls[8]);
		if (slot.pid == 0)
			worker_absence(slot.detail);
		values[9] = text_or_null(slot.detail, &nulls[9]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

Datum
qts_sql_feeds(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	qts_require_preload();
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < QTS_SHM_FEEDS; i++)
	{
		QtsFeedSlot feed;
		Datum values[10];
		bool nulls[10] = {false};

		LWLockAcquire(qts_shm->lock, LW_SHARED);
		feed = qts_shm->feed[i];
		LWLockRelease(qts_shm->lock);
		if (feed.name[0] == '\0')
			continue;
		values[0] = CStringGetTextDatum(feed.name);
		values[1] = CStringGetTextDatum(feed.state);
		values[2] = time_or_null(feed.since, &nulls[2]);
		values[3] = Int64GetDatum(feed.epoch);
		values[4] = Int64GetDatum(feed.frames);
		values[5] = Int64GetDatum(feed.ticks);
		values[6] = Int64GetDatum(feed.notices);
		values[7] = Int64GetDatum(feed.malformed);
		values[8] = Int64GetDatum(feed.overflow);
		values[9] = text_or_null(feed.detail, &nulls[9]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* The i-th session; false when there is none. */
static bool
session_slot(int i, QtsSessionSlot *slot)
{
	LWLockAcquire(qts_shm->lock, LW_SHARED);
	*slot = qts_shm->session[i];
	LWLockRelease(qts_shm->lock);
	return slot->name[0] != '\0';
}

Datum
qts_sql_sessions(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	qts_require_preload();
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < QTS_SHM_SESSIONS; i++)
	{
		QtsSessionSlot slot;
		Datum values[8];
		bool nulls[8] = {false};

		if (!session_slot(i, &slot))
			continue;
		values[0] = CStringGetTextDatum(slot.name);
		values[1] = CStringGetTextDatum(slot.state);
		values[2] = time_or_null(slot.since, &nulls[2]);
		values[3] = Int32GetDatum(slot.rate);
		nulls[3] = slot.rate == 0;
		for (int b = 0; b < QTS_BREAKER_CLASS_COUNT; b++)
			values[4 + b] = CStringGetTextDatum(qts_breaker_state_name((QtsBreakerState) slot.breaker[b]));
		values[7] = text_or_null(slot.detail, &nulls[7]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

static void
metric_row(ReturnSetInfo *result, const char *name, const char *labels, double value, const char *help,
		   const char *type)
{
	Datum values[5] = {CStringGetTextDatum(name), CStringGetTextDatum(labels), Float8GetDatum(value),
					   CStringGetTextDatum(help), CStringGetTextDatum(type)};
	bool nulls[5] = {false};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static void
metric_histogram(ReturnSetInfo *result, QtsHistogramId hist)
{
	static const struct
	{
		double quantile;
		const char *label;
	} quantiles[] = {{0.5, "quantile=\"0.5\""},
					 {0.9, "quantile=\"0.9\""},
					 {0.99, "quantile=\"0.99\""},
					 {0.999, "quantile=\"0.999\""}};
	const char *name = qts_histogram_name(hist);
	const char *help = qts_histogram_help(hist);
	char derived[96];
	uint64 sum_us;
	uint64 total = qts_histogram_total(hist, &sum_us);

	for (int q = 0; q < (int) lengthof(quantiles) && total > 0; q++)
		metric_row(result, name, quantiles[q].label,
				   qts_histogram_quantile(hist, quantiles[q].quantile) / 1e6, help, "summary");
	snprintf(derived, sizeof(derived), "%s_sum", name);
	metric_row(result, derived, "", sum_us / 1e6, help, "summary");
	snprintf(derived, sizeof(derived), "%s_count", name);
	metric_row(result, derived, "", (double) total, help, "summary");
}

static void
metric_breakers(ReturnSetInfo *result, const QtsSessionSlot *slot)
{
	for (int b = 0; b < QTS_BREAKER_CLASS_COUNT; b++)
	{
		char labels[128];

		snprintf(labels, sizeof(labels), "credentials=\"%s\",class=\"%s\"", slot->name,
				 qts_breaker_class_name((QtsBreakerClass) b));
		metric_row(result, "qts_breaker_state", labels, slot->breaker[b],
				   "Circuit breaker: 0 closed, 1 open, 2 half open", "gauge");
		metric_row(result, "qts_breaker_opens_total", labels, (double) slot->opens[b],
				   "Times the breaker opened since the session began", "counter");
	}
}

Datum
qts_sql_metrics(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	qts_require_preload();
	InitMaterializedSRF(fcinfo, 0);
	for (int c = 0; c < QTS_COUNT_COUNT; c++)
		metric_row(result, qts_counter_name((QtsCounter) c), "", (double) qts_counter_value((QtsCounter) c),
				   qts_counter_help((QtsCounter) c), "counter");
	for (int i = 0; i < QTS_SHM_SESSIONS; i++)
	{
		QtsSessionSlot slot;

		if (session_slot(i, &slot))
			metric_breakers(result, &slot);
	}
	for (int h = 0; h < QTS_HIST_COUNT; h++)
		metric_histogram(result, (QtsHistogramId) h);
	return (Datum) 0;
}
