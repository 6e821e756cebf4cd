/*-------------------------------------------------------------------------
 *
 * naver.h
 *		The fallback source: asked when the broker does not answer, and to
 *		compare.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BGWORKERS_NAVER_H
#define QTS_BGWORKERS_NAVER_H

#include "postgres.h"

#include "shm/price_sync.h"
#include "utils/timestamp.h"

extern void qts_naver_close(void);

/* Take what was answered; ms until the next turn, -1 = none is due. */
extern long qts_naver_turn(int64 mono, TimestampTz now);

/* Ask for what the broker owes, and now and then for what is held; about once a second. */
extern void qts_naver_ask(bool closed, int64 mono, TimestampTz now);

extern void qts_naver_show(QtsPriceSync *shown);

#endif /* QTS_BGWORKERS_NAVER_H */
