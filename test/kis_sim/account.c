/*
 * account.c
 *		Accounts: cash, reservations, holdings, costs; making and forgetting them.
 *
 * `cash` moves with every fill and its costs at once (the D+2 figure); the deposit
 * figures of earlier days are derived from the nets of the last two trading days.
 * Fee and tax are functions of an order's cumulative amount, so a fill books the
 * difference to what the order has already been charged.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define HASH_SIZE 8192

static QtsAccount *accounts[QTS_MAX_ACCOUNTS];
static QtsAccount *account_hash[HASH_SIZE];
static int n_accounts;

QtsAccount *
qts_account_at(int index)
{
	return index < n_accounts ? accounts[index] : NULL;
}

static QtsAccount **
account_slot(const char *cano, const char *product)
{
	unsigned h = 5381;
	QtsAccount **at;

	for (const char *c = cano; *c; c++)
		h = h * 33 + (unsigned char) *c;
	for (const char *c = product; *c; c++)
		h = h * 33 + (unsigned char) *c;
	at = &account_hash[h % HASH_SIZE];
	while (*at != NULL && (strcmp((*at)->cano, cano) != 0 || strcmp((*at)->product, product) != 0))
		at = &(*at)->hash_next;
	return at;
}

QtsAccount *
qts_account_find(const char *cano, const char *product)
{
	return cano && product ? *account_slot(cano, product) : NULL;
}

/* The account written as 12345678-01, or NULL. */
QtsAccount *
qts_account_named(const char *text)
{
	char cano[9];

	if (text == NULL || strlen(text) != 11 || text[8] != '-')
		return NULL;
	snprintf(cano, sizeof(cano), "%.8s", text);
	return qts_account_find(cano, text + 9);
}

QtsHolding *
qts_account_holding(QtsAccount *account, QtsSymbol *symbol, bool create)
{
	QtsHolding *holding;

	for (int i = 0; i < account->n_holdings; i++)
		if (account->holdings[i].symbol == symbol)
			return &account->holdings[i];
	if (!create || account->n_holdings >= QTS_MAX_HOLDINGS)
		return NULL;
	account->holdings =
		qts_mem_room(account->holdings, &account->cap_holdings, account->n_holdings, sizeof(*holding));
	holding = &account->holdings[account->n_holdings++];
	memset(holding, 0, sizeof(*holding));
	holding->symbol = symbol;
	return holding;
}

/* The totals of a day, made when first asked for; days only come in order. */
QtsDay *
qts_account_day(QtsAccount *account, int date)
{
	for (int i = account->n_days - 1; i >= 0; i--)
		if (account->days[i].date == date)
			return &account->days[i];
	account->days = qts_mem_room(account->days, &account->cap_days, account->n_days, sizeof(*account->days));
	account->days[account->n_days] = (QtsDay){.date = date};
	return &account->days[account->n_days++];
}

static bool
account_holdings(QtsAccount *account, const json_t *list)
{
	size_t i;
	json_t *row;

	json_array_foreach(list, i, row)
	{
		const char *code = qts_json_text(row, "symbol");
		int64_t average = qts_json_int(row, "avg_price", 0);
		QtsSymbol *symbol = code ? qts_market_find(code) : NULL;
		QtsHolding *holding;

		if (code != NULL && symbol == NULL)
			symbol = qts_market_add(code, average > 0 ? average : 10000);
		holding = symbol ? qts_account_holding(account, symbol, true) : NULL;
		if (holding == NULL)
			return false;
		if (qts_json_text(row, "name"))
			qts_text_copy(symbol->name, sizeof(symbol->name), qts_json_text(row, "name"));
		holding->qty_in += qts_json_int(row, "qty", 0) - holding->qty;
		holding->qty = qts_json_int(row, "qty", 0);
		holding->cost_e4 = holding->qty * average * 10000;
	}
	return true;
}

static QtsAccount *
account_create(const char *text)
{
	char cano[9];
	QtsAccount **slot;
	QtsAccount *account;

	if (text == NULL || strlen(text) != 11 || text[8] != '-' || n_accounts >= QTS_MAX_ACCOUNTS)
		return NULL;
	account = qts_mem_zero(sizeof(*account));
	snprintf(cano, sizeof(cano), "%.8s", text);
	slot = account_slot(cano, text + 9);
	*slot = accounts[n_accounts++] = account;
	qts_text_copy(account->account, sizeof(account->account), text);
	qts_text_copy(account->cano, sizeof(account->cano), cano);
	qts_text_copy(account->product, sizeof(account->product), text + 9);
	qts_text_copy(account->branch, sizeof(account->branch), qts_options.is_paper ? "00950" : "06010");
	qts_text_copy(account->holder, sizeof(account->holder), "홍길동");
	account->cash = account->cash_in = 100000000;
	account->ledger_lag_ms = account->balance_lag_ms = -1;
	return account;
}

/* Add an account or reset the cash and holdings named of an existing one. */
bool
qts_account_define(const json_t *row)
{
	const char *text = qts_json_text(row, "account");
	QtsAccount *account = qts_account_named(text);
	int64_t cash;

	if (account == NULL)
		account = account_create(text);
	if (account == NULL)
		return false;
	if (qts_json_text(row, "branch"))
		qts_text_copy(account->branch, sizeof(account->branch), qts_json_text(row, "branch"));
	if (qts_json_text(row, "holder"))
		qts_text_copy(account->holder, sizeof(account->holder), qts_json_text(row, "holder"));
	if (qts_json_text(row, "hts_id"))
		qts_text_copy(account->hts_id, sizeof(account->hts_id), qts_json_text(row, "hts_id"));
	account->ledger_lag_ms = qts_json_int(row, "ledger_lag_ms", account->ledger_lag_ms);
	account->balance_lag_ms = qts_json_int(row, "balance_lag_ms", account->balance_lag_ms);
	cash = qts_json_int(row, "cash", account->cash);
	account->cash_in += cash - account->cash;
	account->cash = cash;
	return account_holdings(account, json_object_get(row, "holdings"));
}

/* Forget what the account did: orders, fills, days, holdings, cash. */
void
qts_account_clear(QtsAccount *account)
{
	qts_book_forget(account);
	free(account->holdings);
	free(account->days);
	free(account->held_notice);
	account->holdings = NULL;
	account->days = NULL;
	account->held_notice = NULL;
	account->n_holdings = account->cap_holdings = account->n_days = account->cap_days = 0;
	account->reserved = account->net_today = account->net_prev = 0;
	account->today_buy_amt = account->today_sell_amt = account->today_cost = 0;
	account->prev_buy_amt = account->prev_sell_amt = account->prev_cost = 0;
	account->cash = account->cash_in = 100000000;
	account->ledger_lag_ms = account->balance_lag_ms = -1;
}

void
qts_account_remove(QtsAccount *account)
{
	QtsAccount **slot = account_slot(account->cano, account->product);
	int i = 0;

	qts_account_clear(account);
	*slot = account->hash_next;
	while (accounts[i] != account)
		i++;
	n_accounts--;
	memmove(&accounts[i], &accounts[i + 1], (size_t) (n_accounts - i) * sizeof(accounts[0]));
	free(account);
}

/* Whole won first, then down to ten: the rounding the day totals on record show. */
int64_t
qts_account_fee(const QtsSymbol *symbol, int64_t amount)
{
	int64_t rate = symbol != NULL && symbol->is_etf ? qts_options.etf_fee_e9 : qts_options.fee_e9;
	int64_t fee = amount / 1000000000 * rate + amount % 1000000000 * rate / 1000000000;

	return fee / 10 * 10;
}

int64_t
qts_account_tax(const QtsSymbol *symbol, int64_t amount)
{
	if (symbol->is_etf)
		return 0;
	if (strcmp(symbol->market, "KOSDAQ") == 0)
		return amount / 500;
	if (strcmp(symbol->market, "KONEX") == 0)
		return amount / 1000;
	return amount / 2000 + amount * 3 / 2000;
}

/* Book one fill; the order's own counters are already advanced.  Returns the won moved. */
int64_t
qts_account_fill(QtsOrder *order, int64_t qty, int64_t price)
{
	QtsAccount *account = order->account;
	QtsHolding *holding = qts_account_holding(account, order->symbol, true);
	int64_t amount = qty * price;
	int64_t fee = qts_account_fee(order->symbol, order->amount);
	int64_t tax = order->is_sell ? qts_account_tax(order->symbol, order->amount) : 0;
	int64_t cost = fee - order->fee + tax - order->tax;
	int64_t net = (order->is_sell ? amount : -amount) - cost;
	QtsDay *day = qts_account_day(account, order->date);

	order->fee = fee;
	order->tax = tax;
	account->cash += net;
	account->net_today += net;
	account->today_cost += cost;
	day->filled += qty;
	day->amount += amount;
	day->cost += cost;
	if (holding == NULL)
		return net;
	if (order->is_sell)
	{
		account->today_sell_amt += amount;
		holding->today_sell += qty;
		if (holding->qty > 0)
			holding->cost_e4 -= holding->cost_e4 / holding->qty * qty;
		holding->qty -= qty;
		holding->locked -= qty;
		if (holding->qty <= 0)
			holding->cost_e4 = 0;
	}
	else
	{
		account->today_buy_amt += amount;
		holding->today_buy += qty;
		holding->qty += qty;
		holding->cost_e4 += amount * 10000;
	}
	return net;
}

void
qts_account_new_day(void)
{
	for (int i = 0; i < n_accounts; i++)
	{
		QtsAccount *account = accounts[i];

		account->net_prev = account->net_today;
		account->prev_buy_amt = account->today_buy_amt;
		account->prev_sell_amt = account->today_sell_amt;
		account->prev_cost = account->today_cost;
		account->net_today = account->today_buy_amt = account->today_sell_amt = 0;
		account->today_cost = 0;
		for (int h = 0; h < account->n_holdings; h++)
		{
			QtsHolding *holding = &account->holdings[h];

			holding->prev_buy = holding->today_buy;
			holding->prev_sell = holding->today_sell;
			holding->today_buy = holding->today_sell = 0;
		}
	}
}
