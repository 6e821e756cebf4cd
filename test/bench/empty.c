/*-------------------------------------------------------------------------
 *
 * empty.c
 *		A server function of the shape of qts.price() that reads nothing: it
 *		makes the same row of constants.  The difference is what the price
 *		costs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT Datum bench_empty(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(bench_empty);
Datum
bench_empty(PG_FUNCTION_ARGS)
{
	static TupleDesc desc = NULL;
	Datum values[10] = {
		Int64GetDatum(70000), Int64GetDatum(69900), Int64GetDatum(70000), Int64GetDatum(1),	  (Datum) 0,
		Int64GetDatum(1),	  Int64GetDatum(1),		Int64GetDatum(1),	  BoolGetDatum(false)};
	bool nulls[10] = {false};

	if (desc == NULL)
	{
		TupleDesc found;
		MemoryContext old;

		if (get_call_result_type(fcinfo, NULL, &found) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		old = MemoryContextSwitchTo(TopMemoryContext);
		desc = BlessTupleDesc(CreateTupleDescCopy(found));
		MemoryContextSwitchTo(old);
	}
	values[4] = CStringGetTextDatum("KIS_WS");
	nulls[9] = true;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
