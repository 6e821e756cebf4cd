/*
 * faults.c
 *		Fault rules: what may go wrong, for which request or notice, how often.
 *
 * Rules are tried in the order they were added; the first whose filter fits and
 * whose turn has come fires.  A fired rule's pointer stays valid until the rules are
 * cleared, which no handler does while it holds one.
 */
#include <stdio.h>
#include <string.h>

#include "sim.h"

static const struct
{
	const char *mode;
	const char *path; /* default filter; NULL marks a fault that is not about a request */
} known[] = {
	{"accept_then_close", "order-cash"},
	{"accept_then_rst", "order-cash"},
	{"drop_before_accept", "order-cash"},
	{"late_response", "order-cash"},
	{"hold_reply", "order-cash"},
	{"reject_sync", "order-cash"},
	{"reject_async", "order-cash"},
	{"fill_before_reply", "order-cash"},
	{"truncated_json", "order-cash"},
	{"html_502", "order-cash"},
	{"empty_200", "order-cash"},
	{"gateway_error", "order-cash"},
	{"drip", "order-cash"},
	{"ledger_lag", "daily-ccld"},
	{"egw00133", "tokenP"},
	{"rate_limit", "/uapi/"},
	{"token_expired", "/uapi/"},
	{"token_invalid", "/uapi/"},
	{"duplicate_fill", NULL},
	{"duplicate_accept", NULL},
	{"lose_notices", NULL},
	{"lose_fills", NULL},
	{"lose_accepts", NULL},
	{"fill_before_accept", NULL},
	{"reorder_fills", NULL},
	{"ws_close", NULL},
	{"ws_drop", NULL},
	{"ws_rst", NULL},
	{"ws_silence", NULL},
	{"ws_refuse", NULL},
	{"ws_no_ping", NULL},
	{"ws_mute_ticks", NULL},
};

static QtsFault faults[QTS_MAX_FAULTS];
static int n_faults;
static int last_id;

bool
qts_fault_is(const QtsFault *fault, const char *mode)
{
	return fault != NULL && strcmp(fault->mode, mode) == 0;
}

bool
qts_fault_is_request(const char *mode)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].mode, mode) == 0)
			return known[i].path != NULL;
	return false;
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

/* The rule to apply, or NULL.  modes NULL means any rule about requests. */
QtsFault *
qts_fault_pick(const char *modes, const QtsReq *req, const QtsOrder *order)
{
	for (int i = 0; i < n_faults; i++)
	{
		QtsFault *f = &faults[i];

		if (modes != NULL ? !list_has(modes, f->mode) : !qts_fault_is_request(f->mode))
			continue;
		if (req != NULL ? !fault_fits_request(f, req) : !fault_fits_order(f, order))
			continue;
		f->seen++;
		if (f->seen < f->nth || (f->times > 0 && f->fired >= f->times))
			continue;
		if (f->probability < 1.0 && (double) qts_random_below(1000000) >= f->probability * 1000000.0)
			continue;
		f->fired++;
		qts_counters.faults_fired++;
		return f;
	}
	return NULL;
}

static const char *
fault_default_path(const char *mode, bool *is_known)
{
	*is_known = false;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].mode, mode) == 0)
		{
			*is_known = true;
			return known[i].path ? known[i].path : "";
		}
	return "";
}

/* Session faults act at once instead of waiting for a match. */
static void
fault_act(QtsFault *f)
{
	int64_t ms = qts_json_int(f->params, "ms", 3600000);

	if (strncmp(f->mode, "ws_", 3) != 0)
		return;
	f->fired = qts_wsapp_fault(f->mode, strcmp(f->mode, "ws_refuse") == 0 ? f->times : ms);
	qts_counters.faults_fired += f->fired;
}

/* Make room by forgetting rules that have fired as often as they were meant to. */
static void
fault_compact(void)
{
	int kept = 0;

	for (int i = 0; i < n_faults; i++)
	{
		if (faults[i].times > 0 && faults[i].fired >= faults[i].times)
			json_decref(faults[i].params);
		else
			faults[kept++] = faults[i];
	}
	n_faults = kept;
}

/* Returns the rule's id, or -1 with *error set. */
int
qts_fault_add(const json_t *body, const char **error)
{
	const json_t *match = json_object_get(body, "match");
	const char *mode = qts_json_text(body, "mode");
	const char *which = qts_json_text(json_object_get(body, "params"), "which");
	const json_t *probability = json_object_get(match, "probability");
	const char *path;
	QtsFault *f;
	bool is_known = false;

	if (mode != NULL && strcmp(mode, "lose_notices") == 0 && which != NULL)
		mode = strcmp(which, "fills") == 0	   ? "lose_fills"
			   : strcmp(which, "accepts") == 0 ? "lose_accepts"
											   : mode;
	path = mode ? fault_default_path(mode, &is_known) : NULL;
	if (n_faults == QTS_MAX_FAULTS)
		fault_compact();
	if (!is_known || n_faults >= QTS_MAX_FAULTS)
	{
		*error = is_known ? "too many faults" : "unknown mode";
		return -1;
	}
	f = &faults[n_faults++];
	memset(f, 0, sizeof(*f));
	f->id = ++last_id;
	qts_text_copy(f->mode, sizeof(f->mode), mode);
	if (qts_json_text(match, "path"))
		path = qts_json_text(match, "path");
	qts_text_copy(f->path, sizeof(f->path), path);
	qts_text_copy(f->method, sizeof(f->method), qts_json_text(match, "method"));
	qts_text_copy(f->tr_id, sizeof(f->tr_id), qts_json_text(match, "tr_id"));
	qts_text_copy(f->symbol, sizeof(f->symbol), qts_json_text(match, "symbol"));
	qts_text_copy(f->account, sizeof(f->account), qts_json_text(match, "account"));
	f->nth = qts_json_int(match, "nth", 1);
	f->times = qts_json_int(body, "times", 1);
	f->probability = json_is_number(probability) ? json_number_value(probability) : 1.0;
	f->params = json_incref(json_object_get(body, "params"));
	fault_act(f);
	return f->id;
}

void
qts_fault_clear(void)
{
	for (int i = 0; i < n_faults; i++)
		json_decref(faults[i].params);
	n_faults = 0;
	qts_wsapp_fault("", 0);
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
