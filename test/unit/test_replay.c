/*-------------------------------------------------------------------------
 *
 * test_replay.c
 *		Recorded orders around the rules: what is the same, what is not.
 *
 *-------------------------------------------------------------------------
 */
#include "core/replay.h"
#include "tap.h"

#define T0 (INT64_C(848451600) * QTS_SEC)

static QtsReplayIntent intents[4];

static void
start(QtsReplay *replay)
{
	memset(replay, 0, sizeof(*replay));
	memset(intents, 0, sizeof(intents));
	replay->profile = qts_exit_profile_default();
	replay->position.qty = replay->position.original_qty = 100;
	replay->position.avg_price = QTS_PRICE(100000);
	replay->position.last_buy = 1;
	replay->state.cycle = 1;
	replay->tolerance = 3 * QTS_SEC;
	replay->intent = intents;
	/* TP1 at 107,000: 25 shares, sold a second later */
	intents[0] = (QtsReplayIntent){.id = 7,
								   .rule = QTS_RULE_TP1,
								   .custom = QTS_CUSTOM_NONE,
								   .severity = qts_exit_severity(QTS_RULE_TP1),
								   .cycle = 1,
								   .phase = QTS_PHASE_OPEN,
								   .qty = 25,
								   .filled = 25,
								   .price = QTS_PRICE(107200),
								   .threshold = QTS_PRICE(107000),
								   .created_at = T0 + 1000 * QTS_MS,
								   .ended_at = T0 + 2 * QTS_SEC,
								   .automatic = true};
	replay->nintents = 1;
}

static void
look(QtsReplay *replay, int ms, QtsKrw price)
{
	QtsExitQuote quote = {.last = QTS_PRICE(price), .bid = QTS_PRICE(price), .in_session = true};

	qts_replay_orders(replay, T0 + ms * QTS_MS);
	qts_replay_look(replay, &quote, T0 + ms * QTS_MS);
}

static void
test_same(void)
{
	QtsReplay replay;

	start(&replay);
	look(&replay, 0, 106900);
	look(&replay, 990, 107200);
	ok(qts_replay_same(&intents[0]) && replay.nextras == 0, "decided again just before it was recorded");
	look(&replay, 1500, 107300);
	ok(replay.nextras == 0 && replay.position.available == 75, "while it is live it is not decided again");
	qts_replay_sold(&replay, 7, 25);
	look(&replay, 2500, 107300);
	is(replay.state.phase, QTS_PHASE_TP1_DONE, "its end moves the phase");
	is(replay.state.stop_floor, QTS_PRICE(100600), "and arms the floor");
	look(&replay, 3000, 110000);
	ok(replay.nextras == 1 && replay.extra[0].rule == QTS_RULE_TP2 && replay.extra[0].qty == 25,
	   "TP2 was not decided then");
	look(&replay, 3500, 110100);
	is(replay.nextras, 1, "which is told once");
}

static void
test_different(void)
{
	QtsReplay replay;

	start(&replay);
	intents[0].price = QTS_PRICE(107100);
	look(&replay, 990, 107200);
	ok(intents[0].matched && !qts_replay_same(&intents[0]), "another price is seen");
	start(&replay);
	look(&replay, 990, 106000);
	look(&replay, 5000, 107200);
	ok(!intents[0].matched, "a decision long after is another one");
}

static void
test_failed(void)
{
	QtsReplay replay;

	start(&replay);
	intents[0].filled = 0;
	intents[0].failed = intents[0].refused = true;
	look(&replay, 990, 107200);
	look(&replay, 2500, 107200);
	ok(intents[0].matched && replay.nextras == 0, "after a refusal the worker waits; that is no difference");
	is(replay.state.phase, QTS_PHASE_OPEN, "and nothing has happened");
	look(&replay, 2600, 96900);
	ok(replay.nextras == 1 && replay.extra[0].rule == QTS_RULE_SL1, "for other rules it does not wait");
	look(&replay, 2990, 107200);
	is(replay.nextras, 1, "the refused one waits for a second");
	look(&replay, 3000, 107200);
	ok(replay.nextras == 2 && replay.extra[1].rule == QTS_RULE_TP1, "and is decided again");
}

static void
test_manual(void)
{
	QtsReplay replay;

	start(&replay);
	intents[0].rule = QTS_RULE_MANUAL;
	intents[0].severity = qts_exit_severity(QTS_RULE_MANUAL);
	intents[0].automatic = false;
	look(&replay, 1200, 107200);
	ok(replay.nextras == 0 && replay.position.available == 75,
	   "a sale by hand holds shares, and comes before TP1");
	qts_replay_sold(&replay, 7, 25);
	look(&replay, 2500, 96900);
	ok(replay.nextras == 1 && replay.extra[0].rule == QTS_RULE_SL1 && replay.extra[0].qty == 38,
	   "rules see what is left");
}

int
main(void)
{
	test_same();
	test_different();
	test_failed();
	test_manual();
	return tap_done();
}
