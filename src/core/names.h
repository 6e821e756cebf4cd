/*-------------------------------------------------------------------------
 *
 * names.h
 *		Enum names as stored in tables: lookup in both directions.
 *
 * Internal to the core.  Names are exact and case-sensitive; a value outside
 * the enum is INVALID, which no table accepts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_NAMES_H
#define QTS_CORE_NAMES_H

#include <string.h>

#include "core/core.h"

static inline const char *
qts_name_of(const char *const *names, int count, int value)
{
	return value >= 0 && value < count ? names[value] : "INVALID";
}

/* Index of the name, -1 when there is none. */
static inline int
qts_name_find(const char *const *names, int count, const char *name)
{
	if (name == NULL)
		return -1;
	for (int i = 0; i < count; i++)
	{
		if (strcmp(names[i], name) == 0)
			return i;
	}
	return -1;
}

#endif /* QTS_CORE_NAMES_H */
