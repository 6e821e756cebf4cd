/*-------------------------------------------------------------------------
 *
 * prices.c
 *		The prices worker: feeds, quotes, when a price is stale, and what is asked
 *		for once a day.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "core/tick.h"
#include "db/exec.h"
#include "db/price_store.h"
#include "db/sync_store.h"
#include "db/txn.h"
#include "feeds.h"
#include "jobs.h"
#include "naver.h"
#include "net/net.h"
#include "price_watch.h"
#include "quotes.h"
#include "reference.h"
#include "shm/board.h"
#include "shm/clock.h"
#include "shm/shm.h"
#include "tick_rows.h"
#include "worker.h"

#define SWEEP_US (1 * QTS_SEC)
#define RELOAD_US (500 * QTS_MS) /* what changes in between is taken in together */
#define RANK_US (300 * QTS_SEC)	 /* ranks are made anew though nothing seems to have changed */
#define LOCK_MS 100				 /* prices must not wait for longer because somebody locks a table */
#define LOCK_DAY_MS 2000		 /* a new day needs its partitions first */

static const QtsChange follows[] = {QTS_CHANGE_POSITION, QTS_CHANGE_CONFIG,	 QTS_CHANGE_ACCOUNT,
									QTS_CHANGE_INTENT,	 QTS_CHANGE_OUTCOME, QTS_CHANGE_QUOTE};

static uint64 seen[lengthof(follows)];
static QtsDate seen_date;
static int64 loaded_mono;
static int64 swept_mono;
static int64 jobs_from; /* not before: their tables were locked */

static void
prices_start(void)
{
	memset(seen, 0, sizeof(seen));
	seen_date = PG_INT32_MIN;
	loaded_mono = swept_mono = jobs_from = 0;
	qts_jobs_start();
	qts_reference_start();
	qts_price_watch_start();
}

static void
prices_stop(void)
{
	qts_tick_rows_stop();
	qts_feeds_close();
	qts_quotes_close();
	qts_price_watch_stop();
	qts_naver_close();
}

/* What a part of the turn knows, and whether it did its work. */
typedef struct Part
{
	TimestampTz now;
	int64 mono;
	bool done;
} Part;

static void
load(void *arg)
{
	Part *part = arg;
	QtsDate date = qts_seoul_date(part->now);
	QtsFollowed *ranked;
	int n;

	if (!qts_txn_begin("prices load"))
		return;
	if (date != seen_date)
		qts_price_ensure_partitions(date);
	qts_feeds_load();
	qts_quotes_load();
	ranked = qts_sync_followed(&n);
	for (int i = 0; i < n; i++)
		(void) qts_board_claim(ranked[i].symbol);
	qts_price_warm_board(part->now);
	qts_txn_commit_local();
	qts_feeds_open(part->mono);
	qts_feeds_want(ranked, n);
	qts_quotes_open();
	qts_quotes_follow(ranked, n, part->now);
	qts_reference_follow(ranked, n);
	part->done = true;
}

/* False: there is no day yet that prices could be of. */
static bool
follow_changes(TimestampTz now, int64 mono, long *pause)
{
	QtsDate date = qts_seoul_date(now);
	bool new_day = date != seen_date;
	bool changed = new_day || qts_feeds_missing(mono) || mono - loaded_mono >= RANK_US;
	uint64 counts[lengthof(follows)];
	Part part = {now, mono, false};

	for (int i = 0; i < (int) lengthof(follows); i++)
	{
		counts[i] = qts_change_count(follows[i]);
		changed |= counts[i] != seen[i];
	}
	if (!changed)
		return true;
	if (loaded_mono != 0 && mono - loaded_mono < RELOAD_US)
	{
		*pause = Min(*pause, RELOAD_US / QTS_MS);
		return true;
	}
	loaded_mono = mono;
	if (!qts_txn_guard(load, &part, new_day ? LOCK_DAY_MS : LOCK_MS) || !part.done)
	{
		*pause = Min(*pause, RELOAD_US / QTS_MS);
		return !new_day;
	}
	memcpy(seen, counts, sizeof(seen));
	seen_date = date;
	return true;
}

/* Ages are judged also when no price comes any more. */
static void
sweep(void *arg)
{
	const Part *part = arg;
	QtsCalendarDay day;
	QtsSessionPhase phase;

	phase = qts_session_phase(qts_board_day(&day) && day.date == qts_seoul_date(part->now) ? &day : NULL,
							  part->now);
	qts_tick_rows_tell(part->mono);
	qts_price_watch(phase, part->now, part->mono);
	if (qts_tick_rows_locked() || !qts_txn_begin("stale prices"))
		return;
	(void) qts_price_mark_stale(part->now, qts_price_trading(phase));
	qts_txn_commit_async();
}

static void
jobs(void *arg)
{
	qts_jobs_turn(((Part *) arg)->mono);
}

/* What waits for people's locks is done later; what is heard meanwhile is not lost. */
static void
paced(TimestampTz now, int64 mono)
{
	Part part = {now, mono, false};

	if (mono - swept_mono >= SWEEP_US)
	{
		swept_mono = mono;
		(void) qts_txn_guard(sweep, &part, LOCK_MS);
	}
	if (mono >= jobs_from && !qts_txn_guard(jobs, &part, LOCK_MS))
		jobs_from = mono + SWEEP_US;
}

static long
prices_step(void)
{
	TimestampTz now = qts_now();
	int64 mono = qts_mono_us();
	long pause = SWEEP_US / QTS_MS;
	bool more = false;
	long next;

	if (!follow_changes(now, mono, &pause))
		return 1000;
	next = qts_feeds_turn(mono, now, &more);
	if (next >= 0)
		pause = Min(pause, next);
	paced(now, mono);
	next = qts_quotes_turn(mono, now);
	if (next >= 0)
		pause = Min(pause, next);
	next = qts_reference_turn(mono, now);
	if (next >= 0)
		pause = Min(pause, next);
	next = qts_naver_turn(mono, now);
	if (next >= 0)
		pause = Min(pause, next);
	next = qts_tick_rows_turn(mono);
	if (next >= 0)
		pause = Min(pause, next);
	qts_worker_detail("%d feeds", qts_feeds_count());
	if (qts_feeds_count() == 0)
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
