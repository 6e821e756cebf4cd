/*-------------------------------------------------------------------------
 *
 * snapshot.c
 *		The tables as the checks of the model see them.
 *
 *-------------------------------------------------------------------------
 */
#include "t2.h"

#include "catalog/pg_type_d.h"
#include "utils/array.h"

#include "core/money.h"
#include "db/stmt.h"

static QtsStmt all_positions = {
	"SELECT p.position_id, p.account_id, p.symbol, p.qty, CASE WHEN p.strategy_id IS NULL THEN 0 ELSE p.original_qty END,"
	" p.adjusted_qty, p.status = 'CLOSED', p.quarantine_reason IS NOT NULL,"
	" (SELECT count(*) FROM trade.exit_events x WHERE x.position_id = p.position_id)::int"
	" FROM trade.positions p WHERE p.account_id = ANY ($1)",
	1,
	{TEXTARRAYOID}};

static QtsStmt all_intents = {
	"SELECT intent_id, status, filled_qty, qty, position_id, intent_type = 'ENTRY', cancel_requested"
	" FROM trade.order_intents WHERE account_id = ANY ($1)",
	1,
	{TEXTARRAYOID}};

static QtsStmt all_orders = {
	"SELECT order_uid, account_id, symbol, intent_id, position_id, origin = 'AUTO', trade_date,"
	" coalesce(broker_order_no, '0')::int, status, quarantined, coalesce(error_code, '') = 'NOT_ACCEPTED', side = 'SELL',"
	" order_type = 'MKT', qty, coalesce(limit_price, 0), filled_qty, cancelled_qty, rejected_qty, sent_ts"
	" FROM trade.orders WHERE account_id = ANY ($1) ORDER BY created_ts",
	1,
	{TEXTARRAYOID}};

static QtsStmt all_fills = {
	"SELECT order_uid, position_id, side = 'SELL', qty, price FROM trade.fills WHERE account_id = ANY ($1)",
	1,
	{TEXTARRAYOID}};

static QtsStmt alerts = {
	"SELECT count(*) FILTER (WHERE code = 'OVERSOLD')::int, count(*) FILTER (WHERE code = 'FILL_DISPUTE')::int"
	" FROM system.alerts"};

static QtsStmt violations = {
	"SELECT invariant || ': ' || subject || ' ' || detail FROM (SELECT * FROM qts._order_violations()"
	" UNION ALL SELECT * FROM qts._position_violations()) v"
	/*
	 * A notice may wait for an order that waits for a person; and the day's
	 * ledger is not read again for orders of others that waited with it.
	 */
	" WHERE NOT (invariant = 'orphan' AND detail LIKE 'notice of order %' AND EXISTS (SELECT 1 FROM trade.orders"
	" WHERE (status = 'UNKNOWN' AND quarantined) OR error_message LIKE 'not accepted, says %'))"
	/* said so by an alert, and corrected by the balance since */
	" AND NOT ((detail LIKE 'bought %' OR detail LIKE 'exit event says %') AND EXISTS (SELECT 1 FROM system.alerts"
	" WHERE code = 'OVERSOLD'))"};

/* Both accounts of the schedule; the second may not exist. */
static Datum
accounts(const World *w)
{
	Datum names[OWN_ACCOUNTS];

	for (int a = 0; a < OWN_ACCOUNTS; a++)
		names[a] = qts_text(world_account(w, a));
	return PointerGetDatum(construct_array(names, OWN_ACCOUNTS, TEXTOID, -1, false, TYPALIGN_INT));
}

static int
intent_number(const pg_uuid_t *uid)
{
	return qts_uuid_is_null(uid) ? NONE : t2_find(t2_names.intent, t2_names.nintents, uid);
}

static int
position_number(const pg_uuid_t *uid)
{
	return qts_uuid_is_null(uid) ? NONE : t2_position(uid);
}

static void
load_positions(World *w, Datum *who)
{
	ChaosTables *t = &w->tables;
	uint64 n = qts_stmt_run(&all_positions, who, NULL);

	for (uint64 i = 0; i < n; i++)
	{
		pg_uuid_t uid = qts_col_uuid(i, 1);
		ChaosPosition *position = &t->position[t2_position(&uid)];

		position->account = world_account_index(w, qts_col_text(i, 2));
		position->symbol = world_symbol_index(qts_col_text(i, 3));
		position->qty = qts_col_int64(i, 4, 0);
		position->original = qts_col_int64(i, 5, 0);
		position->adjusted = qts_col_int64(i, 6, 0);
		position->closed = qts_col_bool(i, 7);
		position->quarantined = qts_col_bool(i, 8);
		position->events = qts_col_int32(i, 9, 0);
	}
}

static void
load_intents(World *w, Datum *who)
{
	ChaosTables *t = &w->tables;
	uint64 n = qts_stmt_run(&all_intents, who, NULL);

	for (uint64 i = 0; i < n; i++)
	{
		pg_uuid_t uid = qts_col_uuid(i, 1);
		int number = intent_number(&uid);
		ChaosIntent *intent;

		if (number == NONE)
			continue;
		intent = &t->intent[number];
		(void) qts_intent_status_parse(qts_col_text(i, 2), &intent->status);
		intent->filled = qts_col_int64(i, 3, 0);
		intent->qty = qts_col_int64(i, 4, 0);
		uid = qts_col_uuid(i, 5);
		intent->position = position_number(&uid);
		intent->entry = qts_col_bool(i, 6);
		intent->cancel_requested = qts_col_bool(i, 7);
	}
}

static void
load_orders(World *w, Datum *who)
{
	ChaosTables *t = &w->tables;
	uint64 n = qts_stmt_run(&all_orders, who, NULL);

	for (uint64 i = 0; i < n; i++)
	{
		pg_uuid_t uid = qts_col_uuid(i, 1);
		ChaosOrder *order = &t->order[t2_order(&uid)];
		QtsOrderLife *life = &order->life;

		order->account = world_account_index(w, qts_col_text(i, 2));
		order->symbol = world_symbol_index(qts_col_text(i, 3));
		uid = qts_col_uuid(i, 4);
		order->intent = intent_number(&uid);
		uid = qts_col_uuid(i, 5);
		order->position = position_number(&uid);
		order->own = qts_col_bool(i, 6);
		order->date = qts_col_int32(i, 7, 0);
		order->odno = qts_col_int32(i, 8, 0);
		(void) qts_order_status_parse(qts_col_text(i, 9), &life->status);
		order->quarantined = qts_col_bool(i, 10);
		order->not_accepted = qts_col_bool(i, 11);
		life->sell = qts_col_bool(i, 12);
		life->market = qts_col_bool(i, 13);
		life->qty = qts_col_int64(i, 14, 0);
		life->price = qts_col_int64(i, 15, 0);
		life->book.booked_qty = qts_col_int64(i, 16, 0);
		life->cancelled = qts_col_int64(i, 17, 0);
		life->rejected = qts_col_int64(i, 18, 0);
		life->sent_at = qts_col_int64(i, 19, 0);
	}
}

static void
load_fills(World *w, Datum *who)
{
	ChaosTables *t = &w->tables;
	uint64 n = qts_stmt_run(&all_fills, who, NULL);

	t->nfills = (int) Min(n, MAX_FILLS);
	for (int i = 0; i < t->nfills; i++)
	{
		pg_uuid_t order = qts_col_uuid(i, 1);
		pg_uuid_t position = qts_col_uuid(i, 2);

		t->fill[i] = (ChaosFill){.order = t2_order(&order),
								 .position = position_number(&position),
								 .sell = qts_col_bool(i, 3),
								 .qty = qts_col_int64(i, 4, 0),
								 .price = qts_col_price(i, 5)};
	}
}

static void
snapshot_body(World *w, void *arg)
{
	ChaosTables *t = &w->tables;
	Datum who[1] = {accounts(w)};

	load_positions(w, who);
	load_intents(w, who);
	load_orders(w, who);
	load_fills(w, who);
	qts_stmt_run(&alerts, NULL, NULL);
	t->oversold = qts_col_int32(0, 1, 0);
	t->disputes = qts_col_int32(0, 2, 0);
	t->nintents = t2_names.nintents;
	t->norders = t2_names.norders;
	t->npositions = t2_names.npositions;
}

static void
audit_body(World *w, void *arg)
{
	if (qts_stmt_run(&violations, NULL, NULL) > 0)
		world_fail(w, "tables", "%s", qts_col_text(0, 1));
}

void
t2_audit(World *w)
{
	(void) t2_owner(w, audit_body, NULL);
}

void
t2_snapshot(World *w)
{
	(void) t2_owner(w, snapshot_body, NULL);
}
