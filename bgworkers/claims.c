/*-------------------------------------------------------------------------
 *
 * claims.c
 *		From a NEW intent to the socket: claim, commit, send once.
 *
 * The claim is a transaction of its own.  After its commit, and only if the
 * standby that must have it has it, the orders leave; what cannot leave is
 * answered as not sent, by rows as well.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "postmaster/interrupt.h"

#include "claims.h"
#include "db/exec.h"
#include "db/txn.h"
#include "guc.h"
#include "net/net.h"
#include "open_orders.h"
#include "shm/clock.h"
#include "shm/point.h"
#include "shm/shm.h"

#define CLAIM_MAX 32

static QtsBudget all_orders; /* of all accounts */

static const char *const not_sent = "stopped, or the session had no room to send it";

static const QtsBrokerOps *const broker = &qts_kis_broker;

void
qts_claims_start(void)
{
	qts_budget_init(&all_orders, qts_guc.max_orders_per_minute, 0, qts_mono_us());
}

/* A request that never left the process: as good as a refusal before sending. */
static void
answer_not_sent(const pg_uuid_t *order_uid, bool cancel, const char *account, const char *why)
{
	QtsBrokerEvent event = {.kind = cancel ? QTS_EVENT_CANCEL : QTS_EVENT_ORDER,
							.outcome = QTS_OUTCOME_NOT_PROCESSED,
							.for_now = true};

	strlcpy(event.account, account, sizeof(event.account));
	strlcpy(event.msg_cd, "NOT_SENT", sizeof(event.msg_cd));
	strlcpy(event.msg, why, sizeof(event.msg));
	qts_txn_begin_must("not sent");
	if (cancel)
		qts_exec_cancel_answer(order_uid, &event, qts_now());
	else
		qts_exec_order_answer(order_uid, &event, qts_now());
	qts_txn_commit();
}

bool
qts_account_stopped(QtsAccount *account)
{
	const char *why;

	account->stopped =
		ConfigReloadPending || !qts_guc_trading_allowed(account->row.environment == QTS_ENV_LIVE, &why);
	return account->stopped;
}

static bool
account_may_send(QtsAccount *account, int64 mono, int *slots)
{
	const char *why;
	QtsBroker *session = qts_account_broker(account);

	*slots = 0;
	account->waits_slot = false;
	if (!account->ready || (account->row.paused && !account->work_stale && account->work.cancels == 0) ||
		session == NULL || broker->state(session, NULL, 0) != QTS_SESSION_READY ||
		!qts_guc_trading_allowed(account->row.environment == QTS_ENV_LIVE, &why))
		return false;
	*slots = Min(broker->slots(session, QTS_RATE_ORDER, mono), Min(CLAIM_MAX, qts_in_flight_room()));
	/* nobody says when a slot is free again: it is looked for until the account has had its turn */
	account->waits_slot = *slots <= 0;
	return *slots > 0;
}

/*
 * A claim that only this server has must not leave: a standby that takes over
 * would not know of it.  The rows wait for the standby, then it is tried again.
 */
static void
give_back(const QtsAccount *account, const QtsCancelClaim *cancels, int ncancels, const QtsClaim *claims,
		  int n)
{
	static const char *const why = "the wait for the standby was cut short";

	for (int i = 0; i < ncancels; i++)
		answer_not_sent(&cancels[i].order_uid, true, account->row.account, why);
	for (int i = 0; i < n; i++)
		answer_not_sent(&claims[i].order_uid, false, account->row.account, why);
}

/* After the claim's commit: the orders leave, once each. */
static void
send_claims(QtsAccount *account, const QtsClaim *claims, int n)
{
	QtsBroker *session = qts_account_broker(account);

	for (int i = 0; i < n; i++)
	{
		int tag = qts_in_flight_add(&claims[i].order_uid);

		if (tag < 0 || qts_account_stopped(account) ||
			!broker->order(session, tag, &claims[i].request, qts_mono_us()))
		{
			if (tag >= 0)
				qts_in_flight_done(tag);
			answer_not_sent(&claims[i].order_uid, false, account->row.account, not_sent);
			continue;
		}
		qts_count(QTS_COUNT_ORDERS_SENT, 1);
		qts_observe(QTS_HIST_INTENT_TO_SEND, qts_now() - claims[i].intent_created);
	}
}

static void
send_cancels(QtsAccount *account, QtsCancelClaim *claims, int n)
{
	QtsBroker *session = qts_account_broker(account);

	for (int i = 0; i < n; i++)
	{
		int tag = qts_in_flight_add(&claims[i].order_uid);

		claims[i].request.qty = qts_open_orders_cancellable(account, claims[i].request.odno,
															claims[i].request.qty, qts_mono_us());
		if (tag < 0 || !broker->cancel(session, tag, &claims[i].request, qts_mono_us()))
		{
			if (tag >= 0)
				qts_in_flight_done(tag);
			answer_not_sent(&claims[i].order_uid, true, account->row.account, not_sent);
			continue;
		}
		qts_count(QTS_COUNT_CANCELS_SENT, 1);
	}
}

/* What this minute still allows, by the settings of now. */
static QtsAllowance
account_allowance(QtsAccount *account, int64 mono)
{
	QtsAllowance allowance;

	qts_budget_limit(&all_orders, qts_guc.max_orders_per_minute, mono);
	qts_budget_limit(&account->entries, qts_guc.max_entries_per_minute, mono);
	qts_budget_limit(&account->exits, qts_guc.max_exits_per_minute, mono);
	allowance.entries = qts_budget_left(&account->entries, mono);
	allowance.exits = qts_budget_left(&account->exits, mono);
	allowance.told = account->told_at != 0 && mono - account->told_at < QTS_MINUTE;
	allowance.engine_spent = qts_budget_left(&all_orders, mono) <= 0;
	return allowance;
}

static void
account_spend(QtsAccount *account, const QtsClaim *claims, int n, int64 mono)
{
	int sells = 0;

	for (int i = 0; i < n; i++)
		sells += claims[i].request.sell;
	qts_budget_take(&account->exits, sells, mono);
	qts_budget_take(&account->entries, n - sells, mono);
	qts_budget_take(&all_orders, n, mono);
}

bool
qts_account_claim(QtsAccount *account, int64 mono)
{
	QtsAllowance allowance = account_allowance(account, mono);
	QtsClaim *claims;
	QtsCancelClaim *cancels;
	QtsGate gate;
	int slots;
	int n = 0;
	int ncancels = 0;
	bool retry;

	if (!account_may_send(account, mono, &slots))
		return false;
	QTS_POINT("claim.begin");
	claims = palloc0(sizeof(QtsClaim) * slots);
	cancels = palloc0(sizeof(QtsCancelClaim) * slots);
	if (!qts_txn_begin("claim"))
		return false;
	broker->keep(qts_account_broker(account), slots, mono);
	/* the gate's row locks cost a flush at commit: only when there is something to claim */
	qts_account_work(account->row.account, &account->work);
	account->work_stale = false;
	retry = account->work.next_retry != 0 && account->work.next_retry <= qts_now();
	if ((retry || account->work.new_intents > 0 || account->work.cancels > 0) &&
		qts_exec_gate(account->row.account, &gate) && !qts_account_stopped(account))
	{
		if (account->work.cancels > 0)
		{
			/* what a rule replaces stays while its replacement may not leave */
			if (!gate.paused)
				qts_exec_cancel_intents(account->row.account);
			ncancels = qts_exec_claim_cancels(account->row.account, gate.claim.now, cancels, slots);
		}
		if (retry && !gate.paused && slots > ncancels)
			n = qts_exec_reclaim(account->row.account, &gate, claims, slots - ncancels);
		if (account->work.new_intents > 0 && !gate.paused && slots > ncancels + n)
			n += qts_exec_claim(account->row.account, &gate, &allowance, claims + n, slots - ncancels - n);
		account->work_stale = true; /* counted again after the orders have left */
	}
	QTS_POINT("claim.commit");
	qts_txn_commit();
	QTS_POINT("claim.stored");
	if (ncancels + n > 0 && !qts_txn_commit_acked())
		give_back(account, cancels, ncancels, claims, n);
	else
	{
		account_spend(account, claims, n, mono);
		send_cancels(account, cancels, ncancels);
		send_claims(account, claims, n);
	}
	broker->keep(qts_account_broker(account), 0, mono);
	if (allowance.told && (account->told_at == 0 || mono - account->told_at >= QTS_MINUTE))
		account->told_at = mono;
	pfree(claims);
	pfree(cancels);
	return ncancels + n >= slots;
}
