/*-------------------------------------------------------------------------
 *
 * fuzz_frame.c
 *		WebSocket messages: data frames, ticks, books, encrypted notices, control JSON.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "kis/kis_frame.h"
#include "kis/kis_text.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool fact)
{
	if (!fact)
		abort();
}

static void
fuzz_ticks(const QtsKisFrame *frame)
{
	QtsKisRecords records;
	QtsTick tick;
	int n = 0;

	if (!qts_kis_records_open(&records, frame->payload, frame->len, frame->count))
		return;
	while (qts_kis_tick_next(&records, 1, &tick) == QTS_KIS_DECODED)
	{
		require(tick.price > 0 && tick.price <= QTS_KIS_MAX_PRICE && tick.volume >= 0 && tick.bid >= 0 &&
				tick.ask >= 0 && tick.change < tick.price && tick.change >= -QTS_KIS_MAX_PRICE);
		require(strlen(tick.symbol) == 6 || strlen(tick.symbol) == QTS_SYMBOL_LEN);
		n++;
	}
	require(n <= frame->count);
}

static void
fuzz_books(const QtsKisFrame *frame)
{
	QtsKisRecords records;
	QtsKisDecode kind;
	QtsBook book;
	int n = 0;

	if (!qts_kis_records_open(&records, frame->payload, frame->len, frame->count))
		return;
	while ((kind = qts_kis_book_next(&records, 1, &book)) != QTS_KIS_END)
	{
		n++;
		if (kind == QTS_KIS_MALFORMED)
			continue;
		for (int i = 1; i < QTS_BOOK_LEVELS; i++)
		{
			require(book.ask[i].price == 0 || (book.ask[i - 1].price > 0 && book.ask[i].qty > 0 &&
											   book.ask[i].price > book.ask[i - 1].price));
			require(book.bid[i].price == 0 ||
					(book.bid[i].qty > 0 && book.bid[i].price < book.bid[i - 1].price));
		}
	}
	require(n == frame->count);
}

static void
fuzz_encrypted(const QtsKisFrame *frame)
{
	QtsKisCipher cipher = {0};
	QtsKisRecords records;
	QtsNotice notice;
	size_t size = frame->len / 4 * 3;
	char *out = malloc(size + 1);
	long n;

	qts_kis_cipher_key(&cipher, "abcdefghijklmnopabcdefghijklmnop", "0123456789abcdef");
	n = qts_kis_decrypt(&cipher, frame->payload, frame->len, out, size);
	require(n <= (long) size);
	if (n > 0 && qts_kis_records_open(&records, out, (size_t) n, frame->count))
	{
		while (qts_kis_notice_next(&records, 1, &notice) == QTS_KIS_DECODED)
			require(strlen(notice.account) == 11 && notice.qty >= 0);
	}
	qts_kis_cipher_close(&cipher);
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	QtsKisFrame frame;
	QtsKisControl control;
	/* an exact copy, so that a read past the end is seen */
	char *text = malloc(size ? size : 1);

	memcpy(text, data, size);
	if (qts_kis_frame_split(text, size, &frame))
	{
		require(frame.count >= 1 && frame.count <= QTS_KIS_MAX_RECORDS);
		require(frame.payload + frame.len == text + size);
		if (frame.encrypted)
			fuzz_encrypted(&frame);
		else
		{
			fuzz_ticks(&frame);
			fuzz_books(&frame);
		}
	}
	qts_kis_control_parse(text, size, &control);
	require(!control.has_key || strlen(control.key) == QTS_KIS_KEY_LEN);
	free(text);
	return 0;
}
