/*-------------------------------------------------------------------------
 *
 * kis_list.c
 *		Pages of inquire-daily-ccld, inquire-psbl-rvsecncl and inquire-balance
 *		(kis-api 3.5-3.7).
 *
 * A row with a number that is not one spoils the page: the caller asks again
 * and never acts on half a list.  Rows of other instruments (bonds, gold,
 * funds) have other codes and are passed over.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "core/money.h"
#include "core/session.h"
#include "kis/kis_answer_int.h"

typedef enum ListRow
{
	LIST_ROW_TAKEN,
	LIST_ROW_PASSED,
	LIST_ROW_BAD
} ListRow;

/* Rows of a list: an array, a single object, or nothing where nothing is allowed. */
static bool
list_rows(json_t *root, const char *name, bool may_lack, json_t **rows, size_t *count)
{
	*rows = qts_kis_json_field(root, name);
	*count = 0;
	if (json_is_array(*rows))
		*count = json_array_size(*rows);
	else if (json_is_object(*rows))
		*count = 1;
	else
		return may_lack || (json_is_string(*rows) && json_string_length(*rows) == 0);
	return true;
}

static json_t *
list_row(json_t *rows, size_t i)
{
	return json_is_array(rows) ? json_array_get(rows, i) : rows;
}

/* Room for n more elements; the list keeps what it has on failure. */
static bool
list_reserve(void **rows, int count, size_t n, size_t size)
{
	void *more;

	if (n > (size_t) (QTS_KIS_MAX_ROWS - count))
		return false;
	more = realloc(*rows, ((size_t) count + n + 1) * size);
	if (!more)
		return false;
	*rows = more;
	return true;
}

static bool
list_context(json_t *root, const char *name, char out[QTS_KIS_CTX_LEN + 1])
{
	const char *s = qts_kis_json_string(root, name);
	size_t len = strlen(s);

	if (len > QTS_KIS_CTX_LEN)
		return false;
	memcpy(out, s, len + 1);
	return true;
}

/* Keys of the next page; asking the same page again for ever is a fault. */
static bool
list_next(json_t *root, bool more, QtsKisPage *page)
{
	QtsKisPage next;

	if (!more)
		return true;
	if (!list_context(root, "ctx_area_fk100", next.fk) || !list_context(root, "ctx_area_nk100", next.nk))
		return false;
	if (strspn(next.nk, " ") == strlen(next.nk) && strspn(next.fk, " ") == strlen(next.fk))
		return false;
	if (strcmp(next.fk, page->fk) == 0 && strcmp(next.nk, page->nk) == 0)
		return false;
	*page = next;
	return true;
}

static bool
list_odno(json_t *row, const char *name, char out[QTS_ODNO_LEN + 1])
{
	char number[32];

	(void) qts_kis_json_text(row, name, number, sizeof(number));
	if (!qts_kis_copy_odno(out, number, strlen(number)))
		return false;
	if (strspn(out, "0") == QTS_ODNO_LEN)
		out[0] = '\0';
	return true;
}

static QtsTime
list_instant(json_t *row)
{
	int64_t day;
	int64_t clock;
	QtsDate date;

	if (qts_kis_json_integer(row, "ord_dt", &day) != QTS_KIS_NUMBER ||
		qts_kis_json_integer(row, "ord_tmd", &clock) != QTS_KIS_NUMBER || day < 0 || day > 99991231 ||
		clock < 0 || clock > 235959 || clock / 100 % 100 > 59 || clock % 100 > 59 ||
		!qts_date_from_yyyymmdd((int32_t) day, &date))
		return QTS_TIME_NONE;
	return qts_seoul_instant(date, clock / 10000 * QTS_HOUR + clock / 100 % 100 * QTS_MINUTE +
									   clock % 100 * QTS_SEC);
}

static ListRow
list_ledger_row(QtsEnvironment environment, json_t *row, QtsLedgerRow *out)
{
	char text[32];

	memset(out, 0, sizeof(*out));
	if (!json_is_object(row) || !list_odno(row, "odno", out->odno) ||
		!list_odno(row, "orgn_odno", out->orgn_odno))
		return LIST_ROW_BAD;
	if (json_object_size(row) == 0 || out->odno[0] == '\0')
		return LIST_ROW_PASSED;
	(void) qts_kis_json_text(row, "pdno", text, sizeof(text));
	if (!qts_kis_copy_symbol(out->order.symbol, text, strlen(text)))
		return LIST_ROW_PASSED;
	(void) qts_kis_json_text(row, "sll_buy_dvsn_cd", text, sizeof(text));
	if (strcmp(text, "01") != 0 && strcmp(text, "02") != 0)
		return LIST_ROW_BAD;
	out->order.sell = text[1] == '1';
	(void) qts_kis_json_text(row, "ord_dvsn_cd", out->order.ord_dvsn, sizeof(out->order.ord_dvsn));
	(void) qts_kis_json_text(row, "ord_gno_brno", out->orgno, sizeof(out->orgno));
	(void) qts_kis_json_text(row, "excg_id_dvsn_cd", out->venue, sizeof(out->venue));
	out->order.is_change = out->orgn_odno[0] != '\0';
	/* on paper the field's values are not known */
	if (environment != QTS_ENV_PAPER)
		(void) qts_kis_json_text(row, "ordr_empno", out->channel, sizeof(out->channel));
	out->order.other_channel = out->channel[0] != '\0' && strcmp(out->channel, "OpnAPI") != 0;
	out->order.at = list_instant(row);
	if (qts_kis_json_integer(row, "ord_qty", &out->order.qty) != QTS_KIS_NUMBER ||
		!qts_kis_json_count(row, "ord_unpr", &out->order.price) ||
		!qts_kis_json_count(row, "tot_ccld_qty", &out->filled) ||
		!qts_kis_json_count(row, "tot_ccld_amt", &out->amount) ||
		!qts_kis_json_count(row, "rmn_qty", &out->remaining) ||
		!qts_kis_json_count(row, "rjct_qty", &out->rejected) ||
		!qts_kis_json_count(row, "cncl_cfrm_qty", &out->cancelled))
		return LIST_ROW_BAD;
	if (out->cancelled < 0 && !qts_kis_json_count(row, "cnc_cfrm_qty", &out->cancelled))
		return LIST_ROW_BAD;
	if (out->order.qty < 0 || out->filled < -1 || out->amount < -1 || out->remaining < -1)
		return LIST_ROW_BAD;
	return LIST_ROW_TAKEN;
}

QtsKisVerdict
qts_kis_parse_ledger(QtsEnvironment environment, int http_status, const char *body, size_t len, bool more,
					 QtsLedger *ledger, QtsKisPage *page)
{
	json_t *root = qts_kis_json_load(body, len);
	QtsKisVerdict v = qts_kis_verdict(QTS_KIS_CALL_QUERY, http_status, root);
	int count = ledger->count;
	json_t *rows;
	size_t n;

	if (v.outcome == QTS_OUTCOME_OK)
	{
		if (!list_rows(root, "output1", v.empty, &rows, &n) ||
			!list_reserve((void **) &ledger->rows, count, n, sizeof(QtsLedgerRow)))
			qts_kis_doubt(&v, "the list has no rows, too many, or no memory for them");
		else if (!list_next(root, more, page))
			qts_kis_doubt(&v, "the list says there is more but not where");
	}
	for (size_t i = 0; v.outcome == QTS_OUTCOME_OK && i < n; i++)
	{
		ListRow kind = list_ledger_row(environment, list_row(rows, i), &ledger->rows[count]);

		count += kind == LIST_ROW_TAKEN;
		if (kind == LIST_ROW_BAD)
			qts_kis_doubt(&v, "a row of the order list is not readable");
	}
	if (v.outcome == QTS_OUTCOME_OK)
	{
		ledger->count = count;
		ledger->complete = !more;
	}
	json_decref(root);
	return v;
}

static ListRow
list_open_row(QtsEnvironment environment, json_t *row, QtsOpenRow *out)
{
	char text[32];

	memset(out, 0, sizeof(*out));
	if (!json_is_object(row) || !list_odno(row, "odno", out->odno) ||
		!list_odno(row, "orgn_odno", out->orgn_odno))
		return LIST_ROW_BAD;
	if (json_object_size(row) == 0 || out->odno[0] == '\0')
		return LIST_ROW_PASSED;
	(void) qts_kis_json_text(row, "pdno", text, sizeof(text));
	if (!qts_kis_copy_symbol(out->symbol, text, strlen(text)))
		return LIST_ROW_PASSED;
	(void) qts_kis_json_text(row, "sll_buy_dvsn_cd", text, sizeof(text));
	if (strcmp(text, "01") != 0 && strcmp(text, "02") != 0)
		return LIST_ROW_BAD;
	out->sell = text[1] == '1';
	if (qts_kis_json_integer(row, "ord_qty", &out->qty) != QTS_KIS_NUMBER || out->qty < 0 ||
		!qts_kis_json_count(row, "tot_ccld_qty", &out->filled) ||
		!qts_kis_json_count(row, environment == QTS_ENV_PAPER ? "rmn_qty" : "psbl_qty", &out->cancellable) ||
		out->filled < -1 || out->cancellable < -1)
		return LIST_ROW_BAD;
	/* in the ledger of paper, what has ended is not open */
	return environment == QTS_ENV_PAPER && out->cancellable == 0 ? LIST_ROW_PASSED : LIST_ROW_TAKEN;
}

QtsKisVerdict
qts_kis_parse_open_list(QtsEnvironment environment, int http_status, const char *body, size_t len, bool more,
						QtsOpenList *list, QtsKisPage *page)
{
	json_t *root = qts_kis_json_load(body, len);
	QtsKisVerdict v = qts_kis_verdict(QTS_KIS_CALL_QUERY, http_status, root);
	int count = list->count;
	json_t *rows;
	size_t n;

	if (v.outcome == QTS_OUTCOME_OK)
	{
		if (!list_rows(root, environment == QTS_ENV_PAPER ? "output1" : "output", v.empty, &rows, &n) ||
			!list_reserve((void **) &list->rows, count, n, sizeof(QtsOpenRow)))
			qts_kis_doubt(&v, "the open orders have no rows, too many, or no memory for them");
		else if (!list_next(root, more, page))
			qts_kis_doubt(&v, "the open orders say there is more but not where");
	}
	for (size_t i = 0; v.outcome == QTS_OUTCOME_OK && i < n; i++)
	{
		ListRow kind = list_open_row(environment, list_row(rows, i), &list->rows[count]);

		count += kind == LIST_ROW_TAKEN;
		if (kind == LIST_ROW_BAD)
			qts_kis_doubt(&v, "a row of the open orders is not readable");
	}
	if (v.outcome == QTS_OUTCOME_OK)
	{
		list->count = count;
		list->complete = !more;
	}
	json_decref(root);
	return v;
}

/* Amount over quantity is exact; the printed average is cut to three decimals. */
static bool
list_average(json_t *row, QtsHoldingRow *out)
{
	QtsKrw amount;
	QtsKisNumber kind = qts_kis_json_integer(row, "pchs_amt", &amount);

	out->avg_price = -1;
	if (kind == QTS_KIS_NUMBER && amount > 0 && out->qty > 0)
	{
		out->avg_price = qts_average_price(amount, out->qty);
		return true;
	}
	return kind != QTS_KIS_JUNK &&
		   qts_kis_json_decimal(row, "pchs_avg_pric", &out->avg_price) != QTS_KIS_JUNK;
}

static ListRow
list_holding_row(json_t *row, QtsHoldingRow *out)
{
	char text[32];

	memset(out, 0, sizeof(*out));
	if (!json_is_object(row))
		return LIST_ROW_BAD;
	(void) qts_kis_json_text(row, "pdno", text, sizeof(text));
	if (!qts_kis_copy_symbol(out->symbol, text, strlen(text)))
		return LIST_ROW_PASSED;
	(void) qts_kis_json_text(row, "prdt_name", out->name, sizeof(out->name));
	if (qts_kis_json_integer(row, "hldg_qty", &out->qty) != QTS_KIS_NUMBER || out->qty < 0 ||
		!qts_kis_json_count(row, "ord_psbl_qty", &out->orderable) ||
		!qts_kis_json_count(row, "prpr", &out->current_price) || !list_average(row, out))
		return LIST_ROW_BAD;
	return LIST_ROW_TAKEN;
}

static bool
list_summary(json_t *root, QtsBalanceSummary *out)
{
	json_t *sum = qts_kis_json_object(qts_kis_json_field(root, "output2"));
	QtsBalanceSummary s;

	if (!sum)
		return true;
	if (!qts_kis_json_count(sum, "dnca_tot_amt", &s.deposit) ||
		!qts_kis_json_count(sum, "prvs_rcdl_excc_amt", &s.settled_cash) ||
		!qts_kis_json_count(sum, "nass_amt", &s.net_assets) ||
		!qts_kis_json_count(sum, "thdt_tlex_amt", &s.fees_today))
		return false;
	*out = s;
	return true;
}

QtsKisVerdict
qts_kis_parse_balance(int http_status, const char *body, size_t len, bool more, QtsBalance *balance,
					  QtsKisPage *page)
{
	json_t *root = qts_kis_json_load(body, len);
	QtsKisVerdict v = qts_kis_verdict(QTS_KIS_CALL_QUERY, http_status, root);
	QtsBalanceSummary summary = {-1, -1, -1, -1};
	int count = balance->count;
	json_t *rows;
	size_t n;

	if (count > 0 || page->nk[0] != '\0')
		summary = balance->summary;
	if (v.outcome == QTS_OUTCOME_OK)
	{
		if (!list_rows(root, "output1", v.empty, &rows, &n) ||
			!list_reserve((void **) &balance->rows, count, n, sizeof(QtsHoldingRow)))
			qts_kis_doubt(&v, "the balance has no rows, too many, or no memory for them");
		else if (!list_next(root, more, page))
			qts_kis_doubt(&v, "the balance says there is more but not where");
		else if (!list_summary(root, &summary))
			qts_kis_doubt(&v, "the totals of the balance are not readable");
	}
	for (size_t i = 0; v.outcome == QTS_OUTCOME_OK && i < n; i++)
	{
		ListRow kind = list_holding_row(list_row(rows, i), &balance->rows[count]);

		count += kind == LIST_ROW_TAKEN;
		if (kind == LIST_ROW_BAD)
			qts_kis_doubt(&v, "a row of the balance is not readable");
	}
	if (v.outcome == QTS_OUTCOME_OK)
	{
		balance->count = count;
		balance->complete = !more;
		balance->summary = summary;
	}
	json_decref(root);
	return v;
}
