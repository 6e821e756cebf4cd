/*-------------------------------------------------------------------------
 *
 * kis_request.h
 *		What is sent to KIS: paths, TR ids, bodies, query strings.
 *
 * Every builder validates its input and answers false instead of sending
 * something half built.  No I/O, no allocation.  The host is the caller's.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_KIS_REQUEST_H
#define QTS_KIS_REQUEST_H

#include "broker/broker.h"

#define QTS_KIS_CTX_LEN 300 /* documented as 100 or 200, padded */
#define QTS_KIS_TOKEN_LEN 2047
#define QTS_KIS_APPROVAL_LEN 127
#define QTS_KIS_PATH_SIZE 2560 /* two percent-encoded context keys and the rest */
#define QTS_KIS_BODY_SIZE 1024
#define QTS_KIS_WS_PATH "/tryitout"

typedef struct QtsKisRequest
{
	char path[QTS_KIS_PATH_SIZE]; /* with the query string */
	char body[QTS_KIS_BODY_SIZE];
	size_t body_len; /* 0 = GET */
	char tr_id[16];	 /* "" = OAuth, which has none */
} QtsKisRequest;

/* Context of a paged query: echoed byte for byte, trailing blanks included. */
typedef struct QtsKisPage
{
	char fk[QTS_KIS_CTX_LEN + 1];
	char nk[QTS_KIS_CTX_LEN + 1];
} QtsKisPage;

/* The environment's own hosts; NULL for the simulator. */
extern const char *qts_kis_rest_host(QtsEnvironment environment);
extern const char *qts_kis_ws_host(QtsEnvironment environment);

/* Is this ws:// address one of KIS's own, which offer no TLS (kis-api 1.1)? */
extern bool qts_kis_ws_is_broker(const char *url);

extern bool qts_kis_build_token(QtsKisRequest *request, const char *app_key, const char *secret);
extern bool qts_kis_build_approval(QtsKisRequest *request, const char *app_key, const char *secret);
extern bool
qts_kis_build_order(QtsKisRequest *request, QtsEnvironment environment, const QtsOrderRequest *order);
extern bool
qts_kis_build_cancel(QtsKisRequest *request, QtsEnvironment environment, const QtsCancelRequest *cancel);
/* Orders older than three months have another TR id: today decides. */
extern bool qts_kis_build_ledger(QtsKisRequest *request, QtsEnvironment environment, const char *account,
								 QtsDate date, QtsDate today, const QtsKisPage *page);
/* Paper has no list of open orders: there it is the unfilled part of today's ledger. */
extern bool qts_kis_build_open_list(QtsKisRequest *request, QtsEnvironment environment, const char *account,
									QtsDate today, const QtsKisPage *page);
extern bool qts_kis_build_balance(QtsKisRequest *request, QtsEnvironment environment, const char *account,
								  const QtsKisPage *page);

#define QTS_KIS_TR_TICK "H0STCNT0"
#define QTS_KIS_TR_BOOK "H0STASP0"
extern const char *qts_kis_notice_tr(QtsEnvironment environment);

/* WebSocket (un)subscription; length, or 0 when it does not fit. */
extern size_t qts_kis_build_subscribe(char *out, size_t size, const char *approval_key, const char *tr_id,
									  const char *tr_key, bool subscribe);

#endif /* QTS_KIS_REQUEST_H */
