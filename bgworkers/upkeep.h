/*-------------------------------------------------------------------------
 *
 * upkeep.h
 *		Background tasks of the monitor worker, a slice at a time.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_UPKEEP_H
#define QTS_UPKEEP_H

#include "postgres.h"

extern void qts_upkeep_start(void);

/* Run at most one slice; returns milliseconds until the next is due. */
extern long qts_upkeep_step(int64 mono);

#endif /* QTS_UPKEEP_H */
