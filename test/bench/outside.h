/*-------------------------------------------------------------------------
 *
 * outside.h
 *		Order programs as people build them today: a process beside the
 *		database that learns of work by LISTEN or by polling, and sends with
 *		libcurl's defaults.  Each is a thread with connections of its own.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BENCH_OUTSIDE_H
#define QTS_BENCH_OUTSIDE_H

#include <curl/curl.h>
#include <stdbool.h>

typedef enum OutsideKind
{
	OUTSIDE_LISTEN,	  /* NOTIFY at commit, then claim 32, POST and record each */
	OUTSIDE_POLL,	  /* the same once a second */
	OUTSIDE_SINGLE,	  /* NOTIFY at commit, then claim, POST and record one at a time */
	OUTSIDE_BATCH,	  /* the shape of pg_net: 200 in parallel, then a pause of a second */
	OUTSIDE_EVALUATOR /* once a second: compare prices with stops, record, POST */
} OutsideKind;

/* Gets the token of the second account; once, before anything else here. */
extern void outside_login(void);

/* Headers for an order of the second account. */
extern struct curl_slist *outside_headers(void);
extern void outside_body(char *body, size_t size, const char *symbol, long qty);
extern const char *outside_url(void);

/* POST these bodies in parallel over kept connections; odno receives the broker's numbers. */
#define OUTSIDE_BATCH_MAX 200
extern void outside_parallel(int count, char (*body)[512], char (*odno)[16]);

/* The broker's number in the answer to an order; fails the run if there is none. */
extern void outside_number(const char *answer, char *odno, size_t size);

/* Ask for one symbol's price over a kept connection; 0 = refused or not quoted. */
extern long outside_price(const char *symbol);

/* Only one at a time. */
extern void outside_start(OutsideKind kind);
extern void outside_stop(void);

/* The evaluator looks at positions again that it has sold. */
extern void outside_rearm(void);

#endif /* QTS_BENCH_OUTSIDE_H */
