/*-------------------------------------------------------------------------
 *
 * tick_insert.h
 *		A batch of ticks of one day straight into its partition.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_DB_TICK_INSERT_H
#define QTS_DB_TICK_INSERT_H

#include "postgres.h"

#include "utils/rel.h"

#include "broker/feed.h"

/*
 * Store the ticks, numbered from first_seq on; parent is open and locked, and
 * the privilege has been looked at.  False, with nothing done, when the table
 * or this batch is not plain: that is COPY's to do.
 */
extern bool qts_ticks_insert(Relation parent, const QtsTick *ticks, int n, int64 first_seq);

#endif /* QTS_DB_TICK_INSERT_H */
