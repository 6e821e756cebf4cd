/*-------------------------------------------------------------------------
 *
 * kis_session.c
 *		What the pieces of a KIS session share: identity, sending, events.
 *
 * Secrets live in KisIdentity and in the prepared header lines only.  No text
 * that leaves the session contains them: messages of the broker are checked.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "broker/kis_session.h"
#include "net/net.h"

#define KIS_MIN_TIMEOUT_MS 500
#define KIS_MAX_TIMEOUT_MS 60000
#define KIS_RATE_PAUSE_LIVE (200 * QTS_MS)
#define KIS_RATE_PAUSE_PAPER (1000 * QTS_MS)

static bool
session_copy(char *out, size_t size, const char *s)
{
	size_t len = s ? strlen(s) : 0;

	if (len >= size)
		return false;
	memcpy(out, s ? s : "", len);
	out[len] = '\0';
	return true;
}

/* A header value with a line break would be a header of its own. */
static bool
session_printable(const char *s)
{
	for (; *s; s++)
	{
		if ((unsigned char) *s < 0x20 || (unsigned char) *s > 0x7E)
			return false;
	}
	return true;
}

void
kis_identity_timeout(KisIdentity *id, int timeout_ms)
{
	id->timeout_ms = timeout_ms;
	if (id->timeout_ms < KIS_MIN_TIMEOUT_MS)
		id->timeout_ms = KIS_MIN_TIMEOUT_MS;
	if (id->timeout_ms > KIS_MAX_TIMEOUT_MS)
		id->timeout_ms = KIS_MAX_TIMEOUT_MS;
}

bool
kis_identity_set(KisIdentity *id, const QtsBrokerConfig *config)
{
	const char *url =
		config->rest_url && config->rest_url[0] ? config->rest_url : qts_kis_rest_host(config->environment);
	size_t len;

	id->environment = config->environment;
	kis_identity_timeout(id, config->tuning.timeout_ms);
	if (getrandom(&id->random, sizeof(id->random), GRND_NONBLOCK) != sizeof(id->random))
		id->random = (uint32_t) qts_mono_us();
	id->random |= 1;
	if (!session_copy(id->rest_url, sizeof(id->rest_url), url) ||
		!session_copy(id->app_key, sizeof(id->app_key), config->app_key) ||
		!session_copy(id->app_secret, sizeof(id->app_secret), config->app_secret) ||
		!session_printable(id->app_key) || !session_printable(id->app_secret))
		return false;
	len = strlen(id->rest_url);
	while (len > 0 && id->rest_url[len - 1] == '/')
		id->rest_url[--len] = '\0';
	return len > 0 && id->app_key[0] != '\0' && id->app_secret[0] != '\0';
}

void
kis_identity_wipe(KisIdentity *id)
{
	explicit_bzero(id, sizeof(*id));
}

uint32_t
kis_random(KisIdentity *id)
{
	id->random ^= id->random << 13;
	id->random ^= id->random >> 17;
	id->random ^= id->random << 5;
	return id->random;
}

void
kis_scrub(const KisIdentity *id, const char *extra, char *text)
{
	if ((id->app_key[0] && strstr(text, id->app_key)) ||
		(id->app_secret[0] && strstr(text, id->app_secret)) || (extra && extra[0] && strstr(text, extra)))
		strcpy(text, "(withheld)");
}

QtsHttp *
kis_send_oauth(const KisIdentity *id, QtsKisRequest *request, QtsHttpDone done, void *arg)
{
	QtsHttpRequest http = {
		.headers = {"content-type: application/json; charset=utf-8"},
		.body = request->body,
		.body_len = request->body_len,
		.once = true, /* every issue of a token is limited and announced */
		.connect_ms = KIS_CONNECT_MS,
		.timeout_ms = id->timeout_ms,
	};
	char url[KIS_URL_LEN + 64];
	QtsHttp *sent;

	snprintf(url, sizeof(url), "%s%.60s", id->rest_url, request->path);
	http.url = url;
	sent = qts_http_send(&http, done, arg);
	explicit_bzero(request, sizeof(*request));
	return sent;
}

QtsHttp *
kis_send(QtsBroker *broker, const QtsKisRequest *request, bool once, bool next_page, QtsHttpDone done,
		 void *arg)
{
	char url[KIS_URL_LEN + QTS_KIS_PATH_SIZE];
	char tr_line[32];
	QtsHttpRequest http = {
		.url = url,
		.headers = {"content-type: application/json; charset=utf-8", broker->token.bearer, broker->key_line,
					broker->secret_line, tr_line, "custtype: P", next_page ? "tr_cont: N" : NULL},
		.body = request->body_len ? request->body : NULL,
		.body_len = request->body_len,
		.once = once,
		.connect_ms = KIS_CONNECT_MS,
		.timeout_ms = broker->id.timeout_ms,
		.keep_header = "tr_cont",
	};

	snprintf(url, sizeof(url), "%s%s", broker->id.rest_url, request->path);
	snprintf(tr_line, sizeof(tr_line), "tr_id: %s", request->tr_id);
	return qts_http_send(&http, done, arg);
}

KisEventNode *
kis_event_new(QtsBrokerEventKind kind, uint64_t tag, const char *account)
{
	KisEventNode *node = calloc(1, sizeof(KisEventNode));

	if (!node)
		return NULL;
	node->event.kind = kind;
	node->event.tag = tag;
	node->event.outcome = QTS_OUTCOME_UNKNOWN;
	node->event.asked_at = QTS_TIME_NONE;
	snprintf(node->event.account, sizeof(node->event.account), "%s", account);
	return node;
}

void
kis_event_push(QtsBroker *broker, KisEventNode *node)
{
	if (!node)
		return;
	node->next = NULL;
	if (broker->last)
		broker->last->next = node;
	else
		broker->first = node;
	broker->last = node;
}

void
kis_event_verdict(QtsBroker *broker, QtsBrokerEvent *event, const QtsKisVerdict *verdict,
				  const QtsHttpAnswer *answer)
{
	event->outcome = verdict->outcome;
	event->for_now = verdict->follow == QTS_KIS_FOLLOW_RATE;
	memcpy(event->msg_cd, verdict->msg_cd, sizeof(event->msg_cd));
	memcpy(event->msg, verdict->msg, sizeof(event->msg));
	kis_scrub(&broker->id, NULL, event->msg);
	if (!answer)
		return;
	event->http_status = answer->status;
	event->sent_us = answer->sent_us;
	event->done_us = answer->done_us;
}

QtsKisVerdict
kis_no_answer(const QtsHttpAnswer *answer)
{
	QtsKisVerdict verdict = {0};

	verdict.outcome = answer->fate == QTS_HTTP_NEVER_SENT ? QTS_OUTCOME_NOT_PROCESSED : QTS_OUTCOME_UNKNOWN;
	snprintf(verdict.msg, sizeof(verdict.msg), "%s", answer->error);
	return verdict;
}

/* Tell the caller once per change. */
void
kis_set_state(QtsBroker *broker, QtsSessionState state, const char *why)
{
	bool changed = broker->state != state;
	KisEventNode *node;

	broker->state = state;
	snprintf(broker->why, sizeof(broker->why), "%s", why);
	kis_scrub(&broker->id, NULL, broker->why);
	if (!changed || !(node = kis_event_new(QTS_EVENT_STATE, 0, "")))
		return;
	node->event.outcome = state == QTS_SESSION_READY	 ? QTS_OUTCOME_OK
						  : state == QTS_SESSION_REFUSED ? QTS_OUTCOME_FATAL
														 : QTS_OUTCOME_NOT_PROCESSED;
	snprintf(node->event.msg, sizeof(node->event.msg), "%.*s", QTS_MSG_LEN, broker->why);
	kis_event_push(broker, node);
}

void
kis_follow(QtsBroker *broker, const QtsKisVerdict *verdict, unsigned token_age)
{
	int64_t mono = qts_mono_us();
	int64_t pause;

	switch (verdict->follow)
	{
		case QTS_KIS_FOLLOW_RATE:
			pause = broker->id.environment == QTS_ENV_PAPER ? KIS_RATE_PAUSE_PAPER : KIS_RATE_PAUSE_LIVE;
			pause += kis_random(&broker->id) % (pause / 4);
			kis_rate_refused(broker, mono, pause);
			break;
		case QTS_KIS_FOLLOW_TOKEN:
			kis_token_lost(broker, token_age);
			break;
		case QTS_KIS_FOLLOW_KEY:
			kis_set_state(broker, QTS_SESSION_REFUSED, verdict->msg_cd);
			break;
		case QTS_KIS_FOLLOW_LEDGER_RATE: /* the pool of the house, not ours: the query waits */
		case QTS_KIS_FOLLOW_TOKEN_WAIT:
		case QTS_KIS_FOLLOW_NONE:
			break;
	}
}
