/*
 * ledger.c
 *		The day's orders and fills (inquire-daily-ccld) and the open orders
 *		(inquire-psbl-rvsecncl).
 *
 * Rows are cumulative, one per request, derived from the orders at query time.  The
 * page cursor is the (date, number) of the last row shown, so rows added between two
 * pages never shift the later one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

typedef struct Query
{
	QtsAccount *account;
	int from, to;
	const char *side;
	const char *code;
	const char *filled;
	int64_t odno;
	const char *venue;
	const char *branch;
	bool is_oldest_first;
	int64_t hidden_after_us; /* rows accepted later than this are not visible yet */
	int64_t fills_until_us;	 /* later fills are not in the rows yet */
	int64_t hidden_odno;	 /* a row missing by fault */
	int64_t hidden_newest;	 /* so many of the newest rows missing by fault */
} Query;

const char *
qts_ledger_dvsn_name(const char *dvsn)
{
	static const struct
	{
		const char *code;
		const char *name;
	} names[] = {
		{"00", "지정가"},		{"01", "시장가"},		{"02", "조건부지정가"}, {"03", "최유리지정가"},
		{"04", "최우선지정가"}, {"11", "IOC지정가"},	{"12", "FOK지정가"},	{"13", "IOC시장가"},
		{"14", "FOK시장가"},	{"21", "중간가"},		{"05", "장전시간외"},	{"06", "장후시간외"},
		{"22", "스톱지정가"},	{"27", "GTP지정가"},	{"28", "GTP최유리"},	{"29", "GTP최우선"},
		{"41", "애프터지정가"}, {"44", "애프터최유리"}, {"47", "애프터최우선"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].code, dvsn) == 0)
			return names[i].name;
	return "지정가";
}

static const char *
ledger_venue(const QtsOrder *o)
{
	bool is_kosdaq = strcmp(o->symbol->market, "KOSDAQ") == 0;

	if (strcmp(o->excg, "KRX") == 0)
		return is_kosdaq ? "03" : "02";
	return is_kosdaq ? "13" : "12";
}

static void
ledger_odno(QtsBuf *out, const char *key, int64_t odno)
{
	if (odno != 0)
		qts_buf_printf(out, "\"%s\":\"%0*" PRId64 "\",", key, qts_options.ledger_odno_width, odno);
	else
		qts_buf_printf(out, "\"%s\":\"\",", key);
}

static void
ledger_average(const QtsOrder *o, const QtsFill *seen, char *text, size_t size)
{
	bool is_fresh = seen->qty > 0 && qts_options.avg_blank_ms > 0 &&
					qts_clock_mono() - o->last_fill_us < qts_options.avg_blank_ms * 1000;

	if (is_fresh)
		text[0] = '\0';
	else
		snprintf(text, size, "%" PRId64, seen->qty ? seen->price / seen->qty : 0);
}

/* Quantity and amount (in `price`) that the ledger knows of. */
static QtsFill
ledger_seen(const Query *q, const QtsOrder *o)
{
	QtsFill seen = {.qty = o->filled, .price = o->amount};

	if (q->fills_until_us == INT64_MAX)
		return seen;
	seen.qty = seen.price = 0;
	for (const QtsFill *f = o->fills; f != NULL && f->t_us <= q->fills_until_us; f = f->next)
	{
		seen.qty += f->qty;
		seen.price += f->qty * f->price;
	}
	return seen;
}

static const char *
ledger_side_name(const QtsOrder *o)
{
	if (o->kill == QTS_KILL_GTP)
		return o->is_sell ? "GTP매도자동취소*" : "GTP매수자동취소*";
	if (o->kind == QTS_KIND_CANCEL)
		return o->is_sell ? "현금매도취소" : "현금매수취소";
	if (o->kind == QTS_KIND_REVISE)
		return o->is_sell ? "현금매도정정" : "현금매수정정";
	return o->is_sell ? "현금매도" : "현금매수";
}

static void
ledger_quantities(QtsBuf *out, const QtsOrder *o, const QtsFill *seen)
{
	bool is_documented = qts_options.ledger_documented;
	bool is_user_kill = o->kill == QTS_KILL_CANCEL || o->kill == QTS_KILL_REVISE;
	bool is_rejected = o->kill == QTS_KILL_REJECT || o->kill == QTS_KILL_EXPIRE;
	char average[24];

	ledger_average(o, seen, average, sizeof(average));
	qts_buf_printf(out,
				   ",\"ord_qty\":\"%" PRId64 "\",\"ord_unpr\":\"%" PRId64
				   "\",\"ord_tmd\":\"%06d\",\"tot_ccld_qty\":\"%" PRId64
				   "\",\"avg_prvs\":\"%s\",\"cncl_yn\":\"%s\",\"tot_ccld_amt\":\"%" PRId64
				   "\",\"loan_dt\":\"\",\"ordr_empno\":\"%s\",\"ord_dvsn_cd\":\"%s\",",
				   o->qty, o->price, o->tmd, seen->qty, average,
				   !is_documented ? ""
				   : is_user_kill ? "Y"
								  : "N",
				   seen->price, o->channel, o->dvsn);
	qts_buf_printf(out, "\"%s\":\"%" PRId64 "\",\"rmn_qty\":\"%" PRId64 "\",\"rjct_qty\":\"%" PRId64 "\",",
				   qts_options.ledger_sample_keys ? "cnc_cfrm_qty" : "cncl_cfrm_qty",
				   is_documented && is_user_kill ? o->killed : 0, qts_order_left(o) + o->filled - seen->qty,
				   is_rejected ? o->killed : 0);
}

static void
ledger_row(QtsBuf *out, const Query *q, const QtsOrder *o)
{
	QtsFill seen = ledger_seen(q, o);

	qts_buf_printf(out, "{\"ord_dt\":\"%08d\",\"ord_gno_brno\":\"%s\",", o->date, o->account->branch);
	ledger_odno(out, "odno", o->odno);
	ledger_odno(out, "orgn_odno", o->orgn_odno);
	qts_buf_printf(out,
				   "\"ord_dvsn_name\":\"%s\",\"sll_buy_dvsn_cd\":\"%s\","
				   "\"sll_buy_dvsn_cd_name\":\"%s\",\"pdno\":\"%s\",\"prdt_name\":",
				   qts_ledger_dvsn_name(o->dvsn), o->is_sell ? "01" : "02", ledger_side_name(o),
				   o->symbol->code);
	qts_buf_json(out, o->symbol->name);
	ledger_quantities(out, o, &seen);
	qts_buf_printf(out,
				   "\"ccld_cndt_name\":\"%s\","
				   "\"inqr_ip_addr\":\"%s\",\"cpbc_ordp_ord_rcit_dvsn_cd\":\"\","
				   "\"cpbc_ordp_infm_mthd_dvsn_cd\":\"\",\"infm_tmd\":\"\",\"ctac_tlno\":\"\","
				   "\"prdt_type_cd\":\"300\",\"excg_dvsn_cd\":\"%s\",",
				   o->tif == 1	 ? "IOC"
				   : o->tif == 2 ? "FOK"
								 : "없음",
				   o->ip, ledger_venue(o));
	qts_buf_printf(out,
				   "\"cpbc_ordp_mtrl_dvsn_cd\":\"\",\"ord_orgno\":\"00000\","
				   "\"rsvn_ord_end_dt\":\"\",\"%s\":\"%s\",\"stpm_cndt_pric\":\"%" PRId64
				   "\",\"stpm_efct_occr_dtmd\":\"\"}",
				   qts_options.ledger_sample_keys ? "excg_id_dvsn_Cd" : "excg_id_dvsn_cd", o->excg,
				   o->trigger);
}

static bool
text_is(const char *text, const char *value)
{
	return text != NULL && strcmp(text, value) == 0;
}

static bool
ledger_in_range(const Query *q, const QtsOrder *o)
{
	return o->date >= q->from && o->date <= q->to;
}

static bool
ledger_shows(const Query *q, const QtsOrder *o)
{
	if (!ledger_in_range(q, o) || o->accepted_us > q->hidden_after_us)
		return false;
	if ((q->odno != 0 && o->odno != q->odno) || (q->hidden_odno != 0 && o->odno == q->hidden_odno))
		return false;
	if (q->venue != NULL && *q->venue && strcmp(q->venue, "ALL") != 0 && strcmp(q->venue, o->excg) != 0)
		return false;
	if (q->branch != NULL && *q->branch && strcmp(q->branch, o->account->branch) != 0)
		return false;
	if ((text_is(q->side, "01") && !o->is_sell) || (text_is(q->side, "02") && o->is_sell))
		return false;
	if (q->code != NULL && *q->code && strcmp(q->code, o->symbol->code) != 0)
		return false;
	if (text_is(q->filled, "01"))
		return o->filled > 0;
	if (text_is(q->filled, "02"))
		return qts_order_left(o) > 0;
	return true;
}

/* Day totals ignore every filter but the dates, as measured. */
static void
ledger_totals(QtsBuf *out, const Query *q)
{
	int64_t ordered = 0;
	int64_t filled = 0;
	int64_t amount = 0;
	int64_t cost = 0;

	for (int i = 0; i < q->account->n_days; i++)
	{
		const QtsDay *day = &q->account->days[i];

		if (day->date < q->from || day->date > q->to)
			continue;
		ordered += day->ordered;
		filled += day->filled;
		amount += day->amount;
		cost += day->cost;
	}
	qts_buf_printf(out,
				   "{\"tot_ord_qty\":\"%" PRId64 "\",\"tot_ccld_qty\":\"%" PRId64
				   "\",\"tot_ccld_amt\":\"%" PRId64 "\",\"prsm_tlex_smtl\":\"%" PRId64
				   "\",\"pchs_avg_pric\":\"%.4f\"}",
				   ordered, filled, amount, cost, filled ? (double) amount / (double) filled : 0.0);
}

static int64_t
ledger_cut(int64_t lag_ms)
{
	return lag_ms > 0 ? qts_clock_real() - lag_ms * 1000 : INT64_MAX;
}

static void
ledger_faults(const QtsReq *req, Query *q)
{
	const QtsAccount *account = q->account;
	int64_t lag_ms = account->ledger_lag_ms >= 0 ? account->ledger_lag_ms : qts_options.ledger_lag_ms;
	int64_t fill_ms = qts_options.ledger_fill_lag_ms;
	const QtsFault *fault;

	if (qts_fault_is(req->fault, "ledger_lag"))
		lag_ms = qts_json_int(req->fault->params, "ms", 3600000);
	if ((fault = qts_fault_pick("ledger_fill_lag", req, NULL)) != NULL)
		fill_ms = qts_json_int(fault->params, "ms", 3600000);
	q->hidden_after_us = ledger_cut(lag_ms);
	q->fills_until_us = ledger_cut(fill_ms);
	if ((fault = qts_fault_pick("row_missing", req, NULL)) != NULL)
	{
		q->hidden_odno = qts_json_int(fault->params, "odno", 0);
		q->hidden_newest = q->hidden_odno ? 0 : qts_json_int(fault->params, "newest", 1);
	}
	/* The paper defect: no rows of the day, totals right. */
	if (qts_options.ledger_empty || qts_fault_pick("ledger_empty", req, NULL) != NULL)
		q->hidden_after_us = INT64_MIN;
}

static void
ledger_query(const QtsReq *req, Query *q)
{
	const char *odno = qts_req_param(req, "ODNO");
	const char *from = qts_req_param(req, "INQR_STRT_DT");
	const char *to = qts_req_param(req, "INQR_END_DT");
	int today = qts_clock_date(qts_clock_now());

	q->from = from && *from ? atoi(from) : today;
	q->to = to && *to ? atoi(to) : today;
	q->side = qts_req_param(req, "SLL_BUY_DVSN_CD");
	q->code = qts_req_param(req, "PDNO");
	q->filled = qts_req_param(req, "CCLD_DVSN");
	q->venue = qts_req_param(req, "EXCG_ID_DVSN_CD");
	q->branch = qts_req_param(req, "ORD_GNO_BRNO");
	q->is_oldest_first = text_is(qts_req_param(req, "INQR_DVSN"), "01");
	qts_text_digits(odno, &q->odno);
	ledger_faults(req, q);
}

/* The account's first order of the date or later; its list is in date order. */
static int
ledger_first_of(const QtsAccount *account, int date)
{
	int low = 0;
	int high = account->n_orders;

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (account->orders[middle]->date < date)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The order the cursor names, or NULL for the first page. */
static const QtsOrder *
ledger_cursor(const Query *q, const char *cursor, bool is_next)
{
	const QtsOrder *last;
	char date[9];

	if (!is_next || strlen(cursor) != 18)
		return NULL;
	snprintf(date, sizeof(date), "%.8s", cursor);
	last = qts_book_find(atoi(date), strtoll(cursor + 8, NULL, 10));
	return last != NULL && last->account == q->account ? last : NULL;
}

/* Where the page starts: the row after the one the cursor names. */
static int
ledger_start(const QtsReq *req, const Query *q, const QtsOrder *last)
{
	int step = q->is_oldest_first ? 1 : -1;

	if (last == NULL)
		return q->is_oldest_first ? ledger_first_of(q->account, q->from)
								  : ledger_first_of(q->account, q->to + 1) - 1;
	if (qts_fault_pick("page_hides_row", req, NULL) != NULL)
		return last->index + 2 * step;
	return qts_fault_pick("page_repeats_row", req, NULL) != NULL ? last->index : last->index + step;
}

/* Write one page of rows into resp; returns whether more follow, and the cursor. */
static bool
ledger_page(QtsBuf *out, Query *q, int start, char *cursor, size_t size, int *shown)
{
	int step = q->is_oldest_first ? 1 : -1;

	/* One order asked for by number needs no search through the others. */
	if (q->odno != 0 && q->from == q->to)
	{
		const QtsOrder *only = qts_book_find(q->from, q->odno);

		if (only == NULL || only->account != q->account || (start - only->index) * step > 0)
			return false;
		start = only->index;
	}
	for (int i = start; i >= 0 && i < q->account->n_orders; i += step)
	{
		const QtsOrder *order = q->account->orders[i];

		if (q->is_oldest_first ? order->date > q->to : order->date < q->from)
			return false;
		if (!ledger_shows(q, order) || (!q->is_oldest_first && q->hidden_newest-- > 0))
			continue;
		if (*shown == qts_options.page_ledger)
			return true;
		qts_buf_text(out, (*shown)++ ? "," : "");
		ledger_row(out, q, order);
		snprintf(cursor, size, "%08d%010" PRId64, order->date, order->odno);
		if (q->odno != 0 && q->from == q->to)
			return false;
	}
	return false;
}

void
qts_ledger_daily(const QtsReq *req, QtsResp *resp, QtsApp *app)
{
	Query q = {0};
	char filter[160];
	char cursor[128];
	bool is_next;
	bool has_more;
	int shown = 0;

	q.account = qts_rest_account(req, resp, app);
	if (q.account == NULL)
		return;
	ledger_query(req, &q);
	snprintf(filter, sizeof(filter), "%s!^%s!^%08d!^%08d!^%.12s!^%.2s!^%.2s!^%d", q.account->cano,
			 q.account->product, q.from, q.to, q.code ? q.code : "", q.side ? q.side : "",
			 q.filled ? q.filled : "", q.is_oldest_first);
	is_next = qts_rest_context(req, "CTX_AREA_NK100", filter, cursor, sizeof(cursor));
	if (is_next && qts_fault_pick("page_stuck", req, NULL) != NULL)
		cursor[0] = '\0';
	qts_buf_text(&resp->body, "{\"output1\":[");
	has_more = ledger_page(&resp->body, &q, ledger_start(req, &q, ledger_cursor(&q, cursor, is_next)), cursor,
						   sizeof(cursor), &shown);
	resp->tr_cont[0] = has_more ? (is_next ? 'M' : 'F') : (is_next ? 'E' : 'D');
	qts_buf_text(&resp->body, "],\"output2\":");
	ledger_totals(&resp->body, &q);
	qts_buf_text(&resp->body, ",\"ctx_area_fk100\":");
	qts_buf_padded(&resp->body, filter, 100);
	qts_buf_text(&resp->body, ",\"ctx_area_nk100\":");
	qts_buf_padded(&resp->body, has_more ? cursor : "", 100);
	qts_rest_end(resp, has_more ? "KIOK0500" : "KIOK0460", "20310000", shown > 0);
}

static void
open_row(QtsBuf *out, const QtsOrder *o)
{
	qts_buf_printf(out, "{\"ord_gno_brno\":\"%s\",", o->account->branch);
	ledger_odno(out, "odno", o->odno);
	ledger_odno(out, "orgn_odno", o->orgn_odno);
	qts_buf_printf(out,
				   "\"ord_dvsn_name\":\"%s\",\"pdno\":\"%s\",\"prdt_name\":", qts_ledger_dvsn_name(o->dvsn),
				   o->symbol->code);
	qts_buf_json(out, o->symbol->name);
	qts_buf_printf(out,
				   ",\"rvse_cncl_dvsn_name\":\"%s\",\"ord_qty\":\"%" PRId64 "\",\"ord_unpr\":\"%" PRId64
				   "\",\"ord_tmd\":\"%06d\",\"tot_ccld_qty\":\"%" PRId64 "\",\"tot_ccld_amt\":\"%" PRId64
				   "\",\"psbl_qty\":\"%" PRId64
				   "\",\"sll_buy_dvsn_cd\":\"%s\",\"ord_dvsn_cd\":\"%s\",\"mgco_aptm_odno\":\"\","
				   "\"excg_dvsn_cd\":\"%s\",\"excg_id_dvsn_cd\":\"%s\",\"excg_id_dvsn_name\":\"%s\","
				   "\"stpm_cndt_pric\":\"0\",\"stpm_efct_occr_yn\":\"\"}",
				   o->is_sell ? "현금매도" : "현금매수", o->qty, o->price, o->tmd, o->filled, o->amount,
				   qts_order_left(o), o->is_sell ? "01" : "02", o->dvsn, ledger_venue(o), o->excg, o->excg);
}

void
qts_ledger_open(const QtsReq *req, QtsResp *resp, QtsApp *app)
{
	Query q = {0};
	const char *side = qts_req_param(req, "INQR_DVSN_2");
	char filter[64];
	char cursor[128];
	bool is_next;
	bool has_more = false;
	int shown = 0;
	int64_t hidden = 0;
	const QtsOrder *last;
	const QtsFault *fault;

	q.account = qts_rest_account(req, resp, app);
	if (q.account == NULL)
		return;
	fault = qts_fault_pick("open_missing", req, NULL);
	if (fault != NULL && q.account->open_tail != NULL)
		hidden = qts_json_int(fault->params, "odno", q.account->open_tail->odno);
	snprintf(filter, sizeof(filter), "%s^%s^%.1s", q.account->cano, q.account->product, side ? side : "");
	is_next = qts_rest_context(req, "CTX_AREA_NK100", filter, cursor, sizeof(cursor));
	qts_buf_text(&resp->body, "{\"output\":[");
	last = ledger_cursor(&q, cursor, is_next);
	for (const QtsOrder *order = q.account->open_tail; order != NULL; order = order->older_open)
	{
		if ((last != NULL && order->index >= last->index) || order->odno == hidden)
			continue;
		if ((text_is(side, "1") && !order->is_sell) || (text_is(side, "2") && order->is_sell))
			continue;
		if (shown == qts_options.page_open)
		{
			has_more = true;
			break;
		}
		qts_buf_text(&resp->body, shown++ ? "," : "");
		open_row(&resp->body, order);
		snprintf(cursor, sizeof(cursor), "%08d%010" PRId64, order->date, order->odno);
	}
	resp->tr_cont[0] = has_more ? (is_next ? 'M' : 'F') : (is_next ? 'E' : 'D');
	qts_buf_text(&resp->body, "],\"ctx_area_fk100\":");
	qts_buf_padded(&resp->body, filter, 100);
	qts_buf_text(&resp->body, ",\"ctx_area_nk100\":");
	qts_buf_padded(&resp->body, has_more ? cursor : "", 100);
	qts_rest_end(resp, has_more ? "KIOK0500" : "KIOK0510", "20310000", shown > 0);
}
