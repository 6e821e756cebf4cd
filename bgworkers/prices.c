/*-------------------------------------------------------------------------
 *
 * prices.c
 *		The prices worker: feeds, quotes, and when a price is stale.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "core/tick.h"
#include "db/exec.h"
#include "db/price_store.h"
#include "db/txn.h"
#include "feeds.h"
#include "net/net.h"
#include "shm/board.h"
#include "shm/clock.h"
#include "shm/shm.h"
#include "worker.h"

#define SWEEP_US (1 * QTS_SEC)

static uint64 seen_position, seen_config, seen_account;
static QtsDate seen_date;
static int64 swept_mono;

static void
prices_start(void)
{
	seen_position = seen_config = seen_account = 0;
	seen_date = PG_INT32_MIN;
	swept_mono = 0;
}

static void
prices_stop(void)
{
	qts_feeds_close();
}

static bool
follow_changes(TimestampTz now, int64 mono)
{
	uint64 position = qts_change_count(QTS_CHANGE_POSITION);
	uint64 config = qts_change_count(QTS_CHANGE_CONFIG);
	uint64 account = qts_change_count(QTS_CHANGE_ACCOUNT);
	QtsDate date = qts_seoul_date(now);
	QtsWanted *wanted;
	int n;

	if (position == seen_position && config == seen_config && account == seen_account && date == seen_date &&
		!qts_feeds_missing(mono))
		return true;
	if (!qts_txn_begin("prices load"))
		return false;
	if (date != seen_date)
		qts_price_ensure_partitions(date);
	qts_feeds_load();
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
	qts_feeds_open(mono);
	qts_feeds_want(wanted, n);
	seen_position = position;
	seen_config = config;
	seen_account = account;
	seen_date = date;
	return true;
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
	bool more = false;
	long next;

	if (!follow_changes(now, mono))
		return 1000;
	next = qts_feeds_turn(mono, now, &more);
	if (next >= 0)
		pause = Min(pause, next);
	sweep(now, mono);
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
