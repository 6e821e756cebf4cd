/*-------------------------------------------------------------------------
 *
 * kis_query.c
 *		Order lists and balances: queued, paged, retried, one event each.
 *
 * Queries never hold up an order: they leave only when the limiter has room
 * for their class, ledgers before balances.  Among themselves they take
 * turns, page by page, so that no account waits for another's long list.  A
 * ledger is handed over page by page, the others at their end.  A list that
 * gets no page by its deadline is reported as one that did not come whole.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/kis_session.h"
#include "core/session.h"
#include "net/net.h"

#define QUERY_LIFE (60 * QTS_SEC)	 /* for each page */
#define QUERY_PATIENCE (2 * QTS_SEC) /* after which a balance is as urgent as a ledger */
#define QUERY_MAX_ATTEMPTS 6		 /* of one page */
/*
 * A list must have an end.  In pages of 100 rows this is twice the 105 300
 * orders that the budgets' defaults let an account send in a trading day (240
 * exits and 30 entries a minute).
 */
#define QUERY_MAX_PAGES 2000
#define QUERY_BACKOFF_MIN QTS_SEC
#define QUERY_BACKOFF_MAX (30 * QTS_SEC)
#define QUERY_LEDGER_PAUSE QTS_SEC
#define QUERY_WAIT_MS 20 /* for a token or a free request */

static void
query_link(KisQuery *query)
{
	KisQuery **link = &query->broker->queries;

	while (*link)
		link = &(*link)->next;
	query->next = NULL;
	*link = query;
	query->broker->query_count++;
}

static void
query_unlink(KisQuery *query)
{
	KisQuery **link = &query->broker->queries;

	while (*link != query)
		link = &(*link)->next;
	*link = query->next;
	query->broker->query_count--;
}

bool
kis_query_add(QtsBroker *broker, KisQueryKind kind, uint64_t tag, const char *account, QtsDate date)
{
	static const QtsBrokerEventKind events[] = {[KIS_QUERY_LEDGER] = QTS_EVENT_LEDGER,
												[KIS_QUERY_OPEN_LIST] = QTS_EVENT_OPEN_LIST,
												[KIS_QUERY_BALANCE] = QTS_EVENT_BALANCE};
	KisQuery *query;
	KisEventNode *node;

	if (broker->query_count >= KIS_MAX_QUERIES)
		return false;
	query = calloc(1, sizeof(KisQuery));
	node = kis_event_new(events[kind], tag, account);
	if (!query || !node)
	{
		free(query);
		free(node);
		return false;
	}
	query->broker = broker;
	query->kind = kind;
	query->waits_since = qts_mono_us();
	query->tag = tag;
	memcpy(query->account, node->event.account, sizeof(query->account));
	query->date = date;
	query->event = &node->event;
	query_link(query);
	return true;
}

static QtsRateClass
query_class(const KisQuery *query)
{
	/* one that has waited long is urgent whatever it is: lists must not starve balances */
	bool late = query->broker->mono - query->waits_since >= QUERY_PATIENCE;

	return query->kind == KIS_QUERY_BALANCE && !late ? QTS_RATE_BALANCE : QTS_RATE_LEDGER;
}

/* The deadline wakes nobody: look again at least every second. */
static int64_t
query_breaker_pause(const QtsBroker *broker, QtsRateClass klass)
{
	int64_t wait = kis_breaker_wait(broker, klass, broker->mono);

	return wait < QTS_SEC ? wait : QTS_SEC;
}

/* Hand the event over and forget the query. */
static void
query_end(KisQuery *query)
{
	query_unlink(query);
	kis_event_push(query->broker, (KisEventNode *) query->event);
	free(query);
}

static void
query_retry(KisQuery *query, QtsKisFollow follow)
{
	QtsBroker *broker = query->broker;
	int64_t wait = 0;

	/* the token or the limiter holds the page back already, and the deadline bounds it */
	if (follow == QTS_KIS_FOLLOW_LEDGER_RATE)
		wait = QUERY_LEDGER_PAUSE;
	else if (follow != QTS_KIS_FOLLOW_TOKEN && follow != QTS_KIS_FOLLOW_RATE)
	{
		if (++query->attempts >= QUERY_MAX_ATTEMPTS)
		{
			query_end(query);
			return;
		}
		wait =
			qts_backoff(query->attempts - 1, QUERY_BACKOFF_MIN, QUERY_BACKOFF_MAX, kis_random(&broker->id));
	}
	query->not_before = qts_mono_us() + wait;
}

static QtsKisVerdict
query_parse(KisQuery *query, const QtsHttpAnswer *answer)
{
	QtsBrokerEvent *event = query->event;
	QtsKisVerdict v;
	bool more;

	if (answer->fate != QTS_HTTP_ANSWERED)
		return kis_no_answer(answer);
	if (!qts_kis_tr_cont(answer->kept, &more))
	{
		v = qts_kis_classify(QTS_KIS_CALL_QUERY, answer->status, answer->body, answer->body_len);
		if (v.outcome == QTS_OUTCOME_OK)
			v.outcome = QTS_OUTCOME_UNKNOWN;
		return v;
	}
	if (query->kind == KIS_QUERY_BALANCE)
		return qts_kis_parse_balance(answer->status, answer->body, answer->body_len, more, &event->balance,
									 &query->page);
	if (query->kind == KIS_QUERY_OPEN_LIST)
		return qts_kis_parse_open_list(query->broker->id.environment, answer->status, answer->body,
									   answer->body_len, more, &event->open_list, &query->page);
	return qts_kis_parse_ledger(query->broker->id.environment, answer->status, answer->body, answer->body_len,
								more, &event->ledger, &query->page);
}

/* Half a list proves nothing; the event says why and what to do. */
static void
query_endless(KisQuery *query)
{
	QtsBrokerEvent *event = query->event;

	event->outcome = QTS_OUTCOME_UNKNOWN;
	snprintf(
		event->msg, sizeof(event->msg),
		"the list goes on after %d pages (%d rows), where reading ends: only notices tell fills of what is "
		"beyond and unanswered orders stay unknown; trade by another account until tomorrow",
		query->pages, query->rows + event->balance.count + event->open_list.count);
	event->done_us = query->broker->mono;
	query_end(query);
}

/* Hand a page of a ledger over and go on with an event for the next one. */
static bool
query_page(KisQuery *query)
{
	QtsBrokerEvent *event = query->event;
	KisEventNode *next = kis_event_new(event->kind, query->tag, query->account);

	if (!next)
	{
		event->outcome = QTS_OUTCOME_UNKNOWN;
		snprintf(event->msg, sizeof(event->msg), "no memory for the next page");
		return false;
	}
	next->event.asked_at = event->asked_at;
	next->event.sent_us = event->sent_us;
	next->event.ledger.page = query->pages;
	kis_event_push(query->broker, (KisEventNode *) event);
	query->event = &next->event;
	return true;
}

static void
query_go_on(KisQuery *query)
{
	query->pages++;
	query->rows += query->event->ledger.count;
	if (query->kind == KIS_QUERY_LEDGER && !query_page(query))
	{
		query_end(query);
		return;
	}
	if (query->pages >= QUERY_MAX_PAGES)
	{
		query_endless(query);
		return;
	}
	/* behind the other queries: a long list lets the short ones between its pages */
	query->attempts = 0;
	query->not_before = 0;
	query->waits_since = qts_mono_us();
	query->deadline = query->waits_since + QUERY_LIFE;
	query_unlink(query);
	query_link(query);
}

static void
query_done(void *arg, const QtsHttpAnswer *answer)
{
	KisQuery *query = arg;
	QtsBroker *broker = query->broker;
	QtsBrokerEvent *event = query->event;
	int64_t first_sent = event->sent_us;
	QtsKisVerdict v = query_parse(query, answer);

	query->http = NULL;
	kis_breaker_report(broker, query_class(query), query->ticket, query->page_sent, &v, answer);
	kis_event_verdict(broker, event, &v, answer);
	if (first_sent != 0)
		event->sent_us = first_sent;
	kis_follow(broker, &v, query->token_age);
	if (v.outcome == QTS_OUTCOME_NOT_PROCESSED || v.outcome == QTS_OUTCOME_UNKNOWN)
		query_retry(query, v.follow);
	else if (v.outcome != QTS_OUTCOME_OK || event->ledger.complete || event->balance.complete ||
			 event->open_list.complete)
		query_end(query);
	else
		query_go_on(query);
}

static bool
query_send(KisQuery *query)
{
	QtsBroker *broker = query->broker;
	QtsKisRequest request;
	bool ok;

	if (query->kind == KIS_QUERY_BALANCE)
		ok = qts_kis_build_balance(&request, broker->id.environment, query->account, &query->page);
	else if (query->kind == KIS_QUERY_OPEN_LIST)
		ok = qts_kis_build_open_list(&request, broker->id.environment, query->account,
									 qts_seoul_date(broker->now), &query->page);
	else
		ok = qts_kis_build_ledger(&request, broker->id.environment, query->account, query->date,
								  qts_seoul_date(broker->now), &query->page);
	if (!ok)
		return false;
	if (!kis_rate_take(broker, query_class(query), broker->mono))
		return true; /* another process was quicker */
	query->token_age = broker->token.age;
	if (query->event->asked_at == QTS_TIME_NONE)
		query->event->asked_at = broker->now;
	if (query->event->sent_us == 0)
		query->event->sent_us = broker->mono;
	query->http = kis_send(broker, &request, false, query->pages > 0, query_done, query);
	if (query->http)
	{
		query->page_sent = broker->mono;
		query->ticket = kis_breaker_enter(broker, query_class(query), broker->mono);
	}
	return true;
}

static void
query_expire(KisQuery *query, const char *why)
{
	QtsBrokerEvent *event = query->event;

	if (query->http)
	{
		qts_http_cancel(query->http);
		kis_breaker_report(query->broker, query_class(query), query->ticket, query->page_sent, NULL, NULL);
	}
	query->http = NULL;
	if (event->outcome == QTS_OUTCOME_OK)
		event->outcome = QTS_OUTCOME_UNKNOWN; /* pages came, the end did not */
	else if (event->asked_at == QTS_TIME_NONE)
		event->outcome = QTS_OUTCOME_NOT_PROCESSED;
	if (event->msg[0] == '\0')
		strcpy(event->msg, why);
	event->done_us = query->broker->mono;
	query_end(query);
}

/* Pages of the same account in flight. */
static int
query_of_account(const QtsBroker *broker, const char *account)
{
	int n = 0;

	for (const KisQuery *query = broker->queries; query; query = query->next)
		n += query->http && strcmp(query->account, account) == 0;
	return n;
}

/* Microseconds until its next page may leave; 0 = now. */
static int64_t
query_wait(const KisQuery *query, int in_flight)
{
	const QtsBroker *broker = query->broker;
	QtsRateClass klass = query_class(query);
	int64_t left = query->not_before - broker->mono;

	if (left > 0)
		return left;
	left = kis_rate_wait(broker, klass, broker->mono);
	if (left > 0)
		return left;
	if (kis_breaker_slots(broker, klass, broker->mono) <= 0)
		return query_breaker_pause(broker, klass);
	/* an answer makes room, and wakes us */
	if (in_flight >= KIS_MAX_PAGES_IN_FLIGHT ||
		query_of_account(broker, query->account) >= KIS_MAX_PAGES_OF_ACCOUNT)
		return QUERY_WAIT_MS * QTS_MS;
	return 0;
}

/* Start what may start of one class; returns ms until the next could. */
static long
query_start(QtsBroker *broker, QtsRateClass klass, int *in_flight)
{
	long wait = -1;
	KisQuery *next;

	for (KisQuery *query = broker->queries; query; query = next)
	{
		int64_t left;

		next = query->next;
		if (query->http || query_class(query) != klass)
			continue;
		left = query_wait(query, *in_flight);
		if (left <= 0)
		{
			if (!query_send(query))
			{
				query->event->outcome = QTS_OUTCOME_REJECTED;
				query_end(query);
				continue;
			}
			if (query->http)
			{
				(*in_flight)++;
				continue;
			}
			left = QUERY_WAIT_MS * QTS_MS;
		}
		if (wait < 0 || left / QTS_MS + 1 < wait)
			wait = left / QTS_MS + 1;
	}
	return wait;
}

long
kis_query_drive(QtsBroker *broker)
{
	int in_flight = 0;
	long ledger_wait;
	long balance_wait;
	KisQuery *next;

	for (KisQuery *query = broker->queries; query; query = next)
	{
		next = query->next;
		if (query->deadline == 0)
			query->deadline = broker->mono + QUERY_LIFE;
		if (broker->mono >= query->deadline || broker->state == QTS_SESSION_REFUSED)
			query_expire(query, broker->why[0] ? broker->why : "not answered in time");
		else
			in_flight += query->http != NULL;
	}
	if (!broker->queries)
		return -1;
	if (broker->state != QTS_SESSION_READY)
		return QUERY_WAIT_MS;
	ledger_wait = query_start(broker, QTS_RATE_LEDGER, &in_flight);
	balance_wait = query_start(broker, QTS_RATE_BALANCE, &in_flight);
	if (ledger_wait < 0 || (balance_wait >= 0 && balance_wait < ledger_wait))
		return balance_wait;
	return ledger_wait;
}

void
kis_query_close(QtsBroker *broker)
{
	while (broker->queries)
	{
		KisQuery *query = broker->queries;

		if (query->http)
			qts_http_cancel(query->http);
		query_end(query);
	}
}
