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
	"SELECT e.active, e.emergency_stop, c.mode FROM system.engine e, trade.exit_control c FOR SHARE OF e, c"};

/* Most urgent first; a symbol and side with an unresolved order waits (kis-api 6.5). */
static QtsStmt new_intents = {
	"SELECT i.intent_id, i.position_id, i.symbol, i.intent_type, i.qty, i.order_type, i.limit_price, i.reason_code,"
	" i.source_module, i.created_ts, i.expires_ts, p.qty, p.exit_mode, p.quarantine_reason IS NOT NULL,"
	" s.is_tradable AND s.status = 'ACTIVE', s.instrument,"
	" CASE WHEN s.limits_date = $3 THEN s.lower_limit END, CASE WHEN s.limits_date = $3 THEN s.upper_limit END,"
	/* what the balance will show as sellable (a buy: as held) if this order never arrives */
	" CASE WHEN i.intent_type = 'ENTRY' THEN coalesce(h.qty, 0) ELSE p.qty - (SELECT coalesce(sum(o.qty - o.filled_qty), 0)"
	" FROM trade.orders o WHERE o.account_id = i.account_id AND o.symbol = i.symbol AND o.side = 'SELL'"
	" AND o.status IN ('SUBMITTED', 'PARTIAL'))::bigint END"
	" FROM trade.order_intents i JOIN market.stocks s USING (symbol)"
	" LEFT JOIN trade.positions p ON p.position_id = i.position_id"
	" LEFT JOIN trade.holdings h ON h.account_id = i.account_id AND h.symbol = i.symbol"
	" WHERE i.account_id = $1 AND i.status = 'NEW' AND NOT EXISTS (SELECT 1 FROM trade.orders o"
	" WHERE o.account_id = i.account_id AND o.symbol = i.symbol AND o.status IN ('PENDING_SUBMIT', 'UNKNOWN')"
	" AND o.side = CASE WHEN i.intent_type = 'ENTRY' THEN 'BUY' ELSE 'SELL' END)"
	" ORDER BY i.priority DESC, i.created_ts LIMIT $2 FOR NO KEY UPDATE OF i SKIP LOCKED",
	3,
	{TEXTOID, INT4OID, DATEOID}};

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
	" i.reason_code, i.intent_type = 'ENTRY', i.created_ts, i.cancel_requested, i.source_module"
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
	"UPDATE trade.orders SET cancel_state = 'SENT', cancel_ts = $2, updated_ts = $2 WHERE order_uid IN"
	" (SELECT order_uid FROM trade.orders WHERE account_id = $1 AND cancel_state = 'REQUESTED'"
	" AND status IN ('SUBMITTED', 'PARTIAL') AND broker_order_no IS NOT NULL"
	" AND (cancel_ts IS NULL OR cancel_ts < $2 - interval '1 second') LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED)"
	" RETURNING order_uid, broker_order_no, broker_org_no, order_type = 'MKT', qty - filled_qty",
	3,
	{TEXTOID, TIMESTAMPTZOID, INT4OID}};

typedef struct NewIntent
{
	pg_uuid_t intent_id;
	pg_uuid_t position_id;
	char symbol[QTS_SYMBOL_LEN + 1];
	bool entry;
	bool market;
	QtsQty qty;
	QtsKrw price;
	char reason[24];
	bool manual;
	TimestampTz created;
	TimestampTz expires;
	QtsQty held;
	bool disabled;
	bool quarantined;
	bool tradable;
	QtsInstrument instrument;
	QtsKrw lower;
	QtsKrw upper;
	QtsQty witness;
} NewIntent;

bool
qts_exec_gate(QtsGate *gate)
{
	QtsControlMode mode;

	memset(gate, 0, sizeof(*gate));
	if (qts_stmt_run(&claim_gate, NULL, NULL) != 1 || !qts_control_mode_parse(qts_col_text(0, 3), &mode))
		return false;
	gate->active = qts_col_bool(0, 1);
	gate->emergency_stop = qts_col_bool(0, 2);
	gate->exit_mode = mode;
	gate->now = qts_now();
	gate->trade_date = qts_seoul_date(gate->now);
	gate->accepts_orders =
		qts_session_accepts_orders(qts_session_phase(qts_calendar_today(gate->now), gate->now));
	return gate->active;
}

/* Why an intent must not be sent now; NULL = send.  *status receives what it becomes. */
static const char *
intent_obstacle(const NewIntent *intent, const QtsGate *gate, const char **code, const char **status)
{
	QtsExitRule rule = QTS_RULE_NONE;

	*status = "CANCELLED";
	*code = "QT008";
	if (intent->expires != 0 && intent->expires <= gate->now)
	{
		*status = "EXPIRED";
		return "expired before it was sent";
	}
	if (!gate->accepts_orders)
	{
		*status = "EXPIRED";
		*code = "QT012";
		return "the market takes no orders now";
	}
	if (intent->entry && gate->emergency_stop)
		return "the emergency stop blocks entries";
	if (!intent->tradable && strcmp(intent->reason, "HARD_STOP") != 0)
	{
		*status = "REJECTED";
		*code = "QT012";
		return "the symbol is not tradable";
	}
	if (!intent->entry)
	{
		(void) qts_exit_rule_parse(intent->reason, &rule);
		if (!intent->manual && !qts_exit_allowed((QtsControlMode) gate->exit_mode, rule))
			return "the exit control mode forbids it";
		if (intent->disabled)
			return "exits of this position are disabled";
		if (intent->quarantined && !intent->manual)
			return "the position is quarantined";
		if (intent->qty > intent->held)
		{
			*status = "FAILED";
			*code = "QT005";
			return "the position holds less than this by now";
		}
	}
	if (!intent->market)
	{
		*status = "REJECTED";
		*code = "QT013";
		if (!qts_tick_valid(intent->price, intent->instrument))
			return "the limit price is off the tick grid";
		if (intent->upper > 0 && (intent->price > intent->upper || intent->price < intent->lower))
			return "the limit price is outside the day's limits";
	}
	return NULL;
}

static void
intent_set_status(const pg_uuid_t *intent_id, const char *status, const char *code, const char *message,
				  TimestampTz now)
{
	Datum args[5] = {qts_uuid(intent_id), qts_text(status), code ? qts_text(code) : (Datum) 0,
					 message ? qts_text(message) : (Datum) 0, TimestampTzGetDatum(now)};
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
	Datum args[11] = {qts_text(account),
					  DateADTGetDatum(gate->trade_date),
					  qts_uuid(&intent->intent_id),
					  qts_uuid(&intent->position_id),
					  qts_text(intent->symbol),
					  qts_text(intent->entry ? "BUY" : "SELL"),
					  qts_text(intent->market ? "MKT" : "LMT"),
					  Int64GetDatum(intent->price),
					  Int64GetDatum(intent->qty),
					  TimestampTzGetDatum(gate->now),
					  Int64GetDatum(intent->witness)};
	char nulls[12] = "           ";

	if (qts_uuid_is_null(&intent->position_id))
		nulls[3] = 'n';
	if (intent->market)
		nulls[7] = 'n';
	if (intent->witness < 0)
		nulls[10] = 'n';
	intent_set_status(&intent->intent_id, "SUBMITTING", NULL, NULL, gate->now);
	qts_stmt_run_one(&insert_order, args, nulls, "order");
	claim->order_uid = qts_col_uuid(0, 1);
	claim->intent_created = intent->created;
	strlcpy(claim->request.account, account, sizeof(claim->request.account));
	strlcpy(claim->request.symbol, intent->symbol, sizeof(claim->request.symbol));
	claim->request.sell = !intent->entry;
	claim->request.market = intent->market;
	claim->request.qty = intent->qty;
	claim->request.price = intent->market ? 0 : intent->price;
}

static int
intents_fetch(const char *account, const QtsGate *gate, NewIntent *intents, int max)
{
	Datum args[3] = {qts_text(account), Int32GetDatum(max), DateADTGetDatum(gate->trade_date)};
	int n = (int) qts_stmt_run(&new_intents, args, NULL);

	for (int i = 0; i < n; i++)
	{
		NewIntent *intent = &intents[i];
		char *mode = qts_col_text(i, 13);

		memset(intent, 0, sizeof(*intent));
		intent->intent_id = qts_col_uuid(i, 1);
		intent->position_id = qts_col_uuid(i, 2);
		qts_col_copy(i, 3, intent->symbol, sizeof(intent->symbol));
		intent->entry = strcmp(qts_col_text(i, 4), "ENTRY") == 0;
		intent->qty = qts_col_int64(i, 5, 0);
		intent->market = strcmp(qts_col_text(i, 6), "MKT") == 0;
		intent->price = qts_col_int64(i, 7, 0);
		qts_col_copy(i, 8, intent->reason, sizeof(intent->reason));
		intent->manual = strcmp(qts_col_text(i, 9), "MANUAL") == 0;
		intent->created = qts_col_int64(i, 10, 0);
		intent->expires = qts_col_int64(i, 11, 0);
		intent->held = qts_col_int64(i, 12, 0);
		intent->disabled = mode && strcmp(mode, "DISABLED") == 0;
		intent->quarantined = qts_col_bool(i, 14);
		intent->tradable = qts_col_bool(i, 15);
		intent->instrument =
			strcmp(qts_col_text(i, 16), "ETP") == 0 ? QTS_INSTRUMENT_ETP : QTS_INSTRUMENT_STOCK;
		intent->lower = qts_col_int64(i, 17, 0);
		intent->upper = qts_col_int64(i, 18, 0);
		intent->witness = qts_col_int64(i, 19, -1);
	}
	return n;
}

int
qts_exec_claim(const char *account, const QtsGate *gate, QtsClaim *claims, int max)
{
	NewIntent *intents = palloc(sizeof(NewIntent) * max);
	int n = intents_fetch(account, gate, intents, max);
	int claimed = 0;

	for (int i = 0; i < n; i++)
	{
		const char *code;
		const char *status;
		const char *why = intent_obstacle(&intents[i], gate, &code, &status);
		bool same = false;

		/* one unresolved order per symbol and side: the rest of the batch waits its turn */
		for (int k = 0; k < claimed && !same; k++)
			same = strcmp(claims[k].request.symbol, intents[i].symbol) == 0 &&
				   claims[k].request.sell == !intents[i].entry;
		if (why != NULL)
		{
			intent_set_status(&intents[i].intent_id, status, code, why, gate->now);
			qts_alert("WARNING", "INTENT_REFUSED", intents[i].symbol, NULL,
					  "%s %s of " INT64_FORMAT " was not sent: %s", intents[i].reason, intents[i].symbol,
					  intents[i].qty, why);
		}
		else if (!same)
			claim_one(account, &intents[i], gate, &claims[claimed++]);
	}
	return claimed;
}

typedef struct RetryOrder
{
	QtsClaim claim;
	pg_uuid_t intent_id;
	const char *obstacle;
} RetryOrder;

int
qts_exec_reclaim(const char *account, const QtsGate *gate, QtsClaim *claims, int max)
{
	Datum args[3] = {qts_text(account), TimestampTzGetDatum(gate->now), Int32GetDatum(max)};
	int n = (int) qts_stmt_run(&retry_orders, args, NULL);
	RetryOrder *retries = palloc0(sizeof(RetryOrder) * (n + 1));
	int claimed = 0;

	for (int i = 0; i < n; i++)
	{
		QtsClaim *claim = &retries[i].claim;
		QtsExitRule rule = QTS_RULE_NONE;
		bool entry = qts_col_bool(i, 9);
		bool manual = strcmp(qts_col_text(i, 12), "MANUAL") == 0;

		claim->order_uid = qts_col_uuid(i, 1);
		retries[i].intent_id = qts_col_uuid(i, 2);
		strlcpy(claim->request.account, account, sizeof(claim->request.account));
		qts_col_copy(i, 3, claim->request.symbol, sizeof(claim->request.symbol));
		claim->request.sell = qts_col_bool(i, 4);
		claim->request.market = qts_col_bool(i, 5);
		claim->request.qty = qts_col_int64(i, 6, 0);
		claim->request.price = claim->request.market ? 0 : qts_col_int64(i, 7, 0);
		claim->intent_created = qts_col_int64(i, 10, 0);
		(void) qts_exit_rule_parse(qts_col_text(i, 8), &rule);
		if (qts_col_bool(i, 11))
			retries[i].obstacle = "cancelled before it was sent again";
		else if (!gate->accepts_orders)
			retries[i].obstacle = "the market takes no orders now";
		else if (entry && gate->emergency_stop)
			retries[i].obstacle = "the emergency stop blocks entries";
		else if (!entry && !manual && !qts_exit_allowed((QtsControlMode) gate->exit_mode, rule))
			retries[i].obstacle = "the exit control mode forbids it";
	}
	for (int i = 0; i < n; i++)
	{
		if (retries[i].obstacle != NULL)
		{
			Datum up[4] = {qts_uuid(&retries[i].claim.order_uid), qts_text("QT008"),
						   qts_text(retries[i].obstacle), TimestampTzGetDatum(gate->now)};

			qts_stmt_run_one(&retry_given_up, up, NULL, "order");
			intent_set_status(&retries[i].intent_id, "FAILED", "QT008", retries[i].obstacle, gate->now);
		}
		else
		{
			Datum again[2] = {qts_uuid(&retries[i].claim.order_uid), TimestampTzGetDatum(gate->now)};

			qts_stmt_run_one(&retry_again, again, NULL, "order");
			claims[claimed++] = retries[i].claim;
		}
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
