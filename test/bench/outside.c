/*-------------------------------------------------------------------------
 *
 * outside.c
 *		Order programs as people build them today.
 *
 * They keep the same promise as the engine, a row before the POST and the
 * broker's number after it, each in a commit of its own: so the difference
 * is the way work is noticed and where it is done, not durability.
 *
 *-------------------------------------------------------------------------
 */
#include "outside.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bench.h"

#define PERIOD_US 1000000
#define CLAIM_SOME "32"
#define CLAIM_ONE "1"
#define CLAIM_BATCH "200"
#define APP_KEY "PSAPPKEY000000000000000000000000000B"
#define APP_SECRET "secretoutside"
#define STOP_PRICE (BENCH_BASE * 9 / 10)

static struct curl_slist *headers;
static char url[128];
static pthread_t thread;
static OutsideKind kind_now;
static int stop_fd = -1;
static int ready_fd = -1;
static atomic_ulong sold; /* a bit for each symbol */

typedef struct Answer
{
	char text[4096];
	size_t len;
} Answer;

static size_t
answer_take(char *from, size_t size, size_t count, void *arg)
{
	Answer *answer = arg;
	size_t n = size * count;

	if (n >= sizeof(answer->text) - answer->len)
		return 0;
	memcpy(answer->text + answer->len, from, n);
	answer->len += n;
	answer->text[answer->len] = '\0';
	return n;
}

static bool
curl_post(CURL *curl, const char *to, struct curl_slist *with, const char *body, Answer *answer)
{
	answer->len = 0;
	curl_easy_setopt(curl, CURLOPT_URL, to);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, with);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, answer_take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	return curl_easy_perform(curl) == CURLE_OK;
}

static void
header_add(const char *line)
{
	headers = curl_slist_append(headers, line);
	if (headers == NULL)
		bench_fail("out of memory");
}

void
outside_login(void)
{
	struct curl_slist *plain = curl_slist_append(NULL, "content-type: application/json");
	CURL *curl = curl_easy_init();
	char to[128];
	char line[2048];
	Answer answer;
	json_t *json = NULL;
	const char *token;

	snprintf(to, sizeof(to), "http://127.0.0.1:%d/oauth2/tokenP", bench_port("BENCH_REST"));
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/uapi/domestic-stock/v1/trading/order-cash",
			 bench_port("BENCH_REST"));
	if (curl_post(curl, to, plain,
				  "{\"grant_type\":\"client_credentials\",\"appkey\":\"" APP_KEY
				  "\",\"appsecret\":\"" APP_SECRET "\"}",
				  &answer))
		json = json_loads(answer.text, 0, NULL);
	token = json_string_value(json_object_get(json, "access_token"));
	if (token == NULL)
		bench_fail("no token for the second account");
	snprintf(line, sizeof(line), "authorization: Bearer %s", token);
	header_add(line);
	header_add("content-type: application/json; charset=utf-8");
	header_add("appkey: " APP_KEY);
	header_add("appsecret: " APP_SECRET);
	header_add("custtype: P");
	header_add("tr_id: TTTC0011U");
	json_decref(json);
	curl_slist_free_all(plain);
	curl_easy_cleanup(curl);
}

struct curl_slist *
outside_headers(void)
{
	return headers;
}

const char *
outside_url(void)
{
	return url;
}

void
outside_body(char *body, size_t size, const char *symbol, long qty)
{
	snprintf(
		body, size,
		"{\"CANO\":\"%.8s\",\"ACNT_PRDT_CD\":\"%s\",\"PDNO\":\"%s\",\"SLL_TYPE\":\"01\",\"ORD_DVSN\":\"01\","
		"\"ORD_QTY\":\"%ld\",\"ORD_UNPR\":\"0\",\"EXCG_ID_DVSN_CD\":\"KRX\"}",
		BENCH_OUTSIDE, BENCH_OUTSIDE + 9, symbol, qty);
}

void
outside_number(const char *answer, char *odno, size_t size)
{
	json_t *json = json_loads(answer, 0, NULL);
	const char *number = json_string_value(json_object_get(json_object_get(json, "output"), "ODNO"));

	if (number == NULL)
		bench_fail("an order of the second account failed: %.200s", answer);
	snprintf(odno, size, "%s", number);
	json_decref(json);
}

long
outside_price(const char *symbol)
{
	static CURL *curl;
	static struct curl_slist *with;
	char to[200];
	Answer answer = {.len = 0};
	json_t *json;
	long price;

	if (curl == NULL)
	{
		curl = curl_easy_init();
		for (const struct curl_slist *line = headers; line != NULL; line = line->next)
			if (strncmp(line->data, "tr_id:", 6) != 0)
				with = curl_slist_append(with, line->data);
		with = curl_slist_append(with, "tr_id: FHKST01010100");
	}
	snprintf(to, sizeof(to),
			 "http://127.0.0.1:%d/uapi/domestic-stock/v1/quotations/inquire-price"
			 "?FID_COND_MRKT_DIV_CODE=J&FID_INPUT_ISCD=%s",
			 bench_port("BENCH_REST"), symbol);
	curl_easy_setopt(curl, CURLOPT_URL, to);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, with);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, answer_take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
	if (curl_easy_perform(curl) != CURLE_OK)
		bench_fail("a price query had no answer");
	json = json_loads(answer.text, 0, NULL);
	price = atol(json_is_string(json_object_get(json_object_get(json, "output"), "stck_prpr"))
					 ? json_string_value(json_object_get(json_object_get(json, "output"), "stck_prpr"))
					 : "0");
	json_decref(json);
	return price;
}

/* Send one order; odno receives the broker's number. */
static void
order_send(CURL *curl, const char *symbol, long qty, char *odno, size_t size)
{
	char body[512];
	Answer answer;

	outside_body(body, sizeof(body), symbol, qty);
	if (!curl_post(curl, url, headers, body, &answer))
		bench_fail("an order of the second account had no answer");
	outside_number(answer.text, odno, size);
}

/* Claim what is new, one commit for all of it; POST and record each. */
static void
intents_serve(PGconn *conn, CURL *curl, const char *limit)
{
	for (;;)
	{
		PGresult *claimed = bench_execute(conn, "claim", 1, &limit);
		int n = PQntuples(claimed);

		for (int i = 0; i < n; i++)
		{
			char odno[16];
			const char *params[2] = {PQgetvalue(claimed, i, 0), odno};

			order_send(curl, PQgetvalue(claimed, i, 1), atol(PQgetvalue(claimed, i, 2)), odno, sizeof(odno));
			PQclear(bench_execute(conn, "record", 2, params));
		}
		PQclear(claimed);
		if (n == 0)
			return;
	}
}

/* As pg_net does it: take up to 200, send them together, store the answers in one transaction. */
static void
batch_serve(PGconn *conn)
{
	static char body[OUTSIDE_BATCH_MAX][512];
	static char odno[OUTSIDE_BATCH_MAX][16];
	const char *limit = CLAIM_BATCH;
	PGresult *claimed = bench_execute(conn, "claim", 1, &limit);
	int n = PQntuples(claimed);

	for (int i = 0; i < n; i++)
		outside_body(body[i], sizeof(body[i]), PQgetvalue(claimed, i, 1), atol(PQgetvalue(claimed, i, 2)));
	outside_parallel(n, body, odno);
	bench_run(conn, "BEGIN");
	for (int i = 0; i < n; i++)
	{
		const char *params[2] = {PQgetvalue(claimed, i, 0), odno[i]};

		PQclear(bench_execute(conn, "record", 2, params));
	}
	bench_run(conn, "COMMIT");
	PQclear(claimed);
}

static void
stops_serve(PGconn *engine, PGconn *conn, CURL *curl)
{
	PGresult *prices = bench_execute(engine, "prices", 0, NULL);

	for (int i = 0; i < PQntuples(prices); i++)
	{
		const char *symbol = PQgetvalue(prices, i, 0);
		unsigned long bit = 1ul << (atoi(symbol) - 100000);
		char odno[16];
		const char *params[2] = {symbol, odno};
		PGresult *row;
		const char *record[2];

		if (atol(PQgetvalue(prices, i, 1)) > STOP_PRICE || (atomic_load(&sold) & bit))
			continue;
		atomic_fetch_or(&sold, bit);
		row = bench_execute(conn, "exit", 1, params);
		order_send(curl, symbol, 1, odno, sizeof(odno));
		record[0] = PQgetvalue(row, 0, 0);
		record[1] = odno;
		PQclear(bench_execute(conn, "record", 2, record));
		PQclear(row);
	}
	PQclear(prices);
}

static void
outside_prepare(PGconn *engine, PGconn *conn)
{
	bench_prepare(conn, "claim",
				  "UPDATE intents SET status = 'SUBMITTING' WHERE intent_id IN (SELECT intent_id FROM intents"
				  " WHERE status = 'NEW' ORDER BY intent_id LIMIT $1 FOR UPDATE SKIP LOCKED)"
				  " RETURNING intent_id, symbol, qty");
	bench_prepare(conn, "record",
				  "UPDATE intents SET status = 'SUBMITTED', broker_order_no = $2 WHERE intent_id = $1");
	bench_prepare(
		conn, "exit",
		"INSERT INTO intents (symbol, qty, status) VALUES ($1, 1, 'SUBMITTING') RETURNING intent_id");
	bench_prepare(
		engine, "prices",
		"SELECT symbol, best_price::bigint FROM market.prices_best WHERE symbol BETWEEN '100000' AND '100039'");
}

/* True when it is time to go; false after a notification or when the time has come. */
static bool
outside_wait(PGconn *conn, int64_t until_us)
{
	struct pollfd fds[2] = {{.fd = stop_fd, .events = POLLIN}, {.fd = PQsocket(conn), .events = POLLIN}};
	int64_t left = until_us ? (until_us - bench_real_us() + 999) / 1000 : -1;
	PGnotify *notify;
	bool notified = false;

	for (;;)
	{
		(void) PQconsumeInput(conn);
		while ((notify = PQnotifies(conn)) != NULL)
		{
			PQfreemem(notify);
			notified = true;
		}
		if (notified || (until_us && bench_real_us() >= until_us))
			return false;
		if (until_us)
			left = (until_us - bench_real_us() + 999) / 1000;
		if (poll(fds, 2, (int) left) < 0 && errno != EINTR)
			bench_fail("poll failed");
		if (fds[0].revents)
			return true;
	}
}

static void *
outside_main(void *arg)
{
	PGconn *engine = bench_connect("trading");
	PGconn *conn = bench_connect("plain");
	CURL *curl = curl_easy_init();
	uint64_t one = 1;
	bool listens = kind_now == OUTSIDE_LISTEN || kind_now == OUTSIDE_SINGLE;
	int64_t next = bench_real_us() + PERIOD_US;

	(void) arg;
	outside_prepare(engine, conn);
	if (listens)
		bench_run(conn, "LISTEN intents");
	if (write(ready_fd, &one, sizeof(one)) != sizeof(one))
		bench_fail("write failed");
	while (!outside_wait(conn, listens ? 0 : next))
	{
		if (kind_now == OUTSIDE_EVALUATOR)
			stops_serve(engine, conn, curl);
		else if (kind_now == OUTSIDE_BATCH)
			batch_serve(conn);
		else
			intents_serve(conn, curl, kind_now == OUTSIDE_SINGLE ? CLAIM_ONE : CLAIM_SOME);
		next += PERIOD_US;
	}
	curl_easy_cleanup(curl);
	PQfinish(engine);
	PQfinish(conn);
	return NULL;
}

void
outside_rearm(void)
{
	atomic_store(&sold, 0);
}

void
outside_start(OutsideKind kind)
{
	uint64_t ready;

	kind_now = kind;
	stop_fd = eventfd(0, EFD_CLOEXEC);
	ready_fd = eventfd(0, EFD_CLOEXEC);
	if (stop_fd < 0 || ready_fd < 0 || pthread_create(&thread, NULL, outside_main, NULL) != 0 ||
		read(ready_fd, &ready, sizeof(ready)) != sizeof(ready))
		bench_fail("could not start a thread");
}

void
outside_stop(void)
{
	uint64_t one = 1;

	if (write(stop_fd, &one, sizeof(one)) != sizeof(one) || pthread_join(thread, NULL) != 0)
		bench_fail("could not stop a thread");
	close(stop_fd);
	close(ready_fd);
}
