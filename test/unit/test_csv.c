/*-------------------------------------------------------------------------
 *
 * test_csv.c
 *		Lines of values, the broker's master lines, and bars that can be true.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "core/bar.h"
#include "core/csv.h"
#include "core/master.h"
#include "core/session.h"
#include "tap.h"

static char line[256];
static char *fields[4];

static int
split(const char *text)
{
	snprintf(line, sizeof(line), "%s", text);
	return qts_csv_split(line, fields, 4);
}

static void
test_split(void)
{
	is(split("a, b ,c\r"), 3, "three fields");
	is_text(fields[1], "b", "blanks around a field go");
	is_text(fields[2], "c", "so does the end of the line");
	is(split("a,,"), 3, "empty fields are fields");
	is_text(fields[1], "", "and empty");
	is(split(""), 1, "an empty line is one empty field");
	is(split("\"x, y\" ,\"he said \"\"no\"\"\",z"), 3, "quoted fields");
	is_text(fields[0], "x, y", "keep their commas");
	is_text(fields[1], "he said \"no\"", "and their quotes");
	is(split("\"\",b"), 2, "an empty quoted field");
	is(split("\"open"), QTS_CSV_BROKEN, "a quote that does not end");
	is(split("\"a\"b,c"), QTS_CSV_BROKEN, "text after a quoted field");
	is(split("\"a\"\""), QTS_CSV_BROKEN, "a doubled quote at the end does not end it");
	is(split("1,2,3,4,5"), QTS_CSV_TOO_MANY, "more than there is room for");
}

static void
test_values(void)
{
	static const char *const bad_numbers[] = {"",	"-",	"1.0", "1e3", " 1", "9223372036854775808",
											  "+1", "1,000"};
	static const char *const bad_dates[] = {"",			 "2026-1-1", "2026-02-29", "202611201",
											"2026-1120", "20261131", "2026/11/20"};
	static const char *const bad_instants[] = {
		"2026-11-20",			"2026-11-20T24:00",		 "2026-11-20T09:00+1", "2026-11-20T09:00:00.5",
		"2026-11-20 09:00 KST", "2026-11-20T09:00+09:0", "2026-11-20T09:60"};
	int64_t number = 7;
	QtsDate date = 7;
	QtsTime at = 7;
	QtsTime nine;
	bool flag = false;
	bool refused = true;

	ok(qts_csv_whole("9223372036854775807", &number) && number == INT64_MAX, "the largest number");
	ok(qts_csv_whole("-12", &number) && number == -12, "a negative one");
	for (size_t i = 0; i < sizeof(bad_numbers) / sizeof(bad_numbers[0]); i++)
		refused = tap_note(!qts_csv_whole(bad_numbers[i], &number) && number == -12, "%s", bad_numbers[i]) &&
				  refused;
	ok(refused, "nothing but whole numbers");
	ok(qts_csv_date("2026-11-20", &date) && qts_date_yyyymmdd(date) == 20261120, "a date");
	ok(qts_csv_date("20261121", &date) && qts_date_yyyymmdd(date) == 20261121, "without dashes");
	for (size_t i = 0; i < sizeof(bad_dates) / sizeof(bad_dates[0]); i++)
		refused = tap_note(!qts_csv_date(bad_dates[i], &date), "%s", bad_dates[i]) && refused;
	ok(refused, "nothing but dates");
	nine = qts_seoul_instant(date, 9 * QTS_HOUR);
	ok(qts_csv_instant("2026-11-21T09:00:00+09:00", &at) && at == nine, "an instant");
	ok(qts_csv_instant("20261121 09:00", &at) && at == nine, "of Seoul unless it says otherwise");
	ok(qts_csv_instant("2026-11-21T00:00:00Z", &at) && at == nine, "of UTC");
	ok(qts_csv_instant("2026-11-20T19:30-0430", &at) && at == nine, "of elsewhere");
	for (size_t i = 0; i < sizeof(bad_instants) / sizeof(bad_instants[0]); i++)
		refused = tap_note(!qts_csv_instant(bad_instants[i], &at), "%s", bad_instants[i]) && refused;
	ok(refused, "nothing but instants");
	ok(qts_csv_clock("09:00:30", &at) && at == 9 * QTS_HOUR + 30 * QTS_SEC, "a time of day");
	ok(!qts_csv_clock("9:00", &at) && !qts_csv_clock("", &at), "with two digits");
	ok(qts_csv_bool("Y", &flag) && flag && qts_csv_bool("false", &flag) && !flag, "yes and no");
	ok(!qts_csv_bool("perhaps", &flag) && !qts_csv_bool("", &flag), "and nothing else");
}

static QtsBar
bar(QtsKrw open, QtsKrw high, QtsKrw low, QtsKrw close, QtsQty volume)
{
	return (QtsBar){.open = open, .high = high, .low = low, .close = close, .volume = volume, .value = -1};
}

static void
test_bars(void)
{
	QtsBar good = bar(1000, 1100, 900, 1050, 5);
	QtsBar half = bar(20025, 20050, 20000, 20050, 5);
	QtsBar halted = bar(0, 0, 0, 1000, 3);
	QtsBar odd[] = {bar(1000, 1000000001, 900, 1050, 5),
					bar(0, 0, 0, 1000000001, 0),
					bar(1000, 1100, 900, 0, 5),
					bar(1000, 1100, 900, 1050, -1),
					bar(1000, 1040, 900, 1050, 5),
					bar(1000, 1100, 1001, 1050, 5),
					bar(0, 1100, 0, 1050, 5),
					bar(-5, 1100, -5, 1050, 5)};
	bool refused = true;

	ok(qts_bar_fault(&good, true) == NULL && qts_bar_fault(&good, false) == NULL, "a bar");
	ok(qts_bar_fault(&half, false) == NULL, "half a tick off the grid is real");
	ok(qts_bar_fault(&halted, true) == NULL && qts_bar_halted(&halted), "a halted day has a close only");
	ok(qts_bar_fault(&halted, false) != NULL, "a minute has prices");
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		refused = tap_note(qts_bar_fault(&odd[i], true) != NULL, "bar %d", (int) i) && refused;
	ok(refused, "bars that cannot be");
}

/* A line as the broker lays it out: head, a name of any length, the tail. */
static int
master_line(char *to, size_t size, const char *code, const char *name, int tail, const char *group, int flags,
			int listed, int cap)
{
	int head = snprintf(to, size, "%-9sKR7000000000%-20s", code, name);
	char *t = to + head;

	memset(t, ' ', (size_t) tail);
	memcpy(t, group, 2);
	memcpy(t + flags, "NNN00", 5);
	memcpy(t + listed, "19750611", 8);
	memcpy(t + cap, "004500000", 9);
	t[tail] = '\0';
	return head + tail;
}

static void
test_master(void)
{
	char text[400];
	QtsMasterRow row;
	int len = master_line(text, sizeof(text), "005930", "Samsung", 227, "ST", 60, 105, 212);

	ok(qts_master_parse(QTS_MASTER_KOSPI, text, len, &row) == NULL, "a line of the KOSPI file");
	is_text(row.symbol, "005930", "its code");
	ok(row.name_len == 7 && memcmp(row.name, "Samsung", 7) == 0, "its name");
	ok(row.listed_known && qts_date_yyyymmdd(row.listed) == 19750611, "listed on");
	is(row.market_cap, INT64_C(450000000000000), "market value");
	ok(!row.halted && !row.managed && !row.warning && row.instrument == QTS_INSTRUMENT_STOCK,
	   "nothing special");
	ok(qts_master_parse(QTS_MASTER_KOSDAQ, text, len, &row) != NULL, "it is no line of the KOSDAQ file");
	memcpy(text + len - 227 + 60, "YNY02", 5);
	ok(qts_master_parse(QTS_MASTER_KOSPI, text, len, &row) == NULL && row.halted && row.managed &&
		   row.warning,
	   "halted, managed, warned of");
	memcpy(text + len - 227 + 60, "NYN00", 5);
	ok(qts_master_parse(QTS_MASTER_KOSPI, text, len, &row) == NULL && row.warning, "before its delisting");
	len = master_line(text, sizeof(text), "Q500001", "An ETN", 227, "EN", 60, 105, 212);
	ok(qts_master_parse(QTS_MASTER_KOSPI, text, len, &row) == NULL && row.instrument == QTS_INSTRUMENT_ETP,
	   "an ETN");
	is_text(row.symbol, "Q500001", "keeps its Q");
	len = master_line(text, sizeof(text), "F00000001", "A fund", 227, "BC", 60, 105, 212);
	ok(qts_master_parse(QTS_MASTER_KOSPI, text, len, &row) != NULL, "a fund has no code we trade");
	len = master_line(text, sizeof(text), "035760", "CJ ENM", 221, "ST", 55, 100, 206);
	ok(qts_master_parse(QTS_MASTER_KOSDAQ, text, len, &row) == NULL, "a line of the KOSDAQ file");
	is(row.market_cap, INT64_C(450000000000000), "market value");
	ok(qts_date_yyyymmdd(row.listed) == 19750611, "listed on");
	ok(qts_master_parse(QTS_MASTER_KOSDAQ, text, 100, &row) != NULL, "a cut line");
	ok(qts_master_parse(QTS_MASTER_KOSDAQ, text, 0, &row) != NULL, "an empty line");
}

/* Whatever comes: nothing is read or written out of bounds (the sanitizers look). */
static void
test_anything(void)
{
	static const char alphabet[] = "0159,\"- :TZ+AQ YN\t\xc0\xff";
	TapRandom rng = {20261120};
	char text[300];
	bool bounded = true;

	for (int i = 0; i < 200000 && bounded; i++)
	{
		int len = (int) (tap_random(&rng) % sizeof(text));
		char *found[8];
		QtsMasterRow row;
		int64_t number;
		QtsDate date;
		QtsTime at;
		int n;

		for (int k = 0; k < len; k++)
			text[k] = alphabet[tap_random(&rng) % (sizeof(alphabet) - 1)];
		text[len] = '\0';
		if (qts_master_parse(i % 2 ? QTS_MASTER_KOSPI : QTS_MASTER_KOSDAQ, text, len, &row) == NULL)
			bounded = row.name >= text && row.name + row.name_len <= text + len;
		n = qts_csv_split(text, found, 8);
		bounded = bounded && n <= 8 && n != 0;
		for (int k = 0; k < n && bounded; k++)
		{
			(void) qts_csv_whole(found[k], &number);
			(void) qts_csv_date(found[k], &date);
			(void) qts_csv_clock(found[k], &at);
			(void) qts_csv_instant(found[k], &at);
			bounded = found[k] >= text && found[k] + strlen(found[k]) <= text + len;
		}
	}
	ok(bounded, "fields lie in their line");
}

int
main(void)
{
	test_split();
	test_values();
	test_bars();
	test_master();
	test_anything();
	return tap_done();
}
