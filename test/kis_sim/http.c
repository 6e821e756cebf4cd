/*
 * http.c
 *		HTTP/1.1 by hand, because the faults need exact control over when a byte or a
 *		close leaves the socket.
 *
 * A QtsReq points into the connection's input buffer and is valid only while its
 * handler runs.  Chunked request bodies are refused with 411.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sim.h"

typedef struct HeaderSlot
{
	const char *name;
	size_t offset;
} HeaderSlot;

#define SLOT(name, member)                                                                                   \
	{                                                                                                        \
		name, offsetof(QtsReq, member)                                                                       \
	}

static const HeaderSlot header_slots[] = {
	SLOT("authorization", authorization), SLOT("appkey", appkey),
	SLOT("appsecret", appsecret),		  SLOT("tr_id", tr_id),
	SLOT("custtype", custtype),			  SLOT("tr_cont", tr_cont),
	SLOT("content-type", content_type),	  SLOT("hashkey", hashkey),
	SLOT("sec-websocket-key", ws_key),
};

void
qts_resp_reset(QtsResp *resp)
{
	QtsBuf body = resp->body;

	body.len = 0;
	memset(resp, 0, sizeof(*resp));
	resp->body = body;
	resp->status = 200;
	resp->content_type = "application/json; charset=utf-8";
}

void
qts_http_render(QtsBuf *out, const QtsResp *resp, bool keep_alive)
{
	const char *reason = resp->status == 200 ? "OK" : resp->status < 500 ? "Refused" : "Error";

	qts_buf_printf(out, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n", resp->status, reason,
				   resp->content_type, resp->body.len);
	if (resp->tr_id[0])
		qts_buf_printf(out, "tr_id: %s\r\ntr_cont: %s\r\ngt_uid: %016llx%016llx\r\n", resp->tr_id,
					   resp->tr_cont, (unsigned long long) qts_random_next(),
					   (unsigned long long) qts_random_next());
	qts_buf_printf(out, "Connection: %s\r\n\r\n", keep_alive ? "keep-alive" : "close");
	qts_buf_add(out, resp->body.data, resp->body.len);
}

void
qts_http_answer(QtsConn *conn, const QtsResp *resp, bool keep_alive)
{
	qts_http_render(&conn->out, resp, keep_alive);
	if (!keep_alive)
		conn->close_when_sent = true;
	qts_net_send(conn);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char) tolower((unsigned char) c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A copy of `len` bytes with %XX and '+' decoded; the caller frees it. */
static char *
http_decode(const char *text, size_t len)
{
	char *copy = qts_mem_grow(NULL, len + 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
	{
		if (text[i] == '%' && i + 2 < len && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0)
		{
			copy[n++] = (char) (hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
			i += 2;
		}
		else
			copy[n++] = text[i] == '+' ? ' ' : text[i];
	}
	copy[n] = '\0';
	return copy;
}

static json_t *
http_query(const char *query)
{
	json_t *object = json_object();

	while (*query)
	{
		size_t len = strcspn(query, "&");
		const char *equals = memchr(query, '=', len);
		size_t key_len = equals ? (size_t) (equals - query) : len;
		char *key = http_decode(query, key_len);
		char *value = equals ? http_decode(equals + 1, len - key_len - 1) : http_decode("", 0);

		json_object_set_new(object, key, json_string(value));
		free(key);
		free(value);
		query += len + (query[len] == '&');
	}
	return object;
}

/* Query members are documented in upper case and also work in lower case; bodies do not. */
const char *
qts_req_param(const QtsReq *req, const char *key)
{
	const char *value = qts_json_text(req->json, key);
	char lower[32];
	size_t i;

	if (value != NULL || strcmp(req->method, "GET") != 0)
		return value;
	for (i = 0; i < sizeof(lower) - 1 && key[i]; i++)
		lower[i] = (char) tolower((unsigned char) key[i]);
	lower[i] = '\0';
	return qts_json_text(req->json, lower);
}

static void
http_header(QtsReq *req, char *name, char *value, size_t *body_len, bool *is_chunked, bool *wants_continue)
{
	if (strcasecmp(name, "content-length") == 0)
		*body_len = strtoul(value, NULL, 10);
	else if (strcasecmp(name, "transfer-encoding") == 0)
		*is_chunked = true;
	else if (strcasecmp(name, "expect") == 0)
		*wants_continue = true;
	else if (strcasecmp(name, "connection") == 0)
		req->keep_alive = strcasecmp(value, "close") != 0;
	else
		for (size_t i = 0; i < sizeof(header_slots) / sizeof(header_slots[0]); i++)
			if (strcasecmp(name, header_slots[i].name) == 0)
				*(const char **) ((char *) req + header_slots[i].offset) = value;
}

static bool
http_refuse(QtsConn *conn, int status)
{
	static QtsResp resp;

	qts_resp_reset(&resp);
	resp.status = status;
	conn->in.len = 0;
	qts_http_answer(conn, &resp, false);
	return false;
}

static void
http_dispatch(QtsReq *req)
{
	if (req->conn->port == QTS_PORT_CONTROL)
		qts_control_handle(req);
	else
		qts_rest_handle(req);
	qts_net_run_later();
	qts_witness_notify();
}

/* Split the head in `head` (a private copy) into the request's members. */
static bool
http_parse(char *head, QtsReq *req, size_t *body_len, bool *is_chunked, bool *wants_continue)
{
	char *save = NULL;
	char *line = strtok_r(head, "\r\n", &save);
	char *target = line ? strchr(line, ' ') : NULL;
	char *version = target ? strchr(target + 1, ' ') : NULL;
	char *query;

	if (version == NULL)
		return false;
	*target++ = '\0';
	*version++ = '\0';
	req->method = line;
	req->path = target;
	req->keep_alive = strcmp(version, "HTTP/1.0") != 0;
	query = strchr(target, '?');
	req->query = query ? query + 1 : "";
	if (query)
		*query = '\0';
	while ((line = strtok_r(NULL, "\r\n", &save)) != NULL)
	{
		char *colon = strchr(line, ':');

		if (colon == NULL)
			return false;
		*colon++ = '\0';
		colon += strspn(colon, " \t");
		http_header(req, line, colon, body_len, is_chunked, wants_continue);
	}
	return true;
}

/* Serve one request if it is complete; false means more input is needed. */
bool
qts_http_input(QtsConn *conn)
{
	QtsReq req = {.conn = conn};
	char *end = memmem(conn->in.data, conn->in.len, "\r\n\r\n", 4);
	size_t head_len = end ? (size_t) (end - conn->in.data) + 4 : 0;
	size_t body_len = 0;
	size_t limit = conn->port == QTS_PORT_CONTROL ? QTS_MAX_CONTROL_BODY : QTS_MAX_REST_BODY;
	bool is_chunked = false;
	bool wants_continue = false;
	char head[QTS_MAX_HEAD + 1];

	if (end == NULL)
		return conn->in.len > QTS_MAX_HEAD ? http_refuse(conn, 431) : false;
	if (head_len > QTS_MAX_HEAD)
		return http_refuse(conn, 431);
	memcpy(head, conn->in.data, head_len);
	head[head_len] = '\0';
	if (!http_parse(head, &req, &body_len, &is_chunked, &wants_continue))
		return http_refuse(conn, 400);
	if (is_chunked)
		return http_refuse(conn, 411);
	if (body_len > limit)
		return http_refuse(conn, 413);
	if (conn->in.len < head_len + body_len)
	{
		if (wants_continue && conn->wanted == 0)
		{
			qts_buf_text(&conn->out, "HTTP/1.1 100 Continue\r\n\r\n");
			qts_net_send(conn);
		}
		conn->wanted = head_len + body_len;
		return false;
	}
	conn->wanted = 0;
	req.t_us = qts_clock_real();
	req.body = conn->in.data + head_len;
	req.body_len = body_len;
	if (conn->port == QTS_PORT_WS)
	{
		bool is_upgrade = req.ws_key != NULL && qts_ws_upgrade(&req);

		qts_buf_drop(&conn->in, head_len + body_len);
		return is_upgrade ? true : http_refuse(conn, 400);
	}
	req.json =
		strcmp(req.method, "GET") == 0 || body_len == 0
			? http_query(req.query)
			: json_loadb(req.body, body_len, conn->port == QTS_PORT_CONTROL ? JSON_ALLOW_NUL : 0, NULL);
	conn->is_busy = true;
	http_dispatch(&req);
	json_decref(req.json);
	qts_buf_drop(&conn->in, head_len + body_len);
	return !conn->is_dead;
}
