/*-------------------------------------------------------------------------
 *
 * kis_broker.c
 *		A KIS session as a table of operations; orders and cancels.
 *
 * An order leaves at once and at most once, or its event says NOT_PROCESSED
 * without anything having left.  What comes of it is read from the answer;
 * a lost answer is UNKNOWN and stays so here: only the caller, who has the
 * ledger and the notices, can find out.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/kis_session.h"
#include "net/net.h"
#include "shm/point.h"

static void
broker_close(QtsBroker *broker)
{
	if (!broker)
		return;
	while (broker->orders)
	{
		KisOrder *order = broker->orders;

		broker->orders = order->next;
		if (order->http)
			qts_http_cancel(order->http);
		free(order->node);
		free(order);
	}
	kis_query_close(broker);
	kis_token_close(broker);
	while (broker->first)
	{
		KisEventNode *node = broker->first;

		broker->first = node->next;
		qts_kis_broker.event_free(&node->event);
	}
	kis_identity_wipe(&broker->id);
	explicit_bzero(broker, sizeof(*broker));
	free(broker);
}

static QtsBroker *
broker_open(const QtsBrokerConfig *config)
{
	QtsBroker *broker = calloc(1, sizeof(QtsBroker));

	if (!broker)
		return NULL;
	broker->token.lock_fd = -1;
	broker->state = QTS_SESSION_NO_TOKEN;
	strcpy(broker->why, "no token yet");
	kis_rate_open(broker, config->rate, config->tuning.rate_per_second);
	kis_breaker_set(broker, &config->tuning.breaker);
	if (!kis_identity_set(&broker->id, config))
	{
		kis_set_state(broker, QTS_SESSION_REFUSED, "app key, secret or address is missing or not usable");
		return broker;
	}
	snprintf(broker->key_line, sizeof(broker->key_line), "appkey: %s", broker->id.app_key);
	snprintf(broker->secret_line, sizeof(broker->secret_line), "appsecret: %s", broker->id.app_secret);
	kis_token_open(broker, config->token_file);
	return broker;
}

static long
broker_drive(QtsBroker *broker, int64_t mono, QtsTime now)
{
	long token_wait;
	long query_wait;

	broker->mono = mono;
	broker->now = now;
	token_wait = kis_token_drive(broker);
	query_wait = kis_query_drive(broker);
	if (broker->first)
		return 0;
	if (token_wait < 0 || (query_wait >= 0 && query_wait < token_wait))
		return query_wait;
	return token_wait;
}

static QtsSessionState
broker_state(const QtsBroker *broker, char *why, size_t why_size)
{
	if (why && why_size > 0)
		snprintf(why, why_size, "%s", broker->why);
	return broker->state;
}

static int
broker_slots(const QtsBroker *broker, QtsRateClass klass, int64_t mono)
{
	int slots = kis_rate_slots(broker, klass, mono);
	int room = klass <= QTS_RATE_ORDER ? KIS_MAX_ORDERS - broker->order_count
									   : KIS_MAX_QUERIES - broker->query_count;

	if (broker->state != QTS_SESSION_READY)
		return 0;
	if (kis_breaker_slots(broker, klass, mono) < room)
		room = kis_breaker_slots(broker, klass, mono);
	return slots < room ? slots : room;
}

static void
broker_tune(QtsBroker *broker, const QtsBrokerTuning *tuning)
{
	kis_identity_timeout(&broker->id, tuning->timeout_ms);
	kis_rate_set(broker, tuning->rate_per_second);
	kis_breaker_set(broker, &tuning->breaker);
}

static long
broker_slot_wait_ms(const QtsBroker *broker, QtsRateClass klass, int64_t mono)
{
	int64_t wait = kis_rate_wait(broker, klass, mono);

	int64_t closed = kis_breaker_wait(broker, klass, mono);

	if (broker_slots(broker, klass, mono) > 0)
		return 0;
	if (closed > wait)
		wait = closed;
	/* for a token or an answer the wake-up comes from the socket */
	if (wait <= 0 || wait > QTS_SEC)
		return 1000;
	return (long) (wait / QTS_MS + 1);
}

static void
broker_order_done(void *arg, const QtsHttpAnswer *answer)
{
	KisOrder *order = arg;
	QtsBroker *broker = order->broker;
	KisOrder **link = &broker->orders;
	QtsBrokerEvent *event = &order->node->event;
	QtsKisVerdict v;

	if (answer->fate == QTS_HTTP_ANSWERED)
		v = qts_kis_parse_order(answer->status, answer->body, answer->body_len, event->odno, event->orgno);
	else
		v = kis_no_answer(answer);
	QTS_POINT("net.answered");
	kis_breaker_report(broker, QTS_RATE_ORDER, order->ticket, answer->sent_us, &v, answer);
	kis_event_verdict(broker, event, &v, answer);
	kis_event_push(broker, order->node);
	kis_follow(broker, &v, order->token_age);
	while (*link != order)
		link = &(*link)->next;
	*link = order->next;
	broker->order_count--;
	free(order);
}

/* An answer without a request: nothing left this process. */
static void
broker_not_sent(QtsBroker *broker, KisEventNode *node)
{
	node->event.outcome =
		broker->state == QTS_SESSION_REFUSED ? QTS_OUTCOME_FATAL : QTS_OUTCOME_NOT_PROCESSED;
	node->event.for_now = true;
	snprintf(node->event.msg, sizeof(node->event.msg), "%.*s", QTS_MSG_LEN,
			 broker->why[0] ? broker->why : "the request could not be made");
	node->event.done_us = qts_mono_us();
	kis_event_push(broker, node);
}

static bool
broker_send_order(QtsBroker *broker, bool cancel, uint64_t tag, const char *account,
				  const QtsKisRequest *request, int64_t mono)
{
	bool ready = broker->state == QTS_SESSION_READY;
	QtsRateClass klass = cancel ? QTS_RATE_CANCEL : QTS_RATE_ORDER;
	KisEventNode *node;
	KisOrder *order;

	if (ready && (broker_slots(broker, klass, mono) <= 0 || !kis_rate_take(broker, klass, mono)))
		return false;
	node = kis_event_new(cancel ? QTS_EVENT_CANCEL : QTS_EVENT_ORDER, tag, account);
	order = calloc(1, sizeof(KisOrder));
	if (!node || !order)
	{
		free(node);
		free(order);
		return false;
	}
	order->broker = broker;
	order->node = node;
	order->token_age = broker->token.age;
	if (ready)
		order->http = kis_send(broker, request, true, false, broker_order_done, order);
	if (!order->http)
	{
		free(order);
		broker_not_sent(broker, node);
		return true;
	}
	QTS_POINT("net.sent");
	order->ticket = kis_breaker_enter(broker, klass, mono);
	order->next = broker->orders;
	broker->orders = order;
	broker->order_count++;
	return true;
}

static bool
broker_order(QtsBroker *broker, uint64_t tag, const QtsOrderRequest *request, int64_t mono)
{
	QtsKisRequest wire;

	return qts_kis_build_order(&wire, broker->id.environment, request) &&
		   broker_send_order(broker, false, tag, request->account, &wire, mono);
}

static bool
broker_cancel(QtsBroker *broker, uint64_t tag, const QtsCancelRequest *request, int64_t mono)
{
	QtsKisRequest wire;

	return qts_kis_build_cancel(&wire, broker->id.environment, request) &&
		   broker_send_order(broker, true, tag, request->account, &wire, mono);
}

static bool
broker_ledger(QtsBroker *broker, uint64_t tag, const char *account, QtsDate date)
{
	QtsKisRequest wire;

	return qts_kis_build_ledger(&wire, broker->id.environment, account, date, date, NULL) &&
		   kis_query_add(broker, KIS_QUERY_LEDGER, tag, account, date);
}

static bool
broker_balance(QtsBroker *broker, uint64_t tag, const char *account)
{
	QtsKisRequest wire;

	return qts_kis_build_balance(&wire, broker->id.environment, account, NULL) &&
		   kis_query_add(broker, KIS_QUERY_BALANCE, tag, account, 0);
}

static bool
broker_open_list(QtsBroker *broker, uint64_t tag, const char *account)
{
	QtsKisRequest wire;

	return qts_kis_build_open_list(&wire, broker->id.environment, account, 0, NULL) &&
		   kis_query_add(broker, KIS_QUERY_OPEN_LIST, tag, account, 0);
}

static QtsBrokerEvent *
broker_next_event(QtsBroker *broker)
{
	KisEventNode *node = broker->first;

	if (!node)
		return NULL;
	broker->first = node->next;
	if (!broker->first)
		broker->last = NULL;
	return &node->event;
}

static void
broker_event_free(QtsBrokerEvent *event)
{
	if (!event)
		return;
	free(event->ledger.rows);
	free(event->balance.rows);
	free(event->open_list.rows);
	free(event); /* the node begins with its event */
}

static int
broker_in_flight(const QtsBroker *broker)
{
	return broker->order_count + broker->query_count;
}

const QtsBrokerOps qts_kis_broker = {
	.name = "kis",
	.open = broker_open,
	.close = broker_close,
	.drive = broker_drive,
	.state = broker_state,
	.tune = broker_tune,
	.health = kis_breaker_health,
	.keep = kis_rate_keep,
	.slots = broker_slots,
	.slot_wait_ms = broker_slot_wait_ms,
	.order = broker_order,
	.cancel = broker_cancel,
	.ledger = broker_ledger,
	.balance = broker_balance,
	.open_list = broker_open_list,
	.next_event = broker_next_event,
	.event_free = broker_event_free,
	.in_flight = broker_in_flight,
};
