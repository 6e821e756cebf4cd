/*
 * test_budget.c
 *		Orders per minute.
 */
#include "core/budget.h"
#include "tap.h"

static void
test_spent(void)
{
	QtsBudget b;
	int64_t t = 5 * QTS_MINUTE;

	qts_budget_init(&b, 60, 0, t);
	ok(qts_budget_left(&b, t) == 60, "a minute's worth at first");
	qts_budget_take(&b, 60, t);
	ok(qts_budget_left(&b, t) == 0, "spent");
	ok(qts_budget_wait(&b, t) == QTS_SEC, "one more a second later");
	ok(qts_budget_left(&b, t + QTS_SEC) == 1, "refilled evenly");
	ok(qts_budget_left(&b, t + 10 * QTS_MINUTE) == 60, "never more than a minute's worth");
}

static void
test_restart(void)
{
	QtsBudget b;

	qts_budget_init(&b, 10, 7, 0);
	ok(qts_budget_left(&b, 0) == 3, "a restart does not forget what was sent");
	qts_budget_init(&b, 10, 1000, 0);
	ok(qts_budget_left(&b, 0) == 0, "more than all is nothing left");
}

static void
test_limits(void)
{
	QtsBudget b;

	qts_budget_init(&b, 0, 100, 0);
	ok(qts_budget_left(&b, 0) == INT32_MAX && qts_budget_wait(&b, 0) == 0, "0 is no limit");
	qts_budget_limit(&b, 60, 0);
	ok(qts_budget_left(&b, 0) == 60, "a limit that comes later counts from then");
	qts_budget_take(&b, 30, 0);
	qts_budget_limit(&b, 120, 0);
	ok(qts_budget_left(&b, 0) == 60, "half spent stays half spent");
	ok(qts_budget_left(&b, -QTS_MINUTE) == 60, "a clock that goes back gives nothing");
	qts_budget_init(&b, -5, 0, 0);
	ok(qts_budget_left(&b, 0) == 1, "a nonsensical limit is not no limit");
}

int
main(void)
{
	test_spent();
	test_restart();
	test_limits();
	return tap_done();
}
