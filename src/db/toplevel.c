/*-------------------------------------------------------------------------
 *
 * toplevel.c
 *		Commands that refuse to run inside a transaction.
 *
 * SPI cannot run them: they commit in the middle.  A portal can, because it
 * keeps its memory over a commit, as it does for a client's VACUUM.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "tcop/dest.h"
#include "tcop/pquery.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/guc.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "db/toplevel.h"

static void
run_portal(const char *sql)
{
	Portal portal;
	RawStmt *raw;
	List *queries;
	MemoryContext before;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	portal = CreatePortal("qts toplevel", true, true);
	portal->visible = false;
	/* parsed in the portal's memory: the command reads it after its own commit */
	before = MemoryContextSwitchTo(portal->portalContext);
	sql = pstrdup(sql);
	raw = linitial_node(RawStmt, pg_parse_query(sql));
	PushActiveSnapshot(GetTransactionSnapshot());
	queries = pg_plan_queries(pg_analyze_and_rewrite_fixedparams(raw, sql, NULL, 0, NULL), sql, 0, NULL);
	PopActiveSnapshot();
	MemoryContextSwitchTo(before);
	PortalDefineQuery(portal, NULL, sql, CreateCommandTag(raw->stmt), queries, NULL);
	PortalStart(portal, NULL, 0, InvalidSnapshot);
	(void) qts_portal_run_all(portal);
	PortalDrop(portal, false);
	CommitTransactionCommand();
}

static void
set_lock_timeout(int ms)
{
	char value[16];

	snprintf(value, sizeof(value), "%d", ms);
	SetConfigOption("lock_timeout", value, PGC_SUSET, PGC_S_OVERRIDE);
}

ErrorData *
qts_toplevel(const char *sql, int lock_ms)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid role = GetSessionUserId();
	int lock_before = LockTimeout;
	char *commit_before = pstrdup(GetConfigOption("synchronous_commit", false, false));
	ErrorData *volatile error = NULL;

	Assert(!IsTransactionState());
	set_lock_timeout(lock_ms);
	/* housekeeping does not wait for a standby, least of all the process that tells of one missing */
	SetConfigOption("synchronous_commit", "local", PGC_SUSET, PGC_S_OVERRIDE);
	SetSessionAuthorization(GetAuthenticatedUserId(), true);
	PG_TRY();
	{
		run_portal(sql);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		AbortCurrentTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	SetSessionAuthorization(role, false);
	set_lock_timeout(lock_before);
	SetConfigOption("synchronous_commit", commit_before, PGC_SUSET, PGC_S_OVERRIDE);
	return error;
}
