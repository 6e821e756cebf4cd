/*
 * notice.c
 *		Execution notices (H0STCNI0 / H0STCNI9): their fields, and the faults that lose,
 *		double or reorder them.
 *
 * A fill notice held back for reordering is kept with its account and sent after the
 * next one, or by a timer when none comes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define FIELDS_REAL 26
#define FIELDS_PAPER 23
#define FIELDS_MOST 30
#define REORDER_MS 300

typedef struct Notice
{
	char field[FIELDS_MOST][64];
	int n_fields;
} Notice;

static uint64_t last_held;

/* Lay out what every notice of an order shares. */
static void
notice_base(Notice *n, const QtsOrder *o, int64_t qty, int64_t price)
{
	char ordered[16];
	bool is_short = qts_options.notice_fields < FIELDS_REAL;

	memset(n, 0, sizeof(*n));
	n->n_fields = qts_options.notice_fields;
	snprintf(n->field[1], 64, "%s%s", o->account->cano, o->account->product);
	snprintf(n->field[2], 64, "%0*" PRId64, qts_options.notice_odno_width, o->odno);
	if (o->orgn_odno != 0)
		snprintf(n->field[3], 64, "%0*" PRId64, qts_options.notice_odno_width, o->orgn_odno);
	snprintf(n->field[4], 64, "%s", o->is_sell ? "01" : "02");
	snprintf(n->field[5], 64, "%d", (int) o->kind);
	snprintf(n->field[6], 64, "%s", o->dvsn);
	snprintf(n->field[7], 64, "%d", o->tif);
	snprintf(n->field[8], 64, "%s", o->symbol->code);
	snprintf(n->field[9], 64, "%010" PRId64, qty);
	snprintf(n->field[10], 64, "%09" PRId64, price);
	snprintf(n->field[11], 64, "%06d", qts_clock_tmd(qts_clock_stamp()));
	snprintf(n->field[12], 64, "0");
	snprintf(n->field[13], 64, "1");
	snprintf(n->field[14], 64, "1");
	snprintf(n->field[15], 64, "%s", o->account->branch);
	snprintf(n->field[16], 64, "%09" PRId64, o->qty);
	snprintf(n->field[17], 64, "%s", o->account->holder);
	snprintf(ordered, sizeof(ordered), "%09" PRId64, o->price);
	if (is_short)
	{
		snprintf(n->field[18], 64, "1Y");
		snprintf(n->field[19], 64, "10");
		snprintf(n->field[21], 64, "%s", o->symbol->name);
		snprintf(n->field[22], 64, "%s", ordered);
	}
	else
	{
		const char *venue = strcmp(o->excg, "NXT") == 0 ? "2" : strcmp(o->excg, "SOR") == 0 ? "3" : "1";

		snprintf(n->field[19], 64, "%s", venue);
		snprintf(n->field[20], 64, "Y");
		snprintf(n->field[22], 64, "10");
		snprintf(n->field[24], 64, "%s", o->symbol->name);
		snprintf(n->field[25], 64, "%s", ordered);
	}
}

/* The record after the HTS id. */
static void
notice_tail(const Notice *n, QtsBuf *tail)
{
	for (int i = 1; i < n->n_fields; i++)
		qts_buf_printf(tail, "^%s", n->field[i]);
}

static void
notice_to(const char *hts_id, const char *tail, size_t len, const QtsFault *fault)
{
	QtsBuf record = {0};

	qts_buf_text(&record, hts_id);
	qts_buf_add(&record, tail, len);
	if (qts_fault_is(fault, "notice_fields") || qts_fault_is(fault, "notice_field"))
		qts_feed_mangle(&record, fault);
	qts_feed_notice(hts_id, record.data, record.len, fault);
	qts_buf_free(&record);
}

/* To every HTS id that sees the account, once, however many applications share it. */
static void
notice_deliver(const QtsAccount *account, const char *tail, size_t len, const QtsFault *fault)
{
	bool is_own_told = account->hts_id[0] == '\0';

	for (int i = 0; i < account->n_apps; i++)
	{
		const char *hts_id = account->apps[i]->hts_id;
		bool is_repeat = false;

		for (int k = 0; k < i; k++)
			is_repeat |= strcmp(account->apps[k]->hts_id, hts_id) == 0;
		is_own_told |= strcmp(account->hts_id, hts_id) == 0;
		if (!is_repeat)
			notice_to(hts_id, tail, len, fault);
	}
	if (!is_own_told)
		notice_to(account->hts_id, tail, len, fault);
}

static void
notice_send(const Notice *n, const QtsOrder *order, const char *lose_mode, const char *double_mode)
{
	static const char spoils[] = "notice_field,notice_fields,notice_base64,notice_cipher,notice_batch";
	QtsBuf tail = {0};

	if (qts_fault_pick(lose_mode, NULL, order) != NULL)
	{
		qts_counters.notices_lost++;
		return;
	}
	notice_tail(n, &tail);
	notice_deliver(order->account, tail.data, tail.len, qts_fault_pick(spoils, NULL, order));
	if (double_mode != NULL && qts_fault_pick(double_mode, NULL, order) != NULL)
		notice_deliver(order->account, tail.data, tail.len, NULL);
	qts_buf_free(&tail);
}

void
qts_notice_accept(QtsOrder *order)
{
	Notice n;

	order->owes_accept = false;
	notice_base(&n, order, order->qty, order->price);
	/* Seen on paper: an accept leaves the order price empty. */
	if (n.n_fields < FIELDS_REAL)
		n.field[22][0] = '\0';
	notice_send(&n, order, "lose_notices,lose_accepts", "duplicate_accept");
}

static void
notice_release(QtsAccount *account)
{
	char *text = account->held_notice;

	if (text == NULL)
		return;
	account->held_notice = NULL;
	notice_deliver(account, text, account->held_len, NULL);
	free(text);
}

/* The account may be gone by now, so it is looked for by what it holds. */
static void
notice_due(void *arg, uint64_t tag)
{
	QtsAccount *account;

	(void) arg;
	for (int i = 0; (account = qts_account_at(i)) != NULL; i++)
		if (account->held_notice != NULL && account->held_tag == tag)
			notice_release(account);
}

void
qts_notice_fill(QtsOrder *order, int64_t qty, int64_t price)
{
	Notice n;
	const QtsFault *fault;

	notice_base(&n, order, qty, price);
	snprintf(n.field[5], 64, "0");
	n.field[13][0] = n.field[14][0] = '2';
	/* Seen on paper: fills name type 00 whatever was ordered. */
	if (qts_options.is_paper)
		snprintf(n.field[6], 64, "00");
	if (order->account->held_notice == NULL && (fault = qts_fault_pick("reorder_fills", NULL, order)) != NULL)
	{
		QtsBuf tail = {0};

		notice_tail(&n, &tail);
		order->account->held_notice = tail.data;
		order->account->held_len = tail.len;
		order->account->held_tag = ++last_held;
		qts_net_timer(qts_json_int(fault->params, "ms", REORDER_MS) * 1000, notice_due, NULL, last_held);
		return;
	}
	notice_send(&n, order, "lose_notices,lose_fills", "duplicate_fill");
	notice_release(order->account);
}

/* A cancel or revise that took effect: the new number with the original beside it. */
void
qts_notice_confirm(const QtsOrder *request, int64_t qty)
{
	Notice n;

	notice_base(&n, request, qty, request->kind == QTS_KIND_CANCEL ? 0 : request->price);
	n.field[14][0] = '2';
	notice_send(&n, request, "lose_notices", NULL);
}

/* The exchange refused the order or removed what was left of it. */
void
qts_notice_kill(const QtsOrder *order, int64_t qty, bool is_reject)
{
	Notice n;

	notice_base(&n, order, qty, 0);
	if (is_reject)
		n.field[12][0] = '1';
	else
	{
		n.field[5][0] = '2';
		n.field[14][0] = '3';
	}
	notice_send(&n, order, "lose_notices", NULL);
}

/*
 * Send whatever the test asks for: an order's notice with fields replaced by index
 * or name, or a raw record.  Returns the number of sessions reached.
 */
int
qts_notice_custom(const json_t *body)
{
	static const char *const names[] = {"hts_id", "account", "odno",   "orgn_odno", "side",	   "rctf",
										"kind",	  "cond",	 "symbol", "qty",		"price",   "tmd",
										"rfus",	  "cntg",	 "acpt",   "branch",	"ord_qty", "holder"};
	const char *hts_id = qts_json_text(body, "hts_id");
	const json_t *raw = json_object_get(body, "raw");
	int64_t odno = qts_json_int(body, "odno", 0);
	const QtsOrder *order = qts_book_find(qts_clock_date(qts_clock_now()), odno);
	QtsOrder blank = {.account = qts_account_at(0), .symbol = qts_market_at(0)};
	Notice n;
	QtsBuf text = {0};
	char index[16];
	int sent;

	if (hts_id == NULL)
		hts_id = qts_oauth_app_at(0) ? qts_oauth_app_at(0)->hts_id : "";
	if (json_is_string(raw))
		return qts_feed_notice(hts_id, json_string_value(raw), json_string_length(raw), NULL);
	if (order == NULL)
		order = &blank;
	if (order->account == NULL || order->symbol == NULL)
		return -1;
	notice_base(&n, order, order->qty, order->price);
	for (size_t i = 1; i < sizeof(names) / sizeof(names[0]); i++)
		if (qts_json_text(body, names[i]))
			qts_text_copy(n.field[i], 64, qts_json_text(body, names[i]));
	for (int i = 0; i < n.n_fields; i++)
	{
		snprintf(index, sizeof(index), "%d", i);
		if (qts_json_text(json_object_get(body, "fields"), index))
			qts_text_copy(n.field[i], 64, qts_json_text(json_object_get(body, "fields"), index));
	}
	qts_buf_text(&text, hts_id);
	notice_tail(&n, &text);
	sent = qts_feed_notice(hts_id, text.data, text.len, NULL);
	qts_buf_free(&text);
	return sent;
}
