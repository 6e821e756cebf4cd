/*-------------------------------------------------------------------------
 *
 * order.c
 *		Orders in memory: reduce, store, mirror to the intent (src/db/exec_order.c).
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "t1.h"

bool
t1_unresolved(const ChaosOrder *order)
{
	return order->life.status == QTS_ORDER_PENDING_SUBMIT || order->life.status == QTS_ORDER_UNKNOWN;
}

/* The guard of trade.order_intents. */
void
t1_intent_status(World *w, int i, QtsIntentStatus status)
{
	ChaosIntent *intent = &w->tables.intent[i];

	if (!qts_intent_may_change(intent->status, status))
		world_fail(w, "I5", "intent %d may not go from %s to %s", i, qts_intent_status_name(intent->status),
				   qts_intent_status_name(status));
	intent->status = status;
}

void
t1_mirror(World *w, const ChaosOrder *order)
{
	ChaosIntent *intent;
	QtsIntentStatus status = qts_intent_mirror(order->life.status);
	QtsQty filled = order->life.book.booked_qty;

	if (order->intent == NONE)
		return;
	intent = &w->tables.intent[order->intent];
	if (intent->status == status && intent->filled == filled)
		return;
	if (status == QTS_INTENT_FILLED && filled < intent->qty)
		status = QTS_INTENT_CANCELLED_PARTIAL;
	t1_intent_status(w, order->intent, status);
	intent->filled = filled;
}

void
t1_store_order(World *w, int i, const QtsOrderLife *life)
{
	ChaosOrder *order = &w->tables.order[i];

	if (memcmp(&order->life, life, sizeof(*life)) == 0)
		return;
	if (!qts_order_may_change(order->life.status, life->status))
		world_fail(w, "I5", "order %d may not go from %s to %s", i, qts_order_status_name(order->life.status),
				   qts_order_status_name(life->status));
	order->life = *life;
	order->updated_at = w->now;
	t1_mirror(w, order);
}

int
t1_find_order(const World *w, int account, QtsDate date, int odno)
{
	for (int i = 0; i < w->tables.norders; i++)
	{
		const ChaosOrder *order = &w->tables.order[i];

		if (order->odno == odno && order->account == account && order->date == date)
			return i;
	}
	return NONE;
}

void
t1_bind(World *w, int i, int odno, QtsDate date)
{
	ChaosOrder *order = &w->tables.order[i];
	QtsOrderLife life = order->life;

	if (t1_find_order(w, order->account, date, odno) != NONE &&
		t1_find_order(w, order->account, date, odno) != i)
		world_fail(w, "constraint", "order %d is to have number %d, which another has", i, odno);
	qts_life_bind(&life);
	order->odno = odno;
	order->date = date;
	order->quarantined = false;
	order->acked_at = w->now;
	order->life = life;
	order->updated_at = w->now;
	world_trace(w, "order %d has number %d", i, odno);
	t1_mirror(w, order);
	t1_attach_notices(w, i);
}
