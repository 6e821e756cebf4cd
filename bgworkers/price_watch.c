/*-------------------------------------------------------------------------
 *
 * price_watch.c
 *		Watches the prices as a whole: freshness, throttling, emergency mode.
 *
 * Emergency mode changes who is asked, not what an exit may be decided on:
 * that is judged price by price, so that the few that are fresh still protect
 * what is held.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "db/exec.h"
#include "db/txn.h"
#include "feeds.h"
#include "guc.h"
#include "naver.h"
#include "net/net.h"
#include "price_watch.h"
#include "quotes.h"
#include "shm/board.h"
#include "shm/clock.h"
#include "shm/shm.h"
#include "shm/stats.h"

#define JUDGE_US (5 * QTS_SEC)
#define TELL_US (30 * QTS_SEC)
#define NEW_US (30 * QTS_SEC) /* a symbol gets this long for its first price */
#define SKEWED_MANY 10		  /* in TELL_US: one stray frame says nothing of a clock */
#define ACTIVE (QTS_FOLLOW_HELD | QTS_FOLLOW_ORDER | QTS_FOLLOW_CANDIDATE)

static QtsPriceSync shown;
static QtsThrottle throttle;
static QtsSessionPhase last_phase;
static TimestampTz phase_at;
static int64 judged_mono;
static int64 told_mono;
static uint64 skewed_before;
static int64 skewed_mono;

void
qts_price_watch_start(void)
{
	memset(&shown, 0, sizeof(shown));
	memset(&throttle, 0, sizeof(throttle));
	last_phase = QTS_SESSION_UNKNOWN;
	phase_at = qts_now();
	judged_mono = told_mono = skewed_mono = qts_mono_us();
	skewed_before = qts_counter_value(QTS_COUNT_TICKS_SKEWED);
}

void
qts_price_watch_stop(void)
{
	memset(&shown, 0, sizeof(shown));
	LWLockAcquire(qts_shm->lock, LW_EXCLUSIVE);
	qts_shm->price_sync = shown;
	LWLockRelease(qts_shm->lock);
}

bool
qts_price_shown(const char *symbol, QtsBoardQuote *seen)
{
	int slot = qts_board_find(symbol);
	QtsBoardEntry entry;

	return slot >= 0 && qts_board_read(slot, &entry) &&
		   qts_board_judge(&entry, qts_now(), QTS_BOARD_SHOW, seen);
}

/* Figures of all followed symbols, and those of positions and orders that have no price to act on. */
static QtsFreshness
figures(TimestampTz now, int *critical, char *worst)
{
	QtsFreshness all = {0};
	int n;
	const QtsPolled *plan = qts_quotes_plan(&n);

	*critical = 0;
	worst[0] = '\0';
	for (int i = 0; i < n; i++)
	{
		QtsBoardQuote seen = {0};
		bool known = qts_price_shown(plan[i].symbol, &seen);
		int before = all.critical;

		if (!known && plan[i].since <= now && now - plan[i].since < NEW_US)
			continue;
		qts_freshness_add(&all, known ? &seen.quote : NULL, seen.stale, qts_quotes_overdue_after(&plan[i]),
						  now);
		if (all.critical > before && (plan[i].why & ACTIVE) != 0 && (*critical)++ == 0)
			strlcpy(worst, plan[i].symbol, QTS_SYMBOL_LEN + 1);
	}
	return all;
}

static void
tell_fresh(const QtsFreshness *fresh, int critical, const char *worst)
{
	if (!qts_freshness_mostly_overdue(fresh) && critical == 0 && !qts_freshness_old(fresh))
		return;
	if (!qts_txn_begin("prices watch"))
		return;
	if (fresh->total > 0 && qts_freshness_mostly_overdue(fresh))
		qts_alert("CRITICAL", "PRICES_STALE", "",
				  "See qts.status(): which source does not answer? Nothing is sold on a stale price.",
				  "%d of %d followed prices are stale and were not renewed in time", fresh->overdue,
				  fresh->total);
	if (critical > 0)
		qts_alert("CRITICAL", "PRICE_MISSING", worst,
				  "Nothing is sold on it. Is the symbol still traded? Sell by hand what cannot wait.",
				  "no price for more than 60 s for %d symbols held or ordered, among them %s", critical,
				  worst);
	if (qts_freshness_old(fresh))
		qts_alert("WARNING", "PRICES_OLD", "", "See qts.status(): are the tiers being asked?",
				  "the followed prices are %d s old on average, the oldest %d s",
				  (int) (qts_freshness_avg_ms(fresh) / 1000), (int) (fresh->age_max / 1000));
	qts_txn_commit_local();
}

static void
judge(TimestampTz now, int64 mono)
{
	char worst[QTS_SYMBOL_LEN + 1];
	int critical;
	bool emergency;

	shown.fresh = figures(now, &critical, worst);
	shown.judged = true;
	emergency = qts_emergency(&shown.fresh, shown.emergency);
	if (emergency != shown.emergency)
	{
		shown.emergency = emergency;
		shown.emergency_since = GetCurrentTimestamp();
		told_mono = 0; /* at once */
	}
	if (told_mono == 0 || mono - told_mono >= TELL_US)
	{
		tell_fresh(&shown.fresh, critical, worst);
		told_mono = mono;
	}
}

static void
tell_throttled(int64 mono)
{
	if (!qts_txn_begin("prices watch"))
		return;
	qts_alert(
		"WARNING", "QUOTE_THROTTLED", "",
		"The slow tiers are asked less often by themselves. Lower qts.rest_rate_live, or watch fewer symbols.",
		"the broker refused %d %% of the quotes of the last minute for their rate",
		qts_health_share(qts_quotes_health(), QTS_QUOTED_THROTTLED, mono));
	qts_txn_commit_local();
}

/* A wrong clock, ours or the feed's, must not look like a quiet market. */
static void
tell_skewed(int64 mono)
{
	uint64 skewed = qts_counter_value(QTS_COUNT_TICKS_SKEWED);
	uint64 more = skewed - skewed_before;

	if (mono - skewed_mono < TELL_US)
		return;
	skewed_before = skewed;
	skewed_mono = mono;
	if (more < SKEWED_MANY || !qts_txn_begin("prices watch"))
		return;
	qts_alert("WARNING", "TICKS_SKEWED", "",
			  "Is this server's clock right (chronyc tracking, timedatectl)? A feed that lags is not used;"
			  " its symbols are asked for instead.",
			  UINT64_FORMAT
			  " pushed prices were refused: their exchange time differs from ours by more than %d s",
			  more, qts_guc.max_clock_skew);
	qts_txn_commit_local();
}

static void
publish(void)
{
	qts_quotes_show(&shown);
	qts_naver_show(&shown);
	if (shown.since == 0)
		shown.since = GetCurrentTimestamp();
	LWLockAcquire(qts_shm->lock, LW_EXCLUSIVE);
	qts_shm->price_sync = shown;
	LWLockRelease(qts_shm->lock);
}

void
qts_price_watch(QtsSessionPhase phase, TimestampTz now, int64 mono)
{
	bool prints = qts_price_trading(phase);
	QtsTierCondition condition;
	int level = throttle.level;

	if (phase != last_phase)
		phase_at = now;
	last_phase = phase;
	memset(&condition, 0, sizeof(condition));
	condition.closed = phase == QTS_SESSION_CLOSED || phase == QTS_SESSION_UNKNOWN;
	condition.push_silent = qts_feeds_quiet(mono, prints);
	if (qts_throttle_step(&throttle, qts_quotes_health(), mono) && throttle.level > level)
		tell_throttled(mono);
	tell_skewed(mono);
	condition.throttled = throttle.level;
	/* without quotes by request a quiet stock has no fresh price: there is nothing to judge */
	if (!prints || !qts_quotes_any())
		shown.judged = shown.emergency = false;
	else if ((now - phase_at >= NEW_US || now < phase_at) && mono - judged_mono >= JUDGE_US)
	{
		judge(now, mono);
		judged_mono = mono;
	}
	condition.emergency = shown.emergency;
	qts_quotes_condition(&condition, now);
	qts_naver_ask(condition.closed, mono, now);
	publish();
}
