/*-------------------------------------------------------------------------
 *
 * broker_test.c
 *		Session and feed against the simulated broker, faults included.
 *
 * The simulator's request log, not the session, says what was sent.
 *
 *-------------------------------------------------------------------------
 */
#include <sys/stat.h>

#include "broker_fixture.h"

static int
order_connections(void)
{
	json_t *answer = sim_ask(&sim, "GET", "/requests?since=0&path=order-cash", "");
	json_t *list = json_object_get(answer, "requests");
	json_int_t seen[64];
	int n = 0;
	size_t i;
	json_t *row;

	json_array_foreach(list, i, row)
	{
		json_int_t conn = json_integer_value(json_object_get(row, "conn"));
		bool known = false;

		for (int j = 0; j < n; j++)
			known = known || seen[j] == conn;
		if (!known && n < 64)
			seen[n++] = conn;
	}
	json_decref(answer);
	return n;
}

static void
test_token(void)
{
	QtsBrokerConfig c = config(SECRET);
	QtsBroker *first;
	struct stat st;
	QtsBrokerEvent *event = NULL;

	broker = ops->open(&c);
	ok(ops->state(broker, NULL, 0) == QTS_SESSION_NO_TOKEN, "no token at first");
	ok(send_order(1, true, 1, 0) && (event = next_event(QTS_EVENT_ORDER)) != NULL &&
		   event->outcome == QTS_OUTCOME_NOT_PROCESSED,
	   "an order without a token is not processed");
	ops->event_free(event);
	tap_is(ops->slots(broker, QTS_RATE_ORDER, qts_mono_us()), 0, "no slots");
	ok(wait_ready(), "ready");
	event = next_event(QTS_EVENT_STATE);
	ok(event && event->outcome == QTS_OUTCOME_OK, "said so");
	ops->event_free(event);
	ok(stat(token_file, &st) == 0 && (st.st_mode & 0777) == 0600, "cache file is 0600");
	first = broker;
	broker = ops->open(&c);
	ok(wait_ready(), "a second session is ready");
	tap_is(sim_requests(&sim, "tokenP"), 1, "with the token of the first");
	ops->close(broker);
	broker = first;
	(void) chmod(token_file, 0644);
	first = broker;
	broker = ops->open(&c);
	ok(wait_ready() && sim_requests(&sim, "tokenP") == 2, "a file others can read is not believed");
	ok(stat(token_file, &st) == 0 && (st.st_mode & 0777) == 0600, "and is replaced");
	ops->close(broker);
	broker = first;
	tap_is(sim_requests(&sim, "order-cash"), 0, "no order was sent");
}

static void
test_orders(void)
{
	QtsBrokerEvent event;
	QtsBrokerEvent *answer;
	char odno[QTS_ODNO_LEN + 1] = "";
	const QtsNotice *notice;
	QtsCancelRequest cancel = {.account = ACCOUNT, .qty = 3};

	for (uint64_t i = 0; i < 5; i++)
	{
		if (order_outcome(10 + i, &event) == QTS_OUTCOME_OK)
			strcpy(odno, event.odno);
	}
	ok(odno[0] != '\0' && event.orgno[0] != '\0' && event.sent_us > 0 && event.done_us >= event.sent_us &&
		   event.http_status == 200,
	   "accepted: %s", event.msg_cd);
	tap_note("answer after %d us", (int) (event.done_us - event.sent_us));
	tap_is(order_connections(), 1, "five orders over one connection");
	ok(wait_notice(QTS_NOTICE_ACCEPTED, odno) != NULL, "accept notice");
	notice = wait_notice(QTS_NOTICE_FILL, odno);
	ok(notice && notice->sell && notice->qty == 1 && notice->price > 0 &&
		   strcmp(notice->account, ACCOUNT) == 0,
	   "fill notice");

	ok(send_order(20, true, 3, 80000), "resting limit order");
	answer = next_event(QTS_EVENT_ORDER);
	ok(answer && answer->outcome == QTS_OUTCOME_OK, "accepted");
	strcpy(odno, answer ? answer->odno : "");
	strcpy(cancel.odno, odno);
	strcpy(cancel.orgno, answer ? answer->orgno : "");
	ops->event_free(answer);
	ok(ops->cancel(broker, 21, &cancel, qts_mono_us()), "cancel");
	answer = next_event(QTS_EVENT_CANCEL);
	ok(answer && answer->tag == 21 && answer->outcome == QTS_OUTCOME_OK && strcmp(answer->odno, odno) != 0,
	   "cancel accepted under its own number");
	ops->event_free(answer);
	notice = wait_notice(QTS_NOTICE_CANCELLED, odno);
	ok(notice && strcmp(notice->orgn_odno, odno) == 0, "cancel notice names the order");
	(void) ops->cancel(broker, 22, &cancel, qts_mono_us());
	answer = next_event(QTS_EVENT_CANCEL);
	ok(answer && answer->outcome == QTS_OUTCOME_REJECTED && strcmp(answer->msg_cd, "APBK0927") == 0,
	   "nothing left to cancel");
	ops->event_free(answer);
}

static void
test_faults(void)
{
	static const struct
	{
		const char *mode;
		const char *params;
		QtsOutcome outcome;
	} cases[] = {
		{"accept_then_close", "", QTS_OUTCOME_UNKNOWN},
		{"accept_then_rst", "", QTS_OUTCOME_UNKNOWN},
		{"drop_before_accept", "", QTS_OUTCOME_UNKNOWN},
		{"truncated_json", "", QTS_OUTCOME_UNKNOWN},
		{"html_502", "", QTS_OUTCOME_UNKNOWN},
		{"empty_200", "", QTS_OUTCOME_UNKNOWN},
		{"gateway_error", "\"msg_cd\":\"EGW00302\"", QTS_OUTCOME_UNKNOWN},
		{"late_response", "\"ms\":5000", QTS_OUTCOME_UNKNOWN},
		{"rate_limit", "", QTS_OUTCOME_NOT_PROCESSED},
		{"rate_limit", "\"http\":200", QTS_OUTCOME_NOT_PROCESSED},
		{"reject_sync", "\"msg_cd\":\"APBK0952\"", QTS_OUTCOME_REJECTED},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		QtsBrokerEvent event = {0};
		QtsOutcome outcome;
		int before;
		int64_t until;

		/* a healthy order first: the fault then meets a warm connection */
		until = qts_mono_us() + WAIT_US;
		while (ops->slots(broker, QTS_RATE_ORDER, qts_mono_us()) == 0 && qts_mono_us() < until)
			turn();
		(void) order_outcome(100 + i, NULL);
		before = sim_requests(&sim, "order-cash");
		if (!sim_fault(&sim, cases[i].mode, 1, cases[i].params))
			continue;
		outcome = order_outcome(200 + i, &event);
		ok(outcome == cases[i].outcome, "%s %s: outcome %d %s %s", cases[i].mode, cases[i].params,
		   (int) outcome, event.msg_cd, event.msg);
		ok(sim_requests(&sim, "order-cash") == before + 1, "%s: one POST", cases[i].mode);
		if (i == 0)
			tap_is(order_connections(), 1, "over the warm connection");
	}
	tap_is(ops->in_flight(broker), 0, "nothing left in flight");
}

static void
test_lists(void)
{
	QtsBrokerEvent *event;
	QtsDate day;
	json_t *answer;
	int before = sim_requests(&sim, "inquire-daily-ccld");
	int pages;
	int rows;

	(void) qts_date_from_yyyymmdd(20261120, &day);
	ok(ops->ledger(broker, 300, ACCOUNT, day), "ledger asked");
	event = next_ledger(300, &pages, &rows);
	ok(event && event->tag == 300 && event->outcome == QTS_OUTCOME_OK && event->ledger.complete && rows > 7 &&
		   event->asked_at != QTS_TIME_NONE,
	   "complete with %d rows", rows);
	ok(pages == (rows + 1) / 2 && sim_requests(&sim, "inquire-daily-ccld") - before == pages,
	   "in pages of two, an event each");
	ops->event_free(event);
	answer = sim_ask(&sim, "POST", "/fault",
					 "{\"mode\":\"html_502\",\"times\":2,"
					 "\"match\":{\"path\":\"daily-ccld\"}}");
	ok(answer != NULL, "two bad gateways");
	json_decref(answer);
	ok(ops->ledger(broker, 301, ACCOUNT, day) && ops->balance(broker, 302, ACCOUNT), "both asked");
	event = next_event(QTS_EVENT_BALANCE);
	ok(event && event->outcome == QTS_OUTCOME_OK && event->balance.complete && event->balance.count == 1 &&
		   event->balance.rows[0].avg_price == 700000000 && event->balance.summary.deposit > 0,
	   "balance");
	ops->event_free(event);
	event = next_ledger(301, &pages, &rows);
	ok(event && event->tag == 301 && event->outcome == QTS_OUTCOME_OK && event->ledger.complete,
	   "the ledger came after its retries");
	ops->event_free(event);
	ok(!ops->ledger(broker, 303, "12345678", day), "bad account is refused");
}

static void
test_token_lost(void)
{
	int before = sim_requests(&sim, "tokenP");
	char why[256];
	QtsBrokerConfig wrong = config("not the secret");

	ok(sim_fault(&sim, "token_expired", 1, ""), "the token expires");
	ok(order_outcome(400, NULL) == QTS_OUTCOME_NOT_PROCESSED, "the order was not processed");
	ok(ops->state(broker, NULL, 0) == QTS_SESSION_NO_TOKEN && wait_ready(), "a new one comes");
	tap_is(sim_requests(&sim, "tokenP") - before, 1, "asked for once");
	ok(order_outcome(401, NULL) == QTS_OUTCOME_OK, "orders go on");

	ok(sim_fault(&sim, "egw00133", 1, "") && sim_fault(&sim, "token_expired", 1, ""), "too early");
	(void) order_outcome(402, NULL);
	before = sim_requests(&sim, "tokenP");
	for (int64_t until = qts_mono_us() + 3 * QTS_SEC; qts_mono_us() < until;)
		turn();
	(void) ops->state(broker, why, sizeof(why));
	ok(strstr(why, "EGW00133") != NULL, "why: %s", why);
	ok(sim_requests(&sim, "tokenP") - before <= 1, "no storm");
	ops->close(broker);
	wrong.token_file = NULL;
	broker = ops->open(&wrong);
	for (int64_t until = qts_mono_us() + WAIT_US;
		 ops->state(broker, why, sizeof(why)) != QTS_SESSION_REFUSED && qts_mono_us() < until;)
		turn();
	ok(ops->state(broker, why, sizeof(why)) == QTS_SESSION_REFUSED, "wrong secret: refused");
	ok(!strstr(why, "not the secret") && !strstr(why, KEY), "without naming it: %s", why);
	ops->close(broker);
	broker = NULL;
}

static void
set_price(int price)
{
	char body[128];
	json_t *answer;

	snprintf(body, sizeof(body), "{\"symbol\":\"005930\",\"price\":%d}", price);
	answer = sim_ask(&sim, "POST", "/price", body);
	json_decref(answer);
}

static bool
wait_tick(QtsKrw price)
{
	int64_t until = qts_mono_us() + WAIT_US;

	while ((tick_count == 0 || tick.price != price) && qts_mono_us() < until)
		turn();
	return tick.price == price;
}

static QtsFeedWant
wanted(const char *symbol, bool trades, bool book)
{
	QtsFeedWant w = {.trades = trades, .book = book};

	snprintf(w.symbol, sizeof(w.symbol), "%s", symbol);
	return w;
}

/* What the broker has registered: trades, books and notices. */
static bool
wait_registered(int trades, int books)
{
	int64_t until = qts_mono_us() + WAIT_US;

	for (;;)
	{
		json_t *answer = sim_ask(&sim, "GET", "/sessions", "");
		json_t *sessions = json_object_get(answer, "sessions");
		json_t *subs = json_object_get(json_array_get(sessions, 0), "subscriptions");
		int n[2] = {0, 0};

		for (size_t i = 0; i < json_array_size(subs); i++)
		{
			const char *tr = json_string_value(json_object_get(json_array_get(subs, i), "tr_id"));

			n[0] += strcmp(tr, "H0STCNT0") == 0;
			n[1] += strcmp(tr, "H0STASP0") == 0;
		}
		json_decref(answer);
		if ((n[0] == trades && n[1] == books) || qts_mono_us() > until)
			return n[0] == trades && n[1] == books;
		turn();
	}
}

static void
test_feed(void)
{
	QtsFeedWant many[50];
	QtsFeedWant one = wanted("005930", true, false);
	QtsBrokerConfig c = config(SECRET);
	QtsFeedCounters k;
	int books = -1;
	json_t *answer;

	feed = qts_kis_feed_open(&c);
	ok(wait_feed(1), "up, first epoch");
	for (int i = 0; i < 50; i++)
	{
		char code[8];

		snprintf(code, sizeof(code), "%06d", i * 10);
		many[i] = wanted(code, true, true);
	}
	tap_is(qts_kis_feed_want(feed, many, 50, &books), 40, "41 in all");
	tap_is(books, 0, "books come after all trades");
	ok(wait_registered(40, 0), "and the broker has them");
	tap_is(qts_kis_feed_want(feed, many, 25, &books), 25, "fewer trades");
	tap_is(books, 15, "leave room for books");
	ok(wait_registered(25, 15), "which leave and come, never more than 41");
	tap_is(qts_kis_feed_want(feed, &one, 1, NULL), 1, "one wanted");
	ok(wait_registered(1, 0), "the others are gone");
	set_price(71500);
	ok(wait_tick(71500), "a tick");
	ok(strcmp(tick.symbol, "005930") == 0 && tick.source == QTS_SOURCE_KIS_WS && tick.bid > 0 &&
		   tick.ask > tick.bid && tick.exch_at != QTS_TIME_NONE && tick.recv_at > 0,
	   "whole");
	answer = sim_ask(&sim, "POST", "/frame", "{\"text\":\"0|H0STCNT0|001|garbage\"}");
	json_decref(answer);
	answer = sim_ask(&sim, "POST", "/frame", "{\"text\":\"0|H0STCNI0|001|forged^notice\"}");
	json_decref(answer);
	answer = sim_ask(&sim, "POST", "/frame", "{\"text\":\"1|H0STCNI0|001|QUJDREVGR0g=\"}");
	json_decref(answer);
	set_price(71600);
	ok(wait_tick(71600), "junk does not stop the feed");
	k = qts_kis_feed_counters(feed);
	ok(k.malformed == 2 && k.undecryptable == 1 && k.connects == 1, "junk is counted");
}

static void
test_feed_books(void)
{
	QtsFeedWant both = wanted("005930", true, true);
	int64_t until = qts_mono_us() + WAIT_US;
	QtsBook book = {0};

	tap_is(qts_kis_feed_want(feed, &both, 1, NULL), 1, "trades and book");
	ok(wait_registered(1, 1), "registered");
	set_price(71700);
	while (qts_kis_feed_books(feed, &book, 1) == 0 && qts_mono_us() < until)
		turn();
	ok(strcmp(book.symbol, "005930") == 0 && book.bid[0].price == 71700 && book.ask[0].price == 71800 &&
		   book.ask[9].price > book.ask[8].price && book.exch_at != QTS_TIME_NONE && book.recv_at > 0,
	   "a book");
	tap_is((int64_t) qts_kis_feed_counters(feed).books, 1, "counted");
	ok(wait_tick(71700), "beside its tick");
}

/* A registration that is leaving may still count there for a while. */
static void
test_feed_full(void)
{
	QtsFeedWant two[2] = {wanted("005930", true, true), wanted("000660", true, false)};

	json_decref(sim_ask(&sim, "POST", "/fault",
						"{\"mode\":\"ack_error\",\"match\":{\"symbol\":\"000660\"},\"params\":{\"msg_cd\":"
						"\"OPSP0008\",\"msg1\":\"MAX SUBSCRIBE OVER\"}}"));
	tap_is(qts_kis_feed_want(feed, two, 2, NULL), 2, "one more");
	ok(wait_registered(2, 1), "refused for want of room, it is asked for again");
	tap_is(qts_kis_feed_want(feed, two, 1, NULL), 1, "no more");
	ok(wait_registered(1, 1), "gone");
}

static void
send_tick(const char *hour, int price, int acml)
{
	char body[700];

	snprintf(
		body, sizeof(body),
		"{\"text\":\"0|H0STCNT0|001|005930^%s^%d^3^0^0.00^1^1^1^1^71800^71700^5^%d^1^1^1^1^1^1^1^1^1^1^1^1^1^1"
		"^1^1^1^1^1^20261120^20^N^1^1^1^1^1^1^1^0^^1\"}",
		hour, price, acml);
	json_decref(sim_ask(&sim, "POST", "/frame", body));
}

/* What is judged elsewhere is passed on as it came; what cannot be read is not. */
static void
test_feed_order(void)
{
	QtsFeedCounters before = qts_kis_feed_counters(feed);
	QtsFeedCounters k;
	int seen = tick_count;

	send_tick("140000", 71000, 900000);
	send_tick("140000", 71000, 900000); /* the same */
	send_tick("140000", 71100, 800000); /* less traded in the same second */
	send_tick("135959", 71200, 899999); /* of an earlier one */
	send_tick("140001", 71300, 899998); /* later, although the sum fell: a correction */
	send_tick("140001", 71300, 899999);
	json_decref(sim_ask(&sim, "POST", "/frame",
						"{\"text\":\"0|H0STCNT0|003|1^2^3^4^5^6\"}")); /* three records of two fields */
	send_tick("140002", 71400, 900001);
	ok(wait_tick(71400), "all have come");
	k = qts_kis_feed_counters(feed);
	tap_is(tick_count - seen, 7, "repeated and late ones too");
	tap_is((int64_t) (k.malformed - before.malformed), 3, "three records unread");
	tap_is((int64_t) (k.ticks - before.ticks), 7, "counted");
}

static void
test_feed_gaps(void)
{
	static const char *const faults[] = {"ws_close", "ws_drop", "ws_rst"};
	char why[256];
	uint64_t epoch;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
	{
		(void) qts_kis_feed_state(feed, &epoch, NULL, 0);
		if (!sim_fault(&sim, faults[i], 1, ""))
			continue;
		ok(wait_feed(epoch + 1), "%s: up again, next epoch", faults[i]);
		tick_count = 0;
		for (int64_t until = qts_mono_us() + WAIT_US; tick_count == 0 && qts_mono_us() < until;)
		{
			set_price(72000 + (int) i * 100);
			turn();
		}
		ok(tick_count > 0, "%s: symbols subscribed again", faults[i]);
	}
	(void) qts_kis_feed_state(feed, &epoch, why, sizeof(why));
	ok(!strstr(why, SECRET) && !strstr(why, KEY), "why: \"%s\"", why);
	tap_is(sim_requests(&sim, "Approval"), 1, "one approval key for all");
	tap_is((int64_t) qts_kis_feed_counters(feed).overflow, 0, "no tick lost");
}

/* Last: the feed waits for a time that is far away. */
static void
test_watchdog(void)
{
	char why[256];

	ok(qts_kis_feed_state(feed, NULL, NULL, 0) == QTS_FEED_UP, "up before the silence");
	(void) qts_kis_feed_drive(feed, qts_mono_us() + 61 * QTS_SEC, wall());
	ok(qts_kis_feed_state(feed, NULL, why, sizeof(why)) != QTS_FEED_UP &&
		   strstr(why, "nothing received") != NULL,
	   "fault 15: nothing received for too long: %s", why);
}

static void
test_burst(void)
{
	int okay = 0;
	QtsBrokerConfig c = config(SECRET);

	broker = ops->open(&c);
	(void) unlink(token_file);
	ok(wait_ready(), "ready again");
	notice_count = 0;
	for (uint64_t i = 0; i < 40; i++)
		(void) send_order(500 + i, true, 1, 0);
	tap_is(ops->in_flight(broker), 40, "forty orders in flight");
	for (int i = 0; i < 40; i++)
	{
		QtsBrokerEvent *event = next_event(QTS_EVENT_ORDER);

		okay += event && event->outcome == QTS_OUTCOME_OK;
		ops->event_free(event);
	}
	tap_is(okay, 40, "all accepted");
	for (int64_t until = qts_mono_us() + WAIT_US; notice_count < 80 && qts_mono_us() < until;)
		turn();
	tap_is(notice_count, 80, "two notices each");
}

/* More notices than the ring holds, taken only afterwards. */
static void
test_notices_held(void)
{
	int accepted = 0;
	int fills = 0;
	int taken = 0;
	uint64_t epoch;
	uint64_t after;

	(void) qts_kis_feed_state(feed, &epoch, NULL, 0);
	notices_left = true;
	for (uint64_t i = 0; i < 2500; i++)
		accepted += order_outcome(1000 + i, NULL) == QTS_OUTCOME_OK;
	tap_is(accepted, 2500, "orders accepted while nobody reads notices");
	ok(qts_kis_feed_counters(feed).notices < 5000, "reading has stopped");
	for (int64_t until = qts_mono_us() + WAIT_US; taken < 5000 && qts_mono_us() < until;)
	{
		int n;

		turn();
		while ((n = qts_kis_feed_notices(feed, notices, 200)) > 0)
		{
			taken += n;
			for (int i = 0; i < n; i++)
				fills += notices[i].kind == QTS_NOTICE_FILL;
		}
	}
	notices_left = false;
	(void) qts_kis_feed_state(feed, &after, NULL, 0);
	ok(taken == 5000 && fills == 2500, "%d notices, %d fills: none lost", taken, fills);
	tap_is((int64_t) (after - epoch), 0, "over one connection");
}

int
main(int argc, char **argv)
{
	const char *why = "";

	if (argc < 2)
	{
		tap_skip("broker", "no simulator given");
		return tap_done();
	}
	snprintf(token_file, sizeof(token_file), "broker_test.%d.token", (int) getpid());
	if (!ok(sim_start(&sim, argv[1], "real", config_text), "simulator") ||
		!ok(qts_net_open(&why), "net %s", why))
		return tap_done();
	snprintf(rest_url, sizeof(rest_url), "http://127.0.0.1:%d", sim.rest);
	snprintf(ws_url, sizeof(ws_url), "ws://127.0.0.1:%d", sim.ws);
	test_token();
	test_feed();
	test_feed_books();
	test_feed_full();
	test_feed_order();
	test_orders();
	test_faults();
	test_lists();
	test_feed_gaps();
	test_token_lost();
	test_burst();
	test_notices_held();
	test_watchdog();
	ops->close(broker);
	qts_kis_feed_close(feed);
	qts_net_close();
	sim_stop(&sim);
	(void) unlink(token_file);
	strcat(token_file, ".lock");
	(void) unlink(token_file);
	return tap_done();
}
