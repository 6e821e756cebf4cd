/*
 * truth.c
 *		The state as the broker itself knows it, for invariants: every order with its
 *		fills, cash, holdings and counters.  Nothing here is delayed or filtered by
 *		ledger faults.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim.h"

static const char *
truth_state(const QtsOrder *o)
{
	static const char *const killed[] = {"filled",	"cancelled", "revised", "rejected",
										 "expired", "killed",	 "expired"};

	if (o->kind == QTS_KIND_CANCEL)
		return "cancel_request";
	if (o->is_open)
		return o->filled > 0 ? "partial" : "open";
	if (o->kind == QTS_KIND_REVISE && o->kill == QTS_KILL_NONE && o->filled == 0)
		return "pending";
	return killed[o->kill];
}

static void
truth_order(const QtsOrder *o, QtsBuf *out)
{
	const char *separator = "";

	qts_buf_printf(out,
				   "{\"serial\":%" PRId64 ",\"request_seq\":%" PRIu64 ",\"odno\":\"%010" PRId64
				   "\",\"orgn_odno\":\"",
				   o->serial, o->req_seq, o->odno);
	if (o->orgn_odno != 0)
		qts_buf_printf(out, "%010" PRId64, o->orgn_odno);
	qts_buf_printf(out,
				   "\",\"date\":%d,\"tmd\":\"%06d\",\"account\":\"%s\",\"symbol\":\"%s\","
				   "\"side\":\"%s\",\"kind\":\"%s\",\"qty\":%" PRId64 ",\"price\":%" PRId64
				   ",\"ord_dvsn\":\"%s\",\"excg\":\"%s\",\"filled\":%" PRId64 ",\"amount\":%" PRId64
				   ",\"remaining\":%" PRId64 ",\"killed\":%" PRId64 ",",
				   o->date, o->tmd, o->account->account, o->symbol->code, o->is_sell ? "sell" : "buy",
				   o->kind == QTS_KIND_NEW		? "new"
				   : o->kind == QTS_KIND_CANCEL ? "cancel"
												: "revise",
				   o->qty, o->price, o->dvsn, o->excg, o->filled, o->amount, qts_order_left(o), o->killed);
	qts_buf_printf(out,
				   "\"fee\":%" PRId64 ",\"tax\":%" PRId64 ",\"state\":\"%s\","
				   "\"accepted_t_us\":%" PRId64 ",\"channel\":",
				   o->fee, o->tax, truth_state(o), o->accepted_us);
	qts_buf_json(out, o->channel);
	qts_buf_text(out, ",\"fills\":[");
	for (const QtsFill *f = o->fills; f != NULL; f = f->next)
	{
		qts_buf_printf(out, "%s{\"qty\":%" PRId64 ",\"price\":%" PRId64 ",\"t_us\":%" PRId64 "}", separator,
					   f->qty, f->price, f->t_us);
		separator = ",";
	}
	qts_buf_text(out, "]}");
}

/* What the orders alone say the account should hold, against what was booked. */
static bool
truth_adds_up(const QtsAccount *a)
{
	int64_t cash = a->cash_in;
	int64_t reserved = 0;
	int64_t shares = 0;
	int64_t locked = 0;

	for (int i = 0; i < a->n_holdings; i++)
	{
		shares += a->holdings[i].qty - a->holdings[i].qty_in;
		locked += a->holdings[i].locked;
	}
	for (int i = 0; i < a->n_orders; i++)
	{
		const QtsOrder *o = a->orders[i];
		int64_t qty = 0;
		int64_t amount = 0;

		for (const QtsFill *f = o->fills; f != NULL; f = f->next)
		{
			qty += f->qty;
			amount += f->qty * f->price;
		}
		if (qty != o->filled || amount != o->amount ||
			(o->kind != QTS_KIND_CANCEL && (qts_order_left(o) < 0 || (o->is_open && qts_order_left(o) == 0))))
			return false;
		cash += (o->is_sell ? amount : -amount) - o->fee - o->tax;
		shares -= o->is_sell ? -qty : qty;
		reserved += o->reserved;
		locked -= o->is_sell && o->is_open ? qts_order_left(o) : 0;
	}
	return cash == a->cash && reserved == a->reserved && shares == 0 && locked == 0;
}

static void
truth_account(const QtsAccount *a, QtsBuf *out)
{
	qts_buf_printf(out,
				   "{\"account\":\"%s\",\"cash\":%" PRId64 ",\"cash_in\":%" PRId64 ",\"reserved\":%" PRId64
				   ",\"today_cost\":%" PRId64 ",\"conserved\":%s,\"holdings\":[",
				   a->account, a->cash, a->cash_in, a->reserved, a->today_cost,
				   truth_adds_up(a) ? "true" : "false");
	for (int i = 0; i < a->n_holdings; i++)
	{
		const QtsHolding *h = &a->holdings[i];
		int64_t average = h->qty > 0 ? h->cost_e4 / h->qty : 0;

		qts_buf_printf(out,
					   "%s{\"symbol\":\"%s\",\"qty\":%" PRId64 ",\"qty_in\":%" PRId64 ",\"sellable\":%" PRId64
					   ",\"avg_price\":\"%" PRId64 ".%04" PRId64 "\"}",
					   i ? "," : "", h->symbol->code, h->qty, h->qty_in, h->qty - h->locked, average / 10000,
					   average % 10000);
	}
	qts_buf_text(out, "]}");
}

static void
truth_accounts(const QtsAccount *only, bool is_all, QtsBuf *out)
{
	const QtsAccount *a;

	if (!is_all)
	{
		if (only != NULL)
			truth_account(only, out);
		return;
	}
	for (int i = 0; (a = qts_account_at(i)) != NULL; i++)
	{
		qts_buf_text(out, i ? "," : "");
		truth_account(a, out);
	}
}

/* Filters: account, symbol, odno, from (the first serial number), limit. */
void
qts_truth_write(const QtsReq *req, QtsBuf *out)
{
	const char *name = qts_json_text(req->json, "account");
	const char *symbol = qts_json_text(req->json, "symbol");
	bool is_all = name == NULL || *name == '\0';
	const QtsAccount *account = qts_account_named(name);
	int64_t odno = qts_json_int(req->json, "odno", 0);
	int64_t limit = qts_json_int(req->json, "limit", QTS_MAX_ORDERS);
	int64_t from = qts_json_int(req->json, "from", 0);
	int64_t shown = 0;
	int i = is_all ? qts_book_from(from) : 0;

	qts_buf_text(out, "{\"orders\":[");
	for (; shown < limit; i++)
	{
		const QtsOrder *o = is_all									   ? qts_book_at(i)
							: account != NULL && i < account->n_orders ? account->orders[i]
																	   : NULL;

		if (o == NULL)
			break;
		if ((symbol && *symbol && strcmp(symbol, o->symbol->code) != 0) || (odno != 0 && odno != o->odno) ||
			o->serial < from)
			continue;
		qts_buf_text(out, shown++ ? "," : "");
		truth_order(o, out);
	}
	qts_buf_text(out, "],\"accounts\":[");
	truth_accounts(account, is_all, out);
	qts_buf_text(out, "],\"counters\":");
	qts_witness_stats(out);
	qts_buf_text(out, "}");
}
