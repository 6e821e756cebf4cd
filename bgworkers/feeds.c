/*-------------------------------------------------------------------------
 *
 * feeds.c
 *		The broker's push feeds, one per credentials.
 *
 * One WebSocket per app key exists at the broker, so the prices worker owns
 * them all: ticks go to tables and board, notices to the execution worker.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "db/exec.h"
#include "db/txn.h"
#include "feeds.h"
#include "guc.h"
#include "net/net.h"
#include "quotes.h"
#include "sessions.h"
#include "shm/shm.h"
#include "ticks.h"

#define TICK_BATCH 2048
#define FEED_SYMBOLS (QTS_FEED_MAX_KEYS - 1) /* one registration is the notices' */
#define REPORT_US (200 * QTS_MS)
#define REOPEN_US (5 * QTS_SEC)

typedef struct FeedOf
{
	QtsFeed *feed;		   /* NULL: could not be opened */
	QtsAccountRow account; /* the first account that named these credentials */
	uint64 epoch;
	QtsFeedCounters counted; /* already added to the statistics */
	QtsFeedState state;		 /* as last reported */
	int64 reported_mono;
	char symbol[FEED_SYMBOLS][QTS_SYMBOL_LEN + 1]; /* that it pushes */
	int nsymbols;
	int64 heard_mono; /* the last price, or when it was opened */
	bool told_silent;
} FeedOf;

static FeedOf feeds[QTS_SHM_FEEDS];
static int nfeeds = 0;
static QtsTick *batch = NULL;
static int64 opened_mono;

static void
feed_report(int i, const char *state, const char *why)
{
	QtsFeedSlot *slot = &qts_shm->feed[i];
	QtsFeedCounters c = {0};

	if (feeds[i].feed != NULL)
		c = qts_kis_feed_counters(feeds[i].feed);
	LWLockAcquire(qts_shm->lock, LW_EXCLUSIVE);
	if (strcmp(slot->state, state) != 0 || strcmp(slot->name, feeds[i].account.credentials) != 0)
		slot->since = GetCurrentTimestamp();
	strlcpy(slot->name, feeds[i].account.credentials, sizeof(slot->name));
	strlcpy(slot->state, state, sizeof(slot->state));
	strlcpy(slot->detail, why, sizeof(slot->detail));
	slot->epoch = feeds[i].epoch;
	slot->frames = c.frames;
	slot->ticks = c.ticks;
	slot->notices = c.notices;
	slot->malformed = c.malformed + c.undecryptable;
	slot->overflow = c.overflow;
	LWLockRelease(qts_shm->lock);
}

void
qts_feeds_close(void)
{
	for (int i = 0; i < nfeeds; i++)
		if (feeds[i].feed != NULL)
			qts_kis_feed_close(feeds[i].feed);
	nfeeds = 0;
	LWLockAcquire(qts_shm->lock, LW_EXCLUSIVE);
	memset(qts_shm->feed, 0, sizeof(qts_shm->feed));
	LWLockRelease(qts_shm->lock);
}

static void
feed_open(FeedOf *of)
{
	QtsBrokerConfig config;
	char why[256];
	char hint[256];

	if (of->account.environment == QTS_ENV_LIVE && qts_guc.sim_clock)
		strlcpy(why, "a live account never runs on qts.sim_clock", sizeof(why));
	else if (qts_broker_config(of->account.credentials, of->account.environment, of->account.rest_url,
							   of->account.ws_url, of->account.rate_limit, &config, why, sizeof(why), hint,
							   sizeof(hint)))
	{
		of->feed = qts_kis_feed_open(&config);
		if (of->feed == NULL)
			strlcpy(why, "out of memory", sizeof(why));
	}
	qts_broker_config_wipe();
	/* the execution worker raises the alert: it reads the same file */
	feed_report((int) (of - feeds), of->feed ? "CONNECTING" : "FAILED", of->feed ? "" : why);
}

/* One feed per credentials, named by the first account that uses them. */
void
qts_feeds_load(void)
{
	int count;
	QtsAccountRow *rows = qts_accounts_load(&count);
	bool changed = false;
	int wanted = 0;

	for (int i = 0; i < count && wanted < QTS_SHM_FEEDS; i++)
	{
		bool known = false;

		for (int k = 0; k < i && !known; k++)
			known = strcmp(rows[k].credentials, rows[i].credentials) == 0 &&
					rows[k].environment == rows[i].environment;
		if (known)
			continue;
		changed |= wanted >= nfeeds ||
				   memcmp(&feeds[wanted].account, &rows[i], offsetof(QtsAccountRow, paused)) != 0;
		rows[wanted++] = rows[i];
	}
	if (!changed && wanted == nfeeds)
		return;
	qts_feeds_close();
	for (int i = 0; i < wanted; i++)
	{
		memset(&feeds[i], 0, sizeof(feeds[i]));
		feeds[i].account = rows[i];
	}
	nfeeds = wanted;
}

static bool
feed_has(const FeedOf *of, const char *symbol)
{
	for (int i = 0; i < of->nsymbols; i++)
		if (strcmp(of->symbol[i], symbol) == 0)
			return true;
	return false;
}

/*
 * Give the chosen symbols to the feeds of one environment.  One that is
 * pushed already stays where it is: moving it would cost a gap.
 */
static void
feeds_share(QtsEnvironment environment, const QtsFollowed *ranked, const int *chosen, int n)
{
	QtsFeedWant next[QTS_SHM_FEEDS][FEED_SYMBOLS];
	int used[QTS_SHM_FEEDS] = {0};

	for (int pass = 0; pass < 2; pass++)
	{
		for (int i = 0; i < n; i++)
		{
			const char *symbol = ranked[chosen[i]].symbol;
			int keeper = -1;
			int room = -1;

			for (int f = 0; f < nfeeds; f++)
			{
				if (feeds[f].feed == NULL || feeds[f].account.environment != environment)
					continue;
				if (feed_has(&feeds[f], symbol))
					keeper = f;
				if (room < 0 && used[f] < FEED_SYMBOLS)
					room = f;
			}
			/* first those that stay, then the others where there is room */
			if ((keeper >= 0) == (pass == 0))
			{
				int f = pass == 0 ? keeper : room;

				/* books for what may be sold, where the trades of all leave room */
				next[f][used[f]] =
					(QtsFeedWant){.trades = true, .book = (ranked[chosen[i]].why & QTS_FOLLOW_HELD) != 0};
				strlcpy(next[f][used[f]++].symbol, symbol, QTS_SYMBOL_LEN + 1);
			}
		}
	}
	for (int f = 0; f < nfeeds; f++)
	{
		if (feeds[f].feed == NULL || feeds[f].account.environment != environment)
			continue;
		for (int i = 0; i < used[f]; i++)
			memcpy(feeds[f].symbol[i], next[f][i].symbol, sizeof(feeds[f].symbol[i]));
		feeds[f].nsymbols = used[f];
		(void) qts_kis_feed_want(feeds[f].feed, next[f], used[f], NULL);
	}
}

/* The most important symbols, as many as the feeds have room for. */
void
qts_feeds_want(const QtsFollowed *ranked, int n)
{
	for (int environment = QTS_ENV_LIVE; environment <= QTS_ENV_SIM; environment++)
	{
		char current[QTS_SHM_FEEDS * FEED_SYMBOLS][QTS_SYMBOL_LEN + 1];
		int chosen[QTS_SHM_FEEDS * FEED_SYMBOLS];
		int ncurrent = 0;
		int places = 0;

		for (int f = 0; f < nfeeds; f++)
		{
			if (feeds[f].feed == NULL || (int) feeds[f].account.environment != environment)
				continue;
			memcpy(current[ncurrent], feeds[f].symbol, sizeof(feeds[f].symbol[0]) * feeds[f].nsymbols);
			ncurrent += feeds[f].nsymbols;
			places += FEED_SYMBOLS;
		}
		if (places > 0)
			feeds_share((QtsEnvironment) environment, ranked, chosen,
						qts_push_choose(ranked, n, (const char(*)[QTS_SYMBOL_LEN + 1]) current, ncurrent,
										places, chosen));
	}
}

/* Notices first: they are money.  When the queue is full the feed keeps them. */
static bool
pass_notices(QtsFeed *feed, TimestampTz now)
{
	QtsNotice notices[64];
	int room = Min(qts_notices_room(), (int) lengthof(notices));
	int n = room > 0 ? qts_kis_feed_notices(feed, notices, room) : 0;

	for (int i = 0; i < n; i++)
	{
		qts_notices_push(&notices[i]);
		qts_quotes_moved(notices[i].symbol, now);
	}
	return n > 0;
}

/* Books first: a tick without sides of its own takes them from there. */
static bool
feed_ticks(FeedOf *of, int64 readable_mono)
{
	QtsBook books[16];
	int n;

	while ((n = qts_kis_feed_books(of->feed, books, lengthof(books))) > 0)
		qts_books_take(books, n);
	n = qts_kis_feed_ticks(of->feed, batch, TICK_BATCH);
	if (n > 0)
		of->heard_mono = readable_mono;
	qts_ticks_take(batch, n, readable_mono);
	return n == TICK_BATCH;
}

/* What they said is in the ledger: the execution worker must ask it. */
static void
notices_unread(const FeedOf *of, uint64 unread)
{
	pg_atomic_fetch_add_u64(&qts_shm->feed_gap, 1);
	if (!qts_txn_begin("unread notices"))
		return;
	qts_alert("WARNING", "NOTICE_UNREADABLE", of->account.credentials,
			  "The ledger is asked instead. If it goes on, the broker has changed its format.",
			  UINT64_FORMAT " execution notices of \"%s\" could not be read", unread,
			  of->account.credentials);
	qts_txn_commit_local();
}

/* What is new since the last look; most turns bring a frame at most. */
static void
feed_count(const QtsFeedCounters *now, const QtsFeedCounters *before)
{
	const struct
	{
		QtsCounter counter;
		uint64 n;
	} news[] = {
		{QTS_COUNT_FRAMES, now->frames - before->frames},
		{QTS_COUNT_FRAMES_MALFORMED, now->malformed - before->malformed},
		{QTS_COUNT_FRAMES_SEALED, now->undecryptable - before->undecryptable},
		{QTS_COUNT_FEED_DROPS, now->drops - before->drops},
		{QTS_COUNT_TICKS_LOST, now->overflow - before->overflow},
		{QTS_COUNT_BOOKS_LOST, now->books_lost - before->books_lost},
		{QTS_COUNT_NOTICES_UNREAD, now->unread - before->unread},
	};

	for (int i = 0; i < (int) lengthof(news); i++)
		if (news[i].n != 0)
			qts_count(news[i].counter, news[i].n);
}

static long
feed_turn(int i, int64 mono, TimestampTz now, bool *notices, bool *more)
{
	static const char *const names[] = {
		[QTS_FEED_DOWN] = "DOWN", [QTS_FEED_CONNECTING] = "CONNECTING", [QTS_FEED_UP] = "UP"};
	QtsFeed *feed = feeds[i].feed;
	uint64 epoch;
	char why[QTS_SHM_DETAIL] = "";
	QtsFeedState state;
	QtsFeedCounters counters;
	long pause;

	if (feed == NULL)
		return REOPEN_US / QTS_MS;
	pause = qts_kis_feed_drive(feed, mono, now);
	*notices |= pass_notices(feed, now);
	*more |= feed_ticks(&feeds[i], mono);
	state = qts_kis_feed_state(feed, &epoch, why, sizeof(why));
	if (epoch != feeds[i].epoch)
	{
		feeds[i].epoch = epoch;
		/* nothing is replayed after a gap: the execution worker must ask the ledger */
		pg_atomic_fetch_add_u64(&qts_shm->feed_gap, 1);
		*notices = true;
	}
	counters = qts_kis_feed_counters(feed);
	feed_count(&counters, &feeds[i].counted);
	if (counters.unread != feeds[i].counted.unread)
	{
		notices_unread(&feeds[i], counters.unread - feeds[i].counted.unread);
		*notices = true;
	}
	feeds[i].counted = counters;
	/* state() reads these: often enough for people, not at every tick */
	if (state != feeds[i].state || mono - feeds[i].reported_mono >= REPORT_US)
	{
		feed_report(i, names[state], why);
		feeds[i].state = state;
		feeds[i].reported_mono = mono;
	}
	return pause;
}

int
qts_feeds_count(void)
{
	return nfeeds;
}

bool
qts_feeds_missing(int64 mono)
{
	if (mono - opened_mono < REOPEN_US)
		return false;
	for (int i = 0; i < nfeeds; i++)
		if (feeds[i].feed == NULL)
			return true;
	return false;
}

void
qts_feeds_open(int64 mono)
{
	if (batch == NULL)
		batch = MemoryContextAlloc(TopMemoryContext, sizeof(QtsTick) * TICK_BATCH);
	for (int i = 0; i < nfeeds; i++)
		if (feeds[i].feed == NULL)
		{
			feed_open(&feeds[i]);
			feeds[i].heard_mono = mono;
		}
	opened_mono = mono;
}

long
qts_feeds_turn(int64 mono, TimestampTz now, bool *more)
{
	bool notices = false;
	long pause = -1;

	for (int i = 0; i < nfeeds; i++)
	{
		long next = feed_turn(i, mono, now, &notices, more);

		if (next >= 0)
			pause = pause < 0 ? next : Min(pause, next);
	}
	if (notices)
		qts_wake_now(QTS_WORKER_EXECUTION);
	return pause;
}

static void
feed_silent(FeedOf *of, int64 silent)
{
	if (!qts_txn_begin("silent feed"))
		return;
	qts_alert(
		"WARNING", "WS_SILENT", of->account.credentials,
		"Its symbols are asked for instead. If prices move elsewhere, look at the network and at the broker's notices.",
		"no price was pushed by feed \"%s\" for %d s", of->account.credentials, (int) (silent / QTS_SEC));
	qts_txn_commit_local();
	of->told_silent = true;
}

bool
qts_feeds_quiet(int64 mono, bool prints)
{
	bool quiet = false;

	for (int i = 0; i < nfeeds; i++)
	{
		FeedOf *of = &feeds[i];
		int64 silent = mono - of->heard_mono;
		QtsPushState state;

		/* the clock of silence starts when prices are expected */
		if (!prints || of->nsymbols == 0)
			of->heard_mono = mono;
		state = qts_push_state(of->feed != NULL && of->state == QTS_FEED_UP, of->nsymbols, silent, prints);
		quiet |= state != QTS_PUSH_SPEAKS || of->feed == NULL;
		if (state == QTS_PUSH_SILENT && !of->told_silent)
			feed_silent(of, silent);
		else if (state == QTS_PUSH_SPEAKS)
			of->told_silent = false;
	}
	return quiet;
}
