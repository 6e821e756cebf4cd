/*-------------------------------------------------------------------------
 *
 * owner.c
 *		What people and the exit worker write into the tables.
 *
 *-------------------------------------------------------------------------
 */
#include "t2.h"

#include "catalog/pg_type_d.h"

#include "db/stmt.h"
#include "guc.h"

static QtsStmt add_account = {
	"INSERT INTO trade.accounts (account_id, environment) VALUES ($1, $2)", 2, {TEXTOID, TEXTOID}};

static QtsStmt add_position = {
	"INSERT INTO trade.positions (account_id, symbol, qty, original_qty, avg_price, entry_ts, exit_mode, strategy_id, created_ts)"
	" VALUES ($1, $2, $3, $3, 30000, $4, 'ENABLED', 'CHAOS', $4)",
	4,
	{TEXTOID, TEXTOID, INT8OID, TIMESTAMPTZOID}};

static QtsStmt add_intent = {
	"INSERT INTO trade.order_intents (account_id, position_id, symbol, intent_type, qty, order_type, limit_price,"
	" reason_code, action_key, priority, source_module, created_ts, expires_ts, updated_ts)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $12) RETURNING intent_id",
	13,
	{TEXTOID, UUIDOID, TEXTOID, TEXTOID, INT8OID, TEXTOID, INT8OID, TEXTOID, TEXTOID, INT4OID, TEXTOID,
	 TIMESTAMPTZOID, TIMESTAMPTZOID}};

static QtsStmt ask_cancel = {
	"UPDATE trade.order_intents SET cancel_requested = true WHERE intent_id = $1 AND status IN"
	" ('NEW', 'SUBMITTING', 'UNKNOWN', 'SUBMITTED', 'PARTIAL')",
	1,
	{UUIDOID}};

static QtsStmt set_stop = {"UPDATE system.engine SET emergency_stop = $1", 1, {BOOLOID}};
static QtsStmt set_mode = {"UPDATE trade.exit_control SET mode = $1", 1, {TEXTOID}};
static QtsStmt resolve = {
	"SELECT qts.resolve_order($1, $2, $3, 'found in the list of the day')", 3, {UUIDOID, TEXTOID, TEXTOID}};

static QtsStmt live_position = {
	"SELECT p.position_id, p.qty, (SELECT coalesce(sum(i.qty - i.filled_qty), 0)::bigint FROM trade.order_intents i"
	" WHERE i.position_id = p.position_id AND i.status IN ('NEW', 'SUBMITTING', 'UNKNOWN', 'SUBMITTED', 'PARTIAL'))"
	" FROM trade.positions p WHERE account_id = $1"
	" AND symbol = $2 AND status IN ('OPEN', 'CLOSING') AND quarantine_reason IS NULL",
	2,
	{TEXTOID, TEXTOID}};

/* Nothing of an earlier schedule is looked at again. */
static QtsStmt forget = {
	"TRUNCATE trade.exit_events, trade.holdings, trade.fills, trade.notices, trade.orders, trade.order_intents,"
	" trade.position_state, trade.positions, trade.account_sync, trade.accounts, system.alerts CASCADE"};
static QtsStmt as_replica = {"SET LOCAL session_replication_role = replica"};

static void
open_body(World *w, void *arg)
{
	qts_stmt_run(&as_replica, NULL, NULL);
	qts_stmt_run(&forget, NULL, NULL);
	for (int a = 0; a < w->plan.accounts; a++)
	{
		Datum account[2] = {qts_text(world_account(w, a)), qts_text(w->plan.paper ? "paper" : "sim")};

		qts_stmt_run(&add_account, account, NULL);
		for (int s = 0; s < w->plan.symbols; s++)
		{
			char symbol[QTS_SYMBOL_LEN + 1];
			Datum args[4] = {account[0], (Datum) 0, Int64GetDatum(w->broker.initial[a][s]),
							 TimestampTzGetDatum(w->now)};

			world_symbol(s, symbol);
			args[1] = qts_text(symbol);
			if (w->broker.initial[a][s] > 0)
				qts_stmt_run(&add_position, args, NULL);
		}
	}
}

void
t2_open(World *w)
{
	memset(&t2_names, 0, sizeof(t2_names));
	t2_set_switches(w, false, QTS_CONTROL_RUNNING);
	(void) t2_owner(w, open_body, NULL);
}

void
t2_close(World *w)
{
}

static void
intent_body(World *w, void *arg)
{
	const ChaosIntent *intent = arg;
	char symbol[QTS_SYMBOL_LEN + 1];
	char key[32];
	Datum args[13];
	char nulls[14] = "             ";

	world_symbol(intent->symbol, symbol);
	snprintf(key, sizeof(key), "chaos:%d", t2_names.nintents);
	args[0] = qts_text(world_account(w, intent->account));
	args[1] = intent->entry ? (Datum) 0 : qts_uuid(&t2_names.position[intent->position]);
	args[2] = qts_text(symbol);
	args[3] = qts_text(intent->entry ? "ENTRY" : "EXIT_PARTIAL");
	args[4] = Int64GetDatum(intent->qty);
	args[5] = qts_text(intent->market ? "MKT" : "LMT");
	args[6] = Int64GetDatum(intent->price);
	args[7] = qts_text(intent->entry ? "ENTRY" : qts_exit_rule_name(intent->rule));
	args[8] = qts_text(key);
	args[9] = Int32GetDatum(intent->priority);
	args[10] = qts_text(intent->manual ? "MANUAL" : intent->entry ? "STRATEGY" : "EXIT");
	args[11] = TimestampTzGetDatum(intent->created);
	args[12] = TimestampTzGetDatum(intent->expires);
	if (intent->entry)
		nulls[1] = 'n';
	if (intent->market)
		nulls[6] = 'n';
	if (intent->expires == 0)
		nulls[12] = 'n';
	qts_stmt_run(&add_intent, args, nulls);
	t2_names.intent[t2_names.nintents] = qts_col_uuid(0, 1);
}

int
t2_add_intent(World *w, const ChaosIntent *intent)
{
	if (t2_names.nintents == MAX_INTENTS)
	{
		w->full = true;
		return NONE;
	}
	if (!t2_owner(w, intent_body, unconstify(ChaosIntent *, intent)))
		return NONE;
	world_trace(w, "intent %d: %s %ld of symbol %d", t2_names.nintents, intent->entry ? "buy" : "sell",
				(long) intent->qty, intent->symbol);
	return t2_names.nintents++;
}

static void
cancel_body(World *w, void *arg)
{
	Datum args[1] = {qts_uuid(arg)};

	qts_stmt_run(&ask_cancel, args, NULL);
}

void
t2_ask_cancel(World *w, int intent)
{
	(void) t2_owner(w, cancel_body, &t2_names.intent[intent]);
}

typedef struct Switches
{
	bool stop;
	QtsControlMode mode;
} Switches;

static void
switch_body(World *w, void *arg)
{
	const Switches *switches = arg;
	Datum stop[1] = {BoolGetDatum(switches->stop)};
	Datum mode[1] = {qts_text(qts_control_mode_name(switches->mode))};

	qts_stmt_run(&set_stop, stop, NULL);
	qts_stmt_run(&set_mode, mode, NULL);
}

void
t2_set_switches(World *w, bool stop, QtsControlMode mode)
{
	Switches switches = {stop, mode};

	(void) t2_owner(w, switch_body, &switches);
}

typedef struct Settlement
{
	int order;
	const char *odno;
} Settlement;

static void
resolve_body(World *w, void *arg)
{
	const Settlement *settled = arg;
	Datum args[3] = {qts_uuid(&t2_names.order[settled->order]),
					 qts_text(settled->odno ? "ACCEPTED" : "NOT_ACCEPTED"),
					 settled->odno ? qts_text(settled->odno) : (Datum) 0};

	qts_stmt_run(&resolve, args, settled->odno ? NULL : "  n");
}

/* A number that the ledger has named as somebody else's cannot be given away any more. */
void
t2_resolve(World *w, int order, const char *odno)
{
	const ChaosOrder *own = &w->tables.order[order];
	Settlement settled = {order, odno};

	for (int i = 0; odno != NULL && i < w->tables.norders; i++)
		if (w->tables.order[i].account == own->account && w->tables.order[i].date == own->date &&
			w->tables.order[i].odno == atoi(odno))
			settled.odno = NULL;
	(void) t2_owner(w, resolve_body, &settled);
}

typedef struct Lookup
{
	int account;
	int symbol;
	int position;
	QtsQty qty;
	QtsQty locked;
} Lookup;

static void
position_body(World *w, void *arg)
{
	Lookup *lookup = arg;
	char symbol[QTS_SYMBOL_LEN + 1];
	Datum args[2];

	world_symbol(lookup->symbol, symbol);
	args[0] = qts_text(world_account(w, lookup->account));
	args[1] = qts_text(symbol);
	if (qts_stmt_run(&live_position, args, NULL) == 0)
		return;
	{
		pg_uuid_t uid = qts_col_uuid(0, 1);

		lookup->position = t2_position(&uid);
		lookup->qty = qts_col_int64(0, 2, 0);
		lookup->locked = qts_col_int64(0, 3, 0);
	}
}

int
t2_find_position(World *w, int account, int symbol, QtsQty *qty, QtsQty *locked)
{
	Lookup lookup = {.account = account, .symbol = symbol, .position = NONE};

	if (!t2_owner(w, position_body, &lookup))
		return NONE;
	*qty = lookup.qty;
	*locked = lookup.locked;
	return lookup.position;
}
