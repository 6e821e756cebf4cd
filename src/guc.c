/*-------------------------------------------------------------------------
 *
 * guc.c
 *		Definitions and checks of the engine's settings.
 *
 * Workers read them, and workers do not see SET: nothing here is USERSET.
 * A wrong value is refused when it is set, with what would be right.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <unistd.h>

#include "utils/guc.h"

#include "guc.h"

QtsGuc qts_guc;

static const struct config_enum_entry trading_modes[] = {
	{"off", QTS_TRADING_OFF, false},
	{"paper", QTS_TRADING_PAPER, false},
	{"live", QTS_TRADING_LIVE, false},
	{NULL, 0, false},
};

static const struct config_enum_entry escalating[] = {
	{"off", QTS_ESCALATE_OFF, false},
	{"alert", QTS_ESCALATE_ALERT, false},
	{"act", QTS_ESCALATE_ACT, false},
	{NULL, 0, false},
};

static const struct config_enum_entry foreign_orders[] = {
	{"halt", QTS_FOREIGN_HALT, false},
	{"record", QTS_FOREIGN_RECORD, false},
	{NULL, 0, false},
};

static const struct config_enum_entry reference_data[] = {
	{"off", QTS_REFERENCE_OFF, false},
	{"followed", QTS_REFERENCE_FOLLOWED, false},
	{"all", QTS_REFERENCE_ALL, false},
	{NULL, 0, false},
};

static bool
guc_absolute_path(char **newval, void **extra, GucSource source)
{
	if (*newval == NULL || (*newval)[0] == '\0' || (*newval)[0] == '/')
		return true;
	GUC_check_errdetail("The path must be absolute: the server's working directory is its data directory.");
	return false;
}

static bool
guc_live_ack(char **newval, void **extra, GucSource source)
{
	if (*newval == NULL || (*newval)[0] == '\0' || strcmp(*newval, QTS_LIVE_ACK) == 0)
		return true;
	GUC_check_errdetail("The only accepted value is \"%s\", or an empty string.", QTS_LIVE_ACK);
	return false;
}

/* Plain http only inside this machine: a quote that anybody may change is none. */
static bool
guc_quote_url(char **newval, void **extra, GucSource source)
{
	static const char *const heads[] = {"https://", "http://127.0.0.1", "http://localhost", "http://[::1]"};
	const char *url = *newval != NULL ? *newval : "";
	bool good = url[0] == '\0';

	for (int i = 0; i < (int) lengthof(heads); i++)
	{
		const char *rest = url + strlen(heads[i]);

		if (strncmp(url, heads[i], strlen(heads[i])) == 0)
			good |= i == 0 ? rest[0] != '\0' : rest[0] == '\0' || rest[0] == ':' || rest[0] == '/';
	}
	if (good && strlen(url) < 256)
		return true;
	GUC_check_errdetail("The address must start with https://, or with http:// and a loopback address.");
	return false;
}

static void
guc_string(const char *name, const char *what, char **var, const char *boot, GucContext context,
		   GucStringCheckHook check)
{
	DefineCustomStringVariable(name, what, NULL, var, boot, context, GUC_SUPERUSER_ONLY, check, NULL, NULL);
}

static void
guc_int(const char *name, const char *what, int *var, int boot, int min, int max, GucContext context,
		int flags)
{
	DefineCustomIntVariable(name, what, NULL, var, boot, min, max, context, flags, NULL, NULL, NULL);
}

void
qts_guc_define(void)
{
	guc_int("qts.balance_interval", "Time between two reads of an account's balance.",
			&qts_guc.balance_interval, 30, 1, 3600, PGC_SIGHUP, GUC_UNIT_S);
	guc_int("qts.breaker_open", "Time a broker that does not answer is left alone before it is tried again.",
			&qts_guc.breaker_open, 30000, 100, 600000, PGC_SIGHUP, GUC_UNIT_MS);
	guc_int("qts.breaker_threshold",
			"Requests of a class without an answer, in a row, after which no more leave; 0 = never.",
			&qts_guc.breaker_threshold, 5, 0, 1000, PGC_SIGHUP, 0);
	guc_string("qts.credentials_file", "File with the broker's keys, owned by the server's user, mode 0600.",
			   &qts_guc.credentials_file, "", PGC_SIGHUP, guc_absolute_path);
	guc_string("qts.database", "Database the engine lives in; empty = engine off.", &qts_guc.database, "",
			   PGC_POSTMASTER, NULL);
	DefineCustomBoolVariable("qts.enabled", "Runs the workers; while off they park without a connection.",
							 NULL, &qts_guc.enabled, true, PGC_SIGHUP, GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	guc_int("qts.error_limit", "Consecutive failed turns after which a worker starts afresh.",
			&qts_guc.error_limit, 5, 1, 1000, PGC_SIGHUP, 0);
	DefineCustomEnumVariable(
		"qts.escalation", "What happens by itself when prices of what is held stay stale: off, alert, act.",
		NULL, &qts_guc.escalation, QTS_ESCALATE_ACT, escalating, PGC_SIGHUP, 0, NULL, NULL, NULL);
	guc_int("qts.exit_interval", "Time between two evaluations of a position whose price is quiet.",
			&qts_guc.exit_interval, 2000, 10, 60000, PGC_SIGHUP, GUC_UNIT_MS);
	guc_int("qts.exit_max_price_age", "Age above which no exit is decided on a price.",
			&qts_guc.exit_max_price_age, 10000, 100, 600000, PGC_SIGHUP, GUC_UNIT_MS);
	guc_int("qts.exit_signal_interval",
			"Time between two samples of every exit rule of every position; 0 = none.",
			&qts_guc.exit_signal_interval, 60, 0, 3600, PGC_SIGHUP, GUC_UNIT_S);
	DefineCustomEnumVariable(
		"qts.foreign_api_orders", "What an API order of another program on one of the accounts does.", NULL,
		&qts_guc.foreign_api_orders, QTS_FOREIGN_HALT, foreign_orders, PGC_SIGHUP, 0, NULL, NULL, NULL);
	guc_string("qts.halt_file", "No order leaves while this file exists; empty = not used.",
			   &qts_guc.halt_file, "", PGC_SIGHUP, guc_absolute_path);
	guc_int("qts.http_timeout", "Time one request to the broker may take.", &qts_guc.http_timeout, 7000, 100,
			60000, PGC_SIGHUP, GUC_UNIT_MS);
	guc_int("qts.ledger_idle_interval", "Time between two reads of the order ledger with no order open.",
			&qts_guc.ledger_idle_interval, 30, 1, 3600, PGC_SIGHUP, GUC_UNIT_S);
	guc_int("qts.ledger_interval", "Time between two reads of the order ledger with orders open.",
			&qts_guc.ledger_interval, 10, 1, 3600, PGC_SIGHUP, GUC_UNIT_S);
	guc_string("qts.live_ack", "Must be \"" QTS_LIVE_ACK "\" for trading_mode live to take effect.",
			   &qts_guc.live_ack, "", PGC_SIGHUP, guc_live_ack);
	guc_int("qts.max_books", "Order books the board has room for; the oldest make room for new ones.",
			&qts_guc.max_books, 256, 0, 65536, PGC_POSTMASTER, 0);
	guc_int(
		"qts.max_clock_skew",
		"Difference between the exchange's time of a pushed price and ours above which it is refused; 0 = "
		"not looked at.",
		&qts_guc.max_clock_skew, 10, 0, 86400, PGC_SIGHUP, GUC_UNIT_S);
	guc_int("qts.max_entries_per_minute", "Buys an account may send in a minute; 0 = no limit.",
			&qts_guc.max_entries_per_minute, 30, 0, 100000, PGC_SIGHUP, 0);
	guc_int("qts.max_exits_per_minute", "Sells an account may send in a minute; 0 = no limit.",
			&qts_guc.max_exits_per_minute, 240, 0, 100000, PGC_SIGHUP, 0);
	guc_int("qts.max_order_attempts", "Sends of one order that the broker provably refused before it fails.",
			&qts_guc.max_order_attempts, 5, 1, 100, PGC_SIGHUP, 0);
	guc_int("qts.max_orders_per_minute",
			"Orders of all accounts in a minute that stop entries; 0 = no limit.",
			&qts_guc.max_orders_per_minute, 600, 0, 100000, PGC_SIGHUP, 0);
	guc_int("qts.max_slot_wal", "WAL a replication slot may keep before entries stop; 0 = not watched.",
			&qts_guc.max_slot_wal, 16384, 0, MAX_KILOBYTES / 1024, PGC_SIGHUP, GUC_UNIT_MB);
	guc_int("qts.max_symbols", "Symbols the price board has room for.", &qts_guc.max_symbols, 4096, 64, 65536,
			PGC_POSTMASTER, 0);
	guc_int("qts.max_xid_age", "Age of the oldest transaction id before entries stop; 0 = not watched.",
			&qts_guc.max_xid_age, 1000000000, 0, 2000000000, PGC_SIGHUP, 0);
	DefineCustomBoolVariable("qts.naver_decides", "Lets automatic exits be decided on a price of Naver.",
							 NULL, &qts_guc.naver_decides, false, PGC_SIGHUP, 0, NULL, NULL, NULL);
	guc_string("qts.naver_url", "Address of the fallback quotes; empty = not used.", &qts_guc.naver_url,
			   "https://polling.finance.naver.com", PGC_SIGHUP, guc_quote_url);
	DefineCustomBoolVariable("qts.notify", "Sends NOTIFY for programs outside.", NULL, &qts_guc.notify, true,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("qts.quotes", "Asks for quotes by request beside those that are pushed.", NULL,
							 &qts_guc.quotes, true, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable(
		"qts.reference_data", "Symbols whose daily bars and base prices are asked of the broker.", NULL,
		&qts_guc.reference_data, QTS_REFERENCE_ALL, reference_data, PGC_SIGHUP, 0, NULL, NULL, NULL);
	guc_int("qts.rest_rate_live",
			"Requests per second and app key to the live broker; 0 = as trade.rate_limits says.",
			&qts_guc.rest_rate_live, 12, 0, 60, PGC_SIGHUP, 0);
	guc_int("qts.rest_rate_paper",
			"Requests per second and app key to the paper broker; 0 = as trade.rate_limits says.",
			&qts_guc.rest_rate_paper, 1, 0, 60, PGC_SIGHUP, 0);
	guc_int("qts.rest_rate_sim", "Requests per second and app key to a simulator; 0 = no limit.",
			&qts_guc.rest_rate_sim, 0, 0, 60, PGC_SIGHUP, 0);
	DefineCustomBoolVariable("qts.sim_clock",
							 "Lets qts.set_clock() move the engine's clock; never with a live account.", NULL,
							 &qts_guc.sim_clock, false, PGC_POSTMASTER, 0, NULL, NULL, NULL);
	guc_int("qts.tick_backlog",
			"Ticks kept while their tables are locked; what has no room is lost and counted.",
			&qts_guc.tick_backlog, 100000, 1000, 10000000, PGC_SIGHUP, 0);
	DefineCustomEnumVariable("qts.trading_mode",
							 "Which accounts may send orders: off, paper (and sim), or live too.", NULL,
							 &qts_guc.trading_mode, QTS_TRADING_PAPER, trading_modes, PGC_SIGHUP,
							 GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	guc_int("qts.unfilled_gap_interval",
			"Time between two lists of open orders while the feed of the notices is down.",
			&qts_guc.unfilled_gap_interval, 1500, 100, 600000, PGC_SIGHUP, GUC_UNIT_MS);
	guc_int("qts.unfilled_interval", "Time between two lists of open orders with orders open.",
			&qts_guc.unfilled_interval, 3000, 100, 600000, PGC_SIGHUP, GUC_UNIT_MS);
	guc_int("qts.unknown_grace_buy", "Silence after which an unanswered buy counts as not accepted.",
			&qts_guc.unknown_grace_buy, 300, 1, 3600, PGC_SIGHUP, GUC_UNIT_S);
	guc_int("qts.unknown_grace_sell", "Silence after which an unanswered sell counts as not accepted.",
			&qts_guc.unknown_grace_sell, 180, 1, 3600, PGC_SIGHUP, GUC_UNIT_S);
	MarkGUCPrefixReserved("qts");
}

bool
qts_guc_trading_allowed(bool live_account, const char **why)
{
	*why = NULL;
	if (qts_guc.trading_mode == QTS_TRADING_OFF)
		*why = "qts.trading_mode is off";
	else if (qts_guc.halt_file[0] != '\0' && access(qts_guc.halt_file, F_OK) == 0)
		*why = "the file of qts.halt_file exists";
	else if (live_account && qts_guc.trading_mode != QTS_TRADING_LIVE)
		*why = "a live account needs qts.trading_mode = live";
	else if (live_account && strcmp(qts_guc.live_ack, QTS_LIVE_ACK) != 0)
		*why = "a live account needs qts.live_ack";
	else if (live_account && qts_guc.sim_clock)
		*why = "a live account never trades on qts.sim_clock";
	return *why == NULL;
}
