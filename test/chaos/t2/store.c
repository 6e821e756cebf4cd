/*-------------------------------------------------------------------------
 *
 * store.c
 *		The worker's side: the functions of src/db, called as the worker calls them.
 *
 *-------------------------------------------------------------------------
 */
#include "t2.h"

#include "common/pg_prng.h"

#include "db/stmt.h"
#include "db/txn.h"

T2Names t2_names;

int
t2_find(const pg_uuid_t *names, int count, const pg_uuid_t *name)
{
	for (int i = count - 1; i >= 0; i--)
		if (memcmp(&names[i], name, sizeof(*name)) == 0)
			return i;
	return NONE;
}

int
t2_order(const pg_uuid_t *uid)
{
	int i = t2_find(t2_names.order, t2_names.norders, uid);

	if (i != NONE)
		return i;
	if (t2_names.norders == MAX_ORDERS)
		return MAX_ORDERS - 1;
	t2_names.order[t2_names.norders] = *uid;
	return t2_names.norders++;
}

int
t2_position(const pg_uuid_t *uid)
{
	int i = t2_find(t2_names.position, t2_names.npositions, uid);

	if (i != NONE)
		return i;
	if (t2_names.npositions == MAX_POSITIONS)
		return MAX_POSITIONS - 1;
	t2_names.position[t2_names.npositions] = *uid;
	return t2_names.npositions++;
}

#define LEDGER_PAGE 3 /* rows; at the broker 100 */

static void
t2_begin(World *w)
{
	qts_txn_begin_must("chaos");
}

static void
t2_commit(World *w)
{
	qts_txn_commit();
}

static void
t2_orphans(World *w)
{
	(void) qts_exec_orphan_sends();
}

static void
t2_work(World *w, int account, ChaosWork *work)
{
	QtsAccountWork row;

	qts_account_work(world_account(w, account), &row);
	*work = (ChaosWork){.live_orders = row.live_orders,
						.unknown_orders = row.unknown_orders,
						.new_intents = row.new_intents,
						.cancels = row.cancels,
						.oldest = row.oldest,
						.next_retry = row.next_retry};
}

static int
cancel_before(const void *a, const void *b)
{
	return ((const ChaosCancel *) a)->order - ((const ChaosCancel *) b)->order;
}

static void
t2_claim(World *w, int account, bool retry, int max, ChaosClaim *claims, int *n, ChaosCancel *cancels,
		 int *ncancels)
{
	const char *who = world_account(w, account);
	QtsAllowance allowance = {.entries = PG_INT32_MAX, .exits = PG_INT32_MAX};
	QtsClaim *orders = palloc0(sizeof(QtsClaim) * max);
	QtsCancelClaim *stops = palloc0(sizeof(QtsCancelClaim) * max);
	QtsGate gate;

	if (!qts_exec_gate(who, &gate) || gate.paused)
		return;
	qts_exec_cancel_intents(who);
	*ncancels = qts_exec_claim_cancels(who, gate.claim.now, stops, max);
	if (retry && max > *ncancels)
		*n = qts_exec_reclaim(who, &gate, orders, max - *ncancels);
	if (max > *ncancels + *n)
		*n += qts_exec_claim(who, &gate, &allowance, orders + *n, max - *ncancels - *n);
	for (int i = 0; i < *ncancels; i++)
	{
		cancels[i].order = t2_order(&stops[i].order_uid);
		cancels[i].request = stops[i].request;
	}
	/* one statement returns them in any order; two runs of a seed send them in one */
	qsort(cancels, *ncancels, sizeof(ChaosCancel), cancel_before);
	for (int i = 0; i < *n; i++)
	{
		claims[i].order = t2_order(&orders[i].order_uid);
		claims[i].attempt = ++t2_names.attempt[claims[i].order];
		claims[i].request = orders[i].request;
	}
}

static void
t2_order_answer(World *w, int order, const QtsBrokerEvent *event)
{
	/* the server takes from the same generator when a lock spins */
	pg_prng_seed(&pg_global_prng_state, rng_next(&w->rng));
	qts_exec_order_answer(&t2_names.order[order], event, w->now);
}

static void
t2_cancel_answer(World *w, int order, const QtsBrokerEvent *event)
{
	qts_exec_cancel_answer(&t2_names.order[order], event, w->now);
}

/* One queue of the whole process: the epoch tells the schedules apart. */
static bool
t2_notice(World *w, const QtsNotice *notice, int64_t epoch, int64_t seq)
{
	return qts_exec_notice(notice, (int64) w->seed * 1000 + epoch, seq, w->now);
}

static void
t2_sync(World *w, int account, bool ledger_ok, bool balance_ok)
{
	if (ledger_ok)
		qts_account_sync(world_account(w, account), "READY", QTS_LIST_LEDGER, NULL, NULL, w->now);
	if (balance_ok)
		qts_account_sync(world_account(w, account), "READY", QTS_LIST_BALANCE, NULL, NULL, w->now);
}

static void
t2_ledger(World *w, int account, QtsDate date, const QtsLedger *ledger, QtsTime asked_at, bool trusted,
		  bool over)
{
	QtsLedger page = {.page = 0};

	do
	{
		page.rows = ledger->rows + page.page * LEDGER_PAGE;
		page.count = Min(LEDGER_PAGE, ledger->count - page.page * LEDGER_PAGE);
		page.complete = ledger->complete && (page.page + 1) * LEDGER_PAGE >= ledger->count;
		(void) qts_exec_ledger(world_account(w, account), date, &page, asked_at, trusted, over, w->now);
	} while (++page.page * LEDGER_PAGE < ledger->count);
	if (!ledger->complete)
		qts_exec_unknowns(world_account(w, account), date, NULL, asked_at, trusted, w->now);
}

static void
t2_balance(World *w, int account, const QtsBalance *balance, QtsTime asked_at, bool trusted)
{
	qts_exec_balance(world_account(w, account), balance, asked_at, trusted, w->now);
}

static void
t2_unknowns(World *w, int account, QtsDate date, QtsTime asked_at, bool trusted)
{
	qts_exec_unknowns(world_account(w, account), date, NULL, asked_at, trusted, w->now);
}

const ChaosStore t2_store = {
	.live = false,
	.open = t2_open,
	.close = t2_close,
	.guard = t2_guard,
	.raise = t2_raise,
	.begin = t2_begin,
	.commit = t2_commit,
	.add_intent = t2_add_intent,
	.ask_cancel = t2_ask_cancel,
	.set_switches = t2_set_switches,
	.resolve = t2_resolve,
	.position = t2_find_position,
	.orphans = t2_orphans,
	.work = t2_work,
	.claim = t2_claim,
	.order_answer = t2_order_answer,
	.cancel_answer = t2_cancel_answer,
	.notice = t2_notice,
	.sync = t2_sync,
	.ledger = t2_ledger,
	.balance = t2_balance,
	.unknowns = t2_unknowns,
	.snapshot = t2_snapshot,
	.audit = t2_audit,
};
