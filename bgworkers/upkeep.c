/*-------------------------------------------------------------------------
 *
 * upkeep.c
 *		Background tasks of the monitor worker: partitions ahead of time,
 *		roll-ups, indicators, samples of the exit rules, packing, retention.
 *
 * One slice per turn, each with transactions of its own and about 0.1 s of
 * work at most, so that alerts are never kept waiting.  How far a task is
 * stands in system.upkeep and commits with its work: killed anywhere, the
 * next process goes on from there.  With nothing to do, nothing is written.
 * A task that fails says so and is tried again; the others go on.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"

#include "core/core.h"
#include "db/stmt.h"
#include "db/toplevel.h"
#include "db/txn.h"
#include "net/net.h"
#include "shm/point.h"
#include "upkeep.h"

#define SLICE_PAUSE_US (100 * QTS_MS)
#define RETRY_US (60 * QTS_SEC)
#define DETACH_LOCK_MS 200
#define BUSY_MAX 30 /* times in a row that readers were in the way of a detach */

typedef struct UpkeepTask
{
	const char *name;
	bool (*slice)(struct UpkeepTask *task); /* true: there is more */
	int64 every_us;
	QtsStmt stmt;
	int64 due; /* monotonic */
} UpkeepTask;

static int busy;

static QtsStmt upkeep_failed = {"SELECT system._upkeep_failed($1, $2)", 2, {TEXTOID, TEXTOID}};
static QtsStmt drop_expired = {"SELECT system._drop_expired($1)", 1, {TEXTOID}};

/* A function of (more, rows). */
static bool
sql_slice(UpkeepTask *task)
{
	bool more;

	if (!qts_txn_begin(task->name))
		return false;
	more = qts_stmt_run(&task->stmt, NULL, NULL) == 1 && qts_col_bool(0, 1);
	/* done again if it is lost in a crash */
	qts_txn_commit_async();
	return more;
}

static void
tell_failed(const char *task, const char *message)
{
	Datum args[2];

	ereport(LOG, (errmsg("upkeep task \"%s\" failed: %s", task, message)));
	if (!qts_txn_begin("upkeep failed"))
		return;
	args[0] = qts_text(task);
	args[1] = qts_text(message);
	qts_stmt_run(&upkeep_failed, args, NULL);
	qts_txn_commit_local();
}

/*
 * Readers that use the table are not disturbed: they are waited for, shortly,
 * and what is half done is finished the next time.
 */
static bool
detach(const char *parent, const char *child, bool pending)
{
	char sql[512];
	ErrorData *error;

	snprintf(sql, sizeof(sql), "ALTER TABLE %s DETACH PARTITION %s %s", parent, child,
			 pending ? "FINALIZE" : "CONCURRENTLY");
	error = qts_toplevel(sql, DETACH_LOCK_MS);
	if (error == NULL)
		busy = 0;
	else if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE || ++busy > BUSY_MAX)
	{
		busy = 0;
		tell_failed("retention", error->message);
	}
	return error == NULL;
}

static bool
retention_slice(UpkeepTask *task)
{
	char parent[192];
	char child[192];
	bool attached;
	bool pending;
	Datum args[1];

	if (!qts_txn_begin(task->name))
		return false;
	qts_stmt_run(&task->stmt, NULL, NULL);
	qts_col_copy(0, 1, parent, sizeof(parent));
	qts_col_copy(0, 2, child, sizeof(child));
	attached = qts_col_bool(0, 3);
	pending = qts_col_bool(0, 4);
	/* noted for good before anything is taken away */
	qts_txn_commit_local();
	if (child[0] == '\0')
		return false;
	if (attached && !detach(parent, child, pending))
	{
		task->due += RETRY_US;
		return false;
	}
	QTS_POINT("upkeep.detached");
	if (!qts_txn_begin(task->name))
		return true;
	args[0] = qts_text(child);
	qts_stmt_run(&drop_expired, args, NULL);
	qts_txn_commit_local();
	return true;
}

static UpkeepTask tasks[] = {
	{"partitions", sql_slice, 60 * QTS_SEC, {"SELECT more, rows FROM system._upkeep_partitions()"}},
	{"ohlcv_1m", sql_slice, 5 * QTS_SEC, {"SELECT more, rows FROM system._upkeep_minutes()"}},
	{"ohlcv_1d", sql_slice, 60 * QTS_SEC, {"SELECT more, rows FROM system._upkeep_days()"}},
	{"indicators", sql_slice, 60 * QTS_SEC, {"SELECT more, rows FROM system._upkeep_indicators()"}},
	{"exit_signals", sql_slice, 1 * QTS_SEC, {"SELECT more, rows FROM system._upkeep_signals()"}},
	{"pack", sql_slice, 60 * QTS_SEC, {"SELECT more, rows FROM system._upkeep_pack()"}},
	{"timescaledb", sql_slice, 60 * QTS_SEC, {"SELECT more, rows FROM system._upkeep_history()"}},
	{"rows", sql_slice, 3600 * QTS_SEC, {"SELECT more, rows FROM system._upkeep_rows()"}},
	{"retention",
	 retention_slice,
	 600 * QTS_SEC,
	 {"SELECT parent, child, attached, pending FROM system._expire_next()"}},
};

typedef struct Slice
{
	UpkeepTask *task;
	bool more;
} Slice;

static void
slice_body(void *arg)
{
	Slice *slice = arg;

	slice->more = slice->task->slice(slice->task);
}

/* An error ends the slice only. */
static bool
guarded(UpkeepTask *task)
{
	Slice slice = {.task = task};
	ErrorData *error = qts_txn_try(slice_body, &slice);

	if (error == NULL)
		return slice.more;
	tell_failed(task->name, error->message);
	task->due += Max(RETRY_US - task->every_us, 0);
	return false;
}

void
qts_upkeep_start(void)
{
	busy = 0;
	for (int i = 0; i < (int) lengthof(tasks); i++)
		tasks[i].due = 0;
}

long
qts_upkeep_step(int64 mono)
{
	UpkeepTask *next = &tasks[0];

	for (int i = 1; i < (int) lengthof(tasks); i++)
	{
		if (tasks[i].due < next->due)
			next = &tasks[i];
	}
	if (next->due > mono)
		return (long) ((next->due - mono) / QTS_MS);
	next->due = mono + next->every_us;
	if (guarded(next))
		next->due = mono + SLICE_PAUSE_US;
	return SLICE_PAUSE_US / QTS_MS;
}
