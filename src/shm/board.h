/*-------------------------------------------------------------------------
 *
 * board.h
 *		The price board: the last quote of every source of every symbol.
 *
 * One writer, the prices worker, and any number of readers that never block
 * or wait for it.  An entry is published only after the transaction
 * that stored its price has committed, and can always be rebuilt from
 * market.freshness.  Which source counts, and whether it is stale, is judged
 * by the reader: a feed that dies writes nothing.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_SHM_BOARD_H
#define QTS_SHM_BOARD_H

#include "postgres.h"

#include "core/intake.h"
#include "core/session.h"

typedef struct QtsBoardEntry
{
	QtsQuote of[QTS_SOURCE_COUNT]; /* last = 0: none of this source yet */
	QtsDayLimits limits;
	int64 published_mono; /* monotonic us */
	QtsSource source;	  /* shown at publication */
	bool halted;
} QtsBoardEntry;

/* An entry judged at one instant. */
typedef struct QtsBoardQuote
{
	QtsQuote quote;
	QtsSource source;
	bool halted;
	bool stale;		 /* no source is as fresh as it must be */
	bool skewed;	 /* stale because it is from the future: a clock was moved */
	bool too_old;	 /* older than qts.exit_max_price_age: no exit is decided on it */
	bool in_session; /* continuous trading of an open day */
	int64 age_ms;
} QtsBoardQuote;

/* What a price is wanted for. */
typedef enum QtsBoardUse
{
	QTS_BOARD_SHOW,
	QTS_BOARD_DECIDE /* without NAVER, unless qts.naver_decides */
} QtsBoardUse;

extern Size qts_board_size(void);
extern void qts_board_attach(void);

/* Slot of a symbol, -1 when it is not on the board.  A slot never moves. */
extern int qts_board_find(const char *symbol);

/* Writer only: slot of a symbol, claimed if new; -1 when the board is full. */
extern int qts_board_claim(const char *symbol);
extern void qts_board_publish(int slot, const QtsBoardEntry *entry);

/* Symbols claimed so far; their slots are 0 .. n - 1. */
extern int qts_board_used(void);
extern const char *qts_board_symbol(int slot);

/* Sequence number of the last publication: equal = nothing new. */
extern uint32 qts_board_version(int slot);

/*
 * For the exit worker alone: which of slots 64 * word .. + 63 were published
 * since it last asked.  There are qts_board_words() words.
 */
extern int qts_board_words(void);
extern uint64 qts_board_take_changed(int word);

/* Copy an entry; false when nothing was published yet. */
extern bool qts_board_read(int slot, QtsBoardEntry *out);

/* Only what was shown at publication, not judged; false when that is nothing. */
extern bool qts_board_last(int slot, QtsQuote *quote, QtsSource *source);

/* Today's calendar row for the judgement of age and session, published by the writer. */
extern void qts_board_set_day(const QtsCalendarDay *day);
extern bool qts_board_day(QtsCalendarDay *out);

/* Are the short limits of freshness in force at this instant, by the calendar? */
extern bool qts_board_trading(QtsTime now);

/* By symbol, judged now; false when there is no price.  Counted as a read of the cache. */
extern bool qts_board_quote(const char *symbol, QtsBoardUse use, QtsBoardQuote *out);

/* False when there is no price that may be used so. */
extern bool qts_board_judge(const QtsBoardEntry *entry, QtsTime now, QtsBoardUse use, QtsBoardQuote *out);

#endif /* QTS_SHM_BOARD_H */
