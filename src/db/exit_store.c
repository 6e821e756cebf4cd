/*-------------------------------------------------------------------------
 *
 * exit_store.c
 *		Stores what the exit rules decided and what became of it.
 *
 * Locks: the position row FOR NO KEY UPDATE before anything is inserted or
 * changed for it; it serialises decisions with fills and manual exits.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type_d.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "core/money.h"
#include "core/order.h"
#include "db/exec.h"
#include "db/exit_store.h"
#include "db/stmt.h"
#include "db/txn.h"
#include "errcodes.h"
#include "shm/point.h"
#include "shm/shm.h"

#define LIVE "('PENDING_APPROVAL', 'NEW', 'SUBMITTING', 'UNKNOWN', 'SUBMITTED', 'PARTIAL')"
#define FAILED "('FAILED', 'REJECTED', 'CANCELLED', 'EXPIRED', 'DUPLICATE')"

/*
 * First and alone: a statement that waited for the lock would read everything
 * else as it was before the wait.
 */
static QtsStmt lock_position = {
	"SELECT qty, avg_price FROM trade.positions WHERE position_id = $1 FOR NO KEY UPDATE", 1, {UUIDOID}};

/* Attempts of a rule that the broker refused in this cycle: how many, and when the last one ended. */
static QtsStmt failed_attempts = {
	"SELECT count(*)::int, max(updated_ts) FROM trade.order_intents WHERE position_id = $1 AND exit_cycle = $2"
	" AND reason_code = $3 AND rule_id IS NOT DISTINCT FROM $4 AND status IN ('FAILED', 'REJECTED')",
	4,
	{UUIDOID, INT4OID, TEXTOID, TEXTOID}};

static QtsStmt ended_attempts = {
	"SELECT count(*)::int FROM trade.order_intents WHERE position_id = $1 AND exit_cycle = $2"
	" AND (phase = $3 OR $3 IS NULL) AND reason_code = $4 AND status NOT IN " FAILED
	" AND status NOT IN " LIVE,
	4,
	{UUIDOID, INT4OID, TEXTOID, TEXTOID}};

static QtsStmt ask_to_go = {
	"UPDATE trade.order_intents SET cancel_requested = true WHERE position_id = $1 AND NOT cancel_requested"
	" AND priority < $2 AND status IN " LIVE,
	2,
	{UUIDOID, INT4OID}};

static QtsStmt insert_intent = {
	"INSERT INTO trade.order_intents (account_id, position_id, symbol, intent_type, qty, order_type, reason_code,"
	" rule_id, action_key, exit_cycle, phase, priority, source_module, decided_price, threshold_price, created_ts, updated_ts,"
	/* one that could not leave for a minute was decided on another market: it is decided again */
	" expires_ts) VALUES ($1, $2, $3, $4, $5, 'MKT', $6, $14, $7, $8, $9, $10, 'EXIT', $11, $12, $13, $13,"
	" $13 + interval '60 seconds')"
	" ON CONFLICT DO NOTHING RETURNING intent_id",
	14,
	{TEXTOID, UUIDOID, TEXTOID, TEXTOID, INT8OID, TEXTOID, TEXTOID, INT4OID, TEXTOID, INT4OID, NUMERICOID,
	 NUMERICOID, TIMESTAMPTZOID, TEXTOID}};

static QtsStmt set_status = {
	"UPDATE trade.positions SET status = $2 WHERE position_id = $1 AND status <> $2", 2, {UUIDOID, TEXTOID}};

static QtsStmt insert_signal = {
	"INSERT INTO trade.exit_signals (ts, position_id, account_id, rule_name, is_triggered, price, threshold_price,"
	" pnl_pct, hwm_price, stop_floor_price, phase, control_mode, profile_id, intent_id)"
	" VALUES ($1, $2, $3, $4, true, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
	13,
	{TIMESTAMPTZOID, UUIDOID, TEXTOID, TEXTOID, NUMERICOID, NUMERICOID, NUMERICOID, NUMERICOID, NUMERICOID,
	 TEXTOID, TEXTOID, TEXTOID, UUIDOID}};

/* A person may have begun a new cycle meanwhile: what memory holds is of the old one. */
#define STATE_SET                                                                                            \
	" SET phase = $2, exit_cycle = $3, hwm_price = $4, hwm_ts = $5, stop_floor_price = $6,"                  \
	" last_avg_price = $7, base_avg_price = $8, last_qty = $9, cycle_qty = $10, trail_partial_done = $11,"   \
	" stop_floor_breach_ticks = $12, stop_floor_breach_ts = $13, trailing_breach_ticks = $14,"               \
	" trailing_breach_ts = $15, last_eval_ts = $16, updated_ts = $16, break_even_breach_ticks = $17,"        \
	" break_even_breach_ts = $18, cycle_buy = $19 WHERE s.exit_cycle <= $3"

#define STATE_TYPES                                                                                          \
	{                                                                                                        \
		UUIDOID, TEXTOID, INT4OID, NUMERICOID, TIMESTAMPTZOID, NUMERICOID, NUMERICOID, NUMERICOID, INT8OID,  \
			INT8OID, BOOLOID, INT4OID, TIMESTAMPTZOID, INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT4OID,     \
			TIMESTAMPTZOID, INT8OID                                                                          \
	}

static QtsStmt update_state = {"UPDATE trade.position_state AS s" STATE_SET " AND s.position_id = $1", 19,
							   STATE_TYPES};

static QtsStmt insert_state = {
	"INSERT INTO trade.position_state AS s (position_id, phase, exit_cycle, hwm_price, hwm_ts, stop_floor_price,"
	" last_avg_price, base_avg_price, last_qty, cycle_qty, trail_partial_done, stop_floor_breach_ticks,"
	" stop_floor_breach_ts, trailing_breach_ticks, trailing_breach_ts, last_eval_ts, updated_ts,"
	" break_even_breach_ticks, break_even_breach_ts, cycle_buy, atr_pct)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16, $17, $18, $19,"
	" (SELECT qts._atr_pct(p.symbol, p.avg_price) FROM trade.positions AS p WHERE p.position_id = $1))"
	" ON CONFLICT (position_id) DO UPDATE" STATE_SET,
	19, STATE_TYPES};

static QtsStmt effect_positions = {
	"SELECT i.position_id FROM trade.order_intents i WHERE NOT i.effect_applied AND i.position_id IS NOT NULL"
	" AND i.status NOT IN " LIVE
	/* and emptied ones without an intent to take in: sold elsewhere */
	" UNION SELECT p.position_id FROM trade.positions p WHERE p.status IN ('OPEN', 'CLOSING') AND p.qty = 0"};

static QtsStmt live_intents = {
	"SELECT count(*)::int FROM trade.order_intents WHERE position_id = $1 AND status IN " LIVE, 1, {UUIDOID}};

static QtsStmt take_effects = {
	"UPDATE trade.order_intents SET effect_applied = true WHERE position_id = $1 AND NOT effect_applied"
	" AND status NOT IN " LIVE " RETURNING reason_code, filled_qty, exit_cycle, qty",
	1,
	{UUIDOID}};

static QtsStmt state_exited = {
	"UPDATE trade.position_state SET phase = 'EXITED' WHERE position_id = $1 AND phase <> 'EXITED'",
	1,
	{UUIDOID}};

/*
 * Failed attempts pause a rule longer and longer, so that a broker that
 * refuses is not asked at every tick (anchors 2.1 R9).
 */
static bool
rule_must_wait(QtsWatch *watch, const QtsExitDecision *decision, const char *rule_id, TimestampTz now)
{
	const char *reason = qts_exit_rule_name(decision->rule);
	Datum args[4] = {qts_uuid(&watch->position_id), Int32GetDatum(watch->state.cycle), qts_text(reason),
					 rule_id ? qts_text(rule_id) : (Datum) 0};
	TimestampTz retry_at;
	int failed;

	qts_stmt_run(&failed_attempts, args, rule_id ? NULL : "   n");
	failed = qts_col_int32(0, 1, 0);
	if (failed == 0)
		return false;
	retry_at = qts_exit_retry_at(failed, qts_col_int64(0, 2, 0));
	if (retry_at <= now)
		return false;
	/* the others are looked at again, without this one */
	if (qts_exit_wait_add(watch->waits, decision->rule, decision->custom, retry_at))
		watch->evaluated_mono = 0;
	if (failed >= 5)
		qts_alert("CRITICAL", "EXIT_FAILING", watch->symbol,
				  "See qts.intents for the broker's reasons; sell by hand if needed.",
				  "%s of %s has failed %d times", reason, watch->symbol, failed);
	return true;
}

/* {position}:{cycle}:{phase}:{reason}[:{rule}]; EMERGENCY has no phase (runtime 4.8, 13.3). */
static void
action_key(const QtsWatch *watch, QtsExitRule rule, const char *rule_id, char *key, size_t size)
{
	bool phased = rule != QTS_RULE_EMERGENCY;
	const char *phase = qts_exit_phase_name(watch->state.phase);
	const char *reason = qts_exit_rule_name(rule);
	char *id = DatumGetCString(DirectFunctionCall1(uuid_out, qts_uuid(&watch->position_id)));
	int n = snprintf(key, size, "%s:%d:%s%s%s%s%s", id, watch->state.cycle, phased ? phase : "",
					 phased ? ":" : "", reason, rule_id ? ":" : "", rule_id ? rule_id : "");

	if (qts_exit_sells_all(rule))
	{
		Datum args[4] = {qts_uuid(&watch->position_id), Int32GetDatum(watch->state.cycle), qts_text(phase),
						 qts_text(reason)};
		int ended;

		/* what an ended full exit left over is sold by the next one */
		qts_stmt_run(&ended_attempts, args, phased ? NULL : "  n ");
		ended = qts_col_int32(0, 1, 0);
		if (ended > 0)
			snprintf(key + n, size - n, ":%d", ended + 1);
	}
}

static Datum
pnl_numeric(const QtsWatch *watch, QtsPrice price)
{
	return NumericGetDatum(int64_div_fast_to_numeric(qts_return_ppm(price, watch->position.avg_price), 6));
}

static void
log_signal(const QtsWatch *watch, const QtsExitDecision *decision, const char *rule_id,
		   const char *profile_id, QtsControlMode control, const pg_uuid_t *intent_id, TimestampTz now)
{
	const char *reason = qts_exit_rule_name(decision->rule);
	char nulls[] = "             ";
	Datum args[13] = {TimestampTzGetDatum(now),
					  qts_uuid(&watch->position_id),
					  qts_text(watch->account),
					  qts_text(rule_id ? psprintf("%s:%s", reason, rule_id) : reason),
					  qts_price_numeric(decision->price),
					  qts_price_numeric(decision->threshold),
					  pnl_numeric(watch, decision->price),
					  qts_price_numeric(watch->state.hwm),
					  qts_price_numeric(watch->state.stop_floor),
					  qts_text(qts_exit_phase_name(watch->state.phase)),
					  qts_text(qts_control_mode_name(control)),
					  qts_text(profile_id),
					  qts_uuid(intent_id)};

	if (decision->price == 0)
		nulls[4] = nulls[6] = 'n';
	if (decision->threshold == 0)
		nulls[5] = 'n';
	if (watch->state.hwm == 0)
		nulls[7] = 'n';
	if (watch->state.stop_floor == 0)
		nulls[8] = 'n';
	qts_stmt_run(&insert_signal, args, nulls);
}

static bool
insert_exit(const QtsWatch *watch, const QtsExitDecision *decision, const char *rule_id, QtsQty qty,
			TimestampTz now, pg_uuid_t *intent_id)
{
	char nulls[] = "              ";
	char key[192];
	Datum args[14];

	action_key(watch, decision->rule, rule_id, key, sizeof(key));
	args[0] = qts_text(watch->account);
	args[1] = qts_uuid(&watch->position_id);
	args[2] = qts_text(watch->symbol);
	args[3] = qts_text(qty == watch->position.qty ? "EXIT_FULL" : "EXIT_PARTIAL");
	args[4] = Int64GetDatum(qty);
	args[5] = qts_text(qts_exit_rule_name(decision->rule));
	args[6] = qts_text(key);
	args[7] = Int32GetDatum(watch->state.cycle);
	args[8] = qts_text(qts_exit_phase_name(watch->state.phase));
	args[9] = Int32GetDatum(decision->severity);
	args[10] = qts_price_numeric(decision->price);
	args[11] = qts_price_numeric(decision->threshold);
	args[12] = TimestampTzGetDatum(now);
	args[13] = rule_id ? qts_text(rule_id) : (Datum) 0;
	if (decision->price == 0)
		nulls[10] = 'n';
	if (decision->threshold == 0)
		nulls[11] = 'n';
	if (rule_id == NULL)
		nulls[13] = 'n';
	if (qts_stmt_run(&insert_intent, args, nulls) == 0)
		return false; /* the same action is under way already */
	*intent_id = qts_col_uuid(0, 1);
	return true;
}

bool
qts_exit_act(QtsWatch *watch, const QtsExitDecision *decision, const QtsProfileRow *profile,
			 QtsControlMode control, TimestampTz now)
{
	const char *rule_id =
		decision->rule == QTS_RULE_CUSTOM ? profile->profile.custom[decision->custom].id : NULL;
	QtsQty qty = Min(decision->qty, watch->position.available);
	Datum go[2] = {qts_uuid(&watch->position_id), Int32GetDatum(decision->severity)};
	Datum closing[2] = {go[0], qts_text("CLOSING")};
	pg_uuid_t intent_id;

	if (rule_must_wait(watch, decision, rule_id, now))
		return false;
	if (decision->supersede)
		qts_stmt_run(&ask_to_go, go, NULL);
	qts_exit_store_state(watch, now);
	if (qty <= 0)
		return false; /* the rest follows when the superseded orders are gone */
	if (!insert_exit(watch, decision, rule_id, qty, now, &intent_id))
		return false;
	qts_stmt_run(&set_status, closing, NULL);
	log_signal(watch, decision, rule_id, qts_profile_row_id(profile), control, &intent_id, now);
	qts_count(QTS_COUNT_INTENTS, 1);
	return true;
}

void
qts_exit_new_cycle(QtsWatch *watch, TimestampTz now)
{
	Datum go[2] = {qts_uuid(&watch->position_id), Int32GetDatum(PG_INT32_MAX)};

	memset(watch->waits, 0, sizeof(watch->waits));
	qts_stmt_run(&ask_to_go, go, NULL);
	qts_exit_store_state(watch, now);
}

void
qts_exit_store_state(QtsWatch *watch, TimestampTz now)
{
	const QtsExitState *state = &watch->state;
	Datum args[19] = {qts_uuid(&watch->position_id),
					  qts_text(qts_exit_phase_name(state->phase)),
					  Int32GetDatum(state->cycle),
					  qts_price_numeric(state->hwm),
					  TimestampTzGetDatum(state->hwm_at),
					  qts_price_numeric(state->stop_floor),
					  qts_price_numeric(state->last_avg_price),
					  qts_price_numeric(state->base_avg_price),
					  Int64GetDatum(state->last_qty),
					  Int64GetDatum(watch->position.original_qty),
					  BoolGetDatum(state->trail_partial_done),
					  Int32GetDatum(state->floor_ticks),
					  TimestampTzGetDatum(state->floor_since),
					  Int32GetDatum(state->trail_ticks),
					  TimestampTzGetDatum(state->trail_since),
					  TimestampTzGetDatum(now),
					  Int32GetDatum(state->even_ticks),
					  TimestampTzGetDatum(state->even_since),
					  Int64GetDatum(state->cycle_buy)};
	char nulls[] = "                   ";

	if (state->hwm == 0)
		nulls[3] = nulls[4] = 'n';
	if (state->stop_floor == 0)
		nulls[5] = 'n';
	if (state->last_avg_price == 0)
		nulls[6] = nulls[8] = 'n';
	if (state->base_avg_price == 0)
		nulls[7] = 'n';
	if (state->floor_ticks == 0)
		nulls[12] = 'n';
	if (state->trail_ticks == 0)
		nulls[14] = 'n';
	if (state->even_ticks == 0)
		nulls[17] = 'n';
	if (state->cycle_buy == 0)
		nulls[18] = 'n';
	if (!watch->has_state || qts_stmt_run(&update_state, args, nulls) == 0)
		qts_stmt_run(&insert_state, args, nulls);
	watch->has_state = true;
	watch->dirty = false;
	watch->state_xmin = GetCurrentTransactionId();
}

typedef struct Effect
{
	QtsExitRule rule;
	QtsQty filled;
	QtsQty qty;
	int cycle;
} Effect;

/* Ended intents of one position, in one transaction with what they change. */
static void
apply_position(const pg_uuid_t *position_id, QtsWatch *watch, const QtsProfileRow *profiles, TimestampTz now)
{
	Datum args[2] = {qts_uuid(position_id)};
	QtsQty qty;
	QtsPrice average;
	int live;
	int n;
	Effect *effects;

	if (qts_stmt_run(&lock_position, args, NULL) != 1)
		return;
	qty = qts_col_int64(0, 1, 0);
	average = qts_col_price(0, 2);
	qts_stmt_run(&live_intents, args, NULL);
	live = qts_col_int32(0, 1, 0);
	n = (int) qts_stmt_run(&take_effects, args, NULL);
	effects = palloc(sizeof(Effect) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		effects[i].filled = qts_col_int64(i, 2, 0);
		effects[i].cycle = qts_col_int32(i, 3, 0);
		effects[i].qty = qts_col_int64(i, 4, 0);
		if (!qts_exit_rule_parse(qts_col_text(i, 1), &effects[i].rule))
			effects[i].rule = QTS_RULE_MANUAL;
	}
	if (watch != NULL && !qts_exit_reread(watch, &profiles[watch->profile], now))
		watch->position.qty = 0;
	else if (watch != NULL)
	{
		for (int i = 0; i < n; i++)
		{
			/* what it was to sell, or could not because others held it, is looked at again at once */
			if (effects[i].filled < effects[i].qty || qts_exit_sells_all(effects[i].rule))
				watch->evaluated_mono = 0;
			if (effects[i].filled > 0 && (effects[i].cycle == 0 || effects[i].cycle == watch->state.cycle))
				qts_exit_apply_fill(&profiles[watch->profile].profile, &watch->state, effects[i].rule,
									effects[i].filled, qty, average);
		}
		/* fewer were sold; more were bought, which the next look has to see */
		watch->state.last_qty = Min(watch->state.last_qty, qty);
		qts_exit_store_state(watch, now);
	}
	if (qty == 0 && live == 0)
	{
		args[1] = qts_text("CLOSED");
		qts_stmt_run(&state_exited, args, NULL);
		qts_stmt_run(&set_status, args, NULL);
	}
	else if (live == 0)
	{
		args[1] = qts_text("OPEN");
		qts_stmt_run(&set_status, args, NULL);
	}
	pfree(effects);
}

void
qts_exit_apply_effects(QtsWatch *(*find)(const pg_uuid_t *position_id), const QtsProfileRow *profiles,
					   TimestampTz now)
{
	pg_uuid_t *ids;
	int n;

	if (!qts_txn_begin("exit effects"))
		return;
	n = (int) qts_stmt_run(&effect_positions, NULL, NULL);
	ids = MemoryContextAlloc(qts_txn_caller_cxt(), sizeof(pg_uuid_t) * (n + 1));
	for (int i = 0; i < n; i++)
		ids[i] = qts_col_uuid(i, 1);
	qts_txn_commit();
	for (int i = 0; i < n; i++)
	{
		if (!qts_txn_begin("exit effect"))
			break;
		apply_position(&ids[i], find(&ids[i]), profiles, now);
		QTS_POINT("effect.commit");
		qts_txn_commit_soon();
	}
	qts_txn_flush();
	pfree(ids);
}
