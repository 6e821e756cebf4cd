/*-------------------------------------------------------------------------
 *
 * exit_state.c
 *		Upkeep of the exit state: marks, counters, cycles and phases
 *		(runtime 4.2, 4.3, 4.11).
 *
 * Only confirmed fills move the phase forward; only added quantity takes it
 * back.
 *
 *-------------------------------------------------------------------------
 */
#include "core/exit.h"
#include "core/exit_internal.h"
#include "core/money.h"

/* 4.11: below the first an average price merely wobbles, above the second shares were added. */
#define EXIT_DRIFT_NOISE 5000
#define EXIT_DRIFT_RESET 20000

static void
exit_clear_confirm(int *ticks, QtsTime *since)
{
	*ticks = 0;
	*since = QTS_TIME_NONE;
}

static void
exit_clear_confirms(QtsExitState *state)
{
	exit_clear_confirm(&state->floor_ticks, &state->floor_since);
	exit_clear_confirm(&state->trail_ticks, &state->trail_since);
	exit_clear_confirm(&state->even_ticks, &state->even_since);
}

/* What an average and a quantity are compared with from now on. */
static void
exit_take_base(QtsExitState *state, const QtsExitPosition *position)
{
	state->last_avg_price = position->avg_price;
	state->base_avg_price = position->avg_price;
	state->last_qty = position->qty;
	state->cycle_buy = position->last_buy;
}

static void
exit_start_cycle(QtsExitState *state, const QtsExitPosition *position)
{
	state->phase = QTS_PHASE_OPEN;
	state->cycle++;
	state->hwm = 0;
	state->hwm_at = QTS_TIME_NONE;
	state->stop_floor = 0;
	state->trail_partial_done = false;
	exit_take_base(state, position);
	exit_clear_confirms(state);
}

/* |to - from| / from >= ratio, without rounding */
static bool
exit_drift_reaches(QtsPrice from, QtsPrice to, QtsPpm ratio)
{
	return qts_return_at_least(to, from, ratio) || qts_return_at_most(to, from, -ratio);
}

/* the same with > */
static bool
exit_drift_exceeds(QtsPrice from, QtsPrice to, QtsPpm ratio)
{
	return from > 0 && !(qts_return_at_most(to, from, ratio) && qts_return_at_least(to, from, -ratio));
}

/* Was the average moved by something else than the fills so far? */
static bool
exit_average_moved(const QtsExitState *state, QtsPrice avg)
{
	/* the base too: small steps must not add up unnoticed */
	return exit_drift_exceeds(state->last_avg_price, avg, EXIT_DRIFT_RESET) ||
		   exit_drift_exceeds(state->base_avg_price, avg, EXIT_DRIFT_RESET);
}

bool
qts_exit_sync(QtsExitState *state, const QtsExitPosition *position, bool *changed, QtsQty *grown)
{
	bool more = state->last_qty > 0 && position->qty > state->last_qty;

	if (state->cycle < 1)
		state->cycle = 1;
	if (position->qty <= 0 || position->avg_price <= 0)
		return false;
	/* the first look: the row counted the first fill only, or the shares of before a split */
	if (state->last_avg_price <= 0)
	{
		*grown = position->qty - position->original_qty;
		exit_take_base(state, position);
		*changed = true;
		return false;
	}
	/* the order that began the cycle is still being filled: what it sold or reached stays so */
	if (more && position->last_buy != 0 && position->last_buy == state->cycle_buy)
	{
		*grown = position->qty - state->last_qty;
		exit_take_base(state, position);
		*changed = true;
		return false;
	}
	if (more || exit_average_moved(state, position->avg_price))
	{
		exit_start_cycle(state, position);
		*changed = true;
		return true;
	}
	if (exit_drift_reaches(state->last_avg_price, position->avg_price, EXIT_DRIFT_NOISE))
	{
		state->last_avg_price = position->avg_price;
		*changed = true;
	}
	if (state->last_qty != position->qty)
	{
		state->last_qty = position->qty;
		*changed = true;
	}
	return false;
}

static bool
exit_count_breach(int *ticks, QtsTime *since, bool breached, int needed, QtsTime now)
{
	if (!breached)
	{
		if (*ticks == 0)
			return false;
		exit_clear_confirm(ticks, since);
		return true;
	}
	if (*ticks <= 0 || *since == QTS_TIME_NONE || *since > now)
	{
		*ticks = 1;
		*since = now;
		return true;
	}
	/* counting on would dirty the state at every tick and tell nothing */
	if (*ticks >= needed)
		return false;
	(*ticks)++;
	return true;
}

bool
qts_exit_observe(const QtsExitProfile *profile, QtsExitState *state, QtsPrice avg, QtsPrice price,
				 QtsTime now)
{
	int needed = profile->confirm_ticks;
	bool changed;

	if (price > state->hwm)
	{
		state->hwm = price;
		state->hwm_at = now;
	}
	changed = exit_count_breach(&state->floor_ticks, &state->floor_since,
								qts_exit_floor_breached(state, price), needed, now);
	if (exit_count_breach(&state->trail_ticks, &state->trail_since,
						  qts_exit_trail_breached(profile, state, price), needed, now))
		changed = true;
	if (exit_count_breach(&state->even_ticks, &state->even_since,
						  qts_exit_even_breached(profile, state, avg, price), needed, now))
		changed = true;
	return changed;
}

void
qts_exit_restart_confirm(QtsExitState *state, QtsExitRule rule)
{
	if (rule == QTS_RULE_STOP_FLOOR)
		exit_clear_confirm(&state->floor_ticks, &state->floor_since);
	else if (rule == QTS_RULE_TRAIL || rule == QTS_RULE_TRAIL_PARTIAL)
		exit_clear_confirm(&state->trail_ticks, &state->trail_since);
	else if (rule == QTS_RULE_BREAK_EVEN)
		exit_clear_confirm(&state->even_ticks, &state->even_since);
}

static void
exit_enter_phase(QtsExitState *state, QtsExitPhase phase)
{
	if (phase <= state->phase)
		return;
	state->phase = phase;
	exit_clear_confirms(state);
}

static void
exit_arm_floor(const QtsExitProfile *profile, QtsExitState *state, QtsPrice avg_price)
{
	QtsPrice floor;

	if (profile->stop_floor_profit <= 0 || avg_price <= 0 ||
		!qts_price_offset(avg_price, profile->stop_floor_profit, &floor))
		return;
	if (floor > state->stop_floor)
		state->stop_floor = floor;
}

void
qts_exit_apply_fill(const QtsExitProfile *profile, QtsExitState *state, QtsExitRule rule, QtsQty filled,
					QtsQty qty_left, QtsPrice avg_price)
{
	if (filled <= 0 || state->phase >= QTS_PHASE_EXITED)
		return;
	/* sold shares must not hide the same number bought before the next look */
	if (qty_left < state->last_qty)
		state->last_qty = qty_left > 0 ? qty_left : 0;
	/* a full exit that was cut short leaves shares that still need their stops */
	if (qty_left <= 0)
	{
		exit_enter_phase(state, QTS_PHASE_EXITED);
		return;
	}
	switch (rule)
	{
		case QTS_RULE_TP1:
			exit_arm_floor(profile, state, avg_price);
			exit_enter_phase(state, QTS_PHASE_TP1_DONE);
			break;
		case QTS_RULE_TP2:
			exit_enter_phase(state, qts_exit_threshold_on(&profile->tp3) ? QTS_PHASE_TP2_DONE
																		 : QTS_PHASE_TRAILING_ACTIVE);
			break;
		case QTS_RULE_TP3:
			exit_enter_phase(state, profile->start_trailing ? QTS_PHASE_TRAILING_ACTIVE : QTS_PHASE_TP3_DONE);
			break;
		case QTS_RULE_TRAIL_PARTIAL:
			state->trail_partial_done = true;
			exit_clear_confirm(&state->trail_ticks, &state->trail_since);
			break;
		default:
			break;
	}
}
