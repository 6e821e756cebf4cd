/*-------------------------------------------------------------------------
 *
 * worker.c
 *		Registration, main loop and error recovery shared by all workers.
 *
 * Rows are the state machine and processes are disposable: SIGTERM, ERROR
 * and a crash all come back through the same start().  Locking: qts_shm->lock
 * is held for loads and stores only, never across SPI, a wait or a library.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "access/xact.h"
#include "catalog/pg_type_d.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/lock.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/timeout.h"

#include "db/engine.h"
#include "db/stmt.h"
#include "db/txn.h"
#include "guc.h"
#include "net/net.h"
#include "shm/clock.h"
#include "shm/point.h"
#include "shm/reads.h"
#include "shm/shm.h"
#include "worker.h"

#define ERROR_PAUSE_MS 1000L
#define IDLE_CHECK_MS 5000L
#define RECHECK_MS 50L
#define RECHECKS 5
#define HEARTBEAT_US (5 * USECS_PER_SEC)
#define CONNECT_PAUSE_MAX_MS 60000L
/* first key of the advisory locks the workers lead by: "qts" */
#define LEADER_LOCK_CLASS 0x717473

MemoryContext qts_turn_cxt = NULL;

static const QtsWorker *const workers[QTS_WORKER_COUNT] = {
	[QTS_WORKER_PRICES] = &qts_prices_worker,
	[QTS_WORKER_EXIT] = &qts_exit_worker,
	[QTS_WORKER_EXECUTION] = &qts_execution_worker,
	[QTS_WORKER_MONITOR] = &qts_monitor_worker,
};

static int my_slot = -1;
static const QtsWorker *me = NULL;
static WaitEventSet *waits = NULL;
static bool started = false; /* start() ran and stop() did not */
static bool leading = false;
static bool as_role = false;
static TimestampTz last_heartbeat = 0;
static TimestampTz last_check = 0;
static uint64 seen_account = 0;
static long verdict_life_ms = IDLE_CHECK_MS; /* until the fence is looked at again */
static int rechecks = 0;
static QtsWorkerState verdict = QTS_STATE_CONNECTING;

static void
worker_set_state(QtsWorkerState state, const char *detail)
{
	QtsSlot *slot = &qts_shm->slot[my_slot];

	LWLockAcquire(qts_shm->lock, LW_EXCLUSIVE);
	if (slot->state != state)
	{
		slot->state = state;
		slot->since = GetCurrentTimestamp();
		/* silence is counted from here: no turn can have ended before */
		pg_atomic_write_u64(&slot->heartbeat, (uint64) slot->since);
		slot->detail[0] = '\0'; /* it was about the old state */
	}
	if (detail)
		strlcpy(slot->detail, detail, sizeof(slot->detail));
	LWLockRelease(qts_shm->lock);
}

void
qts_worker_detail(const char *format, ...)
{
	static char last[QTS_SHM_DETAIL] = "";
	char line[QTS_SHM_DETAIL];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (strcmp(line, last) == 0 && qts_shm->slot[my_slot].detail[0] != '\0')
		return;
	strlcpy(last, line, sizeof(last));
	LWLockAcquire(qts_shm->lock, LW_EXCLUSIVE);
	strlcpy(qts_shm->slot[my_slot].detail, line, QTS_SHM_DETAIL);
	LWLockRelease(qts_shm->lock);
}

/* On every exit path; the pid test makes it safe when the slot has a new owner. */
static void
worker_detach(int code, Datum arg)
{
	LWLockAcquire(qts_shm->lock, LW_EXCLUSIVE);
	if (qts_shm->slot[my_slot].pid == MyProcPid)
	{
		pg_atomic_write_u32(&qts_shm->slot[my_slot].proc, 0);
		qts_shm->slot[my_slot].pid = 0;
		qts_shm->slot[my_slot].state = QTS_STATE_NOT_STARTED;
	}
	LWLockRelease(qts_shm->lock);
}

static void
worker_attach(void)
{
	before_shmem_exit(worker_detach, 0); /* before the state it undoes */
	LWLockAcquire(qts_shm->lock, LW_EXCLUSIVE);
	qts_shm->slot[my_slot].pid = MyProcPid;
	pg_atomic_write_u32(&qts_shm->slot[my_slot].proc, (uint32) qts_my_procno() + 1);
	qts_shm->slot[my_slot].errors_in_row = 0;
	LWLockRelease(qts_shm->lock);
}

static void
worker_reload(void)
{
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
		last_check = 0;
	}
}

/*
 * Wait, unconnected, until the engine is on: a parked worker does not stand
 * in the way of DROP, RENAME or CREATE ... TEMPLATE of its database.  After
 * failed connections (no such database yet) wait longer and longer.
 */
static void
worker_park(void)
{
	long pause = 0;

	if (qts_shm->slot[my_slot].failed_connects > 0)
		pause = Min(CONNECT_PAUSE_MAX_MS, 500L << Min(qts_shm->slot[my_slot].failed_connects, 10));
	for (;;)
	{
		bool on = qts_guc.enabled && qts_guc.database[0] != '\0';
		int rc;

		if (on && pause == 0)
			break;
		worker_set_state(QTS_STATE_PARKED, on ? "waiting before connecting to qts.database again"
										   : qts_guc.enabled ? "qts.database is empty"
															 : "qts.enabled is off");
		rc = WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (pause > 0 ? WL_TIMEOUT : 0), pause,
					   PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		worker_reload();
		if (rc & WL_TIMEOUT)
			pause = 0;
	}
	worker_set_state(QTS_STATE_CONNECTING, "");
}

static void
worker_connect(void)
{
	LWLockAcquire(qts_shm->lock, LW_EXCLUSIVE);
	qts_shm->slot[my_slot].failed_connects++;
	LWLockRelease(qts_shm->lock);
	BackgroundWorkerInitializeConnection(qts_guc.database, NULL, 0);
	LWLockAcquire(qts_shm->lock, LW_EXCLUSIVE);
	qts_shm->slot[my_slot].failed_connects = 0;
	LWLockRelease(qts_shm->lock);
}

/* Session settings that no user of the database may change under us. */
static void
worker_session(void)
{
	static const char *const fixed[][2] = {
		{"search_path", "pg_catalog, pg_temp"},
		{"lock_timeout", "2s"},
		{"max_parallel_workers_per_gather", "0"},
		{"jit", "off"},
		{"timezone", "Asia/Seoul"},
		{"plan_cache_mode", "force_generic_plan"},
	};
	/*
	 * Statistics are of a moment without work: by them tables are small and
	 * nothing waits, and all that is there later would be read to find one row.
	 */
	static const char *const lookups[] = {"enable_seqscan", "enable_hashjoin", "enable_mergejoin"};

	for (int i = 0; i < (int) lengthof(fixed); i++)
		SetConfigOption(fixed[i][0], fixed[i][1], PGC_SUSET, PGC_S_OVERRIDE);
	for (int i = 0; me->lookups && i < (int) lengthof(lookups); i++)
		SetConfigOption(lookups[i], "off", PGC_SUSET, PGC_S_OVERRIDE);
	pgstat_report_appname(MyBgworkerEntry->bgw_name);
	pgstat_report_activity(STATE_IDLE, NULL);
}

static void
worker_waits(void)
{
	waits = qts_wait_set_create(3);
	AddWaitEventToSet(waits, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(waits, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	if (me->network)
		AddWaitEventToSet(waits, WL_SOCKET_READABLE, qts_net_fd(), NULL, NULL);
}

static void
worker_wait(long timeout_ms)
{
	WaitEvent event[3];

	if (me->network)
	{
		long net = qts_net_timeout_ms();

		if (net >= 0 && (timeout_ms < 0 || net < timeout_ms))
			timeout_ms = net;
	}
	if (timeout_ms > 0)
		timeout_ms = (timeout_ms + QTS_HASTE - 1) / QTS_HASTE;
	(void) WaitEventSetWait(waits, timeout_ms, event, lengthof(event), PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
}

static QtsStmt heartbeat = {
	"INSERT INTO system.process_locks (lock_name, instance_id, pid, state, detail, acquired_ts, heartbeat_ts,"
	" last_error, last_error_ts) VALUES ($1, $2, $3, $4, $5, clock_timestamp(), clock_timestamp(), $6, $7)"
	" ON CONFLICT (lock_name) DO UPDATE SET instance_id = $2, pid = $3, state = $4, detail = $5,"
	" acquired_ts = CASE WHEN process_locks.pid = $3 THEN process_locks.acquired_ts ELSE clock_timestamp() END,"
	" heartbeat_ts = clock_timestamp(), last_error = $6, last_error_ts = $7",
	7,
	{TEXTOID, TEXTOID, INT4OID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID}};

static void
worker_heartbeat(void)
{
	TimestampTz now = GetCurrentTimestamp();
	QtsSlot slot;
	char host[64] = "";
	char instance[96];

	pg_atomic_write_u64(&qts_shm->slot[my_slot].heartbeat, (uint64) now);
	if (now - last_heartbeat < HEARTBEAT_US)
		return;
	LWLockAcquire(qts_shm->lock, LW_SHARED);
	slot = qts_shm->slot[my_slot];
	LWLockRelease(qts_shm->lock);
	last_heartbeat = now;
	if (!qts_txn_begin("heartbeat"))
		return;
	gethostname(host, sizeof(host) - 1);
	snprintf(instance, sizeof(instance), "%s-%d", host, MyProcPid);
	{
		Datum args[7] = {
			qts_text(MyBgworkerEntry->bgw_name),		 qts_text(instance),	Int32GetDatum(MyProcPid),
			qts_text(qts_worker_state_name(slot.state)), qts_text(slot.detail), qts_text(slot.last_error),
			TimestampTzGetDatum(slot.last_error_at)};
		char nulls[8] = "       ";

		if (slot.last_error_at == 0)
			nulls[5] = nulls[6] = 'n';
		qts_stmt_run(&heartbeat, args, nulls);
	}
	qts_txn_commit_async();
}

/*
 * One leader per worker and database, for as long as this process lives.  A
 * session lock: it dies with the process, however that ends.
 */
static bool
worker_lead(void)
{
	LOCKTAG tag;

	if (leading)
		return true;
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, LEADER_LOCK_CLASS, (uint32) my_slot, 2);
	leading = LockAcquire(&tag, ExclusiveLock, true, true) != LOCKACQUIRE_NOT_AVAIL;
	return leading;
}

/* Look again at whether the engine may act; cheap unless something changed. */
static QtsWorkerState
worker_verdict(void)
{
	TimestampTz now = GetCurrentTimestamp();
	uint64 account = qts_change_count(QTS_CHANGE_ACCOUNT);
	char detail[QTS_SHM_DETAIL];
	Oid role;

	if (account == seen_account && now - last_check < verdict_life_ms * 1000)
		return verdict;
	/*
	 * The wake-up of a commit can come before its cache invalidations: a "no"
	 * is looked at again soon, a few times.
	 */
	rechecks = account != seen_account ? RECHECKS : Max(rechecks - 1, 0);
	verdict_life_ms = rechecks > 0 ? RECHECK_MS : IDLE_CHECK_MS;
	seen_account = account;
	last_check = now;
	/* a new extension has granted the role nothing yet: look with the server's eyes */
	if (as_role)
		SetSessionAuthorization(GetAuthenticatedUserId(), true);
	as_role = false;
	verdict = qts_engine_check(me->role, &role, detail, sizeof(detail));
	if (verdict == QTS_STATE_RUNNING)
	{
		SetSessionAuthorization(role, false);
		as_role = true;
		verdict_life_ms = IDLE_CHECK_MS;
		if (!worker_lead())
		{
			verdict = QTS_STATE_WAITING;
			strlcpy(detail, "another process holds this worker's lock", sizeof(detail));
		}
	}
	worker_set_state(verdict, verdict == QTS_STATE_RUNNING ? NULL : detail);
	return verdict;
}

static long
worker_turn(void)
{
	long pause;

	if (worker_verdict() != QTS_STATE_RUNNING)
	{
		if (started)
			me->stop();
		started = false;
		return verdict_life_ms;
	}
	if (!started)
	{
		started = true;
		me->start();
	}
	pause = me->step();
	qts_reads_settle();
	Assert(!IsTransactionState());
	worker_heartbeat();
	if (pause < 0 || pause > IDLE_CHECK_MS)
		pause = IDLE_CHECK_MS;
	return pause;
}

/*
 * Clean up after an ERROR that escaped a turn.  Library state is intact,
 * because nothing throws through a library's frame; what the worker holds in
 * memory is rebuilt by start().
 */
static void
worker_recover(void)
{
	ErrorData *error;
	QtsSlot *slot = &qts_shm->slot[my_slot];
	int in_row;

	error_context_stack = NULL;
	HOLD_INTERRUPTS();
	disable_all_timeouts(false);
	QueryCancelPending = false;
	EmitErrorReport();
	MemoryContextSwitchTo(qts_turn_cxt);
	error = CopyErrorData();
	FlushErrorState();
	AbortCurrentTransaction();
	LWLockReleaseAll();
	pgstat_report_wait_end();
	MemoryContextSwitchTo(qts_turn_cxt);
	RESUME_INTERRUPTS();

	LWLockAcquire(qts_shm->lock, LW_EXCLUSIVE);
	slot->errors++;
	in_row = ++slot->errors_in_row;
	slot->last_error_at = GetCurrentTimestamp();
	strlcpy(slot->last_error, error->message ? error->message : "", sizeof(slot->last_error));
	LWLockRelease(qts_shm->lock);
	if (in_row >= qts_guc.error_limit)
		proc_exit(1); /* start over with a fresh process */

	if (started)
		me->stop();
	started = false;
	verdict = QTS_STATE_ERROR;
	last_check = 0;
	seen_account = 0;
	worker_set_state(QTS_STATE_ERROR, slot->last_error);
	pgstat_report_activity(STATE_IDLE, NULL);
	worker_wait(ERROR_PAUSE_MS);
}

void
qts_worker_main(Datum arg)
{
	sigjmp_buf recover;
	const char *why;

	my_slot = DatumGetInt32(arg);
	me = workers[my_slot];

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	/* SIGINT stays as it is: lock_timeout is delivered by it */
	BackgroundWorkerUnblockSignals();

	worker_attach();
	worker_park();
	worker_connect();
	worker_session();

#ifdef __GLIBC__
	/* keep what a transaction frees: giving it back to the system costs a page fault per page, each turn */
	(void) mallopt(M_TRIM_THRESHOLD, 32 * 1024 * 1024);
	(void) mallopt(M_TOP_PAD, 1024 * 1024);
#endif
	qts_turn_cxt = AllocSetContextCreate(TopMemoryContext, "qts turn", ALLOCSET_DEFAULT_SIZES);
	if (me->network && !qts_net_open(&why))
		ereport(FATAL,
				(errcode(ERRCODE_SYSTEM_ERROR), errmsg("could not open the network event set: %s", why)));
	worker_waits();

	if (sigsetjmp(recover, 1) != 0)
		worker_recover();
	PG_exception_stack = &recover;

	for (;;)
	{
		long pause;

		MemoryContextSwitchTo(qts_turn_cxt);
		MemoryContextReset(qts_turn_cxt);
		CHECK_FOR_INTERRUPTS();
		worker_reload();
		if (!qts_guc.enabled)
			proc_exit(1); /* comes back parked */
		if (me->network)
			qts_net_drain();
		pause = worker_turn();

		if (qts_shm->slot[my_slot].errors_in_row != 0)
		{
			LWLockAcquire(qts_shm->lock, LW_EXCLUSIVE);
			qts_shm->slot[my_slot].errors_in_row = 0;
			LWLockRelease(qts_shm->lock);
		}
		pg_atomic_fetch_add_u64(&qts_shm->slot[my_slot].turns, 1);
		worker_wait(pause);
	}
}

void
qts_workers_register(void)
{
	for (int i = 0; i < QTS_WORKER_COUNT; i++)
	{
		BackgroundWorker worker = {0};

		worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
		worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
		worker.bgw_restart_time = 1;
		worker.bgw_main_arg = Int32GetDatum(i);
		strlcpy(worker.bgw_library_name, "qts", BGW_MAXLEN);
		strlcpy(worker.bgw_function_name, "qts_worker_main", BGW_MAXLEN);
		snprintf(worker.bgw_name, BGW_MAXLEN, "qts %s", workers[i]->name);
		strlcpy(worker.bgw_type, worker.bgw_name, BGW_MAXLEN);
		RegisterBackgroundWorker(&worker);
	}
}
