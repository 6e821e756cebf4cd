/*
 * hold.c
 *		Answers kept back: until a test releases them, for a time, or dripped byte by
 *		byte.
 *
 * An entry owns its rendered bytes and names its connection by (fd, id); a client
 * that died meanwhile simply gets nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

typedef struct Held
{
	bool is_used;
	int fault_id; /* 0 for delayed and dripped answers */
	int fd;
	uint64_t conn_id;
	bool keep_alive;
	QtsBuf bytes;
	size_t sent;
	int64_t drip_ms;
} Held;

static Held held[QTS_MAX_HELD];

static Held *
hold_take(const QtsReq *req, const QtsResp *resp, int fault_id)
{
	for (int i = 0; i < QTS_MAX_HELD; i++)
	{
		Held *entry = &held[i];

		if (entry->is_used)
			continue;
		memset(entry, 0, sizeof(*entry));
		entry->is_used = true;
		entry->fault_id = fault_id;
		entry->fd = req->conn->fd;
		entry->conn_id = req->conn->id;
		entry->keep_alive = req->keep_alive;
		qts_http_render(&entry->bytes, resp, req->keep_alive);
		return entry;
	}
	/* Full: answer now rather than lose the answer. */
	req->conn->is_busy = false;
	qts_http_answer(req->conn, resp, req->keep_alive);
	return NULL;
}

static void
hold_finish(Held *entry)
{
	QtsConn *conn = qts_net_find(entry->fd, entry->conn_id);
	Held done = *entry;

	entry->is_used = false;
	if (conn != NULL)
	{
		qts_buf_add(&conn->out, done.bytes.data + done.sent, done.bytes.len - done.sent);
		conn->close_when_sent |= !done.keep_alive;
		qts_net_send(conn);
		if (!conn->is_dead)
			qts_net_resume(conn);
	}
	qts_buf_free(&done.bytes);
}

void
qts_hold_add(const QtsReq *req, const QtsResp *resp, int fault_id)
{
	hold_take(req, resp, fault_id);
}

/* Release what the fault holds; 0 releases everything.  Returns how many. */
int
qts_hold_release(int fault_id)
{
	int n = 0;

	for (int i = 0; i < QTS_MAX_HELD; i++)
		if (held[i].is_used && held[i].fault_id != 0 && (fault_id == 0 || held[i].fault_id == fault_id))
		{
			hold_finish(&held[i]);
			n++;
		}
	return n;
}

int
qts_hold_count(void)
{
	int n = 0;

	for (int i = 0; i < QTS_MAX_HELD; i++)
		n += held[i].is_used && held[i].fault_id != 0;
	return n;
}

static void
hold_due(void *arg, uint64_t tag)
{
	Held *entry = arg;

	if (entry->is_used && entry->conn_id == tag)
		hold_finish(entry);
}

void
qts_hold_delay(const QtsReq *req, const QtsResp *resp, int64_t ms)
{
	Held *entry = hold_take(req, resp, 0);

	if (entry != NULL)
		qts_net_timer(ms * 1000, hold_due, entry, entry->conn_id);
}

static void
hold_drip_due(void *arg, uint64_t tag)
{
	Held *entry = arg;
	QtsConn *conn = qts_net_find(entry->fd, entry->conn_id);

	if (!entry->is_used || entry->conn_id != tag)
		return;
	if (conn == NULL || entry->sent + 1 >= entry->bytes.len)
	{
		hold_finish(entry);
		return;
	}
	qts_buf_add(&conn->out, entry->bytes.data + entry->sent++, 1);
	qts_net_timer(entry->drip_ms * 1000, hold_drip_due, entry, tag);
	qts_net_send(conn);
}

void
qts_hold_drip(const QtsReq *req, const QtsResp *resp, int64_t ms)
{
	Held *entry = hold_take(req, resp, 0);

	if (entry == NULL)
		return;
	entry->drip_ms = ms;
	qts_net_timer(ms * 1000, hold_drip_due, entry, entry->conn_id);
}
