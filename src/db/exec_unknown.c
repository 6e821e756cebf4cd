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

#define LOOSE_MAX 256
/* a list counts as silent about an order only if it was asked for this long after it was sent */
#define LEDGER_LAG (2 * QTS_SEC)
#define CLOCK_SKEW (3 * QTS_SEC)

static QtsStmt unknown_orders = {
	"SELECT order_uid FROM trade.orders WHERE account_id = $1 AND trade_date = $2 AND status = 'UNKNOWN'"
	" AND NOT quarantined ORDER BY sent_ts",
	2,
	{TEXTOID, DATEOID}};

static QtsStmt balance_witness = {
	"SELECT CASE WHEN $3 THEN h.orderable_qty ELSE h.qty END, s.balance_ok_ts FROM trade.account_sync s LEFT JOIN trade.holdings h"
	" ON h.account_id = s.account_id AND h.symbol = $2 WHERE s.account_id = $1",
	3,
	{TEXTOID, TEXTOID, BOOLOID}};

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

/* Distinct broker orders that could be this one; the last one found is copied out. */
static int
candidates(const QtsOrderRow *row, QtsDate date, const QtsLedger *ledger, QtsLooseOrder *found)
{
	QtsLooseOrder *loose = palloc(sizeof(QtsLooseOrder) * LOOSE_MAX);
	QtsMatchWindow window = {.before = CLOCK_SKEW, .after = qts_guc.http_timeout * QTS_MS + CLOCK_SKEW};
	QtsSentOrder sent = {
		.sell = row->sell, .qty = row->qty, .price = row->market ? 0 : row->price, .sent_at = row->sent_at};
	int n = qts_exec_loose_orders(row->account, date, loose, LOOSE_MAX);
	int matches = 0;

	strlcpy(sent.symbol, row->symbol, sizeof(sent.symbol));
	strlcpy(sent.ord_dvsn, row->market ? "01" : "00", sizeof(sent.ord_dvsn));
	found->odno[0] = '\0';
	for (int i = 0; i < n; i++)
	{
		if (loose[i].order.price < 0)
			loose[i].order.price = sent.price; /* a fill tells its own price, not the order's */
		if (!qts_match_candidate(&sent, &loose[i].order, &window))
			continue;
		matches++;
		*found = loose[i];
	}
	for (int i = 0; ledger != NULL && i < ledger->count; i++)
	{
		const QtsLedgerRow *seen = &ledger->rows[i];
		pg_uuid_t owner;
		bool known = false;

		if (seen->orgn_odno[0] != '\0' || !qts_match_candidate(&sent, &seen->order, &window))
			continue;
		for (int k = 0; k < n && !known; k++)
			known = strcmp(loose[k].odno, seen->odno) == 0 &&
					qts_match_candidate(&sent, &loose[k].order, &window);
		if (!known && !qts_exec_find_order(row->account, date, seen->odno, &owner))
		{
			matches++;
			strlcpy(found->odno, seen->odno, sizeof(found->odno));
			strlcpy(found->orgno, seen->orgno, sizeof(found->orgno));
		}
		else if (known && strcmp(found->odno, seen->odno) == 0)
			strlcpy(found->orgno, seen->orgno, sizeof(found->orgno));
	}
	pfree(loose);
	return matches;
}

static void
judge(QtsOrderRow *row, QtsDate date, const QtsLedger *ledger, TimestampTz asked_at, bool trusted,
	  TimestampTz now)
{
	QtsLooseOrder found;
	QtsUnknownEvidence evidence = {
		.candidates = candidates(row, date, ledger, &found),
		.sent_at = row->sent_at,
		.now = now,
		.grace = (row->sell ? qts_guc.unknown_grace_sell : qts_guc.unknown_grace_buy) * QTS_SEC,
		.ledger_trusted = trusted,
	};
	Datum witness[3] = {qts_text(row->account), qts_text(row->symbol), BoolGetDatum(row->sell)};
	Datum args[3] = {qts_uuid(&row->order_uid), TimestampTzGetDatum(now)};
	Datum intent[2] = {qts_uuid(&row->intent_id), args[1]};

	if (ledger != NULL && ledger->complete && asked_at >= row->sent_at + LEDGER_LAG)
		row->complete_lists++;
	evidence.complete_lists = row->complete_lists;
	if (qts_stmt_run(&balance_witness, witness, NULL) > 0)
	{
		evidence.balance_known = qts_col_int64(0, 2, QTS_TIME_NONE) >= row->sent_at + evidence.grace;
		evidence.balance_unchanged = row->sent_holding >= 0 && qts_col_int64(0, 1, 0) == row->sent_holding;
	}
	args[2] = Int32GetDatum(row->complete_lists);
	switch (qts_unknown_verdict(&evidence))
	{
		case QTS_UNKNOWN_BIND:
			qts_exec_bind(row, found.odno, found.orgno, date, NULL, now);
			break;
		case QTS_UNKNOWN_NOT_ACCEPTED:
			qts_stmt_run_one(&not_accepted, args, NULL, "order");
			if (!qts_uuid_is_null(&row->intent_id))
				qts_stmt_run_one(&not_accepted_intent, intent, NULL, "intent");
			qts_alert("CRITICAL", "ORDER_NOT_ACCEPTED", row->symbol,
					  "Compare the day's orders at the broker.",
					  "the unanswered order for " INT64_FORMAT
					  " %s counts as not accepted: no notice, no ledger row, the balance is unchanged",
					  row->qty, row->symbol);
			break;
		case QTS_UNKNOWN_QUARANTINE:
			qts_stmt_run_one(&quarantine_order, args, NULL, "order");
			qts_alert("CRITICAL", "ORDER_AMBIGUOUS", row->symbol,
					  "Find it at the broker and call qts.resolve_order().",
					  "%d broker orders could be the unanswered one for " INT64_FORMAT " %s",
					  evidence.candidates, row->qty, row->symbol);
			break;
		case QTS_UNKNOWN_WAIT:
		{
			Datum lists[2] = {args[0], args[2]};

			qts_stmt_run_one(&count_list, lists, NULL, "order");
			break;
		}
	}
}

void
qts_exec_unknowns(const char *account, QtsDate date, const QtsLedger *ledger, TimestampTz asked_at,
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
		if (qts_exec_lock_order(&uids[i], &row) && row.status == QTS_ORDER_UNKNOWN)
			judge(&row, date, ledger, asked_at, trusted, now);
		qts_txn_commit();
	}
	pfree(uids);
}
