/*-------------------------------------------------------------------------
 *
 * claim.c
 *		May an intent become an order now, and for how many shares?
 *
 *-------------------------------------------------------------------------
 */
#include "core/claim.h"

static const struct
{
	const char *text;
	const char *code;
	QtsIntentStatus end;
} obstacles[] = {
	[QTS_OBSTACLE_NONE] = {"", "", QTS_INTENT_NEW},
	[QTS_OBSTACLE_EXPIRED] = {"expired before it was sent", "QT008", QTS_INTENT_EXPIRED},
	[QTS_OBSTACLE_CLOSED] = {"the market takes no orders now", "QT012", QTS_INTENT_EXPIRED},
	[QTS_OBSTACLE_EMERGENCY_STOP] = {"the emergency stop blocks entries", "QT008", QTS_INTENT_CANCELLED},
	[QTS_OBSTACLE_NOT_TRADABLE] = {"the symbol is not tradable", "QT012", QTS_INTENT_REJECTED},
	[QTS_OBSTACLE_CONTROL_MODE] = {"the exit control mode forbids it", "QT008", QTS_INTENT_CANCELLED},
	[QTS_OBSTACLE_DISABLED] = {"exits of this position are disabled", "QT008", QTS_INTENT_CANCELLED},
	[QTS_OBSTACLE_QUARANTINED] = {"the position is quarantined", "QT008", QTS_INTENT_CANCELLED},
	[QTS_OBSTACLE_NOT_HELD] = {"the position holds less than this by now", "QT005", QTS_INTENT_FAILED},
	[QTS_OBSTACLE_NOT_SELLABLE] = {"other open sells hold all its shares", "QT005", QTS_INTENT_FAILED},
	[QTS_OBSTACLE_OFF_TICK] = {"the limit price is off the tick grid", "QT013", QTS_INTENT_REJECTED},
	[QTS_OBSTACLE_BEYOND_LIMITS] = {"the limit price is outside the day's limits", "QT013",
									QTS_INTENT_REJECTED},
	[QTS_OBSTACLE_BUDGET] = {"the budget of orders is spent", "QT009", QTS_INTENT_CANCELLED},
	[QTS_OBSTACLE_TWIN] = {"the broker has an order like it that this server did not send", "QT106",
						   QTS_INTENT_FAILED},
	[QTS_OBSTACLE_DOUBTFUL] = {"the broker took this day for closed", "QT012", QTS_INTENT_CANCELLED},
};

/* Switches that may turn while a refused order waits to be sent again. */
static QtsObstacle
claim_switches(const QtsClaimIntent *intent, const QtsClaimGate *gate)
{
	if (!gate->accepts_orders)
		return QTS_OBSTACLE_CLOSED;
	if (intent->entry && gate->emergency_stop)
		return QTS_OBSTACLE_EMERGENCY_STOP;
	if (intent->entry)
		return gate->doubtful ? QTS_OBSTACLE_DOUBTFUL : QTS_OBSTACLE_NONE;
	if (!intent->manual && !qts_exit_allowed(gate->exit_mode, intent->rule, intent->severity))
		return QTS_OBSTACLE_CONTROL_MODE;
	return QTS_OBSTACLE_NONE;
}

static QtsObstacle
claim_position(const QtsClaimIntent *intent)
{
	if (intent->disabled)
		return QTS_OBSTACLE_DISABLED;
	if (intent->quarantined && !intent->manual)
		return QTS_OBSTACLE_QUARANTINED;
	if (intent->qty > intent->held)
		return QTS_OBSTACLE_NOT_HELD;
	return intent->sellable > 0 ? QTS_OBSTACLE_NONE : QTS_OBSTACLE_NOT_SELLABLE;
}

static QtsObstacle
claim_price(const QtsClaimIntent *intent)
{
	if (!qts_tick_valid(intent->price, intent->instrument))
		return QTS_OBSTACLE_OFF_TICK;
	if (intent->upper > 0 && (intent->price > intent->upper || intent->price < intent->lower))
		return QTS_OBSTACLE_BEYOND_LIMITS;
	return QTS_OBSTACLE_NONE;
}

QtsObstacle
qts_claim_obstacle(const QtsClaimIntent *intent, const QtsClaimGate *gate)
{
	QtsObstacle obstacle;

	if (intent->expires != 0 && intent->expires <= gate->now)
		return QTS_OBSTACLE_EXPIRED;
	obstacle = claim_switches(intent, gate);
	if (obstacle != QTS_OBSTACLE_NONE || intent->again)
		return obstacle;
	/* a primary before this one may have claimed and sent it, and died before the row got here */
	if (intent->twin)
		return QTS_OBSTACLE_TWIN;
	/* the last lines of defence are tried even where the master says no: the broker decides */
	if (!intent->tradable && intent->rule != QTS_RULE_HARD_STOP && intent->rule != QTS_RULE_EMERGENCY)
		return QTS_OBSTACLE_NOT_TRADABLE;
	if (!intent->entry)
		obstacle = claim_position(intent);
	if (obstacle == QTS_OBSTACLE_NONE && !intent->market)
		obstacle = claim_price(intent);
	return obstacle;
}

QtsQty
qts_claim_qty(const QtsClaimIntent *intent)
{
	if (intent->entry || intent->sellable >= intent->qty)
		return intent->qty;
	return intent->sellable > 0 ? intent->sellable : 0;
}

const char *
qts_obstacle_text(QtsObstacle obstacle)
{
	return (int) obstacle >= 0 && obstacle < QTS_OBSTACLE_COUNT ? obstacles[obstacle].text : "INVALID";
}

const char *
qts_obstacle_code(QtsObstacle obstacle)
{
	return (int) obstacle >= 0 && obstacle < QTS_OBSTACLE_COUNT ? obstacles[obstacle].code : "QT901";
}

QtsIntentStatus
qts_obstacle_end(QtsObstacle obstacle)
{
	return (int) obstacle >= 0 && obstacle < QTS_OBSTACLE_COUNT ? obstacles[obstacle].end : QTS_INTENT_FAILED;
}
