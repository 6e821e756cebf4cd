/*-------------------------------------------------------------------------
 *
 * broker.h
 *		A broker as the workers see it: sessions, requests and events.
 *
 * A session belongs to one app key and one process.  It owns the token, the
 * rate limiter and the requests in flight, and joins net/ (bytes) with a
 * wire format (kis/).  No SPI, no ereport, no palloc: memory is malloc'd and
 * freed by the session, so nothing here can throw through a library frame.
 *
 * The boundary is a table of function pointers, so that another broker can
 * be added without touching the workers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BROKER_BROKER_H
#define QTS_BROKER_BROKER_H

#include "core/breaker.h"
#include "core/life.h"
#include "core/rate.h"

#define QTS_ODNO_LEN 10
#define QTS_ORGNO_LEN 5
#define QTS_MSG_CD_LEN 15
#define QTS_MSG_LEN 199

typedef enum QtsEnvironment
{
	QTS_ENV_LIVE,
	QTS_ENV_PAPER,
	QTS_ENV_SIM /* speaks exactly like live, to a simulator */
} QtsEnvironment;

/* What may change while a session is open. */
typedef struct QtsBrokerTuning
{
	int rate_per_second; /* 0 = no limit */
	int timeout_ms;		 /* one request */
	QtsBreakerPolicy breaker;
} QtsBrokerTuning;

/*
 * A limiter that the processes using one app key share.  take checks and
 * takes in one step.  NULL in a configuration = the session has its own.
 */
typedef struct QtsRatePool
{
	int (*slots)(void *arg, QtsRateClass klass, int64_t mono);
	int64_t (*wait)(void *arg, QtsRateClass klass, int64_t mono);
	bool (*take)(void *arg, QtsRateClass klass, int64_t mono);
	void (*keep)(void *arg, int slots, int64_t until);
	void (*refused)(void *arg, int64_t mono, int64_t pause);
	void (*set)(void *arg, int per_second);
	void *arg;
} QtsRatePool;

/* Strings are copied.  Secrets are wiped when the session is closed. */
typedef struct QtsBrokerConfig
{
	const char *credentials; /* name in the credentials file: for messages */
	QtsEnvironment environment;
	const char *rest_url; /* NULL = the environment's own host */
	const char *ws_url;	  /* NULL = the environment's own host */
	const char *app_key;
	const char *app_secret;
	const char *hts_id;
	const char *token_file; /* 0600 cache beside the credentials; NULL = none */
	QtsBrokerTuning tuning;
	const QtsRatePool *rate; /* copied */
} QtsBrokerConfig;

typedef struct QtsOrderRequest
{
	char account[12]; /* NNNNNNNN-NN */
	char symbol[QTS_SYMBOL_LEN + 1];
	bool sell;
	bool market;
	QtsQty qty;
	QtsKrw price; /* 0 for market */
} QtsOrderRequest;

typedef struct QtsCancelRequest
{
	char account[12];
	char orgno[QTS_ORGNO_LEN + 1];
	char odno[QTS_ODNO_LEN + 1];
	bool market;
	QtsQty qty; /* remaining */
} QtsCancelRequest;

/* inquire-daily-ccld row, kis-api 3.6; absent numbers are -1. */
typedef struct QtsLedgerRow
{
	QtsBrokerOrder order;		 /* at = ord_dt + ord_tmd */
	char odno[QTS_ODNO_LEN + 1]; /* leading zeros restored */
	char orgn_odno[QTS_ODNO_LEN + 1];
	char orgno[QTS_ORGNO_LEN + 1];
	char venue[4];
	char channel[16]; /* where it was entered: "OpnAPI", "Nsmart", an employee's number; "" = not told */
	QtsQty filled;
	QtsKrw amount;
	QtsQty remaining;
	QtsQty cancelled;
	QtsQty rejected;
} QtsLedgerRow;

/* inquire-balance row, kis-api 3.7; absent numbers are -1. */
typedef struct QtsHoldingRow
{
	char symbol[QTS_SYMBOL_LEN + 1];
	char name[64];
	QtsQty qty;
	QtsQty orderable;
	QtsPrice avg_price; /* purchase amount / quantity, as the broker's own screen shows */
	QtsKrw current_price;
} QtsHoldingRow;

typedef struct QtsBalanceSummary
{
	QtsKrw deposit;
	QtsKrw settled_cash; /* D+2 */
	QtsKrw net_assets;
	QtsKrw fees_today;
} QtsBalanceSummary;

/* A page of the day's orders: it grows with the day, so nobody holds it whole. */
typedef struct QtsLedger
{
	QtsLedgerRow *rows; /* malloc'd by the session */
	int count;
	int page;	   /* of its list, from 0 */
	bool complete; /* the last one, and it said so */
} QtsLedger;

/* A list is complete only when its last page said so. */
typedef struct QtsBalance
{
	QtsHoldingRow *rows;
	int count;
	bool complete;
	QtsBalanceSummary summary;
} QtsBalance;

/* An order the broker still works on (kis-api 3.5); absent numbers are -1. */
typedef struct QtsOpenRow
{
	char odno[QTS_ODNO_LEN + 1]; /* leading zeros restored */
	char orgn_odno[QTS_ODNO_LEN + 1];
	char symbol[QTS_SYMBOL_LEN + 1];
	bool sell;
	QtsQty qty;
	QtsQty filled;
	QtsQty cancellable;
} QtsOpenRow;

typedef struct QtsOpenList
{
	QtsOpenRow *rows;
	int count;
	bool complete;
} QtsOpenList;

typedef enum QtsBrokerEventKind
{
	QTS_EVENT_ORDER, /* answer to an order */
	QTS_EVENT_CANCEL,
	QTS_EVENT_LEDGER,
	QTS_EVENT_BALANCE,
	QTS_EVENT_OPEN_LIST,
	QTS_EVENT_STATE /* session became ready, or lost its token, or failed */
} QtsBrokerEventKind;

typedef struct QtsBrokerEvent
{
	QtsBrokerEventKind kind;
	uint64_t tag; /* the caller's, from the request */
	char account[12];
	QtsOutcome outcome;
	int http_status; /* 0 = no answer */
	bool for_now;	 /* NOT_PROCESSED for want of a slot or a session: costs time, not an attempt */
	char msg_cd[QTS_MSG_CD_LEN + 1];
	char msg[QTS_MSG_LEN + 1];	 /* UTF-8, trimmed */
	char odno[QTS_ODNO_LEN + 1]; /* ORDER, CANCEL accepted */
	char orgno[QTS_ORGNO_LEN + 1];
	int64_t sent_us;  /* monotonic: handed to the socket */
	int64_t done_us;  /* monotonic: answer complete */
	QtsTime asked_at; /* wall clock when a list's first page left */
	QtsLedger ledger;
	QtsBalance balance;
	QtsOpenList open_list;
} QtsBrokerEvent;

typedef enum QtsSessionState
{
	QTS_SESSION_NO_TOKEN, /* asking, or waiting to ask again */
	QTS_SESSION_READY,
	QTS_SESSION_REFUSED /* wrong key: nothing is sent until reconfigured */
} QtsSessionState;

/* How the broker has been answering, per class of requests. */
typedef struct QtsBrokerHealth
{
	QtsBreakerState breaker[QTS_BREAKER_CLASS_COUNT];
	uint64_t opens[QTS_BREAKER_CLASS_COUNT];
	bool wants_list; /* an answered list would let one order out as the probe */
} QtsBrokerHealth;

typedef struct QtsBroker QtsBroker;

/* Not thread safe; every call returns at once.  mono = monotonic microseconds, now = qts_now(). */
typedef struct QtsBrokerOps
{
	const char *name;
	QtsBroker *(*open)(const QtsBrokerConfig *config); /* NULL: out of memory */
	void (*close)(QtsBroker *broker);
	/* token refresh, paced requests; returns ms until it wants to be called again, -1 = never */
	long (*drive)(QtsBroker *broker, int64_t mono, QtsTime now);
	QtsSessionState (*state)(const QtsBroker *broker, char *why, size_t why_size);
	void (*tune)(QtsBroker *broker, const QtsBrokerTuning *tuning);
	void (*health)(const QtsBroker *broker, int64_t mono, QtsBrokerHealth *health);
	/* how many requests of this class would leave at once now */
	int (*slots)(const QtsBroker *broker, QtsRateClass klass, int64_t mono);
	/* ms until one of this class could leave; 0 = now */
	long (*slot_wait_ms)(const QtsBroker *broker, QtsRateClass klass, int64_t mono);
	/* so many slots stay free for orders about to be sent; 0 when they have been */
	void (*keep)(QtsBroker *broker, int slots, int64_t mono);
	/* orders and cancels leave now, once, or answer NOT_PROCESSED; false = bad request or no slot */
	bool (*order)(QtsBroker *broker, uint64_t tag, const QtsOrderRequest *request, int64_t mono);
	bool (*cancel)(QtsBroker *broker, uint64_t tag, const QtsCancelRequest *request, int64_t mono);
	/*
	 * Queued, paged and retried by the session; one event at the end.  Of a
	 * ledger one event a page: after outcome OK another one follows unless
	 * it was complete, after any other outcome none.
	 */
	bool (*ledger)(QtsBroker *broker, uint64_t tag, const char *account, QtsDate date);
	bool (*balance)(QtsBroker *broker, uint64_t tag, const char *account);
	bool (*open_list)(QtsBroker *broker, uint64_t tag, const char *account);
	/* NULL when there is none; free with event_free */
	QtsBrokerEvent *(*next_event)(QtsBroker *broker);
	void (*event_free)(QtsBrokerEvent *event);
	int (*in_flight)(const QtsBroker *broker);
} QtsBrokerOps;

extern const QtsBrokerOps qts_kis_broker;

#endif /* QTS_BROKER_BROKER_H */
