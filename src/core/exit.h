/*-------------------------------------------------------------------------
 *
 * exit.h
 *		Exit rules: a position, its state, a quote and a profile in, at most
 *		one decision and the new state out (runtime 4).
 *
 * The phase changes only by confirmed fills (qts_exit_apply_fill), never by
 * an evaluation.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_EXIT_H
#define QTS_CORE_EXIT_H

#include "core/core.h"

typedef enum QtsExitPhase
{
	QTS_PHASE_OPEN,
	QTS_PHASE_TP1_DONE,
	QTS_PHASE_TP2_DONE,
	QTS_PHASE_TP3_DONE,
	QTS_PHASE_TRAILING_ACTIVE,
	QTS_PHASE_EXITED,
	QTS_PHASE_COUNT
} QtsExitPhase;

/* In no particular order; severity and evaluation order are functions. */
typedef enum QtsExitRule
{
	QTS_RULE_NONE,
	QTS_RULE_EMERGENCY, /* exists in control mode EMERGENCY_FLATTEN only */
	QTS_RULE_HARD_STOP,
	QTS_RULE_GAP_DOWN,
	QTS_RULE_SL2,
	QTS_RULE_STOP_FLOOR,
	QTS_RULE_BREAK_EVEN,
	QTS_RULE_SL1,
	QTS_RULE_CUSTOM, /* which one: the index into the profile's custom rules */
	QTS_RULE_TP1,
	QTS_RULE_TP2,
	QTS_RULE_TP3,
	QTS_RULE_TRAIL_PARTIAL,
	QTS_RULE_TRAIL,
	QTS_RULE_TIME,
	QTS_RULE_MANUAL,
	QTS_RULE_COUNT
} QtsExitRule;

#define QTS_CUSTOM_MAX 8
#define QTS_CUSTOM_ID_LEN 32
#define QTS_CUSTOM_NONE (-1)

/* Rows of an explanation: every rule, and each custom one. */
#define QTS_EXIT_ROWS (QTS_RULE_COUNT + QTS_CUSTOM_MAX)

typedef enum QtsControlMode
{
	QTS_CONTROL_RUNNING,
	QTS_CONTROL_PAUSE_PROFIT,
	QTS_CONTROL_PAUSE_ALL,
	QTS_CONTROL_EMERGENCY_FLATTEN
} QtsControlMode;

typedef enum QtsPositionMode
{
	QTS_POSITION_ENABLED,
	QTS_POSITION_DISABLED,
	QTS_POSITION_MANUAL_ONLY
} QtsPositionMode;

/* Threshold scaled by ATR and clamped; 0 in a bound means no bound, 0 in base means off. */
typedef struct QtsExitThreshold
{
	QtsPpm base;
	QtsPpm min; /* closest to zero */
	QtsPpm max; /* farthest from zero */
	QtsPpm qty; /* share to sell; 0 = off */
} QtsExitThreshold;

/* A rule of the user's own: sells a share of what is held, once per cycle. */
typedef struct QtsCustomRule
{
	char id[QTS_CUSTOM_ID_LEN + 1]; /* stands in the action key */
	bool enabled;
	bool below;		  /* profit_below: return <= threshold; else profit_above: >= */
	int priority;	  /* ascending order of evaluation */
	QtsPpm threshold; /* of the average price, never scaled; 0 = off */
	QtsPpm qty;		  /* of the remaining quantity; 0 = off */
} QtsCustomRule;

typedef struct QtsExitProfile
{
	QtsPpm atr_ref; /* 0 = no scaling */
	QtsPpm factor_min;
	QtsPpm factor_max;
	QtsExitThreshold sl1; /* qty: of the remaining quantity */
	QtsExitThreshold sl2;
	QtsExitThreshold tp1; /* qty: of the cycle's original quantity */
	QtsExitThreshold tp2;
	QtsExitThreshold tp3;
	QtsPpm stop_floor_profit; /* floor = avg * (1 + this), set when TP1 fills */
	bool start_trailing;	  /* TP3 starts trailing */
	QtsPpm trail_pct;
	QtsPpm trail_atr_k;		  /* multiple of atr_pct, in ppm: 2.0 = 2000000 */
	QtsPpm trail_partial_qty; /* of the remaining quantity; 500000 */
	bool hardstop_enabled;
	QtsPpm hardstop;
	bool gap_enabled;
	QtsPpm gap_pct;		  /* first price of the session against the previous close */
	QtsTime gap_window;	  /* after the open, microseconds */
	bool even_enabled;	  /* BREAK_EVEN */
	QtsPpm even_trigger;  /* the mark must have been this far above the average */
	QtsPpm even_buffer;	  /* sold at or below avg * (1 + this) */
	int max_hold_days;	  /* 0 = off */
	int no_momentum_days; /* 0 = off: held so long and never up by ... */
	QtsPpm no_momentum_profit;
	bool trading_days; /* days of TIME are trading days, else calendar days */
	int custom_count;
	QtsCustomRule custom[QTS_CUSTOM_MAX]; /* in order of priority: qts_exit_profile_sort() */
	int confirm_ticks;					  /* 2 */
	QtsTime confirm_time;				  /* 3 s, microseconds */
} QtsExitProfile;

typedef struct QtsExitPosition
{
	QtsQty qty;			 /* held */
	QtsQty available;	 /* held - locked */
	QtsQty original_qty; /* of the cycle */
	QtsPrice avg_price;
	QtsPositionMode mode;
	bool quarantined;				  /* the witnesses disagree about this symbol */
	bool held_back;					  /* its price was stale for long: as in PAUSE_ALL (core/escalation.h) */
	int live_severity;				  /* highest severity among live exit intents; 0 = none */
	bool live_rule[QTS_RULE_COUNT];	  /* rule has a non-failed intent in this cycle and phase */
	bool live_custom[QTS_CUSTOM_MAX]; /* the same per custom rule, in this cycle */
	bool wait_rule[QTS_RULE_COUNT];	  /* refused by the broker, and not yet to be tried again */
	bool wait_custom[QTS_CUSTOM_MAX];
	int held_days;		   /* calendar days since the entry; 0 = entered today */
	int held_trading_days; /* trading days after the day of the entry, today's included */
	int64_t last_buy;	   /* which order bought last, any number that tells orders apart; 0 = unknown */
} QtsExitPosition;

typedef struct QtsExitState
{
	QtsExitPhase phase;
	int cycle;	  /* >= 1 */
	QtsPrice hwm; /* 0 = not seen yet */
	QtsTime hwm_at;
	QtsPrice stop_floor;	 /* 0 = not armed */
	QtsPpm atr_pct;			 /* ATR14 / average price; 0 = unknown */
	QtsPrice last_avg_price; /* 0 = first evaluation */
	QtsPrice base_avg_price; /* average at the start of the cycle */
	QtsQty last_qty;
	int64_t cycle_buy; /* the order whose fills began the cycle: more of them add to it */
	bool trail_partial_done;
	int floor_ticks;	 /* consecutive breaches */
	QtsTime floor_since; /* of the first one */
	int trail_ticks;
	QtsTime trail_since;
	int even_ticks;
	QtsTime even_since;
} QtsExitState;

typedef struct QtsExitQuote
{
	QtsPrice last;
	QtsPrice bid;		 /* 0 = unknown: last is used */
	bool stale;			 /* never decide on it */
	bool in_session;	 /* prices of the regular session */
	QtsPrice prev_close; /* of the trading day before; 0 = unknown */
	QtsPrice first;		 /* first price of today's session, bid else last as above; 0 = none yet */
	QtsTime since_open;	 /* time since the session opened; negative = it has not */
} QtsExitQuote;

typedef enum QtsExitBlock
{
	QTS_BLOCK_NONE,
	QTS_BLOCK_STALE_PRICE,
	QTS_BLOCK_SESSION,
	QTS_BLOCK_POSITION_MODE,
	QTS_BLOCK_CONTROL_MODE,
	QTS_BLOCK_HELD_BACK, /* the control mode would allow it */
	QTS_BLOCK_QUARANTINE,
	QTS_BLOCK_PHASE, /* the rule does not apply in this phase */
	QTS_BLOCK_OFF,	 /* qty or base of 0 */
	QTS_BLOCK_NOTHING_AVAILABLE,
	QTS_BLOCK_LIVE_INTENT, /* same rule live, or a more severe one */
	QTS_BLOCK_CONFIRMING,  /* breached, not yet confirmed */
	QTS_BLOCK_NOT_ARMED,   /* no floor, high-water mark or previous close yet */
	QTS_BLOCK_WINDOW,	   /* outside of the rule's time after the open */
	QTS_BLOCK_COUNT
} QtsExitBlock;

typedef struct QtsExitDecision
{
	QtsExitRule rule; /* QTS_RULE_NONE: hold */
	int custom;		  /* index of a custom rule, else QTS_CUSTOM_NONE */
	int severity;
	QtsQty qty;
	bool full;			/* qty is all that is held */
	bool supersede;		/* less severe live orders must be cancelled first */
	QtsPrice price;		/* the price decided on */
	QtsPrice threshold; /* the price that triggered; 0 = none, as of TIME and EMERGENCY */
	QtsExitBlock hold;	/* why nothing could be decided at all, else NONE */
	bool add_buy;		/* the cycle was reset: quantity was added (4.11) */
	QtsQty grown;		/* change of the cycle's original quantity: more fills of its order */
	bool state_changed; /* besides the high-water mark */
} QtsExitDecision;

/* One row of explain_exit. */
typedef struct QtsExitExplain
{
	QtsExitRule rule;
	int custom; /* index of a custom rule, else QTS_CUSTOM_NONE */
	bool enabled;
	QtsPrice threshold;	  /* 0 = none in this state */
	QtsPpm threshold_ppm; /* relative to the average price */
	QtsPpm distance_ppm;  /* from the price to the threshold, of the price */
	bool breached;
	QtsExitBlock blocked_by;
} QtsExitExplain;

/*
 * Prices strictly between low and high decide nothing and change nothing, as
 * long as everything but the price stays as it is.  Empty: low >= high.  From
 * high until below rise they only move the mark: qts_exit_raise().
 */
typedef struct QtsExitBand
{
	QtsPrice low;
	QtsPrice high;
	QtsPrice rise;
} QtsExitBand;

/*
 * Evaluate once.  Updates *state (high-water mark, confirm counters, add-buy
 * reset).  With supersede set, qty may exceed available: it is what would be
 * sold once the less severe orders are gone.
 */
extern QtsExitDecision
qts_exit_evaluate(const QtsExitProfile *profile, const QtsExitPosition *position, QtsExitState *state,
				  const QtsExitQuote *quote, QtsControlMode control, QtsTime now);

/*
 * What the next prices must leave to concern this position; for callers that
 * see many.  Of a quote that may be decided on, after qts_exit_evaluate().
 */
extern QtsExitBand
qts_exit_band(const QtsExitProfile *profile, const QtsExitPosition *position, const QtsExitState *state,
			  const QtsExitQuote *quote, QtsControlMode control);

/* A price of [high, rise) of the band: the mark follows it, and nothing else happens. */
extern void qts_exit_raise(QtsExitState *state, QtsExitBand *band, QtsPrice price, QtsTime now);

/* Every rule of the phase in evaluation order; returns the number of rows (<= QTS_EXIT_ROWS). */
extern int
qts_exit_explain(const QtsExitProfile *profile, const QtsExitPosition *position, const QtsExitState *state,
				 const QtsExitQuote *quote, QtsControlMode control, QtsTime now, QtsExitExplain *rows);

/*
 * An exit intent of this rule ended with filled > 0 shares; qty_left is what
 * the position still holds.  Changes phase, floor, trailing (4.2).
 */
extern void qts_exit_apply_fill(const QtsExitProfile *profile, QtsExitState *state, QtsExitRule rule,
								QtsQty filled, QtsQty qty_left, QtsPrice avg_price);

/* Threshold in ppm of the average price after ATR scaling and clamping (4.4). */
extern QtsPpm
qts_exit_threshold(const QtsExitProfile *profile, const QtsExitThreshold *threshold, QtsPpm atr_pct);
extern QtsPpm qts_exit_trail(const QtsExitProfile *profile, QtsPpm atr_pct);

/* A custom rule's depends on its direction: qts_custom_severity(). */
extern int qts_exit_severity(QtsExitRule rule);
extern int qts_custom_severity(bool below);
extern bool qts_exit_allowed(QtsControlMode control, QtsExitRule rule, int severity);
/* Does the rule sell all that is held? */
extern bool qts_exit_sells_all(QtsExitRule rule);
/* Does it act only once in a cycle, whatever the phase? */
extern bool qts_exit_once(QtsExitRule rule);

/* default_hybrid_v1 of runtime 4.9. */
extern QtsExitProfile qts_exit_profile_default(void);

/* Custom rules in order of priority; equal ones stay as they stand. */
extern void qts_exit_profile_sort(QtsExitProfile *profile);
/* Index of a custom rule, QTS_CUSTOM_NONE when there is none of this id. */
extern int qts_exit_custom_find(const QtsExitProfile *profile, const char *id);

typedef enum QtsProfileFault
{
	QTS_PROFILE_OK,
	QTS_PROFILE_SIGN,
	QTS_PROFILE_ORDER, /* |min| <= |base| <= |max| violated */
	QTS_PROFILE_QTY_RANGE,
	QTS_PROFILE_FLOOR_RANGE,
	QTS_PROFILE_HARDSTOP, /* hard stop inside SL2's widest */
	QTS_PROFILE_FACTOR,
	QTS_PROFILE_UNIT,	  /* a ratio beyond +-100 %: per cent given for a fraction */
	QTS_PROFILE_TP_ORDER, /* TP1 < TP2 < TP3 violated */
	QTS_PROFILE_CONFIRM,
	QTS_PROFILE_SHADOW,	   /* a rule that can never act, because another always acts before it */
	QTS_PROFILE_WINDOW,	   /* gap window */
	QTS_PROFILE_EVEN,	   /* break even would sell where it is armed */
	QTS_PROFILE_DAYS,	   /* holding days */
	QTS_PROFILE_CUSTOM_ID, /* empty, repeated or not letters, digits, "_", ".", "-" */
	QTS_PROFILE_CUSTOM_SIGN,
	QTS_PROFILE_CUSTOM_COUNT,
	QTS_PROFILE_FAULTS
} QtsProfileFault;

/*
 * field receives the JSON name of the culprit, a static string.  The numbers
 * of a custom rule are named "custom_rules[0].threshold" and so on.
 */
extern QtsProfileFault qts_exit_profile_check(const QtsExitProfile *profile, const char **field);
extern const char *qts_profile_fault_text(QtsProfileFault fault);
/* What to do about it; NULL when it is about the size of one number. */
extern const char *qts_profile_fault_hint(QtsProfileFault fault, const char *field);

/* The reason code. */
extern const char *qts_exit_rule_name(QtsExitRule rule);
extern bool qts_exit_rule_parse(const char *name, QtsExitRule *out);
extern const char *qts_exit_phase_name(QtsExitPhase phase);
extern bool qts_exit_phase_parse(const char *name, QtsExitPhase *out);
extern const char *qts_exit_block_name(QtsExitBlock block);
extern const char *qts_control_mode_name(QtsControlMode mode);
extern bool qts_control_mode_parse(const char *name, QtsControlMode *out);
extern const char *qts_position_mode_name(QtsPositionMode mode);
extern bool qts_position_mode_parse(const char *name, QtsPositionMode *out);

#endif /* QTS_CORE_EXIT_H */
