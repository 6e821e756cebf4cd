/*-------------------------------------------------------------------------
 *
 * broker_fixture.h
 *		A session, a feed and the simulated broker, for the tests that need them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_TEST_BROKER_FIXTURE_H
#define QTS_TEST_BROKER_FIXTURE_H

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "broker/feed.h"
#include "core/session.h"
#include "net/net.h"
#include "sim_client.h"
#include "tap.h"

#define ACCOUNT "12345678-01"
#define ACCOUNT_2 "12345678-02"
#define WAIT_US INT64_C(15000000)
#define KEY "APPKEY-0123456789-0123456789-01234567"
#define SECRET "SECRETSECRETSECRETSECRET"

static const char config_text[] =
	"{\"apps\":[{\"app_key\":\"" KEY "\",\"app_secret\":\"" SECRET "\",\"hts_id\":\"user1\","
	"\"accounts\":[\"" ACCOUNT "\",\"" ACCOUNT_2 "\"]}],"
	"\"accounts\":[{\"account\":\"" ACCOUNT "\",\"cash\":100000000,\"holdings\":[{\"symbol\":\"005930\","
	"\"name\":\"Samsung\",\"qty\":100000,\"avg_price\":\"70000\"}]},"
	"{\"account\":\"" ACCOUNT_2 "\",\"cash\":100000000}],"
	"\"symbols\":[{\"symbol\":\"005930\",\"name\":\"Samsung\",\"market\":\"KOSPI\",\"base\":70000,"
	"\"price\":70000},{\"symbol\":\"000660\",\"name\":\"Hynix\",\"market\":\"KOSPI\",\"base\":200000,"
	"\"price\":200000}],"
	"\"options\":{\"rate_per_second\":0,\"page_ledger\":2,\"token_interval_s\":0}}";

static Sim sim;
static const QtsBrokerOps *ops = &qts_kis_broker;
static QtsBroker *broker;
static QtsFeed *feed;
static char rest_url[64];
static char ws_url[64];
static char token_file[64];
static QtsTick tick; /* the last one */
static int tick_count;
static QtsNotice notices[256];
static int notice_count;
static bool notices_left; /* nobody takes them: the ring fills */

static inline QtsTime
wall(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ((int64_t) ts.tv_sec - 946684800) * QTS_SEC + ts.tv_nsec / 1000;
}

static inline QtsBrokerConfig
config(const char *secret)
{
	QtsBrokerConfig c = {.credentials = "test",
						 .environment = QTS_ENV_SIM,
						 .rest_url = rest_url,
						 .ws_url = ws_url,
						 .app_key = KEY,
						 .app_secret = secret,
						 .hts_id = "user1",
						 .token_file = token_file,
						 .tuning = {.timeout_ms = 2000, .breaker = {.threshold = 5, .open = 30 * QTS_SEC}}};

	return c;
}

/* One turn of a worker: wait on the one descriptor, drain, drive, gather. */
static inline void
turn(void)
{
	struct pollfd p = {.fd = qts_net_fd(), .events = POLLIN};
	int64_t mono = qts_mono_us();
	long a = broker ? ops->drive(broker, mono, wall()) : -1;
	long b = feed ? qts_kis_feed_drive(feed, mono, wall()) : -1;
	long c = qts_net_timeout_ms();
	long ms = 100;

	ms = a >= 0 && a < ms ? a : ms;
	ms = b >= 0 && b < ms ? b : ms;
	ms = c >= 0 && c < ms ? c : ms;
	(void) poll(&p, 1, (int) ms);
	qts_net_drain();
	while (feed && qts_kis_feed_ticks(feed, &tick, 1) == 1)
		tick_count++;
	if (feed && !notices_left && notice_count < 200)
		notice_count += qts_kis_feed_notices(feed, notices + notice_count, 50);
}

static inline QtsBrokerEvent *
next_event(QtsBrokerEventKind kind)
{
	int64_t until = qts_mono_us() + WAIT_US;

	for (;;)
	{
		QtsBrokerEvent *event;

		while ((event = ops->next_event(broker)) != NULL)
		{
			if (event->kind == kind)
				return event;
			ops->event_free(event);
		}
		if (qts_mono_us() > until)
			return NULL;
		turn();
	}
}

/* Pages of one ledger until its last event, which is returned; each must be the next one. */
static inline QtsBrokerEvent *
next_ledger(uint64_t tag, int *pages, int *rows)
{
	QtsBrokerEvent *event;

	*pages = *rows = 0;
	for (; (event = next_event(QTS_EVENT_LEDGER)) != NULL; ops->event_free(event))
	{
		if (event->tag != tag)
			continue;
		if (event->ledger.page != *pages)
			tap_is(event->ledger.page, *pages, "page after page");
		*rows += event->ledger.count;
		*pages += event->outcome == QTS_OUTCOME_OK;
		if (event->outcome != QTS_OUTCOME_OK || event->ledger.complete)
			break;
	}
	return event;
}

static inline bool
wait_ready(void)
{
	int64_t until = qts_mono_us() + WAIT_US;

	while (ops->state(broker, NULL, 0) != QTS_SESSION_READY && qts_mono_us() < until)
		turn();
	return ops->state(broker, NULL, 0) == QTS_SESSION_READY;
}

static inline bool
wait_feed(uint64_t epoch)
{
	int64_t until = qts_mono_us() + WAIT_US;
	uint64_t now = 0;

	while ((qts_kis_feed_state(feed, &now, NULL, 0) != QTS_FEED_UP || now < epoch) && qts_mono_us() < until)
		turn();
	return qts_kis_feed_state(feed, &now, NULL, 0) == QTS_FEED_UP && now == epoch;
}

static inline const QtsNotice *
wait_notice(QtsNoticeKind kind, const char *odno)
{
	int64_t until = qts_mono_us() + WAIT_US;

	for (;;)
	{
		for (int i = 0; i < notice_count; i++)
		{
			if (notices[i].kind == kind &&
				(strcmp(notices[i].odno, odno) == 0 || strcmp(notices[i].orgn_odno, odno) == 0))
				return &notices[i];
		}
		if (qts_mono_us() > until)
			return NULL;
		turn();
	}
}

static inline bool
send_order(uint64_t tag, bool sell, QtsQty qty, QtsKrw price)
{
	QtsOrderRequest r = {.account = ACCOUNT,
						 .symbol = "005930",
						 .sell = sell,
						 .market = price == 0,
						 .qty = qty,
						 .price = price};

	return ops->order(broker, tag, &r, qts_mono_us());
}

/* Send one order and return its outcome; the event's other values in *out. */
static inline QtsOutcome
order_outcome(uint64_t tag, QtsBrokerEvent *out)
{
	QtsBrokerEvent *event;
	QtsOutcome outcome = QTS_OUTCOME_FATAL;

	if (!send_order(tag, true, 1, 0) || !(event = next_event(QTS_EVENT_ORDER)))
		return outcome;
	outcome = event->tag == tag ? event->outcome : QTS_OUTCOME_FATAL;
	if (out)
		*out = *event;
	ops->event_free(event);
	return outcome;
}

#endif /* QTS_TEST_BROKER_FIXTURE_H */
