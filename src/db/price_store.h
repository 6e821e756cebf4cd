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

/* A symbol to follow, for which account's credentials. */
typedef struct QtsWanted
{
	char symbol[QTS_SYMBOL_LEN + 1];
	char account[12];
} QtsWanted;

/* Symbols of live positions and open orders, most valuable first; palloc'd. */
extern QtsWanted *qts_price_wanted(int *count);

/* Put the stored best prices, limits and today's calendar on the board. */
extern void qts_price_warm_board(TimestampTz now);

/* Store a batch: every tick, and of each symbol the newest as best price. */
extern void qts_price_store(const QtsTick *ticks, int n, int64 first_seq);

/* Mark prices that no source keeps fresh; returns how many changed. */
extern int qts_price_mark_stale(TimestampTz now, bool trading);

extern void qts_price_ensure_partitions(QtsDate date);

#endif /* QTS_DB_PRICE_STORE_H */
