/*-------------------------------------------------------------------------
 *
 * exec_open.c
 *		The broker's open orders against ours: what the ledger must explain.
 *
 * The list is cheap and fresh, but it only shows what is still open: it
 * changes nothing here.  An order of ours that is missing from it, one that
 * has filled more than we know, and one we have never seen are questions, and
 * the day's ledger answers them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"

#include "db/exec.h"
#include "db/stmt.h"
#include "db/txn.h"

/* The broker may need a moment to show what it accepted. */
#define OPEN_LAG (1 * QTS_SEC)

/* By index on both sides: thousands may be open, and the worker plans without joins by hash. */
static QtsStmt compare = {
	"WITH l AS MATERIALIZED (SELECT * FROM unnest($3::text[], $4::int8[]) AS u (odno, filled))"
	" SELECT (SELECT count(*) FROM trade.orders AS o WHERE o.account_id = $1 AND o.trade_date = $2"
	" AND o.status IN ('SUBMITTED', 'PARTIAL') AND coalesce(o.acked_ts, o.sent_ts, o.created_ts) < $5"
	" AND o.broker_order_no NOT IN (SELECT odno FROM l))::int,"
	" count(*) FILTER (WHERE l.filled > o.filled_qty)::int, count(*) FILTER (WHERE o.order_uid IS NULL)::int"
	" FROM l LEFT JOIN trade.orders AS o ON o.account_id = $1 AND o.trade_date = $2 AND o.broker_order_no = l.odno",
	5,
	{TEXTOID, DATEOID, TEXTARRAYOID, INT8ARRAYOID, TIMESTAMPTZOID}};

int
qts_exec_open_list(const char *account, QtsDate date, const QtsOpenList *list, TimestampTz asked_at)
{
	Datum *odno = palloc(sizeof(Datum) * (list->count + 1));
	Datum *filled = palloc(sizeof(Datum) * (list->count + 1));
	Datum args[5] = {qts_text(account), DateADTGetDatum(date), 0, 0,
					 TimestampTzGetDatum(asked_at - OPEN_LAG)};
	int n = 0;

	for (int i = 0; i < list->count; i++)
	{
		/* what a change of an order left open is told by the ledger, with the order it changed */
		if (list->rows[i].orgn_odno[0] != '\0')
			continue;
		odno[n] = qts_text(list->rows[i].odno);
		filled[n++] = Int64GetDatum(list->rows[i].filled);
	}
	args[2] = PointerGetDatum(construct_array(odno, n, TEXTOID, -1, false, TYPALIGN_INT));
	args[3] =
		PointerGetDatum(construct_array(filled, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	qts_stmt_run(&compare, args, NULL);
	/* missing from a list that is not whole means nothing */
	return (list->complete ? qts_col_int32(0, 1, 0) : 0) + qts_col_int32(0, 2, 0) + qts_col_int32(0, 3, 0);
}
