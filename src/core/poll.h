/*-------------------------------------------------------------------------
 *
 * poll.h
 *		Quotes by request: tiers (runtime 3.6) and which batch leaves next.
 *
 * The plan is the caller's array, one entry per followed symbol.  Times are
 * of the clock that prices are aged by; one that is set back delays nothing.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_POLL_H
#define QTS_CORE_POLL_H

#include "core/priority.h"

#define QTS_TIERS 3

typedef struct QtsTierPolicy
{
	int64_t interval[QTS_TIERS];
	int cap[QTS_TIERS]; /* what is beyond goes one tier down; the last takes all */
	bool idle;			/* the market is closed: only what somebody waits for */
	bool demoted;		/* the less important half of tier 1 goes down: the broker refuses for rate */
} QtsTierPolicy;

typedef struct QtsPolled
{
	char symbol[QTS_SYMBOL_LEN + 1];
	unsigned why; /* it is followed: QTS_FOLLOW_... */
	int tier;
	int usual;	  /* its tier when there is no emergency */
	bool demoted; /* below the tier its importance asks for */
	bool at_once; /* somebody waits for it */
	bool asked;	  /* a request with it is under way */
	int64_t asked_at;
	int64_t due;
	int64_t other_at; /* the fallback source was asked for it */
	int64_t since;	  /* followed since then */
	int64_t told_at;  /* the last answer that had it; INT64_MIN = none */
} QtsPolled;

/* What the tiers depend on. */
typedef struct QtsTierCondition
{
	bool closed;	  /* the market is */
	bool push_silent; /* the feed of pushed prices says nothing: tier 0 takes over */
	bool emergency;	  /* most prices are stale: every symbol is in tier 0 */
	int throttled;	  /* how often the last tier's interval is doubled */
} QtsTierCondition;

extern QtsTierPolicy qts_tier_policy(const QtsTierCondition *condition);

/*
 * The plan of the ranked symbols; what is known of a symbol (from old, noldest
 * entries) is kept, a new one is due at once.
 */
extern void qts_poll_plan(const QtsFollowed *ranked, int n, const QtsTierPolicy *policy, const QtsPolled *old,
						  int nold, int64_t now, QtsPolled *plan);

/* How old its price may become though all is well: between two answers, and 10 s for the next one. */
extern int64_t qts_poll_overdue_after(const QtsPolled *polled, const QtsTierPolicy *policy);

/*
 * The next batch: indexes of at most max symbols, 0 when none is due.  Those
 * asked for by somebody go first, then tier by tier the longest due; places
 * left over take what would be due soon anyway.
 */
extern int
qts_poll_batch(const QtsPolled *plan, int n, const QtsTierPolicy *policy, int64_t now, int max, int *batch);

/* Microseconds until a batch is due; -1 = never. */
extern int64_t qts_poll_wait(const QtsPolled *plan, int n, const QtsTierPolicy *policy, int64_t now);

/* The batch has left; later: what it brought.  A symbol it did not bring is asked for again in its turn. */
extern void qts_poll_asked(QtsPolled *polled, const QtsTierPolicy *policy, int64_t now);
extern void qts_poll_told(QtsPolled *polled, bool brought, int64_t now);

#endif /* QTS_CORE_POLL_H */
