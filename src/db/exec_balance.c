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

static QtsStmt missing_holdings = {
	"UPDATE trade.holdings SET qty = 0, orderable_qty = 0, sync_id = $2, updated_ts = $3"
	" WHERE account_id = $1 AND sync_id < $2 AND qty > 0",
	3,
	{TEXTOID, INT8OID, TIMESTAMPTZOID}};

static QtsStmt adopt_holdings = {
	"INSERT INTO trade.positions (account_id, symbol, qty, original_qty, avg_price, entry_ts, exit_mode, strategy_id, created_ts)"
	" SELECT h.account_id, h.symbol, h.qty, h.qty, h.avg_price, $2, 'MANUAL_ONLY', 'ADOPTED', $2 FROM trade.holdings h"
	" WHERE h.account_id = $1 AND h.sync_id = $3 AND h.qty > 0 AND h.avg_price > 0"
	" AND NOT EXISTS (SELECT 1 FROM trade.positions p WHERE p.account_id = h.account_id AND p.symbol = h.symbol"
	" AND p.status IN ('OPEN', 'CLOSING'))"
	" AND NOT EXISTS (SELECT 1 FROM trade.orders o WHERE o.account_id = h.account_id AND o.symbol = h.symbol"
	" AND o.origin = 'AUTO' AND (o.status IN ('PENDING_SUBMIT', 'UNKNOWN', 'SUBMITTED', 'PARTIAL') OR o.updated_ts > $4 - interval '60 seconds'))"
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
	" AND o.origin = 'AUTO' AND (o.status IN ('PENDING_SUBMIT', 'UNKNOWN', 'SUBMITTED', 'PARTIAL') OR o.updated_ts > $3 - interval '60 seconds'))"
	" RETURNING p.position_id, h.symbol, h.qty, p.qty, h.avg_price, h.mismatch_count",
	3,
	{TEXTOID, INT8OID, TIMESTAMPTZOID}};

static QtsStmt correct_position = {
	"UPDATE trade.positions SET adjusted_qty = adjusted_qty + $2 - qty, qty = $2, avg_price = $3 WHERE position_id = $1",
	3,
	{UUIDOID, INT8OID, NUMERICOID}};

typedef struct Mismatch
{
	pg_uuid_t position_id;
	char symbol[QTS_SYMBOL_LEN + 1];
	QtsQty holding;
	QtsQty position;
	QtsPrice average;
	int count;
} Mismatch;

static void
correct(const Mismatch *m, TimestampTz now)
{
	Datum args[3] = {qts_uuid(&m->position_id), Int64GetDatum(m->holding), qts_price_numeric(m->average)};

	if (m->holding == 0)
		qts_exec_close_by_broker(&m->position_id, now);
	else
		qts_stmt_run(&correct_position, args, NULL);
	qts_alert("WARNING", "HOLDING_CHANGED", m->symbol,
			  "Traded elsewhere, or a corporate action: check the account.",
			  "%s: the broker holds " INT64_FORMAT ", the position had " INT64_FORMAT
			  ": corrected to the broker",
			  m->symbol, m->holding, m->position);
}

/* Within the transaction; what differs is returned, to be corrected one position a transaction. */
static Mismatch *
positions_compare(const char *account, int64 sync_id, TimestampTz asked_at, TimestampTz now, int *count)
{
	Datum adopt[4] = {qts_text(account), TimestampTzGetDatum(now), Int64GetDatum(sync_id),
					  TimestampTzGetDatum(asked_at)};
	Datum args[3] = {adopt[0], adopt[2], adopt[3]};
	uint64 n = qts_stmt_run(&adopt_holdings, adopt, NULL);
	char masked[32]; /* as qts._mask() shows it */
	Mismatch *found;

	snprintf(masked, sizeof(masked), "%.2s****%s", account, strlen(account) > 6 ? account + 6 : "");
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

/* In one transaction, which locks no position; differences are left in *found. */
static void
balance_store(const char *account, const QtsBalance *balance, TimestampTz asked_at, TimestampTz now,
			  Mismatch **found, int *count)
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
	*found = positions_compare(account, sync_id, asked_at, now, count);
	qts_count(QTS_COUNT_BALANCE_READS, 1);
}

void
qts_exec_balance(const char *account, const QtsBalance *balance, TimestampTz asked_at, TimestampTz now)
{
	Mismatch *found = NULL;
	int count = 0;

	qts_txn_begin_must("balance");
	balance_store(account, balance, asked_at, now, &found, &count);
	qts_txn_commit();
	for (int i = 0; i < count; i++)
	{
		if (found[i].count < AGREEING_BALANCES)
			continue;
		if (!qts_txn_begin("balance correction"))
			return;
		correct(&found[i], now);
		qts_txn_commit();
	}
}
