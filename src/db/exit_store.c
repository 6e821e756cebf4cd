/*-------------------------------------------------------------------------
 *
 * exit_store.c
 *		Loads watched positions and stores what the exit rules decided.
 *
 * Locks: the position row FOR NO KEY UPDATE before anything is inserted or
 * changed for it; it serialises decisions with fills and manual exits.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "core/money.h"
#include "core/order.h"
#include "core/rate.h"
#include "db/exec.h"
#include "db/exit_store.h"
#include "db/profile.h"
#include "db/stmt.h"
#include "db/txn.h"
#include "errcodes.h"
#include "shm/point.h"
#include "shm/shm.h"

#define LIVE "('PENDING_APPROVAL', 'NEW', 'SUBMITTING', 'UNKNOWN', 'SUBMITTED', 'PARTIAL')"
#define FAILED "('FAILED', 'REJECTED', 'CANCELLED', 'EXPIRED', 'DUPLICATE')"

/* Columns of a watch, the same for all positions and for one. */
#define WATCH_COLUMNS                                                                                        \
	"SELECT p.position_id, p.account_id, p.symbol, p.version, p.status = 'CLOSING', p.qty, p.original_qty, " \
	"p.avg_price,"                                                                                           \
	" p.exit_mode, p.quarantine_reason IS NOT NULL, s.phase, s.exit_cycle, s.hwm_price, s.hwm_ts, "          \
	"s.stop_floor_price,"                                                                                    \
	" coalesce(s.atr_pct, qts._atr_pct(p.symbol, p.avg_price)),"                                             \
	" s.last_avg_price, s.base_avg_price, s.last_qty, s.cycle_qty, s.trail_partial_done,"                    \
	" s.stop_floor_breach_ticks, s.stop_floor_breach_ts, s.trailing_breach_ticks, s.trailing_breach_ts,"     \
	" (SELECT coalesce(sum(i.qty - i.filled_qty), 0)::bigint FROM trade.order_intents i"                     \
	"  WHERE i.position_id = p.position_id AND i.status IN " LIVE "),"                                       \
	" (SELECT coalesce(max(i.priority), 0) FROM trade.order_intents i"                                       \
	"  WHERE i.position_id = p.position_id AND i.status IN " LIVE "),"                                       \
	" (SELECT array_to_string(array_agg(DISTINCT i.reason_code), ',') FROM trade.order_intents i"            \
	"  WHERE i.position_id = p.position_id AND i.exit_cycle = coalesce(s.exit_cycle, 1) AND i.status NOT "   \
	"IN " FAILED "  AND (i.status IN " LIVE                                                                  \
	" OR i.reason_code IN ('SL1', 'TP1', 'TP2', 'TP3', 'TRAIL_PARTIAL'))),"                                  \
	" s.position_id IS NOT NULL"

/*
 * First and alone: a statement that waited for the lock would read everything
 * else as it was before the wait.
 */
static QtsStmt lock_position = {
	"SELECT qty, avg_price FROM trade.positions WHERE position_id = $1 FOR NO KEY UPDATE", 1, {UUIDOID}};

static QtsStmt load_watches = {
	WATCH_COLUMNS
	", coalesce((SELECT x.profile_id FROM trade.exit_profiles x WHERE x.profile_id = p.exit_profile_id"
	" AND x.is_active), (SELECT x.profile_id FROM trade.symbol_exit_overrides o JOIN trade.exit_profiles x USING (profile_id)"
	" WHERE o.symbol = p.symbol AND o.enabled AND o.effective_from <= $1 AND x.is_active), 'default_hybrid_v1')"
	" FROM trade.positions p LEFT JOIN trade.position_state s USING (position_id)"
	" WHERE p.status IN ('OPEN', 'CLOSING') AND p.qty > 0",
	1,
	{DATEOID}};

static QtsStmt load_watch = {WATCH_COLUMNS
							 " FROM trade.positions p LEFT JOIN trade.position_state s USING (position_id)"
							 " WHERE p.position_id = $1 AND p.status IN ('OPEN', 'CLOSING') AND p.qty > 0",
							 1,
							 {UUIDOID}};

static QtsStmt load_profiles = {
	"SELECT profile_id, config::text FROM trade.exit_profiles WHERE is_active ORDER BY profile_id"};

static QtsStmt control_mode = {"SELECT mode FROM trade.exit_control"};

/* Attempts of a rule that the broker refused in this cycle: how many, and when the last one ended. */
static QtsStmt failed_attempts = {
	"SELECT count(*)::int, max(updated_ts) FROM trade.order_intents WHERE position_id = $1 AND exit_cycle = $2"
	" AND reason_code = $3 AND status IN ('FAILED', 'REJECTED')",
	3,
	{UUIDOID, INT4OID, TEXTOID}};

static QtsStmt ended_attempts = {
	"SELECT count(*)::int FROM trade.order_intents WHERE position_id = $1 AND exit_cycle = $2 AND phase = $3"
	" AND reason_code = $4 AND status NOT IN " FAILED " AND status NOT IN " LIVE,
	4,
	{UUIDOID, INT4OID, TEXTOID, TEXTOID}};

static QtsStmt ask_to_go = {
	"UPDATE trade.order_intents SET cancel_requested = true WHERE position_id = $1 AND NOT cancel_requested"
	" AND priority < $2 AND status IN " LIVE,
	2,
	{UUIDOID, INT4OID}};

static QtsStmt insert_intent = {
	"INSERT INTO trade.order_intents (account_id, position_id, symbol, intent_type, qty, order_type, reason_code,"
	" action_key, exit_cycle, phase, priority, source_module, decided_price, threshold_price, created_ts, updated_ts,"
	/* one that could not leave for a minute was decided on another market: it is decided again */
	" expires_ts) VALUES ($1, $2, $3, $4, $5, 'MKT', $6, $7, $8, $9, $10, 'EXIT', $11, $12, $13, $13,"
	" $13 + interval '60 seconds')"
	" ON CONFLICT DO NOTHING RETURNING intent_id",
	13,
	{TEXTOID, UUIDOID, TEXTOID, TEXTOID, INT8OID, TEXTOID, TEXTOID, INT4OID, TEXTOID, INT4OID, NUMERICOID,
	 NUMERICOID, TIMESTAMPTZOID}};

static QtsStmt set_status = {
	"UPDATE trade.positions SET status = $2 WHERE position_id = $1 AND status <> $2", 2, {UUIDOID, TEXTOID}};

static QtsStmt insert_signal = {
	"INSERT INTO trade.exit_signals (ts, position_id, account_id, rule_name, is_triggered, price, threshold_price,"
	" pnl_pct, hwm_price, stop_floor_price, phase, control_mode, profile_id, intent_id)"
	" VALUES ($1, $2, $3, $4, true, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
	13,
	{TIMESTAMPTZOID, UUIDOID, TEXTOID, TEXTOID, NUMERICOID, NUMERICOID, NUMERICOID, NUMERICOID, NUMERICOID,
	 TEXTOID, TEXTOID, TEXTOID, UUIDOID}};

static QtsStmt store_state = {
	"INSERT INTO trade.position_state AS s (position_id, phase, exit_cycle, hwm_price, hwm_ts, stop_floor_price,"
	" last_avg_price, base_avg_price, last_qty, cycle_qty, trail_partial_done, stop_floor_breach_ticks,"
	" stop_floor_breach_ts, trailing_breach_ticks, trailing_breach_ts, last_eval_ts, updated_ts, atr_pct)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16,"
	" (SELECT qts._atr_pct(p.symbol, p.avg_price) FROM trade.positions AS p WHERE p.position_id = $1))"
	" ON CONFLICT (position_id) DO UPDATE SET phase = $2, exit_cycle = $3, hwm_price = $4, hwm_ts = $5,"
	" stop_floor_price = $6, last_avg_price = $7, base_avg_price = $8, last_qty = $9, cycle_qty = $10,"
	" trail_partial_done = $11, stop_floor_breach_ticks = $12, stop_floor_breach_ts = $13,"
	" trailing_breach_ticks = $14, trailing_breach_ts = $15, last_eval_ts = $16, updated_ts = $16"
	/* a person may have begun a new cycle meanwhile: what memory holds is of the old one */
	" WHERE s.exit_cycle <= $3",
	16,
	{UUIDOID, TEXTOID, INT4OID, NUMERICOID, TIMESTAMPTZOID, NUMERICOID, NUMERICOID, NUMERICOID, INT8OID,
	 INT8OID, BOOLOID, INT4OID, TIMESTAMPTZOID, INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID}};

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

static QtsStmt ticks_high = {
	"SELECT max(coalesce(nullif(bid_price, 0), last_price)) FROM market.prices_ticks WHERE symbol = $1 AND recv_ts > $2",
	2,
	{TEXTOID, TIMESTAMPTZOID}};

QtsControlMode
qts_exit_control_mode(void)
{
	QtsControlMode mode = QTS_CONTROL_PAUSE_ALL; /* no row: fail closed */

	if (qts_stmt_run(&control_mode, NULL, NULL) == 1)
		(void) qts_control_mode_parse(qts_col_text(0, 1), &mode);
	return mode;
}

QtsProfileRow *
qts_exit_load_profiles(int *count)
{
	int n = (int) qts_stmt_run(&load_profiles, NULL, NULL);
	QtsProfileRow *rows = palloc0(sizeof(QtsProfileRow) * (n + 1));
	int used = 0;

	for (int i = 0; i < n; i++)
	{
		char why[256];

		qts_col_copy(i, 1, rows[used].profile_id, sizeof(rows[used].profile_id));
		/* validated when written; one that does not parse any more is skipped, so the default applies */
		if (qts_profile_parse(qts_col_text(i, 2), &rows[used].profile, why, sizeof(why)))
			used++;
		else
			ereport(WARNING, (errcode(QTS_ERRCODE_INVALID),
							  errmsg("exit profile \"%s\" is not usable: %s", rows[used].profile_id, why),
							  errhint("Save it again with qts.save_exit_profile().")));
	}
	rows[used].profile_id[0] = '\0';
	rows[used].profile = qts_exit_profile_default();
	*count = used + 1;
	return rows;
}

static int
profile_index(const QtsProfileRow *profiles, int nprofiles, const char *profile_id)
{
	for (int i = 0; i < nprofiles - 1; i++)
		if (strcmp(profiles[i].profile_id, profile_id) == 0)
			return i;
	return nprofiles - 1;
}

static QtsPpm
col_ppm(uint64 row, int column)
{
	/* numeric(12,6) fraction read as 1/10 000: scale up to ppm */
	bool isnull;
	Datum value = qts_col(row, column, &isnull);

	if (isnull)
		return 0;
	return DatumGetInt64(DirectFunctionCall1(
		numeric_int8, DirectFunctionCall2(numeric_mul, value, NumericGetDatum(int64_to_numeric(QTS_PPM)))));
}

static void
watch_rules(QtsExitPosition *position, char *list)
{
	char *save = NULL;

	memset(position->live_rule, 0, sizeof(position->live_rule));
	for (char *name = list ? strtok_r(list, ",", &save) : NULL; name != NULL;
		 name = strtok_r(NULL, ",", &save))
	{
		QtsExitRule rule;

		if (qts_exit_rule_parse(name, &rule))
			position->live_rule[rule] = true;
	}
}

/* Fill a watch from row i of a WATCH_COLUMNS result. */
static void
watch_fill(uint64 i, QtsWatch *watch)
{
	QtsExitPosition *position = &watch->position;
	QtsExitState *state = &watch->state;
	QtsQty locked = qts_col_int64(i, 26, 0);

	watch->position_id = qts_col_uuid(i, 1);
	qts_col_copy(i, 2, watch->account, sizeof(watch->account));
	qts_col_copy(i, 3, watch->symbol, sizeof(watch->symbol));
	watch->version = qts_col_int32(i, 4, 0);
	watch->closing = qts_col_bool(i, 5);
	position->qty = qts_col_int64(i, 6, 0);
	position->avg_price = qts_col_price(i, 8);
	if (!qts_position_mode_parse(qts_col_text(i, 9), &position->mode))
		position->mode = QTS_POSITION_DISABLED;
	position->quarantined = qts_col_bool(i, 10);
	position->available = qts_available_qty(position->qty, locked);
	position->live_severity = qts_col_int32(i, 27, 0);
	position->original_qty = qts_col_int64(i, 20, qts_col_int64(i, 7, 0));
	watch_rules(position, qts_col_text(i, 28));
	watch->has_state = qts_col_bool(i, 29);

	memset(state, 0, sizeof(*state));
	state->cycle = qts_col_int32(i, 12, 1);
	if (watch->has_state && !qts_exit_phase_parse(qts_col_text(i, 11), &state->phase))
		ereport(ERROR, (errcode(QTS_ERRCODE_INTERNAL),
						errmsg("position state has a phase this library does not know")));
	state->hwm = qts_col_price(i, 13);
	state->hwm_at = qts_col_int64(i, 14, QTS_TIME_NONE);
	state->stop_floor = qts_col_price(i, 15);
	state->atr_pct = col_ppm(i, 16);
	state->last_avg_price = qts_col_price(i, 17);
	state->base_avg_price = qts_col_price(i, 18);
	state->last_qty = qts_col_int64(i, 19, 0);
	state->trail_partial_done = qts_col_bool(i, 21);
	state->floor_ticks = qts_col_int32(i, 22, 0);
	state->floor_since = qts_col_int64(i, 23, QTS_TIME_NONE);
	state->trail_ticks = qts_col_int32(i, 24, 0);
	state->trail_since = qts_col_int64(i, 25, QTS_TIME_NONE);
}

QtsWatch *
qts_exit_load_watches(const QtsProfileRow *profiles, int nprofiles, int32 seoul_date, int *count)
{
	Datum args[1] = {DateADTGetDatum(seoul_date)};
	int n = (int) qts_stmt_run(&load_watches, args, NULL);
	QtsWatch *watches = palloc0(sizeof(QtsWatch) * (n + 1));

	for (int i = 0; i < n; i++)
	{
		watch_fill(i, &watches[i]);
		watches[i].profile = profile_index(profiles, nprofiles, qts_col_text(i, 30));
		watches[i].dirty = !watches[i].has_state;
	}
	*count = n;
	return watches;
}

bool
qts_exit_reread(QtsWatch *watch)
{
	Datum args[1] = {qts_uuid(&watch->position_id)};
	QtsExitState memory = watch->state;

	if (qts_stmt_run(&lock_position, args, NULL) != 1 || qts_stmt_run(&load_watch, args, NULL) != 1)
		return false;
	watch_fill(0, watch);
	/* marks and counters live in memory between flushes; phase, cycle and floor in the row */
	if (watch->has_state && watch->state.cycle == memory.cycle && watch->state.phase == memory.phase)
		watch->state = memory;
	return true;
}

static bool
rule_is_full(QtsExitRule rule)
{
	return rule == QTS_RULE_HARD_STOP || rule == QTS_RULE_SL2 || rule == QTS_RULE_STOP_FLOOR ||
		   rule == QTS_RULE_TRAIL;
}

/*
 * Failed attempts pause a rule longer and longer, so that a broker that
 * refuses is not asked at every tick (anchors 2.1 R9).
 */
static bool
rule_must_wait(QtsWatch *watch, const char *reason, TimestampTz now)
{
	Datum args[3] = {qts_uuid(&watch->position_id), Int32GetDatum(watch->state.cycle), qts_text(reason)};
	int failed;

	qts_stmt_run(&failed_attempts, args, NULL);
	failed = qts_col_int32(0, 1, 0);
	if (failed == 0)
		return false;
	watch->retry_at = qts_col_int64(0, 2, 0) + qts_backoff(failed - 1, QTS_SEC, 300 * QTS_SEC, 0);
	if (watch->retry_at <= now)
		watch->retry_at = 0;
	else if (failed >= 5)
		qts_alert("CRITICAL", "EXIT_FAILING", watch->symbol,
				  "See qts.intents for the broker's reasons; sell by hand if needed.",
				  "%s of %s has failed %d times", reason, watch->symbol, failed);
	return watch->retry_at != 0;
}

static void
action_key(const QtsWatch *watch, QtsExitRule rule, const char *reason, char *key, size_t size)
{
	const char *phase = qts_exit_phase_name(watch->state.phase);
	char *id = DatumGetCString(DirectFunctionCall1(uuid_out, qts_uuid(&watch->position_id)));
	int n = snprintf(key, size, "%s:%d:%s:%s", id, watch->state.cycle, phase, reason);

	if (rule_is_full(rule))
	{
		Datum args[4] = {qts_uuid(&watch->position_id), Int32GetDatum(watch->state.cycle), qts_text(phase),
						 qts_text(reason)};
		int ended;

		/* what an ended full exit left over is sold by the next one */
		qts_stmt_run(&ended_attempts, args, NULL);
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
log_signal(const QtsWatch *watch, const QtsExitDecision *decision, const char *reason, const char *profile_id,
		   QtsControlMode control, const pg_uuid_t *intent_id, TimestampTz now)
{
	Datum args[13] = {TimestampTzGetDatum(now),
					  qts_uuid(&watch->position_id),
					  qts_text(watch->account),
					  qts_text(reason),
					  qts_price_numeric(decision->price),
					  qts_price_numeric(decision->threshold),
					  pnl_numeric(watch, decision->price),
					  qts_price_numeric(watch->state.hwm),
					  qts_price_numeric(watch->state.stop_floor),
					  qts_text(qts_exit_phase_name(watch->state.phase)),
					  qts_text(qts_control_mode_name(control)),
					  qts_text(profile_id),
					  qts_uuid(intent_id)};

	qts_stmt_run(&insert_signal, args, watch->state.stop_floor == 0 ? "        n    " : NULL);
}

bool
qts_exit_act(QtsWatch *watch, const QtsExitDecision *decision, const char *profile_id, QtsControlMode control,
			 TimestampTz now)
{
	const char *reason = qts_exit_rule_name(decision->rule);
	int severity = qts_exit_severity(decision->rule);
	QtsQty qty = Min(decision->qty, watch->position.available);
	Datum go[2] = {qts_uuid(&watch->position_id), Int32GetDatum(severity)};
	Datum closing[2] = {go[0], qts_text("CLOSING")};
	pg_uuid_t intent_id;
	char key[160];

	if (rule_must_wait(watch, reason, now))
		return false;
	if (decision->supersede)
		qts_stmt_run(&ask_to_go, go, NULL);
	qts_exit_store_state(watch, now);
	if (qty <= 0)
		return false; /* the rest follows when the superseded orders are gone */
	action_key(watch, decision->rule, reason, key, sizeof(key));
	{
		Datum args[13] = {qts_text(watch->account),
						  go[0],
						  qts_text(watch->symbol),
						  qts_text(qty == watch->position.qty ? "EXIT_FULL" : "EXIT_PARTIAL"),
						  Int64GetDatum(qty),
						  qts_text(reason),
						  qts_text(key),
						  Int32GetDatum(watch->state.cycle),
						  qts_text(qts_exit_phase_name(watch->state.phase)),
						  Int32GetDatum(severity),
						  qts_price_numeric(decision->price),
						  qts_price_numeric(decision->threshold),
						  TimestampTzGetDatum(now)};

		if (qts_stmt_run(&insert_intent, args, NULL) == 0)
			return false; /* the same action is under way already */
	}
	intent_id = qts_col_uuid(0, 1);
	qts_stmt_run(&set_status, closing, NULL);
	log_signal(watch, decision, reason, profile_id, control, &intent_id, now);
	qts_count(QTS_COUNT_INTENTS, 1);
	return true;
}

void
qts_exit_new_cycle(QtsWatch *watch, TimestampTz now)
{
	Datum go[2] = {qts_uuid(&watch->position_id), Int32GetDatum(PG_INT32_MAX)};

	qts_stmt_run(&ask_to_go, go, NULL);
	qts_exit_store_state(watch, now);
}

void
qts_exit_store_state(QtsWatch *watch, TimestampTz now)
{
	const QtsExitState *state = &watch->state;
	Datum args[16] = {qts_uuid(&watch->position_id),
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
					  TimestampTzGetDatum(now)};
	char nulls[17] = "                ";

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
	qts_stmt_run(&store_state, args, nulls);
	watch->has_state = true;
	watch->dirty = false;
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
	if (watch != NULL && !qts_exit_reread(watch))
		watch->position.qty = 0;
	else if (watch != NULL)
	{
		for (int i = 0; i < n; i++)
		{
			if (effects[i].filled < effects[i].qty)
				watch->evaluated_mono = 0; /* what it was to sell is looked at again at once */
			if (effects[i].filled > 0 && (effects[i].cycle == 0 || effects[i].cycle == watch->state.cycle))
				qts_exit_apply_fill(&profiles[watch->profile].profile, &watch->state, effects[i].rule,
									effects[i].filled, qty, average);
		}
		watch->state.last_qty = qty;
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

static QtsWatch *
watch_find(QtsWatch *watches, int nwatches, const pg_uuid_t *position_id)
{
	for (int i = 0; i < nwatches; i++)
		if (memcmp(&watches[i].position_id, position_id, sizeof(pg_uuid_t)) == 0)
			return &watches[i];
	return NULL;
}

void
qts_exit_apply_effects(QtsWatch *watches, int nwatches, const QtsProfileRow *profiles, TimestampTz now)
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
		apply_position(&ids[i], watch_find(watches, nwatches, &ids[i]), profiles, now);
		QTS_POINT("effect.commit");
		qts_txn_commit();
	}
	pfree(ids);
}

QtsPrice
qts_exit_ticks_high(const QtsWatch *watch, TimestampTz since)
{
	Datum args[2] = {qts_text(watch->symbol), TimestampTzGetDatum(since)};

	qts_stmt_run(&ticks_high, args, NULL);
	return qts_col_int64(0, 1, 0) * QTS_PRICE_SCALE;
}
