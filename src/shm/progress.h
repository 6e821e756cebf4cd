/*-------------------------------------------------------------------------
 *
 * progress.h
 *		How far each process is with its backtests.
 *
 * One slot per process, written by it alone and read by everybody; a process
 * that finds none goes without.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_SHM_PROGRESS_H
#define QTS_SHM_PROGRESS_H

#include "postgres.h"

#include "utils/timestamp.h"

#include "core/core.h"

#define QTS_PROGRESS_SLOTS 64

typedef struct QtsProgress
{
	pid_t pid; /* 0 = free */
	TimestampTz started;
	char symbol[QTS_SYMBOL_LEN + 1];
	TimestampTz at; /* time of the prices */
	int64 walks;	/* positions finished */
	int64 total;	/* to walk, 0 = not known */
	int64 looks;	/* evaluations */
	int64 rows;		/* read */
} QtsProgress;

extern Size qts_progress_size(void);
extern void qts_progress_attach(void);

/* A slot of this process, -1 = none is free. */
extern int qts_progress_begin(int64 total);
extern void qts_progress_report(int slot, const QtsProgress *now);
extern void qts_progress_end(int slot);

/* False when the slot is free. */
extern bool qts_progress_read(int slot, QtsProgress *out);

#endif /* QTS_SHM_PROGRESS_H */
