/*-------------------------------------------------------------------------
 *
 * worker.h
 *		The skeleton shared by all workers.
 *
 * A worker is a QtsWorker: a role and a loop body.  Signals, parking, the
 * connection, the fence, the leader lock, heartbeats, error recovery and
 * waiting are the skeleton's business.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BGWORKERS_WORKER_H
#define QTS_BGWORKERS_WORKER_H

#include "postgres.h"

#include "shm/wake.h"

typedef struct QtsWorker
{
	const char *name;	 /* process title "qts <name>" */
	const char *role;	 /* database role its statements run as */
	bool network;		 /* nests the network's event set in its wait */
	bool lookups;		 /* its statements follow indexes, whatever the statistics say */
	void (*start)(void); /* the engine may act: load, open sessions */
	long (*step)(void);	 /* one turn, outside any transaction; ms to the next, -1 = until woken */
	void (*stop)(void);	 /* the engine may not act any more: drop sessions */
} QtsWorker;

extern const QtsWorker qts_prices_worker;
extern const QtsWorker qts_exit_worker;
extern const QtsWorker qts_execution_worker;
extern const QtsWorker qts_monitor_worker;

extern void qts_workers_register(void);

/* One line for status(). */
extern void qts_worker_detail(const char *format, ...) pg_attribute_printf(1, 2);

/* Reset at the top of every turn. */
extern MemoryContext qts_turn_cxt;

extern PGDLLEXPORT void qts_worker_main(Datum arg);

#endif /* QTS_BGWORKERS_WORKER_H */
