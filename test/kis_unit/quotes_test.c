/*-------------------------------------------------------------------------
 *
 * quotes_test.c
 *		Sessions of quotes against the simulated broker: answers, limits, faults,
 *		and the token that all processes of an app key share.
 *
 *-------------------------------------------------------------------------
 */
#include "broker/quotes.h"
#include "broker_fixture.h"
#include "core/rate.h"

static const QtsQuoteOps *kis = &qts_kis_quotes;
static QtsQuotes *quotes;
static QtsQuotes *other;

/* A turn of everything there is. */
static void
go(void)
{
	if (quotes)
		(void) kis->drive(quotes, qts_mono_us(), wall());
	if (other)
		(void) kis->drive(other, qts_mono_us(), wall());
	turn();
}

static bool
ready(QtsQuotes *q)
{
	int64_t until = qts_mono_us() + WAIT_US;

	while (kis->slots(q, qts_mono_us()) <= 0 && qts_mono_us() < until)
		go();
	return kis->slots(q, qts_mono_us()) > 0;
}

static QtsQuoteEvent *
next_quote(QtsQuotes *q)
{
	int64_t until = qts_mono_us() + WAIT_US;
	QtsQuoteEvent *event;

	while ((event = kis->next_event(q)) == NULL && qts_mono_us() < until)
		go();
	return event;
}

static QtsQuoteRequest
want(QtsQuoteKind kind, uint64_t tag, const char *first, const char *second)
{
	QtsQuoteRequest r = {.kind = kind, .tag = tag};

	if (first)
		strcpy(r.symbol[r.symbols++], first);
	if (second)
		strcpy(r.symbol[r.symbols++], second);
	return r;
}

/* Ask and wait; the caller frees. */
static QtsQuoteEvent *
answer_to(QtsQuotes *q, const QtsQuoteRequest *r)
{
	if (!ready(q) || !kis->ask(q, r, qts_mono_us()))
		return NULL;
	return next_quote(q);
}

static QtsOutcome
outcome_of(QtsQuotes *q, const QtsQuoteRequest *r, bool *throttled)
{
	QtsQuoteEvent *e = answer_to(q, r);
	QtsOutcome outcome = e ? e->outcome : QTS_OUTCOME_FATAL;

	if (throttled)
		*throttled = e && e->throttled;
	kis->event_free(e);
	return outcome;
}

static void
heal(void)
{
	json_decref(sim_ask(&sim, "DELETE", "/faults", ""));
}

static void
test_answers(void)
{
	QtsQuoteRequest r = want(QTS_QUOTE_PRICES, 11, "005930", "000660");
	QtsQuoteEvent *e;
	int64_t asked;

	json_decref(sim_ask(&sim, "POST", "/price", "{\"symbol\":\"005930\",\"price\":69500}"));
	e = answer_to(quotes, &r);
	ok(e && e->tag == 11 && e->outcome == QTS_OUTCOME_OK && e->count == 2 && e->refused == 0 &&
		   e->http_status == 200 && e->done_us > 0,
	   "two prices at once");
	ok(e && e->count == 2 && e->ticks[0].price == 69500 && e->ticks[0].bid == 69500 &&
		   e->ticks[0].ask == 69600 && e->ticks[0].change == -500 && e->ticks[1].price == 200000 &&
		   llabs(e->ticks[0].recv_at - wall()) < 5 * QTS_SEC,
	   "with bid and ask, against yesterday");
	kis->event_free(e);
	r = want(QTS_QUOTE_PRICES, 12, "005930", NULL);
	e = answer_to(quotes, &r);
	ok(e && e->count == 1 && e->ticks[0].price == 69500, "one price");
	kis->event_free(e);
	json_decref(sim_ask(
		&sim, "POST", "/fault",
		"{\"mode\":\"late_response\",\"match\":{\"path\":\"/quotations/\"},\"params\":{\"ms\":300}}"));
	asked = ready(quotes) ? qts_mono_us() : 0;
	e = answer_to(quotes, &r);
	ok(e && e->count == 1 && e->done_us - asked >= 300 * QTS_MS &&
		   wall() - e->ticks[0].recv_at >= qts_mono_us() - asked - 50 * QTS_MS,
	   "a late answer is as old as its question");
	kis->event_free(e);
	r = want(QTS_QUOTE_PRICES, 12, "005930", "999999");
	e = answer_to(quotes, &r);
	ok(e && e->count == 1 && e->refused == 1, "an unknown code");
	kis->event_free(e);
	r = want(QTS_QUOTE_BASE_PRICES, 16, "005930", "999999");
	e = answer_to(quotes, &r);
	ok(e && e->tag == 16 && e->count == 1 && e->refused == 0 && e->bases[0].base == 70000 &&
		   e->bases[0].lower == 49000 && e->bases[0].upper == 91000,
	   "base price and limits");
	kis->event_free(e);
	r = want(QTS_QUOTE_BOOK, 13, "005930", NULL);
	e = answer_to(quotes, &r);
	ok(e && e->count == 1 && e->books[0].bid[0].price == 69500 && e->books[0].ask[0].price == 69600 &&
		   e->books[0].bid[1].price == 69400 && e->books[0].ask[9].price > e->books[0].ask[0].price,
	   "a book");
	kis->event_free(e);
	r = want(QTS_QUOTE_DAILY_BARS, 14, "005930", NULL);
	(void) qts_date_from_yyyymmdd(20261101, &r.from);
	(void) qts_date_from_yyyymmdd(20261130, &r.to);
	e = answer_to(quotes, &r);
	ok(e && e->outcome == QTS_OUTCOME_OK && e->count == 1 && e->bars[0].close == 69500, "today's bar");
	kis->event_free(e);
	r = want(QTS_QUOTE_TRADING_DAYS, 15, NULL, NULL);
	(void) qts_date_from_yyyymmdd(20261121, &r.from);
	e = answer_to(quotes, &r);
	ok(e && e->count == 24 && !e->days[0].open && !e->days[1].open && e->days[2].open &&
		   e->days[0].date == r.from,
	   "a weekend, then a Monday");
	kis->event_free(e);
	r.kind = QTS_QUOTE_PRICES;
	ok(!kis->ask(quotes, &r, qts_mono_us()), "a question about nothing is not sent");
	tap_is_text(kis->trouble(quotes), "", "no trouble");
}

static void
test_faults(void)
{
	QtsQuoteRequest r = want(QTS_QUOTE_PRICES, 21, "005930", "000660");
	bool throttled;
	long first;
	long second;

	(void) sim_fault(&sim, "rate_limit", 1, "");
	ok(outcome_of(quotes, &r, &throttled) == QTS_OUTCOME_NOT_PROCESSED && throttled, "too fast");
	first = kis->slot_wait_ms(quotes, qts_mono_us());
	ok(kis->slots(quotes, qts_mono_us()) == 0 && first > 0 && first <= 320, "waits (%ld ms)", first);
	(void) sim_fault(&sim, "rate_limit", 1, "\"http\":200");
	ok(outcome_of(quotes, &r, &throttled) == QTS_OUTCOME_NOT_PROCESSED && throttled, "again, with HTTP 200");
	second = kis->slot_wait_ms(quotes, qts_mono_us());
	ok(second > first, "and longer (%ld ms)", second);
	ok(outcome_of(quotes, &r, &throttled) == QTS_OUTCOME_OK && !throttled, "then it is answered");
	json_decref(sim_ask(&sim, "POST", "/fault",
						"{\"mode\":\"reshape\",\"times\":1,\"match\":{\"path\":\"multprice\"},"
						"\"params\":{\"set\":{\"inter2_prpr\":\"0\"}}}"));
	{
		QtsQuoteEvent *e = answer_to(quotes, &r);

		ok(e && e->outcome == QTS_OUTCOME_OK && e->count == 0 && e->refused == 2, "zero is no price");
		kis->event_free(e);
	}
	json_decref(sim_ask(&sim, "POST", "/fault",
						"{\"mode\":\"truncated_json\",\"times\":1,\"match\":{\"path\":\"multprice\"}}"));
	ok(outcome_of(quotes, &r, NULL) == QTS_OUTCOME_UNKNOWN, "half an answer is none");
	heal();
	json_decref(sim_ask(&sim, "POST", "/fault",
						"{\"mode\":\"gateway_error\",\"times\":1,\"match\":{\"path\":\"multprice\"},"
						"\"params\":{\"msg_cd\":\"EGW02006\"}}"));
	tap_is(kis->per_request(quotes), QTS_QUOTE_SYMBOLS, "thirty at once");
	ok(outcome_of(quotes, &r, NULL) == QTS_OUTCOME_FATAL && kis->per_request(quotes) == 1,
	   "a host that knows one at a time");
	ok(!kis->ask(quotes, &r, qts_mono_us()), "is not asked for two");
	r = want(QTS_QUOTE_PRICES, 22, "005930", NULL);
	ok(outcome_of(quotes, &r, NULL) == QTS_OUTCOME_OK, "but for one");
}

/* Quotes that fail stop quotes, never an order. */
static void
test_breaker(void)
{
	QtsQuoteRequest r = want(QTS_QUOTE_PRICES, 31, "005930", NULL);
	int64_t until = qts_mono_us() + WAIT_US;
	int failed = 0;

	json_decref(sim_ask(&sim, "POST", "/fault",
						"{\"mode\":\"html_502\",\"times\":0,\"match\":{\"path\":\"quotations\"}}"));
	while (failed < 5 && qts_mono_us() < until)
		failed += outcome_of(quotes, &r, NULL) == QTS_OUTCOME_UNKNOWN;
	tap_is(failed, 5, "failures in a row");
	ok(kis->slots(quotes, qts_mono_us()) == 0 && kis->trouble(quotes)[0] != '\0' &&
		   !kis->ask(quotes, &r, qts_mono_us()),
	   "no more leave: %s", kis->trouble(quotes));
	ok(wait_ready() && order_outcome(32, NULL) == QTS_OUTCOME_OK, "an order does");
	heal();
}

static int
drive_both(int ms)
{
	int64_t until = qts_mono_us() + ms * QTS_MS;

	while (qts_mono_us() < until &&
		   (kis->slots(quotes, qts_mono_us()) <= 0 || kis->slots(other, qts_mono_us()) <= 0))
		go();
	return (kis->slots(quotes, qts_mono_us()) > 0) + (kis->slots(other, qts_mono_us()) > 0);
}

/* Two sessions, as two processes of one app key have them. */
static void
test_one_token(void)
{
	QtsBrokerConfig c = config(SECRET);
	QtsQuoteRequest r = want(QTS_QUOTE_PRICES, 41, "005930", NULL);
	int before = sim_requests(&sim, "tokenP");

	(void) unlink(token_file);
	quotes = kis->open(&c);
	other = kis->open(&c);
	tap_is(drive_both(15000), 2, "both can ask");
	tap_is(sim_requests(&sim, "tokenP") - before, 1, "with one token");
	/* refused although it is good: the broker issues the same text again */
	json_decref(sim_ask(&sim, "POST", "/fault",
						"{\"mode\":\"token_expired\",\"times\":2,\"match\":{\"path\":\"inquire-price\"}}"));
	ok(kis->ask(quotes, &r, qts_mono_us()) && kis->ask(other, &r, qts_mono_us()), "both ask");
	{
		QtsQuoteEvent *a = next_quote(quotes);
		QtsQuoteEvent *b = next_quote(other);

		ok(a && b && a->outcome == QTS_OUTCOME_NOT_PROCESSED && b->outcome == QTS_OUTCOME_NOT_PROCESSED,
		   "and are refused");
		kis->event_free(a);
		kis->event_free(b);
	}
	tap_is(drive_both(15000), 2, "both can ask again");
	tap_is(sim_requests(&sim, "tokenP") - before, 2, "after one more token");
	kis->close(other);
	other = NULL;
}

/* One limiter for all, as in shared memory. */
static int
pool_slots(void *arg, QtsRateClass klass, int64_t mono)
{
	return qts_rate_slots(arg, klass, mono);
}

static int64_t
pool_wait(void *arg, QtsRateClass klass, int64_t mono)
{
	return qts_rate_wait(arg, klass, mono);
}

static bool
pool_take(void *arg, QtsRateClass klass, int64_t mono)
{
	if (!qts_rate_available(arg, klass, mono))
		return false;
	qts_rate_take(arg, klass, mono);
	return true;
}

static void
pool_keep(void *arg, int slots, int64_t until)
{
	qts_rate_keep(arg, slots, until);
}

static void
pool_refused(void *arg, int64_t mono, int64_t pause)
{
	qts_rate_refused(arg, mono, pause);
}

static void
pool_set(void *arg, int per_second)
{
	qts_rate_set(arg, per_second);
}

/* Quotes take what orders leave; one that is refused for the rate costs an order time, nothing else. */
static void
test_orders_first(void)
{
	static QtsRateLimiter limiter;
	static const QtsRatePool pool = {pool_slots,   pool_wait, pool_take, pool_keep,
									 pool_refused, pool_set,  &limiter};
	QtsBrokerConfig c = config(SECRET);
	QtsQuoteRequest r = want(QTS_QUOTE_PRICES, 61, "005930", "000660");
	int64_t until = qts_mono_us() + WAIT_US;
	int64_t mono;
	bool throttled;
	int sent = 0;

	qts_rate_init(&limiter, 10);
	c.rate = &pool;
	c.tuning.rate_per_second = 10;
	kis->close(quotes);
	ops->close(broker);
	quotes = kis->open(&c);
	broker = ops->open(&c);
	ok(wait_ready() && ready(quotes), "ready");
	while (kis->ask(quotes, &r, qts_mono_us()))
		sent++;
	tap_is(sent, 1, "quotes leave one by one");
	ok(order_outcome(62, NULL) == QTS_OUTCOME_OK && order_outcome(63, NULL) == QTS_OUTCOME_OK,
	   "which are for orders, at once");
	for (int i = 0; i < sent; i++)
		kis->event_free(next_quote(quotes));
	(void) sim_fault(&sim, "rate_limit", 1, "");
	ok(outcome_of(quotes, &r, &throttled) == QTS_OUTCOME_NOT_PROCESSED && throttled, "a quote is refused");
	mono = qts_mono_us();
	ok(kis->slot_wait_ms(quotes, mono) >= ops->slot_wait_ms(broker, QTS_RATE_ORDER, mono),
	   "no order waits longer for it than a quote");
	while (ops->slots(broker, QTS_RATE_ORDER, qts_mono_us()) <= 0 && qts_mono_us() < until)
		go();
	ok(order_outcome(64, NULL) == QTS_OUTCOME_OK, "the order leaves a little later");
}

static QtsQuotes *naver;

/* As soon as its pace allows. */
static bool
naver_ask(const QtsQuoteRequest *r)
{
	int64_t until = qts_mono_us() + WAIT_US;

	while (qts_naver_quotes.slots(naver, qts_mono_us()) <= 0 && qts_mono_us() < until)
		turn();
	return qts_naver_quotes.ask(naver, r, qts_mono_us());
}

static QtsQuoteEvent *
naver_event(void)
{
	int64_t until = qts_mono_us() + WAIT_US;
	QtsQuoteEvent *event;

	while ((event = qts_naver_quotes.next_event(naver)) == NULL && qts_mono_us() < until)
	{
		(void) qts_naver_quotes.drive(naver, qts_mono_us(), wall());
		turn();
	}
	return event;
}

static void
naver_fault(int status, int times)
{
	char body[160];

	snprintf(body, sizeof(body),
			 "{\"mode\":\"html_502\",\"times\":%d,\"match\":{\"path\":\"/api/realtime\"},"
			 "\"params\":{\"http\":%d}}",
			 times, status);
	json_decref(sim_ask(&sim, "POST", "/fault", body));
}

static void
test_naver(void)
{
	QtsBrokerConfig c = {.rest_url = rest_url};
	QtsQuoteRequest r = want(QTS_QUOTE_PRICES, 51, "005930", "000660");
	int before = sim_requests(&sim, "/api/realtime");
	int sent = 0;
	int64_t began;
	QtsQuoteEvent *e = NULL;

	naver = qts_naver_quotes.open(&c);
	ok(naver_ask(&r) && (e = naver_event()) != NULL, "the fallback answers");
	ok(e && e->tag == 51 && e->outcome == QTS_OUTCOME_OK && e->count == 2 && e->ticks[0].price == 69500 &&
		   e->ticks[0].change == -500 && e->ticks[0].source == QTS_SOURCE_NAVER,
	   "the same price");
	qts_naver_quotes.event_free(e);
	naver_fault(503, 2);
	ok(naver_ask(&r) && (e = naver_event()) && e->outcome == QTS_OUTCOME_OK, "two failures are retried");
	qts_naver_quotes.event_free(e);
	naver_fault(503, 3);
	ok(naver_ask(&r) && (e = naver_event()) && e->outcome == QTS_OUTCOME_UNKNOWN && e->http_status == 503,
	   "not more");
	qts_naver_quotes.event_free(e);
	tap_is(sim_requests(&sim, "/api/realtime") - before, 7, "requests");
	began = qts_mono_us();
	while (sent < 5 && naver_ask(&r))
		sent++;
	ok(sent == 5 && qts_mono_us() - began >= 4 * QTS_SEC / 10, "one by one, no more than ten in a second");
	qts_naver_quotes.close(naver); /* with requests in flight */
	naver = qts_naver_quotes.open(&c);
	naver_fault(429, 1);
	ok(naver_ask(&r) && (e = naver_event()) && e->outcome == QTS_OUTCOME_REJECTED && e->throttled, "refused");
	qts_naver_quotes.event_free(e);
	ok(!qts_naver_quotes.ask(naver, &r, qts_mono_us()) && qts_naver_quotes.slots(naver, qts_mono_us()) == 0 &&
		   strstr(qts_naver_quotes.trouble(naver), "429"),
	   "is asked no more: %s", qts_naver_quotes.trouble(naver));
	qts_naver_quotes.close(naver);
	naver = qts_naver_quotes.open(&c);
	ok(naver_ask(&r) && (e = naver_event()) && e->outcome == QTS_OUTCOME_OK, "until it is opened again");
	qts_naver_quotes.event_free(e);
	qts_naver_quotes.close(naver);
	c.rest_url = "http://192.0.2.1";
	naver = qts_naver_quotes.open(&c);
	ok(!qts_naver_quotes.ask(naver, &r, qts_mono_us()), "plain http leaves this machine never");
	qts_naver_quotes.close(naver);
}

int
main(int argc, char **argv)
{
	const char *why = "";
	QtsBrokerConfig c;

	if (argc < 2 || !sim_start(&sim, argv[1], "real", config_text) || !qts_net_open(&why))
	{
		fprintf(stderr, "cannot start: %s\n", why);
		return 1;
	}
	snprintf(rest_url, sizeof(rest_url), "http://127.0.0.1:%d", sim.rest);
	snprintf(ws_url, sizeof(ws_url), "ws://127.0.0.1:%d", sim.ws);
	snprintf(token_file, sizeof(token_file), "/tmp/qts-quotes-test-%ld.token", (long) getpid());
	test_one_token();
	c = config(SECRET);
	broker = ops->open(&c);
	test_answers();
	test_faults();
	test_breaker();
	test_orders_first();
	test_naver();
	kis->close(quotes);
	ops->close(broker);
	qts_net_close();
	{
		char lock[80];

		snprintf(lock, sizeof(lock), "%s.lock", token_file);
		(void) unlink(lock);
		(void) unlink(token_file);
	}
	sim_stop(&sim);
	return tap_done();
}
