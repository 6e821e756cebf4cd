/*-------------------------------------------------------------------------
 *
 * test_summary.c
 *		Statistics of trades and daily values against numbers computed apart
 *		(runtime 10.3).
 *
 *-------------------------------------------------------------------------
 */
#include "core/summary.h"
#include "tap.h"

static void
test_trades(void)
{
	static const QtsKrw results[] = {100, 200, -50, -60, -70, 0, 300, -10};
	QtsTradeStats stats = {0};

	ok(qts_trade_win_rate(&stats) == QTS_SUMMARY_NONE && qts_trade_expectancy(&stats) == QTS_SUMMARY_NONE,
	   "nothing of nothing");
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
		qts_trade_add(&stats, results[i], 2);
	is(stats.trades, 8, "trades");
	is(stats.wins, 3, "wins");
	is(stats.losses, 4, "losses, and one that was neither");
	is(qts_trade_win_rate(&stats), 375000, "win rate");
	is(stats.won, 600, "won");
	is(stats.lost, -190, "lost");
	is(qts_trade_profit_factor(&stats), 3157895, "profit factor 600 / 190");
	is(qts_trade_expectancy(&stats), 51, "410 / 8 = 51.25");
	is(qts_trade_average_win(&stats), 200, "average win");
	is(qts_trade_average_loss(&stats), -48, "average loss: -47.5, away from zero");
	is(stats.largest_win, 300, "largest win");
	is(stats.largest_loss, -70, "largest loss");
	is(stats.wins_in_row, 2, "wins in a row");
	is(stats.losses_in_row, 3, "losses in a row");
	is(stats.days, 16, "days held");

	stats = (QtsTradeStats){0};
	qts_trade_add(&stats, 5, 1);
	ok(qts_trade_profit_factor(&stats) == QTS_SUMMARY_NONE &&
		   qts_trade_average_loss(&stats) == QTS_SUMMARY_NONE,
	   "without a loss there is no profit factor, not 999.99");
}

/*
 * By a program in floating point: total 0.025049, annual 1.4367252, volatility 0.1936981, drawdown -0.015,
 * alpha 0.006049, beta 1.4544250; with the annual return cut to the ppm Sharpe 7.2624622, Sortino 14.1381183.
 */
static void
test_performance(void)
{
	static const QtsKrw value[] = {1000000, 1010000, 1004950, 1015000, 999775, 1020000, 1030200, 1025049};
	static const int64_t index[] = {1000, 1005, 1001, 1012, 1003, 1010, 1020, 1019};
	QtsPerformance p;

	ok(qts_performance(value, index, 8, 30000, &p), "seven returns are enough");
	is(p.days, 7, "days");
	is(p.total, 25049, "total");
	is(p.annual, 1436725, "annual");
	is(p.volatility, 193698, "volatility");
	is(p.sharpe, 7262462, "Sharpe");
	is(p.sortino, 14138118, "Sortino");
	is(p.max_drawdown, -15000, "drawdown");
	is(p.alpha, 6049, "alpha");
	is(p.beta, 1454425, "beta");
}

static void
test_edges(void)
{
	QtsKrw flat[253];
	QtsKrw doubled[253];
	QtsKrw up[] = {100, 101, 102, 103, 104, 105};
	QtsKrw ruin[] = {100, 90, 80, 0, 10, 20};
	QtsPerformance p;

	for (int i = 0; i < 253; i++)
		flat[i] = 5000000;
	ok(!qts_performance(flat, NULL, 5, 30000, &p), "four returns say nothing");
	ok(qts_performance(flat, NULL, 253, 30000, &p) && p.total == 0 && p.annual == 0 && p.volatility == 0 &&
		   p.max_drawdown == 0,
	   "a year of nothing");
	ok(p.sharpe == QTS_SUMMARY_NONE && p.sortino == QTS_SUMMARY_NONE && p.beta == QTS_SUMMARY_NONE,
	   "no ratio to nothing");
	for (int i = 0; i < 253; i++)
		doubled[i] = 1000000000 + INT64_C(1000000000) * i / 252;
	ok(qts_performance(doubled, NULL, 253, 30000, &p), "a year in which all doubles");
	is(p.total, 1000000, "is 100 %");
	is(p.annual, 1000000, "also per year");
	ok(p.sortino == QTS_SUMMARY_NONE, "no losing day, no Sortino");
	ok(qts_performance(up, NULL, 6, 30000, &p) && p.annual > 10000000, "1 % a day");
	ok(!qts_performance(ruin, NULL, 6, 30000, &p), "ruin has no returns");
	up[5] = 50;
	ok(qts_performance(up, NULL, 6, 30000, &p) && p.annual < -999999 && p.annual >= -1000000,
	   "half in five days");
	is(p.max_drawdown, -519230, "from the highest value");
}

int
main(void)
{
	test_trades();
	test_performance();
	test_edges();
	return tap_done();
}
