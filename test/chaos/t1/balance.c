/*-------------------------------------------------------------------------
 *
 * balance.c
 *		Holdings beside our positions (src/db/exec_balance.c).
 *
 *-------------------------------------------------------------------------
 */
#include "t1.h"

#define AGREEING_BALANCES 2

/* Nothing of ours under way, and nothing at all just over. */
static bool
is_still(const World *w, int account, int symbol, QtsTime asked_at)
{
	for (int i = 0; i < w->tables.norders; i++)
	{
		const ChaosOrder *order = &w->tables.order[i];

		if (order->account == account && order->symbol == symbol &&
			((order->own && !qts_order_terminal(order->life.status)) ||
			 order->updated_at > asked_at - 60 * QTS_SEC))
			return false;
	}
	return true;
}

static int
open_position(const World *w, int account, int symbol)
{
	for (int i = 0; i < w->tables.npositions; i++)
		if (!w->tables.position[i].closed && w->tables.position[i].account == account &&
			w->tables.position[i].symbol == symbol)
			return i;
	return NONE;
}

static void
adopt(World *w, int account, int symbol, const T1Holding *holding)
{
	ChaosTables *t = &w->tables;

	if (t->npositions == MAX_POSITIONS)
	{
		w->full = true;
		return;
	}
	world_trace(w, "holding of symbol %d adopted: %ld", symbol, (long) holding->qty);
	t->position[t->npositions++] = (ChaosPosition){.account = account,
												   .symbol = symbol,
												   .qty = holding->qty,
												   .original = holding->qty,
												   .average = holding->average};
}

/* How often in a row the balance has disagreed in the same way. */
static int
compare(World *w, int p, T1Holding *holding)
{
	QtsQty qty = w->tables.position[p].qty;

	if (holding->qty == qty)
		holding->mismatch_count = 0;
	else if (holding->mismatch_count > 0 && holding->mismatch_qty == holding->qty)
		holding->mismatch_count++;
	else
		holding->mismatch_count = 1;
	holding->mismatch_qty = holding->qty;
	return holding->mismatch_count;
}

/* What orders made elsewhere did to the symbol lately, as far as no position was moved by it. */
static QtsQty
explained(const World *w, const ChaosPosition *position)
{
	QtsQty qty = 0;

	for (int i = 0; i < w->tables.nfills; i++)
	{
		const ChaosFill *fill = &w->tables.fill[i];
		const ChaosOrder *order = &w->tables.order[fill->order];

		if (fill->position == NONE && !order->own && order->account == position->account &&
			order->symbol == position->symbol && fill->at > w->now - 10 * QTS_MINUTE)
			qty += fill->sell ? -fill->qty : fill->qty;
	}
	return qty;
}

static void
correct(World *w, int p, const T1Holding *holding)
{
	ChaosPosition *position = &w->tables.position[p];

	world_trace(w, "position %d corrected from %ld to %ld", p, (long) position->qty, (long) holding->qty);
	if (holding->qty == 0)
	{
		t1_close_by_broker(w, p);
		return;
	}
	position->quarantined |= holding->qty - position->qty != explained(w, position);
	position->adjusted += holding->qty - position->qty;
	position->qty = holding->qty;
	position->average = holding->average;
}

/* The one live order of a symbol, if nothing else was under way. */
static int
lone_order(const World *w, int account, int symbol, QtsTime asked_at)
{
	int lone = NONE;

	for (int i = 0; i < w->tables.norders; i++)
	{
		const ChaosOrder *order = &w->tables.order[i];
		bool live = order->life.status == QTS_ORDER_SUBMITTED || order->life.status == QTS_ORDER_PARTIAL;

		if (order->account != account || order->symbol != symbol)
			continue;
		if (lone == NONE && order->own && live && order->acked_at < asked_at - 10 * QTS_SEC)
			lone = i;
		else if (live || t1_unresolved(order) || order->updated_at > asked_at - 10 * QTS_SEC)
			return NONE;
	}
	return lone;
}

/* On paper a holding that moved the way of the one open order is its fill, if two balances agree. */
static void
paper_move(World *w, int account, int symbol, QtsTime asked_at)
{
	T1Holding *holding = &t1.holding[account][symbol];
	int p = open_position(w, account, symbol);
	QtsQty held = p == NONE ? 0 : w->tables.position[p].qty;
	int i = lone_order(w, account, symbol, asked_at);
	QtsOrderLife life;
	QtsLedgerSeen seen = {.cancelled = -1};
	QtsFillStep step;
	QtsQty moved;

	if (i == NONE)
		return;
	life = w->tables.order[i].life;
	moved = life.sell ? held - holding->qty : holding->qty - held;
	if (moved < 1 || moved > life.qty - life.book.booked_qty)
		return;
	holding->mismatch_count = holding->mismatch_qty == holding->qty ? holding->mismatch_count + 1 : 1;
	holding->mismatch_qty = holding->qty;
	if (holding->mismatch_count < AGREEING_BALANCES || moved > qts_life_open_qty(&life))
		return;
	world_trace(w, "order %d: %ld filled by the word of two balances", i, (long) moved);
	seen.filled = life.book.booked_qty + moved;
	seen.amount = life.book.booked_amount + moved * w->broker.last[symbol];
	seen.remaining = life.qty - seen.filled;
	t1_begin(w);
	step = qts_life_ledger(&life, &seen, false);
	t1_book(w, i, &step, false);
	t1_store_order(w, i, &life);
	t1_commit(w);
}

static void
rows_store(const World *w, int account, const QtsBalance *balance)
{
	int sync_id = ++t1.sync_id[account];

	for (int i = 0; i < balance->count; i++)
	{
		T1Holding *holding = &t1.holding[account][world_symbol_index(balance->rows[i].symbol)];

		holding->qty = balance->rows[i].qty;
		holding->orderable = balance->rows[i].orderable;
		holding->average = balance->rows[i].avg_price;
		holding->sync_id = sync_id;
	}
	for (int s = 0; balance->complete && s < SYMBOLS; s++)
	{
		T1Holding *holding = &t1.holding[account][s];

		if (holding->sync_id < sync_id && (holding->qty > 0 || open_position(w, account, s) != NONE))
		{
			holding->qty = holding->orderable = 0;
			holding->sync_id = sync_id;
		}
	}
}

void
t1_balance(World *w, int account, const QtsBalance *balance, QtsTime asked_at, bool trusted)
{
	bool wrong[SYMBOLS] = {false};

	t1_begin(w);
	rows_store(w, account, balance);
	for (int s = 0; balance->complete && s < w->plan.symbols; s++)
	{
		T1Holding *holding = &t1.holding[account][s];
		int p = open_position(w, account, s);

		if (holding->sync_id != t1.sync_id[account] || !is_still(w, account, s, asked_at))
			continue;
		if (p == NONE && holding->qty > 0)
			adopt(w, account, s, holding);
		else if (p != NONE)
			wrong[s] = compare(w, p, holding) >= AGREEING_BALANCES;
	}
	t1_commit(w);
	for (int s = 0; s < w->plan.symbols; s++)
	{
		if (!wrong[s])
			continue;
		t1_begin(w);
		correct(w, open_position(w, account, s), &t1.holding[account][s]);
		chaos_point(w, "balance.commit");
		t1_commit(w);
	}
	for (int s = 0; balance->complete && !trusted && s < w->plan.symbols; s++)
		if (t1.holding[account][s].sync_id == t1.sync_id[account])
			paper_move(w, account, s, asked_at);
}
