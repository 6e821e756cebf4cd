/*-------------------------------------------------------------------------
 *
 * unknown.c
 *		Orders whose outcome is unknown: the witnesses (src/db/exec_unknown.c).
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "core/match.h"

#include "t1.h"

#define LOOSE_MAX 256

typedef struct Loose
{
	int odno;
	QtsBrokerOrder order;
} Loose;

static void
loose_fill(const T1Notice *notice, Loose *loose)
{
	bool fill = notice->kind == QTS_NOTICE_FILL;
	QtsTime of_day = notice->hhmmss / 10000 * QTS_HOUR + notice->hhmmss / 100 % 100 * QTS_MINUTE +
					 notice->hhmmss % 100 * QTS_SEC;

	memset(loose, 0, sizeof(*loose));
	loose->odno = notice->odno;
	world_symbol(notice->symbol, loose->order.symbol);
	loose->order.sell = notice->sell;
	strcpy(loose->order.ord_dvsn, notice->market ? "01" : "00");
	loose->order.qty = fill ? notice->order_qty : notice->qty;
	loose->order.price = fill ? -1 : notice->price;
	loose->order.at = qts_seoul_instant(notice->date, of_day);
}

/* Numbers of new orders that belong to no order of ours; an acceptance says more than a fill. */
static int
loose_orders(const World *w, int account, QtsDate date, Loose *loose)
{
	int n = 0;

	for (int i = 0; i < t1.nnotices && n < LOOSE_MAX; i++)
	{
		const T1Notice *notice = &t1.notice[i];
		int k;

		if (notice->account != account || notice->date != date || notice->order != NONE ||
			(notice->kind != QTS_NOTICE_ACCEPTED && notice->kind != QTS_NOTICE_FILL) || notice->orig != 0 ||
			t1_find_order(w, account, date, notice->odno) != NONE)
			continue;
		for (k = 0; k < n && loose[k].odno != notice->odno; k++)
			;
		if (k == n)
			loose_fill(notice, &loose[n++]);
		else if (notice->kind == QTS_NOTICE_ACCEPTED)
			loose_fill(notice, &loose[k]);
	}
	return n;
}

static int
ledger_candidates(const World *w, const ChaosOrder *order, QtsDate date, const QtsSentOrder *sent,
				  const QtsMatchWindow *window, const QtsLedger *ledger, QtsUnknownEvidence *evidence)
{
	int found = 0;

	for (int r = 0; r < ledger->count; r++)
	{
		const QtsLedgerRow *seen = &ledger->rows[r];
		int odno = atoi(seen->odno);

		if (seen->orgn_odno[0] != '\0' || !qts_match_alike(sent, &seen->order) || odno == found ||
			t1_find_order(w, order->account, date, odno) != NONE)
			continue;
		if (!qts_match_candidate(sent, &seen->order, window))
		{
			evidence->alike++;
			continue;
		}
		evidence->candidates++;
		found = odno;
	}
	return found;
}

static bool
ledger_has(const QtsLedger *ledger, int odno)
{
	for (int r = 0; ledger != NULL && r < ledger->count; r++)
		if (atoi(ledger->rows[r].odno) == odno)
			return true;
	return false;
}

static int
notice_candidates(const World *w, const ChaosOrder *order, QtsDate date, const QtsSentOrder *sent,
				  const QtsMatchWindow *window, const QtsLedger *ledger, QtsUnknownEvidence *evidence)
{
	Loose loose[LOOSE_MAX];
	int n = loose_orders(w, order->account, date, loose);
	int found = 0;

	for (int k = 0; k < n; k++)
	{
		if (loose[k].order.price < 0)
			loose[k].order.price = sent->price;
		if (ledger_has(ledger, loose[k].odno) || !qts_match_candidate(sent, &loose[k].order, window))
			continue;
		evidence->noticed = true;
		evidence->candidates += !evidence->ledger_trusted;
		found = loose[k].odno;
	}
	return found;
}

/* The complete ledger says what there is; where it may stay empty notices have to do. */
static int
candidates(const World *w, int i, QtsDate date, const QtsLedger *ledger, QtsUnknownEvidence *evidence)
{
	const ChaosOrder *order = &w->tables.order[i];
	QtsMatchWindow window = qts_match_window(T1_HTTP_TIMEOUT);
	QtsSentOrder sent = {.sell = order->life.sell,
						 .qty = order->life.qty,
						 .price = order->life.market ? 0 : order->life.price,
						 .sent_at = order->life.sent_at};
	int found = 0;
	int told = 0;

	world_symbol(order->symbol, sent.symbol);
	strcpy(sent.ord_dvsn, order->life.market ? "01" : "00");
	if (ledger != NULL && ledger->complete)
		found = ledger_candidates(w, order, date, &sent, &window, ledger, evidence);
	told = notice_candidates(w, order, date, &sent, &window, ledger, evidence);
	return told != 0 && !evidence->ledger_trusted ? told : found;
}

/* What our books would have the balance show now. */
static QtsQty
expected(const World *w, const ChaosOrder *judged)
{
	QtsQty qty = 0;

	for (int i = 0; i < w->tables.npositions; i++)
		if (!w->tables.position[i].closed && w->tables.position[i].account == judged->account &&
			w->tables.position[i].symbol == judged->symbol)
			qty = w->tables.position[i].qty;
	for (int i = 0; i < w->tables.norders && judged->life.sell; i++)
	{
		const ChaosOrder *order = &w->tables.order[i];

		if (order->account == judged->account && order->symbol == judged->symbol && order->life.sell &&
			(order->life.status == QTS_ORDER_SUBMITTED || order->life.status == QTS_ORDER_PARTIAL))
			qty -= order->life.qty - order->life.book.booked_qty;
	}
	return qty;
}

static bool
is_masked(const World *w, int judged, QtsDate date, const QtsLedger *ledger)
{
	const ChaosOrder *order = &w->tables.order[judged];

	for (int i = 0; i < w->tables.norders; i++)
	{
		const ChaosOrder *other = &w->tables.order[i];

		if (i != judged && other->own && other->account == order->account && other->symbol == order->symbol &&
			other->date == date && !qts_order_terminal(other->life.status) &&
			(other->odno == 0 || !ledger_has(ledger, other->odno)))
			return true;
	}
	return false;
}

static void
judge(World *w, int i, QtsDate date, const QtsLedger *ledger, QtsTime asked_at, bool trusted)
{
	ChaosOrder *order = &w->tables.order[i];
	QtsOrderLife life = order->life;
	const T1Holding *holding = &t1.holding[order->account][order->symbol];
	QtsTime grace = life.sell ? T1_GRACE_SELL : T1_GRACE_BUY;
	bool list = ledger != NULL && ledger->complete && asked_at >= life.sent_at + grace;
	QtsUnknownEvidence evidence = {
		.grace = grace,
		.ledger_trusted = trusted,
		.list = list,
		.masked = list && is_masked(w, i, date, ledger),
	};
	int found = candidates(w, i, date, ledger, &evidence);

	evidence.balance_known = t1.balance_ok[order->account] >= life.sent_at + evidence.grace;
	evidence.balance_unchanged = life.sent_holding >= 0 &&
								 (life.sell ? holding->orderable : holding->qty) == life.sent_holding &&
								 expected(w, order) == life.sent_holding;
	switch (qts_life_unknown(&life, &evidence, w->now))
	{
		case QTS_UNKNOWN_BIND:
			t1_bind(w, i, found, date);
			break;
		case QTS_UNKNOWN_NOT_ACCEPTED:
			world_trace(w, "order %d counts as not accepted", i);
			order->life = life;
			order->not_accepted = true;
			order->updated_at = w->now;
			t1_intent_status(w, order->intent, QTS_INTENT_FAILED);
			break;
		case QTS_UNKNOWN_QUARANTINE:
			world_trace(w, "order %d is quarantined: %d candidates", i, evidence.candidates);
			order->quarantined = true;
			order->updated_at = w->now;
			break;
		case QTS_UNKNOWN_WAIT:
			order->life.complete_lists = life.complete_lists;
			break;
	}
}

void
t1_unknowns(World *w, int account, QtsDate date, const QtsLedger *ledger, QtsTime asked_at, bool trusted)
{
	int unknown[MAX_ORDERS];
	int n = 0;

	for (int i = 0; i < w->tables.norders; i++)
	{
		const ChaosOrder *order = &w->tables.order[i];

		if (order->account == account && order->date == date && order->life.status == QTS_ORDER_UNKNOWN &&
			!order->quarantined)
			unknown[n++] = i;
	}
	for (int k = 0; k < n; k++)
	{
		t1_begin(w);
		if (w->tables.order[unknown[k]].life.status == QTS_ORDER_UNKNOWN)
			judge(w, unknown[k], date, ledger, asked_at, trusted);
		chaos_point(w, "unknown.commit");
		t1_commit(w);
	}
}
