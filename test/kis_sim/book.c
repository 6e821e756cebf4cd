/*
 * book.c
 *		Every QtsOrder: numbering, the lists it is on, forgetting it.
 *
 * An order is on the list of all, on its account's list, in the hash by (date,
 * number) and, while open, on its symbol's and its account's open lists.  Timers
 * name orders through qts_book_defer, which keeps a forgotten order's memory until
 * the last of them has fired.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define HASH_SIZE (1 << 20)

static QtsOrder **orders; /* by serial */
static QtsOrder **order_hash;
static int n_orders;
static int cap_orders;
static int64_t next_serial;
static int64_t last_number;
static int64_t forced_number;

static unsigned
book_hash(int date, int64_t odno)
{
	uint64_t h = ((uint64_t) odno + (uint64_t) date * 1000003) * UINT64_C(0x9E3779B97F4A7C15);

	return (unsigned) (h >> 44) % HASH_SIZE;
}

QtsOrder *
qts_book_find(int date, int64_t odno)
{
	QtsOrder *order = order_hash ? order_hash[book_hash(date, odno)] : NULL;

	while (order != NULL && (order->date != date || order->odno != odno))
		order = order->hash_next;
	return order;
}

QtsOrder *
qts_book_at(int index)
{
	return index < n_orders ? orders[index] : NULL;
}

/* The place of the first order with this serial number or a later one. */
int
qts_book_from(int64_t serial)
{
	int low = 0;
	int high = n_orders;

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (orders[middle]->serial < serial)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
qts_book_new_day(void)
{
	last_number = 0;
}

/* The next order gets exactly this number, as when a new day reuses an old one. */
void
qts_book_force_number(int64_t number)
{
	forced_number = number;
}

/* Real numbers end in 00 and jump, being shared by the whole house; paper counts by one. */
static int64_t
book_number(int date)
{
	int64_t number = forced_number;

	forced_number = 0;
	if (number > 0 && qts_book_find(date, number) == NULL)
		return number;
	do
	{
		last_number +=
			qts_options.is_paper ? 1 + (qts_random_below(8) == 0) : 1 + (int64_t) qts_random_below(40);
		number = qts_options.is_paper ? 8600 + last_number : last_number * 100;
	} while (qts_book_find(date, number) != NULL);
	return number;
}

/* NULL when the simulator's capacity is reached. */
QtsOrder *
qts_book_create(QtsAccount *account, QtsSymbol *symbol)
{
	QtsOrder *order;
	unsigned h;

	qts_session_apply();
	if (n_orders >= QTS_MAX_ORDERS)
		return NULL;
	if (order_hash == NULL)
		order_hash = qts_mem_zero(HASH_SIZE * sizeof(*order_hash));
	orders = qts_mem_room(orders, &cap_orders, n_orders, sizeof(*orders));
	account->orders =
		qts_mem_room(account->orders, &account->cap_orders, account->n_orders, sizeof(*account->orders));
	order = qts_mem_zero(sizeof(*order));
	order->serial = next_serial++;
	order->account = account;
	order->symbol = symbol;
	order->date = qts_clock_date(qts_clock_now());
	order->tmd = qts_clock_tmd(qts_clock_stamp());
	order->odno = book_number(order->date);
	order->accepted_us = qts_clock_real();
	order->pieces_left = qts_options.partial_fills;
	qts_text_copy(order->channel, sizeof(order->channel), "OpnAPI");
	qts_text_copy(order->ip, sizeof(order->ip), "127.0.0.1");
	qts_text_copy(order->excg, sizeof(order->excg), "KRX");
	qts_text_copy(order->dvsn, sizeof(order->dvsn), "00");
	orders[n_orders++] = order;
	order->index = account->n_orders;
	account->orders[account->n_orders++] = order;
	h = book_hash(order->date, order->odno);
	order->hash_next = order_hash[h];
	order_hash[h] = order;
	return order;
}

/* A revise is linked after orders entered later, so it looks for its place. */
static void
book_link_account(QtsOrder *order)
{
	QtsOrder *newer = NULL;
	QtsOrder *older = order->account->open_tail;

	while (older != NULL && older->index > order->index)
	{
		newer = older;
		older = older->older_open;
	}
	order->older_open = older;
	order->newer_open = newer;
	if (older != NULL)
		older->newer_open = order;
	if (newer != NULL)
		newer->older_open = order;
	else
		order->account->open_tail = order;
}

/* Orders whose limit does not tell when a price concerns them. */
bool
qts_book_is_unbounded(const QtsOrder *order)
{
	return order->is_market || order->trigger > 0 || order->window == QTS_WINDOW_OFF_OPEN ||
		   order->window == QTS_WINDOW_OFF_CLOSE;
}

void
qts_book_link(QtsOrder *order)
{
	QtsSymbol *symbol = order->symbol;
	bool is_always = qts_book_is_unbounded(order);

	order->is_open = true;
	order->next = symbol->open_orders;
	order->prev = NULL;
	if (order->next != NULL)
		order->next->prev = order;
	symbol->open_orders = order;
	book_link_account(order);
	if (order->is_sell && (is_always || order->limit < symbol->sell_min))
		symbol->sell_min = is_always ? 0 : order->limit;
	else if (!order->is_sell && (is_always || order->limit > symbol->buy_max))
		symbol->buy_max = is_always ? INT64_MAX : order->limit;
}

void
qts_book_unlink(QtsOrder *order)
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
	if (order->older_open != NULL)
		order->older_open->newer_open = order->newer_open;
	if (order->newer_open != NULL)
		order->newer_open->older_open = order->older_open;
	else
		order->account->open_tail = order->older_open;
}

static void
book_free(QtsOrder *order)
{
	while (order->fills != NULL)
	{
		QtsFill *fill = order->fills;

		order->fills = fill->next;
		free(fill);
	}
	free(order);
}

/* Run qts_exchange_step for the order: after the answer being written, or after a time. */
bool
qts_book_defer(QtsOrder *order, int64_t delay_us, QtsStep step)
{
	if (delay_us > 0 && !qts_net_timer(delay_us, qts_book_due, order, step))
		return false;
	if (delay_us <= 0)
		qts_net_later(qts_book_due, order, step);
	order->n_waits++;
	return true;
}

void
qts_book_due(void *arg, uint64_t tag)
{
	QtsOrder *order = arg;

	order->n_waits--;
	if (!order->is_gone)
		qts_exchange_step(order, (QtsStep) tag);
	else if (order->n_waits == 0)
		book_free(order);
}

static void
book_unhash(QtsOrder *order)
{
	QtsOrder **at = &order_hash[book_hash(order->date, order->odno)];

	while (*at != order)
		at = &(*at)->hash_next;
	*at = order->hash_next;
}

/* Forget all orders of an account; returns how many there were. */
int
qts_book_forget(QtsAccount *account)
{
	int n = account->n_orders;
	int kept = 0;

	for (int i = 0; i < n; i++)
	{
		qts_book_unlink(account->orders[i]);
		book_unhash(account->orders[i]);
		account->orders[i]->is_gone = true;
	}
	for (int i = 0; n > 0 && i < n_orders; i++)
		if (!orders[i]->is_gone)
			orders[kept++] = orders[i];
	n_orders = n > 0 ? kept : n_orders;
	for (int i = 0; i < n; i++)
		if (account->orders[i]->n_waits == 0)
			book_free(account->orders[i]);
	free(account->orders);
	account->orders = NULL;
	account->n_orders = account->cap_orders = 0;
	account->open_tail = NULL;
	account->last_fill = NULL;
	return n;
}
