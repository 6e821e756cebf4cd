/*
 * orders.c
 *		Order entry: reading the body, validation in the broker's order (hours, symbol,
 *		type, tick, limits, money), cancel and revise.
 *
 * Codes the broker has not published for the paper domain are marked in the table;
 * they are distinct from every published one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim.h"

typedef struct Refusal
{
	const char *real_cd;
	const char *real_msg;
	const char *paper_cd;
	const char *paper_msg;
} Refusal;

static const Refusal refuse_day = {"APBK0919", "장운영일자가 주문일과 상이합니다", "40100000",
								   "모의투자 영업일이 아닙니다."};
static const Refusal refuse_early = {"APBK0918", "장운영시간이 아닙니다.(주문불가)", "40570000",
									 "모의투자 장시작전 입니다."};
static const Refusal refuse_late = {"APBK0918", "장운영시간이 아닙니다.(주문불가)", "40580000",
									"모의투자 장종료 입니다."};
static const Refusal refuse_symbol = {"APBK0656", "해당종목정보가 없습니다.", "40070000",
									  "모의투자 주문처리가 안되었습니다(매매불가 종목)"};
static const Refusal refuse_halted = {"APBK0066", "거래정지종목(주식)은 취소주문만 가능(정정불가)합니다.",
									  "40070000", "모의투자 주문처리가 안되었습니다(매매불가 종목)"};
static const Refusal refuse_type = {"APBK0963", "주문구분코드 오류 입니다.", "40910000",
									"모의투자 주문구분코드 오류 입니다."}; /* unpublished */
static const Refusal refuse_after = {"APBK3013",
									 "[애프터마켓]지정가 및 최유리/최우선지정가 주문만 가능합니다.",
									 "40580000", "모의투자 장종료 입니다."};
static const Refusal refuse_tick = {"APBK0506", "주식주문호가단위 오류입니다.", "40030000",
									"모의투자 주문호가단위 오류입니다."};
static const Refusal refuse_upper = {"APBK0406", "주문가격이 상한가를 초과합니다", "40920000",
									 "모의투자 주문가격이 상한가를 초과합니다."}; /* unpublished */
static const Refusal refuse_lower = {"APBK0407", "주문가격이 하한가 미만입니다", "40930000",
									 "모의투자 주문가격이 하한가 미만입니다."}; /* unpublished */
static const Refusal refuse_cash = {"APBK0952", "주문가능금액을 초과 했습니다", "40250000",
									"모의투자 주문가능금액이 부족합니다."};
static const Refusal refuse_qty = {"APBK0400", "주문 가능한 수량을 초과했습니다.", "40240000",
								   "모의투자 주문가능수량이 부족합니다."};
static const Refusal refuse_none = {"APBK0927", "정정취소 가능수량이 없습니다.", "40330000",
									"모의투자 정정/취소할 수량이 없습니다"};
static const Refusal refuse_original = {"APBK0344", "원주문정보가 존재하지 않습니다.", "40330000",
										"모의투자 정정/취소할 수량이 없습니다"};

int64_t
qts_order_left(const QtsOrder *order)
{
	return order->kind == QTS_KIND_CANCEL ? 0 : order->qty - order->filled - order->killed;
}

static void
order_refuse(QtsResp *resp, const Refusal *refusal)
{
	bool is_paper = qts_options.is_paper;

	qts_counters.orders_rejected++;
	qts_rest_error(resp, 200, is_paper ? "1" : "7", is_paper ? refusal->paper_cd : refusal->real_cd,
				   is_paper ? refusal->paper_msg : refusal->real_msg);
}

static bool
dvsn_in(const char *dvsn, const char *list)
{
	const char *at = strstr(list, dvsn);

	return strlen(dvsn) == 2 && at != NULL && (at - list) % 3 == 0;
}

static bool
dvsn_needs_price(const char *dvsn)
{
	return dvsn_in(dvsn, "00 02 11 12 22 27 41 42 43");
}

static const Refusal *
check_hours(const QtsOrder *draft)
{
	QtsPhase phase = qts_clock_phase();

	if (qts_options.is_paper)
	{
		if (phase == QTS_PHASE_HOLIDAY)
			return &refuse_day;
		if (phase == QTS_PHASE_BEFORE || phase == QTS_PHASE_OPENING)
			return &refuse_early;
		return phase == QTS_PHASE_CONTINUOUS || phase == QTS_PHASE_CLOSING ? NULL : &refuse_late;
	}
	if (phase == QTS_PHASE_HOLIDAY)
		return &refuse_day;
	if (phase == QTS_PHASE_BEFORE)
		return &refuse_early;
	if (phase == QTS_PHASE_AFTER)
		return &refuse_late;
	if (phase == QTS_PHASE_AFTER_MARKET)
	{
		if (draft->symbol != NULL && draft->symbol->is_etf)
			return &refuse_late;
		return draft->is_after_market ? NULL : &refuse_after;
	}
	return draft->is_after_market ? &refuse_late : NULL;
}

static const Refusal *
check_type(const QtsOrder *draft)
{
	QtsPhase phase = qts_clock_phase();
	const char *dvsn = draft->dvsn;

	if (qts_options.is_paper)
		return dvsn_in(dvsn, "00 01 02 03 04") && strcmp(draft->excg, "KRX") == 0 ? NULL : &refuse_type;
	if (!dvsn_in(dvsn, "00 01 02 03 04 11 12 13 14 15 16 21 23 24 41 42 43 44 45 46 47"))
		return &refuse_type;
	if (strcmp(draft->excg, "NXT") == 0 && dvsn_in(dvsn, "01 02 13 14"))
		return &refuse_type;
	if ((phase == QTS_PHASE_OPENING || phase == QTS_PHASE_CLOSING) && !dvsn_in(dvsn, "00 01 02"))
		return &refuse_type;
	return NULL;
}

static const Refusal *
check_price(const QtsOrder *draft)
{
	const QtsSymbol *symbol = draft->symbol;

	if (!dvsn_needs_price(draft->dvsn))
		return NULL;
	if (draft->price <= 0 || draft->price % qts_market_tick(symbol, draft->price) != 0)
		return &refuse_tick;
	if (draft->price > symbol->upper)
		return &refuse_upper;
	return draft->price < symbol->lower ? &refuse_lower : NULL;
}

static const Refusal *
check_money(const QtsOrder *draft, int64_t released)
{
	QtsAccount *account = draft->account;

	if (draft->is_sell)
	{
		const QtsHolding *h = qts_account_holding(account, draft->symbol, false);

		return h == NULL || draft->qty > h->qty - h->locked + released ? &refuse_qty : NULL;
	}
	int64_t unit = draft->is_market ? draft->symbol->upper : draft->limit;
	int64_t spare = account->cash - account->reserved + released;

	/* Written as a division: a hostile quantity must not overflow the product. */
	if (draft->qty > 1000000000 || draft->qty > spare / (unit > 0 ? unit : 1))
		return &refuse_cash;
	int64_t amount = draft->qty * unit;

	return amount + qts_account_fee(draft->symbol, amount) > spare ? &refuse_cash : NULL;
}

/* Turn the order type into the limit the book works with. */
static void
order_resolve(QtsOrder *draft)
{
	const QtsSymbol *s = draft->symbol;
	const char *dvsn = draft->dvsn;

	draft->tif = dvsn_in(dvsn, "11 13 15 23 42 45") ? 1 : dvsn_in(dvsn, "12 14 16 24 43 46") ? 2 : 0;
	draft->is_market = dvsn_in(dvsn, "01 13 14");
	if (!dvsn_needs_price(dvsn))
		draft->price = 0;
	draft->limit = draft->price;
	if (dvsn_in(dvsn, "03 15 16 44 45 46"))
		draft->limit = draft->is_sell ? s->bid : s->ask;
	else if (dvsn_in(dvsn, "04 47"))
		draft->limit = draft->is_sell ? s->ask : s->bid;
	else if (dvsn_in(dvsn, "21 23 24"))
		draft->limit = (s->bid + s->ask) / 2;
	if (!draft->is_market && draft->limit <= 0)
		draft->limit = s->price;
}

static const Refusal *
order_check(QtsOrder *draft)
{
	const Refusal *refusal;

	draft->is_after_market = draft->dvsn[0] == '4';
	if ((refusal = check_hours(draft)) != NULL)
		return refusal;
	if (draft->symbol == NULL)
		return &refuse_symbol;
	if (draft->symbol->is_halted)
		return &refuse_halted;
	if ((refusal = check_type(draft)) != NULL || (refusal = check_price(draft)) != NULL)
		return refusal;
	order_resolve(draft);
	return draft->qty <= 0 ? &refuse_qty : check_money(draft, 0);
}

/* Make the draft a real order of the book; the caller answers. */
static QtsOrder *
order_place(const QtsOrder *draft, const QtsFault *fault)
{
	QtsOrder *order = qts_exchange_create(draft->account, draft->symbol);

	if (order == NULL)
		return NULL;
	order->kind = draft->kind;
	order->target = draft->target;
	order->target_qty = draft->target_qty;
	order->orgn_odno = draft->orgn_odno;
	order->is_sell = draft->is_sell;
	order->is_market = draft->is_market;
	order->is_after_market = draft->is_after_market;
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
order_read(const QtsReq *req, QtsResp *resp, QtsOrder *draft)
{
	const char *dvsn = qts_json_text(req->json, "ORD_DVSN");
	const char *excg = qts_json_text(req->json, "EXCG_ID_DVSN_CD");

	if (dvsn == NULL || !qts_text_digits(qts_json_text(req->json, "ORD_QTY"), &draft->qty) ||
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

void
qts_order_cash(const QtsReq *req, QtsResp *resp, QtsApp *app)
{
	QtsOrder draft = {0};
	const char *code = qts_json_text(req->json, "PDNO");
	const Refusal *refusal;

	draft.account = qts_rest_account(req, resp, app);
	if (draft.account == NULL)
		return;
	if (code == NULL)
	{
		qts_rest_error(resp, 500, "1", "IGW00007", "JSON 요청 전문 형식 오류입니다.");
		return;
	}
	if (!order_read(req, resp, &draft))
		return;
	draft.is_sell = strcmp(req->tr_id + 4, "0011U") == 0 || strcmp(req->tr_id + 4, "0801U") == 0;
	draft.symbol = qts_market_find(code);
	refusal = order_check(&draft);
	if (refusal != NULL)
	{
		order_refuse(resp, refusal);
		return;
	}
	order_answer(resp, order_place(&draft, req->fault), draft.is_sell ? "40590000" : "40600000",
				 draft.is_sell ? "모의투자 매도주문이 완료 되었습니다."
							   : "모의투자 매수주문이 완료 되었습니다.");
}

static const Refusal *
revise_check(QtsOrder *draft, const QtsOrder *target)
{
	const Refusal *refusal = NULL;
	int64_t released;

	draft->is_after_market = target->is_after_market;
	draft->symbol = target->symbol;
	draft->is_sell = target->is_sell;
	if (draft->target_qty <= 0 || draft->target_qty > qts_order_left(target))
		return &refuse_none;
	draft->qty = draft->target_qty;
	if ((refusal = check_hours(draft)) != NULL || draft->kind == QTS_KIND_CANCEL)
		return refusal;
	if (draft->symbol->is_halted)
		return &refuse_halted;
	if ((refusal = check_type(draft)) != NULL || (refusal = check_price(draft)) != NULL)
		return refusal;
	order_resolve(draft);
	released = target->is_sell ? draft->target_qty : target->reserved;
	return check_money(draft, released);
}

void
qts_order_revise(const QtsReq *req, QtsResp *resp, QtsApp *app)
{
	QtsOrder draft = {0};
	const char *kind = qts_json_text(req->json, "RVSE_CNCL_DVSN_CD");
	const char *is_all = qts_json_text(req->json, "QTY_ALL_ORD_YN");
	const Refusal *refusal = NULL;
	QtsOrder *target;

	draft.account = qts_rest_account(req, resp, app);
	if (draft.account == NULL || !order_read(req, resp, &draft))
		return;
	if (kind == NULL || is_all == NULL || (strcmp(kind, "01") != 0 && strcmp(kind, "02") != 0) ||
		!qts_text_digits(qts_json_text(req->json, "ORGN_ODNO"), &draft.orgn_odno))
	{
		qts_rest_error(resp, 500, "1", "IGW00007", "JSON 요청 전문 형식 오류입니다.");
		return;
	}
	draft.kind = strcmp(kind, "02") == 0 ? QTS_KIND_CANCEL : QTS_KIND_REVISE;
	target = qts_exchange_find(qts_clock_date(qts_clock_now()), draft.orgn_odno);
	if (target == NULL || target->account != draft.account || target->kind == QTS_KIND_CANCEL ||
		strcmp(target->excg, draft.excg) != 0)
		refusal = &refuse_original;
	else if (!target->is_open)
		refusal = &refuse_none;
	if (refusal == NULL)
	{
		draft.target = target;
		draft.target_qty = strcmp(is_all, "Y") == 0 ? qts_order_left(target) : draft.qty;
		refusal = revise_check(&draft, target);
	}
	if (refusal != NULL)
	{
		order_refuse(resp, refusal);
		return;
	}
	if (draft.kind == QTS_KIND_CANCEL)
		draft.price = 0;
	order_answer(resp, order_place(&draft, req->fault), "40630000",
				 draft.kind == QTS_KIND_CANCEL ? "모의투자 취소주문이 완료 되었습니다."
											   : "모의투자 정정주문이 완료 되었습니다.");
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
	char cano[9];
	const Refusal *refusal;

	snprintf(cano, sizeof(cano), "%.8s", account ? account : "");
	draft.account = account && strlen(account) == 11 ? qts_account_find(cano, account + 9) : NULL;
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
	qts_text_copy(draft.excg, sizeof(draft.excg), "KRX");
	qts_text_copy(draft.channel, sizeof(draft.channel), channel ? channel : "Nsmart");
	qts_text_copy(draft.ip, sizeof(draft.ip), "127.0.0.9");
	refusal = order_check(&draft);
	if (refusal != NULL)
		order_refuse(resp, refusal);
	else
		order_answer(resp, order_place(&draft, NULL), "40600000", "주문이 완료 되었습니다.");
}
