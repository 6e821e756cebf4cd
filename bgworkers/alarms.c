/*-------------------------------------------------------------------------
 *
 * alarms.c
 *		What the monitor worker watches of the server itself.
 *
 * A server that runs out of transaction ids or disk cannot trade at all.
 * Long before, entries stop, so that what is held can still be sold; a person
 * lifts the stop.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type_d.h"
#include "postmaster/autovacuum.h"

#include "alarms.h"
#include "core/alarm.h"
#include "db/exec.h"
#include "db/stmt.h"
#include "db/txn.h"
#include "guc.h"
#include "shm/shm.h"
#include "worker.h"

#define STANDBY_PATIENCE_US (2 * QTS_SEC)
#define STANDBY_INTERVAL_US (5 * QTS_SEC)
#define MB INT64CONST(1048576)

static const QtsWorker *const watched[QTS_WORKER_COUNT] = {
	[QTS_WORKER_PRICES] = &qts_prices_worker,
	[QTS_WORKER_EXIT] = &qts_exit_worker,
	[QTS_WORKER_EXECUTION] = &qts_execution_worker,
	[QTS_WORKER_MONITOR] = &qts_monitor_worker,
};

static QtsWaiter waiters[QTS_WORKER_COUNT];

/* The oldest id of any database counts: the whole server stops at the limit. */
static QtsStmt oldest_ids = {
	"SELECT max(greatest(age(datfrozenxid), mxid_age(datminmxid)))::bigint,"
	" (SELECT datname::text FROM pg_database ORDER BY age(datfrozenxid) DESC LIMIT 1)"
	" FROM pg_database"};

static QtsStmt fullest_slot = {
	"SELECT slot_name::text, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint FROM pg_replication_slots"
	" WHERE restart_lsn IS NOT NULL ORDER BY 2 DESC LIMIT 1"};

static QtsStmt halt_entries = {"SELECT qts._halt_entries($1)", 1, {TEXTOID}};

void
qts_alarms_start(void)
{
	memset(waiters, 0, sizeof(waiters));
}

void
qts_alarms_standby(int64 mono)
{
	for (int i = 0; i < QTS_WORKER_COUNT; i++)
	{
		uint32 proc = pg_atomic_read_u32(&qts_shm->slot[i].proc);
		int64 waited;
		uint64 lsn = 0;

		if (proc != 0)
		{
			LWLockAcquire(SyncRepLock, LW_SHARED);
			lsn = GetPGProcByNumber(proc - 1)->waitLSN;
			LWLockRelease(SyncRepLock);
		}
		if (!qts_waiter_look(&waiters[i], lsn, mono, STANDBY_PATIENCE_US, STANDBY_INTERVAL_US) ||
			!qts_txn_begin("standby missing"))
			continue;
		waited = mono - waiters[i].since;
		qts_alert("CRITICAL", "STANDBY_MISSING", watched[i]->name,
				  "Bring the standby back, or change synchronous_standby_names; what waits then goes on.",
				  "worker %s waits for a synchronous standby for %d s: no order leaves", watched[i]->name,
				  (int) (waited / QTS_SEC));
		qts_txn_commit_local();
	}
}

/* One trouble against its limit: an alert from half of it on, and no entries beyond it. */
static void
limit_alarm(const char *code, const char *subject, int64 value, int64 limit, const char *hint,
			const char *what)
{
	QtsAlarmLevel level = qts_alarm_level(value, limit);

	if (level == QTS_ALARM_NONE)
		return;
	qts_alert(level == QTS_ALARM_STOP ? "CRITICAL" : "WARNING", code, subject, hint, "%s%s", what,
			  level == QTS_ALARM_STOP ? ": entries are stopped" : "");
	if (level == QTS_ALARM_STOP)
	{
		Datum args[1] = {qts_text(what)};

		qts_stmt_run(&halt_entries, args, NULL);
	}
}

void
qts_alarms_server(void)
{
	char what[160];
	int64 value;

	if (!AutoVacuumingActive())
		qts_alert("WARNING", "AUTOVACUUM_OFF", "",
				  "Set autovacuum and track_counts on: without it tables grow and transaction ids run out.",
				  "autovacuum does not run");
	if (qts_guc.max_xid_age > 0 && qts_stmt_run(&oldest_ids, NULL, NULL) > 0)
	{
		value = qts_col_int64(0, 1, 0);
		snprintf(what, sizeof(what), "transaction ids of database %s are " INT64_FORMAT " old",
				 qts_col_text(0, 2), value);
		limit_alarm("XID_AGE", "", value, qts_guc.max_xid_age,
					"Find what holds VACUUM up: long or prepared transactions, replication slots. Then"
					" VACUUM FREEZE, and qts.emergency_stop(false, ...).",
					what);
	}
	if (qts_guc.max_slot_wal > 0 && qts_stmt_run(&fullest_slot, NULL, NULL) > 0)
	{
		char *slot = qts_col_text(0, 1);

		value = qts_col_int64(0, 2, 0);
		snprintf(what, sizeof(what), "replication slot %s keeps " INT64_FORMAT " MB of WAL", slot,
				 value / MB);
		limit_alarm("SLOT_WAL", slot, value, qts_guc.max_slot_wal * MB,
					"Bring its receiver back or drop the slot before the disk is full; then"
					" qts.emergency_stop(false, ...).",
					what);
	}
}
