/*-------------------------------------------------------------------------
 *
 * tick_rows.h
 *		What ticks leave in the tables and on the board: at once, or when tables
 *		that somebody else has locked are free again.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BGWORKERS_TICK_ROWS_H
#define QTS_BGWORKERS_TICK_ROWS_H

#include "postgres.h"

#include "broker/quotes.h"
#include "shm/board.h"

/* What a batch says of one symbol. */
typedef struct QtsNews
{
	int slot;	   /* on the board */
	QtsSource was; /* shown before the batch */
	bool changed;  /* the entry is not what the board has */
	bool heard[QTS_SOURCE_COUNT];
	QtsKrw acml_value[QTS_SOURCE_COUNT];
	QtsBoardEntry entry;
} QtsNews;

/* What is known of a symbol: the board's, or what is not yet shown; false = nothing. */
extern bool qts_tick_rows_entry(int slot, QtsBoardEntry *entry);

/*
 * Store n ticks as rows and what is newest of each symbol, then publish it.
 * Where tables are locked the ticks wait, and what may be shown is shown.
 * Never inside a transaction; an error means that all of it is lost.
 */
extern void
qts_tick_rows_take(const QtsTick *ticks, int n, QtsNews *news, int nnews, QtsTime now, bool trading);

/* What waits is tried again; ms until the next time, -1 = nothing waits. */
extern long qts_tick_rows_turn(int64 mono);

/* Is it known that best prices cannot be written now? */
extern bool qts_tick_rows_locked(void);

/* What waits is lost, and counted. */
extern void qts_tick_rows_stop(void);

/* Tell of a wait that is long; its own transaction. */
extern void qts_tick_rows_tell(int64 mono);

#endif /* QTS_BGWORKERS_TICK_ROWS_H */
