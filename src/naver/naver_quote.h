/*-------------------------------------------------------------------------
 *
 * naver_quote.h
 *		The fallback quote source's wire format (kis-api 9.1).
 *
 * Bytes in, structs out; no I/O.  Nobody promises this format: whatever is
 * not exactly as expected is refused, row by row.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_NAVER_NAVER_QUOTE_H
#define QTS_NAVER_NAVER_QUOTE_H

#include "broker/quotes.h"

#define QTS_NAVER_HOST "https://polling.finance.naver.com"
#define QTS_NAVER_PATH_SIZE 512

/* Path of the prices asked for; false for any other question. */
extern bool qts_naver_build(char *path, size_t size, const QtsQuoteRequest *quote);

/* Rows malloc'd into the event, as in kis/; OK, or UNKNOWN when it is not an answer. */
extern QtsOutcome qts_naver_parse(const QtsQuoteRequest *quote, int http_status, const char *body, size_t len,
								  QtsTime recv_at, QtsQuoteEvent *event);

/* "14,990,890": groups of three, or no commas at all. */
extern bool qts_naver_number(const char *text, int64_t *out);

/* "2026-08-20T15:30:00+09:00"; QTS_TIME_NONE for anything else. */
extern QtsTime qts_naver_instant(const char *text);

#endif /* QTS_NAVER_NAVER_QUOTE_H */
