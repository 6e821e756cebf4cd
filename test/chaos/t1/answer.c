/*-------------------------------------------------------------------------
 *
 * answer.c
 *		What became of a POST (src/db/exec_answer.c).
 *
 *-------------------------------------------------------------------------
 */
#include <limits.h>
#include <stdlib.h>

#include "t1.h"

void
t1_orphans(World *w)
{
	for (int i = 0; i < w->tables.norders; i++)
	{
		ChaosOrder *order = &w->tables.order[i];
		QtsOrderLife life = order->life;

		if (qts_life_restart(&life))
		{
			order->updated_at = w->now;
			if (order->intent != NONE && w->tables.intent[order->intent].status == QTS_INTENT_SUBMITTING)
				t1_intent_status(w, order->intent, QTS_INTENT_UNKNOWN);
		}
		order->life = life;
	}
}

void
t1_order_answer(World *w, int i, const QtsBrokerEvent *event)
{
	ChaosOrder *order = &w->tables.order[i];
	QtsOrderLife life = order->life;
	QtsAnswerStep step = qts_life_answer(&life, event->outcome, event->for_now ? INT_MAX : T1_MAX_ATTEMPTS,
										 (uint32_t) rng_next(&w->rng), w->now);

	world_trace(w, "answer to order %d: %s", i, event->msg_cd);
	if (step == QTS_ANSWER_BIND)
		t1_bind(w, i, atoi(event->odno), qts_seoul_date(w->now));
	if (step == QTS_ANSWER_BIND || step == QTS_ANSWER_LATE)
		return;
	order->life = life;
	order->updated_at = w->now;
	t1_intent_status(w, order->intent, qts_life_intent(&life, step));
}

void
t1_cancel_answer(World *w, int i, const QtsBrokerEvent *event)
{
	ChaosOrder *order = &w->tables.order[i];

	world_trace(w, "answer to the cancel of order %d: %s", i, event->msg_cd);
	qts_life_cancel_answer(&order->life, event->outcome);
	order->updated_at = w->now;
}
