/*
 * session.c
 *		What the clock does to the market: windows that open and end, uncrossings,
 *		volatility interruptions, halts and the market-wide circuit breaker.
 *
 * qts_session_apply compares the present with what it saw last; it is called before
 * every order, at every minute of the virtual clock, whenever the clock is moved, and
 * by a timer of its own when an interruption is due to end.
 */
#include <string.h>

#include "sim.h"

#define VI_SECONDS 120
#define VI_RANDOM_SECONDS 30
#define BREAKER_STOP_S 1200
#define BREAKER_AUCTION_S 600
#define SECOND_US INT64_C(1000000)

static int current_date;
static QtsPhase last_phase = QTS_PHASE_AFTER;
static bool was_live[QTS_WINDOWS];
static bool was_trading[QTS_WINDOWS];
static QtsBreaker last_breaker;
static int64_t stop_until_us;	 /* circuit breaker: nothing is taken before it */
static int64_t auction_until_us; /* and nothing trades before this */
static int64_t closed_until_us;	 /* level 3 ends the day */
static int64_t next_vi_us;		 /* the earliest end of a timed interruption; 0 = none */

static bool
phase_is_regular(QtsPhase phase)
{
	return phase == QTS_PHASE_OPENING || phase == QTS_PHASE_CONTINUOUS || phase == QTS_PHASE_CLOSING;
}

static bool
minute_in(int from, int to)
{
	int minute = qts_clock_minute();

	return !qts_options.is_paper && qts_options.market_open < 0 && !qts_clock_is_holiday(qts_clock_now()) &&
		   minute >= from && minute < to;
}

QtsBreaker
qts_session_breaker(void)
{
	int64_t now = qts_clock_now();

	if (now < closed_until_us)
		return QTS_BREAKER_CLOSED;
	if (now < stop_until_us)
		return QTS_BREAKER_STOP;
	return now < auction_until_us ? QTS_BREAKER_AUCTION : QTS_BREAKER_NONE;
}

/* Whether orders of the window may be entered now. */
bool
qts_session_takes(QtsWindow window)
{
	QtsPhase phase = qts_clock_phase();

	switch (window)
	{
		case QTS_WINDOW_REGULAR:
			return phase_is_regular(phase);
		case QTS_WINDOW_AFTER_MARKET:
			return phase == QTS_PHASE_AFTER_MARKET;
		case QTS_WINDOW_PREMARKET:
			return minute_in(qts_options.premarket_open_min, qts_options.premarket_close_min);
		case QTS_WINDOW_OFF_OPEN:
			return minute_in(qts_options.open_min - 30, qts_options.open_min - 20);
		case QTS_WINDOW_OFF_CLOSE:
			return minute_in(qts_options.close_min, qts_options.close_min + 30);
		default:
			return false;
	}
}

bool
qts_session_trades(QtsWindow window)
{
	if (window == QTS_WINDOW_REGULAR)
		return qts_clock_phase() == QTS_PHASE_CONTINUOUS && qts_session_breaker() == QTS_BREAKER_NONE;
	if (window == QTS_WINDOW_OFF_CLOSE)
		return minute_in(qts_options.close_min + 10, qts_options.close_min + 30);
	return qts_session_takes(window);
}

/* One price for everything that waited: the last one. */
static void
session_uncross(QtsSymbol *symbol, bool is_closing)
{
	QtsOrder *next;

	if (!qts_options.auto_fill || symbol->is_halted)
		return;
	for (QtsOrder *order = symbol->open_orders; order != NULL; order = next)
	{
		bool is_marketable = order->is_market || (is_closing && strcmp(order->dvsn, "02") == 0);

		next = order->next;
		if (!order->has_arrived || order->window != QTS_WINDOW_REGULAR ||
			(order->trigger > 0 && !order->is_triggered))
			continue;
		if (is_marketable || (order->is_sell ? order->limit <= symbol->price : order->limit >= symbol->price))
			qts_exchange_fill(order, qts_order_left(order), symbol->price);
	}
}

/* What is left dies; only the pre-market says so (every window when `is_all`). */
static void
session_expire(QtsWindow window, bool is_all)
{
	bool has_notice = !is_all && window == QTS_WINDOW_PREMARKET;
	QtsSymbol *symbol;

	for (int i = 0; (symbol = qts_market_at(i)) != NULL; i++)
	{
		QtsOrder *next;

		for (QtsOrder *order = symbol->open_orders; order != NULL; order = next)
		{
			next = order->next;
			if (is_all || order->window == window)
				qts_exchange_kill(order, qts_order_left(order), has_notice ? QTS_KILL_GTP : QTS_KILL_EXPIRE,
								  has_notice);
		}
	}
}

static void
session_match_all(bool is_auction, bool is_closing)
{
	QtsSymbol *symbol;

	for (int i = 0; (symbol = qts_market_at(i)) != NULL; i++)
		if (is_auction)
			session_uncross(symbol, is_closing);
		else
			qts_exchange_match(symbol);
}

static void
session_new_day(int64_t now)
{
	session_expire(QTS_WINDOW_REGULAR, true);
	qts_book_new_day();
	if (qts_clock_is_holiday(now))
		return;
	qts_account_new_day();
	qts_market_new_day();
}

static void
session_vi_due(void *arg, uint64_t tag)
{
	(void) arg;
	(void) tag;
	qts_session_apply();
}

/* Wake when the virtual instant comes; a moved clock applies the session by itself. */
static void
session_wake_at(int64_t until_us)
{
	int64_t left = until_us - qts_clock_now();

	if (qts_clock_speed() > 0 && left > 0)
		qts_net_timer((int64_t) ((double) left / qts_clock_speed()) + 100, session_vi_due, NULL, 0);
}

/* A call auction replaces trading until the time is over; 0 seconds: until lifted. */
void
qts_session_vi_start(QtsSymbol *symbol, int64_t seconds)
{
	symbol->is_vi = true;
	symbol->vi_until_us = seconds > 0 ? qts_clock_now() + seconds * SECOND_US : 0;
	if (seconds > 0)
	{
		if (next_vi_us == 0 || symbol->vi_until_us < next_vi_us)
			next_vi_us = symbol->vi_until_us;
		session_wake_at(symbol->vi_until_us);
	}
	qts_feed_status(symbol, "");
}

void
qts_session_vi_end(QtsSymbol *symbol)
{
	symbol->is_vi = false;
	symbol->vi_until_us = 0;
	symbol->vi_ref = symbol->price;
	if (qts_session_trades(QTS_WINDOW_REGULAR))
		session_uncross(symbol, false);
	qts_feed_status(symbol, "");
	qts_exchange_match(symbol);
}

/* Static VI: a print ten per cent away from the reference stops the symbol. */
void
qts_session_print(QtsSymbol *symbol)
{
	int64_t away =
		symbol->price > symbol->vi_ref ? symbol->price - symbol->vi_ref : symbol->vi_ref - symbol->price;

	if (!qts_options.auto_vi || symbol->is_vi || symbol->is_halted || away * 10 < symbol->vi_ref ||
		!qts_session_trades(QTS_WINDOW_REGULAR))
		return;
	qts_session_vi_start(symbol, VI_SECONDS + (int64_t) qts_random_below(VI_RANDOM_SECONDS + 1));
}

/* Levels 1 and 2 stop and then collect orders; level 3 ends the day. */
void
qts_session_break(int level, int64_t stop_s, int64_t auction_s)
{
	int64_t now = qts_clock_now();

	stop_s = stop_s > 0 ? stop_s : BREAKER_STOP_S;
	auction_s = auction_s > 0 ? auction_s : BREAKER_AUCTION_S;
	if (level >= 3)
		closed_until_us =
			now + 24 * 3600 * SECOND_US - (now + 9 * 3600 * SECOND_US) % (24 * 3600 * SECOND_US);
	else
	{
		stop_until_us = now + stop_s * SECOND_US;
		auction_until_us = stop_until_us + auction_s * SECOND_US;
		session_wake_at(stop_until_us);
		session_wake_at(auction_until_us);
	}
	qts_session_apply();
}

void
qts_session_resume(void)
{
	stop_until_us = auction_until_us = closed_until_us = 0;
	qts_session_apply();
}

static void
session_breaker_apply(void)
{
	QtsBreaker breaker = qts_session_breaker();
	QtsSymbol *symbol;

	if (breaker == last_breaker)
		return;
	if (breaker == QTS_BREAKER_NONE || last_breaker == QTS_BREAKER_NONE)
		for (int i = 0; (symbol = qts_market_at(i)) != NULL; i++)
			qts_feed_status(symbol, breaker == QTS_BREAKER_NONE ? "175" : "174");
	last_breaker = breaker;
	if (breaker == QTS_BREAKER_CLOSED)
		session_expire(QTS_WINDOW_REGULAR, false);
	else if (breaker == QTS_BREAKER_NONE && qts_session_trades(QTS_WINDOW_REGULAR))
		session_match_all(true, false);
}

static void
session_vi_apply(int64_t now)
{
	QtsSymbol *symbol;

	if (next_vi_us == 0 || now < next_vi_us)
		return;
	next_vi_us = 0;
	for (int i = 0; (symbol = qts_market_at(i)) != NULL; i++)
	{
		if (!symbol->is_vi || symbol->vi_until_us == 0)
			continue;
		if (symbol->vi_until_us <= now)
			qts_session_vi_end(symbol);
		else if (next_vi_us == 0 || symbol->vi_until_us < next_vi_us)
			next_vi_us = symbol->vi_until_us;
	}
}

/* Apply day, phase and interruption changes since the last call. */
void
qts_session_apply(void)
{
	int64_t now = qts_clock_now();
	int date = qts_clock_date(now);
	QtsPhase phase = qts_clock_phase();
	QtsPhase before = last_phase;
	bool is_opening = false;

	last_phase = phase;
	if (current_date != 0 && date != current_date)
		session_new_day(now);
	current_date = date;
	if (before != phase && phase_is_regular(before) && phase != QTS_PHASE_CLOSING &&
		(before == QTS_PHASE_OPENING || phase != QTS_PHASE_CONTINUOUS))
		session_match_all(true, !phase_is_regular(phase));
	session_breaker_apply();
	for (int w = 0; w < QTS_WINDOWS; w++)
	{
		bool is_live = qts_session_takes((QtsWindow) w);

		if (was_live[w] && !is_live)
			session_expire((QtsWindow) w, false);
		was_live[w] = is_live;
		is_live = qts_session_trades((QtsWindow) w);
		is_opening |= is_live && !was_trading[w];
		was_trading[w] = is_live;
	}
	session_vi_apply(now);
	if (is_opening)
		session_match_all(false, false);
}
