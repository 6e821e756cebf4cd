/*-------------------------------------------------------------------------
 *
 * quotes.h
 *		Quotes and market data by request: prices, books, bars, trading days.
 *
 * A quote session shares token and rate limit of its app key with the order
 * session, whose requests always go first.  Same rules as broker.h: malloc
 * only, nothing throws, every call returns at once.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BROKER_QUOTES_H
#define QTS_BROKER_QUOTES_H

#include "broker/feed.h"
#include "core/bar.h"
#include "core/reference.h"

#define QTS_QUOTE_SYMBOLS 30 /* of one request */

/* One day of the broker's calendar (kis-api 4.5). */
typedef struct QtsTradingDay
{
	QtsDate date;
	bool open; /* opnd_yn: orders are taken */
} QtsTradingDay;

typedef enum QtsQuoteKind
{
	QTS_QUOTE_PRICES,		/* ticks: up to QTS_QUOTE_SYMBOLS at once */
	QTS_QUOTE_BOOK,			/* one symbol */
	QTS_QUOTE_DAILY_BARS,	/* one symbol, from..to, newest first; at most 100 of them */
	QTS_QUOTE_TRADING_DAYS, /* from a date on */
	QTS_QUOTE_BASE_PRICES	/* with the day's limits: as many symbols as prices */
} QtsQuoteKind;

typedef struct QtsQuoteRequest
{
	QtsQuoteKind kind;
	uint64_t tag;
	char symbol[QTS_QUOTE_SYMBOLS][QTS_SYMBOL_LEN + 1];
	int symbols;
	QtsDate from;
	QtsDate to;
	bool adjusted; /* bars */
} QtsQuoteRequest;

typedef struct QtsQuoteEvent
{
	QtsQuoteKind kind;
	uint64_t tag;
	QtsOutcome outcome; /* OK: answered; what is listed is all there is */
	int http_status;	/* 0 = no answer */
	bool throttled;		/* refused for the rate */
	char msg_cd[QTS_MSG_CD_LEN + 1];
	char msg[QTS_MSG_LEN + 1];
	int64_t done_us; /* monotonic: answer complete */
	int refused;	 /* rows that could not be read or believed */
	QtsTick *ticks;
	QtsBook *books;
	QtsBar *bars; /* a halted day has no trades: volume, open, high and low are 0 */
	QtsTradingDay *days;
	QtsBasePrice *bases;
	int count; /* of the one that is set */
} QtsQuoteEvent;

typedef struct QtsQuotes QtsQuotes;

/* Not thread safe.  mono = monotonic microseconds, now = qts_now(). */
typedef struct QtsQuoteOps
{
	const char *name;
	QtsSource source;
	QtsQuotes *(*open)(const QtsBrokerConfig *config); /* NULL: out of memory */
	void (*close)(QtsQuotes *quotes);
	/* ms until it wants to be called again, -1 = never */
	long (*drive)(QtsQuotes *quotes, int64_t mono, QtsTime now);
	void (*tune)(QtsQuotes *quotes, const QtsBrokerTuning *tuning);
	/* symbols of one request for prices or base prices: some hosts know only one at a time */
	int (*per_request)(const QtsQuotes *quotes);
	/* may a request leave now?  0 = not, while orders or the limit need the room */
	int (*slots)(const QtsQuotes *quotes, int64_t mono);
	/* ms until one could leave; 0 = now */
	long (*slot_wait_ms)(const QtsQuotes *quotes, int64_t mono);
	/* leaves at once; false = no slot, not ready, or a kind this source does not have */
	bool (*ask)(QtsQuotes *quotes, const QtsQuoteRequest *request, int64_t mono);
	QtsQuoteEvent *(*next_event)(QtsQuotes *quotes);
	void (*event_free)(QtsQuoteEvent *event);
	/* why nothing leaves, "" when it could */
	const char *(*trouble)(const QtsQuotes *quotes);
} QtsQuoteOps;

extern const QtsQuoteOps qts_kis_quotes;

/*
 * Of the configuration it uses rest_url (NULL = Naver's own host) and nothing
 * else: its limits are its own.  Once refused it asks no more until reopened.
 */
extern const QtsQuoteOps qts_naver_quotes;

#endif /* QTS_BROKER_QUOTES_H */
