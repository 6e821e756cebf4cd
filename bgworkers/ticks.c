/*-------------------------------------------------------------------------
 *
 * ticks.c
 *		Ticks and books of any source: judged, stored, published.
 *
 * The batch is judged against copies of the board's entries; tick_rows.c
 * stores and then publishes them.  Of each symbol and source only the newest
 * quote is published and kept as such; every print that is news becomes a row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "core/intake.h"
#include "guc.h"
#include "net/net.h"
#include "shm/board.h"
#include "shm/books.h"
#include "shm/clock.h"
#include "shm/shm.h"
#include "tick_rows.h"
#include "ticks.h"

#define KRW_MAX INT64CONST(1000000000000)

static MemoryContext ticks_cxt = NULL;
static int nwork = 0;		/* symbols of the batch under way */
static int *work_of = NULL; /* by slot of the board: index + 1 in the batch under way */

static void
work_forget(const QtsNews *work)
{
	for (int i = 0; i < nwork; i++)
		work_of[work[i].slot] = 0;
	nwork = 0;
}

/* The symbol's copy in this batch; NULL when nobody follows it. */
static QtsNews *
work_find(QtsNews *work, const char *symbol)
{
	int slot = qts_board_find(symbol);
	QtsNews *mine;

	if (slot < 0)
		return NULL;
	if (work_of[slot] != 0)
		return &work[work_of[slot] - 1];
	mine = &work[nwork++];
	work_of[slot] = nwork;
	memset(mine, 0, sizeof(*mine));
	mine->slot = slot;
	if (!qts_tick_rows_entry(slot, &mine->entry))
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
tick_judge(QtsNews *mine, QtsTick *tick, bool trading)
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
batch_judge(QtsTick *batch, int n, QtsNews *work, bool trading)
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
		QtsNews *mine = batch[i].source < QTS_SOURCE_COUNT ? work_find(work, batch[i].symbol) : NULL;
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

static void
batch_take(QtsTick *batch, int n, QtsNews *work)
{
	QtsTime now = qts_now();
	bool trading = qts_board_trading(now);
	int kept = batch_judge(batch, n, work, trading);

	for (int i = 0; i < nwork; i++)
		work[i].entry.source = qts_shown_source(work[i].entry.of, now, trading);
	qts_tick_rows_take(batch, kept, work, nwork, now, trading);
}

/* What a batch needs is kept from one to the next, or forgotten at its end. */
static QtsNews *
work_prepare(int n)
{
	static QtsNews *work = NULL;
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
		work = MemoryContextAlloc(TopMemoryContext, sizeof(QtsNews) * need);
		room = need;
	}
	return work;
}

void
qts_ticks_take(QtsTick *batch, int n, int64 readable_mono)
{
	MemoryContext old = CurrentMemoryContext;
	QtsNews *work;

	if (n == 0)
		return;
	qts_count(QTS_COUNT_TICKS, n);
	work = work_prepare(n);
	MemoryContextSwitchTo(ticks_cxt);
	PG_TRY();
	{
		batch_take(batch, n, work);
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
