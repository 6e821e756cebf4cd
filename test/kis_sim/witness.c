/*
 * witness.c
 *		What arrived and when: the request ring, the counters, and waiting for either.
 *
 * The ring keeps the last QTS_RING requests of the REST port.  Bodies are stored as
 * JSON text with secrets removed; headers are not stored at all.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define MAX_BODY 2048
#define MAX_PATHS 32

typedef struct Entry
{
	uint64_t seq;
	int64_t t_us;
	uint64_t conn_id;
	char method[8];
	char path[64];
	char tr_id[16];
	char account[12];
	uint64_t before; /* the previous request that names the account; 0 = none */
	char *body;
	int status;
	char rt_cd[4];
	char msg_cd[12];
	char odno[12];
	char fault[24];
} Entry;

typedef struct Waiter
{
	bool is_used;
	int fd;
	uint64_t conn_id;
	uint64_t tag;
	char path[64];
	char tr_id[16];
	char account[12];
	char counter[24];
	int64_t odno;
	int64_t filled;
	bool wants_closed;
	int64_t wanted;
	int64_t at_most; /* for counters that fall; negative when unused */
	int64_t have;
	uint64_t scanned; /* next sequence number to look at */
} Waiter;

#define COUNTER(name)                                                                                        \
	{                                                                                                        \
#name, offsetof(QtsCounters, name)                                                                   \
	}

static const struct
{
	const char *name;
	size_t offset;
} counter_names[] = {
	COUNTER(connections),  COUNTER(requests),	   COUNTER(orders_accepted), COUNTER(orders_rejected),
	COUNTER(fills),		   COUNTER(cancels),	   COUNTER(kills),			 COUNTER(ticks_sent),
	COUNTER(notices_sent), COUNTER(notices_lost),  COUNTER(frames_received), COUNTER(pongs),
	COUNTER(ws_sessions),  COUNTER(ws_open),	   COUNTER(subscriptions),	 COUNTER(rate_refusals),
	COUNTER(faults_fired), COUNTER(tokens_issued), COUNTER(price_changes),	 COUNTER(bars_played),
	COUNTER(slow_drops),
};

#define N_COUNTERS (sizeof(counter_names) / sizeof(counter_names[0]))

QtsCounters qts_counters;
static Entry ring[QTS_RING];
static uint64_t next_seq = 1;
static Waiter waiters[QTS_MAX_WAITERS];
static int n_waiting;
static uint64_t next_tag = 1;
static struct
{
	char path[80];
	int64_t count;
} path_counts[MAX_PATHS];

static void
witness_count_path(const QtsReq *req)
{
	char name[80];

	snprintf(name, sizeof(name), "%s %.70s", req->method, req->path);
	for (int i = 0; i < MAX_PATHS; i++)
	{
		if (path_counts[i].count == 0)
			qts_text_copy(path_counts[i].path, sizeof(path_counts[i].path), name);
		else if (strcmp(path_counts[i].path, name) != 0)
			continue;
		path_counts[i].count++;
		return;
	}
}

static char *
witness_body(const QtsReq *req)
{
	static const char *const secrets[] = {"appsecret", "secretkey", "token", "authorization",
										  "personalseckey"};
	bool is_plain = strncmp(req->path, "/uapi/", 6) == 0 && req->body_len > 0;
	char *text;

	if (!json_is_object(req->json) || req->body_len > MAX_BODY)
		return NULL;
	if (is_plain)
	{
		for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
			is_plain &= json_object_get(req->json, secrets[i]) == NULL;
		if (is_plain)
			return strndup(req->body, req->body_len);
	}
	json_t *copy = json_copy(req->json);

	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		json_object_del(copy, secrets[i]);
	text = json_dumps(copy, JSON_COMPACT);
	json_decref(copy);
	return text;
}

uint64_t
qts_witness_record(QtsReq *req)
{
	Entry *e = &ring[next_seq % QTS_RING];
	const char *cano = qts_req_param(req, "CANO");
	const char *product = qts_req_param(req, "ACNT_PRDT_CD");
	QtsAccount *account;

	qts_counters.requests++;
	witness_count_path(req);
	free(e->body);
	memset(e, 0, sizeof(*e));
	e->seq = next_seq++;
	e->t_us = req->t_us;
	e->conn_id = req->conn->id;
	qts_text_copy(e->method, sizeof(e->method), req->method);
	qts_text_copy(e->path, sizeof(e->path), req->path);
	qts_text_copy(e->tr_id, sizeof(e->tr_id), req->tr_id);
	if (cano != NULL && product != NULL)
		snprintf(e->account, sizeof(e->account), "%.8s-%.2s", cano, product);
	account = qts_account_named(e->account);
	if (account != NULL)
	{
		e->before = account->last_seq;
		account->last_seq = e->seq;
	}
	e->body = witness_body(req);
	return e->seq;
}

void
qts_witness_outcome(uint64_t seq, const QtsResp *resp, const char *fault, bool is_sent)
{
	Entry *e = &ring[seq % QTS_RING];

	if (e->seq != seq)
		return;
	e->status = is_sent ? resp->status : 0;
	memcpy(e->rt_cd, resp->rt_cd, sizeof(e->rt_cd));
	memcpy(e->msg_cd, resp->msg_cd, sizeof(e->msg_cd));
	memcpy(e->odno, resp->odno, sizeof(e->odno));
	qts_text_copy(e->fault, sizeof(e->fault), fault);
}

static bool
text_fits(const char *wanted, const char *text)
{
	return wanted == NULL || *wanted == '\0' || strcmp(wanted, text) == 0;
}

static bool
entry_fits(const Entry *e, const char *path, const char *tr_id, const char *account)
{
	return e->seq != 0 && (path == NULL || *path == '\0' || strstr(e->path, path) != NULL) &&
		   text_fits(tr_id, e->tr_id) && text_fits(account, e->account);
}

static uint64_t
witness_first(void)
{
	return next_seq > QTS_RING ? next_seq - QTS_RING : 1;
}

static void
entry_write(const Entry *e, QtsBuf *out)
{
	qts_buf_printf(out, "{\"seq\":%llu,\"t_us\":%lld,\"conn\":%llu,\"method\":", (unsigned long long) e->seq,
				   (long long) e->t_us, (unsigned long long) e->conn_id);
	qts_buf_json(out, e->method);
	qts_buf_text(out, ",\"path\":");
	qts_buf_json(out, e->path);
	qts_buf_text(out, ",\"tr_id\":");
	qts_buf_json(out, e->tr_id);
	qts_buf_text(out, ",\"account\":");
	qts_buf_json(out, e->account);
	qts_buf_printf(out, ",\"body\":");
	qts_buf_text(out, e->body ? e->body : "null");
	qts_buf_printf(out,
				   ",\"http_status\":%d,\"rt_cd\":\"%s\",\"msg_cd\":\"%s\",\"odno\":\"%s\","
				   "\"fault\":\"%s\"}",
				   e->status, e->rt_cd, e->msg_cd, e->odno, e->fault);
}

/* The account's requests from `since` on, oldest first; the caller frees the list. */
static uint64_t *
witness_chain(const QtsAccount *account, uint64_t since, int *n)
{
	uint64_t *list = NULL;
	int cap = 0;

	*n = 0;
	for (uint64_t seq = account->last_seq; seq >= since && seq >= witness_first();)
	{
		list = qts_mem_room(list, &cap, *n, sizeof(*list));
		list[(*n)++] = seq;
		seq = ring[seq % QTS_RING].before;
		if (seq == 0)
			break;
	}
	for (int i = 0, k = *n - 1; i < k; i++, k--)
	{
		uint64_t swap = list[i];

		list[i] = list[k];
		list[k] = swap;
	}
	return list;
}

void
qts_witness_requests(const QtsReq *req, QtsBuf *out)
{
	uint64_t seq = (uint64_t) qts_json_int(req->json, "since", 0) + 1;
	int64_t limit = qts_json_int(req->json, "limit", QTS_RING);
	const char *path = qts_json_text(req->json, "path");
	const char *tr_id = qts_json_text(req->json, "tr_id");
	const char *name = qts_json_text(req->json, "account");
	const QtsAccount *account = qts_account_named(name);
	uint64_t *chain = NULL;
	int n_chain = 0;
	int64_t shown = 0;

	if (seq < witness_first())
		seq = witness_first();
	if (account != NULL)
		chain = witness_chain(account, seq, &n_chain);
	qts_buf_text(out, "{\"requests\":[");
	for (uint64_t i = 0; shown < limit && (account != NULL ? i < (uint64_t) n_chain : seq + i < next_seq);
		 i++)
	{
		const Entry *e = &ring[(chain != NULL ? chain[i] : seq + i) % QTS_RING];

		if (!entry_fits(e, path, tr_id, name))
			continue;
		qts_buf_text(out, shown++ ? "," : "");
		entry_write(e, out);
	}
	free(chain);
	qts_buf_printf(out, "],\"last_seq\":%llu}", (unsigned long long) next_seq - 1);
}

/* Forget the account's requests; returns how many there were. */
int
qts_witness_forget(QtsAccount *account)
{
	int n = 0;

	for (uint64_t seq = account->last_seq; seq != 0 && seq >= witness_first(); n++)
	{
		Entry *e = &ring[seq % QTS_RING];

		seq = e->before;
		free(e->body);
		memset(e, 0, sizeof(*e));
	}
	account->last_seq = 0;
	return n;
}

static int64_t
counter_value(size_t i)
{
	return *(const int64_t *) ((const char *) &qts_counters + counter_names[i].offset);
}

void
qts_witness_stats(QtsBuf *out)
{
	qts_buf_text(out, "{\"paths\":{");
	for (int i = 0; i < MAX_PATHS && path_counts[i].count > 0; i++)
	{
		qts_buf_text(out, i ? "," : "");
		qts_buf_json(out, path_counts[i].path);
		qts_buf_printf(out, ":%lld", (long long) path_counts[i].count);
	}
	qts_buf_text(out, "}");
	for (size_t i = 0; i < N_COUNTERS; i++)
		qts_buf_printf(out, ",\"%s\":%lld", counter_names[i].name, (long long) counter_value(i));
	qts_buf_printf(out, ",\"last_seq\":%llu}", (unsigned long long) next_seq - 1);
}

static bool
waiter_is_met(Waiter *w)
{
	if (w->odno != 0)
	{
		const QtsOrder *o = qts_book_find(qts_clock_date(qts_clock_now()), w->odno);

		w->have = o ? o->filled : 0;
		return o != NULL && o->filled >= w->filled && !(w->wants_closed && o->is_open);
	}
	if (w->counter[0])
	{
		for (size_t i = 0; i < N_COUNTERS; i++)
			if (strcmp(counter_names[i].name, w->counter) == 0)
				w->have = counter_value(i);
		return w->at_most >= 0 ? w->have <= w->at_most : w->have >= w->wanted;
	}
	if (w->scanned < witness_first())
		w->scanned = witness_first();
	for (; w->scanned < next_seq; w->scanned++)
		w->have += entry_fits(&ring[w->scanned % QTS_RING], w->path, w->tr_id, w->account);
	return w->have >= w->wanted;
}

static void
waiter_write(const Waiter *w, bool is_met, QtsResp *resp)
{
	qts_buf_printf(&resp->body, "{\"ok\":%s,\"count\":%lld,\"t_us\":%lld}", is_met ? "true" : "false",
				   (long long) w->have, (long long) qts_clock_real());
}

static void
waiter_answer(Waiter *w, bool is_met)
{
	QtsConn *conn = qts_net_find(w->fd, w->conn_id);
	QtsResp resp = {0};

	w->is_used = false;
	n_waiting--;
	if (conn == NULL)
		return;
	qts_resp_reset(&resp);
	waiter_write(w, is_met, &resp);
	qts_http_answer(conn, &resp, true);
	qts_buf_free(&resp.body);
	if (!conn->is_dead)
		qts_net_resume(conn);
}

static void
waiter_expired(void *arg, uint64_t tag)
{
	Waiter *w = arg;

	if (w->is_used && w->tag == tag)
		waiter_answer(w, false);
}

/* True when resp holds the answer; false when it will come later. */
bool
qts_witness_wait(const QtsReq *req, QtsResp *resp)
{
	Waiter w = {.is_used = true, .fd = req->conn->fd, .conn_id = req->conn->id};
	int64_t timeout_ms = qts_json_int(req->json, "timeout_ms", 10000);

	qts_text_copy(w.path, sizeof(w.path), qts_json_text(req->json, "path"));
	qts_text_copy(w.tr_id, sizeof(w.tr_id), qts_json_text(req->json, "tr_id"));
	qts_text_copy(w.account, sizeof(w.account), qts_json_text(req->json, "account"));
	qts_text_copy(w.counter, sizeof(w.counter), qts_json_text(req->json, "counter"));
	w.odno = qts_json_int(req->json, "odno", 0);
	w.filled = qts_json_int(req->json, "filled", 0);
	w.wants_closed = qts_json_int(req->json, "closed", 0) != 0;
	w.wanted = qts_json_int(req->json, "count", 1);
	w.at_most = qts_json_int(req->json, "at_most", -1);
	w.scanned = (uint64_t) qts_json_int(req->json, "since", 0) + 1;
	if (waiter_is_met(&w) || timeout_ms <= 0 || n_waiting == QTS_MAX_WAITERS)
	{
		waiter_write(&w, waiter_is_met(&w), resp);
		return true;
	}
	for (int i = 0; i < QTS_MAX_WAITERS; i++)
		if (!waiters[i].is_used)
		{
			w.tag = next_tag++;
			waiters[i] = w;
			n_waiting++;
			qts_net_timer(timeout_ms * 1000, waiter_expired, &waiters[i], w.tag);
			break;
		}
	return false;
}

void
qts_witness_notify(void)
{
	for (int i = 0, left = n_waiting; i < QTS_MAX_WAITERS && left > 0; i++)
	{
		if (!waiters[i].is_used)
			continue;
		left--;
		if (waiter_is_met(&waiters[i]))
			waiter_answer(&waiters[i], true);
	}
}
