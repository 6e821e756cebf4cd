/*-------------------------------------------------------------------------
 *
 * test_sources.c
 *		Health of quote sources, discrepancies, freshness figures (runtime 3.7
 *		to 3.10).
 *
 *-------------------------------------------------------------------------
 */
#include "core/discrepancy.h"
#include "core/freshness.h"
#include "core/source_health.h"
#include "tap.h"

#define NOW (INT64_C(800000000) * QTS_SEC)

static QtsQuote
quote_of(QtsPrice last, int64_t age_ms)
{
	return (QtsQuote){.last = last, .exch_at = QTS_TIME_NONE, .recv_at = NOW - age_ms * QTS_MS};
}

static QtsDiscrepancy
severity(QtsKrw broker, QtsKrw other)
{
	QtsQuote a = quote_of(QTS_PRICE(broker), 0);
	QtsQuote b = quote_of(QTS_PRICE(other), 0);

	return qts_discrepancy(&a, &b);
}

static void
test_discrepancy(void)
{
	QtsQuote broker = quote_of(QTS_PRICE(100000), 0);
	QtsQuote other = quote_of(QTS_PRICE(102000), 9999);

	is(severity(100000, 100000), QTS_DISCREPANCY_NONE, "equal");
	is(severity(100000, 99901), QTS_DISCREPANCY_NONE, "0.099 %");
	is(severity(100000, 99900), QTS_DISCREPANCY_LOW, "0.1 %");
	is(severity(100000, 100499), QTS_DISCREPANCY_LOW, "0.499 %");
	is(severity(100000, 100500), QTS_DISCREPANCY_MEDIUM, "0.5 %");
	is(severity(100000, 101000), QTS_DISCREPANCY_MEDIUM, "1 %");
	is(severity(100000, 101001), QTS_DISCREPANCY_HIGH, "above 1 %");
	is(severity(100000, 1), QTS_DISCREPANCY_HIGH, "nowhere near");
	is(severity(100000, 0), QTS_DISCREPANCY_NONE, "no price is no discrepancy");
	is(severity(0, 100000), QTS_DISCREPANCY_NONE, "on either side");
	is(severity(333, 334), QTS_DISCREPANCY_LOW, "0.3003 % of a price that divides badly");
	is(qts_discrepancy(&broker, &other), QTS_DISCREPANCY_HIGH, "9.999 s apart");
	is(qts_discrepancy_ppm(&broker, &other), 20000, "2 % in millionths");
	other.recv_at -= QTS_MS;
	is(qts_discrepancy(&broker, &other), QTS_DISCREPANCY_NONE, "10 s apart: the market moved");
	other.recv_at = QTS_TIME_NONE;
	is(qts_discrepancy(&broker, &other), QTS_DISCREPANCY_NONE, "never received");
	is_text(qts_discrepancy_name(QTS_DISCREPANCY_MEDIUM), "MEDIUM", "as tables spell it");
}

static void
add_many(QtsSourceHealth *health, QtsQuoted kind, int n, int64_t now)
{
	for (int i = 0; i < n; i++)
		qts_health_add(health, kind, now);
}

static void
test_window(void)
{
	QtsSourceHealth health = {0};

	is(qts_health_total(&health, QTS_SEC), 0, "no answer yet");
	is(qts_health_share(&health, QTS_QUOTED_GOOD, QTS_SEC), 0, "no share of nothing");
	add_many(&health, QTS_QUOTED_GOOD, 3, 10 * QTS_SEC);
	add_many(&health, QTS_QUOTED_SILENT, 1, 11 * QTS_SEC);
	is(qts_health_share(&health, QTS_QUOTED_GOOD, 11 * QTS_SEC), 75, "three of four");
	is(qts_health_total(&health, 69 * QTS_SEC), 4, "59 s later they count");
	is(qts_health_total(&health, 70 * QTS_SEC), 1, "a minute later they do not");
	add_many(&health, QTS_QUOTED_GOOD, 1, 70 * QTS_SEC);
	is(qts_health_count(&health, QTS_QUOTED_GOOD, 70 * QTS_SEC), 1, "a place is used again");
	is(qts_health_total(&health, QTS_DAY), 0, "a day later nothing is left");
}

static void
test_throttle(void)
{
	QtsSourceHealth health = {0};
	QtsThrottle throttle = {0};
	int64_t now = 100 * QTS_SEC;

	add_many(&health, QTS_QUOTED_THROTTLED, 4, now);
	ok(!qts_throttle_step(&throttle, &health, now), "four requests say nothing");
	add_many(&health, QTS_QUOTED_GOOD, 16, now);
	ok(!qts_throttle_step(&throttle, &health, now), "20 % is not more than 20 %");
	add_many(&health, QTS_QUOTED_THROTTLED, 1, now);
	ok(qts_throttle_step(&throttle, &health, now) && throttle.level == 1, "5 of 21 is: one step");
	ok(!qts_throttle_step(&throttle, &health, now + QTS_SEC), "a step gets its minute");
	now += 60 * QTS_SEC;
	add_many(&health, QTS_QUOTED_THROTTLED, 5, now);
	ok(qts_throttle_step(&throttle, &health, now) && throttle.level == 2, "it goes on: another");
	now += 60 * QTS_SEC;
	add_many(&health, QTS_QUOTED_THROTTLED, 5, now);
	ok(!qts_throttle_step(&throttle, &health, now) && throttle.level == QTS_THROTTLE_MOST, "no further");
	now += 60 * QTS_SEC;
	add_many(&health, QTS_QUOTED_GOOD, 5, now);
	ok(qts_throttle_step(&throttle, &health, now) && throttle.level == 1, "a quiet minute: back one step");
	now += 60 * QTS_SEC;
	ok(qts_throttle_step(&throttle, &health, now) && throttle.level == 0, "and another");
}

static void
test_failing(void)
{
	QtsSourceHealth health = {0};

	add_many(&health, QTS_QUOTED_FAILED, 2, QTS_SEC);
	ok(!qts_source_failing(&health, QTS_SEC), "two failures");
	add_many(&health, QTS_QUOTED_SILENT, 1, QTS_SEC);
	ok(qts_source_failing(&health, QTS_SEC), "three in a minute");
	ok(!qts_source_failing(&health, 61 * QTS_SEC), "a minute later they are forgotten");
}

static void
test_fallback(void)
{
	QtsQuote shown = quote_of(QTS_PRICE(1000), 10000);

	ok(!qts_fallback_wanted(&shown, QTS_SOURCE_KIS_WS, NOW, false, false), "the broker's price is 10 s old");
	ok(qts_fallback_wanted(&shown, QTS_SOURCE_KIS_WS, NOW + 1, false, false),
	   "B-P8: one symbol older than that: the fallback is asked for it");
	shown = quote_of(QTS_PRICE(1000), 3001);
	ok(qts_fallback_wanted(&shown, QTS_SOURCE_KIS_REST, NOW, true, false),
	   "3 s are enough when the broker fails");
	ok(!qts_fallback_wanted(&shown, QTS_SOURCE_KIS_REST, NOW, false, false), "otherwise they are not");
	ok(qts_fallback_wanted(&shown, QTS_SOURCE_KIS_REST, NOW, false, true), "demoted for the rate");
	ok(qts_fallback_wanted(&shown, QTS_SOURCE_NAVER, NOW, false, false), "its own price does not end it");
	shown.last = 0;
	ok(qts_fallback_wanted(&shown, QTS_SOURCE_KIS_WS, NOW, false, false) &&
		   qts_fallback_wanted(NULL, QTS_SOURCE_COUNT, NOW, false, false),
	   "no price at all");
}

static void
test_naver(void)
{
	QtsSourceHealth health = {0};
	QtsNaverSwitch naver = {0};
	int64_t now = 100 * QTS_SEC;

	add_many(&health, QTS_QUOTED_SILENT, 2, now);
	add_many(&health, QTS_QUOTED_GOOD, 2, now);
	ok(!qts_naver_look(&naver, &health, false, now) && naver.why == QTS_NAVER_ON,
	   "half is not more than half");
	add_many(&health, QTS_QUOTED_SILENT, 1, now);
	ok(qts_naver_look(&naver, &health, false, now) && naver.why == QTS_NAVER_TIMEOUTS, "more than half is");
	ok(!qts_naver_look(&naver, &health, false, now), "told once");
	now += 5 * QTS_MINUTE;
	ok(!qts_naver_look(&naver, &health, false, now) && naver.why == QTS_NAVER_ON,
	   "tried again after a pause");
	ok(qts_naver_look(&naver, &health, true, now) && naver.why == QTS_NAVER_DISCREPANT,
	   "a price far from the broker's: at once");
	now += 5 * QTS_MINUTE;
	(void) qts_naver_look(&naver, &health, false, now);
	add_many(&health, QTS_QUOTED_BANNED, 1, now);
	ok(qts_naver_look(&naver, &health, false, now) && naver.why == QTS_NAVER_BANNED,
	   "one 403 or 429: at once");
	ok(!qts_naver_look(&naver, &health, false, now + 29 * QTS_MINUTE) && naver.why == QTS_NAVER_BANNED,
	   "and for longer");
	ok(qts_naver_why(QTS_NAVER_BANNED)[0] != '\0' && qts_naver_why(QTS_NAVER_ON)[0] == '\0',
	   "reasons have words");
}

static void
test_push(void)
{
	is(qts_push_state(true, 10, 9 * QTS_SEC, true), QTS_PUSH_SPEAKS, "9 s without a price");
	is(qts_push_state(true, 10, 10 * QTS_SEC, true), QTS_PUSH_QUIET, "10 s");
	is(qts_push_state(true, 10, 60 * QTS_SEC, true), QTS_PUSH_SILENT, "a minute");
	is(qts_push_state(false, 10, 0, true), QTS_PUSH_QUIET, "not connected: at once");
	is(qts_push_state(true, 10, QTS_HOUR, false), QTS_PUSH_SPEAKS, "in an auction silence is right");
	is(qts_push_state(false, 0, QTS_HOUR, true), QTS_PUSH_SPEAKS, "nothing subscribed");
}

static QtsFreshness
figures_of(int fresh, int stale, int critical)
{
	QtsFreshness figures = {0};

	for (int i = 0; i < fresh + stale + critical; i++)
	{
		QtsQuote quote = quote_of(QTS_PRICE(1000), i < fresh ? 1000 : i < fresh + stale ? 15000 : 61000);

		qts_freshness_add(&figures, &quote, i >= fresh, 13 * QTS_SEC, NOW);
	}
	return figures;
}

static void
test_freshness(void)
{
	QtsFreshness figures = figures_of(2, 1, 1);
	QtsQuote zero = quote_of(0, 0);

	ok(figures.total == 4 && figures.stale == 2 && figures.critical == 1,
	   "fresh, stale and critical are counted");
	is(qts_freshness_avg_ms(&figures), 19500, "average age");
	is(figures.age_max, 61000, "the oldest");
	qts_freshness_add(&figures, NULL, false, 13 * QTS_SEC, NOW);
	qts_freshness_add(&figures, &zero, false, 13 * QTS_SEC, NOW);
	ok(figures.total == 6 && figures.stale == 4 && figures.critical == 3 && figures.aged == 4,
	   "a symbol without a price is as bad as it gets");
	figures = figures_of(0, 0, 0);
	ok(qts_freshness_avg_ms(&figures) == 0 && !qts_freshness_mostly_overdue(&figures) &&
		   !qts_emergency(&figures, true),
	   "no symbol at all");
}

static void
test_emergency(void)
{
	QtsFreshness figures = figures_of(50, 50, 0);

	ok(!qts_emergency(&figures, false), "one half is not more than one half");
	ok(qts_emergency(&figures, true), "but enough to stay in it");
	figures = figures_of(49, 51, 0);
	ok(qts_emergency(&figures, false), "more than half: emergency");
	figures = figures_of(90, 10, 0);
	ok(qts_emergency(&figures, true), "a tenth: still");
	figures = figures_of(91, 9, 0);
	ok(!qts_emergency(&figures, true), "less: over");
	figures = (QtsFreshness){0};
	for (int i = 0; i < 10; i++)
	{
		QtsQuote quote = quote_of(QTS_PRICE(1000), 39000);

		qts_freshness_add(&figures, &quote, true, 40 * QTS_SEC, NOW);
	}
	ok(figures.stale == 10 && figures.overdue == 0 && !qts_emergency(&figures, true),
	   "stale because it is asked for seldom: no emergency");
	figures = figures_of(0, 0, 10);
	ok(qts_freshness_old(&figures), "average above 30 s");
	figures = figures_of(1, 1, 0);
	ok(!qts_freshness_old(&figures), "not above");
}

int
main(void)
{
	test_discrepancy();
	test_window();
	test_throttle();
	test_failing();
	test_fallback();
	test_naver();
	test_push();
	test_freshness();
	test_emergency();
	return tap_done();
}
