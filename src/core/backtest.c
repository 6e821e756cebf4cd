/*-------------------------------------------------------------------------
 *
 * backtest.c
 *		One position walked over prices: orders, fills, days, results.
 *
 * What the worker, the broker and the execution worker do live is done here
 * in their order: a price is seen, the rules decide, an order leaves, the next
 * price fills it, the confirmed fill moves the phase.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "core/backtest.h"
#include "core/backtest_internal.h"
#include "core/exit_internal.h"

static void
walk_tell(const QtsWalk *walk, QtsWalkEvent *event)
{
	if (walk->sink == NULL)
		return;
	event->cycle = walk->state.cycle;
	event->left = walk->position.qty;
	event->hwm = walk->state.hwm;
	event->stop_floor = walk->state.stop_floor;
	walk->sink(walk->sink_arg, event);
}

void
qts_walk_init(QtsWalk *walk, const QtsExitProfile *profile, const QtsFillModel *model)
{
	memset(walk, 0, sizeof(*walk));
	walk->profile = *profile;
	walk->model = *model;
	walk->position.mode = QTS_POSITION_ENABLED;
	walk->state.cycle = 1;
	walk->entered_at = walk->exited_at = QTS_TIME_NONE;
	walk->room = INT64_MAX;
}

void
qts_walk_enter(QtsWalk *walk, QtsTime at, QtsQty qty, QtsPrice price)
{
	walk->entry_at = at;
	walk->entry_qty = qty;
	walk->entry_price = price;
}

bool
qts_walk_over(const QtsWalk *walk)
{
	return walk->entered && walk->position.qty <= 0;
}

QtsKrw
qts_walk_pnl(const QtsWalk *walk)
{
	QtsKrw held = 0;
	QtsKrw result;

	if (walk->position.qty > 0)
		(void) qts_muldiv_floor(walk->position.qty, walk->seen.last, QTS_PRICE_SCALE, &held);
	if (!qts_add_checked(walk->sold, held, &result))
		return 0;
	return result - walk->bought - walk->fees - walk->taxes;
}

static void
walk_atr(QtsWalk *walk)
{
	int64_t ratio = 0;
	QtsPrice average = walk->position.avg_price;

	/* rounded half up, as the live share of the average price is */
	if (walk->day.atr > 0 && average > 0 && average < INT64_MAX / 2 &&
		qts_muldiv_floor(walk->day.atr, 2 * QTS_PPM, average, &ratio))
		ratio = (ratio + 1) / 2;
	walk->state.atr_pct = ratio;
}

/* What an order holds, and what rules have had their turn, as the worker loads it. */
static void
walk_lock(QtsWalk *walk)
{
	QtsExitPosition *position = &walk->position;
	QtsQty locked = walk->order.rule == QTS_RULE_NONE ? 0 : walk->order.qty - walk->order.filled;

	position->available = locked < position->qty ? position->qty - locked : 0;
	position->live_severity = walk->order.rule == QTS_RULE_NONE ? 0 : walk->order.severity;
	walk->band = (QtsExitBand){0};
}

/* Has the rule an intent that was not refused, in this cycle? */
static bool *
walk_live(QtsWalk *walk, QtsExitRule rule, int custom)
{
	if (rule == QTS_RULE_CUSTOM && custom >= 0 && custom < QTS_CUSTOM_MAX)
		return &walk->position.live_custom[custom];
	return &walk->position.live_rule[rule];
}

/* The order is over: what it filled moves the phase. */
static void
walk_order_end(QtsWalk *walk)
{
	QtsWalkOrder order = walk->order;

	if (order.rule == QTS_RULE_NONE)
		return;
	walk->order.rule = QTS_RULE_NONE;
	/* what was sold of an older cycle changes nothing in this one */
	if (order.cycle == walk->state.cycle)
	{
		/* one that sold nothing may be tried again */
		*walk_live(walk, order.rule, order.custom) = order.filled > 0 && qts_exit_once(order.rule);
		qts_exit_apply_fill(&walk->profile, &walk->state, order.rule, order.filled, walk->position.qty,
							walk->position.avg_price);
	}
	if (walk->state.last_qty > walk->position.qty)
		walk->state.last_qty = walk->position.qty;
	walk_lock(walk);
}

static void
walk_cancel(QtsWalk *walk, QtsTime at)
{
	QtsWalkEvent event = {.kind = QTS_WALK_CANCEL,
						  .at = at,
						  .rule = walk->order.rule,
						  .custom = walk->order.custom,
						  .phase = walk->state.phase};

	if (walk->order.rule == QTS_RULE_NONE)
		return;
	event.qty = walk->order.qty - walk->order.filled;
	walk_order_end(walk);
	walk_tell(walk, &event);
}

bool
qts_walk_buying(const QtsWalk *walk)
{
	return walk->entered && !walk->entry_over;
}

/* What is not bought by now is not bought any more. */
static void
walk_entry_end(QtsWalk *walk, QtsTime at)
{
	QtsWalkEvent event = {
		.kind = QTS_WALK_CANCEL, .custom = QTS_CUSTOM_NONE, .at = at, .phase = walk->state.phase};

	if (!qts_walk_buying(walk))
		return;
	walk->entry_over = true;
	event.qty = walk->entry_qty - walk->bought_qty;
	walk_tell(walk, &event);
}

static void
walk_new_cycle(QtsWalk *walk)
{
	memset(walk->position.live_rule, 0, sizeof(walk->position.live_rule));
	memset(walk->position.live_custom, 0, sizeof(walk->position.live_custom));
	walk->position.original_qty = walk->position.qty;
}

static void
walk_extremes(QtsWalk *walk, QtsPrice price)
{
	if (price > walk->highest)
		walk->highest = price;
	if (price < walk->lowest)
		walk->lowest = price;
}

void
qts_walk_fill(QtsWalk *walk, QtsQty qty, QtsPrice price, QtsTime at)
{
	QtsWalkEvent event = {.kind = QTS_WALK_FILL,
						  .at = at,
						  .rule = walk->order.rule,
						  .custom = walk->order.custom,
						  .phase = walk->state.phase,
						  .qty = qty,
						  .price = price};
	QtsKrw amount;

	if (qty <= 0 || qty > walk->position.qty || !qts_muldiv_floor(qty, price, QTS_PRICE_SCALE, &amount))
		return;
	event.fee = qts_commission(amount, &walk->day.rates);
	event.tax = qts_sell_tax(amount, &walk->day.rates);
	walk_extremes(walk, price);
	walk->sold_qty += qty;
	walk->sold += amount;
	walk->fees += event.fee;
	walk->taxes += event.tax;
	walk->exited_at = at;
	walk->exit_rule = walk->order.rule;
	walk->position.qty -= qty;
	walk->order.filled += qty;
	walk_lock(walk);
	walk_tell(walk, &event);
}

void
qts_walk_end(QtsWalk *walk, QtsTime at)
{
	if (walk->order.filled >= walk->order.qty)
		walk_order_end(walk);
	else
		walk_cancel(walk, at);
}

/* What a sale gets; 0 = nobody buys. */
static QtsPrice
walk_sale_price(const QtsWalk *walk, QtsPrice price, bool is_bid)
{
	QtsPrice lower = walk->day.lower;

	/* locked at the limit: who sells stands in a queue */
	if (!is_bid && lower > 0 && price <= lower)
		return 0;
	if (!qts_price_offset(price, -walk->model.slippage, &price))
		return 0;
	price = QTS_PRICE(qts_tick_floor(price / QTS_PRICE_SCALE, walk->model.instrument));
	return price < lower ? lower : price;
}

void
qts_walk_try_fill(QtsWalk *walk, QtsPrice price, bool is_bid, QtsTime at)
{
	QtsWalkOrder *order = &walk->order;
	QtsQty qty = order->qty - order->filled;
	QtsPrice got;

	if (order->rule == QTS_RULE_NONE || walk->model.given || walk->room <= 0 ||
		at < order->decided_at + walk->model.latency || at > walk->day.close_at)
		return;
	/* within the bar of its decision an order gets no better price than it was decided on */
	if (order->fresh && price > order->decided)
		price = order->decided;
	got = walk_sale_price(walk, price, is_bid);
	if (got <= 0)
		return;
	if (qty > walk->room)
		qty = walk->room;
	if (walk->room != INT64_MAX)
		walk->room -= qty;
	qts_walk_fill(walk, qty, got, at);
	if (order->filled >= order->qty)
		walk_order_end(walk);
}

static void
walk_order(QtsWalk *walk, const QtsExitDecision *decision, QtsTime at)
{
	QtsWalkEvent event = {.kind = QTS_WALK_DECISION,
						  .at = at,
						  .rule = decision->rule,
						  .custom = decision->custom,
						  .phase = walk->state.phase,
						  .qty = decision->qty,
						  .price = decision->price,
						  .threshold = decision->threshold};

	walk_entry_end(walk, at);
	walk_cancel(walk, at);
	if (event.qty > walk->position.qty)
		event.qty = walk->position.qty;
	walk->order = (QtsWalkOrder){.rule = decision->rule,
								 .custom = decision->custom,
								 .severity = decision->severity,
								 .cycle = walk->state.cycle,
								 .qty = event.qty,
								 .decided_at = at,
								 .decided = decision->price};
	*walk_live(walk, decision->rule, decision->custom) = true;
	/* here superseded orders are gone at once: nothing waits for them */
	qts_exit_restart_confirm(&walk->state, decision->rule);
	walk_lock(walk);
	walk_tell(walk, &event);
}

QtsExitQuote
qts_walk_quote(const QtsWalk *walk, const QtsWalkPrice *price, bool stale)
{
	QtsExitQuote quote = {.last = price->last,
						  .bid = price->bid,
						  .stale = stale,
						  .prev_close = walk->day.prev_close,
						  .first = walk->first,
						  .since_open = price->at - walk->day.open_at};

	quote.in_session = price->at >= walk->day.open_at && price->at < walk->day.closing_at;
	/* a price of before the open, looked at after it, is not the first one */
	if (quote.first == 0 && quote.in_session && !stale && walk->seen.at >= walk->day.open_at)
		quote.first = price->bid > 0 ? price->bid : price->last;
	return quote;
}

void
qts_walk_band(QtsWalk *walk, const QtsWalkPrice *price)
{
	QtsExitQuote quote;

	walk->band = (QtsExitBand){0};
	if (walk->every_look)
		return;
	quote = qts_walk_quote(walk, price, false);
	walk->band = qts_exit_band(&walk->profile, &walk->position, &walk->state, &quote, walk->control);
}

static void
walk_cycle(QtsWalk *walk, const QtsExitDecision *decision, QtsTime at)
{
	QtsWalkEvent event = {
		.kind = QTS_WALK_CYCLE, .custom = QTS_CUSTOM_NONE, .at = at, .price = decision->price};

	walk_cancel(walk, at);
	walk_new_cycle(walk);
	walk_lock(walk);
	walk_tell(walk, &event);
}

static QtsExitDecision
walk_evaluate(QtsWalk *walk, const QtsExitQuote *quote, const QtsWalkPrice *price)
{
	QtsExitDecision decision =
		qts_exit_evaluate(&walk->profile, &walk->position, &walk->state, quote, walk->control, price->at);

	walk->position.original_qty += decision.grown;
	if (decision.add_buy)
		walk_cycle(walk, &decision, price->at);
	else if (decision.rule != QTS_RULE_NONE)
		walk_order(walk, &decision, price->at);
	else
		qts_walk_band(walk, price);
	return decision;
}

bool
qts_walk_decide(QtsWalk *walk, const QtsWalkPrice *price, bool stale)
{
	QtsPrice decisive = price->bid > 0 ? price->bid : price->last;
	QtsExitDecision decision;
	QtsExitQuote quote;

	if (!walk->entered || walk->position.qty <= 0)
		return false;
	walk->looks++;
	/* the first price of the day is remembered, whatever it decides */
	if (walk->first != 0 && decisive > walk->band.low && decisive < walk->band.high)
		return false;
	quote = qts_walk_quote(walk, price, stale);
	walk->first = quote.first;
	decision = walk_evaluate(walk, &quote, price);
	/* the price is looked at again for new shares */
	if (decision.add_buy || decision.grown != 0)
		decision = walk_evaluate(walk, &quote, price);
	return decision.rule != QTS_RULE_NONE;
}

void
qts_walk_see(QtsWalk *walk, const QtsWalkPrice *price)
{
	walk->seen = *price;
	if (walk->entered && walk->position.qty > 0)
		walk_extremes(walk, price->last);
}

/* Bought on the grid, against us; not while everybody wants to buy at the limit. */
static QtsPrice
walk_purchase_price(const QtsWalk *walk, const QtsWalkPrice *price)
{
	QtsPrice upper = walk->day.upper;
	QtsPrice got = price->ask > 0 ? price->ask : price->last;
	QtsKrw krw;

	if (walk->entry_price > 0)
		return walk->entry_price;
	if (price->ask <= 0 && upper > 0 && got >= upper)
		return 0;
	if (!qts_price_offset(got, walk->model.slippage, &got))
		return 0;
	krw = got / QTS_PRICE_SCALE + (got % QTS_PRICE_SCALE > 0 ? 1 : 0);
	got = QTS_PRICE(qts_tick_ceil(krw, walk->model.instrument));
	return upper > 0 && got > upper ? upper : got;
}

/* The mean of what is held and what is added, to 1/10 000 KRW, half up: as a live fill is booked. */
static QtsPrice
walk_average(const QtsExitPosition *position, QtsQty qty, QtsPrice price)
{
	__int128 sum = (__int128) position->avg_price * position->qty + (__int128) price * qty;
	__int128 both = (__int128) position->qty + qty;

	return (QtsPrice) ((sum * 2 + both) / (both * 2));
}

void
qts_walk_buy(QtsWalk *walk, int64_t order, QtsQty qty, QtsPrice price, QtsTime at)
{
	QtsWalkEvent event = {.kind = QTS_WALK_ENTRY,
						  .custom = QTS_CUSTOM_NONE,
						  .at = at,
						  .phase = walk->state.phase,
						  .qty = qty,
						  .price = price};
	QtsExitPosition *position = &walk->position;
	QtsKrw amount;
	QtsKrw sum;

	if (qty <= 0 || !qts_muldiv_floor(qty, price, QTS_PRICE_SCALE, &amount) ||
		!qts_add_checked(walk->bought, amount, &sum))
		return;
	event.fee = qts_commission(amount, &walk->day.rates);
	walk->fees += event.fee;
	walk->bought = sum;
	position->avg_price = walk_average(position, qty, price);
	position->qty += qty;
	position->last_buy = order;
	walk->bought_qty += qty;
	walk->bought_at = position->avg_price;
	if (!walk->entered)
	{
		walk->entered = true;
		walk->entered_at = at;
		walk->entered_on = walk->day.date;
		walk->highest = walk->lowest = price;
		walk_new_cycle(walk);
		walk_atr(walk);
	}
	walk_lock(walk);
	walk_tell(walk, &event);
}

void
qts_walk_try_enter(QtsWalk *walk, const QtsWalkPrice *price)
{
	QtsQty qty = walk->entry_qty - walk->bought_qty;
	QtsPrice got;

	if (walk->entry_over || qty <= 0 || walk->room <= 0 || price->at < walk->entry_at ||
		price->at < walk->day.open_at || price->at > walk->day.close_at)
		return;
	got = walk_purchase_price(walk, price);
	if (got <= 0)
		return;
	if (qty > walk->room)
		qty = walk->room;
	if (walk->room != INT64_MAX)
		walk->room -= qty;
	qts_walk_buy(walk, 1, qty, got, price->at);
	walk->entry_over = walk->bought_qty >= walk->entry_qty;
}

void
qts_walk_day(QtsWalk *walk, const QtsWalkDay *day)
{
	walk_entry_end(walk, walk->day.close_at);
	walk_cancel(walk, walk->day.close_at);
	walk->day = *day;
	walk->first = 0;
	walk->band = (QtsExitBand){0};
	if (!walk->entered)
		return;
	walk->position.held_trading_days++;
	walk->position.held_days = day->date - walk->entered_on;
	walk_atr(walk);
}

void
qts_walk_tick(QtsWalk *walk, const QtsWalkPrice *price)
{
	bool bid = price->bid > 0;

	if (walk->model.volume_share > 0 &&
		!qts_muldiv_floor(price->volume, walk->model.volume_share, QTS_PPM, &walk->room))
		walk->room = 0;
	qts_walk_try_fill(walk, bid ? price->bid : price->last, bid, price->at);
	qts_walk_try_enter(walk, price);
	qts_walk_see(walk, price);
	(void) qts_walk_decide(walk, price, false);
}

void
qts_walk_look(QtsWalk *walk, QtsTime at, bool stale)
{
	QtsWalkPrice price = walk->seen;

	price.at = at;
	if (price.last > 0)
		(void) qts_walk_decide(walk, &price, stale);
}

void
qts_walk_split(QtsWalk *walk, QtsPpm ratio, QtsTime at)
{
	QtsWalkEvent event = {
		.kind = QTS_WALK_SPLIT, .custom = QTS_CUSTOM_NONE, .at = at, .phase = walk->state.phase};
	QtsExitPosition *position = &walk->position;
	QtsKrw before;
	QtsKrw after;
	QtsPrice *const prices[] = {&position->avg_price, &walk->seen.last, &walk->highest, &walk->lowest};

	if (!walk->entered || position->qty <= 0 || ratio <= 0)
		return;
	walk_entry_end(walk, at);
	walk_cancel(walk, at);
	(void) qts_muldiv_floor(position->qty, walk->seen.last, QTS_PRICE_SCALE, &before);
	for (size_t i = 0; i < sizeof(prices) / sizeof(prices[0]); i++)
		(void) qts_muldiv_floor(*prices[i], ratio, QTS_PPM, prices[i]);
	(void) qts_muldiv_floor(position->qty, QTS_PPM, ratio, &position->qty);
	/* what is less than a share is paid out */
	(void) qts_muldiv_floor(position->qty, walk->seen.last, QTS_PRICE_SCALE, &after);
	if (before > after)
		walk->sold += before - after;
	walk->split = true;
	walk->seen.bid = walk->seen.ask = 0;
	walk->state = (QtsExitState){.phase = QTS_PHASE_OPEN, .cycle = walk->state.cycle + 1};
	walk_new_cycle(walk);
	walk_atr(walk);
	walk_lock(walk);
	event.qty = position->qty;
	event.price = walk->seen.last;
	walk_tell(walk, &event);
}

void
qts_walk_freeze(QtsWalk *walk, QtsTime at)
{
	QtsWalkEvent event = {
		.kind = QTS_WALK_FREEZE, .custom = QTS_CUSTOM_NONE, .at = at, .phase = walk->state.phase};

	if (walk->position.quarantined || !walk->entered || walk->position.qty <= 0)
		return;
	walk_entry_end(walk, at);
	walk_cancel(walk, at);
	walk->position.quarantined = true;
	event.qty = walk->position.qty;
	event.price = walk->seen.last;
	walk_tell(walk, &event);
}
