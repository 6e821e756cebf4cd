/*-------------------------------------------------------------------------
 *
 * import.h
 *		Reference data and bars from text and files.
 *
 * A kind of data is a table: its columns, how a line becomes a row of arrays,
 * and what stores a batch of them.  A line that cannot be read is rejected and
 * told; an error takes back the whole import.  Memory is one batch and the
 * rejects, of which IMPORT_REJECTS are kept.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_DB_IMPORT_H
#define QTS_DB_IMPORT_H

#include "postgres.h"

#include "db/import_source.h"
#include "utils/tuplestore.h"

#define IMPORT_COLUMNS 16 /* of a kind */
#define IMPORT_FIELDS 64  /* of a line */
#define IMPORT_BATCH 4000 /* rows of one statement */
#define IMPORT_REJECTS 1000

typedef struct QtsImport QtsImport;

typedef struct QtsImportKind
{
	const char *name;
	const char *columns[IMPORT_COLUMNS]; /* known names of the header */
	int required;						 /* so many of them, from the first on */
	Oid types[IMPORT_COLUMNS];			 /* of the arrays */
	int ntypes;
	bool fixed; /* lines have a layout and no header */
	/* put the values of a line; NULL, or why it is rejected.  item names the row in reports. */
	const char *(*row)(QtsImport *import, const char **item);
	void (*store)(QtsImport *import, const Datum *arrays);
} QtsImportKind;

struct QtsImport
{
	const QtsImportKind *kind;
	QtsImportSource *source;
	bool overwrite;
	int64 line;
	char *text; /* the line and its length, for a fixed layout */
	int len;
	char *field[IMPORT_COLUMNS]; /* of the line, by column; NULL = empty or not in the file */
	int place[IMPORT_FIELDS];	 /* column of each field, -1 = not known */
	int fields;
	/* the batch */
	MemoryContext batch;
	Datum *values[IMPORT_COLUMNS];
	bool *nulls[IMPORT_COLUMNS];
	int rows;
	/* counts */
	int64 inserted;
	int64 replaced;
	int64 kept; /* what is stored comes from a better source */
	int64 rejected;
	int64 accepted;
	Tuplestorestate *rejects;
	TupleDesc rejects_desc;
};

/* Value i of the row being read. */
extern void qts_import_put(QtsImport *import, int i, Datum value);
extern void qts_import_put_text(QtsImport *import, int i, const char *value); /* NULL = null */

extern const QtsImportKind qts_import_calendar;
extern const QtsImportKind qts_import_stocks;
extern const QtsImportKind qts_import_kospi_master;
extern const QtsImportKind qts_import_kosdaq_master;
extern const QtsImportKind qts_import_daily_bars;
extern const QtsImportKind qts_import_minute_bars;

#endif /* QTS_DB_IMPORT_H */
