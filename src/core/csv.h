/*-------------------------------------------------------------------------
 *
 * csv.h
 *		Lines of comma-separated values, and the values in them.
 *
 * Quoting as in RFC 4180, but a record is one line: a quoted line break is an
 * error of that line, not the end of the file.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_CSV_H
#define QTS_CORE_CSV_H

#include "core/core.h"

#define QTS_CSV_BROKEN (-1)	  /* quotes do not match */
#define QTS_CSV_TOO_MANY (-2) /* more fields than there is room for */

/* Split in place; fields point into the line, without quotes and blanks around them. */
extern int qts_csv_split(char *line, char **fields, int max);

/* All of the text must be the value; false otherwise, and nothing is stored. */
extern bool qts_csv_whole(const char *text, int64_t *out);
extern bool qts_csv_date(const char *text, QtsDate *out);  /* 2026-11-20 or 20261120 */
extern bool qts_csv_clock(const char *text, QtsTime *out); /* 09:00 or 09:00:30, of a day */
extern bool
qts_csv_instant(const char *text, QtsTime *out);	   /* date, T or blank, clock, offset; none = Seoul */
extern bool qts_csv_bool(const char *text, bool *out); /* true t yes y 1, false f no n 0 */

#endif /* QTS_CORE_CSV_H */
