/*-------------------------------------------------------------------------
 *
 * errcodes.h
 *		SQLSTATE class QT: one code per kind of refusal.
 *
 * QT003 and not 40001: drivers and poolers retry 40001 blindly.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_ERRCODES_H
#define QTS_ERRCODES_H

#include "utils/elog.h"

#define QTS_SQLSTATE(a, b, c) MAKE_SQLSTATE('Q', 'T', a, b, c)

#define QTS_ERRCODE_NOT_ACTIVE QTS_SQLSTATE('0', '0', '1')
#define QTS_ERRCODE_NOT_OWNER QTS_SQLSTATE('0', '0', '2')
#define QTS_ERRCODE_VERSION_CONFLICT QTS_SQLSTATE('0', '0', '3')
#define QTS_ERRCODE_ILLEGAL_TRANSITION QTS_SQLSTATE('0', '0', '4')
#define QTS_ERRCODE_NOT_AVAILABLE QTS_SQLSTATE('0', '0', '5')
#define QTS_ERRCODE_DUPLICATE_ACTION QTS_SQLSTATE('0', '0', '6')
#define QTS_ERRCODE_STALE_PRICE QTS_SQLSTATE('0', '0', '7')
#define QTS_ERRCODE_HALTED QTS_SQLSTATE('0', '0', '8')
#define QTS_ERRCODE_RISK_LIMIT QTS_SQLSTATE('0', '0', '9')
#define QTS_ERRCODE_FROZEN QTS_SQLSTATE('0', '1', '0')
#define QTS_ERRCODE_INVALID QTS_SQLSTATE('0', '1', '1')
#define QTS_ERRCODE_MARKET_CLOSED QTS_SQLSTATE('0', '1', '2')
#define QTS_ERRCODE_PRICE_STEP QTS_SQLSTATE('0', '1', '3')
#define QTS_ERRCODE_NOT_CONFIRMED QTS_SQLSTATE('0', '1', '4')
#define QTS_ERRCODE_TRADING_MODE QTS_SQLSTATE('0', '1', '5')
#define QTS_ERRCODE_BROKER_REJECTED QTS_SQLSTATE('1', '0', '1')
#define QTS_ERRCODE_BROKER_UNREACHABLE QTS_SQLSTATE('1', '0', '2')
#define QTS_ERRCODE_RATE_LIMITED QTS_SQLSTATE('1', '0', '3')
#define QTS_ERRCODE_BROKER_PROTOCOL QTS_SQLSTATE('1', '0', '4')
#define QTS_ERRCODE_BROKER_AUTH QTS_SQLSTATE('1', '0', '5')
#define QTS_ERRCODE_OUTCOME_UNKNOWN QTS_SQLSTATE('1', '0', '6')
#define QTS_ERRCODE_NOT_PRELOADED QTS_SQLSTATE('2', '0', '1')
#define QTS_ERRCODE_WRONG_DATABASE QTS_SQLSTATE('2', '0', '2')
#define QTS_ERRCODE_VERSION_MISMATCH QTS_SQLSTATE('2', '0', '3')
#define QTS_ERRCODE_FENCED QTS_SQLSTATE('2', '0', '4')
#define QTS_ERRCODE_CREDENTIALS QTS_SQLSTATE('2', '0', '5')
#define QTS_ERRCODE_INTERNAL QTS_SQLSTATE('9', '0', '1')

#endif /* QTS_ERRCODES_H */
