/*-------------------------------------------------------------------------
 *
 * life.h
 *		An order's life: what each witness makes of it.
 *
 * One struct holds everything the decisions read or change; one function per
 * event changes it.  The workers load it from a row and store it back, the
 * simulations of test/chaos keep it in memory: the same instructions
 * (runtime 6.3-6.6, kis-api 3.9, 6.4).
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_LIFE_H
#define QTS_CORE_LIFE_H

#include "core/fill.h"
#include "core/match.h"
#include "core/order.h"

/* What a request came to.  Only the first two say whether the broker acted. */
typedef enum QtsOutcome
{
	QTS_OUTCOME_OK,
	QTS_OUTCOME_REJECTED,	   /* definitive refusal: no blind retry */
	QTS_OUTCOME_NOT_PROCESSED, /* provably not accepted (rate, token, never sent): may be retried */
	QTS_OUTCOME_UNKNOWN,	   /* may have been accepted: never sent again */
	QTS_OUTCOME_FATAL		   /* wrong key, wrong account, wrong domain: a person must act */
} QtsOutcome;

typedef enum QtsNoticeKind
{
	QTS_NOTICE_ACCEPTED, /* order received */
	QTS_NOTICE_FILL,
	QTS_NOTICE_REJECTED,
	QTS_NOTICE_CANCELLED, /* the original number names the order when the user cancelled */
	QTS_NOTICE_REVISED
} QtsNoticeKind;

typedef enum QtsCancelState
{
	QTS_CANCEL_NONE,
	QTS_CANCEL_REQUESTED, /* to be sent */
	QTS_CANCEL_SENT,	  /* may have arrived */
	QTS_CANCEL_ACCEPTED,
	QTS_CANCEL_REFUSED, /* nothing left to cancel, says the broker: the ledger knows why */
	QTS_CANCEL_UNKNOWN, /* no answer: asked again when the ledger shows the order open */
	QTS_CANCEL_STATE_COUNT
} QtsCancelState;

typedef struct QtsOrderLife
{
	bool sell;
	bool market;
	QtsQty qty;
	QtsKrw price; /* 0 for market */
	QtsOrderStatus status;
	QtsCancelState cancel;
	QtsQty cancelled;
	QtsQty rejected;
	QtsFillBook book;
	int cancel_attempt; /* cancels sent */
	int attempt;		/* sends, from 1 */
	int complete_lists; /* complete ledgers without it, while unknown */
	QtsTime sent_at;
	QtsTime retry_at;	 /* QTS_TIME_NONE: not waiting to be sent again */
	QtsQty sent_holding; /* sellable (buy: held) if it never arrived; -1 = not known */
} QtsOrderLife;

#define QTS_CANCEL_ATTEMPTS 10

/* What the caller has to do beside storing the life. */
typedef enum QtsAnswerStep
{
	QTS_ANSWER_LATE, /* settled meanwhile: nothing changed */
	QTS_ANSWER_BIND, /* give it its number */
	QTS_ANSWER_RETRY,
	QTS_ANSWER_GIVEN_UP, /* refused too often: the intent fails */
	QTS_ANSWER_REJECTED,
	QTS_ANSWER_UNKNOWN
} QtsAnswerStep;

/*
 * The answer to the POST.  Provably unprocessed: again after 1, 2, 4 s with
 * jitter from random, max_attempts sends in all.
 */
extern QtsAnswerStep
qts_life_answer(QtsOrderLife *life, QtsOutcome outcome, int max_attempts, uint32_t random, QtsTime now);

/* The answer to a cancel. */
extern void qts_life_cancel_answer(QtsOrderLife *life, QtsOutcome outcome);

/* The broker's number is known: SUBMITTED, never sent again. */
extern void qts_life_bind(QtsOrderLife *life);

/* The engine started anew: what may have been sent is unknown.  True if the order became so. */
extern bool qts_life_restart(QtsOrderLife *life);

/*
 * A notice; repeat as in qts_fill_notice.  *counted says whether it adds to
 * the order's notices.  The step is to be booked as a fill.
 */
extern QtsFillStep
qts_life_notice(QtsOrderLife *life, QtsNoticeKind kind, QtsQty qty, QtsKrw price, bool repeat, bool *counted);

/* The order's ledger row (kis-api 3.6); absent numbers are -1. */
typedef struct QtsLedgerSeen
{
	QtsQty filled; /* cumulative */
	QtsKrw amount;
	QtsQty remaining;
	QtsQty cancelled;
} QtsLedgerSeen;

/*
 * A row that shows the order open asks for a cancel again that was refused or
 * got no answer, QTS_CANCEL_ATTEMPTS times in all.
 */
extern QtsFillStep qts_life_ledger(QtsOrderLife *life, const QtsLedgerSeen *seen, bool session_over);

/*
 * The row denies what notices told and was asked for so long after the last
 * change that it cannot be late: fewer shares filled than booked, or open
 * though the order has ended here.
 */
extern bool qts_life_denied(QtsOrderStatus status, QtsQty booked, const QtsLedgerSeen *seen,
							QtsTime changed_at, QtsTime asked_at);

/*
 * A complete ledger of the order's day does not show it.  Proves nothing
 * (kis-api 3.9), but the third time somebody should know: true.  Where the
 * ledger is not to be trusted (paper) and the session is over, the silence is
 * the only end an order has: it expires then, and that is true as well.
 */
extern bool qts_life_absent(QtsOrderLife *life, bool trusted, bool session_over);

/*
 * Judge an unknown order: fills sent_at, now and complete_lists of the
 * evidence from the life.  NOT_ACCEPTED ends the order REJECTED.
 */
extern QtsUnknownVerdict qts_life_unknown(QtsOrderLife *life, QtsUnknownEvidence *evidence, QtsTime now);

/* Quantity a cancel would still stop. */
extern QtsQty qts_life_open_qty(const QtsOrderLife *life);

/* The intent of this order, unless the answer failed it. */
extern QtsIntentStatus qts_life_intent(const QtsOrderLife *life, QtsAnswerStep step);

/* A cancel is on its way or was accepted: an end is then a cancellation. */
extern bool qts_life_cancel_asked(const QtsOrderLife *life);

extern const char *qts_cancel_state_name(QtsCancelState state);			   /* NULL for NONE */
extern bool qts_cancel_state_parse(const char *name, QtsCancelState *out); /* NULL is NONE */

#endif /* QTS_CORE_LIFE_H */
