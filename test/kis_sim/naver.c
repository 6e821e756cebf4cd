/*
 * naver.c
 *		The fallback quote source: /api/realtime/domestic/stock/{code,..}, without keys and
 *		without a call limit.  Numbers are texts with commas; raw twins by option.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

/* "14,990,890" */
static const char *
naver_commas(int64_t value, char *text, size_t size)
{
	char digits[24];
	size_t n;
	size_t at = 0;

	snprintf(digits, sizeof(digits), "%" PRId64, value);
	n = strlen(digits);
	for (size_t i = 0; i < n && at + 2 < size; i++)
	{
		if (i > 0 && (n - i) % 3 == 0 && digits[i - 1] != '-')
			text[at++] = ',';
		text[at++] = digits[i];
	}
	text[at] = '\0';
	return text;
}

static void
naver_number(QtsBuf *out, const char *name, int64_t value)
{
	char text[40];

	qts_buf_printf(out, ",\"%s\":\"%s\"", name, naver_commas(value, text, sizeof(text)));
	if (qts_options.naver_raw)
		qts_buf_printf(out, ",\"%sRaw\":\"%" PRId64 "\"", name, value);
}

static void
naver_row(QtsBuf *out, const QtsSymbol *s)
{
	static const char *const names[] = {"", "UPPER_LIMIT", "RISING", "UNCHANGED", "LOWER_LIMIT", "FALLING"};
	bool is_kosdaq = strcmp(s->market, "KOSDAQ") == 0;
	QtsPhase phase = qts_clock_phase();
	bool is_open = phase == QTS_PHASE_CONTINUOUS || phase == QTS_PHASE_OPENING || phase == QTS_PHASE_CLOSING;
	int sign = qts_market_sign(s, s->price);
	char stamp[40];

	qts_buf_printf(out, "{\"itemCode\":\"%s\",\"symbolCode\":\"%s\",\"stockName\":", s->code, s->code);
	qts_buf_json(out, s->name);
	qts_buf_printf(out,
				   ",\"stockExchangeType\":{\"code\":\"%s\",\"zoneId\":\"Asia/Seoul\",\"nationType\":\"KOR\","
				   "\"delayTime\":0,\"startTime\":\"0900\",\"endTime\":\"1530\",\"nameEng\":\"%s\"}",
				   is_kosdaq ? "KQ" : "KS", s->market);
	naver_number(out, "closePrice", s->price);
	naver_number(out, "compareToPreviousClosePrice", s->price - s->base);
	qts_buf_printf(out, ",\"compareToPreviousPrice\":{\"code\":\"%d\",\"text\":\"\",\"name\":\"%s\"}", sign,
				   names[sign]);
	qts_buf_printf(out, ",\"fluctuationsRatio\":\"%.2f\"",
				   s->base ? (double) (s->price - s->base) * 100.0 / (double) s->base : 0.0);
	if (s->open > 0)
	{
		naver_number(out, "openPrice", s->open);
		naver_number(out, "highPrice", s->high);
		naver_number(out, "lowPrice", s->low);
	}
	else
		qts_buf_text(out, ",\"openPrice\":\"-\",\"highPrice\":\"-\",\"lowPrice\":\"-\"");
	naver_number(out, "accumulatedTradingVolume", s->volume);
	qts_buf_printf(out, ",\"accumulatedTradingValue\":\"%" PRId64 "백만\"", s->amount / 1000000);
	if (qts_options.naver_raw)
		qts_buf_printf(out, ",\"accumulatedTradingValueRaw\":\"%" PRId64 "\"", s->amount);
	qts_clock_format(s->print_us ? s->print_us : qts_clock_now(), "%Y-%m-%dT%H:%M:%S+09:00", stamp,
					 sizeof(stamp));
	qts_buf_printf(out,
				   ",\"marketStatus\":\"%s\",\"localTradedAt\":\"%s\",\"tradeStopType\":{\"code\":\"%d\","
				   "\"text\":\"\",\"name\":\"%s\"}}",
				   is_open ? "OPEN" : "CLOSE", stamp, s->is_halted ? 2 : 1,
				   s->is_halted ? "HALTED" : "TRADING");
}

/* Codes that are not known are left out, as there. */
void
qts_naver_quote(const QtsReq *req, QtsResp *resp, const char *codes)
{
	QtsBuf *out = &resp->body;
	const char *separator = "";
	char code[16];

	qts_buf_text(out, "{\"pollingInterval\":7000,\"datas\":[");
	for (const char *at = codes; *at; at += strspn(at, ","))
	{
		size_t len = strcspn(at, ",");
		const QtsSymbol *symbol;

		snprintf(code, sizeof(code), "%.*s", (int) len, at);
		at += len;
		symbol = qts_quote_symbol(req, code);
		if (symbol == NULL)
			continue;
		qts_buf_text(out, separator);
		naver_row(out, symbol);
		separator = ",";
	}
	qts_buf_text(out, "],\"time\":\"\"}");
}
