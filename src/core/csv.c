/*-------------------------------------------------------------------------
 *
 * csv.c
 *		Lines of comma-separated values, and the values in them.
 *
 *-------------------------------------------------------------------------
 */
#include "core/csv.h"

#include <string.h>

#include "core/session.h"

static bool
csv_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A quoted field: the text moves left over its quotes.  NULL when it does not end. */
static char *
csv_quoted(char *at, char **field)
{
	char *to = at;

	*field = at;
	at++;
	for (;;)
	{
		if (*at == '\0')
			return NULL;
		if (*at == '"' && at[1] == '"')
			at++;
		else if (*at == '"')
			break;
		*to++ = *at++;
	}
	at++;
	*to = '\0';
	while (csv_blank(*at))
		at++;
	return *at == ',' || *at == '\0' ? at : NULL;
}

static char *
csv_plain(char *at, char **field)
{
	char *end;

	*field = at;
	while (*at != ',' && *at != '\0')
		at++;
	end = at;
	while (end > *field && csv_blank(end[-1]))
		end--;
	if (end < at)
		*end = '\0';
	return at;
}

int
qts_csv_split(char *line, char **fields, int max)
{
	int n = 0;
	char *at = line;

	for (;;)
	{
		bool last;

		while (csv_blank(*at))
			at++;
		if (n == max)
			return QTS_CSV_TOO_MANY;
		at = *at == '"' ? csv_quoted(at, &fields[n]) : csv_plain(at, &fields[n]);
		if (at == NULL)
			return QTS_CSV_BROKEN;
		n++;
		last = *at == '\0';
		*at++ = '\0';
		if (last)
			return n;
	}
}

bool
qts_csv_whole(const char *text, int64_t *out)
{
	bool negative = *text == '-';
	int64_t value = 0;

	if (negative)
		text++;
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++)
	{
		if (*text < '0' || *text > '9' || __builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, *text - '0', &value))
			return false;
	}
	*out = negative ? -value : value;
	return true;
}

/* Exactly n digits. */
static bool
csv_digits(const char **text, int n, int32_t *out)
{
	int32_t value = 0;

	for (int i = 0; i < n; i++)
	{
		char c = (*text)[i];

		if (c < '0' || c > '9')
			return false;
		value = value * 10 + (c - '0');
	}
	*text += n;
	*out = value;
	return true;
}

static bool
csv_date(const char **text, QtsDate *out)
{
	int32_t year;
	int32_t month;
	int32_t day;
	bool dashes;

	if (!csv_digits(text, 4, &year))
		return false;
	dashes = **text == '-';
	*text += dashes;
	if (!csv_digits(text, 2, &month) || (dashes && *(*text)++ != '-') || !csv_digits(text, 2, &day))
		return false;
	return qts_date_from_yyyymmdd(year * 10000 + month * 100 + day, out);
}

static bool
csv_clock(const char **text, QtsTime *out)
{
	int32_t hour;
	int32_t minute;
	int32_t second = 0;

	if (!csv_digits(text, 2, &hour) || *(*text)++ != ':' || !csv_digits(text, 2, &minute))
		return false;
	if (**text == ':')
	{
		(*text)++;
		if (!csv_digits(text, 2, &second))
			return false;
	}
	if (hour > 23 || minute > 59 || second > 59)
		return false;
	*out = hour * QTS_HOUR + minute * QTS_MINUTE + second * QTS_SEC;
	return true;
}

bool
qts_csv_date(const char *text, QtsDate *out)
{
	QtsDate date;

	if (!csv_date(&text, &date) || *text != '\0')
		return false;
	*out = date;
	return true;
}

bool
qts_csv_clock(const char *text, QtsTime *out)
{
	QtsTime clock;

	if (!csv_clock(&text, &clock) || *text != '\0')
		return false;
	*out = clock;
	return true;
}

/* Z, +09, +0900 or +09:00; nothing = Seoul. */
static bool
csv_offset(const char *text, QtsTime *out)
{
	int32_t hour;
	int32_t minute = 0;
	bool west = *text == '-';

	*out = 0;
	if (*text == '\0')
		*out = 9 * QTS_HOUR;
	if (*text == '\0' || (*text == 'Z' && text[1] == '\0'))
		return true;
	if (*text != '+' && !west)
		return false;
	text++;
	if (!csv_digits(&text, 2, &hour))
		return false;
	if (*text == ':')
		text++;
	if (*text != '\0' && !csv_digits(&text, 2, &minute))
		return false;
	if (*text != '\0' || hour > 15 || minute > 59)
		return false;
	*out = (west ? -1 : 1) * (hour * QTS_HOUR + minute * QTS_MINUTE);
	return true;
}

bool
qts_csv_instant(const char *text, QtsTime *out)
{
	QtsDate date;
	QtsTime clock;
	QtsTime offset;

	if (!csv_date(&text, &date) || (*text != 'T' && *text != ' '))
		return false;
	text++;
	if (!csv_clock(&text, &clock) || !csv_offset(text, &offset))
		return false;
	*out = date * QTS_DAY + clock - offset;
	return true;
}

bool
qts_csv_bool(const char *text, bool *out)
{
	static const char *const yes[] = {"true", "t", "yes", "y", "1", "TRUE", "T", "YES", "Y"};
	static const char *const no[] = {"false", "f", "no", "n", "0", "FALSE", "F", "NO", "N"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
	{
		if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0)
		{
			*out = strcmp(text, yes[i]) == 0;
			return true;
		}
	}
	return false;
}
