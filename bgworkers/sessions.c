/*-------------------------------------------------------------------------
 *
 * sessions.c
 *		Opens a broker session per app key and keeps the accounts beside them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "broker/credentials.h"
#include "db/txn.h"
#include "guc.h"
#include "net/net.h"
#include "sessions.h"
#include "shm/clock.h"
#include "shm/shm.h"

/* a token that is being renewed is no news */
#define SESSION_SILENCE_US (5 * QTS_SEC)

QtsSession qts_sessions[QTS_MAX_SESSIONS];
int qts_nsessions = 0;
QtsAccount qts_accounts[QTS_MAX_ACCOUNTS];
int qts_naccounts = 0;

/* Lives only between qts_broker_config and its wipe. */
static QtsCredential credential;
static char token_path[MAXPGPATH];

int
qts_rest_rate(QtsEnvironment environment)
{
	switch (environment)
	{
		case QTS_ENV_LIVE:
			return qts_guc.rest_rate_live;
		case QTS_ENV_PAPER:
			return qts_guc.rest_rate_paper;
		case QTS_ENV_SIM:
			return qts_guc.rest_rate_sim;
	}
	return 1;
}

bool
qts_broker_config(const char *credentials, QtsEnvironment environment, const char *rest_url,
				  const char *ws_url, QtsBrokerConfig *config, char *why, size_t why_size, char *hint,
				  size_t hint_size)
{
	if (!qts_credentials_read(qts_guc.credentials_file, credentials, &credential, why, why_size, hint,
							  hint_size))
		return false;
	qts_credentials_token_path(qts_guc.credentials_file, credential.app_key, token_path, sizeof(token_path));
	memset(config, 0, sizeof(*config));
	config->credentials = credentials;
	config->environment = environment;
	config->rest_url = rest_url[0] != '\0' ? rest_url : NULL;
	config->ws_url = ws_url[0] != '\0' ? ws_url : NULL;
	config->app_key = credential.app_key;
	config->app_secret = credential.app_secret;
	config->hts_id = credential.hts_id;
	config->token_file = token_path;
	config->rate_per_second = qts_rest_rate(environment);
	config->timeout_ms = qts_guc.http_timeout;
	return true;
}

void
qts_broker_config_wipe(void)
{
	qts_credential_wipe(&credential);
}

static void
session_open(QtsSession *session)
{
	QtsBrokerConfig config;
	char hint[256];

	if (session->environment == QTS_ENV_LIVE && qts_guc.sim_clock)
	{
		strlcpy(session->why, "a live account never trades on qts.sim_clock", sizeof(session->why));
		return;
	}
	if (qts_broker_config(session->credentials, session->environment, session->rest_url, "", &config,
						  session->why, sizeof(session->why), hint, sizeof(hint)))
	{
		session->broker = qts_kis_broker.open(&config);
		if (session->broker == NULL)
			strlcpy(session->why, "out of memory", sizeof(session->why));
	}
	qts_broker_config_wipe();
	if (session->broker == NULL && !session->reported)
	{
		qts_alert("CRITICAL", "CREDENTIALS", session->credentials, hint, "%s", session->why);
		session->reported = true;
	}
}

static int
session_for(const QtsAccountRow *row)
{
	QtsSession *session;

	for (int i = 0; i < qts_nsessions; i++)
		if (strcmp(qts_sessions[i].credentials, row->order_credentials) == 0 &&
			qts_sessions[i].environment == row->environment &&
			strcmp(qts_sessions[i].rest_url, row->rest_url) == 0)
			return i;
	if (qts_nsessions >= QTS_MAX_SESSIONS)
		return -1;
	session = &qts_sessions[qts_nsessions];
	memset(session, 0, sizeof(*session));
	strlcpy(session->credentials, row->order_credentials, sizeof(session->credentials));
	session->environment = row->environment;
	strlcpy(session->rest_url, row->rest_url, sizeof(session->rest_url));
	return qts_nsessions++;
}

bool
qts_sessions_reload(void)
{
	QtsAccountRow *rows;
	int count;

	if (!qts_txn_begin("accounts"))
		return false;
	rows = qts_accounts_load(&count);
	if (count > QTS_MAX_ACCOUNTS)
	{
		qts_alert("CRITICAL", "TOO_MANY_ACCOUNTS", "", "Spread the accounts over several clusters.",
				  "%d accounts, the engine serves %d: the rest does not trade", count, QTS_MAX_ACCOUNTS);
		count = QTS_MAX_ACCOUNTS;
	}
	/* accounts that go, go; the others keep what they know */
	for (int i = 0; i < count; i++)
	{
		QtsAccount *known = qts_session_account(rows[i].account);
		QtsAccount fresh;

		memset(&fresh, 0, sizeof(fresh));
		fresh.row = rows[i];
		fresh.work_stale = true;
		if (known != NULL && memcmp(&known->row, &rows[i], offsetof(QtsAccountRow, paused)) == 0)
		{
			fresh = *known;
			fresh.row.paused = rows[i].paused;
			fresh.work_stale = true;
		}
		fresh.session = session_for(&rows[i]);
		/* position i may still be read for a later account: swap rather than overwrite */
		if (known != NULL && known != &qts_accounts[i])
			*known = qts_accounts[i];
		qts_accounts[i] = fresh;
		if (i >= qts_naccounts)
			qts_naccounts = i + 1;
	}
	qts_naccounts = count;
	for (int i = 0; i < qts_nsessions; i++)
		if (qts_sessions[i].broker == NULL)
			session_open(&qts_sessions[i]);
	qts_txn_commit();
	return true;
}

void
qts_sessions_close(void)
{
	for (int i = 0; i < qts_nsessions; i++)
		if (qts_sessions[i].broker != NULL)
			qts_kis_broker.close(qts_sessions[i].broker);
	qts_nsessions = 0;
	qts_naccounts = 0;
}

static void
session_watch(QtsSession *session, int64 mono)
{
	char why[QTS_SHM_DETAIL];
	QtsSessionState state = qts_kis_broker.state(session->broker, why, sizeof(why));

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

void
qts_sessions_watch(int64 mono)
{
	for (int i = 0; i < qts_nsessions; i++)
		if (qts_sessions[i].broker != NULL)
			session_watch(&qts_sessions[i], mono);
}

QtsAccount *
qts_session_account(const char *account)
{
	for (int i = 0; i < qts_naccounts; i++)
		if (strcmp(qts_accounts[i].row.account, account) == 0)
			return &qts_accounts[i];
	return NULL;
}

QtsBroker *
qts_account_broker(const QtsAccount *account)
{
	return account->session < 0 ? NULL : qts_sessions[account->session].broker;
}

#define IN_FLIGHT_MAX 256

static struct
{
	bool used;
	pg_uuid_t order_uid;
} in_flight[IN_FLIGHT_MAX];

int
qts_in_flight_add(const pg_uuid_t *order_uid)
{
	for (int i = 0; i < IN_FLIGHT_MAX; i++)
		if (!in_flight[i].used)
		{
			in_flight[i].used = true;
			in_flight[i].order_uid = *order_uid;
			return i;
		}
	return -1;
}

const pg_uuid_t *
qts_in_flight_order(uint64 tag)
{
	Assert(tag < IN_FLIGHT_MAX && in_flight[tag].used);
	return &in_flight[tag].order_uid;
}

void
qts_in_flight_done(uint64 tag)
{
	in_flight[tag].used = false;
}

int
qts_in_flight_room(void)
{
	int room = 0;

	for (int i = 0; i < IN_FLIGHT_MAX; i++)
		room += !in_flight[i].used;
	return room;
}

void
qts_in_flight_reset(void)
{
	memset(in_flight, 0, sizeof(in_flight));
}
