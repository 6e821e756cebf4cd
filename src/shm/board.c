/*-------------------------------------------------------------------------
 *
 * board.c
 *		Price board without locks, with an insert-only hash of symbols.
 *
 * The hash has twice as many buckets as entries and open addressing; a
 * bucket is written once, key last, so readers need no lock.  Each symbol has
 * two copies of its entry and a version that says which one is whole: the
 * writer fills the other and then moves the version.  A reader starts over
 * only when a publication came in between; a writer that loses its CPU, or
 * its life, half-way leaves the last price readable.
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
#include "shm/reads.h"

#define BOARD_TRIES 1000
/* an entry never shares a cache line, nor the pair that is fetched together */
#define BOARD_LINE 128

typedef struct BoardSlot
{
	pg_atomic_uint32 version; /* 0 = never published; its last bit names the copy */
	char symbol[QTS_SYMBOL_LEN + 1];
	QtsBoardEntry copy[2];
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
static pg_atomic_uint64 *changed = NULL; /* a bit per slot: published since the exit worker looked */

StaticAssertDecl(QTS_SYMBOL_LEN + 1 == sizeof(uint64), "a symbol fits one word");

static uint32
board_buckets(void)
{
	return pg_nextpower2_32((uint32) qts_guc.max_symbols * 2);
}

int
qts_board_words(void)
{
	return (qts_guc.max_symbols + 63) / 64;
}

Size
qts_board_size(void)
{
	Size size = MAXALIGN(sizeof(Board));

	size = add_size(size, mul_size(board_buckets(), sizeof(BoardBucket)));
	size = add_size(size, mul_size(qts_guc.max_symbols, sizeof(BoardSlot)));
	size = add_size(size, mul_size(qts_board_words(), sizeof(pg_atomic_uint64)));
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
	changed = (pg_atomic_uint64 *) (slots + qts_guc.max_symbols);
	if (found)
		return;
	memset(base, 0, qts_board_size());
	for (int i = 0; i < qts_board_words(); i++)
		pg_atomic_init_u64(&changed[i], 0);
	board->mask = board_buckets() - 1;
	pg_atomic_init_u32(&board->used, 0);
	pg_atomic_init_u32(&board->day_counter, 0);
	for (uint32 i = 0; i <= board->mask; i++)
		pg_atomic_init_u64(&buckets[i].key, 0);
	for (int i = 0; i < qts_guc.max_symbols; i++)
		pg_atomic_init_u32(&slots[i].version, 0);
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
	memcpy(slots[slot].symbol, &key, sizeof(key));
	pg_write_barrier(); /* the symbol before the count that shows it */
	pg_atomic_write_u32(&board->used, slot + 1);
	pg_write_barrier(); /* the slot number before the key that shows it */
	pg_atomic_write_u64(&bucket->key, key);
	return slot;
}

int
qts_board_used(void)
{
	int used = (int) pg_atomic_read_u32(&board->used);

	pg_read_barrier();
	return used;
}

const char *
qts_board_symbol(int slot)
{
	return slots[slot].symbol;
}

void
qts_board_publish(int slot, const QtsBoardEntry *entry)
{
	BoardSlot *to = &slots[slot];
	uint32 next = pg_atomic_read_u32(&to->version) + 1;

	/* zero means never published: skip it, and keep the turn of the copies, when the version wraps */
	if (next == 0)
		next = 2;
	pg_write_barrier(); /* who still reads that copy sees that the version has moved */
	to->copy[next & 1] = *entry;
	pg_write_barrier();
	pg_atomic_write_u32(&to->version, next);
	/* a full barrier: who takes the bit sees the version */
	pg_atomic_fetch_or_u64(&changed[slot / 64], UINT64CONST(1) << (slot % 64));
}

uint64
qts_board_take_changed(int word)
{
	return pg_atomic_read_u64(&changed[word]) == 0 ? 0 : pg_atomic_exchange_u64(&changed[word], 0);
}

uint32
qts_board_version(int slot)
{
	return pg_atomic_read_u32(&slots[slot].version);
}

bool
qts_board_read(int slot, QtsBoardEntry *out)
{
	BoardSlot *from = &slots[slot];

	for (int i = 0; i < BOARD_TRIES; i++)
	{
		uint32 before = pg_atomic_read_u32(&from->version);

		if (before == 0)
			return false;
		pg_read_barrier();
		*out = from->copy[before & 1];
		pg_read_barrier();
		if (pg_atomic_read_u32(&from->version) == before)
			return true;
	}
	return false;
}

bool
qts_board_last(int slot, QtsQuote *quote, QtsSource *source)
{
	BoardSlot *from = &slots[slot];

	for (int i = 0; i < BOARD_TRIES; i++)
	{
		uint32 before = pg_atomic_read_u32(&from->version);
		const QtsBoardEntry *entry = &from->copy[before & 1];

		if (before == 0)
			return false;
		pg_read_barrier();
		*source = entry->source;
		/* a torn source must not lead out of the array */
		if ((unsigned) *source < QTS_SOURCE_COUNT)
			*quote = entry->of[*source];
		pg_read_barrier();
		if (pg_atomic_read_u32(&from->version) == before)
			return (unsigned) *source < QTS_SOURCE_COUNT;
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

static QtsSessionPhase
board_phase(QtsTime now)
{
	QtsCalendarDay day;
	bool known = qts_board_day(&day) && day.date == qts_seoul_date(now);

	return qts_session_phase(known ? &day : NULL, now);
}

bool
qts_board_trading(QtsTime now)
{
	return qts_price_trading(board_phase(now));
}

bool
qts_board_judge(const QtsBoardEntry *entry, QtsTime now, QtsBoardUse use, QtsBoardQuote *out)
{
	QtsSessionPhase phase = board_phase(now);
	bool trading = qts_price_trading(phase);
	const QtsQuote *of = entry->of;
	QtsQuote own[QTS_SOURCE_COUNT];
	QtsSource source;

	if (use == QTS_BOARD_DECIDE && !qts_guc.naver_decides && of[QTS_SOURCE_NAVER].last > 0)
	{
		memcpy(own, of, sizeof(own));
		own[QTS_SOURCE_NAVER].last = 0;
		of = own;
	}
	source = qts_shown_source(of, now, trading);
	if (source == QTS_SOURCE_COUNT)
		return false;
	out->quote = of[source];
	out->source = source;
	out->halted = entry->halted;
	out->age_ms = (now - out->quote.recv_at) / QTS_MS;
	/* a price from the future is a moved clock: as untrustworthy as an old one */
	out->skewed = out->age_ms < -1000;
	out->stale = out->skewed || (!qts_quote_fresh(&out->quote, source, now, trading) &&
								 qts_best_source(of, now, trading) == QTS_SOURCE_COUNT);
	out->too_old = out->skewed || out->age_ms > qts_guc.exit_max_price_age;
	out->in_session = qts_session_evaluates(phase);
	return true;
}

bool
qts_board_quote(const char *symbol, QtsBoardUse use, QtsBoardQuote *out)
{
	QtsBoardEntry entry;
	int slot;

	if (board == NULL)
		return false;
	slot = qts_board_find(symbol);
	if (slot < 0 || !qts_board_read(slot, &entry) || !qts_board_judge(&entry, qts_now(), use, out))
	{
		qts_read_count(QTS_CACHE_PRICE, QTS_READ_MISS);
		return false;
	}
	qts_read_count(QTS_CACHE_PRICE, out->stale ? QTS_READ_STALE : QTS_READ_HIT);
	return true;
}
