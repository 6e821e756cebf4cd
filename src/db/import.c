/*-------------------------------------------------------------------------
 *
 * import.c
 *		Reference data and bars from text and files: the loop over lines.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type_d.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "core/csv.h"
#include "db/import.h"
#include "db/stmt.h"
#include "errcodes.h"

extern PGDLLEXPORT Datum qts_sql_import_text(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum qts_sql_import_file(PG_FUNCTION_ARGS);

static const QtsImportKind *const kinds[] = {
	&qts_import_calendar,	   &qts_import_stocks,	   &qts_import_kospi_master,
	&qts_import_kosdaq_master, &qts_import_daily_bars, &qts_import_minute_bars,
};

static QtsStmt log_import = {
	"INSERT INTO market.imports (kind, source, lines, inserted, replaced, unchanged, kept, rejected)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
	8,
	{TEXTOID, TEXTOID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID}};

static const QtsImportKind *
import_kind(const char *name)
{
	StringInfoData list;

	initStringInfo(&list);
	for (size_t i = 0; i < lengthof(kinds); i++)
	{
		if (strcmp(kinds[i]->name, name) == 0)
			return kinds[i];
		appendStringInfo(&list, "%s%s", i ? ", " : "", kinds[i]->name);
	}
	ereport(ERROR, (errcode(QTS_ERRCODE_INVALID), errmsg("unknown kind of import \"%s\"", name),
					errdetail("A kind is one of a fixed set of words."), errhint("Use %s.", list.data)));
	return NULL;
}

void
qts_import_put(QtsImport *import, int i, Datum value)
{
	import->values[i][import->rows] = value;
	import->nulls[i][import->rows] = false;
}

void
qts_import_put_text(QtsImport *import, int i, const char *value)
{
	if (value != NULL)
		qts_import_put(import, i, CStringGetTextDatum(value));
}

static void
import_reject(QtsImport *import, const char *item, const char *reason)
{
	Datum values[3] = {Int64GetDatum(import->line)};
	bool nulls[3] = {false, item == NULL, false};

	import->rejected++;
	if (import->rejected > IMPORT_REJECTS)
		return;
	if (item != NULL)
		values[1] = CStringGetTextDatum(pnstrdup(item, 40));
	values[2] = CStringGetTextDatum(reason);
	tuplestore_putvalues(import->rejects, import->rejects_desc, values, nulls);
}

/* The last row of the answer when there were too many to list. */
static void
import_more(QtsImport *import)
{
	Datum values[3] = {0};
	bool nulls[3] = {true, true, false};

	if (import->rejected <= IMPORT_REJECTS)
		return;
	values[2] = CStringGetTextDatum(
		psprintf("and " INT64_FORMAT " more lines were rejected", import->rejected - IMPORT_REJECTS));
	tuplestore_putvalues(import->rejects, import->rejects_desc, values, nulls);
}

static Datum
import_array(const QtsImport *import, int i)
{
	Oid type = import->kind->types[i];
	int dims[1] = {import->rows};
	int lower[1] = {1};
	int16 len;
	bool byval;
	char align;

	get_typlenbyvalalign(type, &len, &byval, &align);
	return PointerGetDatum(
		construct_md_array(import->values[i], import->nulls[i], 1, dims, lower, type, len, byval, align));
}

static void
import_clear(QtsImport *import)
{
	for (int i = 0; i < import->kind->ntypes; i++)
		memset(import->nulls[i], true, IMPORT_BATCH);
	import->rows = 0;
}

static void
import_flush(QtsImport *import)
{
	Datum arrays[IMPORT_COLUMNS];
	MemoryContext old;

	if (import->rows > 0)
	{
		old = MemoryContextSwitchTo(import->batch);
		for (int i = 0; i < import->kind->ntypes; i++)
			arrays[i] = import_array(import, i);
		MemoryContextSwitchTo(old);
		import->kind->store(import, arrays);
		import->accepted += import->rows;
	}
	MemoryContextReset(import->batch);
	import_clear(import);
}

static void
import_header(QtsImport *import, char **fields, int n)
{
	bool seen[IMPORT_COLUMNS] = {false};

	import->fields = n;
	for (int f = 0; f < n; f++)
	{
		import->place[f] = -1;
		for (int c = 0; c < IMPORT_COLUMNS && import->kind->columns[c] != NULL; c++)
		{
			if (pg_strcasecmp(fields[f], import->kind->columns[c]) == 0 && !seen[c])
			{
				import->place[f] = c;
				seen[c] = true;
			}
		}
	}
	for (int c = 0; c < import->kind->required; c++)
	{
		if (!seen[c])
			ereport(ERROR, (errcode(QTS_ERRCODE_INVALID),
							errmsg("the header of %s has no column \"%s\"", import->kind->name,
								   import->kind->columns[c]),
							errdetail("The first line must name the columns."),
							errhint("Nothing was imported; see docs/market.md for the columns.")));
	}
}

static const char *
import_fields(QtsImport *import, const char **item)
{
	char *fields[IMPORT_FIELDS];
	int n = qts_csv_split(import->text, fields, IMPORT_FIELDS);

	if (n == QTS_CSV_BROKEN)
		return "its quotes do not match";
	if (n == QTS_CSV_TOO_MANY || n != import->fields)
		return "it does not have as many fields as the header";
	memset(import->field, 0, sizeof(import->field));
	for (int f = 0; f < n; f++)
	{
		if (import->place[f] >= 0 && fields[f][0] != '\0')
			import->field[import->place[f]] = fields[f];
	}
	*item = import->field[0];
	for (int c = 0; c < import->kind->required; c++)
	{
		if (import->field[c] == NULL)
			return psprintf("%s is empty", import->kind->columns[c]);
	}
	return NULL;
}

static void
import_row(QtsImport *import)
{
	const char *item = NULL;
	const char *why = NULL;
	MemoryContext old = MemoryContextSwitchTo(import->batch);

	if (!import->kind->fixed && !pg_verifymbstr(import->text, import->len, true))
		why = "it is not valid in the encoding of the database";
	if (why == NULL && !import->kind->fixed)
		why = import_fields(import, &item);
	if (why == NULL)
		why = import->kind->row(import, &item);
	if (why != NULL)
	{
		for (int i = 0; i < import->kind->ntypes; i++)
			import->nulls[i][import->rows] = true;
		import_reject(import, item, why);
	}
	else
		import->rows++;
	MemoryContextSwitchTo(old);
}

static void
import_begin_text(QtsImport *import)
{
	char *fields[IMPORT_FIELDS];
	int n;

	if (import->len >= 3 && memcmp(import->text, "\xef\xbb\xbf", 3) == 0)
		import->text += 3; /* a byte order mark */
	n = qts_csv_split(import->text, fields, IMPORT_FIELDS);
	if (n < 0)
		ereport(ERROR,
				(errcode(QTS_ERRCODE_INVALID), errmsg("the header of %s cannot be read", import->kind->name),
				 errdetail("Its quotes do not match, or it has more than %d fields.", IMPORT_FIELDS),
				 errhint("Nothing was imported.")));
	import_header(import, fields, n);
}

static void
import_lines(QtsImport *import)
{
	bool cut;

	while ((import->text = qts_source_line(import->source, &import->len, &cut)) != NULL)
	{
		import->line++;
		if (import->line == 1 && !import->kind->fixed)
			import_begin_text(import);
		else if (cut)
			import_reject(import, NULL, "it is too long");
		else if (import->len > 0)
			import_row(import);
		/* rejects use the batch's memory too */
		if (import->rows == IMPORT_BATCH || import->line % IMPORT_BATCH == 0)
		{
			CHECK_FOR_INTERRUPTS();
			import_flush(import);
		}
	}
	if (import->line == 0 && !import->kind->fixed)
		ereport(ERROR, (errcode(QTS_ERRCODE_INVALID), errmsg("there is nothing to import"),
						errdetail("Not even a header."), errhint("The first line must name the columns.")));
	import_flush(import);
}

static void
import_finish(QtsImport *import, const char *from)
{
	int64 unchanged = import->accepted - import->inserted - import->replaced - import->kept;
	Datum args[8] = {qts_text(import->kind->name),	  qts_text(from),
					 Int64GetDatum(import->line),	  Int64GetDatum(import->inserted),
					 Int64GetDatum(import->replaced), Int64GetDatum(unchanged),
					 Int64GetDatum(import->kept),	  Int64GetDatum(import->rejected)};

	import_more(import);
	qts_stmt_run_one(&log_import, args, NULL, "import");
	ereport(NOTICE,
			(errmsg("%s: " INT64_FORMAT " lines, " INT64_FORMAT " inserted, " INT64_FORMAT
					" replaced, " INT64_FORMAT " unchanged, " INT64_FORMAT " kept, " INT64_FORMAT " rejected",
					import->kind->name, import->line, import->inserted, import->replaced, unchanged,
					import->kept, import->rejected)));
}

static void
import_run(FunctionCallInfo fcinfo, const QtsImportKind *kind, QtsImportSource *source, bool overwrite,
		   const char *from)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	QtsImport *import = palloc0(sizeof(QtsImport));

	import->kind = kind;
	import->source = source;
	import->overwrite = overwrite;
	import->rejects = result->setResult;
	import->rejects_desc = result->setDesc;
	for (int i = 0; i < kind->ntypes; i++)
	{
		import->values[i] = palloc0(sizeof(Datum) * IMPORT_BATCH);
		import->nulls[i] = palloc(sizeof(bool) * IMPORT_BATCH);
	}
	import_clear(import);
	import->batch = AllocSetContextCreate(CurrentMemoryContext, "qts import batch", ALLOCSET_DEFAULT_SIZES);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	import_lines(import);
	import_finish(import, from);
	SPI_finish();
	qts_source_close(source);
}

PG_FUNCTION_INFO_V1(qts_sql_import_text);
Datum
qts_sql_import_text(PG_FUNCTION_ARGS)
{
	const QtsImportKind *kind = import_kind(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	text *rows = PG_GETARG_TEXT_PP(1);

	InitMaterializedSRF(fcinfo, 0);
	import_run(fcinfo, kind, qts_source_text(VARDATA_ANY(rows), VARSIZE_ANY_EXHDR(rows)), PG_GETARG_BOOL(2),
			   "text");
	return (Datum) 0;
}

/*
 * Reads as the server: whoever calls, not the owner of the function, must be
 * allowed to read its files.
 */
PG_FUNCTION_INFO_V1(qts_sql_import_file);
Datum
qts_sql_import_file(PG_FUNCTION_ARGS)
{
	const QtsImportKind *kind = import_kind(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	char *path = text_to_cstring(PG_GETARG_TEXT_PP(1));

	if (!has_privs_of_role(GetOuterUserId(), ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("must be a member of pg_read_server_files to import a file"),
						errhint("Give the rows as text to the function of their kind instead.")));
	canonicalize_path(path);
	InitMaterializedSRF(fcinfo, 0);
	import_run(fcinfo, kind, qts_source_file(path), PG_GETARG_BOOL(2), path);
	return (Datum) 0;
}
