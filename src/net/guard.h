/*-------------------------------------------------------------------------
 *
 * guard.h
 *		The only place where net/ knows which process it runs in.
 *
 * QTS_NET_CALL runs one library call with interrupts held and every signal
 * blocked.  The first keeps a callback from leaving through a library frame;
 * the second because threads a library starts (libcurl's resolver) inherit
 * the mask, and the server's handlers must never run in them.  Outside the
 * server (QTS_STANDALONE: unit tests, fuzzers) there are no interrupts.
 *
 * Include first: it may bring in postgres.h.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_NET_GUARD_H
#define QTS_NET_GUARD_H

#ifdef QTS_STANDALONE
#define QTS_NET_HOLD() ((void) 0)
#define QTS_NET_RESUME() ((void) 0)
#else
#include "postgres.h"
#include "miscadmin.h"
#define QTS_NET_HOLD() HOLD_INTERRUPTS()
#define QTS_NET_RESUME() RESUME_INTERRUPTS()
#endif

#include <pthread.h>
#include <signal.h>

#define QTS_NET_CALL(statement)                                                                              \
	do                                                                                                       \
	{                                                                                                        \
		sigset_t qts_all_;                                                                                   \
		sigset_t qts_old_;                                                                                   \
		sigfillset(&qts_all_);                                                                               \
		QTS_NET_HOLD();                                                                                      \
		pthread_sigmask(SIG_SETMASK, &qts_all_, &qts_old_);                                                  \
		statement;                                                                                           \
		pthread_sigmask(SIG_SETMASK, &qts_old_, NULL);                                                       \
		QTS_NET_RESUME();                                                                                    \
	} while (0)

#endif /* QTS_NET_GUARD_H */
