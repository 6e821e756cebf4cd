/*-------------------------------------------------------------------------
 *
 * session_watch.c
 *		What people see of the broker sessions: shared memory, alerts, log.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "db/txn.h"
#include "sessions.h"

/* a token that is being renewed is no news */
#define SESSION_SILENCE_US (5 * QTS_SEC)
#define LIST_SPACING_US QTS_SEC

static const char *const held_back[QTS_BREAKER_CLASS_COUNT] = {
	[QTS_BREAKER_ORDER] = "no order and no cancel leaves",
	[QTS_BREAKER_ACCOUNT] = "order lists and balances are not read",
	[QTS_BREAKER_QUOTE] = "no price is asked for",
};

/* True when there is nothing to report any more. */
static bool
breaker_report(const QtsSession *session, QtsBreakerClass klass)
{
	if (!qts_txn_begin("breaker open"))
		return false;
	qts_alert(
		"CRITICAL", "BREAKER_OPEN", psprintf("%s/%s", session->credentials, qts_breaker_class_name(klass)),
		"It is tried again after qts.breaker_open, by itself. Look at the broker's own screens meanwhile.",
		"the broker left %d requests in a row without an answer: %s for \"%s\"",
		session->tuning.breaker.threshold, held_back[klass], session->credentials);
	qts_txn_commit();
	return true;
}

static void
breakers_watch(QtsSession *session, const QtsBrokerHealth *health)
{
	for (int i = 0; i < QTS_BREAKER_CLASS_COUNT; i++)
	{
		QtsBreakerClass klass = (QtsBreakerClass) i;

		if (health->opens[i] != session->opens_reported[i] && breaker_report(session, klass))
		{
			session->opens_reported[i] = health->opens[i];
			session->open_reported[i] = true;
		}
		if (session->open_reported[i] && health->breaker[i] == QTS_BREAKER_CLOSED)
		{
			session->open_reported[i] = false;
			ereport(LOG, (errmsg("the broker answers again: the %s breaker of \"%s\" is closed",
								 qts_breaker_class_name(klass), session->credentials)));
		}
	}
}

static void
down_watch(QtsSession *session, QtsSessionState state, const char *why, int64 mono)
{
	if (state == QTS_SESSION_READY)
	{
		session->down_since = 0;
		session->down_reported = false;
		return;
	}
	if (session->down_since == 0)
		session->down_since = mono;
	if (session->down_reported ||
		(state != QTS_SESSION_REFUSED && mono - session->down_since < SESSION_SILENCE_US) ||
		!qts_txn_begin("session down"))
		return;
	if (state == QTS_SESSION_REFUSED)
		qts_alert("CRITICAL", "BROKER_REFUSED", session->credentials,
				  "Check the keys of this entry of the credentials file; then deactivate and activate.",
				  "the broker refuses the keys of \"%s\": %s", session->credentials, why);
	else
		qts_alert("CRITICAL", "BROKER_UNREACHABLE", session->credentials,
				  "Nothing is traded until it answers; it is tried again by itself.",
				  "no session with the broker for \"%s\": %s", session->credentials, why);
	qts_txn_commit();
	session->down_reported = true;
}

/* What is not closed, and why the session is not ready. */
static void
session_detail(const QtsBrokerHealth *health, const char *why, char *out, size_t size)
{
	size_t len = strlcpy(out, why, size);

	for (int i = 0; i < QTS_BREAKER_CLASS_COUNT; i++)
		if (health->breaker[i] != QTS_BREAKER_CLOSED && len < size)
			len += snprintf(out + len, size - len, "%s%s breaker %s", len > 0 ? ", " : "",
							qts_breaker_class_name((QtsBreakerClass) i),
							qts_breaker_state_name(health->breaker[i]));
}

static void
session_show(int place, const char *state, const char *why, const QtsBrokerHealth *health)
{
	QtsSession *session = &qts_sessions[place];
	QtsSessionSlot slot;

	memset(&slot, 0, sizeof(slot));
	strlcpy(slot.name, session->credentials, sizeof(slot.name));
	strlcpy(slot.state, state, sizeof(slot.state));
	slot.rate = session->tuning.rate_per_second;
	for (int i = 0; i < QTS_BREAKER_CLASS_COUNT; i++)
	{
		slot.breaker[i] = (uint8) health->breaker[i];
		slot.opens[i] = health->opens[i];
	}
	session_detail(health, why, slot.detail, sizeof(slot.detail));
	slot.since = session->shown.since;
	if (memcmp(&slot, &session->shown, sizeof(slot)) == 0)
		return;
	if (strcmp(slot.state, session->shown.state) != 0)
		slot.since = GetCurrentTimestamp();
	session->shown = slot;
	LWLockAcquire(qts_shm->lock, LW_EXCLUSIVE);
	qts_shm->session[place] = slot;
	LWLockRelease(qts_shm->lock);
}

void
qts_sessions_watch(int64 mono)
{
	static const char *const names[] = {[QTS_SESSION_NO_TOKEN] = "NO_TOKEN",
										[QTS_SESSION_READY] = "READY",
										[QTS_SESSION_REFUSED] = "REFUSED"};

	for (int i = 0; i < qts_nsessions; i++)
	{
		QtsSession *session = &qts_sessions[i];
		QtsBrokerHealth health = {0};
		QtsSessionState state;
		char why[QTS_SHM_DETAIL];

		if (session->broker == NULL)
		{
			session_show(i, "FAILED", session->why, &health);
			continue;
		}
		state = qts_kis_broker.state(session->broker, why, sizeof(why));
		qts_kis_broker.health(session->broker, mono, &health);
		down_watch(session, state, why, mono);
		breakers_watch(session, &health);
		session_show(i, names[state], why, &health);
	}
}

QtsAccount *
qts_sessions_list_wanted(int64 mono)
{
	for (int i = 0; i < qts_naccounts; i++)
	{
		QtsAccount *account = &qts_accounts[i];
		QtsSession *session = account->session < 0 ? NULL : &qts_sessions[account->session];
		QtsBrokerHealth health;

		if (session == NULL || session->broker == NULL || account->ledger_asked ||
			mono - session->list_asked < LIST_SPACING_US)
			continue;
		qts_kis_broker.health(session->broker, mono, &health);
		if (!health.wants_list)
			continue;
		session->list_asked = mono;
		return account;
	}
	return NULL;
}

void
qts_sessions_hide(void)
{
	LWLockAcquire(qts_shm->lock, LW_EXCLUSIVE);
	memset(qts_shm->session, 0, sizeof(qts_shm->session));
	LWLockRelease(qts_shm->lock);
}
