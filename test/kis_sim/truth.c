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
	static const char *const killed[] = {"filled", "cancelled", "revised", "rejected", "expired", "killed"};

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

	qts_buf_printf(out, "{\"odno\":\"%010" PRId64 "\",\"orgn_odno\":\"", o->odno);
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

static void
truth_account(const QtsAccount *a, QtsBuf *out)
{
	qts_buf_printf(out,
				   "{\"account\":\"%s\",\"cash\":%" PRId64 ",\"reserved\":%" PRId64 ",\"today_cost\":%" PRId64
				   ",\"holdings\":[",
				   a->account, a->cash, a->reserved, a->today_cost);
	for (int i = 0; i < a->n_holdings; i++)
	{
		const QtsHolding *h = &a->holdings[i];
		int64_t average = h->qty > 0 ? h->cost_e4 / h->qty : 0;

		qts_buf_printf(out,
					   "%s{\"symbol\":\"%s\",\"qty\":%" PRId64 ",\"sellable\":%" PRId64
					   ",\"avg_price\":\"%" PRId64 ".%04" PRId64 "\"}",
					   i ? "," : "", h->symbol->code, h->qty, h->qty - h->locked, average / 10000,
					   average % 10000);
	}
	qts_buf_text(out, "]}");
}

/* Filters: account, symbol, odno, from (index of the first order), limit. */
void
qts_truth_write(const QtsReq *req, QtsBuf *out)
{
	const char *account = qts_json_text(req->json, "account");
	const char *symbol = qts_json_text(req->json, "symbol");
	int64_t odno = qts_json_int(req->json, "odno", 0);
	int64_t limit = qts_json_int(req->json, "limit", QTS_MAX_ORDERS);
	int64_t from = qts_json_int(req->json, "from", 0);
	int64_t shown = 0;
	const QtsAccount *a;

	qts_buf_text(out, "{\"orders\":[");
	for (int i = from > 0 ? (int) from : 0; i < qts_exchange_count() && shown < limit; i++)
	{
		const QtsOrder *o = qts_exchange_at(i);

		if ((account && *account && strcmp(account, o->account->account) != 0) ||
			(symbol && *symbol && strcmp(symbol, o->symbol->code) != 0) || (odno != 0 && odno != o->odno))
			continue;
		qts_buf_text(out, shown++ ? "," : "");
		truth_order(o, out);
	}
	qts_buf_text(out, "],\"accounts\":[");
	for (int i = 0; (a = qts_account_at(i)) != NULL; i++)
	{
		qts_buf_text(out, i ? "," : "");
		truth_account(a, out);
	}
	qts_buf_text(out, "],\"counters\":");
	qts_witness_stats(out);
	qts_buf_text(out, "}");
}
