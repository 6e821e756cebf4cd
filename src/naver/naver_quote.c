/*-------------------------------------------------------------------------
 *
 * naver_quote.c
 *		The fallback quote source's wire format (kis-api 9.1).
 *
 * Numbers come as text with commas, newer answers add raw twins.  The sign of
 * a change is not reliable: its direction is a code of its own.
 *
 *-------------------------------------------------------------------------
 */
#include "naver/naver_quote.h"

#include <stdlib.h>
#include <string.h>

#include "core/session.h"
#include "kis/kis_json.h"

#define NAVER_PATH "/api/realtime/domestic/stock/"
#define NAVER_MAX_ROWS 200
#define NAVER_MAX_NUMBER INT64_C(1000000000000000)

bool
qts_naver_build(char *path, size_t size, const QtsQuoteRequest *quote)
{
	QtsKisWriter w = qts_kis_writer(path, size);

	if (quote->kind != QTS_QUOTE_PRICES || quote->symbols < 1 || quote->symbols > QTS_QUOTE_SYMBOLS)
		return false;
	qts_kis_put(&w, NAVER_PATH);
	for (int i = 0; i < quote->symbols; i++)
	{
		if (!qts_kis_symbol_valid(quote->symbol[i]))
			return false;
		qts_kis_put(&w, i > 0 ? "," : "");
		qts_kis_put(&w, quote->symbol[i]);
	}
	return !w.full;
}

bool
qts_naver_number(const char *text, int64_t *out)
{
	bool negative = *text == '-';
	const char *comma;
	int64_t value = 0;
	int digits = 0;
	int group = 0;

	text += negative || *text == '+';
	comma = strchr(text, ',');
	for (; *text; text++)
	{
		if (*text == ',')
		{
			if (group == 0 || group > 3 || (digits > 3 && group != 3))
				return false;
			group = 0;
			continue;
		}
		if (*text < '0' || *text > '9' || value > NAVER_MAX_NUMBER)
			return false;
		value = value * 10 + (*text - '0');
		digits++;
		group++;
	}
	if (digits == 0 || (comma && group != 3))
		return false;
	*out = negative ? -value : value;
	return true;
}

/* Digits of a fixed width; -1 when they are not. */
static int
naver_digits(const char *text, int n)
{
	int value = 0;

	for (int i = 0; i < n; i++)
	{
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

QtsTime
qts_naver_instant(const char *text)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd";
	const char *zone;
	QtsDate date;
	int seconds;

	if (strlen(text) < sizeof(shape) - 1)
		return QTS_TIME_NONE;
	for (size_t i = 0; i < sizeof(shape) - 1; i++)
	{
		if (shape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
			return QTS_TIME_NONE;
	}
	zone = text + sizeof(shape) - 1;
	if (*zone == '.')
		zone += 1 + strspn(zone + 1, "0123456789");
	if (strcmp(zone, "+09:00") != 0 || naver_digits(text + 11, 2) > 23 || naver_digits(text + 14, 2) > 59 ||
		naver_digits(text + 17, 2) > 59 ||
		!qts_date_from_yyyymmdd(naver_digits(text, 4) * 10000 + naver_digits(text + 5, 2) * 100 +
									naver_digits(text + 8, 2),
								&date))
		return QTS_TIME_NONE;
	seconds =
		naver_digits(text + 11, 2) * 3600 + naver_digits(text + 14, 2) * 60 + naver_digits(text + 17, 2);
	return qts_seoul_instant(date, seconds * QTS_SEC);
}

/* One field: a number, or its text.  Absent and "-" are ABSENT. */
static QtsKisNumber
naver_field(json_t *row, const char *name, int64_t *out)
{
	json_t *value = json_object_get(row, name);
	const char *text = json_string_value(value);

	if (!value || json_is_null(value) || (text && (text[0] == '\0' || strcmp(text, "-") == 0)))
		return QTS_KIS_ABSENT;
	if (!text)
		return qts_kis_json_integer(row, name, out);
	return qts_naver_number(text, out) ? QTS_KIS_NUMBER : QTS_KIS_JUNK;
}

/* The raw twin when there is one. */
static QtsKisNumber
naver_either(json_t *row, const char *raw, const char *name, int64_t *out)
{
	QtsKisNumber kind = naver_field(row, raw, out);

	return kind == QTS_KIS_ABSENT ? naver_field(row, name, out) : kind;
}

static bool
naver_change(json_t *row, QtsKrw *out)
{
	json_t *direction = json_object_get(row, "compareToPreviousPrice");
	char code[4];
	int64_t change = 0;

	if (naver_either(row, "compareToPreviousClosePriceRaw", "compareToPreviousClosePrice", &change) ==
		QTS_KIS_JUNK)
		return false;
	(void) qts_kis_json_text(direction, "code", code, sizeof(code));
	change = change < 0 ? -change : change;
	if (change > QTS_KIS_MAX_PRICE)
		return false;
	switch (code[0])
	{
		case '1':
		case '2':
			*out = change;
			return true;
		case '3':
			*out = 0;
			return true;
		case '4':
		case '5':
			*out = -change;
			return true;
		default:
			/* without a direction only no change at all is understood */
			*out = 0;
			return change == 0;
	}
}

static bool
naver_tick(json_t *row, QtsTime recv_at, QtsTick *tick)
{
	json_t *stop = json_object_get(row, "tradeStopType");
	char name[32];
	char text[48];

	if (naver_either(row, "closePriceRaw", "closePrice", &tick->price) != QTS_KIS_NUMBER ||
		tick->price <= 0 || tick->price > QTS_KIS_MAX_PRICE || !naver_change(row, &tick->change) ||
		tick->change >= tick->price ||
		naver_either(row, "accumulatedTradingVolumeRaw", "accumulatedTradingVolume", &tick->acml_volume) ==
			QTS_KIS_JUNK ||
		tick->acml_volume < 0)
		return false;
	/* its text is in Korean units: the raw twin or nothing */
	if (naver_field(row, "accumulatedTradingValueRaw", &tick->acml_value) != QTS_KIS_NUMBER ||
		tick->acml_value < 0)
		tick->acml_value = 0;
	(void) qts_kis_json_text(row, "localTradedAt", text, sizeof(text));
	tick->exch_at = qts_naver_instant(text);
	tick->recv_at = recv_at;
	tick->source = QTS_SOURCE_NAVER;
	tick->halted = qts_kis_json_text(stop, "name", name, sizeof(name)) && strcmp(name, "TRADING") != 0;
	return true;
}

static int
naver_whose(const QtsQuoteRequest *quote, json_t *row, char *symbol)
{
	char text[16];

	(void) qts_kis_json_text(row, "itemCode", text, sizeof(text));
	if (text[0] == '\0')
		(void) qts_kis_json_text(row, "symbolCode", text, sizeof(text));
	if (!qts_kis_copy_symbol(symbol, text, strlen(text)))
		return -1;
	for (int i = 0; i < quote->symbols; i++)
	{
		if (strcmp(quote->symbol[i], symbol) == 0)
			return i;
	}
	return -1;
}

static void
naver_rows(const QtsQuoteRequest *quote, json_t *rows, QtsTime recv_at, QtsQuoteEvent *event)
{
	bool seen[QTS_QUOTE_SYMBOLS] = {false};

	for (size_t i = 0; i < json_array_size(rows); i++)
	{
		json_t *row = json_array_get(rows, i);
		QtsTick tick = {0};
		int which = json_is_object(row) ? naver_whose(quote, row, tick.symbol) : -1;

		if (which < 0 || seen[which] || !naver_tick(row, recv_at, &tick))
		{
			event->refused++;
			continue;
		}
		seen[which] = true;
		event->ticks[event->count++] = tick;
	}
}

QtsOutcome
qts_naver_parse(const QtsQuoteRequest *quote, int http_status, const char *body, size_t len, QtsTime recv_at,
				QtsQuoteEvent *event)
{
	json_t *root = http_status == 200 ? qts_kis_json_load(body, len) : NULL;
	json_t *rows = json_object_get(root, "datas");
	QtsOutcome outcome = QTS_OUTCOME_UNKNOWN;

	event->count = event->refused = 0;
	if (json_is_array(rows) && json_array_size(rows) <= NAVER_MAX_ROWS &&
		(event->ticks = calloc((size_t) quote->symbols, sizeof(QtsTick))) != NULL)
	{
		outcome = QTS_OUTCOME_OK;
		naver_rows(quote, rows, recv_at, event);
	}
	json_decref(root);
	return outcome;
}
