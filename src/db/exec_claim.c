/*-------------------------------------------------------------------------
 *
 * exec_claim.c
 *		Claiming intents: order rows are written ahead of the POST.
 *
 * The claim is one synchronous commit.  After it a crash leaves an order
 * that may have been sent, never one that was sent without a row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "utils/date.h"

#include "core/exit.h"
#include "core/tick.h"
#include "db/exec.h"
#include "db/stmt.h"
#include "errcodes.h"
#include "guc.h"
#include "shm/clock.h"

/*
 * The switches, locked so that a halt and a claim exclude each other: once
 * the halt has committed, no later claim passes it.
 */
static QtsStmt claim_gate = {
	"SELECT e.active, e.emergency_stop, c.mode, a.status = 'PAUSED', CASE WHEN e.inherited THEN e.bound_ts END"
	" FROM system.engine e, trade.exit_control c, trade.accounts a WHERE a.account_id = $1"
	" AND a.status IN ('ACTIVE', 'PAUSED') FOR SHARE OF e, c, a",
	1,
	{TEXTOID}};

/*
 * Most urgent first; a symbol and side with an unresolved order waits (kis-api 6.5).
 * What an earlier primary decided waits for a ledger read since the last one was
 * resolved: until then its twin counted as what might be the answer.
 */
static QtsStmt new_intents = {
	"SELECT i.intent_id, i.position_id, i.symbol, i.intent_type, i.qty, i.order_type, i.limit_price, i.reason_code,"
	" i.source_module, i.created_ts, i.expires_ts, p.qty, p.exit_mode, p.quarantine_reason IS NOT NULL,"
	" s.is_tradable AND s.status = 'ACTIVE', s.instrument,"
	" CASE WHEN s.limits_date = $3 THEN s.lower_limit END, CASE WHEN s.limits_date = $3 THEN s.upper_limit END,"
	/* what the balance will show as sellable (a buy: as held) if this order never arrives */
	" CASE WHEN i.intent_type = 'ENTRY' THEN coalesce(h.qty, 0) ELSE p.qty - (SELECT coalesce(sum(o.qty - o.filled_qty), 0)"
	" FROM trade.orders o WHERE o.account_id = i.account_id AND o.symbol = i.symbol AND o.side = 'SELL'"
	" AND o.status IN ('SUBMITTED', 'PARTIAL'))::bigint END,"
	/* the broker tells whole seconds, by its own clock */
	" EXISTS (SELECT 1 FROM trade.orders o WHERE o.account_id = i.account_id AND o.symbol = i.symbol"
	" AND o.origin = 'MANUAL' AND o.side = CASE WHEN i.intent_type = 'ENTRY' THEN 'BUY' ELSE 'SELL' END"
	" AND o.qty = i.qty AND o.order_type = i.order_type AND o.limit_price IS NOT DISTINCT FROM i.limit_price"
	" AND o.sent_ts >= i.created_ts - interval '3 seconds'), i.priority"
	" FROM trade.order_intents i JOIN market.stocks s USING (symbol)"
	" LEFT JOIN trade.positions p ON p.position_id = i.position_id"
	" LEFT JOIN trade.holdings h ON h.account_id = i.account_id AND h.symbol = i.symbol"
	" WHERE i.account_id = $1 AND i.status = 'NEW' AND NOT EXISTS (SELECT 1 FROM trade.orders o"
	" WHERE o.account_id = i.account_id AND o.symbol = i.symbol AND o.status IN ('PENDING_SUBMIT', 'UNKNOWN')"
	" AND o.side = CASE WHEN i.intent_type = 'ENTRY' THEN 'BUY' ELSE 'SELL' END)"
	" AND ($4 IS NULL OR i.created_ts > $4 OR NOT EXISTS (SELECT 1 FROM trade.account_sync y, trade.orders o"
	" WHERE y.account_id = i.account_id AND o.account_id = i.account_id AND o.symbol = i.symbol"
	" AND o.side = CASE WHEN i.intent_type = 'ENTRY' THEN 'BUY' ELSE 'SELL' END"
	" AND o.origin = 'AUTO' AND o.updated_ts >= y.ledger_ok_ts))"
	" ORDER BY i.priority DESC, i.created_ts LIMIT $2 FOR NO KEY UPDATE OF i SKIP LOCKED",
	4,
	{TEXTOID, INT4OID, DATEOID, TIMESTAMPTZOID}};

static QtsStmt insert_order = {
	"INSERT INTO trade.orders (account_id, trade_date, intent_id, position_id, symbol, side, order_type, limit_price,"
	" qty, sent_ts, sent_holding_qty, created_ts, updated_ts)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $10, $10) RETURNING order_uid",
	11,
	{TEXTOID, DATEOID, UUIDOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, INT8OID, INT8OID, TIMESTAMPTZOID,
	 INT8OID}};

static QtsStmt intent_status = {
	"UPDATE trade.order_intents SET status = $2, error_code = $3, error_message = $4, updated_ts = $5 WHERE intent_id = $1",
	5,
	{UUIDOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID}};

static QtsStmt retry_orders = {
	"SELECT o.order_uid, o.intent_id, o.symbol, o.side = 'SELL', o.order_type = 'MKT', o.qty, o.limit_price,"
	" i.reason_code, i.intent_type = 'ENTRY', i.created_ts, i.cancel_requested, i.source_module, i.expires_ts,"
	" i.priority"
	" FROM trade.orders o JOIN trade.order_intents i USING (intent_id)"
	" WHERE o.account_id = $1 AND o.status = 'PENDING_SUBMIT' AND o.retry_ts <= $2"
	" ORDER BY i.priority DESC, o.retry_ts LIMIT $3 FOR NO KEY UPDATE OF i, o SKIP LOCKED",
	3,
	{TEXTOID, TIMESTAMPTZOID, INT4OID}};

static QtsStmt retry_again = {
	"UPDATE trade.orders SET retry_ts = NULL, attempt = attempt + 1, sent_ts = $2, updated_ts = $2 WHERE order_uid = $1",
	2,
	{UUIDOID, TIMESTAMPTZOID}};

static QtsStmt retry_given_up = {
	"UPDATE trade.orders SET retry_ts = NULL, status = 'REJECTED', error_code = $2, error_message = $3, updated_ts = $4"
	" WHERE order_uid = $1",
	4,
	{UUIDOID, TEXTOID, TEXTOID, TIMESTAMPTZOID}};

static QtsStmt cancel_new_intents = {
	"UPDATE trade.order_intents SET status = 'CANCELLED', error_message = 'cancelled before it was sent', updated_ts = $2"
	" WHERE account_id = $1 AND cancel_requested AND status IN ('PENDING_APPROVAL', 'NEW')",
	2,
	{TEXTOID, TIMESTAMPTZOID}};

static QtsStmt cancel_intent_orders = {
	"UPDATE trade.orders o SET cancel_state = 'REQUESTED', cancel_reason = 'superseded or cancelled', updated_ts = $2"
	" FROM trade.order_intents i WHERE i.intent_id = o.intent_id AND i.account_id = $1 AND i.cancel_requested"
	" AND i.status IN ('SUBMITTED', 'PARTIAL') AND o.status IN ('SUBMITTED', 'PARTIAL') AND o.cancel_state IS NULL",
	2,
	{TEXTOID, TIMESTAMPTZOID}};

static QtsStmt claim_cancels = {
	"UPDATE trade.orders SET cancel_state = 'SENT', cancel_ts = $2, cancel_attempts = cancel_attempts + 1, updated_ts = $2"
	" WHERE order_uid IN (SELECT order_uid FROM trade.orders WHERE account_id = $1 AND cancel_state = 'REQUESTED'"
	" AND status IN ('SUBMITTED', 'PARTIAL') AND broker_order_no IS NOT NULL"
	" AND (cancel_ts IS NULL OR cancel_ts <= $2 - least(60, 2 ^ (cancel_attempts - 1)) * interval '1 second')"
	" ORDER BY cancel_ts NULLS FIRST LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED)"
	" RETURNING order_uid, broker_order_no, broker_org_no, order_type = 'MKT', qty - filled_qty",
	3,
	{TEXTOID, TIMESTAMPTZOID, INT4OID}};

static QtsStmt spent_orders = {
	"SELECT coalesce(sum(attempt) FILTER (WHERE side = 'BUY'), 0)::int, coalesce(sum(attempt) FILTER (WHERE side = 'SELL'), 0)::int"
	" FROM trade.orders WHERE account_id = $1 AND origin = 'AUTO' AND sent_ts > $2 - interval '1 minute'"
	" AND created_ts > $2 - interval '1 hour'",
	2,
	{TEXTOID, TIMESTAMPTZOID}};

static QtsStmt halt_entries = {"SELECT qts._halt_entries($1)", 1, {TEXTOID}};

typedef struct NewIntent
{
	pg_uuid_t intent_id;
	pg_uuid_t position_id;
	char symbol[QTS_SYMBOL_LEN + 1];
	char reason[24];
	TimestampTz created;
	QtsQty witness;
	QtsClaimIntent facts;
} NewIntent;

bool
qts_exec_gate(const char *account, QtsGate *gate)
{
	Datum args[1] = {qts_text(account)};
	const QtsCalendarDay *day;
	bool active;

	memset(gate, 0, sizeof(*gate));
	if (qts_stmt_run(&claim_gate, args, NULL) != 1 ||
		!qts_control_mode_parse(qts_col_text(0, 3), &gate->claim.exit_mode))
		return false;
	active = qts_col_bool(0, 1);
	gate->paused = qts_col_bool(0, 4);
	gate->inherited_until = qts_col_int64(0, 5, QTS_TIME_NONE);
	gate->claim.emergency_stop = qts_col_bool(0, 2);
	gate->claim.now = qts_now();
	gate->trade_date = qts_seoul_date(gate->claim.now);
	day = qts_calendar_today(gate->claim.now);
	gate->claim.accepts_orders = qts_session_accepts_orders(qts_session_phase(day, gate->claim.now));
	gate->claim.doubtful = day != NULL && day->doubtful;
	return active;
}

static void
intent_set_status(const pg_uuid_t *intent_id, QtsIntentStatus status, const char *code, const char *message,
				  TimestampTz now)
{
	Datum args[5] = {qts_uuid(intent_id), qts_text(qts_intent_status_name(status)),
					 code ? qts_text(code) : (Datum) 0, message ? qts_text(message) : (Datum) 0,
					 TimestampTzGetDatum(now)};
	char nulls[6] = "     ";

	if (code == NULL)
		nulls[2] = 'n';
	if (message == NULL)
		nulls[3] = 'n';
	qts_stmt_run_one(&intent_status, args, nulls, "intent");
}

static void
claim_one(const char *account, const NewIntent *intent, const QtsGate *gate, QtsClaim *claim)
{
	const QtsClaimIntent *facts = &intent->facts;
	QtsQty qty = qts_claim_qty(facts);
	Datum args[11] = {qts_text(account),
					  DateADTGetDatum(gate->trade_date),
					  qts_uuid(&intent->intent_id),
					  qts_uuid(&intent->position_id),
					  qts_text(intent->symbol),
					  qts_text(facts->entry ? "BUY" : "SELL"),
					  qts_text(facts->market ? "MKT" : "LMT"),
					  Int64GetDatum(facts->price),
					  Int64GetDatum(qty),
					  TimestampTzGetDatum(gate->claim.now),
					  Int64GetDatum(intent->witness)};
	char nulls[12] = "           ";

	if (qts_uuid_is_null(&intent->position_id))
		nulls[3] = 'n';
	if (facts->market)
		nulls[7] = 'n';
	if (intent->witness < 0)
		nulls[10] = 'n';
	intent_set_status(&intent->intent_id, QTS_INTENT_SUBMITTING, NULL, NULL, gate->claim.now);
	qts_stmt_run_one(&insert_order, args, nulls, "order");
	claim->order_uid = qts_col_uuid(0, 1);
	claim->intent_created = intent->created;
	strlcpy(claim->request.account, account, sizeof(claim->request.account));
	strlcpy(claim->request.symbol, intent->symbol, sizeof(claim->request.symbol));
	claim->request.sell = !facts->entry;
	claim->request.market = facts->market;
	claim->request.qty = qty;
	claim->request.price = facts->market ? 0 : facts->price;
}

static int
intents_fetch(const char *account, const QtsGate *gate, NewIntent *intents, int max)
{
	Datum args[4] = {qts_text(account), Int32GetDatum(max), DateADTGetDatum(gate->trade_date),
					 TimestampTzGetDatum(gate->inherited_until)};
	int n = (int) qts_stmt_run(&new_intents, args, gate->inherited_until == QTS_TIME_NONE ? "   n" : NULL);

	for (int i = 0; i < n; i++)
	{
		NewIntent *intent = &intents[i];
		QtsClaimIntent *facts = &intent->facts;
		char *mode = qts_col_text(i, 13);

		memset(intent, 0, sizeof(*intent));
		intent->intent_id = qts_col_uuid(i, 1);
		intent->position_id = qts_col_uuid(i, 2);
		qts_col_copy(i, 3, intent->symbol, sizeof(intent->symbol));
		qts_col_copy(i, 8, intent->reason, sizeof(intent->reason));
		intent->created = qts_col_int64(i, 10, 0);
		intent->witness = qts_col_int64(i, 19, -1);
		facts->entry = strcmp(qts_col_text(i, 4), "ENTRY") == 0;
		facts->qty = qts_col_int64(i, 5, 0);
		facts->market = strcmp(qts_col_text(i, 6), "MKT") == 0;
		facts->price = qts_col_int64(i, 7, 0);
		facts->manual = strcmp(qts_col_text(i, 9), "MANUAL") == 0;
		facts->expires = qts_col_int64(i, 11, 0);
		facts->held = qts_col_int64(i, 12, 0);
		facts->sellable = intent->witness;
		facts->disabled = mode && strcmp(mode, "DISABLED") == 0;
		facts->quarantined = qts_col_bool(i, 14);
		facts->tradable = qts_col_bool(i, 15);
		facts->instrument =
			strcmp(qts_col_text(i, 16), "ETP") == 0 ? QTS_INSTRUMENT_ETP : QTS_INSTRUMENT_STOCK;
		facts->lower = qts_col_int64(i, 17, 0);
		facts->upper = qts_col_int64(i, 18, 0);
		facts->twin = qts_col_bool(i, 20);
		facts->severity = qts_col_int32(i, 21, 0);
		facts->rule = QTS_RULE_NONE;
		if (!facts->entry)
			(void) qts_exit_rule_parse(intent->reason, &facts->rule);
	}
	return n;
}

static void
intent_refuse(const NewIntent *intent, QtsObstacle obstacle, TimestampTz now)
{
	const char *why = qts_obstacle_text(obstacle);

	intent_set_status(&intent->intent_id, qts_obstacle_end(obstacle), qts_obstacle_code(obstacle), why, now);
	qts_alert("WARNING", "INTENT_REFUSED", intent->symbol, NULL, "%s %s of " INT64_FORMAT " was not sent: %s",
			  intent->reason, intent->symbol, intent->facts.qty, why);
}

/* The budget is spent: no entry before a person has looked, exits as they come free. */
static bool
claim_over_budget(const NewIntent *intent, QtsAllowance *allowance, TimestampTz now)
{
	Datum why[1] = {qts_text("the budget of orders per minute is spent")};
	bool entry = intent->facts.entry;
	int *left = entry ? &allowance->entries : &allowance->exits;

	if (*left > 0 && !(entry && allowance->engine_spent))
	{
		(*left)--;
		return false;
	}
	if (entry || !allowance->told)
		qts_alert("CRITICAL", "BUDGET_SPENT", entry ? "entries" : "exits",
				  entry ? "Find out what asks for them; then qts.emergency_stop(false, reason)."
						: "They leave as the budget comes free; find out what asks for them.",
				  "more %s than one minute allows: the order for " INT64_FORMAT " %s %s",
				  entry ? "entries" : "exits", intent->facts.qty, intent->symbol,
				  entry ? "is not sent and no other is" : "waits");
	allowance->told |= !entry;
	if (entry)
	{
		qts_stmt_run(&halt_entries, why, NULL);
		intent_refuse(intent, QTS_OBSTACLE_BUDGET, now);
	}
	return true;
}

int
qts_exec_claim(const char *account, const QtsGate *gate, QtsAllowance *allowance, QtsClaim *claims, int max)
{
	NewIntent *intents = palloc(sizeof(NewIntent) * max);
	int n = intents_fetch(account, gate, intents, max);
	int claimed = 0;

	for (int i = 0; i < n; i++)
	{
		QtsObstacle obstacle = qts_claim_obstacle(&intents[i].facts, &gate->claim);
		bool same = false;

		/* one unresolved order per symbol and side: the rest of the batch waits its turn */
		for (int k = 0; k < claimed && !same; k++)
			same = strcmp(claims[k].request.symbol, intents[i].symbol) == 0 &&
				   claims[k].request.sell == !intents[i].facts.entry;
		if (obstacle != QTS_OBSTACLE_NONE)
			intent_refuse(&intents[i], obstacle, gate->claim.now);
		else if (!same && !claim_over_budget(&intents[i], allowance, gate->claim.now))
			claim_one(account, &intents[i], gate, &claims[claimed++]);
	}
	return claimed;
}

void
qts_exec_spent(const char *account, TimestampTz now, int *entries, int *exits)
{
	Datum args[2] = {qts_text(account), TimestampTzGetDatum(now)};

	qts_stmt_run(&spent_orders, args, NULL);
	*entries = qts_col_int32(0, 1, 0);
	*exits = qts_col_int32(0, 2, 0);
}

typedef struct RetryOrder
{
	QtsClaim claim;
	pg_uuid_t intent_id;
	const char *obstacle;
} RetryOrder;

static const char *
retry_obstacle(int i, const QtsGate *gate)
{
	QtsClaimIntent facts = {.again = true};
	QtsObstacle obstacle;

	if (qts_col_bool(i, 11))
		return "cancelled before it was sent again";
	facts.entry = qts_col_bool(i, 9);
	facts.manual = strcmp(qts_col_text(i, 12), "MANUAL") == 0;
	facts.expires = qts_col_int64(i, 13, 0);
	facts.severity = qts_col_int32(i, 14, 0);
	(void) qts_exit_rule_parse(qts_col_text(i, 8), &facts.rule);
	obstacle = qts_claim_obstacle(&facts, &gate->claim);
	return obstacle == QTS_OBSTACLE_NONE ? NULL : qts_obstacle_text(obstacle);
}

static void
retry_fetch(const char *account, int i, const QtsGate *gate, RetryOrder *retry)
{
	QtsClaim *claim = &retry->claim;

	claim->order_uid = qts_col_uuid(i, 1);
	retry->intent_id = qts_col_uuid(i, 2);
	strlcpy(claim->request.account, account, sizeof(claim->request.account));
	qts_col_copy(i, 3, claim->request.symbol, sizeof(claim->request.symbol));
	claim->request.sell = qts_col_bool(i, 4);
	claim->request.market = qts_col_bool(i, 5);
	claim->request.qty = qts_col_int64(i, 6, 0);
	claim->request.price = claim->request.market ? 0 : qts_col_int64(i, 7, 0);
	claim->intent_created = qts_col_int64(i, 10, 0);
	retry->obstacle = retry_obstacle(i, gate);
}

int
qts_exec_reclaim(const char *account, const QtsGate *gate, QtsClaim *claims, int max)
{
	TimestampTz now = gate->claim.now;
	Datum args[3] = {qts_text(account), TimestampTzGetDatum(now), Int32GetDatum(max)};
	int n = (int) qts_stmt_run(&retry_orders, args, NULL);
	RetryOrder *retries = palloc0(sizeof(RetryOrder) * (n + 1));
	int claimed = 0;

	for (int i = 0; i < n; i++)
		retry_fetch(account, i, gate, &retries[i]);
	for (int i = 0; i < n; i++)
	{
		const RetryOrder *retry = &retries[i];
		Datum up[4] = {qts_uuid(&retry->claim.order_uid), qts_text("QT008"),
					   qts_text(retry->obstacle ? retry->obstacle : ""), TimestampTzGetDatum(now)};
		Datum again[2] = {up[0], up[3]};

		if (retry->obstacle != NULL)
		{
			qts_stmt_run_one(&retry_given_up, up, NULL, "order");
			intent_set_status(&retry->intent_id, QTS_INTENT_FAILED, "QT008", retry->obstacle, now);
			continue;
		}
		qts_stmt_run_one(&retry_again, again, NULL, "order");
		claims[claimed++] = retry->claim;
	}
	return claimed;
}

void
qts_exec_cancel_intents(const char *account)
{
	Datum args[2] = {qts_text(account), TimestampTzGetDatum(qts_now())};

	qts_stmt_run(&cancel_new_intents, args, NULL);
	qts_stmt_run(&cancel_intent_orders, args, NULL);
}

int
qts_exec_claim_cancels(const char *account, TimestampTz now, QtsCancelClaim *claims, int max)
{
	Datum args[3] = {qts_text(account), TimestampTzGetDatum(now), Int32GetDatum(max)};
	int n = (int) qts_stmt_run(&claim_cancels, args, NULL);

	for (int i = 0; i < n; i++)
	{
		QtsCancelRequest *request = &claims[i].request;

		memset(&claims[i], 0, sizeof(claims[i]));
		claims[i].order_uid = qts_col_uuid(i, 1);
		strlcpy(request->account, account, sizeof(request->account));
		qts_col_copy(i, 2, request->odno, sizeof(request->odno));
		qts_col_copy(i, 3, request->orgno, sizeof(request->orgno));
		request->market = qts_col_bool(i, 4);
		request->qty = qts_col_int64(i, 5, 0);
	}
	return n;
}
