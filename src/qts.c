/*-------------------------------------------------------------------------
 *
 * qts.c
 *		Module load: settings, shared memory, workers.  Nothing else.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fmgr.h"
#include "miscadmin.h"

#include "guc.h"
#include "shm/shm.h"
#include "shm/wake.h"
#include "worker.h"

QTS_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return; /* functions stay callable and say QT201 where they must */
	qts_guc_define();
	qts_shm_install();
	qts_wake_register();
	if (!IsBinaryUpgrade)
		qts_workers_register();
}
