/*-------------------------------------------------------------------------
 *
 * core.h
 *		Units and limits shared by the pure core.
 *
 * The core includes no server header, does no I/O, reads no clock and
 * allocates nothing: callers pass values and buffers.  Every result is an
 * enum or a value; no function fails silently.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_CORE_H
#define QTS_CORE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Price or average price in 1/10 000 KRW. */
typedef int64_t QtsPrice;
#define QTS_PRICE_SCALE INT64_C(10000)
#define QTS_PRICE(krw) ((QtsPrice) (krw) *QTS_PRICE_SCALE)

/* Shares. */
typedef int64_t QtsQty;

/* Whole KRW (amounts, fees, exchange prices on the wire). */
typedef int64_t QtsKrw;

/* Ratio in parts per million: -3 % is -30000. */
typedef int64_t QtsPpm;
#define QTS_PPM INT64_C(1000000)

/* Microseconds since 2000-01-01 00:00 UTC: the server's timestamptz. */
typedef int64_t QtsTime;
#define QTS_MS INT64_C(1000)
#define QTS_SEC INT64_C(1000000)
#define QTS_MINUTE (60 * QTS_SEC)
#define QTS_HOUR (60 * QTS_MINUTE)
#define QTS_DAY (24 * QTS_HOUR)
#define QTS_TIME_NONE INT64_MIN

/* Days since 2000-01-01 in Asia/Seoul: the server's date. */
typedef int32_t QtsDate;

#define QTS_SYMBOL_LEN 7 /* longest code: ETN with its Q */

#endif /* QTS_CORE_CORE_H */
