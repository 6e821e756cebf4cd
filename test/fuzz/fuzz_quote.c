/*-------------------------------------------------------------------------
 *
 * fuzz_quote.c
 *		Quote answers of KIS: only rows that were asked for and can be believed.
 *
 * The first byte chooses the question and the status, the rest is the body.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "core/session.h"
#include "kis/kis_quote.h"
#include "kis/kis_text.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW (INT64_C(9820) * QTS_DAY)

static void
require(bool fact)
{
	if (!fact)
		abort();
}

static void
require_tick(const QtsQuoteRequest *r, const QtsTick *tick)
{
	bool asked = false;

	for (int i = 0; i < r->symbols; i++)
		asked = asked || strcmp(r->symbol[i], tick->symbol) == 0;
	require(asked && tick->price > 0 && tick->price <= QTS_KIS_MAX_PRICE && tick->bid >= 0 &&
			tick->ask >= 0 && tick->acml_volume >= 0 && tick->acml_value >= 0 && tick->change < tick->price &&
			tick->change >= -QTS_KIS_MAX_PRICE && tick->recv_at == NOW);
}

static void
require_base(const QtsQuoteRequest *r, const QtsBasePrice *base)
{
	bool asked = false;

	for (int i = 0; i < r->symbols; i++)
		asked = asked || strcmp(r->symbol[i], base->symbol) == 0;
	require(asked && base->base > 0 && base->base <= QTS_KIS_MAX_PRICE && base->lower >= 0 &&
			base->upper >= 0 && base->volume >= 0);
}

static void
require_side(const QtsBookLevel *level, bool ask)
{
	for (int i = 0; i < QTS_BOOK_LEVELS; i++)
	{
		require(level[i].price >= 0 && level[i].qty >= 0 && (level[i].price > 0) == (level[i].qty > 0));
		if (i > 0 && level[i].price > 0)
			require(level[i - 1].price > 0 &&
					(ask ? level[i].price > level[i - 1].price : level[i].price < level[i - 1].price));
	}
}

static void
require_event(const QtsQuoteRequest *r, const QtsQuoteEvent *e)
{
	for (int i = 0; i < e->count; i++)
	{
		if (r->kind == QTS_QUOTE_PRICES)
			require_tick(r, &e->ticks[i]);
		if (r->kind == QTS_QUOTE_BASE_PRICES)
			require_base(r, &e->bases[i]);
		if (r->kind == QTS_QUOTE_BOOK)
		{
			require_side(e->books[i].bid, false);
			require_side(e->books[i].ask, true);
		}
		if (r->kind == QTS_QUOTE_DAILY_BARS)
		{
			const QtsBar *b = &e->bars[i];

			require(b->close > 0 && b->low >= 0 && b->low <= b->open && b->open <= b->high && b->volume >= 0);
			require(i == 0 || b->at < e->bars[i - 1].at);
		}
		if (r->kind == QTS_QUOTE_TRADING_DAYS)
			require(e->days[i].date >= r->from && (i == 0 || e->days[i].date > e->days[i - 1].date));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	QtsQuoteRequest r = {.symbols = 2, .symbol = {"005930", "000660"}};
	QtsQuoteEvent e = {0};
	QtsKisVerdict v;

	if (size == 0)
		return 0;
	r.kind = data[0] & 16 ? QTS_QUOTE_BASE_PRICES : (QtsQuoteKind) (data[0] & 3);
	if ((r.kind != QTS_QUOTE_PRICES && r.kind != QTS_QUOTE_BASE_PRICES) || (data[0] & 4))
		r.symbols = 1;
	(void) qts_date_from_yyyymmdd(20200101, &r.from);
	(void) qts_date_from_yyyymmdd(20301231, &r.to);
	v = qts_kis_parse_quote(&r, data[0] & 8 ? 500 : 200, (const char *) data + 1, size - 1, NOW, &e);
	require(v.outcome == QTS_OUTCOME_OK || e.count == 0);
	require_event(&r, &e);
	qts_quote_event_clear(&e);
	return 0;
}
