/*-------------------------------------------------------------------------
 *
 * trg_guard.c
 *		Append-only tables, checked exit profiles and wake-ups at commit.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/rel.h"

#include "db/profile.h"
#include "db/trg.h"
#include "errcodes.h"
#include "shm/wake.h"

extern PGDLLEXPORT Datum qts_trg_append_only(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum qts_trg_profile_check(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum qts_trg_wake(PG_FUNCTION_ARGS);

/* Is this column an argument of the trigger and empty (null or false) so far? */
static bool
guard_fills_in(const QtsTrgRow *row, int column)
{
	Form_pg_attribute att = TupleDescAttr(row->desc, column);
	Trigger *trigger = row->data->tg_trigger;

	for (int i = 0; i < trigger->tgnargs; i++)
	{
		bool isnull;
		Datum was;

		if (strcmp(trigger->tgargs[i], NameStr(att->attname)) != 0)
			continue;
		was = heap_getattr(row->prior, column + 1, row->desc, &isnull);
		return isnull || (att->atttypid == BOOLOID && !DatumGetBool(was));
	}
	return false;
}

static void
guard_refuse(Relation rel, const char *verb)
{
	ereport(ERROR,
			(errcode(QTS_ERRCODE_FROZEN), errmsg("table \"%s\" is append-only", RelationGetRelationName(rel)),
			 errdetail("%s would change what has been recorded.", verb),
			 errhint("Old days of partitioned tables are dropped whole by retention.")));
}

PG_FUNCTION_INFO_V1(qts_trg_append_only);
Datum
qts_trg_append_only(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	QtsTrgRow row;

	if (CALLED_AS_TRIGGER(fcinfo) && TRIGGER_FIRED_BY_TRUNCATE(data->tg_event))
		guard_refuse(data->tg_relation, "TRUNCATE");
	row = qts_trg_row(fcinfo);
	if (TRIGGER_FIRED_BY_DELETE(row.data->tg_event))
		guard_refuse(row.data->tg_relation, "DELETE");
	for (int i = 0; i < row.desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(row.desc, i);

		if (!att->attisdropped && qts_trg_changed(&row, NameStr(att->attname)) && !guard_fills_in(&row, i))
			guard_refuse(row.data->tg_relation, "UPDATE");
	}
	if (row.data->tg_trigger->tgnargs == 0)
		guard_refuse(row.data->tg_relation, "UPDATE");
	return PointerGetDatum(row.next);
}

PG_FUNCTION_INFO_V1(qts_trg_profile_check);
Datum
qts_trg_profile_check(PG_FUNCTION_ARGS)
{
	QtsTrgRow row = qts_trg_row(fcinfo);
	QtsExitProfile profile;
	QtsProfileError error;
	bool isnull;
	Datum config = qts_trg_value(&row, row.next, "config", &isnull);

	if (isnull)
		return PointerGetDatum(row.next); /* refused by NOT NULL */
	if (!qts_profile_read(DatumGetCString(DirectFunctionCall1(jsonb_out, config)), &profile, &error))
		ereport(ERROR, (errcode(QTS_ERRCODE_INVALID), errmsg("invalid exit profile"),
						errdetail("%s: %s.", error.field, error.detail), errhint("%s.", error.hint)));
	return PointerGetDatum(row.next);
}

PG_FUNCTION_INFO_V1(qts_trg_wake);
Datum
qts_trg_wake(PG_FUNCTION_ARGS)
{
	static const char *const kinds[QTS_CHANGE_COUNT] = {
		[QTS_CHANGE_INTENT] = "INTENT", [QTS_CHANGE_OUTCOME] = "OUTCOME", [QTS_CHANGE_POSITION] = "POSITION",
		[QTS_CHANGE_CONFIG] = "CONFIG", [QTS_CHANGE_ACCOUNT] = "ACCOUNT", [QTS_CHANGE_ORDER] = "ORDER",
		[QTS_CHANGE_QUOTE] = "QUOTE",
	};
	Trigger *trigger;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("function was not called by the trigger manager")));
	trigger = ((TriggerData *) fcinfo->context)->tg_trigger;
	for (int i = 0; i < QTS_CHANGE_COUNT; i++)
	{
		if (trigger->tgnargs == 1 && strcmp(trigger->tgargs[0], kinds[i]) == 0)
		{
			qts_wake_at_commit((QtsChange) i);
			return PointerGetDatum(NULL);
		}
	}
	ereport(ERROR, (errcode(QTS_ERRCODE_INVALID),
					errmsg("trigger \"%s\" does not name a kind of change", trigger->tgname)));
}
