/*-------------------------------------------------------------------------
 *
 * test_exit_profile.c
 *		Exit profiles: ATR vectors, validation, severities, gates, names
 *		(runtime 4.4, 4.6, 4.9, 4.10).
 *
 *-------------------------------------------------------------------------
 */
#include "core/exit.h"
#include "tap.h"

static void
test_vectors(void)
{
	static const struct
	{
		QtsPpm atr;
		QtsPpm expected[5]; /* SL1, SL2, TP1, TP2, TP3 */
		const char *name;
	} rows[] = {
		{10000, {-21000, -35000, 50000, 80000, 120000}, "ATR 1 %"},
		{20000, {-30000, -50000, 70000, 100000, 160000}, "ATR 2 %"},
		{40000, {-48000, -80000, 112000, 160000, 250000}, "ATR 4 %"},
		{0, {-30000, -50000, 70000, 100000, 160000}, "ATR unknown"},
		{1, {-21000, -35000, 50000, 80000, 120000}, "ATR next to nothing"},
		{INT64_MAX / 2, {-30000, -50000, 70000, 100000, 160000}, "ATR absurd: not scaled"},
	};
	QtsExitProfile profile = qts_exit_profile_default();
	const QtsExitThreshold *const thresholds[] = {
		&profile.sl1, &profile.sl2, &profile.tp1, &profile.tp2, &profile.tp3,
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
	{
		bool good = true;

		for (int j = 0; j < 5; j++)
		{
			QtsPpm got = qts_exit_threshold(&profile, thresholds[j], rows[i].atr);

			good = tap_note(got == rows[i].expected[j], "%d: %d", j, (int) got) && good;
		}
		ok(good, rows[i].name);
	}
}

static void
test_bounds(void)
{
	QtsExitProfile profile = qts_exit_profile_default();
	QtsExitThreshold open = {.base = -30000, .qty = QTS_PPM};
	QtsExitThreshold off = {.base = 0, .min = -20000, .max = -60000, .qty = QTS_PPM};

	is(qts_exit_threshold(&profile, &open, 40000), -48000, "no bounds, wide");
	is(qts_exit_threshold(&profile, &open, 10000), -21000, "no bounds, close");
	is(qts_exit_threshold(&profile, &off, 40000), 0, "no base: off, whatever the bounds");
	profile.sl1.min = -25000;
	is(qts_exit_threshold(&profile, &profile.sl1, 10000), -25000, "a stop is not closer than min");
	profile.sl1.max = -40000;
	is(qts_exit_threshold(&profile, &profile.sl1, 40000), -40000, "nor wider than max");
	profile.atr_ref = 0;
	is(qts_exit_threshold(&profile, &profile.sl1, 40000), -30000, "no reference, no scaling");

	profile = qts_exit_profile_default();
	is(qts_exit_trail(&profile, 0), 40000, "trail without ATR: 4 %");
	is(qts_exit_trail(&profile, 10000), 40000, "2 * 1 % is less than 4 %");
	is(qts_exit_trail(&profile, 30000), 60000, "2 * 3 % is more");
	profile.trail_atr_k = 0;
	is(qts_exit_trail(&profile, 30000), 40000, "no multiple");
}

static bool
fault_is(const QtsExitProfile *profile, QtsProfileFault fault, const char *field)
{
	const char *where = "?";
	QtsProfileFault got = qts_exit_profile_check(profile, &where);

	return tap_note(got == fault && strcmp(where, field) == 0, "%s: %s", where, qts_profile_fault_text(got));
}

#define FAULT(member, value, fault, field)                                                                   \
	do                                                                                                       \
	{                                                                                                        \
		QtsExitProfile p = qts_exit_profile_default();                                                       \
		p.member = (value);                                                                                  \
		ok(fault_is(&p, QTS_PROFILE_##fault, field), field ": " #value);                                     \
	} while (0)

static void
test_check(void)
{
	FAULT(confirm_ticks, 2, OK, "");
	FAULT(sl1.base, 30000, SIGN, "sl1.base_pct");
	FAULT(sl2.max, 100000, SIGN, "sl2.max_pct");
	FAULT(tp2.base, -100000, SIGN, "tp2.base_pct");
	FAULT(tp1.min, -1, SIGN, "tp1.min_pct");
	FAULT(sl1.base, -3000000, UNIT, "sl1.base_pct");
	FAULT(tp3.max, 25000000, UNIT, "tp3.max_pct");
	FAULT(sl1.min, -31000, ORDER, "sl1.min_pct");
	FAULT(sl1.max, -29000, ORDER, "sl1.max_pct");
	FAULT(tp1.min, 71000, ORDER, "tp1.min_pct");
	FAULT(tp1.max, 69000, ORDER, "tp1.max_pct");
	FAULT(tp1.max, 0, OK, "");
	FAULT(tp1.qty, -1, QTY_RANGE, "tp1.qty_pct");
	FAULT(sl2.qty, 100 * QTS_PPM, QTY_RANGE, "sl2.qty_pct");
	FAULT(trail_partial_qty, QTS_PPM + 1, QTY_RANGE, "trailing.partial_qty_pct");
	FAULT(stop_floor_profit, 600000, FLOOR_RANGE, "tp1.stop_floor_profit");
	FAULT(stop_floor_profit, -1, FLOOR_RANGE, "tp1.stop_floor_profit");
	FAULT(stop_floor_profit, 49999, OK, "");
	FAULT(stop_floor_profit, 50000, EVEN, "tp1.stop_floor_profit");
	FAULT(hardstop, -70000, HARDSTOP, "hardstop.pct");
	FAULT(hardstop, 0, HARDSTOP, "hardstop.pct");
	FAULT(hardstop, 100000, SIGN, "hardstop.pct");
	FAULT(hardstop, -10 * QTS_PPM, UNIT, "hardstop.pct");
	FAULT(sl2.max, 0, OK, "");
	FAULT(factor_min, 0, FACTOR, "atr.factor_min");
	FAULT(factor_max, 600000, FACTOR, "atr.factor_max");
	FAULT(factor_max, 160 * QTS_PPM, FACTOR, "atr.factor_max");
	FAULT(atr_ref, -1, SIGN, "atr.ref");
	FAULT(atr_ref, 2 * QTS_PPM, UNIT, "atr.ref");
	FAULT(trail_pct, -40000, SIGN, "trailing.pct_trail");
	FAULT(trail_pct, 4 * QTS_PPM, UNIT, "trailing.pct_trail");
	FAULT(trail_atr_k, -1, SIGN, "trailing.atr_k");
	FAULT(trail_atr_k, 200 * QTS_PPM, UNIT, "trailing.atr_k");
	FAULT(tp1.base, 110000, TP_ORDER, "tp2.base_pct");
	FAULT(confirm_ticks, 0, CONFIRM, "confirm.ticks");
	FAULT(confirm_time, 0, OK, "");
	FAULT(confirm_time, 10 * QTS_MINUTE, OK, "");
	FAULT(confirm_ticks, 1, OK, "");
	FAULT(confirm_ticks, 100, OK, "");
	FAULT(confirm_ticks, 101, CONFIRM, "confirm.ticks");
	FAULT(trail_atr_k, 100 * QTS_PPM, OK, "");
	FAULT(trail_pct, 0, OK, "");
	FAULT(stop_floor_profit, 0, OK, "");
	FAULT(hardstop, -QTS_PPM, OK, "");
	FAULT(tp3.qty, QTS_PPM, OK, "");
	FAULT(factor_max, 10 * QTS_PPM, OK, "");
	FAULT(factor_max, 700000, OK, "");
	FAULT(sl1.min, -30000, OK, "");
	FAULT(sl1.max, -30000, OK, "");
	FAULT(tp2.base, 70000, ORDER, "tp2.min_pct");
	FAULT(confirm_time, -1, CONFIRM, "confirm.min_sec");
	FAULT(confirm_time, QTS_HOUR, CONFIRM, "confirm.min_sec");
	FAULT(sl1.base, INT64_MIN, UNIT, "sl1.base_pct");
}

static void
test_check_new(void)
{
	FAULT(gap_pct, 50000, SIGN, "gap_down.pct");
	FAULT(gap_pct, 0, SIGN, "gap_down.pct");
	FAULT(gap_pct, -300000, OK, "");
	FAULT(gap_pct, -300001, UNIT, "gap_down.pct");
	FAULT(gap_pct, 5 * QTS_PPM, UNIT, "gap_down.pct");
	FAULT(gap_window, 0, WINDOW, "gap_down.window_sec");
	FAULT(gap_window, 10 * QTS_MINUTE, OK, "");
	FAULT(gap_window, 10 * QTS_MINUTE + 1, WINDOW, "gap_down.window_sec");
	FAULT(even_trigger, -1, SIGN, "break_even.trigger");
	FAULT(even_trigger, 600000, UNIT, "break_even.trigger");
	FAULT(even_buffer, -1, SIGN, "break_even.buffer");
	FAULT(even_buffer, 600000, UNIT, "break_even.buffer");
	FAULT(even_buffer, 30000, OK, ""); /* it is off */
	FAULT(max_hold_days, -1, DAYS, "time_stop.max_hold_days");
	FAULT(max_hold_days, 10001, DAYS, "time_stop.max_hold_days");
	FAULT(max_hold_days, 0, OK, "");
	FAULT(max_hold_days, 3, SHADOW, "time_stop.no_momentum_days");
	FAULT(no_momentum_days, 9, OK, "");
	FAULT(no_momentum_days, -1, DAYS, "time_stop.no_momentum_days");
	FAULT(no_momentum_days, 10, SHADOW, "time_stop.no_momentum_days");
	FAULT(no_momentum_profit, 600000, UNIT, "time_stop.no_momentum_profit");
	FAULT(no_momentum_profit, -1, SIGN, "time_stop.no_momentum_profit");
	FAULT(sl1.base, -600000, UNIT, "sl1.base_pct");
	FAULT(trail_pct, 600000, UNIT, "trailing.pct_trail");
	FAULT(sl2.base, -50000, OK, "");
	FAULT(sl1.base, -50000, SHADOW, "sl1.base_pct");
	FAULT(sl2.max, -55000, OK, "");
	FAULT(tp1.qty, QTS_PPM, SHADOW, "tp2.qty_pct");
	FAULT(tp2.qty, 750000, SHADOW, "tp3.qty_pct");
	FAULT(tp2.qty, 749999, OK, "");
	FAULT(custom_count, 9, CUSTOM_COUNT, "custom_rules");
	FAULT(custom_count, -1, CUSTOM_COUNT, "custom_rules");
	FAULT(custom_count, 1, CUSTOM_ID, "custom_rules[0].id");
}

static const QtsCustomRule above = {"above", true, false, 0, 50000, 500000};
static const QtsCustomRule below = {"below", true, true, 0, -20000, 500000};

#define CUSTOM_FAULT(rule, member, value, fault, field)                                                      \
	do                                                                                                       \
	{                                                                                                        \
		QtsExitProfile p = qts_exit_profile_default();                                                       \
		p.custom_count = 2;                                                                                  \
		p.custom[0] = above;                                                                                 \
		p.custom[1] = below;                                                                                 \
		p.custom[rule].member = (value);                                                                     \
		ok(fault_is(&p, QTS_PROFILE_##fault, field), #rule " " field ": " #value);                           \
	} while (0)

static void
test_check_custom(void)
{
	QtsExitProfile profile = qts_exit_profile_default();

	CUSTOM_FAULT(0, priority, 5, OK, "");
	CUSTOM_FAULT(0, threshold, -50000, CUSTOM_SIGN, "custom_rules[0].threshold");
	CUSTOM_FAULT(1, threshold, 20000, CUSTOM_SIGN, "custom_rules[1].threshold");
	CUSTOM_FAULT(0, threshold, 5 * QTS_PPM, UNIT, "custom_rules[0].threshold");
	CUSTOM_FAULT(1, threshold, -600000, UNIT, "custom_rules[1].threshold");
	CUSTOM_FAULT(1, qty, 50 * QTS_PPM, QTY_RANGE, "custom_rules[1].qty_pct");
	CUSTOM_FAULT(1, threshold, -100000, SHADOW, "custom_rules[1].threshold");
	CUSTOM_FAULT(1, threshold, -99999, OK, "");
	CUSTOM_FAULT(0, qty, QTS_PPM, SHADOW, "custom_rules[0].threshold");
	CUSTOM_FAULT(1, qty, QTS_PPM, OK, "");
	CUSTOM_FAULT(0, id[0], '\0', CUSTOM_ID, "custom_rules[0].id");
	CUSTOM_FAULT(0, id[2], ':', CUSTOM_ID, "custom_rules[0].id");

	profile.custom_count = 3;
	profile.custom[0] = profile.custom[1] = above;
	profile.custom[2] = below;
	ok(fault_is(&profile, QTS_PROFILE_CUSTOM_ID, "custom_rules[1].id"), "a name is given once");
	profile.custom[0].priority = 3;
	profile.custom[1].priority = 1;
	profile.custom[2].priority = 1;
	profile.custom[1].id[0] = 'A';
	qts_exit_profile_sort(&profile);
	ok(strcmp(profile.custom[0].id, "Above") == 0 && strcmp(profile.custom[1].id, "below") == 0 &&
		   strcmp(profile.custom[2].id, "above") == 0,
	   "in order of priority, equal ones as they stood");
	is(qts_exit_custom_find(&profile, "below"), 1, "found by name");
	is(qts_exit_custom_find(&profile, "nosuch"), QTS_CUSTOM_NONE, "or not");
	is(qts_exit_custom_find(&profile, NULL), QTS_CUSTOM_NONE, "nor without a name");
}

static void
test_check_combined(void)
{
	QtsExitProfile profile = qts_exit_profile_default();

	profile.hardstop_enabled = false;
	profile.hardstop = 0;
	ok(fault_is(&profile, QTS_PROFILE_OK, ""), "a disabled hard stop needs no number");

	profile = qts_exit_profile_default();
	profile.sl2.max = -55000;
	profile.factor_max = 3 * QTS_PPM;
	ok(fault_is(&profile, QTS_PROFILE_SHADOW, "sl1.base_pct"), "SL1 at -6 % where SL2 stays at -5.5 %");

	profile = qts_exit_profile_default();
	profile.even_enabled = true;
	ok(fault_is(&profile, QTS_PROFILE_OK, ""), "break even as shipped, switched on");
	profile.even_buffer = profile.even_trigger;
	ok(fault_is(&profile, QTS_PROFILE_EVEN, "break_even.buffer"), "sold where it is armed");

	profile = qts_exit_profile_default();
	profile.sl2.max = 0;
	profile.hardstop = -75000;
	ok(fault_is(&profile, QTS_PROFILE_HARDSTOP, "hardstop.pct"),
	   "without a bound SL2 widens by the largest factor");
	profile.sl2.qty = 0;
	ok(fault_is(&profile, QTS_PROFILE_OK, ""), "an SL2 that is off has no width");

	profile = qts_exit_profile_default();
	profile.tp2 = (QtsExitThreshold){0};
	ok(fault_is(&profile, QTS_PROFILE_OK, ""), "a take profit that is off has no order");
	profile.tp3.base = 70000;
	profile.tp3.min = 0;
	/* equal to TP1 is not above it */
	ok(fault_is(&profile, QTS_PROFILE_TP_ORDER, "tp3.base_pct"), "the others still have");
}

static void
test_severity(void)
{
	static const int expected[QTS_RULE_COUNT] = {
		[QTS_RULE_EMERGENCY] = 120, [QTS_RULE_HARD_STOP] = 120, [QTS_RULE_GAP_DOWN] = 110,
		[QTS_RULE_SL2] = 100,		[QTS_RULE_SL1] = 90,		[QTS_RULE_STOP_FLOOR] = 80,
		[QTS_RULE_BREAK_EVEN] = 80, [QTS_RULE_CUSTOM] = 35,		[QTS_RULE_TP1] = 10,
		[QTS_RULE_TP2] = 20,		[QTS_RULE_TP3] = 30,		[QTS_RULE_TRAIL_PARTIAL] = 5,
		[QTS_RULE_TRAIL] = 5,		[QTS_RULE_TIME] = 1,		[QTS_RULE_MANUAL] = 40,
	};
	bool good = true;

	for (int i = 0; i < QTS_RULE_COUNT; i++)
		good = tap_note(qts_exit_severity((QtsExitRule) i) == expected[i], "%s: %d",
						qts_exit_rule_name((QtsExitRule) i), qts_exit_severity((QtsExitRule) i)) &&
			   good;
	ok(good, "severity of every rule");
	is(qts_exit_severity((QtsExitRule) 99), 0, "no rule, no severity");
	is(qts_custom_severity(true), 70, "a stop of the user's own lies above a manual exit");
	is(qts_custom_severity(false), 35, "a profit of the user's own above TP3");
}

static void
test_gate(void)
{
	static const QtsExitRule stops[] = {QTS_RULE_GAP_DOWN, QTS_RULE_SL2, QTS_RULE_STOP_FLOOR,
										QTS_RULE_BREAK_EVEN, QTS_RULE_SL1};
	bool good = true;

	for (int mode = 0; mode <= QTS_CONTROL_EMERGENCY_FLATTEN; mode++)
	{
		for (int i = QTS_RULE_EMERGENCY; i < QTS_RULE_COUNT; i++)
		{
			QtsExitRule rule = (QtsExitRule) i;
			bool expected =
				rule == QTS_RULE_HARD_STOP || rule == QTS_RULE_MANUAL || mode == QTS_CONTROL_RUNNING;

			if (rule == QTS_RULE_EMERGENCY)
				expected = mode == QTS_CONTROL_EMERGENCY_FLATTEN;
			for (size_t k = 0; mode == QTS_CONTROL_PAUSE_PROFIT && k < sizeof(stops) / sizeof(stops[0]); k++)
				expected = expected || rule == stops[k];
			good =
				tap_note(qts_exit_allowed((QtsControlMode) mode, rule, qts_exit_severity(rule)) == expected,
						 "%s %s", qts_control_mode_name((QtsControlMode) mode), qts_exit_rule_name(rule)) &&
				good;
		}
	}
	ok(good, "what each control mode lets through");
	ok(qts_exit_allowed(QTS_CONTROL_PAUSE_PROFIT, QTS_RULE_CUSTOM, qts_custom_severity(true)) &&
		   !qts_exit_allowed(QTS_CONTROL_PAUSE_PROFIT, QTS_RULE_CUSTOM, qts_custom_severity(false)),
	   "PAUSE_PROFIT lets through profit_below alone");
	ok(!qts_exit_allowed((QtsControlMode) 99, QTS_RULE_SL1, 90) &&
		   qts_exit_allowed((QtsControlMode) 99, QTS_RULE_HARD_STOP, 120),
	   "an unknown mode pauses all but the hard stop");
}

static void
test_names(void)
{
	bool good = true;
	QtsExitRule rule = QTS_RULE_NONE;
	QtsExitPhase phase = QTS_PHASE_OPEN;
	QtsControlMode control = QTS_CONTROL_RUNNING;
	QtsPositionMode mode = QTS_POSITION_ENABLED;

	for (int i = QTS_RULE_EMERGENCY; i < QTS_RULE_COUNT; i++)
		good = good && qts_exit_rule_parse(qts_exit_rule_name((QtsExitRule) i), &rule) && (int) rule == i;
	for (int i = 0; i < QTS_PHASE_COUNT; i++)
		good =
			good && qts_exit_phase_parse(qts_exit_phase_name((QtsExitPhase) i), &phase) && (int) phase == i;
	for (int i = 0; i <= QTS_CONTROL_EMERGENCY_FLATTEN; i++)
		good = good && qts_control_mode_parse(qts_control_mode_name((QtsControlMode) i), &control) &&
			   (int) control == i;
	for (int i = 0; i <= QTS_POSITION_MANUAL_ONLY; i++)
		good = good && qts_position_mode_parse(qts_position_mode_name((QtsPositionMode) i), &mode) &&
			   (int) mode == i;
	ok(good, "names are read back");
	ok(!qts_exit_rule_parse("NONE", &rule) && !qts_exit_rule_parse("HARDSTOP", &rule) &&
		   !qts_exit_rule_parse(NULL, &rule) && !qts_exit_phase_parse("CLOSED", &phase) &&
		   !qts_control_mode_parse("", &control) && !qts_position_mode_parse("MANUAL", &mode),
	   "other names are refused");
	for (int i = 0; i < QTS_BLOCK_COUNT; i++)
		good = good && strcmp(qts_exit_block_name((QtsExitBlock) i), "INVALID") != 0;
	for (int i = 0; i < QTS_PROFILE_FAULTS; i++)
		good = good && strcmp(qts_profile_fault_text((QtsProfileFault) i), "INVALID") != 0;
	ok(good, "every block and fault has a text");
}

int
main(void)
{
	test_vectors();
	test_bounds();
	test_check();
	test_check_new();
	test_check_custom();
	test_check_combined();
	test_severity();
	test_gate();
	test_names();
	return tap_done();
}
