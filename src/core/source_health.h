/*-------------------------------------------------------------------------
 *
 * source_health.h
 *		How a source of quotes has been answering in the last minute, and what
 *		follows (runtime 3.7, 3.10).
 *
 * Times are monotonic microseconds.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_SOURCE_HEALTH_H
#define QTS_CORE_SOURCE_HEALTH_H

#include "core/price.h"

typedef enum QtsQuoted
{
	QTS_QUOTED_GOOD,
	QTS_QUOTED_THROTTLED, /* refused for the rate */
	QTS_QUOTED_FAILED,	  /* 5xx, or not readable */
	QTS_QUOTED_SILENT,	  /* no answer in time */
	QTS_QUOTED_BANNED,	  /* 403, 429: it wants to be left alone */
	QTS_QUOTED_KINDS
} QtsQuoted;

#define QTS_HEALTH_SECONDS 60

/* Answers of the last 60 s; all zero = none yet. */
typedef struct QtsSourceHealth
{
	int64_t second[QTS_HEALTH_SECONDS]; /* which one a place counts, + 1 */
	uint32_t count[QTS_HEALTH_SECONDS][QTS_QUOTED_KINDS];
} QtsSourceHealth;

extern void qts_health_add(QtsSourceHealth *health, QtsQuoted kind, int64_t now);
extern int qts_health_count(const QtsSourceHealth *health, QtsQuoted kind, int64_t now);

/* Answers of one kind among all, in per cent. */
extern int qts_health_share(const QtsSourceHealth *health, QtsQuoted kind, int64_t now);
extern int qts_health_total(const QtsSourceHealth *health, int64_t now);

/*
 * The broker refuses for rate: the last tier slows down step by step, and
 * speeds up again once a minute was quiet.
 */
typedef struct QtsThrottle
{
	int level; /* 0 = none, 2 = the slowest */
	int64_t changed_at;
} QtsThrottle;

#define QTS_THROTTLE_MOST 2

/* True when the level changed. */
extern bool qts_throttle_step(QtsThrottle *throttle, const QtsSourceHealth *health, int64_t now);

/* Three failures in a minute: the other source takes over what it can. */
extern bool qts_source_failing(const QtsSourceHealth *health, int64_t now);

/*
 * Should the fallback be asked for a symbol?  shown = its price now, NULL =
 * none.  Yes when the broker has given no price for 10 s (3 s when it fails
 * everywhere), or when the symbol is asked for less often than it deserves.
 */
extern bool
qts_fallback_wanted(const QtsQuote *shown, QtsSource source, QtsTime now, bool failing, bool demoted);

/* Why the fallback source is off. */
typedef enum QtsNaverOff
{
	QTS_NAVER_ON,
	QTS_NAVER_TIMEOUTS,
	QTS_NAVER_BANNED,
	QTS_NAVER_DISCREPANT
} QtsNaverOff;

typedef struct QtsNaverSwitch
{
	QtsNaverOff why;
	int64_t until; /* then it is tried again */
} QtsNaverSwitch;

/* True when it was just switched off. */
extern bool
qts_naver_look(QtsNaverSwitch *naver, const QtsSourceHealth *health, bool discrepant, int64_t now);
extern const char *qts_naver_why(QtsNaverOff why);

/* What the feed of pushed prices is doing. */
typedef enum QtsPushState
{
	QTS_PUSH_SPEAKS,
	QTS_PUSH_QUIET, /* down, or 10 s: symbols are asked for instead */
	QTS_PUSH_SILENT /* a minute: somebody must know */
} QtsPushState;

/* silent = time since a price came or the feed was opened; prints = prices are expected now. */
extern QtsPushState qts_push_state(bool up, int symbols, int64_t silent, bool prints);

#endif /* QTS_CORE_SOURCE_HEALTH_H */
