/*-------------------------------------------------------------------------
 *
 * api_sync.c
 *		What the prices worker shows of itself, as rows of status() and metrics.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "db/metric.h"
#include "shm/shm.h"

extern PGDLLEXPORT Datum qts_sql_price_sync(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum qts_sql_price_metrics(PG_FUNCTION_ARGS);

static bool
sync_read(QtsPriceSync *sync)
{
	qts_require_preload();
	LWLockAcquire(qts_shm->lock, LW_SHARED);
	*sync = qts_shm->price_sync;
	LWLockRelease(qts_shm->lock);
	return sync->since != 0;
}

static void
sync_row(ReturnSetInfo *result, const char *name, const char *kind, const char *state, TimestampTz since,
		 const char *detail)
{
	Datum values[5] = {CStringGetTextDatum(name), CStringGetTextDatum(kind), CStringGetTextDatum(state),
					   TimestampTzGetDatum(since), CStringGetTextDatum(detail)};
	bool nulls[5] = {false, false, false, since == 0, false};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static void
source_row(ReturnSetInfo *result, const char *name, const QtsSourceShown *source, TimestampTz since)
{
	char *detail =
		psprintf("%s%sasked " UINT64_FORMAT ", prices " UINT64_FORMAT ", throttled " UINT64_FORMAT
				 ", failed " UINT64_FORMAT ", silent " UINT64_FORMAT ", rows refused " UINT64_FORMAT,
				 source->detail, source->detail[0] == '\0' ? "" : "; ", source->asked, source->brought,
				 source->answers[QTS_QUOTED_THROTTLED], source->answers[QTS_QUOTED_FAILED],
				 source->answers[QTS_QUOTED_SILENT], source->refused);

	sync_row(result, name, "source", source->state, since, detail);
}

/* What became of all that the feeds and the answers said. */
static void
intake_rows(ReturnSetInfo *result, const QtsPriceSync *sync)
{
#define COUNTED(counter) qts_counter_value(QTS_COUNT_##counter)
	uint64 waiting = pg_atomic_read_u64(&qts_shm->ticks_waiting);
	StringInfoData ticks;

	sync_row(result, "frames", "intake", "OK", sync->since,
			 psprintf(UINT64_FORMAT " received, malformed " UINT64_FORMAT ", undecryptable " UINT64_FORMAT
									", notices unread " UINT64_FORMAT,
					  COUNTED(FRAMES), COUNTED(FRAMES_MALFORMED), COUNTED(FRAMES_SEALED),
					  COUNTED(NOTICES_UNREAD)));
	initStringInfo(&ticks);
	appendStringInfo(&ticks,
					 UINT64_FORMAT " received, repeated " UINT64_FORMAT ", late " UINT64_FORMAT
								   ", refused " UINT64_FORMAT ", skewed " UINT64_FORMAT
								   ", unknown " UINT64_FORMAT ", lost " UINT64_FORMAT,
					 COUNTED(TICKS), COUNTED(TICKS_REPEATED), COUNTED(TICKS_LATE), COUNTED(TICKS_REFUSED),
					 COUNTED(TICKS_SKEWED), COUNTED(TICKS_UNKNOWN), COUNTED(TICKS_LOST));
	if (waiting > 0)
		appendStringInfo(&ticks, "; " UINT64_FORMAT " rows wait for locked tables", waiting - 1);
	sync_row(result, "ticks", "intake", waiting > 0 ? "WAITING" : "OK", sync->since, ticks.data);
	sync_row(result, "books", "intake", "OK", sync->since,
			 psprintf(UINT64_FORMAT " received, refused " UINT64_FORMAT ", lost " UINT64_FORMAT,
					  COUNTED(BOOKS), COUNTED(BOOKS_REFUSED), COUNTED(BOOKS_LOST)));
#undef COUNTED
}

PG_FUNCTION_INFO_V1(qts_sql_price_sync);
Datum
qts_sql_price_sync(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	QtsPriceSync sync;
	bool up = sync_read(&sync);

	InitMaterializedSRF(fcinfo, 0);
	if (!up)
		return (Datum) 0;
	sync_row(
		result, "best prices", "freshness",
		sync.emergency ? "EMERGENCY"
		: sync.judged  ? "OK"
					   : "IDLE",
		sync.emergency ? sync.emergency_since : sync.since,
		!sync.judged
			? "no prices are expected now"
			: psprintf("%d followed, %d stale, %d older than 60 s, age %.1f s on average, %.1f s at most",
					   sync.fresh.total, sync.fresh.stale, sync.fresh.critical,
					   (double) qts_freshness_avg_ms(&sync.fresh) / 1000,
					   (double) sync.fresh.age_max / 1000));
	intake_rows(result, &sync);
	for (int t = 0; t < QTS_TIERS; t++)
	{
		QtsTierShown *tier = &sync.tier[t];

		sync_row(result, psprintf("tier %d", t), "tier", tier->symbols == 0 ? "EMPTY" : "ASKED", sync.since,
				 tier->sweep < 0
					 ? psprintf("%d symbols every %.1f s", tier->symbols, (double) tier->interval / QTS_SEC)
					 : psprintf("%d symbols every %.1f s, the last answers within " INT64_FORMAT " ms",
								tier->symbols, (double) tier->interval / QTS_SEC, tier->sweep / QTS_MS));
	}
	source_row(result, "KIS_REST", &sync.rest, sync.since);
	if (sync.naver.state[0] != '\0')
		source_row(result, "NAVER", &sync.naver, sync.since);
	return (Datum) 0;
}

static void
source_metrics(ReturnSetInfo *result, const char *name, const QtsSourceShown *source)
{
	static const char *const kinds[QTS_QUOTED_KINDS] = {
		[QTS_QUOTED_GOOD] = "good",		[QTS_QUOTED_THROTTLED] = "throttled", [QTS_QUOTED_FAILED] = "failed",
		[QTS_QUOTED_SILENT] = "silent", [QTS_QUOTED_BANNED] = "banned",
	};
	char *label = psprintf("source=\"%s\"", name);

	qts_metric_put(result, "qts_quote_requests_total", label, source->asked, "Requests for quotes",
				   "counter");
	qts_metric_put(result, "qts_quotes_total", label, source->brought, "Prices they brought", "counter");
	qts_metric_put(result, "qts_quotes_refused_total", label, source->refused,
				   "Rows of answers that could not be read or believed", "counter");
	for (int kind = 0; kind < QTS_QUOTED_KINDS; kind++)
		qts_metric_put(result, "qts_quote_answers_total", psprintf("%s,kind=\"%s\"", label, kinds[kind]),
					   source->answers[kind], "Answers to requests for quotes, by what they were", "counter");
}

PG_FUNCTION_INFO_V1(qts_sql_price_metrics);
Datum
qts_sql_price_metrics(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	QtsPriceSync sync;
	bool up = sync_read(&sync);
	uint64 waiting = pg_atomic_read_u64(&qts_shm->ticks_waiting);

	InitMaterializedSRF(fcinfo, 0);
	if (!up)
		return (Datum) 0;
	qts_metric_put(result, "qts_prices_followed", "", sync.fresh.total, "Followed symbols at the last look",
				   "gauge");
	qts_metric_put(result, "qts_prices_stale", "", sync.fresh.stale, "Followed symbols with a stale price",
				   "gauge");
	qts_metric_put(result, "qts_prices_critical", "", sync.fresh.critical,
				   "Followed symbols without a price of the last 60 s", "gauge");
	qts_metric_put(result, "qts_prices_age_seconds", "", (double) qts_freshness_avg_ms(&sync.fresh) / 1000,
				   "Average age of the followed prices", "gauge");
	qts_metric_put(result, "qts_prices_emergency", "", sync.emergency,
				   "1 while most followed prices are stale", "gauge");
	qts_metric_put(result, "qts_ticks_waiting", "", waiting > 0 ? waiting - 1 : 0,
				   "Rows of ticks that wait for locked tables", "gauge");
	for (int t = 0; t < QTS_TIERS; t++)
	{
		char *label = psprintf("tier=\"%d\"", t);

		qts_metric_put(result, "qts_tier_symbols", label, sync.tier[t].symbols, "Symbols of a tier", "gauge");
		qts_metric_put(result, "qts_tier_interval_seconds", label, (double) sync.tier[t].interval / QTS_SEC,
					   "Time between two requests for a symbol of a tier", "gauge");
		if (sync.tier[t].sweep >= 0)
			qts_metric_put(result, "qts_tier_sweep_seconds", label, (double) sync.tier[t].sweep / QTS_SEC,
						   "Time between the oldest and the newest answer of a tier", "gauge");
	}
	source_metrics(result, "KIS_REST", &sync.rest);
	if (sync.naver.state[0] != '\0')
		source_metrics(result, "NAVER", &sync.naver);
	return (Datum) 0;
}
