/*-------------------------------------------------------------------------
 *
 * exec_order.c
 *		Orders: load, lock, reduce, store, mirror to the intent.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "utils/date.h"

#include "core/money.h"
#include "db/exec.h"
#include "db/stmt.h"
#include "errcodes.h"

static QtsStmt order_owner = {
	"SELECT intent_id, position_id FROM trade.orders WHERE order_uid = $1", 1, {UUIDOID}};

static QtsStmt lock_position = {
	"SELECT 1 FROM trade.positions WHERE position_id = $1 FOR NO KEY UPDATE", 1, {UUIDOID}};

static QtsStmt lock_intent = {
	"SELECT 1 FROM trade.order_intents WHERE intent_id = $1 FOR NO KEY UPDATE", 1, {UUIDOID}};

static QtsStmt load_order = {
	"SELECT account_id, symbol, broker_order_no, broker_org_no, side = 'SELL', order_type = 'MKT', origin = 'AUTO',"
	" cancel_state IS NOT NULL AND cancel_state <> 'REFUSED', qty, limit_price, status, cancelled_qty, rejected_qty,"
	" notice_qty, notice_amount, ledger_qty, ledger_amount, attempt, complete_lists, sent_ts, sent_holding_qty,"
	" (SELECT coalesce(sum(f.qty), 0)::bigint FROM trade.fills f WHERE f.order_uid = o.order_uid),"
	" (SELECT coalesce(round(sum(f.qty * f.price)), 0)::bigint FROM trade.fills f WHERE f.order_uid = o.order_uid)"
	" FROM trade.orders o WHERE order_uid = $1 FOR NO KEY UPDATE OF o",
	1,
	{UUIDOID}};

static QtsStmt find_order = {
	"SELECT order_uid FROM trade.orders WHERE account_id = $1 AND trade_date = $2 AND broker_order_no = $3",
	3,
	{TEXTOID, DATEOID, TEXTOID}};

static QtsStmt store_order = {
	"UPDATE trade.orders SET status = $2, filled_qty = $3, cancelled_qty = $4, rejected_qty = $5, avg_fill_price = $6,"
	" notice_qty = $7, notice_amount = $8, ledger_qty = $9, ledger_amount = $10, complete_lists = $11, updated_ts = $12"
	" WHERE order_uid = $1",
	12,
	{UUIDOID, TEXTOID, INT8OID, INT8OID, INT8OID, NUMERICOID, INT8OID, INT8OID, INT8OID, INT8OID, INT4OID,
	 TIMESTAMPTZOID}};

static QtsStmt mirror_intent = {
	"UPDATE trade.order_intents SET status = $2, filled_qty = $3, avg_fill_price = $4, updated_ts = $5"
	" WHERE intent_id = $1 AND (status, filled_qty) IS DISTINCT FROM ($2, $3)",
	5,
	{UUIDOID, TEXTOID, INT8OID, NUMERICOID, TIMESTAMPTZOID}};

static QtsStmt set_number = {
	"UPDATE trade.orders SET broker_order_no = $2, broker_org_no = $3, trade_date = $4, status = 'SUBMITTED',"
	" acked_ts = $5, retry_ts = NULL, quarantined = false, raw = coalesce($6::jsonb, raw), updated_ts = $5"
	" WHERE order_uid = $1",
	6,
	{UUIDOID, TEXTOID, TEXTOID, DATEOID, TIMESTAMPTZOID, TEXTOID}};

static void
order_stored(QtsOrderRow *row)
{
	row->stored.status = row->status;
	row->stored.cancelled = row->cancelled;
	row->stored.rejected = row->rejected;
	row->stored.complete_lists = row->complete_lists;
	row->stored.book = row->book;
}

static bool
order_unchanged(const QtsOrderRow *row, QtsOrderStatus status)
{
	return row->stored.status == status && row->stored.cancelled == row->cancelled &&
		   row->stored.rejected == row->rejected && row->stored.complete_lists == row->complete_lists &&
		   memcmp(&row->stored.book, &row->book, sizeof(row->book)) == 0;
}

static void
order_mirror(const QtsOrderRow *row, QtsOrderStatus status, TimestampTz now)
{
	QtsPrice average = qts_average_price(row->book.booked_amount, row->book.booked_qty);
	Datum args[5] = {qts_uuid(&row->intent_id), qts_text(qts_intent_status_name(qts_intent_mirror(status))),
					 Int64GetDatum(row->book.booked_qty),
					 row->book.booked_qty > 0 ? qts_price_numeric(average) : (Datum) 0,
					 TimestampTzGetDatum(now)};

	if (!qts_uuid_is_null(&row->intent_id))
		qts_stmt_run(&mirror_intent, args, row->book.booked_qty == 0 ? "   n " : NULL);
}

bool
qts_exec_lock_order(const pg_uuid_t *order_uid, QtsOrderRow *row)
{
	Datum args[1] = {qts_uuid(order_uid)};
	Datum owner[1];

	memset(row, 0, sizeof(*row));
	row->order_uid = *order_uid;
	if (qts_stmt_run(&order_owner, args, NULL) == 0)
		return false;
	row->intent_id = qts_col_uuid(0, 1);
	row->position_id = qts_col_uuid(0, 2);
	if (!qts_uuid_is_null(&row->position_id))
	{
		owner[0] = qts_uuid(&row->position_id);
		qts_stmt_run(&lock_position, owner, NULL);
	}
	if (!qts_uuid_is_null(&row->intent_id))
	{
		owner[0] = qts_uuid(&row->intent_id);
		qts_stmt_run(&lock_intent, owner, NULL);
	}
	if (qts_stmt_run(&load_order, args, NULL) == 0)
		return false;
	qts_col_copy(0, 1, row->account, sizeof(row->account));
	qts_col_copy(0, 2, row->symbol, sizeof(row->symbol));
	qts_col_copy(0, 3, row->odno, sizeof(row->odno));
	qts_col_copy(0, 4, row->orgno, sizeof(row->orgno));
	row->sell = qts_col_bool(0, 5);
	row->market = qts_col_bool(0, 6);
	row->own = qts_col_bool(0, 7);
	row->cancel_asked = qts_col_bool(0, 8);
	row->qty = qts_col_int64(0, 9, 0);
	row->price = qts_col_int64(0, 10, 0);
	if (!qts_order_status_parse(qts_col_text(0, 11), &row->status))
		ereport(ERROR,
				(errcode(QTS_ERRCODE_INTERNAL), errmsg("order has a status this library does not know")));
	row->cancelled = qts_col_int64(0, 12, 0);
	row->rejected = qts_col_int64(0, 13, 0);
	row->book.ordered = row->qty;
	row->book.notice_qty = qts_col_int64(0, 14, 0);
	row->book.notice_amount = qts_col_int64(0, 15, 0);
	row->book.ledger_qty = qts_col_int64(0, 16, 0);
	row->book.ledger_amount = qts_col_int64(0, 17, 0);
	row->attempt = qts_col_int32(0, 18, 1);
	row->complete_lists = qts_col_int32(0, 19, 0);
	row->sent_at = qts_col_int64(0, 20, QTS_TIME_NONE);
	row->sent_holding = qts_col_int64(0, 21, -1);
	row->book.booked_qty = qts_col_int64(0, 22, 0);
	row->book.booked_amount = qts_col_int64(0, 23, 0);
	order_stored(row);
	return true;
}

bool
qts_exec_find_order(const char *account, QtsDate date, const char *odno, pg_uuid_t *order_uid)
{
	Datum args[3] = {qts_text(account), DateADTGetDatum(date), qts_text(odno)};

	if (qts_stmt_run(&find_order, args, NULL) == 0)
		return false;
	*order_uid = qts_col_uuid(0, 1);
	return true;
}

void
qts_exec_store_order(QtsOrderRow *row, const QtsOrderFacts *facts, TimestampTz now)
{
	QtsOrderStatus status = qts_order_reduce(row->status, facts);
	QtsPrice average = qts_average_price(row->book.booked_amount, row->book.booked_qty);
	Datum args[12] = {qts_uuid(&row->order_uid),
					  qts_text(qts_order_status_name(status)),
					  Int64GetDatum(row->book.booked_qty),
					  Int64GetDatum(row->cancelled),
					  Int64GetDatum(row->rejected),
					  row->book.booked_qty > 0 ? qts_price_numeric(average) : (Datum) 0,
					  Int64GetDatum(row->book.notice_qty),
					  Int64GetDatum(row->book.notice_amount),
					  Int64GetDatum(row->book.ledger_qty),
					  Int64GetDatum(row->book.ledger_amount),
					  Int32GetDatum(row->complete_lists),
					  TimestampTzGetDatum(now)};
	char nulls[13] = "            ";

	if (order_unchanged(row, status))
		return;
	if (row->book.booked_qty == 0)
		nulls[5] = 'n';
	qts_stmt_run_one(&store_order, args, nulls, "order");
	row->status = status;
	order_stored(row);
	order_mirror(row, status, now);
}

void
qts_exec_bind(QtsOrderRow *row, const char *odno, const char *orgno, QtsDate date, const char *raw,
			  TimestampTz now)
{
	Datum args[6] = {qts_uuid(&row->order_uid), qts_text(odno),
					 qts_text(orgno),			DateADTGetDatum(date),
					 TimestampTzGetDatum(now),	raw != NULL ? qts_text(raw) : (Datum) 0};

	qts_stmt_run_one(&set_number, args, raw == NULL ? "     n" : NULL, "order");
	strlcpy(row->odno, odno, sizeof(row->odno));
	strlcpy(row->orgno, orgno, sizeof(row->orgno));
	row->status = row->stored.status = QTS_ORDER_SUBMITTED;
	order_mirror(row, QTS_ORDER_SUBMITTED, now);
	qts_exec_attach_notices(row, date, now);
}
