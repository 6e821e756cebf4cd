/*-------------------------------------------------------------------------
 *
 * test_match.c
 *		Finding the order of a lost answer (kis-api 6.5).
 *
 *-------------------------------------------------------------------------
 */
#include "core/match.h"
#include "tap.h"

#define SENT (INT64_C(800000000) * QTS_SEC + 123456)

static const QtsMatchWindow window = {.before = 3 * QTS_SEC, .after = 13 * QTS_SEC};
static const QtsSentOrder sent = {"005930", true, "01", 50, 0, SENT};
static const QtsBrokerOrder same = {"005930", true, "01", 50, 0, SENT + QTS_SEC, false, false};

static void
test_candidate(void)
{
	QtsBrokerOrder seen = same;
	QtsSentOrder never = sent;

	ok(qts_match_candidate(&sent, &seen, &window), "the same order a second later");
	seen.at = SENT - 3 * QTS_SEC;
	ok(qts_match_candidate(&sent, &seen, &window), "at the early edge of the window");
	seen.at -= 1;
	ok(!qts_match_candidate(&sent, &seen, &window), "before it");
	seen.at = SENT + 13 * QTS_SEC;
	ok(qts_match_candidate(&sent, &seen, &window), "at the late edge");
	seen.at += 1;
	ok(!qts_match_candidate(&sent, &seen, &window), "after it");
	seen.at = QTS_TIME_NONE;
	ok(!qts_match_candidate(&sent, &seen, &window), "without a time");
	never.sent_at = QTS_TIME_NONE;
	ok(!qts_match_candidate(&never, &same, &window), "never sent");

	seen = same;
	memcpy(seen.symbol, "005935", 7);
	ok(!qts_match_candidate(&sent, &seen, &window), "another symbol");
	seen = same;
	seen.sell = false;
	ok(!qts_match_candidate(&sent, &seen, &window), "another side");
	seen = same;
	memcpy(seen.ord_dvsn, "00", 3);
	ok(!qts_match_candidate(&sent, &seen, &window), "another type");
	seen = same;
	seen.qty = 49;
	ok(!qts_match_candidate(&sent, &seen, &window), "another quantity");
	seen = same;
	seen.price = 70000;
	ok(!qts_match_candidate(&sent, &seen, &window), "another price");
	seen = same;
	seen.is_change = true;
	ok(!qts_match_candidate(&sent, &seen, &window), "a cancel or revise request");
	seen = same;
	seen.other_channel = true;
	ok(!qts_match_candidate(&sent, &seen, &window), "an order from HTS or phone");
}

/* The broker tells whole seconds: three seconds behind and cut off is almost four. */
static void
test_window(void)
{
	QtsMatchWindow real = qts_match_window(7 * QTS_SEC);
	QtsTime sent_at = SENT + 900 * QTS_MS;
	QtsSentOrder late = sent;
	QtsBrokerOrder seen = same;

	late.sent_at = sent_at;
	seen.at = SENT - 3 * QTS_SEC;
	ok(qts_match_candidate(&late, &seen, &real), "a clock three seconds behind, in whole seconds");
	seen.at -= QTS_SEC;
	ok(!qts_match_candidate(&late, &seen, &real), "a second more is too much");
	seen.at = sent_at + 10 * QTS_SEC;
	ok(qts_match_candidate(&late, &seen, &real), "time-out and three seconds ahead");
	seen.at = SENT - 60 * QTS_SEC;
	ok(qts_match_alike(&late, &seen), "alike whenever it was");
	seen.other_channel = true;
	ok(!qts_match_alike(&late, &seen), "but not from another channel");
}

static QtsUnknownEvidence
silent(int64_t waited)
{
	QtsUnknownEvidence evidence = {
		.candidates = 0,
		.sent_at = SENT,
		.now = SENT + waited,
		.grace = 180 * QTS_SEC,
		.list = true,
		.complete_lists = 2,
		.ledger_trusted = true,
		.balance_known = true,
		.balance_unchanged = true,
	};

	return evidence;
}

static void
test_verdict(void)
{
	QtsUnknownEvidence evidence = silent(QTS_SEC);

	is(qts_unknown_verdict(&evidence), QTS_UNKNOWN_WAIT, "silence within the grace");
	evidence.candidates = 1;
	is(qts_unknown_verdict(&evidence), QTS_UNKNOWN_BIND, "one candidate binds at once");
	evidence.candidates = 2;
	is(qts_unknown_verdict(&evidence), QTS_UNKNOWN_QUARANTINE, "two need a person");

	evidence = silent(180 * QTS_SEC - 1);
	is(qts_unknown_verdict(&evidence), QTS_UNKNOWN_WAIT, "a microsecond before the grace ends");
	evidence = silent(180 * QTS_SEC);
	is(qts_unknown_verdict(&evidence), QTS_UNKNOWN_NOT_ACCEPTED, "all witnesses silent after it");
	evidence.grace = 300 * QTS_SEC;
	is(qts_unknown_verdict(&evidence), QTS_UNKNOWN_WAIT, "buys wait longer");

	evidence = silent(QTS_HOUR);
	evidence.complete_lists = 1;
	is(qts_unknown_verdict(&evidence), QTS_UNKNOWN_WAIT, "one list without it is not enough");
	evidence = silent(QTS_HOUR);
	evidence.balance_known = false;
	is(qts_unknown_verdict(&evidence), QTS_UNKNOWN_WAIT, "no balance, no verdict");
	evidence = silent(QTS_HOUR);
	evidence.balance_unchanged = false;
	is(qts_unknown_verdict(&evidence), QTS_UNKNOWN_QUARANTINE, "the balance moved");
	evidence.complete_lists = 1;
	is(qts_unknown_verdict(&evidence), QTS_UNKNOWN_WAIT, "the balance moved, but the lists may show it yet");
	evidence = silent(QTS_HOUR);
	evidence.list = false;
	is(qts_unknown_verdict(&evidence), QTS_UNKNOWN_WAIT, "lists that came before say nothing of now");
	evidence = silent(360 * QTS_SEC - 1);
	evidence.masked = true;
	is(qts_unknown_verdict(&evidence), QTS_UNKNOWN_WAIT, "another order may hide it: the grace once more");
	evidence.balance_unchanged = false;
	is(qts_unknown_verdict(&evidence), QTS_UNKNOWN_WAIT, "or have moved the balance");
	evidence = silent(360 * QTS_SEC);
	evidence.masked = true;
	is(qts_unknown_verdict(&evidence), QTS_UNKNOWN_QUARANTINE, "then a person");
	evidence = silent(QTS_HOUR);
	evidence.noticed = true;
	is(qts_unknown_verdict(&evidence), QTS_UNKNOWN_QUARANTINE, "a notice that no list explains");
	evidence = silent(QTS_HOUR);
	evidence.ledger_trusted = false;
	is(qts_unknown_verdict(&evidence), QTS_UNKNOWN_QUARANTINE, "an untrusted ledger never proves a refusal");
	evidence = silent(-QTS_SEC);
	is(qts_unknown_verdict(&evidence), QTS_UNKNOWN_WAIT, "a clock that went back");
	evidence = silent(0);
	evidence.sent_at = QTS_TIME_NONE;
	is(qts_unknown_verdict(&evidence), QTS_UNKNOWN_WAIT, "no send time");
}

int
main(void)
{
	test_candidate();
	test_window();
	test_verdict();
	return tap_done();
}
