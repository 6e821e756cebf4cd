/*-------------------------------------------------------------------------
 *
 * api_exit.c
 *		qts._explain_exit(): what the exit worker would see of one position now.
 *
 * Reads through the worker's own loader and calls the same core, and changes
 * nothing.  The caller's transaction, no lock.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/exit_window.h"
#include "core/money.h"
#include "db/exec.h"
#include "db/exit_store.h"
#include "db/stmt.h"
#include "errcodes.h"
#include "guc.h"
#include "shm/board.h"
#include "shm/clock.h"
#include "shm/shm.h"

extern PGDLLEXPORT Datum qts_sql_explain_exit(PG_FUNCTION_ARGS);

/* Columns of a row; those from the price on are the same in every row of a position. */
enum
{
	OUT_RULE,
	OUT_ENABLED,
	OUT_THRESHOLD,
	OUT_THRESHOLD_PCT,
	OUT_DISTANCE_PCT,
	OUT_TRIGGERED,
	OUT_BLOCKED,
	OUT_PRICE,
	OUT_PNL,
	OUT_HWM,
	OUT_FLOOR,
	OUT_PHASE,
	OUT_CONTROL,
	OUT_PROFILE,
	OUT_COLUMNS
};

/* Everything an evaluation needs. */
typedef struct ExplainInput
{
	QtsWatch watch;
	QtsProfileRow profile;
	QtsExitQuote quote;
	QtsControlMode control;
} ExplainInput;

/* The worker remembers the first price of the session; without it, the ticks do. */
static void
explain_read_day(ExplainInput *in, TimestampTz now)
{
	const QtsCalendarDay *day = qts_calendar_today(now);
	TimestampTz open_at;

	in->quote.since_open = -1;
	if (day == NULL || !day->is_open)
		return;
	open_at = qts_seoul_instant(day->date, day->open_at);
	in->quote.since_open = now - open_at;
	qts_exit_session_facts(&in->watch, 1, day->date, open_at);
	in->quote.prev_close = in->watch.prev_close;
	in->quote.first = in->watch.first;
	if (in->control == QTS_CONTROL_EMERGENCY_FLATTEN)
		in->quote.in_session = qts_session_accepts_orders(qts_session_phase(day, now));
}

static void
explain_read_quote(ExplainInput *in)
{
	QtsBoardQuote seen;

	in->quote.stale = true;
	if (!qts_board_quote(in->watch.symbol, QTS_BOARD_DECIDE, &seen))
		return;
	in->quote.last = seen.quote.last;
	in->quote.bid = seen.quote.bid;
	in->quote.stale = seen.too_old || seen.halted || !qts_source_decides(seen.source, qts_guc.naver_decides);
	in->quote.in_session = in->quote.in_session || seen.in_session;
}

static char *
explain_rule_name(const ExplainInput *in, const QtsExitExplain *row)
{
	const char *rule = qts_exit_rule_name(row->rule);

	return row->custom == QTS_CUSTOM_NONE
			   ? pstrdup(rule)
			   : psprintf("%s:%s", rule, in->profile.profile.custom[row->custom].id);
}

/* A ppm is a per cent in 1/10 000, as a price is a KRW in 1/10 000. */
static void
explain_emit(ReturnSetInfo *result, const ExplainInput *in, const QtsExitExplain *row)
{
	const QtsExitState *state = &in->watch.state;
	QtsPrice price = in->quote.bid > 0 ? in->quote.bid : in->quote.last;
	Datum values[OUT_COLUMNS];
	bool nulls[OUT_COLUMNS] = {false};

	values[OUT_RULE] = CStringGetTextDatum(explain_rule_name(in, row));
	values[OUT_ENABLED] = BoolGetDatum(row->enabled);
	values[OUT_THRESHOLD] = qts_price_numeric(row->threshold);
	values[OUT_THRESHOLD_PCT] = qts_price_numeric(row->threshold_ppm);
	values[OUT_DISTANCE_PCT] = qts_price_numeric(row->distance_ppm);
	values[OUT_TRIGGERED] = BoolGetDatum(row->breached);
	values[OUT_BLOCKED] = CStringGetTextDatum(qts_exit_block_name(row->blocked_by));
	values[OUT_PRICE] = qts_price_numeric(price);
	values[OUT_PNL] =
		NumericGetDatum(int64_div_fast_to_numeric(qts_return_ppm(price, in->watch.position.avg_price), 6));
	values[OUT_HWM] = qts_price_numeric(state->hwm);
	values[OUT_FLOOR] = qts_price_numeric(state->stop_floor);
	values[OUT_PHASE] = CStringGetTextDatum(qts_exit_phase_name(state->phase));
	values[OUT_CONTROL] = CStringGetTextDatum(qts_control_mode_name(in->control));
	values[OUT_PROFILE] = CStringGetTextDatum(qts_profile_row_id(&in->profile));
	nulls[OUT_THRESHOLD] = nulls[OUT_THRESHOLD_PCT] = row->threshold == 0;
	nulls[OUT_DISTANCE_PCT] = row->threshold == 0 || price == 0;
	nulls[OUT_BLOCKED] = row->blocked_by == QTS_BLOCK_NONE;
	nulls[OUT_PRICE] = nulls[OUT_PNL] = price == 0;
	nulls[OUT_HWM] = state->hwm == 0;
	nulls[OUT_FLOOR] = state->stop_floor == 0;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(qts_sql_explain_exit);
Datum
qts_sql_explain_exit(PG_FUNCTION_ARGS)
{
	pg_uuid_t *position_id = PG_GETARG_UUID_P(0);
	TimestampTz now;
	ExplainInput in;
	QtsExitExplain rows[QTS_EXIT_ROWS];
	int count;

	qts_require_preload();
	now = qts_now();
	memset(&in, 0, sizeof(in));
	InitMaterializedSRF(fcinfo, 0);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	if (!qts_exit_read(position_id, now, &in.watch, &in.profile))
		ereport(ERROR, (errcode(QTS_ERRCODE_INVALID),
						errmsg("unknown position %s",
							   DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(position_id)))),
						errdetail("There is no such row."),
						errhint("SELECT * FROM qts.positions lists live ones.")));
	in.control = qts_exit_control_mode();
	explain_read_day(&in, now);
	SPI_finish();
	explain_read_quote(&in);

	count = qts_exit_explain(&in.profile.profile, &in.watch.position, &in.watch.state, &in.quote, in.control,
							 now, rows);
	for (int i = 0; i < count; i++)
		explain_emit((ReturnSetInfo *) fcinfo->resultinfo, &in, &rows[i]);
	return (Datum) 0;
}
