/*
 * checks.c
 *		Why an order is refused at once, looked for in the broker's order: hours, symbol,
 *		type, tick, limits, money.
 *
 * Codes the broker has not published for the paper domain are marked in the table;
 * they are distinct from every published one.
 */
#include <stdio.h>
#include <string.h>

#include "sim.h"

static const QtsRefusal refuse_day = {"APBK0919", "장운영일자가 주문일과 상이합니다", "40100000",
									  "모의투자 영업일이 아닙니다."};
static const QtsRefusal refuse_early = {"APBK0918", "장운영시간이 아닙니다.(주문불가)", "40570000",
										"모의투자 장시작전 입니다."};
static const QtsRefusal refuse_late = {"APBK0918", "장운영시간이 아닙니다.(주문불가)", "40580000",
									   "모의투자 장종료 입니다."};
static const QtsRefusal refuse_symbol = {"APBK0656", "해당종목정보가 없습니다.", "40070000",
										 "모의투자 주문처리가 안되었습니다(매매불가 종목)"};
static const QtsRefusal refuse_halted = {"APBK0066", "거래정지종목(주식)은 취소주문만 가능(정정불가)합니다.",
										 "40070000", "모의투자 주문처리가 안되었습니다(매매불가 종목)"};
static const QtsRefusal refuse_type = {"APBK0963", "주문구분코드 오류 입니다.", "40910000",
									   "모의투자 주문구분코드 오류 입니다."}; /* unpublished */
static const QtsRefusal refuse_after = {"APBK3013",
										"[애프터마켓]지정가 및 최유리/최우선지정가 주문만 가능합니다.",
										"40580000", "모의투자 장종료 입니다."};
static const QtsRefusal refuse_tick = {"APBK0506", "주식주문호가단위 오류입니다.", "40030000",
									   "모의투자 주문호가단위 오류입니다."};
static const QtsRefusal refuse_upper = {"APBK0406", "주문가격이 상한가를 초과합니다", "40920000",
										"모의투자 주문가격이 상한가를 초과합니다."}; /* unpublished */
static const QtsRefusal refuse_lower = {"APBK0407", "주문가격이 하한가 미만입니다", "40930000",
										"모의투자 주문가격이 하한가 미만입니다."}; /* unpublished */
static const QtsRefusal refuse_cash = {"APBK0952", "주문가능금액을 초과 했습니다", "40250000",
									   "모의투자 주문가능금액이 부족합니다."};
static const QtsRefusal refuse_qty = {"APBK0400", "주문 가능한 수량을 초과했습니다.", "40240000",
									  "모의투자 주문가능수량이 부족합니다."};
static const QtsRefusal refuse_none = {"APBK0927", "정정취소 가능수량이 없습니다.", "40330000",
									   "모의투자 정정/취소할 수량이 없습니다"};
static const QtsRefusal refuse_original = {"APBK0344", "원주문정보가 존재하지 않습니다.", "40330000",
										   "모의투자 정정/취소할 수량이 없습니다"};

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

static QtsWindow
window_of(const char *dvsn)
{
	if (dvsn[0] == '4')
		return QTS_WINDOW_AFTER_MARKET;
	if (dvsn_in(dvsn, "27 28 29"))
		return QTS_WINDOW_PREMARKET;
	if (dvsn_in(dvsn, "05"))
		return QTS_WINDOW_OFF_OPEN;
	return dvsn_in(dvsn, "06") ? QTS_WINDOW_OFF_CLOSE : QTS_WINDOW_REGULAR;
}

static const QtsRefusal *
check_hours(const QtsOrder *draft)
{
	QtsPhase phase = qts_clock_phase();
	QtsBreaker breaker = qts_session_breaker();

	if (phase == QTS_PHASE_HOLIDAY || qts_options.closed_unexpectedly)
		return &refuse_day;
	if (breaker == QTS_BREAKER_CLOSED || (breaker == QTS_BREAKER_STOP && draft->kind != QTS_KIND_CANCEL))
		return &refuse_late;
	if (qts_options.is_paper)
	{
		if (phase == QTS_PHASE_BEFORE || phase == QTS_PHASE_OPENING)
			return &refuse_early;
		return qts_session_takes(QTS_WINDOW_REGULAR) ? NULL : &refuse_late;
	}
	if (draft->window != QTS_WINDOW_REGULAR && draft->window != QTS_WINDOW_AFTER_MARKET)
		return qts_session_takes(draft->window) ? NULL
			   : phase == QTS_PHASE_BEFORE		? &refuse_early
												: &refuse_late;
	if (phase == QTS_PHASE_BEFORE)
		return &refuse_early;
	if (phase == QTS_PHASE_AFTER)
		return &refuse_late;
	if (phase == QTS_PHASE_AFTER_MARKET)
	{
		if (draft->symbol != NULL && draft->symbol->is_etf)
			return &refuse_late;
		return draft->window == QTS_WINDOW_AFTER_MARKET ? NULL : &refuse_after;
	}
	return draft->window == QTS_WINDOW_AFTER_MARKET ? &refuse_late : NULL;
}

static const QtsRefusal *
check_type(const QtsOrder *draft)
{
	QtsPhase phase = qts_clock_phase();
	const char *dvsn = draft->dvsn;
	bool is_krx = strcmp(draft->excg, "KRX") == 0;

	if (qts_options.is_paper)
		return dvsn_in(dvsn, "00 01 02 03 04") && is_krx ? NULL : &refuse_type;
	if (is_krx && !dvsn_in(dvsn, "00 01 02 03 04 05 06 11 12 13 14 15 16 21 22 23 24 41 42 43 44 45 46 47"))
		return &refuse_type;
	if (strcmp(draft->excg, "NXT") == 0 && !dvsn_in(dvsn, "00 03 04 11 12 15 16 21 22 23 24 27 28 29"))
		return &refuse_type;
	if (strcmp(draft->excg, "SOR") == 0 && !dvsn_in(dvsn, "00 01 03 04 11 12 13 14 15 16"))
		return &refuse_type;
	if (!is_krx && strcmp(draft->excg, "NXT") != 0 && strcmp(draft->excg, "SOR") != 0)
		return &refuse_type;
	if (draft->window == QTS_WINDOW_REGULAR && (phase == QTS_PHASE_OPENING || phase == QTS_PHASE_CLOSING) &&
		!dvsn_in(dvsn, "00 01 02"))
		return &refuse_type;
	return NULL;
}

static const QtsRefusal *
check_price(const QtsOrder *draft)
{
	const QtsSymbol *symbol = draft->symbol;

	if (!dvsn_needs_price(draft->dvsn))
		return NULL;
	if (dvsn_in(draft->dvsn, "22") &&
		(draft->trigger <= 0 || draft->trigger % qts_market_tick(symbol, draft->trigger) != 0))
		return &refuse_tick;
	if (draft->price <= 0 || draft->price % qts_market_tick(symbol, draft->price) != 0)
		return &refuse_tick;
	if (draft->price > symbol->upper)
		return &refuse_upper;
	return draft->price < symbol->lower ? &refuse_lower : NULL;
}

static const QtsRefusal *
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
	if (dvsn_in(dvsn, "03 15 16 28 44 45 46"))
		draft->limit = draft->is_sell ? s->bid : s->ask;
	else if (dvsn_in(dvsn, "04 29 47"))
		draft->limit = draft->is_sell ? s->ask : s->bid;
	else if (dvsn_in(dvsn, "21 23 24"))
		draft->limit = (s->bid + s->ask) / 2;
	else if (dvsn_in(dvsn, "05"))
		draft->limit = s->base;
	if (!dvsn_in(dvsn, "22"))
		draft->trigger = 0;
	if (!draft->is_market && draft->limit <= 0)
		draft->limit = s->price;
}

const QtsRefusal *
qts_check_order(QtsOrder *draft)
{
	const QtsRefusal *refusal;

	draft->window = window_of(draft->dvsn);
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

const QtsRefusal *
qts_check_revise(QtsOrder *draft, const QtsOrder *target)
{
	const QtsRefusal *refusal = NULL;
	int64_t released;

	if (target == NULL || target->account != draft->account || target->kind == QTS_KIND_CANCEL ||
		strcmp(target->excg, draft->excg) != 0)
		return &refuse_original;
	if (!target->is_open)
		return &refuse_none;
	draft->window = target->window;
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
