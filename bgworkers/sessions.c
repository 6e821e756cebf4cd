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

QtsSession qts_sessions[QTS_MAX_SESSIONS];
int qts_nsessions = 0;
QtsAccount qts_accounts[QTS_MAX_ACCOUNTS];
int qts_naccounts = 0;

/* Lives only between qts_broker_config and its wipe. */
static QtsCredential credential;
static char token_path[MAXPGPATH];

/* Our share of the broker's limit. */
static int
rest_share(QtsEnvironment environment)
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

QtsBrokerTuning
qts_broker_tuning(QtsEnvironment environment, int rate_limit)
{
	QtsBrokerTuning tuning;

	memset(&tuning, 0, sizeof(tuning));
	tuning.rate_per_second =
		qts_rate_effective(rest_share(environment), rate_limit, environment == QTS_ENV_SIM);
	tuning.timeout_ms = qts_guc.http_timeout;
	tuning.breaker.threshold = qts_guc.breaker_threshold;
	tuning.breaker.open = qts_guc.breaker_open * QTS_MS;
	return tuning;
}

void
qts_sessions_tune(void)
{
	for (int i = 0; i < qts_nsessions; i++)
	{
		QtsSession *session = &qts_sessions[i];
		QtsBrokerTuning tuning = qts_broker_tuning(session->environment, session->rate_limit);

		if (session->broker == NULL || memcmp(&tuning, &session->tuning, sizeof(tuning)) == 0)
			continue;
		qts_kis_broker.tune(session->broker, &tuning);
		session->tuning = tuning;
	}
}

/* The limiter that every process with this app key uses. */
static const QtsRatePool *
rate_pool(const char *app_key, QtsEnvironment environment, int per_second)
{
	static QtsRatePool pool = {.slots = qts_rate_shared_slots,
							   .wait = qts_rate_shared_wait,
							   .take = qts_rate_shared_take,
							   .keep = qts_rate_shared_keep,
							   .refused = qts_rate_shared_refused,
							   .set = qts_rate_shared_set};

	pool.arg = qts_rate_join(app_key, environment, per_second);
	return pool.arg == NULL ? NULL : &pool;
}

bool
qts_broker_config(const char *credentials, QtsEnvironment environment, const char *rest_url,
				  const char *ws_url, int rate_limit, QtsBrokerConfig *config, char *why, size_t why_size,
				  char *hint, size_t hint_size)
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
	config->tuning = qts_broker_tuning(environment, rate_limit);
	config->rate = rate_pool(credential.app_key, environment, config->tuning.rate_per_second);
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
	if (qts_broker_config(session->credentials, session->environment, session->rest_url, "",
						  session->rate_limit, &config, session->why, sizeof(session->why), hint,
						  sizeof(hint)))
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

/* What was sent before a restart counts. */
static void
account_budget(QtsAccount *account)
{
	int64 mono = qts_mono_us();
	int entries;
	int exits;

	qts_exec_spent(account->row.account, qts_now(), &entries, &exits);
	qts_budget_init(&account->entries, qts_guc.max_entries_per_minute, entries, mono);
	qts_budget_init(&account->exits, qts_guc.max_exits_per_minute, exits, mono);
}

/* The lowest limit of the accounts that use a session is that of its app key. */
static void
sessions_limit(void)
{
	for (int i = 0; i < qts_nsessions; i++)
		qts_sessions[i].rate_limit = 0;
	for (int i = 0; i < qts_naccounts; i++)
	{
		int limit = qts_accounts[i].row.rate_limit;
		QtsSession *session = qts_accounts[i].session < 0 ? NULL : &qts_sessions[qts_accounts[i].session];

		if (session != NULL && limit > 0 && (session->rate_limit == 0 || limit < session->rate_limit))
			session->rate_limit = limit;
	}
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
			fresh.row.rate_limit = rows[i].rate_limit;
			fresh.work_stale = true;
		}
		else
			account_budget(&fresh);
		fresh.session = session_for(&rows[i]);
		/* position i may still be read for a later account: swap rather than overwrite */
		if (known != NULL && known != &qts_accounts[i])
			*known = qts_accounts[i];
		qts_accounts[i] = fresh;
		if (i >= qts_naccounts)
			qts_naccounts = i + 1;
	}
	qts_naccounts = count;
	sessions_limit();
	for (int i = 0; i < qts_nsessions; i++)
		if (qts_sessions[i].broker == NULL)
			session_open(&qts_sessions[i]);
	qts_txn_commit();
	return true;
}

bool
qts_sessions_broken(void)
{
	for (int i = 0; i < qts_nsessions; i++)
		if (qts_sessions[i].broker == NULL)
			return true;
	return false;
}

long
qts_sessions_drive(TimestampTz now, bool new_turn)
{
	static unsigned turn = 0;
	long pause = -1;

	turn += new_turn;
	for (int i = 0; i < qts_nsessions; i++)
	{
		QtsBroker *broker = qts_sessions[(turn + i) % qts_nsessions].broker;
		long next = broker == NULL ? -1 : qts_kis_broker.drive(broker, qts_mono_us(), now);

		if (next >= 0 && (pause < 0 || next < pause))
			pause = next;
	}
	return pause;
}

void
qts_sessions_close(void)
{
	for (int i = 0; i < qts_nsessions; i++)
		if (qts_sessions[i].broker != NULL)
			qts_kis_broker.close(qts_sessions[i].broker);
	qts_sessions_hide();
	qts_nsessions = 0;
	qts_naccounts = 0;
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
