/*-------------------------------------------------------------------------
 *
 * net_test.c
 *		HTTP and WebSocket shells against a server with bad manners.
 *
 *-------------------------------------------------------------------------
 */
#include <netinet/in.h>
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/http.h"
#include "net/net.h"
#include "net/ws.h"
#include "net_server.h"
#include "tap.h"

#define WAIT_US INT64_C(10000000) /* longer than anything here may take */

static int port;

typedef struct Result
{
	bool done;
	QtsHttpFate fate;
	int status;
	char body[64];
	char kept[16];
	int64_t sent_us;
} Result;

static void
on_done(void *arg, const QtsHttpAnswer *answer)
{
	Result *r = arg;

	r->done = true;
	r->fate = answer->fate;
	r->status = answer->status;
	r->sent_us = answer->sent_us;
	snprintf(r->body, sizeof(r->body), "%s", answer->body);
	snprintf(r->kept, sizeof(r->kept), "%s", answer->kept);
}

/* As a worker does: sleep on the one descriptor, then drain. */
static void
turn(void)
{
	struct pollfd p = {.fd = qts_net_fd(), .events = POLLIN};
	long ms = qts_net_timeout_ms();

	(void) poll(&p, 1, ms < 0 || ms > 100 ? 100 : (int) ms);
	qts_net_drain();
}

static bool
wait_for(const bool *flag)
{
	int64_t until = qts_mono_us() + WAIT_US;

	while (!*flag && qts_mono_us() < until)
		turn();
	return *flag;
}

static Result
fetch_url(const char *url, const char *body, bool once, int timeout_ms)
{
	Result r = {0};
	QtsHttpRequest request = {.url = url,
							  .body = body,
							  .body_len = body ? strlen(body) : 0,
							  .once = once,
							  .connect_ms = timeout_ms,
							  .timeout_ms = timeout_ms,
							  .keep_header = "tr_cont",
							  .headers = {"content-type: application/json"}};

	if (qts_http_send(&request, on_done, &r))
		ok(wait_for(&r.done), "%s %s ends", body ? "POST" : "GET", strrchr(url, '/'));
	return r;
}

static Result
fetch(const char *path, const char *body, bool once)
{
	char url[128];

	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", port, path);
	return fetch_url(url, body, once, 3000);
}

static void
test_keep_alive(void)
{
	Result r;
	int before = net_server_connections;

	for (int i = 0; i < 5; i++)
		r = fetch("/ok", i % 2 ? "{}" : NULL, true);
	ok(r.fate == QTS_HTTP_ANSWERED && r.status == 200 && strcmp(r.body, "hello") == 0, "answer");
	tap_is_text(r.kept, "M", "header kept, any case, trimmed");
	tap_is(net_server_connections - before, 1, "five requests, one connection");
}

static void
test_at_most_once(void)
{
	int before = net_server_posts;
	int warm = net_server_warm_posts;
	Result r = fetch("/ok", NULL, false);

	r = fetch("/drop", "{\"order\":1}", true);
	ok(r.fate == QTS_HTTP_LOST && r.sent_us > 0, "dropped on a warm connection: lost");
	tap_is(net_server_warm_posts - warm, 1, "it was the warm one");
	tap_is(net_server_posts - before, 1, "one POST");
	/* what the rule is for: the same without it reaches the server twice */
	before = net_server_posts;
	(void) fetch("/ok", NULL, false);
	r = fetch("/drop_if_warm", "{\"order\":1}", false);
	tap_is(net_server_posts - before, 2, "a rewindable body is sent twice by the library");
	before = net_server_posts;
	(void) fetch("/ok", NULL, false);
	r = fetch("/drop_if_warm", "{\"order\":1}", true);
	ok(r.fate == QTS_HTTP_LOST, "the same with once is lost");
	tap_is(net_server_posts - before, 1, "and was sent once");
}

/* Header and body of an order are one packet, on a new connection and on a warm one. */
static void
test_one_segment(void)
{
	int before = net_server_post_segments;

	for (int i = 0; i < 5; i++)
		(void) fetch("/ok", "{\"order\":1}", true);
	tap_is(net_server_post_segments - before, 5, "five orders, five segments");
	before = net_server_post_segments;
	(void) fetch("/drop", "{\"order\":1}", true);
	(void) fetch("/ok", "{\"order\":1}", true);
	tap_is(net_server_post_segments - before, 2, "and one on a new connection");
}

/* The timer is set for the earliest deadline and need not follow: a later one is met all the same. */
static void
test_deadlines(void)
{
	const int ms[] = {700, 150, 400};
	char url[128];

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/silent", port);
	(void) fetch("/ok", NULL, false);
	for (int i = 0; i < 3; i++)
	{
		int64_t start = qts_mono_us();
		Result r = fetch_url(url, NULL, false, ms[i]);

		ok(r.fate == QTS_HTTP_LOST && qts_mono_us() - start >= ms[i] * 1000, "%d ms are waited for", ms[i]);
	}
}

static int
wakes_in(int turns)
{
	int woken = 0;

	for (int i = 0; i < turns; i++)
	{
		struct pollfd p = {.fd = qts_net_fd(), .events = POLLIN};

		woken += poll(&p, 1, 10) > 0;
		qts_net_drain();
	}
	return woken;
}

/* A worker sleeps while it waits for an answer, and after requests with deadlines of all kinds. */
static void
test_quiet(void)
{
	Result r[2] = {{0}};
	char url[128];
	QtsHttpRequest request = {
		.url = url, .body = "{}", .body_len = 2, .once = true, .connect_ms = 300, .timeout_ms = 900};
	QtsHttp *first;
	int woken;

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/silent", port);
	(void) fetch_url(url, NULL, false, 100);
	first = qts_http_send(&request, on_done, &r[0]);
	(void) wakes_in(2);
	(void) qts_http_send(&request, on_done, &r[1]);
	(void) fetch("/ok", "{}", true);
	woken = wakes_in(40);
	/* the library has short timers of its own while it connects; one that spins wakes us every time */
	ok(woken <= 20 && !r[0].done && !r[1].done, "woken %d times in 0.4 s of waiting", woken);
	qts_http_cancel(first);
	ok(wait_for(&r[1].done) && r[1].fate == QTS_HTTP_LOST, "the other meets its deadline");
	(void) fetch("/ok", "{}", true);
	woken = wakes_in(120);
	ok(woken <= 4, "woken %d times in 1.2 s of silence", woken);
}

static int
closed_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0 ||
		getsockname(fd, (struct sockaddr *) &address, &len) < 0)
		abort();
	close(fd);
	return ntohs(address.sin_port);
}

static void
test_fates(void)
{
	char url[128];
	Result r;
	int posts = net_server_posts;

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/x", closed_port());
	r = fetch_url(url, "{}", true, 3000);
	ok(r.fate == QTS_HTTP_NEVER_SENT && r.sent_us == 0, "refused: never sent");
	snprintf(url, sizeof(url), "https://127.0.0.1:%d/silent", port);
	r = fetch_url(url, "{}", true, 300);
	ok(r.fate == QTS_HTTP_NEVER_SENT, "TLS handshake that stalls: never sent");
	tap_is(net_server_posts, posts, "no POST arrived");
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/silent", port);
	r = fetch_url(url, "{}", true, 300);
	ok(r.fate == QTS_HTTP_LOST && r.sent_us > 0, "no answer in time: lost");
	r = fetch("/short", "{}", true);
	ok(r.fate == QTS_HTTP_LOST && r.body[0] == '\0', "half an answer: lost");
	r = fetch("/huge", NULL, true);
	ok(r.fate == QTS_HTTP_LOST, "two megabytes: lost");
	r = fetch("/redirect", "{}", true);
	ok(r.fate == QTS_HTTP_ANSWERED && r.status == 302, "redirect is an answer, not followed");
}

static void
test_addresses(void)
{
	static const char *const bad[] = {"http://192.0.2.1/",
									  "http://example.com/",
									  "http://127.0.0.1.example.com/",
									  "ftp://127.0.0.1/",
									  "file:///etc/passwd",
									  "127.0.0.1/",
									  "",
									  "http://[::2]/",
									  "http://127.0.0.1@192.0.2.1/"};
	Result r = {0};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		QtsHttpRequest request = {.url = bad[i], .connect_ms = 100, .timeout_ms = 100};

		ok(qts_http_send(&request, on_done, &r) == NULL, "refused: \"%s\"", bad[i]);
	}
	tap_is(qts_http_in_flight(), 0, "nothing in flight");
}

static void
test_parallel(void)
{
	Result r[20] = {{0}};
	char url[128];
	int answered = 0;
	QtsHttp *cancelled;

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/ok", port);
	for (int i = 0; i < 20; i++)
	{
		QtsHttpRequest request = {
			.url = url, .body = "{}", .body_len = 2, .once = true, .connect_ms = 3000, .timeout_ms = 3000};

		ok(qts_http_send(&request, on_done, &r[i]) != NULL, "request %d leaves", i);
	}
	tap_is(qts_http_in_flight(), 20, "twenty at once");
	for (int i = 0; i < 20; i++)
		answered += wait_for(&r[i].done) && r[i].status == 200;
	tap_is(answered, 20, "all answered");
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/silent", port);
	{
		QtsHttpRequest request = {.url = url, .connect_ms = 3000, .timeout_ms = 3000};

		cancelled = qts_http_send(&request, on_done, &r[0]);
		r[0].done = false;
		turn();
		qts_http_cancel(cancelled);
		(void) fetch("/ok", NULL, true);
		ok(!r[0].done && qts_http_in_flight() == 0, "a cancelled request is silent");
	}
}

typedef struct Peer
{
	QtsWs *ws;
	bool up;
	bool down;
	bool was_up;
	bool clean;
	bool got;
	int messages;
	size_t bytes;
	char last[64];
	int pause_at;
} Peer;

static void
peer_up(void *arg)
{
	((Peer *) arg)->up = true;
}

static bool
peer_message(void *arg, const char *data, size_t len, int64_t mono)
{
	Peer *p = arg;

	(void) mono;
	p->got = true;
	p->messages++;
	p->bytes += len;
	snprintf(p->last, sizeof(p->last), "%.*s", (int) (len < 63 ? len : 63), data);
	if (p->pause_at == p->messages)
		qts_ws_pause(p->ws, true);
	return strcmp(p->last, "close me") != 0;
}

static void
peer_down(void *arg, bool was_up, bool clean, const char *why)
{
	Peer *p = arg;

	(void) why;
	p->ws = NULL;
	p->down = true;
	p->was_up = was_up;
	p->clean = clean;
}

static bool
peer_connect(Peer *p, const char *path, int to)
{
	static const QtsWsHandlers on = {peer_up, peer_message, peer_down};
	char url[128];
	const char *why;

	snprintf(url, sizeof(url), "ws://127.0.0.1:%d%s", to, path);
	p->ws = qts_ws_connect(url, false, &on, p, &why);
	return p->ws != NULL;
}

static void
test_ws(void)
{
	Peer p = {0};
	Peer q = {0};
	const char *why;

	ok(peer_connect(&p, "/echo", port) && wait_for(&p.up), "connected");
	ok(qts_ws_send(p.ws, "one", 3) && wait_for(&p.got), "echo");
	tap_is_text(p.last, "one", "text");
	for (int i = 0; i < 50; i++)
		(void) qts_ws_send(p.ws, "x", 1);
	while (p.messages < 51 && !p.down)
		turn();
	tap_is(p.messages, 51, "fifty queued at once");
	ok(peer_connect(&q, "/fragments", port) && wait_for(&q.got), "second connection");
	tap_is_text(q.last, "abc", "fragments joined across control frames");
	qts_ws_close(q.ws);
	ok(!q.down, "closing is silent");
	(void) qts_ws_send(p.ws, "close me", 8);
	ok(wait_for(&p.down) && p.was_up, "a handler can close");
	memset(&p, 0, sizeof(p));
	ok(peer_connect(&p, "/bye", port) && wait_for(&p.down) && p.was_up && p.clean, "peer says bye");
	memset(&p, 0, sizeof(p));
	ok(peer_connect(&p, "/reset", port) && wait_for(&p.down) && !p.clean, "peer resets");
	memset(&p, 0, sizeof(p));
	ok(peer_connect(&p, "/huge", port) && wait_for(&p.down) && p.messages == 0, "too large: closed");
	memset(&p, 0, sizeof(p));
	if (peer_connect(&p, "/echo", closed_port()))
		(void) wait_for(&p.down);
	ok(!p.up && !p.was_up, "refused");
	ok(!qts_ws_connect("ws://192.0.2.1/x", false, NULL, NULL, &why), "plain ws to a stranger");
	ok(!qts_ws_connect("http://127.0.0.1/x", false, NULL, NULL, &why), "another scheme");
}

static void
test_ws_pause(void)
{
	Peer p = {.pause_at = 100};
	int seen;

	ok(peer_connect(&p, "/flood", port), "flood");
	while (p.messages < 100 && !p.down)
		turn();
	for (int i = 0; i < 5; i++)
		turn();
	seen = p.messages;
	tap_is(seen, 100, "nothing is handed over while paused");
	qts_ws_pause(p.ws, false);
	while (p.messages < 2000 && !p.down)
		turn();
	ok(p.messages == 2000 && p.bytes == 2000 * 400, "nothing was lost");
	qts_ws_close(p.ws);
}

int
main(void)
{
	const char *why = "";

	port = net_server_start();
	if (!ok(port > 0 && qts_net_open(&why), "open %s", why))
		return tap_done();
	test_keep_alive();
	test_at_most_once();
	test_one_segment();
	test_deadlines();
	test_quiet();
	test_fates();
	test_addresses();
	test_parallel();
	test_ws();
	test_ws_pause();
	qts_net_close();
	return tap_done();
}
