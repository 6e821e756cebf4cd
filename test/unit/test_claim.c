/*-------------------------------------------------------------------------
 *
 * test_claim.c
 *		May an intent become an order now, and for how many shares?
 *
 *-------------------------------------------------------------------------
 */
#include "core/claim.h"

#include "tap.h"

#define NOW (INT64_C(800000000) * QTS_SEC)

static const QtsClaimGate open_gate = {.exit_mode = QTS_CONTROL_RUNNING, .accepts_orders = true, .now = NOW};

static QtsClaimIntent
exit_of(QtsExitRule rule)
{
	return (QtsClaimIntent){.market = true,
							.rule = rule,
							.severity = qts_exit_severity(rule),
							.manual = rule == QTS_RULE_MANUAL,
							.qty = 10,
							.held = 10,
							.sellable = 10,
							.tradable = true,
							.instrument = QTS_INSTRUMENT_STOCK};
}

static QtsClaimIntent
entry(void)
{
	return (QtsClaimIntent){
		.entry = true, .market = true, .qty = 10, .tradable = true, .instrument = QTS_INSTRUMENT_STOCK};
}

static void
test_switches(void)
{
	QtsClaimGate gate = open_gate;
	QtsClaimIntent stop = exit_of(QTS_RULE_HARD_STOP);
	QtsClaimIntent loss = exit_of(QTS_RULE_SL1);
	QtsClaimIntent profit = exit_of(QTS_RULE_TP1);
	QtsClaimIntent manual = exit_of(QTS_RULE_MANUAL);
	QtsClaimIntent buy = entry();

	is(qts_claim_obstacle(&buy, &gate), QTS_OBSTACLE_NONE, "a buy passes");
	is(qts_claim_obstacle(&profit, &gate), QTS_OBSTACLE_NONE, "an exit passes");
	gate.emergency_stop = true;
	is(qts_claim_obstacle(&buy, &gate), QTS_OBSTACLE_EMERGENCY_STOP, "the emergency stop blocks buys");
	is(qts_claim_obstacle(&loss, &gate), QTS_OBSTACLE_NONE, "and no exit");
	gate.emergency_stop = false;
	gate.doubtful = true;
	is(qts_claim_obstacle(&buy, &gate), QTS_OBSTACLE_DOUBTFUL, "a doubtful day blocks buys");
	is(qts_claim_obstacle(&loss, &gate), QTS_OBSTACLE_NONE, "and no exit either");
	is(qts_obstacle_end(QTS_OBSTACLE_DOUBTFUL), QTS_INTENT_CANCELLED, "they are cancelled");
	gate.doubtful = false;
	gate.exit_mode = QTS_CONTROL_PAUSE_PROFIT;
	is(qts_claim_obstacle(&profit, &gate), QTS_OBSTACLE_CONTROL_MODE, "a pause of profits");
	gate.exit_mode = QTS_CONTROL_PAUSE_ALL;
	is(qts_claim_obstacle(&loss, &gate), QTS_OBSTACLE_CONTROL_MODE, "a pause of all");
	is(qts_claim_obstacle(&stop, &gate), QTS_OBSTACLE_NONE, "does not hold the hard stop");
	is(qts_claim_obstacle(&manual, &gate), QTS_OBSTACLE_NONE, "nor a person");
	gate.accepts_orders = false;
	is(qts_claim_obstacle(&stop, &gate), QTS_OBSTACLE_CLOSED, "a closed market holds everything");
	loss.again = true;
	gate = open_gate;
	gate.exit_mode = QTS_CONTROL_PAUSE_ALL;
	is(qts_claim_obstacle(&loss, &gate), QTS_OBSTACLE_CONTROL_MODE, "also what is to be sent again");
}

static void
test_position(void)
{
	QtsClaimIntent sale = exit_of(QTS_RULE_SL1);

	sale.disabled = true;
	is(qts_claim_obstacle(&sale, &open_gate), QTS_OBSTACLE_DISABLED, "exits disabled");
	sale = exit_of(QTS_RULE_SL1);
	sale.quarantined = true;
	is(qts_claim_obstacle(&sale, &open_gate), QTS_OBSTACLE_QUARANTINED, "a quarantined position holds");
	sale.manual = true;
	is(qts_claim_obstacle(&sale, &open_gate), QTS_OBSTACLE_NONE, "but not a person");
	sale = exit_of(QTS_RULE_SL1);
	sale.held = 9;
	is(qts_claim_obstacle(&sale, &open_gate), QTS_OBSTACLE_NOT_HELD,
	   "B-E25: what was held when it was decided is looked at again");
	sale = exit_of(QTS_RULE_SL1);
	sale.sellable = 0;
	is(qts_claim_obstacle(&sale, &open_gate), QTS_OBSTACLE_NOT_SELLABLE, "B-E25: other sells hold all of it");
	sale.sellable = 4;
	is(qts_claim_qty(&sale), 4, "four are left: four are sold");
	sale.sellable = 40;
	is(qts_claim_qty(&sale), 10, "never more than wanted");
	sale.sellable = -3;
	is(qts_claim_qty(&sale), 0, "never less than nothing");
	sale = entry();
	is(qts_claim_qty(&sale), 10, "a buy is for all of it");
}

static void
test_order(void)
{
	QtsClaimIntent sale = exit_of(QTS_RULE_SL1);

	sale.expires = NOW;
	is(qts_claim_obstacle(&sale, &open_gate), QTS_OBSTACLE_EXPIRED, "decided on another market");
	sale.again = true;
	is(qts_claim_obstacle(&sale, &open_gate), QTS_OBSTACLE_EXPIRED, "waiting for its second chance too");
	sale = exit_of(QTS_RULE_SL1);
	sale.tradable = false;
	is(qts_claim_obstacle(&sale, &open_gate), QTS_OBSTACLE_NOT_TRADABLE, "not tradable, says the master");
	sale.rule = QTS_RULE_HARD_STOP;
	is(qts_claim_obstacle(&sale, &open_gate), QTS_OBSTACLE_NONE, "the last line of defence is tried");
	sale = exit_of(QTS_RULE_SL1);
	sale.market = false;
	sale.price = 20010;
	is(qts_claim_obstacle(&sale, &open_gate), QTS_OBSTACLE_OFF_TICK, "off the grid");
	sale.price = 20050;
	sale.lower = 21000;
	sale.upper = 30000;
	is(qts_claim_obstacle(&sale, &open_gate), QTS_OBSTACLE_BEYOND_LIMITS, "below the day's limit");
	sale.price = 30050;
	is(qts_claim_obstacle(&sale, &open_gate), QTS_OBSTACLE_BEYOND_LIMITS, "above it");
	sale.price = 25000;
	is(qts_claim_obstacle(&sale, &open_gate), QTS_OBSTACLE_NONE, "within");
	sale.price = 90000;
	sale.upper = 0;
	is(qts_claim_obstacle(&sale, &open_gate), QTS_OBSTACLE_NONE, "unknown limits limit nothing");
}

/* B-E5: an intent that was not sent ends as what it is. */
static void
test_ends(void)
{
	for (int i = QTS_OBSTACLE_NONE + 1; i < QTS_OBSTACLE_COUNT; i++)
	{
		QtsObstacle obstacle = (QtsObstacle) i;

		ok(tap_note(qts_intent_terminal(qts_obstacle_end(obstacle)) &&
						qts_obstacle_end(obstacle) != QTS_INTENT_FILLED &&
						qts_intent_may_change(QTS_INTENT_NEW, qts_obstacle_end(obstacle)),
					"obstacle %d", i),
		   "B-E5: an obstacle ends the intent, and not as filled");
		ok(qts_obstacle_text(obstacle)[0] != '\0' && strncmp(qts_obstacle_code(obstacle), "QT", 2) == 0,
		   "with words and a code");
	}
	is_text(qts_obstacle_text((QtsObstacle) 99), "INVALID", "no such obstacle");
	is_text(qts_obstacle_code((QtsObstacle) -1), "QT901", "is an internal error");
	is(qts_obstacle_end((QtsObstacle) 99), QTS_INTENT_FAILED, "and fails");
}

int
main(void)
{
	test_switches();
	test_position();
	test_order();
	test_ends();
	return tap_done();
}
