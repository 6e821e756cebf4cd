/*
 * orders.c
 *		Order entry, cancel and revise: reading the body, making the order, answering.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim.h"

int64_t
qts_order_left(const QtsOrder *order)
{
	return order->kind == QTS_KIND_CANCEL ? 0 : order->qty - order->filled - order->killed;
}

static void
order_refuse(QtsResp *resp, const QtsRefusal *refusal)
{
	bool is_paper = qts_options.is_paper;

	qts_counters.orders_rejected++;
	qts_rest_error(resp, 200, is_paper ? "1" : "7", is_paper ? refusal->paper_cd : refusal->real_cd,
				   is_paper ? refusal->paper_msg : refusal->real_msg);
}

/* Make the draft a real order of the book; the caller answers. */
static QtsOrder *
order_place(const QtsOrder *draft, const QtsFault *fault)
{
	QtsOrder *order = qts_book_create(draft->account, draft->symbol);

	if (order == NULL)
		return NULL;
	order->kind = draft->kind;
	order->target = draft->target;
	order->target_qty = draft->target_qty;
	order->orgn_odno = draft->orgn_odno;
	order->is_sell = draft->is_sell;
	order->is_market = draft->is_market;
	order->window = draft->window;
	order->trigger = draft->trigger;
	order->req_seq = draft->req_seq;
	order->tif = draft->tif;
	order->qty = draft->qty;
	order->price = draft->price;
	order->limit = draft->limit;
	qts_text_copy(order->dvsn, sizeof(order->dvsn), draft->dvsn);
	qts_text_copy(order->excg, sizeof(order->excg), draft->excg);
	if (draft->channel[0])
		qts_text_copy(order->channel, sizeof(order->channel), draft->channel);
	if (draft->ip[0])
		qts_text_copy(order->ip, sizeof(order->ip), draft->ip);
	qts_exchange_submit(order, fault);
	return order;
}

static void
order_answer(QtsResp *resp, const QtsOrder *order, const char *paper_cd, const char *paper_msg)
{
	bool is_paper = qts_options.is_paper;

	if (order == NULL)
	{
		qts_rest_error(resp, 500, "1", "EGW00300", "order capacity of the simulator reached");
		return;
	}
	snprintf(resp->odno, sizeof(resp->odno), "%010" PRId64, order->odno);
	qts_text_copy(resp->rt_cd, sizeof(resp->rt_cd), "0");
	qts_text_copy(resp->msg_cd, sizeof(resp->msg_cd), is_paper ? paper_cd : "APBK0013");
	qts_buf_printf(&resp->body,
				   "{\"rt_cd\":\"0\",\"msg_cd\":\"%s\",\"msg1\":\"%s\",\"output\":{"
				   "\"KRX_FWDG_ORD_ORGNO\":\"%s\",\"ODNO\":\"%s\",\"ORD_TMD\":\"%06d\","
				   "\"SOR_ODNO\":\"\"}}",
				   resp->msg_cd, is_paper ? paper_msg : "주문 전송 완료 되었습니다.", order->account->branch,
				   resp->odno, order->tmd);
}

/* Read the members every order body shares; false with the error written. */
static bool
order_read(const QtsReq *req, QtsResp *resp, const char *const *keys, QtsOrder *draft)
{
	const char *dvsn = qts_json_text(req->json, "ORD_DVSN");
	const char *excg = qts_json_text(req->json, "EXCG_ID_DVSN_CD");
	bool is_whole = true;

	for (; *keys != NULL; keys++)
		is_whole &= qts_json_text(req->json, *keys) != NULL;
	qts_text_digits(qts_json_text(req->json, "CNDT_PRIC"), &draft->trigger);
	draft->req_seq = req->seq;
	if (!is_whole || dvsn == NULL || !qts_text_digits(qts_json_text(req->json, "ORD_QTY"), &draft->qty) ||
		!qts_text_digits(qts_json_text(req->json, "ORD_UNPR"), &draft->price))
	{
		qts_rest_error(resp, 500, "1", "IGW00007", "JSON 요청 전문 형식 오류입니다.");
		return false;
	}
	if (excg == NULL || *excg == '\0')
		excg = "KRX";
	qts_text_copy(draft->dvsn, sizeof(draft->dvsn), dvsn);
	qts_text_copy(draft->excg, sizeof(draft->excg), excg);
	return true;
}

/* The same order again from another channel, as if a person had the same idea. */
static void
order_twin(const QtsReq *req, const QtsOrder *draft)
{
	const QtsFault *fault = qts_fault_pick("foreign_twin", req, NULL);
	const char *channel = fault ? qts_json_text(fault->params, "channel") : NULL;
	QtsOrder twin = *draft;

	if (fault == NULL)
		return;
	twin.req_seq = 0;
	qts_text_copy(twin.channel, sizeof(twin.channel), channel ? channel : "Nsmart");
	qts_text_copy(twin.ip, sizeof(twin.ip), "127.0.0.9");
	if (qts_check_order(&twin) == NULL)
		order_place(&twin, NULL);
}

void
qts_order_cash(const QtsReq *req, QtsResp *resp, QtsApp *app)
{
	static const char *const keys[] = {"CANO", "ACNT_PRDT_CD", "PDNO", "ORD_QTY", "ORD_UNPR", NULL};
	QtsOrder draft = {0};
	const QtsRefusal *refusal;

	if (!order_read(req, resp, keys, &draft))
		return;
	draft.account = qts_rest_account(req, resp, app);
	if (draft.account == NULL)
		return;
	draft.is_sell = strcmp(req->tr_id + 4, "0011U") == 0 || strcmp(req->tr_id + 4, "0801U") == 0;
	draft.symbol = qts_market_find(qts_json_text(req->json, "PDNO"));
	refusal = qts_check_order(&draft);
	if (refusal == NULL)
	{
		order_twin(req, &draft);
		refusal = qts_check_order(&draft);
	}
	if (refusal != NULL)
	{
		order_refuse(resp, refusal);
		return;
	}
	order_answer(resp, order_place(&draft, req->fault), draft.is_sell ? "40590000" : "40600000",
				 draft.is_sell ? "모의투자 매도주문이 완료 되었습니다."
							   : "모의투자 매수주문이 완료 되었습니다.");
}

/* A fill that comes between the client's decision to cancel and the cancel. */
static void
order_race(const QtsFault *fault, QtsOrder *target, const char *place)
{
	const char *at = fault ? qts_json_text(fault->params, "at") : NULL;

	if (fault == NULL || target == NULL || strcmp(at ? at : "check", place) != 0)
		return;
	qts_exchange_fill(
		target, qts_json_int(fault->params, "qty", qts_order_left(target)),
		qts_json_int(fault->params, "price", target->price > 0 ? target->price : target->symbol->price));
}

void
qts_order_revise(const QtsReq *req, QtsResp *resp, QtsApp *app)
{
	static const char *const keys[] = {"CANO",	  "ACNT_PRDT_CD", "KRX_FWDG_ORD_ORGNO", "RVSE_CNCL_DVSN_CD",
									   "ORD_QTY", "ORD_UNPR",	  "QTY_ALL_ORD_YN",		NULL};
	QtsOrder draft = {0};
	const char *kind = qts_json_text(req->json, "RVSE_CNCL_DVSN_CD");
	const QtsFault *race = qts_fault_pick("cancel_race", req, NULL);
	const QtsRefusal *refusal;
	QtsOrder *target;

	if (!order_read(req, resp, keys, &draft))
		return;
	draft.account = qts_rest_account(req, resp, app);
	if (draft.account == NULL)
		return;
	if ((strcmp(kind, "01") != 0 && strcmp(kind, "02") != 0) ||
		!qts_text_digits(qts_json_text(req->json, "ORGN_ODNO"), &draft.orgn_odno))
	{
		qts_rest_error(resp, 500, "1", "IGW00007", "JSON 요청 전문 형식 오류입니다.");
		return;
	}
	draft.kind = strcmp(kind, "02") == 0 ? QTS_KIND_CANCEL : QTS_KIND_REVISE;
	target = qts_book_find(qts_clock_date(qts_clock_now()), draft.orgn_odno);
	order_race(race, target, "check");
	draft.target = target;
	if (target != NULL)
		draft.target_qty =
			strcmp(qts_json_text(req->json, "QTY_ALL_ORD_YN"), "Y") == 0 ? qts_order_left(target) : draft.qty;
	refusal = qts_check_revise(&draft, target);
	if (refusal != NULL)
	{
		order_refuse(resp, refusal);
		return;
	}
	if (draft.kind == QTS_KIND_CANCEL)
		draft.price = 0;
	/* The request is taken first: the exchange then finds less than it names, or nothing. */
	order_answer(resp, order_place(&draft, req->fault), "40630000",
				 draft.kind == QTS_KIND_CANCEL ? "모의투자 취소주문이 완료 되었습니다."
											   : "모의투자 정정주문이 완료 되었습니다.");
	order_race(race, target, "exchange");
}

/* An order of the same account from another channel: an app, a phone, a branch. */
void
qts_order_foreign(const json_t *body, QtsResp *resp)
{
	QtsOrder draft = {0};
	const char *account = qts_json_text(body, "account");
	const char *code = qts_json_text(body, "symbol");
	const char *side = qts_json_text(body, "side");
	const char *channel = qts_json_text(body, "channel");
	const char *excg = qts_json_text(body, "excg");
	const QtsRefusal *refusal;

	draft.account = qts_account_named(account);
	if (draft.account == NULL || code == NULL || side == NULL)
	{
		qts_rest_error(resp, 400, "1", "SIM00400", "account, symbol and side are needed");
		return;
	}
	draft.symbol = qts_market_find(code);
	draft.is_sell = strcmp(side, "sell") == 0;
	draft.qty = qts_json_int(body, "qty", 0);
	draft.price = qts_json_int(body, "price", 0);
	qts_text_copy(draft.dvsn, sizeof(draft.dvsn), draft.price > 0 ? "00" : "01");
	if (qts_json_text(body, "ord_dvsn"))
		qts_text_copy(draft.dvsn, sizeof(draft.dvsn), qts_json_text(body, "ord_dvsn"));
	qts_text_copy(draft.excg, sizeof(draft.excg), excg ? excg : "KRX");
	qts_text_copy(draft.channel, sizeof(draft.channel), channel ? channel : "Nsmart");
	qts_text_copy(draft.ip, sizeof(draft.ip), "127.0.0.9");
	refusal = qts_check_order(&draft);
	if (refusal != NULL)
		order_refuse(resp, refusal);
	else
		order_answer(resp, order_place(&draft, NULL), "40600000", "주문이 완료 되었습니다.");
}
