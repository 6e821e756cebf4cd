/*-------------------------------------------------------------------------
 *
 * exit_escalation.h
 *		Looks at how many of the watched prices are stale, and holds back what
 *		core/escalation.h says.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BGWORKERS_EXIT_ESCALATION_H
#define QTS_BGWORKERS_EXIT_ESCALATION_H

#include "postgres.h"

#include "utils/timestamp.h"

extern void qts_exit_escalation_start(void);

/*
 * A look at all watches, once a second at most; opens a transaction only to
 * change something.  Returns the time until the next one in us, -1 = there is
 * nothing to look at.
 */
extern int64 qts_exit_escalation_look(TimestampTz now);

#endif /* QTS_BGWORKERS_EXIT_ESCALATION_H */
