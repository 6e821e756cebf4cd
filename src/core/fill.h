/*-------------------------------------------------------------------------
 *
 * fill.h
 *		How many shares of an order are filled, from two unreliable witnesses.
 *
 * The broker gives no execution id (kis-api 5.6).  Notices may repeat, be
 * lost or come late; the ledger row is cumulative and may lag.  Booked
 * quantity is therefore max(sum of counted notices, ledger cumulative), and
 * only the difference to what is booked becomes a fill: a late notice is
 * absorbed by the ledger's fill and a repeated ledger row adds nothing.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_FILL_H
#define QTS_CORE_FILL_H

#include "core/core.h"

typedef struct QtsFillBook
{
	QtsQty ordered;
	QtsQty notice_qty; /* sum of counted fill notices */
	QtsKrw notice_amount;
	QtsQty ledger_qty; /* highest cumulative the ledger has shown */
	QtsKrw ledger_amount;
	QtsQty booked_qty;	  /* sum of fill rows */
	QtsKrw booked_amount; /* sum of qty * price, rounded to KRW */
} QtsFillBook;

typedef struct QtsFillStep
{
	QtsQty qty;		/* 0: nothing to book */
	QtsPrice price; /* of the new fill row */
	bool excess;	/* a notice beyond the ordered quantity: not counted */
	bool dispute;	/* ledger complete and below what is booked */
} QtsFillStep;

/*
 * Apply a notice of qty shares at price.  repeat says an identical notice
 * (order, second, qty, price) is already counted: it is then left to the
 * ledger, which alone can tell a second equal fill from a duplicate.
 * Updates book.
 */
extern QtsFillStep qts_fill_notice(QtsFillBook *book, QtsQty qty, QtsPrice price, bool repeat);

/*
 * Apply a ledger row: cumulative qty and amount; dead says the row has no
 * remaining quantity.  Cumulative numbers never go back: a lower row is an
 * old answer.  Updates book.
 */
extern QtsFillStep qts_fill_ledger(QtsFillBook *book, QtsQty qty, QtsKrw amount, bool dead);

#endif /* QTS_CORE_FILL_H */
