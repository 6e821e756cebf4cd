/*-------------------------------------------------------------------------
 *
 * world.h
 *		Everything of one schedule: its plan, the broker's truth, the wires
 *		between, the worker's memory and the engine's tables.
 *
 * One schedule is a discrete simulation in virtual time: one process, one
 * queue of events, no I/O, no wall clock.  What the engine decides is decided
 * by src/core; what it stores goes through a ChaosStore: tables in memory
 * (tier 1) or the real ones in a server (tier 2).
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHAOS_WORLD_H
#define CHAOS_WORLD_H

#include "broker/broker.h"
#include "broker/feed.h"
#include "core/exit.h"
#include "core/order.h"
#include "core/rate.h"
#include "core/session.h"

#include "fault.h"
#include "rng.h"

#define OWN_ACCOUNTS 2
#define ACCOUNTS (OWN_ACCOUNTS + 1) /* the last is somebody else's, of the same HTS ID */
#define SYMBOLS 4
#define DAYS 2

#define MAX_INTENTS 256
#define MAX_ORDERS 384
#define MAX_FILLS 1024
#define MAX_NOTICES 1024
#define MAX_POSITIONS 128
#define MAX_BROKER_ORDERS 384
#define MAX_ORDER_STEPS 20
#define MAX_POSTS 512
#define MAX_MOVES 1024
#define MAX_EVENTS 2048
#define MAX_FLYING 96
#define MAX_QUEUE 1024
#define MAX_ROWS 384

#define RESTARTS 8

#define NONE (-1)

/* ---- what the engine's tables hold, as far as a check looks at it ---- */

typedef struct ChaosIntent
{
	int account;
	int symbol;
	int position; /* NONE for a buy */
	bool entry;
	bool manual;
	bool market;
	QtsExitRule rule;
	QtsQty qty;
	QtsQty filled;
	QtsKrw price;
	int priority;
	QtsTime created;
	QtsTime expires;
	QtsIntentStatus status;
	bool cancel_requested;
} ChaosIntent;

typedef struct ChaosOrder
{
	int account;
	int symbol;
	int intent;	  /* NONE: not ours */
	int position; /* NONE: not known */
	bool own;
	QtsDate date;
	int odno; /* 0: none yet */
	QtsOrderLife life;
	bool quarantined;
	bool not_accepted;
	QtsTime cancel_at; /* 0: never asked */
	QtsTime acked_at;
	QtsTime updated_at;
	bool disputed;
} ChaosOrder;

typedef struct ChaosFill
{
	int order;
	int position; /* NONE */
	bool sell;
	QtsQty qty;
	QtsPrice price;
	QtsTime at;
} ChaosFill;

typedef struct ChaosPosition
{
	int account;
	int symbol;
	QtsQty qty;
	QtsQty original;
	QtsQty adjusted;
	QtsPrice average;
	bool closed;
	bool quarantined;
	int events;
	QtsQty event_qty;
} ChaosPosition;

typedef struct ChaosTables
{
	int nintents;
	int norders;
	int nfills;
	int npositions;
	int oversold; /* fills that exceeded their position */
	int disputes;
	ChaosIntent intent[MAX_INTENTS];
	ChaosOrder order[MAX_ORDERS];
	ChaosFill fill[MAX_FILLS];
	ChaosPosition position[MAX_POSITIONS];
} ChaosTables;

/* ---- the broker ---- */

/* An order after each thing that happened to it: what a list shows if it lags. */
typedef struct BrokerStep
{
	QtsTime at;
	QtsQty filled;
	QtsKrw amount;
	QtsQty remaining;
	QtsQty cancelled;
	QtsQty rejected;
} BrokerStep;

typedef struct BrokerOrder
{
	int account;
	int symbol;
	bool sell;
	bool market;
	QtsQty qty;
	QtsKrw price;
	int odno;
	int orig; /* a cancel request: the number it was for */
	QtsDate date;
	QtsTime at;		   /* the broker's second */
	bool hts;		   /* the ledger shows another channel */
	int post;		   /* NONE: made elsewhere */
	QtsTime listed_at; /* not in any list before */
	bool open;
	bool rests;	   /* its price is never reached */
	bool stubborn; /* cancels of it are refused */
	/* when it happened by the notice that the engine has of it: an acceptance, or else its first fill */
	QtsTime told_at; /* 0: none */
	bool told_accepted;
	int nsteps;
	BrokerStep step[MAX_ORDER_STEPS];
} BrokerOrder;

/* One send of one order. */
typedef struct Post
{
	int order; /* of the engine */
	int attempt;
	int account;
	int symbol;
	QtsTime sent_at;
	QtsOrderRequest request;
	int arrived;  /* how often the broker read it */
	int accepted; /* broker order, NONE = refused or never read */
} Post;

typedef struct Move /* shares that came or went */
{
	int account;
	int symbol;
	QtsQty qty;
	QtsTime at;
} Move;

typedef struct Broker
{
	int norders;
	int nmoves;
	int nposts;
	int next_odno[ACCOUNTS]; /* unique per account and day, no more */
	BrokerOrder order[MAX_BROKER_ORDERS];
	Move move[MAX_MOVES];
	Post post[MAX_POSTS];
	QtsQty initial[ACCOUNTS][SYMBOLS];
	QtsQty held[ACCOUNTS][SYMBOLS];
	QtsKrw last[SYMBOLS]; /* price */
	bool halted[SYMBOLS];
	bool foreign[ACCOUNTS][SYMBOLS]; /* traded elsewhere in this schedule */
	/* what left within the last second, for the limit; kept over crashes */
	QtsTime sent[64];
	int nsent;
	int nrestarts;
	QtsTime restarted_at[RESTARTS]; /* a process has no memory of what an earlier one sent */
} Broker;

/* ---- the plan: what kind of schedule the seed makes ---- */

typedef struct ChaosPlan
{
	int accounts; /* own */
	int symbols;
	bool paper;
	bool documented; /* ledger shape of a cancel */
	bool night;
	bool person; /* settles quarantined orders at the end */
	int rate;	 /* requests per second of the engine */
	QtsTime skew;
	QtsTime start;
	QtsTime last_action;
	QtsTime last_morning;	 /* the same of the second day */
	int chance[FAULT_COUNT]; /* per mille */
	int breaks;				 /* crashes and errors still to come */
	bool break_crash;
	char break_at[24];
	int break_skip;
} ChaosPlan;

/* ---- between and in the worker's memory ---- */

typedef enum EventKind
{
	EV_ACTION,
	EV_EXITS,
	EV_ARRIVE,	 /* a: flying request reaches the broker */
	EV_ANSWER,	 /* a: its answer reaches the worker */
	EV_EXCHANGE, /* a: broker order gets on */
	EV_NOTICE,	 /* a: frame */
	EV_TURN,	 /* a: serial of the wake-up */
	EV_RESTART,
	EV_FEED, /* a: 0 down, 1 up */
	EV_HALT, /* a: symbol, b: 1 halted */
	EV_SWITCH,
	EV_CLOSE,
	EV_NIGHT,
	EV_MORNING,
	EV_CALM, /* no more faults */
	EV_PERSON,
	EV_END
} EventKind;

typedef struct Event
{
	QtsTime at;
	uint32_t seq;
	EventKind kind;
	int a;
	int b;
} Event;

/* A request between the worker and the broker, or its answer. */
typedef struct Flying
{
	bool used;
	int session; /* an answer to an earlier life is dropped */
	int tag;
	int post;	/* ORDER */
	int target; /* CANCEL: number */
	QtsDate date;
	int account;
	bool never;	 /* the request is never read */
	bool silent; /* the answer never comes: the time-out answers */
	bool broken; /* what comes cannot be read */
	QtsTime sent_at;
	QtsBrokerEvent event;
	QtsOrderRequest order;
	/* a list is made when it is read, as it was at this instant */
	QtsTime as_of;
	QtsTime orderable_as_of;
	bool empty;
	bool without_amount;
	int rows; /* at most: the rest was cut */
} Flying;

typedef struct ChaosWork
{
	int live_orders;
	int unknown_orders;
	int new_intents;
	int cancels;
	QtsDate oldest;
	QtsTime next_retry; /* 0: none */
} ChaosWork;

typedef struct ChaosClaim
{
	int order;
	int attempt;
	QtsOrderRequest request;
} ChaosClaim;

typedef struct ChaosCancel
{
	int order;
	QtsCancelRequest request;
} ChaosCancel;

typedef struct ClientAccount
{
	bool ledger_done;
	bool balance_done;
	bool ledger_asked;
	bool balance_asked;
	QtsTime ledger_at;
	QtsTime ledger_due;
	QtsTime balance_due;
	bool asked_old;
	int unknown_round;
	bool work_stale;
	ChaosWork work;
} ClientAccount;

typedef struct Client
{
	bool up;
	bool started;
	int session;
	int wake; /* serial of the next turn that counts */
	QtsTime wake_at;
	bool work_pending;
	QtsRateLimiter limiter;
	ClientAccount account[OWN_ACCOUNTS];
	int inbox[MAX_FLYING]; /* answers here, not stored */
	int ninbox;
	bool feed_up;
	bool feed_gap;
	/* shared memory: survives an error, not a crash */
	int64_t epoch;
	int64_t seq; /* of the first unread */
	QtsNotice queue[MAX_QUEUE];
	int nqueue;
} Client;

typedef struct World World;

/* The engine's tables, wherever they are.  Numbers are indexes of ChaosTables. */
typedef struct ChaosStore
{
	bool live; /* w->tables is the tables: looked at after every step */
	void (*open)(World *w);
	void (*close)(World *w);
	/* Run body so that raise() inside it comes back here with everything uncommitted undone; false then. */
	bool (*guard)(World *w, void (*body)(World *w));
	void (*raise)(World *w);
	void (*begin)(World *w);
	void (*commit)(World *w);
	/* the owner's side, each in its own transaction */
	int (*add_intent)(World *w, const ChaosIntent *intent); /* NONE: refused */
	void (*ask_cancel)(World *w, int intent);
	void (*set_switches)(World *w, bool stop, QtsControlMode mode);
	void (*resolve)(World *w, int order, const char *odno); /* NULL: not accepted */
	/* the open position of a symbol: its number or NONE, what it holds, what live exits lock */
	int (*position)(World *w, int account, int symbol, QtsQty *qty, QtsQty *locked);
	/* the worker's side, inside begin and commit */
	void (*orphans)(World *w);
	void (*work)(World *w, int account, ChaosWork *work);
	/* max: orders and cancels together */
	void (*claim)(World *w, int account, bool retry, int max, ChaosClaim *claims, int *n,
				  ChaosCancel *cancels, int *ncancels);
	void (*order_answer)(World *w, int order, const QtsBrokerEvent *event);
	void (*cancel_answer)(World *w, int order, const QtsBrokerEvent *event);
	bool (*notice)(World *w, const QtsNotice *notice, int64_t epoch, int64_t seq);
	void (*sync)(World *w, int account, bool ledger_ok, bool balance_ok);
	/* open their own transactions */
	void (*ledger)(World *w, int account, QtsDate date, const QtsLedger *ledger, QtsTime asked_at,
				   bool trusted, bool over);
	void (*balance)(World *w, int account, const QtsBalance *balance, QtsTime asked_at, bool trusted);
	/* without a list */
	void (*unknowns)(World *w, int account, QtsDate date, QtsTime asked_at, bool trusted);
	/* bring w->tables up to date */
	void (*snapshot)(World *w);
	/* at the end: what the tables' own checks say */
	void (*audit)(World *w);
} ChaosStore;

struct World
{
	uint64_t seed;
	bool trace;
	ChaosRng rng;
	ChaosPlan plan;
	QtsTime now;
	QtsCalendarDay day[DAYS];
	bool calm; /* no more faults */
	bool over; /* the last event was handled */
	bool stop; /* the switches, as committed */
	QtsControlMode mode;

	Event event[MAX_EVENTS];
	int nevents;
	uint32_t event_seq;

	Broker broker;
	Client client;
	Flying flying[MAX_FLYING];
	QtsNotice frame[MAX_EVENTS];
	int frame_order[MAX_EVENTS];
	int nframes;

	const ChaosStore *store;
	ChaosTables tables;
	ChaosTables before; /* at the last check of states */

	/* what somebody wants to be left of a position: exits are asked for until it is so */
	QtsQty target[OWN_ACCOUNTS][SYMBOLS];
	int intents;				/* made so far */
	int order_step[MAX_ORDERS]; /* ChaosStep of each order of ours */
	int cancels[MAX_ORDERS];	/* sent of each */

	/* the verdict */
	ChaosCoverage coverage;
	uint64_t faults;
	uint64_t trading;
	uint64_t posts;
	uint64_t hash;		/* of everything that happened */
	uint64_t plan_hash; /* of what was decided before the engine had a say */
	char failure[256];	/* "" = none */
	bool full;			/* ran out of room: does not count */
};

/* queue.c */
extern void world_at(World *w, QtsTime at, EventKind kind, int a, int b);
extern bool world_next(World *w, Event *event);

/* run.c */
extern void world_run(World *w, uint64_t seed, const ChaosStore *store, bool trace);
extern const char *world_account(const World *w, int account);
extern void world_symbol(int symbol, char *out);
extern int world_account_index(const World *w, const char *account);
extern int world_symbol_index(const char *symbol);
extern void
world_fail(World *w, const char *invariant, const char *format, ...) __attribute__((format(printf, 3, 4)));
extern void world_trace(World *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
extern void world_mix(World *w, uint64_t value);
extern const QtsCalendarDay *world_today(const World *w);

/* Does the fault happen now?  Counted at the step of the order it meets (NONE: of all that live). */
extern bool world_fault(World *w, ChaosFault fault, int order);
extern void world_met(World *w, ChaosFault fault, int order);

/* A place where a crash or an error may be planned; may not return. */
extern void chaos_point(World *w, const char *name);

/* plan.c */
extern void plan_make(World *w);
extern void plan_action(World *w);
extern void plan_exits(World *w);
extern void plan_switch(World *w);
extern void plan_twin(World *w, int post);
extern void plan_next_break(World *w);

/* broker.c: the truth */
extern int broker_accept(World *w, const BrokerOrder *order);
extern BrokerStep *broker_state(BrokerOrder *order);
extern const BrokerStep *broker_state_at(const BrokerOrder *order, QtsTime at);
extern void broker_exchange(World *w, int order);
extern void broker_close(World *w);
extern void broker_foreign(World *w, int account, int symbol, bool hts, const BrokerOrder *like);
extern bool broker_cancel(World *w, int account, int odno, int *new_odno);
extern QtsQty broker_held_at(const World *w, int account, int symbol, QtsTime at);
extern QtsQty broker_sellable_at(const World *w, int account, int symbol, QtsTime at);
extern int broker_find(const World *w, int account, QtsDate date, int odno);

/* wire.c: requests, answers, notices */
extern int wire_new(World *w);
extern void wire_send(World *w, int flying);
extern void wire_arrive(World *w, int flying);
extern void wire_notice(World *w, int order, QtsNoticeKind kind, QtsQty qty, QtsKrw price, int new_odno);
extern void wire_frame(World *w, int frame);

/* lists.c: ledger and balance as the broker shows them */
extern void list_faults(World *w, Flying *f);
extern void list_ledger(World *w, Flying *f);
extern void list_balance(World *w, Flying *f);

/* client.c: the worker */
extern void client_wake(World *w, QtsTime at);
extern void client_turn(World *w);
extern void client_restart(World *w);
extern void client_broken(World *w, bool crash);

/* check.c, check_end.c: the invariants */
extern void check_step(World *w);
extern void check_bound(World *w, int account, const QtsLedger *ledger);
extern void check_post(World *w, int post, const QtsOrderRequest *request);
extern void check_rate(World *w);
extern void check_claim(World *w, int order);
extern void check_cancel(World *w, int order);
extern void check_end(World *w);
extern bool check_quiet(World *w);

#endif /* CHAOS_WORLD_H */
