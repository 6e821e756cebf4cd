/*-------------------------------------------------------------------------
 *
 * exit_check.c
 *		Is an exit profile one to trust: signs, ranges, units, order, and
 *		rules that could never act (runtime 4.9).
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "core/exit.h"
#include "core/exit_internal.h"
#include "core/money.h"

#define PROFILE_FLOOR_MAX (QTS_PPM / 20) /* 5 % */
#define PROFILE_FACTOR_MAX (10 * QTS_PPM)
#define PROFILE_ATR_K_MAX (100 * QTS_PPM)
#define PROFILE_TICKS_MAX 100
#define PROFILE_CONFIRM_MAX (10 * QTS_MINUTE)
#define PROFILE_WINDOW_MAX (10 * QTS_MINUTE)
#define PROFILE_DAYS_MAX 10000
/* Beyond these a per cent was meant: -0.6 for -0.6 %. */
#define PROFILE_STOP_MAX (QTS_PPM / 2)
#define PROFILE_GAP_MAX (3 * QTS_PPM / 10) /* the exchange lets no price fall farther in a day */
#define PROFILE_MOMENTUM_MAX (QTS_PPM / 5)

/* An ATR at which every factor is at its largest. */
#define PROFILE_ATR_WIDEST (1000 * QTS_PPM)

/* JSON names of the four numbers of a threshold, in the order of the struct. */
typedef struct ThresholdNames
{
	const char *base;
	const char *min;
	const char *max;
	const char *qty;
} ThresholdNames;

static bool
profile_within(QtsPpm value, QtsPpm limit)
{
	return value >= -limit && value <= limit;
}

static bool
profile_is_ratio(QtsPpm value)
{
	return profile_within(value, QTS_PPM);
}

static bool
profile_is_share(QtsPpm value)
{
	return value >= 0 && value <= QTS_PPM;
}

static QtsProfileFault
profile_check_number(QtsPpm value, bool loss)
{
	if (!profile_within(value, loss ? PROFILE_STOP_MAX : QTS_PPM))
		return value > 0 && loss && profile_is_ratio(value) ? QTS_PROFILE_SIGN : QTS_PROFILE_UNIT;
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
	if (!profile_within(profile->trail_pct, PROFILE_STOP_MAX))
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

/* SL2 at its farthest; 0 = off. */
static QtsPpm
profile_widest_sl2(const QtsExitProfile *profile)
{
	if (!qts_exit_threshold_on(&profile->sl2))
		return 0;
	if (profile->sl2.max != 0)
		return profile->sl2.max;
	return qts_exit_threshold(profile, &profile->sl2,
							  profile->atr_ref > 0 && profile->factor_max > QTS_PPM ? PROFILE_ATR_WIDEST : 0);
}

static QtsProfileFault
profile_check_hardstop(const QtsExitProfile *profile, const char **field)
{
	*field = "hardstop.pct";
	if (!profile_is_ratio(profile->hardstop))
		return QTS_PROFILE_UNIT;
	if (profile->hardstop > 0)
		return QTS_PROFILE_SIGN;
	if (!profile->hardstop_enabled)
		return QTS_PROFILE_OK;
	return profile->hardstop == 0 || profile->hardstop > profile_widest_sl2(profile) ? QTS_PROFILE_HARDSTOP
																					 : QTS_PROFILE_OK;
}

static QtsProfileFault
profile_check_gap(const QtsExitProfile *profile, const char **field)
{
	*field = "gap_down.pct";
	if (!profile_within(profile->gap_pct, PROFILE_GAP_MAX))
		return profile_is_ratio(profile->gap_pct) && profile->gap_pct > 0 ? QTS_PROFILE_SIGN
																		  : QTS_PROFILE_UNIT;
	if (profile->gap_pct > 0 || (profile->gap_enabled && profile->gap_pct == 0))
		return QTS_PROFILE_SIGN;
	*field = "gap_down.window_sec";
	return profile->gap_window < 0 || profile->gap_window > PROFILE_WINDOW_MAX ||
				   (profile->gap_enabled && profile->gap_window == 0)
			   ? QTS_PROFILE_WINDOW
			   : QTS_PROFILE_OK;
}

static QtsProfileFault
profile_check_even(const QtsExitProfile *profile, const char **field)
{
	*field = "break_even.trigger";
	if (!profile_within(profile->even_trigger, PROFILE_STOP_MAX))
		return QTS_PROFILE_UNIT;
	if (profile->even_trigger < 0)
		return QTS_PROFILE_SIGN;
	*field = "break_even.buffer";
	if (!profile_within(profile->even_buffer, PROFILE_STOP_MAX))
		return QTS_PROFILE_UNIT;
	if (profile->even_buffer < 0)
		return QTS_PROFILE_SIGN;
	return profile->even_enabled && profile->even_buffer >= profile->even_trigger ? QTS_PROFILE_EVEN
																				  : QTS_PROFILE_OK;
}

static QtsProfileFault
profile_check_time(const QtsExitProfile *profile, const char **field)
{
	*field = "time_stop.max_hold_days";
	if (profile->max_hold_days < 0 || profile->max_hold_days > PROFILE_DAYS_MAX)
		return QTS_PROFILE_DAYS;
	*field = "time_stop.no_momentum_days";
	if (profile->no_momentum_days < 0 || profile->no_momentum_days > PROFILE_DAYS_MAX)
		return QTS_PROFILE_DAYS;
	if (profile->max_hold_days > 0 && profile->no_momentum_days >= profile->max_hold_days)
		return QTS_PROFILE_SHADOW;
	*field = "time_stop.no_momentum_profit";
	if (!profile_within(profile->no_momentum_profit, PROFILE_MOMENTUM_MAX))
		return QTS_PROFILE_UNIT;
	return profile->no_momentum_profit < 0 ? QTS_PROFILE_SIGN : QTS_PROFILE_OK;
}

/* Field names of custom rules, which are counted. */
typedef struct CustomNames
{
	const char *id;
	const char *threshold;
	const char *qty;
} CustomNames;

#define CUSTOM_NAMES(i)                                                                                      \
	{                                                                                                        \
		"custom_rules[" #i "].id", "custom_rules[" #i "].threshold", "custom_rules[" #i "].qty_pct"          \
	}

static const CustomNames custom_names[QTS_CUSTOM_MAX] = {
	CUSTOM_NAMES(0), CUSTOM_NAMES(1), CUSTOM_NAMES(2), CUSTOM_NAMES(3),
	CUSTOM_NAMES(4), CUSTOM_NAMES(5), CUSTOM_NAMES(6), CUSTOM_NAMES(7),
};

static bool
custom_id_valid(const QtsExitProfile *profile, int index)
{
	const char *id = profile->custom[index].id;
	size_t length = 0;

	while (length <= QTS_CUSTOM_ID_LEN && id[length] != '\0')
		length++;
	if (length == 0 || length > QTS_CUSTOM_ID_LEN)
		return false;
	for (size_t i = 0; i < length; i++)
	{
		char c = id[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
			  c == '.' || c == '-'))
			return false;
	}
	return qts_exit_custom_find(profile, id) == index;
}

/* A stop that lies where another one has sold everything before. */
static bool
custom_stop_shadowed(const QtsExitProfile *profile, const QtsCustomRule *rule)
{
	QtsPpm sl2 = profile_widest_sl2(profile);

	return (profile->hardstop_enabled && rule->threshold <= profile->hardstop) ||
		   (sl2 < 0 && rule->threshold <= sl2);
}

static QtsProfileFault
profile_check_custom(const QtsExitProfile *profile, int index, const char **field)
{
	const QtsCustomRule *rule = &profile->custom[index];

	*field = custom_names[index].id;
	if (!custom_id_valid(profile, index))
		return QTS_PROFILE_CUSTOM_ID;
	*field = custom_names[index].threshold;
	if (!profile_within(rule->threshold, rule->below ? PROFILE_STOP_MAX : QTS_PPM))
		return QTS_PROFILE_UNIT;
	if (rule->below ? rule->threshold > 0 : rule->threshold < 0)
		return QTS_PROFILE_CUSTOM_SIGN;
	*field = custom_names[index].qty;
	if (!profile_is_share(rule->qty))
		return QTS_PROFILE_QTY_RANGE;
	*field = custom_names[index].threshold;
	return qts_exit_custom_on(rule) && rule->below && custom_stop_shadowed(profile, rule) ? QTS_PROFILE_SHADOW
																						  : QTS_PROFILE_OK;
}

static QtsProfileFault
profile_check_customs(const QtsExitProfile *profile, const char **field)
{
	*field = "custom_rules";
	if (profile->custom_count < 0 || profile->custom_count > QTS_CUSTOM_MAX)
		return QTS_PROFILE_CUSTOM_COUNT;
	for (int i = 0; i < profile->custom_count; i++)
	{
		QtsProfileFault fault = profile_check_custom(profile, i, field);

		if (fault != QTS_PROFILE_OK)
			return fault;
	}
	return QTS_PROFILE_OK;
}

/*
 * Does the first of two thresholds come before the second at every volatility?
 * Both are linear between the bounds, so their corners say it for all.
 */
static bool
threshold_before(const QtsExitProfile *profile, const QtsExitThreshold *near, const QtsExitThreshold *far)
{
	const QtsPpm corners[] = {near->min, near->max, far->min, far->max};
	const QtsPpm bases[] = {near->base, near->base, far->base, far->base};
	QtsPpm sign = near->base < 0 ? -1 : 1;

	if (near->base * sign >= far->base * sign)
		return false;
	if (profile->atr_ref <= 0)
		return true;
	for (int i = -2; i < 4; i++)
	{
		QtsPpm atr = i == -2 ? 1 : PROFILE_ATR_WIDEST;

		if (i >= 0 && !qts_muldiv_floor(profile->atr_ref, corners[i] * sign, bases[i] * sign, &atr))
			continue;
		if (qts_exit_threshold(profile, near, atr) * sign > qts_exit_threshold(profile, far, atr) * sign)
			return false;
	}
	return true;
}

/* Take profits sell shares of the original quantity: is anything left for the last ones? */
static QtsProfileFault
profile_check_profits(const QtsExitProfile *profile, const char **field)
{
	static const char *const fields[] = {"tp1.qty_pct", "tp2.qty_pct", "tp3.qty_pct"};
	const QtsExitThreshold *const steps[] = {&profile->tp1, &profile->tp2, &profile->tp3};
	QtsPpm sold = 0;

	for (int i = 0; i < 3; i++)
	{
		*field = fields[i];
		if (!qts_exit_threshold_on(steps[i]))
			continue;
		if (sold >= QTS_PPM)
			return QTS_PROFILE_SHADOW;
		sold += steps[i]->qty;
	}
	return QTS_PROFILE_OK;
}

/* A custom rule that sells everything where no take profit has been yet. */
static QtsProfileFault
profile_check_custom_profits(const QtsExitProfile *profile, const char **field)
{
	QtsPpm lowest;

	if (!qts_exit_threshold_on(&profile->tp1))
		return QTS_PROFILE_OK;
	lowest = profile->tp1.min != 0 ? profile->tp1.min : qts_exit_threshold(profile, &profile->tp1, 1);
	for (int i = 0; i < profile->custom_count; i++)
	{
		const QtsCustomRule *rule = &profile->custom[i];

		*field = custom_names[i].threshold;
		if (qts_exit_custom_on(rule) && !rule->below && rule->qty == QTS_PPM && rule->threshold <= lowest)
			return QTS_PROFILE_SHADOW;
	}
	return QTS_PROFILE_OK;
}

static QtsProfileFault
profile_check_shadows(const QtsExitProfile *profile, const char **field)
{
	QtsProfileFault fault;

	*field = "sl1.base_pct";
	if (qts_exit_threshold_on(&profile->sl1) && qts_exit_threshold_on(&profile->sl2) &&
		!threshold_before(profile, &profile->sl1, &profile->sl2))
		return QTS_PROFILE_SHADOW;
	*field = "tp1.stop_floor_profit";
	/* sold at once when it is armed */
	if (qts_exit_threshold_on(&profile->tp1) &&
		profile->stop_floor_profit >=
			(profile->tp1.min != 0 ? profile->tp1.min : qts_exit_threshold(profile, &profile->tp1, 1)))
		return QTS_PROFILE_EVEN;
	fault = profile_check_profits(profile, field);
	return fault != QTS_PROFILE_OK ? fault : profile_check_custom_profits(profile, field);
}

QtsProfileFault
qts_exit_profile_check(const QtsExitProfile *profile, const char **field)
{
	static QtsProfileFault (*const checks[])(const QtsExitProfile *, const char **) = {
		profile_check_scaling,	profile_check_thresholds, profile_check_trailing,
		profile_check_hardstop, profile_check_gap,		  profile_check_even,
		profile_check_time,		profile_check_customs,	  profile_check_shadows,
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
