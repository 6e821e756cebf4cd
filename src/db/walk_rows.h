/*-------------------------------------------------------------------------
 *
 * walk_rows.h
 *		Events and points of a walk as rows: of a backtest and of a replay.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_DB_WALK_ROWS_H
#define QTS_DB_WALK_ROWS_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "utils/tuplestore.h"

#include "core/backtest.h"

/* ts, event, rule, phase, cycle, qty, left_qty, price, threshold, hwm, stop_floor, fee, tax */
extern void qts_walk_event_put(Tuplestorestate *store, TupleDesc desc, const QtsExitProfile *profile,
							   const QtsWalkEvent *event);

/* ts, price, hwm, stop_floor, stop, profit: the nearest thresholds below and above the price */
extern void qts_walk_path_put(Tuplestorestate *store, TupleDesc desc, const QtsWalk *walk);

extern void qts_path_put(Tuplestorestate *store, TupleDesc desc, QtsTime at, const QtsExitProfile *profile,
						 const QtsExitPosition *position, const QtsExitState *state,
						 const QtsExitQuote *quote, QtsControlMode control);

/* CUSTOM:id for a custom rule, else the reason code; palloc'd. */
extern char *qts_walk_rule_name(const QtsExitProfile *profile, QtsExitRule rule, int custom);

#endif /* QTS_DB_WALK_ROWS_H */
