/*-------------------------------------------------------------------------
 *
 * execution.c
 *		Intents to orders to fills to exit events; reconciliation.
 *
 * A turn: let the sessions work, store what the broker answered, claim and
 * send what is new, store what the feed brought.  Every store is its own
 * transaction; none is open while the network is touched.  A new intent waits
 * for one of them, not for all; the disk is waited for before orders leave and
 * at the end of a turn, for all that was stored since.  What is in flight
 * is remembered here only to route answers: the rows are the truth, and
 * whatever this process forgets is UNKNOWN to the next one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/pg_prng.h"
#include "miscadmin.h"

#include "claims.h"
#include "core/rate.h"
#include "db/exec.h"
#include "db/txn.h"
#include "guc.h"
#include "net/net.h"
#include "open_orders.h"
#include "sessions.h"
#include "shm/clock.h"
#include "shm/point.h"
#include "shm/shm.h"
#include "worker.h"

#define NOTICE_BATCH 256 /* a turn */
#define NOTICE_GROUP 16	 /* a transaction */
#define NOTICE_TRIES 2
#define SESSION_RETRY_US (5 * QTS_SEC)
/* confirm what a notice said soon, but let a burst of them share one read, and at most one a second */
#define CONFIRM_DELAY_US (200 * QTS_MS)
#define CONFIRM_SPACING_US (1 * QTS_SEC)
#define LEDGER_UNREAD_US (10 * QTS_MINUTE) /* without a whole ledger, while the market is open */

static QtsDate seen_date;
static uint64 seen_intent, seen_order, seen_account, seen_config, seen_gap;
static bool work_pending; /* claim even though no counter moved */
static int64 sessions_due;
static int64 notice_trying = -1; /* queue place of the first notice of the last batch */
static int notice_tries;

static const QtsBrokerOps *const broker = &qts_kis_broker;

static void
execution_start(void)
{
	qts_in_flight_reset();
	seen_intent = seen_order = seen_account = seen_config = 0;
	seen_gap = 0;
	work_pending = true;
	sessions_due = 0;
	qts_claims_start();
	qts_txn_begin_must("orphan sends");
	qts_exec_orphan_sends();
	qts_txn_commit();
}

static void
execution_stop(void)
{
	qts_sessions_close();
	qts_exec_ledger_forget();
	qts_open_orders_forget();
}

static void
account_want_ledger(QtsAccount *account, int64 at)
{
	at = Max(at, account->ledger_at + CONFIRM_SPACING_US);
	if (account->ledger_due > at)
		account->ledger_due = at;
}

static void
store_order_answer(const QtsBrokerEvent *event)
{
	pg_uuid_t order_uid = *qts_in_flight_order(event->tag);
	QtsAccount *account = qts_session_account(event->account);
	int64 mono = qts_mono_us();

	qts_txn_begin_must("order answer");
	if (event->kind == QTS_EVENT_ORDER)
		qts_exec_order_answer(&order_uid, event, qts_now());
	else
		qts_exec_cancel_answer(&order_uid, event, qts_now());
	QTS_POINT("answer.commit");
	qts_txn_commit_soon();
	QTS_POINT("answer.stored");
	qts_in_flight_done(event->tag);
	if (event->kind == QTS_EVENT_ORDER && event->outcome == QTS_OUTCOME_OK)
	{
		qts_observe(QTS_HIST_BROKER, event->done_us - event->sent_us);
		qts_observe(QTS_HIST_ANSWER_TO_COMMIT, qts_mono_us() - event->done_us);
	}
	work_pending = true; /* an intent of the same symbol and side may have waited for this */
	if (account == NULL)
		return;
	account->work_stale = true;
	account->unknown_round = 0;
	/* an order that was accepted is confirmed by its notice; anything else by the ledger, soon */
	account_want_ledger(account, event->outcome == QTS_OUTCOME_OK && event->kind == QTS_EVENT_ORDER
									 ? mono + qts_guc.ledger_interval * QTS_SEC
									 : mono + CONFIRM_DELAY_US);
}

static void
store_ledger(const QtsBrokerEvent *event)
{
	QtsAccount *account = qts_session_account(event->account);
	TimestampTz now = qts_now();
	QtsDate date = (QtsDate) event->tag;
	bool today = date == qts_seoul_date(now);
	QtsSessionPhase phase;
	bool trusted;
	bool ok = event->outcome == QTS_OUTCOME_OK;

	if (account == NULL)
		return;
	trusted = account->row.environment != QTS_ENV_PAPER;
	qts_txn_begin_must("ledger");
	phase = qts_session_phase(qts_calendar_today(now), now);
	qts_txn_commit();
	if (!ok)
		qts_exec_unknowns(event->account, date, NULL, event->asked_at, trusted, now);
	else if (qts_exec_ledger(event->account, date, &event->ledger, event->asked_at, trusted,
							 !today || qts_session_resting(phase), now))
		account->work_stale = work_pending = true;
	if (ok && !event->ledger.complete)
		return;
	account->ledger_asked = false;
	qts_txn_begin_must("ledger");
	account->ledger_done |= ok && today;
	account->ready = account->ledger_done && account->balance_done;
	if (ok && today)
		account->ledger_ok = now;
	if (event->outcome == QTS_OUTCOME_FATAL)
		qts_alert("CRITICAL", "BROKER_REFUSED", account->row.order_credentials,
				  "Check keys, account number and environment.",
				  "the broker refuses this account's requests: %s %s", event->msg_cd, event->msg);
	else if (account->ready && today && !qts_session_resting(phase) &&
			 now - account->ledger_ok > LEDGER_UNREAD_US)
		qts_alert(
			"CRITICAL", "LEDGER_UNREAD", qts_account_mask(event->account),
			"Compare the day's orders at the broker's own screens until it is read again.",
			"the day's order ledger could not be read whole for %d minutes, so only notices tell of fills on pages "
			"that do not come, and unanswered orders stay unknown: %s %s",
			(int) ((now - account->ledger_ok) / QTS_MINUTE), event->msg_cd, event->msg);
	qts_account_sync(event->account,
					 event->outcome == QTS_OUTCOME_FATAL ? "REFUSED"
					 : account->ready					 ? "READY"
														 : "BOOTSTRAP",
					 QTS_LIST_LEDGER, ok ? NULL : event->msg, NULL, now);
	qts_txn_commit();
	account->work_stale = true;
	work_pending = true;
}

static void
store_balance(const QtsBrokerEvent *event)
{
	QtsAccount *account = qts_session_account(event->account);
	TimestampTz now = qts_now();
	bool ok = event->outcome == QTS_OUTCOME_OK && event->balance.complete;

	if (account == NULL)
		return;
	account->balance_asked = false;
	if (event->outcome == QTS_OUTCOME_OK)
		qts_exec_balance(event->account, &event->balance, event->asked_at,
						 account->row.environment != QTS_ENV_PAPER, now);
	qts_txn_begin_must("balance");
	account->balance_done |= ok;
	account->ready = account->ledger_done && account->balance_done;
	qts_account_sync(event->account,
					 event->outcome == QTS_OUTCOME_FATAL ? "REFUSED"
					 : account->ready					 ? "READY"
														 : "BOOTSTRAP",
					 QTS_LIST_BALANCE, ok ? NULL : event->msg, &event->balance.summary, now);
	qts_txn_commit();
	work_pending = true;
}

static void
store_open_list(const QtsBrokerEvent *event)
{
	QtsAccount *account = qts_session_account(event->account);
	int64 due = account == NULL ? 0 : qts_open_orders_take(account, event, qts_mono_us());

	if (due > 0)
		account_want_ledger(account, due);
}

static void
store_event(const QtsBrokerEvent *event)
{
	switch (event->kind)
	{
		case QTS_EVENT_ORDER:
		case QTS_EVENT_CANCEL:
			store_order_answer(event);
			break;
		case QTS_EVENT_LEDGER:
			store_ledger(event);
			break;
		case QTS_EVENT_BALANCE:
			store_balance(event);
			break;
		case QTS_EVENT_OPEN_LIST:
			store_open_list(event);
			break;
		case QTS_EVENT_STATE:
			work_pending = true;
			break;
	}
}

/* An event is freed only after its transaction: an error leaves its order to the ledger. */
static bool
take_event(QtsBroker *session)
{
	QtsBrokerEvent *event = session != NULL ? broker->next_event(session) : NULL;

	if (event == NULL)
		return false;
	store_event(event);
	broker->event_free(event);
	return true;
}

/* Has somebody asked for an order, or to cancel one, since the last claim? */
static bool
intents_wait(void)
{
	return qts_change_count(QTS_CHANGE_INTENT) != seen_intent;
}

/* Each session in its turn; at least one event.  Is there none left? */
static bool
take_events(void)
{
	bool any = true;

	while (any)
	{
		any = false;
		for (int i = 0; i < qts_nsessions; i++)
			any |= take_event(qts_sessions[i].broker);
		if (any && intents_wait())
			return false;
	}
	return true;
}

/* The transaction is open.  What the notice said comes with the ledger. */
static void
set_aside_notice(const QtsNotice *notice)
{
	qts_alert("CRITICAL", "NOTICE_UNUSABLE", notice->symbol,
			  "See the server log for the error; the ledger is asked instead.",
			  "an execution notice of order %s could not be stored", notice->odno);
	qts_txn_commit();
	qts_notices_forget(1);
	pg_atomic_fetch_add_u64(&qts_shm->feed_gap, 1);
}

/*
 * Store the first notices of one account and symbol, in one transaction: it
 * locks one position, so it can wait for others but never in a circle.
 * Returns how many, 0 when there is none.
 */
static int
take_notice_group(void)
{
	QtsNotice first;
	QtsNotice notice;
	QtsAccount *account;
	int64 epoch;
	int64 seq;
	int batch = NOTICE_GROUP;
	int n = 0;

	if (!qts_notices_peek(0, &first, &epoch, &seq) || !qts_txn_begin("notices"))
		return 0;
	/* one that cannot be stored must not stop those behind it: alone, then set aside */
	notice_tries = seq == notice_trying ? notice_tries + 1 : 0;
	notice_trying = seq;
	if (notice_tries > 0)
		batch = 1;
	if (notice_tries > NOTICE_TRIES)
	{
		set_aside_notice(&first);
		return 1;
	}
	account = qts_session_account(first.account);
	while (n < batch && qts_notices_peek(n, &notice, &epoch, &seq) &&
		   strcmp(notice.account, first.account) == 0 && strcmp(notice.symbol, first.symbol) == 0)
	{
		if (account != NULL && qts_exec_notice(&notice, epoch, seq, qts_now()))
		{
			account->work_stale = true;
			account->confirm_at = qts_mono_us() + CONFIRM_DELAY_US;
			account_want_ledger(account, account->confirm_at);
		}
		n++;
	}
	QTS_POINT("notice.commit");
	qts_txn_commit_soon();
	QTS_POINT("notice.stored");
	qts_notices_forget(n);
	notice_trying = -1;
	qts_observe(QTS_HIST_NOTICE_TO_COMMIT, qts_mono_us() - first.recv_mono);
	return n;
}

/* At least one group.  Is there none left? */
static bool
take_notices(void)
{
	int taken = 0;
	int n;

	do
	{
		n = take_notice_group();
		taken += n;
	} while (n > 0 && taken < NOTICE_BATCH && !intents_wait());
	if (taken == 0)
		return true;
	/* where the ledger may stay empty an accept notice is the proof an unknown order waits for */
	for (int i = 0; i < qts_naccounts; i++)
		if (qts_accounts[i].work.unknown_orders > 0 && qts_accounts[i].row.environment == QTS_ENV_PAPER)
		{
			qts_exec_unknowns(qts_accounts[i].row.account, qts_seoul_date(qts_now()), NULL, qts_now(), false,
							  qts_now());
			qts_accounts[i].work_stale = true;
			work_pending = true;
		}
	return n == 0;
}

static void
account_refresh_work(QtsAccount *account)
{
	if (!account->work_stale || !qts_txn_begin("account work"))
		return;
	qts_account_work(account->row.account, &account->work);
	account->work_stale = false;
	qts_txn_commit();
}

/* Ask for the lists that are due; returns ms until the next one is. */
static long
account_poll(QtsAccount *account, int64 mono)
{
	QtsBroker *session = qts_account_broker(account);
	QtsDate date = qts_seoul_date(qts_now());
	int64 next;

	if (session == NULL || broker->state(session, NULL, 0) != QTS_SESSION_READY)
		return -1;
	if (!account->ledger_asked && mono >= account->ledger_due)
	{
		int64 pause = qts_guc.ledger_idle_interval * QTS_SEC;

		if (account->work.unknown_orders > 0)
			pause = qts_backoff(account->unknown_round++, QTS_SEC, 8 * QTS_SEC,
								pg_prng_uint32(&pg_global_prng_state));
		else if (account->work.live_orders > 0)
			pause = qts_guc.ledger_interval * QTS_SEC;
		/* orders that an earlier day left open are settled by that day's ledger, turn and turn about */
		account->asked_old = !account->asked_old && account->work.oldest < date;
		if (account->asked_old)
			date = account->work.oldest;
		account->ledger_asked = broker->ledger(session, (uint64) date, account->row.account, date);
		account->ledger_at = mono;
		/* asked for an earlier notice: too soon for the last one */
		if (account->confirm_at > mono)
			pause = Min(pause, Max(account->confirm_at - mono, CONFIRM_SPACING_US));
		account->ledger_due = account->asked_old ? mono : mono + pause;
		/* the balance is a witness of unknown orders too */
		if (account->work.unknown_orders > 0 && account->balance_due > mono + pause)
			account->balance_due = mono + pause;
	}
	if (!account->balance_asked && mono >= account->balance_due)
	{
		account->balance_asked = broker->balance(session, 0, account->row.account);
		account->balance_due = mono + qts_guc.balance_interval * QTS_SEC;
	}
	next = Min(account->ledger_due, account->balance_due) - mono;
	return next <= 0 ? 1 : (long) (next / 1000 + 1);
}

/* Tables or settings changed: open, close, reconcile. */
static void
follow_changes(int64 mono)
{
	uint64 account = qts_change_count(QTS_CHANGE_ACCOUNT);
	uint64 gap = pg_atomic_read_u64(&qts_shm->feed_gap);
	QtsDate date = qts_seoul_date(qts_now());

	/* limits have dates */
	if (account != seen_account || date != seen_date || (qts_sessions_broken() && mono >= sessions_due))
	{
		sessions_due = mono + SESSION_RETRY_US;
		if (qts_sessions_reload())
		{
			seen_account = account;
			seen_date = date;
		}
		work_pending = true;
	}
	if (gap != seen_gap)
	{
		/* notices may have been missed: nothing but the ledger knows (kis-api 5.8) */
		seen_gap = gap;
		for (int i = 0; i < qts_naccounts; i++)
			account_want_ledger(&qts_accounts[i], mono);
	}
}

static bool
work_changed(void)
{
	uint64 intent = qts_change_count(QTS_CHANGE_INTENT);
	uint64 order = qts_change_count(QTS_CHANGE_ORDER);
	uint64 config = qts_change_count(QTS_CHANGE_CONFIG);
	bool changed = work_pending || intent != seen_intent || order != seen_order || config != seen_config;

	seen_intent = intent;
	seen_order = order;
	seen_config = config;
	work_pending = false;
	return changed;
}

static long
sooner(long a, long b)
{
	if (a < 0)
		return b;
	return b < 0 ? a : Min(a, b);
}

static long
execution_step(void)
{
	int64 mono = qts_mono_us();
	TimestampTz now = qts_now();
	long pause = -1;
	QtsAccount *voucher;
	bool claim;
	bool taken;

	follow_changes(mono);
	qts_sessions_tune();
	pause = sooner(pause, qts_sessions_drive(now, true));
	taken = take_events();
	qts_sessions_watch(mono);
	while ((voucher = qts_sessions_list_wanted(mono)) != NULL)
		account_want_ledger(voucher, mono);
	/* orders before notices: a stop is more urgent than the books */
	claim = work_changed();
	for (int i = 0; i < qts_naccounts; i++)
	{
		QtsAccount *account = &qts_accounts[i];
		bool was_stopped = account->stopped;

		/* what waited for a stop to end goes on */
		if ((!qts_account_stopped(account) && was_stopped) || claim ||
			(account->work.next_retry != 0 && account->work.next_retry <= now) ||
			(account->waits_slot &&
			 broker->slots(qts_account_broker(account), QTS_RATE_ORDER, qts_mono_us()) > 0))
			work_pending |= qts_account_claim(account, qts_mono_us());
	}
	taken &= take_notices();
	for (int i = 0; i < qts_naccounts; i++)
	{
		QtsAccount *account = &qts_accounts[i];

		account_refresh_work(account);
		pause = sooner(pause, account_poll(account, mono));
		pause = sooner(pause, qts_open_orders_poll(account, mono));
		if (account->work.next_retry != 0)
			pause = sooner(pause, account->work.next_retry <= now
									  ? 10
									  : (long) ((account->work.next_retry - now) / 1000 + 1));
		if (account->work.new_intents > 0 && qts_budget_left(&account->exits, mono) <= 0)
		{
			/* exits that wait for the budget */
			pause = sooner(pause, (long) (qts_budget_wait(&account->exits, mono) / 1000 + 1));
			work_pending = true;
		}
		else if ((work_pending || account->waits_slot) && qts_account_broker(account) != NULL)
			pause = sooner(pause,
						   Max(1, broker->slot_wait_ms(qts_account_broker(account), QTS_RATE_ORDER, mono)));
	}
	/* requests just queued leave now */
	pause = sooner(pause, qts_sessions_drive(now, false));
	qts_txn_flush();
	qts_worker_detail("%d accounts, %d sessions", qts_naccounts, qts_nsessions);
	return taken ? pause : 0;
}

const QtsWorker qts_execution_worker = {
	.name = "execution",
	.role = "qts_execution",
	.network = true,
	.lookups = true,
	.start = execution_start,
	.step = execution_step,
	.stop = execution_stop,
};
