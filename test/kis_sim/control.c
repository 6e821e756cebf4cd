/*
 * control.c
 *		The witness port: what a test sees, sets and breaks.  Plain HTTP and JSON.
 *
 * One static answer is enough because a handler never waits; the long poll keeps the
 * connection busy and is answered by witness.c with its own.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim.h"

typedef bool (*Action)(const QtsReq *req, QtsResp *resp); /* false: answered later */

static bool
control_fail(QtsResp *resp, int status, const char *error)
{
	resp->status = status;
	resp->body.len = 0;
	qts_buf_text(&resp->body, "{\"error\":");
	qts_buf_json(&resp->body, error);
	qts_buf_text(&resp->body, "}");
	return true;
}

static bool
control_done(QtsResp *resp)
{
	qts_buf_printf(&resp->body, "{\"ok\":true,\"t_us\":%" PRId64 "}", qts_clock_real());
	return true;
}

static bool
control_requests(const QtsReq *req, QtsResp *resp)
{
	qts_witness_requests(req, &resp->body);
	return true;
}

static bool
control_truth(const QtsReq *req, QtsResp *resp)
{
	qts_truth_write(req, &resp->body);
	return true;
}

static bool
control_stats(const QtsReq *req, QtsResp *resp)
{
	(void) req;
	qts_witness_stats(&resp->body);
	return true;
}

static bool
control_sessions(const QtsReq *req, QtsResp *resp)
{
	(void) req;
	qts_buf_text(&resp->body, "{\"sessions\":");
	qts_wsapp_list(&resp->body);
	qts_buf_text(&resp->body, "}");
	return true;
}

static bool
control_config(const QtsReq *req, QtsResp *resp)
{
	const char *error;

	if (!qts_config_apply(req->json, &error))
		return control_fail(resp, 400, error);
	qts_clock_watch();
	return control_done(resp);
}

static bool
price_one(const json_t *row)
{
	const char *code = qts_json_text(row, "symbol");
	QtsSymbol *symbol = code ? qts_market_find(code) : NULL;
	int64_t price = qts_json_int(row, "price", 0);

	if (symbol == NULL || price <= 0)
		return false;
	qts_market_price(symbol, price, qts_json_int(row, "bid", -1), qts_json_int(row, "ask", -1),
					 qts_json_int(row, "volume", 1));
	return true;
}

static bool
control_price(const QtsReq *req, QtsResp *resp)
{
	const json_t *list = json_object_get(req->json, "prices");
	const char *separator = "";
	size_t i;
	json_t *row;

	if (list == NULL)
	{
		if (!price_one(req->json))
			return control_fail(resp, 400, "unknown symbol or bad price");
		qts_buf_printf(&resp->body, "{\"t_us\":%" PRId64 "}", qts_market_tick_us());
		return true;
	}
	qts_buf_text(&resp->body, "{\"ticks\":[");
	json_array_foreach(list, i, row)
	{
		if (!price_one(row))
			return control_fail(resp, 400, "unknown symbol or bad price");
		qts_buf_printf(&resp->body, "%s%" PRId64, separator, qts_market_tick_us());
		separator = ",";
	}
	qts_buf_printf(&resp->body, "],\"t_us\":%" PRId64 "}", qts_market_tick_us());
	return true;
}

static QtsOrder *
control_order_named(const QtsReq *req)
{
	int64_t odno = qts_json_int(req->json, "odno", 0);

	return qts_book_find(qts_clock_date(qts_clock_now()), odno);
}

static bool
control_fill(const QtsReq *req, QtsResp *resp)
{
	QtsOrder *order = control_order_named(req);

	if (order == NULL)
		return control_fail(resp, 404, "no such order today");
	if (!qts_exchange_fill(order, qts_json_int(req->json, "qty", qts_order_left(order)),
						   qts_json_int(req->json, "price", order->symbol->price)))
		return control_fail(resp, 409, "order is closed or the quantity exceeds what is left");
	return control_done(resp);
}

/* A cancel from another channel is a request row of its own, as a customer's app makes. */
static bool
control_cancel(QtsOrder *target)
{
	QtsOrder *request = qts_book_create(target->account, target->symbol);

	if (request == NULL)
		return false;
	request->kind = QTS_KIND_CANCEL;
	request->is_sell = target->is_sell;
	request->target = target;
	request->target_qty = request->qty = qts_order_left(target);
	request->orgn_odno = target->odno;
	qts_text_copy(request->channel, sizeof(request->channel), "Nsmart");
	qts_exchange_submit(request, NULL);
	return true;
}

static bool
control_kill(const QtsReq *req, QtsResp *resp)
{
	QtsOrder *order = control_order_named(req);
	const char *how = qts_json_text(req->json, "how");

	if (order == NULL || !order->is_open || how == NULL)
		return control_fail(resp, 404, "no such open order today, or how is missing");
	if (strcmp(how, "reject") == 0)
		qts_exchange_kill(order, qts_order_left(order), QTS_KILL_REJECT,
						  qts_json_bool(req->json, "notice", true));
	else if (strcmp(how, "expire") == 0)
		qts_exchange_kill(order, qts_order_left(order), QTS_KILL_EXPIRE,
						  qts_json_bool(req->json, "notice", false));
	else if (strcmp(how, "cancel") != 0 || !control_cancel(order))
		return control_fail(resp, 400, "how is reject, expire or cancel");
	return control_done(resp);
}

static bool
control_order(const QtsReq *req, QtsResp *resp)
{
	qts_order_foreign(req->json, resp);
	return true;
}

static bool
control_notice(const QtsReq *req, QtsResp *resp)
{
	int sent = qts_notice_custom(req->json);

	if (sent < 0)
		return control_fail(resp, 400, "no order, and no account and symbol to stand in");
	qts_buf_printf(&resp->body, "{\"sent\":%d}", sent);
	return true;
}

static bool
control_frame(const QtsReq *req, QtsResp *resp)
{
	const json_t *text = json_object_get(req->json, "text");

	if (!json_is_string(text))
		return control_fail(resp, 400, "text is missing");
	qts_buf_printf(&resp->body, "{\"sent\":%d}",
				   qts_feed_text(json_string_value(text), json_string_length(text)));
	return true;
}

static bool
control_clock(const QtsReq *req, QtsResp *resp)
{
	int64_t now = qts_clock_now();
	const json_t *member = json_object_get(req->json, "speed");
	double speed = json_is_number(member) ? json_number_value(member) : qts_clock_speed();
	char stamp[40];

	if (strcmp(req->method, "POST") == 0)
	{
		if (qts_json_text(req->json, "now") != NULL &&
			!qts_clock_parse(qts_json_text(req->json, "now"), &now))
			return control_fail(resp, 400, "now is not ISO 8601");
		if (!(speed >= 0 && speed <= QTS_MAX_SPEED))
			return control_fail(resp, 400, "speed is out of range");
		qts_clock_set(now, speed);
		qts_clock_watch();
	}
	now = qts_clock_now();
	qts_clock_format(now, "%Y-%m-%dT%H:%M:%S+09:00", stamp, sizeof(stamp));
	qts_buf_printf(&resp->body, "{\"now\":\"%s\",\"us\":%" PRId64 ",\"speed\":%g,\"phase\":\"%s\"}", stamp,
				   now, qts_clock_speed(), qts_clock_phase_name(qts_clock_phase()));
	return true;
}

static bool
control_fault(const QtsReq *req, QtsResp *resp)
{
	const char *error = NULL;
	const json_t *rules = json_object_get(req->json, "rules");
	int id;
	size_t i;
	json_t *rule;

	if (rules != NULL)
	{
		qts_buf_text(&resp->body, "{\"ids\":[");
		json_array_foreach(rules, i, rule)
		{
			id = qts_fault_add(rule, &error);
			if (id < 0)
				return control_fail(resp, 400, error);
			qts_buf_printf(&resp->body, "%s%d", i ? "," : "", id);
		}
		qts_buf_text(&resp->body, "]}");
		return true;
	}
	id = qts_fault_add(req->json, &error);
	if (id < 0)
		return control_fail(resp, 400, error);
	qts_buf_printf(&resp->body, "{\"id\":%d}", id);
	return true;
}

static bool
control_faults(const QtsReq *req, QtsResp *resp)
{
	int id = (int) qts_json_int(req->json, "id", 0);

	if (strcmp(req->method, "DELETE") == 0 && id > 0)
		qts_fault_remove(NULL, id);
	else if (strcmp(req->method, "DELETE") == 0)
		qts_fault_clear();
	qts_fault_list(&resp->body);
	return true;
}

/* Releasing may run other requests, so the answer is written afterwards. */
static bool
control_release(const QtsReq *req, QtsResp *resp)
{
	int n = qts_hold_release((int) qts_json_int(req->json, "id", 0));

	qts_buf_printf(&resp->body, "{\"released\":%d}", n);
	return true;
}

static bool
control_play(const QtsReq *req, QtsResp *resp)
{
	const char *error = NULL;

	if (strcmp(req->method, "POST") == 0 && !qts_play_start(req->json, &error))
		return control_fail(resp, 400, error);
	qts_play_status(&resp->body);
	return true;
}

static bool
control_walk(const QtsReq *req, QtsResp *resp)
{
	const char *error = NULL;

	if (strcmp(req->method, "POST") == 0 && !qts_walk_start(req->json, &error))
		return control_fail(resp, 400, error);
	qts_walk_status(&resp->body);
	return true;
}

static bool
control_prices(const QtsReq *req, QtsResp *resp)
{
	qts_price_truth(req, &resp->body);
	return true;
}

/* Forget an account, or with keep=1 only what it did; its rules and requests go too. */
static bool
control_forget_account(const QtsReq *req, QtsResp *resp)
{
	const char *name = qts_json_text(req->json, "account");
	QtsAccount *account = qts_account_named(name);
	int orders = account ? account->n_orders : 0;
	int requests;

	if (account == NULL)
		return control_fail(resp, 404, "no such account");
	requests = qts_witness_forget(account);
	qts_fault_remove(name, 0);
	if (qts_json_int(req->json, "keep", 0) != 0)
		qts_account_clear(account);
	else
	{
		qts_oauth_forget_account(account);
		qts_account_remove(account);
	}
	qts_buf_printf(&resp->body, "{\"orders\":%d,\"requests\":%d}", orders, requests);
	return true;
}

static bool
control_forget_app(const QtsReq *req, QtsResp *resp)
{
	QtsApp *app = qts_oauth_app(qts_json_text(req->json, "app_key"));

	if (app == NULL)
		return control_fail(resp, 404, "no such app");
	qts_wsapp_close_app(app);
	qts_oauth_remove(app);
	return control_done(resp);
}

/* vi, halt and resume of a symbol; circuit_breaker and resume of the market. */
static bool
control_market(const QtsReq *req, QtsResp *resp)
{
	const char *event = qts_json_text(req->json, "event");
	const char *code = qts_json_text(req->json, "symbol");
	QtsSymbol *symbol = code ? qts_market_find(code) : NULL;

	if (event == NULL || (code != NULL && symbol == NULL))
		return control_fail(resp, 400, "event is missing or the symbol unknown");
	if (strcmp(event, "circuit_breaker") == 0)
		qts_session_break((int) qts_json_int(req->json, "level", 1), qts_json_int(req->json, "stop_s", 0),
						  qts_json_int(req->json, "auction_s", 0));
	else if (strcmp(event, "resume") == 0 && symbol == NULL)
		qts_session_resume();
	else if (symbol == NULL)
		return control_fail(resp, 400, "symbol is missing or the event unknown");
	else if (strcmp(event, "vi") == 0)
		qts_session_vi_start(symbol, qts_json_int(req->json, "seconds", 0));
	else if (strcmp(event, "halt") == 0 || strcmp(event, "resume") == 0)
	{
		symbol->is_halted = strcmp(event, "halt") == 0;
		qts_feed_status(symbol, "");
		if (!symbol->is_halted && symbol->is_vi)
			qts_session_vi_end(symbol);
		qts_exchange_match(symbol);
	}
	else
		return control_fail(resp, 400, "event is vi, halt, resume or circuit_breaker");
	return control_done(resp);
}

static bool
control_quit(const QtsReq *req, QtsResp *resp)
{
	(void) req;
	qts_net_stop();
	return control_done(resp);
}

static const struct
{
	const char *method;
	const char *path;
	Action action;
} actions[] = {
	{"GET", "/requests", control_requests}, {"GET", "/truth", control_truth},
	{"GET", "/stats", control_stats},		{"GET", "/sessions", control_sessions},
	{"POST", "/config", control_config},	{"POST", "/price", control_price},
	{"POST", "/fill", control_fill},		{"POST", "/kill_order", control_kill},
	{"POST", "/order", control_order},		{"POST", "/notice", control_notice},
	{"POST", "/frame", control_frame},		{"GET", "/clock", control_clock},
	{"POST", "/clock", control_clock},		{"POST", "/fault", control_fault},
	{"GET", "/faults", control_faults},		{"DELETE", "/faults", control_faults},
	{"POST", "/release", control_release},	{"GET", "/wait", qts_witness_wait},
	{"GET", "/play", control_play},			{"POST", "/play", control_play},
	{"GET", "/walk", control_walk},			{"POST", "/walk", control_walk},
	{"GET", "/prices", control_prices},		{"DELETE", "/account", control_forget_account},
	{"DELETE", "/app", control_forget_app}, {"POST", "/market", control_market},
	{"POST", "/quit", control_quit},
};

void
qts_control_handle(QtsReq *req)
{
	static QtsResp resp;
	bool is_ready = true;
	bool is_found = false;

	qts_resp_reset(&resp);
	if (req->json == NULL || (req->body_len > 0 && !json_is_object(req->json)))
		control_fail(&resp, 400, "the body is not a JSON object");
	else
	{
		for (size_t i = 0; !is_found && i < sizeof(actions) / sizeof(actions[0]); i++)
			if (strcmp(req->path, actions[i].path) == 0 && strcmp(req->method, actions[i].method) == 0)
			{
				is_found = true;
				is_ready = actions[i].action(req, &resp);
			}
		if (!is_found)
			control_fail(&resp, 404, "no such control");
	}
	if (!is_ready)
		return;
	/* What the action set off goes out before the test hears that it is done. */
	qts_net_run_later();
	req->conn->is_busy = false;
	qts_http_answer(req->conn, &resp, req->keep_alive);
}
