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
#include "replication/syncrep.h"
#include "replication/walsender.h"
#include "replication/walsender_private.h"
#include "storage/lmgr.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"

#include "db/txn.h"
#include "errcodes.h"

static MemoryContext caller_cxt = NULL;
static int commit_level = SYNCHRONOUS_COMMIT_ON; /* synchronous_commit of the last commit */
static XLogRecPtr unflushed = InvalidXLogRecPtr; /* end of the last commit that was not waited for */
static int lock_wait_ms = 0; /* of the transactions begun next; 0 = as the session has it */

/* Of this transaction only: back to the session's at its end. */
static void
txn_setting(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

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
	if (lock_wait_ms > 0)
		txn_setting("lock_timeout", psprintf("%d", lock_wait_ms));
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
	/* the server, database or role may have it off for speed: what is money's is on disk all the same */
	if (synchronous_commit == SYNCHRONOUS_COMMIT_OFF)
		txn_setting("synchronous_commit", "on");
	commit_level = synchronous_commit;
	txn_end();
}

void
qts_txn_commit_soon(void)
{
	/* the session's level is what the flush waits with */
	if (synchronous_commit == SYNCHRONOUS_COMMIT_OFF)
	{
		qts_txn_commit();
		return;
	}
	qts_txn_commit_async();
	unflushed = XactLastCommitEnd;
}

void
qts_txn_flush(void)
{
	XLogRecPtr end = unflushed;

	if (XLogRecPtrIsInvalid(end))
		return;
	XLogFlush(end);
	/* as in a commit: the wait is cut short by a cancel, not by an error */
	HOLD_INTERRUPTS();
	SyncRepWaitForLSN(end, true);
	RESUME_INTERRUPTS();
	unflushed = InvalidXLogRecPtr;
}

void
qts_txn_commit_async(void)
{
	txn_setting("synchronous_commit", "off");
	txn_end();
}

void
qts_txn_commit_local(void)
{
	txn_setting("synchronous_commit", "local");
	txn_end();
}

/*
 * Does a commit have standbys to wait for, as the server itself decides?  The
 * flags came with 15.13, 16.9 and 17.5; before the checkpointer has set them
 * the setting counts.  SyncRepLock is held.
 */
static bool
standbys_wanted(void)
{
#ifdef SYNC_STANDBY_DEFINED
	if ((WalSndCtl->sync_standbys_status & SYNC_STANDBY_INIT) == 0)
		return SyncRepStandbyNames != NULL && SyncRepStandbyNames[0] != '\0';
	return (WalSndCtl->sync_standbys_status & SYNC_STANDBY_DEFINED) != 0;
#else
	return WalSndCtl->sync_standbys_defined;
#endif
}

/*
 * The server ends the wait for a standby early when the backend is cancelled
 * or told to end: the commit then counts here and nowhere else.  Whoever asks
 * for standbys between commit and question gets a no too many.
 */
bool
qts_txn_commit_acked(void)
{
	XLogRecPtr acked;
	bool wanted;
	int mode = SYNC_REP_WAIT_FLUSH;

	if (max_wal_senders == 0 || commit_level <= SYNCHRONOUS_COMMIT_LOCAL_FLUSH)
		return true;
	if (commit_level == SYNCHRONOUS_COMMIT_REMOTE_WRITE)
		mode = SYNC_REP_WAIT_WRITE;
	else if (commit_level == SYNCHRONOUS_COMMIT_REMOTE_APPLY)
		mode = SYNC_REP_WAIT_APPLY;
	LWLockAcquire(SyncRepLock, LW_SHARED);
	wanted = standbys_wanted();
	acked = WalSndCtl->lsn[mode];
	LWLockRelease(SyncRepLock);
	return !wanted || XactLastCommitEnd <= acked;
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

ErrorData *
qts_txn_try(void (*body)(void *), void *arg)
{
	MemoryContext here = CurrentMemoryContext;
	ErrorData *volatile error = NULL;

	PG_TRY();
	{
		body(arg);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(here);
		error = CopyErrorData();
		FlushErrorState();
		qts_txn_rollback();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(here);
	return error;
}

bool
qts_txn_guard(void (*body)(void *), void *arg, int wait_ms)
{
	MemoryContext here = CurrentMemoryContext;
	volatile bool done = false;

	lock_wait_ms = wait_ms;
	PG_TRY();
	{
		body(arg);
		done = true;
	}
	PG_CATCH();
	{
		int code = geterrcode();

		lock_wait_ms = 0;
		if (code != ERRCODE_LOCK_NOT_AVAILABLE && code != ERRCODE_T_R_DEADLOCK_DETECTED)
			PG_RE_THROW();
		MemoryContextSwitchTo(here);
		FlushErrorState();
		AbortCurrentTransaction();
		pgstat_report_activity(STATE_IDLE, NULL);
		MemoryContextSwitchTo(here);
	}
	PG_END_TRY();
	lock_wait_ms = 0;
	return done;
}
