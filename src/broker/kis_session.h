/*-------------------------------------------------------------------------
 *
 * kis_session.h
 *		Insides of a KIS broker session, for the files kis_*.c of broker/ only.
 *
 * One session = one app key.  Its pieces: the token (kis_token.c), the paged
 * lists (kis_query.c), the breakers (kis_breaker.c), orders and the table of operations (kis_broker.c), and
 * what the feed shares with it (kis_session.c).  All of it belongs to one
 * thread; every allocation is malloc'd and freed by close.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BROKER_KIS_SESSION_H
#define QTS_BROKER_KIS_SESSION_H

#include "broker/broker.h"
#include "kis/kis_answer.h"
#include "kis/kis_request.h"
#include "net/http.h"

#define KIS_URL_LEN 255
#define KIS_KEY_LEN 127
#define KIS_SECRET_LEN 511
#define KIS_WHY_LEN 255
#define KIS_CONNECT_MS 3000
#define KIS_MAX_ORDERS 64	/* in flight: as many connections */
#define KIS_MAX_QUERIES 256 /* queued and in flight */
#define KIS_MAX_PAGES_IN_FLIGHT 8
#define KIS_MAX_PAGES_OF_ACCOUNT 2 /* in flight: one whose pages hang leaves room for others */

/* What both the session and the feed know about the account's owner. */
typedef struct KisIdentity
{
	QtsEnvironment environment;
	char rest_url[KIS_URL_LEN + 1]; /* without a slash at the end; "" = none */
	char app_key[KIS_KEY_LEN + 1];
	char app_secret[KIS_SECRET_LEN + 1];
	int timeout_ms;
	uint32_t random; /* state of the jitter */
} KisIdentity;

typedef struct KisEventNode
{
	QtsBrokerEvent event; /* first: freed through its address */
	struct KisEventNode *next;
} KisEventNode;

/* One order or cancel in flight. */
typedef struct KisOrder
{
	struct QtsBroker *broker;
	QtsHttp *http;
	uint32_t ticket;		   /* of the breaker */
	unsigned token_age;		   /* generation of the token it was sent with */
	struct KisEventNode *node; /* made before sending: an answer must not be lost to malloc */
	struct KisOrder *next;
} KisOrder;

typedef enum KisQueryKind
{
	KIS_QUERY_LEDGER,
	KIS_QUERY_OPEN_LIST,
	KIS_QUERY_BALANCE
} KisQueryKind;

/* One list being fetched. */
typedef struct KisQuery
{
	struct QtsBroker *broker;
	QtsHttp *http; /* NULL = waiting */
	KisQueryKind kind;
	uint64_t tag;
	char account[12];
	QtsDate date;
	QtsKisPage page;
	int pages;			 /* read so far */
	int rows;			 /* of those handed over */
	int attempts;		 /* of this page */
	int64_t not_before;	 /* monotonic us */
	int64_t deadline;	 /* without a page until then it ends; 0 until the first drive */
	int64_t waits_since; /* monotonic us: since the last page, or since it was asked for */
	int64_t page_sent;	 /* monotonic us, while http */
	uint32_t ticket;	 /* of the breaker, while http */
	unsigned token_age;
	QtsBrokerEvent *event; /* of this page of a ledger; of other lists filled as pages come */
	struct KisQuery *next;
} KisQuery;

typedef struct KisTokenState
{
	char bearer[QTS_KIS_TOKEN_LEN + 32]; /* whole header line; "" = none */
	unsigned age;						 /* grows with every token taken or lost */
	int64_t issued_at;					 /* unix seconds */
	int64_t expires_at;
	int64_t refresh_at;
	int64_t next_try; /* monotonic us */
	int failures;
	int lock_fd; /* held while asking; -1 */
	QtsHttp *http;
	char path[1024]; /* cache file, "" = none */
	char owner[65];	 /* digest of key and host, to know our own */
} KisTokenState;

struct QtsBroker
{
	KisIdentity id;
	char key_line[KIS_KEY_LEN + 16]; /* header lines, made once */
	char secret_line[KIS_SECRET_LEN + 16];
	QtsRateLimiter limiter; /* used unless the pool has functions */
	QtsRatePool pool;
	QtsBreaker breaker[QTS_BREAKER_CLASS_COUNT];
	QtsBreakerPolicy policy;
	QtsSessionState state;
	char why[KIS_WHY_LEN + 1];
	int64_t mono; /* of the last drive */
	QtsTime now;
	KisTokenState token;
	KisOrder *orders;
	int order_count;
	KisQuery *queries; /* oldest first */
	int query_count;
	KisEventNode *first;
	KisEventNode *last;
};

/* kis_session.c */
extern bool kis_identity_set(KisIdentity *id, const QtsBrokerConfig *config);
extern void kis_identity_timeout(KisIdentity *id, int timeout_ms);
extern void kis_identity_wipe(KisIdentity *id);
extern uint32_t kis_random(KisIdentity *id);
/* Replace a text that happens to contain a secret. */
extern void kis_scrub(const KisIdentity *id, const char *extra, char *text);
/* POST of the OAuth family: body in request, no token. */
extern QtsHttp *kis_send_oauth(const KisIdentity *id, QtsKisRequest *request, QtsHttpDone done, void *arg);
extern KisEventNode *kis_event_new(QtsBrokerEventKind kind, uint64_t tag, const char *account);
extern void kis_event_push(QtsBroker *broker, KisEventNode *node);
extern void kis_event_verdict(QtsBroker *broker, QtsBrokerEvent *event, const QtsKisVerdict *verdict,
							  const QtsHttpAnswer *answer);
/* Verdict of a request that got no answer at all. */
extern QtsKisVerdict kis_no_answer(const QtsHttpAnswer *answer);
extern void kis_set_state(QtsBroker *broker, QtsSessionState state, const char *why);
extern QtsHttp *kis_send(QtsBroker *broker, const QtsKisRequest *request, bool once, bool next_page,
						 QtsHttpDone done, void *arg);
/* What a code means for the session, whoever met it. */
extern void kis_follow(QtsBroker *broker, const QtsKisVerdict *verdict, unsigned token_age);

/* kis_rate.c */
extern void kis_rate_open(QtsBroker *broker, const QtsRatePool *pool, int per_second);
extern void kis_rate_set(QtsBroker *broker, int per_second);
extern int kis_rate_slots(const QtsBroker *broker, QtsRateClass klass, int64_t mono);
extern int64_t kis_rate_wait(const QtsBroker *broker, QtsRateClass klass, int64_t mono);
extern bool kis_rate_take(QtsBroker *broker, QtsRateClass klass, int64_t mono);
extern void kis_rate_keep(QtsBroker *broker, int slots, int64_t mono);
extern void kis_rate_refused(QtsBroker *broker, int64_t mono, int64_t pause);

/* kis_breaker.c */
extern void kis_breaker_set(QtsBroker *broker, const QtsBreakerPolicy *policy);
extern void kis_breaker_health(const QtsBroker *broker, int64_t mono, QtsBrokerHealth *health);
extern int kis_breaker_slots(const QtsBroker *broker, QtsRateClass klass, int64_t mono);
extern int64_t kis_breaker_wait(const QtsBroker *broker, QtsRateClass klass, int64_t mono);
extern uint32_t kis_breaker_enter(QtsBroker *broker, QtsRateClass klass, int64_t mono);
/* What the answer, or its absence, says about the broker; answer NULL = given up waiting. */
extern void kis_breaker_report(QtsBroker *broker, QtsRateClass klass, uint32_t ticket, int64_t sent_at,
							   const QtsKisVerdict *verdict, const QtsHttpAnswer *answer);

/* kis_token.c */
extern void kis_token_open(QtsBroker *broker, const char *file);
extern void kis_token_close(QtsBroker *broker);
extern long kis_token_drive(QtsBroker *broker);
extern void kis_token_lost(QtsBroker *broker, unsigned age);

/* kis_query.c */
extern bool
kis_query_add(QtsBroker *broker, KisQueryKind kind, uint64_t tag, const char *account, QtsDate date);
extern long kis_query_drive(QtsBroker *broker);
extern void kis_query_close(QtsBroker *broker);

#endif /* QTS_BROKER_KIS_SESSION_H */
