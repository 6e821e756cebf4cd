/*-------------------------------------------------------------------------
 *
 * board.c
 *		Seqlock price board with an insert-only hash of symbols.
 *
 * The hash has twice as many buckets as entries and open addressing; a
 * bucket is written once, key last, so readers need no lock.  The entry's
 * counter is odd while it is being written.  A reader that keeps meeting odd
 * or changed counters gives up after a bounded number of tries and reports
 * no price: a writer killed half-way takes the whole shared memory with it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "port/pg_bitutils.h"
#include "port/atomics.h"
#include "storage/shmem.h"

#include "guc.h"
#include "shm/board.h"
#include "shm/clock.h"

#define BOARD_TRIES 1000
/* an entry never shares a cache line, nor the pair that is fetched together */
#define BOARD_LINE 128

typedef struct BoardSlot
{
	pg_atomic_uint32 counter; /* even = stable, 0 = never published */
	QtsBoardEntry entry;
} pg_attribute_aligned(BOARD_LINE) BoardSlot;

typedef struct BoardBucket
{
	pg_atomic_uint64 key; /* the symbol's bytes; 0 = free */
	int slot;
} BoardBucket;

typedef struct Board
{
	pg_atomic_uint32 used;
	uint32 mask; /* buckets - 1 */
	pg_atomic_uint32 day_counter;
	QtsCalendarDay day;
} Board;

static Board *board = NULL;
static BoardBucket *buckets = NULL;
static BoardSlot *slots = NULL;

StaticAssertDecl(QTS_SYMBOL_LEN + 1 == sizeof(uint64), "a symbol fits one word");

static uint32
board_buckets(void)
{
	return pg_nextpower2_32((uint32) qts_guc.max_symbols * 2);
}

Size
qts_board_size(void)
{
	Size size = MAXALIGN(sizeof(Board));

	size = add_size(size, mul_size(board_buckets(), sizeof(BoardBucket)));
	size = add_size(size, mul_size(qts_guc.max_symbols, sizeof(BoardSlot)));
	return add_size(size, sizeof(BoardSlot)); /* alignment */
}

void
qts_board_attach(void)
{
	bool found;
	char *base = ShmemInitStruct("qts board", qts_board_size(), &found);

	board = (Board *) base;
	buckets = (BoardBucket *) (base + MAXALIGN(sizeof(Board)));
	slots = (BoardSlot *) TYPEALIGN(BOARD_LINE, (uintptr_t) (buckets + board_buckets()));
	if (found)
		return;
	memset(base, 0, qts_board_size());
	board->mask = board_buckets() - 1;
	pg_atomic_init_u32(&board->used, 0);
	pg_atomic_init_u32(&board->day_counter, 0);
	for (uint32 i = 0; i <= board->mask; i++)
		pg_atomic_init_u64(&buckets[i].key, 0);
	for (int i = 0; i < qts_guc.max_symbols; i++)
		pg_atomic_init_u32(&slots[i].counter, 0);
}

static uint64
board_key(const char *symbol)
{
	char bytes[sizeof(uint64)] = {0};
	uint64 key;

	for (int i = 0; i < QTS_SYMBOL_LEN && symbol[i] != '\0'; i++)
		bytes[i] = symbol[i];
	memcpy(&key, bytes, sizeof(key));
	return key;
}

/* Bucket that holds key, or the free one where it would go. */
static BoardBucket *
board_bucket(uint64 key)
{
	uint32 i = hash_bytes((const unsigned char *) &key, sizeof(key)) & board->mask;

	for (;;)
	{
		uint64 there = pg_atomic_read_u64(&buckets[i].key);

		if (there == key || there == 0)
			return &buckets[i];
		i = (i + 1) & board->mask;
	}
}

int
qts_board_find(const char *symbol)
{
	uint64 key = board_key(symbol);
	BoardBucket *bucket;

	if (key == 0)
		return -1;
	bucket = board_bucket(key);
	if (pg_atomic_read_u64(&bucket->key) == 0)
		return -1;
	pg_read_barrier();
	return bucket->slot;
}

int
qts_board_claim(const char *symbol)
{
	uint64 key = board_key(symbol);
	int slot = qts_board_find(symbol);
	BoardBucket *bucket;

	if (slot >= 0 || key == 0)
		return slot;
	slot = (int) pg_atomic_read_u32(&board->used);
	if (slot >= qts_guc.max_symbols)
		return -1;
	bucket = board_bucket(key);
	bucket->slot = slot;
	pg_atomic_write_u32(&board->used, slot + 1);
	pg_write_barrier(); /* the slot number before the key that shows it */
	pg_atomic_write_u64(&bucket->key, key);
	return slot;
}

void
qts_board_publish(int slot, const QtsBoardEntry *entry)
{
	BoardSlot *to = &slots[slot];
	uint32 counter = pg_atomic_read_u32(&to->counter);

	pg_atomic_write_u32(&to->counter, counter + 1);
	pg_write_barrier();
	to->entry = *entry;
	pg_write_barrier();
	/* zero means never published: skip it when the counter wraps */
	pg_atomic_write_u32(&to->counter, counter + 2 == 0 ? 2 : counter + 2);
}

uint32
qts_board_version(int slot)
{
	return pg_atomic_read_u32(&slots[slot].counter);
}

bool
qts_board_read(int slot, QtsBoardEntry *out)
{
	BoardSlot *from = &slots[slot];

	for (int i = 0; i < BOARD_TRIES; i++)
	{
		uint32 before = pg_atomic_read_u32(&from->counter);

		if (before == 0)
			return false;
		if (before & 1)
			continue;
		pg_read_barrier();
		*out = from->entry;
		pg_read_barrier();
		if (pg_atomic_read_u32(&from->counter) == before)
			return true;
	}
	return false;
}

void
qts_board_set_day(const QtsCalendarDay *day)
{
	uint32 counter = pg_atomic_read_u32(&board->day_counter);

	pg_atomic_write_u32(&board->day_counter, counter + 1);
	pg_write_barrier();
	board->day = *day;
	pg_write_barrier();
	pg_atomic_write_u32(&board->day_counter, counter + 2);
}

bool
qts_board_day(QtsCalendarDay *out)
{
	for (int i = 0; i < BOARD_TRIES; i++)
	{
		uint32 before = pg_atomic_read_u32(&board->day_counter);

		if (before == 0)
			return false;
		if (before & 1)
			continue;
		pg_read_barrier();
		*out = board->day;
		pg_read_barrier();
		if (pg_atomic_read_u32(&board->day_counter) == before)
			return true;
	}
	return false;
}

void
qts_board_judge(const QtsBoardEntry *entry, QtsTime now, QtsBoardQuote *out)
{
	QtsCalendarDay day;
	bool known = qts_board_day(&day) && day.date == qts_seoul_date(now);
	QtsSessionPhase phase = qts_session_phase(known ? &day : NULL, now);
	bool trading = phase != QTS_SESSION_CLOSED && phase != QTS_SESSION_UNKNOWN;

	out->quote = entry->quote;
	out->source = entry->source;
	out->halted = entry->halted;
	out->age_ms = (now - entry->quote.recv_at) / QTS_MS;
	/* a price from the future is a moved clock: as untrustworthy as an old one */
	out->stale = out->age_ms > qts_stale_after_ms(entry->source, trading) || out->age_ms < -1000;
	out->too_old = out->age_ms > qts_guc.exit_max_price_age || out->age_ms < -1000;
	out->in_session = qts_session_evaluates(phase);
}

bool
qts_board_quote(const char *symbol, QtsBoardQuote *out)
{
	QtsBoardEntry entry;
	int slot;

	if (board == NULL)
		return false;
	slot = qts_board_find(symbol);
	if (slot < 0 || !qts_board_read(slot, &entry))
		return false;
	qts_board_judge(&entry, qts_now(), out);
	return true;
}
