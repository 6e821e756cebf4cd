/*-------------------------------------------------------------------------
 *
 * http.c
 *		libcurl's multi interface behind http.h.
 *
 * Owns the multi handle, its two descriptors and a pool of easy handles; the
 * connection cache of the multi handle keeps TCP and TLS warm between
 * requests.  Callbacks copy bytes and set flags.  Single thread, malloc only.
 *
 * libcurl re-sends a request by itself when a reused connection dies before
 * the first answer byte.  A `once` body is therefore read through a callback
 * whose seek always fails: the library cannot rewind it and reports an error
 * instead.  Such a body leaves in a write of its own after the header; the
 * socket is corked between the two, so that they are one packet.
 *
 *-------------------------------------------------------------------------
 */
#include "net/guard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <curl/curl.h>

#include "net/cork.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/net.h"
#include "shm/point.h"

#define HTTP_POOL 64 /* idle easy handles kept */
#define HTTP_CONNECTIONS 128L
#define HTTP_IDLE_S 600L /* reuse a connection idle for less */
#define HTTP_KEEP_BUFFER ((size_t) 64 * 1024)
#define HTTP_KEPT 64

struct QtsHttp
{
	CURL *easy;
	struct curl_slist *headers;
	QtsHttpDone done;
	void *arg;
	bool plain;
	bool once;
	bool too_big;
	char *body; /* request, owned */
	size_t body_len;
	size_t body_at;
	char *answer;
	size_t answer_len;
	size_t answer_size;
	char keep_name[32];
	char kept[HTTP_KEPT];
	int64_t sent_us;
	QtsHttp *prev;
	QtsHttp *next;
};

static CURLM *http_multi;
static int http_timer = -1;
static int http_wake = -1; /* readable: a request ended inside qts_http_send */
static QtsHttp *http_live; /* in flight */
static int http_live_count;
static QtsHttp *http_idle; /* pool, linked by next */
static int http_idle_count;
static int64_t http_want = -1;	/* when the library wants to be called, CLOCK_MONOTONIC us; -1 = not */
static int64_t http_armed = -1; /* when the timer goes off */

/*
 * The timer may go off early, and then sets itself anew; so it need not follow
 * each request, whose deadline is nearly always later than the one before.
 */
static void
http_arm(void)
{
	struct itimerspec at = {0};

	if (http_want < 0 || (http_armed >= 0 && http_armed <= http_want))
		return;
	at.it_value.tv_sec = http_want / 1000000;
	at.it_value.tv_nsec = http_want % 1000000 * 1000;
	(void) timerfd_settime(http_timer, TFD_TIMER_ABSTIME, &at, NULL);
	http_armed = http_want;
}

/* Every call into the library that may write; what it has written leaves at the end of it. */
static void
http_act(curl_socket_t fd, int what, int *running)
{
	/* what is due is told now; the library asks for the next, and says nothing when there is none */
	if (fd == CURL_SOCKET_TIMEOUT && http_want >= 0 && http_want <= qts_mono_us())
		http_want = -1;
	QTS_NET_CALL(curl_multi_socket_action(http_multi, fd, what, running));
	qts_cork_release();
	http_arm();
}

static void
http_socket_ready(int fd, uint32_t events)
{
	int running;
	int what = ((events & EPOLLIN) ? CURL_CSELECT_IN : 0) | ((events & EPOLLOUT) ? CURL_CSELECT_OUT : 0) |
			   ((events & (EPOLLERR | EPOLLHUP)) ? CURL_CSELECT_ERR : 0);

	http_act(fd, what, &running);
}

static void
http_timer_ready(int fd, uint32_t events)
{
	uint64_t ticks;
	int running;

	(void) events;
	if (read(fd, &ticks, sizeof(ticks)) < 0)
		return;
	http_armed = -1;
	if (http_want >= 0 && http_want <= qts_mono_us())
		http_act(CURL_SOCKET_TIMEOUT, 0, &running);
	else
		http_arm();
}

static void
http_wake_ready(int fd, uint32_t events)
{
	uint64_t count;

	(void) events;
	(void) !read(fd, &count, sizeof(count));
}

static int
http_on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	(void) easy;
	(void) arg;
	(void) socket_arg;
	if (what == CURL_POLL_REMOVE)
	{
		qts_net_forget(fd);
		return 0;
	}
	return qts_net_watch(fd, ((what & CURL_POLL_IN) ? EPOLLIN : 0) | ((what & CURL_POLL_OUT) ? EPOLLOUT : 0),
						 http_socket_ready)
			   ? 0
			   : -1;
}

static int
http_on_timer(CURLM *multi, long ms, void *arg)
{
	(void) multi;
	(void) arg;
	http_want = ms < 0 ? -1 : qts_mono_us() + ms * INT64_C(1000);
	return 0;
}

static size_t
http_on_read(char *to, size_t size, size_t count, void *arg)
{
	QtsHttp *http = arg;
	size_t n = http->body_len - http->body_at;

	if (n > size * count)
		n = size * count;
	QTS_POINT("net.body");
	memcpy(to, http->body + http->body_at, n);
	http->body_at += n;
	if (n > 0 && http->body_at == http->body_len)
		http->sent_us = qts_mono_us();
	return n;
}

static int
http_on_seek(void *arg, curl_off_t offset, int origin)
{
	(void) arg;
	(void) offset;
	(void) origin;
	return CURL_SEEKFUNC_FAIL;
}

static size_t
http_on_write(char *from, size_t size, size_t count, void *arg)
{
	QtsHttp *http = arg;
	size_t n = size * count;

	if (n > QTS_HTTP_MAX_BODY - http->answer_len)
	{
		http->too_big = true;
		return 0;
	}
	if (http->answer_len + n + 1 > http->answer_size)
	{
		size_t want = http->answer_size ? http->answer_size : 4096;
		char *buffer;

		while (want < http->answer_len + n + 1)
			want *= 2;
		buffer = realloc(http->answer, want);
		if (!buffer)
			return 0;
		http->answer = buffer;
		http->answer_size = want;
	}
	memcpy(http->answer + http->answer_len, from, n);
	http->answer_len += n;
	http->answer[http->answer_len] = '\0';
	return n;
}

static size_t
http_on_header(char *line, size_t size, size_t count, void *arg)
{
	QtsHttp *http = arg;
	size_t n = size * count;
	size_t name = strlen(http->keep_name);
	size_t from = name + 1;
	size_t to = n;

	if (name == 0 || n <= name || line[name] != ':' || strncasecmp(line, http->keep_name, name) != 0)
		return n;
	while (from < to && (line[from] == ' ' || line[from] == '\t'))
		from++;
	while (to > from && strchr(" \t\r\n", line[to - 1]))
		to--;
	if (to - from >= sizeof(http->kept))
		to = from + sizeof(http->kept) - 1;
	memcpy(http->kept, line + from, to - from);
	http->kept[to - from] = '\0';
	return n;
}

static int
http_on_created(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	(void) arg;
	(void) purpose;
	qts_cork_know(fd);
	return CURL_SOCKOPT_OK;
}

/* The last word on plain http: the address really connected to. */
static int
http_on_connected(void *arg, char *peer, char *local, int peer_port, int local_port)
{
	QtsHttp *http = arg;

	(void) local;
	(void) peer_port;
	if (http->plain && !qts_net_is_loopback(peer))
		return CURL_PREREQFUNC_ABORT;
	if (http->once && http->body)
		qts_cork_hold(local_port);
	return CURL_PREREQFUNC_OK;
}

bool
qts_http_start(const char **why)
{
	*why = "could not set up libcurl";
	if (curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK)
		return false;
	http_multi = curl_multi_init();
	http_timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	http_wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return http_multi && http_timer >= 0 && http_wake >= 0 &&
		   qts_net_watch(http_timer, EPOLLIN, http_timer_ready) &&
		   qts_net_watch(http_wake, EPOLLIN, http_wake_ready) &&
		   curl_multi_setopt(http_multi, CURLMOPT_SOCKETFUNCTION, http_on_socket) == CURLM_OK &&
		   curl_multi_setopt(http_multi, CURLMOPT_TIMERFUNCTION, http_on_timer) == CURLM_OK &&
		   curl_multi_setopt(http_multi, CURLMOPT_PIPELINING, (long) CURLPIPE_NOTHING) == CURLM_OK &&
		   curl_multi_setopt(http_multi, CURLMOPT_MAXCONNECTS, HTTP_CONNECTIONS) == CURLM_OK;
}

static void
http_free(QtsHttp *http)
{
	if (http->easy)
		curl_easy_cleanup(http->easy);
	free(http->answer);
	free(http);
}

/* Wipe what may hold keys and return the handle to the pool. */
static void
http_recycle(QtsHttp *http)
{
	for (struct curl_slist *s = http->headers; s; s = s->next)
		explicit_bzero(s->data, strlen(s->data));
	curl_slist_free_all(http->headers);
	http->headers = NULL;
	if (http->body)
		explicit_bzero(http->body, http->body_len);
	free(http->body);
	http->body = NULL;
	if (http->answer_len)
		explicit_bzero(http->answer, http->answer_len);
	if (http->answer_size > HTTP_KEEP_BUFFER || http_idle_count >= HTTP_POOL)
	{
		free(http->answer);
		http->answer = NULL;
		http->answer_size = 0;
	}
	if (http_idle_count >= HTTP_POOL)
	{
		http_free(http);
		return;
	}
	http->next = http_idle;
	http_idle = http;
	http_idle_count++;
}

static void
http_unlink(QtsHttp *http)
{
	if (http->prev)
		http->prev->next = http->next;
	else
		http_live = http->next;
	if (http->next)
		http->next->prev = http->prev;
	http_live_count--;
}

void
qts_http_cancel(QtsHttp *http)
{
	QTS_NET_CALL(curl_multi_remove_handle(http_multi, http->easy));
	http_arm();
	http_unlink(http);
	http_recycle(http);
}

void
qts_http_stop(void)
{
	while (http_live)
		qts_http_cancel(http_live);
	while (http_idle)
	{
		QtsHttp *http = http_idle;

		http_idle = http->next;
		http_free(http);
	}
	http_idle_count = 0;
	if (http_multi)
		QTS_NET_CALL(curl_multi_cleanup(http_multi));
	http_multi = NULL;
	if (http_timer >= 0)
	{
		qts_net_forget(http_timer);
		close(http_timer);
	}
	if (http_wake >= 0)
	{
		qts_net_forget(http_wake);
		close(http_wake);
	}
	http_timer = http_wake = -1;
	http_want = http_armed = -1;
	qts_cork_forget();
	curl_global_cleanup();
}

int
qts_http_in_flight(void)
{
	return http_live_count;
}

/* Is the address one we may talk to, and is it plain http? */
static bool
http_address_ok(const char *url, bool *plain)
{
	CURLU *parts = curl_url();
	char *scheme = NULL;
	char *host = NULL;
	bool ok = false;

	if (parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
		curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
		curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK)
	{
		*plain = strcmp(scheme, "http") == 0;
		ok = *plain ? qts_net_is_loopback(host) : strcmp(scheme, "https") == 0;
	}
	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(parts);
	return ok;
}

static bool
http_add_header(QtsHttp *http, const char *line)
{
	struct curl_slist *list = curl_slist_append(http->headers, line);

	if (!list)
		return false;
	http->headers = list;
	return true;
}

static bool
http_set_body(QtsHttp *http, const QtsHttpRequest *request)
{
	CURL *e = http->easy;
	bool ok;

	http->body = malloc(request->body_len + 1);
	if (!http->body)
		return false;
	memcpy(http->body, request->body, request->body_len);
	http->body_len = request->body_len;
	ok = curl_easy_setopt(e, CURLOPT_POST, 1L) == CURLE_OK &&
		 curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, (long) request->body_len) == CURLE_OK;
	if (!request->once)
		return ok && curl_easy_setopt(e, CURLOPT_POSTFIELDS, http->body) == CURLE_OK;
	return ok && curl_easy_setopt(e, CURLOPT_READFUNCTION, http_on_read) == CURLE_OK &&
		   curl_easy_setopt(e, CURLOPT_READDATA, http) == CURLE_OK &&
		   curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, http_on_seek) == CURLE_OK;
}

static bool
http_set_options(QtsHttp *http, const QtsHttpRequest *request)
{
	CURL *e = http->easy;

	/* an Expect round trip would cost one; an empty value removes the header */
	if (!http_add_header(http, "Expect:"))
		return false;
	for (int i = 0; i < QTS_HTTP_MAX_HEADERS && request->headers[i]; i++)
	{
		if (!http_add_header(http, request->headers[i]))
			return false;
	}
	if (request->body && !http_set_body(http, request))
		return false;
	return curl_easy_setopt(e, CURLOPT_URL, request->url) == CURLE_OK &&
		   curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, http->plain ? "http" : "https") == CURLE_OK &&
		   curl_easy_setopt(e, CURLOPT_HTTPHEADER, http->headers) == CURLE_OK &&
		   curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1) == CURLE_OK &&
		   curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
		   curl_easy_setopt(e, CURLOPT_NOPROXY, "*") == CURLE_OK &&
		   curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
		   curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L) == CURLE_OK &&
		   curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK &&
		   curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, HTTP_IDLE_S) == CURLE_OK &&
		   curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
		   curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
		   curl_easy_setopt(e, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
		   curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long) request->connect_ms) == CURLE_OK &&
		   curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long) request->timeout_ms) == CURLE_OK &&
		   curl_easy_setopt(e, CURLOPT_HTTP09_ALLOWED, 0L) == CURLE_OK &&
		   curl_easy_setopt(e, CURLOPT_PRIVATE, http) == CURLE_OK &&
		   curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, http_on_created) == CURLE_OK &&
		   curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, http_on_connected) == CURLE_OK &&
		   curl_easy_setopt(e, CURLOPT_PREREQDATA, http) == CURLE_OK &&
		   curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, http_on_header) == CURLE_OK &&
		   curl_easy_setopt(e, CURLOPT_HEADERDATA, http) == CURLE_OK &&
		   curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, http_on_write) == CURLE_OK &&
		   curl_easy_setopt(e, CURLOPT_WRITEDATA, http) == CURLE_OK;
}

/* A handle with everything of its last use cleared but the answer buffer. */
static QtsHttp *
http_take(void)
{
	QtsHttp *http = http_idle;
	QtsHttp fresh = {0};

	if (!http)
	{
		http = calloc(1, sizeof(QtsHttp));
		if (http)
			http->easy = curl_easy_init();
		if (http && !http->easy)
		{
			free(http);
			http = NULL;
		}
		return http;
	}
	http_idle = http->next;
	http_idle_count--;
	fresh.easy = http->easy;
	fresh.answer = http->answer;
	fresh.answer_size = http->answer_size;
	*http = fresh;
	curl_easy_reset(http->easy);
	return http;
}

QtsHttp *
qts_http_send(const QtsHttpRequest *request, QtsHttpDone done, void *arg)
{
	QtsHttp *http;
	CURLMcode rc = CURLM_OK;
	bool plain;
	uint64_t one = 1;
	int running;

	if (!http_multi || http_live_count >= QTS_HTTP_MAX_IN_FLIGHT || !http_address_ok(request->url, &plain) ||
		!(http = http_take()))
		return NULL;
	http->done = done;
	http->arg = arg;
	http->plain = plain;
	http->once = request->once;
	if (request->keep_header && strlen(request->keep_header) < sizeof(http->keep_name))
		strcpy(http->keep_name, request->keep_header);
	if (http_set_options(http, request))
		QTS_NET_CALL(rc = curl_multi_add_handle(http_multi, http->easy));
	else
		rc = CURLM_OUT_OF_MEMORY;
	if (rc != CURLM_OK)
	{
		http_recycle(http);
		return NULL;
	}
	http->next = http_live;
	if (http_live)
		http_live->prev = http;
	http_live = http;
	http_live_count++;

	/* do not wait for the timer: on a warm connection the bytes leave here */
	http_act(CURL_SOCKET_TIMEOUT, 0, &running);
	/* already over: make the wait return; the timer is the library's, leave it alone */
	if (running < http_live_count)
		(void) !write(http_wake, &one, sizeof(one));
	return http;
}

static void
http_finish(QtsHttp *http, CURLcode result)
{
	QtsHttpAnswer answer = {.body = "", .kept = http->kept, .error = ""};
	long status = 0;
	long written = 0;

	answer.done_us = qts_mono_us();
	(void) curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
	(void) curl_easy_getinfo(http->easy, CURLINFO_REQUEST_SIZE, &written);
	answer.status = (int) status;
	answer.sent_us = http->sent_us;
	if (result == CURLE_OK)
	{
		answer.fate = QTS_HTTP_ANSWERED;
		if (http->answer_len)
			answer.body = http->answer;
		answer.body_len = http->answer_len;
	}
	else
	{
		/* proof, not a list of error codes: neither a header nor a body byte was written */
		answer.fate = written == 0 && http->body_at == 0 ? QTS_HTTP_NEVER_SENT : QTS_HTTP_LOST;
		if (http->too_big)
			answer.error = "the answer is too large";
		else if (result == CURLE_SEND_FAIL_REWIND)
			answer.error = "the connection was lost before an answer";
		else
			answer.error = curl_easy_strerror(result);
	}
	QTS_NET_CALL(curl_multi_remove_handle(http_multi, http->easy));
	http_arm();
	http_unlink(http);
	http->done(http->arg, &answer);
	http_recycle(http);
}

void
qts_http_collect(void)
{
	CURLMsg *message;
	int left;

	while (http_live_count > 0 && (message = curl_multi_info_read(http_multi, &left)) != NULL)
	{
		QtsHttp *http = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void) curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **) &http);
		http_finish(http, message->data.result);
	}
}
