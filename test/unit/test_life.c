/*-------------------------------------------------------------------------
 *
 * test_life.c
 *		An order's life: answers, notices, ledger rows, restarts, judgement.
 *
 * Defects of runtime 6.12 that live in these decisions are named.
 *
 *-------------------------------------------------------------------------
 */
#include "core/life.h"

#include "tap.h"

#define NOW (INT64_C(800000000) * QTS_SEC)

static QtsOrderLife
sent(bool sell, QtsQty qty)
{
	QtsOrderLife life = {.sell = sell,
						 .market = true,
						 .qty = qty,
						 .status = QTS_ORDER_PENDING_SUBMIT,
						 .attempt = 1,
						 .sent_at = NOW,
						 .retry_at = QTS_TIME_NONE,
						 .sent_holding = 100};

	life.book.ordered = qty;
	return life;
}

static QtsOrderLife
bound(bool sell, QtsQty qty)
{
	QtsOrderLife life = sent(sell, qty);

	qts_life_bind(&life);
	return life;
}

static QtsFillStep
fill(QtsOrderLife *life, QtsQty qty, QtsKrw price, bool repeat)
{
	bool counted;

	return qts_life_notice(life, QTS_NOTICE_FILL, qty, price, repeat, &counted);
}

static QtsFillStep
row(QtsOrderLife *life, QtsQty filled, QtsKrw amount, QtsQty remaining, bool over)
{
	QtsLedgerSeen seen = {.filled = filled, .amount = amount, .remaining = remaining, .cancelled = 0};

	return qts_life_ledger(life, &seen, over);
}

static void
test_answer(void)
{
	QtsOrderLife life = sent(true, 10);

	is(qts_life_answer(&life, QTS_OUTCOME_OK, 5, 0, NOW), QTS_ANSWER_BIND, "accepted: bound");
	is(life.status, QTS_ORDER_SUBMITTED, "and submitted");
	is(qts_life_answer(&life, QTS_OUTCOME_OK, 5, 0, NOW), QTS_ANSWER_LATE, "a second answer changes nothing");
	life = sent(true, 10);
	is(qts_life_answer(&life, QTS_OUTCOME_UNKNOWN, 5, 0, NOW), QTS_ANSWER_UNKNOWN,
	   "B-E13: no answer is not a refusal");
	is(life.status, QTS_ORDER_UNKNOWN, "B-E13: the order is unknown");
	is(life.retry_at, QTS_TIME_NONE, "B-E13: and never sent again");
	is(qts_life_intent(&life, QTS_ANSWER_UNKNOWN), QTS_INTENT_UNKNOWN, "its intent keeps its shares locked");
	is(qts_life_answer(&life, QTS_OUTCOME_NOT_PROCESSED, 5, 0, NOW), QTS_ANSWER_GIVEN_UP,
	   "an unknown order is not sent again whatever is said later");
	life = sent(true, 10);
	is(qts_life_answer(&life, QTS_OUTCOME_REJECTED, 5, 0, NOW), QTS_ANSWER_REJECTED, "refused");
	is(qts_life_intent(&life, QTS_ANSWER_REJECTED), QTS_INTENT_REJECTED,
	   "B-E5: the intent is rejected, not filled");
	life = sent(true, 10);
	is(qts_life_answer(&life, QTS_OUTCOME_FATAL, 5, 0, NOW), QTS_ANSWER_REJECTED, "a wrong key refuses too");
}

static void
test_retry(void)
{
	QtsOrderLife life = sent(false, 10);

	for (int attempt = 1; attempt < 5; attempt++)
	{
		life.attempt = attempt;
		is(qts_life_answer(&life, QTS_OUTCOME_NOT_PROCESSED, 5, 0, NOW), QTS_ANSWER_RETRY,
		   "provably unprocessed: again");
		is(life.retry_at - NOW, (attempt > 2 ? 4 : attempt) * QTS_SEC, "after 1, 2, 4, 4 s");
	}
	ok(!qts_life_restart(&life), "a restart leaves what waits to be sent again");
	is(life.retry_at - NOW, 4 * QTS_SEC, "with its time");
	life.attempt = 5;
	is(qts_life_answer(&life, QTS_OUTCOME_NOT_PROCESSED, 5, 0, NOW), QTS_ANSWER_GIVEN_UP,
	   "five times are enough");
	is(life.status, QTS_ORDER_REJECTED, "then it is rejected");
	is(qts_life_intent(&life, QTS_ANSWER_GIVEN_UP), QTS_INTENT_FAILED, "and its intent has failed");
}

static void
test_restart(void)
{
	QtsOrderLife life = sent(true, 10);

	ok(qts_life_restart(&life), "B-E14, B-E15: what may have been sent is known as such");
	is(life.status, QTS_ORDER_UNKNOWN, "B-E14: it is unknown, not lost");
	ok(!qts_life_restart(&life), "and stays so at the next restart");
	life = bound(true, 10);
	life.cancel = QTS_CANCEL_SENT;
	ok(!qts_life_restart(&life), "a bound order is not touched");
	is(life.cancel, QTS_CANCEL_UNKNOWN, "its cancel may have arrived");
}

static void
test_notices(void)
{
	QtsOrderLife life = bound(true, 10);
	bool counted;

	is(fill(&life, 4, 1000, false).qty, 4, "a fill");
	is(life.status, QTS_ORDER_PARTIAL, "makes it partial");
	is(fill(&life, 4, 1000, true).qty, 0, "B-E3: the same notice again adds nothing");
	is(life.book.booked_qty, 4, "B-E3: four are booked");
	is(row(&life, 8, 8000, 2, false).qty, 4, "the ledger knows of a genuine equal fill");
	is(fill(&life, 4, 1000, false).qty, 0, "B-E19: a late notice is absorbed by it");
	is(life.book.booked_qty, 8, "eight are booked");
	is(fill(&life, 4, 1000, false).excess, true, "beyond the ordered quantity nothing is counted");
	(void) qts_life_notice(&life, QTS_NOTICE_CANCELLED, 2, 0, false, &counted);
	is(life.status, QTS_ORDER_CANCELLED_PARTIAL, "B-E1: cancelled with fills is CANCELLED_PARTIAL");
	life = bound(true, 10);
	(void) qts_life_notice(&life, QTS_NOTICE_CANCELLED, 6, 0, false, &counted);
	is(life.status, QTS_ORDER_SUBMITTED, "a cancel of six of ten: four fills are still to be told");
	is(fill(&life, 4, 1000, false).qty, 4, "B-E2: and are taken when they come");
	is(life.status, QTS_ORDER_CANCELLED_PARTIAL, "then it has ended");
	life = bound(true, 10);
	(void) qts_life_notice(&life, QTS_NOTICE_REJECTED, 10, 0, false, &counted);
	is(life.status, QTS_ORDER_REJECTED, "the exchange refused it");
	is(fill(&life, 10, 1000, false).qty, 10, "a fill after the end is kept");
	is(life.status, QTS_ORDER_FILLED, "and tells the status");
}

static void
test_ledger(void)
{
	QtsOrderLife life = bound(true, 10);

	is(row(&life, 3, 3000, 7, false).qty, 3, "the ledger's fill");
	is(row(&life, 3, 3000, 7, false).qty, 0, "B-E3: the same row adds nothing");
	is(row(&life, 1, 1000, 9, false).qty, 0, "an older row takes nothing back");
	is(life.book.booked_qty, 3, "three are booked");
	is(row(&life, 7, 0, 0, false).qty, 0, "a row without its amount is waited for");
	is(life.status, QTS_ORDER_PARTIAL, "and kills nothing");
	is(row(&life, 7, 7100, 0, false).price, QTS_PRICE(1025), "then the difference tells the price");
	is(life.status, QTS_ORDER_CANCELLED_PARTIAL, "B-E8: the rest is dead by its row, whatever it is called");
	life = bound(true, 10);
	(void) row(&life, 0, 0, 0, true);
	is(life.status, QTS_ORDER_EXPIRED, "after the session a silent end is an expiry");
	life = bound(true, 10);
	(void) row(&life, 10, 10000, 0, false);
	(void) row(&life, 4, 4000, 6, false);
	is(life.status, QTS_ORDER_FILLED, "B-E7: an old row does not bring a filled order back");
	life = bound(true, 10);
	life.book.ordered = life.qty = 0;
	(void) row(&life, 0, 0, -1, false);
	is(life.status, QTS_ORDER_SUBMITTED, "B-E22: an order of unknown size is not filled");
}

static void
test_absent(void)
{
	QtsOrderLife life = bound(true, 10);

	ok(!qts_life_absent(&life, true, false), "a list without it proves nothing");
	ok(!qts_life_absent(&life, true, false), "nor do two");
	ok(qts_life_absent(&life, true, false), "three are worth an alert");
	ok(!qts_life_absent(&life, true, true), "one only");
	is(life.status, QTS_ORDER_SUBMITTED, "it stays open");
	life = bound(true, 10);
	for (int i = 0; i < 5; i++)
		(void) qts_life_absent(&life, false, true);
	is(life.status, QTS_ORDER_SUBMITTED, "paper, after the close: five lists");
	ok(qts_life_absent(&life, false, true), "the sixth");
	is(life.status, QTS_ORDER_EXPIRED, "is the end");
}

static void
test_cancel(void)
{
	QtsOrderLife life = bound(true, 10);

	life.cancel = QTS_CANCEL_SENT;
	qts_life_cancel_answer(&life, QTS_OUTCOME_UNKNOWN);
	is(life.cancel, QTS_CANCEL_UNKNOWN, "no answer to a cancel");
	(void) row(&life, 0, 0, 10, false);
	is(life.cancel, QTS_CANCEL_REQUESTED, "B-E29: the row shows the order open: again");
	life.cancel = QTS_CANCEL_REFUSED;
	life.cancel_attempt = QTS_CANCEL_ATTEMPTS;
	(void) row(&life, 1, 1000, 9, false);
	is(life.cancel, QTS_CANCEL_REFUSED, "not for ever");
	qts_life_cancel_answer(&life, QTS_OUTCOME_NOT_PROCESSED);
	is(life.cancel, QTS_CANCEL_REQUESTED, "provably unprocessed: again");
	qts_life_cancel_answer(&life, QTS_OUTCOME_OK);
	ok(qts_life_cancel_asked(&life), "accepted");
	(void) row(&life, 1, 1000, 0, false);
	is(life.status, QTS_ORDER_CANCELLED_PARTIAL, "the end is a cancellation");
	is(life.cancelled, 9, "of the rest");
	is(qts_life_open_qty(&life), 0, "nothing is open");
}

static void
test_unknown(void)
{
	QtsOrderLife life = sent(true, 10);
	QtsUnknownEvidence evidence = {.grace = 180 * QTS_SEC, .ledger_trusted = true, .list = true};

	(void) qts_life_restart(&life);
	is(qts_life_unknown(&life, &evidence, NOW + QTS_SEC), QTS_UNKNOWN_WAIT, "B-E13: absent: wait");
	is(life.complete_lists, 1, "lists are counted");
	evidence.candidates = 2;
	is(qts_life_unknown(&life, &evidence, NOW + QTS_SEC), QTS_UNKNOWN_QUARANTINE, "two fit: a person");
	is(life.status, QTS_ORDER_UNKNOWN, "it stays unknown");
	evidence.candidates = 1;
	is(qts_life_unknown(&life, &evidence, NOW + QTS_SEC), QTS_UNKNOWN_BIND, "one fits: bound");
	is(life.status, QTS_ORDER_SUBMITTED, "B-E15: the intent's own order, not a duplicate");
	life = sent(true, 10);
	(void) qts_life_restart(&life);
	evidence = (QtsUnknownEvidence){.grace = 180 * QTS_SEC,
									.ledger_trusted = true,
									.list = true,
									.balance_known = true,
									.balance_unchanged = true};
	(void) qts_life_unknown(&life, &evidence, NOW + 181 * QTS_SEC);
	is(life.status, QTS_ORDER_UNKNOWN, "one list after the grace is not enough");
	evidence.alike = 1;
	is(qts_life_unknown(&life, &evidence, NOW + 190 * QTS_SEC), QTS_UNKNOWN_QUARANTINE,
	   "its like at another time: the clocks may be off");
	evidence.alike = 0;
	is(qts_life_unknown(&life, &evidence, NOW + 190 * QTS_SEC), QTS_UNKNOWN_NOT_ACCEPTED,
	   "silence of all witnesses");
	is(life.status, QTS_ORDER_REJECTED, "ends it");
}

static void
test_names(void)
{
	QtsCancelState state;

	ok(qts_cancel_state_name(QTS_CANCEL_NONE) == NULL, "no cancel is null");
	ok(qts_cancel_state_parse(NULL, &state) && state == QTS_CANCEL_NONE, "and back");
	for (int i = QTS_CANCEL_REQUESTED; i < QTS_CANCEL_STATE_COUNT; i++)
		ok(qts_cancel_state_parse(qts_cancel_state_name((QtsCancelState) i), &state) && (int) state == i,
		   "a name there and back");
	ok(!qts_cancel_state_parse("LOST", &state), "an unknown name");
}

int
main(void)
{
	test_answer();
	test_retry();
	test_restart();
	test_notices();
	test_ledger();
	test_absent();
	test_cancel();
	test_unknown();
	test_names();
	return tap_done();
}
