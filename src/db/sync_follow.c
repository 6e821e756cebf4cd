/*-------------------------------------------------------------------------
 *
 * sync_follow.c
 *		Which symbols are followed and why; discrepancies between sources.
 *
 * Only symbols of the master are followed: the tables of prices refer to it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"

#include "db/stmt.h"
#include "db/sync_store.h"
#include "db/txn.h"

StaticAssertDecl(QTS_FOLLOW_HELD == 1 && QTS_FOLLOW_CLOSING == 2 && QTS_FOLLOW_ORDER == 4 &&
					 QTS_FOLLOW_WATCH == 16 && QTS_FOLLOW_SYSTEM == 64 && QTS_FOLLOW_RANKING == 128,
				 "the statement below names them by number");

static QtsStmt followed = {
	"SELECT f.symbol, bit_or(f.why), max(f.value) FROM ("
	" SELECT symbol, CASE status WHEN 'CLOSING' THEN 3 ELSE 1 END AS why, (qty * avg_price)::bigint AS value"
	" FROM trade.positions WHERE status IN ('OPEN', 'CLOSING') AND qty > 0"
	" UNION ALL SELECT symbol, 4, 0 FROM trade.orders"
	" WHERE status IN ('PENDING_SUBMIT', 'UNKNOWN', 'SUBMITTED', 'PARTIAL')"
	" UNION ALL SELECT symbol, 4, 0 FROM trade.order_intents"
	" WHERE status IN ('PENDING_APPROVAL', 'NEW', 'SUBMITTING')"
	" UNION ALL SELECT symbol, CASE kind WHEN 'WATCH' THEN 16 WHEN 'SYSTEM' THEN 64 ELSE 128 END, 0"
	" FROM market.watchlist"
	" UNION ALL SELECT symbol, 0, 0 FROM market.sync_jobs WHERE status IN ('PENDING', 'RUNNING')"
	") f JOIN market.stocks USING (symbol) GROUP BY f.symbol"};

static QtsStmt discrepancy = {
	"INSERT INTO market.discrepancies (symbol, ts, kis_price, naver_price, kis_source, diff_pct, severity)"
	" VALUES ($1, $2, $3, $4, $5, $6::numeric / 10000, $7)",
	7,
	{TEXTOID, TIMESTAMPTZOID, INT8OID, INT8OID, TEXTOID, INT8OID, TEXTOID}};

QtsFollowed *
qts_sync_followed(int *count)
{
	int n = (int) qts_stmt_run(&followed, NULL, NULL);
	QtsFollowed *ranked = MemoryContextAllocZero(qts_txn_caller_cxt(), sizeof(QtsFollowed) * (n + 1));

	for (int i = 0; i < n; i++)
	{
		qts_col_copy(i, 1, ranked[i].symbol, sizeof(ranked[i].symbol));
		ranked[i].why = (unsigned) qts_col_int32(i, 2, 0);
		ranked[i].value = qts_col_int64(i, 3, 0);
	}
	qsort(ranked, n, sizeof(QtsFollowed), qts_follow_compare);
	*count = n;
	return ranked;
}

void
qts_sync_discrepancy(const char *symbol, const QtsQuote *broker, QtsSource source, const QtsQuote *other,
					 TimestampTz now)
{
	Datum args[7] = {qts_text(symbol),
					 TimestampTzGetDatum(now),
					 Int64GetDatum(broker->last / QTS_PRICE_SCALE),
					 Int64GetDatum(other->last / QTS_PRICE_SCALE),
					 qts_text(qts_source_name(source)),
					 Int64GetDatum(Min(qts_discrepancy_ppm(broker, other), INT64CONST(999999999))),
					 qts_text(qts_discrepancy_name(qts_discrepancy(broker, other)))};

	qts_stmt_run(&discrepancy, args, NULL);
}
