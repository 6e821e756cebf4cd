/*-------------------------------------------------------------------------
 *
 * quote_test.c
 *		Quotes by request: what is asked, and what is believed of the answers.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/session.h"
#include "kis/kis_quote.h"
#include "kis/kis_text.h"
#include "naver/naver_quote.h"
#include "tap.h"

#define NOW (INT64_C(9820) * QTS_DAY + 3 * QTS_HOUR) /* 12:00 in Seoul */
#define ENVELOPE "\"rt_cd\":\"0\",\"msg_cd\":\"MCA00000\",\"msg1\":\"ok\""

static QtsQuoteRequest
request(QtsQuoteKind kind, int symbols)
{
	static const char *const codes[] = {"005930", "000660", "Q500001", "0001A0"};
	QtsQuoteRequest r = {.kind = kind, .tag = 7, .symbols = symbols};

	for (int i = 0; i < symbols && i < 4; i++)
		strcpy(r.symbol[i], codes[i]);
	return r;
}

static QtsKisVerdict
parse(const QtsQuoteRequest *r, int status, const char *body, QtsQuoteEvent *event)
{
	memset(event, 0, sizeof(*event));
	return qts_kis_parse_quote(r, status, body, strlen(body), NOW, event);
}

static void
test_requests(void)
{
	QtsQuoteRequest r = request(QTS_QUOTE_PRICES, 1);
	QtsKisRequest wire;

	ok(qts_kis_build_quote(&wire, QTS_ENV_LIVE, &r) && wire.body_len == 0, "one price");
	tap_is_text(
		wire.path,
		"/uapi/domestic-stock/v1/quotations/inquire-price?FID_COND_MRKT_DIV_CODE=J&FID_INPUT_ISCD=005930",
		"its path");
	tap_is_text(wire.tr_id, "FHKST01010100", "its id");
	r = request(QTS_QUOTE_PRICES, 2);
	ok(qts_kis_build_quote(&wire, QTS_ENV_PAPER, &r), "two prices");
	tap_is_text(
		wire.path,
		"/uapi/domestic-stock/v1/quotations/intstock-multprice?FID_COND_MRKT_DIV_CODE_1=J&FID_INPUT_ISCD_1="
		"005930&FID_COND_MRKT_DIV_CODE_2=J&FID_INPUT_ISCD_2=000660",
		"in one request");
	tap_is_text(wire.tr_id, "FHKST11300006", "its id, on paper too");
	r.symbols = QTS_QUOTE_SYMBOLS;
	for (int i = 0; i < QTS_QUOTE_SYMBOLS; i++)
		snprintf(r.symbol[i], sizeof(r.symbol[i]), "Q%06u", (unsigned) i % 1000000U);
	ok(qts_kis_build_quote(&wire, QTS_ENV_LIVE, &r) && strstr(wire.path, "FID_INPUT_ISCD_30=Q000029"),
	   "thirty fit");
	r.symbols = 0;
	ok(!qts_kis_build_quote(&wire, QTS_ENV_LIVE, &r), "none is no question");
	r.symbols = QTS_QUOTE_SYMBOLS + 1;
	ok(!qts_kis_build_quote(&wire, QTS_ENV_LIVE, &r), "too many");
	r = request(QTS_QUOTE_PRICES, 2);
	strcpy(r.symbol[1], "0059\n0");
	ok(!qts_kis_build_quote(&wire, QTS_ENV_LIVE, &r), "not a symbol");
	r = request(QTS_QUOTE_BOOK, 1);
	ok(qts_kis_build_quote(&wire, QTS_ENV_LIVE, &r) && strstr(wire.path, "inquire-asking-price-exp-ccn?"),
	   "a book");
	tap_is_text(wire.tr_id, "FHKST01010200", "its id");
	r = request(QTS_QUOTE_DAILY_BARS, 1);
	(void) qts_date_from_yyyymmdd(20261102, &r.from);
	(void) qts_date_from_yyyymmdd(20261120, &r.to);
	ok(qts_kis_build_quote(&wire, QTS_ENV_LIVE, &r) &&
		   strstr(wire.path, "FID_INPUT_DATE_1=20261102&FID_INPUT_DATE_2=20261120&FID_PERIOD_DIV_CODE=D&"
							 "FID_ORG_ADJ_PRC=1"),
	   "bars as traded");
	r.adjusted = true;
	ok(qts_kis_build_quote(&wire, QTS_ENV_LIVE, &r) && strstr(wire.path, "FID_ORG_ADJ_PRC=0"),
	   "adjusted bars");
	r.from = r.to + 1;
	ok(!qts_kis_build_quote(&wire, QTS_ENV_LIVE, &r), "no day at all");
	r = request(QTS_QUOTE_TRADING_DAYS, 0);
	(void) qts_date_from_yyyymmdd(20261120, &r.from);
	ok(qts_kis_build_quote(&wire, QTS_ENV_SIM, &r) && strstr(wire.path, "chk-holiday?BASS_DT=20261120&"),
	   "trading days");
	ok(!qts_kis_build_quote(&wire, QTS_ENV_PAPER, &r), "which paper does not have");
}

/* Runtime 3.1. */
static void
test_change(void)
{
	static const struct
	{
		int64_t change;
		char sign;
		int rate;
		int64_t want;
	} cases[] = {
		{500, '2', 1, 500},		{500, '1', 1, 500},	   {0, '3', 0, 0},		 {500, '5', -1, -500},
		{500, '4', -1, -500},	{-500, '5', -1, -500}, {-500, '4', 1, -500}, {500, '5', 1, -500},
		{500, '2', -1, -500},	{-500, '2', 1, 500},   {-500, '2', 0, -500}, {500, '\0', -1, -500},
		{-500, '\0', -1, -500},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		tap_is(qts_kis_change(cases[i].change, cases[i].sign, cases[i].rate), cases[i].want, "signed change");
}

static void
test_single(void)
{
	QtsQuoteRequest r = request(QTS_QUOTE_PRICES, 1);
	QtsQuoteEvent e;
	QtsKisVerdict v =
		parse(&r, 200,
			  "{\"output\":{\"stck_prpr\":\"75700\",\"prdy_vrss\":\"1600\",\"prdy_vrss_sign\":\"5\","
			  "\"prdy_ctrt\":\"-2.07\",\"acml_vol\":\"14598755\",\"acml_tr_pbmn\":\"1109351578979\","
			  "\"stck_mxpr\":\"100400\",\"stck_llam\":\"54200\",\"temp_stop_yn\":\"Y\"}," ENVELOPE "}",
			  &e);

	ok(v.outcome == QTS_OUTCOME_OK && e.count == 1 && e.refused == 0, "one price");
	if (e.count == 1)
		ok(strcmp(e.ticks[0].symbol, "005930") == 0 && e.ticks[0].price == 75700 &&
			   e.ticks[0].change == -1600 && e.ticks[0].acml_volume == 14598755 && e.ticks[0].halted &&
			   e.ticks[0].bid == 0 && e.ticks[0].exch_at == QTS_TIME_NONE && e.ticks[0].recv_at == NOW &&
			   e.ticks[0].source == QTS_SOURCE_KIS_REST,
		   "all of it");
	qts_quote_event_clear(&e);
	v = parse(&r, 200, "{\"output\":{\"stck_prpr\":\"0\"}," ENVELOPE "}", &e);
	ok(v.outcome == QTS_OUTCOME_OK && e.count == 0 && e.refused == 1, "an unknown code has no price");
	qts_quote_event_clear(&e);
	v = parse(&r, 500, "{\"rt_cd\":\"1\",\"msg_cd\":\"EGW00201\",\"msg1\":\"\"}", &e);
	ok(v.outcome == QTS_OUTCOME_NOT_PROCESSED && v.follow == QTS_KIS_FOLLOW_RATE && !e.ticks, "too fast");
	v = parse(&r, 200, "{\"rt_cd\":\"1\",\"msg_cd\":\"EGW00201\",\"msg1\":\"\"}", &e);
	ok(v.outcome == QTS_OUTCOME_NOT_PROCESSED && v.follow == QTS_KIS_FOLLOW_RATE, "too fast, said with 200");
	v = parse(&r, 200, "{" ENVELOPE "}", &e);
	ok(v.outcome == QTS_OUTCOME_UNKNOWN && e.count == 0, "no rows");
	v = parse(&r, 502, "<html>", &e);
	ok(v.outcome == QTS_OUTCOME_UNKNOWN && e.count == 0, "not JSON");
}

/* Rows that must be refused, one at a time between two good ones. */
static void
test_multi(void)
{
	static const struct
	{
		const char *row;
		const char *name;
	} bad[] = {
		{"{\"inter_shrn_iscd\":\"000660\",\"inter2_prpr\":\"0\"}", "no price"},
		{"{\"inter_shrn_iscd\":\"000660\",\"inter2_prpr\":\"-100\"}", "a negative price"},
		{"{\"inter_shrn_iscd\":\"000660\",\"inter2_prpr\":\"\"}", "an empty price"},
		{"{\"inter_shrn_iscd\":\"000660\",\"inter2_prpr\":\"12a\"}", "not a number"},
		{"{\"inter_shrn_iscd\":\"000660\",\"inter2_prpr\":\"99999999999999999999\"}", "beyond any number"},
		{"{\"inter_shrn_iscd\":\"000660\",\"inter2_prpr\":[1]}", "a price that is a list"},
		{"{\"inter_shrn_iscd\":\"000660\",\"inter2_prpr\":\"1001\",\"inter2_mxpr\":\"1000\"}",
		 "above the limit"},
		{"{\"inter_shrn_iscd\":\"000660\",\"inter2_prpr\":\"799\",\"inter2_llam\":\"800\"}",
		 "below the limit"},
		{"{\"inter_shrn_iscd\":\"000660\",\"inter2_prpr\":\"900\",\"inter2_bidp\":\"x\"}",
		 "a bid that is none"},
		{"{\"inter_shrn_iscd\":\"000660\",\"inter2_prpr\":\"900\",\"acml_vol\":\"-1\"}", "a negative volume"},
		{"{\"inter_shrn_iscd\":\"005930\",\"inter2_prpr\":\"70000\"}", "a symbol twice"},
		{"{\"inter_shrn_iscd\":\"035720\",\"inter2_prpr\":\"40000\"}", "a symbol nobody asked for"},
		{"{\"inter2_prpr\":\"40000\"}", "no symbol"},
		{"{}", "nothing"},
		{"null", "null"},
		{"[]", "a list for a row"},
	};
	QtsQuoteRequest r = request(QTS_QUOTE_PRICES, 3);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		char body[1024];
		QtsQuoteEvent e;
		QtsKisVerdict v;

		snprintf(body, sizeof(body),
				 "{\"output\":[{\"inter_shrn_iscd\":\"005930\",\"inter2_prpr\":\"70100\","
				 "\"inter2_prdy_vrss\":\"100\",\"prdy_vrss_sign\":\"2\",\"prdy_ctrt\":\"0.14\","
				 "\"inter2_bidp\":\"70000\",\"inter2_askp\":\"70100\",\"inter2_mxpr\":\"91000\","
				 "\"inter2_llam\":\"49000\",\"acml_vol\":\"5\",\"acml_tr_pbmn\":\"350500\"},%s,"
				 "{\"inter_shrn_iscd\":\"Q500001\",\"inter2_prpr\":\"9000\"}]," ENVELOPE "}",
				 bad[i].row);
		v = parse(&r, 200, body, &e);
		ok(v.outcome == QTS_OUTCOME_OK && e.count == 2 && e.refused == 1 &&
			   strcmp(e.ticks[1].symbol, "Q500001") == 0 && e.ticks[0].bid == 70000 &&
			   e.ticks[0].ask == 70100 && e.ticks[0].change == 100 && e.ticks[0].acml_value == 350500 &&
			   e.ticks[0].lower == 49000 && e.ticks[0].upper == 91000 && e.ticks[1].upper == 0,
		   "refused: %s", bad[i].name);
		qts_quote_event_clear(&e);
	}
}

static void
test_book(void)
{
	QtsQuoteRequest r = request(QTS_QUOTE_BOOK, 1);
	QtsQuoteEvent e;
	QtsKisVerdict v =
		parse(&r, 200,
			  "{\"output1\":{\"aspr_acpt_hour\":\"115959\",\"askp1\":\"70300\",\"askp_rsqn1\":\"3\","
			  "\"askp2\":\"70100\",\"askp_rsqn2\":\"1\",\"askp3\":\"0\",\"askp_rsqn3\":\"9\","
			  "\"askp4\":\"70200\",\"askp_rsqn4\":\"2\",\"askp5\":\"70050\",\"askp_rsqn5\":\"0\","
			  "\"bidp1\":\"69900\",\"bidp_rsqn1\":\"5\",\"bidp2\":\"70000\",\"bidp_rsqn2\":\"4\"},"
			  "\"output2\":{\"stck_shrn_iscd\":\"005930\"}," ENVELOPE "}",
			  &e);

	ok(v.outcome == QTS_OUTCOME_OK && e.count == 1 && e.refused == 0, "a book");
	if (e.count == 1)
	{
		const QtsBook *b = e.books;

		ok(b->ask[0].price == 70100 && b->ask[1].price == 70200 && b->ask[2].price == 70300 &&
			   b->ask[2].qty == 3 && b->ask[3].price == 0,
		   "asks, best first, without empty levels");
		ok(b->bid[0].price == 70000 && b->bid[0].qty == 4 && b->bid[1].price == 69900 && b->bid[2].price == 0,
		   "bids, best first");
		tap_is(b->exch_at, NOW - QTS_SEC, "its time");
	}
	qts_quote_event_clear(&e);
	(void) parse(&r, 200,
				 "{\"output1\":{\"aspr_acpt_hour\":\"200000\",\"askp1\":\"70300\",\"askp_rsqn1\":\"3\"},"
				 "\"output2\":{}," ENVELOPE "}",
				 &e);
	ok(e.count == 1 && e.books[0].exch_at == NOW - 16 * QTS_HOUR, "last night's");
	qts_quote_event_clear(&e);
	(void) parse(&r, 200,
				 "{\"output1\":{\"askp1\":\"70300\",\"askp_rsqn1\":\"3\"},"
				 "\"output2\":{\"stck_shrn_iscd\":\"000660\"}," ENVELOPE "}",
				 &e);
	ok(e.count == 0 && e.refused == 1, "another symbol's book");
	qts_quote_event_clear(&e);
	(void) parse(&r, 200,
				 "{\"output1\":{\"askp1\":\"70300\",\"askp_rsqn1\":\"3\",\"askp2\":\"70300\","
				 "\"askp_rsqn2\":\"3\"},\"output2\":{}," ENVELOPE "}",
				 &e);
	ok(e.count == 0 && e.refused == 1, "a price twice");
	qts_quote_event_clear(&e);
	(void) parse(&r, 200, "{\"output1\":{\"askp1\":\"-5\",\"askp_rsqn1\":\"3\"},\"output2\":{}," ENVELOPE "}",
				 &e);
	ok(e.count == 0 && e.refused == 1, "a negative level");
	qts_quote_event_clear(&e);
}

#define BAR(d, o, h, l, c, n)                                                                                \
	"{\"stck_bsop_date\":\"" d "\",\"stck_oprc\":\"" o "\",\"stck_hgpr\":\"" h "\",\"stck_lwpr\":\"" l       \
	"\",\"stck_clpr\":\"" c "\",\"acml_vol\":\"" n "\",\"acml_tr_pbmn\":\"\"}"

static void
test_bars(void)
{
	QtsQuoteRequest r = request(QTS_QUOTE_DAILY_BARS, 1);
	QtsQuoteEvent e;
	QtsDate halted;
	QtsKisVerdict v;

	(void) qts_date_from_yyyymmdd(20261101, &r.from);
	(void) qts_date_from_yyyymmdd(20261120, &r.to);
	(void) qts_date_from_yyyymmdd(20261118, &halted);
	v = parse(&r, 200,
			  "{\"output1\":{},\"output2\":[" BAR("20261120", "100", "120", "90", "110", "5") ",{}," BAR(
				  "20261119", "100", "105", "90", "110",
				  "5") "," BAR("20261118", "0", "0", "0", "110",
							   "0") "," BAR("20261119", "100", "120", "90", "110",
											"5") "," BAR("20261001", "1", "1", "1", "1",
														 "1") "," BAR("20261117", "0", "120", "0", "110",
																	  "5") "," BAR("20261332", "1", "1", "1",
																				   "1", "1") "]," ENVELOPE
																							 "}",
			  &e);
	ok(v.outcome == QTS_OUTCOME_OK && e.count == 2 && e.refused == 5,
	   "close above the high, out of order, out of the window, low of nothing, no date: refused");
	if (e.count == 2)
	{
		ok(e.bars[0].at == qts_seoul_instant(r.to, 0) && e.bars[0].high == 120 && e.bars[0].volume == 5 &&
			   e.bars[0].value == -1,
		   "a bar at the day's first instant, its value not told");
		ok(e.bars[1].at == qts_seoul_instant(halted, 0) && e.bars[1].open == 0 && e.bars[1].close == 110,
		   "a day without trades");
	}
	qts_quote_event_clear(&e);
	v = parse(&r, 200, "{\"output1\":{},\"output2\":[]," ENVELOPE "}", &e);
	ok(v.outcome == QTS_OUTCOME_OK && e.count == 0 && e.refused == 0, "no bars in the window");
	qts_quote_event_clear(&e);
	v = parse(&r, 200, "{\"output1\":{}," ENVELOPE "}", &e);
	ok(v.outcome == QTS_OUTCOME_UNKNOWN, "no list of bars");
	qts_quote_event_clear(&e);
}

static void
test_days(void)
{
	QtsQuoteRequest r = request(QTS_QUOTE_TRADING_DAYS, 0);
	QtsQuoteEvent e;
	QtsKisVerdict v;

	(void) qts_date_from_yyyymmdd(20260110, &r.from);
	v = parse(&r, 200,
			  "{\"output\":[{\"bass_dt\":\"20260110\",\"opnd_yn\":\"N\"},{\"bass_dt\":\"20260112\","
			  "\"opnd_yn\":\"Y\"},{\"bass_dt\":\"20260113\",\"opnd_yn\":\"\"},{\"bass_dt\":\"20260111\","
			  "\"opnd_yn\":\"Y\"}]," ENVELOPE "}",
			  &e);
	ok(v.outcome == QTS_OUTCOME_OK && e.count == 2 && e.refused == 2 && !e.days[0].open && e.days[1].open &&
		   e.days[1].date == r.from + 2,
	   "what is not said is not guessed, and days go forward");
	qts_quote_event_clear(&e);
}

static void
test_naver_texts(void)
{
	static const struct
	{
		const char *text;
		bool good;
		int64_t value;
	} numbers[] = {
		{"268,500", true, 268500}, {"14,990,890", true, 14990890},
		{"500", true, 500},		   {"1234", true, 1234},
		{"-1,500", true, -1500},   {"0", true, 0},
		{"1,23", false, 0},		   {"1,2345", false, 0},
		{"1234,567", false, 0},	   {",500", false, 0},
		{"5,", false, 0},		   {"", false, 0},
		{"12.5", false, 0},		   {"3조", false, 0},
		{"-", false, 0},		   {"99999999999999999999", false, 0},
	};
	static const char *const bad[] = {"",
									  "2026-08-20",
									  "2026-08-20T15:30:00",
									  "2026-08-20T15:30:00Z",
									  "2026-08-20T15:30:00+00:00",
									  "2026-13-20T15:30:00+09:00",
									  "2026-08-20T25:30:00+09:00",
									  "2026-08-20T15:30:00+09:00x"};
	QtsDate day;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
	{
		int64_t value = 0;

		ok(qts_naver_number(numbers[i].text, &value) == numbers[i].good && value == numbers[i].value,
		   "number \"%s\"", numbers[i].text);
	}
	(void) qts_date_from_yyyymmdd(20260820, &day);
	tap_is(qts_naver_instant("2026-08-20T15:30:01+09:00"),
		   qts_seoul_instant(day, 15 * QTS_HOUR + 30 * QTS_MINUTE + QTS_SEC), "an instant");
	tap_is(qts_naver_instant("2026-08-20T15:30:01.123+09:00"),
		   qts_seoul_instant(day, 15 * QTS_HOUR + 30 * QTS_MINUTE + QTS_SEC), "with a fraction");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(qts_naver_instant(bad[i]) == QTS_TIME_NONE, "no instant: \"%s\"", bad[i]);
}

static void
test_naver(void)
{
	QtsQuoteRequest r = request(QTS_QUOTE_PRICES, 3);
	QtsQuoteEvent e = {0};
	char path[QTS_NAVER_PATH_SIZE];
	const char *body =
		"{\"pollingInterval\":7000,\"datas\":["
		"{\"itemCode\":\"005930\",\"closePrice\":\"268,500\",\"compareToPreviousClosePrice\":\"-21,000\","
		"\"compareToPreviousPrice\":{\"code\":\"2\"},\"accumulatedTradingVolume\":\"14,990,890\","
		"\"accumulatedTradingValue\":\"3조 9,640억\",\"localTradedAt\":\"2026-08-20T15:30:00+09:00\","
		"\"tradeStopType\":{\"name\":\"TRADING\"}},"
		"{\"itemCode\":\"000660\",\"closePrice\":\"-\"},"
		"{\"itemCode\":\"005930\",\"closePriceRaw\":1},"
		"{\"itemCode\":\"035720\",\"closePriceRaw\":1},7,"
		"{\"itemCode\":\"Q500001\",\"closePriceRaw\":9005,\"closePrice\":\"junk\","
		"\"compareToPreviousClosePriceRaw\":\"15\",\"compareToPreviousPrice\":{\"code\":\"4\"},"
		"\"tradeStopType\":{\"name\":\"HALTED\"}}]}";
	const char *huge = "{\"datas\":[{\"itemCode\":\"005930\",\"closePrice\":\"2683500000660\"}]}";

	ok(qts_naver_build(path, sizeof(path), &r), "asked");
	tap_is_text(path, "/api/realtime/domestic/stock/005930,000660,Q500001", "three at once");
	ok(qts_naver_parse(&r, 200, body, strlen(body), NOW, &e) == QTS_OUTCOME_OK && e.count == 2 &&
		   e.refused == 4,
	   "two rows, and four that are none");
	if (e.count == 2)
	{
		ok(e.ticks[0].price == 268500 && e.ticks[0].change == 21000 && e.ticks[0].acml_volume == 14990890 &&
			   e.ticks[0].source == QTS_SOURCE_NAVER && !e.ticks[0].halted && e.ticks[0].bid == 0 &&
			   e.ticks[0].acml_value == 0 && e.ticks[0].exch_at != QTS_TIME_NONE && e.ticks[0].recv_at == NOW,
		   "texts; the direction counts, not the sign");
		ok(strcmp(e.ticks[1].symbol, "Q500001") == 0 && e.ticks[1].price == 9005 &&
			   e.ticks[1].change == -15 && e.ticks[1].halted && e.ticks[1].exch_at == QTS_TIME_NONE,
		   "raw numbers before texts");
	}
	qts_quote_event_clear(&e);
	ok(qts_naver_parse(&r, 200, "{\"datas\":[]}", 12, NOW, &e) == QTS_OUTCOME_OK && e.count == 0, "no row");
	qts_quote_event_clear(&e);
	ok(qts_naver_parse(&r, 200, huge, strlen(huge), NOW, &e) == QTS_OUTCOME_OK && e.count == 0 &&
		   e.refused == 1,
	   "a price that cannot be scaled is refused");
	qts_quote_event_clear(&e);
	ok(qts_naver_parse(&r, 200, "{}", 2, NOW, &e) == QTS_OUTCOME_UNKNOWN, "no list");
	ok(qts_naver_parse(&r, 503, "{\"datas\":[]}", 12, NOW, &e) == QTS_OUTCOME_UNKNOWN, "not an answer");
	body =
		"{\"datas\":[{\"itemCode\":\"005930\",\"closePrice\":\"100\",\"compareToPreviousClosePrice\":\"5\"}]}";
	(void) qts_naver_parse(&r, 200, body, strlen(body), NOW, &e);
	ok(e.count == 0 && e.refused == 1, "a change without a direction");
	qts_quote_event_clear(&e);
	r.kind = QTS_QUOTE_BOOK;
	ok(!qts_naver_build(path, sizeof(path), &r), "it has no books");
}

/* What a price could not be believed with tells the base price all the same. */
static void
test_bases(void)
{
	QtsQuoteRequest r = request(QTS_QUOTE_BASE_PRICES, 1);
	QtsKisRequest wire;
	QtsQuoteEvent e;
	QtsKisVerdict v;

	ok(qts_kis_build_quote(&wire, QTS_ENV_PAPER, &r) && strstr(wire.path, "inquire-price?"),
	   "a base price is asked for like a price");
	v = parse(&r, 200,
			  "{\"output\":{\"stck_prpr\":\"140000\",\"stck_sdpr\":\"70000\",\"stck_mxpr\":\"91000\","
			  "\"stck_llam\":\"49000\",\"acml_vol\":\"7\"}," ENVELOPE "}",
			  &e);
	ok(v.outcome == QTS_OUTCOME_OK && e.count == 1 && e.refused == 0 && e.bases[0].base == 70000 &&
		   e.bases[0].lower == 49000 && e.bases[0].upper == 91000 && e.bases[0].volume == 7 &&
		   strcmp(e.bases[0].symbol, "005930") == 0,
	   "beside a price of the day before");
	qts_quote_event_clear(&e);
	r = request(QTS_QUOTE_BASE_PRICES, 3);
	ok(qts_kis_build_quote(&wire, QTS_ENV_LIVE, &r) && strstr(wire.path, "intstock-multprice?"),
	   "several at once");
	v = parse(
		&r, 200,
		"{\"output\":[{\"inter_shrn_iscd\":\"005930\",\"inter2_sdpr\":\"70000\",\"inter2_mxpr\":\"91000\","
		"\"inter2_llam\":\"49000\"},{\"inter_shrn_iscd\":\"000660\",\"inter2_sdpr\":\"0\"},"
		"{\"inter_shrn_iscd\":\"Q500001\",\"inter2_sdpr\":\"9000\",\"inter2_mxpr\":\"x\"},"
		"{\"inter_shrn_iscd\":\"005930\",\"inter2_sdpr\":\"1\"},null]," ENVELOPE "}",
		&e);
	ok(v.outcome == QTS_OUTCOME_OK && e.count == 1 && e.refused == 3 && e.bases[0].base == 70000,
	   "junk, twice and null are refused, zeros are none");
	qts_quote_event_clear(&e);
	v = parse(&r, 200, "{" ENVELOPE "}", &e);
	ok(v.outcome != QTS_OUTCOME_OK && e.count == 0, "no rows at all");
	qts_quote_event_clear(&e);
}

int
main(void)
{
	test_requests();
	test_change();
	test_single();
	test_multi();
	test_book();
	test_bars();
	test_days();
	test_bases();
	test_naver_texts();
	test_naver();
	return tap_done();
}
