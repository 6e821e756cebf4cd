/*-------------------------------------------------------------------------
 *
 * prices.c
 *		Follows the broker's feeds: ticks to tables and board, notices to the
 *		execution worker.
 *
 * One WebSocket per app key exists at the broker, so this worker owns them
 * all.  A turn stores every tick that arrived in one transaction and
 * publishes the board after its commit: the board never shows what a crash
 * could take back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "core/tick.h"
#include "db/exec.h"
#include "db/price_store.h"
#include "db/txn.h"
#include "guc.h"
#include "net/net.h"
#include "sessions.h"
#include "shm/board.h"
#include "shm/clock.h"
#include "shm/point.h"
#include "shm/shm.h"
#include "worker.h"

#define TICK_BATCH 2048
#define SWEEP_US (1 * QTS_SEC)
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
} FeedOf;

static FeedOf feeds[QTS_SHM_FEEDS];
static int nfeeds = 0;
static QtsTick *batch = NULL;
static int64 tick_seq = 0;
static uint64 seen_position, seen_config, seen_account;
static QtsDate seen_date;
static int64 swept_mono;
static int64 opened_mono;

static void
prices_start(void)
{
	seen_position = seen_config = seen_account = 0;
	seen_date = PG_INT32_MIN;
	swept_mono = opened_mono = 0;
	if (batch == NULL)
		batch = MemoryContextAlloc(TopMemoryContext, sizeof(QtsTick) * TICK_BATCH);
}

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

static void
feeds_close(void)
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
prices_stop(void)
{
	feeds_close();
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
static void
feeds_load(void)
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
	feeds_close();
	for (int i = 0; i < wanted; i++)
	{
		memset(&feeds[i], 0, sizeof(feeds[i]));
		feeds[i].account = rows[i];
	}
	nfeeds = wanted;
}

/* Each symbol goes to the feed of an account that needs it, while it has room. */
static void
feeds_want(const QtsWanted *wanted, int n)
{
	for (int f = 0; f < nfeeds; f++)
	{
		char symbols[QTS_FEED_MAX_KEYS][QTS_SYMBOL_LEN + 1];
		int used = 0;

		if (feeds[f].feed == NULL)
			continue;
		for (int i = 0; i < n && used < QTS_FEED_MAX_KEYS; i++)
		{
			bool there = false;

			for (int k = 0; k < used && !there; k++)
				there = strcmp(symbols[k], wanted[i].symbol) == 0;
			for (int k = 0; k < f && !there; k++) /* another feed of the same market has it */
				there = feeds[k].account.environment == feeds[f].account.environment &&
						strcmp(feeds[k].account.account, wanted[i].account) == 0 &&
						strcmp(feeds[f].account.account, wanted[i].account) != 0;
			if (!there)
				strlcpy(symbols[used++], wanted[i].symbol, QTS_SYMBOL_LEN + 1);
		}
		(void) qts_kis_feed_want(feeds[f].feed, (const char(*)[QTS_SYMBOL_LEN + 1]) symbols, used);
	}
}

static bool
follow_changes(TimestampTz now, int64 mono)
{
	uint64 position = qts_change_count(QTS_CHANGE_POSITION);
	uint64 config = qts_change_count(QTS_CHANGE_CONFIG);
	uint64 account = qts_change_count(QTS_CHANGE_ACCOUNT);
	QtsDate date = qts_seoul_date(now);
	bool broken = false;
	QtsWanted *wanted;
	int n;

	for (int i = 0; i < nfeeds; i++)
		broken |= feeds[i].feed == NULL;
	if (position == seen_position && config == seen_config && account == seen_account && date == seen_date &&
		!(broken && mono - opened_mono >= REOPEN_US))
		return true;
	if (!qts_txn_begin("prices load"))
		return false;
	if (date != seen_date)
		qts_price_ensure_partitions(date);
	feeds_load();
	qts_price_warm_board(now);
	wanted = qts_price_wanted(&n);
	for (int i = 0; i < n; i++)
		(void) qts_board_claim(wanted[i].symbol);
	{
		MemoryContext old = MemoryContextSwitchTo(qts_turn_cxt);
		QtsWanted *copy = palloc(sizeof(QtsWanted) * (n + 1));

		memcpy(copy, wanted, sizeof(QtsWanted) * n);
		wanted = copy;
		MemoryContextSwitchTo(old);
	}
	qts_txn_commit();
	for (int i = 0; i < nfeeds; i++)
		if (feeds[i].feed == NULL)
			feed_open(&feeds[i]);
	opened_mono = mono;
	feeds_want(wanted, n);
	seen_position = position;
	seen_config = config;
	seen_account = account;
	seen_date = date;
	return true;
}

/* Notices first: they are money.  When the queue is full the feed keeps them. */
static bool
pass_notices(QtsFeed *feed)
{
	QtsNotice notices[64];
	int room = Min(qts_notices_room(), (int) lengthof(notices));
	int n = room > 0 ? qts_kis_feed_notices(feed, notices, room) : 0;

	for (int i = 0; i < n; i++)
		qts_notices_push(&notices[i]);
	return n > 0;
}

/*
 * Is the print believable?  The first one of a day also gives the previous
 * close, and with it the day's limits, when the master does not know them.
 */
static bool
tick_entry(const QtsTick *tick, int slot, QtsBoardEntry *entry)
{
	QtsKrw lower;
	QtsKrw upper;

	if (!qts_board_read(slot, entry))
		memset(entry, 0, sizeof(*entry));
	if (entry->upper == 0 &&
		qts_price_limits(tick->price - tick->change, QTS_INSTRUMENT_STOCK, &lower, &upper))
	{
		entry->lower = QTS_PRICE(lower);
		entry->upper = QTS_PRICE(upper);
	}
	if (!qts_price_plausible(QTS_PRICE(tick->price), entry->lower, entry->upper))
		return false;
	entry->quote.last = QTS_PRICE(tick->price);
	entry->quote.bid = QTS_PRICE(tick->bid);
	entry->quote.ask = QTS_PRICE(tick->ask);
	entry->quote.volume = tick->acml_volume;
	entry->quote.exch_at = tick->exch_at;
	entry->quote.recv_at = tick->recv_at;
	entry->source = QTS_SOURCE_KIS_WS;
	entry->halted = tick->halted;
	entry->prev_close = QTS_PRICE(tick->price - tick->change);
	return true;
}

/* Keep the believable ticks of known symbols; returns how many. */
static int
batch_clean(int n)
{
	int kept = 0;

	for (int i = 0; i < n; i++)
	{
		QtsBoardEntry entry;
		int slot = qts_board_find(batch[i].symbol);

		if (slot < 0 || !tick_entry(&batch[i], slot, &entry))
			qts_count(QTS_COUNT_TICKS_REFUSED, 1);
		else
			batch[kept++] = batch[i];
	}
	return kept;
}

static bool
take_ticks(QtsFeed *feed, int64 readable_mono)
{
	int n = qts_kis_feed_ticks(feed, batch, TICK_BATCH);
	bool full = n == TICK_BATCH;

	if (n == 0)
		return false;
	qts_count(QTS_COUNT_TICKS, n);
	n = batch_clean(n);
	if (n == 0)
		return full;
	if (!qts_txn_begin("ticks"))
	{
		qts_count(QTS_COUNT_TICKS_LOST, n); /* the tables are locked: lost, but not silently */
		return false;
	}
	qts_price_store(batch, n, tick_seq);
	QTS_POINT("tick.commit");
	qts_txn_commit_async();
	QTS_POINT("tick.stored");
	tick_seq += n;
	for (int i = 0; i < n; i++)
	{
		QtsBoardEntry entry;
		int slot = qts_board_find(batch[i].symbol);

		/* only the newest of a symbol is worth publishing, and they come in order */
		if (i + 1 < n && strcmp(batch[i].symbol, batch[i + 1].symbol) == 0)
			continue;
		if (tick_entry(&batch[i], slot, &entry))
		{
			entry.published_mono = qts_mono_us();
			qts_board_publish(slot, &entry);
		}
	}
	qts_wake_now(QTS_WORKER_EXIT);
	qts_observe(QTS_HIST_TICK_TO_BOARD, qts_mono_us() - readable_mono);
	return full;
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
	qts_txn_commit();
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
	*notices |= pass_notices(feed);
	*more |= take_ticks(feed, mono);
	state = qts_kis_feed_state(feed, &epoch, why, sizeof(why));
	if (epoch != feeds[i].epoch)
	{
		feeds[i].epoch = epoch;
		/* nothing is replayed after a gap: the execution worker must ask the ledger */
		pg_atomic_fetch_add_u64(&qts_shm->feed_gap, 1);
		*notices = true;
	}
	counters = qts_kis_feed_counters(feed);
	qts_count(QTS_COUNT_TICKS_LOST, counters.overflow - feeds[i].counted.overflow);
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

static void
sweep(TimestampTz now, int64 mono)
{
	QtsCalendarDay day;
	QtsSessionPhase phase;

	if (mono - swept_mono < SWEEP_US)
		return;
	swept_mono = mono;
	phase = qts_session_phase(qts_board_day(&day) && day.date == qts_seoul_date(now) ? &day : NULL, now);
	if (!qts_txn_begin("stale prices"))
		return;
	(void) qts_price_mark_stale(now, phase != QTS_SESSION_CLOSED && phase != QTS_SESSION_UNKNOWN);
	qts_txn_commit_async();
}

static long
prices_step(void)
{
	TimestampTz now = qts_now();
	int64 mono = qts_mono_us();
	long pause = SWEEP_US / QTS_MS;
	bool notices = false;
	bool more = false;

	if (!follow_changes(now, mono))
		return 1000;
	for (int i = 0; i < nfeeds; i++)
	{
		long next = feed_turn(i, mono, now, &notices, &more);

		if (next >= 0)
			pause = Min(pause, next);
	}
	if (notices)
		qts_wake_now(QTS_WORKER_EXECUTION);
	sweep(now, mono);
	qts_worker_detail("%d feeds", nfeeds);
	if (nfeeds == 0)
		return -1;
	return more ? 0 : pause;
}

const QtsWorker qts_prices_worker = {
	.name = "prices",
	.role = "qts_price",
	.network = true,
	.start = prices_start,
	.step = prices_step,
	.stop = prices_stop,
};
