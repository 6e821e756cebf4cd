/*-------------------------------------------------------------------------
 *
 * exec_unknown.c
 *		Orders whose outcome is unknown: gather the witnesses, let the core judge.
 *
 * Nothing here sends anything.  An order leaves UNKNOWN by one unambiguous
 * broker order, by the silence of every witness after the grace period (with
 * an alert), or by a person (kis-api 6.4-6.5).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "utils/date.h"

#include "core/match.h"
#include "db/exec.h"
#include "db/stmt.h"
#include "db/txn.h"
#include "guc.h"
#include "shm/point.h"

#define LOOSE_MAX 256

static QtsStmt unknown_orders = {
	"SELECT order_uid FROM trade.orders WHERE account_id = $1 AND trade_date = $2 AND status = 'UNKNOWN'"
	" AND NOT quarantined ORDER BY sent_ts",
	2,
	{TEXTOID, DATEOID}};

/*
 * What the balance shows, and what our books would have it show now: an order
 * that ended since may hide by its return what this one took.
 */
static QtsStmt balance_witness = {
	"SELECT CASE WHEN $3 THEN h.orderable_qty ELSE h.qty END, s.balance_ok_ts, coalesce(p.qty, 0) - CASE WHEN $3 THEN"
	" (SELECT coalesce(sum(o.qty - o.filled_qty), 0) FROM trade.orders o WHERE o.account_id = $1 AND o.symbol = $2"
	" AND o.side = 'SELL' AND o.status IN ('SUBMITTED', 'PARTIAL'))::bigint ELSE 0 END"
	" FROM trade.account_sync s LEFT JOIN trade.holdings h ON h.account_id = s.account_id AND h.symbol = $2"
	" LEFT JOIN trade.positions p ON p.account_id = s.account_id AND p.symbol = $2 AND p.status IN ('OPEN', 'CLOSING')"
	" WHERE s.account_id = $1",
	3,
	{TEXTOID, TEXTOID, BOOLOID}};

static QtsStmt other_orders = {
	"SELECT broker_order_no FROM trade.orders WHERE account_id = $1 AND symbol = $2 AND trade_date = $3"
	" AND order_uid <> $4 AND status IN ('PENDING_SUBMIT', 'UNKNOWN', 'SUBMITTED', 'PARTIAL') AND origin = 'AUTO'",
	4,
	{TEXTOID, TEXTOID, DATEOID, UUIDOID}};

static QtsStmt quarantine_order = {
	"UPDATE trade.orders SET quarantined = true, updated_ts = $2 WHERE order_uid = $1",
	2,
	{UUIDOID, TIMESTAMPTZOID}};

static QtsStmt not_accepted = {
	"UPDATE trade.orders SET status = 'REJECTED', error_code = 'NOT_ACCEPTED',"
	" error_message = 'no witness of it at the broker', complete_lists = $3, updated_ts = $2 WHERE order_uid = $1",
	3,
	{UUIDOID, TIMESTAMPTZOID, INT4OID}};

static QtsStmt not_accepted_intent = {
	"UPDATE trade.order_intents SET status = 'FAILED', error_code = 'NOT_ACCEPTED',"
	" error_message = 'no witness of it at the broker', updated_ts = $2 WHERE intent_id = $1",
	2,
	{UUIDOID, TIMESTAMPTZOID}};

static QtsStmt count_list = {
	"UPDATE trade.orders SET complete_lists = $2 WHERE order_uid = $1", 2, {UUIDOID, INT4OID}};

/* Of the day's ledger: rows that are bound to no order here. */
static void
ledger_candidates(const QtsOrderRow *row, QtsDate date, const QtsSentOrder *sent,
				  const QtsMatchWindow *window, const QtsLedgerRest *ledger, QtsUnknownEvidence *evidence,
				  QtsLooseOrder *found)
{
	for (int i = 0; i < ledger->count; i++)
	{
		const QtsLedgerRow *seen = &ledger->rows[i];
		pg_uuid_t owner;

		/* a row may come twice, on two pages */
		if (seen->orgn_odno[0] != '\0' || !qts_match_alike(sent, &seen->order) ||
			strcmp(seen->odno, found->odno) == 0 ||
			qts_exec_find_order(row->account, date, seen->odno, &owner))
			continue;
		if (!qts_match_candidate(sent, &seen->order, window))
		{
			evidence->alike++;
			continue;
		}
		evidence->candidates++;
		strlcpy(found->odno, seen->odno, sizeof(found->odno));
		strlcpy(found->orgno, seen->orgno, sizeof(found->orgno));
	}
}

static bool
ledger_has(const QtsLedgerRest *ledger, const char *odno)
{
	for (int i = 0; ledger != NULL && i < ledger->count; i++)
		if (strcmp(ledger->rows[i].odno, odno) == 0)
			return true;
	return false;
}

/* Of the notices that wait for their order and are in no list. */
static int
notice_candidates(const QtsOrderRow *row, QtsDate date, const QtsSentOrder *sent,
				  const QtsMatchWindow *window, const QtsLedgerRest *ledger, QtsLooseOrder *found)
{
	QtsLooseOrder *loose = palloc(sizeof(QtsLooseOrder) * LOOSE_MAX);
	int n = qts_exec_loose_orders(row->account, date, loose, LOOSE_MAX);
	int matches = 0;

	for (int i = 0; i < n; i++)
	{
		if (loose[i].order.price < 0)
			loose[i].order.price = sent->price; /* a fill tells its own price, not the order's */
		if (ledger_has(ledger, loose[i].odno) || !qts_match_candidate(sent, &loose[i].order, window))
			continue;
		matches++;
		*found = loose[i];
	}
	pfree(loose);
	return matches;
}

/*
 * Distinct broker orders that could be this one; one of them in *found.  A
 * notice does not tell where its order was entered and comes in plain text:
 * it may say that there is something to find, the complete ledger says what.
 * Only where the ledger may stay empty (paper) notices have to do.
 */
static void
candidates(const QtsOrderRow *row, QtsDate date, const QtsLedgerRest *ledger, QtsUnknownEvidence *evidence,
		   QtsLooseOrder *found)
{
	QtsMatchWindow window = qts_match_window(qts_guc.http_timeout * QTS_MS);
	QtsSentOrder sent = {.sell = row->life.sell,
						 .qty = row->life.qty,
						 .price = row->life.market ? 0 : row->life.price,
						 .sent_at = row->life.sent_at};
	QtsLooseOrder told;
	int notices;

	strlcpy(sent.symbol, row->symbol, sizeof(sent.symbol));
	strlcpy(sent.ord_dvsn, row->life.market ? "01" : "00", sizeof(sent.ord_dvsn));
	memset(found, 0, sizeof(*found));
	if (ledger != NULL)
		ledger_candidates(row, date, &sent, &window, ledger, evidence, found);
	notices = notice_candidates(row, date, &sent, &window, ledger, &told);
	evidence->noticed = notices > 0;
	if (evidence->ledger_trusted || notices == 0)
		return;
	*found = told;
	evidence->candidates += notices;
}

/* What an order that the ledger does not show has done is in the balance and not in our books. */
static bool
is_masked(const QtsOrderRow *row, QtsDate date, const QtsLedgerRest *ledger)
{
	Datum args[4] = {qts_text(row->account), qts_text(row->symbol), DateADTGetDatum(date),
					 qts_uuid(&row->order_uid)};
	int n = (int) qts_stmt_run(&other_orders, args, NULL);

	for (int i = 0; i < n; i++)
	{
		const char *odno = qts_col_text(i, 1);

		if (odno == NULL || !qts_exec_ledger_lists(ledger, odno))
			return true;
	}
	return false;
}

static void
unknown_not_accepted(const QtsOrderRow *row, TimestampTz now)
{
	Datum args[3] = {qts_uuid(&row->order_uid), TimestampTzGetDatum(now),
					 Int32GetDatum(row->life.complete_lists)};
	Datum intent[2] = {qts_uuid(&row->intent_id), args[1]};

	qts_stmt_run_one(&not_accepted, args, NULL, "order");
	if (!qts_uuid_is_null(&row->intent_id))
		qts_stmt_run_one(&not_accepted_intent, intent, NULL, "intent");
	qts_alert("CRITICAL", "ORDER_NOT_ACCEPTED", row->symbol, "Compare the day's orders at the broker.",
			  "the unanswered order for " INT64_FORMAT
			  " %s counts as not accepted: no notice, no ledger row, the balance is unchanged",
			  row->life.qty, row->symbol);
}

static void
unknown_quarantine(const QtsOrderRow *row, int matches, TimestampTz now)
{
	Datum args[2] = {qts_uuid(&row->order_uid), TimestampTzGetDatum(now)};

	qts_stmt_run_one(&quarantine_order, args, NULL, "order");
	qts_alert("CRITICAL", "ORDER_AMBIGUOUS", row->symbol,
			  "Find it at the broker and call qts.resolve_order().",
			  "%d broker orders could be the unanswered one for " INT64_FORMAT " %s", matches, row->life.qty,
			  row->symbol);
}

static void
unknown_judge(QtsOrderRow *row, QtsDate date, const QtsLedgerRest *ledger, TimestampTz asked_at, bool trusted,
			  TimestampTz now)
{
	const QtsOrderLife *life = &row->life;
	QtsTime grace = (life->sell ? qts_guc.unknown_grace_sell : qts_guc.unknown_grace_buy) * QTS_SEC;
	/* an order may appear late: only a list asked for after the grace is silent about it */
	bool list = ledger != NULL && asked_at >= life->sent_at + grace;
	QtsLooseOrder found;
	QtsUnknownEvidence evidence = {
		.grace = grace,
		.ledger_trusted = trusted,
		.list = list,
		.masked = list && is_masked(row, date, ledger),
	};
	Datum witness[3] = {qts_text(row->account), qts_text(row->symbol), BoolGetDatum(life->sell)};

	candidates(row, date, ledger, &evidence, &found);
	if (qts_stmt_run(&balance_witness, witness, NULL) > 0)
	{
		evidence.balance_known = qts_col_int64(0, 2, QTS_TIME_NONE) >= life->sent_at + grace;
		evidence.balance_unchanged = life->sent_holding >= 0 &&
									 qts_col_int64(0, 1, 0) == life->sent_holding &&
									 qts_col_int64(0, 3, 0) == life->sent_holding;
	}
	switch (qts_life_unknown(&row->life, &evidence, now))
	{
		case QTS_UNKNOWN_BIND:
			qts_exec_bind(row, found.odno, found.orgno, date, NULL, now);
			break;
		case QTS_UNKNOWN_NOT_ACCEPTED:
			unknown_not_accepted(row, now);
			break;
		case QTS_UNKNOWN_QUARANTINE:
			unknown_quarantine(row, evidence.candidates, now);
			break;
		case QTS_UNKNOWN_WAIT:
			if (list)
			{
				Datum lists[2] = {qts_uuid(&row->order_uid), Int32GetDatum(life->complete_lists)};

				qts_stmt_run_one(&count_list, lists, NULL, "order");
			}
			break;
	}
}

void
qts_exec_unknowns(const char *account, QtsDate date, const QtsLedgerRest *ledger, TimestampTz asked_at,
				  bool trusted, TimestampTz now)
{
	pg_uuid_t *uids;
	int n = 0;

	if (!qts_txn_begin("unknown orders"))
		return;
	{
		Datum args[2] = {qts_text(account), DateADTGetDatum(date)};

		n = (int) qts_stmt_run(&unknown_orders, args, NULL);
	}
	uids = MemoryContextAlloc(qts_txn_caller_cxt(), sizeof(pg_uuid_t) * (n + 1));
	for (int i = 0; i < n; i++)
		uids[i] = qts_col_uuid(i, 1);
	qts_txn_commit();
	for (int i = 0; i < n; i++)
	{
		QtsOrderRow row;

		if (!qts_txn_begin("unknown order"))
			break;
		if (qts_exec_lock_order(&uids[i], &row) && row.life.status == QTS_ORDER_UNKNOWN)
			unknown_judge(&row, date, ledger, asked_at, trusted, now);
		QTS_POINT("unknown.commit");
		qts_txn_commit();
	}
	pfree(uids);
}
