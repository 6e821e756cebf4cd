/*-------------------------------------------------------------------------
 *
 * capture_test.c
 *		Every captured message of QTS_CORPUS: what KIS really sent is readable.
 *
 * REST bodies are chosen by file name, WebSocket lines by their first bytes.
 * Without QTS_CORPUS the test skips.
 *
 *-------------------------------------------------------------------------
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/session.h"
#include "kis/kis_answer.h"
#include "kis/kis_frame.h"
#include "kis/kis_quote.h"
#include "tap.h"

#define MAX_TEXT ((size_t) 1024 * 1024)

static char *
read_text(const char *dir, const char *name, size_t *len)
{
	char path[1024];
	char *text = malloc(MAX_TEXT);
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "r");
	if (!file || !text)
	{
		free(text);
		return NULL;
	}
	*len = fread(text, 1, MAX_TEXT - 1, file);
	text[*len] = '\0';
	fclose(file);
	return text;
}

static bool
starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static void
check_list(const char *name, const char *body, size_t len)
{
	QtsLedger ledger = {0};
	QtsBalance balance = {0};
	QtsKisPage page = {"", ""};
	QtsKisVerdict v;

	if (starts(name, "inquire_balance"))
	{
		/* one capture kept its rows only: put the missing envelope around them */
		char *whole = malloc(len + 64);

		v = qts_kis_parse_balance(200, body, len, false, &balance, &page);
		if (whole && v.outcome != QTS_OUTCOME_OK && strstr(name, "output1_only"))
		{
			int n = snprintf(whole, len + 64, "{\"rt_cd\":\"0\",%s", strchr(body, '{') + 1);

			v = qts_kis_parse_balance(200, whole, (size_t) n, false, &balance, &page);
		}
		free(whole);
		ok(v.outcome == QTS_OUTCOME_OK && balance.complete && balance.count > 0 && balance.rows[0].qty > 0 &&
			   balance.rows[0].avg_price > 0,
		   "%s: %d holdings", name, balance.count);
		free(balance.rows);
		return;
	}
	v = qts_kis_parse_ledger(QTS_ENV_LIVE, 200, body, len, false, &ledger, &page);
	ok(v.outcome == QTS_OUTCOME_OK && ledger.complete && ledger.count > 0 && ledger.rows[0].filled >= 0 &&
		   ledger.rows[0].order.at != QTS_TIME_NONE && !ledger.rows[0].order.other_channel,
	   "%s: %d rows", name, ledger.count);
	free(ledger.rows);
}

/* Answers of the questions that the engine asks about the market. */
static bool
check_quote(const char *name, const char *body, size_t len)
{
	QtsQuoteRequest r = {.symbols = 1, .symbol = {"005930"}};
	QtsQuoteEvent e = {0};
	QtsKisVerdict v;

	if (starts(name, "inquire_price_005930"))
		r.kind = QTS_QUOTE_PRICES;
	else if (starts(name, "inquire_asking_price"))
		r.kind = QTS_QUOTE_BOOK;
	else if (starts(name, "inquire_daily_itemchartprice"))
		r.kind = QTS_QUOTE_DAILY_BARS;
	else if (strstr(name, "chk_holiday"))
		r.kind = QTS_QUOTE_TRADING_DAYS;
	else
		return false;
	(void) qts_date_from_yyyymmdd(20200101, &r.from);
	(void) qts_date_from_yyyymmdd(20301231, &r.to);
	v = qts_kis_parse_quote(&r, 200, body, len, INT64_C(9820) * QTS_DAY, &e);
	ok(v.outcome == QTS_OUTCOME_OK && e.count > 0 && e.refused == 0, "%s: %d rows, %d refused", name, e.count,
	   e.refused);
	if (e.ticks && e.count)
		ok(e.ticks[0].price == 75700 && e.ticks[0].change == -1600 && !e.ticks[0].halted, "its price");
	if (e.books && e.count)
		ok(e.books[0].bid[0].price == 75700 && e.books[0].ask[0].price == 75800 &&
			   e.books[0].ask[9].qty == 35543,
		   "its levels");
	qts_quote_event_clear(&e);
	return true;
}

static void
check_rest(const char *name, const char *body, size_t len)
{
	char odno[QTS_ODNO_LEN + 1];
	char orgno[QTS_ORGNO_LEN + 1];
	QtsKisToken token;
	QtsKisVerdict v;

	if (check_quote(name, body, len))
		return;
	if (starts(name, "inquire_balance") || starts(name, "inquire_daily_ccld"))
		check_list(name, body, len);
	else if (starts(name, "oauth2_tokenP"))
		ok(qts_kis_parse_token(200, body, len, &token).outcome == QTS_OUTCOME_OK, "%s", name);
	else if (starts(name, "order_") && strstr(name, "accepted"))
		ok(qts_kis_parse_order(200, body, len, odno, orgno).outcome == QTS_OUTCOME_OK &&
			   strlen(odno) == QTS_ODNO_LEN && strlen(orgno) == QTS_ORGNO_LEN,
		   "%s", name);
	else if (starts(name, "order_"))
	{
		v = qts_kis_parse_order(200, body, len, odno, orgno);
		ok(v.outcome == QTS_OUTCOME_REJECTED && v.msg_cd[0] && v.msg[0], "%s: %s", name, v.msg_cd);
	}
	else if (starts(name, "error_"))
	{
		v = qts_kis_classify(QTS_KIS_CALL_ORDER, 500, body, len);
		ok(v.outcome == QTS_OUTCOME_NOT_PROCESSED && v.follow != QTS_KIS_FOLLOW_NONE && v.msg[0], "%s: %s",
		   name, v.msg_cd);
	}
	else
	{
		/* answers the engine does not ask for must still not be taken for something else */
		v = qts_kis_parse_order(200, body, len, odno, orgno);
		ok(v.outcome != QTS_OUTCOME_OK && odno[0] == '\0', "%s: no order", name);
	}
}

static void
check_notice(const QtsKisFrame *frame)
{
	QtsKisCipher cipher = {0};
	QtsKisRecords records;
	QtsNotice notice = {0};
	char out[4096];
	long n;

	qts_kis_cipher_key(&cipher, "abcdefghijklmnopabcdefghijklmnop", "0123456789abcdef");
	n = qts_kis_decrypt(&cipher, frame->payload, frame->len, out, sizeof(out));
	if (ok(n > 0, "%s decrypts", frame->tr_id) &&
		ok(qts_kis_records_open(&records, out, (size_t) n, frame->count) &&
			   qts_kis_notice_next(&records, 0, &notice) == QTS_KIS_DECODED,
		   "%s decodes", frame->tr_id))
		ok(notice.qty > 0 && strlen(notice.odno) == QTS_ODNO_LEN && strlen(notice.account) == 11,
		   "kind %d qty %lld price %lld", (int) notice.kind, (long long) notice.qty,
		   (long long) notice.price);
	qts_kis_cipher_close(&cipher);
}

static void
check_ticks(const QtsKisFrame *frame)
{
	QtsKisRecords records;
	QtsTick tick;
	QtsKisDecode kind;
	int n = 0;

	if (!ok(qts_kis_records_open(&records, frame->payload, frame->len, frame->count), "records are even"))
		return;
	while ((kind = qts_kis_tick_next(&records, 0, &tick)) == QTS_KIS_DECODED)
		n += tick.price > 0 && tick.acml_volume > 0 && tick.exch_at != QTS_TIME_NONE;
	ok(kind == QTS_KIS_END && n == frame->count, "%d ticks of %s at %lld", n, tick.symbol,
	   (long long) tick.price);
}

static void
check_books(const QtsKisFrame *frame)
{
	QtsKisRecords records;
	QtsBook book;
	int sorted = 0;

	if (!ok(qts_kis_records_open(&records, frame->payload, frame->len, frame->count) &&
				qts_kis_book_next(&records, INT64_C(9820) * QTS_DAY, &book) == QTS_KIS_DECODED,
			"a book"))
		return;
	for (int i = 1; i < QTS_BOOK_LEVELS; i++)
		sorted += (book.ask[i].price == 0 || book.ask[i].price > book.ask[i - 1].price) &&
				  (book.bid[i].price == 0 || book.bid[i].price < book.bid[i - 1].price);
	ok(sorted == QTS_BOOK_LEVELS - 1 && book.bid[0].price > 0 && book.ask[0].price > book.bid[0].price &&
		   book.bid[0].qty > 0 && book.exch_at != QTS_TIME_NONE,
	   "%s %lld / %lld", book.symbol, (long long) book.bid[0].price, (long long) book.ask[0].price);
}

static void
check_line(const char *line, size_t len)
{
	QtsKisFrame frame;
	QtsKisControl control;

	if (line[0] == '{')
	{
		qts_kis_control_parse(line, len, &control);
		ok(control.kind != QTS_KIS_CONTROL_JUNK, "control %s %s", control.tr_id, control.msg_cd);
		return;
	}
	if (!ok(qts_kis_frame_split(line, len, &frame), "frame %.20s", line))
		return;
	if (frame.encrypted)
		check_notice(&frame);
	else if (strcmp(frame.tr_id, "H0STCNT0") == 0)
		check_ticks(&frame);
	else if (strcmp(frame.tr_id, "H0STASP0") == 0)
		check_books(&frame);
}

int
main(void)
{
	const char *corpus = getenv("QTS_CORPUS");
	char dir[1024];
	DIR *rest;
	struct dirent *entry;
	char *text;
	size_t len;
	int files = 0;

	if (!corpus || !*corpus)
	{
		tap_skip("captures", "QTS_CORPUS is not set");
		return tap_done();
	}
	snprintf(dir, sizeof(dir), "%s/rest", corpus);
	rest = opendir(dir);
	while (rest && (entry = readdir(rest)) != NULL)
	{
		size_t n = strlen(entry->d_name);

		if (n < 5 || strcmp(entry->d_name + n - 5, ".json") != 0)
			continue;
		text = read_text(dir, entry->d_name, &len);
		if (ok(text != NULL, "read %s", entry->d_name))
			check_rest(entry->d_name, text, len);
		free(text);
		files++;
	}
	if (rest)
		closedir(rest);
	ok(files > 0, "%d captured bodies", files);
	text = read_text(corpus, "frames.txt", &len);
	if (ok(text != NULL, "read frames.txt"))
	{
		char *save = NULL;

		for (char *line = strtok_r(text, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save))
		{
			if (line[0] != '#')
				check_line(line, strlen(line));
		}
	}
	free(text);
	return tap_done();
}
