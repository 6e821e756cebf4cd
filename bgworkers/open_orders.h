/*-------------------------------------------------------------------------
 *
 * open_orders.h
 *		Open orders of an account, asked for between two reads of its ledger.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BGWORKERS_OPEN_ORDERS_H
#define QTS_BGWORKERS_OPEN_ORDERS_H

#include "sessions.h"

/* Ask when it is time; returns ms until the next list, -1 = none is wanted. */
extern long qts_open_orders_poll(QtsAccount *account, int64 mono);

/*
 * Compare a list with our orders, in a transaction of its own.  Returns when
 * the ledger should be read to explain the difference; 0 = there is none.
 */
extern int64 qts_open_orders_take(QtsAccount *account, const QtsBrokerEvent *event, int64 mono);

/* What can still be cancelled of an order by the last list, if that is fresh; else otherwise. */
extern QtsQty
qts_open_orders_cancellable(const QtsAccount *account, const char *odno, QtsQty otherwise, int64 mono);

extern void qts_open_orders_forget(void);

#endif /* QTS_BGWORKERS_OPEN_ORDERS_H */
