/*-------------------------------------------------------------------------
 *
 * exit_escalate.c
 *		Stores and tells what is held back while prices are stale.
 *
 * Inside the caller's transaction: a level, the mode it asks for, their
 * history and the alert are there together or not at all.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"

#include "db/exec.h"
#include "db/exit_store.h"
#include "db/stmt.h"

static QtsStmt read_level = {"SELECT auto_level FROM trade.exit_control"};

static QtsStmt store_level = {"SELECT qts._escalate($1, $2, $3)", 3, {TEXTOID, BOOLOID, TEXTOID}};

static QtsStmt store_hold = {"SELECT qts._hold_back($1, $2, $3)", 3, {UUIDOID, BOOLOID, TEXTOID}};

/* What is over wants nobody any more, but stays to be seen. */
static QtsStmt calm_alert = {
	"UPDATE system.alerts SET severity = 'INFO', message = $3, hint = NULL, last_ts = clock_timestamp()"
	" WHERE code = $1 AND subject = $2 AND acknowledged_ts IS NULL",
	3,
	{TEXTOID, TEXTOID, TEXTOID}};

QtsEscalationLevel
qts_exit_escalation(void)
{
	if (qts_stmt_run(&read_level, NULL, NULL) != 1)
		return QTS_ESCALATION_NONE;
	return qts_escalation_parse(qts_col_text(0, 1));
}

static void
tell_over(const char *code, const char *subject, const char *why)
{
	Datum args[3] = {qts_text(code), qts_text(subject), qts_text(psprintf("over: %s", why))};

	qts_stmt_run(&calm_alert, args, NULL);
}

static void
tell_level(QtsEscalationLevel level, const char *mode, const char *why)
{
	if (level == QTS_ESCALATION_L3)
		qts_alert(
			"CRITICAL", "ESCALATION_L3", "",
			"Watch what is held by hand, at the broker's own screens if need be; see qts.status(). It ends by"
			" itself when prices are back; qts.set_exit_mode() overrules it.",
			"system failure: %s; exit mode %s", why, mode);
	else
		qts_alert("WARNING", "ESCALATION_L2", "",
				  "See qts.status(): which source does not answer? It ends by itself; qts.set_exit_mode()"
				  " overrules it.",
				  "data instability: %s; exit mode %s", why, mode);
}

bool
qts_exit_escalate(QtsEscalationLevel before, QtsEscalationLevel after, bool acts, const char *why)
{
	Datum args[3] = {qts_text(qts_escalation_name(after)), BoolGetDatum(acts), qts_text(why)};
	char *mode;

	qts_stmt_run(&store_level, args, after == QTS_ESCALATION_NONE ? "n  " : NULL);
	mode = qts_col_text(0, 1);
	if (mode == NULL)
		return false;
	/* results of a statement are gone with the next one */
	mode = pstrdup(mode);
	if (before != QTS_ESCALATION_NONE)
		tell_over(before == QTS_ESCALATION_L3 ? "ESCALATION_L3" : "ESCALATION_L2", "", why);
	if (after != QTS_ESCALATION_NONE)
		tell_level(after, mode, why);
	return true;
}

void
qts_exit_hold(QtsWatch *watch, bool held, bool acts, const char *why, TimestampTz now)
{
	Datum args[3] = {qts_uuid(&watch->position_id), BoolGetDatum(held), qts_text(why)};

	if (acts || !held)
	{
		if (held && !watch->has_state)
			qts_exit_store_state(watch, now);
		qts_stmt_run(&store_hold, args, NULL);
	}
	if (!held)
		tell_over("ESCALATION_L1", watch->symbol, why);
	else
		qts_alert("CRITICAL", "ESCALATION_L1", watch->symbol,
				  "Is it still traded? Watch it by hand. It ends by itself when its price is back;"
				  " qts.set_position_exit_mode() overrules it.",
				  "single symbol: %s; %s", why,
				  acts ? "only HARD_STOP sells by itself" : "nothing is held back");
}
