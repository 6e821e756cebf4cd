/*-------------------------------------------------------------------------
 *
 * lists.c
 *		Ledger and balance as the broker shows them.
 *
 * A list shows the truth of some instant not long ago.  The bounds of that
 * "not long" are the promise the engine's grace periods build on: they are
 * far below them.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <string.h>

#include "world.h"

#define LAG_MAX (20 * QTS_SEC)

static QtsLedgerRow ledger_rows[MAX_ROWS];
static QtsHoldingRow balance_rows[SYMBOLS];

/* Decided when the broker reads the request. */
void
list_faults(World *w, Flying *f)
{
	bool ledger = f->event.kind == QTS_EVENT_LEDGER;

	f->as_of = f->orderable_as_of = w->now;
	f->rows = MAX_ROWS;
	if (world_fault(w, ledger ? FAULT_LEDGER_LAG : FAULT_BALANCE_LAG, NONE))
		f->as_of = f->orderable_as_of = w->now - rng_range(&w->rng, QTS_MS, LAG_MAX);
	if (ledger)
	{
		f->without_amount = world_fault(w, FAULT_LEDGER_AMOUNT, NONE);
		f->empty = w->plan.paper && world_fault(w, FAULT_LEDGER_EMPTY, NONE);
		if (world_fault(w, FAULT_LEDGER_CUT, NONE))
			f->rows = (int) rng_range(&w->rng, 0, 20);
		return;
	}
	if (world_fault(w, FAULT_BALANCE_ORDERABLE, NONE))
		f->orderable_as_of = w->now - rng_range(&w->rng, QTS_MS, LAG_MAX);
	if (world_fault(w, FAULT_BALANCE_CUT, NONE))
		f->rows = (int) rng_range(&w->rng, 0, w->plan.symbols - 1);
}

static void
ledger_row(const World *w, const Flying *f, const BrokerOrder *order, const BrokerStep *step,
		   QtsLedgerRow *row)
{
	memset(row, 0, sizeof(*row));
	world_symbol(order->symbol, row->order.symbol);
	row->order.sell = order->sell;
	strcpy(row->order.ord_dvsn, order->market ? "01" : "00");
	row->order.qty = order->qty;
	row->order.price = order->market ? 0 : order->price;
	row->order.at = order->at;
	row->order.other_channel = order->hts;
	row->order.is_change = order->orig != 0;
	snprintf(row->odno, sizeof(row->odno), "%010d", order->odno % 1000000);
	strcpy(row->orgno, "06010");
	strcpy(row->venue, "KRX");
	strcpy(row->channel, order->hts ? "Nsmart" : "OpnAPI");
	if (order->orig != 0)
	{
		snprintf(row->orgn_odno, sizeof(row->orgn_odno), "%010d", order->orig % 1000000);
		return;
	}
	row->filled = step->filled;
	row->amount = f->without_amount ? 0 : step->amount;
	row->remaining = step->remaining;
	row->cancelled = w->plan.documented ? step->cancelled : 0;
	row->rejected = step->rejected;
}

/* Into the event, in a buffer that the next list uses again. */
void
list_ledger(World *w, Flying *f)
{
	QtsLedger *ledger = &f->event.ledger;

	ledger->rows = ledger_rows;
	ledger->count = 0;
	ledger->complete = true;
	for (int i = w->broker.norders - 1; i >= 0 && !f->empty; i--)
	{
		const BrokerOrder *order = &w->broker.order[i];
		const BrokerStep *step = broker_state_at(order, f->as_of);

		if (order->account != f->account || order->date != f->date || step == NULL ||
			order->listed_at > f->as_of)
			continue;
		if (ledger->count == f->rows || ledger->count == MAX_ROWS)
		{
			ledger->complete = false;
			break;
		}
		ledger_row(w, f, order, step, &ledger_rows[ledger->count++]);
	}
	if (f->rows < MAX_ROWS)
		ledger->complete = false;
}

void
list_balance(World *w, Flying *f)
{
	QtsBalance *balance = &f->event.balance;

	balance->rows = balance_rows;
	balance->count = 0;
	balance->complete = f->rows == MAX_ROWS;
	for (int s = 0; s < w->plan.symbols && balance->count < f->rows; s++)
	{
		QtsQty held = broker_held_at(w, f->account, s, f->as_of);
		QtsQty orderable = broker_sellable_at(w, f->account, s, f->orderable_as_of);
		QtsHoldingRow *row = &balance_rows[balance->count];

		/* sold out: the row may stay until the day after tomorrow, or be gone */
		if (held == 0 && (w->seed + (uint64_t) s) % 2 == 0)
			continue;
		memset(row, 0, sizeof(*row));
		world_symbol(s, row->symbol);
		strcpy(row->name, row->symbol);
		row->qty = held;
		row->orderable = orderable < 0 ? 0 : orderable > held ? held : orderable;
		row->avg_price = QTS_PRICE(30000);
		row->current_price = w->broker.last[s];
		balance->count++;
	}
}
