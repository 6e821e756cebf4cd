/*
 * quotes.c
 *		Price queries (inquire-price, intstock-multprice, the order book) and the
 *		trading calendar.  An unknown code answers success with zeros, as the broker
 *		does.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim.h"

#define MULTI_MAX 30
#define BOOK_LEVELS 10
#define CALENDAR_DAYS 24

static const QtsSymbol no_symbol = {.code = "", .name = "", .market = ""};

/* What a query tells of a symbol, faults included; NULL when there is no such symbol. */
const QtsSymbol *
qts_quote_symbol(const QtsReq *req, const char *code)
{
	static QtsSymbol skewed;
	const QtsSymbol *symbol = qts_market_find(code);
	const QtsFault *fault;
	const json_t *percent;
	int64_t move;

	if (symbol == NULL || qts_fault_quote("quote_missing", req, code) != NULL)
		return NULL;
	if (symbol->frozen_until_us > qts_clock_mono())
		symbol = symbol->frozen;
	if ((fault = qts_fault_quote("quote_skew", req, code)) == NULL)
		return symbol;
	percent = json_object_get(fault->params, "percent");
	skewed = *symbol;
	move = (int64_t) ((double) symbol->price * (json_is_number(percent) ? json_number_value(percent) : 2.0) /
					  100.0);
	skewed.price += move;
	skewed.bid += symbol->bid > 0 ? move : 0;
	skewed.ask += symbol->ask > 0 ? move : 0;
	return &skewed;
}

static const QtsSymbol *
quote_symbol(const QtsReq *req, const char *key)
{
	const char *code = qts_req_param(req, key);
	const QtsSymbol *symbol = code ? qts_quote_symbol(req, code) : NULL;

	return symbol ? symbol : &no_symbol;
}

/* Queries keep showing the present quote for so long; "" and 0 thaw everything. */
int
qts_quote_freeze(const char *code, int64_t ms)
{
	QtsSymbol *symbol;
	int n = 0;

	for (int i = 0; (symbol = qts_market_at(i)) != NULL; i++)
	{
		if (*code && strcmp(symbol->code, code) != 0)
			continue;
		n++;
		symbol->frozen_until_us = ms > 0 ? qts_clock_mono() + ms * 1000 : 0;
		if (ms <= 0)
			continue;
		if (symbol->frozen == NULL)
			symbol->frozen = qts_mem_zero(sizeof(*symbol));
		*symbol->frozen = *symbol;
	}
	return n;
}

static double
quote_rate(const QtsSymbol *s)
{
	return s->base ? (double) (s->price - s->base) * 100.0 / (double) s->base : 0.0;
}

static int
quote_sign(const QtsSymbol *s)
{
	return s->base ? qts_market_sign(s, s->price) : 3;
}

void
qts_quote_price(const QtsReq *req, QtsResp *resp, QtsApp *app)
{
	const QtsSymbol *s = quote_symbol(req, "FID_INPUT_ISCD");
	QtsBuf *out = &resp->body;
	int64_t open = s->open ? s->open : s->price;

	(void) app;
	qts_buf_printf(out,
				   "{\"output\":{\"iscd_stat_cls_code\":\"%s\",\"marg_rate\":\"20.00\","
				   "\"rprs_mrkt_kor_name\":\"%s\",\"bstp_kor_isnm\":\"\",\"temp_stop_yn\":\"%s\","
				   "\"oprc_rang_cont_yn\":\"N\",\"clpr_rang_cont_yn\":\"N\",\"crdt_able_yn\":\"Y\","
				   "\"stck_prpr\":\"%" PRId64 "\",\"prdy_vrss\":\"%" PRId64
				   "\",\"prdy_vrss_sign\":\"%d\",\"prdy_ctrt\":\"%.2f\",",
				   s->is_halted ? "58" : "55", s->market, s->is_halted ? "Y" : "N", s->price,
				   s->price - s->base, quote_sign(s), quote_rate(s));
	qts_buf_printf(out,
				   "\"acml_tr_pbmn\":\"%" PRId64 "\",\"acml_vol\":\"%" PRId64 "\",\"stck_oprc\":\"%" PRId64
				   "\",\"stck_hgpr\":\"%" PRId64 "\",\"stck_lwpr\":\"%" PRId64 "\",\"stck_mxpr\":\"%" PRId64
				   "\",\"stck_llam\":\"%" PRId64 "\",\"stck_sdpr\":\"%" PRId64 "\",\"aspr_unit\":\"%" PRId64
				   "\",\"hts_deal_qty_unit_val\":\"1\",",
				   s->amount, s->volume, open, s->open ? s->high : s->price, s->open ? s->low : s->price,
				   s->upper, s->lower, s->base, s->price ? qts_market_tick(s, s->price) : 0);
	qts_buf_printf(out,
				   "\"ssts_yn\":\"N\",\"stck_shrn_iscd\":\"%s\",\"vi_cls_code\":\"%s\","
				   "\"ovtm_vi_cls_code\":\"N\",\"invt_caful_yn\":\"N\","
				   "\"mrkt_warn_cls_code\":\"00\",\"short_over_yn\":\"N\",\"sltr_yn\":\"N\","
				   "\"mang_issu_cls_code\":\"N\"}",
				   s->code, s->is_vi ? "Y" : "N");
	qts_rest_end(resp, "MCA00000", "MCA00000", true);
}

/* Up to thirty symbols, answered in request order. */
void
qts_quote_multi(const QtsReq *req, QtsResp *resp, QtsApp *app)
{
	QtsBuf *out = &resp->body;
	char key[32];

	(void) app;
	qts_buf_text(out, "{\"output\":[");
	for (int i = 1; i <= MULTI_MAX; i++)
	{
		snprintf(key, sizeof(key), "FID_INPUT_ISCD_%d", i);
		if (qts_req_param(req, key) == NULL || *qts_req_param(req, key) == '\0')
			break;
		const QtsSymbol *s = quote_symbol(req, key);

		qts_buf_printf(out, "%s{\"kospi_kosdaq_cls_name\":\"%s\",\"inter_shrn_iscd\":", i > 1 ? "," : "",
					   s->market);
		qts_buf_json(out, qts_req_param(req, key));
		qts_buf_text(out, ",\"inter_kor_isnm\":");
		qts_buf_json(out, s->name);
		qts_buf_printf(out,
					   ",\"inter2_prpr\":\"%" PRId64 "\",\"inter2_prdy_vrss\":\"%" PRId64
					   "\",\"prdy_vrss_sign\":\"%d\",\"prdy_ctrt\":\"%.2f\",\"acml_vol\":\"%" PRId64
					   "\",\"inter2_oprc\":\"%" PRId64 "\",\"inter2_hgpr\":\"%" PRId64
					   "\",\"inter2_lwpr\":\"%" PRId64 "\",",
					   s->price, s->price - s->base, quote_sign(s), quote_rate(s), s->volume, s->open,
					   s->high, s->low);
		qts_buf_printf(out,
					   "\"inter2_llam\":\"%" PRId64 "\",\"inter2_mxpr\":\"%" PRId64
					   "\",\"inter2_askp\":\"%" PRId64 "\",\"inter2_bidp\":\"%" PRId64
					   "\",\"acml_tr_pbmn\":\"%" PRId64 "\",\"inter2_prdy_clpr\":\"%" PRId64
					   "\",\"inter2_sdpr\":\"%" PRId64 "\",\"hour_cls_code\":\"0\"}",
					   s->lower, s->upper, s->ask, s->bid, s->amount, s->base, s->base);
	}
	qts_buf_text(out, "]");
	qts_rest_end(resp, "MCA00000", "MCA00000", true);
}

static int64_t
book_level(const QtsSymbol *s, bool is_ask, int level)
{
	int64_t price = is_ask ? s->ask : s->bid;

	for (int i = 1; i < level && price > 0; i++)
		price += is_ask ? qts_market_tick(s, price) : -qts_market_tick(s, price - 1);
	return price > s->upper || price < s->lower || price < 0 ? 0 : price;
}

static int64_t
book_rest(const QtsSymbol *s, bool is_ask, int level)
{
	return book_level(s, is_ask, level) > 0 ? 10000 : 0;
}

/* One H0STASP0 record without the frame head. */
void
qts_quote_book_record(const QtsSymbol *s, QtsBuf *out)
{
	qts_buf_printf(out, "%s^%06d^%s", s->code, qts_clock_tmd(qts_clock_stamp()), s->is_vi ? "C" : "0");
	for (int side = 0; side < 2; side++)
		for (int i = 1; i <= BOOK_LEVELS; i++)
			qts_buf_printf(out, "^%" PRId64, book_level(s, side == 0, i));
	for (int side = 0; side < 2; side++)
		for (int i = 1; i <= BOOK_LEVELS; i++)
			qts_buf_printf(out, "^%" PRId64, book_rest(s, side == 0, i));
	qts_buf_printf(out, "^100000^100000^0^0^%" PRId64 "^0^0^%" PRId64 "^%d^%.2f^%" PRId64 "^0^0^0^0^0",
				   s->price, s->price - s->base, quote_sign(s), quote_rate(s), s->volume);
	if (qts_options.book_fields >= 62)
		qts_buf_printf(out, "^%" PRId64 "^0^0", (s->bid + s->ask) / 2);
	if (qts_options.book_fields >= 63)
		qts_buf_printf(out, "^%d", qts_clock_phase() == QTS_PHASE_AFTER_MARKET ? 3 : 2);
}

void
qts_quote_book(const QtsReq *req, QtsResp *resp, QtsApp *app)
{
	const QtsSymbol *s = quote_symbol(req, "FID_INPUT_ISCD");
	QtsBuf *out = &resp->body;

	(void) app;
	qts_buf_printf(out, "{\"output1\":{\"aspr_acpt_hour\":\"%06d\"", qts_clock_tmd(qts_clock_now()));
	for (int i = 1; i <= BOOK_LEVELS; i++)
	{
		int64_t ask = book_level(s, true, i);
		int64_t bid = book_level(s, false, i);

		qts_buf_printf(out,
					   ",\"askp%d\":\"%" PRId64 "\",\"bidp%d\":\"%" PRId64
					   "\",\"askp_rsqn%d\":\"%d\",\"bidp_rsqn%d\":\"%d\"",
					   i, ask, i, bid, i, ask ? 10000 : 0, i, bid ? 10000 : 0);
	}
	qts_buf_printf(out,
				   ",\"total_askp_rsqn\":\"100000\",\"total_bidp_rsqn\":\"100000\"},"
				   "\"output2\":{\"stck_prpr\":\"%" PRId64 "\",\"stck_oprc\":\"%" PRId64
				   "\",\"stck_hgpr\":\"%" PRId64 "\",\"stck_lwpr\":\"%" PRId64 "\",\"stck_sdpr\":\"%" PRId64
				   "\",\"stck_shrn_iscd\":\"%s\",\"vi_cls_code\":\"%s\"}",
				   s->price, s->open, s->high, s->low, s->base, s->code, s->is_vi ? "Y" : "N");
	qts_rest_end(resp, "MCA00000", "MCA00000", true);
}

void
qts_quote_holiday(const QtsReq *req, QtsResp *resp, QtsApp *app)
{
	const char *from = qts_req_param(req, "BASS_DT");
	QtsBuf *out = &resp->body;
	char stamp[32];
	int64_t us = qts_clock_now();

	(void) app;
	if (from != NULL && strlen(from) == 8)
	{
		snprintf(stamp, sizeof(stamp), "%.4s-%.2s-%.2sT12:00:00", from, from + 4, from + 6);
		if (!qts_clock_parse(stamp, &us))
			us = qts_clock_now();
	}
	qts_buf_text(out, "{\"output\":[");
	for (int i = 0; i < CALENDAR_DAYS; i++)
	{
		int64_t day = us + (int64_t) i * 86400 * 1000000;
		const char *open = qts_clock_is_holiday(day) ? "N" : "Y";

		qts_buf_printf(out,
					   "%s{\"bass_dt\":\"%08d\",\"wday_dvsn_cd\":\"%02d\",\"bzdy_yn\":\"%s\","
					   "\"tr_day_yn\":\"%s\",\"opnd_yn\":\"%s\",\"sttl_day_yn\":\"%s\"}",
					   i ? "," : "", qts_clock_date(day), qts_clock_weekday(day) + 1, open, open, open, open);
	}
	qts_buf_text(out, "],\"ctx_area_nk\":\"                    \","
					  "\"ctx_area_fk\":\"                    \"");
	qts_rest_end(resp, "KIOK0510", "20310000", true);
}
