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

#include "core/exit.h"

/* A live position as the exit worker watches it.  A hint: decisions read it again. */
typedef struct QtsWatch
{
	pg_uuid_t position_id;
	char account[12];
	char symbol[QTS_SYMBOL_LEN + 1];
	int version;
	bool closing;	/* status CLOSING */
	bool has_state; /* a position_state row exists */
	QtsExitPosition position;
	QtsExitState state;
	int profile;		  /* index into the profiles given to the loader */
	TimestampTz retry_at; /* a rule failed: not before this; 0 = now */
	/* the worker's own */
	int board_slot;
	uint32 board_version; /* last one evaluated */
	int64 evaluated_mono;
	bool dirty; /* state differs from the row */
} QtsWatch;

typedef struct QtsProfileRow
{
	char profile_id[64];
	QtsExitProfile profile;
} QtsProfileRow;

/* Active profiles, the built-in default last (profile_id ""); palloc'd. */
extern QtsProfileRow *qts_exit_load_profiles(int *count);

/* Live positions; palloc'd.  seoul_date decides which overrides are in force. */
extern QtsWatch *
qts_exit_load_watches(const QtsProfileRow *profiles, int nprofiles, int32 seoul_date, int *count);

/* Lock one position and read its truth again, keeping *watch's memory-only state; false when it is gone. */
extern bool qts_exit_reread(QtsWatch *watch);

/*
 * Act on a decision under the position's lock: ask less severe orders to go,
 * insert the intent for what is available, mark the position CLOSING, log
 * the signal, store the state.  True when an intent was inserted.
 */
extern bool qts_exit_act(QtsWatch *watch, const QtsExitDecision *decision, const char *profile_id,
						 QtsControlMode control, TimestampTz now);

/* A bigger position starts a new cycle: the old one's exits are asked to go, the state is stored. */
extern void qts_exit_new_cycle(QtsWatch *watch, TimestampTz now);

/*
 * Take in what ended exit intents did: phases, CLOSED, back to OPEN.  Opens
 * its own transactions, one per position, so that it never waits in a circle.
 * Watches that changed are read again in place; one that is over gets qty 0.
 */
extern void
qts_exit_apply_effects(QtsWatch *watches, int nwatches, const QtsProfileRow *profiles, TimestampTz now);

extern void qts_exit_store_state(QtsWatch *watch, TimestampTz now);

/* Highest price seen in the ticks after the stored high-water mark; 0 = none. */
extern QtsPrice qts_exit_ticks_high(const QtsWatch *watch, TimestampTz since);

extern QtsControlMode qts_exit_control_mode(void);

#endif /* QTS_DB_EXIT_STORE_H */
