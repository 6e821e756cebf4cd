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

#define ORDER_COLUMNS                                                                                           \
	"SELECT o.account_id, o.symbol, o.broker_order_no, o.broker_org_no, o.side = 'SELL', o.order_type = 'MKT'," \
	" o.origin = 'AUTO', o.cancel_state, o.qty, o.limit_price, o.status, o.cancelled_qty, o.rejected_qty,"      \
	" o.notice_qty, o.notice_amount, o.ledger_qty, o.ledger_amount, o.attempt, o.complete_lists, o.sent_ts,"    \
	" o.sent_holding_qty, o.retry_ts, o.cancel_attempts, f.qty, f.amount, o.intent_id, o.position_id"
#define ORDER_FILLS                                                                                          \
	" CROSS JOIN LATERAL (SELECT coalesce(sum(f.qty), 0)::bigint AS qty,"                                    \
	" coalesce(round(sum(f.qty * f.price)), 0)::bigint AS amount FROM trade.fills f"                         \
	" WHERE f.order_uid = o.order_uid) f"

/*
 * The usual case, a sale of ours, at once: rows are locked in the order they
 * are named.  The fills are those of before a wait, but only this process
 * writes fills.
 */
static QtsStmt lock_sale = {ORDER_COLUMNS
							" FROM trade.orders o JOIN trade.order_intents i ON i.intent_id = o.intent_id"
							" JOIN trade.positions p ON p.position_id = o.position_id" ORDER_FILLS
							" WHERE o.order_uid = $1 FOR NO KEY UPDATE OF p, i, o",
							1,
							{UUIDOID}};

static QtsStmt load_order = {ORDER_COLUMNS " FROM trade.orders o" ORDER_FILLS
										   " WHERE o.order_uid = $1 FOR NO KEY UPDATE OF o",
							 1,
							 {UUIDOID}};

static QtsStmt find_order = {
	"SELECT order_uid FROM trade.orders WHERE account_id = $1 AND trade_date = $2 AND broker_order_no = $3",
	3,
	{TEXTOID, DATEOID, TEXTOID}};

static QtsStmt store_order = {
	"UPDATE trade.orders SET status = $2, filled_qty = $3, cancelled_qty = $4, rejected_qty = $5, avg_fill_price = $6,"
	" notice_qty = $7, notice_amount = $8, ledger_qty = $9, ledger_amount = $10, complete_lists = $11, updated_ts = $12,"
	" cancel_state = $13 WHERE order_uid = $1",
	13,
	{UUIDOID, TEXTOID, INT8OID, INT8OID, INT8OID, NUMERICOID, INT8OID, INT8OID, INT8OID, INT8OID, INT4OID,
	 TIMESTAMPTZOID, TEXTOID}};

static QtsStmt mirror_intent = {
	/* an order for less than its intent, see qts_claim_qty, fills only a part of it */
	"UPDATE trade.order_intents SET status = CASE WHEN $2 = 'FILLED' AND $3 < qty THEN 'CANCELLED_PARTIAL' ELSE $2 END,"
	" filled_qty = $3, avg_fill_price = $4, updated_ts = $5"
	" WHERE intent_id = $1 AND (status, filled_qty) IS DISTINCT FROM ($2, $3)",
	5,
	{UUIDOID, TEXTOID, INT8OID, NUMERICOID, TIMESTAMPTZOID}};

static QtsStmt set_number = {
	"UPDATE trade.orders SET broker_order_no = $2, broker_org_no = $3, trade_date = $4, status = 'SUBMITTED',"
	" acked_ts = $5, retry_ts = NULL, complete_lists = 0, quarantined = false, raw = coalesce($6::jsonb, raw), updated_ts = $5"
	" WHERE order_uid = $1",
	6,
	{UUIDOID, TEXTOID, TEXTOID, DATEOID, TIMESTAMPTZOID, TEXTOID}};

static void
order_mirror(const QtsOrderRow *row, TimestampTz now)
{
	const QtsFillBook *book = &row->life.book;
	Datum args[5] = {
		qts_uuid(&row->intent_id), qts_text(qts_intent_status_name(qts_intent_mirror(row->life.status))),
		Int64GetDatum(book->booked_qty),
		book->booked_qty > 0 ? qts_price_numeric(qts_average_price(book->booked_amount, book->booked_qty))
							 : (Datum) 0,
		TimestampTzGetDatum(now)};

	if (!qts_uuid_is_null(&row->intent_id))
		qts_stmt_run(&mirror_intent, args, book->booked_qty == 0 ? "   n " : NULL);
}

static void
order_fetch_life(QtsOrderLife *life)
{
	life->sell = qts_col_bool(0, 5);
	life->market = qts_col_bool(0, 6);
	life->qty = qts_col_int64(0, 9, 0);
	life->price = life->market ? 0 : qts_col_int64(0, 10, 0);
	if (!qts_cancel_state_parse(qts_col_text(0, 8), &life->cancel) ||
		!qts_order_status_parse(qts_col_text(0, 11), &life->status))
		ereport(ERROR,
				(errcode(QTS_ERRCODE_INTERNAL), errmsg("order has a status this library does not know")));
	life->cancelled = qts_col_int64(0, 12, 0);
	life->rejected = qts_col_int64(0, 13, 0);
	life->book.ordered = life->qty;
	life->book.notice_qty = qts_col_int64(0, 14, 0);
	life->book.notice_amount = qts_col_int64(0, 15, 0);
	life->book.ledger_qty = qts_col_int64(0, 16, 0);
	life->book.ledger_amount = qts_col_int64(0, 17, 0);
	life->attempt = qts_col_int32(0, 18, 1);
	life->complete_lists = qts_col_int32(0, 19, 0);
	life->sent_at = qts_col_int64(0, 20, QTS_TIME_NONE);
	life->sent_holding = qts_col_int64(0, 21, -1);
	life->retry_at = qts_col_int64(0, 22, QTS_TIME_NONE);
	life->cancel_attempt = qts_col_int32(0, 23, 0);
	life->book.booked_qty = qts_col_int64(0, 24, 0);
	life->book.booked_amount = qts_col_int64(0, 25, 0);
}

/* One after the other, where not all of the three rows exist. */
static bool
order_lock_each(const pg_uuid_t *order_uid)
{
	Datum args[1] = {qts_uuid(order_uid)};
	Datum owner[1];
	pg_uuid_t intent_id;
	pg_uuid_t position_id;

	if (qts_stmt_run(&order_owner, args, NULL) == 0)
		return false;
	intent_id = qts_col_uuid(0, 1);
	position_id = qts_col_uuid(0, 2);
	if (!qts_uuid_is_null(&position_id))
	{
		owner[0] = qts_uuid(&position_id);
		qts_stmt_run(&lock_position, owner, NULL);
	}
	if (!qts_uuid_is_null(&intent_id))
	{
		owner[0] = qts_uuid(&intent_id);
		qts_stmt_run(&lock_intent, owner, NULL);
	}
	return qts_stmt_run(&load_order, args, NULL) > 0;
}

bool
qts_exec_lock_order(const pg_uuid_t *order_uid, QtsOrderRow *row)
{
	Datum args[1] = {qts_uuid(order_uid)};

	memset(row, 0, sizeof(*row));
	row->order_uid = *order_uid;
	if (qts_stmt_run(&lock_sale, args, NULL) == 0 && !order_lock_each(order_uid))
		return false;
	qts_col_copy(0, 1, row->account, sizeof(row->account));
	qts_col_copy(0, 2, row->symbol, sizeof(row->symbol));
	qts_col_copy(0, 3, row->odno, sizeof(row->odno));
	qts_col_copy(0, 4, row->orgno, sizeof(row->orgno));
	row->own = qts_col_bool(0, 7);
	order_fetch_life(&row->life);
	row->intent_id = qts_col_uuid(0, 26);
	row->position_id = qts_col_uuid(0, 27);
	row->stored = row->life;
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
qts_exec_store_order(QtsOrderRow *row, TimestampTz now)
{
	const QtsOrderLife *life = &row->life;
	const QtsFillBook *book = &life->book;
	const char *cancel = qts_cancel_state_name(life->cancel);
	Datum args[13] = {qts_uuid(&row->order_uid),
					  qts_text(qts_order_status_name(life->status)),
					  Int64GetDatum(book->booked_qty),
					  Int64GetDatum(life->cancelled),
					  Int64GetDatum(life->rejected),
					  (Datum) 0,
					  Int64GetDatum(book->notice_qty),
					  Int64GetDatum(book->notice_amount),
					  Int64GetDatum(book->ledger_qty),
					  Int64GetDatum(book->ledger_amount),
					  Int32GetDatum(life->complete_lists),
					  TimestampTzGetDatum(now),
					  cancel != NULL ? qts_text(cancel) : (Datum) 0};
	char nulls[14] = "             ";

	if (memcmp(&row->stored, life, sizeof(*life)) == 0)
		return;
	if (book->booked_qty > 0)
		args[5] = qts_price_numeric(qts_average_price(book->booked_amount, book->booked_qty));
	else
		nulls[5] = 'n';
	if (cancel == NULL)
		nulls[12] = 'n';
	qts_stmt_run_one(&store_order, args, nulls, "order");
	row->stored = row->life;
	order_mirror(row, now);
}

void
qts_exec_bind(QtsOrderRow *row, const char *odno, const char *orgno, QtsDate date, const char *raw,
			  TimestampTz now)
{
	Datum args[6] = {qts_uuid(&row->order_uid), qts_text(odno),
					 qts_text(orgno),			DateADTGetDatum(date),
					 TimestampTzGetDatum(now),	raw != NULL ? qts_text(raw) : (Datum) 0};

	qts_life_bind(&row->life);
	qts_stmt_run_one(&set_number, args, raw == NULL ? "     n" : NULL, "order");
	strlcpy(row->odno, odno, sizeof(row->odno));
	strlcpy(row->orgno, orgno, sizeof(row->orgno));
	row->stored.status = row->life.status;
	row->stored.retry_at = row->life.retry_at;
	row->stored.complete_lists = row->life.complete_lists;
	order_mirror(row, now);
	qts_exec_attach_notices(row, date, now);
}
