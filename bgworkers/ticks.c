/*-------------------------------------------------------------------------
 *
 * ticks.c
 *		Ticks of any source: judged, stored in one transaction, then published.
 *
 * The board is published after the commit: it never shows what a crash could
 * take back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "core/tick.h"
#include "db/price_store.h"
#include "db/txn.h"
#include "net/net.h"
#include "shm/board.h"
#include "shm/point.h"
#include "shm/shm.h"
#include "ticks.h"

static int64 tick_seq = 0;

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
	entry->source = tick->source;
	entry->halted = tick->halted;
	entry->prev_close = QTS_PRICE(tick->price - tick->change);
	return true;
}

/* Keep the believable ticks of known symbols; returns how many. */
static int
batch_clean(QtsTick *batch, int n)
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

bool
qts_ticks_take(QtsTick *batch, int n, int64 readable_mono)
{
	if (n == 0)
		return true;
	qts_count(QTS_COUNT_TICKS, n);
	n = batch_clean(batch, n);
	if (n == 0)
		return true;
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
	return true;
}
