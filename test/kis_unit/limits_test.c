/*-------------------------------------------------------------------------
 *
 * limits_test.c
 *		What a session sends when the broker fails or is slow: breakers, lists.
 *
 *-------------------------------------------------------------------------
 */
#include "broker_fixture.h"

#define MOST_PAGES 2000

static bool
breaker_becomes(QtsBreakerClass klass, QtsBreakerState state)
{
	int64_t until = qts_mono_us() + WAIT_US;
	QtsBrokerHealth health;

	for (;;)
	{
		ops->health(broker, qts_mono_us(), &health);
		if (health.breaker[klass] == state || qts_mono_us() > until)
			return health.breaker[klass] == state;
		turn();
	}
}

static void
break_path(const char *path)
{
	char body[128];

	snprintf(body, sizeof(body), "{\"mode\":\"html_502\",\"times\":0,\"match\":{\"path\":\"%s\"}}", path);
	json_decref(sim_ask(&sim, "POST", "/fault", body));
}

static void
heal(void)
{
	json_decref(sim_ask(&sim, "DELETE", "/faults", ""));
}

static QtsOutcome
list_outcome(QtsDate day)
{
	int pages;
	int rows;
	QtsBrokerEvent *event = ops->ledger(broker, 1, ACCOUNT, day) ? next_ledger(1, &pages, &rows) : NULL;
	QtsOutcome outcome = event ? event->outcome : QTS_OUTCOME_FATAL;

	ops->event_free(event);
	return outcome;
}

static void
test_open_list(void)
{
	char odno[5][QTS_ODNO_LEN + 1] = {""};
	QtsBrokerEvent *event = NULL;
	int before;
	int found = 0;

	json_decref(sim_ask(&sim, "POST", "/config", "{\"options\":{\"page_open\":2}}"));
	for (uint64_t i = 0; i < 5; i++)
	{
		ok(send_order(350 + i, true, 3, 80000) && (event = next_event(QTS_EVENT_ORDER)) != NULL,
		   "resting order");
		strcpy(odno[i], event ? event->odno : "");
		ops->event_free(event);
	}
	before = sim_requests(&sim, "inquire-psbl-rvsecncl");
	ok(ops->open_list(broker, 360, ACCOUNT), "open orders asked");
	event = next_event(QTS_EVENT_OPEN_LIST);
	ok(event && event->tag == 360 && event->outcome == QTS_OUTCOME_OK && event->open_list.complete &&
		   event->open_list.count == 5,
	   "all five");
	for (int i = 0; event && i < event->open_list.count; i++)
		for (int k = 0; k < 5; k++)
			found += strcmp(event->open_list.rows[i].odno, odno[k]) == 0 && event->open_list.rows[i].sell &&
					 event->open_list.rows[i].cancellable == 3 && event->open_list.rows[i].filled == 0;
	tap_is(found, 5, "each with its number and what can be cancelled");
	tap_is(sim_requests(&sim, "inquire-psbl-rvsecncl") - before, 3, "in three pages of two");
	ops->event_free(event);
	ok(!ops->open_list(broker, 361, "123"), "bad account is refused");
	for (int i = 0; i < 5; i++)
	{
		char body[64];

		snprintf(body, sizeof(body), "{\"odno\":\"%s\",\"how\":\"cancel\"}", odno[i]);
		json_decref(sim_ask(&sim, "POST", "/kill_order", body));
	}
}

/* Somebody's day has more rows than are read: it ends, and says so. */
static void
test_endless_list(void)
{
	QtsBrokerEvent *event;
	QtsDate day;
	int before;
	int pages;
	int rows;

	(void) qts_date_from_yyyymmdd(20261120, &day);
	json_decref(sim_ask(&sim, "POST", "/config",
						"{\"options\":{\"page_ledger\":1},\"accounts\":[{\"account\":\"" ACCOUNT_2
						"\",\"cash\":1000000000}]}"));
	for (int i = 0; i <= MOST_PAGES; i++)
		json_decref(sim_ask(&sim, "POST", "/order",
							"{\"account\":\"" ACCOUNT_2
							"\",\"symbol\":\"005930\",\"side\":\"buy\",\"qty\":1,\"price\":60000}"));
	before = sim_requests(&sim, "inquire-daily-ccld");
	ok(ops->ledger(broker, 370, ACCOUNT_2, day), "a list of one page too many");
	event = next_ledger(370, &pages, &rows);
	ok(event && event->tag == 370 && event->outcome == QTS_OUTCOME_UNKNOWN && !event->ledger.complete,
	   "is not believed as a whole");
	ok(pages == MOST_PAGES && rows == MOST_PAGES, "its pages are: %d, with %d rows", pages, rows);
	tap_is(sim_requests(&sim, "inquire-daily-ccld") - before, MOST_PAGES, "each page once, and no more");
	tap_is_text(
		event ? event->msg : NULL,
		"the list goes on after 2000 pages (2000 rows), where reading ends: only notices tell fills of"
		" what is beyond and unanswered orders stay unknown; trade by another account until tomorrow",
		"why, and what to do");
	ops->event_free(event);
	json_decref(sim_ask(&sim, "DELETE", "/account?account=" ACCOUNT_2 "&keep=1", ""));
	json_decref(sim_ask(&sim, "POST", "/config", "{\"options\":{\"page_ledger\":2}}"));
}

static bool
list_is_whole(const QtsBrokerEvent *event)
{
	return event->ledger.complete || event->open_list.complete || event->balance.complete;
}

/* The first account's lists are never answered: those of the second are. */
static void
test_fair_lists(void)
{
	QtsBrokerTuning tuning = {.timeout_ms = 60000, .breaker = {.threshold = 5, .open = 30 * QTS_SEC}};
	QtsBrokerEvent *event;
	QtsDate day;
	int before = sim_requests(&sim, "inquire-");
	int done = 0;

	ops->tune(broker, &tuning); /* nothing times out while this runs */
	(void) qts_date_from_yyyymmdd(20261120, &day);
	json_decref(sim_ask(&sim, "POST", "/fault",
						"{\"mode\":\"hold_reply\",\"times\":0,\"match\":{\"account\":\"" ACCOUNT
						"\",\"path\":\"inquire-\"}}"));
	ok(ops->ledger(broker, 1, ACCOUNT, day) && ops->open_list(broker, 2, ACCOUNT) &&
		   ops->balance(broker, 3, ACCOUNT),
	   "three lists of the first account");
	for (int64_t until = qts_mono_us() + WAIT_US;
		 sim_requests(&sim, "inquire-") < before + 2 && qts_mono_us() < until;)
		turn();
	ok(ops->ledger(broker, 4, ACCOUNT_2, day) && ops->open_list(broker, 5, ACCOUNT_2) &&
		   ops->balance(broker, 6, ACCOUNT_2),
	   "three of the second");
	for (int64_t until = qts_mono_us() + WAIT_US; done < 3 && qts_mono_us() < until; turn())
	{
		while ((event = ops->next_event(broker)) != NULL)
		{
			done += strcmp(event->account, ACCOUNT_2) == 0 && list_is_whole(event);
			ops->event_free(event);
		}
	}
	tap_is(done, 3, "the second account's came");
	tap_is(sim_requests(&sim, "inquire-") - before, 5, "with two pages of the first on their way");
	heal();
	json_decref(sim_ask(&sim, "POST", "/release", "{}"));
	done = 0;
	for (int64_t until = qts_mono_us() + WAIT_US; done < 3 && qts_mono_us() < until; turn())
	{
		while ((event = ops->next_event(broker)) != NULL)
		{
			done += list_is_whole(event);
			ops->event_free(event);
		}
	}
	tap_is(done, 3, "the first account's follow");
	tuning.timeout_ms = 2000;
	ops->tune(broker, &tuning);
}

/* The order gateway is down while lists are answered. */
static void
test_order_breaker(void)
{
	QtsBrokerTuning tuning = {.timeout_ms = 2000, .breaker = {.threshold = 3, .open = 30 * QTS_SEC}};
	QtsDate day;
	int before;

	(void) qts_date_from_yyyymmdd(20261120, &day);
	ops->tune(broker, &tuning);
	ok(order_outcome(600, NULL) == QTS_OUTCOME_OK, "the breaker is closed to begin with");
	(void) sim_fault(&sim, "reject_sync", 4, "\"msg_cd\":\"APBK0952\"");
	for (int i = 0; i < 4; i++)
		(void) order_outcome(601, NULL);
	ok(breaker_becomes(QTS_BREAKER_ORDER, QTS_BREAKER_CLOSED), "business refusals are answers");
	heal();
	break_path("order-cash");
	before = sim_requests(&sim, "order-cash");
	for (int i = 0; i < 3; i++)
		ok(order_outcome(602, NULL) == QTS_OUTCOME_UNKNOWN, "no usable answer %d", i + 1);
	ok(breaker_becomes(QTS_BREAKER_ORDER, QTS_BREAKER_OPEN), "three in a row open it");
	ok(!send_order(603, true, 1, 0), "an order finds no slot");
	tap_is(ops->slots(broker, QTS_RATE_CANCEL, qts_mono_us()), 0, "nor does a cancel");
	tap_is(sim_requests(&sim, "order-cash") - before, 3, "nothing left for the broker");
	ok(list_outcome(day) == QTS_OUTCOME_OK, "lists are asked all the while");
	tap_is(ops->slots(broker, QTS_RATE_ORDER, qts_mono_us()), 0,
		   "one answered before the time opens nothing");

	tuning.breaker.open = 1; /* the time has passed */
	ops->tune(broker, &tuning);
	tap_is(ops->slots(broker, QTS_RATE_ORDER, qts_mono_us()), 0, "the time alone lets no order out");
	ok(list_outcome(day) == QTS_OUTCOME_OK && breaker_becomes(QTS_BREAKER_ORDER, QTS_BREAKER_HALF_OPEN),
	   "an answered list makes it half open");
	tap_is(ops->slots(broker, QTS_RATE_ORDER, qts_mono_us()), 1, "for one probe");
	ok(send_order(604, true, 1, 0) && !send_order(605, true, 1, 0), "the second order stays");
	ops->event_free(next_event(QTS_EVENT_ORDER));
	tap_is(sim_requests(&sim, "order-cash") - before, 4, "one probe was sent");
	ok(breaker_becomes(QTS_BREAKER_ORDER, QTS_BREAKER_OPEN), "it failed: open again");
	heal();
	ok(list_outcome(day) == QTS_OUTCOME_OK && order_outcome(606, NULL) == QTS_OUTCOME_OK,
	   "a probe that is answered");
	ok(breaker_becomes(QTS_BREAKER_ORDER, QTS_BREAKER_CLOSED), "closes it");
}

/* Lists are not answered while orders are. */
static void
test_account_breaker(void)
{
	QtsBrokerTuning tuning = {.timeout_ms = 2000, .breaker = {.threshold = 3, .open = 30 * QTS_SEC}};
	QtsBrokerHealth health;
	QtsDate day;
	int before = sim_requests(&sim, "inquire-");

	(void) qts_date_from_yyyymmdd(20261120, &day);
	ops->tune(broker, &tuning);
	break_path("inquire-");
	ok(ops->ledger(broker, 1, ACCOUNT, day), "a ledger is asked");
	ok(breaker_becomes(QTS_BREAKER_ACCOUNT, QTS_BREAKER_OPEN), "three bad pages open the breaker of lists");
	tap_is(sim_requests(&sim, "inquire-") - before, 3, "then nothing is asked");
	ok(order_outcome(610, NULL) == QTS_OUTCOME_OK, "orders are not concerned");
	heal();
	tuning.breaker.open = 1;
	ops->tune(broker, &tuning);
	{
		int pages;
		int rows;
		QtsBrokerEvent *event = next_ledger(1, &pages, &rows);

		ok(event && event->outcome == QTS_OUTCOME_OK && event->ledger.complete, "the list comes after all");
		ops->event_free(event);
	}
	ops->health(broker, qts_mono_us(), &health);
	ok(health.breaker[QTS_BREAKER_ACCOUNT] == QTS_BREAKER_CLOSED && health.opens[QTS_BREAKER_ACCOUNT] == 1 &&
		   health.opens[QTS_BREAKER_QUOTE] == 0,
	   "closed, having been open once");
	tuning.breaker = (QtsBreakerPolicy){.threshold = 5, .open = 30 * QTS_SEC};
	ops->tune(broker, &tuning);
}

int
main(int argc, char **argv)
{
	const char *why = "";
	QtsBrokerConfig c;

	if (argc < 2)
	{
		tap_skip("limits", "no simulator given");
		return tap_done();
	}
	if (!ok(sim_start(&sim, argv[1], "real", config_text), "simulator") ||
		!ok(qts_net_open(&why), "net %s", why))
		return tap_done();
	snprintf(rest_url, sizeof(rest_url), "http://127.0.0.1:%d", sim.rest);
	c = config(SECRET);
	c.token_file = NULL;
	broker = ops->open(&c);
	ok(wait_ready(), "ready");
	test_open_list();
	test_fair_lists();
	test_endless_list();
	test_order_breaker();
	test_account_breaker();
	ops->close(broker);
	qts_net_close();
	sim_stop(&sim);
	return tap_done();
}
