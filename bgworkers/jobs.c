/*-------------------------------------------------------------------------
 *
 * jobs.c
 *		Quotes that somebody waits for, from market.sync_jobs.
 *
 * A claim is committed before anything is asked.  Killed in between, the job
 * is free again when its lease ends; a quote asked for twice harms nobody.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "db/sync_store.h"
#include "db/txn.h"
#include "jobs.h"
#include "net/net.h"
#include "quotes.h"
#include "shm/wake.h"

#define LOOK_US (1 * QTS_SEC)  /* a failed one waits a second or two */
#define RETRY_US (5 * QTS_SEC) /* longer than the longest of these waits */
#define REAP_US (10 * QTS_SEC)
#define LOST_US (30 * QTS_SEC) /* as the lease: another may have it now */

typedef struct Job
{
	QtsSyncJob job;
	int64 claimed_mono;
	bool asked;
	bool ended;
	bool brought;
	char why[64];
} Job;

static Job jobs[QTS_SYNC_JOBS];
static int njobs = 0;
static uint64 seen_quote;
static int64 looked_mono;
static int64 reaped_mono;
static int64 look_until; /* something may become due until then */

void
qts_jobs_start(void)
{
	njobs = 0;
	seen_quote = 0;
	looked_mono = reaped_mono = 0;
	look_until = 0;
}

static void
jobs_claim(int64 mono)
{
	uint64 quote = qts_change_count(QTS_CHANGE_QUOTE);
	QtsSyncJob claimed[QTS_SYNC_JOBS];
	bool reap = reaped_mono == 0 || mono - reaped_mono >= REAP_US;
	int n;

	if (njobs == QTS_SYNC_JOBS || !qts_quotes_any() ||
		(quote == seen_quote && !reap && (mono >= look_until || mono - looked_mono < LOOK_US)) ||
		!qts_txn_begin("sync jobs"))
		return;
	if (reap)
		(void) qts_sync_reap();
	n = qts_sync_claim(claimed, QTS_SYNC_JOBS - njobs);
	qts_txn_commit_async();
	for (int i = 0; i < n; i++)
		jobs[njobs++] = (Job){.job = claimed[i], .claimed_mono = mono};
	if (reap)
		reaped_mono = mono;
	seen_quote = quote;
	looked_mono = mono;
	if (n > 0)
		look_until = mono + RETRY_US;
}

/* Hand in the outcome; a lease that ended meanwhile is somebody else's. */
static void
jobs_end(int64 mono)
{
	int64 done[QTS_SYNC_JOBS];
	int ndone = 0;
	int ended = 0;
	int kept = 0;

	for (int i = 0; i < njobs; i++)
	{
		ended += jobs[i].ended;
		if (jobs[i].ended && jobs[i].brought)
			done[ndone++] = jobs[i].job.job_id;
	}
	if (ended > 0)
	{
		if (!qts_txn_begin("sync jobs"))
			return;
		if (ndone > 0)
			qts_sync_end(done, ndone, NULL);
		for (int i = 0; i < njobs; i++)
			if (jobs[i].ended && !jobs[i].brought)
				qts_sync_end(&jobs[i].job.job_id, 1, jobs[i].why);
		qts_txn_commit_async();
		if (ended > ndone)
			look_until = mono + RETRY_US;
	}
	for (int i = 0; i < njobs; i++)
		if (!jobs[i].ended && mono - jobs[i].claimed_mono < LOST_US)
			jobs[kept++] = jobs[i];
	njobs = kept;
}

void
qts_jobs_turn(int64 mono)
{
	jobs_end(mono);
	jobs_claim(mono);
	for (int i = 0; i < njobs; i++)
	{
		/* one that is not followed yet will be at the next load, which counts open jobs */
		if (!jobs[i].asked && jobs[i].job.source == QTS_SOURCE_KIS_REST)
			jobs[i].asked = qts_quotes_at_once(jobs[i].job.symbol);
	}
}

void
qts_jobs_told(const char *symbol, QtsSource source, bool brought, const char *why)
{
	for (int i = 0; i < njobs; i++)
	{
		if (!jobs[i].asked || jobs[i].ended || jobs[i].job.source != source ||
			strcmp(jobs[i].job.symbol, symbol) != 0)
			continue;
		jobs[i].ended = true;
		jobs[i].brought = brought;
		strlcpy(jobs[i].why, why, sizeof(jobs[i].why));
	}
}
