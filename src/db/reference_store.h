/*-------------------------------------------------------------------------
 *
 * reference_store.h
 *		What is asked of the broker once a day: what is missing, and what came.
 *		Inside the caller's transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_DB_REFERENCE_STORE_H
#define QTS_DB_REFERENCE_STORE_H

#include "postgres.h"

#include "utils/timestamp.h"

#include "core/bar.h"
#include "core/priority.h"
#include "core/reference.h"

/* One symbol to ask for. */
typedef struct QtsReferenceItem
{
	char symbol[QTS_SYMBOL_LEN + 1];
	int tries;	  /* this one counted */
	QtsDate from; /* bars: the first day to ask for */
} QtsReferenceItem;

/* What became of a try. */
typedef struct QtsReferenceResult
{
	QtsDate done; /* QTS_DATE_NONE = to be tried again */
	int stored;
	int rejected;
	const char *error; /* NULL = none */
} QtsReferenceResult;

/* What is missing of symbols held or ordered. */
typedef struct QtsReferenceMissing
{
	int symbols;
	int bases;
	int bars;
	bool calendar;
	char first[QTS_SYMBOL_LEN + 1]; /* of the symbols that miss one; "" = none */
} QtsReferenceMissing;

/* The last trading day before a date; QTS_DATE_NONE = none. */
extern QtsDate qts_reference_day_before(QtsDate date);

/* The try is stored before anything is asked; false = it is not due.  *next as below. */
extern bool qts_reference_claim_calendar(QtsDate target, TimestampTz now, TimestampTz *next);

/*
 * The same of up to max symbols, followed ones first and in their order; with
 * all, the rest of the master behind them.  Bars: what is there already is
 * done without asking.  *next receives when to look again if none is due.
 */
extern int
qts_reference_claim(QtsReferenceTask task, QtsDate target, const QtsFollowed *followed, int nfollowed,
					bool all, TimestampTz now, QtsReferenceItem *items, int max, TimestampTz *next);

/* symbol: "" for the calendar. */
extern void qts_reference_result(QtsReferenceTask task, const char *symbol, const QtsReferenceResult *result,
								 TimestampTz now);

/*
 * Store bars of the broker: they replace bars made of ticks and its own, never
 * imported ones.  A base price of today that waited for the last bar is
 * compared with it.  Returns how many changed.
 */
extern int qts_reference_store_bars(const char *symbol, const QtsBar *bars, int n, QtsDate today);

/* What is known of the day before, one entry per symbol. */
extern void qts_reference_known(const QtsBasePrice *bases, int n, QtsDate before, QtsBaseKnown *known);

/* Base prices and limits of a day into the master. */
extern void qts_reference_store_bases(const QtsBasePrice *bases, int n, QtsDate date);

extern void qts_reference_missing(const QtsFollowed *followed, int nfollowed, QtsDate today, QtsDate before,
								  QtsReferenceMissing *missing);

#endif /* QTS_DB_REFERENCE_STORE_H */
