/*-------------------------------------------------------------------------
 *
 * walk_fixture.h
 *		A walk of a backtest by hand: days, ticks, bars, and what it told.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_TEST_WALK_FIXTURE_H
#define QTS_TEST_WALK_FIXTURE_H

#include "core/backtest.h"
#include "core/session.h"
#include "tap.h"

#define EVENTS 256

typedef struct Run
{
	QtsWalk walk;
	QtsWalkEvent event[EVENTS];
	int n;
	QtsDate date;
} Run;

static void
run_take(void *arg, const QtsWalkEvent *event)
{
	Run *run = arg;

	if (run->n < EVENTS)
		run->event[run->n++] = *event;
}

static QtsTime
clock_at(const Run *run, int hour, int minute, int second)
{
	return qts_seoul_instant(run->date, hour * QTS_HOUR + minute * QTS_MINUTE + second * QTS_SEC);
}

static void
run_day(Run *run, QtsKrw prev_close, QtsPrice atr)
{
	QtsKrw lower = 0;
	QtsKrw upper = 0;
	QtsWalkDay day;

	run->date++;
	(void) qts_price_limits(prev_close, QTS_INSTRUMENT_STOCK, &lower, &upper);
	day = (QtsWalkDay){.date = run->date,
					   .open_at = clock_at(run, 9, 0, 0),
					   .closing_at = clock_at(run, 15, 20, 0),
					   .close_at = clock_at(run, 15, 30, 0),
					   .lower = QTS_PRICE(lower),
					   .upper = QTS_PRICE(upper),
					   .prev_close = QTS_PRICE(prev_close),
					   .atr = atr,
					   .rates = {.commission = 1405, .securities_tax = 5000, .rural_tax = 15000}};
	qts_walk_day(&run->walk, &day);
}

/* 100 shares at 100,000 on the first day, so that 1,000 KRW are one per cent. */
static void
run_start(Run *run, const QtsFillModel *model)
{
	QtsExitProfile profile = qts_exit_profile_default();
	QtsFillModel plain = {0};

	memset(run, 0, sizeof(*run));
	run->date = 9700; /* 2026-07-23 */
	qts_walk_init(&run->walk, &profile, model ? model : &plain);
	run->walk.sink = run_take;
	run->walk.sink_arg = run;
	qts_walk_enter(&run->walk, 0, 100, QTS_PRICE(100000));
	run_day(run, 100000, 0);
}

static void
tick_at(Run *run, int minute, int second, QtsKrw price, QtsQty volume)
{
	QtsWalkPrice p = {.at = clock_at(run, 9, minute, second), .last = QTS_PRICE(price), .volume = volume};

	qts_walk_tick(&run->walk, &p);
}

static void
bar_at(Run *run, int minute, QtsKrw open, QtsKrw high, QtsKrw low, QtsKrw close, QtsQty volume)
{
	QtsBar bar = {clock_at(run, 9, minute, 0), open, high, low, close, volume, -1};

	qts_walk_bar(&run->walk, &bar, QTS_MINUTE, QTS_PATH_LOW_FIRST);
}

static bool
event_is(const Run *run, int i, QtsWalkKind kind, QtsExitRule rule, QtsQty qty, QtsKrw price)
{
	const QtsWalkEvent *e = &run->event[i];

	return tap_note(i < run->n && e->kind == kind && e->rule == rule && e->qty == qty &&
						e->price == QTS_PRICE(price),
					"event %d of %d: kind %d %s %d at %d", i, run->n, (int) e->kind,
					qts_exit_rule_name(e->rule), (int) e->qty, (int) (e->price / QTS_PRICE_SCALE));
}

#endif /* QTS_TEST_WALK_FIXTURE_H */
