/*-------------------------------------------------------------------------
 *
 * order.h
 *		Order and intent life cycles: the reducer and the legal transitions.
 *
 * The same tables feed the triggers, the workers and the unit tests
 * (runtime 2.4, 6.4).
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_ORDER_H
#define QTS_CORE_ORDER_H

#include "core/core.h"

typedef enum QtsOrderStatus
{
	QTS_ORDER_PENDING_SUBMIT, /* written ahead: may have been sent */
	QTS_ORDER_UNKNOWN,		  /* sent, outcome not known */
	QTS_ORDER_SUBMITTED,
	QTS_ORDER_PARTIAL,
	QTS_ORDER_FILLED,
	QTS_ORDER_CANCELLED,
	QTS_ORDER_CANCELLED_PARTIAL,
	QTS_ORDER_REJECTED,
	QTS_ORDER_EXPIRED,
	QTS_ORDER_STATUS_COUNT
} QtsOrderStatus;

typedef enum QtsIntentStatus
{
	QTS_INTENT_PENDING_APPROVAL,
	QTS_INTENT_NEW,
	QTS_INTENT_SUBMITTING,
	QTS_INTENT_UNKNOWN,
	QTS_INTENT_SUBMITTED,
	QTS_INTENT_PARTIAL,
	QTS_INTENT_FILLED,
	QTS_INTENT_CANCELLED,
	QTS_INTENT_CANCELLED_PARTIAL,
	QTS_INTENT_REJECTED,
	QTS_INTENT_FAILED,
	QTS_INTENT_EXPIRED,
	QTS_INTENT_DUPLICATE,
	QTS_INTENT_STATUS_COUNT
} QtsIntentStatus;

/* What the broker is known to say about one order. */
typedef struct QtsOrderFacts
{
	QtsQty qty;		   /* ordered */
	QtsQty filled;	   /* booked fills, see fill.h */
	QtsQty cancelled;  /* killed by a cancel */
	QtsQty rejected;   /* refused, or silently expired (kis-api 3.9) */
	bool known;		   /* the broker has shown this order */
	bool dead;		   /* rmn_qty present and 0 (kis-api 3.9) */
	bool session_over; /* a dead rest is an expiry, not a rejection */
	bool cancel_asked; /* we or someone asked to cancel */
} QtsOrderFacts;

/*
 * Status that follows from the facts (runtime 6.4: filled, rejected,
 * cancelled partial, cancelled or expired, partial, submitted, unknown),
 * never leaving a terminal status except for a later fill.
 */
extern QtsOrderStatus qts_order_reduce(QtsOrderStatus current, const QtsOrderFacts *facts);

extern QtsQty qts_order_open_qty(const QtsOrderFacts *facts);
extern bool qts_order_terminal(QtsOrderStatus status);
extern bool qts_order_may_change(QtsOrderStatus from, QtsOrderStatus to);
extern const char *qts_order_status_name(QtsOrderStatus status);
extern bool qts_order_status_parse(const char *name, QtsOrderStatus *out);

extern QtsIntentStatus qts_intent_mirror(QtsOrderStatus status);
extern bool qts_intent_terminal(QtsIntentStatus status);
/* Live: still locks quantity of its position (runtime 4.7). */
extern bool qts_intent_live(QtsIntentStatus status);
extern bool qts_intent_may_change(QtsIntentStatus from, QtsIntentStatus to);
extern const char *qts_intent_status_name(QtsIntentStatus status);
extern bool qts_intent_status_parse(const char *name, QtsIntentStatus *out);

/* available = held - locked, never below 0 (runtime 4.7). */
extern QtsQty qts_available_qty(QtsQty held, QtsQty locked);

#endif /* QTS_CORE_ORDER_H */
