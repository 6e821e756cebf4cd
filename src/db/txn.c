/*-------------------------------------------------------------------------
 *
 * txn.c
 *		Begin and end of the workers' transactions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "executor/spi.h"
#include "nodes/makefuncs.h"
#include "pgstat.h"
#include "storage/lmgr.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"

#include "db/txn.h"
#include "errcodes.h"

static MemoryContext caller_cxt = NULL;

bool
qts_txn_begin(const char *activity)
{
	Oid gate;

	Assert(!IsTransactionState());
	caller_cxt = CurrentMemoryContext;
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	if (!OidIsValid(get_namespace_oid("system", true)))
		gate = InvalidOid;
	else
		gate = RangeVarGetRelidExtended(makeRangeVar("system", "engine", -1), AccessShareLock,
										RVR_MISSING_OK | RVR_SKIP_LOCKED, NULL, NULL);
	if (!OidIsValid(gate))
	{
		CommitTransactionCommand();
		MemoryContextSwitchTo(caller_cxt);
		return false;
	}
	SPI_connect();
	PushActiveSnapshot(GetTransactionSnapshot());
	pgstat_report_activity(STATE_RUNNING, activity);
	return true;
}

void
qts_txn_begin_must(const char *activity)
{
	if (!qts_txn_begin(activity))
		ereport(ERROR, (errcode(QTS_ERRCODE_NOT_ACTIVE),
						errmsg("the engine's tables are locked or gone: %s", activity),
						errhint("The worker starts afresh; what was under way is looked up at the broker.")));
}

/* Leaves the caller's context current: commit itself leaves TopMemoryContext. */
static void
txn_end(void)
{
	SPI_finish();
	PopActiveSnapshot();
	CommitTransactionCommand();
	pgstat_report_stat(false);
	pgstat_report_activity(STATE_IDLE, NULL);
	MemoryContextSwitchTo(caller_cxt);
}

void
qts_txn_commit(void)
{
	txn_end();
}

void
qts_txn_commit_async(void)
{
	/* transaction-local: back to the setting at the end */
	(void) set_config_option("synchronous_commit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true,
							 0, false);
	txn_end();
}

MemoryContext
qts_txn_caller_cxt(void)
{
	return caller_cxt;
}

void
qts_txn_rollback(void)
{
	AbortCurrentTransaction();
	pgstat_report_activity(STATE_IDLE, NULL);
	MemoryContextSwitchTo(caller_cxt);
}
