/*-------------------------------------------------------------------------
 *
 * worker.c
 *		Tier 2: a background worker that runs seeds, and the function that
 *		starts it and waits.
 *
 * Not a function body itself: the engine's transactions are begun and ended
 * by the functions under test.
 *
 *-------------------------------------------------------------------------
 */
#include "t2.h"

#include <unistd.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "shm/point.h"
#include "tally.h"

PG_MODULE_MAGIC;

/* Handed over in bgw_extra. */
typedef struct Job
{
	char database[NAMEDATALEN];
	uint64_t from;
	uint64_t count;
	bool trace;
} Job;

StaticAssertDecl(sizeof(Job) <= BGW_EXTRALEN, "a job must fit into bgw_extra");

extern PGDLLEXPORT void qts_chaos_main(Datum arg);

static World world;

static void
point_passed(const char *name)
{
	chaos_point(&world, name);
}

static void
run_seed(const Job *job, uint64_t seed)
{
	world_run(&world, seed, &t2_store, job->trace);
}

/* Output and coverage go where the path says; the last line is "done". */
static void
run_job(const Job *job, const char *path)
{
	char coverage[MAXPGPATH];
	Tally tally;

	if (freopen(path, "w", stdout) == NULL)
		ereport(FATAL, (errcode_for_file_access(), errmsg("could not write \"%s\": %m", path)));
	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(coverage, sizeof(coverage), "%s.coverage", path);
	tally_open(&tally, job->count);
	for (uint64_t seed = job->from; seed < job->from + job->count; seed++)
	{
		uint64_t hash;

		run_seed(job, seed);
		if (!tally_add(&tally, &world))
			break;
		hash = world.hash;
		if (seed % 100 != 0)
			continue;
		/* I11; its rows would be met again: everything is forgotten first */
		run_seed(job, seed);
		if (world.hash != hash)
		{
			world_fail(&world, "I11", "two runs of the seed differ");
			tally_fail(&tally, &world);
			break;
		}
	}
	printf("result %d\n", tally_close(&tally, 2, coverage));
	fflush(stdout);
}

void
qts_chaos_main(Datum arg)
{
	Job job;
	char path[MAXPGPATH];

	memcpy(&job, MyBgworkerEntry->bgw_extra, sizeof(job));
	snprintf(path, sizeof(path), "%s/chaos.%d", DataDir, DatumGetInt32(arg));
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(job.database, NULL, 0);
	SetConfigOption("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("synchronous_commit", "off", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("max_parallel_workers_per_gather", "0", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("jit", "off", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("plan_cache_mode", "force_generic_plan", PGC_USERSET, PGC_S_SESSION);
	qts_point_hook = point_passed;
	run_job(&job, path);
	proc_exit(0);
}

/* qts_chaos(job, from, count, trace): returns when the seeds have run; the file chaos.<job> tells. */
PG_FUNCTION_INFO_V1(qts_chaos);
Datum
qts_chaos(PG_FUNCTION_ARGS)
{
	BackgroundWorker worker = {.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
							   .bgw_start_time = BgWorkerStart_RecoveryFinished,
							   .bgw_restart_time = BGW_NEVER_RESTART,
							   .bgw_main_arg = Int32GetDatum(PG_GETARG_INT32(0)),
							   .bgw_notify_pid = MyProcPid};
	Job job = {.from = (uint64_t) PG_GETARG_INT64(1),
			   .count = (uint64_t) PG_GETARG_INT64(2),
			   .trace = PG_GETARG_BOOL(3)};
	BackgroundWorkerHandle *handle;

	strlcpy(job.database, text_to_cstring(PG_GETARG_TEXT_PP(4)), sizeof(job.database));
	strlcpy(worker.bgw_name, "qts chaos", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "qts chaos", BGW_MAXLEN);
	strlcpy(worker.bgw_library_name, "qts_chaos", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "qts_chaos_main", BGW_MAXLEN);
	memcpy(worker.bgw_extra, &job, sizeof(job));
	if (!RegisterDynamicBackgroundWorker(&worker, &handle))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_RESOURCES), errmsg("no slot for a background worker")));
	(void) WaitForBackgroundWorkerShutdown(handle);
	PG_RETURN_VOID();
}
