/*-------------------------------------------------------------------------
 *
 * outside_batch.c
 *		Many orders at once through libcurl's multi interface, as pg_net
 *		sends a batch.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "bench.h"
#include "outside.h"

typedef struct Request
{
	CURL *curl;
	char answer[2048];
	size_t len;
} Request;

static CURLM *multi;
static Request requests[OUTSIDE_BATCH_MAX];

static size_t
request_take(char *from, size_t size, size_t count, void *arg)
{
	Request *request = arg;
	size_t n = size * count;

	if (n >= sizeof(request->answer) - request->len)
		return 0;
	memcpy(request->answer + request->len, from, n);
	request->len += n;
	request->answer[request->len] = '\0';
	return n;
}

static void
request_start(Request *request, const char *body)
{
	if (request->curl == NULL)
		request->curl = curl_easy_init();
	request->len = 0;
	curl_easy_setopt(request->curl, CURLOPT_URL, outside_url());
	curl_easy_setopt(request->curl, CURLOPT_HTTPHEADER, outside_headers());
	curl_easy_setopt(request->curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(request->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(request->curl, CURLOPT_WRITEFUNCTION, request_take);
	curl_easy_setopt(request->curl, CURLOPT_WRITEDATA, request);
	if (curl_multi_add_handle(multi, request->curl) != CURLM_OK)
		bench_fail("a request of the batch was refused");
}

void
outside_parallel(int count, char (*body)[512], char (*odno)[16])
{
	int running = 1;

	if (multi == NULL)
		multi = curl_multi_init();
	for (int i = 0; i < count; i++)
		request_start(&requests[i], body[i]);
	while (running > 0)
	{
		if (curl_multi_perform(multi, &running) != CURLM_OK ||
			(running > 0 && curl_multi_poll(multi, NULL, 0, 1000, NULL) != CURLM_OK))
			bench_fail("the batch failed");
	}
	for (int i = 0; i < count; i++)
	{
		(void) curl_multi_remove_handle(multi, requests[i].curl);
		outside_number(requests[i].answer, odno[i], sizeof(odno[i]));
	}
}
