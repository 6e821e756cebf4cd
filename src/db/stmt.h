/*-------------------------------------------------------------------------
 *
 * stmt.h
 *		Prepared statements of the workers: planned once per process.
 *
 * A statement is a static QtsStmt: its text, argument types and, after the
 * first use, its saved plan.  Schema changes reach the plan by invalidation.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_DB_STMT_H
#define QTS_DB_STMT_H

#include "postgres.h"

#include "executor/spi.h"
#include "utils/uuid.h"

#define QTS_STMT_ARGS 32

typedef struct QtsStmt
{
	const char *sql;
	int nargs;
	Oid argtypes[QTS_STMT_ARGS];
	SPIPlanPtr plan;
} QtsStmt;

/* Run it; nulls may be NULL (no null argument).  Returns SPI_processed. */
extern uint64 qts_stmt_run(QtsStmt *stmt, const Datum *args, const char *nulls);

/* The same for a statement that must touch exactly one row; QT003 otherwise. */
extern void qts_stmt_run_one(QtsStmt *stmt, const Datum *args, const char *nulls, const char *what);

/* Columns (from 1) of a result row of the last qts_stmt_run. */
extern Datum qts_col(uint64 row, int column, bool *isnull);
extern int64 qts_col_int64(uint64 row, int column, int64 ifnull);
extern int32 qts_col_int32(uint64 row, int column, int32 ifnull);
extern bool qts_col_bool(uint64 row, int column);
extern char *qts_col_text(uint64 row, int column);						 /* palloc'd, NULL when null */
extern void qts_col_copy(uint64 row, int column, char *to, size_t size); /* "" when null */
extern pg_uuid_t qts_col_uuid(uint64 row, int column);					 /* zeros when null */

/* numeric(18,4) <-> QtsPrice */
extern int64 qts_col_price(uint64 row, int column); /* 0 when null */
extern Datum qts_price_numeric(int64 price);

extern Datum qts_text(const char *s);
extern Datum qts_uuid(const pg_uuid_t *uuid);
extern bool qts_uuid_is_null(const pg_uuid_t *uuid);

#endif /* QTS_DB_STMT_H */
