/*-------------------------------------------------------------------------
 *
 * net.h
 *		The one event set that nests every library socket of a process.
 *
 * A worker waits on qts_net_fd() beside its latch; qts_net_drain() then lets
 * the libraries do what is ready, without blocking.  Library callbacks run
 * with interrupts held and signals blocked (QTS_NET_CALL): they copy bytes
 * and set flags, never ereport, never palloc.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_NET_NET_H
#define QTS_NET_NET_H

#include <stdbool.h>
#include <stdint.h>

/* Once per process; false with a reason on failure.  Freed at process exit. */
extern bool qts_net_open(const char **why);
extern void qts_net_close(void);
extern int qts_net_fd(void);

/* One pass over everything ready.  mono = qts_mono_us(). */
extern void qts_net_drain(void);

/* ms after which drain must be called even if nothing becomes readable; -1 = none. */
extern long qts_net_timeout_ms(void);

/* CLOCK_MONOTONIC in microseconds. */
extern int64_t qts_mono_us(void);

#endif /* QTS_NET_NET_H */
