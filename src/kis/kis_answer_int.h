/*-------------------------------------------------------------------------
 *
 * kis_answer_int.h
 *		Shared by the answer parsers of kis/ only.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_KIS_ANSWER_INT_H
#define QTS_KIS_ANSWER_INT_H

#include "kis/kis_answer.h"
#include "kis/kis_json.h"

/* root NULL = the body was not a JSON object. */
extern QtsKisVerdict qts_kis_verdict(QtsKisCall call, int http_status, json_t *root);

/* The body contradicts its own success: say what, keep the code. */
extern void qts_kis_doubt(QtsKisVerdict *verdict, const char *what);

#endif /* QTS_KIS_ANSWER_INT_H */
