/*-------------------------------------------------------------------------
 *
 * exit_profile.c
 *		Exit profiles: the default, validation, ATR scaling (runtime 4.4, 4.9).
 *
 *-------------------------------------------------------------------------
 */
#include "core/exit.h"
#include "core/exit_internal.h"
#include "core/money.h"
#include "core/names.h"

#define PROFILE_FLOOR_MAX (QTS_PPM / 20) /* 5 % */
#define PROFILE_FACTOR_MAX (10 * QTS_PPM)
#define PROFILE_ATR_K_MAX (100 * QTS_PPM)
#define PROFILE_TICKS_MAX 100
#define PROFILE_CONFIRM_MAX (10 * QTS_MINUTE)

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

/* JSON names of the four numbers of a threshold, in the order of the struct. */
typedef struct ThresholdNames
{
	const char *base;
	const char *min;
	const char *max;
	const char *qty;
} ThresholdNames;

static bool
profile_is_ratio(QtsPpm value)
{
	return value >= -QTS_PPM && value <= QTS_PPM;
}

static bool
profile_is_share(QtsPpm value)
{
	return value >= 0 && value <= QTS_PPM;
}

static QtsProfileFault
profile_check_number(QtsPpm value, bool loss)
{
	if (!profile_is_ratio(value))
		return QTS_PROFILE_UNIT;
	if (loss ? value > 0 : value < 0)
		return QTS_PROFILE_SIGN;
	return QTS_PROFILE_OK;
}

static QtsProfileFault
profile_check_threshold(const QtsExitThreshold *threshold, bool loss, const ThresholdNames *names,
						const char **field)
{
	const QtsPpm values[] = {threshold->base, threshold->min, threshold->max};
	const char *const fields[] = {names->base, names->min, names->max};
	QtsPpm sign = loss ? -1 : 1;

	for (int i = 0; i < 3; i++)
	{
		QtsProfileFault fault = profile_check_number(values[i], loss);

		*field = fields[i];
		if (fault != QTS_PROFILE_OK)
			return fault;
	}
	*field = names->qty;
	if (!profile_is_share(threshold->qty))
		return QTS_PROFILE_QTY_RANGE;
	if (threshold->base == 0)
		return QTS_PROFILE_OK;
	*field = names->min;
	if (threshold->min != 0 && threshold->min * sign > threshold->base * sign)
		return QTS_PROFILE_ORDER;
	*field = names->max;
	if (threshold->max != 0 && threshold->max * sign < threshold->base * sign)
		return QTS_PROFILE_ORDER;
	return QTS_PROFILE_OK;
}

static QtsProfileFault
profile_check_thresholds(const QtsExitProfile *profile, const char **field)
{
	static const ThresholdNames names[] = {
		{"sl1.base_pct", "sl1.min_pct", "sl1.max_pct", "sl1.qty_pct"},
		{"sl2.base_pct", "sl2.min_pct", "sl2.max_pct", "sl2.qty_pct"},
		{"tp1.base_pct", "tp1.min_pct", "tp1.max_pct", "tp1.qty_pct"},
		{"tp2.base_pct", "tp2.min_pct", "tp2.max_pct", "tp2.qty_pct"},
		{"tp3.base_pct", "tp3.min_pct", "tp3.max_pct", "tp3.qty_pct"},
	};
	const QtsExitThreshold *const thresholds[] = {
		&profile->sl1, &profile->sl2, &profile->tp1, &profile->tp2, &profile->tp3,
	};
	QtsPpm highest = 0;

	for (int i = 0; i < 5; i++)
	{
		QtsProfileFault fault = profile_check_threshold(thresholds[i], i < 2, &names[i], field);

		if (fault != QTS_PROFILE_OK)
			return fault;
	}
	for (int i = 2; i < 5; i++)
	{
		*field = names[i].base;
		if (!qts_exit_threshold_on(thresholds[i]))
			continue;
		if (thresholds[i]->base <= highest)
			return QTS_PROFILE_TP_ORDER;
		highest = thresholds[i]->base;
	}
	return QTS_PROFILE_OK;
}

static QtsProfileFault
profile_check_scaling(const QtsExitProfile *profile, const char **field)
{
	*field = "atr.ref";
	if (!profile_is_ratio(profile->atr_ref))
		return QTS_PROFILE_UNIT;
	if (profile->atr_ref < 0)
		return QTS_PROFILE_SIGN;
	*field = "atr.factor_min";
	if (profile->factor_min < 0 || (profile->atr_ref > 0 && profile->factor_min == 0))
		return QTS_PROFILE_FACTOR;
	*field = "atr.factor_max";
	if (profile->factor_max < profile->factor_min || profile->factor_max > PROFILE_FACTOR_MAX)
		return QTS_PROFILE_FACTOR;
	return QTS_PROFILE_OK;
}

static QtsProfileFault
profile_check_trailing(const QtsExitProfile *profile, const char **field)
{
	*field = "tp1.stop_floor_profit";
	if (profile->stop_floor_profit < 0 || profile->stop_floor_profit > PROFILE_FLOOR_MAX)
		return QTS_PROFILE_FLOOR_RANGE;
	*field = "trailing.pct_trail";
	if (!profile_is_ratio(profile->trail_pct))
		return QTS_PROFILE_UNIT;
	if (profile->trail_pct < 0)
		return QTS_PROFILE_SIGN;
	*field = "trailing.atr_k";
	if (profile->trail_atr_k < 0)
		return QTS_PROFILE_SIGN;
	if (profile->trail_atr_k > PROFILE_ATR_K_MAX)
		return QTS_PROFILE_UNIT;
	*field = "trailing.partial_qty_pct";
	return profile_is_share(profile->trail_partial_qty) ? QTS_PROFILE_OK : QTS_PROFILE_QTY_RANGE;
}

static QtsProfileFault
profile_check_hardstop(const QtsExitProfile *profile, const char **field)
{
	QtsPpm widest = 0;

	*field = "hardstop.pct";
	if (!profile_is_ratio(profile->hardstop))
		return QTS_PROFILE_UNIT;
	if (profile->hardstop > 0)
		return QTS_PROFILE_SIGN;
	if (!profile->hardstop_enabled)
		return QTS_PROFILE_OK;
	if (qts_exit_threshold_on(&profile->sl2))
	{
		widest = profile->sl2.max;
		if (widest == 0 && profile->atr_ref > 0 && profile->factor_max > QTS_PPM)
			widest = profile_scaled(profile->sl2.base, profile->factor_max);
		else if (widest == 0)
			widest = profile->sl2.base;
	}
	return profile->hardstop == 0 || profile->hardstop > widest ? QTS_PROFILE_HARDSTOP : QTS_PROFILE_OK;
}

QtsProfileFault
qts_exit_profile_check(const QtsExitProfile *profile, const char **field)
{
	static QtsProfileFault (*const checks[])(const QtsExitProfile *, const char **) = {
		profile_check_scaling,
		profile_check_thresholds,
		profile_check_trailing,
		profile_check_hardstop,
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
	{
		QtsProfileFault fault = checks[i](profile, field);

		if (fault != QTS_PROFILE_OK)
			return fault;
	}
	*field = "confirm.ticks";
	if (profile->confirm_ticks < 1 || profile->confirm_ticks > PROFILE_TICKS_MAX)
		return QTS_PROFILE_CONFIRM;
	*field = "confirm.min_sec";
	if (profile->confirm_time < 0 || profile->confirm_time > PROFILE_CONFIRM_MAX)
		return QTS_PROFILE_CONFIRM;
	*field = "";
	return QTS_PROFILE_OK;
}

const char *
qts_profile_fault_text(QtsProfileFault fault)
{
	static const char *const texts[] = {
		[QTS_PROFILE_OK] = "valid",
		[QTS_PROFILE_SIGN] = "stops must be negative, profits and distances positive",
		[QTS_PROFILE_ORDER] = "must satisfy |min| <= |base| <= |max|",
		[QTS_PROFILE_QTY_RANGE] = "quantity share must be between 0 and 1",
		[QTS_PROFILE_FLOOR_RANGE] = "stop floor profit must be between 0 and 0.05",
		[QTS_PROFILE_HARDSTOP] = "hard stop must be negative and not tighter than the widest SL2",
		[QTS_PROFILE_FACTOR] = "ATR factors must satisfy 0 < factor_min <= factor_max <= 10",
		[QTS_PROFILE_UNIT] = "must be a fraction such as 0.03, not a percentage",
		[QTS_PROFILE_TP_ORDER] = "take profits must rise from TP1 to TP3",
		[QTS_PROFILE_CONFIRM] = "confirmation needs 1 to 100 ticks and 0 to 600 seconds",
	};

	return qts_name_of(texts, sizeof(texts) / sizeof(texts[0]), (int) fault);
}
