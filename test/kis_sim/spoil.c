/*
 * spoil.c
 *		How request faults bend an answer: refused instead of executed, reshaped,
 *		broken, and delivered late, in drops or never.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

/* A member's text without leading zeros, as one surface of the broker may show it. */
static void
shape_strip(json_t *object, const char *key)
{
	const char *text = qts_json_text(object, key);
	char *copy;

	if (text == NULL)
		return;
	copy = strdup(text + strspn(text, "0"));
	json_object_set_new(object, key, json_string(copy));
	free(copy);
}

static void
shape_rename(json_t *object, const char *from, const char *to)
{
	json_t *value = json_object_get(object, from);

	if (value == NULL)
		return;
	json_object_set(object, to, value);
	json_object_del(object, from);
}

/* Turn every key of the object to one case. */
static json_t *
shape_case(json_t *object, bool is_upper)
{
	json_t *turned = json_object();
	const char *key;
	json_t *value;
	char name[64];

	json_object_foreach(object, key, value)
	{
		size_t i;

		for (i = 0; key[i] && i < sizeof(name) - 1; i++)
			name[i] = (char) (is_upper ? toupper((unsigned char) key[i]) : tolower((unsigned char) key[i]));
		name[i] = '\0';
		json_object_set(turned, name, value);
	}
	return turned;
}

/* drop, rename, set and strip_zeros on one object of the answer. */
static void
shape_object(json_t *object, const json_t *params)
{
	const char *key;
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(params, "drop"), i, item)
		json_object_del(object, json_string_value(item));
	json_array_foreach(json_object_get(params, "strip_zeros"), i, item)
		shape_strip(object, json_string_value(item));
	json_object_foreach(json_object_get(params, "set"), key, item)
	{
		if (json_object_get(object, key) != NULL)
			json_object_set(object, key, item);
	}
	json_object_foreach(json_object_get(params, "rename"), key, item)
		shape_rename(object, key, json_string_value(item));
}

/* The rows or the one object under an output key, as the fault wants them. */
static json_t *
shape_output(json_t *output, const json_t *params)
{
	const char *turn = qts_json_text(params, "case");
	bool is_array = json_is_array(output);
	json_t *rows = is_array ? json_incref(output) : json_pack("[O]", output);
	json_t *made = json_array();
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		shape_object(row, params);
		if (turn != NULL && json_is_object(row))
			json_array_append_new(made, shape_case(row, strcmp(turn, "upper") == 0));
		else
			json_array_append(made, row);
	}
	json_decref(rows);
	if (is_array || qts_json_bool(params, "output_array", false))
		return made;
	row = json_incref(json_array_get(made, 0));
	json_decref(made);
	return row;
}

/* Rewrite a whole JSON answer: its envelope and everything under output*. */
static void
spoil_reshape(QtsResp *resp, const json_t *params)
{
	static const char *const outputs[] = {"output", "output1", "output2"};
	json_t *root = json_loadb(resp->body.data ? resp->body.data : "", resp->body.len, 0, NULL);
	char *text;

	if (!json_is_object(root))
	{
		json_decref(root);
		return;
	}
	shape_object(root, params);
	for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++)
		if (json_object_get(root, outputs[i]) != NULL)
			json_object_set_new(root, outputs[i], shape_output(json_object_get(root, outputs[i]), params));
	text = json_dumps(root, JSON_COMPACT);
	resp->body.len = 0;
	qts_buf_text(&resp->body, text);
	free(text);
	json_decref(root);
}

/* Faults answered by the gateway without executing; false when the request goes on. */
bool
qts_spoil_refuse(const QtsReq *req, QtsResp *resp)
{
	const QtsFault *f = req->fault;
	const json_t *params = f ? f->params : NULL;
	const char *code = qts_json_text(params, "msg_cd");
	const char *text = qts_json_text(params, "msg1");
	const char *rt_cd = qts_json_text(params, "rt_cd");
	int status = (int) qts_json_int(params, "http", 500);
	bool is_paper = qts_options.is_paper;

	if (qts_fault_is(f, "rate_limit"))
		qts_rest_error(resp, status, "1", "EGW00201", "초당 거래건수를 초과하였습니다.");
	else if (qts_fault_is(f, "token_expired"))
		qts_rest_error(resp, status, "1", "EGW00123", "기간이 만료된 token 입니다.");
	else if (qts_fault_is(f, "token_invalid"))
		qts_rest_error(resp, status, "1", "EGW00121", "유효하지 않은 token 입니다.");
	else if (qts_fault_is(f, "egw00133"))
	{
		resp->status = 403;
		qts_text_copy(resp->msg_cd, sizeof(resp->msg_cd), "EGW00133");
		qts_buf_text(&resp->body,
					 "{\"error_description\":\"접근토큰 발급 잠시 후 다시 시도하세요(1분당 1회)\","
					 "\"error_code\":\"EGW00133\"}");
	}
	else if (qts_fault_is(f, "reject_sync"))
		qts_rest_error(resp, (int) qts_json_int(params, "http", 200), rt_cd ? rt_cd : (is_paper ? "1" : "7"),
					   code ? code : (is_paper ? "40070000" : "APBK0400"), text ? text : "주문거부");
	else if (qts_fault_is(f, "gateway_error") && !qts_json_bool(params, "accept", false))
		qts_rest_error(resp, status, rt_cd ? rt_cd : "1", code ? code : "EGW00302",
					   text ? text : "처리 시간이 초과되었습니다. 이전 거래를 확인하십시오.");
	else
		return (qts_fault_is(f, "truncated_json") || qts_fault_is(f, "html_502") ||
				qts_fault_is(f, "empty_200") || qts_fault_is(f, "malformed_json") ||
				qts_fault_is(f, "no_answer")) &&
			   !qts_json_bool(params, "accept", true);
	return true;
}

/* Faults that spoil the answer of an executed request. */
void
qts_spoil_answer(const QtsReq *req, QtsResp *resp)
{
	const QtsFault *f = req->fault;
	const char *code = f ? qts_json_text(f->params, "msg_cd") : NULL;

	const char *text = f ? qts_json_text(f->params, "msg1") : NULL;
	const char *rt_cd = f ? qts_json_text(f->params, "rt_cd") : NULL;
	const QtsFault *shape = qts_fault_pick("reshape", req, NULL);

	if (shape != NULL)
		spoil_reshape(resp, shape->params);
	if (qts_fault_is(f, "gateway_error") && qts_json_bool(f->params, "accept", false))
		qts_rest_error(resp, (int) qts_json_int(f->params, "http", 500), rt_cd ? rt_cd : "1",
					   code ? code : "EGW00302",
					   text ? text : "처리 시간이 초과되었습니다. 이전 거래를 확인하십시오.");
	else if (qts_fault_is(f, "html_502"))
	{
		resp->status = (int) qts_json_int(f->params, "http", 502);
		resp->content_type = "text/html";
		resp->body.len = 0;
		qts_buf_text(&resp->body, "<html><body><h1>502 Bad Gateway</h1></body></html>\n");
	}
	else if (qts_fault_is(f, "empty_200"))
		resp->body.len = 0;
	else if (qts_fault_is(f, "malformed_json") && resp->body.len > 0)
		resp->body.data[resp->body.len - 1] = ',';
	else if (qts_fault_is(f, "truncated_json"))
	{
		if (resp->body.len == 0)
			qts_buf_text(&resp->body, "{\"rt_cd\":\"0\",\"msg_cd\":\"APBK0013\",\"msg1\"");
		resp->body.len /= 2;
	}
}

/* False when no answer will ever be sent. */
bool
qts_spoil_deliver(QtsReq *req, const QtsResp *resp)
{
	const QtsFault *f = req->fault;
	int64_t ms = f ? qts_json_int(f->params, "ms", 1000) : 0;

	if (qts_fault_is(f, "accept_then_close") || qts_fault_is(f, "drop_before_accept") ||
		qts_fault_is(f, "accept_then_rst"))
	{
		qts_net_close(req->conn, qts_fault_is(f, "accept_then_rst"));
		return false;
	}
	/* The connection stays open and busy until the client gives up. */
	if (qts_fault_is(f, "no_answer"))
		return false;
	if (qts_fault_is(f, "late_response"))
		qts_hold_delay(req, resp, ms);
	else if (qts_fault_is(f, "hold_reply"))
		qts_hold_add(req, resp, f->id);
	else if (qts_fault_is(f, "drip"))
		qts_hold_drip(req, resp, f ? qts_json_int(f->params, "ms", 10) : 10);
	else
	{
		req->conn->is_busy = false;
		qts_http_answer(req->conn, resp, req->keep_alive);
	}
	return true;
}
