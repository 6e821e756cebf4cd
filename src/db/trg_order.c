/*-------------------------------------------------------------------------
 *
 * trg_order.c
 *		Guard of trade.orders: an order is what its intent wanted, and what
 *		the broker said about it only moves forward.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "executor/spi.h"

#include "core/order.h"
#include "db/stmt.h"
#include "db/trg.h"
#include "errcodes.h"

extern PGDLLEXPORT Datum qts_trg_order_insert(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum qts_trg_order_update(PG_FUNCTION_ARGS);

static QtsStmt read_intent = {
	.sql = "SELECT i.account_id, i.symbol, i.qty, i.intent_type FROM trade.order_intents AS i"
		   " WHERE i.intent_id OPERATOR(pg_catalog.=) $1",
	.nargs = 1,
	.argtypes = {UUIDOID},
};

/* clang-format off */
static const char *const order_frozen[] = {
	"order_uid", "account_id", "intent_id", "symbol", "side", "qty", "order_type", "limit_price",
	"created_ts", NULL
};
/* clang-format on */

/* The broker's name of an order: its number and the day on which that is unique. */
static const char *const order_name[] = {"broker_order_no", "trade_date", NULL};

static const char *const order_monotone[] = {"filled_qty", "notice_qty", "ledger_qty", NULL};

PG_FUNCTION_INFO_V1(qts_trg_order_insert);
Datum
qts_trg_order_insert(PG_FUNCTION_ARGS)
{
	QtsTrgRow row = qts_trg_row(fcinfo);
	bool isnull;
	Datum intent_id = qts_trg_value(&row, row.next, "intent_id", &isnull);
	char *account = qts_trg_text(&row, row.next, "account_id");
	char *symbol = qts_trg_text(&row, row.next, "symbol");
	char *side = qts_trg_text(&row, row.next, "side");
	int64 qty = qts_trg_int64(&row, row.next, "qty");

	if (isnull || account == NULL || symbol == NULL || side == NULL)
		return PointerGetDatum(row.next); /* refused by table constraints, or not ours */
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	/* A missing intent is refused by the foreign key. */
	if (qts_stmt_run(&read_intent, &intent_id, NULL) == 1)
	{
		const char *intent_side = strcmp(qts_col_text(0, 4), "ENTRY") == 0 ? "BUY" : "SELL";
		int64 intent_qty = qts_col_int64(0, 3, 0);

		if (strcmp(account, qts_col_text(0, 1)) != 0 || strcmp(symbol, qts_col_text(0, 2)) != 0 ||
			strcmp(side, intent_side) != 0 || qty > intent_qty)
			ereport(
				ERROR,
				(errcode(QTS_ERRCODE_INVALID), errmsg("the order is not what its intent wants"),
				 errdetail("The intent is %s " INT64_FORMAT " %s, the order %s " INT64_FORMAT " %s.",
						   intent_side, intent_qty, qts_col_text(0, 2), side, qty, symbol),
				 errhint(
					 "Account, symbol and side must be the intent's, the quantity no more than it wants.")));
	}
	SPI_finish();
	return PointerGetDatum(row.next);
}

static QtsOrderStatus
order_status(const QtsTrgRow *row, HeapTuple tuple)
{
	QtsOrderStatus status;
	char *name = qts_trg_text(row, tuple, "status");

	if (name == NULL || !qts_order_status_parse(name, &status))
		ereport(ERROR,
				(errcode(QTS_ERRCODE_INVALID), errmsg("unknown order status \"%s\"", name ? name : "null")));
	return status;
}

PG_FUNCTION_INFO_V1(qts_trg_order_update);
Datum
qts_trg_order_update(PG_FUNCTION_ARGS)
{
	QtsTrgRow row = qts_trg_row(fcinfo);
	QtsOrderStatus from = order_status(&row, row.prior);
	QtsOrderStatus to = order_status(&row, row.next);

	qts_trg_frozen(&row, order_frozen);
	qts_trg_monotone(&row, order_monotone);
	if (from != to && !qts_order_may_change(from, to))
		qts_trg_illegal(&row, qts_order_status_name(from), qts_order_status_name(to));
	if (qts_trg_text(&row, row.prior, "broker_order_no") != NULL)
		qts_trg_frozen(&row, order_name);
	return PointerGetDatum(row.next);
}
