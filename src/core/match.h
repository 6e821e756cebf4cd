/*-------------------------------------------------------------------------
 *
 * match.h
 *		Finding the broker's order of a POST whose answer was lost.
 *
 * There is no client order id (kis-api 6.5).  Exactly one candidate binds;
 * none proves nothing until the grace period is over and every witness is
 * silent; two or more need a person.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_MATCH_H
#define QTS_CORE_MATCH_H

#include "core/core.h"

typedef struct QtsSentOrder
{
	char symbol[QTS_SYMBOL_LEN + 1];
	bool sell;
	char ord_dvsn[3]; /* "00" limit, "01" market */
	QtsQty qty;
	QtsKrw price; /* 0 = market */
	QtsTime sent_at;
} QtsSentOrder;

/* A broker order not bound to a local one: a ledger row or an accept notice. */
typedef struct QtsBrokerOrder
{
	char symbol[QTS_SYMBOL_LEN + 1];
	bool sell;
	char ord_dvsn[3];
	QtsQty qty;
	QtsKrw price;
	QtsTime at;			/* the broker's second */
	bool is_change;		/* cancel or revise request */
	bool other_channel; /* ledger says it came from HTS or phone */
} QtsBrokerOrder;

typedef struct QtsMatchWindow
{
	QtsTime before; /* clock skew allowed before sent_at: 3 s, and the broker tells whole seconds */
	QtsTime after;	/* timeout plus skew after sent_at */
} QtsMatchWindow;

extern QtsMatchWindow qts_match_window(QtsTime timeout);

extern bool
qts_match_candidate(const QtsSentOrder *sent, const QtsBrokerOrder *seen, const QtsMatchWindow *window);

/* The same but for the time: no proof, yet while it is there the order does not count as not accepted. */
extern bool qts_match_alike(const QtsSentOrder *sent, const QtsBrokerOrder *seen);

typedef enum QtsUnknownVerdict
{
	QTS_UNKNOWN_WAIT,
	QTS_UNKNOWN_BIND,
	QTS_UNKNOWN_NOT_ACCEPTED, /* with an alert */
	QTS_UNKNOWN_QUARANTINE	  /* a person decides */
} QtsUnknownVerdict;

typedef struct QtsUnknownEvidence
{
	int candidates; /* distinct unbound broker orders that match */
	int alike;		/* unbound rows that would match at another time: the clocks may be off */
	QtsTime sent_at;
	QtsTime now;
	QtsTime grace;		 /* 180 s sells, 300 s buys */
	bool list;			 /* a complete list is at hand, asked for after the grace */
	int complete_lists;	 /* such lists so far */
	bool masked;		 /* another order is not in that list: what it did may hide this one in the balance */
	bool ledger_trusted; /* false on paper: its ledger may stay empty */
	bool balance_known;	 /* a complete balance was read after the grace */
	bool balance_unchanged;
	bool noticed; /* a notice that fits waits for its order, though no list shows it */
} QtsUnknownEvidence;

extern QtsUnknownVerdict qts_unknown_verdict(const QtsUnknownEvidence *evidence);

#endif /* QTS_CORE_MATCH_H */
