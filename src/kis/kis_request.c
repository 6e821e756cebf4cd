/*-------------------------------------------------------------------------
 *
 * kis_request.c
 *		Build the requests of kis-api 2, 3 and 5.2.
 *
 *-------------------------------------------------------------------------
 */
#include "kis/kis_request.h"

#include <string.h>

#include "core/session.h"
#include "kis/kis_text.h"

#define KIS_TRADING "/uapi/domestic-stock/v1/trading/"
#define KIS_MAX_QTY INT64_C(9999999999) /* ORD_QTY is 10 wide */
#define KIS_RECENT_DAYS 85				/* "three months", with room for short ones */

const char *
qts_kis_rest_host(QtsEnvironment environment)
{
	switch (environment)
	{
		case QTS_ENV_LIVE:
			return "https://openapi.koreainvestment.com:9443";
		case QTS_ENV_PAPER:
			return "https://openapivts.koreainvestment.com:29443";
		case QTS_ENV_SIM:
			break;
	}
	return NULL;
}

const char *
qts_kis_ws_host(QtsEnvironment environment)
{
	switch (environment)
	{
		case QTS_ENV_LIVE:
			return "ws://ops.koreainvestment.com:21000";
		case QTS_ENV_PAPER:
			return "ws://ops.koreainvestment.com:31000";
		case QTS_ENV_SIM:
			break;
	}
	return NULL;
}

bool
qts_kis_ws_is_broker(const char *url)
{
	static const char *const hosts[] = {"ws://ops.koreainvestment.com:21000",
										"ws://ops.koreainvestment.com:31000"};

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
	{
		size_t len = strlen(hosts[i]);

		if (strncmp(url, hosts[i], len) == 0 && (url[len] == '\0' || url[len] == '/'))
			return true;
	}
	return false;
}

const char *
qts_kis_notice_tr(QtsEnvironment environment)
{
	return environment == QTS_ENV_PAPER ? "H0STCNI9" : "H0STCNI0";
}

/* Paper TR ids are the live ones with a V in front. */
static void
request_tr(QtsKisRequest *request, QtsEnvironment environment, const char *live)
{
	strcpy(request->tr_id, live);
	if (environment == QTS_ENV_PAPER)
		request->tr_id[0] = 'V';
}

static void
request_field(QtsKisWriter *w, const char *key, const char *value)
{
	qts_kis_put(w, w->len == 0 ? "{\"" : ",\"");
	qts_kis_put(w, key);
	qts_kis_put(w, "\":\"");
	qts_kis_put_json(w, value);
	qts_kis_put(w, "\"");
}

static void
request_number(QtsKisWriter *w, const char *key, int64_t value)
{
	qts_kis_put(w, ",\"");
	qts_kis_put(w, key);
	qts_kis_put(w, "\":\"");
	qts_kis_put_integer(w, value);
	qts_kis_put(w, "\"");
}

static void
request_account(QtsKisWriter *w, const char *account)
{
	char cano[9];

	memcpy(cano, account, 8);
	cano[8] = '\0';
	request_field(w, "CANO", cano);
	request_field(w, "ACNT_PRDT_CD", account + 9);
}

static bool
request_end(QtsKisRequest *request, QtsKisWriter *w)
{
	qts_kis_put(w, "}");
	request->body_len = w->len;
	return !w->full;
}

static bool
request_oauth(QtsKisRequest *request, const char *path, const char *app_key, const char *secret_name,
			  const char *secret)
{
	QtsKisWriter w = qts_kis_writer(request->body, sizeof(request->body));

	strcpy(request->path, path);
	request->tr_id[0] = '\0';
	request_field(&w, "grant_type", "client_credentials");
	request_field(&w, "appkey", app_key);
	request_field(&w, secret_name, secret);
	return request_end(request, &w);
}

bool
qts_kis_build_token(QtsKisRequest *request, const char *app_key, const char *secret)
{
	return request_oauth(request, "/oauth2/tokenP", app_key, "appsecret", secret);
}

bool
qts_kis_build_approval(QtsKisRequest *request, const char *app_key, const char *secret)
{
	return request_oauth(request, "/oauth2/Approval", app_key, "secretkey", secret);
}

/*
 * The venue is optional and defaults to KRX; one paper user saw it refused,
 * so it is named on the live host only (kis-api 3.1).
 */
static void
request_venue(QtsKisWriter *w, QtsEnvironment environment)
{
	if (environment != QTS_ENV_PAPER)
		request_field(w, "EXCG_ID_DVSN_CD", "KRX");
}

bool
qts_kis_build_order(QtsKisRequest *request, QtsEnvironment environment, const QtsOrderRequest *order)
{
	QtsKisWriter w = qts_kis_writer(request->body, sizeof(request->body));

	if (!qts_kis_account_valid(order->account) || !qts_kis_symbol_valid(order->symbol) || order->qty <= 0 ||
		order->qty > KIS_MAX_QTY || (order->market ? order->price != 0 : order->price <= 0))
		return false;
	strcpy(request->path, KIS_TRADING "order-cash");
	request_tr(request, environment, order->sell ? "TTTC0011U" : "TTTC0012U");
	request_account(&w, order->account);
	request_field(&w, "PDNO", order->symbol);
	if (order->sell)
		request_field(&w, "SLL_TYPE", "01");
	request_field(&w, "ORD_DVSN", order->market ? "01" : "00");
	request_number(&w, "ORD_QTY", order->qty);
	request_number(&w, "ORD_UNPR", order->price);
	request_venue(&w, environment);
	return request_end(request, &w);
}

bool
qts_kis_build_cancel(QtsKisRequest *request, QtsEnvironment environment, const QtsCancelRequest *cancel)
{
	QtsKisWriter w = qts_kis_writer(request->body, sizeof(request->body));
	char odno[QTS_ODNO_LEN + 1];

	if (!qts_kis_account_valid(cancel->account) || cancel->qty < 0 || cancel->qty > KIS_MAX_QTY ||
		!qts_kis_copy_odno(odno, cancel->odno, strnlen(cancel->odno, sizeof(cancel->odno))) ||
		odno[0] == '\0' || memchr(cancel->orgno, '\0', sizeof(cancel->orgno)) == NULL)
		return false;
	strcpy(request->path, KIS_TRADING "order-rvsecncl");
	request_tr(request, environment, "TTTC0013U");
	request_account(&w, cancel->account);
	request_field(&w, "KRX_FWDG_ORD_ORGNO", cancel->orgno);
	request_field(&w, "ORGN_ODNO", odno);
	request_field(&w, "ORD_DVSN", cancel->market ? "01" : "00");
	request_field(&w, "RVSE_CNCL_DVSN_CD", "02");
	request_number(&w, "ORD_QTY", cancel->qty);
	request_field(&w, "ORD_UNPR", "0");
	request_field(&w, "QTY_ALL_ORD_YN", "Y");
	request_venue(&w, environment);
	return request_end(request, &w);
}

static void
request_param(QtsKisWriter *w, const char *key, const char *value)
{
	qts_kis_put(w, strchr(w->out, '?') ? "&" : "?");
	qts_kis_put(w, key);
	qts_kis_put(w, "=");
	qts_kis_put_query(w, value);
}

static void
request_param_account(QtsKisWriter *w, const char *account)
{
	char cano[9];

	memcpy(cano, account, 8);
	cano[8] = '\0';
	request_param(w, "CANO", cano);
	request_param(w, "ACNT_PRDT_CD", account + 9);
}

static bool
request_page(QtsKisWriter *w, const QtsKisPage *page)
{
	request_param(w, "CTX_AREA_FK100", page ? page->fk : "");
	request_param(w, "CTX_AREA_NK100", page ? page->nk : "");
	return !w->full;
}

/* parts: 00 all orders of the day, 02 those not filled yet. */
static bool
request_ledger(QtsKisRequest *request, QtsEnvironment environment, const char *account, QtsDate date,
			   QtsDate today, const char *parts, const QtsKisPage *page)
{
	QtsKisWriter w = qts_kis_writer(request->path, sizeof(request->path));
	char day[16];
	QtsKisWriter d = qts_kis_writer(day, sizeof(day));

	if (!qts_kis_account_valid(account))
		return false;
	request->body_len = 0;
	request_tr(request, environment, today - date > KIS_RECENT_DAYS ? "CTSC9215R" : "TTTC0081R");
	qts_kis_put_integer(&d, qts_date_yyyymmdd(date));
	qts_kis_put(&w, KIS_TRADING "inquire-daily-ccld");
	request_param_account(&w, account);
	request_param(&w, "INQR_STRT_DT", day);
	request_param(&w, "INQR_END_DT", day);
	request_param(&w, "SLL_BUY_DVSN_CD", "00");
	request_param(&w, "INQR_DVSN", "00");
	request_param(&w, "PDNO", "");
	request_param(&w, "CCLD_DVSN", parts);
	request_param(&w, "ORD_GNO_BRNO", "");
	request_param(&w, "ODNO", "");
	request_param(&w, "INQR_DVSN_3", "00");
	request_param(&w, "INQR_DVSN_1", "");
	request_param(&w, "EXCG_ID_DVSN_CD", environment == QTS_ENV_PAPER ? "KRX" : "ALL");
	return request_page(&w, page);
}

bool
qts_kis_build_ledger(QtsKisRequest *request, QtsEnvironment environment, const char *account, QtsDate date,
					 QtsDate today, const QtsKisPage *page)
{
	return request_ledger(request, environment, account, date, today, "00", page);
}

bool
qts_kis_build_open_list(QtsKisRequest *request, QtsEnvironment environment, const char *account,
						QtsDate today, const QtsKisPage *page)
{
	QtsKisWriter w = qts_kis_writer(request->path, sizeof(request->path));

	if (environment == QTS_ENV_PAPER)
		return request_ledger(request, environment, account, today, today, "02", page);
	if (!qts_kis_account_valid(account))
		return false;
	request->body_len = 0;
	request_tr(request, environment, "TTTC0084R");
	qts_kis_put(&w, KIS_TRADING "inquire-psbl-rvsecncl");
	request_param_account(&w, account);
	request_param(&w, "INQR_DVSN_1", "0");
	request_param(&w, "INQR_DVSN_2", "0");
	return request_page(&w, page);
}

bool
qts_kis_build_balance(QtsKisRequest *request, QtsEnvironment environment, const char *account,
					  const QtsKisPage *page)
{
	QtsKisWriter w = qts_kis_writer(request->path, sizeof(request->path));

	if (!qts_kis_account_valid(account))
		return false;
	request->body_len = 0;
	request_tr(request, environment, "TTTC8434R");
	qts_kis_put(&w, KIS_TRADING "inquire-balance");
	request_param_account(&w, account);
	request_param(&w, "AFHR_FLPR_YN", "N");
	request_param(&w, "OFL_YN", "");
	request_param(&w, "INQR_DVSN", "02");
	request_param(&w, "UNPR_DVSN", "01");
	request_param(&w, "FUND_STTL_ICLD_YN", "N");
	request_param(&w, "FNCG_AMT_AUTO_RDPT_YN", "N");
	request_param(&w, "PRCS_DVSN", "00");
	return request_page(&w, page);
}

size_t
qts_kis_build_subscribe(char *out, size_t size, const char *approval_key, const char *tr_id,
						const char *tr_key, bool subscribe)
{
	QtsKisWriter w = qts_kis_writer(out, size);

	qts_kis_put(&w, "{\"header\":{\"approval_key\":\"");
	qts_kis_put_json(&w, approval_key);
	qts_kis_put(&w, "\",\"custtype\":\"P\",\"tr_type\":\"");
	qts_kis_put(&w, subscribe ? "1" : "2");
	qts_kis_put(&w, "\",\"content-type\":\"utf-8\"},\"body\":{\"input\":{\"tr_id\":\"");
	qts_kis_put_json(&w, tr_id);
	qts_kis_put(&w, "\",\"tr_key\":\"");
	qts_kis_put_json(&w, tr_key);
	qts_kis_put(&w, "\"}}}");
	return w.full ? 0 : w.len;
}
