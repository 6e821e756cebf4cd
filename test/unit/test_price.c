/*-------------------------------------------------------------------------
 *
 * test_price.c
 *		Freshness, best source, quality score (runtime 3.3).
 *
 *-------------------------------------------------------------------------
 */
#include "core/price.h"
#include "tap.h"

#define NOW (INT64_C(800000000) * QTS_SEC)

static void
quote_set(QtsQuote quotes[QTS_SOURCE_COUNT], QtsSource source, QtsPrice last, int64_t age_ms)
{
	quotes[source] = (QtsQuote){
		.last = last,
		.exch_at = QTS_TIME_NONE,
		.recv_at = NOW - age_ms * QTS_MS,
	};
}

static void
test_thresholds(void)
{
	static const int64_t trading[] = {2000, 10000, 30000, 10000};
	static const int64_t outside[] = {10000, 30000, 60000, 30000};
	bool good = true;

	for (int i = 0; i <= QTS_SOURCE_COUNT; i++)
		good = tap_note(qts_stale_after_ms((QtsSource) i, true) == trading[i] &&
							qts_stale_after_ms((QtsSource) i, false) == outside[i],
						"source %d", i) &&
			   good;
	ok(good, "limits of every source, and of an unknown one");
}

static void
test_best(void)
{
	QtsQuote quotes[QTS_SOURCE_COUNT] = {{0}};

	is(qts_best_source(quotes, NOW, true), QTS_SOURCE_COUNT, "no quote at all");
	quote_set(quotes, QTS_SOURCE_NAVER, QTS_PRICE(70000), 30000);
	is(qts_best_source(quotes, NOW, true), QTS_SOURCE_NAVER, "NAVER when it is all there is");
	quote_set(quotes, QTS_SOURCE_KIS_REST, QTS_PRICE(70000), 0);
	is(qts_best_source(quotes, NOW, true), QTS_SOURCE_KIS_REST, "REST before NAVER");
	quote_set(quotes, QTS_SOURCE_KIS_WS, QTS_PRICE(70000), 1999);
	is(qts_best_source(quotes, NOW, true), QTS_SOURCE_KIS_WS, "an older WS tick beats a newer REST quote");
	quote_set(quotes, QTS_SOURCE_KIS_WS, QTS_PRICE(70000), 2000);
	is(qts_best_source(quotes, NOW, true), QTS_SOURCE_KIS_WS, "at the limit it is fresh");
	quotes[QTS_SOURCE_KIS_WS].recv_at -= 1;
	is(qts_best_source(quotes, NOW, true), QTS_SOURCE_KIS_REST, "a microsecond later it is not");
	is(qts_best_source(quotes, NOW, false), QTS_SOURCE_KIS_WS, "outside the session it is");
	quote_set(quotes, QTS_SOURCE_KIS_REST, QTS_PRICE(69000), 5000);
	is(qts_best_source(quotes, NOW, true), QTS_SOURCE_KIS_WS,
	   "an answer from before the last print never counts");
	quote_set(quotes, QTS_SOURCE_NAVER, QTS_PRICE(70000), 20000);
	quote_set(quotes, QTS_SOURCE_KIS_REST, QTS_PRICE(69000), 10001);
	quote_set(quotes, QTS_SOURCE_KIS_WS, QTS_PRICE(70000), 12000);
	is(qts_best_source(quotes, NOW, true), QTS_SOURCE_KIS_WS, "nor NAVER from before both");
	quote_set(quotes, QTS_SOURCE_KIS_WS, QTS_PRICE(70000), 25000);
	is(qts_best_source(quotes, NOW, true), QTS_SOURCE_KIS_REST, "what is older than all does not");
	quote_set(quotes, QTS_SOURCE_KIS_REST, 0, 5000);
	is(qts_best_source(quotes, NOW, true), QTS_SOURCE_NAVER, "nor does a zero");
	quote_set(quotes, QTS_SOURCE_KIS_WS, QTS_PRICE(70000), -5000);
	is(qts_best_source(quotes, NOW, true), QTS_SOURCE_NAVER, "nor a quote of the future");
	quote_set(quotes, QTS_SOURCE_KIS_WS, QTS_PRICE(70000), 25000);

	quote_set(quotes, QTS_SOURCE_KIS_REST, QTS_PRICE(70000), 10001);
	quote_set(quotes, QTS_SOURCE_NAVER, QTS_PRICE(70000), 30001);
	is(qts_best_source(quotes, NOW, true), QTS_SOURCE_COUNT,
	   "incident 2: at 10.001 s nothing is fresh and a stale source never wins");
	quote_set(quotes, QTS_SOURCE_KIS_REST, 0, 0);
	is(qts_best_source(quotes, NOW, true), QTS_SOURCE_COUNT, "a fresh zero is no price");

	quote_set(quotes, QTS_SOURCE_KIS_REST, QTS_PRICE(70000), -5);
	is(qts_best_source(quotes, NOW, true), QTS_SOURCE_KIS_REST, "a few ms ahead of us are fine");
	quote_set(quotes, QTS_SOURCE_KIS_REST, QTS_PRICE(70000), -10000);
	is(qts_best_source(quotes, NOW, true), QTS_SOURCE_KIS_REST, "as many as may lie behind");
	quote_set(quotes, QTS_SOURCE_KIS_REST, QTS_PRICE(70000), -3600000);
	is(qts_best_source(quotes, NOW, true), QTS_SOURCE_COUNT, "an hour ahead is a broken clock");
	quotes[QTS_SOURCE_KIS_REST].recv_at = QTS_TIME_NONE;
	is(qts_best_source(quotes, NOW, true), QTS_SOURCE_COUNT, "never received");
}

/* B-P2: the limits follow the calendar's phase. */
static void
test_phases(void)
{
	QtsQuote quotes[QTS_SOURCE_COUNT] = {{0}};

	quote_set(quotes, QTS_SOURCE_KIS_WS, QTS_PRICE(70000), 9000);
	ok(qts_price_trading(QTS_SESSION_CONTINUOUS), "prices are printed one after the other");
	ok(!qts_price_trading(QTS_SESSION_OPENING_AUCTION) && !qts_price_trading(QTS_SESSION_CLOSING_AUCTION),
	   "B-P2: in an auction they are not: the longer limit");
	ok(!qts_price_trading(QTS_SESSION_AFTER_CLOSE) && !qts_price_trading(QTS_SESSION_CLOSED) &&
		   !qts_price_trading(QTS_SESSION_UNKNOWN),
	   "nor after the close");
	is(qts_best_source(quotes, NOW, qts_price_trading(QTS_SESSION_CONTINUOUS)), QTS_SOURCE_COUNT,
	   "B-P1: nothing is fresh: no source wins");
	is(qts_best_source(quotes, NOW, qts_price_trading(QTS_SESSION_CLOSING_AUCTION)), QTS_SOURCE_KIS_WS,
	   "B-P2: 9 s old is fresh in the closing auction");
}

static void
test_decides(void)
{
	ok(qts_source_decides(QTS_SOURCE_KIS_WS, false) && qts_source_decides(QTS_SOURCE_KIS_REST, false),
	   "the broker's prices decide");
	ok(!qts_source_decides(QTS_SOURCE_NAVER, false), "Naver's do not");
	ok(qts_source_decides(QTS_SOURCE_NAVER, true), "unless the user says so");
	ok(!qts_source_decides(QTS_SOURCE_COUNT, true), "an unknown source never does");
}

static void
test_score(void)
{
	is(qts_quality_score(QTS_SOURCE_KIS_WS, 0, true), 90, "WS of age 0");
	is(qts_quality_score(QTS_SOURCE_KIS_WS, 1000, true), 45, "WS of 1,000 ms");
	is(qts_quality_score(QTS_SOURCE_KIS_WS, 2000, true), 0, "WS at its limit");
	is(qts_quality_score(QTS_SOURCE_KIS_REST, 0, true), 60, "REST of age 0");
	is(qts_quality_score(QTS_SOURCE_KIS_REST, 5000, true), 30, "REST of 5,000 ms");
	is(qts_quality_score(QTS_SOURCE_NAVER, 15000, true), 15, "NAVER of 15,000 ms");
	is(qts_quality_score(QTS_SOURCE_KIS_WS, 1000, false), 81, "WS of 1,000 ms at night");
	is(qts_quality_score(QTS_SOURCE_KIS_WS, 1, true), 90, "the deduction is truncated");
	is(qts_quality_score(QTS_SOURCE_KIS_WS, -10, true), 90, "never above the base");
	is(qts_quality_score(QTS_SOURCE_NAVER, INT64_MAX, true), 0, "never below 0");
	is(qts_quality_score(QTS_SOURCE_COUNT, 0, true), 0, "an unknown source has none");
}

static void
test_plausible(void)
{
	ok(qts_price_plausible(QTS_PRICE(58800), 0, 0), "limits unknown");
	ok(!qts_price_plausible(0, 0, 0) && !qts_price_plausible(-1, 0, 0), "not positive");
	ok(qts_price_plausible(QTS_PRICE(76400), QTS_PRICE(41200), QTS_PRICE(76400)), "upper limit");
	ok(qts_price_plausible(QTS_PRICE(41200), QTS_PRICE(41200), QTS_PRICE(76400)), "lower limit");
	ok(!qts_price_plausible(QTS_PRICE(76401), QTS_PRICE(41200), QTS_PRICE(76400)), "above");
	ok(!qts_price_plausible(QTS_PRICE(41199), QTS_PRICE(41200), QTS_PRICE(76400)), "below");
}

static void
test_names(void)
{
	bool good = true;
	QtsSource out = QTS_SOURCE_COUNT;

	for (int i = 0; i < QTS_SOURCE_COUNT; i++)
		good = qts_source_parse(qts_source_name((QtsSource) i), &out) && (int) out == i && good;
	ok(good, "names of sources are read back");
	is_text(qts_source_name(QTS_SOURCE_KIS_WS), "KIS_WS", "as tables spell them");
	out = QTS_SOURCE_NAVER;
	ok(!qts_source_parse("kis_ws", &out) && !qts_source_parse("", &out) && !qts_source_parse(NULL, &out) &&
		   out == QTS_SOURCE_NAVER,
	   "other names are refused");
}

int
main(void)
{
	test_thresholds();
	test_best();
	test_phases();
	test_decides();
	test_score();
	test_plausible();
	test_names();
	return tap_done();
}
