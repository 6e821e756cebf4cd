/*-------------------------------------------------------------------------
 *
 * fill_model.c
 *		Fill models and changes to a profile as JSON.
 *
 *-------------------------------------------------------------------------
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "db/fill_model.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

char *
qts_profile_over(const char *profile, const char *changes)
{
	json_t *base = json_loads(profile, 0, NULL);
	json_t *over = json_loads(changes, 0, NULL);
	char *merged = NULL;

	if (json_is_object(base) && json_is_object(over) && json_object_update_recursive(base, over) == 0)
		merged = json_dumps(base, JSON_COMPACT);
	json_decref(base);
	json_decref(over);
	return merged;
}

static bool
model_refuse(QtsProfileError *error, const char *key, const char *detail, const char *hint)
{
	snprintf(error->field, sizeof(error->field), "%s", key);
	snprintf(error->detail, sizeof(error->detail), "%s", detail);
	snprintf(error->hint, sizeof(error->hint), "%s", hint);
	return false;
}

/* Numbers: what is stored is the JSON's number by a scale. */
typedef struct ModelNumber
{
	const char *key;
	double most;
	double scale;
	const char *hint;
} ModelNumber;

static const ModelNumber model_numbers[] = {
	{"latency_ms", 600000, 1000, "Give milliseconds from 0 to 600000."},
	{"slippage_bps", 1000, 100, "Give hundredths of a per cent from 0 to 1000."},
	{"volume_share", 1, 1000000, "Give a fraction from 0 (no bound) to 1."},
};

static bool
model_number(const ModelNumber *number, const json_t *value, int64_t *out, QtsProfileError *error)
{
	double given = json_is_number(value) ? json_number_value(value) : -1;

	if (!json_is_number(value))
		return model_refuse(error, number->key, "not a number", number->hint);
	if (!(given >= 0 && given <= number->most))
		return model_refuse(error, number->key, "out of range", number->hint);
	*out = llround(given * number->scale);
	return true;
}

static bool
model_word(const char *key, const char *word, QtsModel *out, QtsProfileError *error)
{
	static const char *const paths[] = {"LOW_FIRST", "HIGH_FIRST", "NEAREST"};

	if (strcmp(key, "control") == 0)
		return qts_control_mode_parse(word, &out->control) ||
			   model_refuse(error, key, "no control mode", "Use RUNNING, PAUSE_PROFIT or PAUSE_ALL.");
	if (strcmp(key, "path") != 0)
		return model_refuse(error, key, "no such key",
							"Use latency_ms, slippage_bps, volume_share, path and control.");
	for (size_t i = 0; i < COUNT_OF(paths); i++)
	{
		if (strcmp(paths[i], word) != 0)
			continue;
		out->path = (QtsBarPath) i;
		return true;
	}
	return model_refuse(error, key, "no path", "Use LOW_FIRST, HIGH_FIRST or NEAREST.");
}

static bool
model_key(const char *key, const json_t *value, QtsModel *out, QtsProfileError *error)
{
	int64_t *const places[] = {&out->fill.latency, &out->fill.slippage, &out->fill.volume_share};

	for (size_t i = 0; i < COUNT_OF(model_numbers); i++)
		if (strcmp(model_numbers[i].key, key) == 0)
			return model_number(&model_numbers[i], value, places[i], error);
	return model_word(key, json_is_string(value) ? json_string_value(value) : "", out, error);
}

bool
qts_model_read(const char *json, QtsModel *out, QtsProfileError *error)
{
	json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	const char *key;
	json_t *value;
	bool good = true;

	memset(error, 0, sizeof(*error));
	*out = (QtsModel){.path = QTS_PATH_LOW_FIRST, .control = QTS_CONTROL_RUNNING};
	if (!json_is_object(root))
	{
		json_decref(root);
		return model_refuse(error, "model", "not a JSON object",
							"As in {\"slippage_bps\": 5, \"volume_share\": 0.1}.");
	}
	json_object_foreach(root, key, value)
	{
		good = model_key(key, value, out, error);
		if (!good)
			break;
	}
	json_decref(root);
	return good;
}
