/*-------------------------------------------------------------------------
 *
 * ws.c
 *		libwebsockets behind ws.h.
 *
 * The 4.1 library of Debian has no hooks for a foreign loop, but one service
 * call with a negative timeout is one pass that never blocks.  Our epoll set
 * therefore holds the sockets as hints only: readiness of one means a pass.
 * Between the start of a connection and its end the pass runs on a short
 * tick as well.
 *
 * Owns the context and the list of connections.  A connection is freed after
 * the library's last callback about it.  Single thread, malloc only.
 *
 *-------------------------------------------------------------------------
 */
#include "net/guard.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include <libwebsockets.h>

#include "net/loop.h"
#include "net/net.h"
#include "net/ws.h"

#define WS_READ_BUFFER 65536
#define WS_TICK_MS 10	/* connecting, closing or held back while writing */
#define WS_IDLE_MS 1000 /* the library's own timers */
#define WS_PASSES 64	/* buffered input of one drain */
#define WS_ANSWERS 4	/* writes asked for by what was just read */
#define WS_HOST 256
#define WS_FDS 32 /* tables of the library, else as large as the ulimit */

typedef struct WsOut
{
	struct WsOut *next;
	size_t len;
	unsigned char data[]; /* LWS_PRE bytes of room, then the text */
} WsOut;

struct QtsWs
{
	struct lws *wsi;
	QtsWsHandlers on;
	void *arg;
	int fd;		   /* -1 = not watched */
	bool starting; /* inside the library's connect call */
	bool up;
	bool paused;
	bool closing;	/* we say goodbye */
	bool forgotten; /* no handler any more */
	bool peer_closed;
	bool over;	  /* down was reported */
	char *buffer; /* fragments of the message under way */
	size_t buffered;
	size_t buffer_size;
	WsOut *out_first;
	WsOut *out_last;
	int out_count;
	QtsWs *next;
};

static struct lws_context *ws_context;
static QtsWs *ws_list;
static int ws_count;
static bool ws_due;		/* run a pass at the next drain */
static int64_t ws_next; /* monotonic us of the next pass without a hint */
static int64_t ws_mono; /* start of the pass */

static void
ws_ready(int fd, uint32_t events)
{
	(void) fd;
	(void) events;
	ws_due = true;
}

static void
ws_log(int level, const char *line)
{
	(void) level;
	(void) line;
}

static void
ws_free(QtsWs *ws)
{
	while (ws->out_first)
	{
		WsOut *out = ws->out_first;

		ws->out_first = out->next;
		explicit_bzero(out->data, LWS_PRE + out->len);
		free(out);
	}
	free(ws->buffer);
	free(ws);
}

/* Free what the library has let go of; only between its calls. */
static void
ws_sweep(void)
{
	QtsWs **link = &ws_list;

	while (*link)
	{
		QtsWs *ws = *link;

		if (!ws->over || ws->wsi)
		{
			link = &ws->next;
			continue;
		}
		*link = ws->next;
		ws_count--;
		ws_free(ws);
	}
}

static void
ws_report_down(QtsWs *ws, const char *why)
{
	if (ws->over)
		return;
	ws->over = true;
	if (ws->fd >= 0)
		qts_net_forget(ws->fd);
	ws->fd = -1;
	if (!ws->forgotten && !ws->starting)
		ws->on.down(ws->arg, ws->up, ws->peer_closed, why);
}

static bool
ws_append(QtsWs *ws, const char *from, size_t len)
{
	if (len > QTS_WS_MAX_MESSAGE - ws->buffered)
		return false;
	if (ws->buffered + len > ws->buffer_size)
	{
		size_t want = ws->buffer_size ? ws->buffer_size : 4096;
		char *buffer;

		while (want < ws->buffered + len)
			want *= 2;
		buffer = realloc(ws->buffer, want);
		if (!buffer)
			return false;
		ws->buffer = buffer;
		ws->buffer_size = want;
	}
	memcpy(ws->buffer + ws->buffered, from, len);
	ws->buffered += len;
	return true;
}

/* Join fragments; a message that came whole is handed on where it lies. */
static bool
ws_receive(QtsWs *ws, struct lws *wsi, const char *in, size_t len)
{
	bool last = lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0;
	bool ok;

	if (ws->forgotten)
		return true;
	if (last && ws->buffered == 0)
		return ws->on.message(ws->arg, in, len, ws_mono);
	if (!ws_append(ws, in, len))
		return false;
	if (!last)
		return true;
	ok = ws->on.message(ws->arg, ws->buffer, ws->buffered, ws_mono);
	ws->buffered = 0;
	return ok;
}

static bool
ws_write(QtsWs *ws, struct lws *wsi)
{
	WsOut *out = ws->out_first;
	int written;

	if (!out)
		return true;
	written = lws_write(wsi, out->data + LWS_PRE, out->len, LWS_WRITE_TEXT);
	ws->out_first = out->next;
	if (!ws->out_first)
		ws->out_last = NULL;
	ws->out_count--;
	explicit_bzero(out->data, LWS_PRE + out->len);
	free(out);
	if (ws->out_first)
		lws_callback_on_writable(wsi);
	return written >= 0;
}

static int
ws_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	QtsWs *ws = user;

	if (!ws)
		return 0;
	switch (reason)
	{
		case LWS_CALLBACK_CLIENT_ESTABLISHED:
			ws->up = true;
			ws->fd = lws_get_socket_fd(wsi);
			if (ws->forgotten || !qts_net_watch(ws->fd, EPOLLIN | EPOLLRDHUP, ws_ready))
				return -1;
			ws->on.up(ws->arg);
			return 0;
		case LWS_CALLBACK_CLIENT_RECEIVE:
			return ws_receive(ws, wsi, in, len) ? 0 : -1;
		case LWS_CALLBACK_CLIENT_WRITEABLE:
			if (!ws->closing)
				return ws_write(ws, wsi) ? 0 : -1;
			lws_close_reason(wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
			return -1;
		case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
			ws->peer_closed = true;
			return 0;
		case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
			ws_report_down(ws, "could not connect");
			return 0;
		case LWS_CALLBACK_CLIENT_CLOSED:
			ws_report_down(ws, ws->peer_closed ? "closed by the peer" : "connection lost");
			return 0;
		case LWS_CALLBACK_WSI_DESTROY:
			ws_report_down(ws, "connection lost");
			ws->wsi = NULL;
			return 0;
		default:
			return 0;
	}
}

static const struct lws_protocols ws_protocols[] = {{"qts", ws_callback, 0, WS_READ_BUFFER, 0, NULL, 0},
													{NULL, NULL, 0, 0, 0, NULL, 0}};

/* The context costs memory and file descriptors: only for who connects. */
static bool
ws_open_context(void)
{
	struct lws_context_creation_info info = {0};

	if (ws_context)
		return true;
	lws_set_log_level(LLL_ERR, ws_log);
	info.port = CONTEXT_PORT_NO_LISTEN;
	info.protocols = ws_protocols;
	info.gid = (gid_t) -1;
	info.uid = (uid_t) -1;
	info.pt_serv_buf_size = WS_READ_BUFFER;
	info.fd_limit_per_thread = WS_FDS;
	info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
	QTS_NET_CALL(ws_context = lws_create_context(&info));
	return ws_context != NULL;
}

bool
qts_ws_start(const char **why)
{
	(void) why;
	ws_due = false;
	ws_next = 0;
	return true;
}

void
qts_ws_stop(void)
{
	for (QtsWs *ws = ws_list; ws; ws = ws->next)
		ws->forgotten = true;
	if (ws_context)
		QTS_NET_CALL(lws_context_destroy(ws_context));
	ws_context = NULL;
	while (ws_list)
	{
		QtsWs *ws = ws_list;

		ws_list = ws->next;
		ws_free(ws);
	}
	ws_count = 0;
}

static bool
ws_split_url(char *url, const char **scheme, const char **host, int *port, const char **path,
			 const char **why)
{
	*why = "the WebSocket address is not usable";
	if (lws_parse_uri(url, scheme, host, port, path) != 0 || (*host)[0] == '\0' || *port <= 0 ||
		*port > 65535)
		return false;
	return strcmp(*scheme, "ws") == 0 || strcmp(*scheme, "wss") == 0;
}

QtsWs *
qts_ws_connect(const char *url, bool plain_allowed, const QtsWsHandlers *on, void *arg, const char **why)
{
	struct lws_client_connect_info info = {0};
	char copy[WS_HOST + 512];
	char path[514];
	char host_header[WS_HOST + 8];
	const char *scheme;
	const char *host;
	const char *rest;
	int port;
	QtsWs *ws;
	struct lws *wsi;

	*why = "too many connections or out of memory";
	if (ws_count >= QTS_WS_MAX_CONNECTIONS || strlen(url) >= sizeof(copy) || !ws_open_context())
		return NULL;
	strcpy(copy, url);
	if (!ws_split_url(copy, &scheme, &host, &port, &rest, why) || strlen(host) >= WS_HOST ||
		strlen(rest) >= sizeof(path) - 1)
		return NULL;
	if (strcmp(scheme, "ws") == 0 && !plain_allowed && !qts_net_is_loopback(host))
	{
		*why = "plain ws is accepted only for loopback addresses";
		return NULL;
	}
	ws = calloc(1, sizeof(QtsWs));
	if (!ws)
		return NULL;
	ws->on = *on;
	ws->arg = arg;
	ws->fd = -1;
	path[0] = '/';
	strcpy(path + 1, rest[0] == '/' ? rest + 1 : rest);
	lws_snprintf(host_header, sizeof(host_header), "%s:%d", host, port);
	info.context = ws_context;
	info.address = host;
	info.port = port;
	info.path = path;
	info.host = host_header;
	info.ssl_connection = strcmp(scheme, "wss") == 0 ? LCCSCF_USE_SSL : 0;
	info.local_protocol_name = "qts";
	info.userdata = ws;
	ws->starting = true;
	QTS_NET_CALL(wsi = lws_client_connect_via_info(&info));
	ws->starting = false;
	*why = "could not connect";
	if (!wsi)
	{
		ws_free(ws);
		return NULL;
	}
	ws->wsi = wsi;
	ws->next = ws_list;
	ws_list = ws;
	ws_count++;
	ws_due = true;
	ws->forgotten = ws->over; /* failed at once: swept when the library lets go */
	return ws->over ? NULL : ws;
}

bool
qts_ws_send(QtsWs *ws, const char *message, size_t len)
{
	WsOut *out;

	if (ws->over || ws->closing || !ws->up || len == 0 || len > QTS_WS_MAX_OUT ||
		ws->out_count >= QTS_WS_MAX_QUEUE)
		return false;
	out = malloc(sizeof(WsOut) + LWS_PRE + len);
	if (!out)
		return false;
	out->next = NULL;
	out->len = len;
	memset(out->data, 0, LWS_PRE);
	memcpy(out->data + LWS_PRE, message, len);
	if (ws->out_last)
		ws->out_last->next = out;
	else
		ws->out_first = out;
	ws->out_last = out;
	ws->out_count++;
	lws_callback_on_writable(ws->wsi);
	ws_due = true;
	return true;
}

void
qts_ws_pause(QtsWs *ws, bool paused)
{
	if (ws->over || !ws->up || ws->paused == paused)
		return;
	ws->paused = paused;
	(void) lws_rx_flow_control(ws->wsi, paused ? 0 : 1);
	/* a readable socket nobody reads would keep the wait from sleeping */
	(void) qts_net_watch(ws->fd, paused ? 0 : EPOLLIN | EPOLLRDHUP, ws_ready);
	ws_due = true;
}

void
qts_ws_close(QtsWs *ws)
{
	ws->forgotten = true;
	ws->closing = true;
	if (ws->over)
		return;
	if (ws->up)
	{
		if (ws->paused)
			qts_ws_pause(ws, false);
		lws_callback_on_writable(ws->wsi);
	}
	else
		lws_set_timeout(ws->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
	ws_due = true;
	qts_ws_service();
}

void
qts_ws_service(void)
{
	if (!ws_list)
		return;
	ws_mono = qts_mono_us();
	if (!ws_due && ws_mono < ws_next)
		return;
	ws_due = true;
	for (int round = 0; ws_due && round < WS_ANSWERS; round++)
	{
		ws_due = false;
		QTS_NET_CALL(lws_service(ws_context, -1));
		for (int i = 0; i < WS_PASSES && lws_service_adjust_timeout(ws_context, 1, 0) == 0; i++)
			QTS_NET_CALL(lws_service(ws_context, -1));
	}
	ws_sweep();
	ws_next = ws_mono + qts_ws_timeout_ms() * 1000;
}

long
qts_ws_timeout_ms(void)
{
	if (!ws_list)
		return -1;
	if (ws_due)
		return 0;
	for (QtsWs *ws = ws_list; ws; ws = ws->next)
	{
		if (!ws->up || ws->closing || ws->out_first)
			return WS_TICK_MS;
	}
	return WS_IDLE_MS;
}
