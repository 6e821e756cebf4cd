/*-------------------------------------------------------------------------
 *
 * replay.c
 *		qts.replay(): one live position over the stored ticks again.
 *
 * The ticks are what the price board showed, the intents and fills what the
 * broker did, the audit log who changed what; all of it is read, nothing
 * written.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

#include "core/intake.h"
#include "core/order.h"
#include "core/replay.h"
#include "db/history.h"
#include "db/profile.h"
#include "db/walk_rows.h"
#include "errcodes.h"
#include "guc.h"
#include "shm/shm.h"

extern PGDLLEXPORT Datum qts_sql_replay(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum qts_sql_replay_path(PG_FUNCTION_ARGS);

#define REPLAY_COLUMNS 12
/* A decision and its intent: one turn of the timer, and a slow commit. */
#define REPLAY_SLACK (3 * QTS_SEC)

typedef enum RecordKind
{
	RECORD_BUY,
	RECORD_SELL,
	RECORD_MODE,
	RECORD_CONTROL,
	RECORD_PROFILE,
	RECORD_HOLD,	  /* qty: held back */
	RECORD_QUARANTINE /* qty: quarantined */
} RecordKind;

/* Something that happened to the position besides prices. */
typedef struct Record
{
	TimestampTz at;
	RecordKind kind;
	QtsQty qty;
	QtsPrice price;
	int64 order;
	char *word; /* a mode, or a profile */
} Record;

typedef struct Replaying
{
	MemoryContext cxt;
	bool found;
	char symbol[QTS_SYMBOL_LEN + 1];
	char *config;
	TimestampTz from;
	TimestampTz until;
	TimestampTz entry_at;
	QtsReplay replay;
	Record *record;
	int nrecords;
	int next; /* record */
	int room;
	int intent_room;

	QtsHistory *history;
	QtsHistorySymbol *of;
	QtsWalkDay day;
	TimestampTz day_end;
	QtsQuote quote[QTS_SOURCE_COUNT];
	QtsPrice first;
	QtsPrice last;
	TimestampTz looked_at;
	void (*seen)(struct Replaying *run, const QtsExitQuote *quote, TimestampTz at, void *arg);
	void *arg;
} Replaying;

static QtsStmt read_position = {
	"SELECT p.symbol, p.qty, p.original_qty, (p.avg_price * 10000)::int8, p.created_ts,"
	" coalesce((SELECT x.exit_ts FROM trade.exit_events x WHERE x.position_id = p.position_id), qts._now()),"
	" coalesce((SELECT a.before ->> 'exit_mode' FROM system.audit_log a WHERE a.action = 'set_position_exit_mode'"
	"  AND a.object = p.position_id::text ORDER BY a.audit_id LIMIT 1), p.exit_mode),"
	" qts._profile_at(qts._profile_chosen(p, p.created_ts), p.created_ts)::text, p.entry_ts,"
	/* the mode in force when it began */
	" coalesce((SELECT h.mode FROM trade.exit_control_history h WHERE h.updated_ts <= p.created_ts"
	"  ORDER BY h.history_id DESC LIMIT 1), 'RUNNING')"
	" FROM trade.positions p WHERE p.position_id = $1",
	1,
	{UUIDOID}};

static QtsStmt read_intents = {
	"SELECT i.reason_code, i.action_key, coalesce(i.exit_cycle, 0), coalesce(i.phase, 'OPEN'), i.priority, i.qty, i.filled_qty,"
	" (coalesce(i.decided_price, 0) * 10000)::int8, (coalesce(i.threshold_price, 0) * 10000)::int8, i.created_ts,"
	/* the row is touched again when the ledger confirms what a notice told */
	" coalesce((SELECT max(f.ts) FROM trade.orders o JOIN trade.fills f USING (order_uid)"
	"  WHERE o.intent_id = i.intent_id AND i.status = 'FILLED'), i.updated_ts),"
	" i.status, i.source_module = 'EXIT', hashtextextended(i.intent_id::text, 0) FROM trade.order_intents i"
	" WHERE i.position_id = $1 AND i.intent_type <> 'ENTRY' ORDER BY i.created_ts, i.intent_id",
	1,
	{UUIDOID}};

static QtsStmt read_records = {
	"SELECT r.* FROM (SELECT f.ts, CASE f.side WHEN 'BUY' THEN 0 ELSE 1 END, f.qty, (f.price * 10000)::int8,"
	"  hashtextextended(CASE f.side WHEN 'BUY' THEN f.order_uid ELSE coalesce(o.intent_id, f.order_uid) END::text, 0),"
	"  NULL::text FROM trade.fills f LEFT JOIN trade.orders o USING (order_uid) WHERE f.position_id = $1"
	" UNION ALL SELECT coalesce(a.engine_ts, a.ts), 2, 0, 0, 0, a.after ->> 'exit_mode' FROM system.audit_log a"
	"  WHERE a.action = 'set_position_exit_mode' AND a.object = ($1)::text"
	" UNION ALL SELECT h.updated_ts, 3, 0, 0, 0, h.mode FROM trade.exit_control_history h"
	" UNION ALL SELECT coalesce(a.engine_ts, a.ts), 5, (a.action = 'hold_back')::int, 0, 0, NULL FROM system.audit_log a"
	"  WHERE a.action IN ('hold_back', 'release_hold') AND a.object = ($1)::text"
	" UNION ALL SELECT coalesce(a.engine_ts, a.ts), 6, (a.after ->> 'quarantine_reason' IS NOT NULL)::int, 0, 0, NULL"
	"  FROM system.audit_log a WHERE a.action = 'quarantine' AND a.object = ($1)::text"
	/* whenever another one may have come into force: saved, chosen, or its day begun */
	" UNION ALL SELECT t.at, 4, 0, 0, 0, qts._profile_at(qts._profile_chosen(p, t.at), t.at)::text FROM trade.positions p"
	"  CROSS JOIN LATERAL (SELECT coalesce(a.engine_ts, a.ts) FROM system.audit_log a WHERE a.action = 'save_exit_profile'"
	"   OR (a.action = 'set_position_profile' AND a.object = p.position_id::text)"
	"   OR (a.action = 'set_symbol_profile' AND a.object = p.symbol)"
	"   UNION SELECT timezone('Asia/Seoul', (a.after ->> 'effective_from')::date::timestamp) FROM system.audit_log a"
	"   WHERE a.action = 'set_symbol_profile' AND a.object = p.symbol) AS t (at)"
	"  WHERE p.position_id = $1 AND t.at > p.created_ts)"
	" AS r (ts, kind, qty, price, by, word) ORDER BY r.ts, r.kind",
	1,
	{UUIDOID}};

static char *
replay_text(Replaying *run, Datum value)
{
	MemoryContext old = MemoryContextSwitchTo(run->cxt);
	char *copy = TextDatumGetCString(value);

	MemoryContextSwitchTo(old);
	return copy;
}

static void
take_position(void *arg, const Datum *values, const bool *nulls)
{
	Replaying *run = arg;
	QtsExitPosition *position = &run->replay.position;

	run->found = true;
	text_to_cstring_buffer(DatumGetTextPP(values[0]), run->symbol, sizeof(run->symbol));
	position->qty = DatumGetInt64(values[1]);
	position->original_qty = DatumGetInt64(values[2]);
	position->avg_price = DatumGetInt64(values[3]);
	run->from = DatumGetTimestampTz(values[4]);
	run->until = DatumGetTimestampTz(values[5]);
	if (!qts_position_mode_parse(replay_text(run, values[6]), &position->mode))
		position->mode = QTS_POSITION_DISABLED;
	run->config = nulls[7] ? NULL : replay_text(run, values[7]);
	run->entry_at = DatumGetTimestampTz(values[8]);
	if (!qts_control_mode_parse(replay_text(run, values[9]), &run->replay.control))
		run->replay.control = QTS_CONTROL_PAUSE_ALL;
}

/* The id of a custom rule is the last part of its action key; none when the profile has lost it since. */
static int
intent_custom(const Replaying *run, const char *key)
{
	const char *id = strrchr(key, ':');

	return id == NULL ? QTS_CUSTOM_NONE : qts_exit_custom_find(&run->replay.profile, id + 1);
}

static void
take_intent(void *arg, const Datum *values, const bool *nulls)
{
	Replaying *run = arg;
	QtsReplay *replay = &run->replay;
	QtsReplayIntent intent = {.custom = QTS_CUSTOM_NONE, .ended_at = QTS_TIME_NONE};
	QtsIntentStatus status;

	if (!qts_exit_rule_parse(replay_text(run, values[0]), &intent.rule))
		intent.rule = QTS_RULE_MANUAL;
	if (intent.rule == QTS_RULE_CUSTOM)
		intent.custom = intent_custom(run, replay_text(run, values[1]));
	intent.cycle = DatumGetInt32(values[2]);
	(void) qts_exit_phase_parse(replay_text(run, values[3]), &intent.phase);
	intent.severity = DatumGetInt32(values[4]);
	intent.qty = DatumGetInt64(values[5]);
	intent.filled = DatumGetInt64(values[6]);
	intent.price = DatumGetInt64(values[7]);
	intent.threshold = DatumGetInt64(values[8]);
	intent.created_at = DatumGetTimestampTz(values[9]);
	if (qts_intent_status_parse(replay_text(run, values[11]), &status) && !qts_intent_live(status))
		intent.ended_at = DatumGetTimestampTz(values[10]);
	intent.failed = intent.ended_at != QTS_TIME_NONE && intent.filled == 0;
	intent.refused = intent.failed && (status == QTS_INTENT_REJECTED || status == QTS_INTENT_FAILED);
	intent.automatic = DatumGetBool(values[12]);
	intent.id = DatumGetInt64(values[13]);
	if (replay->nintents == run->intent_room)
	{
		run->intent_room = Max(16, run->intent_room * 2);
		replay->intent = replay->intent == NULL
							 ? MemoryContextAlloc(run->cxt, sizeof(intent) * run->intent_room)
							 : repalloc(replay->intent, sizeof(intent) * run->intent_room);
	}
	replay->intent[replay->nintents++] = intent;
}

static void
take_record(void *arg, const Datum *values, const bool *nulls)
{
	Replaying *run = arg;
	Record record = {.at = DatumGetTimestampTz(values[0]),
					 .kind = (RecordKind) DatumGetInt32(values[1]),
					 .qty = DatumGetInt64(values[2]),
					 .price = DatumGetInt64(values[3]),
					 .order = DatumGetInt64(values[4])};

	record.word = nulls[5] ? NULL : replay_text(run, values[5]);
	if (run->nrecords == run->room)
	{
		run->room = Max(16, run->room * 2);
		run->record = run->record == NULL ? MemoryContextAlloc(run->cxt, sizeof(record) * run->room)
										  : repalloc(run->record, sizeof(record) * run->room);
	}
	run->record[run->nrecords++] = record;
}

static void
replay_profile(Replaying *run, const char *config)
{
	char why[512];
	QtsExitProfile profile;

	/* one that this version cannot read was not in force either */
	if (config != NULL && qts_profile_parse(config, &profile, why, sizeof(why)))
		run->replay.profile = profile;
}

/* Shares and average price as they were before the fills: these taken back, the last first. */
static void
replay_rewind(Replaying *run)
{
	QtsExitPosition *position = &run->replay.position;

	for (int i = run->nrecords - 1; i >= 0; i--)
	{
		const Record *record = &run->record[i];
		QtsQty before = position->qty - record->qty;

		if (record->kind == RECORD_SELL)
			position->qty += record->qty;
		if (record->kind != RECORD_BUY)
			continue;
		if (before > 0)
			position->avg_price = (QtsPrice) (((__int128) position->avg_price * position->qty -
											   (__int128) record->price * record->qty) /
											  before);
		position->qty = Max(before, 0);
	}
}

static void
replay_open(Datum position_id, MemoryContext cxt, Replaying *run)
{
	Datum args[1] = {position_id};

	memset(run, 0, sizeof(*run));
	run->cxt = cxt;
	qts_history_query(&read_position, args, take_position, run);
	if (!run->found)
		ereport(ERROR,
				(errcode(QTS_ERRCODE_INVALID),
				 errmsg("unknown position %s", DatumGetCString(DirectFunctionCall1(uuid_out, position_id))),
				 errdetail("There is no such row."), errhint("SELECT * FROM trade.positions lists them.")));
	run->replay.profile = qts_exit_profile_default();
	replay_profile(run, run->config);
	qts_history_query(&read_intents, args, take_intent, run);
	qts_history_query(&read_records, args, take_record, run);
	replay_rewind(run);
	run->replay.state.cycle = 1;
	run->replay.tolerance = (int64) qts_guc.exit_interval * QTS_MS + REPLAY_SLACK;
	run->history = qts_history_create(cxt);
	run->of = qts_history_symbol(run->history, run->symbol);
	for (int i = 0; i < QTS_SOURCE_COUNT; i++)
		run->quote[i].recv_at = run->quote[i].exch_at = QTS_TIME_NONE;
	run->looked_at = run->from;
}

static void
replay_atr(Replaying *run)
{
	QtsPrice average = run->replay.position.avg_price;
	int64_t ratio = 0;

	if (run->day.atr > 0 && average > 0 && qts_muldiv_floor(run->day.atr, 2 * QTS_PPM, average, &ratio))
		ratio = (ratio + 1) / 2;
	run->replay.state.atr_pct = ratio;
}

static void
replay_day(Replaying *run, TimestampTz at)
{
	QtsDate date = qts_seoul_date(at);
	QtsDate entered = qts_seoul_date(run->entry_at);
	int before = qts_history_day_before(run->of, date);
	QtsPrice base = before >= 0 ? QTS_PRICE(run->of->day[before].bar.close) : 0;
	QtsExitPosition *position = &run->replay.position;

	run->day = qts_history_walk_day(run->history, run->of, date, base);
	run->day_end = qts_seoul_instant(date, 0) + QTS_DAY;
	run->first = 0;
	position->held_days = date - entered;
	position->held_trading_days = 0;
	for (QtsDate d = entered + 1; d <= date; d++)
		if (qts_history_calendar(run->history, d).is_open)
			position->held_trading_days++;
	replay_atr(run);
}

/* The board at this instant, as the exit worker judged it; false when there was nothing. */
static bool
replay_quote(Replaying *run, TimestampTz at, QtsExitQuote *quote)
{
	bool trading = at >= run->day.open_at && at < run->day.closing_at;
	QtsQuote quotes[QTS_SOURCE_COUNT];
	QtsSource source;

	memcpy(quotes, run->quote, sizeof(quotes));
	if (!qts_guc.naver_decides)
		quotes[QTS_SOURCE_NAVER].last = 0;
	source = qts_shown_source(quotes, at, trading);
	if (source == QTS_SOURCE_COUNT)
		return false;
	*quote = (QtsExitQuote){.last = quotes[source].last,
							.bid = quotes[source].bid,
							.in_session = trading,
							.prev_close = run->day.prev_close,
							.first = run->first,
							.since_open = at - run->day.open_at};
	quote->stale = at - quotes[source].recv_at > (int64) qts_guc.exit_max_price_age * QTS_MS;
	/* what was printed before the open is not the first price after it */
	if (run->first == 0 && trading && !quote->stale && quotes[source].recv_at >= run->day.open_at)
		run->first = quote->first = quote->bid > 0 ? quote->bid : quote->last;
	return true;
}

static void
replay_look(Replaying *run, TimestampTz at)
{
	QtsExitQuote quote;

	if (at < run->from || at > run->until)
		return;
	(void) qts_replay_orders(&run->replay, at);
	run->looked_at = at;
	if (!replay_quote(run, at, &quote))
		return;
	qts_replay_look(&run->replay, &quote, at);
	if (run->seen != NULL && !quote.stale)
		run->seen(run, &quote, at, run->arg);
}

/* Turns of the timer until an instant; a price that is too old ends them. */
static void
replay_wait(Replaying *run, TimestampTz until)
{
	int64 every = (int64) qts_guc.exit_interval * QTS_MS;
	TimestampTz newest = Max(run->quote[QTS_SOURCE_KIS_WS].recv_at, run->quote[QTS_SOURCE_KIS_REST].recv_at);

	if (newest == QTS_TIME_NONE || run->replay.position.qty <= 0)
		return;
	while (run->looked_at + every < until &&
		   run->looked_at + every - newest <= (int64) qts_guc.exit_max_price_age * QTS_MS)
		replay_look(run, run->looked_at + every);
}

static void
replay_buy(QtsExitPosition *position, const Record *record)
{
	QtsQty qty = position->qty + record->qty;

	/* as the fill is booked: the mean, to 1/10 000 KRW, half up */
	position->avg_price = (QtsPrice) ((((__int128) position->avg_price * position->qty +
										(__int128) record->price * record->qty) *
										   2 +
									   qty) /
									  (2 * (__int128) qty));
	position->qty = qty;
	position->last_buy = record->order;
}

static void
replay_record(Replaying *run, const Record *record)
{
	QtsReplay *replay = &run->replay;
	QtsExitPosition *position = &replay->position;

	switch (record->kind)
	{
		case RECORD_BUY:
			replay_buy(position, record);
			break;
		case RECORD_SELL:
			qts_replay_sold(replay, record->order, record->qty);
			break;
		case RECORD_MODE:
			(void) qts_position_mode_parse(record->word, &position->mode);
			position->held_back = false;
			break;
		case RECORD_CONTROL:
			(void) qts_control_mode_parse(record->word, &replay->control);
			break;
		case RECORD_PROFILE:
			replay_profile(run, record->word);
			break;
		case RECORD_HOLD:
			position->held_back = record->qty != 0;
			break;
		case RECORD_QUARANTINE:
			position->quarantined = record->qty != 0;
			break;
	}
	/* what the last price was not allowed to do, or others held, it may do now */
	if (qts_replay_orders(replay, record->at) || record->kind >= RECORD_MODE)
		replay_look(run, record->at);
}

/* A recorded decision that no look so far has led to: the worker looked just before it. */
static void
replay_recorded(Replaying *run, TimestampTz at)
{
	for (int i = 0; i < run->replay.nintents; i++)
	{
		const QtsReplayIntent *intent = &run->replay.intent[i];

		if (!intent->automatic || intent->matched || intent->open || intent->ended || intent->created_at > at)
			continue;
		replay_wait(run, intent->created_at - 1);
		if (!intent->matched)
			replay_look(run, intent->created_at - 1);
		(void) qts_replay_orders(&run->replay, intent->created_at);
	}
}

/* Whatever happened until an instant, in order. */
static void
replay_until(Replaying *run, TimestampTz at)
{
	while (run->next < run->nrecords && run->record[run->next].at <= at)
	{
		const Record *record = &run->record[run->next++];

		replay_recorded(run, record->at);
		replay_wait(run, record->at);
		replay_record(run, record);
	}
	replay_recorded(run, at);
	replay_wait(run, at);
}

static void
replay_ticks(Replaying *run, const QtsHistoryChunk *chunk)
{
	for (int i = 0; i < chunk->n; i++)
	{
		const QtsHistoryTick *tick = &chunk->tick[i];
		QtsQuote *quote = &run->quote[tick->source];

		if (tick->price.at < run->day.open_at && run->day_end != 0 && tick->price.at < run->day_end &&
			tick->price.at < run->from)
			continue;
		if (tick->price.at > run->until)
			return;
		replay_until(run, tick->price.at);
		if (tick->price.at >= run->day_end)
			replay_day(run, tick->price.at);
		quote->last = tick->price.last;
		quote->bid = tick->price.bid;
		quote->ask = tick->price.ask;
		quote->recv_at = tick->price.at;
		/* of a batch the board showed the last one only */
		if (i + 1 < chunk->n && chunk->tick[i + 1].price.at == tick->price.at)
			continue;
		if (tick->price.at >= run->from)
			replay_look(run, tick->price.at);
	}
}

static void
replay_run(Replaying *run)
{
	/* the first price of the day may be from before the position */
	TimestampTz start = qts_seoul_instant(qts_seoul_date(run->from), 0);
	TimestampTz last = qts_history_last(run->history, run->of, QTS_HISTORY_TICKS);

	if (last != DT_NOBEGIN)
		for (int64 n = qts_history_slice(QTS_HISTORY_TICKS, start);
			 n <= qts_history_slice(QTS_HISTORY_TICKS, Min(last, run->until)); n++)
			replay_ticks(run, qts_history_chunk(run->history, run->of, QTS_HISTORY_TICKS, n));
	replay_until(run, run->until);
}

static void
replay_put(ReturnSetInfo *result, const Replaying *run, const QtsReplayIntent *intent, const char *verdict)
{
	bool live = strcmp(verdict, "ONLY_REPLAY") != 0;
	bool again = strcmp(verdict, "ONLY_LIVE") != 0;
	Datum values[REPLAY_COLUMNS];
	bool nulls[REPLAY_COLUMNS] = {false};

	values[0] = TimestampTzGetDatum(intent->created_at);
	values[1] = TimestampTzGetDatum(intent->again_at);
	values[2] = CStringGetTextDatum(qts_walk_rule_name(&run->replay.profile, intent->rule, intent->custom));
	values[3] = CStringGetTextDatum(qts_exit_phase_name(intent->phase));
	values[4] = Int32GetDatum(intent->cycle);
	values[5] = Int64GetDatum(intent->qty);
	values[6] = Int64GetDatum(intent->again_qty);
	values[7] = qts_price_numeric(intent->price);
	values[8] = qts_price_numeric(intent->again_price);
	values[9] = qts_price_numeric(intent->threshold);
	values[10] = qts_price_numeric(intent->again_threshold);
	values[11] = CStringGetTextDatum(verdict);
	nulls[0] = nulls[5] = nulls[7] = nulls[9] = !live;
	nulls[1] = nulls[6] = nulls[8] = nulls[10] = !again;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(qts_sql_replay);
Datum
qts_sql_replay(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result;
	Replaying run;

	qts_require_preload();
	InitMaterializedSRF(fcinfo, 0);
	result = (ReturnSetInfo *) fcinfo->resultinfo;
	replay_open(PG_GETARG_DATUM(0), CurrentMemoryContext, &run);
	replay_run(&run);
	for (int i = 0; i < run.replay.nintents; i++)
	{
		const QtsReplayIntent *intent = &run.replay.intent[i];

		if (intent->automatic)
			replay_put(result, &run, intent,
					   !intent->matched ? "ONLY_LIVE" : (qts_replay_same(intent) ? "SAME" : "DIFFERENT"));
	}
	for (int i = 0; i < run.replay.nextras; i++)
	{
		const QtsReplayExtra *extra = &run.replay.extra[i];
		QtsReplayIntent intent = {.rule = extra->rule,
								  .custom = extra->custom,
								  .phase = extra->phase,
								  .cycle = extra->cycle,
								  .again_qty = extra->qty,
								  .again_price = extra->price,
								  .again_threshold = extra->threshold,
								  .again_at = extra->at};

		replay_put(result, &run, &intent, "ONLY_REPLAY");
	}
	return (Datum) 0;
}

static void
path_put(Replaying *run, const QtsExitQuote *quote, TimestampTz at, void *arg)
{
	ReturnSetInfo *result = arg;

	if (run->replay.position.qty > 0)
		qts_path_put(result->setResult, result->setDesc, at, &run->replay.profile, &run->replay.position,
					 &run->replay.state, quote, run->replay.control);
}

PG_FUNCTION_INFO_V1(qts_sql_replay_path);
Datum
qts_sql_replay_path(PG_FUNCTION_ARGS)
{
	Replaying run;

	qts_require_preload();
	InitMaterializedSRF(fcinfo, 0);
	replay_open(PG_GETARG_DATUM(0), CurrentMemoryContext, &run);
	run.seen = path_put;
	run.arg = fcinfo->resultinfo;
	replay_run(&run);
	return (Datum) 0;
}
