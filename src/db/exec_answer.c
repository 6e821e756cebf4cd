/*-------------------------------------------------------------------------
 *
 * exec_answer.c
 *		What became of a POST: the second transaction of an order.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "common/pg_prng.h"
#include "lib/stringinfo.h"
#include "utils/date.h"
#include "utils/json.h"

#include "core/rate.h"
#include "db/exec.h"
#include "db/stmt.h"
#include "guc.h"
#include "shm/shm.h"

static QtsStmt order_result = {
	"UPDATE trade.orders SET status = $2, error_code = $3, error_message = $4, retry_ts = $5, updated_ts = $6,"
	" raw = $7::jsonb WHERE order_uid = $1",
	7,
	{UUIDOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID}};

static QtsStmt intent_result = {
	"UPDATE trade.order_intents SET status = $2, error_code = $3, error_message = $4, updated_ts = $5 WHERE intent_id = $1",
	5,
	{UUIDOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID}};

static QtsStmt cancel_result = {
	"UPDATE trade.orders SET cancel_state = $2, cancel_order_no = $3, error_code = $4, error_message = $5, updated_ts = $6"
	" WHERE order_uid = $1",
	6,
	{UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID}};

static QtsStmt orphan_orders = {
	"UPDATE trade.orders SET status = 'UNKNOWN', error_message = 'the engine stopped before an answer was stored',"
	" updated_ts = clock_timestamp() WHERE status = 'PENDING_SUBMIT' AND retry_ts IS NULL RETURNING intent_id"};

static QtsStmt orphan_intents = {
	"UPDATE trade.order_intents i SET status = 'UNKNOWN', updated_ts = clock_timestamp() FROM trade.orders o"
	" WHERE o.intent_id = i.intent_id AND o.status = 'UNKNOWN' AND i.status = 'SUBMITTING'"};

static QtsStmt orphan_cancels = {
	"UPDATE trade.orders SET cancel_state = 'UNKNOWN', updated_ts = clock_timestamp() WHERE cancel_state = 'SENT'"};

/* The broker's own words, kept for whoever asks later; event texts hold no secret. */
static const char *
answer_json(const QtsBrokerEvent *event, int attempt)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfo(&json,
					 "{\"http_status\": %d, \"attempt\": %d, \"broker_us\": " INT64_FORMAT ", \"msg_cd\": ",
					 event->http_status, attempt, event->sent_us > 0 ? event->done_us - event->sent_us : 0);
	escape_json(&json, event->msg_cd);
	appendStringInfoString(&json, ", \"msg\": ");
	escape_json(&json, event->msg);
	appendStringInfoString(&json, ", \"odno\": ");
	escape_json(&json, event->odno);
	appendStringInfoString(&json, ", \"orgno\": ");
	escape_json(&json, event->orgno);
	appendStringInfoChar(&json, '}');
	return json.data;
}

static void
order_set(QtsOrderRow *row, QtsOrderStatus status, QtsIntentStatus intent, const QtsBrokerEvent *event,
		  TimestampTz retry_at, TimestampTz now)
{
	Datum args[7] = {qts_uuid(&row->order_uid),
					 qts_text(qts_order_status_name(status)),
					 qts_text(event->msg_cd),
					 qts_text(event->msg),
					 TimestampTzGetDatum(retry_at),
					 TimestampTzGetDatum(now),
					 qts_text(answer_json(event, row->attempt))};
	Datum mirror[5] = {qts_uuid(&row->intent_id), qts_text(qts_intent_status_name(intent)), args[2], args[3],
					   args[5]};

	qts_stmt_run_one(&order_result, args, retry_at == 0 ? "    n  " : NULL, "order");
	if (!qts_uuid_is_null(&row->intent_id))
		qts_stmt_run_one(&intent_result, mirror, NULL, "intent");
}

/* Provably not accepted: send again later, or give up after qts.max_order_attempts. */
static void
order_not_processed(QtsOrderRow *row, const QtsBrokerEvent *event, TimestampTz now)
{
	uint32 random = pg_prng_uint32(&pg_global_prng_state);

	qts_count(QTS_COUNT_ORDERS_REFUSED, 1);
	if (row->attempt >= qts_guc.max_order_attempts)
	{
		order_set(row, QTS_ORDER_REJECTED, QTS_INTENT_FAILED, event, 0, now);
		qts_alert("CRITICAL", "ORDER_FAILED", row->symbol,
				  "See trade.orders for the last answer; exits are tried again with back-off.",
				  "the order for %s was refused %d times without being processed: %s %s", row->symbol,
				  row->attempt, event->msg_cd, event->msg);
		return;
	}
	order_set(row, QTS_ORDER_PENDING_SUBMIT, QTS_INTENT_SUBMITTING, event,
			  now + qts_backoff(row->attempt - 1, QTS_SEC, 4 * QTS_SEC, random), now);
}

void
qts_exec_order_answer(const pg_uuid_t *order_uid, const QtsBrokerEvent *event, TimestampTz now)
{
	QtsOrderRow row;

	/* a person or the ledger may have settled it while the answer was under way */
	if (!qts_exec_lock_order(order_uid, &row) ||
		(row.status != QTS_ORDER_PENDING_SUBMIT && row.status != QTS_ORDER_UNKNOWN))
		return;
	switch (event->outcome)
	{
		case QTS_OUTCOME_OK:
			qts_count(QTS_COUNT_ORDERS_ACCEPTED, 1);
			qts_exec_bind(&row, event->odno, event->orgno, qts_seoul_date(now),
						  answer_json(event, row.attempt), now);
			break;
		case QTS_OUTCOME_NOT_PROCESSED:
			order_not_processed(&row, event, now);
			break;
		case QTS_OUTCOME_REJECTED:
		case QTS_OUTCOME_FATAL:
			qts_count(QTS_COUNT_ORDERS_REJECTED, 1);
			order_set(&row, QTS_ORDER_REJECTED, QTS_INTENT_REJECTED, event, 0, now);
			qts_alert("CRITICAL", "ORDER_REJECTED", row.symbol,
					  "The broker's reason is in trade.orders.error_message.",
					  "the broker rejected the %s of " INT64_FORMAT " %s: %s %s", row.sell ? "sell" : "buy",
					  row.qty, row.symbol, event->msg_cd, event->msg);
			break;
		case QTS_OUTCOME_UNKNOWN:
			qts_count(QTS_COUNT_ORDERS_UNKNOWN, 1);
			order_set(&row, QTS_ORDER_UNKNOWN, QTS_INTENT_UNKNOWN, event, 0, now);
			qts_alert("WARNING", "ORDER_UNKNOWN", row.symbol,
					  "The engine looks for it at the broker; it is not sent again.",
					  "no usable answer to the %s of " INT64_FORMAT " %s: its outcome is unknown",
					  row.sell ? "sell" : "buy", row.qty, row.symbol);
			break;
	}
}

void
qts_exec_cancel_answer(const pg_uuid_t *order_uid, const QtsBrokerEvent *event, TimestampTz now)
{
	static const char *const states[] = {
		[QTS_OUTCOME_OK] = "ACCEPTED",
		[QTS_OUTCOME_REJECTED] = "REFUSED",
		[QTS_OUTCOME_NOT_PROCESSED] = "REQUESTED",
		[QTS_OUTCOME_UNKNOWN] = "UNKNOWN",
		[QTS_OUTCOME_FATAL] = "REFUSED",
	};
	QtsOrderRow row;
	Datum args[6] = {qts_uuid(order_uid),	qts_text(states[event->outcome]),
					 qts_text(event->odno), qts_text(event->msg_cd),
					 qts_text(event->msg),	TimestampTzGetDatum(now)};

	if (!qts_exec_lock_order(order_uid, &row))
		return;
	qts_stmt_run_one(&cancel_result, args, event->odno[0] == '\0' ? "  n   " : NULL, "order");
}

int
qts_exec_orphan_sends(void)
{
	int n = (int) qts_stmt_run(&orphan_orders, NULL, NULL);

	qts_stmt_run(&orphan_intents, NULL, NULL);
	qts_stmt_run(&orphan_cancels, NULL, NULL);
	if (n > 0)
		qts_alert("WARNING", "ORDER_UNKNOWN", "restart",
				  "The engine looks for them at the broker; none is sent again.",
				  "%d orders may have been sent before the engine stopped", n);
	return n;
}
