/*-------------------------------------------------------------------------
 *
 * feed.h
 *		A broker's push feed: ticks, books and execution notices of one app key.
 *
 * One WebSocket per app key exists at the broker (kis-api 5.1), so one
 * process owns it.  Same rules as broker.h: malloc only, nothing throws,
 * every call returns at once.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BROKER_FEED_H
#define QTS_BROKER_FEED_H

#include "broker/broker.h"
#include "core/price.h"

#define QTS_FEED_MAX_KEYS 41 /* registrations of one session, notices included */
#define QTS_BOOK_LEVELS 10

typedef struct QtsTick
{
	char symbol[QTS_SYMBOL_LEN + 1];
	QtsSource source;
	QtsKrw price;
	QtsKrw bid; /* 0 = none */
	QtsKrw ask;
	int64_t volume; /* of this print */
	int64_t acml_volume;
	QtsKrw acml_value;
	QtsKrw change; /* signed, against the previous close */
	QtsKrw lower;  /* limits of the day; 0 = not told */
	QtsKrw upper;
	QtsTime exch_at; /* date + second of the exchange; QTS_TIME_NONE if unreadable */
	QtsTime recv_at;
	bool halted;
	char market_class; /* 0 when the field is absent */
} QtsTick;

typedef struct QtsBookLevel
{
	QtsKrw price; /* 0 = no such level */
	QtsQty qty;
} QtsBookLevel;

/* Best first; levels without a price or a quantity are left out. */
typedef struct QtsBook
{
	char symbol[QTS_SYMBOL_LEN + 1];
	QtsBookLevel bid[QTS_BOOK_LEVELS];
	QtsBookLevel ask[QTS_BOOK_LEVELS];
	QtsTime exch_at; /* QTS_TIME_NONE if unreadable */
	QtsTime recv_at;
} QtsBook;

/* H0STCNI0/H0STCNI9, kis-api 5.6.  Plain data: it crosses shared memory. */
typedef struct QtsNotice
{
	QtsNoticeKind kind;
	char account[12]; /* NNNNNNNN-NN */
	char odno[QTS_ODNO_LEN + 1];
	char orgn_odno[QTS_ODNO_LEN + 1];
	char symbol[QTS_SYMBOL_LEN + 1];
	char ord_dvsn[3];
	char orgno[QTS_ORGNO_LEN + 1];
	bool sell;
	QtsQty qty; /* of this fill, or of the order / cancel */
	QtsKrw price;
	QtsQty order_qty;
	int32_t hhmmss;
	int64_t recv_mono; /* monotonic us: frame readable */
} QtsNotice;

typedef enum QtsFeedState
{
	QTS_FEED_DOWN,
	QTS_FEED_CONNECTING,
	QTS_FEED_UP /* notices are subscribed when asked for */
} QtsFeedState;

typedef struct QtsFeedCounters
{
	uint64_t frames;
	uint64_t ticks;
	uint64_t notices;
	uint64_t books;
	uint64_t malformed; /* frames, and records of readable frames, refused by the parser */
	uint64_t undecryptable;
	uint64_t unread;   /* notices among both: the ledger must tell what they said */
	uint64_t overflow; /* ticks lost to a full ring: counted, never silent */
	uint64_t books_lost;
	uint64_t connects;
	uint64_t drops;
} QtsFeedCounters;

typedef struct QtsFeed QtsFeed;

/* The configuration's hts_id, when not empty, is subscribed for notices first. */
extern QtsFeed *qts_kis_feed_open(const QtsBrokerConfig *config);
extern void qts_kis_feed_close(QtsFeed *feed);

/* Approval key, connect, back-off, subscriptions, watchdog; ms until the next call. */
extern long qts_kis_feed_drive(QtsFeed *feed, int64_t mono, QtsTime now);

/* What is wanted of a symbol. */
typedef struct QtsFeedWant
{
	char symbol[QTS_SYMBOL_LEN + 1];
	bool trades;
	bool book;
} QtsFeedWant;

/*
 * Wanted symbols, dearest first; the difference is applied, unsubscribes
 * first.  Trades of all of them come before the first book.  Returns how many
 * trades fit; *books, when not NULL, how many books.
 */
extern int qts_kis_feed_want(QtsFeed *feed, const QtsFeedWant *wanted, int count, int *books);

/* Up to max decoded entries; the rest stays.  Ticks come in arrival order. */
extern int qts_kis_feed_ticks(QtsFeed *feed, QtsTick *ticks, int max);
extern int qts_kis_feed_books(QtsFeed *feed, QtsBook *books, int max);
extern int qts_kis_feed_notices(QtsFeed *feed, QtsNotice *notices, int max);

/* epoch grows by one at every (re)connect: whoever saw another one must reconcile. */
extern QtsFeedState qts_kis_feed_state(const QtsFeed *feed, uint64_t *epoch, char *why, size_t why_size);
extern QtsFeedCounters qts_kis_feed_counters(const QtsFeed *feed);

#endif /* QTS_BROKER_FEED_H */
