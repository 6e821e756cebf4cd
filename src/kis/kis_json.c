/*-------------------------------------------------------------------------
 *
 * kis_json.c
 *		Reading fields of KIS answers.
 *
 *-------------------------------------------------------------------------
 */
#include "kis/kis_json.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define JSON_MAX_COUNT INT64_C(999999999999999999) /* as for numbers in strings */

json_t *
qts_kis_json_load(const char *text, size_t len)
{
	json_t *root = json_loadb(text, len, 0, NULL);

	if (root && !json_is_object(root))
	{
		json_decref(root);
		root = NULL;
	}
	return root;
}

json_t *
qts_kis_json_field(json_t *object, const char *name)
{
	json_t *value = json_object_get(object, name);
	const char *key;
	json_t *other;

	if (value)
		return value;
	json_object_foreach(object, key, other)
	{
		if (strcasecmp(key, name) == 0)
			return other;
	}
	return NULL;
}

json_t *
qts_kis_json_object(json_t *value)
{
	if (json_is_array(value))
		value = json_array_size(value) == 1 ? json_array_get(value, 0) : NULL;
	return json_is_object(value) ? value : NULL;
}

QtsKisNumber
qts_kis_json_integer(json_t *object, const char *name, int64_t *out)
{
	json_t *value = qts_kis_json_field(object, name);

	if (!value || json_is_null(value))
		return QTS_KIS_ABSENT;
	if (json_is_string(value))
		return qts_kis_parse_integer(json_string_value(value), json_string_length(value), out);
	if (json_is_integer(value))
	{
		if (json_integer_value(value) > JSON_MAX_COUNT || json_integer_value(value) < -JSON_MAX_COUNT)
			return QTS_KIS_JUNK;
		*out = json_integer_value(value);
		return QTS_KIS_NUMBER;
	}
	if (json_is_real(value))
	{
		double real = json_real_value(value);

		/* beyond 2^53 a double no longer says which integer was meant */
		if (real < -9007199254740992.0 || real > 9007199254740992.0 || (double) (int64_t) real != real)
			return QTS_KIS_JUNK;
		*out = (int64_t) real;
		return QTS_KIS_NUMBER;
	}
	return QTS_KIS_JUNK;
}

QtsKisNumber
qts_kis_json_decimal(json_t *object, const char *name, QtsPrice *out)
{
	json_t *value = qts_kis_json_field(object, name);
	char digits[64];

	if (!value || json_is_null(value))
		return QTS_KIS_ABSENT;
	if (json_is_string(value))
		return qts_kis_parse_decimal(json_string_value(value), json_string_length(value), out);
	if (!json_is_number(value))
		return QTS_KIS_JUNK;
	if (json_is_integer(value))
		snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_real_value(value) > -1e15 && json_real_value(value) < 1e15)
		snprintf(digits, sizeof(digits), "%.6f", json_real_value(value));
	else
		return QTS_KIS_JUNK;
	return qts_kis_parse_decimal(digits, strlen(digits), out);
}

bool
qts_kis_json_count(json_t *object, const char *name, int64_t *out)
{
	*out = -1;
	return qts_kis_json_integer(object, name, out) != QTS_KIS_JUNK;
}

bool
qts_kis_json_text(json_t *object, const char *name, char *out, size_t size)
{
	json_t *value = qts_kis_json_field(object, name);
	char digits[32];

	out[0] = '\0';
	if (json_is_string(value))
		qts_kis_copy_text(out, size, json_string_value(value), json_string_length(value));
	else if (json_is_integer(value))
	{
		snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		qts_kis_copy_text(out, size, digits, strlen(digits));
	}
	else
		return false;
	return true;
}

const char *
qts_kis_json_string(json_t *object, const char *name)
{
	const char *s = json_string_value(qts_kis_json_field(object, name));

	return s ? s : "";
}
