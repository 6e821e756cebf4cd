/*-------------------------------------------------------------------------
 *
 * trg_intent.c
 *		Guard of trade.order_intents: who may want what, how much, and how an
 *		intent may go on.
 *
 * Lock: an exit intent locks its position row FOR NO KEY UPDATE, so that two of one
 * position follow each other, and then counts with the newest snapshot, also
 * under REPEATABLE READ: sum(live exit intents) <= held, for every client.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type_d.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "core/order.h"
#include "db/stmt.h"
#include "db/trg.h"
#include "errcodes.h"

extern PGDLLEXPORT Datum qts_trg_intent_insert(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum qts_trg_intent_update(PG_FUNCTION_ARGS);

static QtsStmt lock_position = {
	.sql = "SELECT p.qty, p.account_id, p.symbol FROM trade.positions AS p"
		   " WHERE p.position_id OPERATOR(pg_catalog.=) $1 FOR NO KEY UPDATE",
	.nargs = 1,
	.argtypes = {UUIDOID},
};

static QtsStmt sum_locked = {
	.sql = "SELECT pg_catalog.sum(i.qty OPERATOR(pg_catalog.-) i.filled_qty)::pg_catalog.int8"
		   " FROM trade.order_intents AS i WHERE i.position_id OPERATOR(pg_catalog.=) $1"
		   " AND i.intent_type OPERATOR(pg_catalog.<>) 'ENTRY'"
		   " AND i.status OPERATOR(pg_catalog.=) ANY (ARRAY['PENDING_APPROVAL', 'NEW', 'SUBMITTING',"
		   " 'UNKNOWN', 'SUBMITTED', 'PARTIAL'])",
	.nargs = 1,
	.argtypes = {UUIDOID},
};

/* clang-format off */
static const char *const intent_frozen[] = {
	"intent_id", "account_id", "position_id", "candidate_id", "decision_id", "symbol", "intent_type", "qty",
	"order_type", "limit_price", "reason_code", "rule_id", "reason_detail", "action_key", "exit_cycle", "phase",
	"priority", "source_module", "decided_price", "threshold_price", "created_by", "created_ts", NULL
};
/* clang-format on */

static const char *const intent_monotone[] = {"filled_qty", NULL};

static QtsIntentStatus
intent_status(const QtsTrgRow *row, HeapTuple tuple)
{
	QtsIntentStatus status;
	char *name = qts_trg_text(row, tuple, "status");

	if (name == NULL || !qts_intent_status_parse(name, &status))
		ereport(ERROR,
				(errcode(QTS_ERRCODE_INVALID), errmsg("unknown intent status \"%s\"", name ? name : "null")));
	return status;
}

/* Each worker writes its own kind; the owner (the API, a restore) writes any. */
static void
intent_check_writer(const QtsTrgRow *row, bool exit)
{
	static const char *const writers[][2] = {
		{"qts_exit", "EXIT"},
		{"qts_reentry", "REENTRY"},
		{"qts_router", "ROUTER"},
		{"qts_strategy", "STRATEGY"},
	};
	const char *writer = qts_trg_writer();
	char *module;

	if (qts_trg_writer_owns(row))
		return;
	module = qts_trg_text(row, row->next, "source_module");
	for (int i = 0; i < (int) lengthof(writers); i++)
	{
		if (strcmp(writer, writers[i][0]) == 0 && module != NULL && strcmp(module, writers[i][1]) == 0 &&
			exit == (i == 0))
			return;
	}
	ereport(ERROR,
			(errcode(QTS_ERRCODE_NOT_OWNER), errmsg("\"%s\" may not write this intent", writer),
			 errdetail("It is of type %s and module %s.", qts_trg_show(row, row->next, "intent_type"),
					   module ? module : "null"),
			 errhint("Exits come from qts_exit (EXIT), entries from qts_reentry, qts_router and qts_strategy;"
					 " people call the functions of schema qts.")));
}

/* The live exit intents of a position, counted with what has committed by now. */
static int64
intent_sum_locked(Datum position_id)
{
	Snapshot snapshot = InvalidSnapshot;
	bool isnull;
	Datum sum;
	int rc;

	if (sum_locked.plan == NULL)
	{
		SPIPlanPtr plan = SPI_prepare(sum_locked.sql, sum_locked.nargs, sum_locked.argtypes);

		if (plan == NULL)
			elog(ERROR, "could not prepare the sum of exit intents: %s", SPI_result_code_string(SPI_result));
		SPI_keepplan(plan);
		sum_locked.plan = plan;
	}
	if (IsolationUsesXactSnapshot())
	{
		CommandCounterIncrement();
		snapshot = GetLatestSnapshot();
	}
	rc =
		SPI_execute_snapshot(sum_locked.plan, &position_id, NULL, snapshot, InvalidSnapshot, false, false, 1);
	if (rc != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not sum exit intents: %s", SPI_result_code_string(rc));
	sum = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return isnull ? 0 : DatumGetInt64(sum);
}

static void
intent_check_position(const QtsTrgRow *row, const char *account, const char *symbol)
{
	char *intent_account = qts_trg_text(row, row->next, "account_id");
	char *intent_symbol = qts_trg_text(row, row->next, "symbol");

	if (intent_account != NULL && intent_symbol != NULL && strcmp(account, intent_account) == 0 &&
		strcmp(symbol, intent_symbol) == 0)
		return;
	ereport(ERROR,
			(errcode(QTS_ERRCODE_INVALID), errmsg("the intent is not of its position's account and symbol"),
			 errdetail("The position is in %s, the intent in %s.", symbol,
					   intent_symbol ? intent_symbol : "null"),
			 errhint("Copy account_id and symbol from the position.")));
}

static void
intent_check_locked(const QtsTrgRow *row)
{
	bool isnull;
	Datum position_id = qts_trg_value(row, row->next, "position_id", &isnull);
	int64 wanted = qts_trg_int64(row, row->next, "qty") - qts_trg_int64(row, row->next, "filled_qty");
	int64 held;
	int64 locked;

	if (isnull)
		return; /* refused by a table constraint */
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	/* A missing position is refused by the foreign key. */
	if (qts_stmt_run(&lock_position, &position_id, NULL) == 1)
	{
		held = qts_col_int64(0, 1, 0);
		intent_check_position(row, qts_col_text(0, 2), qts_col_text(0, 3));
		locked = intent_sum_locked(position_id);
		if (wanted > held - locked)
			ereport(ERROR, (errcode(QTS_ERRCODE_NOT_AVAILABLE), errmsg("quantity not available"),
							errdetail("held " INT64_FORMAT ", locked by live exits " INT64_FORMAT
									  ", wanted " INT64_FORMAT,
									  held, locked, wanted),
							errhint("Ask for less, or cancel a live exit first.")));
	}
	SPI_finish();
}

PG_FUNCTION_INFO_V1(qts_trg_intent_insert);
Datum
qts_trg_intent_insert(PG_FUNCTION_ARGS)
{
	QtsTrgRow row = qts_trg_row(fcinfo);
	char *type = qts_trg_text(&row, row.next, "intent_type");
	bool exit = type != NULL && strcmp(type, "ENTRY") != 0;

	intent_check_writer(&row, exit);
	/* An ended one holds nothing: a dump brings many of the same shares. */
	if (exit && qts_intent_live(intent_status(&row, row.next)))
		intent_check_locked(&row);
	return PointerGetDatum(row.next);
}

PG_FUNCTION_INFO_V1(qts_trg_intent_update);
Datum
qts_trg_intent_update(PG_FUNCTION_ARGS)
{
	QtsTrgRow row = qts_trg_row(fcinfo);
	QtsIntentStatus from = intent_status(&row, row.prior);
	QtsIntentStatus to = intent_status(&row, row.next);

	qts_trg_frozen(&row, intent_frozen);
	qts_trg_monotone(&row, intent_monotone);
	if (from != to && !qts_intent_may_change(from, to))
		qts_trg_illegal(&row, qts_intent_status_name(from), qts_intent_status_name(to));
	return PointerGetDatum(row.next);
}
