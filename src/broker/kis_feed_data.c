/*-------------------------------------------------------------------------
 *
 * kis_feed_data.c
 *		Data frames into rings, and rings to the caller.
 *
 * A full ring of ticks or books loses its oldest entry and counts it: the
 * newest is what matters.  A notice is never lost here: before the ring could overflow
 * within one frame, reading stops and TCP holds the broker back.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "broker/kis_feed_int.h"
#include "core/session.h"

#define FEED_SEALED_MAX 3

bool
kis_feed_data_open(QtsFeed *feed)
{
	feed->ticks = malloc(FEED_TICKS * sizeof(QtsTick));
	feed->books = malloc(FEED_BOOKS * sizeof(QtsBook));
	feed->notice_ring = malloc(FEED_NOTICES * sizeof(QtsNotice));
	return feed->ticks && feed->books && feed->notice_ring;
}

void
kis_feed_drop_held(QtsFeed *feed)
{
	for (int i = 0; i < feed->held_count; i++)
		free(feed->held[i]);
	feed->held_count = 0;
}

void
kis_feed_data_close(QtsFeed *feed)
{
	kis_feed_drop_held(feed);
	qts_kis_cipher_close(&feed->cipher);
	if (feed->plain)
		explicit_bzero(feed->plain, feed->plain_size);
	free(feed->plain);
	free(feed->ticks);
	free(feed->books);
	free(feed->notice_ring);
}

static uint32_t
feed_notice_room(const QtsFeed *feed)
{
	return FEED_NOTICES - (feed->notice_head - feed->notice_tail);
}

/* Read only while any frame still fits. */
static void
feed_balance_reading(QtsFeed *feed)
{
	bool full = feed_notice_room(feed) < QTS_KIS_MAX_RECORDS;

	if (feed->ws && full != feed->paused)
	{
		feed->paused = full;
		qts_ws_pause(feed->ws, full);
	}
}

static void
feed_take_ticks(QtsFeed *feed, const QtsKisFrame *frame, int64_t mono)
{
	QtsKisRecords records;
	QtsKisDecode kind;

	if (!qts_kis_records_open(&records, frame->payload, frame->len, frame->count))
	{
		feed->counters.malformed++;
		return;
	}
	for (;;)
	{
		QtsTick *tick = &feed->ticks[feed->tick_head % FEED_TICKS];

		kind = qts_kis_tick_next(&records, mono + feed->clock_offset, tick);
		if (kind == QTS_KIS_END)
			return;
		if (kind == QTS_KIS_MALFORMED)
		{
			feed->counters.malformed++;
			continue;
		}
		tick->source = QTS_SOURCE_KIS_WS;
		feed->tick_head++;
		feed->counters.ticks++;
		/* one place stays free for the next to be read into */
		if (feed->tick_head - feed->tick_tail == FEED_TICKS)
		{
			feed->tick_tail++;
			feed->counters.overflow++;
		}
	}
}

static void
feed_take_books(QtsFeed *feed, const QtsKisFrame *frame, int64_t mono)
{
	QtsKisRecords records;
	QtsKisDecode kind;

	if (!qts_kis_records_open(&records, frame->payload, frame->len, frame->count))
	{
		feed->counters.malformed++;
		return;
	}
	for (;;)
	{
		kind = qts_kis_book_next(&records, mono + feed->clock_offset,
								 &feed->books[feed->book_head % FEED_BOOKS]);
		if (kind == QTS_KIS_END)
			return;
		feed->counters.malformed += kind == QTS_KIS_MALFORMED;
		feed->counters.books += kind == QTS_KIS_DECODED;
		feed->book_head += kind == QTS_KIS_DECODED;
		if (feed->book_head - feed->book_tail == FEED_BOOKS)
		{
			feed->book_tail++;
			feed->counters.books_lost++;
		}
	}
}

static void
feed_take_notices(QtsFeed *feed, const char *text, size_t len, int count, int64_t mono)
{
	QtsKisRecords records;
	QtsKisDecode kind = QTS_KIS_MALFORMED;

	if (qts_kis_records_open(&records, text, len, count))
	{
		while (feed_notice_room(feed) > 0 &&
			   (kind = qts_kis_notice_next(
					&records, mono, &feed->notice_ring[feed->notice_head % FEED_NOTICES])) == QTS_KIS_DECODED)
		{
			feed->notice_head++;
			feed->counters.notices++;
		}
	}
	feed->counters.malformed += kind == QTS_KIS_MALFORMED;
	feed->counters.unread += kind == QTS_KIS_MALFORMED;
	feed_balance_reading(feed);
}

/* No notice came of it.  A key that opens nothing is not ours any more: a new session has a new one. */
static void
feed_sealed(QtsFeed *feed)
{
	feed->counters.undecryptable++;
	feed->counters.unread++;
	if (++feed->sealed >= FEED_SEALED_MAX)
		feed->drop = "the key does not open the notices";
}

/* A frame may overtake the acknowledgement that carries its key (kis-api 5.3). */
static void
feed_hold(QtsFeed *feed, const char *text, size_t len)
{
	char *copy;

	if (feed->held_count >= FEED_HELD || len > FEED_HELD_SIZE || !(copy = malloc(len)))
	{
		feed_sealed(feed);
		return;
	}
	memcpy(copy, text, len);
	feed->held[feed->held_count] = copy;
	feed->held_len[feed->held_count++] = len;
}

static void
feed_decrypt(QtsFeed *feed, const QtsKisFrame *frame, int64_t mono)
{
	size_t need = frame->len / 4 * 3 + 16;
	long n;

	if (need > feed->plain_size)
	{
		char *buffer = malloc(need);

		if (!buffer)
		{
			feed_sealed(feed);
			return;
		}
		free(feed->plain);
		feed->plain = buffer;
		feed->plain_size = need;
	}
	n = qts_kis_decrypt(&feed->cipher, frame->payload, frame->len, feed->plain, feed->plain_size);
	if (n <= 0)
	{
		feed_sealed(feed);
		return;
	}
	feed->sealed = 0;
	feed_take_notices(feed, feed->plain, (size_t) n, frame->count, mono);
}

void
kis_feed_data(QtsFeed *feed, const char *text, size_t len, int64_t mono)
{
	QtsKisFrame frame;
	bool notice;

	if (!qts_kis_frame_split(text, len, &frame))
	{
		feed->counters.malformed++;
		return;
	}
	if (!frame.encrypted && strcmp(frame.tr_id, QTS_KIS_TR_TICK) == 0)
	{
		feed_take_ticks(feed, &frame, mono);
		return;
	}
	if (!frame.encrypted && strcmp(frame.tr_id, QTS_KIS_TR_BOOK) == 0)
	{
		feed_take_books(feed, &frame, mono);
		return;
	}
	notice = strcmp(frame.tr_id, qts_kis_notice_tr(feed->id.environment)) == 0;
	/* a notice in clear text is not the broker's way: it would be a forger's */
	if (!notice || !frame.encrypted)
		feed->counters.malformed += notice || frame.encrypted;
	else if (!feed->cipher.keyed)
		feed_hold(feed, text, len);
	else
		feed_decrypt(feed, &frame, mono);
}

void
kis_feed_release_held(QtsFeed *feed, int64_t mono)
{
	int count = feed->held_count;

	feed->held_count = 0;
	for (int i = 0; i < count; i++)
	{
		kis_feed_data(feed, feed->held[i], feed->held_len[i], mono);
		free(feed->held[i]);
	}
}

int
qts_kis_feed_ticks(QtsFeed *feed, QtsTick *ticks, int max)
{
	int n = 0;

	while (n < max && feed->tick_tail != feed->tick_head)
		ticks[n++] = feed->ticks[feed->tick_tail++ % FEED_TICKS];
	return n;
}

int
qts_kis_feed_books(QtsFeed *feed, QtsBook *books, int max)
{
	int n = 0;

	while (n < max && feed->book_tail != feed->book_head)
		books[n++] = feed->books[feed->book_tail++ % FEED_BOOKS];
	return n;
}

int
qts_kis_feed_notices(QtsFeed *feed, QtsNotice *notices, int max)
{
	int n = 0;

	while (n < max && feed->notice_tail != feed->notice_head)
		notices[n++] = feed->notice_ring[feed->notice_tail++ % FEED_NOTICES];
	feed_balance_reading(feed);
	return n;
}
