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

#include "db/exec.h"
#include "db/stmt.h"
#include "guc.h"
#include "shm/clock.h"
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
	" updated_ts = $1 WHERE status = 'PENDING_SUBMIT' AND retry_ts IS NULL RETURNING intent_id",
	1,
	{TIMESTAMPTZOID}};

static QtsStmt orphan_intents = {
	"UPDATE trade.order_intents i SET status = 'UNKNOWN', updated_ts = $1 FROM trade.orders o"
	" WHERE o.intent_id = i.intent_id AND o.status = 'UNKNOWN' AND i.status = 'SUBMITTING'",
	1,
	{TIMESTAMPTZOID}};

static QtsStmt orphan_cancels = {
	"UPDATE trade.orders SET cancel_state = 'UNKNOWN', updated_ts = $1 WHERE cancel_state = 'SENT'",
	1,
	{TIMESTAMPTZOID}};

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

/* Status, reason and the broker's words of order and intent. */
static void
order_set(const QtsOrderRow *row, QtsAnswerStep step, const QtsBrokerEvent *event, TimestampTz now)
{
	bool retry = step == QTS_ANSWER_RETRY;
	Datum args[7] = {qts_uuid(&row->order_uid),
					 qts_text(qts_order_status_name(row->life.status)),
					 qts_text(event->msg_cd),
					 qts_text(event->msg),
					 TimestampTzGetDatum(retry ? row->life.retry_at : 0),
					 TimestampTzGetDatum(now),
					 qts_text(answer_json(event, row->life.attempt))};
	Datum mirror[5] = {qts_uuid(&row->intent_id),
					   qts_text(qts_intent_status_name(qts_life_intent(&row->life, step))), args[2], args[3],
					   args[5]};

	qts_stmt_run_one(&order_result, args, retry ? NULL : "    n  ", "order");
	if (!qts_uuid_is_null(&row->intent_id))
		qts_stmt_run_one(&intent_result, mirror, NULL, "intent");
}

static void
order_given_up(const QtsOrderRow *row, const QtsBrokerEvent *event)
{
	qts_alert("CRITICAL", "ORDER_FAILED", row->symbol,
			  "See trade.orders for the last answer; exits are tried again with back-off.",
			  "the order for %s was refused %d times without being processed: %s %s", row->symbol,
			  row->life.attempt, event->msg_cd, event->msg);
}

static void
order_rejected(const QtsOrderRow *row, const QtsBrokerEvent *event)
{
	qts_count(QTS_COUNT_ORDERS_REJECTED, 1);
	qts_alert("CRITICAL", "ORDER_REJECTED", row->symbol,
			  "The broker's reason is in trade.orders.error_message.",
			  "the broker rejected the %s of " INT64_FORMAT " %s: %s %s", row->life.sell ? "sell" : "buy",
			  row->life.qty, row->symbol, event->msg_cd, event->msg);
}

static void
order_unknown(const QtsOrderRow *row)
{
	qts_count(QTS_COUNT_ORDERS_UNKNOWN, 1);
	qts_alert("WARNING", "ORDER_UNKNOWN", row->symbol,
			  "The engine looks for it at the broker; it is not sent again.",
			  "no usable answer to the %s of " INT64_FORMAT " %s: its outcome is unknown",
			  row->life.sell ? "sell" : "buy", row->life.qty, row->symbol);
}

void
qts_exec_order_answer(const pg_uuid_t *order_uid, const QtsBrokerEvent *event, TimestampTz now)
{
	QtsOrderRow row;
	QtsAnswerStep step;

	if (!qts_exec_lock_order(order_uid, &row))
		return;
	/* a rate limit costs a wait, never an order: the intent's own time is its bound */
	step = qts_life_answer(&row.life, event->outcome, event->for_now ? INT_MAX : qts_guc.max_order_attempts,
						   pg_prng_uint32(&pg_global_prng_state), now);
	if (step == QTS_ANSWER_BIND)
	{
		qts_count(QTS_COUNT_ORDERS_ACCEPTED, 1);
		qts_exec_bind(&row, event->odno, event->orgno, qts_seoul_date(now),
					  answer_json(event, row.life.attempt), now);
	}
	if (step == QTS_ANSWER_BIND || step == QTS_ANSWER_LATE)
		return;
	order_set(&row, step, event, now);
	if (event->outcome == QTS_OUTCOME_NOT_PROCESSED)
		qts_count(QTS_COUNT_ORDERS_REFUSED, 1);
	if (step == QTS_ANSWER_GIVEN_UP)
		order_given_up(&row, event);
	else if (step == QTS_ANSWER_REJECTED)
	{
		order_rejected(&row, event);
		qts_calendar_refused(event->msg_cd, now);
	}
	else if (step == QTS_ANSWER_UNKNOWN)
		order_unknown(&row);
}

void
qts_exec_cancel_answer(const pg_uuid_t *order_uid, const QtsBrokerEvent *event, TimestampTz now)
{
	QtsOrderRow row;

	if (!qts_exec_lock_order(order_uid, &row))
		return;
	qts_life_cancel_answer(&row.life, event->outcome);
	{
		Datum args[6] = {qts_uuid(order_uid),	qts_text(qts_cancel_state_name(row.life.cancel)),
						 qts_text(event->odno), qts_text(event->msg_cd),
						 qts_text(event->msg),	TimestampTzGetDatum(now)};

		qts_stmt_run_one(&cancel_result, args, event->odno[0] == '\0' ? "  n   " : NULL, "order");
	}
	if (row.life.cancel_attempt >= QTS_CANCEL_ATTEMPTS && row.life.cancel != QTS_CANCEL_ACCEPTED)
		qts_alert("CRITICAL", "CANCEL_FAILING", row.symbol, "Cancel it at the broker, or ask again.",
				  "order %s of %s could not be cancelled %d times: %s %s", row.odno, row.symbol,
				  row.life.cancel_attempt, event->msg_cd, event->msg);
}

int
qts_exec_orphan_sends(void)
{
	Datum now[1] = {TimestampTzGetDatum(qts_now())};
	int n = (int) qts_stmt_run(&orphan_orders, now, NULL);

	qts_stmt_run(&orphan_intents, now, NULL);
	qts_stmt_run(&orphan_cancels, now, NULL);
	if (n > 0)
		qts_alert("WARNING", "ORDER_UNKNOWN", "restart",
				  "The engine looks for them at the broker; none is sent again.",
				  "%d orders may have been sent before the engine stopped", n);
	return n;
}
