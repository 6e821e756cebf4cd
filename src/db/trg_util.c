/*-------------------------------------------------------------------------
 *
 * trg_util.c
 *		Column access and common refusals of the triggers.
 *
 * Columns are looked up by name at every call: an upgrade may move them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "compat.h"
#include "db/trg.h"
#include "errcodes.h"

QtsTrgRow
qts_trg_row(FunctionCallInfo fcinfo)
{
	QtsTrgRow row;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("function was not called by the trigger manager")));
	row.data = (TriggerData *) fcinfo->context;
	if (!TRIGGER_FIRED_FOR_ROW(row.data->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("trigger \"%s\" must fire for each row", row.data->tg_trigger->tgname)));
	row.desc = RelationGetDescr(row.data->tg_relation);
	row.prior = NULL;
	row.next = NULL;
	if (TRIGGER_FIRED_BY_INSERT(row.data->tg_event))
		row.next = row.data->tg_trigtuple;
	else
		row.prior = row.data->tg_trigtuple;
	if (TRIGGER_FIRED_BY_UPDATE(row.data->tg_event))
		row.next = row.data->tg_newtuple;
	return row;
}

static int
trg_attno(const QtsTrgRow *row, const char *column)
{
	int attno = SPI_fnumber(row->desc, column);

	if (attno <= 0)
		elog(ERROR, "table \"%s\" has no column \"%s\"", RelationGetRelationName(row->data->tg_relation),
			 column);
	return attno;
}

Datum
qts_trg_value(const QtsTrgRow *row, HeapTuple tuple, const char *column, bool *isnull)
{
	return heap_getattr(tuple, trg_attno(row, column), row->desc, isnull);
}

char *
qts_trg_text(const QtsTrgRow *row, HeapTuple tuple, const char *column)
{
	bool isnull;
	Datum value = qts_trg_value(row, tuple, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

int64
qts_trg_int64(const QtsTrgRow *row, HeapTuple tuple, const char *column)
{
	bool isnull;
	Datum value = qts_trg_value(row, tuple, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

bool
qts_trg_changed(const QtsTrgRow *row, const char *column)
{
	int attno = trg_attno(row, column);
	Form_pg_attribute att = TupleDescAttr(row->desc, attno - 1);
	bool was_null;
	bool is_null;
	Datum was = heap_getattr(row->prior, attno, row->desc, &was_null);
	Datum is = heap_getattr(row->next, attno, row->desc, &is_null);

	if (was_null || is_null)
		return was_null != is_null;
	return !datum_image_eq(was, is, att->attbyval, att->attlen);
}

char *
qts_trg_show(const QtsTrgRow *row, HeapTuple tuple, const char *column)
{
	char *value = SPI_getvalue(tuple, row->desc, trg_attno(row, column));

	return value ? value : pstrdup("null");
}

void
qts_trg_frozen(const QtsTrgRow *row, const char *const *columns)
{
	for (; *columns != NULL; columns++)
	{
		if (!qts_trg_changed(row, *columns))
			continue;
		ereport(ERROR, (errcode(QTS_ERRCODE_FROZEN),
						errmsg("column \"%s\" of \"%s\" cannot be changed", *columns,
							   RelationGetRelationName(row->data->tg_relation)),
						errdetail("It is %s, the new value is %s.", qts_trg_show(row, row->prior, *columns),
								  qts_trg_show(row, row->next, *columns)),
						errhint("It says what the row is; a different thing needs a new row.")));
	}
}

void
qts_trg_monotone(const QtsTrgRow *row, const char *const *columns)
{
	for (; *columns != NULL; columns++)
	{
		int64 was = qts_trg_int64(row, row->prior, *columns);
		int64 is = qts_trg_int64(row, row->next, *columns);

		if (is >= was)
			continue;
		ereport(ERROR, (errcode(QTS_ERRCODE_ILLEGAL_TRANSITION),
						errmsg("column \"%s\" of \"%s\" cannot decrease", *columns,
							   RelationGetRelationName(row->data->tg_relation)),
						errdetail("It is " INT64_FORMAT ", the new value is " INT64_FORMAT ".", was, is),
						errhint("A lower number from the broker is an old answer.")));
	}
}

void
qts_trg_illegal(const QtsTrgRow *row, const char *from, const char *to)
{
	ereport(ERROR,
			(errcode(QTS_ERRCODE_ILLEGAL_TRANSITION),
			 errmsg("illegal state transition in \"%s\"", RelationGetRelationName(row->data->tg_relation)),
			 errdetail("A row that is %s cannot become %s.", from, to),
			 errhint("Read the row again: it may have moved on.")));
}

const char *
qts_trg_writer(void)
{
	return GetUserNameFromId(GetUserId(), false);
}

bool
qts_trg_writer_owns(const QtsTrgRow *row)
{
	return qts_class_ownercheck(RelationGetRelid(row->data->tg_relation), GetUserId());
}
