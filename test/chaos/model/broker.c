/*-------------------------------------------------------------------------
 *
 * broker.c
 *		The truth: orders, fills, holdings; what the exchange does.
 *
 * Nothing here knows of witnesses.  Every change of an order is kept with
 * its instant, so that a list can show how things were.
 *
 *-------------------------------------------------------------------------
 */
#include "world.h"

BrokerStep *
broker_state(BrokerOrder *order)
{
	return &order->step[order->nsteps - 1];
}

/* NULL: it did not exist then. */
const BrokerStep *
broker_state_at(const BrokerOrder *order, QtsTime at)
{
	for (int i = order->nsteps - 1; i >= 0; i--)
		if (order->step[i].at <= at)
			return &order->step[i];
	return NULL;
}

/* A copy of the state to change; the last place is used over and over. */
static BrokerStep *
broker_change(World *w, BrokerOrder *order)
{
	BrokerStep *step = broker_state(order);

	if (order->nsteps < MAX_ORDER_STEPS)
	{
		step[1] = step[0];
		step++;
		order->nsteps++;
	}
	step->at = w->now;
	w->trading++;
	return step;
}

static QtsQty
broker_sellable(const World *w, int account, int symbol)
{
	QtsQty sellable = w->broker.held[account][symbol];

	for (int i = 0; i < w->broker.norders; i++)
	{
		const BrokerOrder *order = &w->broker.order[i];

		if (order->account == account && order->symbol == symbol && order->sell && order->open)
			sellable -= order->step[order->nsteps - 1].remaining;
	}
	return sellable;
}

QtsQty
broker_held_at(const World *w, int account, int symbol, QtsTime at)
{
	QtsQty held = w->broker.initial[account][symbol];

	for (int i = 0; i < w->broker.nmoves; i++)
	{
		const Move *move = &w->broker.move[i];

		if (move->account == account && move->symbol == symbol && move->at <= at)
			held += move->qty;
	}
	return held;
}

QtsQty
broker_sellable_at(const World *w, int account, int symbol, QtsTime at)
{
	QtsQty sellable = broker_held_at(w, account, symbol, at);

	for (int i = 0; i < w->broker.norders; i++)
	{
		const BrokerOrder *order = &w->broker.order[i];
		const BrokerStep *step;

		if (order->account == account && order->symbol == symbol && order->sell && order->orig == 0 &&
			(step = broker_state_at(order, at)) != NULL)
			sellable -= step->remaining;
	}
	return sellable;
}

int
broker_find(const World *w, int account, QtsDate date, int odno)
{
	for (int i = 0; i < w->broker.norders; i++)
		if (w->broker.order[i].account == account && w->broker.order[i].date == date &&
			w->broker.order[i].odno == odno)
			return i;
	return NONE;
}

static QtsTime
broker_second(const World *w)
{
	QtsTime at = w->now + w->plan.skew;

	return at - at % QTS_SEC;
}

static void
broker_fill(World *w, int o, QtsQty qty, QtsKrw price)
{
	Broker *b = &w->broker;
	BrokerOrder *order = &b->order[o];
	BrokerStep *step = broker_change(w, order);

	step->filled += qty;
	step->amount += qty * price;
	step->remaining -= qty;
	order->open = step->remaining > 0;
	b->held[order->account][order->symbol] += order->sell ? -qty : qty;
	if (b->nmoves == MAX_MOVES)
		w->full = true;
	else
		b->move[b->nmoves++] = (Move){order->account, order->symbol, order->sell ? -qty : qty, w->now};
	wire_notice(w, o, QTS_NOTICE_FILL, qty, price, 0);
}

/* The broker has taken the order: number, notice, and off to the exchange. */
int
broker_accept(World *w, const BrokerOrder *like)
{
	Broker *b = &w->broker;
	BrokerOrder *order = &b->order[b->norders];
	int ours = like->post == NONE ? NONE : b->post[like->post].order;
	int o = b->norders;

	if (o == MAX_BROKER_ORDERS)
	{
		w->full = true;
		return NONE;
	}
	b->norders++;
	*order = *like;
	order->odno = b->next_odno[order->account]++;
	order->date = qts_seoul_date(w->now);
	order->at = broker_second(w);
	order->listed_at = w->now;
	order->open = order->orig == 0;
	order->told_at = 0;
	order->told_accepted = false;
	order->nsteps = 1;
	order->step[0] = (BrokerStep){.at = w->now, .remaining = order->orig == 0 ? order->qty : 0};
	order->rests = !order->market && rng_chance(&w->rng, 300);
	order->stubborn = rng_chance(&w->rng, w->plan.chance[FAULT_CANCEL_REFUSED]);
	if (order->orig != 0)
		return o;
	w->trading++;
	if (w->plan.skew != 0)
		world_met(w, FAULT_CLOCK, ours);
	if (order->account < OWN_ACCOUNTS && world_fault(w, FAULT_LEDGER_MISSING, ours))
		order->listed_at += rng_range(&w->rng, QTS_SEC, (order->sell ? 400 : 120) * QTS_SEC);
	wire_notice(w, o, QTS_NOTICE_ACCEPTED, order->qty, order->market ? 0 : order->price, 0);
	world_at(w, w->now + rng_range(&w->rng, QTS_MS, 900 * QTS_MS), EV_EXCHANGE, o, 0);
	return o;
}

static void
broker_kill(World *w, BrokerOrder *order, bool cancelled)
{
	BrokerStep *step = broker_change(w, order);

	if (cancelled)
		step->cancelled = step->remaining;
	else
		step->rejected = step->remaining;
	step->remaining = 0;
	order->open = false;
}

static QtsKrw
broker_price(World *w, const BrokerOrder *order)
{
	QtsKrw *last = &w->broker.last[order->symbol];

	*last += rng_range(&w->rng, -2, 2) * 50;
	if (*last < 20500)
		*last = 20500;
	if (*last > 49500)
		*last = 49500;
	return order->market ? *last : order->price;
}

static void
exchange_fill(World *w, int o)
{
	BrokerOrder *order = &w->broker.order[o];
	QtsQty rest = broker_state(order)->remaining;
	QtsQty part = rng_chance(&w->rng, 500) ? rest : rng_range(&w->rng, 1, rest);
	QtsKrw price = broker_price(w, order);

	if (rest >= 2 && rng_chance(&w->rng, w->plan.chance[FAULT_EQUAL_FILLS]))
	{
		part = rng_range(&w->rng, 1, rest / 2);
		world_met(w, FAULT_EQUAL_FILLS, order->post == NONE ? NONE : w->broker.post[order->post].order);
		broker_fill(w, o, part, price);
	}
	broker_fill(w, o, part, price);
	if (order->open)
		world_at(w, w->now + rng_range(&w->rng, 0, 4 * QTS_SEC), EV_EXCHANGE, o, 0);
}

void
broker_exchange(World *w, int o)
{
	BrokerOrder *order = &w->broker.order[o];
	int ours = order->post == NONE ? NONE : w->broker.post[order->post].order;
	QtsSessionPhase phase = qts_session_phase(world_today(w), w->now);

	if (!order->open)
		return;
	if (phase == QTS_SESSION_OPENING_AUCTION)
		world_at(w, qts_seoul_instant(world_today(w)->date, world_today(w)->open_at), EV_EXCHANGE, o, 0);
	if (phase != QTS_SESSION_CONTINUOUS)
		return; /* the auction or the close decides */
	if (broker_state(order)->filled == 0 && order->nsteps == 1 &&
		(w->broker.halted[order->symbol] ||
		 (!w->calm && rng_chance(&w->rng, w->plan.chance[FAULT_REJECTED_LATE]))))
	{
		world_met(w, w->broker.halted[order->symbol] ? FAULT_HALTED : FAULT_REJECTED_LATE, ours);
		broker_kill(w, order, false);
		wire_notice(w, o, QTS_NOTICE_REJECTED, order->qty, 0, 0);
		return;
	}
	if (order->market ? !w->broker.halted[order->symbol] : !order->rests && rng_chance(&w->rng, 350))
		exchange_fill(w, o);
	else
		world_at(w, w->now + rng_range(&w->rng, QTS_SEC, 40 * QTS_SEC), EV_EXCHANGE, o, 0);
}

/* 15:30: the auction fills some; the rest ends without a notice (kis-api 3.9). */
void
broker_close(World *w)
{
	for (int i = 0; i < w->broker.norders; i++)
	{
		BrokerOrder *order = &w->broker.order[i];

		if (!order->open)
			continue;
		if (rng_chance(&w->rng, 400))
			broker_fill(w, i, rng_range(&w->rng, 1, broker_state(order)->remaining), broker_price(w, order));
		if (!order->open)
			continue;
		if (order->account < OWN_ACCOUNTS)
			world_met(w, FAULT_SESSION_END, order->post == NONE ? NONE : w->broker.post[order->post].order);
		broker_kill(w, order, false);
	}
}

bool
broker_cancel(World *w, int account, int odno, int *new_odno)
{
	int o = broker_find(w, account, qts_seoul_date(w->now), odno);
	BrokerOrder *order = o == NONE ? NULL : &w->broker.order[o];
	BrokerOrder request;
	QtsQty rest;
	int r;

	if (order == NULL || !order->open)
		return false;
	if (order->stubborn)
	{
		world_met(w, FAULT_CANCEL_REFUSED, order->post == NONE ? NONE : w->broker.post[order->post].order);
		return false;
	}
	if (rng_chance(&w->rng, w->plan.chance[FAULT_CANCEL_RACE]) && !w->calm)
	{
		world_met(w, FAULT_CANCEL_RACE, order->post == NONE ? NONE : w->broker.post[order->post].order);
		broker_fill(w, o, rng_range(&w->rng, 1, broker_state(order)->remaining), broker_price(w, order));
		if (!order->open)
			return false;
	}
	rest = broker_state(order)->remaining;
	request = *order;
	request.orig = odno;
	broker_kill(w, order, true);
	r = broker_accept(w, &request);
	*new_odno = r == NONE ? 0 : w->broker.order[r].odno;
	wire_notice(w, o, QTS_NOTICE_CANCELLED, rest, 0, *new_odno);
	return true;
}

/* An order from another channel; like: one that could be taken for it. */
void
broker_foreign(World *w, int account, int symbol, bool hts, const BrokerOrder *like)
{
	BrokerOrder order = {.account = account, .symbol = symbol, .post = NONE, .hts = hts};
	QtsQty sellable = broker_sellable(w, account, symbol);

	if (like != NULL)
		order = *like;
	else
	{
		order.sell = sellable > 0 && rng_chance(&w->rng, 500);
		order.market = rng_chance(&w->rng, 600);
		order.qty = order.sell && rng_chance(&w->rng, 400)
						? sellable
						: rng_range(&w->rng, 1, order.sell ? sellable : 30);
		order.price = order.market ? 0 : w->broker.last[symbol];
	}
	order.post = NONE;
	order.hts = hts;
	order.orig = 0;
	if ((order.sell && order.qty > sellable) ||
		!qts_session_accepts_orders(qts_session_phase(world_today(w), w->now)))
		return;
	w->broker.foreign[account][symbol] = true;
	(void) broker_accept(w, &order);
}
