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
	UNIT_WHOLE,
	UNIT_SECONDS, /* microseconds */
	UNIT_ID,
	UNIT_CONDITION
} ProfileUnit;

typedef struct ProfileKey
{
	const char *block;
	const char *key;
	ProfileUnit unit;
	size_t offset; /* in QtsExitProfile, or QtsCustomRule */
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
	{"gap_down", "enabled", UNIT_BOOL, AT(gap_enabled)},
	{"gap_down", "pct", UNIT_FRACTION, AT(gap_pct)},
	{"gap_down", "window_sec", UNIT_SECONDS, AT(gap_window)},
	{"break_even", "enabled", UNIT_BOOL, AT(even_enabled)},
	{"break_even", "trigger", UNIT_FRACTION, AT(even_trigger)},
	{"break_even", "buffer", UNIT_FRACTION, AT(even_buffer)},
	{"time_stop", "max_hold_days", UNIT_WHOLE, AT(max_hold_days)},
	{"time_stop", "no_momentum_days", UNIT_WHOLE, AT(no_momentum_days)},
	{"time_stop", "no_momentum_profit", UNIT_FRACTION, AT(no_momentum_profit)},
	{"time_stop", "trading_days", UNIT_BOOL, AT(trading_days)},
	{"confirm", "ticks", UNIT_COUNT, AT(confirm_ticks)},
	{"confirm", "min_sec", UNIT_SECONDS, AT(confirm_time)},
};

#define PROFILE_KEYS ((int) (sizeof(profile_keys) / sizeof(profile_keys[0])))

#define CUSTOM_BLOCK "custom_rules"
#define CUSTOM_AT(field) offsetof(QtsCustomRule, field)

/* Of one element of the array custom_rules. */
static const ProfileKey custom_keys[] = {
	{CUSTOM_BLOCK, "id", UNIT_ID, CUSTOM_AT(id)},
	{CUSTOM_BLOCK, "condition", UNIT_CONDITION, CUSTOM_AT(below)},
	{CUSTOM_BLOCK, "threshold", UNIT_FRACTION, CUSTOM_AT(threshold)},
	{CUSTOM_BLOCK, "qty_pct", UNIT_FRACTION, CUSTOM_AT(qty)},
	{CUSTOM_BLOCK, "priority", UNIT_WHOLE, CUSTOM_AT(priority)},
	{CUSTOM_BLOCK, "enabled", UNIT_BOOL, CUSTOM_AT(enabled)},
};

#define CUSTOM_KEYS ((int) (sizeof(custom_keys) / sizeof(custom_keys[0])))
#define PROFILE_LIMIT 1000.0 /* no number of a profile is near it */

static bool
profile_refuse(QtsProfileError *error, const char *block, const char *key, const char *detail,
			   const char *hint)
{
	snprintf(error->field, sizeof(error->field), "%.30s%s%.32s", block, key[0] ? "." : "", key);
	snprintf(error->detail, sizeof(error->detail), "%s", detail);
	snprintf(error->hint, sizeof(error->hint), "%s", hint);
	return false;
}

/* "Use one of a, b, c": the blocks, or the keys of a block. */
static void
profile_list(const ProfileKey *keys, int count, const char *block, char *out, size_t size)
{
	const char *last = "";
	size_t used = (size_t) snprintf(out, size, "Use one of");

	for (int i = 0; i < count; i++)
	{
		const char *name = block ? keys[i].key : keys[i].block;

		if ((block && strcmp(block, keys[i].block) != 0) || strcmp(last, name) == 0)
			continue;
		if (used < size)
			used += (size_t) snprintf(out + used, size - used, "%s %s", last[0] ? "," : "", name);
		last = name;
	}
	if (block == NULL && used < size)
		snprintf(out + used, size - used, ", " CUSTOM_BLOCK);
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
profile_find(const ProfileKey *keys, int count, const char *block, const char *key)
{
	for (int i = 0; i < count; i++)
	{
		if (strcmp(keys[i].block, block) == 0 && strcmp(keys[i].key, key) == 0)
			return &keys[i];
	}
	return NULL;
}

/* A number in millionths, exactly; false with a reason otherwise. */
static bool
profile_millionths(const char *block, const ProfileKey *key, double number, int64_t *out,
				   QtsProfileError *error)
{
	char detail[96];
	double scaled = number * 1e6;

	if (!(fabs(number) <= PROFILE_LIMIT))
	{
		snprintf(detail, sizeof(detail), "%g is out of range", number);
		return profile_refuse(error, block, key->key, detail,
							  key->unit == UNIT_SECONDS ? "Write seconds, at most 600"
														: "Write a fraction: 3 % is 0.03");
	}
	/* Six decimals are what is stored; the slack is the rounding of the double. */
	if (fabs(scaled - nearbyint(scaled)) > 1e-6)
	{
		snprintf(detail, sizeof(detail), "%.12g has more than six decimals", number);
		return profile_refuse(error, block, key->key, detail, "Round it: 0.000001 is the smallest step");
	}
	*out = (int64_t) llround(scaled);
	return true;
}

static bool
profile_store_text(const char *block, const ProfileKey *key, const json_t *value, char *to,
				   QtsProfileError *error)
{
	const char *text = json_string_value(value);

	if (key->unit == UNIT_ID)
	{
		/* what the letters may be is the core's business */
		if (text == NULL || strlen(text) > QTS_CUSTOM_ID_LEN)
			return profile_refuse(error, block, key->key, "not a text of at most 32 letters",
								  "Write a short name in quotes, as in \"half_at_5\"");
		memcpy(to, text, strlen(text) + 1);
		return true;
	}
	if (text == NULL || (strcmp(text, "profit_above") != 0 && strcmp(text, "profit_below") != 0))
		return profile_refuse(error, block, key->key, "not a condition",
							  "Write \"profit_above\" or \"profit_below\"");
	*(bool *) to = strcmp(text, "profit_below") == 0;
	return true;
}

static bool
profile_store(const char *block, const ProfileKey *key, const json_t *value, void *out,
			  QtsProfileError *error)
{
	char *to = (char *) out + key->offset;
	int64_t number = 0;

	if (key->unit == UNIT_ID || key->unit == UNIT_CONDITION)
		return profile_store_text(block, key, value, to, error);
	if (key->unit == UNIT_BOOL)
	{
		if (!json_is_boolean(value))
			return profile_refuse(error, block, key->key, "not a boolean", "Write true or false");
		*(bool *) to = json_is_true(value);
		return true;
	}
	if (!json_is_number(value))
		return profile_refuse(error, block, key->key, "not a number", "Write a JSON number without quotes");
	if (key->unit == UNIT_COUNT || key->unit == UNIT_WHOLE)
	{
		int least = key->unit == UNIT_COUNT ? 1 : 0;

		if (!json_is_integer(value) || json_integer_value(value) < least || json_integer_value(value) > 1000)
			return profile_refuse(error, block, key->key,
								  least ? "not a whole number from 1 to 1000"
										: "not a whole number from 0 to 1000",
								  least ? "Write how many evaluations must agree, as in 2"
										: "Write a whole number without quotes; 0 turns a limit of days off");
		*(int *) to = (int) json_integer_value(value);
		return true;
	}
	/* Seconds in millionths are microseconds. */
	if (!profile_millionths(block, key, json_number_value(value), &number, error))
		return false;
	*(int64_t *) to = number;
	return true;
}

/* block is what errors call it, name what its keys stand under. */
static bool
profile_read_block(const ProfileKey *keys, int count, const char *block, const char *name, json_t *object,
				   void *out, QtsProfileError *error)
{
	const char *item;
	json_t *value;
	char hint[256];

	if (!json_is_object(object))
		return profile_refuse(error, block, "", "not an object", "Write {\"key\": value, ...}");
	json_object_foreach(object, item, value)
	{
		const ProfileKey *key = profile_find(keys, count, name, item);

		if (key == NULL)
		{
			profile_list(keys, count, name, hint, sizeof(hint));
			return profile_refuse(error, block, item, "no such key", hint);
		}
		if (!profile_store(block, key, value, out, error))
			return false;
	}
	return true;
}

/* A rule says everything about itself but its priority, and whether it is on. */
static bool
profile_custom_complete(const char *block, const json_t *object, QtsProfileError *error)
{
	for (int i = 0; i < CUSTOM_KEYS; i++)
	{
		const char *key = custom_keys[i].key;

		if (strcmp(key, "priority") != 0 && strcmp(key, "enabled") != 0 &&
			json_object_get(object, key) == NULL)
			return profile_refuse(error, block, key, "missing",
								  "A rule needs id, condition, threshold and qty_pct");
	}
	return true;
}

static bool
profile_read_customs(const json_t *array, QtsExitProfile *out, QtsProfileError *error)
{
	size_t count = json_array_size(array);

	if (!json_is_array(array))
		return profile_refuse(error, CUSTOM_BLOCK, "", "not an array", "Write [{\"id\": ...}, ...]");
	if (count > QTS_CUSTOM_MAX)
		return profile_refuse(error, CUSTOM_BLOCK, "", qts_profile_fault_text(QTS_PROFILE_CUSTOM_COUNT),
							  "Give other positions a profile of their own");
	out->custom_count = (int) count;
	for (size_t i = 0; i < count; i++)
	{
		QtsCustomRule *rule = &out->custom[i];
		json_t *object = json_array_get(array, i);
		char block[24];

		snprintf(block, sizeof(block), CUSTOM_BLOCK "[%u]", (unsigned) i);
		memset(rule, 0, sizeof(*rule));
		rule->enabled = true;
		if (!profile_read_block(custom_keys, CUSTOM_KEYS, block, CUSTOM_BLOCK, object, rule, error) ||
			!profile_custom_complete(block, object, error))
			return false;
	}
	return true;
}

/* The number that a culprit of the core's check stands for, if it is one of ours. */
static bool
profile_value(const QtsExitProfile *profile, const char *field, double *value)
{
	int index;
	char item[24];

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
	if (sscanf(field, CUSTOM_BLOCK "[%d].%20s", &index, item) != 2 || index < 0 || index >= QTS_CUSTOM_MAX ||
		strcmp(item, "id") == 0)
		return false;
	*value = (double) (strcmp(item, "threshold") == 0 ? profile->custom[index].threshold
													  : profile->custom[index].qty) /
			 1e6;
	return true;
}

static void
profile_hint(QtsProfileFault fault, const char *field, bool known, double value, char *hint, size_t size)
{
	const char *fixed = qts_profile_fault_hint(fault, field);

	if (fixed != NULL)
		snprintf(hint, size, "%s", fixed);
	else if (strcmp(field, "trailing.atr_k") == 0)
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
		if (strcmp(name, CUSTOM_BLOCK) == 0)
			ok = profile_read_customs(value, out, error);
		else if (profile_known_block(name))
			ok = profile_read_block(profile_keys, PROFILE_KEYS, name, name, value, out, error);
		else
		{
			profile_list(profile_keys, PROFILE_KEYS, NULL, hint, sizeof(hint));
			ok = profile_refuse(error, name, "", "no such block", hint);
		}
		if (!ok)
			break;
	}
	json_decref(root);
	if (!ok)
		return false;
	fault = qts_exit_profile_check(out, &field);
	if (fault == QTS_PROFILE_OK)
	{
		qts_exit_profile_sort(out);
		return true;
	}
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
