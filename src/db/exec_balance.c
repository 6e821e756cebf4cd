/*-------------------------------------------------------------------------
 *
 * exec_balance.c
 *		Holdings: the broker's truth beside our positions.
 *
 * A position is corrected to the holding only by two complete balances that
 * agree, while no order of ours is open on the symbol.  A partial balance
 * never takes anything away.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"

#include "db/exec.h"
#include "db/stmt.h"
#include "db/txn.h"
#include "shm/point.h"
#include "shm/shm.h"

#define AGREEING_BALANCES 2

static QtsStmt next_sync = {
	"SELECT coalesce(max(sync_id), 0) + 1 FROM trade.holdings WHERE account_id = $1", 1, {TEXTOID}};

static QtsStmt ensure_stock = {
	"INSERT INTO market.stocks (symbol, name, market) VALUES ($1, $2, 'KOSPI') ON CONFLICT (symbol) DO NOTHING",
	2,
	{TEXTOID, TEXTOID}};

static QtsStmt upsert_holding = {
	"INSERT INTO trade.holdings (account_id, symbol, qty, orderable_qty, avg_price, current_price, sync_id, updated_ts)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (account_id, symbol) DO UPDATE SET qty = $3,"
	" orderable_qty = $4, avg_price = $5, current_price = $6, sync_id = $7, updated_ts = $8",
	8,
	{TEXTOID, TEXTOID, INT8OID, INT8OID, NUMERICOID, INT8OID, INT8OID, TIMESTAMPTZOID}};

/* A symbol we hold by our own books is looked at in every balance, also while the broker shows nothing of it. */
static QtsStmt missing_holdings = {
	"UPDATE trade.holdings h SET qty = 0, orderable_qty = 0, sync_id = $2, updated_ts = $3"
	" WHERE account_id = $1 AND sync_id < $2 AND (qty > 0 OR EXISTS (SELECT 1 FROM trade.positions p"
	" WHERE p.account_id = h.account_id AND p.symbol = h.symbol AND p.status IN ('OPEN', 'CLOSING')))",
	3,
	{TEXTOID, INT8OID, TIMESTAMPTZOID}};

static QtsStmt unseen_holdings = {
	"INSERT INTO trade.holdings (account_id, symbol, qty, orderable_qty, avg_price, sync_id, updated_ts)"
	" SELECT p.account_id, p.symbol, 0, 0, p.avg_price, $2, $3 FROM trade.positions p"
	" WHERE p.account_id = $1 AND p.status IN ('OPEN', 'CLOSING') AND NOT EXISTS (SELECT 1 FROM trade.holdings h"
	" WHERE h.account_id = p.account_id AND h.symbol = p.symbol) ON CONFLICT DO NOTHING",
	3,
	{TEXTOID, INT8OID, TIMESTAMPTZOID}};

static QtsStmt adopt_holdings = {
	"INSERT INTO trade.positions (account_id, symbol, qty, original_qty, avg_price, entry_ts, exit_mode, strategy_id, created_ts)"
	" SELECT h.account_id, h.symbol, h.qty, h.qty, h.avg_price, $2, 'MANUAL_ONLY', 'ADOPTED', $2 FROM trade.holdings h"
	" WHERE h.account_id = $1 AND h.sync_id = $3 AND h.qty > 0 AND h.avg_price > 0"
	" AND NOT EXISTS (SELECT 1 FROM trade.positions p WHERE p.account_id = h.account_id AND p.symbol = h.symbol"
	" AND p.status IN ('OPEN', 'CLOSING'))"
	" AND NOT EXISTS (SELECT 1 FROM trade.orders o WHERE o.account_id = h.account_id AND o.symbol = h.symbol"
	" AND (o.origin = 'AUTO' AND o.status IN ('PENDING_SUBMIT', 'UNKNOWN', 'SUBMITTED', 'PARTIAL')"
	" OR o.updated_ts > $4 - interval '60 seconds'))"
	" ON CONFLICT DO NOTHING RETURNING symbol, qty",
	4,
	{TEXTOID, TIMESTAMPTZOID, INT8OID, TIMESTAMPTZOID}};

/* Positions that differ from the holding with nothing of ours under way. */
static QtsStmt mismatches = {
	"UPDATE trade.holdings h SET"
	" mismatch_count = CASE WHEN h.qty = p.qty THEN 0 WHEN h.mismatch_qty = h.qty THEN h.mismatch_count + 1 ELSE 1 END,"
	" mismatch_qty = CASE WHEN h.qty = p.qty THEN NULL ELSE h.qty END"
	" FROM trade.positions p WHERE h.account_id = $1 AND h.sync_id = $2 AND p.account_id = h.account_id"
	" AND p.symbol = h.symbol AND p.status IN ('OPEN', 'CLOSING') AND (h.qty <> p.qty OR h.mismatch_count > 0)"
	" AND NOT EXISTS (SELECT 1 FROM trade.orders o WHERE o.account_id = h.account_id AND o.symbol = h.symbol"
	" AND (o.origin = 'AUTO' AND o.status IN ('PENDING_SUBMIT', 'UNKNOWN', 'SUBMITTED', 'PARTIAL')"
	" OR o.updated_ts > $3 - interval '60 seconds'))"
	" RETURNING p.position_id, h.symbol, h.qty, p.qty, h.avg_price, h.mismatch_count",
	3,
	{TEXTOID, INT8OID, TIMESTAMPTZOID}};

/* A change that no order explains is a split, a transfer, a loss of rows: a person looks before it is sold. */
static QtsStmt correct_position = {
	"UPDATE trade.positions p SET adjusted_qty = adjusted_qty + $2 - qty, qty = $2, avg_price = $3, quarantine_reason ="
	" CASE WHEN quarantine_reason IS NULL AND $2 - qty <> (SELECT coalesce(sum(CASE f.side WHEN 'BUY' THEN f.qty"
	" ELSE -f.qty END), 0) FROM trade.fills f JOIN trade.orders o USING (order_uid) WHERE f.account_id = p.account_id"
	" AND f.symbol = p.symbol AND f.position_id IS NULL AND o.origin = 'MANUAL' AND f.ts > $4 - interval '10 minutes')"
	" THEN 'the holding changed and no order explains it' ELSE quarantine_reason END"
	" WHERE position_id = $1 RETURNING quarantine_reason IS NOT NULL",
	4,
	{UUIDOID, INT8OID, NUMERICOID, TIMESTAMPTZOID}};

/*
 * On paper the ledger may stay empty (kis-api 3.6): a holding that moved the
 * way of the one order open on it is that order's fill, if two balances agree.
 */
static QtsStmt paper_moves = {
	"UPDATE trade.holdings h SET"
	" mismatch_count = CASE WHEN h.mismatch_qty = h.qty THEN h.mismatch_count + 1 ELSE 1 END, mismatch_qty = h.qty"
	" FROM trade.orders o LEFT JOIN trade.positions p ON p.account_id = o.account_id AND p.symbol = o.symbol"
	" AND p.status IN ('OPEN', 'CLOSING') WHERE h.account_id = $1 AND h.sync_id = $2 AND o.account_id = h.account_id"
	" AND o.symbol = h.symbol AND o.origin = 'AUTO' AND o.status IN ('SUBMITTED', 'PARTIAL')"
	" AND o.acked_ts < $3 - interval '10 seconds'"
	" AND CASE o.side WHEN 'SELL' THEN coalesce(p.qty, 0) - h.qty ELSE h.qty - coalesce(p.qty, 0) END"
	" BETWEEN 1 AND o.qty - o.filled_qty"
	" AND NOT EXISTS (SELECT 1 FROM trade.orders x WHERE x.account_id = o.account_id AND x.symbol = o.symbol"
	" AND x.order_uid <> o.order_uid AND (x.status IN ('PENDING_SUBMIT', 'UNKNOWN', 'SUBMITTED', 'PARTIAL')"
	" OR x.updated_ts > $3 - interval '10 seconds'))"
	" RETURNING o.order_uid, abs(h.qty - coalesce(p.qty, 0)), h.mismatch_count, coalesce(h.current_price,"
	" (SELECT b.best_price FROM market.prices_best b WHERE b.symbol = h.symbol)::bigint, p.avg_price::bigint)",
	3,
	{TEXTOID, INT8OID, TIMESTAMPTZOID}};

typedef struct PaperMove
{
	pg_uuid_t order_uid;
	QtsQty qty;
	QtsKrw price;
} PaperMove;

typedef struct Mismatch
{
	pg_uuid_t position_id;
	char symbol[QTS_SYMBOL_LEN + 1];
	QtsQty holding;
	QtsQty position;
	QtsPrice average;
	int count;
} Mismatch;

/* What a balance tells that is not as the tables have it. */
typedef struct BalanceFindings
{
	bool trusted; /* there is a ledger */
	Mismatch *mismatches;
	int nmismatches;
	PaperMove *moves;
	int nmoves;
} BalanceFindings;

static void
correct(const Mismatch *m, TimestampTz now)
{
	Datum args[4] = {qts_uuid(&m->position_id), Int64GetDatum(m->holding), qts_price_numeric(m->average),
					 TimestampTzGetDatum(now)};
	bool held = false;

	if (m->holding == 0)
		qts_exec_close_by_broker(&m->position_id, now);
	else if (qts_stmt_run(&correct_position, args, NULL) > 0)
		held = qts_col_bool(0, 1);
	qts_alert(held ? "CRITICAL" : "WARNING", "HOLDING_CHANGED", m->symbol,
			  held ? "A split, a transfer? Check average price and quantity, then qts.release_position()."
				   : "Traded elsewhere: check the account.",
			  "%s: the broker holds " INT64_FORMAT ", the position had " INT64_FORMAT
			  ": corrected to the broker%s",
			  m->symbol, m->holding, m->position, held ? "; its automatic exits hold" : "");
}

/* Within the transaction; what differs is returned, to be corrected one position a transaction. */
static Mismatch *
positions_compare(const char *account, int64 sync_id, TimestampTz asked_at, TimestampTz now, int *count)
{
	Datum adopt[4] = {qts_text(account), TimestampTzGetDatum(now), Int64GetDatum(sync_id),
					  TimestampTzGetDatum(asked_at)};
	Datum args[3] = {adopt[0], adopt[2], adopt[3]};
	uint64 n = qts_stmt_run(&adopt_holdings, adopt, NULL);
	const char *masked = qts_account_mask(account);
	Mismatch *found;

	if (n > 0)
		qts_alert("INFO", "ADOPTED", masked,
				  "Switch their protection on with qts.set_position_exit_mode(position_id, 'ENABLED').",
				  UINT64_FORMAT " holdings of account %s became positions in exit mode MANUAL_ONLY", n,
				  masked);
	n = qts_stmt_run(&mismatches, args, NULL);
	found = MemoryContextAlloc(qts_txn_caller_cxt(), sizeof(Mismatch) * (n + 1));
	for (uint64 i = 0; i < n; i++)
	{
		found[i].position_id = qts_col_uuid(i, 1);
		qts_col_copy(i, 2, found[i].symbol, sizeof(found[i].symbol));
		found[i].holding = qts_col_int64(i, 3, 0);
		found[i].position = qts_col_int64(i, 4, 0);
		found[i].average = qts_col_price(i, 5);
		found[i].count = qts_col_int32(i, 6, 0);
	}
	*count = (int) n;
	return found;
}

/* Within the transaction; the fills are booked one order a transaction. */
static PaperMove *
paper_compare(const char *account, int64 sync_id, TimestampTz asked_at, int *count)
{
	Datum args[3] = {qts_text(account), Int64GetDatum(sync_id), TimestampTzGetDatum(asked_at)};
	int n = (int) qts_stmt_run(&paper_moves, args, NULL);
	PaperMove *moves = MemoryContextAlloc(qts_txn_caller_cxt(), sizeof(PaperMove) * (n + 1));

	*count = 0;
	for (int i = 0; i < n; i++)
	{
		if (qts_col_int32(i, 3, 0) < AGREEING_BALANCES || qts_col_int64(i, 4, 0) <= 0)
			continue;
		moves[*count].order_uid = qts_col_uuid(i, 1);
		moves[*count].qty = qts_col_int64(i, 2, 0);
		moves[(*count)++].price = qts_col_int64(i, 4, 0);
	}
	return moves;
}

static void
paper_fill(const PaperMove *move, TimestampTz now)
{
	QtsOrderRow row;
	QtsLedgerSeen seen = {.cancelled = -1};
	QtsFillStep step;
	char key[64];

	if (!qts_exec_lock_order(&move->order_uid, &row) || move->qty > qts_life_open_qty(&row.life))
		return;
	seen.filled = row.life.book.booked_qty + move->qty;
	seen.amount = row.life.book.booked_amount + move->qty * move->price;
	seen.remaining = row.life.qty - seen.filled;
	step = qts_life_ledger(&row.life, &seen, false);
	snprintf(key, sizeof(key), "balance:" INT64_FORMAT, row.life.book.booked_qty);
	qts_exec_book(&row, &step, "BALANCE", key, now);
	qts_exec_store_order(&row, now);
	qts_alert("WARNING", "FILL_INFERRED", row.symbol, "Its price is that of the balance, not of the trade.",
			  "order %s: " INT64_FORMAT
			  " %s filled by the word of two balances; no notice and no ledger told it",
			  row.odno, move->qty, row.symbol);
}

/* In one transaction, which locks no position; differences are left in *found. */
static void
balance_store(const char *account, const QtsBalance *balance, TimestampTz asked_at, TimestampTz now,
			  BalanceFindings *found)
{
	Datum who[1] = {qts_text(account)};
	Datum missing[3];
	int64 sync_id;

	qts_stmt_run(&next_sync, who, NULL);
	sync_id = qts_col_int64(0, 1, 1);
	for (int i = 0; i < balance->count; i++)
	{
		const QtsHoldingRow *row = &balance->rows[i];
		Datum stock[2] = {qts_text(row->symbol), qts_text(row->name[0] != '\0' ? row->name : row->symbol)};
		Datum args[8] = {who[0],
						 stock[0],
						 Int64GetDatum(row->qty),
						 Int64GetDatum(row->orderable),
						 qts_price_numeric(Max(row->avg_price, 0)),
						 Int64GetDatum(row->current_price),
						 Int64GetDatum(sync_id),
						 TimestampTzGetDatum(now)};
		char nulls[9] = "        ";

		if (row->qty < 0 || !qts_symbol_valid(row->symbol))
			continue; /* a row that does not say how much proves nothing */
		if (row->orderable < 0)
			nulls[3] = 'n';
		if (row->current_price <= 0)
			nulls[5] = 'n';
		if (qts_stmt_run(&ensure_stock, stock, NULL) == 1)
			qts_alert("INFO", "STOCK_ADDED", row->symbol,
					  "Correct market and instrument in market.stocks: they decide taxes and ticks.",
					  "%s is held but was not in market.stocks: added as KOSPI", row->symbol);
		qts_stmt_run(&upsert_holding, args, nulls);
	}
	if (!balance->complete)
		return;
	missing[0] = who[0];
	missing[1] = Int64GetDatum(sync_id);
	missing[2] = TimestampTzGetDatum(now);
	qts_stmt_run(&missing_holdings, missing, NULL);
	qts_stmt_run(&unseen_holdings, missing, NULL);
	found->mismatches = positions_compare(account, sync_id, asked_at, now, &found->nmismatches);
	if (!found->trusted)
		found->moves = paper_compare(account, sync_id, asked_at, &found->nmoves);
	qts_count(QTS_COUNT_BALANCE_READS, 1);
}

void
qts_exec_balance(const char *account, const QtsBalance *balance, TimestampTz asked_at, bool ledger_trusted,
				 TimestampTz now)
{
	BalanceFindings found = {.trusted = ledger_trusted};

	qts_txn_begin_must("balance");
	balance_store(account, balance, asked_at, now, &found);
	qts_txn_commit();
	for (int i = 0; i < found.nmismatches; i++)
	{
		if (found.mismatches[i].count < AGREEING_BALANCES)
			continue;
		if (!qts_txn_begin("balance correction"))
			return;
		correct(&found.mismatches[i], now);
		QTS_POINT("balance.commit");
		qts_txn_commit();
	}
	for (int i = 0; i < found.nmoves; i++)
	{
		if (!qts_txn_begin("balance fill"))
			return;
		paper_fill(&found.moves[i], now);
		qts_txn_commit();
	}
}
