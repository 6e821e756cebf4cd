/*-------------------------------------------------------------------------
 *
 * wire.c
 *		Between worker and broker: requests, answers and notices on their way,
 *		and everything that can become of them.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <string.h>

#include "world.h"

#define TIMEOUT (7 * QTS_SEC)

int
wire_new(World *w)
{
	for (int i = 0; i < MAX_FLYING; i++)
		if (!w->flying[i].used)
		{
			memset(&w->flying[i], 0, sizeof(w->flying[i]));
			w->flying[i].used = true;
			w->flying[i].post = NONE;
			w->flying[i].session = w->client.session;
			return i;
		}
	w->full = true;
	return NONE;
}

static int
wire_order(const World *w, const Flying *f)
{
	return f->post == NONE ? NONE : w->broker.post[f->post].order;
}

static void
wire_answer(World *w, int i, QtsOutcome outcome, const char *code, QtsTime at)
{
	Flying *f = &w->flying[i];

	if (at > f->sent_at + TIMEOUT)
	{
		at = f->sent_at + TIMEOUT;
		outcome = QTS_OUTCOME_UNKNOWN;
		code = "TIMEOUT";
	}
	f->event.outcome = outcome;
	f->event.for_now = strcmp(code, "EGW00201") == 0;
	snprintf(f->event.msg_cd, sizeof(f->event.msg_cd), "%s", code);
	world_at(w, at, EV_ANSWER, i, 0);
}

/* The request leaves the process. */
void
wire_send(World *w, int i)
{
	Flying *f = &w->flying[i];
	bool order = f->event.kind == QTS_EVENT_ORDER;
	int ours = wire_order(w, f);

	f->sent_at = f->event.asked_at = w->now;
	if (order && world_fault(w, FAULT_NOT_SENT, ours))
	{
		wire_answer(w, i, QTS_OUTCOME_NOT_PROCESSED, "NOT_SENT", w->now + QTS_MS);
		return;
	}
	if (order && world_fault(w, FAULT_REQUEST_LOST, ours))
	{
		wire_answer(w, i, QTS_OUTCOME_UNKNOWN, "TIMEOUT", w->now + TIMEOUT);
		plan_twin(w, f->post);
		return;
	}
	world_at(w, w->now + rng_range(&w->rng, QTS_MS, rng_chance(&w->rng, 50) ? 2 * QTS_SEC : 60 * QTS_MS),
			 EV_ARRIVE, i, 0);
}

static QtsQty
arrive_sellable(const World *w, const Post *post)
{
	return broker_sellable_at(w, post->account, post->symbol, w->now);
}

/* Refused for a reason that is good or bad; NULL: taken. */
static const char *
arrive_refusal(World *w, const Flying *f, const Post *post)
{
	if (!qts_session_accepts_orders(qts_session_phase(world_today(w), w->now)))
		return "APBK0918";
	if (w->broker.halted[post->symbol])
	{
		world_met(w, FAULT_HALTED, post->order);
		return "APBK0066";
	}
	if (f->order.sell && f->order.qty > arrive_sellable(w, post))
		return "APBK0400";
	if (world_fault(w, FAULT_REJECTED, post->order))
		return "APBK0952";
	return NULL;
}

static void
arrive_accepted(World *w, int i, Post *post)
{
	Flying *f = &w->flying[i];
	BrokerOrder order = {.account = post->account,
						 .symbol = post->symbol,
						 .sell = f->order.sell,
						 .market = f->order.market,
						 .qty = f->order.qty,
						 .price = f->order.price,
						 .post = f->post};
	QtsTime answer = w->now + rng_range(&w->rng, 2 * QTS_MS, 120 * QTS_MS);

	post->accepted = broker_accept(w, &order);
	if (post->accepted == NONE)
		return;
	snprintf(f->event.odno, sizeof(f->event.odno), "%010d", w->broker.order[post->accepted].odno % 1000000);
	strcpy(f->event.orgno, "06010");
	if (world_fault(w, FAULT_ANSWER_LOST, post->order))
		wire_answer(w, i, QTS_OUTCOME_UNKNOWN, "TIMEOUT", f->sent_at + TIMEOUT);
	else if (world_fault(w, FAULT_ANSWER_BROKEN, post->order))
		wire_answer(w, i, QTS_OUTCOME_UNKNOWN, "BROKEN", answer);
	else if (world_fault(w, FAULT_GATEWAY, post->order))
		wire_answer(w, i, QTS_OUTCOME_UNKNOWN, "HTTP502", answer);
	else if (world_fault(w, FAULT_ANSWER_LATE, post->order))
		wire_answer(w, i, QTS_OUTCOME_OK, "APBK0013", w->now + rng_range(&w->rng, 500 * QTS_MS, 8 * QTS_SEC));
	else
		wire_answer(w, i, QTS_OUTCOME_OK, "APBK0013", answer);
	if (f->event.outcome == QTS_OUTCOME_UNKNOWN)
		plan_twin(w, f->post);
}

static void
arrive_order(World *w, int i)
{
	Flying *f = &w->flying[i];
	Post *post = &w->broker.post[f->post];
	QtsTime answer = w->now + rng_range(&w->rng, 2 * QTS_MS, 120 * QTS_MS);
	const char *refusal;

	post->arrived++;
	w->trading++;
	w->order_step[post->order] = STEP_S3;
	check_post(w, f->post, &f->order);
	if (world_fault(w, FAULT_RATE, post->order))
		wire_answer(w, i, QTS_OUTCOME_NOT_PROCESSED, "EGW00201", answer);
	else if (world_fault(w, FAULT_TOKEN, post->order))
		wire_answer(w, i, QTS_OUTCOME_NOT_PROCESSED, "EGW00123", answer);
	else if (world_fault(w, FAULT_GATEWAY, post->order))
		wire_answer(w, i, QTS_OUTCOME_UNKNOWN, "HTTP503", answer);
	else if ((refusal = arrive_refusal(w, f, post)) == NULL)
		arrive_accepted(w, i, post);
	else if (world_fault(w, FAULT_ANSWER_LOST, post->order))
		wire_answer(w, i, QTS_OUTCOME_UNKNOWN, "TIMEOUT", f->sent_at + TIMEOUT);
	else
		wire_answer(w, i, QTS_OUTCOME_REJECTED, refusal, answer);
}

static void
arrive_cancel(World *w, int i)
{
	Flying *f = &w->flying[i];
	QtsTime answer = w->now + rng_range(&w->rng, 2 * QTS_MS, 200 * QTS_MS);
	int ours = broker_find(w, f->account, qts_seoul_date(w->now), f->target);
	int number = 0;
	bool done;

	if (ours != NONE)
		ours = w->broker.order[ours].post == NONE ? NONE : w->broker.post[w->broker.order[ours].post].order;
	w->trading++;
	if (world_fault(w, FAULT_RATE, ours))
	{
		wire_answer(w, i, QTS_OUTCOME_NOT_PROCESSED, "EGW00201", answer);
		return;
	}
	if (world_fault(w, FAULT_CANCEL_LOST, ours))
	{
		if (rng_chance(&w->rng, 500))
			(void) broker_cancel(w, f->account, f->target, &number);
		wire_answer(w, i, QTS_OUTCOME_UNKNOWN, "TIMEOUT", f->sent_at + TIMEOUT);
		return;
	}
	done = broker_cancel(w, f->account, f->target, &number);
	snprintf(f->event.odno, sizeof(f->event.odno), "%010d", number % 1000000);
	wire_answer(w, i, done ? QTS_OUTCOME_OK : QTS_OUTCOME_REJECTED, done ? "APBK0013" : "APBK0927", answer);
}

/* The broker has read the request. */
void
wire_arrive(World *w, int i)
{
	Flying *f = &w->flying[i];
	QtsTime answer = w->now + rng_range(&w->rng, 5 * QTS_MS, 300 * QTS_MS);

	switch (f->event.kind)
	{
		case QTS_EVENT_ORDER:
			arrive_order(w, i);
			break;
		case QTS_EVENT_CANCEL:
			arrive_cancel(w, i);
			break;
		case QTS_EVENT_LEDGER:
		case QTS_EVENT_BALANCE:
			list_faults(w, f);
			if (world_fault(w, FAULT_LEDGER_FAILED, NONE))
				wire_answer(w, i, QTS_OUTCOME_UNKNOWN, "HTTP502", answer);
			else
				wire_answer(w, i, QTS_OUTCOME_OK, "OK", answer);
			break;
		case QTS_EVENT_OPEN_LIST:
		case QTS_EVENT_STATE:
			break;
	}
}

static void
frame_at(World *w, const QtsNotice *notice, int o, QtsTime at)
{
	if (w->nframes == MAX_EVENTS)
	{
		w->full = true;
		return;
	}
	w->frame[w->nframes] = *notice;
	w->frame_order[w->nframes] = o;
	world_at(w, at, EV_NOTICE, w->nframes++, 0);
}

/* The broker says what happened to order o; new_odno: of a cancel. */
void
wire_notice(World *w, int o, QtsNoticeKind kind, QtsQty qty, QtsKrw price, int new_odno)
{
	const BrokerOrder *order = &w->broker.order[o];
	QtsTime second = qts_seoul_time_of_day(w->now + w->plan.skew) / QTS_SEC;
	QtsTime at = w->now + rng_range(&w->rng, QTS_MS, 250 * QTS_MS);
	int ours = order->post == NONE ? NONE : w->broker.post[order->post].order;
	QtsNotice n = {.kind = kind, .sell = order->sell, .qty = qty, .price = price, .order_qty = order->qty};

	snprintf(n.account, sizeof(n.account), "%s", world_account(w, order->account));
	snprintf(n.odno, sizeof(n.odno), "%010d",
			 (kind == QTS_NOTICE_CANCELLED ? new_odno : order->odno) % 1000000);
	if (kind == QTS_NOTICE_CANCELLED)
		snprintf(n.orgn_odno, sizeof(n.orgn_odno), "%010d", order->odno % 1000000);
	world_symbol(order->symbol, n.symbol);
	strcpy(n.ord_dvsn, order->market ? "01" : "00");
	strcpy(n.orgno, "06010");
	n.hhmmss = (int32_t) (second / 3600 * 10000 + second / 60 % 60 * 100 + second % 60);
	if (order->account >= OWN_ACCOUNTS || order->account >= w->plan.accounts)
		world_met(w, FAULT_NOTICE_ELSEWHERE, NONE);
	if (world_fault(w, FAULT_NOTICE_LOST, ours))
		return;
	if (world_fault(w, FAULT_NOTICE_EARLY, ours))
		at = w->now;
	else if (world_fault(w, FAULT_NOTICE_LATE, ours))
		at = w->now + rng_range(&w->rng, QTS_SEC, 90 * QTS_SEC);
	frame_at(w, &n, o, at);
	if (world_fault(w, FAULT_NOTICE_TWICE, ours))
		frame_at(w, &n, o, at + rng_range(&w->rng, 0, 30 * QTS_SEC));
}

/* A frame reaches the machine: into the queue in shared memory, if the feed is up. */
void
wire_frame(World *w, int frame)
{
	Client *c = &w->client;
	int post = w->broker.order[w->frame_order[frame]].post;
	int ours = post == NONE ? NONE : w->broker.post[post].order;

	if (!c->up || !c->feed_up)
	{
		if (!c->feed_up)
			world_met(w, FAULT_FEED_DOWN, ours);
		return;
	}
	if (c->nqueue == MAX_QUEUE)
	{
		w->full = true;
		return;
	}
	c->queue[c->nqueue++] = w->frame[frame];
	if (ours != NONE && w->order_step[ours] >= STEP_S5)
		w->order_step[ours] = STEP_S6;
	client_wake(w, w->now + rng_range(&w->rng, 0, rng_chance(&w->rng, 30) ? 2 * QTS_SEC : 2 * QTS_MS));
}
