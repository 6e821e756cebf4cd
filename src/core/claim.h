/*-------------------------------------------------------------------------
 *
 * claim.h
 *		May an intent become an order now, and for how many shares?
 *
 * Asked in the claiming transaction, under the locks that a halt takes
 * (architecture 4), and again before a refused order is sent once more.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_CLAIM_H
#define QTS_CORE_CLAIM_H

#include "core/exit.h"
#include "core/order.h"
#include "core/tick.h"

/* The switches, as they are under their locks. */
typedef struct QtsClaimGate
{
	bool emergency_stop;
	QtsControlMode exit_mode;
	bool accepts_orders; /* the session */
	bool doubtful;		 /* the broker refused today as closed: nothing new begins */
	QtsTime now;
} QtsClaimGate;

typedef struct QtsClaimIntent
{
	bool entry; /* a buy; else the sale of a position */
	bool manual;
	bool market;
	bool again; /* was claimed before: only its age and the switches are asked */
	QtsExitRule rule;
	int severity; /* of the rule: the intent's priority */
	QtsQty qty;
	QtsKrw price;	 /* of a limit order */
	QtsTime expires; /* 0 = never */
	QtsQty held;	 /* of the position */
	QtsQty sellable; /* held less what open sells of anybody hold */
	bool disabled;	 /* exits of the position */
	bool quarantined;
	bool twin; /* since it was decided the broker got an order like it that nobody here sent */
	bool tradable;
	QtsInstrument instrument;
	QtsKrw lower; /* the day's limits, 0 = not known */
	QtsKrw upper;
} QtsClaimIntent;

typedef enum QtsObstacle
{
	QTS_OBSTACLE_NONE,
	QTS_OBSTACLE_EXPIRED,
	QTS_OBSTACLE_CLOSED,
	QTS_OBSTACLE_EMERGENCY_STOP,
	QTS_OBSTACLE_NOT_TRADABLE,
	QTS_OBSTACLE_CONTROL_MODE,
	QTS_OBSTACLE_DISABLED,
	QTS_OBSTACLE_QUARANTINED,
	QTS_OBSTACLE_NOT_HELD,
	QTS_OBSTACLE_NOT_SELLABLE,
	QTS_OBSTACLE_OFF_TICK,
	QTS_OBSTACLE_BEYOND_LIMITS,
	QTS_OBSTACLE_BUDGET,
	QTS_OBSTACLE_TWIN,
	QTS_OBSTACLE_DOUBTFUL,
	QTS_OBSTACLE_COUNT
} QtsObstacle;

extern QtsObstacle qts_claim_obstacle(const QtsClaimIntent *intent, const QtsClaimGate *gate);

/* Shares to order: all, or what is sellable of them. */
extern QtsQty qts_claim_qty(const QtsClaimIntent *intent);

extern const char *qts_obstacle_text(QtsObstacle obstacle);
extern const char *qts_obstacle_code(QtsObstacle obstacle);	   /* SQLSTATE */
extern QtsIntentStatus qts_obstacle_end(QtsObstacle obstacle); /* what the intent becomes */

#endif /* QTS_CORE_CLAIM_H */
