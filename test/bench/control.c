/*-------------------------------------------------------------------------
 *
 * control.c
 *		The simulator's control port over one kept connection.
 *
 * Plain blocking sockets, on purpose: the witness shares no code with what it
 * watches.  The connection belongs to its thread.
 *
 *-------------------------------------------------------------------------
 */
#include "bench.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static __thread int control_fd = -1;
static __thread char *answer;
static __thread size_t answer_size;

static void
control_open(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
								  .sin_port = htons((uint16_t) bench_port("BENCH_CONTROL"))};
	int on = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	control_fd = socket(AF_INET, SOCK_STREAM, 0);
	if (control_fd < 0 || connect(control_fd, (struct sockaddr *) &address, sizeof(address)) < 0)
		bench_fail("the simulator does not answer");
	(void) setsockopt(control_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* Read one answer; returns its body. */
static const char *
control_read(void)
{
	size_t n = 0;
	size_t want = SIZE_MAX;
	const char *body = NULL;

	while (n < want)
	{
		ssize_t got;

		if (answer_size < n + 65536)
		{
			answer_size = answer_size * 2 + 131072;
			answer = realloc(answer, answer_size);
			if (answer == NULL)
				bench_fail("out of memory");
		}
		got = recv(control_fd, answer + n, answer_size - n - 1, 0);
		if (got <= 0)
			bench_fail("the simulator closed its control connection");
		n += (size_t) got;
		answer[n] = '\0';
		body = strstr(answer, "\r\n\r\n");
		if (body != NULL && want == SIZE_MAX)
		{
			const char *length = strcasestr(answer, "content-length:");

			if (length == NULL || length > body)
				bench_fail("the simulator's answer has no length");
			want = (size_t) (body + 4 - answer) + (size_t) atol(length + 15);
		}
	}
	return strstr(answer, "\r\n\r\n") + 4;
}

json_t *
control_ask(const char *method, const char *path, const char *body)
{
	char head[512];
	const char *text;
	json_t *json;
	int n;

	if (control_fd < 0)
		control_open();
	n = snprintf(
		head, sizeof(head),
		"%s %s HTTP/1.1\r\nHost: sim\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
		method, path, strlen(body));
	if (send(control_fd, head, (size_t) n, MSG_NOSIGNAL | (body[0] ? MSG_MORE : 0)) != n ||
		(body[0] && send(control_fd, body, strlen(body), MSG_NOSIGNAL) != (ssize_t) strlen(body)))
		bench_fail("cannot write to the simulator");
	text = control_read();
	json = strncmp(answer, "HTTP/1.1 200", 12) == 0 ? json_loads(text, 0, NULL) : NULL;
	if (json == NULL)
		bench_fail("%s %s: %.300s", method, path, text);
	return json;
}

int64_t
control_now(const char *method, const char *path, const char *body)
{
	json_t *json = control_ask(method, path, body);
	int64_t at = json_integer_value(json_object_get(json, "t_us"));

	json_decref(json);
	return at;
}

void
control_option(const char *name, const char *json_value)
{
	char body[160];

	snprintf(body, sizeof(body), "{\"options\":{\"%s\":%s}}", name, json_value);
	json_decref(control_ask("POST", "/config", body));
}

int64_t
control_last(void)
{
	json_t *json = control_ask("GET", "/stats", "");
	int64_t last = json_integer_value(json_object_get(json, "last_seq"));

	json_decref(json);
	return last;
}

void
control_wait_orders(int64_t since, int count)
{
	char path[160];
	json_t *json;

	snprintf(path, sizeof(path), "/wait?path=order-cash&since=%lld&count=%d&timeout_ms=60000",
			 (long long) since, count);
	json = control_ask("GET", path, "");
	if (!json_is_true(json_object_get(json, "ok")))
		bench_fail("only %lld of %d orders arrived in a minute",
				   (long long) json_integer_value(json_object_get(json, "count")), count);
	json_decref(json);
}

static void
post_copy(char *to, size_t size, const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	snprintf(to, size, "%s", text ? text : "");
}

Post *
control_posts(int64_t since, int *count)
{
	char path[120];
	json_t *json;
	json_t *list;
	json_t *row;
	Post *posts;
	size_t i;

	snprintf(path, sizeof(path), "/requests?path=order-cash&since=%lld", (long long) since);
	json = control_ask("GET", path, "");
	list = json_object_get(json, "requests");
	posts = calloc(json_array_size(list) + 1, sizeof(Post));
	if (posts == NULL)
		bench_fail("out of memory");
	json_array_foreach(list, i, row)
	{
		const json_t *body = json_object_get(row, "body");
		char qty[16];

		posts[i].t_us = json_integer_value(json_object_get(row, "t_us"));
		post_copy(posts[i].account, sizeof(posts[i].account), row, "account");
		post_copy(posts[i].odno, sizeof(posts[i].odno), row, "odno");
		post_copy(posts[i].symbol, sizeof(posts[i].symbol), body, "PDNO");
		post_copy(qty, sizeof(qty), body, "ORD_QTY");
		posts[i].qty = atol(qty);
	}
	*count = (int) json_array_size(list);
	json_decref(json);
	return posts;
}
