/*-------------------------------------------------------------------------
 *
 * api_price.c
 *		Is this limit price one the exchange takes?
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "core/tick.h"
#include "errcodes.h"

extern PGDLLEXPORT Datum qts_check_order_price(PG_FUNCTION_ARGS);

#define PRICE_MAX INT64CONST(1000000000)

/* Whole KRW rounded down; *exact tells whether it was whole. */
static int64
price_whole(Datum price, bool *exact)
{
	Datum whole = DirectFunctionCall1(numeric_floor, price);

	*exact = DatumGetBool(DirectFunctionCall2(numeric_eq, price, whole));
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, whole));
}

static bool
price_in_range(Datum price)
{
	Datum lowest = NumericGetDatum(int64_to_numeric(1));
	Datum highest = NumericGetDatum(int64_to_numeric(PRICE_MAX));

	return !numeric_is_nan(DatumGetNumeric(price)) &&
		   DatumGetBool(DirectFunctionCall2(numeric_ge, price, lowest)) &&
		   DatumGetBool(DirectFunctionCall2(numeric_le, price, highest));
}

PG_FUNCTION_INFO_V1(qts_check_order_price);
Datum
qts_check_order_price(PG_FUNCTION_ARGS)
{
	QtsInstrument instrument;
	int64 price;
	bool exact;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || !price_in_range(PG_GETARG_DATUM(0)))
		ereport(ERROR, (errcode(QTS_ERRCODE_PRICE_STEP), errmsg("invalid limit price"),
						errdetail("It is not between 1 and " INT64_FORMAT " KRW.", PRICE_MAX),
						errhint("Give a price in KRW.")));
	instrument =
		strcmp(text_to_cstring(PG_GETARG_TEXT_PP(1)), "ETP") == 0 ? QTS_INSTRUMENT_ETP : QTS_INSTRUMENT_STOCK;
	price = price_whole(PG_GETARG_DATUM(0), &exact);
	if (!exact || !qts_tick_valid(price, instrument))
		ereport(ERROR, (errcode(QTS_ERRCODE_PRICE_STEP), errmsg("the limit price is not on the tick grid"),
						errdetail("At this price the tick is " INT64_FORMAT " KRW.",
								  qts_tick_size(price, instrument)),
						errhint("The nearest prices are " INT64_FORMAT " and " INT64_FORMAT ".",
								qts_tick_floor(price, instrument),
								qts_tick_ceil(exact ? price : price + 1, instrument))));
	if ((!PG_ARGISNULL(2) && price < PG_GETARG_INT64(2)) || (!PG_ARGISNULL(3) && price > PG_GETARG_INT64(3)))
	{
		bool low = !PG_ARGISNULL(2) && price < PG_GETARG_INT64(2);

		ereport(ERROR,
				(errcode(QTS_ERRCODE_PRICE_STEP), errmsg("the limit price is outside the day's limits"),
				 errdetail("It is " INT64_FORMAT " KRW, %s the day's %s limit.", price,
						   low ? "below" : "above", low ? "lower" : "upper"),
				 errhint("The nearest price is " INT64_FORMAT ".", PG_GETARG_INT64(low ? 2 : 3))));
	}
	PG_RETURN_INT64(price);
}
