/*-------------------------------------------------------------------------
 *
 * fuzz_frame.c
 *		WebSocket messages: data frames, ticks, encrypted notices, control JSON.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "kis/kis_frame.h"

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
		require(tick.price > 0 && tick.volume >= 0 && tick.bid >= 0 && tick.ask >= 0);
		require(strlen(tick.symbol) == 6 || strlen(tick.symbol) == QTS_SYMBOL_LEN);
		n++;
	}
	require(n <= frame->count);
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
			fuzz_ticks(&frame);
	}
	qts_kis_control_parse(text, size, &control);
	require(!control.has_key || strlen(control.key) == QTS_KIS_KEY_LEN);
	free(text);
	return 0;
}
