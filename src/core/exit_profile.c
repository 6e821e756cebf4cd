/*-------------------------------------------------------------------------
 *
 * exit_profile.c
 *		Exit profiles: the default, ATR scaling, custom rules (runtime 4.4, 4.9).
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "core/exit.h"
#include "core/exit_internal.h"
#include "core/money.h"

QtsExitProfile
qts_exit_profile_default(void)
{
	QtsExitProfile profile = {
		.atr_ref = 20000,
		.factor_min = 700000,
		.factor_max = 1600000,
		.sl1 = {-30000, -20000, -60000, 500000},
		.sl2 = {-50000, -35000, -100000, QTS_PPM},
		.tp1 = {70000, 50000, 120000, 250000},
		.tp2 = {100000, 80000, 180000, 250000},
		.tp3 = {160000, 120000, 250000, 200000},
		.stop_floor_profit = 6000,
		.start_trailing = true,
		.trail_pct = 40000,
		.trail_atr_k = 2 * QTS_PPM,
		.trail_partial_qty = 500000,
		.hardstop_enabled = true,
		.hardstop = -100000,
		.gap_enabled = true,
		.gap_pct = -50000,
		.gap_window = 30 * QTS_SEC,
		.even_trigger = 30000,
		.even_buffer = 10000,
		.max_hold_days = 10,
		.no_momentum_days = 3,
		.no_momentum_profit = 20000,
		.trading_days = true,
		.confirm_ticks = 2,
		.confirm_time = 3 * QTS_SEC,
	};

	return profile;
}

static QtsPpm
profile_scaled(QtsPpm value, QtsPpm factor)
{
	bool negative = value < 0;
	int64_t out;

	/* toward zero on both sides, so that a stop is never widened by rounding */
	if (value == INT64_MIN || !qts_muldiv_floor(negative ? -value : value, factor, QTS_PPM, &out))
		return value;
	return negative ? -out : out;
}

static QtsPpm
profile_factor(const QtsExitProfile *profile, QtsPpm atr_pct)
{
	int64_t factor;

	if (atr_pct <= 0 || profile->atr_ref <= 0 ||
		!qts_muldiv_floor(atr_pct, QTS_PPM, profile->atr_ref, &factor))
		return QTS_PPM;
	if (profile->factor_min > 0 && factor < profile->factor_min)
		return profile->factor_min;
	if (profile->factor_max > 0 && factor > profile->factor_max)
		return profile->factor_max;
	return factor;
}

QtsPpm
qts_exit_threshold(const QtsExitProfile *profile, const QtsExitThreshold *threshold, QtsPpm atr_pct)
{
	QtsPpm value = profile_scaled(threshold->base, profile_factor(profile, atr_pct));
	bool loss = threshold->base < 0;

	if (threshold->base == 0)
		return 0;
	if (threshold->min != 0 && (loss ? value > threshold->min : value < threshold->min))
		return threshold->min;
	if (threshold->max != 0 && (loss ? value < threshold->max : value > threshold->max))
		return threshold->max;
	return value;
}

QtsPpm
qts_exit_trail(const QtsExitProfile *profile, QtsPpm atr_pct)
{
	int64_t by_atr;

	if (atr_pct <= 0 || !qts_muldiv_floor(profile->trail_atr_k, atr_pct, QTS_PPM, &by_atr) ||
		by_atr < profile->trail_pct)
		return profile->trail_pct;
	return by_atr;
}

bool
qts_exit_threshold_on(const QtsExitThreshold *threshold)
{
	return threshold->base != 0 && threshold->qty > 0;
}

void
qts_exit_profile_sort(QtsExitProfile *profile)
{
	for (int i = 1; i < profile->custom_count && i < QTS_CUSTOM_MAX; i++)
	{
		QtsCustomRule rule = profile->custom[i];
		int k = i;

		for (; k > 0 && profile->custom[k - 1].priority > rule.priority; k--)
			profile->custom[k] = profile->custom[k - 1];
		profile->custom[k] = rule;
	}
}

int
qts_exit_custom_find(const QtsExitProfile *profile, const char *id)
{
	for (int i = 0; id != NULL && i < profile->custom_count && i < QTS_CUSTOM_MAX; i++)
	{
		if (strcmp(profile->custom[i].id, id) == 0)
			return i;
	}
	return QTS_CUSTOM_NONE;
}
