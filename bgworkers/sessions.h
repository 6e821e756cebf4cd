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
#include "core/budget.h"
#include "db/exec.h"
#include "shm/shm.h"

#define QTS_MAX_SESSIONS QTS_SHM_SESSIONS
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
	int rate_limit;			/* the broker's own; 0 = not known */
	QtsBrokerTuning tuning; /* as the broker session has it */
	uint64 opens_reported[QTS_BREAKER_CLASS_COUNT];
	bool open_reported[QTS_BREAKER_CLASS_COUNT];
	int64 list_asked;	  /* monotonic us: the last list wanted to end an open breaker */
	QtsSessionSlot shown; /* as last published */
} QtsSession;

typedef struct QtsAccount
{
	QtsAccountRow row;
	int session;	  /* index, -1 = none */
	bool ledger_done; /* bootstrap: seen since start */
	bool balance_done;
	bool ready;			   /* reconciled: may trade */
	TimestampTz ledger_ok; /* when today's was last stored whole */
	bool ledger_asked;	   /* in flight */
	bool balance_asked;
	int64 ledger_at;  /* when the last ledger was asked for */
	int64 ledger_due; /* monotonic us */
	int64 confirm_at; /* when the last notice is old enough for the ledger to tell */
	int64 balance_due;
	bool open_asked;	 /* a list of open orders is in flight */
	int64 open_asked_at; /* monotonic us; or when there was last none to ask for */
	int64 open_pause;	 /* after a list that did not come whole; us */
	int open_failures;	 /* lists in a row that did not come whole */
	int open_rounds;	 /* lists in a row that the ledger had to explain */
	bool asked_old;		 /* the last ledger asked for was of an earlier day */
	int unknown_round;	 /* back-off of ledger reads while something is unknown */
	bool waits_slot;	 /* may send, but found no slot at the last look */
	bool work_stale;	 /* counts below must be read again */
	QtsBudget entries;	 /* orders a minute may see */
	QtsBudget exits;
	int64 told_at; /* of exits that wait for the budget; monotonic us */
	bool stopped;  /* a setting or the halt file held its orders back at the last look */
	QtsAccountWork work;
} QtsAccount;

extern QtsSession qts_sessions[QTS_MAX_SESSIONS];
extern int qts_nsessions;
extern QtsAccount qts_accounts[QTS_MAX_ACCOUNTS];
extern int qts_naccounts;

/* Bring sessions and accounts in line with the tables; opens its own transaction. */
extern bool qts_sessions_reload(void);
extern void qts_sessions_close(void);

/* Could one of them not be opened? */
extern bool qts_sessions_broken(void);

/* Settings that changed reach the open sessions. */
extern void qts_sessions_tune(void);

/*
 * Let them work; ms until one wants to again, -1 = none.  Sessions that share
 * an app key share its slots: each turn another one is first.
 */
extern long qts_sessions_drive(TimestampTz now, bool new_turn);

/* session_watch.c */
/* Show every session in shared memory; alert what keeps one from working. */
extern void qts_sessions_watch(int64 mono);
extern void qts_sessions_hide(void);

/*
 * An answered list is what lets a probe out of an open order breaker: an
 * account whose ledger should be read for that, each session once a second;
 * NULL = none.
 */
extern QtsAccount *qts_sessions_list_wanted(int64 mono);

/* sessions.c */
extern QtsAccount *qts_session_account(const char *account);
extern QtsBroker *qts_account_broker(const QtsAccount *account);

/* Orders and cancels in flight, by the tag their answer brings back; -1 = no room. */
extern int qts_in_flight_add(const pg_uuid_t *order_uid);
extern const pg_uuid_t *qts_in_flight_order(uint64 tag);
extern void qts_in_flight_done(uint64 tag);
extern int qts_in_flight_room(void);
extern void qts_in_flight_reset(void);

/* What the settings say now; rate_limit as in the account row. */
extern QtsBrokerTuning qts_broker_tuning(QtsEnvironment environment, int rate_limit);

/* Fill a broker configuration from an account row; false with a reason. */
extern bool qts_broker_config(const char *credentials, QtsEnvironment environment, const char *rest_url,
							  const char *ws_url, int rate_limit, QtsBrokerConfig *config, char *why,
							  size_t why_size, char *hint, size_t hint_size);
extern void qts_broker_config_wipe(void);

#endif /* QTS_BGWORKERS_SESSIONS_H */
