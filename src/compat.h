/*-------------------------------------------------------------------------
 *
 * compat.h
 *		The only file that tests PG_VERSION_NUM.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_COMPAT_H
#define QTS_COMPAT_H

#include "postgres.h"

#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/memutils.h"
#if PG_VERSION_NUM >= 180000
#include "storage/waiteventset.h"
#endif

#if PG_VERSION_NUM < 150000
#error "qts needs PostgreSQL 15 or later"
#endif

#if PG_VERSION_NUM >= 170000
#define qts_wait_set_create(n) CreateWaitEventSet(NULL, (n))
#define qts_proc_latch(no) (&GetPGProcByNumber(no)->procLatch)
#define qts_my_procno() MyProcNumber
#else
#define qts_wait_set_create(n) CreateWaitEventSet(TopMemoryContext, (n))
#define qts_proc_latch(no) (&ProcGlobal->allProcs[no].procLatch)
#define qts_my_procno() (MyProc->pgprocno)
#endif

#if PG_VERSION_NUM >= 180000
#define qts_init_range_table(estate, pstate)                                                                 \
	ExecInitRangeTable((estate), (pstate)->p_rtable, (pstate)->p_rteperminfos, bms_make_singleton(1))
#elif PG_VERSION_NUM >= 160000
#define qts_init_range_table(estate, pstate)                                                                 \
	ExecInitRangeTable((estate), (pstate)->p_rtable, (pstate)->p_rteperminfos)
#else
#define qts_init_range_table(estate, pstate) ExecInitRangeTable((estate), (pstate)->p_rtable)
#endif

#if PG_VERSION_NUM >= 160000
#define qts_insert_index_tuples(rel, slot, estate)                                                           \
	ExecInsertIndexTuples((rel), (slot), (estate), false, false, NULL, NIL, false)
#else
#define qts_insert_index_tuples(rel, slot, estate)                                                           \
	ExecInsertIndexTuples((rel), (slot), (estate), false, false, NULL, NIL)
#endif

#if PG_VERSION_NUM >= 180000
#define qts_portal_run_all(portal) PortalRun((portal), FETCH_ALL, true, None_Receiver, None_Receiver, NULL)
#else
#define qts_portal_run_all(portal)                                                                           \
	PortalRun((portal), FETCH_ALL, true, true, None_Receiver, None_Receiver, NULL)
#endif

#if PG_VERSION_NUM >= 180000
#define QTS_MODULE_MAGIC PG_MODULE_MAGIC_EXT(.name = "qts", .version = QTS_VERSION)
#else
#define QTS_MODULE_MAGIC PG_MODULE_MAGIC
#ifndef pg_noreturn
#define pg_noreturn pg_attribute_noreturn()
#endif
#endif

#if PG_VERSION_NUM >= 160000
#include "utils/guc_hooks.h"
#define qts_class_ownercheck(relid, role) object_ownercheck(RelationRelationId, (relid), (role))
#else
#define qts_class_ownercheck(relid, role) pg_class_ownercheck((relid), (role))
#endif

#endif /* QTS_COMPAT_H */
