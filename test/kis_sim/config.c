/*
 * config.c
 *		Options with their defaults, and the configuration document that sets them
 *		together with applications, accounts and symbols.
 *
 * A document is applied in an order that lets its parts name each other: options,
 * symbols, accounts, applications.  It may be sent again at any time; it adds and
 * changes, never removes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

typedef enum OptionType
{
	OPTION_INT,
	OPTION_MS,
	OPTION_BOOL,
	OPTION_TIME
} OptionType;

typedef struct Option
{
	const char *name;
	OptionType type;
	size_t offset;
	int64_t low;
	int64_t high;
} Option;

#define OPTION(name, type, member, low, high)                                                                \
	{                                                                                                        \
		name, type, offsetof(QtsOptions, member), low, high                                                  \
	}

static const Option option_table[] = {
	OPTION("fill_delay_ms", OPTION_MS, fill_delay_ms, 0, 3600000),
	OPTION("fill_delay_max_ms", OPTION_MS, fill_delay_max_ms, 0, 3600000),
	OPTION("clock_skew_ms", OPTION_MS, clock_skew_ms, -3600000, 3600000),
	OPTION("piece_delay_ms", OPTION_MS, piece_delay_ms, 0, 3600000),
	OPTION("cancel_delay_ms", OPTION_MS, cancel_delay_ms, 0, 3600000),
	OPTION("accept_before_reply", OPTION_BOOL, accept_before_reply, 0, 0),
	OPTION("partial_fills", OPTION_INT, partial_fills, 1, 1000),
	OPTION("auto_fill", OPTION_BOOL, auto_fill, 0, 0),
	OPTION("spread_ticks", OPTION_INT, spread_ticks, 0, 100),
	OPTION("rate_per_second", OPTION_INT, rate_per_second, 0, QTS_MAX_RATE - 1),
	OPTION("ledger_empty", OPTION_BOOL, ledger_empty, 0, 0),
	OPTION("paper_ledger_empty", OPTION_BOOL, ledger_empty, 0, 0),
	OPTION("ledger_lag_ms", OPTION_MS, ledger_lag_ms, 0, 3600000),
	OPTION("ledger_fill_lag_ms", OPTION_MS, ledger_fill_lag_ms, 0, 3600000),
	OPTION("balance_lag_ms", OPTION_MS, balance_lag_ms, 0, 3600000),
	OPTION("ledger_odno_width", OPTION_INT, ledger_odno_width, 1, 10),
	OPTION("notice_odno_width", OPTION_INT, notice_odno_width, 1, 10),
	OPTION("strict_query", OPTION_BOOL, is_strict, 0, 0),
	OPTION("closed_unexpectedly", OPTION_BOOL, closed_unexpectedly, 0, 0),
	OPTION("auto_vi", OPTION_BOOL, auto_vi, 0, 0),
	OPTION("naver_raw", OPTION_BOOL, naver_raw, 0, 0),
	OPTION("pingpong_ms", OPTION_MS, pingpong_ms, 0, 3600000),
	OPTION("pingpong_required", OPTION_BOOL, pingpong_required, 0, 0),
	OPTION("tick_fields", OPTION_INT, tick_fields, 46, 47),
	OPTION("book_fields", OPTION_INT, book_fields, 59, 63),
	OPTION("notice_fields", OPTION_INT, notice_fields, 18, 30),
	OPTION("page_ledger", OPTION_INT, page_ledger, 1, 1000),
	OPTION("page_open", OPTION_INT, page_open, 1, 1000),
	OPTION("page_balance", OPTION_INT, page_balance, 1, 1000),
	OPTION("avg_prvs_blank_ms", OPTION_MS, avg_blank_ms, 0, 3600000),
	OPTION("token_interval_s", OPTION_INT, token_interval_s, 0, 86400),
	OPTION("token_life_s", OPTION_INT, token_life_s, 1, 864000),
	OPTION("token_reuse_s", OPTION_INT, token_reuse_s, 0, 864000),
	OPTION("ws_linger_ms", OPTION_MS, ws_linger_ms, 0, 3600000),
	OPTION("ws_fragment", OPTION_INT, ws_fragment, 0, 65536),
	OPTION("fee_e9", OPTION_MS, fee_e9, 0, 100000000),
	OPTION("etf_fee_e9", OPTION_MS, etf_fee_e9, 0, 100000000),
	OPTION("session_open", OPTION_TIME, open_min, 0, 1440),
	OPTION("session_close", OPTION_TIME, close_min, 0, 1440),
	OPTION("preopen", OPTION_TIME, preopen_min, 0, 1440),
	OPTION("closing_auction", OPTION_TIME, closing_min, 0, 1440),
	OPTION("after_open", OPTION_TIME, after_open_min, 0, 1440),
	OPTION("after_close", OPTION_TIME, after_close_min, 0, 1440),
	OPTION("premarket_open", OPTION_TIME, premarket_open_min, 0, 1440),
	OPTION("premarket_close", OPTION_TIME, premarket_close_min, 0, 1440),
};

QtsOptions qts_options;

void
qts_config_defaults(bool is_paper)
{
	QtsOptions *o = &qts_options;

	o->is_paper = is_paper;
	o->accept_before_reply = is_paper;
	o->partial_fills = 1;
	o->auto_fill = true;
	o->naver_raw = true;
	o->spread_ticks = 1;
	o->rate_per_second = is_paper ? 1 : 18;
	o->pingpong_ms = 10000;
	o->pingpong_required = true;
	o->tick_fields = 47;
	o->notice_fields = is_paper ? 23 : 26;
	o->book_fields = 63;
	o->ledger_odno_width = o->notice_odno_width = 10;
	o->premarket_open_min = 8 * 60;
	o->premarket_close_min = 8 * 60 + 50;
	o->page_ledger = is_paper ? 15 : 100;
	o->page_open = 50;
	o->page_balance = is_paper ? 20 : 50;
	o->market_open = -1;
	o->open_min = 9 * 60;
	o->close_min = 15 * 60 + 30;
	o->preopen_min = 8 * 60 + 30;
	o->closing_min = 15 * 60 + 20;
	o->after_open_min = 16 * 60;
	o->after_close_min = 20 * 60;
	o->token_interval_s = 60;
	o->token_life_s = 86400;
	o->token_reuse_s = 6 * 3600;
	o->fee_e9 = 140527;
	o->etf_fee_e9 = 146527;
}

static bool
option_set(const Option *option, const json_t *value)
{
	char *target = (char *) &qts_options + option->offset;
	int hour;
	int minute;
	int64_t number;

	if (option->type == OPTION_BOOL)
	{
		if (!json_is_boolean(value))
			return false;
		*(bool *) target = json_is_true(value);
		return true;
	}
	if (option->type == OPTION_TIME)
	{
		if (!json_is_string(value) || sscanf(json_string_value(value), "%2d:%2d", &hour, &minute) != 2)
			return false;
		number = hour * 60 + minute;
	}
	else if (json_is_integer(value))
		number = json_integer_value(value);
	else
		return false;
	if (number < option->low || number > option->high)
		return false;
	if (option->type == OPTION_MS)
		*(int64_t *) target = number;
	else
		*(int *) target = (int) number;
	return true;
}

static bool
option_holidays(const json_t *list)
{
	size_t i;
	json_t *item;

	qts_options.n_holidays = 0;
	json_array_foreach(list, i, item)
	{
		int year;
		int month;
		int day;

		if (!json_is_string(item) || qts_options.n_holidays == QTS_MAX_HOLIDAYS ||
			sscanf(json_string_value(item), "%4d-%2d-%2d", &year, &month, &day) != 3)
			return false;
		qts_options.holidays[qts_options.n_holidays++] = year * 10000 + month * 100 + day;
	}
	return json_is_array(list);
}

/* Options that are words, lists or tri-states. */
static bool
option_special(const char *name, const json_t *value, bool *is_known)
{
	const char *text = json_string_value(value);

	*is_known = true;
	if (strcmp(name, "holidays") == 0)
		return option_holidays(value);
	if (strcmp(name, "market_open") == 0)
	{
		qts_options.market_open = json_is_boolean(value) ? json_is_true(value) : -1;
		return json_is_boolean(value) || json_is_null(value) || (text != NULL && strcmp(text, "auto") == 0);
	}
	if (strcmp(name, "ledger_shape") == 0)
	{
		qts_options.ledger_documented = text != NULL && strcmp(text, "documented") == 0;
		return text != NULL && (qts_options.ledger_documented || strcmp(text, "live") == 0);
	}
	if (strcmp(name, "ledger_keys") == 0)
	{
		qts_options.ledger_sample_keys = text != NULL && strcmp(text, "sample") == 0;
		return text != NULL && (qts_options.ledger_sample_keys || strcmp(text, "live") == 0);
	}
	if (strcmp(name, "next_odno") == 0)
	{
		qts_book_force_number(json_integer_value(value));
		return json_is_integer(value) && json_integer_value(value) > 0;
	}
	if (strcmp(name, "symbols_generate") == 0)
		return json_is_integer(value) && qts_market_generate(json_integer_value(value));
	if (strcmp(name, "rate_window") == 0)
	{
		qts_options.rate_fixed = text != NULL && strcmp(text, "fixed") == 0;
		return text != NULL && (qts_options.rate_fixed || strcmp(text, "sliding") == 0);
	}
	*is_known = false;
	return false;
}

static bool
config_options(json_t *options, const char **error)
{
	static char message[96];
	const char *name;
	json_t *value;

	json_object_foreach(options, name, value)
	{
		bool is_known;
		bool is_good = option_special(name, value, &is_known);

		for (size_t i = 0; !is_known && i < sizeof(option_table) / sizeof(option_table[0]); i++)
			if (strcmp(option_table[i].name, name) == 0)
			{
				is_known = true;
				is_good = option_set(&option_table[i], value);
			}
		if (is_good)
			continue;
		snprintf(message, sizeof(message), "option %.40s: %s", name, is_known ? "bad value" : "unknown");
		*error = message;
		return false;
	}
	return true;
}

static bool
config_rows(const json_t *list, bool (*define)(const json_t *), const char *what, const char **error)
{
	size_t i;
	json_t *row;

	json_array_foreach(list, i, row)
	{
		if (!define(row))
		{
			*error = what;
			return false;
		}
	}
	return true;
}

bool
qts_config_apply(const json_t *config, const char **error)
{
	*error = "not an object";
	if (!json_is_object(config))
		return false;
	return config_options(json_object_get(config, "options"), error) &&
		   config_rows(json_object_get(config, "symbols"), qts_market_define, "bad symbol", error) &&
		   config_rows(json_object_get(config, "accounts"), qts_account_define, "bad account", error) &&
		   config_rows(json_object_get(config, "apps"), qts_oauth_define, "bad app", error);
}
