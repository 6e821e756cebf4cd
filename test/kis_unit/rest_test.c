/*-------------------------------------------------------------------------
 *
 * rest_test.c
 *		Requests built and REST answers parsed by kis/.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "core/session.h"
#include "kis/kis_answer.h"
#include "kis/kis_text.h"
#include "tap.h"

static QtsKisVerdict
classify(QtsKisCall call, int status, const char *body)
{
	return qts_kis_classify(call, status, body, strlen(body));
}

static void
test_numbers(void)
{
	static const struct
	{
		const char *text;
		QtsKisNumber kind;
		int64_t value;
	} cases[] = {
		{"0", QTS_KIS_NUMBER, 0},
		{"0000000010", QTS_KIS_NUMBER, 10},
		{"-6725", QTS_KIS_NUMBER, -6725},
		{"+5", QTS_KIS_NUMBER, 5},
		{" 12 ", QTS_KIS_NUMBER, 12},
		{"3145.0000", QTS_KIS_NUMBER, 3145},
		{"", QTS_KIS_ABSENT, 0},
		{"   ", QTS_KIS_ABSENT, 0},
		{"-", QTS_KIS_ABSENT, 0},
		{"+", QTS_KIS_JUNK, 0},
		{"1.5", QTS_KIS_JUNK, 0},
		{"1e5", QTS_KIS_JUNK, 0},
		{"12x", QTS_KIS_JUNK, 0},
		{"0x10", QTS_KIS_JUNK, 0},
		{".", QTS_KIS_JUNK, 0},
		{"999999999999999999", QTS_KIS_NUMBER, INT64_C(999999999999999999)},
		{"1000000000000000000", QTS_KIS_JUNK, 0},
		{"99999999999999999999999999", QTS_KIS_JUNK, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		int64_t value = 0;
		QtsKisNumber kind = qts_kis_parse_integer(cases[i].text, strlen(cases[i].text), &value);

		ok(kind == cases[i].kind && (kind != QTS_KIS_NUMBER || value == cases[i].value), "integer \"%s\"",
		   cases[i].text);
	}
	{
		QtsPrice price = 0;

		ok(qts_kis_parse_decimal("4482.1420", 9, &price) == QTS_KIS_NUMBER && price == 44821420,
		   "decimal with four digits");
		ok(qts_kis_parse_decimal("-0.05", 5, &price) == QTS_KIS_NUMBER && price == -500, "negative decimal");
		ok(qts_kis_parse_decimal("1.23456789", 10, &price) == QTS_KIS_NUMBER && price == 12345,
		   "further digits are cut");
		ok(qts_kis_parse_decimal("1.2.3", 5, &price) == QTS_KIS_JUNK, "two points are junk");
		ok(qts_kis_parse_decimal("999999999999999999", 18, &price) == QTS_KIS_JUNK,
		   "a decimal that does not fit is junk");
	}
}

static void
test_texts(void)
{
	char odno[QTS_ODNO_LEN + 1];
	char symbol[QTS_SYMBOL_LEN + 1];
	char text[8];
	char account[12];

	ok(qts_kis_copy_odno(odno, "85100", 5), "short order number");
	tap_is_text(odno, "0000085100", "leading zeros restored");
	ok(!qts_kis_copy_odno(odno, "12345678901", 11), "eleven digits are refused");
	ok(!qts_kis_copy_odno(odno, "12a", 3), "letters are refused");
	ok(qts_kis_copy_odno(odno, "  ", 2) && odno[0] == '\0', "blank is no number");
	ok(qts_kis_copy_symbol(symbol, "A005930", 7) && strcmp(symbol, "005930") == 0, "leading A dropped");
	ok(qts_kis_copy_symbol(symbol, "Q500001", 7) && strcmp(symbol, "Q500001") == 0, "ETN kept");
	ok(qts_kis_copy_symbol(symbol, "0001A0   ", 9) && strcmp(symbol, "0001A0") == 0, "padded, with a letter");
	ok(!qts_kis_copy_symbol(symbol, "KR7005930003", 12), "ISIN is no short code");
	qts_kis_copy_text(text, sizeof(text), "한국투자", strlen("한국투자"));
	tap_is_text(text, "한국", "cut at a whole character");
	qts_kis_copy_text(text, sizeof(text), "a\nb  ", 5);
	tap_is_text(text, "a b", "control bytes and trailing blanks");
	ok(qts_kis_copy_account(account, "1234567801", 10), "account of ten digits");
	tap_is_text(account, "12345678-01", "account with its dash");
	ok(!qts_kis_account_valid("1234567801") && !qts_kis_account_valid("12345678-0") &&
		   qts_kis_account_valid("12345678-01"),
	   "account form");
}

static void
test_orders_built(void)
{
	QtsKisRequest r;
	QtsOrderRequest sell = {
		.account = "12345678-01", .symbol = "005930", .sell = true, .market = true, .qty = 10};
	QtsOrderRequest buy = {.account = "12345678-01", .symbol = "005930", .qty = 3, .price = 71500};
	QtsCancelRequest cancel = {.account = "12345678-01", .orgno = "06010", .odno = "117057", .qty = 5};

	ok(qts_kis_build_order(&r, QTS_ENV_LIVE, &sell), "market sell");
	tap_is_text(r.tr_id, "TTTC0011U", "live sell TR");
	tap_is_text(r.path, "/uapi/domestic-stock/v1/trading/order-cash", "order path");
	tap_is_text(r.body,
				"{\"CANO\":\"12345678\",\"ACNT_PRDT_CD\":\"01\",\"PDNO\":\"005930\","
				"\"SLL_TYPE\":\"01\",\"ORD_DVSN\":\"01\",\"ORD_QTY\":\"10\",\"ORD_UNPR\":\"0\","
				"\"EXCG_ID_DVSN_CD\":\"KRX\"}",
				"live sell body");
	ok(qts_kis_build_order(&r, QTS_ENV_PAPER, &buy), "limit buy");
	tap_is_text(r.tr_id, "VTTC0012U", "paper buy TR");
	ok(strstr(r.body, "\"ORD_DVSN\":\"00\"") && strstr(r.body, "\"ORD_UNPR\":\"71500\"") &&
		   !strstr(r.body, "EXCG_ID"),
	   "limit is 00, no venue on paper");
	tap_is((int64_t) r.body_len, (int64_t) strlen(r.body), "body length");
	ok(qts_kis_build_cancel(&r, QTS_ENV_SIM, &cancel), "cancel");
	tap_is_text(r.tr_id, "TTTC0013U", "the simulator speaks live");
	ok(strstr(r.body, "\"ORGN_ODNO\":\"0000117057\"") && strstr(r.body, "\"RVSE_CNCL_DVSN_CD\":\"02\"") &&
		   strstr(r.body, "\"QTY_ALL_ORD_YN\":\"Y\""),
	   "cancel body");
	ok(strstr(r.body, "\"KRX_FWDG_ORD_ORGNO\":\"06010\"") != NULL, "B-E30: the cancel names the branch");
	buy.price = 0;
	ok(!qts_kis_build_order(&r, QTS_ENV_LIVE, &buy), "a limit order needs a price");
	sell.qty = 0;
	ok(!qts_kis_build_order(&r, QTS_ENV_LIVE, &sell), "no quantity");
	sell.qty = INT64_C(10000000000);
	ok(!qts_kis_build_order(&r, QTS_ENV_LIVE, &sell), "quantity too wide");
	sell.qty = 1;
	strcpy(sell.symbol, "00\"930");
	ok(!qts_kis_build_order(&r, QTS_ENV_LIVE, &sell), "a quote in the symbol");
	strcpy(cancel.odno, "");
	ok(!qts_kis_build_cancel(&r, QTS_ENV_LIVE, &cancel), "cancel without a number");
}

static void
test_queries_built(void)
{
	QtsKisRequest r;
	QtsKisPage page = {"50123456!^01!^20251201!^   ", "next \"key\"&=% "};
	QtsDate day;

	(void) qts_date_from_yyyymmdd(20261120, &day);
	ok(qts_kis_build_ledger(&r, QTS_ENV_LIVE, "12345678-01", day, day, &page), "ledger");
	tap_is_text(r.tr_id, "TTTC0081R", "recent ledger TR");
	ok(strstr(r.path, "INQR_STRT_DT=20261120&INQR_END_DT=20261120") != NULL, "day");
	ok(strstr(r.path, "EXCG_ID_DVSN_CD=ALL") != NULL, "all venues");
	ok(strstr(r.path, "CTX_AREA_FK100=50123456%21%5E01%21%5E20251201%21%5E%20%20%20&") != NULL,
	   "context echoed with its blanks, percent-encoded");
	ok(strstr(r.path, "CTX_AREA_NK100=next%20%22key%22%26%3D%25%20") != NULL, "second key");
	ok(qts_kis_build_ledger(&r, QTS_ENV_PAPER, "12345678-01", day - 200, day, NULL), "old ledger");
	tap_is_text(r.tr_id, "VTSC9215R", "TR of orders older than three months");
	ok(strstr(r.path, "EXCG_ID_DVSN_CD=KRX") != NULL, "paper knows KRX only");
	ok(qts_kis_build_open_list(&r, QTS_ENV_LIVE, "12345678-01", day, &page), "open orders");
	tap_is_text(r.tr_id, "TTTC0084R", "their TR");
	ok(strstr(r.path, "/inquire-psbl-rvsecncl?CANO=12345678&ACNT_PRDT_CD=01&INQR_DVSN_1=0&INQR_DVSN_2=0&") !=
		   NULL,
	   "by order, both sides");
	ok(qts_kis_build_open_list(&r, QTS_ENV_PAPER, "12345678-01", day, NULL), "on paper");
	tap_is_text(r.tr_id, "VTTC0081R", "they are the ledger's");
	ok(strstr(r.path, "CCLD_DVSN=02") != NULL && strstr(r.path, "INQR_STRT_DT=20261120") != NULL,
	   "unfilled part of today");
	ok(!qts_kis_build_open_list(&r, QTS_ENV_LIVE, "1234567-01", day, NULL), "bad account");
	ok(qts_kis_build_balance(&r, QTS_ENV_PAPER, "12345678-01", NULL), "balance");
	tap_is_text(r.tr_id, "VTTC8434R", "balance TR");
	ok(!qts_kis_build_balance(&r, QTS_ENV_PAPER, "12345678", NULL), "bad account");
	ok(qts_kis_build_token(&r, "key\"x", "secret") && strstr(r.body, "\"appkey\":\"key\\\"x\""),
	   "app key is escaped");
	ok(qts_kis_build_approval(&r, "key", "secret") && strstr(r.body, "\"secretkey\":\"secret\""),
	   "approval names the secret differently");
	memset(page.nk, '"', QTS_KIS_CTX_LEN);
	memset(page.fk, '"', QTS_KIS_CTX_LEN);
	ok(qts_kis_build_balance(&r, QTS_ENV_LIVE, "12345678-01", &page), "longest contexts fit");
}

static void
test_classify(void)
{
	static const struct
	{
		QtsKisCall call;
		int status;
		const char *body;
		QtsOutcome outcome;
		QtsKisFollow follow;
	} cases[] = {
#define ERR(code, msg) "{\"rt_cd\":\"1\",\"msg_cd\":\"" code "\",\"msg1\":\"" msg "\"}"
		{QTS_KIS_CALL_ORDER, 500, ERR("EGW00201", "x"), QTS_OUTCOME_NOT_PROCESSED, QTS_KIS_FOLLOW_RATE},
		{QTS_KIS_CALL_ORDER, 200, ERR("EGW00201", "x"), QTS_OUTCOME_NOT_PROCESSED, QTS_KIS_FOLLOW_RATE},
		{QTS_KIS_CALL_QUERY, 500, ERR("EGW00215", "x"), QTS_OUTCOME_NOT_PROCESSED,
		 QTS_KIS_FOLLOW_LEDGER_RATE},
		{QTS_KIS_CALL_ORDER, 500, ERR("EGW00123", "x"), QTS_OUTCOME_NOT_PROCESSED, QTS_KIS_FOLLOW_TOKEN},
		{QTS_KIS_CALL_OAUTH, 403, "{\"error_code\":\"EGW00133\",\"error_description\":\"x\"}",
		 QTS_OUTCOME_NOT_PROCESSED, QTS_KIS_FOLLOW_TOKEN_WAIT},
		{QTS_KIS_CALL_OAUTH, 403, "{\"error_code\":\"EGW00103\",\"error_description\":\"x\"}",
		 QTS_OUTCOME_FATAL, QTS_KIS_FOLLOW_KEY},
		{QTS_KIS_CALL_ORDER, 500, ERR("EGW00301", "x"), QTS_OUTCOME_UNKNOWN, QTS_KIS_FOLLOW_NONE},
		{QTS_KIS_CALL_ORDER, 500, ERR("EGW00300", "x"), QTS_OUTCOME_UNKNOWN, QTS_KIS_FOLLOW_NONE},
		{QTS_KIS_CALL_ORDER, 500, ERR("EGW99999", "x"), QTS_OUTCOME_UNKNOWN, QTS_KIS_FOLLOW_NONE},
		{QTS_KIS_CALL_QUERY, 500, ERR("EGW00316", "x"), QTS_OUTCOME_UNKNOWN, QTS_KIS_FOLLOW_NONE},
		{QTS_KIS_CALL_ORDER, 200,
		 "{\"rt_cd\":\"7\",\"msg_cd\":\"APBK0506\",\"msg1\":\"주식주문호가단위 오류입니다.\"}",
		 QTS_OUTCOME_REJECTED, QTS_KIS_FOLLOW_NONE},
		{QTS_KIS_CALL_ORDER, 200, ERR("40330000", "x"), QTS_OUTCOME_REJECTED, QTS_KIS_FOLLOW_NONE},
		{QTS_KIS_CALL_ORDER, 200, ERR("APBK1630", "데이터 오류발생 (ORA-00001 x)"), QTS_OUTCOME_UNKNOWN,
		 QTS_KIS_FOLLOW_NONE},
		{QTS_KIS_CALL_ORDER, 200, ERR("APBK7777", "ORA-00001"), QTS_OUTCOME_UNKNOWN, QTS_KIS_FOLLOW_NONE},
		{QTS_KIS_CALL_ORDER, 200, "{\"rt_cd\":\"9\",\"msg_cd\":\"ZZZZ0001\"}", QTS_OUTCOME_UNKNOWN,
		 QTS_KIS_FOLLOW_NONE},
		{QTS_KIS_CALL_ORDER, 200, "{\"rt_cd\":\"2\",\"msg_cd\":\"OPSQ2000\"}", QTS_OUTCOME_FATAL,
		 QTS_KIS_FOLLOW_NONE},
		{QTS_KIS_CALL_ORDER, 500, ERR("IGW00002", "x"), QTS_OUTCOME_FATAL, QTS_KIS_FOLLOW_NONE},
		{QTS_KIS_CALL_ORDER, 200, ERR("IGW00017", "x"), QTS_OUTCOME_REJECTED, QTS_KIS_FOLLOW_NONE},
		{QTS_KIS_CALL_QUERY, 200, ERR("OPSQ0005", "x"), QTS_OUTCOME_UNKNOWN, QTS_KIS_FOLLOW_NONE},
		{QTS_KIS_CALL_QUERY, 200, ERR("OPSQ0002", "x"), QTS_OUTCOME_REJECTED, QTS_KIS_FOLLOW_NONE},
		{QTS_KIS_CALL_QUERY, 200, "{\"rt_cd\":\"7\",\"msg_cd\":\"KIOK0560\"}", QTS_OUTCOME_OK,
		 QTS_KIS_FOLLOW_NONE},
		{QTS_KIS_CALL_ORDER, 502, "<html>bad gateway</html>", QTS_OUTCOME_UNKNOWN, QTS_KIS_FOLLOW_NONE},
		{QTS_KIS_CALL_ORDER, 200, "", QTS_OUTCOME_UNKNOWN, QTS_KIS_FOLLOW_NONE},
		{QTS_KIS_CALL_ORDER, 200, "{\"rt_cd\":\"0\",\"msg_cd", QTS_OUTCOME_UNKNOWN, QTS_KIS_FOLLOW_NONE},
		{QTS_KIS_CALL_ORDER, 500, "{\"rt_cd\":\"0\",\"msg_cd\":\"APBK0013\"}", QTS_OUTCOME_UNKNOWN,
		 QTS_KIS_FOLLOW_NONE},
		{QTS_KIS_CALL_ORDER, 200, "[]", QTS_OUTCOME_UNKNOWN, QTS_KIS_FOLLOW_NONE},
#undef ERR
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		QtsKisVerdict v = classify(cases[i].call, cases[i].status, cases[i].body);

		if (!ok(v.outcome == cases[i].outcome && v.follow == cases[i].follow, "verdict on %d %.48s",
				cases[i].status, cases[i].body))
			tap_note("got outcome %d follow %d", (int) v.outcome, (int) v.follow);
	}
}

static QtsKisVerdict
parse_order(const char *body, char *odno, char *orgno)
{
	return qts_kis_parse_order(200, body, strlen(body), odno, orgno);
}

static void
test_order_answers(void)
{
	char odno[QTS_ODNO_LEN + 1];
	char orgno[QTS_ORGNO_LEN + 1];
	QtsKisVerdict v;

	v = parse_order("{\"rt_cd\":\"0\",\"msg_cd\":\"APBK0013\",\"msg1\":\"주문 전송 완료 되었습니다.\","
					"\"output\":{\"KRX_FWDG_ORD_ORGNO\":\"06010\",\"ODNO\":\"0000117057\","
					"\"ORD_TMD\":\"121052\",\"SOR_ODNO\":\"\"}}",
					odno, orgno);
	ok(v.outcome == QTS_OUTCOME_OK && strcmp(odno, "0000117057") == 0 && strcmp(orgno, "06010") == 0,
	   "accepted");
	v = parse_order("{\"rt_cd\":\"0\",\"output\":[{\"krx_fwdg_ord_orgno\":\"00950\","
					"\"odno\":8637}]}",
					odno, orgno);
	ok(v.outcome == QTS_OUTCOME_OK && strcmp(odno, "0000008637") == 0 && strcmp(orgno, "00950") == 0,
	   "array, lower case, number without zeros");
	v = parse_order("{\"rt_cd\":\"0\",\"output\":{\"ODNO\":\"\"}}", odno, orgno);
	ok(v.outcome == QTS_OUTCOME_UNKNOWN && odno[0] == '\0', "accepted without a number");
	v = parse_order("{\"rt_cd\":\"0\",\"output\":{\"ODNO\":\"0000000000\"}}", odno, orgno);
	ok(v.outcome == QTS_OUTCOME_UNKNOWN, "number zero");
	v = parse_order("{\"rt_cd\":\"0\"}", odno, orgno);
	ok(v.outcome == QTS_OUTCOME_UNKNOWN, "no output");
	v = parse_order("{\"rt_cd\":0,\"output\":{\"ODNO\":\"117057\"}}", odno, orgno);
	ok(v.outcome == QTS_OUTCOME_OK, "rt_cd as a number");
}

static void
test_tokens(void)
{
	QtsKisToken token;
	char approval[QTS_KIS_APPROVAL_LEN + 1];
	const char *good = "{\"access_token\":\"eyJ0.a-b_c\",\"token_type\":\"Bearer\","
					   "\"expires_in\":86400,\"access_token_token_expired\":\"2023-12-22 08:16:59\"}";
	const char *split = "{\"access_token\":\"abc\\r\\nx: y\",\"expires_in\":86400}";
	const char *negative = "{\"access_token\":\"abc\",\"expires_in\":-1}";
	const char *text = "{\"access_token\":\"abc\",\"expires_in\":\"3600\"}";
	const char *key = "{\"approval_key\":\"0d4ec123-1111-2222-3333-444455556666\"}";

	ok(qts_kis_parse_token(200, good, strlen(good), &token).outcome == QTS_OUTCOME_OK &&
		   token.expires_in == 86400 && strcmp(token.token, "eyJ0.a-b_c") == 0,
	   "token");
	ok(qts_kis_parse_token(200, split, strlen(split), &token).outcome != QTS_OUTCOME_OK &&
		   token.token[0] == '\0',
	   "a token with a line break is refused");
	ok(qts_kis_parse_token(200, negative, strlen(negative), &token).outcome != QTS_OUTCOME_OK,
	   "a life that is over is refused");
	ok(qts_kis_parse_token(200, text, strlen(text), &token).outcome == QTS_OUTCOME_OK &&
		   token.expires_in == 3600,
	   "life as a string");
	ok(qts_kis_parse_approval(200, key, strlen(key), approval).outcome == QTS_OUTCOME_OK &&
		   strlen(approval) == 36,
	   "approval key");
	ok(qts_kis_parse_approval(500, key, strlen(key), approval).outcome != QTS_OUTCOME_OK,
	   "approval key under a failing status");
}

#define ROW(extra)                                                                                           \
	"{\"ord_dt\":\"20260910\",\"ord_gno_brno\":\"06010\",\"odno\":\"117057\","                               \
	"\"orgn_odno\":\"\",\"ord_dvsn_cd\":\"00\",\"sll_buy_dvsn_cd\":\"01\",\"pdno\":\"005930\","              \
	"\"ord_qty\":\"10\",\"ord_unpr\":\"71500\",\"ord_tmd\":\"100001\",\"tot_ccld_qty\":\"4\","               \
	"\"tot_ccld_amt\":\"286000\",\"rmn_qty\":\"6\",\"rjct_qty\":\"0\"" extra "}"
#define PAGE(rows)                                                                                           \
	"{\"rt_cd\":\"0\",\"msg_cd\":\"KIOK0500\",\"output1\":" rows                                             \
	",\"ctx_area_fk100\":\"F  \",\"ctx_area_nk100\":\"N%d  \"}"

static QtsKisVerdict
parse_ledger(const char *body, bool more, QtsLedger *ledger, QtsKisPage *page)
{
	return qts_kis_parse_ledger(QTS_ENV_LIVE, 200, body, strlen(body), more, ledger, page);
}

static void
test_ledger(void)
{
	QtsLedger ledger = {0};
	QtsKisPage page = {"", ""};
	const QtsLedgerRow *row;

	ok(parse_ledger(PAGE("[" ROW(",\"cncl_cfrm_qty\":\"2\",\"excg_id_dvsn_Cd\":\"KRX\","
								 "\"ordr_empno\":\"Nsmart\"") "]"),
					true, &ledger, &page)
			   .outcome == QTS_OUTCOME_OK,
	   "first page");
	ok(ledger.count == 1 && !ledger.complete, "one row, not complete");
	row = ledger.rows;
	tap_is_text(row->odno, "0000117057", "leading zeros restored");
	ok(row->order.sell && row->order.qty == 10 && row->order.price == 71500 &&
		   strcmp(row->order.ord_dvsn, "00") == 0,
	   "what was ordered");
	ok(row->filled == 4 && row->amount == 286000 && row->remaining == 6 && row->rejected == 0 &&
		   row->cancelled == 2,
	   "what came of it");
	ok(row->order.other_channel && !row->order.is_change && strcmp(row->venue, "KRX") == 0,
	   "channel, change, venue with a capital in the key");
	tap_is(qts_date_yyyymmdd(qts_seoul_date(row->order.at)), 20260910, "day of the order");
	tap_is(qts_seoul_time_of_day(row->order.at), 10 * QTS_HOUR + QTS_SEC, "time of the order");
	tap_is_text(page.fk, "F  ", "context unchanged");
	ok(parse_ledger(PAGE("[]"), true, &ledger, &page).outcome == QTS_OUTCOME_UNKNOWN,
	   "the same context again would never end");
	ok(parse_ledger(PAGE("[" ROW(",\"cnc_cfrm_qty\":\"1\",\"ordr_empno\":\"OpnAPI\"") ",{}]"), false, &ledger,
					&page)
			   .outcome == QTS_OUTCOME_OK,
	   "last page");
	ok(ledger.count == 2 && ledger.complete, "appended, complete");
	ok(ledger.rows[1].cancelled == 1 && !ledger.rows[1].order.other_channel, "other spelling");
	ok(parse_ledger(PAGE("[" ROW(",\"cncl_cfrm_qty\":\"x\"") "]"), false, &ledger, &page).outcome ==
			   QTS_OUTCOME_UNKNOWN &&
		   ledger.count == 2,
	   "a junk number spoils the page");
	ok(parse_ledger("{\"rt_cd\":\"0\"}", false, &ledger, &page).outcome == QTS_OUTCOME_UNKNOWN,
	   "success without a list");
	free(ledger.rows);

	memset(&ledger, 0, sizeof(ledger));
	ok(parse_ledger("{\"rt_cd\":\"0\",\"msg_cd\":\"70070000\",\"output1\":[]}", false, &ledger, &page)
				   .outcome == QTS_OUTCOME_OK &&
		   ledger.count == 0 && ledger.complete,
	   "empty list");
	free(ledger.rows);
	memset(&ledger, 0, sizeof(ledger));
	ok(parse_ledger("{\"rt_cd\":\"0\",\"output1\":{\"odno\":1,\"pdno\":\"005930\",\"ord_qty\":5,"
					"\"sll_buy_dvsn_cd\":\"02\",\"tot_ccld_qty\":\"\",\"orgn_odno\":\"7\"}}",
					false, &ledger, &page)
				   .outcome == QTS_OUTCOME_OK &&
		   ledger.count == 1,
	   "one object instead of an array");
	ok(ledger.rows[0].filled == -1 && ledger.rows[0].remaining == -1 &&
		   ledger.rows[0].order.at == QTS_TIME_NONE && ledger.rows[0].order.is_change,
	   "absent is not zero");
	free(ledger.rows);
}

#define OPEN_ROW(extra)                                                                                      \
	"{\"ord_gno_brno\":\"06010\",\"odno\":\"117057\",\"orgn_odno\":\"\",\"pdno\":\"005930\","                \
	"\"sll_buy_dvsn_cd\":\"01\",\"ord_qty\":\"10\",\"tot_ccld_qty\":\"4\"" extra "}"

static QtsKisVerdict
parse_open(QtsEnvironment environment, const char *body, bool more, QtsOpenList *list, QtsKisPage *page)
{
	return qts_kis_parse_open_list(environment, 200, body, strlen(body), more, list, page);
}

static void
test_open_list(void)
{
	QtsOpenList list = {0};
	QtsKisPage page = {"", ""};

	ok(parse_open(
		   QTS_ENV_LIVE,
		   "{\"rt_cd\":\"0\",\"output\":[" OPEN_ROW(",\"psbl_qty\":\"6\"") "],\"ctx_area_fk100\":\"F\","
																		   "\"ctx_area_nk100\":\"N\"}",
		   true, &list, &page)
			   .outcome == QTS_OUTCOME_OK,
	   "first page");
	ok(list.count == 1 && !list.complete && strcmp(page.nk, "N") == 0, "one row, not complete");
	ok(strcmp(list.rows[0].odno, "0000117057") == 0 && strcmp(list.rows[0].symbol, "005930") == 0 &&
		   list.rows[0].sell && list.rows[0].qty == 10 && list.rows[0].filled == 4 &&
		   list.rows[0].cancellable == 6 && list.rows[0].orgn_odno[0] == '\0',
	   "what is open");
	ok(parse_open(QTS_ENV_LIVE, "{\"rt_cd\":\"0\",\"output\":[" OPEN_ROW(",\"psbl_qty\":\"x\"") "]}", false,
				  &list, &page)
				   .outcome == QTS_OUTCOME_UNKNOWN &&
		   list.count == 1 && !list.complete,
	   "a junk number spoils the page");
	ok(parse_open(QTS_ENV_LIVE, "{\"rt_cd\":\"0\",\"output1\":[]}", false, &list, &page).outcome ==
		   QTS_OUTCOME_UNKNOWN,
	   "a list of another name is none");
	ok(parse_open(QTS_ENV_LIVE, "{\"rt_cd\":\"0\",\"output\":[]}", false, &list, &page).outcome ==
			   QTS_OUTCOME_OK &&
		   list.count == 1 && list.complete,
	   "last page");
	free(list.rows);
	memset(&list, 0, sizeof(list));
	ok(parse_open(QTS_ENV_PAPER,
				  "{\"rt_cd\":\"0\",\"output1\":[" OPEN_ROW(",\"rmn_qty\":\"6\"") "," OPEN_ROW(
					  ",\"rmn_qty\":\"0\"") "]}",
				  false, &list, &page)
				   .outcome == QTS_OUTCOME_OK &&
		   list.count == 1 && list.rows[0].cancellable == 6,
	   "on paper the ledger's rows with something left");
	ok(parse_open(QTS_ENV_PAPER, "{\"rt_cd\":\"0\",\"output1\":[" OPEN_ROW(",\"rmn_qty\":\"-3\"") "]}", false,
				  &list, &page)
				   .outcome == QTS_OUTCOME_UNKNOWN &&
		   list.count == 1,
	   "less than nothing left is not readable");
	free(list.rows);
}

static void
test_balance(void)
{
	QtsBalance balance = {0};
	QtsKisPage page = {"", ""};
	const char *body =
		"{\"rt_cd\":\"0\",\"output1\":[{\"pdno\":\"114800\",\"prdt_name\":\"KODEX 인버스\","
		"\"hldg_qty\":\"35\",\"ord_psbl_qty\":\"30\",\"pchs_avg_pric\":\"4482.1420\","
		"\"pchs_amt\":\"156875\",\"prpr\":\"4290\"},{\"pdno\":\"KR103502GA34\",\"hldg_qty\":\"1\"}],"
		"\"output2\":[{\"dnca_tot_amt\":\"9644485\",\"prvs_rcdl_excc_amt\":\"9000000\","
		"\"nass_amt\":\"10010135\",\"thdt_tlex_amt\":\"\"}]}";

	ok(qts_kis_parse_balance(200, body, strlen(body), false, &balance, &page).outcome == QTS_OUTCOME_OK &&
		   balance.count == 1 && balance.complete,
	   "a bond is passed over");
	ok(balance.rows[0].qty == 35 && balance.rows[0].orderable == 30 && balance.rows[0].current_price == 4290,
	   "holding");
	tap_is(balance.rows[0].avg_price, 44821429, "average is amount over quantity");
	tap_is_text(balance.rows[0].name, "KODEX 인버스", "name");
	ok(balance.summary.deposit == 9644485 && balance.summary.settled_cash == 9000000 &&
		   balance.summary.net_assets == 10010135 && balance.summary.fees_today == -1,
	   "totals");
	free(balance.rows);
}

static void
test_tr_cont(void)
{
	bool more;

	ok(qts_kis_tr_cont("M", &more) && more && qts_kis_tr_cont("F", &more) && more, "more");
	ok(qts_kis_tr_cont("D", &more) && !more && qts_kis_tr_cont("E", &more) && !more &&
		   qts_kis_tr_cont("", &more) && !more && qts_kis_tr_cont(" ", &more) && !more,
	   "last");
	ok(!qts_kis_tr_cont("X", &more), "another letter is no answer");
}

int
main(void)
{
	test_numbers();
	test_texts();
	test_orders_built();
	test_queries_built();
	test_classify();
	test_order_answers();
	test_tokens();
	test_ledger();
	test_open_list();
	test_balance();
	test_tr_cont();
	return tap_done();
}
