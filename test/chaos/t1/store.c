/*-------------------------------------------------------------------------
 *
 * store.c
 *		Transactions of tables in memory, and the owner's side of them.
 *
 *-------------------------------------------------------------------------
 */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "t1.h"

#define NOTICE_DAYS 3

T1Rest t1;

static T1Rest rest_before;
static ChaosTables tables_before;
static bool saved;
static jmp_buf recover;

/* Only a transaction that may be undone is kept as it was. */
void
t1_begin(World *w)
{
	const ChaosTables *t = &w->tables;

	saved = w->plan.break_at[0] != '\0';
	if (!saved)
		return;
	memcpy(&tables_before, t, offsetof(ChaosTables, intent));
	memcpy(tables_before.intent, t->intent, sizeof(t->intent[0]) * (size_t) t->nintents);
	memcpy(tables_before.order, t->order, sizeof(t->order[0]) * (size_t) t->norders);
	memcpy(tables_before.position, t->position, sizeof(t->position[0]) * (size_t) t->npositions);
	rest_before = t1;
}

void
t1_commit(World *w)
{
	(void) w;
	saved = false;
}

static void
t1_rollback(World *w)
{
	ChaosTables *t = &w->tables;

	if (!saved)
		return;
	/* fills are only added: the count undoes them */
	memcpy(t, &tables_before, offsetof(ChaosTables, intent));
	memcpy(t->intent, tables_before.intent, sizeof(t->intent[0]) * (size_t) t->nintents);
	memcpy(t->order, tables_before.order, sizeof(t->order[0]) * (size_t) t->norders);
	memcpy(t->position, tables_before.position, sizeof(t->position[0]) * (size_t) t->npositions);
	t1 = rest_before;
	saved = false;
}

static bool
t1_guard(World *w, void (*body)(World *w))
{
	if (setjmp(recover) != 0)
	{
		t1_rollback(w);
		return false;
	}
	body(w);
	return true;
}

static void
t1_raise(World *w)
{
	(void) w;
	longjmp(recover, 1);
}

int
t1_add_order(World *w, const ChaosOrder *order)
{
	if (w->tables.norders == MAX_ORDERS)
	{
		w->full = true;
		return MAX_ORDERS - 1;
	}
	if (order->own)
		world_trace(w, "order %d: %s %ld of symbol %d, intent %d", w->tables.norders,
					order->life.sell ? "sell" : "buy", (long) order->life.qty, order->symbol, order->intent);
	w->tables.order[w->tables.norders] = *order;
	return w->tables.norders++;
}

static void
t1_open(World *w)
{
	memset(&t1, 0, sizeof(t1));
	saved = false;
	for (int a = 0; a < w->plan.accounts; a++)
		for (int s = 0; s < w->plan.symbols; s++)
			if (w->broker.initial[a][s] > 0)
				w->tables.position[w->tables.npositions++] =
					(ChaosPosition){.account = a,
									.symbol = s,
									.qty = w->broker.initial[a][s],
									.original = w->broker.initial[a][s],
									.average = QTS_PRICE(30000)};
}

static void
t1_close(World *w)
{
	(void) w;
}

static QtsQty
locked_qty(const World *w, int position)
{
	QtsQty locked = 0;

	for (int i = 0; i < w->tables.nintents; i++)
	{
		const ChaosIntent *intent = &w->tables.intent[i];

		if (intent->position == position && !intent->entry && qts_intent_live(intent->status))
			locked += intent->qty - intent->filled;
	}
	return locked;
}

/* The guard of trade.order_intents: live exits never exceed the position. */
static int
t1_add_intent(World *w, const ChaosIntent *intent)
{
	ChaosTables *t = &w->tables;

	if (t->nintents == MAX_INTENTS)
	{
		w->full = true;
		return NONE;
	}
	if (!intent->entry && intent->qty > t->position[intent->position].qty - locked_qty(w, intent->position))
		return NONE;
	world_trace(w, "intent %d: %s %ld of symbol %d, %s", t->nintents, intent->entry ? "buy" : "sell",
				(long) intent->qty, intent->symbol, intent->market ? "market" : "limit");
	t->intent[t->nintents] = *intent;
	return t->nintents++;
}

static void
t1_ask_cancel(World *w, int i)
{
	if (qts_intent_live(w->tables.intent[i].status))
		w->tables.intent[i].cancel_requested = true;
}

static void
t1_set_switches(World *w, bool stop, QtsControlMode mode)
{
	(void) w;
	t1.stop = stop;
	t1.mode = mode;
}

static void
t1_resolve(World *w, int i, const char *odno)
{
	ChaosOrder *order = &w->tables.order[i];

	QtsIntentStatus status = QTS_INTENT_REJECTED;

	/* a number that somebody has already cannot be given to it */
	order->life.status = QTS_ORDER_REJECTED;
	order->life.rejected = order->life.qty;
	if (odno != NULL && t1_find_order(w, order->account, order->date, atoi(odno)) == NONE)
	{
		order->odno = atoi(odno);
		order->life.status = QTS_ORDER_SUBMITTED;
		order->life.rejected = 0;
		status = QTS_INTENT_SUBMITTED;
	}
	order->quarantined = false;
	order->acked_at = w->now;
	order->updated_at = w->now;
	t1_intent_status(w, order->intent, status);
}

static int
t1_position(World *w, int account, int symbol, QtsQty *qty, QtsQty *locked)
{
	for (int i = 0; i < w->tables.npositions; i++)
	{
		const ChaosPosition *position = &w->tables.position[i];

		if (position->closed || position->account != account || position->symbol != symbol ||
			position->quarantined)
			continue;
		*qty = position->qty;
		*locked = locked_qty(w, i);
		return i;
	}
	return NONE;
}

static void
t1_work(World *w, int account, ChaosWork *work)
{
	*work = (ChaosWork){.oldest = INT32_MAX};
	for (int i = 0; i < w->tables.norders; i++)
	{
		const ChaosOrder *order = &w->tables.order[i];
		const QtsOrderLife *life = &order->life;
		bool live = life->status == QTS_ORDER_SUBMITTED || life->status == QTS_ORDER_PARTIAL;
		bool unknown = life->status == QTS_ORDER_UNKNOWN && !order->quarantined;

		if (order->account != account)
			continue;
		work->live_orders += live;
		work->unknown_orders += unknown;
		work->cancels += live && (life->cancel == QTS_CANCEL_REQUESTED ||
								  (life->cancel == QTS_CANCEL_NONE && order->intent != NONE &&
								   w->tables.intent[order->intent].cancel_requested));
		if ((live || unknown) && order->date < work->oldest)
			work->oldest = order->date;
		if (life->status == QTS_ORDER_PENDING_SUBMIT && life->retry_at != QTS_TIME_NONE &&
			(work->next_retry == 0 || life->retry_at < work->next_retry))
			work->next_retry = life->retry_at;
	}
	for (int i = 0; i < t1.nnotices; i++)
	{
		const T1Notice *notice = &t1.notice[i];

		if (notice->account == account && notice->order == NONE && notice->date < work->oldest &&
			notice->date >= qts_seoul_date(w->now) - NOTICE_DAYS)
			work->oldest = notice->date;
	}
	for (int i = 0; i < w->tables.nintents; i++)
	{
		const ChaosIntent *intent = &w->tables.intent[i];

		if (intent->account != account || intent->status != QTS_INTENT_NEW)
			continue;
		work->new_intents++;
		work->cancels += intent->cancel_requested;
	}
}

static void
t1_sync(World *w, int account, bool ledger_ok, bool balance_ok)
{
	(void) ledger_ok;
	if (balance_ok)
		t1.balance_ok[account] = w->now;
}

static void
t1_snapshot(World *w)
{
	(void) w;
}

static void
unknowns(World *w, int account, QtsDate date, QtsTime asked_at, bool trusted)
{
	t1_unknowns(w, account, date, NULL, asked_at, trusted);
}

const ChaosStore t1_store = {
	.live = true,
	.open = t1_open,
	.close = t1_close,
	.guard = t1_guard,
	.raise = t1_raise,
	.begin = t1_begin,
	.commit = t1_commit,
	.add_intent = t1_add_intent,
	.ask_cancel = t1_ask_cancel,
	.set_switches = t1_set_switches,
	.resolve = t1_resolve,
	.position = t1_position,
	.orphans = t1_orphans,
	.work = t1_work,
	.claim = t1_claim,
	.order_answer = t1_order_answer,
	.cancel_answer = t1_cancel_answer,
	.notice = t1_notice,
	.sync = t1_sync,
	.ledger = t1_ledger,
	.balance = t1_balance,
	.unknowns = unknowns,
	.snapshot = t1_snapshot,
	.audit = t1_snapshot,
};
