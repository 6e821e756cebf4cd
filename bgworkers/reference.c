/*-------------------------------------------------------------------------
 *
 * reference.c
 *		What is asked of the broker once a day: trading days, daily bars, base
 *		prices with the limits of the day.
 *
 * When something is due is decided by core/reference; what is missing is in
 * the tables.  A try is committed before its request leaves, the answer with
 * the note that it is done: killed anywhere, nothing that is stored is asked
 * for again, and the rest after a while.  Nothing here is urgent: it leaves
 * in the lowest class of the limiter and behind the prices.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "guc.h"
#include "net/net.h"
#include "quotes.h"
#include "reference.h"
#include "reference_take.h"
#include "shm/wake.h"

#define ASKED_MAX 4				/* requests under way */
#define LOST_US (90 * QTS_SEC)	/* longer than any request may take: its session is gone */
#define AGAIN_US (60 * QTS_SEC) /* looked for anew though nothing seems to have changed */
#define TURN_MIN_MS 20
#define HOLD_MIN_US (1 * QTS_SEC)
#define HOLD_MAX_US (60 * QTS_SEC)

/* What is looked for, in this order: what is followed before what is not. */
typedef struct Step
{
	QtsReferenceTask task;
	bool all;
	QtsDate target; /* of the last look */
	TimestampTz next;
	TimestampTz looked_at;
	int64 looked_mono;
	uint64 version;
} Step;

static Step steps[] = {
	{.task = QTS_REFERENCE_CALENDAR},
	{.task = QTS_REFERENCE_BARS}, /* before what is compared with them */
	{.task = QTS_REFERENCE_BASES},
	{.task = QTS_REFERENCE_BASES, .all = true},
	{.task = QTS_REFERENCE_BARS, .all = true},
};

static struct
{
	bool used;
	int64 mono;
	QtsReferenceAsked of;
} asked[ASKED_MAX];

/* Claimed and not asked yet: all of one task. */
static QtsReferenceItem queue[QTS_QUOTE_SYMBOLS];
static QtsReferenceTask queue_task;
static QtsDate queue_target;
static int nqueue = 0;
static int queue_at;
static int64 queue_mono; /* when it last got shorter */
static bool more;		 /* the last look found something */

static QtsFollowed *followed = NULL;
static int nfollowed = 0;
static uint64 followed_version = 0;

static QtsDate days_of = QTS_DATE_NONE; /* the date before is of */
static QtsDate before;					/* the last trading day before today */
static uint64 days_version;

static int failures; /* requests in a row */
static int64 hold_until;

void
qts_reference_start(void)
{
	memset(asked, 0, sizeof(asked));
	nqueue = 0;
	for (int i = 0; i < (int) lengthof(steps); i++)
		steps[i].target = QTS_DATE_NONE;
	days_of = QTS_DATE_NONE;
	failures = 0;
	hold_until = 0;
	qts_reference_watch_start();
}

void
qts_reference_follow(const QtsFollowed *ranked, int n)
{
	bool same = n == nfollowed;

	for (int i = 0; i < n && same; i++)
		same = strcmp(ranked[i].symbol, followed[i].symbol) == 0 && ranked[i].why == followed[i].why;
	if (same)
		return;
	if (followed != NULL)
		pfree(followed);
	followed = NULL;
	nfollowed = 0;
	followed = MemoryContextAlloc(TopMemoryContext, sizeof(QtsFollowed) * (n + 1));
	memcpy(followed, ranked, sizeof(QtsFollowed) * n);
	nfollowed = n;
	followed_version++;
}

/* Grows with every change of what may be missing: symbols followed, the master, the calendar. */
static uint64
version_now(void)
{
	return followed_version + qts_change_count(QTS_CHANGE_CONFIG);
}

static int
under_way(void)
{
	int n = 0;

	for (int i = 0; i < ASKED_MAX; i++)
		n += asked[i].used;
	return n;
}

typedef struct Look
{
	Step *step;
	TimestampTz now;
} Look;

static void
claim(void *arg)
{
	Look *look = arg;
	Step *step = look->step;

	queue_at = 0;
	queue_task = step->task;
	queue_target = step->target;
	if (step->task == QTS_REFERENCE_CALENDAR)
	{
		memset(&queue[0], 0, sizeof(queue[0]));
		nqueue = qts_reference_claim_calendar(step->target, look->now, &step->next);
	}
	else
		nqueue = qts_reference_claim(step->task, step->target, followed, nfollowed, step->all, look->now,
									 queue, QTS_QUOTE_SYMBOLS, &step->next);
}

static void
days_load(void *arg)
{
	before = qts_reference_day_before(*(QtsDate *) arg);
}

/* Is there anything to look for?  What was seen last holds until something changes. */
static bool
step_due(Step *step, TimestampTz now, int64 mono)
{
	QtsDate target = qts_reference_target(step->task, qts_reference_today(now), before, now);
	bool changed = target != step->target || step->version != version_now();

	if (target == QTS_DATE_NONE || (step->all && qts_guc.reference_data != QTS_REFERENCE_ALL))
	{
		step->target = QTS_DATE_NONE;
		return false;
	}
	/* paper has no trading days to tell */
	if (step->task == QTS_REFERENCE_CALENDAR && qts_quotes_account()->environment == QTS_ENV_PAPER)
		return false;
	step->target = target;
	return changed || now >= step->next || now < step->looked_at || mono - step->looked_mono >= AGAIN_US;
}

static void
fill_queue(TimestampTz now, int64 mono)
{
	for (int i = 0; i < (int) lengthof(steps) && nqueue == 0; i++)
	{
		Look look = {.step = &steps[i], .now = now};

		if (!step_due(&steps[i], now, mono))
			continue;
		steps[i].looked_at = now;
		steps[i].looked_mono = mono;
		steps[i].version = version_now();
		steps[i].next = DT_NOEND;
		if (qts_reference_txn(claim, &look, "reference data wanted") != NULL)
			nqueue = 0;
		queue_mono = mono;
	}
	more = nqueue > 0;
}

static QtsQuoteKind
kind_of(QtsReferenceTask task)
{
	switch (task)
	{
		case QTS_REFERENCE_CALENDAR:
			return QTS_QUOTE_TRADING_DAYS;
		case QTS_REFERENCE_BARS:
			return QTS_QUOTE_DAILY_BARS;
		case QTS_REFERENCE_BASES:
		case QTS_REFERENCE_TASKS:
			break;
	}
	return QTS_QUOTE_BASE_PRICES;
}

/*
 * Bars are asked for as they were traded.  Adjusted ones change their past with
 * every action, so that what is stored day by day would be of no one series, and
 * they hide the jump that a base price is compared for.
 */
static bool
ask_next(int64 mono, TimestampTz now)
{
	QtsQuoteRequest request = {.kind = kind_of(queue_task), .from = queue_target, .to = queue_target};
	QtsReferenceAsked *of;
	int at = 0;

	while (at < ASKED_MAX && asked[at].used)
		at++;
	if (at == ASKED_MAX || nqueue == 0)
		return false;
	of = &asked[at].of;
	of->task = queue_task;
	of->target = queue_target;
	of->n = queue_task == QTS_REFERENCE_BASES ? Min(nqueue, qts_quotes_per_request()) : 1;
	for (int i = 0; i < of->n; i++)
	{
		of->item[i] = queue[queue_at + i];
		strlcpy(request.symbol[i], of->item[i].symbol, sizeof(request.symbol[i]));
	}
	request.symbols = queue_task == QTS_REFERENCE_CALENDAR ? 0 : of->n;
	if (queue_task == QTS_REFERENCE_BARS)
		request.from = of->item[0].from;
	request.tag = QTS_REFERENCE_TAG + at;
	if (!qts_quotes_ask(&request, mono, now))
		return false;
	asked[at].used = true;
	asked[at].mono = mono;
	queue_at += of->n;
	nqueue -= of->n;
	queue_mono = mono;
	return true;
}

void
qts_reference_told(const QtsQuoteEvent *event, int64 mono, TimestampTz now)
{
	uint64 at = event->tag - QTS_REFERENCE_TAG;
	bool failed;

	if (at >= ASKED_MAX || !asked[at].used)
		return;
	failed = !qts_reference_take(&asked[at].of, event, before, now);
	failures = failed ? failures + 1 : 0;
	if (failed)
		hold_until = mono + qts_backoff(failures - 1, HOLD_MIN_US, HOLD_MAX_US, (uint32) mono);
	asked[at].used = false;
}

long
qts_reference_turn(int64 mono, TimestampTz now)
{
	QtsDate date = qts_seoul_date(now);

	if (qts_guc.reference_data == QTS_REFERENCE_OFF || !qts_quotes_any())
	{
		nqueue = 0;
		more = false;
		return -1;
	}
	for (int i = 0; i < ASKED_MAX; i++)
		asked[i].used = asked[i].used && mono - asked[i].mono < LOST_US;
	if (date != days_of || version_now() != days_version)
	{
		days_version = version_now();
		if (qts_reference_txn(days_load, &date, "trading days") != NULL)
			return -1;
		days_of = date;
	}
	qts_reference_watch(followed, nfollowed, before, now, mono);
	/* claimed and never asked for: due again like any try that failed */
	if (mono - queue_mono >= LOST_US)
		nqueue = 0;
	if (mono < hold_until)
		return -1;
	if (nqueue == 0 && under_way() == 0 && qts_quotes_room(mono, now))
		fill_queue(now, mono);
	while (ask_next(mono, now))
		;
	/* the next slot of the limiter; what is under way wakes by itself */
	return more && under_way() < ASKED_MAX ? Max(qts_quotes_room_wait(mono), TURN_MIN_MS) : -1;
}
