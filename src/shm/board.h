/*-------------------------------------------------------------------------
 *
 * board.h
 *		The price board: the best price of every symbol in shared memory.
 *
 * One writer, the prices worker, and any number of readers that never block:
 * each entry is a seqlock.  An entry is published only after the transaction
 * that stored its price has committed, and can always be rebuilt from
 * market.prices_best.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_SHM_BOARD_H
#define QTS_SHM_BOARD_H

#include "postgres.h"

#include "core/price.h"
#include "core/session.h"

typedef struct QtsBoardEntry
{
	QtsQuote quote;
	QtsSource source;
	bool halted;
	QtsPrice lower; /* day limits, 0 = unknown */
	QtsPrice upper;
	QtsPrice prev_close;  /* 0 = unknown */
	int64 published_mono; /* monotonic us */
} QtsBoardEntry;

/* An entry judged at one instant. */
typedef struct QtsBoardQuote
{
	QtsQuote quote;
	QtsSource source;
	bool halted;
	bool stale;		 /* older than its source allows */
	bool too_old;	 /* older than qts.exit_max_price_age: no exit is decided on it */
	bool in_session; /* continuous trading of an open day */
	int64 age_ms;
} QtsBoardQuote;

extern Size qts_board_size(void);
extern void qts_board_attach(void);

/* Slot of a symbol, -1 when it is not on the board.  A slot never moves. */
extern int qts_board_find(const char *symbol);

/* Writer only: slot of a symbol, claimed if new; -1 when the board is full. */
extern int qts_board_claim(const char *symbol);
extern void qts_board_publish(int slot, const QtsBoardEntry *entry);

/* Sequence number of the last publication: equal = nothing new. */
extern uint32 qts_board_version(int slot);

/* Copy an entry; false when nothing was published yet. */
extern bool qts_board_read(int slot, QtsBoardEntry *out);

/* Today's calendar row for the judgement of age and session, published by the writer. */
extern void qts_board_set_day(const QtsCalendarDay *day);
extern bool qts_board_day(QtsCalendarDay *out);

/* By symbol, judged now; false when there is no price. */
extern bool qts_board_quote(const char *symbol, QtsBoardQuote *out);
extern void qts_board_judge(const QtsBoardEntry *entry, QtsTime now, QtsBoardQuote *out);

#endif /* QTS_SHM_BOARD_H */
