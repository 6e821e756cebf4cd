/*-------------------------------------------------------------------------
 *
 * books.h
 *		Order books in shared memory, ten levels a side.
 *
 * Same rules as the board: one writer, two copies of each book, readers never
 * block.  There is room for qts.max_books; the one unchanged for longest
 * makes room for a new symbol.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_SHM_BOOKS_H
#define QTS_SHM_BOOKS_H

#include "postgres.h"

#include "broker/quotes.h"

typedef struct QtsBoardBook
{
	QtsBook book;
	int64 age_ms;
	bool stale;
} QtsBoardBook;

extern Size qts_books_size(void);
extern void qts_books_attach(void);

/* Writer only; false when the symbol is not on the board or there is no room at all. */
extern bool qts_book_publish(const QtsBook *book);

/* Copy; false when there is none of this symbol. */
extern bool qts_book_read(const char *symbol, QtsBook *out);

/* Is it young enough to stand for the best prices at this instant? */
extern bool qts_book_fresh(const QtsBook *book, QtsTime now);

/* The same, judged now and counted as a read of the cache. */
extern bool qts_book_quote(const char *symbol, QtsBoardBook *out);

#endif /* QTS_SHM_BOOKS_H */
