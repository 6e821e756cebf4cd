/*-------------------------------------------------------------------------
 *
 * sync_store.h
 *		Tables behind the question who is asked when: symbols to follow, jobs,
 *		discrepancies.  Inside the caller's transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_DB_SYNC_STORE_H
#define QTS_DB_SYNC_STORE_H

#include "postgres.h"

#include "utils/timestamp.h"

#include "core/discrepancy.h"
#include "core/priority.h"

#define QTS_SYNC_JOBS 64 /* that one worker has at a time */

typedef struct QtsSyncJob
{
	int64 job_id;
	char symbol[QTS_SYMBOL_LEN + 1];
	QtsSource source;
} QtsSyncJob;

/* sync_follow.c: symbols to follow, ranked; palloc'd in the context outside the transaction. */
extern QtsFollowed *qts_sync_followed(int *count);

/* sync_jobs.c */
extern int qts_sync_claim(QtsSyncJob *jobs, int max);
extern void qts_sync_end(const int64 *job_ids, int n, const char *error); /* NULL = done */
extern int64 qts_sync_reap(void);

/* sync_follow.c */
extern void qts_sync_discrepancy(const char *symbol, const QtsQuote *broker, QtsSource source,
								 const QtsQuote *other, TimestampTz now);

#endif /* QTS_DB_SYNC_STORE_H */
