/*-------------------------------------------------------------------------
 *
 * clock.c
 *		The engine's clock: the server's, or a virtual offset from it.
 *
 * The offset is one atomic: readers never see half of a change.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "errcodes.h"
#include "guc.h"
#include "shm/clock.h"
#include "shm/shm.h"

#ifdef QTS_POINTS
TimestampTz qts_clock_fixed = 0;
#endif

TimestampTz
qts_now(void)
{
	TimestampTz real = GetCurrentTimestamp();

#ifdef QTS_POINTS
	if (qts_clock_fixed != 0)
		return qts_clock_fixed;
#endif
	if (!qts_guc.sim_clock || qts_shm == NULL)
		return real;
	return real + (int64) pg_atomic_read_u64(&qts_shm->clock_offset);
}

static void
clock_require_sim(void)
{
	qts_require_preload();
	if (!qts_guc.sim_clock)
		ereport(
			ERROR,
			(errcode(QTS_ERRCODE_TRADING_MODE), errmsg("the engine's clock cannot be moved"),
			 errdetail("qts.sim_clock is off: the engine follows the server's clock."),
			 errhint("Set qts.sim_clock = on in postgresql.conf and restart; never with a live account.")));
}

void
qts_clock_set(TimestampTz at)
{
	clock_require_sim();
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR, (errcode(QTS_ERRCODE_INVALID), errmsg("the clock must be set to a finite time")));
	pg_atomic_write_u64(&qts_shm->clock_offset, (uint64) (at - GetCurrentTimestamp()));
	pg_atomic_write_u32(&qts_shm->clock_known, 1);
}

void
qts_clock_advance(int64 usec)
{
	clock_require_sim();
	pg_atomic_fetch_add_u64(&qts_shm->clock_offset, usec);
	pg_atomic_write_u32(&qts_shm->clock_known, 1);
}

int64
qts_clock_offset(void)
{
	return (int64) pg_atomic_read_u64(&qts_shm->clock_offset);
}

void
qts_clock_restore(int64 usec)
{
	uint32 unknown = 0;

	if (qts_guc.sim_clock && pg_atomic_compare_exchange_u32(&qts_shm->clock_known, &unknown, 1))
		pg_atomic_write_u64(&qts_shm->clock_offset, (uint64) usec);
}
