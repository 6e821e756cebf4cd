/*
 * account.c
 *		Accounts: cash, reservations, holdings, costs, and the balance queries.
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

static QtsAccount accounts[QTS_MAX_ACCOUNTS];
static int n_accounts;

QtsAccount *
qts_account_at(int index)
{
	return index < n_accounts ? &accounts[index] : NULL;
}

QtsAccount *
qts_account_find(const char *cano, const char *product)
{
	for (int i = 0; i < n_accounts; i++)
		if (cano && product && strcmp(accounts[i].cano, cano) == 0 &&
			strcmp(accounts[i].product, product) == 0)
			return &accounts[i];
	return NULL;
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
	if (account->holdings == NULL)
		account->holdings = qts_mem_zero(QTS_MAX_HOLDINGS * sizeof(*account->holdings));
	holding = &account->holdings[account->n_holdings++];
	memset(holding, 0, sizeof(*holding));
	holding->symbol = symbol;
	return holding;
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
		holding->qty = qts_json_int(row, "qty", 0);
		holding->cost_e4 = holding->qty * average * 10000;
	}
	return true;
}

/* Add an account or reset the cash and holdings named of an existing one. */
bool
qts_account_define(const json_t *row)
{
	const char *text = qts_json_text(row, "account");
	QtsAccount *account = NULL;

	if (text == NULL || strlen(text) != 11 || text[8] != '-')
		return false;
	for (int i = 0; i < n_accounts; i++)
		if (strcmp(accounts[i].account, text) == 0)
			account = &accounts[i];
	if (account == NULL)
	{
		if (n_accounts >= QTS_MAX_ACCOUNTS)
			return false;
		account = &accounts[n_accounts++];
		qts_text_copy(account->account, sizeof(account->account), text);
		snprintf(account->cano, sizeof(account->cano), "%.8s", text);
		qts_text_copy(account->product, sizeof(account->product), text + 9);
		qts_text_copy(account->branch, sizeof(account->branch), qts_options.is_paper ? "00950" : "06010");
		qts_text_copy(account->holder, sizeof(account->holder), "홍길동");
		account->cash = 100000000;
	}
	if (qts_json_text(row, "branch"))
		qts_text_copy(account->branch, sizeof(account->branch), qts_json_text(row, "branch"));
	if (qts_json_text(row, "holder"))
		qts_text_copy(account->holder, sizeof(account->holder), qts_json_text(row, "holder"));
	account->cash = qts_json_int(row, "cash", account->cash);
	return account_holdings(account, json_object_get(row, "holdings"));
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

/* Book one fill; the order's own counters are already advanced. */
void
qts_account_fill(QtsOrder *order, int64_t qty, int64_t price)
{
	QtsAccount *account = order->account;
	QtsHolding *holding = qts_account_holding(account, order->symbol, true);
	int64_t amount = qty * price;
	int64_t fee = qts_account_fee(order->symbol, order->amount);
	int64_t tax = order->is_sell ? qts_account_tax(order->symbol, order->amount) : 0;
	int64_t cost = fee - order->fee + tax - order->tax;
	int64_t net = (order->is_sell ? amount : -amount) - cost;

	order->fee = fee;
	order->tax = tax;
	account->cash += net;
	account->net_today += net;
	account->today_cost += cost;
	if (holding == NULL)
		return;
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
}

void
qts_account_new_day(void)
{
	for (int i = 0; i < n_accounts; i++)
	{
		QtsAccount *account = &accounts[i];

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

static void
ratio_text(char *target, size_t size, int64_t part, int64_t whole, int digits)
{
	snprintf(target, size, "%.*f", digits, whole > 0 ? (double) part * 100.0 / (double) whole : 0.0);
}

static void
balance_row(QtsBuf *out, const QtsHolding *h)
{
	int64_t price = h->symbol->price;
	int64_t value = h->qty * price;
	int64_t paid = h->cost_e4 / 10000;
	int64_t average = h->qty > 0 ? h->cost_e4 / h->qty : 0;
	char rate[32];
	char rate8[32];
	char day_rate[32];

	ratio_text(rate, sizeof(rate), value - paid, paid, 2);
	ratio_text(rate8, sizeof(rate8), value - paid, paid, 8);
	ratio_text(day_rate, sizeof(day_rate), price - h->symbol->base, h->symbol->base, 8);
	qts_buf_printf(out, "{\"pdno\":\"%s\",\"prdt_name\":", h->symbol->code);
	qts_buf_json(out, h->symbol->name);
	qts_buf_printf(out,
				   ",\"trad_dvsn_name\":\"현금\",\"bfdy_buy_qty\":\"%" PRId64 "\",\"bfdy_sll_qty\":\"%" PRId64
				   "\",\"thdt_buyqty\":\"%" PRId64 "\",\"thdt_sll_qty\":\"%" PRId64
				   "\",\"hldg_qty\":\"%" PRId64 "\",\"ord_psbl_qty\":\"%" PRId64
				   "\",\"pchs_avg_pric\":\"%" PRId64 ".%04" PRId64 "\",\"pchs_amt\":\"%" PRId64
				   "\",\"prpr\":\"%" PRId64 "\",",
				   h->prev_buy, h->prev_sell, h->today_buy, h->today_sell, h->qty, h->qty - h->locked,
				   average / 10000, average % 10000, paid, price);
	qts_buf_printf(out,
				   "\"evlu_amt\":\"%" PRId64 "\",\"evlu_pfls_amt\":\"%" PRId64
				   "\",\"evlu_pfls_rt\":\"%s\",\"evlu_erng_rt\":\"%s\",\"loan_dt\":\"\","
				   "\"loan_amt\":\"0\",\"stln_slng_chgs\":\"0\",\"expd_dt\":\"\","
				   "\"fltt_rt\":\"%s\",\"bfdy_cprs_icdc\":\"%" PRId64
				   "\",\"item_mgna_rt_name\":\"20%%\",\"grta_rt_name\":\"\",\"sbst_pric\":\"0\","
				   "\"stck_loan_unpr\":\"0.0000\"}",
				   value, value - paid, rate, rate8, day_rate, price - h->symbol->base);
}

static void
balance_total(QtsBuf *out, const QtsAccount *a)
{
	int64_t value = 0;
	int64_t paid = 0;
	int64_t assets;

	for (int i = 0; i < a->n_holdings; i++)
	{
		value += a->holdings[i].qty * a->holdings[i].symbol->price;
		paid += a->holdings[i].cost_e4 / 10000;
	}
	assets = a->cash + value;
	qts_buf_printf(
		out,
		"{\"dnca_tot_amt\":\"%" PRId64 "\",\"nxdy_excc_amt\":\"%" PRId64
		"\",\"prvs_rcdl_excc_amt\":\"%" PRId64 "\",\"cma_evlu_amt\":\"0\",\"bfdy_buy_amt\":\"%" PRId64
		"\",\"thdt_buy_amt\":\"%" PRId64 "\",\"nxdy_auto_rdpt_amt\":\"0\",\"bfdy_sll_amt\":\"%" PRId64
		"\",\"thdt_sll_amt\":\"%" PRId64 "\",\"d2_auto_rdpt_amt\":\"0\",\"bfdy_tlex_amt\":\"%" PRId64
		"\",\"thdt_tlex_amt\":\"%" PRId64 "\",\"tot_loan_amt\":\"0\",",
		a->cash - a->net_today - a->net_prev, a->cash - a->net_today, a->cash, a->prev_buy_amt,
		a->today_buy_amt, a->prev_sell_amt, a->today_sell_amt, a->prev_cost, a->today_cost);
	qts_buf_printf(out,
				   "\"scts_evlu_amt\":\"%" PRId64 "\",\"tot_evlu_amt\":\"%" PRId64
				   "\",\"nass_amt\":\"%" PRId64
				   "\",\"fncg_gld_auto_rdpt_yn\":\"\",\"pchs_amt_smtl_amt\":\"%" PRId64
				   "\",\"evlu_amt_smtl_amt\":\"%" PRId64 "\",\"evlu_pfls_smtl_amt\":\"%" PRId64
				   "\",\"tot_stln_slng_chgs\":\"0\",\"bfdy_tot_asst_evlu_amt\":\"%" PRId64
				   "\",\"asst_icdc_amt\":\"0\",\"asst_icdc_erng_rt\":\"0.00000000\"}",
				   value, assets, assets, paid, value, value - paid, assets);
}

/* Rows sold out stay listed until their trade has settled. */
static bool
holding_is_listed(const QtsHolding *h)
{
	return h->qty > 0 || h->today_buy || h->today_sell || h->prev_buy || h->prev_sell;
}

void
qts_account_balance(const QtsReq *req, QtsResp *resp, QtsApp *app)
{
	QtsAccount *account = qts_rest_account(req, resp, app);
	char filter[128];
	char cursor[128];
	int shown = 0;
	int i = 0;

	if (account == NULL)
		return;
	snprintf(filter, sizeof(filter), "%s^%s^N^02", account->cano, account->product);
	bool is_next = qts_rest_context(req, "CTX_AREA_NK100", filter, cursor, sizeof(cursor));

	/* The cursor names the last symbol shown, which survives rows being added. */
	if (is_next)
	{
		while (i < account->n_holdings && strcmp(account->holdings[i].symbol->code, cursor) != 0)
			i++;
		i++;
	}
	cursor[0] = '\0';
	qts_buf_text(&resp->body, "{\"output1\":[");
	for (; i < account->n_holdings && shown < qts_options.page_balance; i++)
	{
		if (!holding_is_listed(&account->holdings[i]))
			continue;
		qts_buf_text(&resp->body, shown++ ? "," : "");
		balance_row(&resp->body, &account->holdings[i]);
		qts_text_copy(cursor, sizeof(cursor), account->holdings[i].symbol->code);
	}
	while (i < account->n_holdings && !holding_is_listed(&account->holdings[i]))
		i++;
	bool has_more = i < account->n_holdings;

	resp->tr_cont[0] = has_more ? (is_next ? 'M' : 'F') : (is_next ? 'E' : 'D');
	qts_buf_text(&resp->body, "],\"output2\":[");
	balance_total(&resp->body, account);
	qts_buf_text(&resp->body, "],\"ctx_area_fk100\":");
	qts_buf_padded(&resp->body, filter, 100);
	qts_buf_text(&resp->body, ",\"ctx_area_nk100\":");
	qts_buf_padded(&resp->body, has_more ? cursor : "", 100);
	qts_rest_end(resp, has_more ? "KIOK0500" : "KIOK0510", "20310000", true);
}

void
qts_account_buyable(const QtsReq *req, QtsResp *resp, QtsApp *app)
{
	QtsAccount *account = qts_rest_account(req, resp, app);
	const char *code = qts_req_param(req, "PDNO");
	QtsSymbol *symbol = code ? qts_market_find(code) : NULL;
	int64_t price = 0;
	int64_t cash;
	int64_t qty;

	if (account == NULL)
		return;
	cash = account->cash - account->reserved;
	qts_text_digits(qts_req_param(req, "ORD_UNPR"), &price);
	if (symbol != NULL && price == 0)
		price = symbol->upper;
	qty = price > 0 ? cash / price : 0;
	while (qty > 0 && qty * price + qts_account_fee(symbol, qty * price) > cash)
		qty--;
	qts_buf_printf(&resp->body,
				   "{\"output\":{\"ord_psbl_cash\":\"%" PRId64
				   "\",\"ord_psbl_sbst\":\"0\",\"ruse_psbl_amt\":\"0\",\"fund_rpch_chgs\":\"0\","
				   "\"psbl_qty_calc_unpr\":\"%" PRId64 "\",\"nrcvb_buy_amt\":\"%" PRId64
				   "\",\"nrcvb_buy_qty\":\"%" PRId64 "\",\"max_buy_amt\":\"%" PRId64
				   "\",\"max_buy_qty\":\"%" PRId64 "\",\"cma_evlu_amt\":\"0\","
				   "\"ovrs_re_use_amt_wcrc\":\"0\",\"ord_psbl_frcr_amt_wcrc\":\"0\"}",
				   cash, price, cash, qty, cash, qty);
	qts_rest_end(resp, "KIOK0510", "20310000", true);
}

void
qts_account_sellable(const QtsReq *req, QtsResp *resp, QtsApp *app)
{
	QtsAccount *account = qts_rest_account(req, resp, app);
	const char *code = qts_req_param(req, "PDNO");
	QtsSymbol *symbol = code ? qts_market_find(code) : NULL;
	QtsHolding *h;

	if (account == NULL)
		return;
	h = symbol ? qts_account_holding(account, symbol, false) : NULL;
	qts_buf_text(&resp->body, "{\"output\":{\"pdno\":");
	qts_buf_json(&resp->body, code ? code : "");
	qts_buf_text(&resp->body, ",\"prdt_name\":");
	qts_buf_json(&resp->body, symbol ? symbol->name : "");
	qts_buf_printf(&resp->body,
				   ",\"buy_qty\":\"%" PRId64 "\",\"sll_qty\":\"%" PRId64 "\",\"cblc_qty\":\"%" PRId64
				   "\",\"nsvg_qty\":\"0\",\"ord_psbl_qty\":\"%" PRId64 "\",\"pchs_avg_pric\":\"%" PRId64
				   ".0000\",\"pchs_amt\":\"%" PRId64 "\",\"now_pric\":\"%" PRId64 "\"}",
				   h ? h->today_buy : 0, h ? h->today_sell : 0, h ? h->qty : 0, h ? h->qty - h->locked : 0,
				   h && h->qty ? h->cost_e4 / h->qty / 10000 : 0, h ? h->cost_e4 / 10000 : 0,
				   symbol ? symbol->price : 0);
	qts_rest_end(resp, "KIOK0420", "20310000", true);
}
