/*-------------------------------------------------------------------------
 *
 * sync_jobs.c
 *		Quotes that somebody waits for: market.sync_jobs.
 *
 * The rules are the SQL functions'; a job belongs to the process that claimed
 * it until its lease ends.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "miscadmin.h"
#include "utils/array.h"

#include "db/stmt.h"
#include "db/sync_store.h"

static QtsStmt claim = {"SELECT job_id, symbol, source FROM qts._sync_claim($1, $2)", 2, {TEXTOID, INT4OID}};
static QtsStmt done = {"SELECT qts._sync_done($1, $2)", 2, {TEXTOID, INT8ARRAYOID}};
static QtsStmt failed = {"SELECT qts._sync_failed($1, $2, $3)", 3, {TEXTOID, INT8ARRAYOID, TEXTOID}};
static QtsStmt reap = {"SELECT qts._sync_reap()"};

/* A restarted worker never has the pid of the one before it while that one's leases run. */
static Datum
jobs_worker(void)
{
	char name[32];

	snprintf(name, sizeof(name), "prices %d", MyProcPid);
	return qts_text(name);
}

int
qts_sync_claim(QtsSyncJob *jobs, int max)
{
	Datum args[2] = {jobs_worker(), Int32GetDatum(max)};
	int n = (int) qts_stmt_run(&claim, args, NULL);

	for (int i = 0; i < n; i++)
	{
		jobs[i].job_id = qts_col_int64(i, 1, 0);
		qts_col_copy(i, 2, jobs[i].symbol, sizeof(jobs[i].symbol));
		if (!qts_source_parse(qts_col_text(i, 3), &jobs[i].source))
			jobs[i].source = QTS_SOURCE_KIS_REST;
	}
	return n;
}

void
qts_sync_end(const int64 *job_ids, int n, const char *error)
{
	Datum *ids = palloc(sizeof(Datum) * n);
	Datum args[3] = {jobs_worker()};

	for (int i = 0; i < n; i++)
		ids[i] = Int64GetDatum(job_ids[i]);
	args[1] = PointerGetDatum(construct_array(ids, n, INT8OID, sizeof(int64), true, TYPALIGN_DOUBLE));
	if (error != NULL)
		args[2] = qts_text(error);
	qts_stmt_run(error == NULL ? &done : &failed, args, NULL);
}

int64
qts_sync_reap(void)
{
	qts_stmt_run(&reap, NULL, NULL);
	return qts_col_int64(0, 1, 0);
}
