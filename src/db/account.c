/*-------------------------------------------------------------------------
 *
 * account.c
 *		Accounts: what to connect to, what waits, what was synced.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "utils/date.h"

#include "db/exec.h"
#include "db/stmt.h"
#include "shm/clock.h"

static QtsStmt load_accounts = {
	"SELECT account_id, environment, credentials, coalesce(order_credentials, credentials), rest_url, ws_url,"
	" status = 'PAUSED', (SELECT l.per_second FROM trade.rate_limits l WHERE l.environment = a.environment"
	" AND l.kind IN (a.rate_kind, 'standard') AND l.from_date <= $1"
	" ORDER BY l.kind = a.rate_kind DESC, l.from_date DESC LIMIT 1)"
	" FROM trade.accounts a WHERE status <> 'REMOVED' ORDER BY account_id",
	1,
	{DATEOID}};

#define NOTICE_DAYS 3

/*
 * Asked around every order: one walk over the live orders, and for the rest
 * only whether there is any.  Notices that have no order want the ledger of
 * their day, for some days.
 */
static QtsStmt account_work = {
	"SELECT o.live, o.unknown,"
	" EXISTS (SELECT FROM trade.order_intents WHERE account_id = $1 AND status = 'NEW')::int,"
	" (o.cancel OR EXISTS (SELECT FROM trade.order_intents i LEFT JOIN trade.orders r USING (intent_id)"
	" WHERE i.account_id = $1 AND i.cancel_requested AND (i.status IN ('PENDING_APPROVAL', 'NEW')"
	" OR (i.status IN ('SUBMITTED', 'PARTIAL') AND r.cancel_state IS NULL))))::int,"
	" least(o.oldest, (SELECT min(trade_date) FROM trade.notices WHERE account_id = $1 AND order_uid IS NULL"
	" AND trade_date >= $2)), o.retry"
	" FROM (SELECT count(*) FILTER (WHERE status IN ('SUBMITTED', 'PARTIAL'))::int AS live,"
	" count(*) FILTER (WHERE status = 'UNKNOWN' AND NOT quarantined)::int AS unknown,"
	" coalesce(bool_or(status IN ('SUBMITTED', 'PARTIAL') AND cancel_state = 'REQUESTED'), false) AS cancel,"
	" min(trade_date) FILTER (WHERE status <> 'PENDING_SUBMIT' AND NOT quarantined) AS oldest,"
	" min(retry_ts) FILTER (WHERE status = 'PENDING_SUBMIT') AS retry FROM trade.orders"
	" WHERE account_id = $1 AND status IN ('PENDING_SUBMIT', 'UNKNOWN', 'SUBMITTED', 'PARTIAL')) AS o",
	2,
	{TEXTOID, DATEOID}};

/* A list that was read takes back what was said of it, not what was said of the other. */
static QtsStmt account_sync = {
	"INSERT INTO trade.account_sync AS s (account_id, state, ledger_ok_ts, balance_ok_ts, deposit, settled_cash,"
	" net_assets, fees_today, last_error, updated_ts) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
	" ON CONFLICT (account_id) DO UPDATE SET state = $2, ledger_ok_ts = coalesce($3, s.ledger_ok_ts),"
	" balance_ok_ts = coalesce($4, s.balance_ok_ts), deposit = coalesce($5, s.deposit),"
	" settled_cash = coalesce($6, s.settled_cash), net_assets = coalesce($7, s.net_assets),"
	" fees_today = coalesce($8, s.fees_today), updated_ts = $10,"
	" last_error = coalesce($9, CASE WHEN NOT starts_with(s.last_error, $11) THEN s.last_error END)",
	11,
	{TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID, INT8OID, INT8OID, INT8OID, TEXTOID,
	 TIMESTAMPTZOID, TEXTOID}};

QtsAccountRow *
qts_accounts_load(int *count)
{
	Datum args[1] = {DateADTGetDatum(qts_seoul_date(qts_now()))};
	int n = (int) qts_stmt_run(&load_accounts, args, NULL);
	QtsAccountRow *rows = palloc0(sizeof(QtsAccountRow) * (n + 1));

	for (int i = 0; i < n; i++)
	{
		char *environment = qts_col_text(i, 2);

		qts_col_copy(i, 1, rows[i].account, sizeof(rows[i].account));
		rows[i].environment = strcmp(environment, "live") == 0	  ? QTS_ENV_LIVE
							  : strcmp(environment, "paper") == 0 ? QTS_ENV_PAPER
																  : QTS_ENV_SIM;
		qts_col_copy(i, 3, rows[i].credentials, sizeof(rows[i].credentials));
		qts_col_copy(i, 4, rows[i].order_credentials, sizeof(rows[i].order_credentials));
		qts_col_copy(i, 5, rows[i].rest_url, sizeof(rows[i].rest_url));
		qts_col_copy(i, 6, rows[i].ws_url, sizeof(rows[i].ws_url));
		rows[i].paused = qts_col_bool(i, 7);
		rows[i].rate_limit = qts_col_int32(i, 8, 0);
	}
	*count = n;
	return rows;
}

void
qts_account_work(const char *account, QtsAccountWork *work)
{
	Datum args[2] = {qts_text(account), DateADTGetDatum(qts_seoul_date(qts_now()) - NOTICE_DAYS)};

	qts_stmt_run(&account_work, args, NULL);
	work->live_orders = qts_col_int32(0, 1, 0);
	work->unknown_orders = qts_col_int32(0, 2, 0);
	work->new_intents = qts_col_int32(0, 3, 0);
	work->cancels = qts_col_int32(0, 4, 0);
	work->oldest = qts_col_int32(0, 5, DATEVAL_NOEND);
	work->next_retry = qts_col_int64(0, 6, 0);
}

char *
qts_account_mask(const char *account)
{
	return psprintf("%.2s****%s", account, strlen(account) > 6 ? account + 6 : "");
}

void
qts_account_sync(const char *account, const char *state, QtsAccountList list, const char *error,
				 const QtsBalanceSummary *summary, TimestampTz now)
{
	const char *name = list == QTS_LIST_LEDGER ? "ledger: " : "balance: ";
	bool ok = error == NULL;
	Datum args[11] = {qts_text(account), qts_text(state), TimestampTzGetDatum(now), TimestampTzGetDatum(now)};
	char nulls[12] = "           ";

	if (!ok || list != QTS_LIST_LEDGER)
		nulls[2] = 'n';
	if (!ok || list != QTS_LIST_BALANCE)
		nulls[3] = 'n';
	if (ok && summary != NULL)
	{
		args[4] = Int64GetDatum(summary->deposit);
		args[5] = Int64GetDatum(summary->settled_cash);
		args[6] = Int64GetDatum(summary->net_assets);
		args[7] = Int64GetDatum(summary->fees_today);
	}
	else
		nulls[4] = nulls[5] = nulls[6] = nulls[7] = 'n';
	if (ok)
		nulls[8] = 'n';
	else
		args[8] = qts_text(psprintf("%s%s", name, error));
	args[9] = TimestampTzGetDatum(now);
	args[10] = qts_text(name);
	qts_stmt_run(&account_sync, args, nulls);
}

bool
qts_symbol_valid(const char *symbol)
{
	size_t length = strlen(symbol);

	if (length == 7 && symbol[0] == 'Q')
		symbol++;
	else if (length != 6)
		return false;
	return strspn(symbol, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 6;
}
