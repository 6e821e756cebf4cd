/*-------------------------------------------------------------------------
 *
 * exit.c
 *		Evaluates open positions on every new price and creates EXIT intents.
 *
 * Positions are watched in memory; the board says which prices moved.  A
 * decision opens a transaction, reads the position again under its lock and
 * decides once more: what was watched is only a hint.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "catalog/pg_type_d.h"
#include "utils/date.h"

#include "core/session.h"
#include "db/exec.h"
#include "db/exit_store.h"
#include "db/stmt.h"
#include "db/txn.h"
#include "guc.h"
#include "net/net.h"
#include "shm/board.h"
#include "shm/clock.h"
#include "shm/point.h"
#include "shm/reads.h"
#include "shm/shm.h"
#include "worker.h"

#define RELOAD_US (200 * QTS_MS)
#define FLUSH_US (1 * QTS_SEC) /* a high-water mark is never older than this on disk */

static MemoryContext watch_cxt = NULL;
static QtsProfileRow *profiles = NULL;
static int nprofiles = 0;
static QtsWatch *watches = NULL;
static int nwatches = 0;
static QtsControlMode control = QTS_CONTROL_PAUSE_ALL;

static uint64 seen_position, seen_outcome, seen_config;
static QtsDate seen_date;
static int64 flushed_mono;
static int64 loaded_mono;

static QtsStmt ensure_partitions = {"SELECT system._ensure_partitions($1, 2)", 1, {DATEOID}};

static void
exit_start(void)
{
	seen_position = seen_outcome = seen_config = 0;
	loaded_mono = 0;
	seen_date = PG_INT32_MIN;
	flushed_mono = 0;
	if (watch_cxt == NULL)
		watch_cxt = AllocSetContextCreate(TopMemoryContext, "qts watches", ALLOCSET_DEFAULT_SIZES);
	MemoryContextReset(watch_cxt);
	watches = NULL;
	profiles = NULL;
	nwatches = nprofiles = 0;
}

static void
exit_stop(void)
{
	nwatches = 0;
}

/* What memory knows better than the row: marks since the last flush, what was evaluated. */
static void
watch_carry(QtsWatch *fresh, const QtsWatch *old, bool settings)
{
	fresh->board_version = old->board_version;
	/* what the last price was not allowed to do it may do now, and the next may be long in coming */
	if (!settings && fresh->position.mode == old->position.mode &&
		fresh->position.quarantined == old->position.quarantined)
		fresh->evaluated_mono = old->evaluated_mono;
	fresh->retry_at = old->retry_at;
	if (fresh->state.cycle != old->state.cycle)
		return;
	if (old->state.hwm > fresh->state.hwm)
	{
		fresh->state.hwm = old->state.hwm;
		fresh->state.hwm_at = old->state.hwm_at;
		fresh->dirty = true;
	}
	if (fresh->state.phase != old->state.phase)
		return;
	fresh->state.floor_ticks = old->state.floor_ticks;
	fresh->state.floor_since = old->state.floor_since;
	fresh->state.trail_ticks = old->state.trail_ticks;
	fresh->state.trail_since = old->state.trail_since;
}

/* First sight after a start: marks that were not flushed are in the ticks. */
static void
watch_restore(QtsWatch *watch)
{
	QtsPrice high;

	if (watch->state.hwm == 0)
		return;
	high = qts_exit_ticks_high(watch, watch->state.hwm_at);
	if (high > watch->state.hwm)
	{
		watch->state.hwm = high;
		watch->state.hwm_at = qts_now();
		watch->dirty = true;
	}
}

static void
watches_load(QtsDate date, bool settings)
{
	MemoryContext old_cxt = watch_cxt;
	MemoryContext fresh_cxt = AllocSetContextCreate(TopMemoryContext, "qts watches", ALLOCSET_DEFAULT_SIZES);
	QtsWatch *fresh;
	int count;

	/* results are copied out of the transaction's memory */
	{
		QtsProfileRow *rows = qts_exit_load_profiles(&nprofiles);
		QtsWatch *found = qts_exit_load_watches(rows, nprofiles, date, &count);

		profiles = MemoryContextAlloc(fresh_cxt, sizeof(QtsProfileRow) * nprofiles);
		memcpy(profiles, rows, sizeof(QtsProfileRow) * nprofiles);
		fresh = MemoryContextAlloc(fresh_cxt, sizeof(QtsWatch) * (count + 1));
		memcpy(fresh, found, sizeof(QtsWatch) * count);
	}
	for (int i = 0; i < count; i++)
	{
		bool known = false;

		fresh[i].board_slot = qts_board_find(fresh[i].symbol);
		/* loads are in heap order, which seldom changes: look at the same place first */
		for (int k = 0; k < nwatches && !known; k++)
		{
			QtsWatch *old = &watches[(i + k) % nwatches];

			known = memcmp(&old->position_id, &fresh[i].position_id, sizeof(pg_uuid_t)) == 0;
			if (known)
				watch_carry(&fresh[i], old, settings);
		}
		if (!known)
			watch_restore(&fresh[i]);
	}
	watches = fresh;
	nwatches = count;
	watch_cxt = fresh_cxt;
	MemoryContextDelete(old_cxt);
}

/*
 * Take in ended intents at once, one position at a time.  What is watched is
 * only a hint, so positions that others changed are loaded again at a bounded
 * rate; settings and a new day at once.
 */
static bool
follow_changes(TimestampTz now, int64 mono, bool *later)
{
	uint64 outcome = qts_change_count(QTS_CHANGE_OUTCOME);
	uint64 position = qts_change_count(QTS_CHANGE_POSITION);
	uint64 config = qts_change_count(QTS_CHANGE_CONFIG);
	QtsDate date = qts_seoul_date(now);
	bool settings = config != seen_config || date != seen_date || profiles == NULL;

	*later = false;
	if (profiles != NULL && (outcome != seen_outcome || position != seen_position))
	{
		qts_exit_apply_effects(watches, nwatches, profiles, now);
		seen_outcome = outcome;
	}
	if (!settings && position == seen_position)
		return true;
	if (!settings && mono - loaded_mono < RELOAD_US)
	{
		*later = true;
		return true;
	}
	if (!qts_txn_begin("exit load"))
		return false;
	if (date != seen_date)
	{
		Datum args[1] = {DateADTGetDatum(date)};

		qts_stmt_run(&ensure_partitions, args, NULL);
	}
	watches_load(date, settings);
	control = qts_exit_control_mode();
	qts_txn_commit();
	loaded_mono = mono;
	seen_position = position;
	seen_config = config;
	seen_date = date;
	*later = outcome != seen_outcome; /* what ended before the start is taken in next */
	return true;
}

static bool
watch_quote(QtsWatch *watch, TimestampTz now, QtsExitQuote *quote, int64 *published)
{
	QtsBoardEntry entry;
	QtsBoardQuote judged;

	if (watch->board_slot < 0)
		watch->board_slot = qts_board_find(watch->symbol);
	if (watch->board_slot < 0 || !qts_board_read(watch->board_slot, &entry) ||
		!qts_board_judge(&entry, now, QTS_BOARD_DECIDE, &judged))
	{
		qts_read_count(QTS_CACHE_PRICE, QTS_READ_MISS);
		return false;
	}
	qts_read_count(QTS_CACHE_PRICE, judged.stale ? QTS_READ_STALE : QTS_READ_HIT);
	quote->last = judged.quote.last;
	quote->bid = judged.quote.bid;
	quote->stale =
		judged.too_old || judged.halted || !qts_source_decides(judged.source, qts_guc.naver_decides);
	quote->in_session = judged.in_session;
	*published = entry.published_mono;
	return true;
}

/* Decide again on the truth, under the lock, and act. */
static void
watch_decide(QtsWatch *watch, const QtsExitQuote *quote, const QtsExitState *before, int64 published,
			 TimestampTz now)
{
	const QtsProfileRow *row = &profiles[watch->profile];
	int version = watch->version;
	QtsExitDecision decision = {0};
	bool made = false;

	if (!qts_txn_begin("exit decision"))
		return;
	watch->state = *before; /* the same evaluation must not count twice towards a confirmation */
	if (qts_exit_reread(watch))
	{
		if (watch->version != version)
			qts_count(QTS_COUNT_VERSION_CONFLICTS, 1);
		control = qts_exit_control_mode();
		decision = qts_exit_evaluate(&row->profile, &watch->position, &watch->state, quote, control, now);
		watch->dirty |= decision.state_changed;
		if (decision.add_buy)
		{
			/* the bigger quantity is the base of the new cycle's profit targets */
			watch->position.original_qty = watch->position.qty;
			qts_exit_new_cycle(watch, now);
		}
		else if (decision.rule != QTS_RULE_NONE)
			made = qts_exit_act(watch, &decision,
								row->profile_id[0] != '\0' ? row->profile_id : "default_hybrid_v1", control,
								now);
	}
	QTS_POINT("exit.commit");
	qts_txn_commit();
	QTS_POINT("exit.stored");
	if (made)
	{
		/* what this intent holds, until the row is read again */
		watch->position.live_rule[decision.rule] = true;
		watch->position.live_severity = Max(watch->position.live_severity, qts_exit_severity(decision.rule));
		watch->position.available = qts_available_qty(watch->position.available, decision.qty);
		qts_observe(QTS_HIST_TICK_TO_INTENT, qts_mono_us() - published);
	}
}

static void
watch_evaluate(QtsWatch *watch, TimestampTz now, int64 mono)
{
	QtsExitState before = watch->state;
	QtsExitQuote quote;
	QtsExitDecision decision;
	int64 published;

	if (watch->position.qty == 0 || watch->retry_at > now || !watch_quote(watch, now, &quote, &published))
		return;
	watch->retry_at = 0;
	watch->evaluated_mono = mono;
	qts_count(QTS_COUNT_EVALUATIONS, 1);
	decision = qts_exit_evaluate(&profiles[watch->profile].profile, &watch->position, &watch->state, &quote,
								 control, now);
	if (decision.hold == QTS_BLOCK_STALE_PRICE)
		qts_count(QTS_COUNT_STALE_HOLDS, 1);
	watch->dirty |= decision.state_changed || watch->state.hwm != before.hwm;
	if (decision.rule != QTS_RULE_NONE || decision.add_buy)
		watch_decide(watch, &quote, &before, published, now);
}

static void
flush_states(TimestampTz now, int64 mono)
{
	bool any = false;

	for (int i = 0; i < nwatches && !any; i++)
		any = watches[i].dirty;
	if (!any || mono - flushed_mono < FLUSH_US || !qts_txn_begin("exit state"))
		return;
	for (int i = 0; i < nwatches; i++)
		if (watches[i].dirty && watches[i].position.qty > 0)
			qts_exit_store_state(&watches[i], now);
	qts_txn_commit_async();
	flushed_mono = mono;
}

static long
exit_step(void)
{
	TimestampTz now = qts_now();
	int64 mono = qts_mono_us();
	int64 quiet = qts_guc.exit_interval * QTS_MS;
	bool dirty = false;
	bool later;

	if (!follow_changes(now, mono, &later))
		return 1000;
	for (int i = 0; i < nwatches; i++)
	{
		QtsWatch *watch = &watches[i];
		uint32 version = watch->board_slot < 0 ? 0 : qts_board_version(watch->board_slot);

		if (watch->board_slot >= 0 && version == watch->board_version && mono - watch->evaluated_mono < quiet)
			continue;
		watch->board_version = version;
		watch_evaluate(watch, now, mono);
	}
	flush_states(now, mono);
	for (int i = 0; i < nwatches && !dirty; i++)
		dirty = watches[i].dirty;
	qts_worker_detail("%d positions watched, control %s", nwatches, qts_control_mode_name(control));
	if (later)
		return RELOAD_US / QTS_MS;
	if (nwatches == 0)
		return -1;
	return dirty ? Min(qts_guc.exit_interval, FLUSH_US / QTS_MS) : qts_guc.exit_interval;
}

const QtsWorker qts_exit_worker = {
	.name = "exit",
	.role = "qts_exit",
	.network = false,
	.start = exit_start,
	.step = exit_step,
	.stop = exit_stop,
};
