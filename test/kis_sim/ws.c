/*
 * ws.c
 *		The server side of RFC 6455: upgrade, frames in, frames out.
 *
 * Written apart from libwebsockets on purpose: the engine's client uses that
 * library, so a second reading of the protocol catches what one alone would hide.
 * No extension is negotiated.  Messages larger than QTS_MAX_WS_MESSAGE end the
 * connection.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "sim.h"

#define WS_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

struct QtsWs
{
	QtsBuf message;
	int opcode;
};

bool
qts_ws_upgrade(const QtsReq *req)
{
	unsigned char digest[SHA_DIGEST_LENGTH];
	char accept[64];
	QtsBuf joined = {0};
	QtsConn *conn = req->conn;

	const QtsFault *fault;

	if (strcmp(req->method, "GET") != 0 || strlen(req->ws_key) > 64)
		return false;
	/* Refused like any bad request, or the line stays open without a word. */
	fault = qts_fault_feed("upgrade_refuse", NULL, NULL, NULL);
	if (fault != NULL)
	{
		const char *how = qts_json_text(fault->params, "how");

		conn->is_busy = how != NULL && strcmp(how, "hang") == 0;
		return conn->is_busy;
	}
	qts_buf_printf(&joined, "%s%s", req->ws_key, WS_GUID);
	SHA1((const unsigned char *) joined.data, joined.len, digest);
	qts_buf_free(&joined);
	EVP_EncodeBlock((unsigned char *) accept, digest, sizeof(digest));
	qts_buf_printf(&conn->out,
				   "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
				   "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
				   accept);
	conn->ws = qts_mem_zero(sizeof(*conn->ws));
	qts_net_send(conn);
	if (!conn->is_dead)
		qts_wsapp_open(conn);
	return true;
}

void
qts_ws_gone(QtsConn *conn)
{
	qts_wsapp_gone(conn);
	qts_buf_free(&conn->ws->message);
	free(conn->ws);
	conn->ws = NULL;
}

static void
ws_put(QtsConn *conn, int first, const void *data, size_t len)
{
	unsigned char head[10] = {(unsigned char) first};
	size_t head_len = 2;

	if (len < 126)
		head[1] = (unsigned char) len;
	else if (len < 65536)
	{
		head[1] = 126;
		head[2] = (unsigned char) (len >> 8);
		head[3] = (unsigned char) len;
		head_len = 4;
	}
	else
	{
		head[1] = 127;
		for (int i = 0; i < 8; i++)
			head[2 + i] = (unsigned char) ((uint64_t) len >> (56 - 8 * i));
		head_len = 10;
	}
	qts_buf_add(&conn->out, head, head_len);
	qts_buf_add(&conn->out, data, len);
}

/* Append one message to the output, in pieces if told; the caller flushes. */
void
qts_ws_queue(QtsConn *conn, int opcode, const void *data, size_t len, int wanted)
{
	size_t piece = (size_t) (wanted > 0 ? wanted : qts_options.ws_fragment);
	const char *bytes = data;

	if (piece == 0 || opcode != 1 || len <= piece)
	{
		ws_put(conn, 0x80 | opcode, data, len);
		return;
	}
	for (size_t at = 0; at < len; at += piece)
	{
		size_t n = len - at < piece ? len - at : piece;

		ws_put(conn, (at == 0 ? opcode : 0) | (at + n == len ? 0x80 : 0), bytes + at, n);
	}
}

static void
ws_message(QtsConn *conn, int opcode, char *data, size_t len)
{
	qts_counters.frames_received++;
	if (opcode == 8)
	{
		qts_ws_queue(conn, 8, data, len < 2 ? 0 : 2, 0);
		conn->close_when_sent = true;
		qts_net_send(conn);
	}
	else if (opcode == 9)
	{
		qts_ws_queue(conn, 10, data, len, 0);
		qts_net_send(conn);
	}
	else if (opcode == 10)
		qts_wsapp_pong(conn);
	else
		qts_wsapp_message(conn, data, len);
}

static void
ws_data(QtsConn *conn, int opcode, bool is_final, const char *data, size_t len)
{
	QtsWs *ws = conn->ws;

	if (opcode != 0)
	{
		ws->message.len = 0;
		ws->opcode = opcode;
	}
	qts_buf_add(&ws->message, data, len);
	if (ws->message.len > QTS_MAX_WS_MESSAGE)
		qts_net_close(conn, true);
	else if (is_final)
		ws_message(conn, ws->opcode, ws->message.data, ws->message.len);
}

/* Take one frame from the input; false means more bytes are needed. */
bool
qts_ws_input(QtsConn *conn)
{
	unsigned char *bytes = (unsigned char *) conn->in.data;
	size_t have = conn->in.len;
	size_t at = 2;
	uint64_t len;
	int opcode;
	bool is_final;
	char *data;

	if (have < 2)
		return false;
	opcode = bytes[0] & 15;
	is_final = (bytes[0] & 0x80) != 0;
	len = bytes[1] & 127;
	if (len >= 126)
	{
		size_t extra = len == 126 ? 2 : 8;

		if (have < 2 + extra)
			return false;
		len = 0;
		for (size_t i = 0; i < extra; i++)
			len = len << 8 | bytes[2 + i];
		at += extra;
	}
	/* Clients must mask; an unmasked or reserved frame is a protocol error. */
	if (!(bytes[1] & 0x80) || len > QTS_MAX_WS_MESSAGE || (bytes[0] & 0x70))
	{
		qts_net_close(conn, false);
		return false;
	}
	if (have < at + 4 + len)
		return false;
	data = conn->in.data + at + 4;
	for (uint64_t i = 0; i < len; i++)
		data[i] = (char) (data[i] ^ bytes[at + i % 4]);
	if (opcode >= 8)
		ws_message(conn, opcode, data, (size_t) len);
	else
		ws_data(conn, opcode, is_final, data, (size_t) len);
	qts_buf_drop(&conn->in, at + 4 + (size_t) len);
	return !conn->is_dead;
}
