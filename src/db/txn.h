/*-------------------------------------------------------------------------
 *
 * txn.h
 *		Transactions of the workers: the only place that starts one.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_DB_TXN_H
#define QTS_DB_TXN_H

#include "postgres.h"

/*
 * Begin with SPI connected and a snapshot.  Takes ACCESS SHARE on
 * system.engine without waiting; returns false, with no transaction open,
 * when the extension is not there or is being created, altered or dropped.
 */
extern bool qts_txn_begin(const char *activity);

/*
 * The same where the caller holds an answer that would be lost: an error
 * (QT001) instead of false.  The worker then starts afresh, and what has no
 * stored answer is UNKNOWN, as after a crash.
 */
extern void qts_txn_begin_must(const char *activity);

/* On disk, and with synchronous standbys on them, whatever synchronous_commit says. */
extern void qts_txn_commit(void);

/*
 * Did the last qts_txn_commit() reach the standbys it had to wait for?  False
 * when the wait was cut short: nothing may act on that commit outside the
 * database, because a promoted standby may not have it.
 */
extern bool qts_txn_commit_acked(void);

/*
 * Commit without waiting for the disk, where a crash may undo it because the
 * broker tells it again or the rows decide it again.  The next qts_txn_flush()
 * or qts_txn_commit() that wrote something takes it along.
 */
extern void qts_txn_commit_soon(void);

/* Returns when every qts_txn_commit_soon() is where qts_txn_commit() would have it. */
extern void qts_txn_flush(void);

/* Commit without waiting for the disk: ticks, heartbeats, never money. */
extern void qts_txn_commit_async(void);

/* On this server's disk only: what must be told though no standby answers. */
extern void qts_txn_commit_local(void);

/* The context that was current before qts_txn_begin: what is put there outlives the commit. */
extern MemoryContext qts_txn_caller_cxt(void);

/*
 * Run body, whose transactions wait no longer than this for a lock.  False
 * when one waited in vain: that transaction is undone, and body was left in
 * its middle.
 */
extern bool qts_txn_guard(void (*body)(void *), void *arg, int wait_ms);

/*
 * Run body, which begins and ends transactions.  An error, a copy in the
 * caller's context, undoes the one it happened in and ends body there; else NULL.
 */
extern ErrorData *qts_txn_try(void (*body)(void *), void *arg);

/* Undo everything since qts_txn_begin, quietly. */
extern void qts_txn_rollback(void);

#endif /* QTS_DB_TXN_H */
