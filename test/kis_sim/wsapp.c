/*
 * wsapp.c
 *		The broker's WebSocket sessions: subscriptions, acks, PINGPONG, session faults.
 *
 * Owns the session table.  A session belongs to the application whose approval key
 * it first presents, and an application has at most one.  Frames are queued on the
 * connection and leave in qts_wsapp_flush, so a burst costs one system call.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define PONGS_MISSED 3

static QtsSession sessions[QTS_MAX_SESSIONS];
static int64_t silent_pings_until;

static const char *const known_trs[] = {"H0STCNT0", "H0STASP0", "H0STCNI0", "H0STCNI9",
										"H0STMKO0", "H0UNCNT0", "H0NXCNT0", "H0STANC0"};

QtsSession *
qts_wsapp_at(int index)
{
	return index < QTS_MAX_SESSIONS ? &sessions[index] : NULL;
}

static QtsSession *
session_of(const QtsConn *conn)
{
	for (int i = 0; i < QTS_MAX_SESSIONS; i++)
		if (sessions[i].is_used && sessions[i].id == conn->id)
			return &sessions[i];
	return NULL;
}

QtsConn *
qts_wsapp_conn(const QtsSession *session)
{
	return session->is_used ? qts_net_find(session->fd, session->id) : NULL;
}

static bool
session_is_mute(const QtsSession *session)
{
	return session->mute_until > qts_clock_mono();
}

/* Queue one message in pieces of so many bytes; 0 leaves it to the option. */
void
qts_wsapp_queue(QtsSession *session, const char *text, size_t len, int piece)
{
	QtsConn *conn = qts_wsapp_conn(session);

	if (conn == NULL || session_is_mute(session))
		return;
	qts_ws_queue(conn, 1, text, len, piece);
	session->is_dirty = true;
}

void
qts_wsapp_flush(void)
{
	for (int i = 0; i < QTS_MAX_SESSIONS; i++)
	{
		QtsConn *conn = sessions[i].is_dirty ? qts_wsapp_conn(&sessions[i]) : NULL;

		sessions[i].is_dirty = false;
		if (conn != NULL)
			qts_net_send(conn);
	}
}

static void
session_ping(void *arg, uint64_t tag)
{
	QtsSession *session = arg;
	QtsConn *conn;
	char stamp[20];
	char text[96];
	int len;

	if (!session->is_used || session->id != tag || qts_options.pingpong_ms <= 0)
		return;
	conn = qts_wsapp_conn(session);
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
	qts_wsapp_queue(session, text, (size_t) len, 0);
	qts_wsapp_flush();
}

void
qts_wsapp_open(QtsConn *conn)
{
	for (int i = 0; i < QTS_MAX_SESSIONS; i++)
	{
		QtsSession *session = &sessions[i];

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
	QtsSession *session = session_of(conn);

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
	qts_buf_free(&session->ticks);
	qts_buf_free(&session->notices);
}

void
qts_wsapp_pong(QtsConn *conn)
{
	QtsSession *session = session_of(conn);

	qts_counters.pongs++;
	if (session != NULL)
		session->missed = 0;
}

static void
session_ack(QtsSession *session, const char *tr_id, const char *tr_key, const char *rt_cd, const char *msg_cd,
			const char *msg1, const QtsSub *sub)
{
	QtsBuf text = {0};

	qts_buf_printf(&text, "{\"header\":{\"tr_id\":\"%s\",\"tr_key\":", tr_id);
	qts_buf_json(&text, tr_key);
	qts_buf_printf(&text,
				   ",\"encrypt\":\"%s\"},\"body\":{\"rt_cd\":\"%s\",\"msg_cd\":\"%s\","
				   "\"msg1\":\"%s\"",
				   sub != NULL && sub->channel == QTS_CHANNEL_NOTICE ? "Y" : "N", rt_cd, msg_cd, msg1);
	if (sub != NULL)
		qts_buf_printf(&text, ",\"output\":{\"iv\":\"%s\",\"key\":\"%s\"}", sub->iv, sub->key);
	qts_buf_text(&text, "}}");
	qts_wsapp_queue(session, text.data, text.len, 0);
	qts_buf_free(&text);
	qts_wsapp_flush();
}

/* False when the session may not go on: the answer has been sent. */
static bool
session_join(QtsSession *session, QtsConn *conn, const char *approval, const char *tr_id, const char *tr_key)
{
	QtsApp *app = qts_oauth_approval(approval);
	const QtsFault *refusal;
	const char *how;
	bool is_lingering;

	if (session->app != NULL)
		return true;
	if (app == NULL)
	{
		session_ack(session, tr_id, tr_key, "1", "OPSP0011", "invalid approval : NOT FOUND", NULL);
		return false;
	}
	is_lingering = app->session_free_us > qts_clock_mono();
	refusal = qts_fault_feed("ws_refuse", NULL, NULL, app);
	how = refusal ? qts_json_text(refusal->params, "how") : NULL;
	if (how != NULL && strcmp(how, "drop") == 0)
	{
		qts_net_close(conn, false);
		return false;
	}
	if (refusal != NULL || (app->session != NULL && app->session != conn->ws) || is_lingering)
	{
		session_ack(session, "(null)", "", "9", "OPSP8996", "ALREADY IN USE appkey", NULL);
		if (how == NULL || strcmp(how, "stay") != 0)
		{
			conn->close_when_sent = true;
			qts_net_send(conn);
		}
		return false;
	}
	session->app = app;
	app->session = conn->ws;
	return true;
}

static int
session_sub_index(const QtsSession *session, const char *tr_id, const char *tr_key)
{
	for (int i = 0; i < session->n_subs; i++)
		if (strcmp(session->subs[i].tr_id, tr_id) == 0 && strcmp(session->subs[i].tr_key, tr_key) == 0)
			return i;
	return -1;
}

void
qts_wsapp_new_keys(QtsSub *sub)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";

	qts_random_text(sub->iv, 16, alphabet);
	qts_random_text(sub->key, 32, alphabet);
}

/* The acknowledgement of a subscription that was taken, or what a fault makes of it. */
static void
session_ack_sub(QtsSession *session, QtsSub *sub)
{
	const QtsFault *fault = qts_fault_feed("ack_error", sub->tr_id, sub->tr_key, session->app);
	QtsSub other = *sub;

	if (fault != NULL)
	{
		const char *rt_cd = qts_json_text(fault->params, "rt_cd");
		const char *msg_cd = qts_json_text(fault->params, "msg_cd");
		const char *msg1 = qts_json_text(fault->params, "msg1");

		session_ack(session, sub->tr_id, sub->tr_key, rt_cd ? rt_cd : "1", msg_cd ? msg_cd : "OPSP0007",
					msg1 ? msg1 : "SUBSCRIBE INTERNAL ERROR", NULL);
		qts_counters.subscriptions--;
		session->n_subs--;
		return;
	}
	sub->is_mute = qts_fault_feed("ack_mute", sub->tr_id, sub->tr_key, session->app) != NULL;
	if (qts_fault_feed("ack_lost", sub->tr_id, sub->tr_key, session->app) != NULL)
		return;
	/* The keys of some other subscription: what is told cannot open what is sent. */
	if (qts_fault_feed("ack_other_key", sub->tr_id, sub->tr_key, session->app) != NULL)
		qts_wsapp_new_keys(&other);
	if (qts_fault_feed("ack_no_key", sub->tr_id, sub->tr_key, session->app) != NULL)
		session_ack(session, sub->tr_id, sub->tr_key, "0", "OPSP0000", "SUBSCRIBE SUCCESS", NULL);
	else
		session_ack(session, sub->tr_id, sub->tr_key, "0", "OPSP0000", "SUBSCRIBE SUCCESS", &other);
}

static void
session_subscribe(QtsSession *session, QtsConn *conn, const char *tr_id, const char *tr_key)
{
	bool is_notice = strncmp(tr_id, "H0STCNI", 7) == 0;
	QtsSub *sub;

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
	sub->channel = is_notice						? QTS_CHANNEL_NOTICE
				   : strcmp(tr_id, "H0STCNT0") == 0 ? QTS_CHANNEL_TICK
				   : strcmp(tr_id, "H0STASP0") == 0 ? QTS_CHANNEL_BOOK
				   : strcmp(tr_id, "H0STMKO0") == 0 ? QTS_CHANNEL_STATUS
													: QTS_CHANNEL_SILENT;
	sub->symbol = is_notice ? NULL : qts_market_find(tr_key);
	qts_wsapp_new_keys(sub);
	qts_counters.subscriptions++;
	session_ack_sub(session, sub);
}

static void
session_unsubscribe(QtsSession *session, const char *tr_id, const char *tr_key)
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
session_request(QtsSession *session, QtsConn *conn, const json_t *root)
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
	QtsSession *session = session_of(conn);
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

static void
session_fault(QtsSession *session, const QtsFault *fault, int64_t until)
{
	QtsConn *conn = qts_wsapp_conn(session);
	const char *mode = fault->mode;

	if (conn == NULL)
		return;
	if (strcmp(mode, "ws_silence") == 0)
		session->mute_until = until;
	else if (strcmp(mode, "ws_mute_ticks") == 0)
		session->mute_ticks_until = until;
	else if (strcmp(mode, "ws_mute_notices") == 0)
		session->mute_notices_until = until;
	else if (strcmp(mode, "ws_oversize") == 0)
		qts_feed_oversize(session, qts_json_int(fault->params, "bytes", 1 << 20));
	else if (strcmp(mode, "key_rotate") == 0)
		for (int s = 0; s < session->n_subs; s++)
		{
			qts_wsapp_new_keys(&session->subs[s]);
			if (qts_json_bool(fault->params, "announce", false))
				session_ack(session, session->subs[s].tr_id, session->subs[s].tr_key, "0", "OPSP0000",
							"SUBSCRIBE SUCCESS", &session->subs[s]);
		}
	else if (strcmp(mode, "ws_close") == 0)
	{
		static const unsigned char going_away[2] = {0x03, 0xE9};

		qts_ws_queue(conn, 8, going_away, sizeof(going_away), 0);
		conn->close_when_sent = true;
		qts_net_send(conn);
	}
	else
		qts_net_close(conn, strcmp(mode, "ws_rst") == 0);
}

/* Apply a session fault now; ms bounds the lasting ones.  Returns how many it hit. */
int
qts_wsapp_fault(const QtsFault *fault, int64_t ms)
{
	int64_t until = qts_clock_mono() + ms * 1000;
	QtsSymbol *symbol = fault->symbol[0] ? qts_market_find(fault->symbol) : NULL;
	int hit = 0;

	if (strcmp(fault->mode, "ws_no_ping") == 0)
		silent_pings_until = until;
	else if (strcmp(fault->mode, "ws_mute_ticks") == 0 && fault->account[0] == '\0')
	{
		if (symbol != NULL)
			symbol->mute_until_us = until;
		else
			qts_feed_mute(until);
		return 1;
	}
	else
		for (int i = 0; i < QTS_MAX_SESSIONS; i++)
			if (sessions[i].is_used && qts_fault_concerns(fault, sessions[i].app))
			{
				session_fault(&sessions[i], fault, until);
				hit++;
			}
	qts_wsapp_flush();
	return hit;
}

/* Close the sessions of an application that is about to go. */
void
qts_wsapp_close_app(const QtsApp *app)
{
	for (int i = 0; i < QTS_MAX_SESSIONS; i++)
		if (sessions[i].is_used && sessions[i].app == app && qts_wsapp_conn(&sessions[i]) != NULL)
			qts_net_close(qts_wsapp_conn(&sessions[i]), false);
}

/* Lift every lasting session fault. */
void
qts_wsapp_calm(void)
{
	QtsSymbol *symbol;

	silent_pings_until = 0;
	qts_feed_mute(0);
	for (int i = 0; (symbol = qts_market_at(i)) != NULL; i++)
		symbol->mute_until_us = 0;
	for (int i = 0; i < QTS_MAX_SESSIONS; i++)
	{
		QtsSession *session = &sessions[i];

		session->mute_until = session->mute_ticks_until = session->mute_notices_until = 0;
		for (int s = 0; s < session->n_subs; s++)
			session->subs[s].is_mute = false;
	}
}

void
qts_wsapp_list(QtsBuf *out)
{
	const char *separator = "";

	qts_buf_text(out, "[");
	for (int i = 0; i < QTS_MAX_SESSIONS; i++)
	{
		const QtsSession *session = &sessions[i];

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
