/*-------------------------------------------------------------------------
 *
 * books.c
 *		Order books in shared memory, ten levels a side.
 *
 * The board's slot of a symbol leads to its book.  A book may change its
 * symbol while it is read: the copy says whose it is.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "port/atomics.h"
#include "storage/shmem.h"

#include "guc.h"
#include "shm/board.h"
#include "shm/books.h"
#include "shm/clock.h"
#include "shm/reads.h"

#define BOOK_TRIES 1000

typedef struct BookSlot
{
	pg_atomic_uint32 version; /* 0 = never; its last bit names the copy, as on the board */
	QtsBook copy[2];
} pg_attribute_aligned(PG_CACHE_LINE_SIZE) BookSlot;

typedef struct Books
{
	int used; /* writer only */
} Books;

static Books *books = NULL;
static pg_atomic_uint32 *book_of = NULL; /* by slot of the board: book + 1, 0 = none */
static BookSlot *slots = NULL;

Size
qts_books_size(void)
{
	Size size = MAXALIGN(sizeof(Books));

	size = add_size(size, mul_size(qts_guc.max_symbols, sizeof(pg_atomic_uint32)));
	size = add_size(size, mul_size(qts_guc.max_books, sizeof(BookSlot)));
	return add_size(size, sizeof(BookSlot)); /* alignment */
}

void
qts_books_attach(void)
{
	bool found;
	char *base = ShmemInitStruct("qts books", qts_books_size(), &found);

	books = (Books *) base;
	book_of = (pg_atomic_uint32 *) (base + MAXALIGN(sizeof(Books)));
	slots = (BookSlot *) TYPEALIGN(PG_CACHE_LINE_SIZE, (uintptr_t) (book_of + qts_guc.max_symbols));
	if (found)
		return;
	memset(base, 0, qts_books_size());
	for (int i = 0; i < qts_guc.max_symbols; i++)
		pg_atomic_init_u32(&book_of[i], 0);
	for (int i = 0; i < qts_guc.max_books; i++)
		pg_atomic_init_u32(&slots[i].version, 0);
}

/* The whole copy; for the writer. */
static QtsBook *
book_whole(int slot)
{
	return &slots[slot].copy[pg_atomic_read_u32(&slots[slot].version) & 1];
}

/* A book of its own for this symbol: a free one, or the oldest. */
static int
book_claim(int board_slot)
{
	int oldest = 0;
	int owner;

	if (qts_guc.max_books == 0)
		return -1;
	if (books->used < qts_guc.max_books)
		oldest = books->used++;
	else
	{
		for (int i = 1; i < books->used; i++)
			if (book_whole(i)->recv_at < book_whole(oldest)->recv_at)
				oldest = i;
		owner = qts_board_find(book_whole(oldest)->symbol);
		if (owner >= 0)
			pg_atomic_write_u32(&book_of[owner], 0);
	}
	pg_atomic_write_u32(&book_of[board_slot], oldest + 1);
	return oldest;
}

bool
qts_book_publish(const QtsBook *book)
{
	int board_slot = qts_board_find(book->symbol);
	int slot = board_slot < 0 ? -1 : (int) pg_atomic_read_u32(&book_of[board_slot]) - 1;
	uint32 next;

	if (board_slot >= 0 && slot < 0)
		slot = book_claim(board_slot);
	if (slot < 0)
		return false;
	next = pg_atomic_read_u32(&slots[slot].version) + 1;
	if (next == 0)
		next = 2;
	pg_write_barrier();
	slots[slot].copy[next & 1] = *book;
	pg_write_barrier();
	pg_atomic_write_u32(&slots[slot].version, next);
	return true;
}

bool
qts_book_read(const char *symbol, QtsBook *out)
{
	int board_slot = books == NULL ? -1 : qts_board_find(symbol);
	uint32 book = board_slot < 0 ? 0 : pg_atomic_read_u32(&book_of[board_slot]);
	BookSlot *from;

	if (book == 0)
		return false;
	from = &slots[book - 1];
	for (int i = 0; i < BOOK_TRIES; i++)
	{
		uint32 before = pg_atomic_read_u32(&from->version);

		if (before == 0)
			return false;
		pg_read_barrier();
		*out = from->copy[before & 1];
		pg_read_barrier();
		if (pg_atomic_read_u32(&from->version) == before)
			return strcmp(out->symbol, symbol) == 0;
	}
	return false;
}

/* A book is pushed when it changes or asked for like a price: it ages like one that is asked for. */
bool
qts_book_fresh(const QtsBook *book, QtsTime now)
{
	int64 age_ms = (now - book->recv_at) / QTS_MS;

	return age_ms >= -1000 && age_ms <= qts_stale_after_ms(QTS_SOURCE_KIS_REST, qts_board_trading(now));
}

bool
qts_book_quote(const char *symbol, QtsBoardBook *out)
{
	QtsTime now;

	if (!qts_book_read(symbol, &out->book))
	{
		qts_read_count(QTS_CACHE_BOOK, QTS_READ_MISS);
		return false;
	}
	now = qts_now();
	out->age_ms = (now - out->book.recv_at) / QTS_MS;
	out->stale = !qts_book_fresh(&out->book, now);
	qts_read_count(QTS_CACHE_BOOK, out->stale ? QTS_READ_STALE : QTS_READ_HIT);
	return true;
}
