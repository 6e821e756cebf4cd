/*-------------------------------------------------------------------------
 *
 * fill_model.h
 *		Fill models and changes to a profile as JSON.
 *
 * No server header, no ERROR: the caller decides what a refusal means.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_DB_FILL_MODEL_H
#define QTS_DB_FILL_MODEL_H

#include "core/backtest.h"
#include "db/profile.h"

typedef struct QtsModel
{
	QtsFillModel fill;
	QtsBarPath path;
	QtsControlMode control;
} QtsModel;

/* A missing key takes the plainest value; an unknown one is refused by name. */
extern bool qts_model_read(const char *json, QtsModel *out, QtsProfileError *error);

/* A profile with the keys that changes names put over it; malloc'd, NULL when one of both is no object. */
extern char *qts_profile_over(const char *profile, const char *changes);

#endif /* QTS_DB_FILL_MODEL_H */
