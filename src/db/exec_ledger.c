/*-------------------------------------------------------------------------
 *
 * exec_ledger.c
 *		The day's order ledger: the arbiter of every fill and every end.
 *
 * One row per order, cumulative (kis-api 3.6, 3.9).  Rows of orders made
 * elsewhere are recorded and never touched; what they do to a holding comes
 * with the balance.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "utils/array.h"
#include "utils/date.h"
#include "utils/uuid.h"

#include "db/exec.h"
#include "db/stmt.h"
#include "db/txn.h"
#include "shm/shm.h"

#define CONFIRM_BATCH 500

static QtsStmt ledger_seen = {
	"UPDATE trade.orders SET ledger_ts = $2, cancel_state = CASE WHEN cancel_state = 'UNKNOWN'"
	" AND status IN ('SUBMITTED', 'PARTIAL') THEN 'REQUESTED' ELSE cancel_state END WHERE order_uid = $1",
	2,
	{UUIDOID, TIMESTAMPTZOID}};

static QtsStmt confirm_orders = {
	"UPDATE trade.orders o SET ledger_qty = c.qty, ledger_amount = c.amount, ledger_ts = $4"
	" FROM unnest($1::uuid[], $2::int8[], $3::int8[]) c (order_uid, qty, amount) WHERE o.order_uid = c.order_uid",
	4,
	{UUIDARRAYOID, INT8ARRAYOID, INT8ARRAYOID, TIMESTAMPTZOID}};

static QtsStmt day_orders = {
	"SELECT broker_order_no, order_uid, status IN ('FILLED', 'CANCELLED', 'CANCELLED_PARTIAL', 'REJECTED', 'EXPIRED'),"
	" coalesce(cancel_state = 'UNKNOWN', false), ledger_qty, ledger_amount, filled_qty FROM trade.orders"
	" WHERE account_id = $1 AND trade_date = $2 AND broker_order_no IS NOT NULL",
	2,
	{TEXTOID, DATEOID}};

/* A row that may be the answer we still wait for is not somebody else's order. */
static QtsStmt may_be_ours = {"SELECT 1 FROM trade.orders WHERE account_id = $1 AND symbol = $2 AND side = $3"
							  " AND status IN ('PENDING_SUBMIT', 'UNKNOWN')",
							  3,
							  {TEXTOID, TEXTOID, TEXTOID}};

static QtsStmt ensure_stock = {
	"INSERT INTO market.stocks (symbol, name, market) VALUES ($1, $1, 'KOSPI') ON CONFLICT (symbol) DO NOTHING",
	1,
	{TEXTOID}};

static QtsStmt insert_foreign = {
	"INSERT INTO trade.orders (account_id, trade_date, broker_order_no, broker_org_no, symbol, side, order_type,"
	" limit_price, qty, status, origin, sent_ts, acked_ts, created_ts, updated_ts)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'SUBMITTED', 'MANUAL', $10, $10, $11, $11)"
	" ON CONFLICT DO NOTHING RETURNING order_uid",
	11,
	{TEXTOID, DATEOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT8OID, INT8OID, TIMESTAMPTZOID,
	 TIMESTAMPTZOID}};

static QtsStmt dispute_position = {
	"UPDATE trade.positions SET quarantine_reason = $2 WHERE position_id = $1 AND quarantine_reason IS NULL",
	2,
	{UUIDOID, TEXTOID}};

static void
row_dispute(const QtsOrderRow *row)
{
	Datum args[2] = {qts_uuid(&row->position_id),
					 qts_text("notices report more fills than the broker's ledger")};

	if (!qts_uuid_is_null(&row->position_id))
		qts_stmt_run(&dispute_position, args, NULL);
	qts_alert("CRITICAL", "FILL_DISPUTE", row->symbol,
			  "Compare the day's orders at the broker; the symbol's exits hold until then.",
			  "order %s of %s: notices report " INT64_FORMAT " filled, the ledger " INT64_FORMAT, row->odno,
			  row->symbol, row->book.booked_qty, row->book.ledger_qty);
}

/* Take in one ledger row of a locked order. */
static void
row_apply(QtsOrderRow *row, const QtsLedgerRow *seen, bool session_over, TimestampTz now)
{
	bool dead = seen->remaining == 0;
	QtsFillStep step = {0};
	QtsOrderFacts facts = {
		.qty = row->qty, .known = true, .cancel_asked = row->cancel_asked, .session_over = session_over};
	Datum args[2] = {qts_uuid(&row->order_uid), TimestampTzGetDatum(now)};
	char key[64];

	if (seen->filled >= 0 && seen->amount >= 0)
		step = qts_fill_ledger(&row->book, seen->filled, seen->amount, dead);
	snprintf(key, sizeof(key), "rest:" INT64_FORMAT, row->book.booked_qty);
	qts_exec_book(row, &step, "REST_DELTA", key, now);
	if (step.dispute)
		row_dispute(row);
	if (dead && row->book.booked_qty < row->qty)
	{
		/* the broker kills by two names; only the sum is certain (kis-api 3.9) */
		QtsQty killed = row->qty - row->book.booked_qty;

		if (row->cancel_asked || seen->cancelled > 0 || row->cancelled > 0)
		{
			row->cancelled = killed;
			row->rejected = 0;
		}
		else
			row->rejected = killed;
	}
	else if (row->cancelled + row->rejected + row->book.booked_qty > row->qty)
		row->cancelled = row->rejected = 0;
	facts.filled = row->book.booked_qty;
	facts.cancelled = row->cancelled;
	facts.rejected = row->rejected;
	facts.dead = dead;
	qts_exec_store_order(row, &facts, now);
	qts_stmt_run(&ledger_seen, args, NULL);
}

static void
row_foreign(const char *account, QtsDate date, const QtsLedgerRow *seen, bool session_over, TimestampTz now)
{
	bool market = strcmp(seen->order.ord_dvsn, "01") == 0;
	bool limit = strcmp(seen->order.ord_dvsn, "00") == 0;
	Datum side = qts_text(seen->order.sell ? "SELL" : "BUY");
	Datum ours[3] = {qts_text(account), qts_text(seen->order.symbol), side};
	Datum args[11] = {ours[0],
					  DateADTGetDatum(date),
					  qts_text(seen->odno),
					  qts_text(seen->orgno),
					  ours[1],
					  side,
					  qts_text(market  ? "MKT"
							   : limit ? "LMT"
									   : "OTHER"),
					  Int64GetDatum(seen->order.price),
					  Int64GetDatum(seen->order.qty),
					  TimestampTzGetDatum(seen->order.at),
					  TimestampTzGetDatum(now)};
	char nulls[12] = "           ";
	pg_uuid_t order_uid;
	QtsOrderRow row;

	if (seen->orgn_odno[0] != '\0' || seen->order.qty <= 0 || !qts_symbol_valid(seen->order.symbol) ||
		qts_stmt_run(&may_be_ours, ours, NULL) > 0)
		return;
	qts_stmt_run(&ensure_stock, &ours[1], NULL);
	if (seen->order.price <= 0)
		nulls[7] = 'n';
	if (qts_stmt_run(&insert_foreign, args, nulls) == 0)
		return;
	order_uid = qts_col_uuid(0, 1);
	if (qts_exec_lock_order(&order_uid, &row))
		row_apply(&row, seen, session_over, now);
}

/* What we have of the day, to see at a glance which ledger rows say something new. */
typedef struct KnownOrder
{
	char odno[QTS_ODNO_LEN + 1];
	pg_uuid_t order_uid;
	bool settled;
	bool cancel_unknown;
	QtsQty ledger_qty;
	QtsKrw ledger_amount;
	QtsQty filled;
} KnownOrder;

static int
known_compare(const void *a, const void *b)
{
	return strcmp(((const KnownOrder *) a)->odno, ((const KnownOrder *) b)->odno);
}

static KnownOrder *
known_orders(const char *account, QtsDate date, int *count)
{
	Datum args[2] = {qts_text(account), DateADTGetDatum(date)};
	int n = (int) qts_stmt_run(&day_orders, args, NULL);
	KnownOrder *known = MemoryContextAlloc(qts_txn_caller_cxt(), sizeof(KnownOrder) * (n + 1));

	for (int i = 0; i < n; i++)
	{
		qts_col_copy(i, 1, known[i].odno, sizeof(known[i].odno));
		known[i].order_uid = qts_col_uuid(i, 2);
		known[i].settled = qts_col_bool(i, 3);
		known[i].cancel_unknown = qts_col_bool(i, 4);
		known[i].ledger_qty = qts_col_int64(i, 5, 0);
		known[i].ledger_amount = qts_col_int64(i, 6, 0);
		known[i].filled = qts_col_int64(i, 7, 0);
	}
	qsort(known, n, sizeof(KnownOrder), known_compare);
	*count = n;
	return known;
}

/* Nothing new: no lock and no write per row and read. */
static bool
row_is_old(const KnownOrder *known, const QtsLedgerRow *seen)
{
	return known->ledger_qty == seen->filled && known->ledger_amount == seen->amount &&
		   !known->cancel_unknown && (known->settled || seen->remaining != 0);
}

/* The row only confirms what the notices said of an order that has ended. */
static bool
row_confirms(const KnownOrder *known, const QtsLedgerRow *seen)
{
	return known->settled && !known->cancel_unknown && seen->remaining == 0 &&
		   seen->filled == known->filled && seen->filled >= known->ledger_qty &&
		   seen->amount >= known->ledger_amount;
}

/* All confirmations at once: they change neither position nor intent, so none is locked. */
static void
store_confirmations(const QtsLedgerRow *const *seen, KnownOrder *const *known, int count, TimestampTz now)
{
	for (int from = 0; from < count; from += CONFIRM_BATCH)
	{
		int n = Min(CONFIRM_BATCH, count - from);
		Datum *uids;
		Datum *qtys;
		Datum *amounts;
		Datum args[4];

		if (!qts_txn_begin("ledger confirmations"))
			return;
		uids = palloc(sizeof(Datum) * n);
		qtys = palloc(sizeof(Datum) * n);
		amounts = palloc(sizeof(Datum) * n);
		for (int i = 0; i < n; i++)
		{
			uids[i] = qts_uuid(&known[from + i]->order_uid);
			qtys[i] = Int64GetDatum(seen[from + i]->filled);
			amounts[i] = Int64GetDatum(seen[from + i]->amount);
		}
		args[0] = PointerGetDatum(construct_array(uids, n, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
		args[1] = PointerGetDatum(construct_array(qtys, n, INT8OID, 8, true, TYPALIGN_DOUBLE));
		args[2] = PointerGetDatum(construct_array(amounts, n, INT8OID, 8, true, TYPALIGN_DOUBLE));
		args[3] = TimestampTzGetDatum(now);
		qts_stmt_run(&confirm_orders, args, NULL);
		qts_txn_commit();
	}
}

void
qts_exec_ledger(const char *account, QtsDate date, const QtsLedger *ledger, TimestampTz asked_at,
				bool trusted, bool session_over, TimestampTz now)
{
	const QtsLedgerRow **confirming = palloc(sizeof(*confirming) * (ledger->count + 1));
	KnownOrder **confirmed = palloc(sizeof(*confirmed) * (ledger->count + 1));
	int nconfirmed = 0;
	KnownOrder *known;
	int nknown;

	/* unknown orders first: a bound one is then brought up to date by its row below */
	qts_exec_unknowns(account, date, ledger, asked_at, trusted, now);
	qts_txn_begin_must("ledger");
	known = known_orders(account, date, &nknown);
	qts_txn_commit();
	for (int i = 0; i < ledger->count; i++)
	{
		const QtsLedgerRow *seen = &ledger->rows[i];
		KnownOrder key;
		KnownOrder *found;
		QtsOrderRow row;

		strlcpy(key.odno, seen->odno, sizeof(key.odno));
		found = bsearch(&key, known, nknown, sizeof(KnownOrder), known_compare);
		if (found != NULL ? row_is_old(found, seen) : seen->orgn_odno[0] != '\0')
			continue;
		if (found != NULL && row_confirms(found, seen))
		{
			confirming[nconfirmed] = seen;
			confirmed[nconfirmed++] = found;
			continue;
		}
		/* one position is locked at a time: no circle with anybody */
		qts_txn_begin_must("ledger row");
		if (found == NULL)
			row_foreign(account, date, seen, session_over, now);
		else if (qts_exec_lock_order(&found->order_uid, &row))
			row_apply(&row, seen, session_over, now);
		qts_txn_commit();
	}
	store_confirmations(confirming, confirmed, nconfirmed, now);
	pfree(known);
	if (ledger->complete)
		qts_count(QTS_COUNT_LEDGER_READS, 1);
}
