/*
 * exchange.c
 *		The book: numbering, arrival, matching, fills, kills and session ends.
 *
 * Owns every QtsOrder and the per-symbol lists of open ones.  What follows an
 * accepted request (accept notice, arrival, fills) runs through qts_net_later, so
 * it happens after the answer has been written unless an option or fault says
 * otherwise.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define HASH_SIZE (1 << 20)

static QtsOrder **orders;
static QtsOrder **order_hash;
static int n_orders;
static int cap_orders;
static int64_t last_number;
static int current_date;
static QtsPhase last_phase = QTS_PHASE_AFTER;
static uint64_t piece_tag = 1;

static void exchange_arrive(void *arg, uint64_t tag);

static unsigned
exchange_hash(int date, int64_t odno)
{
	uint64_t h = ((uint64_t) odno + (uint64_t) date * 1000003) * UINT64_C(0x9E3779B97F4A7C15);

	return (unsigned) (h >> 44) % HASH_SIZE;
}

QtsOrder *
qts_exchange_find(int date, int64_t odno)
{
	QtsOrder *order = order_hash ? order_hash[exchange_hash(date, odno)] : NULL;

	while (order != NULL && (order->date != date || order->odno != odno))
		order = order->hash_next;
	return order;
}

QtsOrder *
qts_exchange_at(int index)
{
	return index < n_orders ? orders[index] : NULL;
}

int
qts_exchange_count(void)
{
	return n_orders;
}

/* Real numbers end in 00 and jump, being shared by the whole house; paper counts by one. */
static int64_t
exchange_number(void)
{
	if (qts_options.is_paper)
	{
		last_number += 1 + (qts_random_below(8) == 0);
		return 8600 + last_number;
	}
	last_number += 1 + (int64_t) qts_random_below(40);
	return last_number * 100;
}

QtsOrder *
qts_exchange_create(QtsAccount *account, QtsSymbol *symbol)
{
	int64_t now = qts_clock_now();
	QtsOrder *order;
	unsigned h;

	qts_exchange_session();
	if (n_orders >= QTS_MAX_ORDERS)
		return NULL;
	if (order_hash == NULL)
		order_hash = qts_mem_zero(HASH_SIZE * sizeof(*order_hash));
	if (n_orders == cap_orders)
	{
		cap_orders = cap_orders ? cap_orders * 2 : 1024;
		orders = qts_mem_grow(orders, (size_t) cap_orders * sizeof(*orders));
	}
	if (account->n_orders == account->cap_orders)
	{
		account->cap_orders = account->cap_orders ? account->cap_orders * 2 : 256;
		account->orders =
			qts_mem_grow(account->orders, (size_t) account->cap_orders * sizeof(*account->orders));
	}
	order = qts_mem_zero(sizeof(*order));
	order->account = account;
	order->symbol = symbol;
	order->date = qts_clock_date(now);
	order->tmd = qts_clock_tmd(now);
	order->odno = exchange_number();
	order->accepted_us = qts_clock_real();
	order->pieces_left = qts_options.partial_fills;
	qts_text_copy(order->channel, sizeof(order->channel), "OpnAPI");
	qts_text_copy(order->ip, sizeof(order->ip), "127.0.0.1");
	qts_text_copy(order->excg, sizeof(order->excg), "KRX");
	qts_text_copy(order->dvsn, sizeof(order->dvsn), "00");
	orders[n_orders++] = order;
	order->index = account->n_orders;
	account->orders[account->n_orders++] = order;
	h = exchange_hash(order->date, order->odno);
	order->hash_next = order_hash[h];
	order_hash[h] = order;
	return order;
}

static void
exchange_link(QtsOrder *order)
{
	QtsSymbol *symbol = order->symbol;

	order->is_open = true;
	order->next = symbol->open_orders;
	order->prev = NULL;
	if (order->next != NULL)
		order->next->prev = order;
	symbol->open_orders = order;
	if (order->is_sell)
		symbol->sell_min = order->is_market					 ? 0
						   : order->limit < symbol->sell_min ? order->limit
															 : symbol->sell_min;
	else if (order->is_market || order->limit > symbol->buy_max)
		symbol->buy_max = order->is_market ? INT64_MAX : order->limit;
}

static void
exchange_unlink(QtsOrder *order)
{
	if (!order->is_open)
		return;
	order->is_open = false;
	if (order->prev != NULL)
		order->prev->next = order->next;
	else
		order->symbol->open_orders = order->next;
	if (order->next != NULL)
		order->next->prev = order->prev;
}

/* Bring the cash held back for a buy in line with what is left of it. */
void
qts_exchange_reserve(QtsOrder *order)
{
	int64_t amount;
	int64_t wanted = 0;

	if (order->is_sell || order->kind == QTS_KIND_CANCEL)
		return;
	if (order->is_open)
	{
		amount = qts_order_left(order) * (order->is_market ? order->symbol->upper : order->limit);
		wanted = amount + qts_account_fee(order->symbol, order->amount + amount) - order->fee;
	}
	order->account->reserved += wanted - order->reserved;
	order->reserved = wanted;
}

static void
exchange_lock(QtsOrder *order, int64_t qty)
{
	QtsHolding *holding;

	if (!order->is_sell)
		return;
	holding = qts_account_holding(order->account, order->symbol, true);
	if (holding != NULL)
		holding->locked += qty;
}

bool
qts_exchange_fill(QtsOrder *order, int64_t qty, int64_t price)
{
	QtsFill *fill;

	if (!order->is_open || qty <= 0 || price <= 0 || qty > qts_order_left(order))
		return false;
	if (order->owes_accept && !order->accept_after_fill)
		qts_notice_accept(order);
	fill = qts_mem_zero(sizeof(*fill));
	*fill = (QtsFill){qty, price, qts_clock_real(), NULL};
	if (order->last_fill != NULL)
		order->last_fill->next = fill;
	else
		order->fills = fill;
	order->last_fill = fill;
	order->filled += qty;
	order->amount += qty * price;
	order->last_fill_us = qts_clock_mono();
	qts_counters.fills++;
	qts_account_fill(order, qty, price);
	if (qts_order_left(order) == 0)
		exchange_unlink(order);
	qts_exchange_reserve(order);
	qts_notice_fill(order, qty, price);
	if (order->owes_accept)
		qts_notice_accept(order);
	return true;
}

void
qts_exchange_kill(QtsOrder *order, int64_t qty, QtsKill how, bool has_notice)
{
	if (!order->is_open || qty <= 0 || qty > qts_order_left(order))
		return;
	if (order->owes_accept && has_notice)
		qts_notice_accept(order);
	order->killed += qty;
	order->kill = how;
	qts_counters.kills++;
	exchange_lock(order, -qty);
	if (qts_order_left(order) == 0)
		exchange_unlink(order);
	qts_exchange_reserve(order);
	if (has_notice)
		qts_notice_kill(order, qty, how == QTS_KILL_REJECT);
}

static bool
exchange_may_trade(const QtsOrder *order)
{
	QtsPhase phase = qts_clock_phase();

	return order->is_open && order->has_arrived && qts_options.auto_fill && !order->symbol->is_halted &&
		   !order->symbol->is_vi &&
		   phase == (order->is_after_market ? QTS_PHASE_AFTER_MARKET : QTS_PHASE_CONTINUOUS);
}

/* The price this order would trade at now, or 0.  Resting limits trade at their own. */
static int64_t
exchange_cross(const QtsOrder *order, bool is_incoming)
{
	int64_t other = order->is_sell ? order->symbol->bid : order->symbol->ask;

	if (other <= 0)
		return 0;
	if (order->is_market)
		return other;
	if (order->is_sell ? order->limit > other : order->limit < other)
		return 0;
	return is_incoming ? other : order->limit;
}

static void exchange_piece(void *arg, uint64_t tag);

static void
exchange_trade(QtsOrder *order, bool is_incoming)
{
	while (exchange_may_trade(order) && !order->has_piece_timer)
	{
		int64_t price = exchange_cross(order, is_incoming);
		int64_t left = qts_order_left(order);
		int64_t qty = order->pieces_left > 1 ? left / order->pieces_left : left;

		if (price == 0)
			return;
		order->pieces_left--;
		qts_exchange_fill(order, qty > 0 ? qty : 1, price);
		if (order->is_open && qts_options.piece_delay_ms > 0)
			order->has_piece_timer =
				qts_net_timer(qts_options.piece_delay_ms * 1000, exchange_piece, order, piece_tag);
	}
}

static void
exchange_piece(void *arg, uint64_t tag)
{
	QtsOrder *order = arg;

	(void) tag;
	order->has_piece_timer = false;
	exchange_trade(order, true);
}

/* Rescan the resting orders of a symbol whose quotes moved across any of them. */
void
qts_exchange_match(QtsSymbol *symbol)
{
	int64_t buy_max = 0;
	int64_t sell_min = INT64_MAX;
	QtsOrder *next;

	if (symbol->open_orders == NULL || (symbol->ask > symbol->buy_max && symbol->bid < symbol->sell_min))
		return;
	for (QtsOrder *order = symbol->open_orders; order != NULL; order = next)
	{
		next = order->next;
		exchange_trade(order, false);
		if (!order->is_open)
			continue;
		if (order->is_sell)
			sell_min = order->is_market ? 0 : order->limit < sell_min ? order->limit : sell_min;
		else if (order->is_market || order->limit > buy_max)
			buy_max = order->is_market ? INT64_MAX : order->limit;
	}
	symbol->buy_max = buy_max;
	symbol->sell_min = sell_min;
}

static void
exchange_cancel(QtsOrder *request)
{
	QtsOrder *target = request->target;
	int64_t left = target->is_open ? qts_order_left(target) : 0;
	int64_t qty = request->target_qty < left ? request->target_qty : left;

	if (qty == 0)
	{
		qts_notice_kill(request, request->qty, true);
		return;
	}
	qts_counters.cancels++;
	qts_exchange_kill(target, qty, QTS_KILL_CANCEL, false);
	qts_notice_confirm(request, qty);
}

/* The new order takes over what the old one still had; nothing left means refusal. */
static bool
exchange_take_over(QtsOrder *order)
{
	QtsOrder *target = order->target;
	int64_t left = target->is_open ? qts_order_left(target) : 0;
	int64_t qty = order->target_qty < left ? order->target_qty : left;

	if (qty == 0)
	{
		order->killed = order->qty;
		order->kill = QTS_KILL_REJECT;
		qts_notice_kill(order, order->qty, true);
		return false;
	}
	qts_exchange_kill(target, qty, QTS_KILL_REVISE, false);
	order->qty = qty;
	exchange_link(order);
	exchange_lock(order, qty);
	qts_exchange_reserve(order);
	qts_notice_confirm(order, qty);
	return true;
}

/* tag 1 means the exchange refuses the order. */
static void
exchange_arrive(void *arg, uint64_t tag)
{
	QtsOrder *order = arg;
	int64_t left;

	if (order->kind == QTS_KIND_CANCEL)
	{
		exchange_cancel(order);
		return;
	}
	if (order->kind == QTS_KIND_REVISE && !exchange_take_over(order))
		return;
	if (!order->is_open)
		return;
	order->has_arrived = true;
	if (tag == 1)
	{
		qts_exchange_kill(order, qts_order_left(order), QTS_KILL_REJECT, true);
		return;
	}
	left = qts_order_left(order);
	if (order->tif != 2 || exchange_cross(order, true) > 0)
		exchange_trade(order, true);
	if (order->tif != 0 && order->is_open && left > 0)
		qts_exchange_kill(order, qts_order_left(order), QTS_KILL_RESIDUE, true);
}

static void
exchange_announce(void *arg, uint64_t tag)
{
	QtsOrder *order = arg;

	(void) tag;
	if (order->owes_accept && !order->accept_after_fill)
		qts_notice_accept(order);
}

/* Take a validated order or request; the answer to its POST is written by the caller. */
void
qts_exchange_submit(QtsOrder *order, const QtsFault *fault)
{
	bool is_new = order->kind == QTS_KIND_NEW;
	bool is_at_once = qts_fault_is(fault, "fill_before_reply");
	int64_t delay = is_new ? qts_options.fill_delay_ms : qts_options.cancel_delay_ms;
	uint64_t tag = qts_fault_is(fault, "reject_async") ? 1 : 0;

	qts_counters.orders_accepted++;
	if (is_new)
	{
		exchange_link(order);
		exchange_lock(order, order->qty);
		qts_exchange_reserve(order);
		order->owes_accept = true;
		order->accept_after_fill = qts_fault_pick("fill_before_accept", NULL, order) != NULL;
		if (qts_options.accept_before_reply || is_at_once)
			exchange_announce(order, 0);
		else
			qts_net_later(exchange_announce, order, 0);
	}
	if (is_at_once)
		exchange_arrive(order, tag);
	else if (delay > 0)
		qts_net_timer(delay * 1000, exchange_arrive, order, tag);
	else
		qts_net_later(exchange_arrive, order, tag);
}

/* One price for everything that waited: the last one. */
static void
exchange_uncross(QtsSymbol *symbol, bool is_closing)
{
	QtsOrder *next;

	if (!qts_options.auto_fill || symbol->is_halted)
		return;
	for (QtsOrder *order = symbol->open_orders; order != NULL; order = next)
	{
		bool is_marketable = order->is_market || (is_closing && strcmp(order->dvsn, "02") == 0);

		next = order->next;
		if (!order->has_arrived || order->is_after_market)
			continue;
		if (is_marketable || (order->is_sell ? order->limit <= symbol->price : order->limit >= symbol->price))
			qts_exchange_fill(order, qts_order_left(order), symbol->price);
	}
}

/* Unfilled orders die without a notice, as at the real session ends. */
static void
exchange_expire(bool is_after_market, bool is_all)
{
	QtsSymbol *symbol;

	for (int i = 0; (symbol = qts_market_at(i)) != NULL; i++)
	{
		QtsOrder *next;

		for (QtsOrder *order = symbol->open_orders; order != NULL; order = next)
		{
			next = order->next;
			if (is_all || order->is_after_market == is_after_market)
				qts_exchange_kill(order, qts_order_left(order), QTS_KILL_EXPIRE, false);
		}
	}
}

static bool
phase_is_regular(QtsPhase phase)
{
	return phase == QTS_PHASE_OPENING || phase == QTS_PHASE_CONTINUOUS || phase == QTS_PHASE_CLOSING;
}

/* Apply day and phase changes since the last call. */
void
qts_exchange_session(void)
{
	int64_t now = qts_clock_now();
	int date = qts_clock_date(now);
	QtsPhase phase = qts_clock_phase();
	QtsPhase before = last_phase;
	QtsSymbol *symbol;

	last_phase = phase;
	if (current_date != 0 && date != current_date)
	{
		exchange_expire(false, true);
		last_number = 0;
		if (!qts_clock_is_holiday(now))
		{
			qts_account_new_day();
			qts_market_new_day();
		}
	}
	current_date = date;
	if (before == phase)
		return;
	if (phase_is_regular(before) && phase != QTS_PHASE_CLOSING)
		for (int i = 0; (symbol = qts_market_at(i)) != NULL; i++)
			if (before == QTS_PHASE_OPENING || phase != QTS_PHASE_CONTINUOUS)
				exchange_uncross(symbol, !phase_is_regular(phase));
	if (phase_is_regular(before) && !phase_is_regular(phase))
		exchange_expire(false, false);
	if (before == QTS_PHASE_AFTER_MARKET)
		exchange_expire(true, false);
	if (phase == QTS_PHASE_CONTINUOUS || phase == QTS_PHASE_AFTER_MARKET)
		for (int i = 0; (symbol = qts_market_at(i)) != NULL; i++)
			qts_exchange_match(symbol);
}
