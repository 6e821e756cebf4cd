/*-------------------------------------------------------------------------
 *
 * backtest_run.c
 *		A walk over stored prices: days, limits, corporate actions, and the
 *		prices themselves in order of time.
 *
 * Of each day only what was known before its first price is told to the walk.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "db/backtest.h"

void
qts_backtest_init(QtsBacktestQuery *query, const QtsBacktestArgs *args, QtsBacktestRun *run)
{
	memset(run, 0, sizeof(*run));
	run->query = query;
	run->symbol = qts_history_symbol(query->history, args->symbol);
	run->until = args->until;
	query->model.fill.instrument = run->symbol->instrument;
	qts_walk_init(&run->walk, &query->profile, &query->model.fill);
	run->walk.control = query->model.control;
	qts_walk_enter(&run->walk, args->entry_at, args->qty, args->entry_price);
	for (int i = 0; i < QTS_SOURCE_COUNT; i++)
		run->quote[i].recv_at = run->quote[i].exch_at = QTS_TIME_NONE;
}

static void
run_report(QtsBacktestRun *run)
{
	QtsProgress *progress = &run->query->progress;

	CHECK_FOR_INTERRUPTS();
	strlcpy(progress->symbol, run->symbol->symbol, sizeof(progress->symbol));
	progress->at = run->walk.seen.at;
	progress->rows = run->query->history->rows;
	qts_progress_report(run->query->slot, progress);
}

static bool
run_holds(const QtsBacktestRun *run)
{
	return run->walk.entered && !qts_walk_over(&run->walk);
}

static void
run_day_end(QtsBacktestRun *run)
{
	if (run->day_end != 0 && run->walk.entered && run->day_over != NULL)
		run->day_over(run, run->arg);
}

/* Does the new price go on from where the last one was, or from after the action? */
static bool
run_jumped(QtsPrice last, QtsPrice price, QtsPpm ratio)
{
	QtsPrice after;

	if (last <= 0 || !qts_muldiv_floor(last, ratio, QTS_PPM, &after))
		return false;
	return llabs(price - after) < llabs(price - last);
}

/*
 * A split or the like between the last day and this one.  Confirmed, it changes
 * shares and prices; if nobody confirmed it, exits are held from here on, which
 * ends the walk.
 */
static QtsPrice
run_action(QtsBacktestRun *run, QtsDate date, QtsPrice base, QtsPrice price, TimestampTz at)
{
	const QtsHistoryAction *action =
		run->day_end == 0 ? NULL : qts_history_action(run->symbol, run->date, date);
	QtsPpm told = 0;

	if (action == NULL)
		return base;
	if (action->ratio > 0)
		told = action->ratio;
	else
		(void) qts_muldiv_floor(action->base, QTS_PPM, action->prev_close, &told);
	if (!run_jumped(base, price, told))
		return base; /* these prices were adjusted: for them nothing happened */
	if (action->ratio == 0)
	{
		qts_walk_freeze(&run->walk, at);
		run->frozen = true;
		return base;
	}
	qts_walk_split(&run->walk, action->ratio, at);
	return QTS_PRICE(action->base);
}

/* The first price of a day: what is known before it, and whether it can be true. */
static void
run_day(QtsBacktestRun *run, TimestampTz at, QtsPrice price)
{
	QtsDate date = qts_seoul_date(at);
	int before = qts_history_day_before(run->symbol, date);
	QtsPrice base = run->last;
	TimestampTz midnight = qts_seoul_instant(date, 0);
	QtsWalkDay day;

	run_day_end(run);
	if (base == 0 && before >= 0)
		base = QTS_PRICE(run->symbol->day[before].bar.close);
	base = run_action(run, date, base, price, midnight);
	day = qts_history_walk_day(run->query->history, run->symbol, date, base);
	if (!run->frozen && run_holds(run) && day.upper > 0 && (price < day.lower || price > day.upper))
	{
		qts_walk_freeze(&run->walk, midnight);
		run->frozen = true;
	}
	run->date = date;
	run->day_end = midnight + QTS_DAY;
	qts_walk_day(&run->walk, &day);
}

/* False when the walk is over. */
static bool
run_next(QtsBacktestRun *run, TimestampTz at, QtsPrice price)
{
	if (at >= run->until)
		return false;
	if (at >= run->day_end)
		run_day(run, at, price);
	return !run->frozen;
}

static bool
run_seen(QtsBacktestRun *run, QtsPrice last)
{
	run->last = last;
	if (run->price_seen != NULL && run->walk.entered)
		run->price_seen(run, run->arg);
	return !qts_walk_over(&run->walk);
}

static bool
run_minutes(QtsBacktestRun *run, const QtsHistoryChunk *chunk, TimestampTz from)
{
	for (int i = 0; i < chunk->n; i++)
	{
		const QtsBar *bar = &chunk->bar[i];

		if (bar->at + QTS_MINUTE <= from)
			continue;
		if (!run_next(run, bar->at, QTS_PRICE(bar->open)))
			return false;
		qts_walk_bar(&run->walk, bar, QTS_MINUTE, run->query->model.path);
		if (!run_seen(run, QTS_PRICE(bar->close)))
			return false;
	}
	return true;
}

/* Is a tick of this source what the engine would have looked at? */
static bool
run_decides(QtsBacktestRun *run, const QtsHistoryTick *tick)
{
	QtsQuote *quote = &run->quote[tick->source];
	bool trading = tick->price.at >= run->walk.day.open_at && tick->price.at < run->walk.day.closing_at;

	quote->last = tick->price.last;
	quote->recv_at = tick->price.at;
	return tick->source != QTS_SOURCE_NAVER &&
		   qts_best_source(run->quote, tick->price.at, trading) == tick->source;
}

static bool
run_ticks(QtsBacktestRun *run, const QtsHistoryChunk *chunk, TimestampTz from)
{
	for (int i = 0; i < chunk->n; i++)
	{
		const QtsHistoryTick *tick = &chunk->tick[i];

		if (tick->price.at < from)
			continue;
		if (!run_next(run, tick->price.at, tick->price.last))
			return false;
		if (!run_decides(run, tick))
			continue;
		qts_walk_tick(&run->walk, &tick->price);
		if (!run_seen(run, tick->price.last))
			return false;
	}
	return true;
}

static void
run_slices(QtsBacktestRun *run, const QtsBacktestArgs *args)
{
	QtsHistorySource source = args->source;
	TimestampTz last = qts_history_last(run->query->history, run->symbol, source);
	int64 number;
	int64 end;
	bool more = true;

	if (last == DT_NOBEGIN || last < args->entry_at - QTS_MINUTE)
		return;
	end = qts_history_slice(source, Min(last, args->until));
	for (number = qts_history_slice(source, args->entry_at); number <= end && more; number++)
	{
		const QtsHistoryChunk *chunk = qts_history_chunk(run->query->history, run->symbol, source, number);

		more = source == QTS_HISTORY_TICKS ? run_ticks(run, chunk, args->entry_at)
										   : run_minutes(run, chunk, args->entry_at);
		run_report(run);
	}
}

/* The day's extremes lie in continuous trading, its close in the auction. */
static void
run_days(QtsBacktestRun *run, const QtsBacktestArgs *args)
{
	QtsDate first = qts_seoul_date(args->entry_at);

	for (int i = qts_history_day_before(run->symbol, first) + 1; i < run->symbol->ndays; i++)
	{
		QtsBar bar = run->symbol->day[i].bar;
		bool halted = qts_bar_halted(&bar);

		if (!run_next(run, bar.at, halted ? QTS_PRICE(bar.close) : QTS_PRICE(bar.open)))
			return;
		bar.at = run->walk.day.open_at;
		qts_walk_bar(&run->walk, &bar, run->walk.day.closing_at - bar.at, run->query->model.path);
		if (!halted)
			qts_walk_auction(&run->walk, QTS_PRICE(bar.close), run->walk.day.close_at);
		if (!run_seen(run, QTS_PRICE(bar.close)))
			return;
		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
	}
}

void
qts_backtest_run(QtsBacktestRun *run, const QtsBacktestArgs *args)
{
	QtsProgress *progress = &run->query->progress;

	if (args->source == QTS_HISTORY_1D)
		run_days(run, args);
	else
		run_slices(run, args);
	run_day_end(run);
	progress->walks++;
	progress->looks += run->walk.looks;
	run_report(run);
}
