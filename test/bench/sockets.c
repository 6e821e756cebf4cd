/*-------------------------------------------------------------------------
 *
 * sockets.c
 *		B21: what it costs to send an order at most once.
 *
 * The same order POST through the engine's own src/net, through libcurl as it
 * comes, and on a fresh connection each time.  Then a broker that takes the
 * order and closes without an answer: how often does it get it twice?
 *
 *-------------------------------------------------------------------------
 */
#include "bench.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/http.h"
#include "net/net.h"
#include "outside.h"

#define ROUNDS 5
#define PER_ROUND 300
#define WARM 50
#define FAULTS 300
#define FAULTY "100001"
#define SOUND "100002"

typedef enum Way
{
	WAY_ONCE,
	WAY_DEFAULT,
	WAY_FRESH,
	WAY_COUNT
} Way;

static CURL *curl;
static long number; /* of the order, in its quantity */
static bool finished;
static QtsHttpFate fate;

static void
once_done(void *arg, const QtsHttpAnswer *answer)
{
	(void) arg;
	finished = true;
	fate = answer->fate;
}

static bool
send_once(const char *body)
{
	QtsHttpRequest request = {.url = outside_url(),
							  .body = body,
							  .body_len = strlen(body),
							  .once = true,
							  .connect_ms = 2000,
							  .timeout_ms = 5000};
	struct pollfd fd = {.fd = qts_net_fd(), .events = POLLIN};
	int n = 0;

	for (struct curl_slist *h = outside_headers(); h && n < QTS_HTTP_MAX_HEADERS; h = h->next)
		request.headers[n++] = h->data;
	finished = false;
	if (qts_http_send(&request, once_done, NULL) == NULL)
		bench_fail("the request was refused");
	while (!finished)
	{
		if (poll(&fd, 1, 5000) < 0 && errno != EINTR)
			bench_fail("poll failed");
		qts_net_drain();
	}
	return fate == QTS_HTTP_ANSWERED;
}

static size_t
discard(char *from, size_t size, size_t count, void *arg)
{
	(void) from;
	(void) arg;
	return size * count;
}

static bool
send_curl(const char *body, bool fresh)
{
	curl_easy_setopt(curl, CURLOPT_URL, outside_url());
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, outside_headers());
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
	curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L);
	curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, fresh ? 1L : 0L);
	return curl_easy_perform(curl) == CURLE_OK;
}

static bool
send_order(Way way, const char *symbol)
{
	char body[512];

	outside_body(body, sizeof(body), symbol, ++number);
	return way == WAY_ONCE ? send_once(body) : send_curl(body, way == WAY_FRESH);
}

static void
round_of(Way way, int count, Samples *samples)
{
	for (int i = 0; i < count; i++)
	{
		int64_t start = bench_mono_ns();

		if (!send_order(way, SOUND))
			bench_fail("an order without a fault failed");
		if (samples)
			samples_add(samples, (double) (bench_mono_ns() - start) / 1000);
	}
}

/* A good order warms the connection, the next one meets the fault; returns the duplicates. */
static long
faults_of(Way way)
{
	int64_t since = control_last();
	long first = number + 1;
	int count;
	Post *posts;
	long extra = 0;
	static char seen[FAULTS * 2 + 1];

	memset(seen, 0, sizeof(seen));
	for (int i = 0; i < FAULTS; i++)
	{
		if (!send_order(way, SOUND))
			bench_fail("an order without a fault failed");
		(void) send_order(way, FAULTY);
	}
	posts = control_posts(since, &count);
	for (int i = 0; i < count; i++)
	{
		long place = posts[i].qty - first;

		if (place < 0 || place >= FAULTS * 2)
			bench_fail("a POST of quantity %ld came out of nowhere", posts[i].qty);
		extra += seen[place];
		seen[place] = 1;
	}
	for (int i = 0; i < FAULTS * 2; i++)
		if (!seen[i])
			bench_fail("an order never arrived");
	free(posts);
	return extra;
}

int
main(void)
{
	static Samples samples[WAY_COUNT] = {{.name = "qts, at most once"},
										 {.name = "libcurl as it comes, keep-alive"},
										 {.name = "libcurl, fresh connection each time"}};
	long twice[WAY_COUNT];
	const char *why;

	outside_login();
	curl = curl_easy_init();
	if (!qts_net_open(&why))
		bench_fail("%s", why);
	for (int way = 0; way < WAY_COUNT; way++)
		round_of((Way) way, WARM, NULL);
	for (int round = 0; round < ROUNDS; round++)
		for (int way = 0; way < WAY_COUNT; way++)
			round_of((Way) way, PER_ROUND, &samples[way]);

	json_decref(control_ask("POST", "/fault",
							"{\"mode\":\"accept_then_close\",\"times\":0,\"match\":{\"symbol\":\"" FAULTY
							"\"}}"));
	for (int way = 0; way < WAY_COUNT; way++)
		twice[way] = faults_of((Way) way);
	json_decref(control_ask("DELETE", "/faults", ""));

	samples_title("B21 order POST and its answer, one at a time, plain HTTP on loopback", "us");
	for (int way = 0; way < WAY_COUNT; way++)
		samples_print(&samples[way]);
	samples_ratio(&samples[WAY_ONCE], &samples[WAY_DEFAULT], 0.5);
	samples_ratio(&samples[WAY_FRESH], &samples[WAY_ONCE], 0.5);
	for (int way = 0; way < WAY_COUNT; way++)
		printf("  %-44s %ld of %d orders arrived twice\n", samples[way].name, twice[way], FAULTS);
	bench_check(twice[WAY_ONCE] == 0, "orders of ours that arrived twice", twice[WAY_ONCE], 0);
	qts_net_close();
	curl_easy_cleanup(curl);
	return 0;
}
