/*-------------------------------------------------------------------------
 *
 * exit_fault.c
 *		What is wrong with an exit profile, in words, and what to do about it.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "core/exit.h"
#include "core/names.h"

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
		[QTS_PROFILE_SHADOW] = "can never act: another rule always comes before it",
		[QTS_PROFILE_WINDOW] = "the window after the open must be between 0 and 600 seconds",
		[QTS_PROFILE_EVEN] = "would sell as soon as it is armed",
		[QTS_PROFILE_DAYS] = "holding days must be between 0 and 10000",
		[QTS_PROFILE_CUSTOM_ID] = "must be unique: 1 to 32 letters, digits, \"_\", \".\" or \"-\"",
		[QTS_PROFILE_CUSTOM_SIGN] = "profit_above needs a positive threshold, profit_below a negative one",
		[QTS_PROFILE_CUSTOM_COUNT] = "too many custom rules: at most 8",
	};

	return qts_name_of(texts, sizeof(texts) / sizeof(texts[0]), (int) fault);
}

/* What to do about a rule that another one comes before. */
static const char *
profile_shadow_hint(const char *field)
{
	if (strcmp(field, "sl1.base_pct") == 0)
		return "SL1 must lie closer to zero than SL2, with every ATR factor; or set its qty_pct to 0";
	if (strcmp(field, "time_stop.no_momentum_days") == 0)
		return "Put no_momentum_days below max_hold_days, or one of them to 0";
	if (strncmp(field, "tp", 2) == 0)
		return "The steps before it sell all of the original quantity; set its qty_pct to 0";
	return "HARD_STOP or SL2 has sold all before, or it sells all itself before TP1; move it, or set enabled to false";
}

const char *
qts_profile_fault_hint(QtsProfileFault fault, const char *field)
{
	switch (fault)
	{
		case QTS_PROFILE_SIGN:
			return "Stops (sl1, sl2, hardstop, gap_down) are negative, profits and trails positive";
		case QTS_PROFILE_ORDER:
			return "min_pct is closest to zero, max_pct farthest, base_pct between them; 0 = no bound";
		case QTS_PROFILE_HARDSTOP:
			return "Put hardstop.pct at or below sl2.max_pct, or it fires before SL2 can";
		case QTS_PROFILE_FACTOR:
			return "factor_min lies above 0, factor_max between it and 10, as in 0.7 and 1.6";
		case QTS_PROFILE_TP_ORDER:
			return "Each profit level lies above the one before: tp1 < tp2 < tp3";
		case QTS_PROFILE_CONFIRM:
			return "Use ticks from 1 and min_sec from 0, as in 2 and 3";
		case QTS_PROFILE_SHADOW:
			return profile_shadow_hint(field);
		case QTS_PROFILE_WINDOW:
			return "Write seconds after the open, as in 30; enabled = false turns the rule off";
		case QTS_PROFILE_EVEN:
			return strcmp(field, "tp1.stop_floor_profit") == 0
					   ? "Put the floor below the lowest TP1, as in 0.006"
					   : "Put trigger above buffer, as in 0.03 and 0.01";
		case QTS_PROFILE_DAYS:
			return "Write whole days, as in 10; 0 turns the limit off";
		case QTS_PROFILE_CUSTOM_ID:
			return "Give each rule a name of its own, as in \"half_at_5\"";
		case QTS_PROFILE_CUSTOM_SIGN:
			return "Write 0.05 with profit_above, -0.02 with profit_below";
		default:
			return NULL;
	}
}
