/*-------------------------------------------------------------------------
 *
 * exec_ledger.c
 *		The day's order ledger: the arbiter of every fill and every end.
 *
 * One row per order, cumulative (kis-api 3.6, 3.9).
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
#include "errcodes.h"
#include "shm/point.h"
#include "shm/shm.h"

#define CONFIRM_BATCH 500
/* same-day orders may appear late (kis-api 3.6) */
#define LEDGER_LAG (2 * QTS_SEC)

static QtsStmt ledger_seen = {
	"UPDATE trade.orders SET ledger_ts = $2 WHERE order_uid = $1", 2, {UUIDOID, TIMESTAMPTZOID}};

static QtsStmt confirm_orders = {
	"UPDATE trade.orders o SET ledger_qty = c.qty, ledger_amount = c.amount, ledger_ts = $4"
	" FROM unnest($1::uuid[], $2::int8[], $3::int8[]) c (order_uid, qty, amount) WHERE o.order_uid = c.order_uid",
	4,
	{UUIDARRAYOID, INT8ARRAYOID, INT8ARRAYOID, TIMESTAMPTZOID}};

static QtsStmt day_orders = {
	"SELECT broker_order_no, order_uid, status, coalesce(cancel_state IN ('UNKNOWN', 'REFUSED'), false) AND status IN ('SUBMITTED', 'PARTIAL')"
	" AND cancel_attempts < " CppAsString2(
		QTS_CANCEL_ATTEMPTS) ", ledger_qty, ledger_amount, filled_qty, origin = 'AUTO', acked_ts, updated_ts,"
							 " error_code IS NOT DISTINCT FROM 'FILL_DISPUTE' FROM trade.orders"
							 " WHERE account_id = $1 AND trade_date = $2 AND broker_order_no IS NOT NULL",
	2,
	{TEXTOID, DATEOID}};

static QtsStmt dispute_position = {
	"UPDATE trade.positions SET quarantine_reason = $2 WHERE position_id = $1 AND quarantine_reason IS NULL",
	2,
	{UUIDOID, TEXTOID}};

static QtsStmt dispute_order = {
	"UPDATE trade.orders SET error_code = 'FILL_DISPUTE', error_message = $2 WHERE order_uid = $1",
	2,
	{UUIDOID, TEXTOID}};

static void
row_dispute(const QtsOrderRow *row)
{
	Datum args[2] = {qts_uuid(&row->position_id),
					 qts_text("the broker's ledger denies what notices told of an order")};
	Datum once[2] = {qts_uuid(&row->order_uid), args[1]};

	if (!qts_uuid_is_null(&row->position_id))
		qts_stmt_run(&dispute_position, args, NULL);
	qts_stmt_run(&dispute_order, once, NULL);
	qts_alert("CRITICAL", "FILL_DISPUTE", row->symbol,
			  "Compare the day's orders at the broker; the symbol's exits hold until then.",
			  "order %s of %s is %s here with " INT64_FORMAT " filled; the ledger shows " INT64_FORMAT
			  " and denies it",
			  row->odno, row->symbol, qts_order_status_name(row->life.status), row->life.book.booked_qty,
			  row->life.book.ledger_qty);
}

void
qts_exec_ledger_row(QtsOrderRow *row, const QtsLedgerRow *seen, bool session_over, TimestampTz now)
{
	QtsLedgerSeen facts = {.filled = seen->filled,
						   .amount = seen->amount,
						   .remaining = seen->remaining,
						   .cancelled = seen->cancelled};
	QtsFillStep step = qts_life_ledger(&row->life, &facts, session_over);
	Datum args[2] = {qts_uuid(&row->order_uid), TimestampTzGetDatum(now)};
	char key[64];

	snprintf(key, sizeof(key), "rest:" INT64_FORMAT, row->life.book.booked_qty);
	qts_exec_book(row, &step, "REST_DELTA", key, now);
	if (step.dispute)
		row_dispute(row);
	qts_exec_store_order(row, now);
	qts_stmt_run(&ledger_seen, args, NULL);
}

/* What we have of the day, to see at a glance which ledger rows say something new. */
typedef struct KnownOrder
{
	char odno[QTS_ODNO_LEN + 1];
	pg_uuid_t order_uid;
	bool settled;
	bool cancel_open;
	QtsQty ledger_qty;
	QtsKrw ledger_amount;
	QtsQty filled;
	bool own;
	bool listed; /* in the list at hand */
	QtsOrderStatus status;
	TimestampTz acked;
	TimestampTz changed;
	bool disputed; /* said so already */
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
		if (!qts_order_status_parse(qts_col_text(i, 3), &known[i].status))
			ereport(ERROR,
					(errcode(QTS_ERRCODE_INTERNAL), errmsg("order has a status this library does not know")));
		known[i].settled = qts_order_terminal(known[i].status);
		known[i].cancel_open = qts_col_bool(i, 4);
		known[i].ledger_qty = qts_col_int64(i, 5, 0);
		known[i].ledger_amount = qts_col_int64(i, 6, 0);
		known[i].filled = qts_col_int64(i, 7, 0);
		known[i].own = qts_col_bool(i, 8);
		known[i].acked = qts_col_int64(i, 9, 0);
		known[i].changed = qts_col_int64(i, 10, QTS_TIME_NONE);
		known[i].disputed = qts_col_bool(i, 11);
		known[i].listed = false;
	}
	qsort(known, n, sizeof(KnownOrder), known_compare);
	*count = n;
	return known;
}

/* Nothing new: no lock and no write per row and read. */
static bool
row_is_old(const KnownOrder *known, const QtsLedgerRow *seen)
{
	return known->ledger_qty == seen->filled && known->ledger_amount == seen->amount && !known->cancel_open &&
		   (known->settled || seen->remaining != 0);
}

static bool
row_denies(const KnownOrder *known, const QtsLedgerRow *seen, TimestampTz asked_at)
{
	QtsLedgerSeen facts = {.filled = seen->filled, .remaining = seen->remaining};

	return !known->disputed &&
		   qts_life_denied(known->status, known->filled, &facts, known->changed, asked_at);
}

/* The row only confirms what the notices said of an order that has ended. */
static bool
row_confirms(const KnownOrder *known, const QtsLedgerRow *seen)
{
	return known->settled && !known->cancel_open && seen->remaining == 0 && seen->filled == known->filled &&
		   seen->filled >= known->ledger_qty && seen->amount >= known->ledger_amount;
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
		qts_txn_commit_soon();
	}
}

/* Live orders of ours that a complete list does not show. */
static void
store_absences(const KnownOrder *known, int count, TimestampTz asked_at, bool trusted, bool session_over,
			   TimestampTz now)
{
	for (int i = 0; i < count; i++)
	{
		QtsOrderRow row;

		if (known[i].listed || known[i].settled || !known[i].own || asked_at < known[i].acked + LEDGER_LAG)
			continue;
		if (!qts_txn_begin("absent order"))
			return;
		if (qts_exec_lock_order(&known[i].order_uid, &row) &&
			qts_life_absent(&row.life, trusted, session_over))
			qts_alert(trusted ? "CRITICAL" : "WARNING", "ORDER_MISSING", row.symbol,
					  "Look for it at the broker; it stays open here until a list shows it.",
					  "order %s of %s is in none of %d complete ledgers", row.odno, row.symbol,
					  row.life.complete_lists);
		qts_exec_store_order(&row, now);
		qts_txn_commit_soon();
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
		bool denied;

		strlcpy(key.odno, seen->odno, sizeof(key.odno));
		found = bsearch(&key, known, nknown, sizeof(KnownOrder), known_compare);
		if (found != NULL)
			found->listed = true;
		denied = found != NULL && trusted && row_denies(found, seen, asked_at);
		if (found != NULL && !denied && row_is_old(found, seen))
			continue;
		if (found != NULL && !denied && row_confirms(found, seen))
		{
			confirming[nconfirmed] = seen;
			confirmed[nconfirmed++] = found;
			continue;
		}
		/* one position is locked at a time: no circle with anybody */
		qts_txn_begin_must("ledger row");
		if (found == NULL)
			qts_exec_foreign(account, date, seen, session_over, now);
		else if (qts_exec_lock_order(&found->order_uid, &row))
		{
			if (denied)
				row_dispute(&row);
			else
				qts_exec_ledger_row(&row, seen, session_over, now);
		}
		QTS_POINT("ledger.commit");
		qts_txn_commit_soon();
	}
	store_confirmations(confirming, confirmed, nconfirmed, now);
	if (ledger->complete)
	{
		store_absences(known, nknown, asked_at, trusted, session_over, now);
		qts_count(QTS_COUNT_LEDGER_READS, 1);
	}
	pfree(known);
	qts_exec_attach_late(account, date, now);
}
