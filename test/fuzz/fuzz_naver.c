/*-------------------------------------------------------------------------
 *
 * fuzz_naver.c
 *		Fallback quotes: only rows that were asked for and can be believed.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "kis/kis_quote.h"
#include "kis/kis_text.h"
#include "naver/naver_quote.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool fact)
{
	if (!fact)
		abort();
}

static void
fuzz_texts(const char *text)
{
	int64_t value = 0;
	QtsTime at = qts_naver_instant(text);

	require(!qts_naver_number(text, &value) || strspn(text, "-+0123456789,") == strlen(text));
	require(at == QTS_TIME_NONE || strlen(text) >= strlen("2026-08-20T15:30:00+09:00"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	QtsQuoteRequest r = {.kind = QTS_QUOTE_PRICES, .symbols = 3, .symbol = {"005930", "000660", "Q500001"}};
	QtsQuoteEvent e = {0};
	QtsOutcome outcome = qts_naver_parse(&r, 200, (const char *) data, size, 42, &e);
	char text[64];

	require(outcome == QTS_OUTCOME_OK || (outcome == QTS_OUTCOME_UNKNOWN && e.count == 0));
	require(e.count <= r.symbols && e.refused >= 0);
	for (int i = 0; i < e.count; i++)
	{
		const QtsTick *t = &e.ticks[i];

		require(t->price > 0 && t->price <= QTS_KIS_MAX_PRICE && t->change < t->price &&
				t->change >= -QTS_KIS_MAX_PRICE && t->acml_volume >= 0 && t->acml_value >= 0 &&
				t->source == QTS_SOURCE_NAVER && t->recv_at == 42);
		for (int k = 0; k < i; k++)
			require(strcmp(t->symbol, e.ticks[k].symbol) != 0);
	}
	qts_quote_event_clear(&e);
	size = size < sizeof(text) - 1 ? size : sizeof(text) - 1;
	memcpy(text, data, size);
	text[size] = '\0';
	fuzz_texts(text);
	return 0;
}
