/*
 * faults.c
 *		Fault rules: what may go wrong, for which request, notice, frame or connection,
 *		how often.
 *
 * Rules are tried in the order they were added; the first whose filter fits and whose
 * turn has come fires.  A request meets one rule of the ANSWER kind, and besides it any
 * of the other kinds at the place they are about.  Chance is a function of the seed,
 * the rule and how many occasions it has seen, so the same occasions give the same
 * faults whatever else the process does.  A fired rule's pointer stays valid until the
 * rules are cleared or compacted, which no handler does while it holds one.
 */
#include <stdio.h>
#include <string.h>

#include "sim.h"

typedef enum FaultKind
{
	KIND_ANSWER, /* bends one request as a whole: at most one each */
	KIND_BESIDE, /* about a request too, looked for where it matters */
	KIND_ORDER,	 /* about an order's notices */
	KIND_FEED,	 /* about a frame or an acknowledgement */
	KIND_LINE,	 /* about a new connection */
	KIND_NOW	 /* acts when it is added */
} FaultKind;

static const struct
{
	const char *mode;
	FaultKind kind;
	const char *path; /* default filter */
} known[] = {
	{"accept_then_close", KIND_ANSWER, "order-cash"},
	{"accept_then_rst", KIND_ANSWER, "order-cash"},
	{"drop_before_accept", KIND_ANSWER, "order-cash"},
	{"late_response", KIND_ANSWER, "order-cash"},
	{"hold_reply", KIND_ANSWER, "order-cash"},
	{"no_answer", KIND_ANSWER, "order-cash"},
	{"reject_sync", KIND_ANSWER, "order-cash"},
	{"reject_async", KIND_ANSWER, "order-cash"},
	{"fill_before_reply", KIND_ANSWER, "order-cash"},
	{"truncated_json", KIND_ANSWER, "order-cash"},
	{"malformed_json", KIND_ANSWER, "order-cash"},
	{"html_502", KIND_ANSWER, "order-cash"},
	{"empty_200", KIND_ANSWER, "order-cash"},
	{"gateway_error", KIND_ANSWER, "order-cash"},
	{"drip", KIND_ANSWER, "order-cash"},
	{"ledger_lag", KIND_ANSWER, "daily-ccld"},
	{"egw00133", KIND_ANSWER, "tokenP"},
	{"rate_limit", KIND_ANSWER, "/uapi/"},
	{"token_expired", KIND_ANSWER, "/uapi/"},
	{"token_invalid", KIND_ANSWER, "/uapi/"},
	{"reshape", KIND_BESIDE, "/uapi/"},
	{"foreign_twin", KIND_BESIDE, "order-cash"},
	{"cancel_race", KIND_BESIDE, "order-rvsecncl"},
	{"ledger_fill_lag", KIND_BESIDE, "daily-ccld"},
	{"ledger_empty", KIND_BESIDE, "daily-ccld"},
	{"row_missing", KIND_BESIDE, "daily-ccld"},
	{"page_hides_row", KIND_BESIDE, "daily-ccld"},
	{"page_repeats_row", KIND_BESIDE, "daily-ccld"},
	{"page_stuck", KIND_BESIDE, "daily-ccld"},
	{"open_missing", KIND_BESIDE, "inquire-psbl-rvsecncl"},
	{"balance_lag", KIND_BESIDE, "inquire-"},
	{"balance_torn", KIND_BESIDE, "inquire-balance"},
	{"sellable_lag", KIND_BESIDE, "inquire-"},
	{"quote_skew", KIND_BESIDE, "/api/realtime/"},
	{"quote_missing", KIND_BESIDE, "/api/realtime/"},
	{"duplicate_fill", KIND_ORDER, ""},
	{"duplicate_accept", KIND_ORDER, ""},
	{"lose_notices", KIND_ORDER, ""},
	{"lose_fills", KIND_ORDER, ""},
	{"lose_accepts", KIND_ORDER, ""},
	{"fill_before_accept", KIND_ORDER, ""},
	{"reorder_fills", KIND_ORDER, ""},
	{"notice_fields", KIND_ORDER, ""},
	{"notice_field", KIND_ORDER, ""},
	{"notice_base64", KIND_ORDER, ""},
	{"notice_cipher", KIND_ORDER, ""},
	{"notice_batch", KIND_ORDER, ""},
	{"tick_fields", KIND_FEED, ""},
	{"tick_field", KIND_FEED, ""},
	{"tick_count", KIND_FEED, ""},
	{"tick_twice", KIND_FEED, ""},
	{"tick_lost", KIND_FEED, ""},
	{"tick_batch", KIND_FEED, ""},
	{"frame_pieces", KIND_FEED, ""},
	{"ack_other_key", KIND_FEED, ""},
	{"ack_no_key", KIND_FEED, ""},
	{"ack_lost", KIND_FEED, ""},
	{"ack_mute", KIND_FEED, ""},
	{"ack_error", KIND_FEED, ""},
	{"ws_refuse", KIND_FEED, ""},
	{"upgrade_refuse", KIND_FEED, ""},
	{"conn_stall", KIND_LINE, ""},
	{"conn_rst", KIND_LINE, ""},
	{"ws_close", KIND_NOW, ""},
	{"ws_drop", KIND_NOW, ""},
	{"ws_rst", KIND_NOW, ""},
	{"ws_silence", KIND_NOW, ""},
	{"ws_no_ping", KIND_NOW, ""},
	{"ws_mute_ticks", KIND_NOW, ""},
	{"ws_mute_notices", KIND_NOW, ""},
	{"ws_oversize", KIND_NOW, ""},
	{"key_rotate", KIND_NOW, ""},
	{"revoke_tokens", KIND_NOW, ""},
	{"quote_freeze", KIND_NOW, ""},
};

#define N_KNOWN (sizeof(known) / sizeof(known[0]))

static QtsFault faults[QTS_MAX_FAULTS];
static int n_faults;
static int last_id;

bool
qts_fault_is(const QtsFault *fault, const char *mode)
{
	return fault != NULL && strcmp(fault->mode, mode) == 0;
}

/* Its place in the table, or -1. */
static int
fault_known(const char *mode)
{
	for (size_t i = 0; mode != NULL && i < N_KNOWN; i++)
		if (strcmp(known[i].mode, mode) == 0)
			return (int) i;
	return -1;
}

static bool
list_has(const char *list, const char *mode)
{
	size_t len = strlen(mode);

	for (const char *at = list; (at = strstr(at, mode)) != NULL; at += len)
		if ((at == list || at[-1] == ',') && (at[len] == ',' || at[len] == '\0'))
			return true;
	return false;
}

static bool
fault_fits_request(const QtsFault *f, const QtsReq *req)
{
	const char *code = qts_req_param(req, "PDNO");
	const char *cano = qts_req_param(req, "CANO");
	const char *product = qts_req_param(req, "ACNT_PRDT_CD");
	char account[16];

	if (strstr(req->path, f->path) == NULL)
		return false;
	if (f->method[0] && strcmp(req->method, f->method) != 0)
		return false;
	if (f->tr_id[0] && (req->tr_id == NULL || strcmp(req->tr_id, f->tr_id) != 0))
		return false;
	if (f->symbol[0] && (code == NULL || strcmp(code, f->symbol) != 0))
		return false;
	snprintf(account, sizeof(account), "%.8s-%.2s", cano ? cano : "", product ? product : "");
	return f->account[0] == '\0' || strcmp(account, f->account) == 0;
}

static bool
fault_fits_order(const QtsFault *f, const QtsOrder *order)
{
	return (f->symbol[0] == '\0' || strcmp(f->symbol, order->symbol->code) == 0) &&
		   (f->account[0] == '\0' || strcmp(f->account, order->account->account) == 0);
}

static bool
fault_fits_app(const QtsFault *f, const QtsApp *app)
{
	if (f->account[0] == '\0')
		return true;
	for (int i = 0; app != NULL && i < app->n_accounts; i++)
		if (strcmp(app->accounts[i]->account, f->account) == 0)
			return true;
	return false;
}

/* The rule's turn: counted, and decided by the seed when it is a matter of chance. */
static bool
fault_turn(QtsFault *f)
{
	uint64_t seed =
		f->has_seed ? f->seed : qts_random_origin() + (uint64_t) f->id * UINT64_C(0x9E3779B97F4A7C15);

	f->seen++;
	if (f->seen < f->nth || (f->times > 0 && f->fired >= f->times))
		return false;
	if (f->probability < 1.0 && (double) (qts_random_mix(qts_random_mix(seed) + (uint64_t) f->seen) %
										  1000000) >= f->probability * 1000000.0)
		return false;
	f->fired++;
	qts_counters.faults_fired++;
	return true;
}

/* The rule to apply, or NULL.  modes NULL means any rule that answers a request. */
QtsFault *
qts_fault_pick(const char *modes, const QtsReq *req, const QtsOrder *order)
{
	for (int i = 0; i < n_faults; i++)
	{
		QtsFault *f = &faults[i];

		if (modes != NULL ? !list_has(modes, f->mode) : known[f->known].kind != KIND_ANSWER)
			continue;
		if ((req != NULL ? fault_fits_request(f, req) : fault_fits_order(f, order)) && fault_turn(f))
			return f;
	}
	return NULL;
}

/* The same for a frame or acknowledgement; any of the filters may be NULL. */
QtsFault *
qts_fault_feed(const char *mode, const char *tr_id, const char *tr_key, const QtsApp *app)
{
	for (int i = 0; i < n_faults; i++)
	{
		QtsFault *f = &faults[i];

		if (strcmp(f->mode, mode) != 0 || !fault_fits_app(f, app))
			continue;
		if ((f->tr_id[0] && tr_id != NULL && strcmp(f->tr_id, tr_id) != 0) ||
			(f->symbol[0] && tr_key != NULL && strcmp(f->symbol, tr_key) != 0))
			continue;
		if (fault_turn(f))
			return f;
	}
	return NULL;
}

/* About one symbol of a price query, whichever way it names its symbols. */
QtsFault *
qts_fault_quote(const char *mode, const QtsReq *req, const char *code)
{
	for (int i = 0; i < n_faults; i++)
	{
		QtsFault *f = &faults[i];

		if (strcmp(f->mode, mode) == 0 && strstr(req->path, f->path) != NULL &&
			(f->symbol[0] == '\0' || strcmp(f->symbol, code) == 0) && fault_turn(f))
			return f;
	}
	return NULL;
}

/* What happens to a new connection of the REST port, or NULL. */
QtsFault *
qts_fault_line(void)
{
	for (int i = 0; i < n_faults; i++)
		if (known[faults[i].known].kind == KIND_LINE && fault_turn(&faults[i]))
			return &faults[i];
	return NULL;
}

static int
fault_revoke(const QtsFault *f)
{
	int n = 0;
	QtsApp *app;

	for (int i = 0; (app = qts_oauth_app_at(i)) != NULL; i++)
		if (fault_fits_app(f, app))
			n += qts_oauth_revoke_all(app);
	return n;
}

int
qts_fault_count(void)
{
	return n_faults;
}

bool
qts_fault_concerns(const QtsFault *f, const QtsApp *app)
{
	return fault_fits_app(f, app);
}

/* Faults that act at once instead of waiting for a match. */
static void
fault_act(QtsFault *f)
{
	int64_t ms = qts_json_int(f->params, "ms", 3600000);

	if (known[f->known].kind != KIND_NOW)
		return;
	if (strcmp(f->mode, "revoke_tokens") == 0)
		f->fired = fault_revoke(f);
	else if (strcmp(f->mode, "quote_freeze") == 0)
		f->fired = qts_quote_freeze(f->symbol, ms);
	else
		f->fired = qts_wsapp_fault(f, ms);
	qts_counters.faults_fired += f->fired;
}

static void
fault_free(QtsFault *f)
{
	json_decref(f->params);
	f->params = NULL;
}

/* Make room by forgetting rules that have fired as often as they were meant to. */
static void
fault_compact(void)
{
	int kept = 0;

	for (int i = 0; i < n_faults; i++)
	{
		if (faults[i].times > 0 && faults[i].fired >= faults[i].times)
			fault_free(&faults[i]);
		else
			faults[kept++] = faults[i];
	}
	n_faults = kept;
}

static void
fault_read(QtsFault *f, const char *mode, const json_t *body)
{
	const json_t *match = json_object_get(body, "match");
	const json_t *probability = json_object_get(match, "probability");
	const char *path = qts_json_text(match, "path");

	memset(f, 0, sizeof(*f));
	f->id = ++last_id;
	f->known = fault_known(mode);
	qts_text_copy(f->mode, sizeof(f->mode), mode);
	qts_text_copy(f->path, sizeof(f->path), path ? path : known[f->known].path);
	qts_text_copy(f->method, sizeof(f->method), qts_json_text(match, "method"));
	qts_text_copy(f->tr_id, sizeof(f->tr_id), qts_json_text(match, "tr_id"));
	qts_text_copy(f->symbol, sizeof(f->symbol), qts_json_text(match, "symbol"));
	qts_text_copy(f->account, sizeof(f->account), qts_json_text(match, "account"));
	f->nth = qts_json_int(match, "nth", 1);
	f->times = qts_json_int(body, "times", 1);
	f->probability = json_is_number(probability) ? json_number_value(probability) : 1.0;
	f->has_seed = json_is_integer(json_object_get(body, "seed"));
	f->seed = (uint64_t) qts_json_int(body, "seed", 0);
	f->params = json_incref(json_object_get(body, "params"));
}

/* Returns the rule's id, or -1 with *error set. */
int
qts_fault_add(const json_t *body, const char **error)
{
	const char *mode = qts_json_text(body, "mode");
	const char *which = qts_json_text(json_object_get(body, "params"), "which");
	QtsFault *f;

	if (mode != NULL && strcmp(mode, "lose_notices") == 0 && which != NULL)
		mode = strcmp(which, "fills") == 0	   ? "lose_fills"
			   : strcmp(which, "accepts") == 0 ? "lose_accepts"
											   : mode;
	if (n_faults == QTS_MAX_FAULTS)
		fault_compact();
	if (fault_known(mode) < 0 || n_faults >= QTS_MAX_FAULTS)
	{
		*error = fault_known(mode) < 0 ? "unknown mode" : "too many faults";
		return -1;
	}
	f = &faults[n_faults++];
	fault_read(f, mode, body);
	fault_act(f);
	return f->id;
}

/* Remove the rules of an account, or the one with this id; returns how many. */
int
qts_fault_remove(const char *account, int id)
{
	int kept = 0;
	int n = n_faults;

	for (int i = 0; i < n; i++)
	{
		if (faults[i].id == id || (account != NULL && strcmp(faults[i].account, account) == 0))
			fault_free(&faults[i]);
		else
			faults[kept++] = faults[i];
	}
	n_faults = kept;
	return n - kept;
}

void
qts_fault_clear(void)
{
	for (int i = 0; i < n_faults; i++)
		fault_free(&faults[i]);
	n_faults = 0;
	qts_wsapp_calm();
	qts_quote_freeze("", 0);
}

void
qts_fault_list(QtsBuf *out)
{
	qts_buf_text(out, "{\"faults\":[");
	for (int i = 0; i < n_faults; i++)
	{
		const QtsFault *f = &faults[i];

		qts_buf_printf(out, "%s{\"id\":%d,\"mode\":\"%s\",\"path\":", i ? "," : "", f->id, f->mode);
		qts_buf_json(out, f->path);
		qts_buf_printf(out, ",\"nth\":%lld,\"times\":%lld,\"seen\":%lld,\"fired\":%lld}", (long long) f->nth,
					   (long long) f->times, (long long) f->seen, (long long) f->fired);
	}
	qts_buf_printf(out, "],\"held\":%d}", qts_hold_count());
}
