/*-------------------------------------------------------------------------
 *
 * walk_rows.c
 *		Events and points of a walk as rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "core/backtest_internal.h"
#include "db/stmt.h"
#include "db/walk_rows.h"

#define EVENT_COLUMNS 13
#define PATH_COLUMNS 6

static const char *const kind_names[] = {
	[QTS_WALK_ENTRY] = "ENTRY",	  [QTS_WALK_DECISION] = "DECISION", [QTS_WALK_FILL] = "FILL",
	[QTS_WALK_CANCEL] = "CANCEL", [QTS_WALK_CYCLE] = "CYCLE",		[QTS_WALK_SPLIT] = "SPLIT",
	[QTS_WALK_FREEZE] = "FREEZE",
};

char *
qts_walk_rule_name(const QtsExitProfile *profile, QtsExitRule rule, int custom)
{
	if (rule == QTS_RULE_CUSTOM && custom >= 0 && custom < profile->custom_count)
		return psprintf("CUSTOM:%s", profile->custom[custom].id);
	return pstrdup(qts_exit_rule_name(rule));
}

void
qts_walk_event_put(Tuplestorestate *store, TupleDesc desc, const QtsExitProfile *profile,
				   const QtsWalkEvent *event)
{
	Datum values[EVENT_COLUMNS];
	bool nulls[EVENT_COLUMNS] = {false};

	values[0] = TimestampTzGetDatum(event->at);
	values[1] = CStringGetTextDatum(kind_names[event->kind]);
	values[2] = CStringGetTextDatum(qts_walk_rule_name(profile, event->rule, event->custom));
	values[3] = CStringGetTextDatum(qts_exit_phase_name(event->phase));
	values[4] = Int32GetDatum(event->cycle);
	values[5] = Int64GetDatum(event->qty);
	values[6] = Int64GetDatum(event->left);
	values[7] = qts_price_numeric(event->price);
	values[8] = qts_price_numeric(event->threshold);
	values[9] = qts_price_numeric(event->hwm);
	values[10] = qts_price_numeric(event->stop_floor);
	values[11] = Int64GetDatum(event->fee);
	values[12] = Int64GetDatum(event->tax);
	nulls[2] = event->rule == QTS_RULE_NONE;
	nulls[7] = event->price == 0;
	nulls[8] = event->threshold == 0;
	nulls[9] = event->hwm == 0;
	nulls[10] = event->stop_floor == 0;
	nulls[11] = nulls[12] = event->kind != QTS_WALK_FILL && event->kind != QTS_WALK_ENTRY;
	tuplestore_putvalues(store, desc, values, nulls);
}

void
qts_path_put(Tuplestorestate *store, TupleDesc desc, QtsTime at, const QtsExitProfile *profile,
			 const QtsExitPosition *position, const QtsExitState *state, const QtsExitQuote *quote,
			 QtsControlMode control)
{
	QtsPrice price = quote->bid > 0 ? quote->bid : quote->last;
	QtsExitExplain rows[QTS_EXIT_ROWS];
	QtsPrice stop = 0;
	QtsPrice profit = 0;
	int n = qts_exit_explain(profile, position, state, quote, control, at, rows);
	Datum values[PATH_COLUMNS];
	bool nulls[PATH_COLUMNS] = {false};

	for (int i = 0; i < n; i++)
	{
		QtsPrice level = rows[i].threshold;

		if (!rows[i].enabled || level <= 0 || rows[i].rule == QTS_RULE_GAP_DOWN)
			continue;
		if (level < price && level > stop)
			stop = level;
		if (level > price && (profit == 0 || level < profit))
			profit = level;
	}
	values[0] = TimestampTzGetDatum(at);
	values[1] = qts_price_numeric(price);
	values[2] = qts_price_numeric(state->hwm);
	values[3] = qts_price_numeric(state->stop_floor);
	values[4] = qts_price_numeric(stop);
	values[5] = qts_price_numeric(profit);
	nulls[2] = state->hwm == 0;
	nulls[3] = state->stop_floor == 0;
	nulls[4] = stop == 0;
	nulls[5] = profit == 0;
	tuplestore_putvalues(store, desc, values, nulls);
}

void
qts_walk_path_put(Tuplestorestate *store, TupleDesc desc, const QtsWalk *walk)
{
	QtsExitQuote quote = qts_walk_quote(walk, &walk->seen, false);

	qts_path_put(store, desc, walk->seen.at, &walk->profile, &walk->position, &walk->state, &quote,
				 walk->control);
}
