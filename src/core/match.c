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

bool
qts_match_candidate(const QtsSentOrder *sent, const QtsBrokerOrder *seen, const QtsMatchWindow *window)
{
	if (seen->is_change || seen->other_channel)
		return false;
	return match_same(sent->symbol, seen->symbol, sizeof(sent->symbol)) &&
		   match_same(sent->ord_dvsn, seen->ord_dvsn, sizeof(sent->ord_dvsn)) && sent->sell == seen->sell &&
		   sent->qty == seen->qty && sent->price == seen->price &&
		   match_in_window(sent->sent_at, seen->at, window);
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
	if (!evidence->balance_known)
		return QTS_UNKNOWN_WAIT;
	/* shares moved although no list shows our order */
	if (!evidence->balance_unchanged)
		return QTS_UNKNOWN_QUARANTINE;
	if (evidence->complete_lists < MATCH_LISTS_NEEDED)
		return QTS_UNKNOWN_WAIT;
	/* a resting order moves no balance: without a ledger nothing disproves it */
	return evidence->ledger_trusted ? QTS_UNKNOWN_NOT_ACCEPTED : QTS_UNKNOWN_QUARANTINE;
}
