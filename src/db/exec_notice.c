/*-------------------------------------------------------------------------
 *
 * exec_notice.c
 *		Execution notices: stored as they came, applied when their order is known.
 *
 * A notice is provisional: it is booked at once and confirmed by the ledger
 * (kis-api 5.6).  One identical to a counted one is left to the ledger.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "utils/date.h"

#include "db/exec.h"
#include "db/stmt.h"
#include "db/txn.h"
#include "shm/shm.h"

static const char *const kinds[] = {
	[QTS_NOTICE_ACCEPTED] = "ACCEPTED", [QTS_NOTICE_FILL] = "FILL",
	[QTS_NOTICE_REJECTED] = "REJECTED", [QTS_NOTICE_CANCELLED] = "CANCELLED",
	[QTS_NOTICE_REVISED] = "REVISED",
};

static QtsStmt insert_notice = {
	"INSERT INTO trade.notices (epoch, seq, account_id, trade_date, kind, broker_order_no, orig_order_no, symbol, side,"
	" ord_dvsn, qty, price, order_qty, hhmmss, recv_ts, order_uid, counted)"
	" SELECT $1, $2, a.account_id, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17"
	" FROM trade.accounts a WHERE a.account_id = $3 AND a.status <> 'REMOVED' ON CONFLICT DO NOTHING",
	17,
	{INT8OID, INT8OID, TEXTOID, DATEOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT8OID,
	 INT8OID, INT8OID, INT4OID, TIMESTAMPTZOID, UUIDOID, BOOLOID}};

static QtsStmt account_known = {
	"SELECT 1 FROM trade.accounts WHERE account_id = $1 AND status <> 'REMOVED'", 1, {TEXTOID}};

static QtsStmt attach_notice = {
	"UPDATE trade.notices SET order_uid = $3, counted = $4 WHERE epoch = $1 AND seq = $2",
	4,
	{INT8OID, INT8OID, UUIDOID, BOOLOID}};

static QtsStmt same_notice = {
	"SELECT 1 FROM trade.notices WHERE order_uid = $1 AND counted AND hhmmss = $2 AND qty = $3 AND price = $4",
	4,
	{UUIDOID, INT4OID, INT8OID, INT8OID}};

static QtsStmt waiting_notices = {
	"SELECT epoch, seq, kind, qty, price, hhmmss FROM trade.notices WHERE account_id = $1 AND trade_date = $2"
	" AND order_uid IS NULL AND CASE WHEN kind IN ('CANCELLED', 'REVISED') AND orig_order_no <> ''"
	" THEN orig_order_no ELSE broker_order_no END = $3 ORDER BY epoch, seq",
	3,
	{TEXTOID, DATEOID, TEXTOID}};

/* Orders whose number was learned after notices of it: made elsewhere, or settled by a person. */
static QtsStmt late_orders = {
	"SELECT DISTINCT o.order_uid FROM trade.notices n JOIN trade.orders o ON o.account_id = n.account_id"
	" AND o.trade_date = n.trade_date AND o.broker_order_no = CASE WHEN n.kind IN ('CANCELLED', 'REVISED')"
	" AND n.orig_order_no <> '' THEN n.orig_order_no ELSE n.broker_order_no END"
	" WHERE n.account_id = $1 AND n.trade_date = $2 AND n.order_uid IS NULL",
	2,
	{TEXTOID, DATEOID}};

/* Numbers of new orders that belong to no order of ours, not even by a later row. */
static QtsStmt loose_orders = {
	"SELECT DISTINCT ON (broker_order_no) broker_order_no, symbol, side = 'SELL', ord_dvsn,"
	" CASE WHEN kind = 'FILL' THEN coalesce(order_qty, qty) ELSE qty END,"
	" CASE WHEN kind = 'FILL' THEN -1 ELSE price END, hhmmss FROM trade.notices n"
	" WHERE account_id = $1 AND trade_date = $2 AND order_uid IS NULL AND kind IN ('ACCEPTED', 'FILL')"
	" AND coalesce(orig_order_no, '') = ''"
	" AND NOT EXISTS (SELECT 1 FROM trade.orders o WHERE o.account_id = n.account_id AND o.trade_date = n.trade_date"
	" AND o.broker_order_no = n.broker_order_no) ORDER BY broker_order_no, kind LIMIT $3",
	3,
	{TEXTOID, DATEOID, INT4OID}};

/* What a notice makes of its locked order, in memory. */
static QtsFillStep
notice_judge(QtsOrderRow *row, QtsNoticeKind kind, QtsQty qty, QtsKrw price, int32 hhmmss, bool *counted)
{
	Datum same[4] = {qts_uuid(&row->order_uid), Int32GetDatum(hhmmss), Int64GetDatum(qty),
					 Int64GetDatum(price)};
	bool repeat = kind == QTS_NOTICE_FILL && qts_stmt_run(&same_notice, same, NULL) > 0;

	return qts_life_notice(&row->life, kind, qty, price, repeat, counted);
}

/* The same in rows. */
static void
notice_book(QtsOrderRow *row, const QtsFillStep *step, int64 epoch, int64 seq, TimestampTz now)
{
	char key[64];

	snprintf(key, sizeof(key), "ws:" INT64_FORMAT ":" INT64_FORMAT, epoch, seq);
	qts_exec_book(row, step, "WS", key, now);
	qts_exec_store_order(row, now);
}

bool
qts_exec_notice(const QtsNotice *notice, int64 epoch, int64 seq, TimestampTz now)
{
	QtsDate date = qts_seoul_date(now);
	bool by_original = (notice->kind == QTS_NOTICE_CANCELLED || notice->kind == QTS_NOTICE_REVISED) &&
					   notice->orgn_odno[0] != '\0';
	pg_uuid_t order_uid = {{0}};
	QtsOrderRow row;
	QtsFillStep step = {0};
	bool counted = false;
	bool ours = qts_exec_find_order(notice->account, date, by_original ? notice->orgn_odno : notice->odno,
									&order_uid) &&
				qts_exec_lock_order(&order_uid, &row);
	Datum args[17] = {Int64GetDatum(epoch),
					  Int64GetDatum(seq),
					  qts_text(notice->account),
					  DateADTGetDatum(date),
					  qts_text(kinds[notice->kind]),
					  qts_text(notice->odno),
					  qts_text(notice->orgn_odno),
					  qts_text(notice->symbol),
					  qts_text(notice->sell ? "SELL" : "BUY"),
					  qts_text(notice->ord_dvsn),
					  Int64GetDatum(notice->qty),
					  Int64GetDatum(notice->price),
					  Int64GetDatum(notice->order_qty),
					  Int32GetDatum(notice->hhmmss),
					  TimestampTzGetDatum(now),
					  qts_uuid(&order_uid)};

	if (ours)
		step = notice_judge(&row, notice->kind, notice->qty, notice->price, notice->hhmmss, &counted);
	args[16] = BoolGetDatum(counted);
	if (qts_stmt_run(&insert_notice, args, ours ? NULL : "               n ") == 0)
	{
		Datum who[1] = {args[2]};

		/* nothing stored: another account of the same HTS ID, or read twice after an error */
		return qts_stmt_run(&account_known, who, NULL) > 0;
	}
	qts_count(QTS_COUNT_NOTICES, 1);
	if (!ours)
		return true;
	if (notice->kind == QTS_NOTICE_FILL && !counted)
		qts_count(QTS_COUNT_NOTICES_REPEATED, 1);
	notice_book(&row, &step, epoch, seq, now);
	return true;
}

typedef struct WaitingNotice
{
	int64 epoch;
	int64 seq;
	QtsNoticeKind kind;
	QtsQty qty;
	QtsKrw price;
	int32 hhmmss;
} WaitingNotice;

static QtsNoticeKind
notice_kind(const char *name)
{
	for (int i = 0; i < (int) lengthof(kinds); i++)
		if (strcmp(kinds[i], name) == 0)
			return (QtsNoticeKind) i;
	return QTS_NOTICE_ACCEPTED;
}

/* One that came before its order's number was known. */
static void
notice_attach(QtsOrderRow *row, const WaitingNotice *notice, TimestampTz now)
{
	bool counted;
	QtsFillStep step = notice_judge(row, notice->kind, notice->qty, notice->price, notice->hhmmss, &counted);
	Datum args[4] = {Int64GetDatum(notice->epoch), Int64GetDatum(notice->seq), qts_uuid(&row->order_uid),
					 BoolGetDatum(counted)};

	if (notice->kind == QTS_NOTICE_FILL && !counted)
		qts_count(QTS_COUNT_NOTICES_REPEATED, 1);
	qts_stmt_run_one(&attach_notice, args, NULL, "notice");
	notice_book(row, &step, notice->epoch, notice->seq, now);
}

void
qts_exec_attach_notices(QtsOrderRow *row, QtsDate date, TimestampTz now)
{
	Datum args[3] = {qts_text(row->account), DateADTGetDatum(date), qts_text(row->odno)};
	uint64 n = qts_stmt_run(&waiting_notices, args, NULL);
	WaitingNotice *waiting = palloc(sizeof(WaitingNotice) * (n + 1));

	for (uint64 i = 0; i < n; i++)
	{
		waiting[i].epoch = qts_col_int64(i, 1, 0);
		waiting[i].seq = qts_col_int64(i, 2, 0);
		waiting[i].kind = notice_kind(qts_col_text(i, 3));
		waiting[i].qty = qts_col_int64(i, 4, 0);
		waiting[i].price = qts_col_int64(i, 5, 0);
		waiting[i].hhmmss = qts_col_int32(i, 6, 0);
	}
	for (uint64 i = 0; i < n; i++)
		notice_attach(row, &waiting[i], now);
	pfree(waiting);
}

void
qts_exec_attach_late(const char *account, QtsDate date, TimestampTz now)
{
	Datum args[2] = {qts_text(account), DateADTGetDatum(date)};
	pg_uuid_t *uids;
	int n;

	if (!qts_txn_begin("late notices"))
		return;
	n = (int) qts_stmt_run(&late_orders, args, NULL);
	uids = MemoryContextAlloc(qts_txn_caller_cxt(), sizeof(pg_uuid_t) * (n + 1));
	for (int i = 0; i < n; i++)
		uids[i] = qts_col_uuid(i, 1);
	qts_txn_commit();
	for (int i = 0; i < n; i++)
	{
		QtsOrderRow row;

		/* one position is locked at a time: no circle with anybody */
		if (!qts_txn_begin("late notices"))
			break;
		if (qts_exec_lock_order(&uids[i], &row))
			qts_exec_attach_notices(&row, date, now);
		qts_txn_commit();
	}
	pfree(uids);
}

int
qts_exec_loose_orders(const char *account, QtsDate date, QtsLooseOrder *orders, int max)
{
	Datum args[3] = {qts_text(account), DateADTGetDatum(date), Int32GetDatum(max)};
	int n = (int) qts_stmt_run(&loose_orders, args, NULL);

	for (int i = 0; i < n; i++)
	{
		QtsBrokerOrder *order = &orders[i].order;
		int32 hhmmss = qts_col_int32(i, 7, 0);

		memset(&orders[i], 0, sizeof(orders[i]));
		qts_col_copy(i, 1, orders[i].odno, sizeof(orders[i].odno));
		qts_col_copy(i, 2, order->symbol, sizeof(order->symbol));
		order->sell = qts_col_bool(i, 3);
		qts_col_copy(i, 4, order->ord_dvsn, sizeof(order->ord_dvsn));
		order->qty = qts_col_int64(i, 5, 0);
		order->price = qts_col_int64(i, 6, 0);
		order->at =
			qts_seoul_instant(date, ((hhmmss / 10000) * QTS_HOUR) + ((hhmmss / 100 % 100) * QTS_MINUTE) +
										(hhmmss % 100) * QTS_SEC);
	}
	return n;
}
