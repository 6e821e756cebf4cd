/*-------------------------------------------------------------------------
 *
 * toplevel.h
 *		Commands that refuse to run inside a transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_DB_TOPLEVEL_H
#define QTS_DB_TOPLEVEL_H

#include "postgres.h"

/*
 * Run one command as a client at its prompt would, with the server's own
 * rights; no transaction may be open.  Waits at most lock_ms for a lock.
 * Returns NULL, or the error in the caller's memory context: what the command
 * had committed by then stays.
 */
extern ErrorData *qts_toplevel(const char *sql, int lock_ms);

#endif /* QTS_DB_TOPLEVEL_H */
