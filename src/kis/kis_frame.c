/*-------------------------------------------------------------------------
 *
 * kis_frame.c
 *		Split data frames and decode H0STCNT0 trade ticks (kis-api 5.4, 5.5).
 *
 * The hot path of the whole feed: one pass over the bytes, eight at a time,
 * no allocation, no locale, no library call per field.
 *
 *-------------------------------------------------------------------------
 */
#include "kis/kis_frame.h"

#include <string.h>

#include "core/session.h"
#include "kis/kis_frame_int.h"
#include "kis/kis_text.h"

#define FRAME_CARETS UINT64_C(0x5E5E5E5E5E5E5E5E)
#define FRAME_LOW7 UINT64_C(0x7F7F7F7F7F7F7F7F)

/* H0STCNT0 field numbers. */
enum
{
	TICK_CODE = 0,
	TICK_HOUR = 1,
	TICK_PRICE = 2,
	TICK_SIGN = 3,
	TICK_CHANGE = 4,
	TICK_RATE = 5,
	TICK_ASK = 10,
	TICK_BID = 11,
	TICK_VOLUME = 12,
	TICK_ACML_VOLUME = 13,
	TICK_ACML_VALUE = 14,
	TICK_DATE = 33,
	TICK_HALTED = 35,
	TICK_MIN_WIDTH = 46,
	TICK_MARKET = 46,
	TICK_FIELDS = 47
};

/* The top bit of every byte that is a caret, first byte lowest. */
static inline uint64_t
frame_carets(const char *s)
{
	uint64_t x;

	memcpy(&x, s, sizeof(x));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	x = __builtin_bswap64(x);
#endif
	x ^= FRAME_CARETS;
	/* exact per byte: no borrow runs from one into the next */
	return ~(((x & FRAME_LOW7) + FRAME_LOW7) | x | FRAME_LOW7);
}

bool
qts_kis_frame_split(const char *text, size_t len, QtsKisFrame *frame)
{
	const char *end = text + len;
	const char *tr = text + 2;
	const char *bar;
	int count = 0;

	if (len < 4 || (text[0] != '0' && text[0] != '1') || text[1] != '|')
		return false;
	frame->encrypted = text[0] == '1';
	bar = memchr(tr, '|', (size_t) (end - tr));
	if (!bar || bar == tr || bar - tr > QTS_KIS_TR_LEN)
		return false;
	memcpy(frame->tr_id, tr, (size_t) (bar - tr));
	frame->tr_id[bar - tr] = '\0';
	for (bar++; bar < end && *bar >= '0' && *bar <= '9'; bar++)
	{
		count = count * 10 + (*bar - '0');
		if (count > QTS_KIS_MAX_RECORDS)
			return false;
	}
	if (bar == end || *bar != '|' || count == 0)
		return false;
	frame->count = count;
	frame->payload = bar + 1;
	frame->len = (size_t) (end - frame->payload);
	return true;
}

static int
frame_count_fields(const char *s, size_t len)
{
	int n = 1;

	for (; len >= 8; s += 8, len -= 8)
		n += __builtin_popcountll(frame_carets(s));
	for (; len > 0; s++, len--)
		n += *s == '^';
	return n;
}

bool
qts_kis_records_open(QtsKisRecords *records, const char *payload, size_t len, int count)
{
	int fields;

	records->at = payload;
	records->end = payload + len;
	records->left = count;
	records->width = 0;
	if (len == 0 || count < 1 || len > 16 * 1024 * 1024)
		return false;
	/* a single record is as wide as it is: no need to look twice */
	if (count == 1)
		return true;
	fields = frame_count_fields(payload, len);
	records->width = fields / count;
	return fields % count == 0;
}

int
qts_kis_records_next(QtsKisRecords *records, QtsKisField *fields, int max)
{
	const char *start = records->at;
	const char *p = start;
	int width = records->width > 0 ? records->width : INT32_MAX;
	int n = 0;

	if (records->left == 0)
		return 0;
	records->left--;
	while (records->end - p >= 8)
	{
		uint64_t carets = frame_carets(p);

		for (; carets; carets &= carets - 1)
		{
			const char *caret = p + (__builtin_ctzll(carets) >> 3);

			if (n < max)
			{
				fields[n].s = start;
				fields[n].len = (size_t) (caret - start);
			}
			start = caret + 1;
			if (++n == width)
			{
				records->at = start;
				return n;
			}
		}
		p += 8;
	}
	for (; p < records->end; p++)
	{
		if (*p != '^')
			continue;
		if (n < max)
		{
			fields[n].s = start;
			fields[n].len = (size_t) (p - start);
		}
		start = p + 1;
		if (++n == width)
		{
			records->at = start;
			return n;
		}
	}
	if (n < max)
	{
		fields[n].s = start;
		fields[n].len = (size_t) (records->end - start);
	}
	records->at = records->end;
	return n + 1;
}

/* -1, 0 or 1. */
static int
frame_sign(QtsKisField field)
{
	size_t i = field.len > 0 && (field.s[0] == '-' || field.s[0] == '+');

	while (i < field.len && (field.s[i] == '0' || field.s[i] == '.'))
		i++;
	return i == field.len ? 0 : field.s[0] == '-' ? -1 : 1;
}

/* Its own sign, the code's and the rate's (runtime 3.1). */
static bool
frame_change(const QtsKisField *f, int64_t *out)
{
	QtsKisField change = f[TICK_CHANGE];
	bool minus = change.len > 0 && change.s[0] == '-';

	if (minus || (change.len > 0 && change.s[0] == '+'))
	{
		change.s++;
		change.len--;
	}
	if (!frame_price(change, out))
		return false;
	*out = qts_kis_change(minus ? -*out : *out, f[TICK_SIGN].len == 1 ? f[TICK_SIGN].s[0] : '\0',
						  frame_sign(f[TICK_RATE]));
	return true;
}

static QtsTime
frame_instant(QtsKisField day, QtsKisField clock)
{
	QtsTime of_day = frame_clock(clock);
	int64_t d;
	QtsDate date;

	if (of_day < 0 || day.len != 8 || !frame_number(day, &d) || !qts_date_from_yyyymmdd((int32_t) d, &date))
		return QTS_TIME_NONE;
	return qts_seoul_instant(date, of_day);
}

QtsKisDecode
qts_kis_tick_next(QtsKisRecords *records, QtsTime recv_at, QtsTick *tick)
{
	QtsKisField f[TICK_FIELDS];
	int width = qts_kis_records_next(records, f, TICK_FIELDS);

	if (width == 0)
		return QTS_KIS_END;
	/* as wide as two of them: the frame has more records than it says */
	if (width < TICK_MIN_WIDTH || width >= 2 * TICK_MIN_WIDTH ||
		!qts_kis_copy_symbol(tick->symbol, f[TICK_CODE].s, f[TICK_CODE].len))
		return QTS_KIS_MALFORMED;
	if (!frame_price(f[TICK_PRICE], &tick->price) || tick->price <= 0 ||
		!frame_price(f[TICK_ASK], &tick->ask) || !frame_price(f[TICK_BID], &tick->bid) ||
		!frame_number(f[TICK_VOLUME], &tick->volume) ||
		!frame_number(f[TICK_ACML_VOLUME], &tick->acml_volume) ||
		!frame_number(f[TICK_ACML_VALUE], &tick->acml_value) || !frame_change(f, &tick->change) ||
		tick->change >= tick->price)
		return QTS_KIS_MALFORMED;
	tick->exch_at = frame_instant(f[TICK_DATE], f[TICK_HOUR]);
	tick->lower = tick->upper = 0;
	tick->recv_at = recv_at;
	tick->halted = f[TICK_HALTED].len == 1 && f[TICK_HALTED].s[0] == 'Y';
	tick->market_class = width > TICK_MARKET && f[TICK_MARKET].len == 1 ? f[TICK_MARKET].s[0] : '\0';
	return QTS_KIS_DECODED;
}
