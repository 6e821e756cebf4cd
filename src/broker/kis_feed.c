/*-------------------------------------------------------------------------
 *
 * kis_feed.c
 *		The one WebSocket of an app key: approval, connection, back-off, life.
 *
 * Nothing is replayed after a gap, so a connection that comes up counts a new
 * epoch as soon as notices are subscribed, and whoever sees it reconciles.
 * The approval key is checked by the broker only when a session opens: it is
 * kept in memory for most of its day.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/kis_feed_int.h"
#include "net/net.h"

#define FEED_BACKOFF_MIN QTS_SEC
#define FEED_BACKOFF_MAX (30 * QTS_SEC)
#define FEED_OPENING (10 * QTS_SEC) /* connect and have notices confirmed */
#define FEED_IDLE (60 * QTS_SEC)
#define FEED_SETTLED (5 * QTS_SEC) /* up for longer: the next try is immediate */
#define FEED_APPROVAL_LIFE (23 * QTS_HOUR)

void
kis_feed_say(QtsFeed *feed, const char *why)
{
	snprintf(feed->why, sizeof(feed->why), "%s", why);
	kis_scrub(&feed->id, feed->approval, feed->why);
}

/* Back to waiting; ws is gone or must be gone already. */
static void
feed_down(QtsFeed *feed, int64_t mono)
{
	bool settled = feed->state == QTS_FEED_UP && mono - feed->up_since >= FEED_SETTLED;

	feed->counters.drops += feed->state == QTS_FEED_UP;
	feed->state = QTS_FEED_DOWN;
	feed->phase = FEED_WAITING;
	feed->drop = NULL;
	feed->paused = false;
	feed->cipher.keyed = false;
	feed->sealed = 0;
	kis_feed_drop_held(feed);
	kis_feed_subs_reset(feed);
	if (settled)
		feed->failures = 0;
	feed->next_try = settled ? mono
							 : mono + qts_backoff(feed->failures, FEED_BACKOFF_MIN, FEED_BACKOFF_MAX,
												  kis_random(&feed->id));
	feed->failures++;
}

void
kis_feed_up(QtsFeed *feed, int64_t mono)
{
	if (feed->state == QTS_FEED_UP)
		return;
	feed->state = QTS_FEED_UP;
	feed->up_since = mono;
	feed->epoch++;
	feed->counters.connects++;
	feed->why[0] = '\0';
}

static void
feed_on_up(void *arg)
{
	QtsFeed *feed = arg;
	int64_t mono = qts_mono_us();

	feed->phase = FEED_OPEN;
	feed->since = feed->last_frame = mono;
	kis_feed_subs_reset(feed);
	if (feed->hts_id[0] == '\0')
		kis_feed_up(feed, mono);
	(void) kis_feed_pump(feed, mono);
}

static bool
feed_on_message(void *arg, const char *data, size_t len, int64_t mono)
{
	QtsFeed *feed = arg;
	QtsKisControl control;

	feed->last_frame = mono;
	feed->counters.frames++;
	if (len > 0 && (data[0] == '0' || data[0] == '1'))
	{
		kis_feed_data(feed, data, len, mono);
		return true;
	}
	qts_kis_control_parse(data, len, &control);
	switch (control.kind)
	{
		case QTS_KIS_CONTROL_PINGPONG:
			(void) qts_ws_send(feed->ws, data, len);
			break;
		case QTS_KIS_CONTROL_JUNK:
			feed->counters.malformed++;
			break;
		case QTS_KIS_CONTROL_ACK:
		case QTS_KIS_CONTROL_ERROR:
			kis_feed_control(feed, &control, mono);
			(void) kis_feed_pump(feed, mono);
			break;
	}
	explicit_bzero(&control, sizeof(control));
	return feed->drop == NULL;
}

static void
feed_on_down(void *arg, bool was_up, bool clean, const char *why)
{
	QtsFeed *feed = arg;

	(void) was_up;
	(void) clean;
	feed->ws = NULL;
	if (!feed->drop)
		kis_feed_say(feed, why);
	feed_down(feed, qts_mono_us());
}

static void
feed_connect(QtsFeed *feed, int64_t mono)
{
	static const QtsWsHandlers handlers = {feed_on_up, feed_on_message, feed_on_down};
	const char *why;

	feed->phase = FEED_CONNECTING;
	feed->state = QTS_FEED_CONNECTING;
	feed->since = mono;
	feed->ws = qts_ws_connect(feed->ws_url, feed->plain_allowed, &handlers, feed, &why);
	if (!feed->ws)
	{
		kis_feed_say(feed, why);
		feed_down(feed, mono);
	}
}

static void
feed_approved(void *arg, const QtsHttpAnswer *answer)
{
	QtsFeed *feed = arg;
	int64_t mono = qts_mono_us();
	char why[KIS_WHY_LEN + 1];
	QtsKisVerdict v;

	feed->http = NULL;
	v = answer->fate == QTS_HTTP_ANSWERED
			? qts_kis_parse_approval(answer->status, answer->body, answer->body_len, feed->approval)
			: kis_no_answer(answer);
	if (v.outcome == QTS_OUTCOME_OK)
	{
		feed->approval_until = mono + FEED_APPROVAL_LIFE;
		feed_connect(feed, mono);
		return;
	}
	snprintf(why, sizeof(why), "no approval key: %s %.180s", v.msg_cd, v.msg);
	kis_feed_say(feed, why);
	feed_down(feed, mono);
	/* a wrong key does not get better, and asking on gets it blocked */
	feed->unusable = v.outcome == QTS_OUTCOME_FATAL;
}

static void
feed_start(QtsFeed *feed, int64_t mono)
{
	QtsKisRequest request;

	if (feed->approval[0] != '\0' && mono < feed->approval_until)
	{
		feed_connect(feed, mono);
		return;
	}
	feed->phase = FEED_ASKING;
	feed->state = QTS_FEED_CONNECTING;
	feed->since = mono;
	if (!qts_kis_build_approval(&request, feed->id.app_key, feed->id.app_secret) ||
		!(feed->http = kis_send_oauth(&feed->id, &request, feed_approved, feed)))
	{
		kis_feed_say(feed, "no approval key: the request could not be made");
		feed_down(feed, mono);
	}
}

static void
feed_watch(QtsFeed *feed, int64_t mono)
{
	if (feed->phase == FEED_OPEN && !feed->drop)
	{
		if (feed->state != QTS_FEED_UP && mono - feed->since > FEED_OPENING)
			feed->drop = "the broker did not confirm the notices";
		else if (!feed->paused && mono - feed->last_frame > FEED_IDLE)
			feed->drop = "nothing received for too long";
	}
	else if (feed->phase == FEED_CONNECTING && mono - feed->since > FEED_OPENING)
		feed->drop = "the connection was not made in time";
	if (!feed->drop || !feed->ws)
		return;
	kis_feed_say(feed, feed->drop);
	qts_ws_close(feed->ws);
	feed->ws = NULL;
	feed_down(feed, mono);
}

long
qts_kis_feed_drive(QtsFeed *feed, int64_t mono, QtsTime now)
{
	long wait;
	int64_t rest;

	feed->clock_offset = now - mono;
	if (feed->unusable)
		return -1;
	feed_watch(feed, mono);
	if (feed->phase == FEED_WAITING && mono >= feed->next_try)
		feed_start(feed, mono);
	switch (feed->phase)
	{
		case FEED_WAITING:
			rest = (feed->next_try - mono) / QTS_MS + 1;
			return rest < 1 ? 1 : (long) rest;
		case FEED_ASKING:
			return -1; /* bounded by the request's own timeout */
		case FEED_CONNECTING:
			return 1000;
		case FEED_OPEN:
			break;
	}
	wait = kis_feed_pump(feed, mono);
	return wait >= 0 && wait < 1000 ? wait : 1000;
}

/* Append one registration unless it is there or no symbol; false when there is no room. */
static bool
feed_want_one(QtsFeed *feed, const QtsFeedWant *want, bool book)
{
	FeedKey *key = &feed->wanted[feed->wanted_count];

	if (memchr(want->symbol, '\0', sizeof(want->symbol)) == NULL || want->symbol[0] == '\0')
		return true;
	for (int i = 0; i < feed->wanted_count; i++)
	{
		if (feed->wanted[i].book == book && strcmp(feed->wanted[i].symbol, want->symbol) == 0)
			return true;
	}
	if (feed->wanted_count >= kis_feed_capacity(feed))
		return false;
	strcpy(key->symbol, want->symbol);
	key->book = book;
	feed->wanted_count++;
	return true;
}

int
qts_kis_feed_want(QtsFeed *feed, const QtsFeedWant *wanted, int count, int *books)
{
	int trades;

	feed->wanted_count = 0;
	for (int i = 0; i < count; i++)
	{
		if (wanted[i].trades && !feed_want_one(feed, &wanted[i], false))
			break;
	}
	trades = feed->wanted_count;
	for (int i = 0; i < count; i++)
	{
		if (wanted[i].book && !feed_want_one(feed, &wanted[i], true))
			break;
	}
	if (books)
		*books = feed->wanted_count - trades;
	(void) kis_feed_pump(feed, qts_mono_us());
	return trades;
}

/* host of scheme://host:port/..., to choose pacing. */
static bool
feed_is_loopback(const char *url)
{
	const char *host = strstr(url, "://");

	host = host ? host + 3 : url;
	return strncmp(host, "127.", 4) == 0 || strncmp(host, "localhost", 9) == 0 ||
		   strncmp(host, "[::1]", 5) == 0;
}

QtsFeed *
qts_kis_feed_open(const QtsBrokerConfig *config)
{
	QtsFeed *feed = calloc(1, sizeof(QtsFeed));
	const char *url =
		config->ws_url && config->ws_url[0] ? config->ws_url : qts_kis_ws_host(config->environment);
	const char *path;

	if (!feed || !kis_feed_data_open(feed))
	{
		qts_kis_feed_close(feed);
		return NULL;
	}
	if (!kis_identity_set(&feed->id, config) || !url || strlen(url) > KIS_URL_LEN ||
		(config->hts_id && strlen(config->hts_id) >= sizeof(feed->hts_id)))
	{
		feed->unusable = true;
		kis_feed_say(feed, "app key, secret, HTS id or address is missing or not usable");
		return feed;
	}
	path = strstr(url, "://") ? strchr(strstr(url, "://") + 3, '/') : NULL;
	snprintf(feed->ws_url, sizeof(feed->ws_url), "%.*s%s",
			 path && path[1] == '\0' ? (int) (path - url) : KIS_URL_LEN, url,
			 path && path[1] ? "" : QTS_KIS_WS_PATH);
	if (config->hts_id)
		strcpy(feed->hts_id, config->hts_id);
	feed->plain_allowed = qts_kis_ws_is_broker(feed->ws_url);
	feed->paced = !feed_is_loopback(feed->ws_url);
	kis_feed_say(feed, "not connected yet");
	return feed;
}

void
qts_kis_feed_close(QtsFeed *feed)
{
	if (!feed)
		return;
	if (feed->http)
		qts_http_cancel(feed->http);
	if (feed->ws)
		qts_ws_close(feed->ws);
	kis_feed_data_close(feed);
	kis_identity_wipe(&feed->id);
	explicit_bzero(feed->approval, sizeof(feed->approval));
	free(feed);
}

QtsFeedState
qts_kis_feed_state(const QtsFeed *feed, uint64_t *epoch, char *why, size_t why_size)
{
	if (epoch)
		*epoch = feed->epoch;
	if (why && why_size > 0)
		snprintf(why, why_size, "%s", feed->why);
	return feed->state;
}

QtsFeedCounters
qts_kis_feed_counters(const QtsFeed *feed)
{
	return feed->counters;
}
