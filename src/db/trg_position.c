/*-------------------------------------------------------------------------
 *
 * trg_position.c
 *		Guard of trade.positions: identity, version and states.
 *
 * The version tells a decision from the facts it saw: it moves with quantity
 * and average price, and only here.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/spi.h"
#include "utils/timestamp.h"

#include "db/trg.h"
#include "errcodes.h"

extern PGDLLEXPORT Datum qts_trg_position_update(PG_FUNCTION_ARGS);

/* clang-format off */
static const char *const position_frozen[] = {
	"position_id", "account_id", "symbol", "side", "entry_ts", "created_ts", "strategy_id", "version", NULL
};
/* clang-format on */

static void
position_check_status(const QtsTrgRow *row, bool facts_changed)
{
	char *from = qts_trg_text(row, row->prior, "status");
	char *to = qts_trg_text(row, row->next, "status");

	/* That a closed position holds nothing is a table constraint. */
	if (strcmp(from, "CLOSED") == 0 && strcmp(to, "CLOSED") != 0)
		qts_trg_illegal(row, from, to);
	if (strcmp(from, "CLOSED") == 0 && facts_changed)
		ereport(ERROR, (errcode(QTS_ERRCODE_ILLEGAL_TRANSITION), errmsg("a closed position cannot change"),
						errdetail("Its quantity and average price are history."),
						errhint("Shares bought later belong to a new position.")));
}

static void
position_check_original(const QtsTrgRow *row)
{
	if (!qts_trg_changed(row, "original_qty") || strcmp(qts_trg_writer(), "qts_exit") == 0)
		return;
	ereport(ERROR,
			(errcode(QTS_ERRCODE_NOT_OWNER),
			 errmsg("\"%s\" may not change column \"original_qty\" of \"positions\"", qts_trg_writer()),
			 errdetail("It is %s, the new value is %s.", qts_trg_show(row, row->prior, "original_qty"),
					   qts_trg_show(row, row->next, "original_qty")),
			 errhint("The exit worker sets it when it starts a new exit cycle.")));
}

PG_FUNCTION_INFO_V1(qts_trg_position_update);
Datum
qts_trg_position_update(PG_FUNCTION_ARGS)
{
	QtsTrgRow row = qts_trg_row(fcinfo);
	bool facts_changed = qts_trg_changed(&row, "qty") || qts_trg_changed(&row, "avg_price");
	int columns[2];
	Datum values[2];
	bool nulls[2] = {false, false};
	bool isnull;
	int32 version;

	qts_trg_frozen(&row, position_frozen);
	position_check_original(&row);
	position_check_status(&row, facts_changed);
	if (!facts_changed)
		return PointerGetDatum(row.next);

	version = DatumGetInt32(qts_trg_value(&row, row.prior, "version", &isnull));
	if (version == PG_INT32_MAX)
		ereport(ERROR, (errcode(QTS_ERRCODE_INTERNAL), errmsg("version of the position is exhausted")));
	columns[0] = SPI_fnumber(row.desc, "version");
	values[0] = Int32GetDatum(version + 1);
	columns[1] = SPI_fnumber(row.desc, "updated_ts");
	values[1] = TimestampTzGetDatum(GetCurrentTimestamp());
	return PointerGetDatum(heap_modify_tuple_by_cols(row.next, row.desc, 2, columns, values, nulls));
}
