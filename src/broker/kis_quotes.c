/*-------------------------------------------------------------------------
 *
 * kis_quotes.c
 *		Quotes of KIS as a table of operations: one request, one event.
 *
 * It is a broker session that sends no orders: the token comes from the
 * shared file, the limit from the shared pool in the lowest class, and its
 * breaker is its own.  Nothing is retried here: a later question gets a
 * fresher answer.  Each refusal for the rate makes it wait longer, so that
 * quotes give way before orders are refused too.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/kis_session.h"
#include "broker/quotes.h"
#include "kis/kis_quote.h"
#include "net/net.h"

#define QUOTES_IN_FLIGHT 16
#define QUOTES_PAUSE_MIN (250 * QTS_MS)
#define QUOTES_PAUSE_MAX (8 * QTS_SEC)

typedef struct QuoteNode
{
	QtsQuoteEvent event; /* first: freed through its address */
	struct QuoteNode *next;
} QuoteNode;

/* One request in flight. */
typedef struct Quote
{
	QtsQuotes *quotes;
	QtsHttp *http;
	QuoteNode *node; /* made before sending: an answer must not be lost to malloc */
	uint32_t ticket; /* of the breaker */
	unsigned token_age;
	int64_t sent_at;
	QtsQuoteRequest request;
	struct Quote *next;
} Quote;

struct QtsQuotes
{
	QtsBroker *broker;
	Quote *asked;
	int in_flight;
	bool no_multi; /* the host does not know several symbols at once */
	int refusals;  /* for the rate, in a row */
	int64_t not_before;
	QuoteNode *first;
	QuoteNode *last;
};

static void
quotes_event_free(QtsQuoteEvent *event)
{
	if (!event)
		return;
	qts_quote_event_clear(event);
	free(event); /* the node begins with its event */
}

static void
quotes_close(QtsQuotes *quotes)
{
	if (!quotes)
		return;
	while (quotes->asked)
	{
		Quote *quote = quotes->asked;

		quotes->asked = quote->next;
		qts_http_cancel(quote->http);
		quotes_event_free(&quote->node->event);
		free(quote);
	}
	while (quotes->first)
	{
		QuoteNode *node = quotes->first;

		quotes->first = node->next;
		quotes_event_free(&node->event);
	}
	qts_kis_broker.close(quotes->broker);
	free(quotes);
}

static QtsQuotes *
quotes_open(const QtsBrokerConfig *config)
{
	QtsQuotes *quotes = calloc(1, sizeof(QtsQuotes));

	if (!quotes || !(quotes->broker = qts_kis_broker.open(config)))
	{
		free(quotes);
		return NULL;
	}
	return quotes;
}

static long
quotes_drive(QtsQuotes *quotes, int64_t mono, QtsTime now)
{
	long wait = qts_kis_broker.drive(quotes->broker, mono, now);
	QtsBrokerEvent *event;

	/* only changes of state come: trouble() tells them */
	while ((event = qts_kis_broker.next_event(quotes->broker)) != NULL)
	{
		qts_kis_broker.event_free(event);
		wait = kis_token_drive(quotes->broker);
	}
	return quotes->first ? 0 : wait;
}

static void
quotes_tune(QtsQuotes *quotes, const QtsBrokerTuning *tuning)
{
	qts_kis_broker.tune(quotes->broker, tuning);
}

static int
quotes_per_request(const QtsQuotes *quotes)
{
	return quotes->no_multi ? 1 : QTS_QUOTE_SYMBOLS;
}

static int
quotes_slots(const QtsQuotes *quotes, int64_t mono)
{
	int room = QUOTES_IN_FLIGHT - quotes->in_flight;
	int slots = qts_kis_broker.slots(quotes->broker, QTS_RATE_QUOTE, mono);

	if (mono < quotes->not_before)
		return 0;
	return slots < room ? slots : room;
}

static long
quotes_slot_wait_ms(const QtsQuotes *quotes, int64_t mono)
{
	long wait = qts_kis_broker.slot_wait_ms(quotes->broker, QTS_RATE_QUOTE, mono);
	int64_t pause = quotes->not_before - mono;

	if (pause > 0 && pause / QTS_MS + 1 > wait)
		return (long) (pause / QTS_MS + 1);
	/* an answer makes room, and wakes the process */
	return wait == 0 && quotes->in_flight >= QUOTES_IN_FLIGHT ? 1000 : wait;
}

static void
quotes_push(QtsQuotes *quotes, QuoteNode *node)
{
	node->next = NULL;
	if (quotes->last)
		quotes->last->next = node;
	else
		quotes->first = node;
	quotes->last = node;
}

/* The limit is shared: whoever meets it first waits, and the longer the oftener. */
static void
quotes_pace(QtsQuotes *quotes, bool refused, int64_t mono)
{
	if (!refused)
	{
		quotes->refusals = 0;
		return;
	}
	if (mono < quotes->not_before)
		return; /* sent before the last refusal was known */
	quotes->not_before = mono + qts_backoff(quotes->refusals++, QUOTES_PAUSE_MIN, QUOTES_PAUSE_MAX,
											kis_random(&quotes->broker->id));
}

/* Kinds that take several symbols, where the host knows it. */
static bool
quotes_of_many(const QtsQuoteRequest *request)
{
	return request->kind == QTS_QUOTE_PRICES || request->kind == QTS_QUOTE_BASE_PRICES;
}

/* A request of several symbols that the domain refuses as such. */
static bool
quotes_unknown_here(const Quote *quote, const QtsKisVerdict *v)
{
	static const char *const codes[] = {"EGW02004", "EGW02006", "EGW00213", "OPSQ0002"};

	if (!quotes_of_many(&quote->request) || quote->request.symbols < 2)
		return false;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
	{
		if (strcmp(v->msg_cd, codes[i]) == 0)
			return true;
	}
	return false;
}

static void
quotes_done(void *arg, const QtsHttpAnswer *answer)
{
	Quote *quote = arg;
	QtsQuotes *quotes = quote->quotes;
	QtsBroker *broker = quotes->broker;
	QtsQuoteEvent *event = &quote->node->event;
	Quote **link = &quotes->asked;
	QtsKisVerdict v;

	/* when it was asked: the answer may be late, and what it says is no newer than that for certain */
	if (answer->fate == QTS_HTTP_ANSWERED)
		v = qts_kis_parse_quote(&quote->request, answer->status, answer->body, answer->body_len,
								broker->now + (quote->sent_at - broker->mono), event);
	else
		v = kis_no_answer(answer);
	kis_breaker_report(broker, QTS_RATE_QUOTE, quote->ticket, quote->sent_at, &v, answer);
	kis_follow(broker, &v, quote->token_age);
	event->outcome = v.outcome;
	event->throttled = v.follow == QTS_KIS_FOLLOW_RATE;
	event->http_status = answer->status;
	event->done_us = answer->done_us;
	memcpy(event->msg_cd, v.msg_cd, sizeof(event->msg_cd));
	memcpy(event->msg, v.msg, sizeof(event->msg));
	kis_scrub(&broker->id, NULL, event->msg);
	if (event->throttled || v.outcome == QTS_OUTCOME_OK)
		quotes_pace(quotes, event->throttled, answer->done_us);
	quotes->no_multi |= quotes_unknown_here(quote, &v);
	quotes_push(quotes, quote->node);
	while (*link != quote)
		link = &(*link)->next;
	*link = quote->next;
	quotes->in_flight--;
	free(quote);
}

static bool
quotes_ask(QtsQuotes *quotes, const QtsQuoteRequest *request, int64_t mono)
{
	QtsBroker *broker = quotes->broker;
	QtsKisRequest wire;
	Quote *quote;

	if (quotes_of_many(request) && request->symbols > quotes_per_request(quotes))
		return false;
	if (!qts_kis_build_quote(&wire, broker->id.environment, request) || quotes_slots(quotes, mono) <= 0)
		return false;
	quote = calloc(1, sizeof(Quote));
	if (!quote || !(quote->node = calloc(1, sizeof(QuoteNode))))
	{
		free(quote);
		return false;
	}
	if (!kis_rate_take(broker, QTS_RATE_QUOTE, mono) ||
		!(quote->http = kis_send(broker, &wire, false, false, quotes_done, quote)))
	{
		free(quote->node);
		free(quote);
		return false;
	}
	quote->quotes = quotes;
	quote->request = *request;
	quote->node->event.kind = request->kind;
	quote->node->event.tag = request->tag;
	quote->token_age = broker->token.age;
	quote->sent_at = mono;
	quote->ticket = kis_breaker_enter(broker, QTS_RATE_QUOTE, mono);
	quote->next = quotes->asked;
	quotes->asked = quote;
	quotes->in_flight++;
	return true;
}

static QtsQuoteEvent *
quotes_next_event(QtsQuotes *quotes)
{
	QuoteNode *node = quotes->first;

	if (!node)
		return NULL;
	quotes->first = node->next;
	if (!quotes->first)
		quotes->last = NULL;
	return &node->event;
}

static const char *
quotes_trouble(const QtsQuotes *quotes)
{
	const QtsBroker *broker = quotes->broker;

	if (broker->state != QTS_SESSION_READY)
		return broker->why[0] ? broker->why : "no token yet";
	if (kis_breaker_slots(broker, QTS_RATE_QUOTE, broker->mono) <= 0)
		return "quotes have failed too often in a row: waiting before the next try";
	if (broker->mono < quotes->not_before)
		return "refused for the rate: waiting";
	return "";
}

const QtsQuoteOps qts_kis_quotes = {
	.name = "kis",
	.source = QTS_SOURCE_KIS_REST,
	.open = quotes_open,
	.close = quotes_close,
	.drive = quotes_drive,
	.tune = quotes_tune,
	.per_request = quotes_per_request,
	.slots = quotes_slots,
	.slot_wait_ms = quotes_slot_wait_ms,
	.ask = quotes_ask,
	.next_event = quotes_next_event,
	.event_free = quotes_event_free,
	.trouble = quotes_trouble,
};
