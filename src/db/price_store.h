/*-------------------------------------------------------------------------
 *
 * price_store.h
 *		Tables of the prices worker.  Inside the caller's transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_DB_PRICE_STORE_H
#define QTS_DB_PRICE_STORE_H

#include "postgres.h"

#include "utils/timestamp.h"

#include "broker/feed.h"
#include "shm/board.h"

/* What the tables must learn of one symbol and source. */
typedef struct QtsPriceRow
{
	const char *symbol;
	QtsSource source;
	const QtsQuote *quote;
	QtsPrice base; /* previous close, 0 = unknown */
	QtsKrw acml_value;
	bool heard; /* for market.freshness */
	bool best;	/* for market.prices_best */
	bool stale; /* and no source is fresh */
} QtsPriceRow;

/*
 * Put the stored quotes of symbols that show nothing yet, the day's limits and
 * today's calendar on the board.  Cheap when there is nothing to do.
 */
extern void qts_price_warm_board(TimestampTz now);

/* Store a batch: the ticks as rows numbered from first_seq on, and what is newest of each symbol and source. */
extern void qts_price_store(const QtsTick *ticks, int n, int64 first_seq, const QtsPriceRow *rows, int nrows);

/*
 * Best prices whose source has gone stale: another fresh source takes over,
 * without one they are marked.  Returns how many changed.
 */
extern int qts_price_mark_stale(TimestampTz now, bool trading);

extern void qts_price_ensure_partitions(QtsDate date);

#endif /* QTS_DB_PRICE_STORE_H */
