/*-------------------------------------------------------------------------
 *
 * exit_watches.c
 *		Loads what the exit worker watches, and keeps what memory knows better
 *		than the rows: marks since the last flush, confirmations under way.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "utils/date.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "core/session.h"
#include "db/exec.h"
#include "db/stmt.h"
#include "db/txn.h"
#include "exit_watches.h"
#include "guc.h"
#include "shm/board.h"
#include "shm/clock.h"
#include "shm/wake.h"

#define RELOAD_US (200 * QTS_MS)
#define FACTS_BEFORE_US (10 * QTS_SEC) /* previous closes are read this long before the open */

typedef struct WatchKey
{
	pg_uuid_t position_id;
	int index;
} WatchKey;

QtsWatches qts_watches;

static MemoryContext watch_cxt = NULL;
static MemoryContext profile_cxt = NULL;
static HTAB *by_id = NULL;
static uint64 seen_position, seen_outcome, seen_config;
static QtsDate seen_date;
static int64 loaded_mono;
static bool facts_known; /* previous closes of today */

static QtsStmt ensure_partitions = {"SELECT system._ensure_partitions($1, 2)", 1, {DATEOID}};

static QtsStmt load_windows = {
	"SELECT anchor = 'CLOSE', (extract(epoch FROM from_offset) * 1000000)::bigint,"
	" (extract(epoch FROM until_offset) * 1000000)::bigint, (extract(epoch FROM every) * 1000000)::bigint"
	" FROM trade.exit_windows ORDER BY every LIMIT 16"};

void
qts_watches_start(void)
{
	seen_position = seen_outcome = seen_config = 0;
	seen_date = PG_INT32_MIN;
	loaded_mono = 0;
	facts_known = false;
	if (watch_cxt == NULL)
		watch_cxt = AllocSetContextCreate(TopMemoryContext, "qts watches", ALLOCSET_DEFAULT_SIZES);
	MemoryContextReset(watch_cxt);
	by_id = NULL;
	memset(&qts_watches, 0, sizeof(qts_watches));
	qts_watches.control = QTS_CONTROL_PAUSE_ALL;
}

static QtsWatch *
watch_find(const pg_uuid_t *position_id)
{
	WatchKey *key = by_id ? hash_search(by_id, position_id, HASH_FIND, NULL) : NULL;

	return key ? &qts_watches.all[key->index] : NULL;
}

/* What memory knows better than the row: marks since the last flush, what was evaluated. */
static void
watch_carry(QtsWatch *fresh, const QtsWatch *old, bool settings, bool new_day)
{
	if (!new_day)
	{
		fresh->prev_close = old->prev_close;
		fresh->first = old->first;
	}
	fresh->stale_since = old->stale_since;
	/* what the last price was not allowed to do it may do now, and the next may be long in coming */
	if (!settings && fresh->position.mode == old->position.mode &&
		fresh->position.quarantined == old->position.quarantined &&
		fresh->position.held_back == old->position.held_back)
		fresh->evaluated_mono = old->evaluated_mono;
	fresh->hold = old->hold;
	if (fresh->state.cycle != old->state.cycle)
		return;
	memcpy(fresh->waits, old->waits, sizeof(fresh->waits));
	if (!fresh->has_state)
	{
		/* nothing is stored yet */
		fresh->state = old->state;
		fresh->dirty = true;
		return;
	}
	/* what the last look compared with: an older one would count shares twice, or not at all */
	fresh->state.last_avg_price = old->state.last_avg_price;
	fresh->state.base_avg_price = old->state.base_avg_price;
	fresh->state.last_qty = old->state.last_qty;
	fresh->state.cycle_buy = old->state.cycle_buy;
	fresh->dirty |= old->dirty;
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
	fresh->state.even_ticks = old->state.even_ticks;
	fresh->state.even_since = old->state.even_since;
}

/* First sight after a start: marks that were not flushed are in the ticks. */
static void
watch_restore(QtsWatch *watch)
{
	QtsPrice high;

	if (watch->position.held_days > 0)
		facts_known = false;
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

static HTAB *
index_build(MemoryContext context, const QtsWatch *watches, int count)
{
	HASHCTL ctl = {.keysize = sizeof(pg_uuid_t), .entrysize = sizeof(WatchKey), .hcxt = context};
	HTAB *table = hash_create("qts watches", Max(count, 16), &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);

	for (int i = 0; i < count; i++)
		((WatchKey *) hash_search(table, &watches[i].position_id, HASH_ENTER, NULL))->index = i;
	return table;
}

static void
slot_link(int index)
{
	QtsWatch *watch = &qts_watches.all[index];

	if (watch->board_slot < 0 || watch->board_slot >= qts_watches.nslots)
		return;
	watch->next_of_slot = qts_watches.by_slot[watch->board_slot];
	qts_watches.by_slot[watch->board_slot] = index;
}

void
qts_watches_find_slots(void)
{
	if (qts_watches.unplaced == 0)
		return;
	qts_watches.unplaced = 0;
	for (int i = 0; i < qts_watches.count; i++)
	{
		QtsWatch *watch = &qts_watches.all[i];

		if (watch->board_slot >= 0)
			continue;
		watch->board_slot = qts_board_find(watch->symbol);
		slot_link(i);
		qts_watches.unplaced += watch->board_slot < 0;
	}
}

/* Watches whose rows are as they were read go on; the others are read, ids and all that is new of them. */
static int
watches_keep(QtsWatch *fresh, const QtsWatchVersion *versions, int count, pg_uuid_t *ids, int *nids)
{
	int kept = 0;

	*nids = 0;
	for (int i = 0; i < count; i++)
	{
		const QtsWatch *old = watch_find(&versions[i].position_id);

		if (old != NULL && old->row_xmin == versions[i].row_xmin && old->state_xmin == versions[i].state_xmin)
			fresh[kept++] = *old;
		else
			ids[(*nids)++] = versions[i].position_id;
	}
	return kept;
}

static void
watches_take(QtsWatch *fresh, const QtsWatch *found, int count, bool settings, bool new_day)
{
	for (int i = 0; i < count; i++)
	{
		const QtsWatch *old = watch_find(&found[i].position_id);

		fresh[i] = found[i];
		if (old != NULL)
			watch_carry(&fresh[i], old, settings, new_day);
		else
			watch_restore(&fresh[i]);
	}
}

/* What was found is of the transaction's memory; what is watched outlives it. */
static void
watches_replace(MemoryContext context, QtsWatch *fresh, int count)
{
	MemoryContext old_cxt = watch_cxt;

	by_id = index_build(context, fresh, count);
	qts_watches.all = fresh;
	qts_watches.count = count;
	qts_watches.nslots = qts_board_words() * 64;
	qts_watches.by_slot = MemoryContextAlloc(context, sizeof(int) * qts_watches.nslots);
	memset(qts_watches.by_slot, 0xff, sizeof(int) * qts_watches.nslots);
	for (int i = 0; i < count; i++)
		fresh[i].board_slot = fresh[i].next_of_slot = -1;
	qts_watches.unplaced = count;
	qts_watches_find_slots();
	MemoryContextSetParent(context, TopMemoryContext);
	watch_cxt = context;
	MemoryContextDelete(old_cxt);
}

/* Goes with the transaction, unless it becomes what is watched. */
static MemoryContext
watches_context(void)
{
	return AllocSetContextCreate(CurrentMemoryContext, "qts watches", ALLOCSET_DEFAULT_SIZES);
}

/* Everything again: other settings, another day. */
static void
watches_load(QtsDate date, bool new_day)
{
	MemoryContext context = watches_context();
	int nprofiles;
	int count;
	QtsProfileRow *rows = qts_exit_load_profiles(&nprofiles);
	QtsWatch *found = qts_exit_load_watches(rows, nprofiles, date, NULL, 0, &count);
	QtsWatch *fresh = MemoryContextAllocHuge(context, sizeof(QtsWatch) * (count + 1));

	watches_take(fresh, found, count, true, new_day);
	if (profile_cxt == NULL)
		profile_cxt = AllocSetContextCreate(TopMemoryContext, "qts exit profiles", ALLOCSET_DEFAULT_SIZES);
	MemoryContextReset(profile_cxt);
	qts_watches.profiles = MemoryContextAlloc(profile_cxt, sizeof(QtsProfileRow) * nprofiles);
	memcpy(qts_watches.profiles, rows, sizeof(QtsProfileRow) * nprofiles);
	qts_watches.nprofiles = nprofiles;
	watches_replace(context, fresh, count);
}

/* Only positions that changed. */
static void
watches_refresh(QtsDate date)
{
	int count;
	int nids;
	int nfound = 0;
	int kept;
	QtsWatchVersion *versions = qts_exit_load_versions(&count);
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * (count + 1));
	MemoryContext context = watches_context();
	/* those that are found may be fewer by then, not more */
	QtsWatch *fresh = MemoryContextAllocHuge(context, sizeof(QtsWatch) * (count + 1));

	kept = watches_keep(fresh, versions, count, ids, &nids);
	if (nids > 0)
	{
		QtsWatch *found =
			qts_exit_load_watches(qts_watches.profiles, qts_watches.nprofiles, date, ids, nids, &nfound);

		watches_take(&fresh[kept], found, nfound, false, false);
	}
	watches_replace(context, fresh, kept + nfound);
}

static void
settings_load(TimestampTz now)
{
	const QtsCalendarDay *day;
	int n = (int) qts_stmt_run(&load_windows, NULL, NULL);

	qts_watches.nwindows = Min(n, QTS_EXIT_WINDOWS);
	for (int i = 0; i < qts_watches.nwindows; i++)
		qts_watches.windows[i] = (QtsExitWindow){
			.close = qts_col_bool(i, 1),
			.from = qts_col_int64(i, 2, 0),
			.until = qts_col_int64(i, 3, 0),
			.every = qts_col_int64(i, 4, 0),
		};
	day = qts_calendar_today(now);
	qts_watches.day_known = day != NULL;
	if (day != NULL)
		qts_watches.day = *day;
	qts_watches.control = qts_exit_control_mode();
	qts_watches.level = qts_exit_escalation();
	facts_known = false;
}

/* Is it time for what is known only shortly before the open? */
static bool
facts_due(TimestampTz now)
{
	const QtsCalendarDay *day = &qts_watches.day;

	return !facts_known && qts_watches.day_known && day->is_open && qts_watches.count > 0 &&
		   now >= qts_seoul_instant(day->date, day->open_at) - FACTS_BEFORE_US;
}

static bool
facts_follow(TimestampTz now)
{
	const QtsCalendarDay *day = &qts_watches.day;

	if (!facts_due(now))
		return true;
	if (!qts_txn_begin("exit session"))
		return false;
	qts_exit_session_facts(qts_watches.all, qts_watches.count, day->date,
						   qts_seoul_instant(day->date, day->open_at));
	qts_txn_commit();
	facts_known = true;
	return true;
}

bool
qts_watches_follow(TimestampTz now, int64 mono, bool *later)
{
	uint64 outcome = qts_change_count(QTS_CHANGE_OUTCOME);
	uint64 position = qts_change_count(QTS_CHANGE_POSITION);
	uint64 config = qts_change_count(QTS_CHANGE_CONFIG);
	QtsDate date = qts_seoul_date(now);
	bool settings = config != seen_config || date != seen_date || qts_watches.profiles == NULL;

	*later = false;
	if (qts_watches.profiles != NULL && (outcome != seen_outcome || position != seen_position))
	{
		qts_exit_apply_effects(watch_find, qts_watches.profiles, now);
		seen_outcome = outcome;
		qts_watches.touched = true;
	}
	if (!settings && position == seen_position)
		return facts_follow(now);
	if (!settings && mono - loaded_mono < RELOAD_US)
	{
		*later = true;
		return facts_follow(now);
	}
	if (!qts_txn_begin("exit load"))
		return false;
	if (date != seen_date)
	{
		Datum args[1] = {DateADTGetDatum(date)};

		qts_stmt_run(&ensure_partitions, args, NULL);
	}
	if (settings)
	{
		settings_load(now);
		watches_load(date, date != seen_date);
	}
	else
		watches_refresh(date);
	qts_txn_commit();
	qts_watches.touched = true;
	loaded_mono = mono;
	seen_position = position;
	seen_config = config;
	seen_date = date;
	*later = outcome != seen_outcome; /* what ended before the start is taken in next */
	return facts_follow(now);
}
