/*-------------------------------------------------------------------------
 *
 * monitor.c
 *		Housekeeping beside the trading path: alerts about silence, NOTIFY for
 *		programs outside, and the background tasks of upkeep.c.
 *
 * NOTIFY takes a lock shared by the whole server at commit, so no trading
 * transaction sends one: this worker does, from what it finds in the tables,
 * in a transaction of its own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"

#include "alarms.h"
#include "core/session.h"
#include "db/exec.h"
#include "db/stmt.h"
#include "db/txn.h"
#include "guc.h"
#include "net/net.h"
#include "shm/clock.h"
#include "shm/shm.h"
#include "upkeep.h"
#include "worker.h"

#define NOTIFY_MS 200
#define NOTIFY_LAG_US (50 * QTS_MS)
#define HEALTH_US (5 * QTS_SEC)
#define SILENT_WORKER_US (15 * QTS_SEC)

static int64 health_mono;
static TimestampTz notified_to; /* rows up to here were announced */

/*
 * Changes of the window just passed.  Its end lags by more than a trading
 * transaction takes; one that was open even longer is not announced, so
 * readers must look at the tables now and then (docs: NOTIFY is a hint).
 */
static QtsStmt announce = {
	"SELECT count(pg_notify(c, p)) FROM ("
	" SELECT 'new_intent' AS c, json_build_object('intent_id', intent_id)::text AS p FROM trade.order_intents"
	"  WHERE created_ts > $1 AND created_ts <= $2"
	" UNION ALL SELECT 'order_update', json_build_object('order_uid', order_uid, 'status', status)::text FROM trade.orders"
	"  WHERE updated_ts > $1 AND updated_ts <= $2"
	" UNION ALL SELECT 'fill', json_build_object('fill_id', fill_id, 'order_uid', order_uid)::text FROM trade.fills"
	"  WHERE ts > $1 AND ts <= $2"
	" UNION ALL SELECT 'exit_event_created', json_build_object('exit_event_id', exit_event_id, 'position_id', position_id)::text"
	"  FROM trade.exit_events WHERE exit_ts > $1 AND exit_ts <= $2"
	" UNION ALL SELECT 'exit_config_changed', json_build_object('type', 'profile', 'id', profile_id)::text"
	"  FROM trade.exit_profiles WHERE updated_ts > $3 AND updated_ts <= $4"
	" UNION ALL SELECT 'exit_config_changed', json_build_object('type', 'control')::text"
	"  FROM trade.exit_control WHERE updated_ts > $1 AND updated_ts <= $2"
	" UNION ALL SELECT 'qts_alert', json_build_object('alert_id', alert_id, 'severity', severity, 'code', code)::text"
	"  FROM system.alerts WHERE last_ts > $3 AND last_ts <= $4) n",
	4,
	{TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID}};

/* The same instants on the engine's clock and on the server's, which differ with qts.sim_clock. */
static TimestampTz notified_real;

static void
monitor_start(void)
{
	qts_alarms_start();
	health_mono = 0;
	qts_upkeep_start();
	notified_to = qts_now();
	notified_real = GetCurrentTimestamp();
}

static void
monitor_stop(void)
{
}

static void
send_notifications(TimestampTz now)
{
	TimestampTz to = now - NOTIFY_LAG_US;
	TimestampTz real = GetCurrentTimestamp() - NOTIFY_LAG_US;
	Datum args[4] = {TimestampTzGetDatum(notified_to), TimestampTzGetDatum(to),
					 TimestampTzGetDatum(notified_real), TimestampTzGetDatum(real)};

	notified_to = to;
	notified_real = real;
	if (!qts_guc.notify || !qts_txn_begin("notify"))
		return;
	qts_stmt_run(&announce, args, NULL);
	qts_txn_commit_async();
}

static void
check_workers(void)
{
	static const char *const names[QTS_WORKER_COUNT] = {
		[QTS_WORKER_PRICES] = "prices",
		[QTS_WORKER_EXIT] = "exit",
		[QTS_WORKER_EXECUTION] = "execution",
		[QTS_WORKER_MONITOR] = "monitor",
	};
	static bool missing[QTS_WORKER_COUNT];
	TimestampTz real = GetCurrentTimestamp();

	for (int i = 0; i < QTS_WORKER_COUNT; i++)
	{
		TimestampTz heard;
		QtsSlot slot;

		LWLockAcquire(qts_shm->lock, LW_SHARED);
		slot = qts_shm->slot[i];
		LWLockRelease(qts_shm->lock);
		heard = (TimestampTz) pg_atomic_read_u64(&slot.heartbeat);
		if (slot.pid != 0 && slot.state == QTS_STATE_RUNNING && real - heard > SILENT_WORKER_US)
			qts_alert("CRITICAL", "WORKER_SILENT", names[i], "See qts.status() and the server log.",
					  "worker %s (pid %d) has not finished a turn for %d s", names[i], (int) slot.pid,
					  (int) ((real - heard) / USECS_PER_SEC));
		/* one that was missing a round ago too: the others may still be starting */
		else if (slot.pid == 0 && missing[i])
			qts_alert("CRITICAL", "WORKER_MISSING", names[i],
					  "max_worker_processes must be 16 or more; then restart the server.",
					  "worker %s is not running", names[i]);
		missing[i] = slot.pid == 0;
	}
}

static void
check_calendar(TimestampTz now)
{
	QtsDate date = qts_seoul_date(now);

	if (qts_calendar_today(now) == NULL)
		qts_alert("CRITICAL", "NO_CALENDAR", "", "Insert the day into market.calendar.",
				  "market.calendar has no row for %d: the market counts as closed", qts_date_yyyymmdd(date));
}

static void
health_round(TimestampTz now)
{
	if (!qts_txn_begin("health"))
		return;
	check_workers();
	check_calendar(now);
	qts_alarms_server();
	/* an alert about a missing standby cannot wait for it */
	qts_txn_commit_local();
}

static long
monitor_step(void)
{
	TimestampTz now = qts_now();
	int64 mono = qts_mono_us();
	long pause;

	qts_alarms_standby(mono);
	if (health_mono == 0 || mono - health_mono >= HEALTH_US)
	{
		health_round(now);
		health_mono = mono;
	}
	send_notifications(now);
	pause = qts_upkeep_step(mono);
	return Min(pause, qts_guc.notify ? NOTIFY_MS : HEALTH_US / QTS_MS);
}

const QtsWorker qts_monitor_worker = {
	.name = "monitor",
	.role = "qts_monitor",
	.network = false,
	.start = monitor_start,
	.step = monitor_step,
	.stop = monitor_stop,
};
