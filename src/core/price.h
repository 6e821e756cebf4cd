/*-------------------------------------------------------------------------
 *
 * price.h
 *		Freshness of quotes and the best price among sources (runtime 3.3).
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_PRICE_H
#define QTS_CORE_PRICE_H

#include "core/session.h"

typedef enum QtsSource
{
	QTS_SOURCE_KIS_WS,
	QTS_SOURCE_KIS_REST,
	QTS_SOURCE_NAVER,
	QTS_SOURCE_COUNT
} QtsSource;

typedef struct QtsQuote
{
	QtsPrice last;	 /* 0 = no quote from this source yet */
	QtsPrice bid;	 /* 0 = unknown */
	QtsPrice ask;	 /* 0 = unknown */
	int64_t volume;	 /* accumulated */
	QtsTime exch_at; /* exchange time, QTS_TIME_NONE when not given */
	QtsTime recv_at;
} QtsQuote;

/*
 * Which column of the limits holds: the short one only while prices are
 * printed one after the other.  In an auction and after the close the last
 * print stands, and outside hours nobody asks often.
 */
extern bool qts_price_trading(QtsSessionPhase phase);

/* Age in ms above which a source is stale; trading = by qts_price_trading(). */
extern int64_t qts_stale_after_ms(QtsSource source, bool trading);

/* Is there a price, and is it no older than its source allows? */
extern bool qts_quote_fresh(const QtsQuote *quote, QtsSource source, QtsTime now, bool trading);

/*
 * The source among better ones than this whose price was received later: what
 * it said then is also what this one would have said.  Else this one.
 */
extern QtsSource qts_newer_source(const QtsQuote quotes[QTS_SOURCE_COUNT], QtsSource source, QtsTime now);

/*
 * Strict priority among fresh sources; QTS_SOURCE_COUNT when none is fresh.  A
 * price never goes back in time: where a better source went silent after a
 * fresh one was heard, it is fresh for as long as that one.
 */
extern QtsSource qts_best_source(const QtsQuote quotes[QTS_SOURCE_COUNT], QtsTime now, bool trading);

/*
 * May an order be decided on a price of this source?  The fallback is a source
 * to look at, unless the user says otherwise.
 */
extern bool qts_source_decides(QtsSource source, bool naver_decides);

/* 0..100, informational; vectors in runtime 3.3. */
extern int qts_quality_score(QtsSource source, int64_t age_ms, bool trading);

/*
 * Is this print believable: positive, and inside the day's limits when they
 * are known (lower = upper = 0: unknown)?
 */
extern bool qts_price_plausible(QtsPrice price, QtsPrice lower, QtsPrice upper);

extern const char *qts_source_name(QtsSource source);
extern bool qts_source_parse(const char *name, QtsSource *out);

#endif /* QTS_CORE_PRICE_H */
