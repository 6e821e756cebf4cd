/*-------------------------------------------------------------------------
 *
 * kis_quote.h
 *		Quotes by request: what is asked of KIS and what its answers hold.
 *
 * Bytes in, structs out; no I/O.  A row that cannot be read or believed is
 * refused and counted, the others are taken.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_KIS_QUOTE_H
#define QTS_KIS_QUOTE_H

#include "broker/quotes.h"
#include "kis/kis_answer.h"

/* False for a request that is not complete, or of a kind the environment does not have. */
extern bool
qts_kis_build_quote(QtsKisRequest *request, QtsEnvironment environment, const QtsQuoteRequest *quote);

/*
 * The answer to that request: rows malloc'd into the event, with their count
 * and how many were refused.  recv_at = when it was received.
 */
extern QtsKisVerdict qts_kis_parse_quote(const QtsQuoteRequest *quote, int http_status, const char *body,
										 size_t len, QtsTime recv_at, QtsQuoteEvent *event);

/* Free what a parser put there. */
extern void qts_quote_event_clear(QtsQuoteEvent *event);

/* Enter a level; one without price or quantity is none.  False: nonsense, refuse the book. */
extern bool qts_kis_book_add(QtsBook *book, bool ask, QtsKrw price, QtsQty qty);

#endif /* QTS_KIS_QUOTE_H */
