/*-------------------------------------------------------------------------
 *
 * order.c
 *		Order and intent life cycles: the reducer and the legal transitions.
 *
 * A transition table is one bit set of successors per status; staying is
 * always legal.  Everything the reducer answers is legal by these tables.
 *
 *-------------------------------------------------------------------------
 */
#include "core/order.h"
#include "core/names.h"

#define BIT(status) (UINT32_C(1) << (status))

static const char *const order_names[] = {
	[QTS_ORDER_PENDING_SUBMIT] = "PENDING_SUBMIT",
	[QTS_ORDER_UNKNOWN] = "UNKNOWN",
	[QTS_ORDER_SUBMITTED] = "SUBMITTED",
	[QTS_ORDER_PARTIAL] = "PARTIAL",
	[QTS_ORDER_FILLED] = "FILLED",
	[QTS_ORDER_CANCELLED] = "CANCELLED",
	[QTS_ORDER_CANCELLED_PARTIAL] = "CANCELLED_PARTIAL",
	[QTS_ORDER_REJECTED] = "REJECTED",
	[QTS_ORDER_EXPIRED] = "EXPIRED",
};

static const char *const intent_names[] = {
	[QTS_INTENT_PENDING_APPROVAL] = "PENDING_APPROVAL",
	[QTS_INTENT_NEW] = "NEW",
	[QTS_INTENT_SUBMITTING] = "SUBMITTING",
	[QTS_INTENT_UNKNOWN] = "UNKNOWN",
	[QTS_INTENT_SUBMITTED] = "SUBMITTED",
	[QTS_INTENT_PARTIAL] = "PARTIAL",
	[QTS_INTENT_FILLED] = "FILLED",
	[QTS_INTENT_CANCELLED] = "CANCELLED",
	[QTS_INTENT_CANCELLED_PARTIAL] = "CANCELLED_PARTIAL",
	[QTS_INTENT_REJECTED] = "REJECTED",
	[QTS_INTENT_FAILED] = "FAILED",
	[QTS_INTENT_EXPIRED] = "EXPIRED",
	[QTS_INTENT_DUPLICATE] = "DUPLICATE",
};

/* A fill may come to light after the end. */
#define ORDER_LATE_FILL (BIT(QTS_ORDER_FILLED) | BIT(QTS_ORDER_CANCELLED_PARTIAL))
#define ORDER_ENDED                                                                                          \
	(ORDER_LATE_FILL | BIT(QTS_ORDER_CANCELLED) | BIT(QTS_ORDER_REJECTED) | BIT(QTS_ORDER_EXPIRED))
#define ORDER_SEEN (ORDER_ENDED | BIT(QTS_ORDER_SUBMITTED) | BIT(QTS_ORDER_PARTIAL))

static const uint32_t order_next[] = {
	[QTS_ORDER_PENDING_SUBMIT] = ORDER_SEEN | BIT(QTS_ORDER_UNKNOWN),
	[QTS_ORDER_UNKNOWN] = ORDER_SEEN,
	[QTS_ORDER_SUBMITTED] = ORDER_ENDED | BIT(QTS_ORDER_PARTIAL),
	[QTS_ORDER_PARTIAL] = ORDER_LATE_FILL,
	[QTS_ORDER_FILLED] = 0,
	[QTS_ORDER_CANCELLED] = ORDER_LATE_FILL,
	[QTS_ORDER_CANCELLED_PARTIAL] = BIT(QTS_ORDER_FILLED),
	[QTS_ORDER_REJECTED] = ORDER_LATE_FILL,
	[QTS_ORDER_EXPIRED] = ORDER_LATE_FILL,
};

#define INTENT_LATE_FILL (BIT(QTS_INTENT_FILLED) | BIT(QTS_INTENT_CANCELLED_PARTIAL))
#define INTENT_ENDED                                                                                         \
	(INTENT_LATE_FILL | BIT(QTS_INTENT_CANCELLED) | BIT(QTS_INTENT_REJECTED) | BIT(QTS_INTENT_EXPIRED))
#define INTENT_SEEN (INTENT_ENDED | BIT(QTS_INTENT_SUBMITTED) | BIT(QTS_INTENT_PARTIAL))

static const uint32_t intent_next[] = {
	[QTS_INTENT_PENDING_APPROVAL] = BIT(QTS_INTENT_NEW) | BIT(QTS_INTENT_CANCELLED) | BIT(QTS_INTENT_EXPIRED),
	/* the claim may refuse it: expired, not tradable, more than is held */
	[QTS_INTENT_NEW] = BIT(QTS_INTENT_SUBMITTING) | BIT(QTS_INTENT_CANCELLED) | BIT(QTS_INTENT_DUPLICATE) |
					   BIT(QTS_INTENT_EXPIRED) | BIT(QTS_INTENT_REJECTED) | BIT(QTS_INTENT_FAILED),
	[QTS_INTENT_SUBMITTING] = INTENT_SEEN | BIT(QTS_INTENT_UNKNOWN) | BIT(QTS_INTENT_FAILED),
	[QTS_INTENT_UNKNOWN] = INTENT_SEEN | BIT(QTS_INTENT_FAILED),
	[QTS_INTENT_SUBMITTED] = INTENT_ENDED | BIT(QTS_INTENT_PARTIAL),
	[QTS_INTENT_PARTIAL] = INTENT_LATE_FILL,
	[QTS_INTENT_FILLED] = 0,
	[QTS_INTENT_CANCELLED] = INTENT_LATE_FILL,
	[QTS_INTENT_CANCELLED_PARTIAL] = BIT(QTS_INTENT_FILLED),
	[QTS_INTENT_REJECTED] = INTENT_LATE_FILL,
	[QTS_INTENT_FAILED] = INTENT_LATE_FILL,
	[QTS_INTENT_EXPIRED] = INTENT_LATE_FILL,
	[QTS_INTENT_DUPLICATE] = 0,
};

static bool
order_may_change(const uint32_t *next, int count, int from, int to)
{
	if (from < 0 || from >= count || to < 0 || to >= count)
		return false;
	return from == to || (next[from] & BIT(to)) != 0;
}

/* Why nothing is left of an order without fills. */
static QtsOrderStatus
order_end_unfilled(const QtsOrderFacts *facts)
{
	if (facts->rejected > 0)
		return facts->session_over ? QTS_ORDER_EXPIRED : QTS_ORDER_REJECTED;
	if (facts->cancelled <= 0 && !facts->cancel_asked && facts->session_over)
		return QTS_ORDER_EXPIRED;
	/* a silent death during the session is the broker's or another channel's cancel */
	return QTS_ORDER_CANCELLED;
}

static QtsOrderStatus
order_derive(QtsOrderStatus current, const QtsOrderFacts *facts)
{
	bool closed = facts->dead || qts_order_terminal(current);

	/* an order of unknown size is never complete */
	if (facts->qty > 0)
	{
		if (facts->filled >= facts->qty)
			return QTS_ORDER_FILLED;
		if (qts_order_open_qty(facts) == 0)
			closed = true;
	}
	if (closed)
		return facts->filled > 0 ? QTS_ORDER_CANCELLED_PARTIAL : order_end_unfilled(facts);
	if (facts->filled > 0)
		return QTS_ORDER_PARTIAL;
	return facts->known ? QTS_ORDER_SUBMITTED : QTS_ORDER_UNKNOWN;
}

QtsOrderStatus
qts_order_reduce(QtsOrderStatus current, const QtsOrderFacts *facts)
{
	QtsOrderStatus derived = order_derive(current, facts);

	return qts_order_may_change(current, derived) ? derived : current;
}

QtsQty
qts_order_open_qty(const QtsOrderFacts *facts)
{
	__int128 open = (__int128) facts->qty - facts->filled - facts->cancelled - facts->rejected;

	return facts->dead || open <= 0 ? 0 : (QtsQty) open;
}

bool
qts_order_terminal(QtsOrderStatus status)
{
	return (int) status >= 0 && status < QTS_ORDER_STATUS_COUNT && (ORDER_ENDED & BIT(status)) != 0;
}

bool
qts_order_may_change(QtsOrderStatus from, QtsOrderStatus to)
{
	return order_may_change(order_next, QTS_ORDER_STATUS_COUNT, (int) from, (int) to);
}

const char *
qts_order_status_name(QtsOrderStatus status)
{
	return qts_name_of(order_names, QTS_ORDER_STATUS_COUNT, (int) status);
}

bool
qts_order_status_parse(const char *name, QtsOrderStatus *out)
{
	int found = qts_name_find(order_names, QTS_ORDER_STATUS_COUNT, name);

	if (found < 0)
		return false;
	*out = (QtsOrderStatus) found;
	return true;
}

QtsIntentStatus
qts_intent_mirror(QtsOrderStatus status)
{
	static const QtsIntentStatus mirror[] = {
		[QTS_ORDER_PENDING_SUBMIT] = QTS_INTENT_SUBMITTING,
		[QTS_ORDER_UNKNOWN] = QTS_INTENT_UNKNOWN,
		[QTS_ORDER_SUBMITTED] = QTS_INTENT_SUBMITTED,
		[QTS_ORDER_PARTIAL] = QTS_INTENT_PARTIAL,
		[QTS_ORDER_FILLED] = QTS_INTENT_FILLED,
		[QTS_ORDER_CANCELLED] = QTS_INTENT_CANCELLED,
		[QTS_ORDER_CANCELLED_PARTIAL] = QTS_INTENT_CANCELLED_PARTIAL,
		[QTS_ORDER_REJECTED] = QTS_INTENT_REJECTED,
		[QTS_ORDER_EXPIRED] = QTS_INTENT_EXPIRED,
	};

	/* no knowledge of the order: keep its quantity locked */
	if ((int) status < 0 || status >= QTS_ORDER_STATUS_COUNT)
		return QTS_INTENT_UNKNOWN;
	return mirror[status];
}

bool
qts_intent_terminal(QtsIntentStatus status)
{
	return (int) status >= 0 && status < QTS_INTENT_STATUS_COUNT && !qts_intent_live(status);
}

bool
qts_intent_live(QtsIntentStatus status)
{
	switch (status)
	{
		case QTS_INTENT_PENDING_APPROVAL:
		case QTS_INTENT_NEW:
		case QTS_INTENT_SUBMITTING:
		case QTS_INTENT_UNKNOWN:
		case QTS_INTENT_SUBMITTED:
		case QTS_INTENT_PARTIAL:
			return true;
		default:
			return false;
	}
}

bool
qts_intent_may_change(QtsIntentStatus from, QtsIntentStatus to)
{
	return order_may_change(intent_next, QTS_INTENT_STATUS_COUNT, (int) from, (int) to);
}

const char *
qts_intent_status_name(QtsIntentStatus status)
{
	return qts_name_of(intent_names, QTS_INTENT_STATUS_COUNT, (int) status);
}

bool
qts_intent_status_parse(const char *name, QtsIntentStatus *out)
{
	int found = qts_name_find(intent_names, QTS_INTENT_STATUS_COUNT, name);

	if (found < 0)
		return false;
	*out = (QtsIntentStatus) found;
	return true;
}

QtsQty
qts_available_qty(QtsQty held, QtsQty locked)
{
	if (held <= 0 || locked >= held)
		return 0;
	return locked > 0 ? held - locked : held;
}
