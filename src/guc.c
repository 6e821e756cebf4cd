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
	guc_string("qts.credentials_file", "File with the broker's keys, owned by the server's user, mode 0600.",
			   &qts_guc.credentials_file, "", PGC_SIGHUP, guc_absolute_path);
	guc_string("qts.database", "Database the engine lives in; empty = engine off.", &qts_guc.database, "",
			   PGC_POSTMASTER, NULL);
	DefineCustomBoolVariable("qts.enabled", "Runs the workers; while off they park without a connection.",
							 NULL, &qts_guc.enabled, true, PGC_SIGHUP, GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	guc_int("qts.error_limit", "Consecutive failed turns after which a worker starts afresh.",
			&qts_guc.error_limit, 5, 1, 1000, PGC_SIGHUP, 0);
	guc_int("qts.exit_interval", "Time between two evaluations of a position whose price is quiet.",
			&qts_guc.exit_interval, 2000, 10, 60000, PGC_SIGHUP, GUC_UNIT_MS);
	guc_int("qts.exit_max_price_age", "Age above which no exit is decided on a price.",
			&qts_guc.exit_max_price_age, 10000, 100, 600000, PGC_SIGHUP, GUC_UNIT_MS);
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
	guc_int("qts.max_order_attempts", "Sends of one order that the broker provably refused before it fails.",
			&qts_guc.max_order_attempts, 5, 1, 100, PGC_SIGHUP, 0);
	guc_int("qts.max_symbols", "Symbols the price board has room for.", &qts_guc.max_symbols, 4096, 64, 65536,
			PGC_POSTMASTER, 0);
	DefineCustomBoolVariable("qts.notify", "Sends NOTIFY for programs outside.", NULL, &qts_guc.notify, true,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	guc_int("qts.rest_rate_live", "Requests per second and app key to the live broker.",
			&qts_guc.rest_rate_live, 12, 1, 60, PGC_SIGHUP, 0);
	guc_int("qts.rest_rate_paper", "Requests per second and app key to the paper broker.",
			&qts_guc.rest_rate_paper, 1, 1, 60, PGC_SIGHUP, 0);
	guc_int("qts.rest_rate_sim", "Requests per second and app key to a simulator; 0 = no limit.",
			&qts_guc.rest_rate_sim, 0, 0, 60, PGC_SIGHUP, 0);
	DefineCustomBoolVariable("qts.sim_clock",
							 "Lets qts.set_clock() move the engine's clock; never with a live account.", NULL,
							 &qts_guc.sim_clock, false, PGC_POSTMASTER, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("qts.trading_mode",
							 "Which accounts may send orders: off, paper (and sim), or live too.", NULL,
							 &qts_guc.trading_mode, QTS_TRADING_PAPER, trading_modes, PGC_SIGHUP,
							 GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
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
