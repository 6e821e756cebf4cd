/*-------------------------------------------------------------------------
 *
 * frame_test.c
 *		WebSocket frames, ticks, notices, decryption and control messages.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/session.h"
#include "kis/kis_frame.h"
#include "kis/kis_request.h"
#include "tap.h"

#define KEY "abcdefghijklmnopabcdefghijklmnop"
#define IV "0123456789abcdef"
#define TICK46                                                                                               \
	"005930^100001^71500^2^500^0.70^71480.12^71000^71900^70900^71600^71500^12^1234567^"                      \
	"88250000000^5100^5300^200^101.25^600000^634567^1^0.51^35.10^090001^2^500^091502^5^-400^"                \
	"090101^2^600^20261120^20^N^12000^15000^150000^170000^0.02^1100000^112.23^0^^71000"
#define TICK47 TICK46 "^2"

static void
test_split(void)
{
	static const char *const bad[] = {"",
									  "0",
									  "0|",
									  "2|H0STCNT0|001|x",
									  "0|H0STCNT0|001",
									  "0|H0STCNT0|000|x",
									  "0||001|x",
									  "0|H0STCNT0|1000|x",
									  "0|H0STCNT0|0x1|x",
									  "0|ABCDEFGHIJKLMNOPQ|001|x",
									  "0H0STCNT0|001|x",
									  "0|H0STCNT0|-01|x",
									  "0|H0STCNT0||x"};
	QtsKisFrame frame;
	const char *text = "0|H0STCNT0|004|a^b|c^d";

	ok(qts_kis_frame_split(text, strlen(text), &frame) && !frame.encrypted && frame.count == 4 &&
		   strcmp(frame.tr_id, "H0STCNT0") == 0,
	   "frame");
	ok(frame.len == 7 && memcmp(frame.payload, "a^b|c^d", 7) == 0, "only the first three bars separate");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!qts_kis_frame_split(bad[i], strlen(bad[i]), &frame), "refused: \"%s\"", bad[i]);
}

static int
decode_ticks(const char *text, QtsTick *ticks, int max)
{
	QtsKisFrame frame;
	QtsKisRecords records;
	int n = 0;

	if (!qts_kis_frame_split(text, strlen(text), &frame) ||
		!qts_kis_records_open(&records, frame.payload, frame.len, frame.count))
		return -1;
	for (;;)
	{
		QtsTick tick;
		QtsKisDecode kind = qts_kis_tick_next(&records, 42, &tick);

		if (kind == QTS_KIS_END)
			return n;
		if (kind == QTS_KIS_MALFORMED)
			return -1;
		if (n < max)
			ticks[n] = tick;
		n++;
	}
}

static void
test_ticks(void)
{
	QtsTick t[4];
	char text[4096];
	static const struct
	{
		int field;
		const char *value;
		bool valid;
	} changes[] = {{2, "", false},
				   {2, "0", false},
				   {2, "-71500", false},
				   {2, "abc", false},
				   {2, "99999999999999999999", false},
				   {0, "", false},
				   {0, "00593", false},
				   {0, "KR7005930003", false},
				   {10, "", true},
				   {11, "", true},
				   {12, "", true},
				   {12, "x", false},
				   {13, "1x", false},
				   {33, "", true},
				   {1, "250000", true},
				   {4, "junk", false},
				   {4, "71499", true},
				   {4, "71500", false},
				   {4, "9999999999999", false},
				   {2, "1000000000001", false},
				   {10, "1000000000001", false},
				   {11, "-1", false}};

	ok(decode_ticks("0|H0STCNT0|001|" TICK47, t, 4) == 1, "47 fields");
	ok(strcmp(t[0].symbol, "005930") == 0 && t[0].price == 71500 && t[0].ask == 71600 && t[0].bid == 71500 &&
		   t[0].volume == 12 && t[0].acml_volume == 1234567 && t[0].acml_value == INT64_C(88250000000) &&
		   t[0].change == 500 && !t[0].halted && t[0].market_class == '2' && t[0].recv_at == 42,
	   "B-P6: every field by its number: volume is the 12th, ask and bid the 10th and 11th");
	tap_is(qts_date_yyyymmdd(qts_seoul_date(t[0].exch_at)), 20261120, "exchange date");
	tap_is(qts_seoul_time_of_day(t[0].exch_at), 10 * QTS_HOUR + QTS_SEC, "exchange second");
	ok(decode_ticks("0|H0STCNT0|001|" TICK46, t, 4) == 1 && t[0].market_class == '\0', "46 fields");
	ok(decode_ticks("0|H0STCNT0|001|" TICK47 "^extra^^", t, 4) == 1, "wider than known");
	ok(decode_ticks("0|H0STCNT0|003|" TICK47 "^" TICK47 "^" TICK47, t, 4) == 3 && t[2].market_class == '2',
	   "B-P7: three records of one frame are three prints");
	ok(decode_ticks("0|H0STCNT0|002|" TICK46 "^" TICK47, t, 4) == -1, "uneven records");
	ok(decode_ticks("0|H0STCNT0|001|005930^100001^71500", t, 4) == -1, "too narrow");
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
	{
		const char *from = TICK47;
		int field = 0;
		size_t n = (size_t) sprintf(text, "0|H0STCNT0|001|");

		for (const char *p = from;; p++)
		{
			if (field == changes[i].field)
			{
				n += (size_t) sprintf(text + n, "%s", changes[i].value);
				while (*p && *p != '^')
					p++;
			}
			text[n++] = *p;
			if (!*p)
				break;
			field += *p == '^';
			if (*p == '^' && field == changes[i].field)
				continue;
		}
		ok((decode_ticks(text, t, 4) == 1) == changes[i].valid, "field %d = \"%s\" is %s", changes[i].field,
		   changes[i].value, changes[i].valid ? "tolerated" : "refused");
	}
	ok(decode_ticks("0|H0STCNT0|001|005930^120651^67050^5^-750^-1.11^1^1^1^1^67100^67000^200^1^1^1^1^1^1^1"
					"^1^1^1^1^1^1^1^1^1^1^1^1^1^20250722^20^Y^1^1^1^1^1^1^1^0^^1",
					t, 4) == 1 &&
		   t[0].change == -750 && t[0].price == 67050 && t[0].halted,
	   "falling, halted, half a tick off the grid");
	ok(decode_ticks("0|H0STCNT0|001|005930^120651^67050^2^750^-1.11^1^1^1^1^67100^67000^200^1^1^1^1^1^1^1"
					"^1^1^1^1^1^1^1^1^1^1^1^1^1^20250722^20^N^1^1^1^1^1^1^1^0^^1",
					t, 4) == 1 &&
		   t[0].change == -750,
	   "the rate says down");
	ok(decode_ticks("0|H0STCNT0|001|" TICK46 "^" TICK46, t, 4) == -1, "two records said to be one");
	ok(decode_ticks("0|H0STCNT0|003|" TICK46 "^" TICK46, t, 4) == -1, "or three");
	memcpy(text, "0|H0STCNT0|001|" TICK46, sizeof("0|H0STCNT0|001|" TICK46));
	*strrchr(text, '^') = '\0';
	ok(decode_ticks(text, t, 4) == -1, "cut short");
}

#define LEVELS(a, b) #a "00^" #b "01^" #b "02^" #b "03^" #b "04^" #b "05^" #b "06^" #b "07^" #b "08^" #b "09"
#define TEN "1^2^3^4^5^6^7^8^9^10"
#define BOOK_HEAD "005930^115959^0^"
#define BOOK_TAIL "^55^55^0^0^0^0^0^0^3^0.00^1^0^0^0^0^0"
#define BOOK59 BOOK_HEAD LEVELS(711, 711) "^" LEVELS(710, 709) "^" TEN "^" TEN BOOK_TAIL

static int
decode_books(const char *text, QtsBook *books, int max)
{
	QtsKisFrame frame;
	QtsKisRecords records;
	QtsKisDecode kind;
	int n = 0;

	if (!qts_kis_frame_split(text, strlen(text), &frame) ||
		!qts_kis_records_open(&records, frame.payload, frame.len, frame.count))
		return -1;
	/* noon of the day */
	while (n < max &&
		   (kind = qts_kis_book_next(&records, 9820 * QTS_DAY + 3 * QTS_HOUR, &books[n])) != QTS_KIS_END)
	{
		if (kind == QTS_KIS_MALFORMED)
			return -1;
		n++;
	}
	return n;
}

static void
test_books(void)
{
	QtsBook b[2];
	static const char *const bad[] = {
		"0|H0STASP0|001|005930^115959^0",
		"0|H0STASP0|001|" BOOK59 "^" BOOK59,
		"0|H0STASP0|002|" BOOK59,
		"0|H0STASP0|001|00593" BOOK59,
		"0|H0STASP0|001|" BOOK_HEAD LEVELS(711, x) "^" LEVELS(710, 709) "^" TEN "^" TEN BOOK_TAIL,
		"0|H0STASP0|001|" BOOK_HEAD LEVELS(-711, 711) "^" LEVELS(710, 709) "^" TEN "^" TEN BOOK_TAIL,
		"0|H0STASP0|001|" BOOK_HEAD LEVELS(711, 711) "^" LEVELS(710,
																709) "^1^1^1^1^1^1^1^1^1^-1^" TEN BOOK_TAIL,
	};

	ok(decode_books("0|H0STASP0|001|" BOOK59, b, 2) == 1, "59 fields");
	ok(strcmp(b[0].symbol, "005930") == 0 && b[0].ask[0].price == 71100 && b[0].ask[0].qty == 1 &&
		   b[0].ask[9].price == 71109 && b[0].ask[9].qty == 10,
	   "asks from the lowest up");
	ok(b[0].bid[0].price == 71000 && b[0].bid[0].qty == 1 && b[0].bid[1].price == 70909 &&
		   b[0].bid[1].qty == 10 && b[0].bid[9].price == 70901,
	   "bids from the highest down, although they came otherwise");
	ok(b[0].exch_at == 9820 * QTS_DAY + 3 * QTS_HOUR - QTS_SEC, "its time");
	ok(decode_books("0|H0STASP0|001|" BOOK59 "^71050^0^0", b, 2) == 1 &&
		   decode_books("0|H0STASP0|001|" BOOK59 "^71050^0^0^2", b, 2) == 1,
	   "62 and 63 fields");
	ok(decode_books("0|H0STASP0|002|" BOOK59 "^" BOOK59, b, 2) == 2, "two books");
	ok(decode_books(
		   "0|H0STASP0|001|005930^x^0^0^71200^0^71100^0^0^0^0^0^0^71000^0^0^0^0^0^0^0^0^0^9^5^0^6^0^0^0^0"
		   "^0^0^7^0^0^0^0^0^0^0^0^0" BOOK_TAIL,
		   b, 2) == 1 &&
		   b[0].ask[0].price == 71100 && b[0].ask[0].qty == 6 && b[0].ask[1].price == 71200 &&
		   b[0].ask[2].price == 0 && b[0].bid[0].price == 71000 && b[0].bid[1].price == 0 &&
		   b[0].exch_at == QTS_TIME_NONE,
	   "empty levels are none");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(decode_books(bad[i], b, 2) == -1, "refused: %.60s", bad[i]);
}

/* The splitter against a plain byte loop, on random shapes. */
static void
test_records_against_plain(void)
{
	unsigned seed = 12345;
	int different = 0;

	for (int round = 0; round < 20000; round++)
	{
		char text[200];
		size_t len;
		int fields = 1;
		QtsKisRecords records;
		QtsKisField f[64];
		int width;
		const char *start;

		seed = seed * 1103515245 + 12345;
		len = 1 + (seed >> 16) % 150;
		for (size_t i = 0; i < len; i++)
		{
			seed = seed * 1103515245 + 12345;
			/* neighbours of the caret and high bytes on purpose */
			text[i] = "^^_]\xDE\x80"
					  "ab"[(seed >> 16) % 8];
			fields += text[i] == '^';
		}
		if (!qts_kis_records_open(&records, text, len, 1))
		{
			different++;
			continue;
		}
		width = qts_kis_records_next(&records, f, 64);
		different += width != fields;
		start = text;
		for (int i = 0; i < width && i < 64; i++)
		{
			const char *end = memchr(start, '^', (size_t) (text + len - start));

			end = end ? end : text + len;
			different += f[i].s != start || f[i].len != (size_t) (end - start);
			start = end + 1;
		}
		different += qts_kis_records_next(&records, f, 64) != 0;
	}
	tap_is(different, 0, "eight bytes at a time finds what one at a time finds");
}

#define NOTICE(side, change, odno, orgn, qty, price, refused, filled, accepted)                              \
	"myhtsid^1234567801^" odno "^" orgn "^" side "^" change "^00^0^005930^" qty "^" price "^100001^" refused \
	"^" filled "^" accepted "^06010^000000010^HONG"
#define VECTOR                                                                                               \
	"myhtsid^1234567801^0000117057^^02^0^00^0^005930^0000000010^000071500^100001^0^1^1^"                     \
	"06010^000000010^HONG^000000000^1^Y^^10^^SAMSUNG^000071500"
#define VECTOR_BASE64                                                                                        \
	"E3SF1qGt5S2QgNu9hOPZnl05I0vjQMy7JIqUxfArSyFS6vIu/SGdBVnR59CszBNiPMiIDOdukXf6Wyt8"                       \
	"wmxrZFYb+orx2E5AtCmU++gh3GlqnSv4fkoYmE/5O5yCpQWrTbwtrbMHkxMzMqZhP7gwJ0l/7N191JAlyFPw55p3ubq7"           \
	"UOl+9AoZKVSS0Pib4qY2"

static QtsKisDecode
decode_notice(const char *text, QtsNotice *notice)
{
	QtsKisRecords records;

	return qts_kis_records_open(&records, text, strlen(text), 1) ? qts_kis_notice_next(&records, 7, notice)
																 : QTS_KIS_MALFORMED;
}

static void
test_decrypt(void)
{
	QtsKisCipher cipher = {0};
	char out[1024];
	long n;

	tap_is(qts_kis_decrypt(&cipher, VECTOR_BASE64, strlen(VECTOR_BASE64), out, sizeof(out)), -1,
		   "no key, no text");
	qts_kis_cipher_key(&cipher, KEY, IV);
	for (int i = 0; i < 2; i++)
	{
		n = qts_kis_decrypt(&cipher, VECTOR_BASE64, strlen(VECTOR_BASE64), out, sizeof(out));
		ok(n == (long) strlen(VECTOR) && memcmp(out, VECTOR, (size_t) n) == 0,
		   "the documented vector, the same iv each time");
	}
	tap_is(qts_kis_decrypt(&cipher, VECTOR_BASE64, strlen(VECTOR_BASE64) - 1, out, sizeof(out)), -1,
		   "cut base64");
	tap_is(qts_kis_decrypt(&cipher, "E3SF1q*t", 8, out, sizeof(out)), -1, "not base64");
	tap_is(qts_kis_decrypt(&cipher, "QUJDREVGR0g=", 12, out, sizeof(out)), -1, "not whole blocks");
	tap_is(qts_kis_decrypt(&cipher, VECTOR_BASE64, strlen(VECTOR_BASE64), out, 16), -1, "no room");
	qts_kis_cipher_key(&cipher, "ponmlkjihgfedcbaponmlkjihgfedcba", IV);
	n = qts_kis_decrypt(&cipher, VECTOR_BASE64, strlen(VECTOR_BASE64), out, sizeof(out));
	ok(n != (long) strlen(VECTOR) || memcmp(out, VECTOR, (size_t) n) != 0, "wrong key");
	qts_kis_cipher_close(&cipher);
	ok(!cipher.keyed && cipher.context == NULL, "wiped");
}

static void
test_notices(void)
{
	QtsNotice n;
	static const struct
	{
		const char *text;
		QtsNoticeKind kind;
		const char *what;
	} kinds[] = {
		{NOTICE("01", "0", "0000117057", "", "10", "71500", "0", "1", "1"), QTS_NOTICE_ACCEPTED, "accepted"},
		{NOTICE("01", "0", "0000117057", "", "3", "71500", "0", "2", "2"), QTS_NOTICE_FILL, "fill"},
		{NOTICE("01", "0", "0000117057", "", "10", "71500", "1", "1", "1"), QTS_NOTICE_REJECTED, "rejected"},
		{NOTICE("01", "2", "0000117100", "0000117057", "7", "0", "0", "1", "2"), QTS_NOTICE_CANCELLED,
		 "cancelled"},
		{NOTICE("01", "2", "0000117100", "0000117057", "7", "0", "0", "1", "1"), QTS_NOTICE_ACCEPTED,
		 "cancel received only"},
		{NOTICE("02", "1", "0000117057", "", "7", "0", "0", "1", "3"), QTS_NOTICE_CANCELLED,
		 "cancelled by its condition"},
		{NOTICE("01", "1", "0000117100", "0000117057", "7", "71000", "0", "1", "2"), QTS_NOTICE_REVISED,
		 "revised"},
	};
	static const char *const bad[] = {NOTICE("03", "0", "0000117057", "", "3", "71500", "0", "2", "2"),
									  NOTICE("01", "0", "", "", "3", "71500", "0", "2", "2"),
									  NOTICE("01", "0", "12345678901", "", "3", "71500", "0", "2", "2"),
									  NOTICE("01", "0", "0000117057", "", "0", "71500", "0", "2", "2"),
									  NOTICE("01", "0", "0000117057", "", "3", "0", "0", "2", "2"),
									  NOTICE("01", "0", "0000117057", "", "-3", "71500", "0", "2", "2"),
									  NOTICE("01", "0", "0000117057", "", "3x", "71500", "0", "2", "2"),
									  NOTICE("01", "0", "0000117057", "", "3", "71500", "0", "9", "2"),
									  NOTICE("01", "9", "0000117057", "", "3", "71500", "0", "1", "2"),
									  "myhtsid^1234567801^0000117057^^01",
									  "^^^^^^^^^^^^^^^^^",
									  "x"};

	ok(decode_notice(VECTOR, &n) == QTS_KIS_DECODED, "26 fields");
	ok(n.kind == QTS_NOTICE_ACCEPTED && strcmp(n.account, "12345678-01") == 0 &&
		   strcmp(n.odno, "0000117057") == 0 && n.orgn_odno[0] == '\0' && !n.sell && n.qty == 10 &&
		   n.price == 71500 && n.order_qty == 10 && n.hhmmss == 100001 && n.recv_mono == 7 &&
		   strcmp(n.symbol, "005930") == 0 && strcmp(n.ord_dvsn, "00") == 0 && strcmp(n.orgno, "06010") == 0,
	   "every field");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		ok(decode_notice(kinds[i].text, &n) == QTS_KIS_DECODED && n.kind == kinds[i].kind, "%s",
		   kinds[i].what);
	tap_is_text(n.orgn_odno, "0000117057", "original number");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(decode_notice(bad[i], &n) == QTS_KIS_MALFORMED, "refused: %.60s", bad[i]);
}

static void
test_control(void)
{
	QtsKisControl c;
	const char *ack = "{\"header\":{\"tr_id\":\"H0STCNI0\",\"tr_key\":\"myhtsid\",\"encrypt\":\"N\"},"
					  "\"body\":{\"rt_cd\":\"0\",\"msg_cd\":\"OPSP0000\",\"msg1\":\"SUBSCRIBE SUCCESS\","
					  "\"output\":{\"iv\":\"" IV "\",\"key\":\"" KEY "\"}}}";
	const char *short_key = "{\"header\":{\"tr_id\":\"H0STCNI0\"},\"body\":{\"rt_cd\":\"0\","
							"\"output\":{\"iv\":\"" IV "\",\"key\":\"abc\"}}}";
	const char *error = "{\"header\":{\"tr_id\":\"(null)\"},\"body\":{\"rt_cd\":\"9\","
						"\"msg_cd\":\"OPSP8996\",\"msg1\":\"ALREADY IN USE appkey\"}}";
	const char *ping = "{\"header\":{\"tr_id\":\"PINGPONG\",\"datetime\":\"20261120100001\"}}";
	char text[512];

	qts_kis_control_parse(ack, strlen(ack), &c);
	ok(c.kind == QTS_KIS_CONTROL_ACK && c.has_key && strcmp(c.key, KEY) == 0 && strcmp(c.iv, IV) == 0 &&
		   strcmp(c.tr_id, "H0STCNI0") == 0 && strcmp(c.tr_key, "myhtsid") == 0 &&
		   strcmp(c.msg_cd, "OPSP0000") == 0,
	   "ack with its key");
	qts_kis_control_parse(short_key, strlen(short_key), &c);
	ok(c.kind == QTS_KIS_CONTROL_ACK && !c.has_key, "a key of another length is none");
	qts_kis_control_parse(error, strlen(error), &c);
	ok(c.kind == QTS_KIS_CONTROL_ERROR && strcmp(c.msg_cd, "OPSP8996") == 0, "error");
	qts_kis_control_parse(ping, strlen(ping), &c);
	ok(c.kind == QTS_KIS_CONTROL_PINGPONG, "ping");
	qts_kis_control_parse("{}", 2, &c);
	ok(c.kind == QTS_KIS_CONTROL_JUNK, "nothing");
	qts_kis_control_parse("{\"header\":", 10, &c);
	ok(c.kind == QTS_KIS_CONTROL_JUNK, "cut");
	ok(qts_kis_build_subscribe(text, sizeof(text), "key", "H0STCNT0", "005930", false) > 0, "built");
	tap_is_text(text,
				"{\"header\":{\"approval_key\":\"key\",\"custtype\":\"P\",\"tr_type\":\"2\","
				"\"content-type\":\"utf-8\"},\"body\":{\"input\":{\"tr_id\":\"H0STCNT0\","
				"\"tr_key\":\"005930\"}}}",
				"unsubscription");
	tap_is((int64_t) qts_kis_build_subscribe(text, 40, "key", "H0STCNT0", "005930", true), 0, "does not fit");
}

/* Reported, not judged: a timed test would fail on a busy machine. */
static void
report_speed(void)
{
	const char *text = "0|H0STCNT0|001|" TICK47;
	size_t len = strlen(text);
	struct timespec a;
	struct timespec b;
	int rounds = 500000;
	int64_t sum = 0;
	double s;

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < rounds; i++)
	{
		QtsKisFrame frame;
		QtsKisRecords records;
		QtsTick tick;

		if (qts_kis_frame_split(text, len, &frame) &&
			qts_kis_records_open(&records, frame.payload, frame.len, frame.count) &&
			qts_kis_tick_next(&records, i, &tick) == QTS_KIS_DECODED)
			sum += tick.price;
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	s = (double) (b.tv_sec - a.tv_sec) + (double) (b.tv_nsec - a.tv_nsec) / 1e9;
	tap_is(sum, (int64_t) rounds * 71500, "every frame decoded");
	tap_note("%.2f M frames/s", rounds / s / 1e6);
}

int
main(void)
{
	test_split();
	test_ticks();
	test_books();
	test_records_against_plain();
	test_decrypt();
	test_notices();
	test_control();
	report_speed();
	return tap_done();
}
