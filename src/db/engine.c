/*-------------------------------------------------------------------------
 *
 * engine.c
 *		The fence: a restored, cloned or demoted copy must not trade.
 *
 * The engine row binds activation to (system identifier, timeline).  A cold
 * copy of the files has both the same, which is why credentials live outside
 * the data directory.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "catalog/pg_type_d.h"
#include "commands/extension.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "db/engine.h"
#include "db/stmt.h"
#include "db/txn.h"
#include "shm/clock.h"

static QtsStmt read_engine = {
	"SELECT e.active, e.system_identifier, e.timeline, e.failover, x.extversion, e.sim_offset"
	" FROM system.engine e, pg_extension x WHERE x.extname = 'qts'"};

/*
 * Rows that wait to be sent again may have been sent by the old primary,
 * whose last word is not here: that makes them unknown.
 */
static QtsStmt distrust_retries = {
	"UPDATE trade.orders SET retry_ts = NULL WHERE status = 'PENDING_SUBMIT' AND retry_ts IS NOT NULL"};

static QtsStmt follow_promotion = {
	"UPDATE system.engine SET timeline = $1, bound_ts = $2, inherited = true, updated_ts = clock_timestamp(),"
	" reason = 'promotion followed' WHERE active AND failover = 'auto' AND timeline < $1",
	2,
	{INT4OID, TIMESTAMPTZOID}};

uint32
qts_engine_timeline(void)
{
	return GetWALInsertionTimeLine();
}

/* The row's verdict; the transaction is open. */
static QtsWorkerState
engine_judge(char *detail, size_t detail_size)
{
	uint64 identifier = GetSystemIdentifier();
	int32 timeline = (int32) qts_engine_timeline();
	char *version;

	if (qts_stmt_run(&read_engine, NULL, NULL) == 0)
	{
		strlcpy(detail, "run SELECT qts.activate() to start the engine", detail_size);
		return QTS_STATE_INACTIVE;
	}
	qts_clock_restore(qts_col_int64(0, 6, 0));
	version = qts_col_text(0, 5);
	if (strcmp(version, QTS_SQL_VERSION) != 0)
	{
		snprintf(detail, detail_size,
				 "library speaks SQL version %s, database has %s: ALTER EXTENSION qts UPDATE",
				 QTS_SQL_VERSION, version);
		return QTS_STATE_MISMATCH;
	}
	if (!qts_col_bool(0, 1))
	{
		strlcpy(detail, "run SELECT qts.activate() to start the engine", detail_size);
		return QTS_STATE_INACTIVE;
	}
	if ((uint64) qts_col_int64(0, 2, 0) == identifier)
	{
		char *failover = qts_col_text(0, 4);
		int32 bound = qts_col_int32(0, 3, 0);
		Datum args[2] = {Int32GetDatum(timeline), TimestampTzGetDatum(qts_now())};

		if (bound == timeline)
			return QTS_STATE_RUNNING;
		if (bound < timeline && strcmp(failover, "auto") == 0 &&
			qts_stmt_run(&follow_promotion, args, NULL) == 1)
		{
			qts_stmt_run(&distrust_retries, NULL, NULL);
			return QTS_STATE_RUNNING;
		}
		snprintf(detail, detail_size,
				 "activated on timeline %d, this is timeline %d: run SELECT qts.activate()", bound, timeline);
	}
	else
		strlcpy(detail, "activated in another cluster: run SELECT qts.activate() if this copy is to trade",
				detail_size);
	return QTS_STATE_FENCED;
}

QtsWorkerState
qts_engine_check(const char *role, Oid *role_oid, char *detail, size_t detail_size)
{
	QtsWorkerState state;

	detail[0] = '\0';
	*role_oid = InvalidOid;
	if (!qts_txn_begin("engine check"))
	{
		strlcpy(detail, "run CREATE EXTENSION qts in this database", detail_size);
		return QTS_STATE_NO_EXTENSION;
	}
	if (!OidIsValid(get_extension_oid("qts", true)))
	{
		strlcpy(detail, "run CREATE EXTENSION qts in this database", detail_size);
		state = QTS_STATE_NO_EXTENSION;
	}
	else
	{
		state = engine_judge(detail, detail_size);
		*role_oid = get_role_oid(role, true);
		if (state == QTS_STATE_RUNNING && !OidIsValid(*role_oid))
		{
			snprintf(detail, detail_size, "role %s is missing: run SELECT qts.activate()", role);
			state = QTS_STATE_INACTIVE;
		}
	}
	/* the binding is this server's own; claims wait for the standby */
	qts_txn_commit_local();
	return state;
}
