/*-------------------------------------------------------------------------
 *
 * t2.h
 *		The engine's real tables behind the model: src/db does the storing.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHAOS_T2_H
#define CHAOS_T2_H

#include "postgres.h"

#include "utils/uuid.h"

#include "db/exec.h"

#include "world.h"

/* Names in the tables of what the model knows by number. */
typedef struct T2Names
{
	int nintents;
	int norders;
	int npositions;
	pg_uuid_t intent[MAX_INTENTS];
	pg_uuid_t order[MAX_ORDERS];
	int attempt[MAX_ORDERS];
	pg_uuid_t position[MAX_POSITIONS];
} T2Names;

extern T2Names t2_names;
extern const ChaosStore t2_store;

/* names.c */
extern int t2_find(const pg_uuid_t *names, int count, const pg_uuid_t *name);
extern int t2_order(const pg_uuid_t *uid);	  /* a new number if it has none */
extern int t2_position(const pg_uuid_t *uid); /* the same */

/* guard.c */
extern bool t2_guard(World *w, void (*body)(World *w));
extern void t2_raise(World *w);
/* Run one statement of the owner; false when a rule of the tables refused it. */
extern bool t2_owner(World *w, void (*body)(World *w, void *arg), void *arg);

/* owner.c: what people and the exit worker write */
extern void t2_open(World *w);
extern void t2_close(World *w);
extern int t2_add_intent(World *w, const ChaosIntent *intent);
extern void t2_ask_cancel(World *w, int intent);
extern void t2_set_switches(World *w, bool stop, QtsControlMode mode);
extern void t2_resolve(World *w, int order, const char *odno);
extern int t2_find_position(World *w, int account, int symbol, QtsQty *qty, QtsQty *locked);

/* snapshot.c */
extern void t2_snapshot(World *w);
extern void t2_audit(World *w);

#endif /* CHAOS_T2_H */
