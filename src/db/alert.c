/*-------------------------------------------------------------------------
 *
 * alert.c
 *		Alerts of the workers: rows that say what happened and what to do.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"

#include "db/exec.h"
#include "db/stmt.h"

static QtsStmt raise_alert = {
	"INSERT INTO system.alerts (severity, code, subject, message, hint) VALUES ($1, $2, $3, $4, $5)"
	" ON CONFLICT (code, subject) WHERE acknowledged_ts IS NULL DO UPDATE SET count = alerts.count + 1,"
	" severity = $1, message = $4, hint = $5, last_ts = clock_timestamp()",
	5,
	{TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID}};

void
qts_alert(const char *severity, const char *code, const char *subject, const char *hint, const char *format,
		  ...)
{
	char message[512];
	va_list list;
	Datum args[5] = {qts_text(severity), qts_text(code), qts_text(subject)};

	va_start(list, format);
	vsnprintf(message, sizeof(message), format, list);
	va_end(list);
	args[3] = qts_text(message);
	args[4] = hint ? qts_text(hint) : (Datum) 0;
	qts_stmt_run(&raise_alert, args, hint ? NULL : "    n");
}
