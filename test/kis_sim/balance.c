/*
 * balance.c
 *		What an account is told of its cash and holdings: inquire-balance,
 *		inquire-psbl-order and inquire-psbl-sell, as of now or of a while ago.
 *
 * A lagging answer is the present state with the younger fills taken back, so every
 * lag shows a state that once was; only a torn one mixes two instants.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static void
view_take_back(QtsHolding *h, const QtsFill *fill)
{
	int64_t average = h->qty > 0 ? h->cost_e4 / h->qty : 0;

	if (fill->order->is_sell)
	{
		h->qty += fill->qty;
		h->locked += fill->qty;
		h->today_sell -= fill->qty;
		h->cost_e4 += (average > 0 ? average : fill->price * 10000) * fill->qty;
		return;
	}
	h->qty -= fill->qty;
	h->today_buy -= fill->qty;
	h->cost_e4 = h->qty > 0 ? h->cost_e4 - fill->qty * fill->price * 10000 : 0;
}

/* Locks and reservations of orders taken after `cut` are not yet in the figures. */
static void
view_unlock(QtsAccount *view, int64_t cut, bool is_cash)
{
	for (int i = view->n_orders - 1; i >= 0 && view->orders[i]->accepted_us > cut; i--)
	{
		const QtsOrder *o = view->orders[i];
		QtsHolding *h =
			o->is_sell && o->kind != QTS_KIND_CANCEL ? qts_account_holding(view, o->symbol, false) : NULL;

		if (h != NULL)
			h->locked -= (o->is_open ? qts_order_left(o) : 0) + (is_cash ? o->filled : 0);
		if (is_cash)
			view->reserved -= o->reserved;
	}
}

/* A copy of the account as it was `lag_ms` ago; free its holdings. */
static QtsAccount
view_of(const QtsAccount *account, int64_t lag_ms)
{
	QtsAccount view = *account;
	int64_t cut = qts_clock_real() - lag_ms * 1000;

	view.holdings = qts_mem_grow(NULL, (size_t) (account->n_holdings + 1) * sizeof(QtsHolding));
	if (account->n_holdings > 0)
		memcpy(view.holdings, account->holdings, (size_t) account->n_holdings * sizeof(QtsHolding));
	if (lag_ms <= 0)
		return view;
	for (const QtsFill *fill = account->last_fill; fill != NULL && fill->t_us > cut; fill = fill->older)
	{
		QtsHolding *h = qts_account_holding(&view, fill->order->symbol, false);
		int64_t amount = fill->qty * fill->price;

		view.cash -= fill->net;
		view.net_today -= fill->net;
		view.today_cost -= (fill->order->is_sell ? amount : -amount) - fill->net;
		*(fill->order->is_sell ? &view.today_sell_amt : &view.today_buy_amt) -= amount;
		if (h != NULL)
			view_take_back(h, fill);
	}
	view_unlock(&view, cut, true);
	return view;
}

static int64_t
view_lag(const QtsAccount *account, const QtsFault *fault)
{
	if (fault != NULL)
		return qts_json_int(fault->params, "ms", 3600000);
	return account->balance_lag_ms >= 0 ? account->balance_lag_ms : qts_options.balance_lag_ms;
}

/* What the request's account looks like to it: lagging by fault, account or option. */
static QtsAccount
view_asked(const QtsReq *req, const QtsAccount *account)
{
	int64_t lag_ms = view_lag(account, qts_fault_pick("balance_lag", req, NULL));
	QtsAccount view = view_of(account, lag_ms);
	const QtsFault *fault = lag_ms > 0 ? NULL : qts_fault_pick("sellable_lag", req, NULL);

	if (fault != NULL)
		view_unlock(&view, qts_clock_real() - qts_json_int(fault->params, "ms", 3600000) * 1000, false);
	return view;
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

/* The holding a fault leaves out: the one named, or the first listed. */
static const QtsSymbol *
balance_missing(const QtsReq *req, const QtsAccount *view)
{
	const QtsFault *fault = qts_fault_pick("row_missing", req, NULL);
	const char *code = fault ? qts_json_text(fault->params, "symbol") : NULL;

	for (int i = 0; fault != NULL && i < view->n_holdings; i++)
		if (code != NULL ? strcmp(view->holdings[i].symbol->code, code) == 0
						 : holding_is_listed(&view->holdings[i]))
			return view->holdings[i].symbol;
	return NULL;
}

void
qts_balance_query(const QtsReq *req, QtsResp *resp, QtsApp *app)
{
	QtsAccount *account = qts_rest_account(req, resp, app);
	char filter[128];
	char cursor[128];
	const QtsFault *torn;
	QtsAccount view;
	QtsAccount totals;
	const QtsSymbol *missing;
	int shown = 0;
	int i = 0;

	if (account == NULL)
		return;
	torn = qts_fault_pick("balance_torn", req, NULL);
	view = view_asked(req, account);
	totals = view_of(account, torn ? view_lag(account, torn) : 0);
	snprintf(filter, sizeof(filter), "%s^%s^N^02", account->cano, account->product);
	bool is_next = qts_rest_context(req, "CTX_AREA_NK100", filter, cursor, sizeof(cursor));

	/* The cursor names the last symbol shown, which survives rows being added. */
	if (is_next)
	{
		while (i < view.n_holdings && strcmp(view.holdings[i].symbol->code, cursor) != 0)
			i++;
		i += 1 + (qts_fault_pick("page_hides_row", req, NULL) != NULL);
	}
	missing = balance_missing(req, &view);
	cursor[0] = '\0';
	qts_buf_text(&resp->body, "{\"output1\":[");
	for (; i < view.n_holdings && shown < qts_options.page_balance; i++)
	{
		if (!holding_is_listed(&view.holdings[i]) || view.holdings[i].symbol == missing)
			continue;
		qts_buf_text(&resp->body, shown++ ? "," : "");
		balance_row(&resp->body, &view.holdings[i]);
		qts_text_copy(cursor, sizeof(cursor), view.holdings[i].symbol->code);
	}
	while (i < view.n_holdings &&
		   (!holding_is_listed(&view.holdings[i]) || view.holdings[i].symbol == missing))
		i++;
	bool has_more = i < view.n_holdings;

	resp->tr_cont[0] = has_more ? (is_next ? 'M' : 'F') : (is_next ? 'E' : 'D');
	qts_buf_text(&resp->body, "],\"output2\":[");
	balance_total(&resp->body, torn ? &totals : &view);
	qts_buf_text(&resp->body, "],\"ctx_area_fk100\":");
	qts_buf_padded(&resp->body, filter, 100);
	qts_buf_text(&resp->body, ",\"ctx_area_nk100\":");
	qts_buf_padded(&resp->body, has_more ? cursor : "", 100);
	free(view.holdings);
	free(totals.holdings);
	qts_rest_end(resp, has_more ? "KIOK0500" : "KIOK0510", "20310000", true);
}

void
qts_balance_buyable(const QtsReq *req, QtsResp *resp, QtsApp *app)
{
	QtsAccount *account = qts_rest_account(req, resp, app);
	const char *code = qts_req_param(req, "PDNO");
	QtsSymbol *symbol = code ? qts_market_find(code) : NULL;
	int64_t price = 0;
	int64_t cash;
	int64_t qty;
	QtsAccount view;

	if (account == NULL)
		return;
	view = view_asked(req, account);
	cash = view.cash - view.reserved;
	free(view.holdings);
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
qts_balance_sellable(const QtsReq *req, QtsResp *resp, QtsApp *app)
{
	QtsAccount *account = qts_rest_account(req, resp, app);
	const char *code = qts_req_param(req, "PDNO");
	QtsSymbol *symbol = code ? qts_market_find(code) : NULL;
	QtsHolding *h;
	QtsAccount view;

	if (account == NULL)
		return;
	view = view_asked(req, account);
	h = symbol ? qts_account_holding(&view, symbol, false) : NULL;
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
	free(view.holdings);
	qts_rest_end(resp, "KIOK0420", "20310000", true);
}
