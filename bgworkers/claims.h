/*-------------------------------------------------------------------------
 *
 * claims.h
 *		From a NEW intent to the socket: claim, commit, send once.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BGWORKERS_CLAIMS_H
#define QTS_BGWORKERS_CLAIMS_H

#include "sessions.h"

extern void qts_claims_start(void);

/*
 * A stop that needs no table: asked again after everything that may have
 * waited for a lock or a standby.  New settings are read between turns, so
 * settings about to change count as a stop.
 */
extern bool qts_account_stopped(QtsAccount *account);

/* Claim what may leave now and send it; true if there may be more for the next slot. */
extern bool qts_account_claim(QtsAccount *account, int64 mono);

#endif /* QTS_BGWORKERS_CLAIMS_H */
