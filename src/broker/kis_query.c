/*-------------------------------------------------------------------------
 *
 * kis_query.c
 *		Order lists and balances: queued, paged, retried, one event each.
 *
 * Queries never hold up an order: they leave only when the limiter has room
 * for their class, ledgers before balances.  A list that cannot be finished
 * by its deadline is reported with what it has and complete = false.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "broker/kis_session.h"
#include "core/session.h"
#include "net/net.h"

#define QUERY_LIFE (60 * QTS_SEC)
#define QUERY_MAX_ATTEMPTS 6 /* of one page */
#define QUERY_MAX_PAGES 400
#define QUERY_BACKOFF_MIN (250 * QTS_MS)
#define QUERY_BACKOFF_MAX (5 * QTS_SEC)
#define QUERY_LEDGER_PAUSE QTS_SEC
#define QUERY_WAIT_MS 20 /* for a token or a free request */

bool
kis_query_add(QtsBroker *broker, bool balance, uint64_t tag, const char *account, QtsDate date)
{
	KisQuery *query;
	KisQuery **link = &broker->queries;
	KisEventNode *node;

	if (broker->query_count >= KIS_MAX_QUERIES)
		return false;
	query = calloc(1, sizeof(KisQuery));
	node = kis_event_new(balance ? QTS_EVENT_BALANCE : QTS_EVENT_LEDGER, tag, account);
	if (!query || !node)
	{
		free(query);
		free(node);
		return false;
	}
	query->broker = broker;
	query->balance = balance;
	query->tag = tag;
	memcpy(query->account, node->event.account, sizeof(query->account));
	query->date = date;
	query->event = &node->event;
	while (*link)
		link = &(*link)->next;
	*link = query;
	broker->query_count++;
	return true;
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
	if (query->balance)
		return qts_kis_parse_balance(answer->status, answer->body, answer->body_len, more, &event->balance,
									 &query->page);
	return qts_kis_parse_ledger(query->broker->id.environment, answer->status, answer->body, answer->body_len,
								more, &event->ledger, &query->page);
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
	kis_event_verdict(broker, event, &v, answer);
	if (first_sent != 0)
		event->sent_us = first_sent;
	kis_follow(broker, &v, query->token_age);
	if (v.outcome == QTS_OUTCOME_NOT_PROCESSED || v.outcome == QTS_OUTCOME_UNKNOWN)
		query_retry(query, v.follow);
	else if (v.outcome != QTS_OUTCOME_OK || event->ledger.complete || event->balance.complete)
		query_end(query);
	else if (++query->pages >= QUERY_MAX_PAGES)
	{
		event->outcome = QTS_OUTCOME_UNKNOWN;
		query_end(query);
	}
	else
	{
		query->attempts = 0;
		query->not_before = 0;
	}
}

static bool
query_send(KisQuery *query)
{
	QtsBroker *broker = query->broker;
	QtsKisRequest request;
	bool ok;

	if (query->balance)
		ok = qts_kis_build_balance(&request, broker->id.environment, query->account, &query->page);
	else
		ok = qts_kis_build_ledger(&request, broker->id.environment, query->account, query->date,
								  qts_seoul_date(broker->now), &query->page);
	if (!ok)
		return false;
	query->token_age = broker->token.age;
	if (query->event->asked_at == QTS_TIME_NONE)
		query->event->asked_at = broker->now;
	if (query->event->sent_us == 0)
		query->event->sent_us = broker->mono;
	query->http = kis_send(broker, &request, false, query->pages > 0, query_done, query);
	if (query->http)
		qts_rate_take(&broker->limiter, broker->mono);
	return true;
}

static void
query_expire(KisQuery *query, const char *why)
{
	QtsBrokerEvent *event = query->event;

	if (query->http)
		qts_http_cancel(query->http);
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

/* Start what may start of one class; returns ms until the next could. */
static long
query_start(QtsBroker *broker, bool balance, int *in_flight)
{
	QtsRateClass klass = balance ? QTS_RATE_BALANCE : QTS_RATE_LEDGER;
	long wait = -1;
	KisQuery *next;

	for (KisQuery *query = broker->queries; query; query = next)
	{
		int64_t left = query->not_before - broker->mono;

		next = query->next;
		if (query->balance != balance || query->http)
			continue;
		if (left <= 0)
			left = qts_rate_wait(&broker->limiter, klass, broker->mono);
		if (left <= 0 && *in_flight >= KIS_MAX_PAGES_IN_FLIGHT)
			left = QUERY_WAIT_MS * QTS_MS;
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
	ledger_wait = query_start(broker, false, &in_flight);
	balance_wait = query_start(broker, true, &in_flight);
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
