/*-------------------------------------------------------------------------
 *
 * exit.c
 *		Evaluates open positions on every new price and creates EXIT intents.
 *
 * Positions are watched in memory; the board says which prices moved, and a
 * band around each position which of them concern it.  A decision opens a
 * transaction, reads the position again under its lock and decides once more:
 * what was watched is only a hint.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "port/pg_bitutils.h"

#include "core/money.h"
#include "core/price.h"
#include "db/exec.h"
#include "db/txn.h"
#include "exit_escalation.h"
#include "exit_watches.h"
#include "guc.h"
#include "net/net.h"
#include "shm/board.h"
#include "shm/clock.h"
#include "shm/point.h"
#include "shm/reads.h"
#include "shm/shm.h"
#include "worker.h"

#define FLUSH_US (1 * QTS_SEC)		  /* a high-water mark is never older than this on disk */
#define STALE_AFTER_US (30 * QTS_SEC) /* of a position without a price to decide on */
#define AVERAGE_MOVED 10000			  /* 1 %, in the middle of a decision */

static int64 flushed_mono;
static int64 swept_mono; /* last look at every position */
static bool unflushed;	 /* some state differs from its row */
static TimestampTz stale_told;

static void
exit_start(void)
{
	qts_watches_start();
	qts_exit_escalation_start();
	flushed_mono = swept_mono = 0;
	unflushed = false;
	stale_told = 0;
}

static void
exit_stop(void)
{
	qts_watches.count = 0;
	qts_watches.by_slot = NULL;
	qts_watches.nslots = 0;
}

/* What is known without any price; EMERGENCY needs no more. */
static void
quote_of_day(const QtsWatch *watch, TimestampTz now, QtsExitQuote *quote)
{
	const QtsCalendarDay *day = qts_watches.day_known ? &qts_watches.day : NULL;

	memset(quote, 0, sizeof(*quote));
	quote->stale = true;
	quote->prev_close = watch->prev_close;
	quote->first = watch->first;
	quote->since_open = day && day->is_open ? now - qts_seoul_instant(day->date, day->open_at) : -1;
	if (qts_watches.control == QTS_CONTROL_EMERGENCY_FLATTEN)
		quote->in_session = qts_session_accepts_orders(qts_session_phase(day, now));
}

/* The first price of the session is one that was printed in it. */
static void
watch_first(QtsWatch *watch, const QtsBoardQuote *judged, QtsExitQuote *quote)
{
	const QtsCalendarDay *day = &qts_watches.day;

	if (watch->first != 0 || quote->stale || !quote->in_session || quote->since_open < 0 ||
		!qts_printed_since(judged->quote.exch_at, judged->quote.recv_at, judged->quote.volume,
						   qts_seoul_instant(day->date, day->open_at)))
		return;
	watch->first = quote->bid > 0 ? quote->bid : quote->last;
	quote->first = watch->first;
}

/* False: there is no price at all, and nothing to decide without one. */
static bool
watch_quote(QtsWatch *watch, TimestampTz now, QtsExitQuote *quote, int64 *published, bool *halted)
{
	QtsBoardEntry entry;
	QtsBoardQuote judged;

	quote_of_day(watch, now, quote);
	*published = qts_mono_us();
	*halted = false;
	if (watch->board_slot < 0 || !qts_board_read(watch->board_slot, &entry) ||
		!qts_board_judge(&entry, now, QTS_BOARD_DECIDE, &judged))
	{
		qts_read_count(QTS_CACHE_PRICE, QTS_READ_MISS);
		return quote->in_session;
	}
	qts_read_count(QTS_CACHE_PRICE, judged.stale ? QTS_READ_STALE : QTS_READ_HIT);
	quote->last = judged.quote.last;
	quote->bid = judged.quote.bid;
	quote->stale =
		judged.too_old || judged.halted || !qts_source_decides(judged.source, qts_guc.naver_decides);
	quote->in_session = quote->in_session || judged.in_session;
	*halted = judged.halted;
	*published = entry.published_mono;
	watch_first(watch, &judged, quote);
	return true;
}

/* The average price is not expected to move by itself (runtime 4.11). */
static void
tell_average(const QtsWatch *watch, QtsPrice before)
{
	QtsPrice after = watch->position.avg_price;

	if (before <= 0 || after <= 0 ||
		(!qts_return_at_least(after, before, AVERAGE_MOVED) &&
		 !qts_return_at_most(after, before, -AVERAGE_MOVED)))
		return;
	qts_alert("WARNING", "AVERAGE_MOVED", watch->symbol,
			  "It was decided again on the new one; see qts.timeline().",
			  "the average price of %s moved by " INT64_FORMAT " ppm while an exit was decided",
			  watch->symbol, qts_return_ppm(after, before));
}

/* A cycle began, or grew by an order that goes on: the quantity is the base of profit targets. */
static void
watch_new_shares(QtsWatch *watch, const QtsExitDecision *decision, TimestampTz now)
{
	/* the price is looked at again for the new shares */
	watch->evaluated_mono = 0;
	qts_watches.touched = true;
	if (decision->add_buy)
	{
		watch->position.original_qty = watch->position.qty;
		/* what had its turn had it in the old cycle */
		memset(watch->position.live_rule, 0, sizeof(watch->position.live_rule));
		memset(watch->position.live_custom, 0, sizeof(watch->position.live_custom));
		qts_exit_new_cycle(watch, now);
		return;
	}
	watch->position.original_qty += decision->grown;
	qts_exit_store_state(watch, now);
}

/* What this intent holds, until the row is read again. */
static void
watch_made(QtsWatch *watch, const QtsExitDecision *decision, int64 published)
{
	QtsExitPosition *position = &watch->position;

	if (decision->rule == QTS_RULE_CUSTOM)
		position->live_custom[decision->custom] = true;
	else
		position->live_rule[decision->rule] = true;
	position->live_severity = Max(position->live_severity, decision->severity);
	position->available = qts_available_qty(position->available, decision->qty);
	qts_observe(QTS_HIST_TICK_TO_INTENT, qts_mono_us() - published);
}

/* Decide again on the truth, under the lock, and act. */
static void
watch_decide(QtsWatch *watch, const QtsExitQuote *quote, const QtsExitState *before, int64 published,
			 TimestampTz now)
{
	const QtsProfileRow *row = &qts_watches.profiles[watch->profile];
	QtsPrice average = watch->position.avg_price;
	int version = watch->version;
	QtsExitDecision decision = {0};
	QtsExitState unseen;
	bool made = false;

	if (!qts_txn_begin("exit decision"))
		return;
	watch->state = *before; /* the same evaluation must not count twice towards a confirmation */
	if (qts_exit_reread(watch, row, now))
	{
		if (watch->version != version)
		{
			qts_count(QTS_COUNT_VERSION_CONFLICTS, 1);
			tell_average(watch, average);
		}
		(void) qts_exit_wait_apply(watch->waits, &watch->position, now);
		qts_watches.control = qts_exit_control_mode();
		unseen = watch->state;
		decision = qts_exit_evaluate(&row->profile, &watch->position, &watch->state, quote,
									 qts_watches.control, now);
		watch->dirty |= decision.state_changed;
		if (decision.add_buy || decision.grown != 0)
			watch_new_shares(watch, &decision, now);
		else if (decision.rule != QTS_RULE_NONE)
			made = qts_exit_act(watch, &decision, row, qts_watches.control, now);
		if (decision.rule != QTS_RULE_NONE && watch->evaluated_mono == 0)
		{
			/* it waits, and confirmed it stays: looked at again without it */
			watch->state = unseen;
			qts_watches.touched = true;
		}
	}
	QTS_POINT("exit.commit");
	/* the claim's commit takes it along; one that a crash undoes is decided again */
	qts_txn_commit_soon();
	QTS_POINT("exit.stored");
	if (made)
		watch_made(watch, &decision, published);
}

/* How long there has been nothing to decide on, in trading hours. */
static void
watch_note_stale(QtsWatch *watch, const QtsExitQuote *quote, bool halted, TimestampTz now)
{
	const QtsCalendarDay *day = qts_watches.day_known ? &qts_watches.day : NULL;

	if (!quote->stale || halted || !qts_session_evaluates(qts_session_phase(day, now)))
		watch->stale_since = 0;
	else if (watch->stale_since == 0)
		watch->stale_since = now;
}

/* Is this price one that decides nothing?  The mark may move. */
static bool
watch_in_band(QtsWatch *watch, const QtsExitQuote *quote, TimestampTz now)
{
	QtsPrice price = quote->bid > 0 ? quote->bid : quote->last;

	if (quote->stale || !quote->in_session || price <= watch->band.low)
		return false;
	if (price < watch->band.high)
		return true;
	if (price >= watch->band.rise)
		return false;
	qts_exit_raise(&watch->state, &watch->band, price, now);
	watch->dirty = unflushed = true;
	return true;
}

static void
watch_evaluate(QtsWatch *watch, TimestampTz now, int64 mono)
{
	QtsExitState before;
	QtsExitQuote quote;
	QtsExitDecision decision;
	const QtsExitProfile *profile;
	int64 published;
	bool halted;
	bool priced;

	if (watch->position.qty == 0)
		return;
	priced = watch_quote(watch, now, &quote, &published, &halted);
	watch_note_stale(watch, &quote, halted, now);
	if (!priced)
		return;
	watch->evaluated_mono = mono;
	qts_count(QTS_COUNT_EVALUATIONS, 1);
	if (qts_exit_wait_apply(watch->waits, &watch->position, now))
		memset(&watch->band, 0, sizeof(watch->band));
	if (watch_in_band(watch, &quote, now))
		return;
	before = watch->state;
	profile = &qts_watches.profiles[watch->profile].profile;
	decision = qts_exit_evaluate(profile, &watch->position, &watch->state, &quote, qts_watches.control, now);
	if (decision.hold == QTS_BLOCK_STALE_PRICE)
		qts_count(QTS_COUNT_STALE_HOLDS, 1);
	watch->dirty |= decision.state_changed || watch->state.hwm != before.hwm;
	if (decision.rule != QTS_RULE_NONE || decision.add_buy || decision.grown != 0)
	{
		watch_decide(watch, &quote, &before, published, now);
		/* what was refused leaves the band to the others */
		(void) qts_exit_wait_apply(watch->waits, &watch->position, now);
	}
	unflushed |= watch->dirty;
	watch->band = qts_exit_band(profile, &watch->position, &watch->state, &quote, qts_watches.control);
}

static void
flush_states(TimestampTz now, int64 mono)
{
	bool any = false;

	if (!unflushed || mono - flushed_mono < FLUSH_US)
		return;
	for (int i = 0; i < qts_watches.count && !any; i++)
		any = qts_watches.all[i].dirty && qts_watches.all[i].position.qty > 0;
	unflushed = any;
	if (!any || !qts_txn_begin("exit state"))
		return;
	qts_exit_store_states(qts_watches.all, qts_watches.count, now);
	qts_txn_commit_async();
	unflushed = false;
	flushed_mono = mono;
}

/* Nothing is sold on a stale price; a person has to know (runtime 4.16). */
static void
tell_stale(TimestampTz now)
{
	const QtsWatch *worst = NULL;
	int count = 0;

	if (now - stale_told < STALE_AFTER_US && now >= stale_told)
		return;
	for (int i = 0; i < qts_watches.count; i++)
	{
		const QtsWatch *watch = &qts_watches.all[i];

		if (watch->stale_since == 0 || watch->position.qty == 0 || now - watch->stale_since <= STALE_AFTER_US)
			continue;
		if (worst == NULL || watch->stale_since < worst->stale_since)
			worst = watch;
		count++;
	}
	if (worst == NULL || !qts_txn_begin("exit stale"))
		return;
	qts_alert(
		"CRITICAL", "EXIT_STALE", worst->symbol,
		count == 1 ? "Look at its price; qts.set_position_exit_mode(..., 'MANUAL_ONLY') if it stays so."
				   : "See qts.status(); qts.set_exit_mode('PAUSE_PROFIT', ...) while prices are unstable.",
		"%d positions have had no price to decide on for more than 30 s, longest %s", count, worst->symbol);
	qts_txn_commit_local();
	stale_told = now;
}

/* Positions whose price moved. */
static void
evaluate_changed(TimestampTz now, int64 mono)
{
	int words = Min(qts_watches.nslots / 64, qts_board_words());

	for (int word = 0; word < words; word++)
	{
		uint64 bits = qts_board_take_changed(word);

		for (; bits != 0; bits &= bits - 1)
		{
			int slot = word * 64 + pg_rightmost_one_pos64(bits);

			/* perhaps the first price of a symbol that was not on the board */
			if (qts_watches.by_slot[slot] < 0)
				qts_watches_find_slots();
			for (int i = qts_watches.by_slot[slot]; i >= 0; i = qts_watches.all[i].next_of_slot)
				watch_evaluate(&qts_watches.all[i], now, mono);
		}
	}
}

/* Positions whose price is quiet: confirmations, stale prices and retries are about time. */
static void
evaluate_quiet(TimestampTz now, int64 mono, int64 quiet)
{
	bool due = mono - swept_mono >= quiet;

	if (!due && !qts_watches.touched)
		return;
	unflushed |= qts_watches.touched;
	qts_watches.touched = false;
	if (due)
		qts_watches_find_slots();
	for (int i = 0; i < qts_watches.count; i++)
	{
		QtsWatch *watch = &qts_watches.all[i];

		if (watch->evaluated_mono == 0 || (due && mono - watch->evaluated_mono >= quiet / 2))
			watch_evaluate(watch, now, mono);
	}
	if (due)
	{
		swept_mono = mono;
		tell_stale(now);
	}
}

static long
exit_step(void)
{
	TimestampTz now = qts_now();
	int64 mono = qts_mono_us();
	const QtsCalendarDay *day;
	bool later;
	int64 quiet;
	int64 left;
	int64 look;

	if (!qts_watches_follow(now, mono, &later))
		return 1000;
	day = qts_watches.day_known ? &qts_watches.day : NULL;
	quiet = qts_exit_interval(qts_watches.windows, qts_watches.nwindows, day, now,
							  qts_guc.exit_interval * QTS_MS);
	evaluate_changed(now, mono);
	evaluate_quiet(now, mono, quiet);
	qts_txn_flush();
	flush_states(now, mono);
	look = qts_exit_escalation_look(now);
	qts_worker_detail("%d positions watched, control %s", qts_watches.count,
					  qts_control_mode_name(qts_watches.control));
	if (later)
		return 200;
	if (qts_watches.count == 0)
		return look < 0 ? -1 : (long) (look / QTS_MS) + 1;
	if (qts_watches.touched)
		return 0;
	left = swept_mono + quiet - mono;
	if (unflushed)
		left = Min(left, FLUSH_US);
	if (look >= 0)
		left = Min(left, look);
	left = qts_exit_interval_holds(qts_watches.windows, qts_watches.nwindows, day, now, Max(left, 0));
	return (long) (left / QTS_MS) + 1;
}

const QtsWorker qts_exit_worker = {
	.name = "exit",
	.role = "qts_exit",
	.network = false,
	.lookups = true,
	.start = exit_start,
	.step = exit_step,
	.stop = exit_stop,
};
