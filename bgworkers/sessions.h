/*-------------------------------------------------------------------------
 *
 * sessions.h
 *		Broker sessions and accounts of the execution worker, in memory.
 *
 * Rebuilt from trade.accounts and the credentials file whenever either
 * changes; nothing here is a truth.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BGWORKERS_SESSIONS_H
#define QTS_BGWORKERS_SESSIONS_H

#include "postgres.h"

#include "broker/broker.h"
#include "db/exec.h"

#define QTS_MAX_SESSIONS 16
#define QTS_MAX_ACCOUNTS 64

typedef struct QtsSession
{
	char credentials[64];
	QtsEnvironment environment;
	char rest_url[256];
	QtsBroker *broker; /* NULL: could not be opened, see why */
	char why[256];
	bool reported;	  /* the reason is already an alert */
	int64 down_since; /* monotonic us; 0 = ready, or not looked at yet */
	bool down_reported;
} QtsSession;

typedef struct QtsAccount
{
	QtsAccountRow row;
	int session;	  /* index, -1 = none */
	bool ledger_done; /* bootstrap: seen since start */
	bool balance_done;
	bool ready;		   /* reconciled: may trade */
	bool ledger_asked; /* in flight */
	bool balance_asked;
	int64 ledger_at;  /* when the last ledger was asked for */
	int64 ledger_due; /* monotonic us */
	int64 balance_due;
	bool asked_old;	   /* the last ledger asked for was of an earlier day */
	int unknown_round; /* back-off of ledger reads while something is unknown */
	bool work_stale;   /* counts below must be read again */
	bool stopped;	   /* a setting or the halt file held its orders back at the last look */
	QtsAccountWork work;
} QtsAccount;

extern QtsSession qts_sessions[QTS_MAX_SESSIONS];
extern int qts_nsessions;
extern QtsAccount qts_accounts[QTS_MAX_ACCOUNTS];
extern int qts_naccounts;

/* Bring sessions and accounts in line with the tables; opens its own transaction. */
extern bool qts_sessions_reload(void);
extern void qts_sessions_close(void);

/* Raise an alert for sessions that the broker refuses or that stay without a token. */
extern void qts_sessions_watch(int64 mono);
extern QtsAccount *qts_session_account(const char *account);
extern QtsBroker *qts_account_broker(const QtsAccount *account);

/* Orders and cancels in flight, by the tag their answer brings back; -1 = no room. */
extern int qts_in_flight_add(const pg_uuid_t *order_uid);
extern const pg_uuid_t *qts_in_flight_order(uint64 tag);
extern void qts_in_flight_done(uint64 tag);
extern int qts_in_flight_room(void);
extern void qts_in_flight_reset(void);

/* Requests per second for an environment. */
extern int qts_rest_rate(QtsEnvironment environment);

/* Fill a broker configuration from an account row; false with a reason. */
extern bool qts_broker_config(const char *credentials, QtsEnvironment environment, const char *rest_url,
							  const char *ws_url, QtsBrokerConfig *config, char *why, size_t why_size,
							  char *hint, size_t hint_size);
extern void qts_broker_config_wipe(void);

#endif /* QTS_BGWORKERS_SESSIONS_H */
