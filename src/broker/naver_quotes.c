/*-------------------------------------------------------------------------
 *
 * naver_quotes.c
 *		Quotes of Naver as a table of operations: the fallback that asks politely.
 *
 * Nobody owes us an answer: a ceiling of its own, few retries, and a refusal
 * ends it until somebody opens it again.  It knows no keys and no accounts.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "broker/quotes.h"
#include "kis/kis_quote.h"
#include "naver/naver_quote.h"
#include "net/http.h"
#include "net/net.h"

#define NAVER_PER_SECOND 10
#define NAVER_CONNECT_MS 3000
#define NAVER_TIMEOUT_MS 10000
#define NAVER_ASKED 8 /* in flight or waiting for their next try */
#define NAVER_RETRIES 2
#define NAVER_BACKOFF_MIN (500 * QTS_MS)
#define NAVER_BACKOFF_MAX (4 * QTS_SEC)
#define NAVER_URL_LEN 255

typedef struct NaverNode
{
	QtsQuoteEvent event; /* first: freed through its address */
	struct NaverNode *next;
} NaverNode;

typedef struct NaverAsk
{
	QtsQuotes *quotes;
	QtsHttp *http;		/* NULL = waits until not_before */
	NaverNode *node;	/* NULL = this place is free */
	int tries;			/* sent so far */
	int64_t sent_at;	/* the last of them */
	int64_t not_before; /* monotonic us */
	QtsQuoteRequest request;
} NaverAsk;

struct QtsQuotes
{
	char url[NAVER_URL_LEN + 1]; /* without a slash at the end; "" = not usable */
	QtsRateLimiter limiter;
	NaverAsk asked[NAVER_ASKED];
	int64_t clock_offset; /* wall - monotonic, of the last drive */
	uint32_t random;
	char why[128]; /* stopped; "" = not */
	NaverNode *first;
	NaverNode *last;
};

static void
naver_event_free(QtsQuoteEvent *event)
{
	if (!event)
		return;
	qts_quote_event_clear(event);
	free(event); /* the node begins with its event */
}

static void
naver_close(QtsQuotes *quotes)
{
	if (!quotes)
		return;
	for (int i = 0; i < NAVER_ASKED; i++)
	{
		if (quotes->asked[i].http)
			qts_http_cancel(quotes->asked[i].http);
		if (quotes->asked[i].node)
			naver_event_free(&quotes->asked[i].node->event);
	}
	while (quotes->first)
	{
		NaverNode *node = quotes->first;

		quotes->first = node->next;
		naver_event_free(&node->event);
	}
	free(quotes);
}

static QtsQuotes *
naver_open(const QtsBrokerConfig *config)
{
	QtsQuotes *quotes = calloc(1, sizeof(QtsQuotes));
	const char *url = config->rest_url && config->rest_url[0] ? config->rest_url : QTS_NAVER_HOST;
	size_t len = strlen(url);

	if (!quotes)
		return NULL;
	qts_rate_init(&quotes->limiter, NAVER_PER_SECOND);
	if (getrandom(&quotes->random, sizeof(quotes->random), GRND_NONBLOCK) != sizeof(quotes->random))
		quotes->random = (uint32_t) qts_mono_us();
	while (len > 0 && url[len - 1] == '/')
		len--;
	if (len == 0 || len > NAVER_URL_LEN)
		strcpy(quotes->why, "the address of the fallback quotes is not usable");
	else
		memcpy(quotes->url, url, len);
	return quotes;
}

static void
naver_end(NaverAsk *ask)
{
	QtsQuotes *quotes = ask->quotes;

	ask->node->next = NULL;
	if (quotes->last)
		quotes->last->next = ask->node;
	else
		quotes->first = ask->node;
	quotes->last = ask->node;
	ask->node = NULL;
}

static void
naver_done(void *arg, const QtsHttpAnswer *answer)
{
	NaverAsk *ask = arg;
	QtsQuotes *quotes = ask->quotes;
	QtsQuoteEvent *event = &ask->node->event;
	bool refused = answer->status == 403 || answer->status == 429;

	ask->http = NULL;
	event->http_status = answer->status;
	event->done_us = answer->done_us;
	event->outcome = QTS_OUTCOME_UNKNOWN;
	if (answer->fate == QTS_HTTP_ANSWERED)
		event->outcome = qts_naver_parse(&ask->request, answer->status, answer->body, answer->body_len,
										 ask->sent_at + quotes->clock_offset, event);
	else if (answer->fate == QTS_HTTP_NEVER_SENT)
		event->outcome = QTS_OUTCOME_NOT_PROCESSED;
	snprintf(event->msg, sizeof(event->msg), "%s", answer->error);
	if (refused)
	{
		event->throttled = answer->status == 429;
		event->outcome = QTS_OUTCOME_REJECTED;
		snprintf(quotes->why, sizeof(quotes->why), "Naver refused with HTTP %d", answer->status);
	}
	if (answer->status >= 500 && ask->tries <= NAVER_RETRIES && !quotes->why[0])
	{
		quotes->random = quotes->random * 1664525 + 1013904223;
		ask->not_before = answer->done_us +
						  qts_backoff(ask->tries - 1, NAVER_BACKOFF_MIN, NAVER_BACKOFF_MAX, quotes->random);
		return;
	}
	naver_end(ask);
}

static bool
naver_send(NaverAsk *ask, int64_t mono)
{
	char path[QTS_NAVER_PATH_SIZE];
	char url[NAVER_URL_LEN + QTS_NAVER_PATH_SIZE];
	QtsHttpRequest http = {
		.url = url,
		.headers = {"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
					"Referer: https://finance.naver.com/", "Accept: application/json"},
		.connect_ms = NAVER_CONNECT_MS,
		.timeout_ms = NAVER_TIMEOUT_MS,
	};

	if (!qts_naver_build(path, sizeof(path), &ask->request))
		return false;
	snprintf(url, sizeof(url), "%s%s", ask->quotes->url, path);
	ask->http = qts_http_send(&http, naver_done, ask);
	if (!ask->http)
		return false;
	qts_rate_take(&ask->quotes->limiter, QTS_RATE_QUOTE, mono);
	ask->tries++;
	ask->sent_at = mono;
	return true;
}

/* The next try of what failed; ms until it may go, -1 = nothing waits. */
static long
naver_retry(NaverAsk *ask, int64_t mono)
{
	QtsQuotes *quotes = ask->quotes;
	int64_t wait = qts_rate_wait(&quotes->limiter, QTS_RATE_QUOTE, mono);

	if (quotes->why[0])
	{
		naver_end(ask);
		return -1;
	}
	if (ask->not_before - mono > wait)
		wait = ask->not_before - mono;
	if (wait > 0)
		return (long) (wait / QTS_MS + 1);
	if (!naver_send(ask, mono))
		naver_end(ask);
	return -1;
}

static long
naver_drive(QtsQuotes *quotes, int64_t mono, QtsTime now)
{
	long wait = -1;

	quotes->clock_offset = now - mono;
	for (int i = 0; i < NAVER_ASKED; i++)
	{
		NaverAsk *ask = &quotes->asked[i];
		long next = ask->node && !ask->http ? naver_retry(ask, mono) : -1;

		if (next >= 0 && (wait < 0 || next < wait))
			wait = next;
	}
	return quotes->first ? 0 : wait;
}

static void
naver_tune(QtsQuotes *quotes, const QtsBrokerTuning *tuning)
{
	(void) quotes;
	(void) tuning;
}

static int
naver_per_request(const QtsQuotes *quotes)
{
	(void) quotes;
	return QTS_QUOTE_SYMBOLS;
}

static int
naver_slots(const QtsQuotes *quotes, int64_t mono)
{
	int slots = qts_rate_slots(&quotes->limiter, QTS_RATE_QUOTE, mono);
	int room = 0;

	if (quotes->why[0])
		return 0;
	for (int i = 0; i < NAVER_ASKED; i++)
		room += quotes->asked[i].node == NULL;
	return slots < room ? slots : room;
}

static long
naver_slot_wait_ms(const QtsQuotes *quotes, int64_t mono)
{
	int64_t wait = qts_rate_wait(&quotes->limiter, QTS_RATE_QUOTE, mono);

	if (naver_slots(quotes, mono) > 0)
		return 0;
	/* an answer makes room, and wakes the process */
	return wait > 0 && !quotes->why[0] ? (long) (wait / QTS_MS + 1) : 1000;
}

static bool
naver_ask(QtsQuotes *quotes, const QtsQuoteRequest *request, int64_t mono)
{
	NaverAsk *ask = quotes->asked;

	if (naver_slots(quotes, mono) <= 0)
		return false;
	while (ask->node)
		ask++;
	memset(ask, 0, sizeof(*ask));
	ask->quotes = quotes;
	ask->request = *request;
	ask->node = calloc(1, sizeof(NaverNode));
	if (!ask->node)
		return false;
	ask->node->event.kind = request->kind;
	ask->node->event.tag = request->tag;
	if (naver_send(ask, mono))
		return true;
	free(ask->node);
	ask->node = NULL;
	return false;
}

static QtsQuoteEvent *
naver_next_event(QtsQuotes *quotes)
{
	NaverNode *node = quotes->first;

	if (!node)
		return NULL;
	quotes->first = node->next;
	if (!quotes->first)
		quotes->last = NULL;
	return &node->event;
}

static const char *
naver_trouble(const QtsQuotes *quotes)
{
	return quotes->why;
}

const QtsQuoteOps qts_naver_quotes = {
	.name = "naver",
	.source = QTS_SOURCE_NAVER,
	.open = naver_open,
	.close = naver_close,
	.drive = naver_drive,
	.tune = naver_tune,
	.per_request = naver_per_request,
	.slots = naver_slots,
	.slot_wait_ms = naver_slot_wait_ms,
	.ask = naver_ask,
	.next_event = naver_next_event,
	.event_free = naver_event_free,
	.trouble = naver_trouble,
};
