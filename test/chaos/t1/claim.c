/*-------------------------------------------------------------------------
 *
 * claim.c
 *		Claiming intents and cancels (src/db/exec_claim.c).
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <string.h>

#include "core/claim.h"

#include "t1.h"

static QtsClaimGate
gate(const World *w)
{
	return (QtsClaimGate){
		.emergency_stop = t1.stop,
		.exit_mode = t1.mode,
		.accepts_orders = qts_session_accepts_orders(qts_session_phase(world_today(w), w->now)),
		.now = w->now,
	};
}

/* What the balance will show as sellable (a buy: as held) if this order never arrives. */
static QtsQty
witness(const World *w, const ChaosIntent *intent)
{
	QtsQty sellable;

	if (intent->entry)
		return t1.holding[intent->account][intent->symbol].qty;
	sellable = w->tables.position[intent->position].qty;
	for (int i = 0; i < w->tables.norders; i++)
	{
		const ChaosOrder *order = &w->tables.order[i];

		if (order->account == intent->account && order->symbol == intent->symbol && order->life.sell &&
			(order->life.status == QTS_ORDER_SUBMITTED || order->life.status == QTS_ORDER_PARTIAL))
			sellable -= order->life.qty - order->life.book.booked_qty;
	}
	return sellable;
}

static bool
waits_for_another(const World *w, const ChaosIntent *intent)
{
	for (int i = 0; i < w->tables.norders; i++)
	{
		const ChaosOrder *order = &w->tables.order[i];

		if (order->account == intent->account && order->symbol == intent->symbol &&
			order->life.sell == !intent->entry && t1_unresolved(order))
			return true;
	}
	return false;
}

/* Somebody else's order that looks like this one, since it was decided. */
static bool
has_twin(const World *w, const ChaosIntent *intent)
{
	for (int i = 0; i < w->tables.norders; i++)
	{
		const ChaosOrder *order = &w->tables.order[i];

		if (!order->own && order->account == intent->account && order->symbol == intent->symbol &&
			order->life.sell == !intent->entry && order->life.qty == intent->qty &&
			order->life.market == intent->market && (intent->market || order->life.price == intent->price) &&
			order->life.sent_at >= intent->created - 3 * QTS_SEC)
			return true;
	}
	return false;
}

static QtsClaimIntent
claim_facts(const World *w, const ChaosIntent *intent, QtsQty sellable)
{
	QtsClaimIntent facts = {.entry = intent->entry,
							.manual = intent->manual,
							.market = intent->market,
							.rule = intent->rule,
							.severity = intent->priority,
							.qty = intent->qty,
							.price = intent->price,
							.expires = intent->expires,
							.sellable = sellable,
							.twin = has_twin(w, intent),
							.tradable = true,
							.instrument = QTS_INSTRUMENT_STOCK};

	if (!intent->entry)
	{
		facts.held = w->tables.position[intent->position].qty;
		facts.quarantined = w->tables.position[intent->position].quarantined;
	}
	return facts;
}

static void
request_fill(const World *w, const ChaosOrder *order, QtsOrderRequest *request)
{
	memset(request, 0, sizeof(*request));
	snprintf(request->account, sizeof(request->account), "%s", world_account(w, order->account));
	world_symbol(order->symbol, request->symbol);
	request->sell = order->life.sell;
	request->market = order->life.market;
	request->qty = order->life.qty;
	request->price = order->life.price;
}

static void
claim_one(World *w, int i, const QtsClaimIntent *facts, ChaosClaim *claim)
{
	const ChaosIntent *intent = &w->tables.intent[i];
	ChaosOrder order = {.account = intent->account,
						.symbol = intent->symbol,
						.intent = i,
						.position = intent->position,
						.own = true,
						.date = qts_seoul_date(w->now),
						.updated_at = w->now};

	order.life.sell = !intent->entry;
	order.life.market = intent->market;
	order.life.qty = order.life.book.ordered = qts_claim_qty(facts);
	order.life.price = intent->market ? 0 : intent->price;
	order.life.status = QTS_ORDER_PENDING_SUBMIT;
	order.life.attempt = 1;
	order.life.sent_at = w->now;
	order.life.retry_at = QTS_TIME_NONE;
	order.life.sent_holding = facts->sellable;
	t1_intent_status(w, i, QTS_INTENT_SUBMITTING);
	claim->order = t1_add_order(w, &order);
	claim->attempt = 1;
	request_fill(w, &order, &claim->request);
}

/* Most urgent first. */
static int
next_intent(const World *w, int account, const bool *seen)
{
	int best = NONE;

	for (int i = 0; i < w->tables.nintents; i++)
	{
		const ChaosIntent *intent = &w->tables.intent[i];

		if (intent->account != account || intent->status != QTS_INTENT_NEW || seen[i])
			continue;
		if (best == NONE || intent->priority > w->tables.intent[best].priority)
			best = i;
	}
	return best;
}

static int
claim_new(World *w, int account, ChaosClaim *claims, int max)
{
	QtsClaimGate switches = gate(w);
	bool seen[MAX_INTENTS] = {false};
	int batch[MAX_INTENTS];
	QtsQty sellable[MAX_INTENTS];
	int nbatch = 0;
	int n = 0;
	int i;

	/* one statement fetches the batch: its rows see nothing of what is claimed from it */
	while (nbatch < max && (i = next_intent(w, account, seen)) != NONE)
	{
		seen[i] = true;
		if (waits_for_another(w, &w->tables.intent[i]))
			continue;
		sellable[nbatch] = witness(w, &w->tables.intent[i]);
		batch[nbatch++] = i;
	}
	for (int k = 0; k < nbatch; k++)
	{
		const ChaosIntent *intent = &w->tables.intent[batch[k]];
		QtsClaimIntent facts = claim_facts(w, intent, sellable[k]);
		QtsObstacle obstacle = qts_claim_obstacle(&facts, &switches);

		if (obstacle != QTS_OBSTACLE_NONE)
			t1_intent_status(w, batch[k], qts_obstacle_end(obstacle));
		else if (!waits_for_another(w, intent))
			claim_one(w, batch[k], &facts, &claims[n++]);
	}
	return n;
}

static int
reclaim(World *w, int account, ChaosClaim *claims, int max)
{
	QtsClaimGate switches = gate(w);
	int n = 0;

	for (int i = 0; i < w->tables.norders && n < max; i++)
	{
		ChaosOrder *order = &w->tables.order[i];
		const ChaosIntent *intent;
		QtsClaimIntent facts = {.again = true};

		if (order->account != account || order->life.status != QTS_ORDER_PENDING_SUBMIT ||
			order->life.retry_at == QTS_TIME_NONE || order->life.retry_at > w->now)
			continue;
		intent = &w->tables.intent[order->intent];
		facts.entry = intent->entry;
		facts.manual = intent->manual;
		facts.rule = intent->rule;
		facts.severity = intent->priority;
		facts.expires = intent->expires;
		order->updated_at = w->now;
		order->life.retry_at = QTS_TIME_NONE;
		if (intent->cancel_requested || qts_claim_obstacle(&facts, &switches) != QTS_OBSTACLE_NONE)
		{
			order->life.status = QTS_ORDER_REJECTED;
			t1_intent_status(w, order->intent, QTS_INTENT_FAILED);
			continue;
		}
		order->life.attempt++;
		order->life.sent_at = w->now;
		claims[n].order = i;
		claims[n].attempt = order->life.attempt;
		request_fill(w, order, &claims[n++].request);
	}
	return n;
}

static void
cancel_intents(World *w, int account)
{
	for (int i = 0; i < w->tables.nintents; i++)
	{
		ChaosIntent *intent = &w->tables.intent[i];

		if (intent->account == account && intent->cancel_requested && intent->status == QTS_INTENT_NEW)
			t1_intent_status(w, i, QTS_INTENT_CANCELLED);
	}
	for (int i = 0; i < w->tables.norders; i++)
	{
		ChaosOrder *order = &w->tables.order[i];

		if (order->account == account && order->intent != NONE &&
			w->tables.intent[order->intent].cancel_requested && order->life.cancel == QTS_CANCEL_NONE &&
			(order->life.status == QTS_ORDER_SUBMITTED || order->life.status == QTS_ORDER_PARTIAL))
		{
			order->life.cancel = QTS_CANCEL_REQUESTED;
			order->updated_at = w->now;
		}
	}
}

static int
claim_cancels(World *w, int account, ChaosCancel *cancels, int max)
{
	int n = 0;

	for (int i = 0; i < w->tables.norders && n < max; i++)
	{
		ChaosOrder *order = &w->tables.order[i];
		QtsOrderLife *life = &order->life;
		QtsTime wait = life->cancel_attempt < 7 ? (QTS_SEC << life->cancel_attempt) / 2 : 60 * QTS_SEC;

		if (order->account != account || life->cancel != QTS_CANCEL_REQUESTED || order->odno == 0 ||
			(life->status != QTS_ORDER_SUBMITTED && life->status != QTS_ORDER_PARTIAL) ||
			(order->cancel_at != 0 && order->cancel_at > w->now - wait))
			continue;
		life->cancel = QTS_CANCEL_SENT;
		life->cancel_attempt++;
		order->cancel_at = order->updated_at = w->now;
		memset(&cancels[n], 0, sizeof(cancels[n]));
		cancels[n].order = i;
		snprintf(cancels[n].request.account, sizeof(cancels[n].request.account), "%s",
				 world_account(w, account));
		snprintf(cancels[n].request.odno, sizeof(cancels[n].request.odno), "%010d", order->odno % 1000000);
		cancels[n].request.market = life->market;
		cancels[n++].request.qty = life->qty - life->book.booked_qty;
	}
	return n;
}

void
t1_claim(World *w, int account, bool retry, int max, ChaosClaim *claims, int *n, ChaosCancel *cancels,
		 int *ncancels)
{
	cancel_intents(w, account);
	*ncancels = claim_cancels(w, account, cancels, max);
	*n = 0;
	if (retry && max > *ncancels)
		*n = reclaim(w, account, claims, max - *ncancels);
	if (max > *ncancels + *n)
		*n += claim_new(w, account, claims + *n, max - *ncancels - *n);
}
