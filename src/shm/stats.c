/*-------------------------------------------------------------------------
 *
 * stats.c
 *		Counters and latency histograms in shared memory.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "port/pg_bitutils.h"

#include "shm/shm.h"
#include "shm/stats.h"

static const char *const counter_names[QTS_COUNT_COUNT][2] = {
	[QTS_COUNT_FRAMES] = {"qts_frames_total", "Messages of the feeds"},
	[QTS_COUNT_FRAMES_MALFORMED] =
		{"qts_frames_malformed_total",
		 "Messages, and records of readable ones, that say nothing that can be believed"},
	[QTS_COUNT_FRAMES_SEALED] = {"qts_frames_undecryptable_total", "Encrypted messages that no key opened"},
	[QTS_COUNT_FEED_DROPS] = {"qts_feed_drops_total", "Connections of feeds that ended"},
	[QTS_COUNT_TICKS] = {"qts_ticks_total", "Trade ticks decoded"},
	[QTS_COUNT_TICKS_REFUSED] = {"qts_ticks_refused_total",
								 "Ticks with a price the day's limits do not allow"},
	[QTS_COUNT_TICKS_UNKNOWN] = {"qts_ticks_unknown_total", "Ticks of symbols nobody follows"},
	[QTS_COUNT_TICKS_REPEATED] = {"qts_ticks_repeated_total", "Ticks that said nothing new: only fresher"},
	[QTS_COUNT_TICKS_LATE] = {"qts_ticks_late_total", "Ticks older than what their source had said"},
	[QTS_COUNT_TICKS_SKEWED] = {"qts_ticks_skewed_total", "Ticks whose exchange time is not near ours"},
	[QTS_COUNT_TICKS_LOST] = {"qts_ticks_lost_total",
							  "Ticks dropped by back-pressure, or that waited in vain for locked tables"},
	[QTS_COUNT_BOOKS] = {"qts_books_total", "Order books received"},
	[QTS_COUNT_BOOKS_REFUSED] = {"qts_books_refused_total",
								 "Order books that are none: crossed, with gaps, beyond the limits"},
	[QTS_COUNT_BOOKS_LOST] = {"qts_books_lost_total", "Order books dropped by back-pressure"},
	[QTS_COUNT_EVALUATIONS] = {"qts_exit_evaluations_total", "Positions evaluated"},
	[QTS_COUNT_STALE_HOLDS] = {"qts_exit_stale_holds_total", "Evaluations held for want of a fresh price"},
	[QTS_COUNT_INTENTS] = {"qts_exit_intents_total", "Exit intents created by rules"},
	[QTS_COUNT_VERSION_CONFLICTS] = {"qts_exit_version_conflicts_total",
									 "Decisions dropped because the position had changed"},
	[QTS_COUNT_ORDERS_SENT] = {"qts_orders_sent_total", "Order POSTs handed to the socket"},
	[QTS_COUNT_ORDERS_ACCEPTED] = {"qts_orders_accepted_total", "Orders the broker accepted"},
	[QTS_COUNT_ORDERS_REJECTED] = {"qts_orders_rejected_total", "Orders the broker rejected"},
	[QTS_COUNT_ORDERS_REFUSED] = {"qts_orders_refused_total", "Sends that provably were not processed"},
	[QTS_COUNT_ORDERS_UNKNOWN] = {"qts_orders_unknown_total", "Sends without a usable answer"},
	[QTS_COUNT_CANCELS_SENT] = {"qts_cancels_sent_total", "Cancel POSTs handed to the socket"},
	[QTS_COUNT_NOTICES] = {"qts_notices_total", "Execution notices stored"},
	[QTS_COUNT_NOTICES_REPEATED] = {"qts_notices_repeated_total",
									"Fill notices identical to an earlier one, left to the ledger"},
	[QTS_COUNT_NOTICES_UNREAD] = {"qts_notices_unread_total",
								  "Execution notices that could not be read: the ledger told"},
	[QTS_COUNT_FILLS] = {"qts_fills_total", "Fills booked"},
	[QTS_COUNT_LEDGER_READS] = {"qts_ledger_reads_total", "Complete reads of the order ledger"},
	[QTS_COUNT_BALANCE_READS] = {"qts_balance_reads_total", "Complete reads of a balance"},
	[QTS_COUNT_OPEN_LISTS] = {"qts_open_lists_total", "Complete lists of open orders"},
	[QTS_COUNT_EXIT_EVENTS] = {"qts_exit_events_total", "Positions closed"},
};

static const char *const hist_names[QTS_HIST_COUNT][2] = {
	[QTS_HIST_TICK_TO_BOARD] = {"qts_tick_to_board_seconds",
								"Tick readable on the socket until on the board"},
	[QTS_HIST_TICK_TO_INTENT] = {"qts_tick_to_intent_seconds",
								 "Price on the board until the exit intent is committed"},
	[QTS_HIST_INTENT_TO_SEND] = {"qts_intent_to_send_seconds",
								 "Intent created until its POST is handed to the socket"},
	[QTS_HIST_BROKER] = {"qts_broker_order_seconds", "Order POST until its answer"},
	[QTS_HIST_ANSWER_TO_COMMIT] = {"qts_answer_to_commit_seconds",
								   "Answer until the broker's number is committed"},
	[QTS_HIST_NOTICE_TO_COMMIT] = {"qts_notice_to_commit_seconds",
								   "Fill notice readable until the fill is committed"},
};

void
qts_stats_init(QtsStats *stats)
{
	for (int i = 0; i < QTS_COUNT_COUNT; i++)
		pg_atomic_init_u64(&stats->counter[i], 0);
	for (int c = 0; c < QTS_CACHE_COUNT; c++)
		for (int r = 0; r < QTS_READ_COUNT; r++)
			pg_atomic_init_u64(&stats->reads[c][r], 0);
	for (int h = 0; h < QTS_HIST_COUNT; h++)
	{
		pg_atomic_init_u64(&stats->hist[h].sum_us, 0);
		for (int b = 0; b < QTS_HIST_BUCKETS; b++)
			pg_atomic_init_u64(&stats->hist[h].bucket[b], 0);
	}
}

void
qts_count(QtsCounter counter, uint64 n)
{
	pg_atomic_fetch_add_u64(&qts_shm->stats.counter[counter], n);
}

static int
hist_bucket(int64 usec)
{
	int power;
	int bucket;

	if (usec < 4)
		return (int) usec;
	power = pg_leftmost_one_pos64((uint64) usec);
	bucket = power * 4 + (int) ((usec >> (power - 2)) & 3) - 4;
	return Min(bucket, QTS_HIST_BUCKETS - 1);
}

/* Largest value of a bucket; inverse of hist_bucket. */
static int64
hist_bound(int bucket)
{
	int power = bucket / 4 + 1;
	int64 quarter;

	if (bucket < 4)
		return bucket;
	quarter = INT64CONST(1) << (power - 2);
	return (INT64CONST(1) << power) + quarter * (bucket % 4 + 1) - 1;
}

void
qts_observe(QtsHistogramId hist, int64 usec)
{
	if (usec < 0)
		return;
	pg_atomic_fetch_add_u64(&qts_shm->stats.hist[hist].bucket[hist_bucket(usec)], 1);
	pg_atomic_fetch_add_u64(&qts_shm->stats.hist[hist].sum_us, usec);
}

uint64
qts_counter_value(QtsCounter counter)
{
	return pg_atomic_read_u64(&qts_shm->stats.counter[counter]);
}

uint64
qts_histogram_total(QtsHistogramId hist, uint64 *sum_us)
{
	uint64 total = 0;

	for (int b = 0; b < QTS_HIST_BUCKETS; b++)
		total += pg_atomic_read_u64(&qts_shm->stats.hist[hist].bucket[b]);
	*sum_us = pg_atomic_read_u64(&qts_shm->stats.hist[hist].sum_us);
	return total;
}

int64
qts_histogram_quantile(QtsHistogramId hist, double quantile)
{
	uint64 sum_us;
	uint64 total = qts_histogram_total(hist, &sum_us);
	uint64 seen = 0;

	if (total == 0)
		return 0;
	for (int b = 0; b < QTS_HIST_BUCKETS; b++)
	{
		seen += pg_atomic_read_u64(&qts_shm->stats.hist[hist].bucket[b]);
		if ((double) seen >= quantile * (double) total)
			return hist_bound(b);
	}
	return hist_bound(QTS_HIST_BUCKETS - 1);
}

const char *
qts_counter_name(QtsCounter counter)
{
	return counter_names[counter][0];
}

const char *
qts_counter_help(QtsCounter counter)
{
	return counter_names[counter][1];
}

const char *
qts_histogram_name(QtsHistogramId hist)
{
	return hist_names[hist][0];
}

const char *
qts_histogram_help(QtsHistogramId hist)
{
	return hist_names[hist][1];
}
