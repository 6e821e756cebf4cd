/*-------------------------------------------------------------------------
 *
 * metric.h
 *		A row of qts.metrics.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_DB_METRIC_H
#define QTS_DB_METRIC_H

#include "postgres.h"

#include "nodes/execnodes.h"

extern void qts_metric_put(ReturnSetInfo *result, const char *name, const char *labels, double value,
						   const char *help, const char *type);

#endif /* QTS_DB_METRIC_H */
