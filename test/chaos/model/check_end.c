/*-------------------------------------------------------------------------
 *
 * check_end.c
 *		The invariants after quiescence: what is here is what is true.
 *
 *-------------------------------------------------------------------------
 */
#include <inttypes.h>
#include <stdlib.h>

#include "check.h"

/* Open for good reason: somebody else's, with a person, or the broker refuses every cancel. */
static bool
may_be_open(const World *w, int i)
{
	const ChaosOrder *order = &w->tables.order[i];

	return !order->own ||
		   (order->life.status == QTS_ORDER_UNKNOWN && order->quarantined && !w->plan.person) ||
		   (w->plan.chance[FAULT_CANCEL_REFUSED] > 0 &&
			w->cancels[i] >= 8); /* the engine counts those that never left too */
}

/* Nothing under way any more, except what waits for a person. */
bool
check_quiet(World *w)
{
	const ChaosTables *t = &w->tables;

	/* what happened a moment ago is still being told */
	for (int i = 0; i < w->broker.norders; i++)
		if (w->broker.order[i].account < w->plan.accounts &&
			broker_state(&w->broker.order[i])->at > w->now - QTS_MINUTE)
			return false;
	for (int i = 0; i < t->norders; i++)
		if (!is_end(t->order[i].life.status) && !may_be_open(w, i))
			return false;
	for (int a = 0; a < w->plan.accounts; a++)
		for (int s = 0; s < w->plan.symbols; s++)
		{
			QtsQty qty = 0;

			for (int i = 0; i < t->npositions; i++)
				if (t->position[i].account == a && t->position[i].symbol == s)
					qty += t->position[i].qty;
			if (qty != w->broker.held[a][s])
				return false;
		}
	return true;
}

static bool
is_held_up(const World *w, int account, int symbol, bool sell)
{
	for (int i = 0; i < w->tables.norders; i++)
	{
		const ChaosOrder *order = &w->tables.order[i];

		if (order->account == account && order->symbol == symbol && order->life.sell == sell &&
			((order->life.status == QTS_ORDER_UNKNOWN && order->quarantined) ||
			 (order->own && !is_end(order->life.status) && may_be_open(w, i))))
			return true;
	}
	return false;
}

/* I13: an order of ours and the broker's say the same. */
static void
check_agrees(World *w, int i, BrokerOrder *truth)
{
	const ChaosOrder *order = &w->tables.order[i];
	const QtsOrderLife *life = &order->life;
	const BrokerStep *state = broker_state(truth);
	QtsKrw amount = 0;

	/* without a ledger only notices and balances tell of fills: the position is right, the order's part may not be */
	if (w->plan.paper && (w->broker.foreign[truth->account][truth->symbol] ||
						  w->plan.chance[FAULT_LEDGER_EMPTY] > 0 || w->plan.chance[FAULT_LEDGER_MISSING] > 0))
		return;
	if (life->book.booked_qty != state->filled)
		world_fail(w, "I13", "order %d (%d): %" PRId64 " filled here, %" PRId64 " at the broker", i,
				   order->odno, life->book.booked_qty, state->filled);
	/* an order that looks the same in everything cannot be told apart */
	if (order->own && truth->post == NONE && !could_be(order, truth, truth->at))
		world_fail(w, "I13", "order %d is bound to somebody else's %d", i, order->odno);
	if (truth->post != NONE && order->own && w->broker.post[truth->post].order != i &&
		!could_be(order, truth, truth->at))
		world_fail(w, "I13", "order %d is bound to %d of order %d", i, order->odno,
				   w->broker.post[truth->post].order);
	if (state->remaining == 0 && !is_end(life->status))
		world_fail(w, "I13", "order %d is %s, the broker's has ended", i,
				   qts_order_status_name(life->status));
	if (is_end(life->status) && (life->status == QTS_ORDER_FILLED) != (state->filled == truth->qty))
		world_fail(w, "I13", "order %d is %s with %" PRId64 " of %" PRId64 " filled", i,
				   qts_order_status_name(life->status), state->filled, truth->qty);
	for (int f = 0; f < w->tables.nfills; f++)
		if (w->tables.fill[f].order == i)
			amount += w->tables.fill[f].qty * w->tables.fill[f].price;
	amount = (amount + QTS_PRICE_SCALE / 2) / QTS_PRICE_SCALE;
	/*
	 * I7, the part of it that exists here: money booked is money moved.  Where
	 * notices and rows overtake each other a share may carry its neighbour's
	 * price, a few ticks away.
	 */
	if (!w->plan.paper && llabs(amount - state->amount) > 1 + state->amount / 200)
		world_fail(w, "I7", "order %d: %" PRId64 " KRW booked, %" PRId64 " moved", i, amount, state->amount);
}

static void
check_set(World *w)
{
	ChaosTables *t = &w->tables;

	for (int o = 0; o < w->broker.norders; o++)
	{
		BrokerOrder *truth = &w->broker.order[o];
		int i;

		if (truth->account >= w->plan.accounts || truth->orig != 0)
			continue;
		for (i = 0; i < t->norders; i++)
			if (t->order[i].account == truth->account && t->order[i].date == truth->date &&
				t->order[i].odno == truth->odno)
				break;
		if (i < t->norders)
			check_agrees(w, i, truth);
		else if (!is_held_up(w, truth->account, truth->symbol, truth->sell) &&
				 !(w->plan.paper && w->plan.chance[FAULT_LEDGER_EMPTY] > 0) &&
				 truth->date == qts_seoul_date(w->now))
			world_fail(w, "I4", "the broker's order %d of %s is not known here", truth->odno,
					   truth->post == NONE ? "somebody else" : "ours");
	}
	for (int i = 0; i < t->norders; i++)
		if (t->order[i].odno != 0 &&
			broker_find(w, t->order[i].account, t->order[i].date, t->order[i].odno) == NONE)
			world_fail(w, "I13", "order %d has number %d, which the broker never gave", i, t->order[i].odno);
}

static bool
waits_for_person(const World *w, int intent)
{
	for (int i = 0; i < w->tables.norders; i++)
		if (w->tables.order[i].intent == intent)
			return !is_end(w->tables.order[i].life.status) &&
				   (may_be_open(w, i) || w->tables.order[i].quarantined);
	return false;
}

/* An order that ended without a fill has changed nothing. */
static bool
still_matters(BrokerOrder *order)
{
	return order->open || broker_state(order)->filled > 0;
}

/* I1: the broker took at most one order per intent. */
static void
check_intents(World *w)
{
	const ChaosTables *t = &w->tables;
	int accepted[MAX_INTENTS] = {0};

	for (int p = 0; p < w->broker.nposts; p++)
	{
		const Post *post = &w->broker.post[p];
		int intent = t->order[post->order].intent;

		if (post->accepted != NONE && ++accepted[intent] > 1)
			world_fail(w, "I1", "the broker took %d orders of intent %d", accepted[intent], intent);
	}
	/* lists and balances were never later than the grace period: taken as not accepted is not accepted */
	for (int p = 0; p < w->broker.nposts; p++)
		if (w->broker.post[p].accepted != NONE && t->order[w->broker.post[p].order].not_accepted &&
			still_matters(&w->broker.order[w->broker.post[p].accepted]) && w->plan.chance[FAULT_TWIN] == 0)
			world_fail(w, "I4", "order %d was taken as not accepted, the broker has it as %d",
					   w->broker.post[p].order, w->broker.order[w->broker.post[p].accepted].odno);
	for (int i = 0; i < t->nintents; i++)
		if (is_live_intent(t->intent[i].status) && !waits_for_person(w, i))
			world_fail(w, "I13", "intent %d is still %s", i, qts_intent_status_name(t->intent[i].status));
}

static void
check_holdings(World *w)
{
	const ChaosTables *t = &w->tables;

	for (int a = 0; a < w->plan.accounts; a++)
		for (int s = 0; s < w->plan.symbols; s++)
		{
			QtsQty qty = 0;

			QtsQty adjusted = 0;

			if (w->broker.held[a][s] < 0)
				world_fail(w, "I2", "the account is short of %" PRId64, -w->broker.held[a][s]);
			for (int i = 0; i < t->npositions; i++)
				if (t->position[i].account == a && t->position[i].symbol == s)
				{
					qty += t->position[i].qty;
					adjusted |= t->position[i].adjusted;
				}
			if (adjusted != 0 && !w->broker.foreign[a][s] && !w->plan.paper)
				world_fail(w, "I13", "a position in symbol %d was corrected though nobody else traded it", s);
			if (qty != w->broker.held[a][s] && !is_held_up(w, a, s, true) && !is_held_up(w, a, s, false))
				world_fail(w, "I13", "account %d symbol %d: position %" PRId64 ", held %" PRId64, a, s, qty,
						   w->broker.held[a][s]);
		}
}

/* After quiescence. */
void
check_end(World *w)
{
	const ChaosTables *t = &w->tables;
	uint64_t sum = 0;

	w->store->snapshot(w);
	w->store->audit(w);
	check_orders(w);
	check_sums(w);
	check_set(w);
	check_intents(w);
	check_holdings(w);
	if (t->disputes > 0 && !w->plan.paper)
		world_fail(w, "I13", "%d disputes, though the broker never contradicted itself", t->disputes);
	for (int i = 0; i < t->norders; i++)
		if (!is_end(t->order[i].life.status) && !may_be_open(w, i) && !t->order[i].quarantined)
			world_fail(w, "quiescence", "order %d is still %s", i,
					   qts_order_status_name(t->order[i].life.status));
	/* tables have no order of their own */
	for (int i = 0; i < t->norders; i++)
	{
		const ChaosOrder *order = &t->order[i];

		sum += ((uint64_t) order->life.status * 1000003u + (uint64_t) order->life.book.booked_qty) *
			   (uint64_t) (order->odno * 7 + order->account * 3 + order->symbol + 1);
	}
	world_mix(w, sum);
}
