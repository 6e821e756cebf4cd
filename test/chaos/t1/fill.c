/*-------------------------------------------------------------------------
 *
 * fill.c
 *		One fill: its row, the position it changes, the exit event
 *		(src/db/exec_fill.c).
 *
 *-------------------------------------------------------------------------
 */
#include "t1.h"

static void
position_closed(World *w, int p, QtsQty if_no_fills)
{
	ChaosPosition *position = &w->tables.position[p];
	QtsQty sold = 0;

	for (int i = 0; i < w->tables.nfills; i++)
		if (w->tables.fill[i].position == p && w->tables.fill[i].sell)
			sold += w->tables.fill[i].qty;
	position->events++;
	position->event_qty = sold > 0 ? sold : if_no_fills;
	position->closed = true; /* what the exit worker makes of the event */
}

/* False: it holds less. */
static bool
book_sell(World *w, int p, const QtsFillStep *step, QtsQty *left)
{
	ChaosPosition *position = p == NONE ? NULL : &w->tables.position[p];

	if (position == NULL || position->closed || position->qty < step->qty)
		return false;
	position->qty -= step->qty;
	*left = position->qty;
	return true;
}

static int
book_buy(World *w, const ChaosOrder *order, const QtsFillStep *step)
{
	ChaosTables *t = &w->tables;
	ChaosPosition *position;

	for (int i = 0; i < t->npositions; i++)
	{
		position = &t->position[i];
		if (position->closed || position->account != order->account || position->symbol != order->symbol)
			continue;
		position->average =
			(position->qty * position->average + step->qty * step->price) / (position->qty + step->qty);
		position->qty += step->qty;
		return i;
	}
	if (t->npositions == MAX_POSITIONS)
	{
		w->full = true;
		return NONE;
	}
	t->position[t->npositions] = (ChaosPosition){.account = order->account,
												 .symbol = order->symbol,
												 .qty = step->qty,
												 .original = 0, /* its first fill is counted as a fill */
												 .average = step->price};
	return t->npositions++;
}

void
t1_book(World *w, int i, const QtsFillStep *step, bool by_notice)
{
	ChaosTables *t = &w->tables;
	ChaosOrder *order = &t->order[i];
	bool sell = order->life.sell;
	/* of an order made elsewhere only what was told live */
	bool moves = order->own || (sell && by_notice);
	QtsQty left = -1;

	if (step->qty <= 0)
		return;
	if (moves && !sell)
		order->position = book_buy(w, order, step);
	else if (moves)
		moves = book_sell(w, order->position, step, &left);
	if (t->nfills == MAX_FILLS)
	{
		w->full = true;
		return;
	}
	t->fill[t->nfills++] = (ChaosFill){.order = i,
									   .position = moves || order->own ? order->position : NONE,
									   .sell = sell,
									   .qty = step->qty,
									   .price = step->price,
									   .at = w->now};
	chaos_point(w, "fill.booked");
	if (left == 0)
		position_closed(w, order->position, step->qty);
	else if (sell && order->own && !moves && order->position != NONE)
	{
		world_trace(w, "OVERSOLD position %d", order->position);
		t->oversold++;
	}
}

void
t1_close_by_broker(World *w, int p)
{
	ChaosPosition *position = &w->tables.position[p];
	QtsQty qty = position->qty;

	position->adjusted -= qty;
	position->qty = 0;
	if (qty > 0)
		position_closed(w, p, qty);
}
