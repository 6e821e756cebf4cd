/*-------------------------------------------------------------------------
 *
 * exit_store.h
 *		Tables of the exit worker: positions to watch, decisions, effects.
 *
 * Every function runs inside the caller's transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_DB_EXIT_STORE_H
#define QTS_DB_EXIT_STORE_H

#include "postgres.h"

#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/escalation.h"
#include "core/exit.h"
#include "core/exit_window.h"

/* A live position as the exit worker watches it.  A hint: decisions read it again. */
typedef struct QtsWatch
{
	pg_uuid_t position_id;
	char account[12];
	char symbol[QTS_SYMBOL_LEN + 1];
	int version;
	bool closing;	/* status CLOSING */
	bool over;		/* status CLOSED */
	bool has_state; /* a position_state row exists */
	QtsExitPosition position;
	QtsExitState state;
	int profile; /* index into the profiles given to the loader */
	QtsExitWait waits[QTS_EXIT_WAITS];
	/* of the symbol and the day: qts_exit_session_facts() */
	QtsPrice prev_close;
	QtsPrice first;
	/* the worker's own */
	int board_slot;
	int next_of_slot; /* another watch of it, -1 = none */
	int64 evaluated_mono;
	TimestampTz stale_since; /* no price to decide on since; 0 = there is one */
	QtsSymbolHold hold;		 /* L1 of it, and what would change that */
	bool unpriced;			 /* at the last look at stale prices: no price is expected */
	bool stale;				 /* there was none to decide on */
	bool turns;				 /* its hold is about to change */
	QtsExitBand band;		 /* prices that concern nobody; low >= high: none */
	bool dirty;				 /* state differs from the row */
	/* which versions of its rows it was read from */
	TransactionId row_xmin;
	TransactionId state_xmin; /* invalid = no row */
} QtsWatch;

/* A live position and the versions of its rows. */
typedef struct QtsWatchVersion
{
	pg_uuid_t position_id;
	TransactionId row_xmin;
	TransactionId state_xmin;
} QtsWatchVersion;

typedef struct QtsProfileRow
{
	char profile_id[64];
	QtsExitProfile profile;
} QtsProfileRow;

extern const char *qts_profile_row_id(const QtsProfileRow *row);

/* Active profiles, the built-in default last (profile_id ""); palloc'd. */
extern QtsProfileRow *qts_exit_load_profiles(int *count);

/* Every live position, and whether it is still as it was read; palloc'd. */
extern QtsWatchVersion *qts_exit_load_versions(int *count);

/*
 * Live positions, all or (ids not NULL) these; palloc'd.  seoul_date decides
 * which overrides are in force.
 */
extern QtsWatch *qts_exit_load_watches(const QtsProfileRow *profiles, int nprofiles, int32 seoul_date,
									   const pg_uuid_t *ids, int nids, int *count);

/*
 * Previous closes and the first prices of the session, into every watch: once
 * shortly before the open, and again by a worker that starts later.  At least one.
 */
extern void qts_exit_session_facts(QtsWatch *watches, int nwatches, int32 seoul_date, TimestampTz open_at);

/* Lock one position and read its truth again, keeping *watch's memory-only state; false when it is gone. */
extern bool qts_exit_reread(QtsWatch *watch, const QtsProfileRow *profile, TimestampTz now);

/* The same without a lock, for one position of any status with its profile; false when there is none. */
extern bool
qts_exit_read(const pg_uuid_t *position_id, TimestampTz now, QtsWatch *watch, QtsProfileRow *profile);

/*
 * Act on a decision under the position's lock: ask less severe orders to go,
 * insert the intent for what is available, mark the position CLOSING, log
 * the signal, store the state.  True when an intent was inserted.
 */
extern bool qts_exit_act(QtsWatch *watch, const QtsExitDecision *decision, const QtsProfileRow *profile,
						 QtsControlMode control, TimestampTz now);

/* A bigger position starts a new cycle: the old one's exits are asked to go, the state is stored. */
extern void qts_exit_new_cycle(QtsWatch *watch, TimestampTz now);

/*
 * Take in what ended exit intents did: phases, CLOSED, back to OPEN.  Opens
 * its own transactions, one per position, so that it never waits in a circle.
 * Watches that changed are read again in place; one that is over gets qty 0.
 */
extern void qts_exit_apply_effects(QtsWatch *(*find)(const pg_uuid_t *position_id),
								   const QtsProfileRow *profiles, TimestampTz now);

extern void qts_exit_store_state(QtsWatch *watch, TimestampTz now);

/* Every dirty one, in one statement. */
extern void qts_exit_store_states(QtsWatch *watches, int nwatches, TimestampTz now);

/* Highest price seen in the ticks after the stored high-water mark; 0 = none. */
extern QtsPrice qts_exit_ticks_high(const QtsWatch *watch, TimestampTz since);

extern QtsControlMode qts_exit_control_mode(void);

/* exit_escalate.c */
/* The level that stands by the rows. */
extern QtsEscalationLevel qts_exit_escalation(void);

/*
 * Store and tell another level; acts: with the mode it asks for, where that is
 * stricter than what a person set.  False: somebody is busy with the row.
 */
extern bool
qts_exit_escalate(QtsEscalationLevel before, QtsEscalationLevel after, bool acts, const char *why);

/* Store (acts) and tell that L1 of a position begins or ends. */
extern void qts_exit_hold(QtsWatch *watch, bool held, bool acts, const char *why, TimestampTz now);

#endif /* QTS_DB_EXIT_STORE_H */
