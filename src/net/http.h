/*-------------------------------------------------------------------------
 *
 * http.h
 *		HTTP requests that never block: a request in, one callback out.
 *
 * The callback runs inside qts_net_drain(), outside any library frame, and
 * may send again.  Everything in the answer is valid only during the call.
 * Bodies and headers are wiped when a request ends, because they carry keys.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_NET_HTTP_H
#define QTS_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QTS_HTTP_MAX_BODY ((size_t) 1024 * 1024)
#define QTS_HTTP_MAX_HEADERS 12
#define QTS_HTTP_MAX_IN_FLIGHT 128

typedef struct QtsHttpRequest
{
	const char *url;						   /* https, or http to a loopback address */
	const char *headers[QTS_HTTP_MAX_HEADERS]; /* "name: value", NULL ends */
	const char *body;						   /* NULL = GET, else POST */
	size_t body_len;
	bool once; /* the body leaves at most once, whatever happens */
	int connect_ms;
	int timeout_ms;			 /* in all */
	const char *keep_header; /* answer header to hand back, may be NULL */
} QtsHttpRequest;

typedef enum QtsHttpFate
{
	QTS_HTTP_ANSWERED,	 /* a complete HTTP answer, whatever its status */
	QTS_HTTP_NEVER_SENT, /* not one byte of the request left this process */
	QTS_HTTP_LOST		 /* some of it may have arrived */
} QtsHttpFate;

typedef struct QtsHttpAnswer
{
	QtsHttpFate fate;
	int status;		  /* 0 = none */
	const char *body; /* NUL-terminated; "" unless answered */
	size_t body_len;
	const char *kept;  /* value of keep_header, trimmed; "" = not there */
	const char *error; /* static text; "" when answered */
	int64_t sent_us;   /* monotonic: last body byte given to the library; 0 = not */
	int64_t done_us;
} QtsHttpAnswer;

typedef void (*QtsHttpDone)(void *arg, const QtsHttpAnswer *answer);

typedef struct QtsHttp QtsHttp;

/* NULL: refused (address, memory, too many); nothing was sent, done is not called. */
extern QtsHttp *qts_http_send(const QtsHttpRequest *request, QtsHttpDone done, void *arg);

/* Forget a request: done will not be called.  Bytes may have left. */
extern void qts_http_cancel(QtsHttp *http);

extern int qts_http_in_flight(void);

#endif /* QTS_NET_HTTP_H */
