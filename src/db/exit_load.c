/*-------------------------------------------------------------------------
 *
 * exit_load.c
 *		Reads what exits are decided on: positions with their state, live
 *		intents and profile, and what is known of the day.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "utils/array.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "core/order.h"
#include "core/session.h"
#include "db/exit_store.h"
#include "db/profile.h"
#include "db/stmt.h"
#include "errcodes.h"

#define LIVE "('PENDING_APPROVAL', 'NEW', 'SUBMITTING', 'UNKNOWN', 'SUBMITTED', 'PARTIAL')"
#define FAILED "('FAILED', 'REJECTED', 'CANCELLED', 'EXPIRED', 'DUPLICATE')"

/* Columns of a watch, the same for all positions and for one.  $1 is the date in Seoul. */
#define WATCH_COLUMNS                                                                                        \
	"SELECT p.position_id, p.account_id, p.symbol, p.version, p.status, p.qty, p.original_qty, p.avg_price," \
	" p.exit_mode, p.quarantine_reason IS NOT NULL, s.phase, s.exit_cycle, s.hwm_price, s.hwm_ts,"           \
	" s.stop_floor_price, coalesce(s.atr_pct, qts._atr_pct(p.symbol, p.avg_price)),"                         \
	" s.last_avg_price, s.base_avg_price, s.last_qty, s.cycle_qty, s.trail_partial_done,"                    \
	" s.stop_floor_breach_ticks, s.stop_floor_breach_ts, s.trailing_breach_ticks, s.trailing_breach_ts,"     \
	" s.break_even_breach_ticks, s.break_even_breach_ts, s.cycle_buy, s.position_id IS NOT NULL,"            \
	" coalesce(l.locked, 0), coalesce(l.severity, 0), l.rules,"                                              \
	" (SELECT uuid_hash_extended(f.order_uid, 0) FROM trade.fills f WHERE f.position_id = p.position_id"     \
	"  AND f.side = 'BUY' ORDER BY f.ts DESC LIMIT 1),"                                                      \
	" $1 - (timezone('Asia/Seoul', p.entry_ts))::date,"                                                      \
	" (SELECT count(*)::int FROM market.calendar c WHERE c.is_open AND c.date <= $1"                         \
	"  AND c.date > (timezone('Asia/Seoul', p.entry_ts))::date),"                                            \
	" coalesce((SELECT x.profile_id FROM trade.exit_profiles x WHERE x.profile_id = p.exit_profile_id"       \
	"  AND x.is_active), (SELECT x.profile_id FROM trade.symbol_exit_overrides o"                            \
	"  JOIN trade.exit_profiles x USING (profile_id) WHERE o.symbol = p.symbol AND o.enabled"                \
	"  AND o.effective_from <= $1 AND x.is_active), 'default_hybrid_v1'), p.xmin, s.xmin, s.hold"            \
	" FROM trade.positions p LEFT JOIN trade.position_state s USING (position_id)"                           \
	" LEFT JOIN LATERAL (SELECT sum(i.qty - i.filled_qty) FILTER (WHERE i.status IN " LIVE                   \
	")::bigint AS locked, max(i.priority) FILTER (WHERE i.status IN " LIVE ") AS severity,"                  \
	" string_agg(DISTINCT i.reason_code || coalesce(':' || i.rule_id, ''), ',') FILTER"                      \
	" (WHERE i.exit_cycle = coalesce(s.exit_cycle, 1) AND i.status NOT IN " FAILED " AND (i.status IN " LIVE \
	" OR i.reason_code IN ('SL1', 'CUSTOM', 'TP1', 'TP2', 'TP3', 'TRAIL_PARTIAL'))) AS rules"                \
	" FROM trade.order_intents i WHERE i.position_id = p.position_id) l ON true"

enum
{
	COL_POSITION = 1,
	COL_ACCOUNT,
	COL_SYMBOL,
	COL_VERSION,
	COL_STATUS,
	COL_QTY,
	COL_ORIGINAL,
	COL_AVERAGE,
	COL_MODE,
	COL_QUARANTINED,
	COL_PHASE,
	COL_CYCLE,
	COL_HWM,
	COL_HWM_TS,
	COL_FLOOR,
	COL_ATR,
	COL_LAST_AVERAGE,
	COL_BASE_AVERAGE,
	COL_LAST_QTY,
	COL_CYCLE_QTY,
	COL_TRAIL_DONE,
	COL_FLOOR_TICKS,
	COL_FLOOR_TS,
	COL_TRAIL_TICKS,
	COL_TRAIL_TS,
	COL_EVEN_TICKS,
	COL_EVEN_TS,
	COL_CYCLE_BUY,
	COL_HAS_STATE,
	COL_LOCKED,
	COL_SEVERITY,
	COL_RULES,
	COL_LAST_BUY,
	COL_DAYS,
	COL_TRADING_DAYS,
	COL_PROFILE,
	COL_ROW_XMIN,
	COL_STATE_XMIN,
	COL_HOLD
};

static QtsStmt load_versions = {
	"SELECT p.position_id, p.xmin, s.xmin FROM trade.positions p LEFT JOIN trade.position_state s USING (position_id)"
	" WHERE p.status IN ('OPEN', 'CLOSING') AND p.qty > 0"};

static QtsStmt load_watches = {
	WATCH_COLUMNS " WHERE p.status IN ('OPEN', 'CLOSING') AND p.qty > 0", 1, {DATEOID}};

static QtsStmt load_some = {
	WATCH_COLUMNS " WHERE p.status IN ('OPEN', 'CLOSING') AND p.qty > 0 AND p.position_id = ANY ($2)",
	2,
	{DATEOID, UUIDARRAYOID}};

static QtsStmt load_watch = {WATCH_COLUMNS " WHERE p.position_id = $2", 2, {DATEOID, UUIDOID}};

/*
 * First and alone: a statement that waited for the lock would read everything
 * else as it was before the wait.
 */
static QtsStmt lock_position = {
	"SELECT FROM trade.positions WHERE position_id = $1 FOR NO KEY UPDATE", 1, {UUIDOID}};

static QtsStmt load_profiles = {
	"SELECT profile_id, config::text FROM trade.exit_profiles WHERE is_active ORDER BY profile_id"};

static QtsStmt load_profile = {
	"SELECT profile_id, config::text FROM trade.exit_profiles WHERE profile_id = $1 AND is_active",
	1,
	{TEXTOID}};

static QtsStmt control_mode = {"SELECT mode FROM trade.exit_control"};

/* Old days may be packed. */
static QtsStmt ticks_high = {
	"SELECT max(coalesce(nullif(t.bid_price, 0), t.last_price)) FROM qts.ticks($1, $2, 'infinity') t",
	2,
	{TEXTOID, TIMESTAMPTZOID}};

/*
 * What the exchange says of today comes before the last close: it knows of
 * splits.  The first price is one printed after the open, whenever it came.
 */
#define FACT_COLUMNS                                                                                         \
	"SELECT k.symbol, CASE WHEN k.limits_date = $1 AND k.base_price > 0 THEN k.base_price"                   \
	" ELSE qts.previous_close(k.symbol, $1) END, (SELECT coalesce(nullif(t.bid_price, 0), t.last_price)"     \
	" FROM market.prices_ticks t WHERE t.symbol = k.symbol AND t.recv_ts >= $2"                              \
	" AND t.recv_ts < $2 + interval '10 minutes' AND coalesce(t.exch_ts, t.recv_ts) >= $2"                   \
	" AND t.source <> 'NAVER' ORDER BY t.recv_ts LIMIT 1) FROM market.stocks k"

static QtsStmt session_facts = {
	FACT_COLUMNS
	" WHERE k.symbol IN (SELECT p.symbol FROM trade.positions p WHERE p.status IN ('OPEN', 'CLOSING')"
	" AND p.qty > 0) ORDER BY k.symbol COLLATE \"C\"",
	2,
	{DATEOID, TIMESTAMPTZOID}};

static QtsStmt session_fact = {FACT_COLUMNS " WHERE k.symbol = $3", 3, {DATEOID, TIMESTAMPTZOID, TEXTOID}};

QtsControlMode
qts_exit_control_mode(void)
{
	QtsControlMode mode = QTS_CONTROL_PAUSE_ALL; /* no row: fail closed */

	if (qts_stmt_run(&control_mode, NULL, NULL) == 1)
		(void) qts_control_mode_parse(qts_col_text(0, 1), &mode);
	return mode;
}

/* A profile that does not parse any more was valid when it was written: an older one's number changed meaning. */
static bool
profile_fill(uint64 i, QtsProfileRow *row)
{
	char why[512];

	qts_col_copy(i, 1, row->profile_id, sizeof(row->profile_id));
	if (qts_profile_parse(qts_col_text(i, 2), &row->profile, why, sizeof(why)))
		return true;
	ereport(WARNING, (errcode(QTS_ERRCODE_INVALID),
					  errmsg("exit profile \"%s\" is not usable: %s", row->profile_id, why),
					  errhint("Save it again with qts.save_exit_profile().")));
	return false;
}

static void
profile_builtin(QtsProfileRow *row)
{
	row->profile_id[0] = '\0';
	row->profile = qts_exit_profile_default();
}

const char *
qts_profile_row_id(const QtsProfileRow *row)
{
	return row->profile_id[0] != '\0' ? row->profile_id : "default_hybrid_v1";
}

QtsProfileRow *
qts_exit_load_profiles(int *count)
{
	int n = (int) qts_stmt_run(&load_profiles, NULL, NULL);
	QtsProfileRow *rows = palloc0(sizeof(QtsProfileRow) * (n + 1));
	int used = 0;

	for (int i = 0; i < n; i++)
	{
		if (profile_fill(i, &rows[used]))
			used++;
	}
	profile_builtin(&rows[used]);
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

static TransactionId
col_xid(uint64 row, int column)
{
	bool isnull;
	Datum value = qts_col(row, column, &isnull);

	return isnull ? InvalidTransactionId : DatumGetTransactionId(value);
}

/* "SL1,CUSTOM:half": rules that have acted or act.  One the profile lacks by now cannot act again. */
static void
watch_rules(QtsExitPosition *position, const QtsExitProfile *profile, char *list)
{
	char *save = NULL;

	memset(position->live_rule, 0, sizeof(position->live_rule));
	memset(position->live_custom, 0, sizeof(position->live_custom));
	for (char *name = list ? strtok_r(list, ",", &save) : NULL; name != NULL;
		 name = strtok_r(NULL, ",", &save))
	{
		char *id = strchr(name, ':');
		QtsExitRule rule;
		int custom;

		if (id != NULL)
			*id++ = '\0';
		if (!qts_exit_rule_parse(name, &rule))
			continue;
		custom = qts_exit_custom_find(profile, id);
		if (rule != QTS_RULE_CUSTOM)
			position->live_rule[rule] = true;
		else if (custom != QTS_CUSTOM_NONE)
			position->live_custom[custom] = true;
	}
}

static void
watch_fill_state(uint64 i, QtsWatch *watch)
{
	QtsExitState *state = &watch->state;

	memset(state, 0, sizeof(*state));
	state->cycle = qts_col_int32(i, COL_CYCLE, 1);
	if (watch->has_state && !qts_exit_phase_parse(qts_col_text(i, COL_PHASE), &state->phase))
		ereport(ERROR, (errcode(QTS_ERRCODE_INTERNAL),
						errmsg("position state has a phase this library does not know")));
	state->hwm = qts_col_price(i, COL_HWM);
	state->hwm_at = qts_col_int64(i, COL_HWM_TS, QTS_TIME_NONE);
	state->stop_floor = qts_col_price(i, COL_FLOOR);
	state->atr_pct = col_ppm(i, COL_ATR);
	state->last_avg_price = qts_col_price(i, COL_LAST_AVERAGE);
	state->base_avg_price = qts_col_price(i, COL_BASE_AVERAGE);
	state->last_qty = qts_col_int64(i, COL_LAST_QTY, 0);
	state->cycle_buy = qts_col_int64(i, COL_CYCLE_BUY, 0);
	state->trail_partial_done = qts_col_bool(i, COL_TRAIL_DONE);
	state->floor_ticks = qts_col_int32(i, COL_FLOOR_TICKS, 0);
	state->floor_since = qts_col_int64(i, COL_FLOOR_TS, QTS_TIME_NONE);
	state->trail_ticks = qts_col_int32(i, COL_TRAIL_TICKS, 0);
	state->trail_since = qts_col_int64(i, COL_TRAIL_TS, QTS_TIME_NONE);
	state->even_ticks = qts_col_int32(i, COL_EVEN_TICKS, 0);
	state->even_since = qts_col_int64(i, COL_EVEN_TS, QTS_TIME_NONE);
}

/* Fill a watch from row i of a WATCH_COLUMNS result. */
static void
watch_fill(uint64 i, const QtsExitProfile *profile, QtsWatch *watch)
{
	QtsExitPosition *position = &watch->position;
	char *status = qts_col_text(i, COL_STATUS);
	char *hold = qts_col_text(i, COL_HOLD);

	watch->position_id = qts_col_uuid(i, COL_POSITION);
	qts_col_copy(i, COL_ACCOUNT, watch->account, sizeof(watch->account));
	qts_col_copy(i, COL_SYMBOL, watch->symbol, sizeof(watch->symbol));
	watch->version = qts_col_int32(i, COL_VERSION, 0);
	watch->closing = strcmp(status, "CLOSING") == 0;
	watch->over = strcmp(status, "CLOSED") == 0;
	watch->has_state = qts_col_bool(i, COL_HAS_STATE);
	position->qty = qts_col_int64(i, COL_QTY, 0);
	position->avg_price = qts_col_price(i, COL_AVERAGE);
	if (!qts_position_mode_parse(qts_col_text(i, COL_MODE), &position->mode))
		position->mode = QTS_POSITION_DISABLED;
	position->quarantined = qts_col_bool(i, COL_QUARANTINED);
	position->available = qts_available_qty(position->qty, qts_col_int64(i, COL_LOCKED, 0));
	position->live_severity = qts_col_int32(i, COL_SEVERITY, 0);
	position->original_qty = qts_col_int64(i, COL_CYCLE_QTY, qts_col_int64(i, COL_ORIGINAL, 0));
	position->held_days = qts_col_int32(i, COL_DAYS, 0);
	position->held_trading_days = qts_col_int32(i, COL_TRADING_DAYS, 0);
	position->last_buy = qts_col_int64(i, COL_LAST_BUY, 0);
	watch->row_xmin = col_xid(i, COL_ROW_XMIN);
	watch->state_xmin = col_xid(i, COL_STATE_XMIN);
	position->held_back = hold != NULL && strcmp(hold, "HELD") == 0;
	watch_rules(position, profile, qts_col_text(i, COL_RULES));
	watch_fill_state(i, watch);
}

QtsWatchVersion *
qts_exit_load_versions(int *count)
{
	int n = (int) qts_stmt_run(&load_versions, NULL, NULL);
	QtsWatchVersion *versions = palloc(sizeof(QtsWatchVersion) * (n + 1));

	for (int i = 0; i < n; i++)
	{
		versions[i].position_id = qts_col_uuid(i, 1);
		versions[i].row_xmin = col_xid(i, 2);
		versions[i].state_xmin = col_xid(i, 3);
	}
	*count = n;
	return versions;
}

static uint64
watches_fetch(int32 seoul_date, const pg_uuid_t *ids, int nids)
{
	Datum args[2] = {DateADTGetDatum(seoul_date)};
	Datum *values;

	if (ids == NULL)
		return qts_stmt_run(&load_watches, args, NULL);
	values = palloc(sizeof(Datum) * nids);
	for (int i = 0; i < nids; i++)
		values[i] = UUIDPGetDatum(&ids[i]);
	args[1] = PointerGetDatum(construct_array(values, nids, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
	return qts_stmt_run(&load_some, args, NULL);
}

QtsWatch *
qts_exit_load_watches(const QtsProfileRow *profiles, int nprofiles, int32 seoul_date, const pg_uuid_t *ids,
					  int nids, int *count)
{
	int n = (int) watches_fetch(seoul_date, ids, nids);
	QtsWatch *watches = palloc0(sizeof(QtsWatch) * (n + 1));

	for (int i = 0; i < n; i++)
	{
		int profile = profile_index(profiles, nprofiles, qts_col_text(i, COL_PROFILE));

		watch_fill(i, &profiles[profile].profile, &watches[i]);
		watches[i].profile = profile;
		watches[i].dirty = !watches[i].has_state;
		qts_symbol_start(&watches[i].hold, qts_col_text(i, COL_HOLD) != NULL);
	}
	*count = n;
	return watches;
}

static bool
watch_read(const pg_uuid_t *position_id, TimestampTz now)
{
	Datum args[2] = {DateADTGetDatum(qts_seoul_date(now)), qts_uuid(position_id)};

	return qts_stmt_run(&load_watch, args, NULL) == 1;
}

bool
qts_exit_reread(QtsWatch *watch, const QtsProfileRow *profile, TimestampTz now)
{
	Datum args[1] = {qts_uuid(&watch->position_id)};
	QtsExitState memory = watch->state;

	if (qts_stmt_run(&lock_position, args, NULL) != 1 || !watch_read(&watch->position_id, now))
		return false;
	watch_fill(0, &profile->profile, watch);
	/* what may happen to it has changed; and another profile is found by the loader only */
	memset(&watch->band, 0, sizeof(watch->band));
	if (strcmp(qts_col_text(0, COL_PROFILE), qts_profile_row_id(profile)) != 0)
		watch->row_xmin = InvalidTransactionId;
	if (watch->over || watch->position.qty == 0)
		return false;
	/* marks and counters live in memory between flushes, at first alone; phase, cycle and floor in the row */
	if (watch->state.cycle == memory.cycle && watch->state.phase == memory.phase)
		watch->state = memory;
	return true;
}

bool
qts_exit_read(const pg_uuid_t *position_id, TimestampTz now, QtsWatch *watch, QtsProfileRow *profile)
{
	Datum args[1];

	memset(watch, 0, sizeof(*watch));
	if (!watch_read(position_id, now))
		return false;
	args[0] = qts_text(qts_col_text(0, COL_PROFILE));
	if (qts_stmt_run(&load_profile, args, NULL) != 1 || !profile_fill(0, profile))
		profile_builtin(profile);
	/* the rules of the row are named by the profile */
	if (!watch_read(position_id, now))
		return false;
	watch_fill(0, &profile->profile, watch);
	return true;
}

static int
facts_compare(const void *symbol, const void *watch)
{
	return strcmp(symbol, ((const QtsWatch *) watch)->symbol);
}

void
qts_exit_session_facts(QtsWatch *watches, int nwatches, int32 seoul_date, TimestampTz open_at)
{
	Datum args[3] = {DateADTGetDatum(seoul_date), TimestampTzGetDatum(open_at), qts_text(watches[0].symbol)};
	int n = (int) qts_stmt_run(nwatches == 1 ? &session_fact : &session_facts, args, NULL);
	QtsWatch *known = palloc0(sizeof(QtsWatch) * (n + 1));

	for (int i = 0; i < n; i++)
	{
		qts_col_copy(i, 1, known[i].symbol, sizeof(known[i].symbol));
		known[i].prev_close = qts_col_int64(i, 2, 0) * QTS_PRICE_SCALE;
		known[i].first = qts_col_int64(i, 3, 0) * QTS_PRICE_SCALE;
	}
	for (int i = 0; i < nwatches; i++)
	{
		const QtsWatch *fact = bsearch(watches[i].symbol, known, n, sizeof(QtsWatch), facts_compare);

		/* what was seen and not stored yet stays */
		if (fact != NULL && fact->prev_close > 0)
			watches[i].prev_close = fact->prev_close;
		if (fact != NULL && fact->first > 0)
			watches[i].first = fact->first;
	}
	pfree(known);
}

QtsPrice
qts_exit_ticks_high(const QtsWatch *watch, TimestampTz since)
{
	Datum args[2] = {qts_text(watch->symbol), TimestampTzGetDatum(since)};

	qts_stmt_run(&ticks_high, args, NULL);
	return qts_col_int64(0, 1, 0) * QTS_PRICE_SCALE;
}
