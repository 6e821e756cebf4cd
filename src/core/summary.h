/*-------------------------------------------------------------------------
 *
 * summary.h
 *		What a series of trades and a series of daily values come to
 *		(runtime 10.3).
 *
 * Integers throughout, so that every machine gives the same digits.  What
 * has no value (a ratio to nothing) is said to have none, never 0.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_SUMMARY_H
#define QTS_CORE_SUMMARY_H

#include "core/core.h"

#define QTS_YEAR_DAYS 252
#define QTS_SUMMARY_DAYS 5 /* fewer daily returns say nothing */
#define QTS_SUMMARY_NONE INT64_MIN

typedef struct QtsTradeStats
{
	int64_t trades;
	int64_t wins;
	int64_t losses;
	QtsKrw won;	 /* sum */
	QtsKrw lost; /* sum, negative */
	QtsKrw largest_win;
	QtsKrw largest_loss; /* negative */
	int64_t wins_in_row; /* most */
	int64_t losses_in_row;
	int64_t row; /* the present one: wins above 0, losses below */
	int64_t days;
} QtsTradeStats;

/* One trade more, in order of its end. */
extern void qts_trade_add(QtsTradeStats *stats, QtsKrw result, int64_t days);

/* QTS_SUMMARY_NONE where there is none. */
extern QtsPpm qts_trade_win_rate(const QtsTradeStats *stats);
extern QtsPpm qts_trade_profit_factor(const QtsTradeStats *stats); /* none without a loss */
extern QtsKrw qts_trade_expectancy(const QtsTradeStats *stats);	   /* won per trade, rounded */
extern QtsKrw qts_trade_average_win(const QtsTradeStats *stats);
extern QtsKrw qts_trade_average_loss(const QtsTradeStats *stats);

/* In ppm; QTS_SUMMARY_NONE where there is none. */
typedef struct QtsPerformance
{
	int64_t days;		 /* daily returns */
	QtsPpm total;		 /* return of the whole time */
	QtsPpm annual;		 /* per 252 days, compounded */
	QtsPpm volatility;	 /* of a year: sample deviation of daily returns */
	QtsPpm sharpe;		 /* (annual - risk free) / volatility */
	QtsPpm sortino;		 /* the same by the deviation of losses, over all days */
	QtsPpm max_drawdown; /* from the highest value before, never above 0 */
	QtsPpm alpha;		 /* total - that of the benchmark */
	QtsPpm beta;
} QtsPerformance;

/*
 * Values at the end of each day, the first one the start.  benchmark has as many, or
 * is NULL.  False: fewer than 5 returns, or a value of 0 or less.
 */
extern bool
qts_performance(const QtsKrw *value, const int64_t *benchmark, int n, QtsPpm risk_free, QtsPerformance *out);

#endif /* QTS_CORE_SUMMARY_H */
