/*-------------------------------------------------------------------------
 *
 * api_exit.c
 *		explain_exit(): what the exit worker would see of one position now.
 *
 * Reads the same columns and calls the same core as the worker, and changes
 * nothing.  The caller's transaction, no lock.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/exit.h"
#include "core/order.h"
#include "db/profile.h"
#include "db/stmt.h"
#include "errcodes.h"
#include "guc.h"
#include "shm/board.h"
#include "shm/clock.h"
#include "shm/shm.h"

extern PGDLLEXPORT Datum qts_sql_explain_exit(PG_FUNCTION_ARGS);

#define EXPLAIN_COLUMNS 7

/* Everything an evaluation needs. */
typedef struct ExplainInput
{
	QtsExitProfile profile;
	QtsExitPosition position;
	QtsExitState state;
	QtsExitQuote quote;
	QtsControlMode control;
	char symbol[QTS_SYMBOL_LEN + 1];
} ExplainInput;

static QtsStmt read_position = {
	.sql = "SELECT p.symbol, p.qty, qts._locked_qty(p.position_id), coalesce(s.cycle_qty, p.original_qty),"
		   " p.avg_price, p.exit_mode, p.quarantine_reason IS NOT NULL, coalesce(s.phase, 'OPEN'),"
		   " coalesce(s.exit_cycle, 1), s.hwm_price, s.hwm_ts, s.stop_floor_price,"
		   " (coalesce(s.atr_pct, qts._atr_pct(p.symbol, p.avg_price)) * 1000000)::int8,"
		   " s.last_avg_price, s.base_avg_price, s.last_qty,"
		   " coalesce(s.trail_partial_done, false), coalesce(s.stop_floor_breach_ticks, 0),"
		   " s.stop_floor_breach_ts, coalesce(s.trailing_breach_ticks, 0), s.trailing_breach_ts,"
		   " coalesce((SELECT c.mode FROM trade.exit_control AS c), 'RUNNING')"
		   " FROM trade.positions AS p LEFT JOIN trade.position_state AS s"
		   " ON s.position_id = p.position_id WHERE p.position_id = $1",
	.nargs = 1,
	.argtypes = {UUIDOID},
};

/* Of the position, else of its symbol from a date on, else the default. */
static QtsStmt read_profile = {
	.sql = "SELECT e.config::text FROM trade.positions AS p CROSS JOIN LATERAL ("
		   " SELECT 1 AS rank, p.exit_profile_id AS profile_id"
		   " UNION ALL SELECT 2, o.profile_id FROM trade.symbol_exit_overrides AS o"
		   " WHERE o.symbol = p.symbol AND o.enabled"
		   " AND o.effective_from <= (timezone('Asia/Seoul', $2))::date"
		   " UNION ALL SELECT 3, 'default_hybrid_v1') AS r"
		   " JOIN trade.exit_profiles AS e ON e.profile_id = r.profile_id AND e.is_active"
		   " WHERE p.position_id = $1 ORDER BY r.rank LIMIT 1",
	.nargs = 2,
	.argtypes = {UUIDOID, TIMESTAMPTZOID},
};

static QtsStmt read_intents = {
	.sql = "SELECT i.reason_code, i.status,"
		   " i.exit_cycle IS NOT DISTINCT FROM $2 AND i.phase IS NOT DISTINCT FROM $3"
		   " FROM trade.order_intents AS i WHERE i.position_id = $1 AND i.intent_type <> 'ENTRY'"
		   " AND i.status NOT IN ('FAILED', 'REJECTED', 'CANCELLED', 'EXPIRED', 'DUPLICATE')",
	.nargs = 3,
	.argtypes = {UUIDOID, INT4OID, TEXTOID},
};

static QtsTime
explain_time(uint64 row, int column)
{
	return qts_col_int64(row, column, QTS_TIME_NONE);
}

static void
explain_read_position(Datum position_id, ExplainInput *in)
{
	QtsExitPosition *position = &in->position;
	QtsExitState *state = &in->state;

	if (qts_stmt_run(&read_position, &position_id, NULL) != 1)
		ereport(ERROR,
				(errcode(QTS_ERRCODE_INVALID),
				 errmsg("unknown position %s", DatumGetCString(DirectFunctionCall1(uuid_out, position_id))),
				 errdetail("There is no such row."),
				 errhint("SELECT * FROM qts.positions lists live ones.")));
	qts_col_copy(0, 1, in->symbol, sizeof(in->symbol));
	position->qty = qts_col_int64(0, 2, 0);
	position->available = qts_available_qty(position->qty, qts_col_int64(0, 3, 0));
	position->original_qty = qts_col_int64(0, 4, 0);
	position->avg_price = qts_col_price(0, 5);
	position->quarantined = qts_col_bool(0, 7);
	state->cycle = qts_col_int32(0, 9, 1);
	state->hwm = qts_col_price(0, 10);
	state->hwm_at = explain_time(0, 11);
	state->stop_floor = qts_col_price(0, 12);
	state->atr_pct = qts_col_int64(0, 13, 0);
	state->last_avg_price = qts_col_price(0, 14);
	state->base_avg_price = qts_col_price(0, 15);
	state->last_qty = qts_col_int64(0, 16, 0);
	state->trail_partial_done = qts_col_bool(0, 17);
	state->floor_ticks = qts_col_int32(0, 18, 0);
	state->floor_since = explain_time(0, 19);
	state->trail_ticks = qts_col_int32(0, 20, 0);
	state->trail_since = explain_time(0, 21);
	if (!qts_position_mode_parse(qts_col_text(0, 6), &position->mode) ||
		!qts_exit_phase_parse(qts_col_text(0, 8), &state->phase) ||
		!qts_control_mode_parse(qts_col_text(0, 22), &in->control))
		ereport(ERROR, (errcode(QTS_ERRCODE_INTERNAL),
						errmsg("a mode or phase of the position is not one of this version")));
}

static void
explain_read_profile(Datum position_id, ExplainInput *in)
{
	Datum args[2] = {position_id, TimestampTzGetDatum(qts_now())};
	char why[512];

	in->profile = qts_exit_profile_default();
	if (qts_stmt_run(&read_profile, args, NULL) == 1 &&
		!qts_profile_parse(qts_col_text(0, 1), &in->profile, why, sizeof(why)))
		ereport(ERROR, (errcode(QTS_ERRCODE_INVALID), errmsg("invalid exit profile"), errdetail("%s", why),
						errhint("Save it again with qts.save_exit_profile().")));
}

static void
explain_read_intents(Datum position_id, ExplainInput *in)
{
	Datum args[3] = {position_id, Int32GetDatum(in->state.cycle),
					 CStringGetTextDatum(qts_exit_phase_name(in->state.phase))};
	uint64 rows = qts_stmt_run(&read_intents, args, NULL);

	for (uint64 i = 0; i < rows; i++)
	{
		QtsExitRule rule;
		QtsIntentStatus status;

		if (!qts_exit_rule_parse(qts_col_text(i, 1), &rule) ||
			!qts_intent_status_parse(qts_col_text(i, 2), &status))
			continue;
		if (qts_col_bool(i, 3))
			in->position.live_rule[rule] = true;
		if (qts_intent_live(status))
			in->position.live_severity = Max(in->position.live_severity, qts_exit_severity(rule));
	}
}

static void
explain_read_quote(ExplainInput *in)
{
	QtsBoardQuote seen;

	in->quote.stale = true;
	if (!qts_board_quote(in->symbol, QTS_BOARD_DECIDE, &seen))
		return;
	in->quote.last = seen.quote.last;
	in->quote.bid = seen.quote.bid;
	in->quote.stale = seen.stale || seen.too_old || !qts_source_decides(seen.source, qts_guc.naver_decides);
	in->quote.in_session = seen.in_session;
}

static void
explain_emit(ReturnSetInfo *result, const QtsExitExplain *row, bool priced)
{
	Datum values[EXPLAIN_COLUMNS];
	bool nulls[EXPLAIN_COLUMNS] = {false};

	values[0] = CStringGetTextDatum(qts_exit_rule_name(row->rule));
	values[1] = BoolGetDatum(row->enabled);
	/* A ppm is a per cent in 1/10 000, as a price is a KRW in 1/10 000. */
	values[2] = qts_price_numeric(row->threshold);
	values[3] = qts_price_numeric(row->threshold_ppm);
	values[4] = qts_price_numeric(row->distance_ppm);
	values[5] = BoolGetDatum(row->breached);
	values[6] = CStringGetTextDatum(qts_exit_block_name(row->blocked_by));
	nulls[2] = nulls[3] = row->threshold == 0;
	nulls[4] = row->threshold == 0 || !priced;
	nulls[6] = row->blocked_by == QTS_BLOCK_NONE;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(qts_sql_explain_exit);
Datum
qts_sql_explain_exit(PG_FUNCTION_ARGS)
{
	Datum position_id = PG_GETARG_DATUM(0);
	ExplainInput in;
	QtsExitExplain rows[QTS_RULE_COUNT];
	int count;

	qts_require_preload();
	memset(&in, 0, sizeof(in));
	InitMaterializedSRF(fcinfo, 0);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	explain_read_position(position_id, &in);
	explain_read_profile(position_id, &in);
	explain_read_intents(position_id, &in);
	SPI_finish();
	explain_read_quote(&in);

	count = qts_exit_explain(&in.profile, &in.position, &in.state, &in.quote, in.control, qts_now(), rows);
	for (int i = 0; i < count; i++)
		explain_emit((ReturnSetInfo *) fcinfo->resultinfo, &rows[i], in.quote.last > 0);
	return (Datum) 0;
}
