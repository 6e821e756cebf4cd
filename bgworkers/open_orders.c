/*-------------------------------------------------------------------------
 *
 * open_orders.c
 *		Open orders of an account, asked for between two reads of its ledger.
 *
 * With orders open a list comes every qts.unfilled_interval, and faster
 * while the feed that brings the notices is down.  One list at a time; what
 * fails is tried again later and later.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/pg_prng.h"

#include "core/rate.h"
#include "db/txn.h"
#include "guc.h"
#include "open_orders.h"

/* Paper has one request a second for everything, and its list is a ledger. */
#define PAPER_INTERVAL_US (5 * QTS_SEC)
#define RETRY_MIN_US (1 * QTS_SEC)
#define RETRY_MAX_US (30 * QTS_SEC)

/* The last list of each account, for cancels; rebuilt by the next one. */
static struct
{
	char account[12]; /* "" = free */
	QtsOpenRow *rows; /* malloc'd */
	int count;
	int64 at; /* monotonic us */
} lists[QTS_MAX_ACCOUNTS];

static int64
open_backoff(int round)
{
	return qts_backoff(round, RETRY_MIN_US, RETRY_MAX_US, pg_prng_uint32(&pg_global_prng_state));
}

static bool
feed_is_up(const char *credentials)
{
	bool up = false;

	LWLockAcquire(qts_shm->lock, LW_SHARED);
	for (int i = 0; i < QTS_SHM_FEEDS && !up; i++)
		up = strcmp(qts_shm->feed[i].name, credentials) == 0 && strcmp(qts_shm->feed[i].state, "UP") == 0;
	LWLockRelease(qts_shm->lock);
	return up;
}

static int64
open_interval(const QtsAccount *account)
{
	int64 interval = qts_guc.unfilled_interval * QTS_MS;

	if (!feed_is_up(account->row.credentials))
		interval = Min(interval, qts_guc.unfilled_gap_interval * QTS_MS);
	if (account->row.environment == QTS_ENV_PAPER)
		interval = Max(interval, PAPER_INTERVAL_US);
	return Max(interval, account->open_pause);
}

long
qts_open_orders_poll(QtsAccount *account, int64 mono)
{
	QtsBroker *session = qts_account_broker(account);
	int64 due;

	if (session == NULL || !account->ready || account->work.live_orders <= 0 ||
		qts_kis_broker.state(session, NULL, 0) != QTS_SESSION_READY)
	{
		account->open_asked_at = mono;
		return -1;
	}
	if (account->open_asked)
		return -1; /* its answer wakes us */
	/* not planned ahead: a feed that goes down shortens what is left */
	due = account->open_asked_at + open_interval(account);
	if (mono < due)
		return (long) ((due - mono) / QTS_MS + 1);
	account->open_asked = qts_kis_broker.open_list(session, 0, account->row.account);
	account->open_asked_at = mono;
	return -1;
}

static void
list_keep(const char *account, const QtsOpenList *list, int64 mono)
{
	int place = 0;
	QtsOpenRow *rows;

	for (int i = 0; i < QTS_MAX_ACCOUNTS; i++)
	{
		if (strcmp(lists[i].account, account) == 0)
		{
			place = i;
			break;
		}
		if (lists[i].at < lists[place].at)
			place = i;
	}
	rows = realloc(lists[place].rows, sizeof(QtsOpenRow) * (list->count + 1));
	if (rows == NULL)
		return;
	if (list->count > 0)
		memcpy(rows, list->rows, sizeof(QtsOpenRow) * list->count);
	strlcpy(lists[place].account, account, sizeof(lists[place].account));
	lists[place].rows = rows;
	lists[place].count = list->count;
	lists[place].at = mono;
}

int64
qts_open_orders_take(QtsAccount *account, const QtsBrokerEvent *event, int64 mono)
{
	int questions;

	account->open_asked = false;
	if (event->outcome != QTS_OUTCOME_OK || !event->open_list.complete)
	{
		account->open_pause = open_backoff(account->open_failures++);
		return 0;
	}
	account->open_failures = 0;
	account->open_pause = 0;
	qts_count(QTS_COUNT_OPEN_LISTS, 1);
	list_keep(account->row.account, &event->open_list, mono);
	if (!qts_txn_begin("open orders"))
		return 0; /* the next list asks the same */
	questions = qts_exec_open_list(account->row.account, qts_seoul_date(event->asked_at), &event->open_list,
								   event->asked_at);
	qts_txn_commit();
	if (questions == 0)
	{
		account->open_rounds = 0;
		return 0;
	}
	/* a ledger that does not explain it at once may lag: ask it less and less often */
	if (account->open_rounds++ == 0)
		return mono;
	return account->ledger_at + open_backoff(account->open_rounds - 2);
}

QtsQty
qts_open_orders_cancellable(const QtsAccount *account, const char *odno, QtsQty otherwise, int64 mono)
{
	for (int i = 0; i < QTS_MAX_ACCOUNTS; i++)
	{
		if (strcmp(lists[i].account, account->row.account) != 0 ||
			mono - lists[i].at > 2 * qts_guc.unfilled_interval * QTS_MS)
			continue;
		for (int k = 0; k < lists[i].count; k++)
			if (strcmp(lists[i].rows[k].odno, odno) == 0 && lists[i].rows[k].cancellable > 0)
				return lists[i].rows[k].cancellable;
	}
	return otherwise;
}

void
qts_open_orders_forget(void)
{
	for (int i = 0; i < QTS_MAX_ACCOUNTS; i++)
		free(lists[i].rows);
	memset(lists, 0, sizeof(lists));
}
