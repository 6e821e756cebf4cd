/*-------------------------------------------------------------------------
 *
 * import_source.h
 *		Lines of a text or of a server file, plain or gzip.
 *
 * Reads in pieces; a line longer than IMPORT_LINE is handed out cut, and says so.
 * Everything is released with the memory context and the transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_DB_IMPORT_SOURCE_H
#define QTS_DB_IMPORT_SOURCE_H

#include "postgres.h"

#define IMPORT_LINE 65536

typedef struct QtsImportSource QtsImportSource;

extern QtsImportSource *qts_source_text(const char *data, size_t len);
extern QtsImportSource *qts_source_file(const char *path);
/* The next line without its end, in a buffer that may be changed; NULL at the end. */
extern char *qts_source_line(QtsImportSource *source, int *len, bool *cut);
extern void qts_source_close(QtsImportSource *source);

#endif /* QTS_DB_IMPORT_SOURCE_H */
