/*-------------------------------------------------------------------------
 *
 * tick_rows.c
 *		What ticks leave in the tables and on the board: at once, or when tables
 *		that somebody else has locked are free again.
 *
 * Normally a batch is one transaction, and the board follows its commit.  A
 * person who alters or rewrites a table must not stop prices: then best prices
 * are stored without the rows of ticks, which wait in memory up to a bound.
 * Where best prices are locked as well, a price is shown before it is stored,
 * but only of a symbol whose previous close of the day is stored already:
 * storing that one is what notices a corporate action and holds the symbol's
 * exits, and no exit may be quicker.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/ipc.h"
#include "utils/memutils.h"

#include "core/intake.h"
#include "db/exec.h"
#include "db/price_store.h"
#include "db/txn.h"
#include "guc.h"
#include "net/net.h"
#include "shm/clock.h"
#include "shm/point.h"
#include "shm/shm.h"
#include "tick_rows.h"

#define LOCK_MS 100		 /* the first wait: what holds a lock for a moment costs nobody a row */
#define LOCK_AGAIN_MS 10 /* the feed must not stand still again and again */
#define AGAIN_US (250 * QTS_MS)
#define CHUNK 8192 /* ticks that waited, in one transaction */
#define TELL_AFTER_US (10 * QTS_SEC)
#define TELL_US (30 * QTS_SEC)

/* The previous close that market.prices_best has of a symbol. */
typedef struct Settled
{
	QtsDate date;
	QtsPrice base;
} Settled;

/* A symbol whose newest is not stored. */
typedef struct Owed
{
	QtsNews news; /* changed: nor shown */
	bool best;	  /* for market.prices_best, whoever was heard */
} Owed;

typedef struct Store
{
	const QtsTick *ticks;
	int n;
	const QtsPriceRow *rows;
	int nrows;
	bool stored;
} Store;

static Settled *settled = NULL; /* by slot */
static int64 tick_seq = 0;

/* While something waits. */
static MemoryContext cxt = NULL;
static QtsTick *late;
static int late_first;
static int late_end;
static int late_room;
static Owed *owed;	 /* in order of arrival */
static int *owed_of; /* by slot: index + 1 */
static int nowed = 0;
static int64 since;
static int64 again;
static int64 told;
static uint64 lost; /* since it began to wait */

static void
store_body(void *arg)
{
	Store *store = arg;

	if (!qts_txn_begin("ticks"))
		return;
	qts_price_store(store->ticks, store->n, tick_seq, store->rows, store->nrows);
	QTS_POINT("tick.commit");
	qts_txn_commit_async();
	QTS_POINT("tick.stored");
	tick_seq += store->n;
	store->stored = true;
}

static bool
store(const QtsTick *ticks, int n, const QtsPriceRow *rows, int nrows, int wait_ms)
{
	Store what = {.ticks = ticks, .n = n, .rows = rows, .nrows = nrows};

	return qts_txn_guard(store_body, &what, wait_ms) && what.stored;
}

/* What of this symbol the tables must learn. */
static int
news_rows(const QtsNews *news, bool best_too, QtsTime now, bool trading, QtsPriceRow *rows)
{
	const QtsBoardEntry *entry = &news->entry;
	int n = 0;

	for (int s = 0; s < QTS_SOURCE_COUNT; s++)
	{
		bool best = (QtsSource) s == entry->source && (news->heard[s] || best_too);

		if (!news->heard[s] && !best)
			continue;
		rows[n++] = (QtsPriceRow){
			.symbol = qts_board_symbol(news->slot),
			.source = (QtsSource) s,
			.quote = &entry->of[s],
			.base = entry->limits.base,
			.acml_value = news->acml_value[s],
			.heard = news->heard[s],
			.best = best,
			.stale = best && qts_best_source(entry->of, now, trading) == QTS_SOURCE_COUNT,
		};
	}
	return n;
}

static bool
base_settled(const QtsNews *news)
{
	const Settled *known = &settled[news->slot];

	return known->date == news->entry.limits.date && known->base == news->entry.limits.base;
}

/* Its row is committed. */
static void
base_settle(const QtsNews *news)
{
	if ((unsigned) news->entry.source < QTS_SOURCE_COUNT && news->heard[news->entry.source])
		settled[news->slot] = (Settled){news->entry.limits.date, news->entry.limits.base};
}

static void
publish(QtsNews *news)
{
	if (!news->changed)
		return;
	news->entry.published_mono = qts_mono_us();
	qts_board_publish(news->slot, &news->entry);
	news->changed = false;
}

static void
stored(QtsNews *news, int n)
{
	for (int i = 0; i < n; i++)
	{
		base_settle(&news[i]);
		publish(&news[i]);
	}
}

bool
qts_tick_rows_entry(int slot, QtsBoardEntry *entry)
{
	if (nowed > 0 && owed_of[slot] != 0)
	{
		*entry = owed[owed_of[slot] - 1].news.entry;
		return true;
	}
	return qts_board_read(slot, entry);
}

/* For who looks from outside: nothing, or how many rows. */
static void
wait_show(bool waits)
{
	pg_atomic_write_u64(&qts_shm->ticks_waiting, waits ? (uint64) (late_end - late_first) + 1 : 0);
}

static void
wait_end(void)
{
	wait_show(false);
	nowed = 0;
	late_first = late_end = 0;
	MemoryContextDelete(cxt);
	cxt = NULL;
}

void
qts_tick_rows_stop(void)
{
	if (cxt == NULL)
		return;
	qts_count(QTS_COUNT_TICKS_LOST, late_end - late_first);
	wait_end();
}

/* A process that ends takes with it what waits. */
static void
at_exit(int code, Datum arg)
{
	qts_count(QTS_COUNT_TICKS_LOST, late_end - late_first);
	wait_show(false);
}

static void
wait_begin(int64 mono)
{
	static bool registered = false;

	if (!registered)
		before_shmem_exit(at_exit, (Datum) 0);
	registered = true;
	cxt = AllocSetContextCreate(TopMemoryContext, "qts waiting ticks", ALLOCSET_DEFAULT_SIZES);
	late_room = qts_guc.tick_backlog;
	late = MemoryContextAllocHuge(cxt, sizeof(QtsTick) * late_room);
	owed = MemoryContextAllocHuge(cxt, sizeof(Owed) * qts_guc.max_symbols);
	owed_of = MemoryContextAllocZero(cxt, sizeof(int) * qts_guc.max_symbols);
	late_first = late_end = nowed = 0;
	since = told = mono;
	again = mono + AGAIN_US;
	lost = 0;
	ereport(LOG, (errmsg("tables of prices are locked: rows of ticks wait")));
}

static void
ticks_wait(const QtsTick *ticks, int n)
{
	int room;

	if (late_end + n > late_room && late_first > 0)
	{
		memmove(late, late + late_first, sizeof(QtsTick) * (late_end - late_first));
		late_end -= late_first;
		late_first = 0;
	}
	room = Min(n, late_room - late_end);
	memcpy(late + late_end, ticks, sizeof(QtsTick) * room);
	late_end += room;
	wait_show(true);
	if (room == n)
		return;
	lost += n - room;
	qts_count(QTS_COUNT_TICKS_LOST, n - room);
}

static void
news_wait(const QtsNews *news)
{
	Owed *mine;

	if (owed_of[news->slot] == 0)
	{
		owed[nowed] = (Owed){.news = *news, .best = news->was != news->entry.source};
		owed_of[news->slot] = ++nowed;
		return;
	}
	mine = &owed[owed_of[news->slot] - 1];
	mine->best |= news->was != news->entry.source;
	mine->news.changed = news->changed;
	mine->news.entry = news->entry;
	for (int s = 0; s < QTS_SOURCE_COUNT; s++)
	{
		if (!news->heard[s])
			continue;
		mine->news.heard[s] = true;
		mine->news.acml_value[s] = news->acml_value[s];
	}
}

/* Best prices are locked: what may be shown is shown. */
static void
news_hold(QtsNews *news, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (base_settled(&news[i]))
			publish(&news[i]);
		news_wait(&news[i]);
	}
}

void
qts_tick_rows_take(const QtsTick *ticks, int n, QtsNews *news, int nnews, QtsTime now, bool trading)
{
	QtsPriceRow *rows = palloc(sizeof(QtsPriceRow) * (nnews * QTS_SOURCE_COUNT + 1));
	int nrows = 0;

	if (settled == NULL)
		settled = MemoryContextAllocZero(TopMemoryContext, sizeof(Settled) * qts_guc.max_symbols);
	for (int i = 0; i < nnews; i++)
		nrows += news_rows(&news[i], news[i].was != news[i].entry.source, now, trading, &rows[nrows]);
	if (cxt == NULL && (nrows == 0 || store(ticks, n, rows, nrows, LOCK_MS)))
		stored(news, nnews);
	else
	{
		if (cxt == NULL)
			wait_begin(qts_mono_us());
		/* those that are owed already are tried again in their turn */
		if (nowed == 0 && (nrows == 0 || store(NULL, 0, rows, nrows, LOCK_MS)))
			stored(news, nnews);
		else
			news_hold(news, nnews);
		ticks_wait(ticks, n); /* last: an error before this has them counted by the caller */
	}
	if (nrows > 0)
		qts_wake_now(QTS_WORKER_EXIT);
}

static bool
owed_store(QtsTime now, bool trading)
{
	QtsPriceRow *rows = palloc(sizeof(QtsPriceRow) * nowed * QTS_SOURCE_COUNT);
	int nrows = 0;

	for (int i = 0; i < nowed; i++)
		nrows += news_rows(&owed[i].news, owed[i].best, now, trading, &rows[nrows]);
	if (nrows > 0 && !store(NULL, 0, rows, nrows, LOCK_AGAIN_MS))
		return false;
	for (int i = 0; i < nowed; i++)
	{
		stored(&owed[i].news, 1);
		owed_of[owed[i].news.slot] = 0;
	}
	nowed = 0;
	qts_wake_now(QTS_WORKER_EXIT);
	return true;
}

long
qts_tick_rows_turn(int64 mono)
{
	QtsTime now = qts_now();
	int n;

	if (cxt == NULL)
		return -1;
	if (mono < again)
		return (long) ((again - mono) / QTS_MS + 1);
	again = mono + AGAIN_US;
	if (nowed > 0 && !owed_store(now, qts_board_trading(now)))
		return AGAIN_US / QTS_MS;
	n = Min(late_end - late_first, CHUNK);
	if (n > 0 && !store(late + late_first, n, NULL, 0, LOCK_AGAIN_MS))
		return AGAIN_US / QTS_MS;
	late_first += n;
	wait_show(true);
	again = mono;
	if (late_first < late_end)
		return 0;
	ereport(LOG, (errmsg("tables of prices are free again after " INT64_FORMAT " ms: " UINT64_FORMAT
						 " rows of ticks were lost",
						 (mono - since) / QTS_MS, lost)));
	wait_end();
	return -1;
}

bool
qts_tick_rows_locked(void)
{
	return nowed > 0;
}

void
qts_tick_rows_tell(int64 mono)
{
	if (cxt == NULL || mono - since < TELL_AFTER_US || (told != since && mono - told < TELL_US))
		return;
	if (!qts_txn_begin("waiting ticks"))
		return;
	qts_alert(
		"WARNING", "TICKS_WAITING", "",
		"Prices go on without them. End the statement that holds market.prices_ticks, market.prices_best, "
		"market.freshness or market.stocks: see pg_locks.",
		"%d ticks have waited up to %d s for locked tables, " UINT64_FORMAT " are lost for want of room",
		late_end - late_first, (int) ((mono - since) / QTS_SEC), lost);
	qts_txn_commit_local();
	told = mono;
}
