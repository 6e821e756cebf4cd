/*-------------------------------------------------------------------------
 *
 * exit_escalation.c
 *		Looks at how many of the watched prices are stale, and holds back what
 *		core/escalation.h says.
 *
 * What stands is in the rows and is read again by a worker that starts; how
 * long something has been so is memory, and begins anew with it.  Memory
 * follows a change when it has committed: what was not stored is decided again
 * at the next look.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "core/escalation.h"
#include "core/session.h"
#include "db/txn.h"
#include "exit_escalation.h"
#include "exit_watches.h"
#include "guc.h"
#include "shm/board.h"
#include "shm/point.h"
#include "shm/shm.h"

#define LOOK_US (1 * QTS_SEC)
#define SILENT_US (15 * QTS_SEC) /* of the prices worker, as in qts.health() */

static QtsEscalation escalation;
static TimestampTz looked_at; /* 0: not yet */
static int setting;			  /* qts.escalation at the last look */

void
qts_exit_escalation_start(void)
{
	qts_escalation_start(&escalation, QTS_ESCALATION_NONE);
	looked_at = 0;
	setting = qts_guc.escalation;
}

/* Without quotes by request a quiet stock has no fresh price, and nothing is wrong. */
static bool
prices_expected(TimestampTz now)
{
	const QtsCalendarDay *day = qts_watches.day_known ? &qts_watches.day : NULL;

	return setting != QTS_ESCALATE_OFF && qts_guc.quotes &&
		   qts_session_evaluates(qts_session_phase(day, now));
}

static bool
prices_worked_on(void)
{
	QtsSlot *slot = &qts_shm->slot[QTS_WORKER_PRICES];
	TimestampTz beat = (TimestampTz) pg_atomic_read_u64(&slot->heartbeat);
	bool running;

	LWLockAcquire(qts_shm->lock, LW_SHARED);
	running = slot->state == QTS_STATE_RUNNING;
	LWLockRelease(qts_shm->lock);
	return running && GetCurrentTimestamp() - beat < SILENT_US;
}

static void
watch_look(QtsWatch *watch, TimestampTz now)
{
	QtsBoardEntry entry;
	QtsBoardQuote judged;

	watch->unpriced = false;
	watch->stale = true;
	if (watch->board_slot < 0 || !qts_board_read(watch->board_slot, &entry) ||
		!qts_board_judge(&entry, now, QTS_BOARD_DECIDE, &judged))
		return;
	watch->unpriced = judged.halted;
	watch->stale = judged.too_old || !qts_source_decides(judged.source, qts_guc.naver_decides);
}

/* Symbols, not positions: of several in one symbol the first of its slot counts. */
static QtsHeldFigures
watches_look(TimestampTz now)
{
	QtsHeldFigures figures = {0};

	qts_watches_find_slots();
	for (int i = 0; i < qts_watches.count; i++)
	{
		QtsWatch *watch = &qts_watches.all[i];

		watch_look(watch, now);
		if (watch->position.qty > 0 && !watch->unpriced &&
			(watch->board_slot < 0 || qts_watches.by_slot[watch->board_slot] == i))
			qts_held_add(&figures, watch->stale, watch->hold.held);
	}
	return figures;
}

/* How many are to be held back or released. */
static int
watches_turn(const QtsHeldFigures *figures, bool expected, TimestampTz now)
{
	int turning = 0;

	for (int i = 0; i < qts_watches.count; i++)
	{
		QtsWatch *watch = &qts_watches.all[i];
		QtsSymbolHold next = watch->hold;

		if (!expected)
			qts_symbol_start(&next, false);
		else if (watch->unpriced)
			qts_symbol_start(&next, next.held);
		else
			(void) qts_symbol_look(&next, figures, watch->stale, now);
		watch->turns = next.held != watch->hold.held;
		if (watch->turns)
			turning++;
		else
			watch->hold = next;
	}
	return turning;
}

static const char *
level_why(const QtsEscalation *next, const QtsHeldFigures *figures, bool expected, bool works)
{
	if (setting != qts_guc.escalation)
		return "qts.escalation was changed";
	if (!expected)
		return "no prices are expected";
	if (next->level == QTS_ESCALATION_NONE)
		return psprintf("%d of %d held symbols have fresh prices", figures->held - figures->stale,
						figures->held);
	if (next->level == QTS_ESCALATION_L3 && !works)
		return "the prices worker has not worked for 30 s";
	return psprintf("%d of %d held symbols have no fresh price", figures->stale, figures->held);
}

static const char *
hold_why(const QtsWatch *watch, bool expected)
{
	if (!watch->hold.held)
		return psprintf("%s has had no fresh price for 180 s", watch->symbol);
	return expected ? psprintf("%s has had fresh prices for 30 s", watch->symbol)
					: "no prices are expected, or qts.escalation was changed";
}

/* False: not now. */
static bool
store(const QtsEscalation *next, const QtsHeldFigures *figures, bool expected, bool works, TimestampTz now)
{
	bool acts = setting == QTS_ESCALATE_ACT;
	bool done = true;

	if (!qts_txn_begin("exit escalation"))
		return false;
	if (next->level != escalation.level)
		done =
			qts_exit_escalate(escalation.level, next->level, acts, level_why(next, figures, expected, works));
	for (int i = 0; i < qts_watches.count && done; i++)
	{
		QtsWatch *watch = &qts_watches.all[i];

		if (watch->turns)
			qts_exit_hold(watch, !watch->hold.held, acts, hold_why(watch, expected), now);
	}
	QTS_POINT("escalation.commit");
	/* a standby that is missing must not keep prices from being looked at; promoted, it judges for itself */
	qts_txn_commit_local();
	return done;
}

static void
look(TimestampTz now)
{
	bool expected = setting == qts_guc.escalation && prices_expected(now);
	bool works = prices_worked_on();
	QtsHeldFigures figures = watches_look(now);
	QtsEscalation next = escalation;
	bool turned = qts_escalation_look(&next, &figures, expected, works, now);

	if (watches_turn(&figures, expected, now) == 0 && !turned)
		escalation = next;
	else if (store(&next, &figures, expected, works, now))
	{
		escalation = next;
		qts_watches.level = next.level;
		for (int i = 0; i < qts_watches.count; i++)
			if (qts_watches.all[i].turns)
				qts_symbol_start(&qts_watches.all[i].hold, !qts_watches.all[i].hold.held);
	}
	else
		return;
	setting = qts_guc.escalation;
}

int64
qts_exit_escalation_look(TimestampTz now)
{
	if (escalation.level != qts_watches.level)
		qts_escalation_start(&escalation, qts_watches.level);
	/* by the clock that ages are judged by: however far it steps, the turn after it looks */
	if (looked_at == 0 || now < looked_at || now - looked_at >= LOOK_US)
	{
		look(now);
		looked_at = now;
	}
	if (escalation.level == QTS_ESCALATION_NONE && (qts_watches.count == 0 || !prices_expected(now)))
		return -1;
	return looked_at + LOOK_US - now;
}
