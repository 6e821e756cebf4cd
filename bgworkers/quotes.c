/*-------------------------------------------------------------------------
 *
 * quotes.c
 *		Quotes of the broker by request: followed symbols, tier by tier.
 *
 * Which symbols leave next is decided by core/poll; when they may is the
 * limiter's word, which all processes of an app key share.  An answer is
 * ticks like any other.  Nothing here is a truth: after a crash everything is
 * due at once.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "broker/quotes.h"
#include "db/exec.h"
#include "guc.h"
#include "jobs.h"
#include "quotes.h"
#include "reference.h"
#include "sessions.h"
#include "shm/shm.h"
#include "ticks.h"

#define ASKING_MAX 64
#define JUST_NOW (1 * QTS_SEC)
#define RETRY_MS 1000
#define PATIENT_US (10 * QTS_SEC) /* a question that can wait gets its turn though prices are due */

StaticAssertDecl(ASKING_MAX <= QTS_REFERENCE_TAG, "tags tell whose request it was");

typedef struct QuotesOf
{
	QtsQuotes *quotes;	   /* NULL: could not be opened */
	QtsAccountRow account; /* the first account that named these credentials */
	QtsBrokerTuning tuning;
} QuotesOf;

/* A request under way; its index is the tag. */
typedef struct Asking
{
	bool used;
	int n;
	char symbol[QTS_QUOTE_SYMBOLS][QTS_SYMBOL_LEN + 1];
} Asking;

static QuotesOf sessions[QTS_SHM_FEEDS];
static int nsessions = 0;
static Asking askings[ASKING_MAX];
static int64 patient_mono; /* when a question that can wait last left */

static MemoryContext plan_cxt = NULL;
static QtsFollowed *ranked = NULL;
static QtsPolled *plan = NULL;
static int *batch = NULL;
static int nplan = 0;

static QtsTierCondition tiers_by;
static QtsTierPolicy policy;
static QtsSourceHealth health;
static QtsSourceShown shown_rest;

void
qts_quotes_close(void)
{
	for (int i = 0; i < nsessions; i++)
		if (sessions[i].quotes != NULL)
			qts_kis_quotes.close(sessions[i].quotes);
	nsessions = 0;
	memset(askings, 0, sizeof(askings));
	for (int i = 0; i < nplan; i++)
		plan[i].asked = false;
}

/* One per credentials, of the most real environment there is: a simulator never prices a real account. */
void
qts_quotes_load(void)
{
	int count;
	QtsAccountRow *rows = qts_accounts_load(&count);
	QtsEnvironment most = QTS_ENV_SIM;
	int wanted = 0;
	bool changed = false;

	for (int i = 0; i < count; i++)
		most = Min(most, rows[i].environment);
	for (int i = 0; i < count && wanted < QTS_SHM_FEEDS; i++)
	{
		bool known = rows[i].environment != most;

		for (int k = 0; k < wanted && !known; k++)
			known = strcmp(rows[k].credentials, rows[i].credentials) == 0;
		if (known)
			continue;
		changed |= wanted >= nsessions ||
				   memcmp(&sessions[wanted].account, &rows[i], offsetof(QtsAccountRow, paused)) != 0;
		rows[wanted++] = rows[i];
	}
	if (!changed && wanted == nsessions)
		return;
	qts_quotes_close();
	for (int i = 0; i < wanted; i++)
	{
		memset(&sessions[i], 0, sizeof(sessions[i]));
		sessions[i].account = rows[i];
	}
	nsessions = wanted;
}

void
qts_quotes_open(void)
{
	for (int i = 0; i < nsessions && qts_guc.quotes; i++)
	{
		QuotesOf *of = &sessions[i];
		QtsBrokerConfig config;
		char why[256];
		char hint[256];

		/* what is wrong with the file is the execution worker's to tell */
		if (of->quotes != NULL || (of->account.environment == QTS_ENV_LIVE && qts_guc.sim_clock))
			continue;
		if (qts_broker_config(of->account.credentials, of->account.environment, of->account.rest_url,
							  of->account.ws_url, of->account.rate_limit, &config, why, sizeof(why), hint,
							  sizeof(hint)))
		{
			of->tuning = config.tuning;
			of->quotes = qts_kis_quotes.open(&config);
		}
		qts_broker_config_wipe();
	}
}

bool
qts_quotes_any(void)
{
	for (int i = 0; i < nsessions && qts_guc.quotes; i++)
		if (sessions[i].quotes != NULL)
			return true;
	return false;
}

void
qts_quotes_follow(const QtsFollowed *followed, int n, QtsTime now)
{
	MemoryContext cxt = AllocSetContextCreate(TopMemoryContext, "qts quotes", ALLOCSET_DEFAULT_SIZES);
	QtsPolled *next = MemoryContextAlloc(cxt, sizeof(QtsPolled) * (n + 1));
	QtsFollowed *kept = MemoryContextAlloc(cxt, sizeof(QtsFollowed) * (n + 1));

	memcpy(kept, followed, sizeof(QtsFollowed) * n);
	policy = qts_tier_policy(&tiers_by);
	qts_poll_plan(kept, n, &policy, plan, nplan, now, next);
	batch = MemoryContextAlloc(cxt, sizeof(int) * (n + 1));
	if (plan_cxt != NULL)
		MemoryContextDelete(plan_cxt);
	plan_cxt = cxt;
	ranked = kept;
	plan = next;
	nplan = n;
}

const QtsAccountRow *
qts_quotes_account(void)
{
	return nsessions > 0 ? &sessions[0].account : NULL;
}

QtsPolled *
qts_quotes_plan(int *n)
{
	*n = nplan;
	return plan;
}

int64
qts_quotes_overdue_after(const QtsPolled *polled)
{
	return qts_poll_overdue_after(polled, &policy);
}

void
qts_quotes_condition(const QtsTierCondition *condition, QtsTime now)
{
	if (memcmp(condition, &tiers_by, sizeof(tiers_by)) == 0)
		return;
	tiers_by = *condition;
	qts_quotes_follow(ranked, nplan, now);
}

static QtsPolled *
plan_find(const char *symbol)
{
	for (int i = 0; i < nplan; i++)
		if (strcmp(plan[i].symbol, symbol) == 0)
			return &plan[i];
	return NULL;
}

bool
qts_quotes_at_once(const char *symbol)
{
	QtsPolled *polled = plan_find(symbol);

	if (polled != NULL)
		polled->at_once = true;
	return polled != NULL;
}

void
qts_quotes_moved(const char *symbol, QtsTime now)
{
	QtsPolled *polled = plan_find(symbol);

	/* a flood of fills must not become a flood of requests */
	if (polled != NULL && !polled->asked && (polled->told_at > now || now - polled->told_at >= JUST_NOW))
		polled->at_once = true;
}

static QtsQuoted
answer_kind(const QtsQuoteEvent *event)
{
	if (event->outcome == QTS_OUTCOME_OK)
		return QTS_QUOTED_GOOD;
	if (event->throttled)
		return QTS_QUOTED_THROTTLED;
	return event->http_status == 0 ? QTS_QUOTED_SILENT : QTS_QUOTED_FAILED;
}

static bool
brought(const QtsQuoteEvent *event, const char *symbol)
{
	for (int i = 0; i < event->count; i++)
		if (strcmp(event->ticks[i].symbol, symbol) == 0)
			return true;
	return false;
}

static void
take_answer(QtsQuoteEvent *event, int64 mono, TimestampTz now)
{
	Asking *asking = &askings[event->tag % ASKING_MAX];
	QtsQuoted kind = answer_kind(event);

	if (event->tag >= QTS_REFERENCE_TAG)
	{
		/* the limit is one for all; another kind of failure says nothing about prices */
		if (kind == QTS_QUOTED_THROTTLED)
			qts_health_add(&health, kind, mono);
		qts_reference_told(event, mono, now);
		return;
	}
	qts_health_add(&health, kind, mono);
	shown_rest.answers[kind]++;
	shown_rest.refused += event->refused;
	if (kind == QTS_QUOTED_GOOD)
		shown_rest.brought += event->count;
	for (int i = 0; i < asking->n; i++)
	{
		QtsPolled *polled = plan_find(asking->symbol[i]);
		bool came = kind == QTS_QUOTED_GOOD && brought(event, asking->symbol[i]);

		if (polled != NULL)
			qts_poll_told(polled, came, now);
		qts_jobs_told(asking->symbol[i], QTS_SOURCE_KIS_REST, came,
					  kind == QTS_QUOTED_GOOD		 ? "the broker did not quote it"
					  : kind == QTS_QUOTED_SILENT	 ? "no answer"
					  : kind == QTS_QUOTED_THROTTLED ? "refused for the rate"
													 : event->msg);
	}
	asking->used = false;
	if (kind == QTS_QUOTED_GOOD)
		qts_ticks_take(event->ticks, event->count, event->done_us);
}

static Asking *
asking_free(void)
{
	for (int i = 0; i < ASKING_MAX; i++)
		if (!askings[i].used)
			return &askings[i];
	return NULL;
}

/* One batch; false = nothing is due, or no session may ask now. */
static bool
ask_batch(QuotesOf *of, int64 mono, TimestampTz now)
{
	QtsQuoteRequest request = {.kind = QTS_QUOTE_PRICES};
	Asking *asking = asking_free();

	if (of->quotes == NULL || asking == NULL || qts_kis_quotes.slots(of->quotes, mono) <= 0)
		return false;
	request.symbols =
		qts_poll_batch(plan, nplan, &policy, now, qts_kis_quotes.per_request(of->quotes), batch);
	if (request.symbols == 0)
		return false;
	request.tag = asking - askings;
	for (int i = 0; i < request.symbols; i++)
		strlcpy(request.symbol[i], plan[batch[i]].symbol, sizeof(request.symbol[i]));
	if (!qts_kis_quotes.ask(of->quotes, &request, mono))
		return false;
	asking->used = true;
	asking->n = request.symbols;
	memcpy(asking->symbol, request.symbol, sizeof(asking->symbol));
	for (int i = 0; i < request.symbols; i++)
		qts_poll_asked(&plan[batch[i]], &policy, now);
	shown_rest.asked++;
	return true;
}

/* A session that could send now; NULL = none. */
static QuotesOf *
session_with_room(int64 mono)
{
	for (int i = 0; i < nsessions; i++)
		if (sessions[i].quotes != NULL && qts_kis_quotes.slots(sessions[i].quotes, mono) > 0)
			return &sessions[i];
	return NULL;
}

bool
qts_quotes_room(int64 mono, TimestampTz now)
{
	if (qts_poll_wait(plan, nplan, &policy, now) == 0 && mono - patient_mono < PATIENT_US)
		return false;
	return session_with_room(mono) != NULL;
}

bool
qts_quotes_ask(const QtsQuoteRequest *request, int64 mono, TimestampTz now)
{
	QuotesOf *of = qts_quotes_room(mono, now) ? session_with_room(mono) : NULL;

	if (of == NULL || !qts_kis_quotes.ask(of->quotes, request, mono))
		return false;
	patient_mono = mono;
	return true;
}

int
qts_quotes_per_request(void)
{
	int most = QTS_QUOTE_SYMBOLS;

	for (int i = 0; i < nsessions; i++)
		if (sessions[i].quotes != NULL)
			most = Min(most, qts_kis_quotes.per_request(sessions[i].quotes));
	return most;
}

long
qts_quotes_room_wait(int64 mono)
{
	long slot = RETRY_MS;

	for (int i = 0; i < nsessions; i++)
	{
		long wait =
			sessions[i].quotes == NULL ? RETRY_MS : qts_kis_quotes.slot_wait_ms(sessions[i].quotes, mono);

		if (wait >= 0)
			slot = Min(slot, wait);
	}
	return Max(slot, 1);
}

static long
session_turn(QuotesOf *of, int64 mono, TimestampTz now)
{
	QtsBrokerTuning tuning = qts_broker_tuning(of->account.environment, of->account.rate_limit);
	QtsQuoteEvent *event;
	long pause;

	if (memcmp(&tuning, &of->tuning, sizeof(tuning)) != 0)
		qts_kis_quotes.tune(of->quotes, &tuning);
	of->tuning = tuning;
	pause = qts_kis_quotes.drive(of->quotes, mono, now);
	while ((event = qts_kis_quotes.next_event(of->quotes)) != NULL)
	{
		take_answer(event, mono, now);
		qts_kis_quotes.event_free(event);
	}
	return pause;
}

/* ms until the next batch could leave; 0 is never returned: something stands in the way. */
static long
ask_pause(int64 mono, TimestampTz now)
{
	int64 due = qts_poll_wait(plan, nplan, &policy, now);

	if (due < 0)
		return -1;
	return due > 0 ? (long) (due / QTS_MS + 1) : qts_quotes_room_wait(mono);
}

long
qts_quotes_turn(int64 mono, TimestampTz now)
{
	long pause = -1;
	long next;
	bool asked;

	if (!qts_guc.quotes)
	{
		if (nsessions > 0 && sessions[0].quotes != NULL)
			qts_quotes_close();
		return -1;
	}
	if (!qts_quotes_any())
		return -1;
	for (int i = 0; i < nsessions; i++)
	{
		next = sessions[i].quotes == NULL ? -1 : session_turn(&sessions[i], mono, now);
		if (next >= 0)
			pause = pause < 0 ? next : Min(pause, next);
	}
	do
	{
		asked = false;
		for (int i = 0; i < nsessions; i++)
			asked |= ask_batch(&sessions[i], mono, now);
	} while (asked);
	next = ask_pause(mono, now);
	if (next >= 0)
		pause = pause < 0 ? next : Min(pause, next);
	return pause;
}

const QtsSourceHealth *
qts_quotes_health(void)
{
	return &health;
}

void
qts_quotes_show(QtsPriceSync *shown)
{
	const char *trouble = "";

	for (int t = 0; t < QTS_TIERS; t++)
	{
		QtsTierShown *tier = &shown->tier[t];
		int64 first = PG_INT64_MAX;
		int64 last = PG_INT64_MIN;

		memset(tier, 0, sizeof(*tier));
		tier->interval = policy.interval[t];
		for (int i = 0; i < nplan; i++)
		{
			if (plan[i].tier != t)
				continue;
			tier->symbols++;
			first = Min(first, plan[i].told_at);
			last = Max(last, plan[i].told_at);
		}
		tier->sweep = tier->symbols == 0 || first == INT64_MIN ? -1 : last - first;
	}
	for (int i = 0; i < nsessions && trouble[0] == '\0'; i++)
		if (sessions[i].quotes != NULL)
			trouble = qts_kis_quotes.trouble(sessions[i].quotes);
	shown->rest = shown_rest;
	strlcpy(shown->rest.state,
			!qts_guc.quotes		 ? "OFF"
			: !qts_quotes_any()	 ? "DOWN"
			: trouble[0] != '\0' ? "HELD"
								 : "UP",
			sizeof(shown->rest.state));
	strlcpy(shown->rest.detail, trouble, sizeof(shown->rest.detail));
}
