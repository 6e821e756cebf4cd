/*-------------------------------------------------------------------------
 *
 * point.h
 *		Named places where a test may stop, fail or kill a process.
 *
 * Nothing of it is in a release: built only with -DQTS_POINTS (test/chaos).
 * No server header here: library code has points too.  Those are named
 * "net.*" and must not be armed to fail, because nothing may throw there.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_SHM_POINT_H
#define QTS_SHM_POINT_H

#ifdef QTS_POINTS

#include <stddef.h>

extern void qts_point(const char *name);

/* Called first at every point of this process, if set: a test's own plan. */
extern void (*qts_point_hook)(const char *name);

/* Postmaster start-up. */
extern size_t qts_points_size(void);
extern void qts_points_attach(void);

/* How much faster intervals pass (QTS_HASTE in the server's environment): a test waits for few. */
extern int qts_point_haste(void);

#define QTS_POINT(name) qts_point(name)
#define QTS_HASTE qts_point_haste()

#else

#define QTS_POINT(name) ((void) 0)
#define QTS_HASTE 1

#endif
#endif /* QTS_SHM_POINT_H */
