/*-------------------------------------------------------------------------
 *
 * kis_text.c
 *		Bounded text for the wire format.
 *
 *-------------------------------------------------------------------------
 */
#include "kis/kis_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/session.h"

#define TEXT_MAX_DIGITS 18	/* always fits int64 */
#define TEXT_AHEAD QTS_HOUR /* further ahead of us a time of day is of another day */

static void
text_trim(const char **s, size_t *len)
{
	while (*len > 0 && **s == ' ')
	{
		(*s)++;
		(*len)--;
	}
	while (*len > 0 && (*s)[*len - 1] == ' ')
		(*len)--;
}

/* Sign and whole part; *at is left behind the last digit. */
static QtsKisNumber
text_whole(const char *s, size_t len, size_t *at, bool *negative, int64_t *out)
{
	size_t i = 0;
	int digits = 0;
	int64_t value = 0;
	size_t first;

	*negative = len > 0 && s[0] == '-';
	if (len > 0 && (s[0] == '-' || s[0] == '+'))
		i++;
	if (i == len)
		return *negative || len == 0 ? QTS_KIS_ABSENT : QTS_KIS_JUNK;
	for (first = i; i < len && s[i] >= '0' && s[i] <= '9'; i++)
	{
		if ((value > 0 || s[i] != '0') && ++digits > TEXT_MAX_DIGITS)
			return QTS_KIS_JUNK;
		value = value * 10 + (s[i] - '0');
	}
	*at = i;
	*out = value;
	return i > first ? QTS_KIS_NUMBER : QTS_KIS_JUNK;
}

QtsKisNumber
qts_kis_parse_integer(const char *s, size_t len, int64_t *out)
{
	int64_t value;
	size_t i = 0;
	bool negative;
	QtsKisNumber kind;

	text_trim(&s, &len);
	kind = text_whole(s, len, &i, &negative, &value);
	if (kind != QTS_KIS_NUMBER)
		return kind;
	if (i < len && s[i] == '.')
	{
		for (i++; i < len && s[i] == '0'; i++)
			;
	}
	if (i < len)
		return QTS_KIS_JUNK;
	*out = negative ? -value : value;
	return QTS_KIS_NUMBER;
}

QtsKisNumber
qts_kis_parse_decimal(const char *s, size_t len, QtsPrice *out)
{
	int64_t value;
	int64_t unit = QTS_PRICE_SCALE / 10;
	size_t i = 0;
	bool negative;
	QtsKisNumber kind;

	text_trim(&s, &len);
	kind = text_whole(s, len, &i, &negative, &value);
	if (kind != QTS_KIS_NUMBER)
		return kind;
	if (value > INT64_MAX / QTS_PRICE_SCALE - 1)
		return QTS_KIS_JUNK;
	value *= QTS_PRICE_SCALE;
	if (i < len && s[i] == '.')
	{
		for (i++; i < len && s[i] >= '0' && s[i] <= '9'; i++, unit /= 10)
			value += (s[i] - '0') * unit;
	}
	if (i < len)
		return QTS_KIS_JUNK;
	*out = negative ? -value : value;
	return QTS_KIS_NUMBER;
}

void
qts_kis_copy_text(char *out, size_t size, const char *s, size_t len)
{
	text_trim(&s, &len);
	if (len >= size)
	{
		len = size - 1;
		while (len > 0 && ((unsigned char) s[len] & 0xC0) == 0x80)
			len--;
	}
	for (size_t i = 0; i < len; i++)
		out[i] = (unsigned char) s[i] < 0x20 || s[i] == 0x7F ? ' ' : s[i];
	out[len] = '\0';
}

bool
qts_kis_copy_odno(char out[QTS_ODNO_LEN + 1], const char *s, size_t len)
{
	text_trim(&s, &len);
	out[0] = '\0';
	if (len == 0)
		return true;
	if (len > QTS_ODNO_LEN)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		if (s[i] < '0' || s[i] > '9')
			return false;
	}
	memset(out, '0', QTS_ODNO_LEN - len);
	memcpy(out + QTS_ODNO_LEN - len, s, len);
	out[QTS_ODNO_LEN] = '\0';
	return true;
}

static bool
text_symbol(const char *s, size_t len)
{
	if (len != 6 && len != QTS_SYMBOL_LEN)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'A' && s[i] <= 'Z')))
			return false;
	}
	return true;
}

bool
qts_kis_symbol_valid(const char *symbol)
{
	return text_symbol(symbol, strnlen(symbol, QTS_SYMBOL_LEN + 1));
}

bool
qts_kis_copy_symbol(char out[QTS_SYMBOL_LEN + 1], const char *s, size_t len)
{
	text_trim(&s, &len);
	if (!text_symbol(s, len))
		return false;
	if (len == QTS_SYMBOL_LEN && s[0] == 'A')
	{
		s++;
		len--;
	}
	memcpy(out, s, len);
	out[len] = '\0';
	return true;
}

bool
qts_kis_copy_account(char out[12], const char *s, size_t len)
{
	text_trim(&s, &len);
	if (len != 10)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		if (s[i] < '0' || s[i] > '9')
			return false;
	}
	memcpy(out, s, 8);
	out[8] = '-';
	memcpy(out + 9, s + 8, 2);
	out[11] = '\0';
	return true;
}

bool
qts_kis_account_valid(const char *account)
{
	if (strnlen(account, 12) != 11 || account[8] != '-')
		return false;
	for (int i = 0; i < 11; i++)
	{
		if (i != 8 && (account[i] < '0' || account[i] > '9'))
			return false;
	}
	return true;
}

int64_t
qts_kis_change(int64_t change, char sign, int rate_sign)
{
	if (sign == '4' || sign == '5')
		return change > 0 ? -change : change;
	if ((rate_sign > 0 && change < 0) || (rate_sign < 0 && change > 0))
		return -change;
	return change;
}

QtsTime
qts_kis_instant_near(QtsTime of_day, QtsTime now)
{
	QtsTime at;

	if (now == QTS_TIME_NONE)
		return QTS_TIME_NONE;
	at = qts_seoul_instant(qts_seoul_date(now), of_day);
	return at > now + TEXT_AHEAD ? at - QTS_DAY : at;
}

QtsKisWriter
qts_kis_writer(char *out, size_t size)
{
	QtsKisWriter w = {.out = out, .size = size};

	out[0] = '\0';
	return w;
}

static void
text_put_bytes(QtsKisWriter *w, const char *s, size_t len)
{
	if (len >= w->size - w->len)
	{
		w->full = true;
		return;
	}
	memcpy(w->out + w->len, s, len);
	w->len += len;
	w->out[w->len] = '\0';
}

void
qts_kis_put(QtsKisWriter *w, const char *s)
{
	text_put_bytes(w, s, strlen(s));
}

void
qts_kis_put_integer(QtsKisWriter *w, int64_t value)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRId64, value);
	qts_kis_put(w, digits);
}

void
qts_kis_put_json(QtsKisWriter *w, const char *s)
{
	for (; *s; s++)
	{
		char escaped[8];

		if (*s == '"' || *s == '\\')
			snprintf(escaped, sizeof(escaped), "\\%c", *s);
		else if ((unsigned char) *s < 0x20)
			snprintf(escaped, sizeof(escaped), "\\u%04x", (unsigned) (unsigned char) *s);
		else
		{
			text_put_bytes(w, s, 1);
			continue;
		}
		qts_kis_put(w, escaped);
	}
}

void
qts_kis_put_query(QtsKisWriter *w, const char *s)
{
	for (; *s; s++)
	{
		char escaped[4];

		if ((*s >= '0' && *s <= '9') || (*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z') ||
			strchr("-._~", *s))
		{
			text_put_bytes(w, s, 1);
			continue;
		}
		snprintf(escaped, sizeof(escaped), "%%%02X", (unsigned) (unsigned char) *s);
		qts_kis_put(w, escaped);
	}
}
