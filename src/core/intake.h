/*-------------------------------------------------------------------------
 *
 * intake.h
 *		What becomes of a quote that arrives: taken, only fresher, or refused.
 *
 * Feeds repeat, reorder and sometimes invent.  The judgement knows the last
 * quote taken from the same source, the day's limits and two clocks; it never
 * locks a symbol out for good: what it was wrong about ends by itself.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_INTAKE_H
#define QTS_CORE_INTAKE_H

#include "core/price.h"

typedef enum QtsIntake
{
	QTS_INTAKE_TAKEN,	 /* news: stored and published */
	QTS_INTAKE_REPEATED, /* known already: the quote is only fresher */
	QTS_INTAKE_LATE,	 /* older than what is known */
	QTS_INTAKE_REFUSED,	 /* no price this day can have */
	QTS_INTAKE_SKEWED,	 /* the exchange's clock and ours disagree */
	QTS_INTAKE_COUNT
} QtsIntake;

/* How far a price may move in a day: by what is known of the symbol. */
typedef enum QtsLimitRule
{
	QTS_LIMIT_STOCK,	/* 30 % both ways, on the tick grid */
	QTS_LIMIT_ETP,		/* 60 %: leveraged products move by twice their index */
	QTS_LIMIT_FIRST_DAY /* 60 % to 400 % of the offering price */
} QtsLimitRule;

typedef struct QtsDayLimits
{
	QtsPrice lower; /* 0 = unknown */
	QtsPrice upper;
	QtsPrice base;	  /* previous close they follow from; 0 = unknown */
	QtsPrice doubted; /* another base that refused quotes agree on */
	QtsDate date;	  /* the day they are of */
	uint8_t rule;	  /* QtsLimitRule */
	uint8_t doubts;	  /* refused quotes in a row that say doubted */
	uint8_t agreed;	  /* taken quotes that say base; enough settle it for the day */
	bool master;	  /* given by the stock master: no quote changes them */
} QtsDayLimits;

/*
 * May this be a price of the day?  Without limits of the master those of the
 * quote's own base (price - change) are used.  The first of a day sets them;
 * until three quotes have agreed with it, three in a row that agree on another
 * base replace it: neither a first quote nor a later forgery decides the day.
 */
extern bool qts_limits_admit(QtsDayLimits *limits, QtsPrice price, QtsPrice base, QtsDate date);

/* Set by the master. */
extern void qts_limits_set(QtsDayLimits *limits, QtsPrice base, QtsPrice lower, QtsPrice upper, QtsDate date);

/*
 * Order and repetition of a plausible quote after the last one taken from its
 * source (last = 0: none).  max_skew: us the exchange's time of a pushed print
 * may differ from ours, 0 = not looked at.
 */
extern QtsIntake
qts_intake(const QtsQuote *seen, const QtsQuote *next, QtsSource source, bool trading, int64_t max_skew);

/*
 * Sides that cannot be are not known: exits sell at the bid, so one beyond the
 * day's limits, or above the ask, is as dangerous as such a price.
 */
extern void qts_sides_judge(QtsQuote *quote, const QtsDayLimits *limits);

/*
 * The source to show: the best fresh one; without any the last best, which
 * follows from the one that went stale last.  QTS_SOURCE_COUNT when there is no quote.
 */
extern QtsSource qts_shown_source(const QtsQuote quotes[QTS_SOURCE_COUNT], QtsTime now, bool trading);

/*
 * Is this a book: each side best first without gaps, bids below asks, all
 * prices within the limits (0, 0 = unknown), no quantity negative?  An
 * empty side is one: at a limit nobody stands opposite.
 */
extern bool qts_book_plausible(const QtsKrw *bid, const QtsQty *bid_qty, const QtsKrw *ask,
							   const QtsQty *ask_qty, int levels, QtsPrice lower, QtsPrice upper);

#endif /* QTS_CORE_INTAKE_H */
