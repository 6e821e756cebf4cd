/*-------------------------------------------------------------------------
 *
 * api_engine.c
 *		SQL-callable functions over shared memory: clock, workers, feeds,
 *		metrics.  They take no lock longer than a copy.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "db/engine.h"
#include "db/metric.h"
#include "shm/clock.h"
#include "shm/reads.h"
#include "shm/shm.h"

#define WORKER_PROCESSES 16 /* what the manual asks for */

PG_FUNCTION_INFO_V1(qts_sql_now);
PG_FUNCTION_INFO_V1(qts_sql_set_clock);
PG_FUNCTION_INFO_V1(qts_sql_advance_clock);
PG_FUNCTION_INFO_V1(qts_sql_workers);
PG_FUNCTION_INFO_V1(qts_sql_feeds);
PG_FUNCTION_INFO_V1(qts_sql_sessions);
PG_FUNCTION_INFO_V1(qts_sql_metrics);
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

void
qts_metric_put(ReturnSetInfo *result, const char *name, const char *labels, double value, const char *help,
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
		qts_metric_put(result, name, quantiles[q].label,
					   qts_histogram_quantile(hist, quantiles[q].quantile) / 1e6, help, "summary");
	snprintf(derived, sizeof(derived), "%s_sum", name);
	qts_metric_put(result, derived, "", sum_us / 1e6, help, "summary");
	snprintf(derived, sizeof(derived), "%s_count", name);
	qts_metric_put(result, derived, "", (double) total, help, "summary");
}

static void
metric_breakers(ReturnSetInfo *result, const QtsSessionSlot *slot)
{
	for (int b = 0; b < QTS_BREAKER_CLASS_COUNT; b++)
	{
		char labels[128];

		snprintf(labels, sizeof(labels), "credentials=\"%s\",class=\"%s\"", slot->name,
				 qts_breaker_class_name((QtsBreakerClass) b));
		qts_metric_put(result, "qts_breaker_state", labels, slot->breaker[b],
					   "Circuit breaker: 0 closed, 1 open, 2 half open", "gauge");
		qts_metric_put(result, "qts_breaker_opens_total", labels, (double) slot->opens[b],
					   "Times the breaker opened since the session began", "counter");
	}
}

static void
metric_reads(ReturnSetInfo *result)
{
	qts_reads_flush();
	for (int c = 0; c < QTS_CACHE_COUNT; c++)
	{
		for (int r = 0; r < QTS_READ_COUNT; r++)
		{
			char labels[64];

			snprintf(labels, sizeof(labels), "cache=\"%s\",result=\"%s\"", qts_cache_name((QtsCache) c),
					 qts_read_name((QtsRead) r));
			qts_metric_put(result, "qts_cache_reads_total", labels,
						   (double) qts_reads_value((QtsCache) c, (QtsRead) r),
						   "Reads of prices and order books in shared memory", "counter");
		}
	}
}

Datum
qts_sql_metrics(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	qts_require_preload();
	InitMaterializedSRF(fcinfo, 0);
	for (int c = 0; c < QTS_COUNT_COUNT; c++)
		qts_metric_put(result, qts_counter_name((QtsCounter) c), "",
					   (double) qts_counter_value((QtsCounter) c), qts_counter_help((QtsCounter) c),
					   "counter");
	metric_reads(result);
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
