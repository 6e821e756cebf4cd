/*-------------------------------------------------------------------------
 *
 * life.c
 *		An order's life: what each witness makes of it.
 *
 *-------------------------------------------------------------------------
 */
#include "core/life.h"
#include "core/names.h"
#include "core/rate.h"

#define LIFE_RETRY_MIN QTS_SEC
#define LIFE_RETRY_MAX (4 * QTS_SEC)
#define LIFE_ABSENT_LISTS 3
/* a ledger may lag behind the notices, but not for ever */
#define LIFE_LEDGER_LATE QTS_MINUTE
/* as many again after the close, while balances may still tell a fill */
#define LIFE_ENDED_LISTS 6

static const char *const cancel_names[] = {
	[QTS_CANCEL_REQUESTED] = "REQUESTED", [QTS_CANCEL_SENT] = "SENT",
	[QTS_CANCEL_ACCEPTED] = "ACCEPTED",	  [QTS_CANCEL_REFUSED] = "REFUSED",
	[QTS_CANCEL_UNKNOWN] = "UNKNOWN",
};

static QtsQty
life_unfilled(const QtsOrderLife *life)
{
	return life->qty > life->book.booked_qty ? life->qty - life->book.booked_qty : 0;
}

static void
life_reduce(QtsOrderLife *life, bool dead, bool session_over)
{
	QtsOrderFacts facts = {
		.qty = life->qty,
		.filled = life->book.booked_qty,
		.cancelled = life->cancelled,
		.rejected = life->rejected,
		.known = true,
		.dead = dead,
		.session_over = session_over,
		.cancel_asked = qts_life_cancel_asked(life),
	};

	life->status = qts_order_reduce(life->status, &facts);
}

/* Booked fills come first: what was killed can only be what is not filled. */
static void
life_trim(QtsOrderLife *life)
{
	QtsQty rest = life_unfilled(life);

	if (life->cancelled > rest)
		life->cancelled = rest;
	if (life->rejected > rest - life->cancelled)
		life->rejected = rest - life->cancelled;
}

QtsAnswerStep
qts_life_answer(QtsOrderLife *life, QtsOutcome outcome, int max_attempts, uint32_t random, QtsTime now)
{
	/* a person or the ledger may have settled it while the answer was under way */
	if (life->status != QTS_ORDER_PENDING_SUBMIT && life->status != QTS_ORDER_UNKNOWN)
		return QTS_ANSWER_LATE;
	switch (outcome)
	{
		case QTS_OUTCOME_OK:
			qts_life_bind(life);
			return QTS_ANSWER_BIND;
		case QTS_OUTCOME_NOT_PROCESSED:
			if (life->status == QTS_ORDER_PENDING_SUBMIT && life->attempt < max_attempts)
			{
				life->retry_at = now + qts_backoff(life->attempt - 1, LIFE_RETRY_MIN, LIFE_RETRY_MAX, random);
				return QTS_ANSWER_RETRY;
			}
			life->status = QTS_ORDER_REJECTED;
			return QTS_ANSWER_GIVEN_UP;
		case QTS_OUTCOME_REJECTED:
		case QTS_OUTCOME_FATAL:
			life->status = QTS_ORDER_REJECTED;
			return QTS_ANSWER_REJECTED;
		case QTS_OUTCOME_UNKNOWN:
			break;
	}
	life->status = QTS_ORDER_UNKNOWN;
	return QTS_ANSWER_UNKNOWN;
}

void
qts_life_cancel_answer(QtsOrderLife *life, QtsOutcome outcome)
{
	switch (outcome)
	{
		case QTS_OUTCOME_OK:
			life->cancel = QTS_CANCEL_ACCEPTED;
			break;
		case QTS_OUTCOME_REJECTED:
		case QTS_OUTCOME_FATAL:
			life->cancel = QTS_CANCEL_REFUSED;
			break;
		case QTS_OUTCOME_NOT_PROCESSED:
			life->cancel = QTS_CANCEL_REQUESTED;
			break;
		case QTS_OUTCOME_UNKNOWN:
			life->cancel = QTS_CANCEL_UNKNOWN;
			break;
	}
}

void
qts_life_bind(QtsOrderLife *life)
{
	life->status = QTS_ORDER_SUBMITTED;
	life->complete_lists = 0;
	life->retry_at = QTS_TIME_NONE;
}

bool
qts_life_restart(QtsOrderLife *life)
{
	if (life->cancel == QTS_CANCEL_SENT)
		life->cancel = QTS_CANCEL_UNKNOWN;
	if (life->status != QTS_ORDER_PENDING_SUBMIT || life->retry_at != QTS_TIME_NONE)
		return false;
	life->status = QTS_ORDER_UNKNOWN;
	return true;
}

QtsFillStep
qts_life_notice(QtsOrderLife *life, QtsNoticeKind kind, QtsQty qty, QtsKrw price, bool repeat, bool *counted)
{
	QtsFillStep step = {0};
	QtsQty rest;

	*counted = false;
	switch (kind)
	{
		case QTS_NOTICE_FILL:
			step = qts_fill_notice(&life->book, qty, price * QTS_PRICE_SCALE, repeat);
			*counted = !repeat && !step.excess;
			life_trim(life);
			break;
		case QTS_NOTICE_REJECTED:
			life->rejected = life_unfilled(life) - life->cancelled;
			break;
		case QTS_NOTICE_CANCELLED:
			rest = life_unfilled(life) - life->rejected;
			life->cancelled = qty < rest ? qty : rest;
			break;
		case QTS_NOTICE_ACCEPTED:
		case QTS_NOTICE_REVISED:
			break;
	}
	life_reduce(life, life->book.booked_qty + life->cancelled + life->rejected >= life->qty, false);
	return step;
}

QtsFillStep
qts_life_ledger(QtsOrderLife *life, const QtsLedgerSeen *seen, bool session_over)
{
	bool dead = seen->remaining == 0 && seen->filled >= 0;
	QtsFillStep step = {0};

	life->complete_lists = 0;
	if (seen->filled >= 0 && seen->amount >= 0)
		step = qts_fill_ledger(&life->book, seen->filled, seen->amount, dead);
	/* fills without their amount yet: the row is not complete, what it kills is not known */
	dead = dead && seen->filled <= life->book.booked_qty;
	life_trim(life);
	if (dead && life->book.booked_qty < life->qty)
	{
		/* the broker kills by two names; only the sum is certain (kis-api 3.9) */
		QtsQty killed = life_unfilled(life);

		if (qts_life_cancel_asked(life) || seen->cancelled > 0 || life->cancelled > 0)
		{
			life->cancelled = killed;
			life->rejected = 0;
		}
		else
			life->rejected = killed;
	}
	life_reduce(life, dead, session_over);
	if ((life->cancel == QTS_CANCEL_UNKNOWN || life->cancel == QTS_CANCEL_REFUSED) && seen->remaining > 0 &&
		!qts_order_terminal(life->status) && life->cancel_attempt < QTS_CANCEL_ATTEMPTS)
		life->cancel = QTS_CANCEL_REQUESTED;
	return step;
}

bool
qts_life_denied(QtsOrderStatus status, QtsQty booked, const QtsLedgerSeen *seen, QtsTime changed_at,
				QtsTime asked_at)
{
	if (changed_at == QTS_TIME_NONE || asked_at < changed_at + LIFE_LEDGER_LATE)
		return false;
	return (seen->filled >= 0 && seen->filled < booked) ||
		   (qts_order_terminal(status) && seen->remaining > 0);
}

bool
qts_life_absent(QtsOrderLife *life, bool trusted, bool session_over)
{
	bool ends = !trusted && session_over;

	if (qts_order_terminal(life->status) || (life->complete_lists >= LIFE_ABSENT_LISTS && !ends))
		return false;
	life->complete_lists++;
	if (!ends)
		return life->complete_lists == LIFE_ABSENT_LISTS;
	if (life->complete_lists < LIFE_ENDED_LISTS)
		return false;
	life->rejected = life_unfilled(life) - life->cancelled;
	life_reduce(life, true, true);
	return true;
}

QtsUnknownVerdict
qts_life_unknown(QtsOrderLife *life, QtsUnknownEvidence *evidence, QtsTime now)
{
	QtsUnknownVerdict verdict;

	if (evidence->list)
		life->complete_lists++;
	evidence->sent_at = life->sent_at;
	evidence->now = now;
	evidence->complete_lists = life->complete_lists;
	verdict = qts_unknown_verdict(evidence);
	if (verdict == QTS_UNKNOWN_BIND)
		qts_life_bind(life);
	else if (verdict == QTS_UNKNOWN_NOT_ACCEPTED)
		life->status = QTS_ORDER_REJECTED;
	return verdict;
}

QtsQty
qts_life_open_qty(const QtsOrderLife *life)
{
	QtsQty open = life->qty - life->book.booked_qty - life->cancelled - life->rejected;

	return open > 0 && !qts_order_terminal(life->status) ? open : 0;
}

QtsIntentStatus
qts_life_intent(const QtsOrderLife *life, QtsAnswerStep step)
{
	return step == QTS_ANSWER_GIVEN_UP ? QTS_INTENT_FAILED : qts_intent_mirror(life->status);
}

bool
qts_life_cancel_asked(const QtsOrderLife *life)
{
	return life->cancel != QTS_CANCEL_NONE && life->cancel != QTS_CANCEL_REFUSED;
}

const char *
qts_cancel_state_name(QtsCancelState state)
{
	return state == QTS_CANCEL_NONE ? NULL : qts_name_of(cancel_names, QTS_CANCEL_STATE_COUNT, (int) state);
}

bool
qts_cancel_state_parse(const char *name, QtsCancelState *out)
{
	*out = QTS_CANCEL_NONE;
	if (name == NULL)
		return true;
	for (int i = QTS_CANCEL_REQUESTED; i < QTS_CANCEL_STATE_COUNT; i++)
		if (strcmp(cancel_names[i], name) == 0)
		{
			*out = (QtsCancelState) i;
			return true;
		}
	return false;
}
