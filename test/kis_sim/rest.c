/*
 * rest.c
 *		The broker's REST gateway: limiter, header checks, routing, envelope.
 *
 * A request is recorded before anything else looks at it, so the witness sees what
 * arrived even when the gateway refuses or drops it.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/sha.h>

#include "sim.h"

typedef void (*Handler)(const QtsReq *req, QtsResp *resp, QtsApp *app);

typedef struct Route
{
	const char *method;
	const char *path;
	const char *tr_ids; /* blank separated, as on the real domain */
	bool is_real_only;
	Handler handler;
	const char *keys; /* query keys the documents demand, checked when `strict_query` is on */
} Route;

#define TRADING "/uapi/domestic-stock/v1/trading/"
#define NAVER "/api/realtime/domestic/stock/" /* its own host outside */
#define QUOTES "/uapi/domestic-stock/v1/quotations/"

#define ACCOUNT_KEYS "CANO ACNT_PRDT_CD "
#define PAGE_KEYS "CTX_AREA_FK100 CTX_AREA_NK100 "
#define QUOTE_KEYS "FID_COND_MRKT_DIV_CODE FID_INPUT_ISCD "

static const Route routes[] = {
	{"POST", TRADING "order-cash", "TTTC0012U TTTC0802U TTTC0011U TTTC0801U", false, qts_order_cash, ""},
	{"POST", TRADING "order-rvsecncl", "TTTC0013U TTTC0803U", false, qts_order_revise, ""},
	{"GET", TRADING "inquire-psbl-rvsecncl", "TTTC0084R TTTC8036R", true, qts_ledger_open,
	 ACCOUNT_KEYS PAGE_KEYS "INQR_DVSN_1 INQR_DVSN_2"},
	{"GET", TRADING "inquire-daily-ccld", "TTTC0081R TTTC8001R CTSC9215R CTSC9115R", false, qts_ledger_daily,
	 ACCOUNT_KEYS PAGE_KEYS "INQR_STRT_DT INQR_END_DT SLL_BUY_DVSN_CD INQR_DVSN PDNO CCLD_DVSN "
							"ORD_GNO_BRNO ODNO INQR_DVSN_3 INQR_DVSN_1 EXCG_ID_DVSN_CD"},
	{"GET", TRADING "inquire-balance", "TTTC8434R", false, qts_balance_query,
	 ACCOUNT_KEYS PAGE_KEYS "AFHR_FLPR_YN OFL_YN INQR_DVSN UNPR_DVSN FUND_STTL_ICLD_YN "
							"FNCG_AMT_AUTO_RDPT_YN PRCS_DVSN"},
	{"GET", TRADING "inquire-psbl-order", "TTTC8908R", false, qts_balance_buyable,
	 ACCOUNT_KEYS "PDNO ORD_UNPR ORD_DVSN CMA_EVLU_AMT_ICLD_YN OVRS_ICLD_YN"},
	{"GET", TRADING "inquire-psbl-sell", "TTTC8408R", true, qts_balance_sellable, ACCOUNT_KEYS "PDNO"},
	{"GET", QUOTES "inquire-price", "FHKST01010100", false, qts_quote_price, QUOTE_KEYS},
	{"GET", QUOTES "inquire-asking-price-exp-ccn", "FHKST01010200", false, qts_quote_book, QUOTE_KEYS},
	{"GET", QUOTES "intstock-multprice", "FHKST11300006", false, qts_quote_multi,
	 "FID_COND_MRKT_DIV_CODE_1 FID_INPUT_ISCD_1"},
	{"GET", QUOTES "inquire-daily-itemchartprice", "FHKST03010100", false, qts_bars_chart,
	 QUOTE_KEYS "FID_INPUT_DATE_1 FID_INPUT_DATE_2 FID_PERIOD_DIV_CODE FID_ORG_ADJ_PRC"},
	{"GET", QUOTES "chk-holiday", "CTCA0903R", true, qts_quote_holiday, "BASS_DT CTX_AREA_FK CTX_AREA_NK"},
};

static const struct
{
	const char *code;
	const char *text;
} messages[] = {
	{"KIOK0510", "조회가 완료되었습니다"},
	{"KIOK0500", "조회가 계속됩니다..다음버튼을 Click 하십시오."},
	{"KIOK0460", "조회 되었습니다. (마지막 자료)"},
	{"KIOK0420", "정상적으로 조회되었습니다"},
	{"KIOK0560", "조회할 내용이 없습니다"},
	{"20310000", "모의투자 조회가 완료되었습니다."},
	{"70070000", "모의투자 조회할 내역(자료)이 없습니다."},
	{"MCA00000", "정상처리 되었습니다."},
};

void
qts_rest_error(QtsResp *resp, int status, const char *rt_cd, const char *msg_cd, const char *msg1)
{
	resp->status = status;
	qts_text_copy(resp->rt_cd, sizeof(resp->rt_cd), rt_cd);
	qts_text_copy(resp->msg_cd, sizeof(resp->msg_cd), msg_cd);
	resp->body.len = 0;
	qts_buf_printf(&resp->body, "{\"rt_cd\":\"%s\",\"msg_cd\":\"%s\",\"msg1\":", rt_cd, msg_cd);
	qts_buf_json(&resp->body, msg1);
	qts_buf_text(&resp->body, "}");
}

/* Query texts are padded to 80 columns, counting a Korean letter as two. */
static void
rest_msg1(QtsBuf *out, const char *text, bool is_padded)
{
	int columns = 0;

	for (const unsigned char *c = (const unsigned char *) text; *c; c++)
		columns += *c < 0x80 ? 1 : *c >= 0xC0 ? 2 : 0;
	qts_buf_printf(out, "\"%s%*s\"", text, is_padded && columns < 80 ? 80 - columns : 0, "");
}

/* Close the object in resp->body with the success envelope. */
void
qts_rest_end(QtsResp *resp, const char *real_cd, const char *paper_cd, bool has_data)
{
	bool is_paper = qts_options.is_paper;
	const char *code = is_paper ? paper_cd : real_cd;
	const char *text = "";

	if (!has_data)
		code = is_paper ? "70070000" : "KIOK0560";
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		if (strcmp(messages[i].code, code) == 0)
			text = messages[i].text;
	qts_text_copy(resp->rt_cd, sizeof(resp->rt_cd), "0");
	qts_text_copy(resp->msg_cd, sizeof(resp->msg_cd), code);
	qts_buf_printf(&resp->body, ",\"rt_cd\":\"0\",\"msg_cd\":\"%s\",\"msg1\":", code);
	rest_msg1(&resp->body, text, strcmp(code, "MCA00000") != 0);
	qts_buf_text(&resp->body, "}");
}

/* The account the request names, if it belongs to the application. */
QtsAccount *
qts_rest_account(const QtsReq *req, QtsResp *resp, const QtsApp *app)
{
	QtsAccount *account = qts_account_find(qts_req_param(req, "CANO"), qts_req_param(req, "ACNT_PRDT_CD"));

	for (int i = 0; account != NULL && i < app->n_accounts; i++)
		if (app->accounts[i] == account)
			return account;
	qts_rest_error(resp, 200, "2", "OPSQ2000", "ERROR : INPUT INVALID_CHECK_ACNO");
	return NULL;
}

static bool
text_matches_padded(const char *padded, const char *text)
{
	size_t len = strlen(text);

	return padded != NULL && strncmp(padded, text, len) == 0 &&
		   strspn(padded + len, " ") == strlen(padded + len);
}

/* True for a continuation: header N and both context areas as the last page gave them. */
bool
qts_rest_context(const QtsReq *req, const char *key_name, const char *filter, char *cursor, size_t size)
{
	const char *key = qts_req_param(req, key_name);

	cursor[0] = '\0';
	if (req->tr_cont == NULL || strcmp(req->tr_cont, "N") != 0 || key == NULL ||
		!text_matches_padded(qts_req_param(req, "CTX_AREA_FK100"), filter))
		return false;
	snprintf(cursor, size, "%.*s", (int) strcspn(key, " "), key);
	return cursor[0] != '\0';
}

static const Route *
rest_route(const QtsReq *req)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (strcmp(req->path, routes[i].path) == 0 && strcmp(req->method, routes[i].method) == 0)
			return &routes[i];
	return NULL;
}

/* Paper ids are the real ones with V for the first letter; quote ids are shared. */
static bool
tr_fits(const Route *route, const char *tr_id)
{
	char real_id[16];
	bool is_quote = strncmp(tr_id, "FH", 2) == 0;
	const char *at;

	if (strlen(tr_id) < 9 || strlen(tr_id) > 13 || strchr(tr_id, ' ') != NULL)
		return false;
	qts_text_copy(real_id, sizeof(real_id), tr_id);
	if (qts_options.is_paper && !is_quote)
		real_id[0] = strncmp(tr_id + 1, "TSC9", 4) == 0 ? 'C' : 'T';
	at = strstr(route->tr_ids, real_id);
	return at != NULL && (at[strlen(real_id)] == ' ' || at[strlen(real_id)] == '\0');
}

static void
rest_hash(const QtsReq *req, char *text)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *) req->body, req->body_len, digest);
	for (int i = 0; i < SHA256_DIGEST_LENGTH; i++)
		sprintf(text + 2 * i, "%02x", digest[i]);
}

static bool
rest_is_token_fault(const char *code, QtsResp *resp)
{
	if (code == NULL)
		return false;
	qts_rest_error(resp, 500, "1", code,
				   strcmp(code, "EGW00123") == 0 ? "기간이 만료된 token 입니다."
												 : "유효하지 않은 token 입니다.");
	return true;
}

/* Gateway checks that do not depend on the route. */
static bool
rest_admit(const QtsReq *req, QtsResp *resp, QtsApp *app)
{
	char hash[2 * SHA256_DIGEST_LENGTH + 1];

	if (app == NULL)
		qts_rest_error(resp, 500, "1", "EGW00103", "유효하지 않은 AppKey입니다.");
	else if (!qts_oauth_admit(app))
	{
		qts_counters.rate_refusals++;
		qts_rest_error(resp, 500, "1", "EGW00201", "초당 거래건수를 초과하였습니다.");
	}
	else if (app->is_misplaced)
		qts_rest_error(resp, 500, "1", "EGW02004", "도메인과 AppKey가 일치하지 않습니다.");
	else if (req->appsecret == NULL || strcmp(req->appsecret, app->app_secret) != 0)
		qts_rest_error(resp, 500, "1", "EGW00105", "유효하지 않은 AppSecret입니다.");
	else if (rest_is_token_fault(qts_oauth_check(app, req->authorization), resp))
		return false;
	else if (req->custtype == NULL)
		qts_rest_error(resp, 500, "1", "IGW00002", "고객타입 오류입니다.");
	else if (strcmp(req->method, "POST") == 0 &&
			 (req->content_type == NULL || strncasecmp(req->content_type, "application/json", 16) != 0))
		qts_rest_error(resp, 500, "1", "EGW00132", "Content-Type이 올바르지 않습니다.");
	else if (req->hashkey != NULL && *req->hashkey && strcmp(req->method, "POST") == 0 &&
			 (rest_hash(req, hash), strcmp(hash, req->hashkey) != 0))
		qts_rest_error(resp, 500, "1", "EGW00131", "hashkey 가 올바르지 않습니다.");
	else
		return true;
	return false;
}

/* False with the refusal written when a documented key is absent; empty is present. */
static bool
rest_has_keys(const QtsReq *req, QtsResp *resp, const char *keys)
{
	char name[40];
	char text[96];

	for (const char *at = keys; *at; at += strspn(at, " "))
	{
		size_t len = strcspn(at, " ");

		snprintf(name, sizeof(name), "%.*s", (int) len, at);
		at += len;
		if (qts_req_param(req, name) != NULL)
			continue;
		snprintf(text, sizeof(text), "ERROR : INPUT FIELD NOT FOUND [%s]", name);
		qts_rest_error(resp, 200, "2", "OPSQ2001", text);
		return false;
	}
	return true;
}

static void
rest_api(const QtsReq *req, QtsResp *resp)
{
	QtsApp *app = qts_oauth_app(req->appkey);
	const Route *route = rest_route(req);
	const char *tr_id = req->tr_id ? req->tr_id : "";
	bool is_paper = qts_options.is_paper;

	qts_text_copy(resp->tr_id, sizeof(resp->tr_id), strlen(tr_id) <= 13 ? tr_id : "");
	if (!rest_admit(req, resp, app))
		return;
	if (!is_paper && tr_id[0] == 'V')
		qts_rest_error(resp, 500, "1", "EGW02004", "실전투자 TR 이 아닙니다.");
	else if (is_paper &&
			 ((tr_id[0] != 'V' && strncmp(tr_id, "FH", 2) != 0) || (route != NULL && route->is_real_only)))
		qts_rest_error(resp, 500, "1", "EGW02006", "모의투자 TR 이 아닙니다.");
	else if (route == NULL || !tr_fits(route, tr_id))
		qts_rest_error(resp, 200, "1", "OPSQ0002", "없는 서비스 코드 입니다.");
	else if (!json_is_object(req->json))
		qts_rest_error(resp, 500, "1", "IGW00007", "JSON 요청 전문 형식 오류입니다.");
	else if (!qts_options.is_strict || rest_has_keys(req, resp, route->keys))
		route->handler(req, resp, app);
}

static void
rest_execute(const QtsReq *req, QtsResp *resp)
{
	bool is_post = strcmp(req->method, "POST") == 0;
	char hash[2 * SHA256_DIGEST_LENGTH + 1];

	if (strncmp(req->path, "/uapi/", 6) == 0 && strcmp(req->path, "/uapi/hashkey") != 0)
		rest_api(req, resp);
	else if (!is_post && strncmp(req->path, NAVER, strlen(NAVER)) == 0)
		qts_naver_quote(req, resp, req->path + strlen(NAVER));
	else if (is_post && strcmp(req->path, "/oauth2/tokenP") == 0)
		qts_oauth_token(req, resp);
	else if (is_post && strcmp(req->path, "/oauth2/revokeP") == 0)
		qts_oauth_revoke(req, resp);
	else if (is_post && strcmp(req->path, "/oauth2/Approval") == 0)
		qts_oauth_approve(req, resp);
	else if (is_post && strcmp(req->path, "/uapi/hashkey") == 0 && req->json != NULL)
	{
		rest_hash(req, hash);
		qts_buf_text(&resp->body, "{\"BODY\":");
		qts_buf_add(&resp->body, req->body, req->body_len);
		qts_buf_printf(&resp->body, ",\"HASH\":\"%s\"}", hash);
	}
	else
		qts_rest_error(resp, 404, "1", "EGW00203", "경로를 찾을 수 없습니다.");
}

void
qts_rest_handle(QtsReq *req)
{
	static QtsResp resp;
	bool is_sent;

	qts_resp_reset(&resp);
	req->seq = qts_witness_record(req);
	req->fault = qts_fault_pick(NULL, req, NULL);
	if (!qts_fault_is(req->fault, "drop_before_accept") && !qts_spoil_refuse(req, &resp))
		rest_execute(req, &resp);
	qts_spoil_answer(req, &resp);
	is_sent = qts_spoil_deliver(req, &resp);
	qts_witness_outcome(req->seq, &resp, req->fault ? req->fault->mode : NULL, is_sent);
}
