/*-------------------------------------------------------------------------
 *
 * summary.c
 *		Statistics of trades and of daily values, in integers.
 *
 * Daily returns are kept in 1e-9, sums of their squares in 128 bits.  Powers
 * go over the logarithm to base 2, bit by bit.
 *
 *-------------------------------------------------------------------------
 */
#include "core/summary.h"
#include "core/money.h"

typedef __int128 QtsWide;

#define SUMMARY_UNIT INT64_C(1000000000)
#define SUMMARY_RETURN_MAX (1000 * SUMMARY_UNIT) /* a value of a thousand times the day before is no return */
#define FIXED_ONE (INT64_C(1) << 60)
#define LOG_BITS 44
#define LOG_ONE (INT64_C(1) << LOG_BITS)

void
qts_trade_add(QtsTradeStats *stats, QtsKrw result, int64_t days)
{
	stats->trades++;
	stats->days += days;
	if (result > 0)
	{
		stats->wins++;
		stats->won += result;
		stats->row = stats->row > 0 ? stats->row + 1 : 1;
	}
	else if (result < 0)
	{
		stats->losses++;
		stats->lost += result;
		stats->row = stats->row < 0 ? stats->row - 1 : -1;
	}
	else
		stats->row = 0;
	if (result > stats->largest_win)
		stats->largest_win = result;
	if (result < stats->largest_loss)
		stats->largest_loss = result;
	if (stats->row > stats->wins_in_row)
		stats->wins_in_row = stats->row;
	if (-stats->row > stats->losses_in_row)
		stats->losses_in_row = -stats->row;
}

/* a * b / c, half away from zero */
static int64_t
summary_ratio(QtsWide a, int64_t b, QtsWide c)
{
	QtsWide product = a * b;
	QtsWide half = c / 2;
	QtsWide result;

	if (c <= 0)
		return QTS_SUMMARY_NONE;
	result = (product < 0 ? product - half : product + half) / c;
	return result > INT64_MAX || result < -INT64_MAX ? QTS_SUMMARY_NONE : (int64_t) result;
}

QtsPpm
qts_trade_win_rate(const QtsTradeStats *stats)
{
	return summary_ratio(stats->wins, QTS_PPM, stats->trades);
}

QtsPpm
qts_trade_profit_factor(const QtsTradeStats *stats)
{
	return summary_ratio(stats->won, QTS_PPM, -(QtsWide) stats->lost);
}

QtsKrw
qts_trade_expectancy(const QtsTradeStats *stats)
{
	return summary_ratio((QtsWide) stats->won + stats->lost, 1, stats->trades);
}

QtsKrw
qts_trade_average_win(const QtsTradeStats *stats)
{
	return summary_ratio(stats->won, 1, stats->wins);
}

QtsKrw
qts_trade_average_loss(const QtsTradeStats *stats)
{
	return summary_ratio(stats->lost, 1, stats->losses);
}

/* floor of the square root; value >= 0 */
static int64_t
summary_root(QtsWide value)
{
	QtsWide low = 0;
	QtsWide high = INT64_MAX;

	while (low < high)
	{
		QtsWide middle = low + (high - low + 1) / 2;

		if (middle <= value / middle)
			low = middle;
		else
			high = middle - 1;
	}
	return (int64_t) low;
}

/* log2(a / b) in 1 / LOG_ONE, rounded down; both > 0 */
static int64_t
summary_log2(int64_t a, int64_t b)
{
	QtsWide x = (QtsWide) a * FIXED_ONE / b;
	int64_t whole = 0;
	int64_t part = 0;

	if (x == 0)
		return -60 * LOG_ONE;
	for (; x >= 2 * (QtsWide) FIXED_ONE; whole++)
		x /= 2;
	for (; x < FIXED_ONE; whole--)
		x *= 2;
	for (int i = 0; i < LOG_BITS; i++)
	{
		x = x * x / FIXED_ONE;
		part *= 2;
		if (x >= 2 * (QtsWide) FIXED_ONE)
		{
			part++;
			x /= 2;
		}
	}
	return whole * LOG_ONE + part;
}

/* 2 ^ (log / LOG_ONE) in ppm; none when it is beyond a million times */
static QtsPpm
summary_exp2(int64_t log)
{
	int64_t whole = log / LOG_ONE;
	int64_t part = log % LOG_ONE;
	QtsWide root = 2 * (QtsWide) FIXED_ONE;
	QtsWide result = FIXED_ONE;

	if (part < 0)
	{
		part += LOG_ONE;
		whole--;
	}
	if (whole > 20)
		return QTS_SUMMARY_NONE;
	for (int bit = LOG_BITS - 1; bit >= 0; bit--)
	{
		root = summary_root(root * FIXED_ONE);
		if (part >> bit & 1)
			result = result * root / FIXED_ONE;
	}
	if (whole < -62)
		return 0;
	/* to the ppm, half up */
	result = whole >= 0 ? result * ((int64_t) 1 << whole) : result / ((int64_t) 1 << -whole);
	return (QtsPpm) ((result * QTS_PPM + FIXED_ONE / 2) / FIXED_ONE);
}

/* Sums over daily returns in 1e-9. */
typedef struct ReturnSums
{
	QtsWide sum;
	QtsWide square;
	QtsWide loss_square;
	QtsWide other; /* of the benchmark */
	QtsWide other_square;
	QtsWide product;
} ReturnSums;

static bool
summary_return(int64_t before, int64_t after, int64_t *out)
{
	QtsWide change = ((QtsWide) after - before) * SUMMARY_UNIT;

	if (before <= 0 || after <= 0)
		return false;
	change /= before;
	if (change > SUMMARY_RETURN_MAX)
		return false;
	*out = (int64_t) change;
	return true;
}

static bool
summary_add(ReturnSums *sums, const QtsKrw *value, const int64_t *benchmark)
{
	int64_t r;
	int64_t other;

	if (!summary_return(value[0], value[1], &r))
		return false;
	sums->sum += r;
	sums->square += (QtsWide) r * r;
	if (r < 0)
		sums->loss_square += (QtsWide) r * r;
	if (benchmark == NULL)
		return true;
	if (!summary_return(benchmark[0], benchmark[1], &other))
		return false;
	sums->other += other;
	sums->other_square += (QtsWide) other * other;
	sums->product += (QtsWide) r * other;
	return true;
}

static QtsPpm
summary_drawdown(const QtsKrw *value, int n)
{
	QtsKrw peak = value[0];
	QtsPpm worst = 0;

	for (int i = 1; i < n; i++)
	{
		QtsPpm down = qts_return_ppm(value[i], peak);

		if (value[i] > peak)
			peak = value[i];
		if (down < worst)
			worst = down;
	}
	return worst;
}

static QtsPpm
summary_excess(QtsPpm annual, QtsPpm risk_free, int64_t deviation)
{
	if (annual == QTS_SUMMARY_NONE || deviation <= 0)
		return QTS_SUMMARY_NONE;
	/* ppm by 1e-9 */
	return summary_ratio((QtsWide) (annual - risk_free) * (SUMMARY_UNIT / QTS_PPM), QTS_PPM, deviation);
}

static void
summary_benchmark(const ReturnSums *sums, const int64_t *benchmark, int64_t n, QtsPerformance *out)
{
	QtsWide spread = n * sums->other_square - sums->other * sums->other;
	QtsWide common = n * sums->product - sums->sum * sums->other;

	out->alpha = out->beta = QTS_SUMMARY_NONE;
	if (benchmark == NULL)
		return;
	out->alpha = out->total - qts_return_ppm(benchmark[n], benchmark[0]);
	/* keeps the product with a million inside of 128 bits */
	if (spread >= SUMMARY_UNIT)
		out->beta = summary_ratio(common / 1000, QTS_PPM, spread / 1000);
}

bool
qts_performance(const QtsKrw *value, const int64_t *benchmark, int n, QtsPpm risk_free, QtsPerformance *out)
{
	ReturnSums sums = {0};
	int64_t days = n - 1;
	int64_t deviation;
	int64_t downside;

	if (days < QTS_SUMMARY_DAYS)
		return false;
	for (int i = 0; i < days; i++)
		if (!summary_add(&sums, value + i, benchmark == NULL ? NULL : benchmark + i))
			return false;
	out->days = days;
	out->total = qts_return_ppm(value[days], value[0]);
	out->annual =
		summary_exp2((int64_t) ((QtsWide) summary_log2(value[days], value[0]) * QTS_YEAR_DAYS / days));
	if (out->annual != QTS_SUMMARY_NONE)
		out->annual -= QTS_PPM;
	deviation =
		summary_root((days * sums.square - sums.sum * sums.sum) * QTS_YEAR_DAYS / (days * (days - 1)));
	downside = summary_root(sums.loss_square * QTS_YEAR_DAYS / days);
	out->volatility = summary_ratio(deviation, 1, SUMMARY_UNIT / QTS_PPM);
	out->sharpe = summary_excess(out->annual, risk_free, deviation);
	out->sortino = summary_excess(out->annual, risk_free, downside);
	out->max_drawdown = summary_drawdown(value, n);
	summary_benchmark(&sums, benchmark, days, out);
	return true;
}
