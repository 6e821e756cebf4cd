/*
 * bars.c
 *		Daily bars: given by the configuration, grown at each day's end, answered by
 *		inquire-daily-itemchartprice.
 *
 * Bars are kept raw; `factor` turns them into adjusted prices.  A symbol without any
 * has only today, made from its prints.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define BARS_PER_CALL 100

static int
bar_compare(const void *a, const void *b)
{
	return ((const QtsBar *) a)->date - ((const QtsBar *) b)->date;
}

/* Take the symbol's history from [{date, open, high, low, close, volume, factor, hole}]. */
bool
qts_bars_read(QtsSymbol *symbol, const json_t *list)
{
	size_t i;
	json_t *row;

	if (list == NULL)
		return true;
	free(symbol->bars);
	symbol->bars = qts_mem_zero((json_array_size(list) + 1) * sizeof(QtsBar));
	symbol->n_bars = 0;
	json_array_foreach(list, i, row)
	{
		QtsBar *bar = &symbol->bars[symbol->n_bars];
		const json_t *factor = json_object_get(row, "factor");

		bar->date = (int) qts_json_int(row, "date", 0);
		bar->close = qts_json_int(row, "close", 0);
		bar->open = qts_json_int(row, "open", bar->close);
		bar->high = qts_json_int(row, "high", bar->close);
		bar->low = qts_json_int(row, "low", bar->close);
		bar->volume = qts_json_int(row, "volume", 0);
		bar->factor = json_is_number(factor) ? json_number_value(factor) : 1.0;
		bar->is_hole = qts_json_bool(row, "hole", false);
		if (bar->date < 19000101 || bar->date > 22001231)
			return false;
		symbol->n_bars++;
	}
	qsort(symbol->bars, (size_t) symbol->n_bars, sizeof(QtsBar), bar_compare);
	return json_is_array(list);
}

static QtsBar
bar_today(const QtsSymbol *s, int date)
{
	QtsBar bar = {.date = date, .open = s->open, .high = s->high, .low = s->low, .volume = s->volume};

	bar.close = s->price;
	bar.factor = 1.0;
	return bar;
}

/* The day that ended becomes history when anything was printed. */
void
qts_bars_close_day(QtsSymbol *symbol)
{
	int last = symbol->n_bars > 0 ? symbol->bars[symbol->n_bars - 1].date : 0;

	if (symbol->open == 0 || symbol->print_date <= last)
		return;
	symbol->bars = qts_mem_grow(symbol->bars, (size_t) (symbol->n_bars + 1) * sizeof(QtsBar));
	symbol->bars[symbol->n_bars++] = bar_today(symbol, symbol->print_date);
}

/* The bars of one week, month or year share this number. */
static int
bar_period(int date, char unit)
{
	char stamp[32];
	int64_t us = 0;

	if (unit == 'M')
		return date / 100;
	if (unit == 'Y')
		return date / 10000;
	if (unit != 'W')
		return date;
	snprintf(stamp, sizeof(stamp), "%04d-%02d-%02dT12:00:00", date / 10000, date / 100 % 100, date % 100);
	if (!qts_clock_parse(stamp, &us))
		return date;
	/* 1970-01-01 was a Thursday; weeks begin on Monday. */
	return (int) ((us / (INT64_C(86400) * 1000000) + 3) / 7);
}

static void
bar_scale(QtsBar *bar)
{
	bar->open = (int64_t) ((double) bar->open * bar->factor + 0.5);
	bar->high = (int64_t) ((double) bar->high * bar->factor + 0.5);
	bar->low = (int64_t) ((double) bar->low * bar->factor + 0.5);
	bar->close = (int64_t) ((double) bar->close * bar->factor + 0.5);
	bar->volume = bar->factor > 0 ? (int64_t) ((double) bar->volume / bar->factor + 0.5) : bar->volume;
}

/* Put an older bar in front of those of the same period. */
static void
bar_join(QtsBar *joined, const QtsBar *older)
{
	joined->open = older->open;
	joined->high = older->high > joined->high ? older->high : joined->high;
	joined->low = older->low < joined->low ? older->low : joined->low;
	joined->volume += older->volume;
}

static void
bar_write(QtsBuf *out, const QtsBar *bar, int64_t before)
{
	int64_t change = before > 0 ? bar->close - before : 0;

	if (bar->is_hole)
	{
		qts_buf_text(out, "{}");
		return;
	}
	qts_buf_printf(out,
				   "{\"stck_bsop_date\":\"%08d\",\"stck_clpr\":\"%" PRId64 "\",\"stck_oprc\":\"%" PRId64
				   "\",\"stck_hgpr\":\"%" PRId64 "\",\"stck_lwpr\":\"%" PRId64 "\",\"acml_vol\":\"%" PRId64
				   "\",\"acml_tr_pbmn\":\"%" PRId64 "\",",
				   bar->date, bar->close, bar->open, bar->high, bar->low, bar->volume,
				   bar->volume * bar->close);
	qts_buf_printf(out,
				   "\"flng_cls_code\":\"00\",\"prtt_rate\":\"0.00\",\"mod_yn\":\"%s\","
				   "\"prdy_vrss_sign\":\"%d\",\"prdy_vrss\":\"%" PRId64 "\",\"revl_issu_reas\":\"\"}",
				   bar->factor == 1.0 ? "N" : "Y",
				   change > 0	? 2
				   : change < 0 ? 5
								: 3,
				   change);
}

/* The periods of the window, newest first, into `made`; one more than shown, for its close. */
static int
bars_collect(const QtsSymbol *s, int from, int to, char unit, bool is_adjusted, QtsBar *made)
{
	int today = qts_clock_date(qts_clock_now());
	int last = s->n_bars > 0 ? s->bars[s->n_bars - 1].date : 0;
	int n = 0;

	for (int i = s->n_bars; i >= 0; i--)
	{
		QtsBar bar = i < s->n_bars ? s->bars[i] : bar_today(s, today);

		if ((i == s->n_bars && (s->open == 0 || today <= last)) || bar.date > to)
			continue;
		if (is_adjusted)
			bar_scale(&bar);
		if (n > 0 && bar_period(made[n - 1].date, unit) == bar_period(bar.date, unit) && unit != 'D')
		{
			bar_join(&made[n - 1], &bar);
			continue;
		}
		if (n > BARS_PER_CALL || (n > 0 && made[n - 1].date < from))
			break;
		made[n++] = bar;
	}
	return n;
}

void
qts_bars_chart(const QtsReq *req, QtsResp *resp, QtsApp *app)
{
	const char *code = qts_req_param(req, "FID_INPUT_ISCD");
	const char *from = qts_req_param(req, "FID_INPUT_DATE_1");
	const char *to = qts_req_param(req, "FID_INPUT_DATE_2");
	const char *unit = qts_req_param(req, "FID_PERIOD_DIV_CODE");
	const char *raw = qts_req_param(req, "FID_ORG_ADJ_PRC");
	const QtsSymbol *s = code ? qts_market_find(code) : NULL;
	QtsBar made[BARS_PER_CALL + 2];
	QtsBuf *out = &resp->body;
	int first = from && *from ? atoi(from) : 0;
	int n = 0;

	(void) app;
	if (s != NULL)
		n = bars_collect(s, first, to && *to ? atoi(to) : 99991231, unit && *unit ? *unit : 'D',
						 raw == NULL || strcmp(raw, "1") != 0, made);
	qts_buf_printf(out,
				   "{\"output1\":{\"stck_prpr\":\"%" PRId64 "\",\"stck_prdy_clpr\":\"%" PRId64
				   "\",\"stck_mxpr\":\"%" PRId64 "\",\"stck_llam\":\"%" PRId64 "\",\"acml_vol\":\"%" PRId64
				   "\",\"stck_shrn_iscd\":\"%s\",\"hts_kor_isnm\":",
				   s ? s->price : 0, s ? s->base : 0, s ? s->upper : 0, s ? s->lower : 0, s ? s->volume : 0,
				   s ? s->code : "");
	qts_buf_json(out, s ? s->name : "");
	qts_buf_text(out, "},\"output2\":[");
	for (int i = 0; i < n && i < BARS_PER_CALL && made[i].date >= first; i++)
	{
		qts_buf_text(out, i ? "," : "");
		bar_write(out, &made[i], i + 1 < n ? made[i + 1].close : 0);
	}
	qts_buf_text(out, "]");
	qts_rest_end(resp, "MCA00000", "MCA00000", true);
}
