/*-------------------------------------------------------------------------
 *
 * kis_json.h
 *		Reading fields of KIS answers, whose types and key spellings vary.
 *
 * For kis/ only; jansson's types stop here.  Lookups try the exact name, then
 * the same name in another case.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_KIS_JSON_H
#define QTS_KIS_JSON_H

#include <jansson.h>

#include "kis/kis_text.h"

/* NULL when it is not one JSON object. */
extern json_t *qts_kis_json_load(const char *text, size_t len);

extern json_t *qts_kis_json_field(json_t *object, const char *name);

/* The object itself, or the only element of an array; else NULL. */
extern json_t *qts_kis_json_object(json_t *value);

extern QtsKisNumber qts_kis_json_integer(json_t *object, const char *name, int64_t *out);
extern QtsKisNumber qts_kis_json_decimal(json_t *object, const char *name, QtsPrice *out);

/* Absent leaves -1; false only for junk. */
extern bool qts_kis_json_count(json_t *object, const char *name, int64_t *out);

/* Trimmed copy of a string or a number; "" and false when absent or of another type. */
extern bool qts_kis_json_text(json_t *object, const char *name, char *out, size_t size);

/* The string itself, "" when it is not one. */
extern const char *qts_kis_json_string(json_t *object, const char *name);

#endif /* QTS_KIS_JSON_H */
