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
#include "worker.h"

#define SWEEP_US (1 * QTS_SEC)
#define RELOAD_US (500 * QTS_MS) /* what changes in between is taken in together */
#define RANK_US (300 * QTS_SEC)	 /* ranks are made anew though nothing seems to have changed */

static const QtsChange follows[] = {QTS_CHANGE_POSITION, QTS_CHANGE_CONFIG,	 QTS_CHANGE_ACCOUNT,
									QTS_CHANGE_INTENT,	 QTS_CHANGE_OUTCOME, QTS_CHANGE_QUOTE};

static uint64 seen[lengthof(follows)];
static QtsDate seen_date;
static int64 loaded_mono;
static int64 swept_mono;

static void
prices_start(void)
{
	memset(seen, 0, sizeof(seen));
	seen_date = PG_INT32_MIN;
	loaded_mono = swept_mono = 0;
	qts_jobs_start();
	qts_reference_start();
	qts_price_watch_start();
}

static void
prices_stop(void)
{
	qts_feeds_close();
	qts_quotes_close();
	qts_price_watch_stop();
	qts_naver_close();
}

static bool
load(TimestampTz now, int64 mono, QtsDate date)
{
	QtsFollowed *ranked;
	int n;

	if (!qts_txn_begin("prices load"))
		return false;
	if (date != seen_date)
		qts_price_ensure_partitions(date);
	qts_feeds_load();
	qts_quotes_load();
	ranked = qts_sync_followed(&n);
	for (int i = 0; i < n; i++)
		(void) qts_board_claim(ranked[i].symbol);
	qts_price_warm_board(now);
	qts_txn_commit_local();
	qts_feeds_open(mono);
	qts_feeds_want(ranked, n);
	qts_quotes_open();
	qts_quotes_follow(ranked, n, now);
	qts_reference_follow(ranked, n);
	return true;
}

static bool
follow_changes(TimestampTz now, int64 mono, long *pause)
{
	QtsDate date = qts_seoul_date(now);
	bool changed = date != seen_date || qts_feeds_missing(mono) || mono - loaded_mono >= RANK_US;
	uint64 counts[lengthof(follows)];

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
	if (!load(now, mono, date))
		return false;
	memcpy(seen, counts, sizeof(seen));
	seen_date = date;
	loaded_mono = mono;
	return true;
}

/* Ages are judged also when no price comes any more. */
static void
sweep(TimestampTz now, int64 mono)
{
	QtsCalendarDay day;
	QtsSessionPhase phase;

	if (mono - swept_mono < SWEEP_US)
		return;
	swept_mono = mono;
	phase = qts_session_phase(qts_board_day(&day) && day.date == qts_seoul_date(now) ? &day : NULL, now);
	qts_price_watch(phase, now, mono);
	if (!qts_txn_begin("stale prices"))
		return;
	(void) qts_price_mark_stale(now, qts_price_trading(phase));
	qts_txn_commit_async();
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
	sweep(now, mono);
	qts_jobs_turn(mono);
	next = qts_quotes_turn(mono, now);
	if (next >= 0)
		pause = Min(pause, next);
	next = qts_reference_turn(mono, now);
	if (next >= 0)
		pause = Min(pause, next);
	next = qts_naver_turn(mono, now);
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
