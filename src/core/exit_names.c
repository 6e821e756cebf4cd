/*-------------------------------------------------------------------------
 *
 * exit_names.c
 *		Names of the exit enums as stored in tables and shown to people.
 *
 *-------------------------------------------------------------------------
 */
#include "core/exit.h"
#include "core/names.h"

#define COUNT_OF(array) ((int) (sizeof(array) / sizeof((array)[0])))

static const char *const exit_rule_names[] = {
	[QTS_RULE_NONE] = "NONE",
	[QTS_RULE_EMERGENCY] = "EMERGENCY",
	[QTS_RULE_HARD_STOP] = "HARD_STOP",
	[QTS_RULE_GAP_DOWN] = "GAP_DOWN",
	[QTS_RULE_SL2] = "SL2",
	[QTS_RULE_STOP_FLOOR] = "STOP_FLOOR",
	[QTS_RULE_BREAK_EVEN] = "BREAK_EVEN",
	[QTS_RULE_SL1] = "SL1",
	[QTS_RULE_CUSTOM] = "CUSTOM",
	[QTS_RULE_TP1] = "TP1",
	[QTS_RULE_TP2] = "TP2",
	[QTS_RULE_TP3] = "TP3",
	[QTS_RULE_TRAIL_PARTIAL] = "TRAIL_PARTIAL",
	[QTS_RULE_TRAIL] = "TRAIL",
	[QTS_RULE_TIME] = "TIME",
	[QTS_RULE_MANUAL] = "MANUAL",
};

static const char *const exit_phase_names[] = {
	[QTS_PHASE_OPEN] = "OPEN",
	[QTS_PHASE_TP1_DONE] = "TP1_DONE",
	[QTS_PHASE_TP2_DONE] = "TP2_DONE",
	[QTS_PHASE_TP3_DONE] = "TP3_DONE",
	[QTS_PHASE_TRAILING_ACTIVE] = "TRAILING_ACTIVE",
	[QTS_PHASE_EXITED] = "EXITED",
};

static const char *const exit_block_names[] = {
	[QTS_BLOCK_NONE] = "NONE",
	[QTS_BLOCK_STALE_PRICE] = "STALE_PRICE",
	[QTS_BLOCK_SESSION] = "SESSION",
	[QTS_BLOCK_POSITION_MODE] = "POSITION_MODE",
	[QTS_BLOCK_CONTROL_MODE] = "CONTROL_MODE",
	[QTS_BLOCK_HELD_BACK] = "HELD_BACK",
	[QTS_BLOCK_QUARANTINE] = "QUARANTINE",
	[QTS_BLOCK_PHASE] = "PHASE",
	[QTS_BLOCK_OFF] = "OFF",
	[QTS_BLOCK_NOTHING_AVAILABLE] = "NOTHING_AVAILABLE",
	[QTS_BLOCK_LIVE_INTENT] = "LIVE_INTENT",
	[QTS_BLOCK_CONFIRMING] = "CONFIRMING",
	[QTS_BLOCK_NOT_ARMED] = "NOT_ARMED",
	[QTS_BLOCK_WINDOW] = "WINDOW",
};

static const char *const control_mode_names[] = {
	[QTS_CONTROL_RUNNING] = "RUNNING",
	[QTS_CONTROL_PAUSE_PROFIT] = "PAUSE_PROFIT",
	[QTS_CONTROL_PAUSE_ALL] = "PAUSE_ALL",
	[QTS_CONTROL_EMERGENCY_FLATTEN] = "EMERGENCY_FLATTEN",
};

static const char *const position_mode_names[] = {
	[QTS_POSITION_ENABLED] = "ENABLED",
	[QTS_POSITION_DISABLED] = "DISABLED",
	[QTS_POSITION_MANUAL_ONLY] = "MANUAL_ONLY",
};

const char *
qts_exit_rule_name(QtsExitRule rule)
{
	return qts_name_of(exit_rule_names, COUNT_OF(exit_rule_names), (int) rule);
}

/* NONE is the absence of a rule, not a reason code. */
bool
qts_exit_rule_parse(const char *name, QtsExitRule *out)
{
	int found = qts_name_find(exit_rule_names, COUNT_OF(exit_rule_names), name);

	if (found <= QTS_RULE_NONE)
		return false;
	*out = (QtsExitRule) found;
	return true;
}

const char *
qts_exit_phase_name(QtsExitPhase phase)
{
	return qts_name_of(exit_phase_names, COUNT_OF(exit_phase_names), (int) phase);
}

bool
qts_exit_phase_parse(const char *name, QtsExitPhase *out)
{
	int found = qts_name_find(exit_phase_names, COUNT_OF(exit_phase_names), name);

	if (found < 0)
		return false;
	*out = (QtsExitPhase) found;
	return true;
}

const char *
qts_exit_block_name(QtsExitBlock block)
{
	return qts_name_of(exit_block_names, COUNT_OF(exit_block_names), (int) block);
}

const char *
qts_control_mode_name(QtsControlMode mode)
{
	return qts_name_of(control_mode_names, COUNT_OF(control_mode_names), (int) mode);
}

bool
qts_control_mode_parse(const char *name, QtsControlMode *out)
{
	int found = qts_name_find(control_mode_names, COUNT_OF(control_mode_names), name);

	if (found < 0)
		return false;
	*out = (QtsControlMode) found;
	return true;
}

const char *
qts_position_mode_name(QtsPositionMode mode)
{
	return qts_name_of(position_mode_names, COUNT_OF(position_mode_names), (int) mode);
}

bool
qts_position_mode_parse(const char *name, QtsPositionMode *out)
{
	int found = qts_name_find(position_mode_names, COUNT_OF(position_mode_names), name);

	if (found < 0)
		return false;
	*out = (QtsPositionMode) found;
	return true;
}
