/*-------------------------------------------------------------------------
 *
 * exec_foreign.c
 *		Orders of our accounts that this engine did not send.
 *
 * They are recorded and never touched.  Entered by a person at the broker's
 * own programs they are news; entered through the API they mean that rows
 * were lost with an earlier primary, that the broker accepted an order after
 * all, or that somebody else's engine trades this account (anchors F22, F30).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "utils/date.h"

#include "db/exec.h"
#include "db/stmt.h"
#include "guc.h"

/* the broker's clock may differ by 3 s, and it tells whole seconds */
#define CLOCK_SKEW (4 * QTS_SEC)

/* A row that may be the answer we still wait for is not somebody else's order. */
static QtsStmt may_be_ours = {"SELECT 1 FROM trade.orders WHERE account_id = $1 AND symbol = $2 AND side = $3"
							  " AND status IN ('PENDING_SUBMIT', 'UNKNOWN')",
							  3,
							  {TEXTOID, TEXTOID, TEXTOID}};

static QtsStmt ensure_stock = {
	"INSERT INTO market.stocks (symbol, name, market) VALUES ($1, $1, 'KOSPI') ON CONFLICT (symbol) DO NOTHING",
	1,
	{TEXTOID}};

/* Locked before the order exists: the lock order of exec.h. */
static QtsStmt live_position = {
	"SELECT position_id FROM trade.positions WHERE account_id = $1 AND symbol = $2"
	" AND status IN ('OPEN', 'CLOSING') FOR NO KEY UPDATE",
	2,
	{TEXTOID, TEXTOID}};

static QtsStmt insert_foreign = {
	"INSERT INTO trade.orders (account_id, trade_date, broker_order_no, broker_org_no, symbol, side, order_type,"
	" limit_price, qty, status, origin, sent_ts, acked_ts, created_ts, updated_ts, position_id, channel, orig_order_no)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'SUBMITTED', 'MANUAL', $10, $10, $11, $11, $12, $13, $14)"
	" ON CONFLICT DO NOTHING RETURNING order_uid",
	14,
	{TEXTOID, DATEOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT8OID, INT8OID, TIMESTAMPTZOID,
	 TIMESTAMPTZOID, UUIDOID, TEXTOID, TEXTOID}};

static QtsStmt given_up = {
	"SELECT 1 FROM trade.orders WHERE account_id = $1 AND symbol = $2 AND side = $3 AND trade_date = $4 AND qty = $5"
	" AND origin = 'AUTO' AND error_code = 'NOT_ACCEPTED' AND sent_ts <= $6",
	6,
	{TEXTOID, TEXTOID, TEXTOID, DATEOID, INT8OID, TIMESTAMPTZOID}};

static QtsStmt engine_bound = {"SELECT bound_ts, inherited FROM system.engine"};

static QtsStmt quarantine_position = {
	"UPDATE trade.positions SET quarantine_reason = $3 WHERE account_id = $1 AND symbol = $2"
	" AND status IN ('OPEN', 'CLOSING') AND quarantine_reason IS NULL",
	3,
	{TEXTOID, TEXTOID, TEXTOID}};

static QtsStmt halt_account = {"SELECT qts._halt_account($1, $2)", 2, {TEXTOID, TEXTOID}};

static void
foreign_quarantine(const char *account, const QtsLedgerRow *seen, const char *code, const char *why)
{
	Datum args[3] = {qts_text(account), qts_text(seen->order.symbol), qts_text(why)};

	qts_stmt_run(&quarantine_position, args, NULL);
	qts_alert("CRITICAL", code, seen->order.symbol,
			  "Compare the position with the broker, then qts.release_position().",
			  "order %s (%s " INT64_FORMAT " %s): %s", seen->odno, seen->order.sell ? "sell" : "buy",
			  seen->order.qty, seen->order.symbol, why);
}

/* Sent through the API, but not by this engine. */
static void
foreign_api_order(const char *account, QtsDate date, const QtsLedgerRow *seen, TimestampTz now)
{
	Datum lost[6] = {qts_text(account),
					 qts_text(seen->order.symbol),
					 qts_text(seen->order.sell ? "SELL" : "BUY"),
					 DateADTGetDatum(date),
					 Int64GetDatum(seen->order.qty),
					 TimestampTzGetDatum(seen->order.at + CLOCK_SKEW)};
	Datum halt[2] = {lost[0], qts_text("an order of another program was seen")};
	QtsTime bound;

	if (qts_stmt_run(&given_up, lost, NULL) > 0)
	{
		foreign_quarantine(account, seen, "ORDER_FOUND_LATE",
						   "it may be the unanswered order that counted as not accepted");
		return;
	}
	if (qts_stmt_run(&engine_bound, NULL, NULL) == 0)
		return;
	bound = qts_col_int64(0, 1, QTS_TIME_NONE);
	if (bound == QTS_TIME_NONE || seen->order.at + CLOCK_SKEW < bound)
	{
		/* before this engine's time: its own rows, or those an earlier primary had not passed on */
		if (qts_col_bool(0, 2))
			foreign_quarantine(account, seen, "FOREIGN_API_ORDER",
							   "the primary before this one may have sent it; its row was not replicated");
		return;
	}
	if (qts_guc.foreign_api_orders != QTS_FOREIGN_HALT)
		return;
	if (qts_stmt_run(&halt_account, halt, NULL) > 0 && qts_col_bool(0, 1))
		qts_alert("CRITICAL", "OTHER_ENGINE", seen->order.symbol,
				  "Stop the other program, compare orders and positions, then qts.resume_account();"
				  " or set qts.foreign_api_orders to record.",
				  "order %s was sent through the API, not by this engine: two programs trade this account;"
				  " it is paused",
				  seen->odno);
}

void
qts_exec_foreign(const char *account, QtsDate date, const QtsLedgerRow *seen, bool session_over,
				 TimestampTz now)
{
	const QtsBrokerOrder *order = &seen->order;
	bool market = strcmp(order->ord_dvsn, "01") == 0;
	bool limit = strcmp(order->ord_dvsn, "00") == 0;
	Datum ours[3] = {qts_text(account), qts_text(order->symbol), qts_text(order->sell ? "SELL" : "BUY")};
	bool revised = seen->orgn_odno[0] != '\0';
	Datum args[14] = {ours[0],
					  DateADTGetDatum(date),
					  qts_text(seen->odno),
					  qts_text(seen->orgno),
					  ours[1],
					  ours[2],
					  qts_text(market  ? "MKT"
							   : limit ? "LMT"
									   : "OTHER"),
					  Int64GetDatum(order->price),
					  Int64GetDatum(order->qty),
					  TimestampTzGetDatum(order->at),
					  TimestampTzGetDatum(now),
					  (Datum) 0,
					  qts_text(seen->channel),
					  qts_text(seen->orgn_odno)};
	char nulls[15] = "           n  ";
	pg_uuid_t order_uid;
	pg_uuid_t position_id;
	QtsOrderRow row;

	/* a cancel has a row too, of nothing; a revision's carries on what it revises */
	if ((revised && seen->remaining <= 0 && seen->filled <= 0) || order->qty <= 0 ||
		!qts_symbol_valid(order->symbol) || (!revised && qts_stmt_run(&may_be_ours, ours, NULL) > 0))
		return;
	qts_stmt_run(&ensure_stock, &ours[1], NULL);
	/* a sale takes from the position at once what a notice tells; the balance corrects the rest */
	if (order->sell && qts_stmt_run(&live_position, ours, NULL) > 0)
	{
		position_id = qts_col_uuid(0, 1);
		args[11] = qts_uuid(&position_id);
		nulls[11] = ' ';
	}
	if (order->price <= 0)
		nulls[7] = 'n';
	if (seen->channel[0] == '\0')
		nulls[12] = 'n';
	if (!revised)
		nulls[13] = 'n';
	if (qts_stmt_run(&insert_foreign, args, nulls) == 0)
		return;
	order_uid = qts_col_uuid(0, 1);
	if (!qts_exec_lock_order(&order_uid, &row))
		return;
	qts_exec_attach_notices(&row, date, now);
	qts_exec_ledger_row(&row, seen, session_over, now);
	if (seen->channel[0] != '\0' && !order->other_channel)
		foreign_api_order(account, date, seen, now);
}
