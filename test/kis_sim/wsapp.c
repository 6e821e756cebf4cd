/*
 * wsapp.c
 *		The broker's WebSocket sessions: subscriptions, acks, PINGPONG, frames out.
 *
 * Owns the session table.  A session belongs to the application whose approval key
 * it first presents, and an application has at most one.  Frames are queued on the
 * connection and leave in qts_wsapp_flush, so a burst costs one system call.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "sim.h"

#define MAX_SESSIONS 256
#define PONGS_MISSED 3

typedef struct Sub
{
	char tr_id[12];
	char tr_key[16];
	QtsSymbol *symbol;
	char iv[17];
	char key[33];
	bool is_notice;
} Sub;

typedef struct Session
{
	bool is_used;
	int fd;
	uint64_t id;
	QtsApp *app;
	Sub subs[QTS_WS_SUBS];
	int n_subs;
	int64_t mute_until; /* monotonic: nothing is read or written before it */
	bool is_dirty;
	int missed;
} Session;

static Session sessions[MAX_SESSIONS];
static int64_t refuse_left;
static int64_t silent_pings_until;
static int64_t mute_data_until;

static const char *const known_trs[] = {"H0STCNT0", "H0STASP0", "H0STCNI0", "H0STCNI9",
										"H0STMKO0", "H0UNCNT0", "H0NXCNT0", "H0STANC0"};

static Session *
session_of(const QtsConn *conn)
{
	for (int i = 0; i < MAX_SESSIONS; i++)
		if (sessions[i].is_used && sessions[i].id == conn->id)
			return &sessions[i];
	return NULL;
}

static QtsConn *
session_conn(const Session *session)
{
	return session->is_used ? qts_net_find(session->fd, session->id) : NULL;
}

static bool
session_is_mute(const Session *session)
{
	return session->mute_until > qts_clock_mono();
}

static void
session_queue(Session *session, const char *text, size_t len)
{
	QtsConn *conn = session_conn(session);

	if (conn == NULL || session_is_mute(session))
		return;
	qts_ws_queue(conn, 1, text, len);
	session->is_dirty = true;
}

void
qts_wsapp_flush(void)
{
	for (int i = 0; i < MAX_SESSIONS; i++)
	{
		QtsConn *conn = sessions[i].is_dirty ? session_conn(&sessions[i]) : NULL;

		sessions[i].is_dirty = false;
		if (conn != NULL)
			qts_net_send(conn);
	}
}

static void
session_ping(void *arg, uint64_t tag)
{
	Session *session = arg;
	QtsConn *conn;
	char stamp[20];
	char text[96];
	int len;

	if (!session->is_used || session->id != tag || qts_options.pingpong_ms <= 0)
		return;
	conn = session_conn(session);
	qts_net_timer(qts_options.pingpong_ms * 1000, session_ping, session, tag);
	if (conn == NULL || session_is_mute(session) || silent_pings_until > qts_clock_mono())
		return;
	if (qts_options.pingpong_required && session->missed >= PONGS_MISSED)
	{
		qts_net_close(conn, false);
		return;
	}
	session->missed++;
	qts_clock_format(qts_clock_now(), "%Y%m%d%H%M%S", stamp, sizeof(stamp));
	len = snprintf(text, sizeof(text), "{\"header\":{\"tr_id\":\"PINGPONG\",\"datetime\":\"%s\"}}", stamp);
	session_queue(session, text, (size_t) len);
	qts_wsapp_flush();
}

void
qts_wsapp_open(QtsConn *conn)
{
	for (int i = 0; i < MAX_SESSIONS; i++)
	{
		Session *session = &sessions[i];

		if (session->is_used)
			continue;
		memset(session, 0, sizeof(*session));
		session->is_used = true;
		session->fd = conn->fd;
		session->id = conn->id;
		qts_counters.ws_sessions++;
		qts_counters.ws_open++;
		if (qts_options.pingpong_ms > 0)
			qts_net_timer(qts_options.pingpong_ms * 1000, session_ping, session, conn->id);
		return;
	}
	qts_net_close(conn, true);
}

void
qts_wsapp_gone(QtsConn *conn)
{
	Session *session = session_of(conn);

	if (session == NULL)
		return;
	qts_counters.subscriptions -= session->n_subs;
	qts_counters.ws_open--;
	if (session->app != NULL && session->app->session == conn->ws)
	{
		session->app->session = NULL;
		if (!conn->close_when_sent)
			session->app->session_free_us = qts_clock_mono() + qts_options.ws_linger_ms * 1000;
	}
	session->is_used = false;
}

void
qts_wsapp_pong(QtsConn *conn)
{
	Session *session = session_of(conn);

	qts_counters.pongs++;
	if (session != NULL)
		session->missed = 0;
}

static void
session_ack(Session *session, const char *tr_id, const char *tr_key, const char *rt_cd, const char *msg_cd,
			const char *msg1, const Sub *sub)
{
	QtsBuf text = {0};

	qts_buf_printf(&text, "{\"header\":{\"tr_id\":\"%s\",\"tr_key\":", tr_id);
	qts_buf_json(&text, tr_key);
	qts_buf_printf(&text,
				   ",\"encrypt\":\"%s\"},\"body\":{\"rt_cd\":\"%s\",\"msg_cd\":\"%s\","
				   "\"msg1\":\"%s\"",
				   sub != NULL && sub->is_notice ? "Y" : "N", rt_cd, msg_cd, msg1);
	if (sub != NULL)
		qts_buf_printf(&text, ",\"output\":{\"iv\":\"%s\",\"key\":\"%s\"}", sub->iv, sub->key);
	qts_buf_text(&text, "}}");
	session_queue(session, text.data, text.len);
	qts_buf_free(&text);
	qts_wsapp_flush();
}

/* False when the session may not go on: the answer has been sent. */
static bool
session_join(Session *session, QtsConn *conn, const char *approval, const char *tr_id, const char *tr_key)
{
	QtsApp *app = qts_oauth_approval(approval);
	bool is_lingering;

	if (session->app != NULL)
		return true;
	if (app == NULL)
	{
		session_ack(session, tr_id, tr_key, "1", "OPSP0011", "invalid approval : NOT FOUND", NULL);
		return false;
	}
	is_lingering = app->session_free_us > qts_clock_mono();
	if (refuse_left > 0 || (app->session != NULL && app->session != conn->ws) || is_lingering)
	{
		refuse_left -= refuse_left > 0;
		session_ack(session, "(null)", "", "9", "OPSP8996", "ALREADY IN USE appkey", NULL);
		conn->close_when_sent = true;
		qts_net_send(conn);
		return false;
	}
	session->app = app;
	app->session = conn->ws;
	return true;
}

static int
session_sub_index(const Session *session, const char *tr_id, const char *tr_key)
{
	for (int i = 0; i < session->n_subs; i++)
		if (strcmp(session->subs[i].tr_id, tr_id) == 0 && strcmp(session->subs[i].tr_key, tr_key) == 0)
			return i;
	return -1;
}

static void
session_subscribe(Session *session, QtsConn *conn, const char *tr_id, const char *tr_key)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	bool is_notice = strncmp(tr_id, "H0STCNI", 7) == 0;
	Sub *sub;

	/* Seen on the live system: a foreign HTS id ends the TCP connection, no close frame. */
	if (is_notice && strcmp(tr_key, session->app->hts_id) != 0)
	{
		qts_net_close(conn, false);
		return;
	}
	if (session_sub_index(session, tr_id, tr_key) >= 0)
	{
		session_ack(session, tr_id, tr_key, "1", "OPSP0002", "ALREADY IN SUBSCRIBE", NULL);
		return;
	}
	if (session->n_subs >= QTS_WS_SUBS)
	{
		session_ack(session, tr_id, tr_key, "1", "OPSP0008", "MAX SUBSCRIBE OVER", NULL);
		return;
	}
	sub = &session->subs[session->n_subs++];
	memset(sub, 0, sizeof(*sub));
	qts_text_copy(sub->tr_id, sizeof(sub->tr_id), tr_id);
	qts_text_copy(sub->tr_key, sizeof(sub->tr_key), tr_key);
	sub->is_notice = is_notice;
	sub->symbol = is_notice ? NULL : qts_market_find(tr_key);
	qts_random_text(sub->iv, 16, alphabet);
	qts_random_text(sub->key, 32, alphabet);
	qts_counters.subscriptions++;
	session_ack(session, tr_id, tr_key, "0", "OPSP0000", "SUBSCRIBE SUCCESS", sub);
}

static void
session_unsubscribe(Session *session, const char *tr_id, const char *tr_key)
{
	int i = session_sub_index(session, tr_id, tr_key);

	if (i < 0)
	{
		session_ack(session, tr_id, tr_key, "1", "OPSP0003", "UNSUBSCRIBE ERROR(not found!)", NULL);
		return;
	}
	session->subs[i] = session->subs[--session->n_subs];
	qts_counters.subscriptions--;
	session_ack(session, tr_id, tr_key, "0", "OPSP0001", "UNSUBSCRIBE SUCCESS", NULL);
}

static bool
tr_is_known(const char *tr_id)
{
	bool is_paper = qts_options.is_paper;

	/* Each domain has its own notice channel; paper lacks the NXT and unified ones. */
	if (strcmp(tr_id, is_paper ? "H0STCNI0" : "H0STCNI9") == 0)
		return false;
	if (is_paper &&
		(strncmp(tr_id, "H0UN", 4) == 0 || strncmp(tr_id, "H0NX", 4) == 0 || strcmp(tr_id, "H0STMKO0") == 0))
		return false;
	for (size_t i = 0; i < sizeof(known_trs) / sizeof(known_trs[0]); i++)
		if (strcmp(tr_id, known_trs[i]) == 0)
			return true;
	return false;
}

static void
session_request(Session *session, QtsConn *conn, const json_t *root)
{
	const json_t *header = json_object_get(root, "header");
	const json_t *input = json_object_get(json_object_get(root, "body"), "input");
	const char *approval = qts_json_text(header, "approval_key");
	const char *type = qts_json_text(header, "tr_type");
	const char *tr_id = qts_json_text(input, "tr_id");
	const char *tr_key = qts_json_text(input, "tr_key");

	if (header == NULL)
		session_ack(session, "(null)", "", "9", "OPSP9998", "header not found", NULL);
	else if (qts_json_text(header, "custtype") == NULL)
		session_ack(session, "(null)", "", "9", "OPSP9997", "custtype not found", NULL);
	else if (json_object_get(root, "body") == NULL)
		session_ack(session, "(null)", "", "9", "OPSP9992", "body not found", NULL);
	else if (input == NULL || tr_id == NULL)
		session_ack(session, "(null)", "", "9", "OPSP9991", "input not found", NULL);
	else if (tr_key == NULL || *tr_key == '\0')
		session_ack(session, "(null)", "", "9", "OPSP9990", "tr_key not found", NULL);
	else if (!tr_is_known(tr_id))
		session_ack(session, "(null)", "", "1", "OPSP8991", "invalid tr_id", NULL);
	else if (!session_join(session, conn, approval ? approval : "", tr_id, tr_key))
		return;
	else if (strlen(tr_key) > 15)
		session_ack(session, tr_id, "", "1", "OPSP8993", "invalid tr_key", NULL);
	else if (type != NULL && strcmp(type, "1") == 0)
		session_subscribe(session, conn, tr_id, tr_key);
	else if (type != NULL && strcmp(type, "2") == 0)
		session_unsubscribe(session, tr_id, tr_key);
	else
		session_ack(session, tr_id, tr_key, "1", "OPSP8997", "invalid tr_type", NULL);
}

void
qts_wsapp_message(QtsConn *conn, const char *text, size_t len)
{
	Session *session = session_of(conn);
	json_t *root;
	const char *echoed;

	if (session == NULL || session_is_mute(session))
		return;
	root = json_loadb(text, len, 0, NULL);
	echoed = qts_json_text(json_object_get(root, "header"), "tr_id");
	if (echoed != NULL && strcmp(echoed, "PINGPONG") == 0)
		qts_wsapp_pong(conn);
	else if (root == NULL)
		session_ack(session, "(null)", "", "9", "OPSP9999", "invalid json", NULL);
	else
		session_request(session, conn, root);
	json_decref(root);
}

/* Queue one frame per subscriber; the caller flushes. */
void
qts_wsapp_tick(QtsSymbol *symbol)
{
	static QtsBuf frame;
	bool is_built = false;

	if (mute_data_until > qts_clock_mono())
		return;
	for (int i = 0; i < MAX_SESSIONS; i++)
	{
		Session *session = &sessions[i];

		for (int s = 0; session->is_used && s < session->n_subs; s++)
		{
			Sub *sub = &session->subs[s];

			if (sub->symbol == NULL && !sub->is_notice)
				sub->symbol = qts_market_find(sub->tr_key);
			if (sub->symbol != symbol || strcmp(sub->tr_id, "H0STCNT0") != 0)
				continue;
			if (!is_built)
			{
				frame.len = 0;
				qts_buf_text(&frame, "0|H0STCNT0|001|");
				qts_market_record(symbol, &frame);
				is_built = true;
			}
			session_queue(session, frame.data, frame.len);
			qts_counters.ticks_sent++;
		}
	}
}

/* AES-256-CBC with PKCS#7, then base64, as the ack's key and iv say. */
static bool
notice_seal(const Sub *sub, const char *plain, QtsBuf *out)
{
	static EVP_CIPHER_CTX *cipher;
	unsigned char sealed[1024];
	char text[1400];
	int len = (int) strlen(plain);
	int n = 0;
	int tail = 0;

	if (cipher == NULL)
		cipher = EVP_CIPHER_CTX_new();
	if (cipher == NULL || len > (int) sizeof(sealed) - 16 ||
		EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, (const unsigned char *) sub->key,
						   (const unsigned char *) sub->iv) != 1 ||
		EVP_EncryptUpdate(cipher, sealed, &n, (const unsigned char *) plain, len) != 1 ||
		EVP_EncryptFinal_ex(cipher, sealed + n, &tail) != 1)
		return false;
	EVP_EncodeBlock((unsigned char *) text, sealed, n + tail);
	qts_buf_printf(out, "1|%s|001|%s", sub->tr_id, text);
	return true;
}

/* Send a notice to every session of the HTS id; returns how many got it. */
int
qts_wsapp_notice(const char *hts_id, const char *plain)
{
	static QtsBuf frame;
	int sent = 0;

	for (int i = 0; i < MAX_SESSIONS; i++)
	{
		Session *session = &sessions[i];

		for (int s = 0; session->is_used && s < session->n_subs; s++)
		{
			const Sub *sub = &session->subs[s];

			if (!sub->is_notice || strcmp(sub->tr_key, hts_id) != 0)
				continue;
			frame.len = 0;
			if (!notice_seal(sub, plain, &frame))
				continue;
			session_queue(session, frame.data, frame.len);
			sent++;
		}
	}
	qts_wsapp_flush();
	qts_counters.notices_sent += sent;
	return sent;
}

int
qts_wsapp_text(const char *text, size_t len)
{
	int sent = 0;

	for (int i = 0; i < MAX_SESSIONS; i++)
		if (sessions[i].is_used)
		{
			session_queue(&sessions[i], text, len);
			sent++;
		}
	qts_wsapp_flush();
	return sent;
}

static void
session_fault(Session *session, const char *mode, int64_t until)
{
	QtsConn *conn = session_conn(session);

	if (conn == NULL)
		return;
	if (strcmp(mode, "ws_silence") == 0)
		session->mute_until = until;
	else if (strcmp(mode, "ws_close") == 0)
	{
		static const unsigned char going_away[2] = {0x03, 0xE9};

		qts_ws_queue(conn, 8, going_away, sizeof(going_away));
		conn->close_when_sent = true;
		qts_net_send(conn);
	}
	else
		qts_net_close(conn, strcmp(mode, "ws_rst") == 0);
}

/* Apply a session fault now; ms bounds the lasting ones.  "" lifts them all. */
int
qts_wsapp_fault(const char *mode, int64_t ms)
{
	int64_t until = qts_clock_mono() + ms * 1000;
	int hit = 0;

	if (*mode == '\0')
	{
		refuse_left = silent_pings_until = mute_data_until = 0;
		for (int i = 0; i < MAX_SESSIONS; i++)
			sessions[i].mute_until = 0;
		return 0;
	}
	if (strcmp(mode, "ws_refuse") == 0)
		return (int) (refuse_left = ms);
	if (strcmp(mode, "ws_no_ping") == 0)
		silent_pings_until = until;
	else if (strcmp(mode, "ws_mute_ticks") == 0)
		mute_data_until = until;
	else
		for (int i = 0; i < MAX_SESSIONS; i++)
			if (sessions[i].is_used)
			{
				session_fault(&sessions[i], mode, until);
				hit++;
			}
	return hit;
}

void
qts_wsapp_list(QtsBuf *out)
{
	const char *separator = "";

	qts_buf_text(out, "[");
	for (int i = 0; i < MAX_SESSIONS; i++)
	{
		const Session *session = &sessions[i];

		if (!session->is_used)
			continue;
		qts_buf_printf(out, "%s{\"conn\":%llu,\"hts_id\":", separator, (unsigned long long) session->id);
		qts_buf_json(out, session->app ? session->app->hts_id : "");
		qts_buf_text(out, ",\"subscriptions\":[");
		for (int s = 0; s < session->n_subs; s++)
			qts_buf_printf(out, "%s{\"tr_id\":\"%s\",\"tr_key\":\"%s\"}", s ? "," : "",
						   session->subs[s].tr_id, session->subs[s].tr_key);
		qts_buf_text(out, "]}");
		separator = ",";
	}
	qts_buf_text(out, "]");
}
