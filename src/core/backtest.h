/*-------------------------------------------------------------------------
 *
 * backtest.h
 *		One position walked over a path of prices by the live exit rules, with
 *		a fill model in the broker's place.
 *
 * Prices are pushed in order of time, so nothing can be decided on what comes
 * later.  The walk calls qts_exit_evaluate and qts_exit_apply_fill and knows
 * no rule itself.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_BACKTEST_H
#define QTS_CORE_BACKTEST_H

#include "core/bar.h"
#include "core/exit.h"
#include "core/money.h"
#include "core/tick.h"

/* How an order becomes a trade. */
typedef struct QtsFillModel
{
	QtsTime latency;	 /* from the decision to the exchange */
	QtsPpm slippage;	 /* of the price, against us */
	QtsPpm volume_share; /* of what trades, at most; 0 = no bound */
	QtsInstrument instrument;
	bool given; /* a replay: fills and ends are told (qts_walk_fill, qts_walk_end) */
} QtsFillModel;

/* In which order the extremes of a bar are visited. */
typedef enum QtsBarPath
{
	QTS_PATH_LOW_FIRST, /* the worst for a holder */
	QTS_PATH_HIGH_FIRST,
	QTS_PATH_NEAREST /* the extreme nearer to the open first, the low when equal */
} QtsBarPath;

/* What is known of a trading day before it opens. */
typedef struct QtsWalkDay
{
	QtsDate date;
	QtsTime open_at;	/* decisions from here */
	QtsTime closing_at; /* to before here: continuous trading; equal = closed */
	QtsTime close_at;	/* the last auction still fills */
	QtsPrice lower;		/* daily limits, 0 = not known */
	QtsPrice upper;
	QtsPrice prev_close; /* 0 = not known */
	QtsPrice atr;		 /* ATR14 up to the day before, 0 = not known */
	QtsFeeRates rates;
} QtsWalkDay;

typedef struct QtsWalkPrice
{
	QtsTime at;
	QtsPrice last;
	QtsPrice bid; /* 0 = not known */
	QtsPrice ask;
	QtsQty volume;
} QtsWalkPrice;

typedef enum QtsWalkKind
{
	QTS_WALK_ENTRY,
	QTS_WALK_DECISION,
	QTS_WALK_FILL,
	QTS_WALK_CANCEL, /* superseded, or the day is over */
	QTS_WALK_CYCLE,	 /* shares were added: a new exit cycle */
	QTS_WALK_SPLIT,
	QTS_WALK_FREEZE
} QtsWalkKind;

typedef struct QtsWalkEvent
{
	QtsWalkKind kind;
	QtsTime at;
	QtsExitRule rule;
	int custom;			/* index of a custom rule, else QTS_CUSTOM_NONE */
	QtsExitPhase phase; /* before the event */
	int cycle;
	QtsQty qty;
	QtsQty left; /* held after it */
	QtsPrice price;
	QtsPrice threshold;
	QtsPrice hwm;
	QtsPrice stop_floor;
	QtsKrw fee;
	QtsKrw tax;
} QtsWalkEvent;

typedef void (*QtsWalkSink)(void *arg, const QtsWalkEvent *event);

/* At most one is under way: a more severe one takes the place of it. */
typedef struct QtsWalkOrder
{
	QtsExitRule rule; /* QTS_RULE_NONE: there is none */
	int custom;
	int severity;
	int cycle;
	QtsQty qty;
	QtsQty filled;
	QtsTime decided_at;
	QtsPrice decided; /* price */
	bool fresh;		  /* decided within the bar under way */
} QtsWalkOrder;

typedef struct QtsWalk
{
	QtsExitProfile profile;
	QtsFillModel model;
	QtsWalkSink sink; /* may be NULL */
	void *sink_arg;

	QtsTime entry_at;
	QtsPrice entry_price; /* asked for; 0 = what the market gives */
	QtsQty entry_qty;
	bool entered;
	bool entry_over;   /* no more of it is bought: complete, or ended before */
	QtsQty bought_qty; /* of all purchases */
	bool split;		   /* a corporate action changed the shares since the entry */

	QtsControlMode control;
	QtsExitPosition position;
	QtsExitState state;
	QtsWalkDay day;
	QtsWalkOrder order;
	QtsWalkPrice seen; /* the last price */
	QtsPrice first;	   /* of today's session, bid or last; 0 = none yet */
	QtsExitBand band;  /* prices inside decide nothing; empty = look */
	bool every_look;   /* do without it: for tests */
	QtsQty room;	   /* shares the volume still allows; INT64_MAX = any number */

	/* results so far, KRW */
	QtsTime entered_at;
	QtsTime exited_at;
	QtsExitRule exit_rule; /* of the last sale */
	QtsPrice bought_at;
	QtsKrw bought;
	QtsQty sold_qty;
	QtsKrw sold;
	QtsKrw fees;
	QtsKrw taxes;
	QtsPrice highest; /* of the holding, in today's shares */
	QtsPrice lowest;
	QtsDate entered_on;
	int64_t looks;
} QtsWalk;

extern void qts_walk_init(QtsWalk *walk, const QtsExitProfile *profile, const QtsFillModel *model);

/*
 * Buy so many from the first price at or after this instant on; price 0 = as
 * the market gives.  What volume does not allow at once waits for the next
 * prices, until the day ends or an exit is decided.
 */
extern void qts_walk_enter(QtsWalk *walk, QtsTime at, QtsQty qty, QtsPrice price);

/* A trading day begins; what rested of the one before is cancelled. */
extern void qts_walk_day(QtsWalk *walk, const QtsWalkDay *day);

/* A print: fills what waits, then is decided on. */
extern void qts_walk_tick(QtsWalk *walk, const QtsWalkPrice *price);

/*
 * A bar of this span, as a path of prices that trade one after the other
 * (docs/backtest.md).  One without volume is none.
 */
extern void qts_walk_bar(QtsWalk *walk, const QtsBar *bar, QtsTime span, QtsBarPath path);

/* The closing auction's price: fills what waits, decides nothing. */
extern void qts_walk_auction(QtsWalk *walk, QtsPrice price, QtsTime at);

/* The last price once more, as the worker's timer looks; stale: too old to decide on. */
extern void qts_walk_look(QtsWalk *walk, QtsTime at, bool stale);

/* A corporate action: price after / price before in ppm.  The cycle begins anew, as live. */
extern void qts_walk_split(QtsWalk *walk, QtsPpm ratio, QtsTime at);
/* One nobody confirmed: automatic exits are held from here on. */
extern void qts_walk_freeze(QtsWalk *walk, QtsTime at);

/* Of a replay: shares were bought by an order, any number that tells orders apart. */
extern void qts_walk_buy(QtsWalk *walk, int64_t order, QtsQty qty, QtsPrice price, QtsTime at);

/* Of a replay: shares of the order were sold; the order is over. */
extern void qts_walk_fill(QtsWalk *walk, QtsQty qty, QtsPrice price, QtsTime at);
extern void qts_walk_end(QtsWalk *walk, QtsTime at);

extern bool qts_walk_over(const QtsWalk *walk);

/* Result in KRW, what is held at the last price; after fees and taxes. */
extern QtsKrw qts_walk_pnl(const QtsWalk *walk);

#endif /* QTS_CORE_BACKTEST_H */
