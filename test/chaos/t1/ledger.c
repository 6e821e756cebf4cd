/*-------------------------------------------------------------------------
 *
 * ledger.c
 *		The day's order ledger: the arbiter (src/db/exec_ledger.c).
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "t1.h"

#define LEDGER_LAG (2 * QTS_SEC)
#define CLOCK_SKEW (4 * QTS_SEC)

static void
row_dispute(World *w, int i)
{
	ChaosOrder *order = &w->tables.order[i];

	world_trace(w, "DISPUTE order %d", i);
	w->tables.disputes++;
	order->disputed = true;
	if (order->position != NONE)
		w->tables.position[order->position].quarantined = true;
}

static void
row_apply(World *w, int i, const QtsLedgerRow *seen, bool over)
{
	ChaosOrder *order = &w->tables.order[i];
	QtsOrderLife life = order->life;
	QtsLedgerSeen facts = {.filled = seen->filled,
						   .amount = seen->amount,
						   .remaining = seen->remaining,
						   .cancelled = seen->cancelled};
	QtsFillStep step = qts_life_ledger(&life, &facts, over);

	t1_book(w, i, &step, false);
	if (step.dispute)
		row_dispute(w, i);
	t1_store_order(w, i, &life);
}

static bool
may_be_ours(const World *w, int account, int symbol, bool sell)
{
	for (int i = 0; i < w->tables.norders; i++)
	{
		const ChaosOrder *order = &w->tables.order[i];

		if (order->account == account && order->symbol == symbol && order->life.sell == sell &&
			t1_unresolved(order))
			return true;
	}
	return false;
}

static int
live_position(const World *w, int account, int symbol)
{
	for (int i = 0; i < w->tables.npositions; i++)
		if (!w->tables.position[i].closed && w->tables.position[i].account == account &&
			w->tables.position[i].symbol == symbol)
			return i;
	return NONE;
}

/* It may be the one that counted as not accepted: exits hold. */
static void
found_late(World *w, const ChaosOrder *foreign)
{
	int p = live_position(w, foreign->account, foreign->symbol);

	for (int i = 0; i < w->tables.norders; i++)
	{
		const ChaosOrder *order = &w->tables.order[i];

		if (order->own && order->not_accepted && order->account == foreign->account &&
			order->symbol == foreign->symbol && order->life.sell == foreign->life.sell &&
			order->date == foreign->date && order->life.qty == foreign->life.qty &&
			order->life.sent_at <= foreign->life.sent_at + CLOCK_SKEW && p != NONE)
			w->tables.position[p].quarantined = true;
	}
}

/* src/db/exec_foreign.c */
static void
row_foreign(World *w, int account, QtsDate date, const QtsLedgerRow *seen, bool over)
{
	ChaosOrder order = {.account = account,
						.symbol = world_symbol_index(seen->order.symbol),
						.intent = NONE,
						.position = NONE,
						.date = date,
						.odno = atoi(seen->odno),
						.acked_at = seen->order.at,
						.updated_at = w->now};
	bool revised = seen->orgn_odno[0] != '\0';
	int i;

	if ((revised && seen->remaining <= 0 && seen->filled <= 0) || seen->order.qty <= 0 ||
		(!revised && may_be_ours(w, account, order.symbol, seen->order.sell)))
		return;
	order.life.sell = seen->order.sell;
	order.life.market = strcmp(seen->order.ord_dvsn, "01") == 0;
	order.life.qty = order.life.book.ordered = seen->order.qty;
	order.life.price = seen->order.price;
	order.life.status = QTS_ORDER_SUBMITTED;
	order.life.attempt = 1;
	order.life.sent_at = seen->order.at;
	order.life.retry_at = QTS_TIME_NONE;
	order.life.sent_holding = -1;
	if (order.life.sell)
		order.position = live_position(w, account, order.symbol);
	world_trace(w, "order %d is somebody else's number %d", w->tables.norders, order.odno);
	i = t1_add_order(w, &order);
	t1_attach_notices(w, i);
	row_apply(w, i, seen, over);
	if (!seen->order.other_channel)
		found_late(w, &order);
}

static bool
is_settled(const ChaosOrder *order)
{
	return qts_order_terminal(order->life.status);
}

static bool
is_cancel_open(const ChaosOrder *order)
{
	const QtsOrderLife *life = &order->life;

	return (life->cancel == QTS_CANCEL_UNKNOWN || life->cancel == QTS_CANCEL_REFUSED) &&
		   (life->status == QTS_ORDER_SUBMITTED || life->status == QTS_ORDER_PARTIAL) &&
		   life->cancel_attempt < QTS_CANCEL_ATTEMPTS;
}

static bool
row_is_old(const ChaosOrder *order, const QtsLedgerRow *seen)
{
	const QtsFillBook *book = &order->life.book;

	return book->ledger_qty == seen->filled && book->ledger_amount == seen->amount &&
		   !is_cancel_open(order) && (is_settled(order) || seen->remaining != 0);
}

static bool
row_confirms(const ChaosOrder *order, const QtsLedgerRow *seen)
{
	const QtsFillBook *book = &order->life.book;

	return is_settled(order) && !is_cancel_open(order) && seen->remaining == 0 &&
		   seen->filled == book->booked_qty && seen->filled >= book->ledger_qty &&
		   seen->amount >= book->ledger_amount;
}

static bool
row_denies(const ChaosOrder *order, const QtsLedgerRow *seen, QtsTime asked_at)
{
	QtsLedgerSeen facts = {.filled = seen->filled, .remaining = seen->remaining};

	return !order->disputed && qts_life_denied(order->life.status, order->life.book.booked_qty, &facts,
											   order->updated_at, asked_at);
}

/* Rows of no order here wait for the end of the list. */
static void
row_take(World *w, int account, QtsDate date, const QtsLedgerRow *seen, QtsTime asked_at, bool trusted,
		 bool over, bool last)
{
	int i = t1_find_order(w, account, date, atoi(seen->odno));
	ChaosOrder *order = i == NONE ? NULL : &w->tables.order[i];
	bool denied = order != NULL && trusted && row_denies(order, seen, asked_at);

	if (order == NULL ? !last : !denied && row_is_old(order, seen))
		return;
	t1_begin(w);
	if (order == NULL)
		row_foreign(w, account, date, seen, over);
	else if (denied)
		row_dispute(w, i);
	else if (row_confirms(order, seen))
	{
		order->life.book.ledger_qty = seen->filled;
		order->life.book.ledger_amount = seen->amount;
	}
	else
		row_apply(w, i, seen, over);
	chaos_point(w, "ledger.commit");
	t1_commit(w);
}

/* Live orders of ours that a complete list does not show. */
static void
store_absences(World *w, int account, QtsDate date, const QtsLedger *ledger, QtsTime asked_at, bool trusted,
			   bool over)
{
	for (int i = 0; i < w->tables.norders; i++)
	{
		const ChaosOrder *order = &w->tables.order[i];
		QtsOrderLife life = order->life;
		bool listed = false;

		if (order->account != account || order->date != date || order->odno == 0 || is_settled(order) ||
			!order->own || asked_at < order->acked_at + LEDGER_LAG)
			continue;
		for (int r = 0; r < ledger->count && !listed; r++)
			listed = atoi(ledger->rows[r].odno) == order->odno;
		if (listed)
			continue;
		t1_begin(w);
		(void) qts_life_absent(&life, trusted, over);
		t1_store_order(w, i, &life);
		t1_commit(w);
	}
}

/* What pages say of orders we have counts though the list is cut off. */
void
t1_ledger(World *w, int account, QtsDate date, const QtsLedger *ledger, QtsTime asked_at, bool trusted,
		  bool over)
{
	for (int r = 0; r < ledger->count; r++)
		row_take(w, account, date, &ledger->rows[r], asked_at, trusted, over, false);
	t1_unknowns(w, account, date, ledger->complete ? ledger : NULL, asked_at, trusted);
	if (!ledger->complete)
		return;
	for (int r = 0; r < ledger->count; r++)
		row_take(w, account, date, &ledger->rows[r], asked_at, trusted, over, true);
	store_absences(w, account, date, ledger, asked_at, trusted, over);
	t1_attach_late(w, account, date);
}
