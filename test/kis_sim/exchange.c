/*
 * exchange.c
 *		What happens to an order after it was taken: arrival, matching, fills, kills.
 *
 * What follows an accepted request (accept notice, arrival, fills) runs through
 * qts_book_defer, so it happens after the answer has been written unless an option or
 * fault says otherwise.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

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
	*fill = (QtsFill){.qty = qty, .price = price, .t_us = qts_clock_real(), .order = order};
	if (order->last_fill != NULL)
		order->last_fill->next = fill;
	else
		order->fills = fill;
	order->last_fill = fill;
	fill->older = order->account->last_fill;
	order->account->last_fill = fill;
	order->filled += qty;
	order->amount += qty * price;
	order->last_fill_us = qts_clock_mono();
	qts_counters.fills++;
	fill->net = qts_account_fill(order, qty, price);
	if (qts_order_left(order) == 0)
		qts_book_unlink(order);
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
		qts_book_unlink(order);
	qts_exchange_reserve(order);
	if (has_notice)
		qts_notice_kill(order, qty, how == QTS_KILL_REJECT);
}

static bool
exchange_may_trade(QtsOrder *order)
{
	const QtsSymbol *symbol = order->symbol;

	if (!order->is_open || !order->has_arrived || !qts_options.auto_fill || symbol->is_halted ||
		symbol->is_vi)
		return false;
	if (order->trigger > 0 && !order->is_triggered)
		order->is_triggered =
			order->is_sell ? symbol->price <= order->trigger : symbol->price >= order->trigger;
	return (order->trigger == 0 || order->is_triggered) && qts_session_trades(order->window);
}

/* The price this order would trade at now, or 0.  Resting limits trade at their own. */
static int64_t
exchange_cross(const QtsOrder *order, bool is_incoming)
{
	int64_t other = order->is_sell ? order->symbol->bid : order->symbol->ask;

	if (order->window == QTS_WINDOW_OFF_OPEN || order->window == QTS_WINDOW_OFF_CLOSE)
		return order->limit;
	if (other <= 0)
		return 0;
	if (order->is_market)
		return other;
	if (order->is_sell ? order->limit > other : order->limit < other)
		return 0;
	return is_incoming ? other : order->limit;
}

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
			order->has_piece_timer = qts_book_defer(order, qts_options.piece_delay_ms * 1000, QTS_STEP_PIECE);
	}
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
		bool is_always = qts_book_is_unbounded(order);

		if (order->is_sell)
			sell_min = is_always ? 0 : order->limit < sell_min ? order->limit : sell_min;
		else if (is_always || order->limit > buy_max)
			buy_max = is_always ? INT64_MAX : order->limit;
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
	qts_account_day(order->account, order->date)->ordered += qty - order->qty;
	order->qty = qty;
	qts_book_link(order);
	exchange_lock(order, qty);
	qts_exchange_reserve(order);
	qts_notice_confirm(order, qty);
	return true;
}

/* The exchange refuses what the broker had taken. */
static void
exchange_refuse(QtsOrder *order)
{
	if (order->kind == QTS_KIND_NEW)
	{
		order->has_arrived = true;
		qts_exchange_kill(order, qts_order_left(order), QTS_KILL_REJECT, !order->is_silent);
		return;
	}
	if (order->kind == QTS_KIND_REVISE)
	{
		order->killed = order->qty;
		order->kill = QTS_KILL_REJECT;
	}
	if (!order->is_silent)
		qts_notice_kill(order, order->qty, true);
}

static void
exchange_arrive(QtsOrder *order)
{
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
	left = qts_order_left(order);
	if (order->tif != 2 || exchange_cross(order, true) > 0)
		exchange_trade(order, true);
	if (order->tif != 0 && order->is_open && left > 0)
		qts_exchange_kill(order, qts_order_left(order), QTS_KILL_RESIDUE, true);
}

/* One deferred step of an order's life. */
void
qts_exchange_step(QtsOrder *order, QtsStep step)
{
	if (step == QTS_STEP_ARRIVE)
		exchange_arrive(order);
	else if (step == QTS_STEP_REFUSE)
		exchange_refuse(order);
	else if (step == QTS_STEP_PIECE)
	{
		order->has_piece_timer = false;
		exchange_trade(order, true);
	}
	else if (order->owes_accept && !order->accept_after_fill)
		qts_notice_accept(order);
}

static int64_t
exchange_delay_ms(const QtsOrder *order, const QtsFault *fault)
{
	int64_t low = qts_options.fill_delay_ms;
	int64_t span = qts_options.fill_delay_max_ms - low;

	if (qts_fault_is(fault, "reject_async"))
		return qts_json_int(fault->params, "ms", low);
	if (order->kind != QTS_KIND_NEW)
		return qts_options.cancel_delay_ms;
	return span > 0 ? low + (int64_t) qts_random_below((uint64_t) span + 1) : low;
}

/* Take a validated order or request; the answer to its POST is written by the caller. */
void
qts_exchange_submit(QtsOrder *order, const QtsFault *fault)
{
	bool is_at_once = qts_fault_is(fault, "fill_before_reply");
	QtsStep step = qts_fault_is(fault, "reject_async") ? QTS_STEP_REFUSE : QTS_STEP_ARRIVE;

	qts_counters.orders_accepted++;
	if (step == QTS_STEP_REFUSE)
		order->is_silent = !qts_json_bool(fault->params, "notice", true);
	if (order->kind != QTS_KIND_CANCEL)
		qts_account_day(order->account, order->date)->ordered += order->qty;
	if (order->kind == QTS_KIND_NEW)
	{
		qts_book_link(order);
		exchange_lock(order, order->qty);
		qts_exchange_reserve(order);
		order->owes_accept = true;
		order->accept_after_fill = qts_fault_pick("fill_before_accept", NULL, order) != NULL;
		if (qts_options.accept_before_reply || is_at_once)
			qts_exchange_step(order, QTS_STEP_ANNOUNCE);
		else
			qts_book_defer(order, 0, QTS_STEP_ANNOUNCE);
	}
	if (is_at_once)
		qts_exchange_step(order, step);
	else
		qts_book_defer(order, exchange_delay_ms(order, fault) * 1000, step);
}
