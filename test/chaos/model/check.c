/*-------------------------------------------------------------------------
 *
 * check.c
 *		The invariants of anchors 4.2, against the broker's truth.
 *
 * They are written down here a second time, without the functions of
 * src/core: a wrong function must not prove itself right.
 *
 *-------------------------------------------------------------------------
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* I5: ends stay, except for a late fill; what is bound is never unsent again. */
static void
check_states(World *w, int i, const ChaosOrder *was, const ChaosOrder *is)
{
	QtsOrderStatus from = was->life.status;
	QtsOrderStatus to = is->life.status;
	bool late_fill = (to == QTS_ORDER_FILLED || to == QTS_ORDER_CANCELLED_PARTIAL) &&
					 is->life.book.booked_qty > was->life.book.booked_qty;

	if (from == to)
		return;
	if (is_end(from) && !late_fill)
		world_fail(w, "I5", "order %d went from %s to %s", i, qts_order_status_name(from),
				   qts_order_status_name(to));
	if (to == QTS_ORDER_PENDING_SUBMIT || (to == QTS_ORDER_UNKNOWN && from != QTS_ORDER_PENDING_SUBMIT))
		world_fail(w, "I5", "order %d went back from %s to %s", i, qts_order_status_name(from),
				   qts_order_status_name(to));
}

void
check_orders(World *w)
{
	ChaosTables *t = &w->tables;

	for (int i = 0; i < t->norders; i++)
	{
		const ChaosOrder *order = &t->order[i];
		const QtsOrderLife *life = &order->life;

		if (i < w->before.norders)
		{
			const ChaosOrder *was = &w->before.order[i];

			check_states(w, i, was, order);
			if (life->book.booked_qty < was->life.book.booked_qty)
				world_fail(w, "I3", "order %d lost fills", i);
			if (life->book.ledger_qty < was->life.book.ledger_qty ||
				life->book.notice_qty < was->life.book.notice_qty)
				world_fail(w, "I3", "a witness of order %d went back", i);
			if (was->odno != 0 && was->odno != order->odno)
				world_fail(w, "I5", "order %d changed its number", i);
		}
		if (life->book.booked_qty > life->qty || life->cancelled < 0 || life->rejected < 0 ||
			life->book.booked_qty + life->cancelled + life->rejected > life->qty)
			world_fail(w, "I3",
					   "order %d of %" PRId64 ": %" PRId64 " filled, %" PRId64 " cancelled, %" PRId64
					   " rejected",
					   i, life->qty, life->book.booked_qty, life->cancelled, life->rejected);
	}
}

/* At most one unresolved order per symbol and side: else no match is unambiguous. */
static void
check_unresolved(World *w)
{
	bool seen[OWN_ACCOUNTS][SYMBOLS][2] = {{{false}}};

	for (int i = 0; i < w->tables.norders; i++)
	{
		const ChaosOrder *order = &w->tables.order[i];
		bool *mark = &seen[order->account][order->symbol][order->life.sell];

		if (order->life.status != QTS_ORDER_PENDING_SUBMIT && order->life.status != QTS_ORDER_UNKNOWN)
			continue;
		if (*mark)
			world_fail(w, "constraint", "order %d is a second unresolved one of its symbol and side", i);
		*mark = true;
	}
}

/* I3: fills make up the order; I2: nothing is held below zero or locked beyond what is held. */
void
check_sums(World *w)
{
	ChaosTables *t = &w->tables;
	QtsQty filled[MAX_ORDERS] = {0};
	QtsQty moved[MAX_POSITIONS] = {0};
	QtsQty locked[MAX_POSITIONS] = {0};

	for (int i = 0; i < t->nfills; i++)
	{
		filled[t->fill[i].order] += t->fill[i].qty;
		if (t->fill[i].position != NONE)
			moved[t->fill[i].position] += t->fill[i].sell ? -t->fill[i].qty : t->fill[i].qty;
	}
	for (int i = 0; i < t->norders; i++)
		if (filled[i] != t->order[i].life.book.booked_qty)
			world_fail(w, "I3", "order %d has fills of %" PRId64 ", its row says %" PRId64, i, filled[i],
					   t->order[i].life.book.booked_qty);
	for (int i = 0; i < t->nintents; i++)
		if (!t->intent[i].entry && is_live_intent(t->intent[i].status))
			locked[t->intent[i].position] += t->intent[i].qty - t->intent[i].filled;
	/* live exits never take more than there is when one is made; others may sell it afterwards */
	for (int i = w->before.nintents; i < t->nintents && w->store->live; i++)
		if (!t->intent[i].entry && locked[t->intent[i].position] > t->position[t->intent[i].position].qty &&
			is_live_intent(t->intent[i].status))
			world_fail(w, "I2", "live exits of position %d lock %" PRId64 ", it holds %" PRId64,
					   t->intent[i].position, locked[t->intent[i].position],
					   t->position[t->intent[i].position].qty);
	for (int i = 0; i < t->npositions; i++)
	{
		const ChaosPosition *p = &t->position[i];

		if (p->qty < 0)
			world_fail(w, "I2", "position %d holds %" PRId64, i, p->qty);
		if (t->oversold == 0 && p->qty != p->original + p->adjusted + moved[i])
			world_fail(w, "I3",
					   "position %d: %" PRId64 " held, %" PRId64 " to begin with, %" PRId64
					   " adjusted, %" PRId64 " by fills",
					   i, p->qty, p->original, p->adjusted, moved[i]);
		if (p->closed && p->qty > 0)
			world_fail(w, "I6", "position %d is closed and holds %" PRId64, i, p->qty);
		if (p->events > 1 || (p->closed && p->events != 1))
			world_fail(w, "I6", "position %d has %d exit events", i, p->events);
	}
}

void
check_step(World *w)
{
	ChaosTables *t = &w->tables;

	check_orders(w);
	check_unresolved(w);
	memcpy(w->before.order, t->order, sizeof(t->order[0]) * (size_t) t->norders);
	w->before.norders = t->norders;
	if (w->before.nfills == t->nfills && w->before.oversold == t->oversold &&
		w->before.nintents == t->nintents)
		return;
	check_sums(w);
	w->before.nfills = t->nfills;
	w->before.oversold = t->oversold;
	w->before.nintents = t->nintents;
}

/* I8: never more than the limit within any second; a new process may not know of the last one's. */
void
check_rate(World *w)
{
	Broker *b = &w->broker;
	int allowed = w->plan.rate;
	int n = 0;

	for (int i = 0; i < b->nsent; i++)
		if (b->sent[i] > w->now - QTS_SEC)
			b->sent[n++] = b->sent[i];
	b->sent[n++] = w->now;
	b->nsent = n;
	for (int i = 0; i < RESTARTS; i++)
		if (b->restarted_at[i] > w->now - QTS_SEC)
			allowed += w->plan.rate;
	if (n > allowed)
		world_fail(w, "I8", "%d requests within a second, %d allowed", n, allowed);
}

/* By our own books: what the position holds less what our other open sells hold. */
static QtsQty
own_sellable(const World *w, int sale)
{
	const ChaosOrder *order = &w->tables.order[sale];
	QtsQty qty = w->tables.position[order->position].qty;

	for (int i = 0; i < w->tables.norders; i++)
	{
		const ChaosOrder *other = &w->tables.order[i];

		if (i != sale && other->own && other->account == order->account && other->symbol == order->symbol &&
			other->life.sell && !is_end(other->life.status))
			qty -= other->life.qty - other->life.book.booked_qty;
	}
	return qty;
}

/* I9: after a stop has committed no claim passes it, nor one that was asked to be cancelled before. */
void
check_claim(World *w, int i)
{
	const ChaosOrder *order = &w->tables.order[i];
	const ChaosIntent *intent;

	if (!w->store->live)
		return;
	intent = &w->tables.intent[order->intent];
	if (intent->entry ? w->stop
					  : !intent->manual && intent->rule != QTS_RULE_HARD_STOP &&
							(w->mode == QTS_CONTROL_PAUSE_ALL ||
							 (w->mode == QTS_CONTROL_PAUSE_PROFIT &&
							  (intent->rule == QTS_RULE_TP1 || intent->rule == QTS_RULE_TRAIL))))
		world_fail(w, "I9", "order %d was claimed after the stop", i);
	if (!intent->entry && order->life.qty > own_sellable(w, i))
		world_fail(w, "I2", "order %d sells %" PRId64 ", of its position %" PRId64 " are left", i,
				   order->life.qty, own_sellable(w, i));
	if (intent->cancel_requested)
		world_fail(w, "I9", "order %d was claimed after its cancel was asked for", i);
}

/* A cancel that is refused again and again is given up. */
void
check_cancel(World *w, int i)
{
	if (++w->cancels[i] > 10 && w->plan.chance[FAULT_RATE] == 0)
		world_fail(w, "R9", "order %d was cancelled %d times", i, w->cancels[i]);
}

/* I1, when the broker reads an order. */
void
check_post(World *w, int p, const QtsOrderRequest *request)
{
	Broker *b = &w->broker;
	const Post *post = &b->post[p];

	if (post->arrived > 1)
		world_fail(w, "I1", "order %d, attempt %d was sent twice", post->order, post->attempt);
	for (int i = 0; i < p; i++)
	{
		const Post *other = &b->post[i];

		if (other->order != post->order)
			continue;
		if (other->attempt == post->attempt)
			world_fail(w, "I1", "order %d, attempt %d was sent twice", post->order, post->attempt);
		if (other->accepted != NONE)
			world_fail(w, "I1", "order %d was sent again though the broker had taken it", post->order);
	}
	/*
	 * the shares of a sell are there, unless somebody else moved some; or, on
	 * paper, an order of ours did that neither ledger nor notice told of, for
	 * as long as balances have not: the broker refuses then
	 */
	if (request->sell && !b->foreign[post->account][post->symbol] &&
		!(w->plan.paper && w->plan.chance[FAULT_LEDGER_EMPTY] + w->plan.chance[FAULT_LEDGER_MISSING] > 0) &&
		request->qty > broker_sellable_at(w, post->account, post->symbol, w->now))
		world_fail(w, "I2", "order %d sells %" PRId64 ", sellable are %" PRId64, post->order, request->qty,
				   broker_sellable_at(w, post->account, post->symbol, w->now));
}

/*
 * Could the broker's order be the one that was sent?  Kis-api 6.5: three
 * seconds of skew, and one because the broker tells whole seconds.
 */
bool
could_be(const ChaosOrder *sent, const BrokerOrder *seen, QtsTime at)
{
	const QtsOrderLife *life = &sent->life;

	return seen->account == sent->account && seen->symbol == sent->symbol && seen->orig == 0 &&
		   seen->date == sent->date && seen->sell == life->sell && seen->market == life->market &&
		   seen->qty == life->qty && (life->market || seen->price == life->price) &&
		   at >= life->sent_at - 4 * QTS_SEC && at <= life->sent_at + 10 * QTS_SEC;
}

static bool
is_bound(const World *w, const BrokerOrder *order, int except)
{
	for (int i = 0; i < w->tables.norders; i++)
		if (i != except && w->tables.order[i].account == order->account &&
			w->tables.order[i].date == order->date && w->tables.order[i].odno == order->odno)
			return true;
	return false;
}

static bool
is_listed(const QtsLedger *ledger, const BrokerOrder *order)
{
	for (int i = 0; ledger != NULL && i < ledger->count; i++)
		if (atoi(ledger->rows[i].odno) == order->odno)
			return true;
	return false;
}

static int
candidates(const World *w, int i, const QtsLedger *ledger)
{
	int n = 0;

	for (int o = 0; o < w->broker.norders; o++)
	{
		const BrokerOrder *order = &w->broker.order[o];

		if (is_bound(w, order, i))
			continue;
		/* the list says that it came from elsewhere */
		if (order->hts && is_listed(ledger, order))
			continue;
		n += (is_listed(ledger, order) && could_be(&w->tables.order[i], order, order->at)) ||
			 (w->plan.paper && could_be(&w->tables.order[i], order, order->told_at));
	}
	return n;
}

/* Unknown orders were judged: one that was bound had exactly one candidate among what was told. */
void
check_bound(World *w, int account, const QtsLedger *ledger)
{
	if (!w->store->live)
		return;
	for (int i = 0; i < w->before.norders; i++)
	{
		const ChaosOrder *order = &w->tables.order[i];
		int n;

		if (order->account != account || w->before.order[i].life.status != QTS_ORDER_UNKNOWN ||
			order->life.status == QTS_ORDER_UNKNOWN)
			continue;
		w->before.order[i].life.status = order->life.status; /* looked at */
		if (order->odno == 0)
			continue;
		n = candidates(w, i, ledger);
		if (n != 1)
			world_fail(w, "I13", "order %d was bound to %d though %d orders could be it", i, order->odno, n);
	}
}
