/*-------------------------------------------------------------------------
 *
 * client.c
 *		The execution worker's loop, as bgworkers/execution.c runs it.
 *
 * Same order, same transactions, same points; only what waits for a socket
 * or a clock is an event of the queue instead.  What is in memory here is
 * gone after an error or a crash.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define CLAIM_MAX 32
#define NOTICE_BATCH 256
#define CONFIRM_DELAY (200 * QTS_MS)
#define CONFIRM_SPACING QTS_SEC
#define LEDGER_INTERVAL (10 * QTS_SEC)
#define LEDGER_IDLE (30 * QTS_SEC)
#define BALANCE_INTERVAL (30 * QTS_SEC)
#define ERROR_PAUSE QTS_SEC

void
client_wake(World *w, QtsTime at)
{
	Client *c = &w->client;

	if (!c->up)
		return;
	if (at <= w->now)
		at = w->now + 1;
	if (c->wake_at > w->now && c->wake_at <= at)
		return;
	c->wake_at = at;
	world_at(w, at, EV_TURN, ++c->wake, 0);
}

static void
client_forget(World *w)
{
	Client *c = &w->client;

	c->session++;
	for (int i = 0; i < c->ninbox; i++)
		w->flying[c->inbox[i]].used = false;
	c->ninbox = 0;
	c->started = false;
	memset(c->account, 0, sizeof(c->account));
	for (int a = 0; a < OWN_ACCOUNTS; a++)
		c->account[a].work_stale = true;
}

/* An error or a crash: what was in memory is gone; after a crash the notice queue too. */
void
client_broken(World *w, bool crash)
{
	Client *c = &w->client;

	client_forget(w);
	c->wake_at = 0;
	if (!crash)
	{
		client_wake(w, w->now + ERROR_PAUSE);
		return;
	}
	c->up = false;
	c->nqueue = 0;
	c->seq = 0;
	c->epoch++;
	world_at(w,
			 w->now + (rng_chance(&w->rng, 100) ? rng_range(&w->rng, 5 * QTS_SEC, 90 * QTS_SEC)
												: rng_range(&w->rng, 150 * QTS_MS, 3 * QTS_SEC)),
			 EV_RESTART, 0, 0);
}

void
client_restart(World *w)
{
	w->client.up = true;
	w->client.feed_gap = true;
	client_wake(w, w->now);
}

static void
client_start(World *w)
{
	Client *c = &w->client;

	c->started = true;
	c->work_pending = true;
	w->broker.restarted_at[w->broker.nrestarts++ % RESTARTS] = w->now;
	qts_rate_init(&c->limiter, w->plan.rate);
	w->store->begin(w);
	w->store->orphans(w);
	w->store->commit(w);
}

static void
want_ledger(ClientAccount *account, QtsTime at)
{
	if (at < account->ledger_at + CONFIRM_SPACING)
		at = account->ledger_at + CONFIRM_SPACING;
	if (account->ledger_due > at)
		account->ledger_due = at;
}

static void
store_order_answer(World *w, Flying *f)
{
	ClientAccount *account = &w->client.account[f->account];
	bool order = f->event.kind == QTS_EVENT_ORDER;

	chaos_point(w, "net.answered");
	w->store->begin(w);
	if (order)
		w->store->order_answer(w, f->tag, &f->event);
	else
		w->store->cancel_answer(w, f->tag, &f->event);
	chaos_point(w, "answer.commit");
	w->store->commit(w);
	if (order && f->event.outcome == QTS_OUTCOME_OK)
		w->order_step[f->tag] = STEP_S5;
	chaos_point(w, "answer.stored");
	w->client.work_pending = true;
	account->work_stale = true;
	account->unknown_round = 0;
	want_ledger(account,
				w->now + (f->event.outcome == QTS_OUTCOME_OK && order ? LEDGER_INTERVAL : CONFIRM_DELAY));
}

static void
store_ledger(World *w, Flying *f)
{
	ClientAccount *account = &w->client.account[f->account];
	QtsSessionPhase phase = qts_session_phase(world_today(w), w->now);
	bool today = f->date == qts_seoul_date(w->now);
	bool over = !today || phase == QTS_SESSION_AFTER_CLOSE || phase == QTS_SESSION_CLOSED;
	bool answered = f->event.outcome == QTS_OUTCOME_OK;
	bool ok;

	account->ledger_asked = false;
	if (answered)
	{
		list_ledger(w, f);
		w->store->ledger(w, f->account, f->date, &f->event.ledger, f->event.asked_at, !w->plan.paper, over);
	}
	else
		w->store->unknowns(w, f->account, f->date, f->event.asked_at, !w->plan.paper);
	check_bound(w, f->account, answered && f->event.ledger.complete ? &f->event.ledger : NULL);
	ok = answered && f->event.ledger.complete;
	w->store->begin(w);
	account->ledger_done |= ok && today;
	w->store->sync(w, f->account, ok, false);
	w->store->commit(w);
	account->work_stale = true;
	w->client.work_pending = true;
}

static void
store_balance(World *w, Flying *f)
{
	ClientAccount *account = &w->client.account[f->account];
	bool answered = f->event.outcome == QTS_OUTCOME_OK;
	bool ok;

	account->balance_asked = false;
	if (answered)
	{
		list_balance(w, f);
		w->store->balance(w, f->account, &f->event.balance, f->event.asked_at, !w->plan.paper);
	}
	ok = answered && f->event.balance.complete;
	w->store->begin(w);
	account->balance_done |= ok;
	w->store->sync(w, f->account, false, ok);
	w->store->commit(w);
	chaos_point(w, "balance.stored");
	w->client.work_pending = true;
}

static void
take_events(World *w)
{
	Client *c = &w->client;

	while (c->ninbox > 0)
	{
		Flying *f = &w->flying[c->inbox[0]];

		/* out of the session's list before it is stored: an error loses it */
		memmove(c->inbox, c->inbox + 1, sizeof(int) * (size_t) --c->ninbox);
		f->used = false;
		if (f->event.kind == QTS_EVENT_LEDGER)
			store_ledger(w, f);
		else if (f->event.kind == QTS_EVENT_BALANCE)
			store_balance(w, f);
		else
			store_order_answer(w, f);
	}
}

static QtsTime
notice_instant(const World *w, int32_t hhmmss)
{
	return qts_seoul_instant(qts_seoul_date(w->now), hhmmss / 10000 * QTS_HOUR +
														 hhmmss / 100 % 100 * QTS_MINUTE +
														 hhmmss % 100 * QTS_SEC);
}

/* What the engine was told of an order, for the check of bindings. */
static void
notice_told(World *w, const QtsNotice *notice)
{
	int account = world_account_index(w, notice->account);
	int o = broker_find(w, account, qts_seoul_date(w->now), atoi(notice->odno));
	BrokerOrder *order;

	if (o == NONE)
		return;
	order = &w->broker.order[o];
	if (notice->kind == QTS_NOTICE_ACCEPTED && !order->told_accepted)
	{
		order->told_at = order->at;
		order->told_accepted = true;
	}
	if (notice->kind == QTS_NOTICE_FILL && order->told_at == 0)
		order->told_at = notice_instant(w, notice->hhmmss);
	if (notice->kind == QTS_NOTICE_FILL && order->post != NONE)
		w->order_step[w->broker.post[order->post].order] = STEP_S7;
}

/* The first notices of one account and symbol, in one transaction. */
static int
take_notice_group(World *w)
{
	Client *c = &w->client;
	const QtsNotice first = c->queue[0];
	int account = world_account_index(w, first.account);
	int n = 0;

	w->store->begin(w);
	while (n < NOTICE_BATCH && n < c->nqueue && strcmp(c->queue[n].account, first.account) == 0 &&
		   strcmp(c->queue[n].symbol, first.symbol) == 0)
	{
		if (account < w->plan.accounts && w->store->notice(w, &c->queue[n], c->epoch, c->seq + n))
		{
			want_ledger(&c->account[account], w->now + CONFIRM_DELAY);
			c->account[account].work_stale = true;
		}
		n++;
	}
	chaos_point(w, "notice.commit");
	w->store->commit(w);
	for (int i = 0; i < n; i++)
		notice_told(w, &c->queue[i]);
	chaos_point(w, "notice.stored");
	c->nqueue -= n;
	c->seq += n;
	memmove(c->queue, c->queue + n, sizeof(QtsNotice) * (size_t) c->nqueue);
	return n;
}

static void
take_notices(World *w)
{
	Client *c = &w->client;
	int taken = 0;

	while (c->nqueue > 0 && taken < NOTICE_BATCH)
		taken += take_notice_group(w);
	if (taken == 0)
		return;
	for (int a = 0; a < w->plan.accounts; a++)
		if (c->account[a].work.unknown_orders > 0 && w->plan.paper)
		{
			w->store->unknowns(w, a, qts_seoul_date(w->now), w->now, false);
			check_bound(w, a, NULL);
			c->account[a].work_stale = true;
			c->work_pending = true;
		}
}

/* The limit holds over crashes too: what left is remembered outside the worker. */
static void
client_sent(World *w, QtsRateClass klass)
{
	qts_rate_take(&w->client.limiter, klass, w->now);
	check_rate(w);
}

static void
send_claim(World *w, const ChaosClaim *claim)
{
	int i = wire_new(w);
	Broker *b = &w->broker;
	Flying *f;

	if (i == NONE || b->nposts == MAX_POSTS)
	{
		w->full = true;
		return;
	}
	f = &w->flying[i];
	f->event.kind = QTS_EVENT_ORDER;
	f->tag = claim->order;
	f->account = world_account_index(w, claim->request.account);
	f->order = claim->request;
	f->post = b->nposts++;
	b->post[f->post] = (Post){.order = claim->order,
							  .attempt = claim->attempt,
							  .account = f->account,
							  .symbol = world_symbol_index(claim->request.symbol),
							  .sent_at = w->now,
							  .request = claim->request,
							  .accepted = NONE};
	w->posts++;
	w->order_step[claim->order] = STEP_S2;
	chaos_point(w, "net.body");
	client_sent(w, QTS_RATE_ORDER);
	wire_send(w, i);
	chaos_point(w, "net.sent");
}

static void
send_cancel(World *w, const ChaosCancel *cancel)
{
	int i = wire_new(w);
	Flying *f;

	if (i == NONE)
		return;
	f = &w->flying[i];
	check_cancel(w, cancel->order);
	f->event.kind = QTS_EVENT_CANCEL;
	f->tag = cancel->order;
	f->account = world_account_index(w, cancel->request.account);
	f->target = atoi(cancel->request.odno);
	client_sent(w, QTS_RATE_CANCEL);
	wire_send(w, i);
}

static void
account_claim(World *w, int a)
{
	ClientAccount *account = &w->client.account[a];
	int slots = qts_rate_slots(&w->client.limiter, QTS_RATE_ORDER, w->now);
	ChaosClaim claims[CLAIM_MAX];
	ChaosCancel cancels[CLAIM_MAX];
	int n = 0;
	int ncancels = 0;
	bool retry;

	if (!account->ledger_done || !account->balance_done)
		return;
	if (slots <= 0)
	{
		w->client.work_pending = true;
		return;
	}
	if (slots > CLAIM_MAX)
		slots = CLAIM_MAX;
	chaos_point(w, "claim.begin");
	w->store->begin(w);
	w->store->work(w, a, &account->work);
	account->work_stale = false;
	retry = account->work.next_retry != 0 && account->work.next_retry <= w->now;
	if (retry || account->work.new_intents > 0 || account->work.cancels > 0)
	{
		w->store->claim(w, a, retry, slots, claims, &n, cancels, &ncancels);
		account->work_stale = true;
	}
	chaos_point(w, "claim.commit");
	w->store->commit(w);
	for (int i = 0; i < n; i++)
	{
		w->order_step[claims[i].order] = STEP_S1;
		check_claim(w, claims[i].order);
	}
	chaos_point(w, "claim.stored");
	for (int i = 0; i < ncancels; i++)
		send_cancel(w, &cancels[i]);
	for (int i = 0; i < n; i++)
		send_claim(w, &claims[i]);
	if (n + ncancels >= slots)
		w->client.work_pending = true;
}

static void
ask(World *w, int a, QtsBrokerEventKind kind, QtsDate date)
{
	int i = wire_new(w);

	if (i == NONE)
		return;
	w->flying[i].event.kind = kind;
	w->flying[i].account = a;
	w->flying[i].date = date;
	client_sent(w, kind == QTS_EVENT_LEDGER ? QTS_RATE_LEDGER : QTS_RATE_BALANCE);
	wire_send(w, i);
}

static void
poll_ledger(World *w, int a)
{
	ClientAccount *account = &w->client.account[a];
	QtsDate date = qts_seoul_date(w->now);
	QtsTime pause = LEDGER_IDLE;

	if (account->ledger_asked || w->now < account->ledger_due ||
		!qts_rate_available(&w->client.limiter, QTS_RATE_LEDGER, w->now))
		return;
	if (account->work.unknown_orders > 0)
		pause = qts_backoff(account->unknown_round++, QTS_SEC, 8 * QTS_SEC, (uint32_t) rng_next(&w->rng));
	else if (account->work.live_orders > 0)
		pause = LEDGER_INTERVAL;
	account->asked_old = !account->asked_old && account->work.oldest < date;
	if (account->asked_old)
		date = account->work.oldest;
	account->ledger_asked = true;
	account->ledger_at = w->now;
	account->ledger_due = account->asked_old ? w->now : w->now + pause;
	if (account->work.unknown_orders > 0 && account->balance_due > w->now + pause)
		account->balance_due = w->now + pause;
	ask(w, a, QTS_EVENT_LEDGER, date);
}

static void
poll_balance(World *w, int a)
{
	ClientAccount *account = &w->client.account[a];

	if (account->balance_asked || w->now < account->balance_due ||
		!qts_rate_available(&w->client.limiter, QTS_RATE_BALANCE, w->now))
		return;
	account->balance_asked = true;
	account->balance_due = w->now + BALANCE_INTERVAL;
	ask(w, a, QTS_EVENT_BALANCE, qts_seoul_date(w->now));
}

static QtsTime
due(const World *w, QtsTime at, QtsRateClass klass)
{
	QtsTime room = w->now + qts_rate_wait(&w->client.limiter, klass, w->now);

	return at > room ? at : room;
}

static void
client_step(World *w)
{
	Client *c = &w->client;
	QtsTime next = w->now + 60 * QTS_SEC;
	bool claim;

	if (!c->started)
		client_start(w);
	if (c->feed_gap)
		for (int a = 0; a < w->plan.accounts; a++)
			want_ledger(&c->account[a], w->now);
	c->feed_gap = false;
	take_events(w);
	claim = c->work_pending;
	c->work_pending = false;
	for (int a = 0; a < w->plan.accounts; a++)
		if (claim || (c->account[a].work.next_retry != 0 && c->account[a].work.next_retry <= w->now))
			account_claim(w, a);
	take_notices(w);
	for (int a = 0; a < w->plan.accounts; a++)
	{
		ClientAccount *account = &c->account[a];

		if (account->work_stale)
		{
			w->store->begin(w);
			w->store->work(w, a, &account->work);
			w->store->commit(w);
			account->work_stale = false;
		}
		poll_ledger(w, a);
		poll_balance(w, a);
		if (!account->ledger_asked && due(w, account->ledger_due, QTS_RATE_LEDGER) < next)
			next = due(w, account->ledger_due, QTS_RATE_LEDGER);
		if (!account->balance_asked && due(w, account->balance_due, QTS_RATE_BALANCE) < next)
			next = due(w, account->balance_due, QTS_RATE_BALANCE);
		if (account->work.next_retry != 0 && account->work.next_retry < next)
			next = account->work.next_retry;
	}
	if (c->work_pending && due(w, w->now, QTS_RATE_ORDER) < next)
		next = due(w, w->now, QTS_RATE_ORDER);
	client_wake(w, next <= w->now ? w->now + 10 * QTS_MS : next);
}

/* One turn; an error or crash planned inside ends it. */
void
client_turn(World *w)
{
	bool crash = w->plan.break_crash;

	w->client.wake_at = 0;
	if (w->store->guard(w, client_step))
		return;
	client_broken(w, crash);
	plan_next_break(w);
}
