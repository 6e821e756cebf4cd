/*-------------------------------------------------------------------------
 *
 * wake.c
 *		Wake-ups at commit through one callback per process.
 *
 * In XACT_EVENT_COMMIT nothing may fail: only atomics and SetLatch.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/xact.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"

#include "shm/shm.h"
#include "shm/wake.h"

static uint32 pending = 0; /* bit per QtsChange, of the running transaction */
static ProcessUtility_hook_type prev_utility = NULL;

/* Who must act on each kind of change at once; others see the counter at their next turn. */
static const uint32 readers[QTS_CHANGE_COUNT] = {
	[QTS_CHANGE_INTENT] = 1u << QTS_WORKER_EXECUTION,
	[QTS_CHANGE_OUTCOME] = 1u << QTS_WORKER_EXIT,
	[QTS_CHANGE_POSITION] = 1u << QTS_WORKER_EXIT,
	[QTS_CHANGE_CONFIG] = 1u << QTS_WORKER_EXIT | 1u << QTS_WORKER_PRICES | 1u << QTS_WORKER_EXECUTION,
	[QTS_CHANGE_ACCOUNT] = (1u << QTS_WORKER_COUNT) - 1,
	[QTS_CHANGE_ORDER] = 1u << QTS_WORKER_EXECUTION,
	[QTS_CHANGE_QUOTE] = 1u << QTS_WORKER_PRICES,
};

/* The order path first: whoever is woken later runs later. */
static const QtsWorkerId wake_order[] = {QTS_WORKER_EXECUTION, QTS_WORKER_EXIT, QTS_WORKER_PRICES,
										 QTS_WORKER_MONITOR};

static void
wake_mask(uint32 changes)
{
	uint32 workers = 0;

	for (int i = 0; i < QTS_CHANGE_COUNT; i++)
	{
		if ((changes & (1u << i)) == 0)
			continue;
		pg_atomic_fetch_add_u64(&qts_shm->changes[i], 1);
		workers |= readers[i];
	}
	for (int i = 0; i < (int) lengthof(wake_order); i++)
		if (workers & (1u << wake_order[i]))
			qts_wake_now(wake_order[i]);
}

static void
wake_xact(XactEvent event, void *arg)
{
	uint32 mask = pending;

	switch (event)
	{
		case XACT_EVENT_COMMIT:
			pending = 0;
			if (mask != 0)
				wake_mask(mask);
			break;
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			pending = 0;
			break;
		default:
			break;
	}
}

/* The mask of a prepared transaction is gone when it commits: tell everybody. */
static void
wake_utility(PlannedStmt *pstmt, const char *query, bool read_only_tree, ProcessUtilityContext context,
			 ParamListInfo params, QueryEnvironment *env, DestReceiver *dest, QueryCompletion *qc)
{
	bool commits_prepared = IsA(pstmt->utilityStmt, TransactionStmt) &&
							((TransactionStmt *) pstmt->utilityStmt)->kind == TRANS_STMT_COMMIT_PREPARED;

	if (prev_utility)
		prev_utility(pstmt, query, read_only_tree, context, params, env, dest, qc);
	else
		standard_ProcessUtility(pstmt, query, read_only_tree, context, params, env, dest, qc);
	if (commits_prepared && qts_shm != NULL)
		wake_mask((1u << QTS_CHANGE_COUNT) - 1);
}

void
qts_wake_register(void)
{
	RegisterXactCallback(wake_xact, NULL);
	prev_utility = ProcessUtility_hook;
	ProcessUtility_hook = wake_utility;
}

/*
 * No lock: a latch is shared memory that outlives its process, and waking a
 * process that has just changed is harmless.
 */
void
qts_wake_now(QtsWorkerId worker)
{
	uint32 proc = pg_atomic_read_u32(&qts_shm->slot[worker].proc);

	if (proc != 0)
		SetLatch(qts_proc_latch(proc - 1));
}

void
qts_wake_at_commit(QtsChange change)
{
	if (qts_shm != NULL)
		pending |= 1u << change;
}

uint64
qts_change_count(QtsChange change)
{
	return pg_atomic_read_u64(&qts_shm->changes[change]);
}
