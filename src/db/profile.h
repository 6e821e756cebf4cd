/*-------------------------------------------------------------------------
 *
 * profile.h
 *		Exit profiles as JSON: the one reader of trigger and exit worker.
 *
 * Numbers are fractions (-0.03 is -3 %).  A missing block or key takes the
 * number of default_hybrid_v1; an unknown one is refused by name.  No server
 * header, no ERROR: the caller decides what a refusal means.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_DB_PROFILE_H
#define QTS_DB_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/exit.h"

typedef struct QtsProfileError
{
	char field[64]; /* as in "tp1.base_pct" */
	char detail[160];
	char hint[256];
} QtsProfileError;

extern bool qts_profile_read(const char *json, QtsExitProfile *out, QtsProfileError *error);

/* The same with one line in why. */
extern bool qts_profile_parse(const char *json, QtsExitProfile *out, char *why, size_t why_size);

#endif /* QTS_DB_PROFILE_H */
