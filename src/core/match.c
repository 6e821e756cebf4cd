/*-------------------------------------------------------------------------
 *
 * match.c
 *		Finding the broker's order of a POST whose answer was lost.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "core/match.h"

/* A row may be missing from one list and present in the next. */
#define MATCH_LISTS_NEEDED 2
#define MATCH_SKEW (3 * QTS_SEC)

static bool
match_same(const char *a, const char *b, size_t size)
{
	return strncmp(a, b, size) == 0;
}

static bool
match_in_window(QtsTime sent_at, QtsTime seen_at, const QtsMatchWindow *window)
{
	int64_t delay;

	if (sent_at == QTS_TIME_NONE || seen_at == QTS_TIME_NONE ||
		__builtin_sub_overflow(seen_at, sent_at, &delay))
		return false;
	return delay >= -window->before && delay <= window->after;
}

QtsMatchWindow
qts_match_window(QtsTime timeout)
{
	return (QtsMatchWindow){.before = MATCH_SKEW + QTS_SEC, .after = timeout + MATCH_SKEW};
}

bool
qts_match_alike(const QtsSentOrder *sent, const QtsBrokerOrder *seen)
{
	if (seen->is_change || seen->other_channel)
		return false;
	return match_same(sent->symbol, seen->symbol, sizeof(sent->symbol)) &&
		   match_same(sent->ord_dvsn, seen->ord_dvsn, sizeof(sent->ord_dvsn)) && sent->sell == seen->sell &&
		   sent->qty == seen->qty && sent->price == seen->price;
}

bool
qts_match_candidate(const QtsSentOrder *sent, const QtsBrokerOrder *seen, const QtsMatchWindow *window)
{
	return qts_match_alike(sent, seen) && match_in_window(sent->sent_at, seen->at, window);
}

QtsUnknownVerdict
qts_unknown_verdict(const QtsUnknownEvidence *evidence)
{
	int64_t waited;

	if (evidence->candidates > 1)
		return QTS_UNKNOWN_QUARANTINE;
	if (evidence->candidates == 1)
		return QTS_UNKNOWN_BIND;
	if (evidence->sent_at == QTS_TIME_NONE ||
		__builtin_sub_overflow(evidence->now, evidence->sent_at, &waited) || waited < evidence->grace)
		return QTS_UNKNOWN_WAIT;
	/* the lists may show it yet: no verdict without them */
	if (!evidence->list || !evidence->balance_known || evidence->complete_lists < MATCH_LISTS_NEEDED)
		return QTS_UNKNOWN_WAIT;
	/* a later list may show the other order, but two may hide each other for ever */
	if (evidence->masked)
		return waited / 2 < evidence->grace ? QTS_UNKNOWN_WAIT : QTS_UNKNOWN_QUARANTINE;
	/* shares moved or a notice told of it, though no list shows our order; or one shows its like at another time */
	if (!evidence->balance_unchanged || evidence->noticed || evidence->alike > 0)
		return QTS_UNKNOWN_QUARANTINE;
	/* a resting order moves no balance: without a ledger nothing disproves it */
	return evidence->ledger_trusted ? QTS_UNKNOWN_NOT_ACCEPTED : QTS_UNKNOWN_QUARANTINE;
}
