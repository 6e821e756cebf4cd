/*-------------------------------------------------------------------------
 *
 * stmt.c
 *		Prepared statements, typed bind and fetch.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "core/core.h"
#include "db/stmt.h"
#include "errcodes.h"

uint64
qts_stmt_run(QtsStmt *stmt, const Datum *args, const char *nulls)
{
	SPITupleTable *before;
	int rc;

	if (stmt->plan == NULL)
	{
		SPIPlanPtr plan = SPI_prepare(stmt->sql, stmt->nargs, stmt->argtypes);

		if (plan == NULL)
			elog(ERROR, "could not prepare \"%s\": %s", stmt->sql, SPI_result_code_string(SPI_result));
		SPI_keepplan(plan);
		stmt->plan = plan;
	}
	before = SPI_tuptable;
	rc = SPI_execute_plan(stmt->plan, (Datum *) args, nulls, false, 0);
	if (rc < 0)
		elog(ERROR, "could not execute \"%s\": %s", stmt->sql, SPI_result_code_string(rc));
	/* only the last result can be read: a long transaction must not collect the others */
	SPI_freetuptable(before);
	return SPI_processed;
}

void
qts_stmt_run_one(QtsStmt *stmt, const Datum *args, const char *nulls, const char *what)
{
	uint64 rows = qts_stmt_run(stmt, args, nulls);

	if (rows != 1)
		ereport(ERROR, (errcode(QTS_ERRCODE_VERSION_CONFLICT),
						errmsg("expected to change one %s, changed " UINT64_FORMAT, what, rows),
						errhint("Somebody else changed it first; the worker reads it again.")));
}

Datum
qts_col(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

int64
qts_col_int64(uint64 row, int column, int64 ifnull)
{
	bool isnull;
	Datum value = qts_col(row, column, &isnull);

	return isnull ? ifnull : DatumGetInt64(value);
}

int32
qts_col_int32(uint64 row, int column, int32 ifnull)
{
	bool isnull;
	Datum value = qts_col(row, column, &isnull);

	return isnull ? ifnull : DatumGetInt32(value);
}

bool
qts_col_bool(uint64 row, int column)
{
	bool isnull;
	Datum value = qts_col(row, column, &isnull);

	return !isnull && DatumGetBool(value);
}

char *
qts_col_text(uint64 row, int column)
{
	bool isnull;
	Datum value = qts_col(row, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

void
qts_col_copy(uint64 row, int column, char *to, size_t size)
{
	char *value = qts_col_text(row, column);

	strlcpy(to, value ? value : "", size);
}

pg_uuid_t
qts_col_uuid(uint64 row, int column)
{
	bool isnull;
	Datum value = qts_col(row, column, &isnull);
	pg_uuid_t zero = {{0}};

	return isnull ? zero : *DatumGetUUIDP(value);
}

int64
qts_col_price(uint64 row, int column)
{
	bool isnull;
	Datum value = qts_col(row, column, &isnull);
	Datum scaled;

	if (isnull)
		return 0;
	scaled = DirectFunctionCall2(numeric_mul, value, NumericGetDatum(int64_to_numeric(QTS_PRICE_SCALE)));
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, scaled));
}

Datum
qts_price_numeric(int64 price)
{
	return NumericGetDatum(int64_div_fast_to_numeric(price, 4));
}

Datum
qts_text(const char *s)
{
	return CStringGetTextDatum(s);
}

Datum
qts_uuid(const pg_uuid_t *uuid)
{
	return UUIDPGetDatum(uuid);
}

bool
qts_uuid_is_null(const pg_uuid_t *uuid)
{
	static const pg_uuid_t zero = {{0}};

	return memcmp(uuid, &zero, sizeof(zero)) == 0;
}
