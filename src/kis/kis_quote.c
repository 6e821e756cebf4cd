/*-------------------------------------------------------------------------
 *
 * kis_quote.c
 *		Quotes by request (kis-api 4): prices, books, daily bars, trading days,
 *		base prices.
 *
 * A price outside the limits its own row tells is not believed: it would
 * decide orders.  No row has a time of the exchange but the book's.
 *
 *-------------------------------------------------------------------------
 */
#include "kis/kis_quote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/session.h"
#include "kis/kis_answer_int.h"

#define QUOTE_PATH "/uapi/domestic-stock/v1/quotations/"
#define QUOTE_MAX_ROWS 1000

static void
quote_param(QtsKisWriter *w, const char *key, const char *value)
{
	qts_kis_put(w, strchr(w->out, '?') ? "&" : "?");
	qts_kis_put(w, key);
	qts_kis_put(w, "=");
	qts_kis_put_query(w, value);
}

static void
quote_param_date(QtsKisWriter *w, const char *key, QtsDate date)
{
	char text[16];
	QtsKisWriter d = qts_kis_writer(text, sizeof(text));

	qts_kis_put_integer(&d, qts_date_yyyymmdd(date));
	quote_param(w, key, text);
}

static void
quote_param_symbol(QtsKisWriter *w, const char *symbol)
{
	quote_param(w, "FID_COND_MRKT_DIV_CODE", "J");
	quote_param(w, "FID_INPUT_ISCD", symbol);
}

static void
quote_prices(QtsKisRequest *request, QtsKisWriter *w, const QtsQuoteRequest *quote)
{
	if (quote->symbols == 1)
	{
		strcpy(request->tr_id, "FHKST01010100");
		qts_kis_put(w, QUOTE_PATH "inquire-price");
		quote_param_symbol(w, quote->symbol[0]);
		return;
	}
	strcpy(request->tr_id, "FHKST11300006");
	qts_kis_put(w, QUOTE_PATH "intstock-multprice");
	for (int i = 0; i < quote->symbols; i++)
	{
		char key[40];

		snprintf(key, sizeof(key), "FID_COND_MRKT_DIV_CODE_%d", i + 1);
		quote_param(w, key, "J");
		snprintf(key, sizeof(key), "FID_INPUT_ISCD_%d", i + 1);
		quote_param(w, key, quote->symbol[i]);
	}
}

static void
quote_bars(QtsKisRequest *request, QtsKisWriter *w, const QtsQuoteRequest *quote)
{
	strcpy(request->tr_id, "FHKST03010100");
	qts_kis_put(w, QUOTE_PATH "inquire-daily-itemchartprice");
	quote_param_symbol(w, quote->symbol[0]);
	quote_param_date(w, "FID_INPUT_DATE_1", quote->from);
	quote_param_date(w, "FID_INPUT_DATE_2", quote->to);
	quote_param(w, "FID_PERIOD_DIV_CODE", "D");
	quote_param(w, "FID_ORG_ADJ_PRC", quote->adjusted ? "0" : "1");
}

bool
qts_kis_build_quote(QtsKisRequest *request, QtsEnvironment environment, const QtsQuoteRequest *quote)
{
	QtsKisWriter w = qts_kis_writer(request->path, sizeof(request->path));
	bool days = quote->kind == QTS_QUOTE_TRADING_DAYS;
	bool prices = quote->kind == QTS_QUOTE_PRICES || quote->kind == QTS_QUOTE_BASE_PRICES;
	int most = prices ? QTS_QUOTE_SYMBOLS : 1;

	if (!days && (quote->symbols < 1 || quote->symbols > most))
		return false;
	for (int i = 0; !days && i < quote->symbols; i++)
	{
		if (!qts_kis_symbol_valid(quote->symbol[i]))
			return false;
	}
	request->body_len = 0;
	switch (quote->kind)
	{
		case QTS_QUOTE_PRICES:
		case QTS_QUOTE_BASE_PRICES:
			quote_prices(request, &w, quote);
			break;
		case QTS_QUOTE_BOOK:
			strcpy(request->tr_id, "FHKST01010200");
			qts_kis_put(&w, QUOTE_PATH "inquire-asking-price-exp-ccn");
			quote_param_symbol(&w, quote->symbol[0]);
			break;
		case QTS_QUOTE_DAILY_BARS:
			if (quote->from > quote->to)
				return false;
			quote_bars(request, &w, quote);
			break;
		case QTS_QUOTE_TRADING_DAYS:
			if (environment == QTS_ENV_PAPER)
				return false;
			strcpy(request->tr_id, "CTCA0903R");
			qts_kis_put(&w, QUOTE_PATH "chk-holiday");
			quote_param_date(&w, "BASS_DT", quote->from);
			quote_param(&w, "CTX_AREA_FK", "");
			quote_param(&w, "CTX_AREA_NK", "");
			break;
	}
	return !w.full;
}

/* Absent is 0; false for junk and for what no stock costs. */
static bool
quote_krw(json_t *row, const char *name, QtsKrw *out)
{
	QtsKisNumber kind;

	*out = 0;
	kind = qts_kis_json_integer(row, name, out);
	return kind == QTS_KIS_ABSENT || (kind == QTS_KIS_NUMBER && *out >= 0 && *out <= QTS_KIS_MAX_PRICE);
}

/* Absent is 0; never negative. */
static bool
quote_amount(json_t *row, const char *name, int64_t *out)
{
	QtsKisNumber kind;

	*out = 0;
	kind = qts_kis_json_integer(row, name, out);
	return kind == QTS_KIS_ABSENT || (kind == QTS_KIS_NUMBER && *out >= 0);
}

static bool
quote_change(json_t *row, const char *name, QtsTick *tick)
{
	int64_t change = 0;
	QtsPrice rate = 0;
	char sign[4];

	if (qts_kis_json_integer(row, name, &change) == QTS_KIS_JUNK || change > QTS_KIS_MAX_PRICE ||
		change < -QTS_KIS_MAX_PRICE || qts_kis_json_decimal(row, "prdy_ctrt", &rate) == QTS_KIS_JUNK)
		return false;
	(void) qts_kis_json_text(row, "prdy_vrss_sign", sign, sizeof(sign));
	tick->change = qts_kis_change(change, sign[0], rate > 0 ? 1 : rate < 0 ? -1 : 0);
	return true;
}

/* Field names of the two ways to ask for a price. */
typedef struct QuoteNames
{
	const char *symbol;
	const char *price;
	const char *change;
	const char *bid;
	const char *ask;
	const char *upper;
	const char *lower;
	const char *base;
	bool one; /* symbol may be absent: it is the one asked for */
} QuoteNames;

static const QuoteNames quote_single = {"stck_shrn_iscd", "stck_prpr", "prdy_vrss", NULL, NULL,
										"stck_mxpr",	  "stck_llam", "stck_sdpr", true};
static const QuoteNames quote_multi = {"inter_shrn_iscd", "inter2_prpr", "inter2_prdy_vrss",
									   "inter2_bidp",	  "inter2_askp", "inter2_mxpr",
									   "inter2_llam",	  "inter2_sdpr", false};

static int
quote_asked(const QtsQuoteRequest *quote, const char *symbol)
{
	for (int i = 0; i < quote->symbols; i++)
	{
		if (strcmp(quote->symbol[i], symbol) == 0)
			return i;
	}
	return -1;
}

/* Which symbol of the request the row is about, -1 = none of them. */
static int
quote_whose(const QtsQuoteRequest *quote, json_t *row, const char *name, bool one, char *symbol)
{
	char text[16];

	(void) qts_kis_json_text(row, name, text, sizeof(text));
	if (one && text[0] == '\0')
		strcpy(symbol, quote->symbol[0]);
	else if (!qts_kis_copy_symbol(symbol, text, strlen(text)))
		return -1;
	return quote_asked(quote, symbol);
}

static bool
quote_tick(json_t *row, const QuoteNames *names, QtsTime recv_at, QtsTick *tick)
{
	char yes[4];

	if (!quote_krw(row, names->price, &tick->price) || tick->price == 0 ||
		!quote_krw(row, names->lower, &tick->lower) || !quote_krw(row, names->upper, &tick->upper) ||
		(names->bid && !quote_krw(row, names->bid, &tick->bid)) ||
		(names->ask && !quote_krw(row, names->ask, &tick->ask)) ||
		!quote_amount(row, "acml_vol", &tick->acml_volume) ||
		!quote_amount(row, "acml_tr_pbmn", &tick->acml_value) || !quote_change(row, names->change, tick))
		return false;
	if ((tick->lower > 0 && tick->price < tick->lower) || (tick->upper > 0 && tick->price > tick->upper) ||
		tick->change >= tick->price)
		return false;
	tick->source = QTS_SOURCE_KIS_REST;
	tick->exch_at = QTS_TIME_NONE;
	tick->recv_at = recv_at;
	(void) qts_kis_json_text(row, "temp_stop_yn", yes, sizeof(yes));
	tick->halted = strcmp(yes, "Y") == 0;
	(void) qts_kis_json_text(row, "iscd_stat_cls_code", yes, sizeof(yes));
	tick->halted = tick->halted || strcmp(yes, "58") == 0;
	return true;
}

static void
quote_take_prices(const QtsQuoteRequest *quote, json_t *root, QtsTime recv_at, QtsQuoteEvent *event,
				  QtsKisVerdict *v)
{
	json_t *output = qts_kis_json_field(root, "output");
	const QuoteNames *names = quote->symbols == 1 ? &quote_single : &quote_multi;
	bool seen[QTS_QUOTE_SYMBOLS] = {false};
	size_t n = json_is_array(output) ? json_array_size(output) : 1;

	if (!output || n > QUOTE_MAX_ROWS || !(event->ticks = calloc((size_t) quote->symbols, sizeof(QtsTick))))
	{
		qts_kis_doubt(v, "the prices have no rows, too many, or no memory for them");
		return;
	}
	for (size_t i = 0; i < n; i++)
	{
		json_t *row = json_is_array(output) ? json_array_get(output, i) : output;
		QtsTick tick = {0};
		int which = quote_whose(quote, row, names->symbol, names->one, tick.symbol);

		if (which < 0 || seen[which] || !quote_tick(row, names, recv_at, &tick))
		{
			event->refused++;
			continue;
		}
		seen[which] = true;
		event->ticks[event->count++] = tick;
	}
}

/* The price may be of another day, or none yet. */
static bool
quote_base(json_t *row, const QuoteNames *names, QtsBasePrice *base)
{
	return quote_krw(row, names->base, &base->base) && quote_krw(row, names->lower, &base->lower) &&
		   quote_krw(row, names->upper, &base->upper) && quote_amount(row, "acml_vol", &base->volume);
}

static void
quote_take_bases(const QtsQuoteRequest *quote, json_t *root, QtsQuoteEvent *event, QtsKisVerdict *v)
{
	json_t *output = qts_kis_json_field(root, "output");
	const QuoteNames *names = quote->symbols == 1 ? &quote_single : &quote_multi;
	bool seen[QTS_QUOTE_SYMBOLS] = {false};
	size_t n = json_is_array(output) ? json_array_size(output) : 1;

	if (!output || n > QUOTE_MAX_ROWS ||
		!(event->bases = calloc((size_t) quote->symbols, sizeof(QtsBasePrice))))
	{
		qts_kis_doubt(v, "the base prices have no rows, too many, or no memory for them");
		return;
	}
	for (size_t i = 0; i < n; i++)
	{
		json_t *row = json_is_array(output) ? json_array_get(output, i) : output;
		QtsBasePrice base = {0};
		int which = quote_whose(quote, row, names->symbol, names->one, base.symbol);

		if (which < 0 || seen[which] || !quote_base(row, names, &base))
		{
			event->refused++;
			continue;
		}
		seen[which] = true;
		/* an unknown code is told as zeros */
		if (base.base > 0)
			event->bases[event->count++] = base;
	}
}

static QtsTime
quote_instant(json_t *row, const char *name, QtsTime now)
{
	int64_t clock;

	if (qts_kis_json_integer(row, name, &clock) != QTS_KIS_NUMBER || clock < 0 || clock > 235959 ||
		clock / 100 % 100 > 59 || clock % 100 > 59)
		return QTS_TIME_NONE;
	return qts_kis_instant_near(
		clock / 10000 * QTS_HOUR + clock / 100 % 100 * QTS_MINUTE + clock % 100 * QTS_SEC, now);
}

static bool
quote_levels(json_t *row, bool ask, QtsBook *book)
{
	for (int i = 1; i <= QTS_BOOK_LEVELS; i++)
	{
		char name[32];
		QtsKrw price;
		QtsQty qty;

		snprintf(name, sizeof(name), "%s%d", ask ? "askp" : "bidp", i);
		if (!quote_krw(row, name, &price))
			return false;
		snprintf(name, sizeof(name), "%s%d", ask ? "askp_rsqn" : "bidp_rsqn", i);
		if (!quote_amount(row, name, &qty) || !qts_kis_book_add(book, ask, price, qty))
			return false;
	}
	return true;
}

static void
quote_take_book(const QtsQuoteRequest *quote, json_t *root, QtsTime recv_at, QtsQuoteEvent *event,
				QtsKisVerdict *v)
{
	json_t *row = qts_kis_json_object(qts_kis_json_field(root, "output1"));
	json_t *about = qts_kis_json_object(qts_kis_json_field(root, "output2"));
	QtsBook *book;

	if (!row || !(book = event->books = calloc(1, sizeof(QtsBook))))
	{
		qts_kis_doubt(v, "the order book has no levels, or no memory for them");
		return;
	}
	if (quote_whose(quote, about, "stck_shrn_iscd", true, book->symbol) != 0 ||
		!quote_levels(row, true, book) || !quote_levels(row, false, book))
	{
		event->refused++;
		return;
	}
	book->exch_at = quote_instant(row, "aspr_acpt_hour", recv_at);
	book->recv_at = recv_at;
	event->count = 1;
}

static bool
quote_date(json_t *row, const char *name, QtsDate *out)
{
	int64_t number;

	return qts_kis_json_integer(row, name, &number) == QTS_KIS_NUMBER && number > 0 && number <= INT32_MAX &&
		   qts_date_from_yyyymmdd((int32_t) number, out);
}

static bool
quote_bar(const QtsQuoteRequest *quote, json_t *row, QtsDate before, QtsBar *bar, QtsDate *date)
{
	if (!quote_date(row, "stck_bsop_date", date) || *date >= before || *date < quote->from ||
		*date > quote->to || !quote_krw(row, "stck_oprc", &bar->open) ||
		!quote_krw(row, "stck_hgpr", &bar->high) || !quote_krw(row, "stck_lwpr", &bar->low) ||
		!quote_krw(row, "stck_clpr", &bar->close) || bar->close == 0 ||
		!quote_amount(row, "acml_vol", &bar->volume) ||
		!qts_kis_json_count(row, "acml_tr_pbmn", &bar->value) || bar->value < -1)
		return false;
	bar->at = qts_seoul_instant(*date, 0);
	if (bar->volume == 0 && bar->open == 0 && bar->high == 0 && bar->low == 0)
		return true; /* halted all day */
	return bar->low > 0 && bar->low <= bar->open && bar->low <= bar->close && bar->open <= bar->high &&
		   bar->close <= bar->high;
}

static void
quote_take_bars(const QtsQuoteRequest *quote, json_t *root, QtsQuoteEvent *event, QtsKisVerdict *v)
{
	json_t *rows = qts_kis_json_field(root, "output2");
	size_t n = json_array_size(rows);
	QtsDate before = INT32_MAX;

	if ((!json_is_array(rows) && !v->empty) || n > QUOTE_MAX_ROWS ||
		!(event->bars = calloc(n + 1, sizeof(QtsBar))))
	{
		qts_kis_doubt(v, "the bars have no rows, too many, or no memory for them");
		return;
	}
	for (size_t i = 0; i < n; i++)
	{
		json_t *row = json_array_get(rows, i);
		QtsBar bar = {0};
		QtsDate date;

		if (json_is_object(row) && json_object_size(row) == 0)
			continue; /* a hole */
		if (!quote_bar(quote, row, before, &bar, &date))
		{
			event->refused++;
			continue;
		}
		before = date;
		event->bars[event->count++] = bar;
	}
}

static void
quote_take_days(const QtsQuoteRequest *quote, json_t *root, QtsQuoteEvent *event, QtsKisVerdict *v)
{
	json_t *rows = qts_kis_json_field(root, "output");
	size_t n = json_array_size(rows);
	QtsDate after = quote->from - 1;

	if (!json_is_array(rows) || n > QUOTE_MAX_ROWS || !(event->days = calloc(n + 1, sizeof(QtsTradingDay))))
	{
		qts_kis_doubt(v, "the trading days have no rows, too many, or no memory for them");
		return;
	}
	for (size_t i = 0; i < n; i++)
	{
		json_t *row = json_array_get(rows, i);
		QtsTradingDay *day = &event->days[event->count];
		char open[4];

		(void) qts_kis_json_text(row, "opnd_yn", open, sizeof(open));
		if (!quote_date(row, "bass_dt", &day->date) || day->date <= after ||
			(strcmp(open, "Y") != 0 && strcmp(open, "N") != 0))
		{
			event->refused++;
			continue;
		}
		day->open = open[0] == 'Y';
		after = day->date;
		event->count++;
	}
}

QtsKisVerdict
qts_kis_parse_quote(const QtsQuoteRequest *quote, int http_status, const char *body, size_t len,
					QtsTime recv_at, QtsQuoteEvent *event)
{
	json_t *root = qts_kis_json_load(body, len);
	QtsKisVerdict v = qts_kis_verdict(QTS_KIS_CALL_QUERY, http_status, root);

	event->count = event->refused = 0;
	if (v.outcome == QTS_OUTCOME_OK)
	{
		switch (quote->kind)
		{
			case QTS_QUOTE_PRICES:
				quote_take_prices(quote, root, recv_at, event, &v);
				break;
			case QTS_QUOTE_BOOK:
				quote_take_book(quote, root, recv_at, event, &v);
				break;
			case QTS_QUOTE_DAILY_BARS:
				quote_take_bars(quote, root, event, &v);
				break;
			case QTS_QUOTE_TRADING_DAYS:
				quote_take_days(quote, root, event, &v);
				break;
			case QTS_QUOTE_BASE_PRICES:
				quote_take_bases(quote, root, event, &v);
				break;
		}
	}
	json_decref(root);
	return v;
}

void
qts_quote_event_clear(QtsQuoteEvent *event)
{
	free(event->ticks);
	free(event->books);
	free(event->bars);
	free(event->days);
	free(event->bases);
	event->ticks = NULL;
	event->books = NULL;
	event->bars = NULL;
	event->days = NULL;
	event->bases = NULL;
	event->count = 0;
}
