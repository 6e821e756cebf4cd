/*-------------------------------------------------------------------------
 *
 * trg.h
 *		What the triggers share: old and new values by column name.
 *
 * A trigger runs as whoever writes, also as a superuser, and never as its
 * owner.  Nothing here keeps state between calls but saved plans.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_DB_TRG_H
#define QTS_DB_TRG_H

#include "postgres.h"

#include "commands/trigger.h"
#include "fmgr.h"

#include "compat.h"

/* The row of a row trigger; next is NULL in a DELETE, prior in an INSERT. */
typedef struct QtsTrgRow
{
	TriggerData *data;
	TupleDesc desc;
	HeapTuple prior;
	HeapTuple next;
} QtsTrgRow;

/* Raise unless called as a row trigger of one of these events. */
extern QtsTrgRow qts_trg_row(FunctionCallInfo fcinfo);

extern Datum qts_trg_value(const QtsTrgRow *row, HeapTuple tuple, const char *column, bool *isnull);
extern char *qts_trg_text(const QtsTrgRow *row, HeapTuple tuple, const char *column);  /* NULL when null */
extern int64 qts_trg_int64(const QtsTrgRow *row, HeapTuple tuple, const char *column); /* 0 when null */
extern bool qts_trg_changed(const QtsTrgRow *row, const char *column);

/* Any value as text, for messages; "null" when null. */
extern char *qts_trg_show(const QtsTrgRow *row, HeapTuple tuple, const char *column);

/* Raise QT010 when one of these columns changes; the list ends with NULL. */
extern void qts_trg_frozen(const QtsTrgRow *row, const char *const *columns);

/* Raise QT004 when one of these numbers decreases; the list ends with NULL. */
extern void qts_trg_monotone(const QtsTrgRow *row, const char *const *columns);

pg_noreturn extern void qts_trg_illegal(const QtsTrgRow *row, const char *from, const char *to);

/* Name of the role the statement runs as. */
extern const char *qts_trg_writer(void);

/* May the writer act as the table's owner (a superuser may)? */
extern bool qts_trg_writer_owns(const QtsTrgRow *row);

#endif /* QTS_DB_TRG_H */
