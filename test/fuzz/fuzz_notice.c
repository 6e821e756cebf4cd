/*-------------------------------------------------------------------------
 *
 * fuzz_notice.c
 *		Decrypted notice text: the first byte is the record count.
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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	QtsKisRecords records;
	QtsNotice notice;
	char *text;
	int n = 0;
	int count;

	if (size < 2)
		return 0;
	/* '1' in a readable seed is one record */
	count = data[0] - '0' > 0 ? data[0] - '0' : 1;
	text = malloc(size - 1);
	memcpy(text, data + 1, size - 1);
	if (qts_kis_records_open(&records, text, size - 1, count))
	{
		while (qts_kis_notice_next(&records, 1, &notice) == QTS_KIS_DECODED)
		{
			require(strlen(notice.account) == 11 && strlen(notice.odno) == QTS_ODNO_LEN);
			require(notice.kind != QTS_NOTICE_FILL || (notice.qty > 0 && notice.price > 0));
			require(notice.hhmmss >= 0 && notice.hhmmss <= 235959);
			n++;
		}
	}
	require(n <= count);
	free(text);
	return 0;
}
