/*-------------------------------------------------------------------------
 *
 * reference.h
 *		What is asked of the broker once a day: when it is due, and which
 *		answers can be believed.
 *
 * Trading days (kis-api 4.5), daily bars (4.4), base prices with the limits of
 * the day (8.4).  Each has a day it is wanted of, and is asked for again, later
 * and later, until that day is stored.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_REFERENCE_H
#define QTS_CORE_REFERENCE_H

#include "core/session.h"

typedef enum QtsReferenceTask
{
	QTS_REFERENCE_CALENDAR, /* trading days from today on; the broker wants one request a day */
	QTS_REFERENCE_BARS,		/* daily bars up to the last day that is over */
	QTS_REFERENCE_BASES,	/* base price and limits of today */
	QTS_REFERENCE_TASKS
} QtsReferenceTask;

#define QTS_DATE_NONE INT32_MIN

/* What is stored of a task, or of a symbol of it. */
typedef struct QtsReferenceState
{
	QtsDate done;	  /* of or up to this day it is stored; QTS_DATE_NONE = nothing */
	QtsTime tried_at; /* QTS_TIME_NONE = never */
	int failures; /* tries since; one counts when it is made, so that one that kills its process does too */
} QtsReferenceState;

extern const char *qts_reference_name(QtsReferenceTask task);

/*
 * The day it is wanted of now, QTS_DATE_NONE = of none.  today: its row of the
 * calendar, NULL = there is none; before: the last trading day before today.
 */
extern QtsDate
qts_reference_target(QtsReferenceTask task, const QtsCalendarDay *today, QtsDate before, QtsTime now);

/* How long after so many tries the next one may come. */
extern int64_t qts_reference_delay(QtsReferenceTask task, int tries);

/* May it be asked for now?  A clock that was set back keeps nothing waiting. */
extern bool
qts_reference_due(QtsReferenceTask task, QtsDate target, const QtsReferenceState *state, QtsTime now);

/* The broker has answered so often without what was asked for: it has none of that day. */
extern bool qts_reference_hopeless(int tries);

/* From shortly before the open to the close: what is missing now is missed. */
extern bool qts_reference_needed(const QtsCalendarDay *today, QtsTime now);

/* An answer about so many days in a row, so many of them open: the exchange never closes for two weeks. */
extern bool qts_trading_days_believable(int days, int open);

typedef struct QtsBasePrice
{
	char symbol[QTS_SYMBOL_LEN + 1];
	QtsKrw base;
	QtsKrw lower; /* 0 = not told */
	QtsKrw upper;
	int64_t volume; /* of the day */
} QtsBasePrice;

typedef enum QtsBaseVerdict
{
	QTS_BASE_GOOD,
	QTS_BASE_UNLIMITED,	 /* good, and its limits are not told */
	QTS_BASE_OLD,		 /* still that of the last trading day */
	QTS_BASE_IMPOSSIBLE, /* limits that no rule makes of it */
	QTS_BASE_VERDICTS
} QtsBaseVerdict;

/* What the master and the bars know of the last trading day; 0 = nothing. */
typedef struct QtsBaseKnown
{
	QtsKrw base;
	QtsKrw close;
} QtsBaseKnown;

extern QtsBaseVerdict
qts_base_judge(const QtsBasePrice *told, const QtsBaseKnown *known, const QtsCalendarDay *today, QtsTime now);
extern const char *qts_base_fault(QtsBaseVerdict verdict); /* NULL = none */

#endif /* QTS_CORE_REFERENCE_H */
