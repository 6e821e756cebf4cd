/*-------------------------------------------------------------------------
 *
 * budget.c
 *		How many orders may leave in a minute: the stop for a loop gone wild.
 *
 *-------------------------------------------------------------------------
 */
#include "core/budget.h"

static int64_t
budget_cost(const QtsBudget *budget)
{
	return QTS_MINUTE / budget->per_minute;
}

static void
budget_refill(QtsBudget *budget, int64_t now)
{
	/* a clock that goes back gives nothing */
	if (now > budget->at)
		budget->level =
			now - budget->at >= QTS_MINUTE - budget->level ? QTS_MINUTE : budget->level + (now - budget->at);
	budget->at = now;
}

void
qts_budget_init(QtsBudget *budget, int per_minute, int spent, int64_t now)
{
	budget->per_minute = per_minute < 0 ? 1 : per_minute;
	budget->level = QTS_MINUTE;
	budget->at = now;
	qts_budget_take(budget, spent, now);
}

void
qts_budget_limit(QtsBudget *budget, int per_minute, int64_t now)
{
	budget_refill(budget, now);
	budget->per_minute = per_minute < 0 ? 1 : per_minute;
}

int
qts_budget_left(QtsBudget *budget, int64_t now)
{
	if (budget->per_minute == 0)
		return INT32_MAX;
	budget_refill(budget, now);
	return (int) (budget->level / budget_cost(budget));
}

void
qts_budget_take(QtsBudget *budget, int count, int64_t now)
{
	int64_t cost;

	budget_refill(budget, now);
	if (budget->per_minute == 0 || count <= 0)
		return;
	cost = budget_cost(budget);
	budget->level = count >= budget->level / cost ? budget->level % cost : budget->level - count * cost;
	if (budget->level < 0)
		budget->level = 0;
}

int64_t
qts_budget_wait(QtsBudget *budget, int64_t now)
{
	int64_t missing;

	if (qts_budget_left(budget, now) > 0)
		return 0;
	missing = budget_cost(budget) - budget->level;
	return missing > 0 ? missing : 0;
}
