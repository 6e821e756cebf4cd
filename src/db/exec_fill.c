/*-------------------------------------------------------------------------
 *
 * exec_fill.c
 *		One fill: its row, the position it changes and the exit event.
 *
 * All in the transaction of whoever learnt of it, so that order, fill,
 * position and event can never disagree (architecture 4).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "utils/date.h"
#include "utils/numeric.h"

#include "core/money.h"
#include "db/exec.h"
#include "db/stmt.h"
#include "errcodes.h"
#include "shm/point.h"
#include "shm/shm.h"

static QtsStmt insert_fill = {
	"INSERT INTO trade.fills (account_id, order_uid, position_id, symbol, side, qty, price, fee, tax, source, dedupe_key, ts,"
	" avg_price) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, CASE WHEN $5 = 'SELL' THEN"
	" (SELECT p.avg_price FROM trade.positions p WHERE p.position_id = $3) END)",
	12,
	{TEXTOID, UUIDOID, UUIDOID, TEXTOID, TEXTOID, INT8OID, NUMERICOID, INT8OID, INT8OID, TEXTOID, TEXTOID,
	 TIMESTAMPTZOID}};

static QtsStmt fee_rates = {
	"SELECT r.commission, r.securities_tax, r.rural_tax FROM market.stocks s JOIN market.fee_rates r"
	" ON r.market = s.market AND r.instrument = s.instrument AND r.from_date <= $2"
	" WHERE s.symbol = $1 ORDER BY r.from_date DESC LIMIT 1",
	2,
	{TEXTOID, DATEOID}};

static QtsStmt sell_position = {
	"UPDATE trade.positions SET qty = qty - $2 WHERE position_id = $1 AND qty >= $2 RETURNING qty",
	2,
	{UUIDOID, INT8OID}};

/* Shares the broker let us sell beyond what we knew of: they came from elsewhere. */
static QtsStmt came_from_elsewhere = {
	"UPDATE trade.positions SET adjusted_qty = adjusted_qty + $2 WHERE position_id = $1",
	2,
	{UUIDOID, INT8OID}};

static QtsStmt buy_position = {
	"INSERT INTO trade.positions AS p (account_id, symbol, qty, original_qty, avg_price, entry_ts, exit_mode, created_ts)"
	" VALUES ($1, $2, $3, $3, $4, $5, 'ENABLED', $5)"
	" ON CONFLICT (account_id, symbol) WHERE status IN ('OPEN', 'CLOSING') DO UPDATE SET"
	" avg_price = round((p.qty * p.avg_price + $3 * $4) / (p.qty + $3), 4), qty = p.qty + $3"
	" RETURNING position_id",
	5,
	{TEXTOID, TEXTOID, INT8OID, NUMERICOID, TIMESTAMPTZOID}};

/*
 * The last exit intent of this life that has fills names the reason (runtime
 * 6.8).  Sold: its fills, and $5 shares that left without one, at price $6.
 */
static QtsStmt insert_event = {
	"INSERT INTO trade.exit_events (position_id, account_id, symbol, exit_ts, exit_qty, exit_avg_price,"
	" exit_reason_code, source, intent_id, exit_profile_id, realized_pnl, realized_pnl_pct, fees, taxes)"
	" SELECT p.position_id, p.account_id, p.symbol, $2, f.qty, round(f.amount / f.qty, 4),"
	" coalesce(i.reason_code, $3), CASE WHEN i.intent_id IS NULL THEN $4 WHEN i.reason_code = 'MANUAL' THEN 'MANUAL'"
	" ELSE 'AUTO_EXIT' END, i.intent_id, p.exit_profile_id, (f.amount - f.paid - f.fee - f.tax)::bigint,"
	" round((f.amount - f.paid - f.fee - f.tax) / f.paid, 6), f.fee, f.tax"
	" FROM trade.positions p CROSS JOIN LATERAL"
	" (SELECT (coalesce(sum(s.qty), 0) + $5)::bigint AS qty, coalesce(sum(s.qty * s.price), 0) + $5 * $6 AS amount,"
	" coalesce(sum(s.qty * coalesce(s.avg_price, p.avg_price)), 0) + $5 * p.avg_price AS paid,"
	" coalesce(sum(s.fee), 0)::bigint AS fee, coalesce(sum(s.tax), 0)::bigint AS tax"
	" FROM trade.fills s WHERE s.position_id = p.position_id AND s.side = 'SELL') f"
	" LEFT JOIN LATERAL (SELECT x.intent_id, x.reason_code FROM trade.order_intents x"
	" WHERE x.position_id = p.position_id AND x.filled_qty > 0 AND $7 ORDER BY x.updated_ts DESC LIMIT 1) i ON true"
	" WHERE p.position_id = $1 ON CONFLICT (position_id) DO NOTHING",
	7,
	{UUIDOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, INT8OID, NUMERICOID, BOOLOID}};

static QtsStmt empty_position = {
	"UPDATE trade.positions p SET adjusted_qty = p.adjusted_qty - p.qty, qty = 0 FROM (SELECT qty, avg_price FROM trade.positions WHERE position_id = $1"
	" FOR NO KEY UPDATE) o WHERE p.position_id = $1 RETURNING o.qty, o.avg_price,"
	" (SELECT b.best_price FROM market.prices_best b WHERE b.symbol = p.symbol)",
	1,
	{UUIDOID}};

static QtsStmt foreign_sale = {
	"SELECT channel FROM trade.orders WHERE position_id = $1 AND origin = 'MANUAL' AND filled_qty > 0"
	" ORDER BY updated_ts DESC LIMIT 1",
	1,
	{UUIDOID}};

static QtsStmt order_channel = {"SELECT channel FROM trade.orders WHERE order_uid = $1", 1, {UUIDOID}};

static QtsStmt event_intent_pending = {
	"UPDATE trade.order_intents SET filled_qty = least(qty, filled_qty + $2), updated_ts = $3 WHERE intent_id = $1",
	3,
	{UUIDOID, INT8OID, TIMESTAMPTZOID}};

/* A market without rates costs nothing: wrong by a little, and said so. */
static void
fill_costs(const QtsOrderRow *row, QtsKrw amount, TimestampTz at, QtsKrw *fee, QtsKrw *tax)
{
	Datum args[2] = {qts_text(row->symbol), DateADTGetDatum(qts_seoul_date(at))};
	QtsFeeRates rates;

	*fee = *tax = 0;
	if (qts_stmt_run(&fee_rates, args, NULL) == 0)
	{
		qts_alert("WARNING", "FEE_RATES", row->symbol, "Insert the market's rates into market.fee_rates.",
				  "no fee rates for the market of %s on this date: costs are booked as 0", row->symbol);
		return;
	}
	rates.commission = qts_col_int32(0, 1, 0);
	rates.securities_tax = qts_col_int32(0, 2, 0);
	rates.rural_tax = qts_col_int32(0, 3, 0);
	*fee = qts_commission(amount, &rates);
	if (row->life.sell)
		*tax = qts_sell_tax(amount, &rates);
}

static void
position_closed(const pg_uuid_t *position_id, const char *reason, const char *source, QtsQty qty,
				QtsPrice price, bool by_intent, TimestampTz at)
{
	Datum args[7] = {qts_uuid(position_id),	 TimestampTzGetDatum(at), qts_text(reason),
					 qts_text(source),		 Int64GetDatum(qty),	  qts_price_numeric(price),
					 BoolGetDatum(by_intent)};

	if (qts_stmt_run(&insert_event, args, NULL) == 1)
		qts_count(QTS_COUNT_EXIT_EVENTS, 1);
}

/* False: it holds less.  The event names the intent whose filled quantity the caller stores after us. */
static bool
book_sell(QtsOrderRow *row, const QtsFillStep *step, QtsQty *left)
{
	Datum args[2] = {qts_uuid(&row->position_id), Int64GetDatum(step->qty)};

	if (qts_uuid_is_null(&row->position_id) || qts_stmt_run(&sell_position, args, NULL) != 1)
		return false;
	*left = qts_col_int64(0, 1, -1);
	return true;
}

/*
 * Who made an order that is not ours: a person's program has a name, a
 * branch's employee a number, and that is how a forced sale comes.
 */
static const char *
channel_source(const char *channel)
{
	return channel != NULL && channel[0] != '\0' && strspn(channel, "0123456789") == strlen(channel)
			   ? "BROKER"
			   : "MANUAL";
}

static void
sold_out(QtsOrderRow *row, const QtsFillStep *step, TimestampTz at)
{
	Datum mark[3] = {qts_uuid(&row->intent_id), Int64GetDatum(step->qty), TimestampTzGetDatum(at)};
	Datum order[1] = {qts_uuid(&row->order_uid)};
	const char *source = "MANUAL";

	if (!row->own && qts_stmt_run(&order_channel, order, NULL) > 0)
		source = channel_source(qts_col_text(0, 1));
	if (!qts_uuid_is_null(&row->intent_id))
		qts_stmt_run(&event_intent_pending, mark, NULL);
	position_closed(&row->position_id, source, source, 0, step->price, true, at);
}

static void
book_buy(QtsOrderRow *row, const QtsFillStep *step, TimestampTz at)
{
	Datum args[5] = {qts_text(row->account), qts_text(row->symbol), Int64GetDatum(step->qty),
					 qts_price_numeric(step->price), TimestampTzGetDatum(at)};

	qts_stmt_run(&buy_position, args, NULL);
	row->position_id = qts_col_uuid(0, 1);
}

static void
book_row(const QtsOrderRow *row, const QtsFillStep *step, bool of_position, const char *source,
		 const char *dedupe_key, TimestampTz at)
{
	QtsKrw amount;
	QtsKrw fee;
	QtsKrw tax;

	if (!qts_muldiv_floor(step->qty, step->price, QTS_PRICE_SCALE, &amount))
		ereport(ERROR, (errcode(QTS_ERRCODE_INTERNAL),
						errmsg("fill of " INT64_FORMAT " %s is too large to book", step->qty, row->symbol)));
	fill_costs(row, amount, at, &fee, &tax);
	{
		Datum args[12] = {qts_text(row->account),
						  qts_uuid(&row->order_uid),
						  qts_uuid(&row->position_id),
						  qts_text(row->symbol),
						  qts_text(row->life.sell ? "SELL" : "BUY"),
						  Int64GetDatum(step->qty),
						  qts_price_numeric(step->price),
						  Int64GetDatum(fee),
						  Int64GetDatum(tax),
						  qts_text(source),
						  qts_text(dedupe_key),
						  TimestampTzGetDatum(at)};

		qts_stmt_run(&insert_fill, args, of_position ? NULL : "  n         ");
	}
	QTS_POINT("fill.booked");
	qts_count(QTS_COUNT_FILLS, 1);
}

/* Sold more than we think we hold: the broker is right, a person must look. */
static void
book_excess(const QtsOrderRow *row, const QtsFillStep *step)
{
	Datum args[2] = {qts_uuid(&row->position_id), Int64GetDatum(step->qty)};

	qts_stmt_run(&came_from_elsewhere, args, NULL);
	qts_alert("CRITICAL", "OVERSOLD", row->symbol, "Compare the account at the broker with qts.positions.",
			  "a fill of " INT64_FORMAT " %s exceeds the position; the holdings sync will correct it",
			  step->qty, row->symbol);
}

void
qts_exec_book(QtsOrderRow *row, const QtsFillStep *step, const char *source, const char *dedupe_key,
			  TimestampTz at)
{
	QtsQty left = -1;
	bool sell = row->life.sell;
	/* of an order made elsewhere only what was told live: the balance knows the rest, and when */
	bool moves = row->own || (sell && strcmp(source, "WS") == 0);
	bool of_position;

	if (step->qty <= 0)
		return;
	/* a buy may found its position: the fill row names it */
	if (moves && !sell)
		book_buy(row, step, at);
	else if (moves)
		moves = book_sell(row, step, &left);
	of_position = !qts_uuid_is_null(&row->position_id) && (moves || row->own);
	book_row(row, step, of_position, source, dedupe_key, at);
	if (left == 0)
		sold_out(row, step, at);
	else if (sell && !moves && of_position)
		book_excess(row, step);
}

void
qts_exec_close_by_broker(const pg_uuid_t *position_id, TimestampTz now)
{
	Datum args[1] = {qts_uuid(position_id)};
	const char *source;
	QtsQty qty;
	QtsPrice price;

	if (qts_stmt_run(&empty_position, args, NULL) != 1)
		return;
	qty = qts_col_int64(0, 1, 0);
	price = qts_col_int64(0, 3, 0) * QTS_PRICE_SCALE;
	if (price == 0)
		price = qts_col_price(0, 2);
	/* an order made elsewhere, or nothing that any list shows (runtime 6.8) */
	source = qts_stmt_run(&foreign_sale, args, NULL) > 0 ? channel_source(qts_col_text(0, 1)) : "UNKNOWN";
	if (qty > 0)
		position_closed(position_id, source, source, qty, price, false, now);
}
