/*-------------------------------------------------------------------------
 *
 * naver.c
 *		The fallback source: asked when the broker does not answer, and to
 *		compare.
 *
 * Its price is taken in only where the broker's is missing.  What is held is
 * compared once a minute; a difference is a row of market.discrepancies, and
 * a big one switches the source off: it is the broker whose prices trade.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "broker/quotes.h"
#include "core/discrepancy.h"
#include "db/exec.h"
#include "db/sync_store.h"
#include "db/txn.h"
#include "guc.h"
#include "naver.h"
#include "price_watch.h"
#include "quotes.h"
#include "ticks.h"

#define AGAIN_US (5 * QTS_SEC)
#define COMPARE_US (60 * QTS_SEC)

static QtsQuotes *naver = NULL;
static char url[256];
static QtsSourceHealth health;
static QtsNaverSwitch off;
static QtsSourceShown shown_naver;
static bool discrepant; /* by more than may be, since the last look */

void
qts_naver_close(void)
{
	if (naver != NULL)
		qts_naver_quotes.close(naver);
	naver = NULL;
	url[0] = '\0';
}

/* The simulator serves its own; an empty address means do not ask. */
static void
naver_open(void)
{
	const QtsAccountRow *account = qts_quotes_account();
	const char *wanted = "";
	QtsBrokerConfig config;

	if (qts_guc.quotes && account != NULL && qts_guc.naver_url[0] != '\0')
		wanted = account->environment == QTS_ENV_SIM ? account->rest_url : qts_guc.naver_url;
	if (off.why != QTS_NAVER_ON)
		wanted = "";
	if (strcmp(wanted, url) == 0)
		return;
	qts_naver_close();
	if (wanted[0] == '\0')
		return;
	memset(&config, 0, sizeof(config));
	config.credentials = "naver";
	config.environment = account->environment;
	config.rest_url = wanted;
	naver = qts_naver_quotes.open(&config);
	if (naver != NULL)
		strlcpy(url, wanted, sizeof(url));
}

static QtsQuoted
naver_kind(const QtsQuoteEvent *event)
{
	if (event->outcome == QTS_OUTCOME_OK)
		return QTS_QUOTED_GOOD;
	if (event->http_status == 403 || event->http_status == 429)
		return QTS_QUOTED_BANNED;
	return event->http_status == 0 ? QTS_QUOTED_SILENT : QTS_QUOTED_FAILED;
}

/* Its price beside the one of the broker that is shown. */
static void
compare(const QtsTick *tick, TimestampTz now)
{
	QtsQuote other = {.last = QTS_PRICE(tick->price), .recv_at = tick->recv_at};
	QtsBoardQuote broker;
	QtsDiscrepancy severity;

	if (!qts_price_shown(tick->symbol, &broker) || broker.source == QTS_SOURCE_NAVER)
		return;
	severity = qts_discrepancy(&broker.quote, &other);
	if (severity == QTS_DISCREPANCY_NONE || !qts_txn_begin("discrepancy"))
		return;
	qts_sync_discrepancy(tick->symbol, &broker.quote, broker.source, &other, now);
	if (severity != QTS_DISCREPANCY_LOW)
		qts_alert("WARNING", "DISCREPANCY", tick->symbol,
				  "The broker's price counts. Compare with a third source; see market.discrepancies.",
				  "%s: the broker says " INT64_FORMAT " KRW, Naver " INT64_FORMAT " KRW", tick->symbol,
				  broker.quote.last / QTS_PRICE_SCALE, tick->price);
	qts_txn_commit_local();
	discrepant |= severity == QTS_DISCREPANCY_HIGH;
}

static bool
fallback_wanted(const char *symbol, bool demoted, int64 mono, TimestampTz now)
{
	QtsBoardQuote seen = {.source = QTS_SOURCE_COUNT};
	bool known = qts_price_shown(symbol, &seen);

	return qts_fallback_wanted(known ? &seen.quote : NULL, seen.source, now,
							   qts_source_failing(qts_quotes_health(), mono), demoted);
}

static void
take_answer(QtsQuoteEvent *event, int64 mono, TimestampTz now)
{
	QtsQuoted kind = naver_kind(event);
	int kept = 0;

	qts_health_add(&health, kind, mono);
	shown_naver.answers[kind]++;
	shown_naver.refused += event->refused;
	if (kind != QTS_QUOTED_GOOD)
		return;
	shown_naver.brought += event->count;
	for (int i = 0; i < event->count; i++)
	{
		compare(&event->ticks[i], now);
		if (fallback_wanted(event->ticks[i].symbol, false, mono, now))
			event->ticks[kept++] = event->ticks[i];
	}
	qts_ticks_take(event->ticks, kept, event->done_us);
}

static void
look(int64 mono)
{
	if (!qts_naver_look(&off, &health, discrepant, mono))
		return;
	discrepant = false;
	qts_naver_close();
	if (!qts_txn_begin("fallback source off"))
		return;
	qts_alert("WARNING", "NAVER_OFF", "", "It is tried again by itself; the broker's prices go on.",
			  "Naver is not asked for a while: %s", qts_naver_why(off.why));
	qts_txn_commit_local();
}

long
qts_naver_turn(int64 mono, TimestampTz now)
{
	QtsQuoteEvent *event;
	long pause;

	if (naver == NULL)
		return -1;
	pause = qts_naver_quotes.drive(naver, mono, now);
	while ((event = qts_naver_quotes.next_event(naver)) != NULL)
	{
		take_answer(event, mono, now);
		qts_naver_quotes.event_free(event);
	}
	look(mono);
	return pause;
}

/* Is it time for this symbol, either to stand in or to compare? */
static bool
wanted_now(const QtsPolled *polled, int64 mono, TimestampTz now)
{
	int64 since = now - polled->other_at;

	/* a clock that was set back must not keep anything waiting */
	if (since < 0)
		since = PG_INT64_MAX;
	if (since >= AGAIN_US && now - polled->since >= AGAIN_US &&
		fallback_wanted(polled->symbol, polled->demoted, mono, now))
		return true;
	return since >= COMPARE_US && (polled->why & QTS_FOLLOW_HELD) != 0;
}

void
qts_naver_ask(bool closed, int64 mono, TimestampTz now)
{
	QtsQuoteRequest request = {.kind = QTS_QUOTE_PRICES};
	int n;
	QtsPolled *plan = qts_quotes_plan(&n);
	int most;

	if (off.why != QTS_NAVER_ON)
		(void) qts_naver_look(&off, &health, false, mono);
	naver_open();
	if (naver == NULL || closed)
		return;
	most = Min(qts_naver_quotes.per_request(naver), QTS_QUOTE_SYMBOLS);
	for (int i = 0; i < n; i++)
	{
		if (wanted_now(&plan[i], mono, now))
		{
			if (request.symbols == 0 && qts_naver_quotes.slots(naver, mono) <= 0)
				return;
			plan[i].other_at = now;
			strlcpy(request.symbol[request.symbols++], plan[i].symbol, QTS_SYMBOL_LEN + 1);
		}
		if (request.symbols == most || (i == n - 1 && request.symbols > 0))
		{
			/* what does not leave now is asked for in its next turn */
			shown_naver.asked += qts_naver_quotes.ask(naver, &request, mono);
			request.symbols = 0;
		}
	}
}

void
qts_naver_show(QtsPriceSync *shown)
{
	const char *trouble = naver == NULL ? "" : qts_naver_quotes.trouble(naver);

	shown->naver = shown_naver;
	strlcpy(shown->naver.state,
			off.why != QTS_NAVER_ON ? "OFF"
			: naver == NULL			? "NOT USED"
			: trouble[0] != '\0'	? "HELD"
									: "UP",
			sizeof(shown->naver.state));
	strlcpy(shown->naver.detail, off.why != QTS_NAVER_ON ? qts_naver_why(off.why) : trouble,
			sizeof(shown->naver.detail));
}
