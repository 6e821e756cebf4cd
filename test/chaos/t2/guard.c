/*-------------------------------------------------------------------------
 *
 * guard.c
 *		Errors: those that were planned, and those that must not be.
 *
 * A planned one ends the transaction as bgworkers/worker.c ends it.  Any
 * other error of the engine is a violation, but for a refusal the owner's
 * statements may meet.
 *
 *-------------------------------------------------------------------------
 */
#include "t2.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "db/txn.h"
#include "errcodes.h"
#include "shm/clock.h"

#define PLANNED MAKE_SQLSTATE('C', 'H', 'A', 'O', 'S')

static MemoryContext turn_cxt = NULL;

/* Back to where a turn begins; copies the error. */
static ErrorData *
guard_recover(void)
{
	ErrorData *error;

	HOLD_INTERRUPTS();
	MemoryContextSwitchTo(turn_cxt);
	error = CopyErrorData();
	FlushErrorState();
	AbortCurrentTransaction();
	MemoryContextSwitchTo(turn_cxt);
	RESUME_INTERRUPTS();
	return error;
}

static void
guard_enter(const World *w)
{
	if (turn_cxt == NULL)
		turn_cxt = AllocSetContextCreate(TopMemoryContext, "chaos turn", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(turn_cxt);
	MemoryContextReset(turn_cxt);
	qts_clock_fixed = w->now;
	CHECK_FOR_INTERRUPTS();
}

bool
t2_guard(World *w, void (*body)(World *w))
{
	volatile bool whole = false;

	guard_enter(w);
	PG_TRY();
	{
		body(w);
		whole = true;
	}
	PG_CATCH();
	{
		ErrorData *error = guard_recover();

		if (error->sqlerrcode != PLANNED)
			world_fail(w, "error", "%s: %s", unpack_sql_state(error->sqlerrcode), error->message);
	}
	PG_END_TRY();
	return whole;
}

void
t2_raise(World *w)
{
	ereport(ERROR, (errcode(PLANNED), errmsg("the schedule breaks here")));
}

bool
t2_owner(World *w, void (*body)(World *w, void *arg), void *arg)
{
	volatile bool whole = false;

	guard_enter(w);
	PG_TRY();
	{
		qts_txn_begin_must("chaos");
		body(w, arg);
		qts_txn_commit();
		whole = true;
	}
	PG_CATCH();
	{
		ErrorData *error = guard_recover();

		if (error->sqlerrcode != QTS_ERRCODE_NOT_AVAILABLE)
			world_fail(w, "error", "%s: %s", unpack_sql_state(error->sqlerrcode), error->message);
	}
	PG_END_TRY();
	return whole;
}
