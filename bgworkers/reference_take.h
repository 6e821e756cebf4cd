/*-------------------------------------------------------------------------
 *
 * reference_take.h
 *		Parts of reference.c: what becomes of an answer, and what is missing
 *		before the open.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BGWORKERS_REFERENCE_TAKE_H
#define QTS_BGWORKERS_REFERENCE_TAKE_H

#include "postgres.h"

#include "broker/quotes.h"
#include "db/reference_store.h"

/* A request under way. */
typedef struct QtsReferenceAsked
{
	QtsReferenceTask task;
	QtsDate target;
	int n;
	QtsReferenceItem item[QTS_QUOTE_SYMBOLS];
} QtsReferenceAsked;

/* Today's row of the calendar; NULL = none is known. */
extern const QtsCalendarDay *qts_reference_today(TimestampTz now);

/*
 * A transaction whose error ends it, is logged, and disturbs no price.  Returns
 * NULL, or why it did not commit.
 */
extern const char *qts_reference_txn(void (*body)(void *arg), void *arg, const char *activity);

/*
 * Judge and store an answer, or that there was none; before: the last trading
 * day before today.  False: the next request had better wait.
 */
extern bool qts_reference_take(const QtsReferenceAsked *asked, const QtsQuoteEvent *event, QtsDate before,
							   TimestampTz now);

/* reference_watch.c: from 08:50 on a normal day, tell what symbols held or ordered lack. */
extern void qts_reference_watch_start(void);
extern void
qts_reference_watch(const QtsFollowed *followed, int nfollowed, QtsDate before, TimestampTz now, int64 mono);

#endif /* QTS_BGWORKERS_REFERENCE_TAKE_H */
