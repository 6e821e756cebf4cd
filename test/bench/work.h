/*-------------------------------------------------------------------------
 *
 * work.h
 *		Orders in bulk: forty positions and many intents of them at once.
 *
 * Every intent of a symbol has a quantity of its own for the whole run, so a
 * POST belongs to exactly one intent and a doubled or foreign one is seen.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BENCH_WORK_H
#define QTS_BENCH_WORK_H

#include "bench.h"

typedef enum WorkSide
{
	WORK_ENGINE,
	WORK_OUTSIDE
} WorkSide;

/* Connects to the engine's database, again if it was gone; the account is the engine's. */
extern PGconn *work_connect(const char *account);

/* The same for the programs outside. */
extern PGconn *work_connect_plain(void);

/* Positions that hold each_symbol intents of the next batch, as many single ones, and one share more. */
extern void work_open(int each_symbol);

/* What the broker holds of each symbol.  Tell it after the engine's first look, or it adopts them. */
extern void work_holdings(long qty);

/* One statement writes each_symbol intents for each of the forty symbols; limit_price 0 = market. */
extern void work_intents(WorkSide side, int each_symbol, long limit_price);

/* One market intent of a symbol; returns its quantity. */
extern long work_intent(int symbol);

/*
 * The accepted POSTs since a sequence number, each checked to be one of the intents
 * written since work_mark and to have come once; any other count than the
 * intents' fails the run.  Sorted by arrival; to be freed.
 */
extern void work_mark(void);
extern Post *work_posts(WorkSide side, int64_t since, int *count);

/*
 * Open loop: single intents, one each step, spread over the symbols; samples
 * receive the time to their POSTs.  Only these may be on their way.
 */
extern void work_paced(int count, int64_t step_us, Samples *samples);

/* All market intents of the open positions are filled and booked. */
extern void work_settle(void);

/* Sells what is left of each position and waits for the end of it. */
extern void work_close(void);

/* Orders the engine has been asked for in all, the closing ones included. */
extern long work_total(void);

/* The engine's clock as text, and: the account's lists have both been read since then. */
extern void work_now(char *now, size_t size);
extern bool work_is_ready(const char *since);
extern void work_wait_ready(const char *since);

/* A server setting that a reload applies; an empty value resets it. */
extern void work_setting(const char *name, const char *value);

#endif /* QTS_BENCH_WORK_H */
