/*-------------------------------------------------------------------------
 *
 * calendar.h
 *		What the broker's calendar says, taken into market.calendar.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_DB_CALENDAR_H
#define QTS_DB_CALENDAR_H

#include "postgres.h"

#include "broker/quotes.h"

/*
 * Once a day, in the caller's transaction (role qts_price).  Agreement confirms a
 * row, a missing day is added, and where they differ the day is closed, with an
 * alert.  Returns how many days changed.
 */
extern int qts_calendar_merge(const QtsTradingDay *days, int n);

#endif /* QTS_DB_CALENDAR_H */
