/*-------------------------------------------------------------------------
 *
 * profile.c
 *		Reading exit profiles from JSON.
 *
 * One table says which keys exist, where their numbers go and in which unit;
 * the rules between the numbers are the core's (qts_exit_profile_check).
 *
 *-------------------------------------------------------------------------
 */
#include "db/profile.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

typedef enum ProfileUnit
{
	UNIT_FRACTION, /* ppm */
	UNIT_BOOL,
	UNIT_COUNT,
	UNIT_SECONDS /* microseconds */
} ProfileUnit;

typedef struct ProfileKey
{
	const char *block;
	const char *key;
	ProfileUnit unit;
	size_t offset; /* in QtsExitProfile */
} ProfileKey;

#define AT(field) offsetof(QtsExitProfile, field)
/* clang-format off */
#define THRESHOLD(name) \
	{#name, "base_pct", UNIT_FRACTION, AT(name.base)}, \
	{#name, "min_pct", UNIT_FRACTION, AT(name.min)}, \
	{#name, "max_pct", UNIT_FRACTION, AT(name.max)}, \
	{#name, "qty_pct", UNIT_FRACTION, AT(name.qty)}
/* clang-format on */

/* Keys of one block stand together. */
static const ProfileKey profile_keys[] = {
	{"atr", "ref", UNIT_FRACTION, AT(atr_ref)},
	{"atr", "factor_min", UNIT_FRACTION, AT(factor_min)},
	{"atr", "factor_max", UNIT_FRACTION, AT(factor_max)},
	THRESHOLD(sl1),
	THRESHOLD(sl2),
	THRESHOLD(tp1),
	{"tp1", "stop_floor_profit", UNIT_FRACTION, AT(stop_floor_profit)},
	THRESHOLD(tp2),
	THRESHOLD(tp3),
	{"tp3", "start_trailing", UNIT_BOOL, AT(start_trailing)},
	{"trailing", "pct_trail", UNIT_FRACTION, AT(trail_pct)},
	{"trailing", "atr_k", UNIT_FRACTION, AT(trail_atr_k)},
	{"trailing", "partial_qty_pct", UNIT_FRACTION, AT(trail_partial_qty)},
	{"hardstop", "enabled", UNIT_BOOL, AT(hardstop_enabled)},
	{"hardstop", "pct", UNIT_FRACTION, AT(hardstop)},
	{"confirm", "ticks", UNIT_COUNT, AT(confirm_ticks)},
	{"confirm", "min_sec", UNIT_SECONDS, AT(confirm_time)},
};

#define PROFILE_KEYS ((int) (sizeof(profile_keys) / sizeof(profile_keys[0])))
#define PROFILE_LIMIT 1000.0 /* no number of a profile is near it */

static bool
profile_refuse(QtsProfileError *error, const char *block, const char *key, const char *detail,
			   const char *hint)
{
	snprintf(error->field, sizeof(error->field), "%.24s%s%.32s", block, key[0] ? "." : "", key);
	snprintf(error->detail, sizeof(error->detail), "%s", detail);
	snprintf(error->hint, sizeof(error->hint), "%s", hint);
	return false;
}

/* "Use one of a, b, c": the blocks, or the keys of a block. */
static void
profile_list(const char *block, char *out, size_t size)
{
	const char *last = "";
	size_t used = (size_t) snprintf(out, size, "Use one of");

	for (int i = 0; i < PROFILE_KEYS; i++)
	{
		const char *name = block ? profile_keys[i].key : profile_keys[i].block;

		if ((block && strcmp(block, profile_keys[i].block) != 0) || strcmp(last, name) == 0)
			continue;
		if (used < size)
			used += (size_t) snprintf(out + used, size - used, "%s %s", last[0] ? "," : "", name);
		last = name;
	}
}

static bool
profile_known_block(const char *block)
{
	for (int i = 0; i < PROFILE_KEYS; i++)
	{
		if (strcmp(profile_keys[i].block, block) == 0)
			return true;
	}
	return false;
}

static const ProfileKey *
profile_find(const char *block, const char *key)
{
	for (int i = 0; i < PROFILE_KEYS; i++)
	{
		if (strcmp(profile_keys[i].block, block) == 0 && strcmp(profile_keys[i].key, key) == 0)
			return &profile_keys[i];
	}
	return NULL;
}

/* A number in millionths, exactly; false with a reason otherwise. */
static bool
profile_millionths(const ProfileKey *key, double number, int64_t *out, QtsProfileError *error)
{
	char detail[96];
	double scaled = number * 1e6;

	if (!(fabs(number) <= PROFILE_LIMIT))
	{
		snprintf(detail, sizeof(detail), "%g is out of range", number);
		return profile_refuse(error, key->block, key->key, detail, "Write a fraction: 3 % is 0.03");
	}
	/* Six decimals are what is stored; the slack is the rounding of the double. */
	if (fabs(scaled - nearbyint(scaled)) > 1e-6)
	{
		snprintf(detail, sizeof(detail), "%.12g has more than six decimals", number);
		return profile_refuse(error, key->block, key->key, detail, "Round it: 0.000001 is the smallest step");
	}
	*out = (int64_t) llround(scaled);
	return true;
}

static bool
profile_store(const ProfileKey *key, const json_t *value, QtsExitProfile *out, QtsProfileError *error)
{
	char *to = (char *) out + key->offset;
	int64_t number = 0;

	if (key->unit == UNIT_BOOL)
	{
		if (!json_is_boolean(value))
			return profile_refuse(error, key->block, key->key, "not a boolean", "Write true or false");
		*(bool *) to = json_is_true(value);
		return true;
	}
	if (!json_is_number(value))
		return profile_refuse(error, key->block, key->key, "not a number",
							  "Write a JSON number without quotes");
	if (key->unit == UNIT_COUNT)
	{
		if (!json_is_integer(value) || json_integer_value(value) < 1 || json_integer_value(value) > 1000)
			return profile_refuse(error, key->block, key->key, "not a whole number from 1 to 1000",
								  "Write how many evaluations must agree, as in 2");
		*(int *) to = (int) json_integer_value(value);
		return true;
	}
	/* Seconds in millionths are microseconds. */
	if (!profile_millionths(key, json_number_value(value), &number, error))
		return false;
	*(int64_t *) to = number;
	return true;
}

static bool
profile_read_block(const char *block, json_t *object, QtsExitProfile *out, QtsProfileError *error)
{
	const char *name;
	json_t *value;
	char hint[256];

	if (!json_is_object(object))
		return profile_refuse(error, block, "", "not an object", "Write {\"key\": number, ...}");
	json_object_foreach(object, name, value)
	{
		const ProfileKey *key = profile_find(block, name);

		if (key == NULL)
		{
			profile_list(block, hint, sizeof(hint));
			return profile_refuse(error, block, name, "no such key", hint);
		}
		if (!profile_store(key, value, out, error))
			return false;
	}
	return true;
}

/* The number that a culprit of the core's check stands for, if it is one of ours. */
static bool
profile_value(const QtsExitProfile *profile, const char *field, double *value)
{
	for (int i = 0; i < PROFILE_KEYS; i++)
	{
		const ProfileKey *key = &profile_keys[i];
		size_t length = strlen(key->block);

		if (key->unit != UNIT_FRACTION || strncmp(field, key->block, length) != 0 || field[length] != '.' ||
			strcmp(field + length + 1, key->key) != 0)
			continue;
		*value = (double) *(const int64_t *) ((const char *) profile + key->offset) / 1e6;
		return true;
	}
	return false;
}

static void
profile_hint(QtsProfileFault fault, const char *field, bool known, double value, char *hint, size_t size)
{
	switch (fault)
	{
		case QTS_PROFILE_SIGN:
			snprintf(hint, size, "Stops (sl1, sl2, hardstop) are negative, profits and trails positive");
			return;
		case QTS_PROFILE_ORDER:
			snprintf(hint, size,
					 "min_pct is closest to zero, max_pct farthest, base_pct between them; 0 = no bound");
			return;
		case QTS_PROFILE_HARDSTOP:
			snprintf(hint, size, "Put hardstop.pct at or below sl2.max_pct, or it fires before SL2 can");
			return;
		case QTS_PROFILE_FACTOR:
			snprintf(hint, size, "factor_min lies above 0, factor_max between it and 10, as in 0.7 and 1.6");
			return;
		case QTS_PROFILE_TP_ORDER:
			snprintf(hint, size, "Each profit level lies above the one before: tp1 < tp2 < tp3");
			return;
		case QTS_PROFILE_CONFIRM:
			snprintf(hint, size, "Use ticks from 1 and min_sec from 0, as in 2 and 3");
			return;
		case QTS_PROFILE_UNIT:
		case QTS_PROFILE_QTY_RANGE:
		case QTS_PROFILE_FLOOR_RANGE:
		case QTS_PROFILE_OK:
			break;
	}
	if (strcmp(field, "trailing.atr_k") == 0)
		snprintf(hint, size, "It is a multiple of the ATR, at most 100, as in 2.0");
	else if (known && fabs(value) > 0)
		snprintf(hint, size, "Numbers are fractions: %g means %g %%; for %g %% write %g", value, value * 100,
				 value, value / 100);
	else
		snprintf(hint, size, "Numbers are fractions: 3 %% is 0.03");
}

bool
qts_profile_read(const char *json, QtsExitProfile *out, QtsProfileError *error)
{
	json_error_t where;
	json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, &where);
	const char *name;
	json_t *value;
	const char *field = "config";
	QtsProfileFault fault;
	char hint[256];
	bool ok = true;
	double number = 0;
	bool known;

	memset(error, 0, sizeof(*error));
	if (root == NULL)
	{
		profile_refuse(error, "config", "", "", "Write a JSON object with numbers of ordinary size");
		snprintf(error->detail, sizeof(error->detail), "not readable, %s", where.text);
		return false;
	}
	if (!json_is_object(root))
	{
		json_decref(root);
		return profile_refuse(error, "config", "", "not a JSON object", "Write {\"sl1\": {...}, ...}");
	}
	*out = qts_exit_profile_default();
	json_object_foreach(root, name, value)
	{
		if (!profile_known_block(name))
		{
			profile_list(NULL, hint, sizeof(hint));
			ok = profile_refuse(error, name, "", "no such block", hint);
		}
		else
			ok = profile_read_block(name, value, out, error);
		if (!ok)
			break;
	}
	json_decref(root);
	if (!ok)
		return false;
	fault = qts_exit_profile_check(out, &field);
	if (fault == QTS_PROFILE_OK)
		return true;
	known = profile_value(out, field, &number);
	profile_hint(fault, field, known, number, hint, sizeof(hint));
	profile_refuse(error, field, "", qts_profile_fault_text(fault), hint);
	if (known)
		snprintf(error->detail, sizeof(error->detail), "%g: %s", number, qts_profile_fault_text(fault));
	return false;
}

bool
qts_profile_parse(const char *json, QtsExitProfile *out, char *why, size_t why_size)
{
	QtsProfileError error;

	if (qts_profile_read(json, out, &error))
		return true;
	snprintf(why, why_size, "%s: %s (%s)", error.field, error.detail, error.hint);
	return false;
}
