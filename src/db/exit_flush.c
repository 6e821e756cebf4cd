/*-------------------------------------------------------------------------
 *
 * exit_flush.c
 *		Stores what evaluations moved in memory: marks and confirmations, of
 *		all positions in one statement.
 *
 * Phase, floor and cycle change with fills and new shares only, each stored
 * at once by exit_store.c; a row that is of another cycle or phase by now is
 * not ours to touch.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type_d.h"
#include "utils/array.h"

#include "db/exit_store.h"
#include "db/stmt.h"

/* Prices in 1/10 000 KRW; 0 and -infinity stand for null. */
static QtsStmt store_states = {
	"UPDATE trade.position_state AS s SET hwm_price = nullif(n.hwm, 0)::numeric / 10000,"
	" hwm_ts = CASE WHEN n.hwm <> 0 THEN n.hwm_ts END, last_avg_price = nullif(n.last_avg, 0)::numeric / 10000,"
	" base_avg_price = nullif(n.base_avg, 0)::numeric / 10000, last_qty = CASE WHEN n.last_avg <> 0 THEN n.last_qty END,"
	" cycle_buy = nullif(n.cycle_buy, 0), stop_floor_breach_ticks = n.floor_ticks,"
	" stop_floor_breach_ts = nullif(n.floor_ts, '-infinity'), trailing_breach_ticks = n.trail_ticks,"
	" trailing_breach_ts = nullif(n.trail_ts, '-infinity'), break_even_breach_ticks = n.even_ticks,"
	" break_even_breach_ts = nullif(n.even_ts, '-infinity'), last_eval_ts = $1, updated_ts = $1"
	" FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) AS n (position_id, phase, cycle,"
	" hwm, hwm_ts, last_avg, base_avg, last_qty, cycle_buy, floor_ticks, floor_ts, trail_ticks, trail_ts, even_ticks,"
	" even_ts) WHERE s.position_id = n.position_id AND s.exit_cycle = n.cycle AND s.phase = n.phase",
	16,
	{TIMESTAMPTZOID, UUIDARRAYOID, TEXTARRAYOID, INT4ARRAYOID, INT8ARRAYOID, TIMESTAMPTZARRAYOID,
	 INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT4ARRAYOID, TIMESTAMPTZARRAYOID, INT4ARRAYOID,
	 TIMESTAMPTZARRAYOID, INT4ARRAYOID, TIMESTAMPTZARRAYOID}};

#define COLUMNS 15

static void
state_columns(const QtsWatch *watch, Datum *row)
{
	const QtsExitState *state = &watch->state;

	row[0] = UUIDPGetDatum(&watch->position_id);
	row[1] = qts_text(qts_exit_phase_name(state->phase));
	row[2] = Int32GetDatum(state->cycle);
	row[3] = Int64GetDatum(state->hwm);
	row[4] = TimestampTzGetDatum(state->hwm_at);
	row[5] = Int64GetDatum(state->last_avg_price);
	row[6] = Int64GetDatum(state->base_avg_price);
	row[7] = Int64GetDatum(state->last_qty);
	row[8] = Int64GetDatum(state->cycle_buy);
	row[9] = Int32GetDatum(state->floor_ticks);
	row[10] = TimestampTzGetDatum(state->floor_ticks > 0 ? state->floor_since : DT_NOBEGIN);
	row[11] = Int32GetDatum(state->trail_ticks);
	row[12] = TimestampTzGetDatum(state->trail_ticks > 0 ? state->trail_since : DT_NOBEGIN);
	row[13] = Int32GetDatum(state->even_ticks);
	row[14] = TimestampTzGetDatum(state->even_ticks > 0 ? state->even_since : DT_NOBEGIN);
}

static Datum
column_array(Datum *values, int count, Oid array_type)
{
	switch (array_type)
	{
		case UUIDARRAYOID:
			return PointerGetDatum(construct_array(values, count, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
		case TEXTARRAYOID:
			return PointerGetDatum(construct_array(values, count, TEXTOID, -1, false, TYPALIGN_INT));
		case INT4ARRAYOID:
			return PointerGetDatum(
				construct_array(values, count, INT4OID, sizeof(int32), true, TYPALIGN_INT));
		case INT8ARRAYOID:
			return PointerGetDatum(
				construct_array(values, count, INT8OID, sizeof(int64), true, TYPALIGN_DOUBLE));
		default:
			return PointerGetDatum(
				construct_array(values, count, TIMESTAMPTZOID, sizeof(int64), true, TYPALIGN_DOUBLE));
	}
}

void
qts_exit_store_states(QtsWatch *watches, int nwatches, TimestampTz now)
{
	Datum *columns[COLUMNS];
	Datum args[COLUMNS + 1];
	int count = 0;

	for (int c = 0; c < COLUMNS; c++)
		columns[c] = palloc(sizeof(Datum) * nwatches);
	for (int i = 0; i < nwatches; i++)
	{
		QtsWatch *watch = &watches[i];
		Datum row[COLUMNS];

		if (!watch->dirty || watch->position.qty == 0)
			continue;
		if (!watch->has_state)
		{
			qts_exit_store_state(watch, now);
			continue;
		}
		state_columns(watch, row);
		for (int c = 0; c < COLUMNS; c++)
			columns[c][count] = row[c];
		count++;
		watch->dirty = false;
		watch->state_xmin = GetCurrentTransactionId();
	}
	if (count == 0)
		return;
	args[0] = TimestampTzGetDatum(now);
	for (int c = 0; c < COLUMNS; c++)
		args[c + 1] = column_array(columns[c], count, store_states.argtypes[c + 1]);
	qts_stmt_run(&store_states, args, NULL);
}
