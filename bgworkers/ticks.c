/*-------------------------------------------------------------------------
 *
 * ticks.c
 *		Ticks and books of any source: judged, stored in one transaction, then
 *		published.
 *
 * The batch is judged against copies of the board's entries; these are
 * published after the commit, so the board never shows what a crash could
 * take back.  Of each symbol and source only the newest quote is published
 * and kept as such; every print that is news becomes a row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "core/intake.h"
#include "db/price_store.h"
#include "db/txn.h"
#include "guc.h"
#include "net/net.h"
#include "shm/board.h"
#include "shm/books.h"
#include "shm/clock.h"
#include "shm/point.h"
#include "shm/shm.h"
#include "ticks.h"

#define KRW_MAX INT64CONST(1000000000000)

/* A symbol of the batch under way. */
typedef struct Work
{
	int slot;
	QtsSource was; /* shown before the batch */
	bool changed;  /* the entry is not what the board has */
	bool heard[QTS_SOURCE_COUNT];
	QtsKrw acml_value[QTS_SOURCE_COUNT];
	QtsBoardEntry entry;
} Work;

static int64 tick_seq = 0;
static MemoryContext ticks_cxt = NULL;
static int nwork = 0;		/* symbols of the batch under way */
static int *work_of = NULL; /* by slot of the board: index + 1 in the batch under way */

static void
work_forget(const Work *work)
{
	for (int i = 0; i < nwork; i++)
		work_of[work[i].slot] = 0;
	nwork = 0;
}

/* The symbol's copy in this batch; NULL when nobody follows it. */
static Work *
work_find(Work *work, const char *symbol)
{
	int slot = qts_board_find(symbol);
	Work *mine;

	if (slot < 0)
		return NULL;
	if (work_of[slot] != 0)
		return &work[work_of[slot] - 1];
	mine = &work[nwork++];
	work_of[slot] = nwork;
	memset(mine, 0, sizeof(*mine));
	mine->slot = slot;
	if (!qts_board_read(slot, &mine->entry))
		mine->entry.source = QTS_SOURCE_COUNT;
	mine->was = mine->entry.source;
	return mine;
}

/* Never invented: the source's own, or those of a book that is fresh. */
static void
quote_sides(QtsQuote *quote, const QtsTick *tick)
{
	QtsBook book;

	quote->bid = QTS_PRICE(tick->bid);
	quote->ask = QTS_PRICE(tick->ask);
	if (tick->source == QTS_SOURCE_KIS_WS || tick->bid != 0 || tick->ask != 0 ||
		!qts_book_read(tick->symbol, &book) || !qts_book_fresh(&book, tick->recv_at))
		return;
	quote->bid = QTS_PRICE(book.bid[0].price);
	quote->ask = QTS_PRICE(book.ask[0].price);
}

/* Numbers that can be reckoned with at all: no sum or scaling of them overflows. */
static bool
tick_in_range(const QtsTick *tick)
{
	return tick->price > 0 && tick->price <= KRW_MAX && tick->bid >= 0 && tick->bid <= KRW_MAX &&
		   tick->ask >= 0 && tick->ask <= KRW_MAX && tick->change >= -KRW_MAX && tick->change <= KRW_MAX &&
		   tick->volume >= 0 && tick->acml_volume >= 0;
}

static QtsIntake
tick_judge(Work *mine, QtsTick *tick, bool trading)
{
	QtsQuote *seen = &mine->entry.of[tick->source];
	QtsQuote next = {.volume = tick->acml_volume, .exch_at = tick->exch_at, .recv_at = tick->recv_at};
	QtsIntake verdict;

	if (!tick_in_range(tick))
		return QTS_INTAKE_REFUSED;
	next.last = QTS_PRICE(tick->price);
	verdict = qts_intake(seen, &next, tick->source, trading, (int64) qts_guc.max_clock_skew * QTS_SEC);
	if (verdict == QTS_INTAKE_SKEWED || verdict == QTS_INTAKE_LATE)
		return verdict;
	mine->changed = true;
	if (!qts_limits_admit(&mine->entry.limits, next.last, QTS_PRICE(tick->price - tick->change),
						  qts_seoul_date(tick->recv_at)))
		return QTS_INTAKE_REFUSED;
	quote_sides(&next, tick);
	qts_sides_judge(&next, &mine->entry.limits);
	/* what is stored is what was believed */
	tick->bid = next.bid == 0 ? 0 : tick->bid;
	tick->ask = next.ask == 0 ? 0 : tick->ask;
	*seen = next;
	mine->entry.halted = tick->halted;
	mine->heard[tick->source] = true;
	mine->acml_value[tick->source] = tick->acml_value;
	return verdict;
}

/* Judges all; what is news moves to the front.  Returns how many. */
static int
batch_judge(QtsTick *batch, int n, Work *work, bool trading)
{
	static const QtsCounter counter[QTS_INTAKE_COUNT] = {
		[QTS_INTAKE_REPEATED] = QTS_COUNT_TICKS_REPEATED,
		[QTS_INTAKE_LATE] = QTS_COUNT_TICKS_LATE,
		[QTS_INTAKE_REFUSED] = QTS_COUNT_TICKS_REFUSED,
		[QTS_INTAKE_SKEWED] = QTS_COUNT_TICKS_SKEWED,
	};
	int kept = 0;

	for (int i = 0; i < n; i++)
	{
		Work *mine = batch[i].source < QTS_SOURCE_COUNT ? work_find(work, batch[i].symbol) : NULL;
		QtsIntake verdict;

		if (mine == NULL)
		{
			qts_count(QTS_COUNT_TICKS_UNKNOWN, 1);
			continue;
		}
		verdict = tick_judge(mine, &batch[i], trading);
		if (verdict == QTS_INTAKE_TAKEN)
			batch[kept++] = batch[i];
		else
			qts_count(counter[verdict], 1);
	}
	return kept;
}

/* Which source is shown now, and what of it the tables must learn. */
static int
batch_quotes(Work *work, QtsPriceRow *rows, QtsTime now, bool trading)
{
	int n = 0;

	for (int i = 0; i < nwork; i++)
	{
		QtsBoardEntry *entry = &work[i].entry;

		entry->source = qts_shown_source(entry->of, now, trading);
		for (int s = 0; s < QTS_SOURCE_COUNT; s++)
		{
			bool best = (QtsSource) s == entry->source && (work[i].heard[s] || work[i].was != entry->source);

			if (!work[i].heard[s] && !best)
				continue;
			rows[n++] = (QtsPriceRow){
				.symbol = qts_board_symbol(work[i].slot),
				.source = (QtsSource) s,
				.quote = &entry->of[s],
				.base = entry->limits.base,
				.acml_value = work[i].acml_value[s],
				.heard = work[i].heard[s],
				.best = best,
				.stale = best && qts_best_source(entry->of, now, trading) == QTS_SOURCE_COUNT,
			};
		}
	}
	return n;
}

static bool
batch_store(const QtsTick *batch, int n, const QtsPriceRow *rows, int nrows)
{
	if (!qts_txn_begin("ticks"))
		return false;
	qts_price_store(batch, n, tick_seq, rows, nrows);
	QTS_POINT("tick.commit");
	qts_txn_commit_async();
	QTS_POINT("tick.stored");
	tick_seq += n;
	return true;
}

static void
batch_publish(Work *work)
{
	for (int i = 0; i < nwork; i++)
	{
		if (!work[i].changed)
			continue;
		work[i].entry.published_mono = qts_mono_us();
		qts_board_publish(work[i].slot, &work[i].entry);
	}
}

static bool
batch_take(QtsTick *batch, int n, Work *work)
{
	QtsTime now = qts_now();
	bool trading = qts_board_trading(now);
	int kept = batch_judge(batch, n, work, trading);
	QtsPriceRow *rows = palloc(sizeof(QtsPriceRow) * (nwork * QTS_SOURCE_COUNT + 1));
	int nrows = batch_quotes(work, rows, now, trading);

	if (nrows == 0)
	{
		batch_publish(work); /* what refused quotes said about the day's limits */
		return true;
	}
	if (!batch_store(batch, kept, rows, nrows))
	{
		qts_count(QTS_COUNT_TICKS_LOST, n); /* the tables are locked: lost, but not silently */
		return false;
	}
	batch_publish(work);
	qts_wake_now(QTS_WORKER_EXIT);
	return true;
}

/* What a batch needs is kept from one to the next, or forgotten at its end. */
static Work *
work_prepare(int n)
{
	static Work *work = NULL;
	static int room = 0;
	int need = Min(n, qts_guc.max_symbols);

	if (ticks_cxt == NULL)
	{
		work_of = MemoryContextAllocZero(TopMemoryContext, sizeof(int) * qts_guc.max_symbols);
		ticks_cxt = AllocSetContextCreate(TopMemoryContext, "qts ticks", ALLOCSET_DEFAULT_SIZES);
	}
	if (need > room)
	{
		if (work != NULL)
			pfree(work);
		room = 0;
		work = MemoryContextAlloc(TopMemoryContext, sizeof(Work) * need);
		room = need;
	}
	return work;
}

bool
qts_ticks_take(QtsTick *batch, int n, int64 readable_mono)
{
	MemoryContext old = CurrentMemoryContext;
	Work *work;
	volatile bool stored = false;

	if (n == 0)
		return true;
	qts_count(QTS_COUNT_TICKS, n);
	work = work_prepare(n);
	MemoryContextSwitchTo(ticks_cxt);
	PG_TRY();
	{
		stored = batch_take(batch, n, work);
	}
	PG_CATCH();
	{
		qts_count(QTS_COUNT_TICKS_LOST, n);
		work_forget(work);
		PG_RE_THROW();
	}
	PG_END_TRY();
	work_forget(work);
	MemoryContextSwitchTo(old);
	MemoryContextReset(ticks_cxt);
	qts_observe(QTS_HIST_TICK_TO_BOARD, qts_mono_us() - readable_mono);
	return stored;
}

static bool
book_judge(const QtsBook *book)
{
	QtsKrw bid[QTS_BOOK_LEVELS];
	QtsKrw ask[QTS_BOOK_LEVELS];
	QtsQty bid_qty[QTS_BOOK_LEVELS];
	QtsQty ask_qty[QTS_BOOK_LEVELS];
	QtsBoardEntry entry;
	QtsBook seen;
	int slot = qts_board_find(book->symbol);
	bool limits;

	if (slot < 0)
		return false;
	for (int i = 0; i < QTS_BOOK_LEVELS; i++)
	{
		bid[i] = book->bid[i].price;
		bid_qty[i] = book->bid[i].qty;
		ask[i] = book->ask[i].price;
		ask_qty[i] = book->ask[i].qty;
	}
	limits = qts_board_read(slot, &entry) && entry.limits.date == qts_seoul_date(book->recv_at);
	if (!qts_book_plausible(bid, bid_qty, ask, ask_qty, QTS_BOOK_LEVELS, limits ? entry.limits.lower : 0,
							limits ? entry.limits.upper : 0))
		return false;
	/* an answer that was overtaken by a push tells nothing */
	return !qts_book_read(book->symbol, &seen) || seen.recv_at <= book->recv_at;
}

void
qts_books_take(const QtsBook *batch, int n)
{
	qts_count(QTS_COUNT_BOOKS, n);
	for (int i = 0; i < n; i++)
	{
		if (!book_judge(&batch[i]) || !qts_book_publish(&batch[i]))
			qts_count(QTS_COUNT_BOOKS_REFUSED, 1);
	}
}
