/*-------------------------------------------------------------------------
 *
 * stats.h
 *		Counters and latency histograms of the workers, lock-free.
 *
 * Histograms have fixed buckets: four per power of two of microseconds, so a
 * quantile is exact to 25 %.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_SHM_STATS_H
#define QTS_SHM_STATS_H

#include "postgres.h"

#include "port/atomics.h"

typedef enum QtsCounter
{
	QTS_COUNT_FRAMES,
	QTS_COUNT_FRAMES_MALFORMED, /* and records of readable ones */
	QTS_COUNT_FRAMES_SEALED,	/* that no key opened */
	QTS_COUNT_FEED_DROPS,
	QTS_COUNT_TICKS,		 /* decoded */
	QTS_COUNT_TICKS_REFUSED, /* not a price of the day */
	QTS_COUNT_TICKS_UNKNOWN, /* of a symbol nobody follows */
	QTS_COUNT_TICKS_REPEATED,
	QTS_COUNT_TICKS_LATE,
	QTS_COUNT_TICKS_SKEWED,
	QTS_COUNT_TICKS_LOST, /* by back-pressure or locked tables */
	QTS_COUNT_BOOKS,
	QTS_COUNT_BOOKS_REFUSED,
	QTS_COUNT_BOOKS_LOST,
	QTS_COUNT_EVALUATIONS,
	QTS_COUNT_STALE_HOLDS, /* evaluations not made for want of a fresh price */
	QTS_COUNT_INTENTS,
	QTS_COUNT_VERSION_CONFLICTS,
	QTS_COUNT_ORDERS_SENT, /* POSTs handed to the socket, attempts included */
	QTS_COUNT_ORDERS_ACCEPTED,
	QTS_COUNT_ORDERS_REJECTED,
	QTS_COUNT_ORDERS_REFUSED, /* provably not processed */
	QTS_COUNT_ORDERS_UNKNOWN,
	QTS_COUNT_CANCELS_SENT,
	QTS_COUNT_NOTICES,
	QTS_COUNT_NOTICES_REPEATED,
	QTS_COUNT_NOTICES_UNREAD,
	QTS_COUNT_FILLS,
	QTS_COUNT_LEDGER_READS,
	QTS_COUNT_BALANCE_READS,
	QTS_COUNT_OPEN_LISTS,
	QTS_COUNT_EXIT_EVENTS,
	QTS_COUNT_COUNT
} QtsCounter;

typedef enum QtsHistogramId
{
	QTS_HIST_TICK_TO_BOARD,	   /* frame readable -> board */
	QTS_HIST_TICK_TO_INTENT,   /* board -> exit intent committed */
	QTS_HIST_INTENT_TO_SEND,   /* intent created -> POST handed to the socket */
	QTS_HIST_BROKER,		   /* POST -> answer */
	QTS_HIST_ANSWER_TO_COMMIT, /* answer -> number committed */
	QTS_HIST_NOTICE_TO_COMMIT, /* notice readable -> fill committed */
	QTS_HIST_COUNT
} QtsHistogramId;

/* Reads of what shared memory holds, flushed by each process now and then: shm/reads.h. */
typedef enum QtsCache
{
	QTS_CACHE_PRICE,
	QTS_CACHE_BOOK,
	QTS_CACHE_COUNT
} QtsCache;

typedef enum QtsRead
{
	QTS_READ_HIT,	/* there, and fresh */
	QTS_READ_MISS,	/* not there */
	QTS_READ_STALE, /* there, too old */
	QTS_READ_COUNT
} QtsRead;

#define QTS_HIST_BUCKETS 112 /* up to 2^28 us */

typedef struct QtsHistogram
{
	pg_atomic_uint64 bucket[QTS_HIST_BUCKETS];
	pg_atomic_uint64 sum_us;
} QtsHistogram;

typedef struct QtsStats
{
	pg_atomic_uint64 counter[QTS_COUNT_COUNT];
	pg_atomic_uint64 reads[QTS_CACHE_COUNT][QTS_READ_COUNT];
	QtsHistogram hist[QTS_HIST_COUNT];
} QtsStats;

extern void qts_stats_init(QtsStats *stats);
extern void qts_count(QtsCounter counter, uint64 n);
extern void qts_observe(QtsHistogramId hist, int64 usec); /* negative: ignored */
extern uint64 qts_counter_value(QtsCounter counter);
extern uint64 qts_histogram_total(QtsHistogramId hist, uint64 *sum_us);

/* Upper bound in us of the bucket that holds the quantile (0..1); 0 without data. */
extern int64 qts_histogram_quantile(QtsHistogramId hist, double quantile);

extern const char *qts_counter_name(QtsCounter counter);
extern const char *qts_counter_help(QtsCounter counter);
extern const char *qts_histogram_name(QtsHistogramId hist);
extern const char *qts_histogram_help(QtsHistogramId hist);

#endif /* QTS_SHM_STATS_H */
