/*-------------------------------------------------------------------------
 *
 * test_seed_bugs.c
 *		Vectors that earlier designs of this engine got wrong (runtime 6.12,
 *		B-E1 to B-E30): each would fail on what they did.
 *
 *-------------------------------------------------------------------------
 */
#include "core/claim.h"
#include "core/life.h"
#include "core/money.h"
#include "core/session.h"
#include "tap.h"

#define WON(krw) ((QtsPrice) (krw) *QTS_PRICE_SCALE)

static QtsOrderLife
sell_of(QtsQty qty)
{
	QtsOrderLife life = {.status = QTS_ORDER_SUBMITTED,
						 .sell = true,
						 .market = true,
						 .qty = qty,
						 .attempt = 1,
						 .retry_at = QTS_TIME_NONE};

	life.book.ordered = qty;
	return life;
}

static void
test_reducer(void)
{
	QtsOrderFacts partly = {.qty = 100, .filled = 40, .cancelled = 60, .known = true, .cancel_asked = true};
	QtsOrderFacts refused = {.qty = 100, .filled = 40, .rejected = 60, .known = true};
	QtsOrderFacts nothing = {.qty = 100};
	QtsOrderFacts none = {.known = true};

	is(qts_order_reduce(QTS_ORDER_PARTIAL, &partly), QTS_ORDER_CANCELLED_PARTIAL,
	   "B-E1: filled and cancelled is not partly open");
	is(qts_order_reduce(QTS_ORDER_PARTIAL, &refused), QTS_ORDER_CANCELLED_PARTIAL,
	   "B-E2: a refusal counts beside fills");
	is(qts_order_reduce(QTS_ORDER_UNKNOWN, &nothing), QTS_ORDER_UNKNOWN,
	   "B-E2: what nobody knows is UNKNOWN");
	ok(qts_order_reduce(QTS_ORDER_SUBMITTED, &none) != QTS_ORDER_FILLED,
	   "B-E22: an order of unknown size is not filled by zero shares");
}

static void
test_recount(void)
{
	QtsOrderLife life = sell_of(10);
	QtsLedgerSeen seen = {.filled = 4, .amount = 280000, .remaining = 6, .cancelled = 0};
	bool counted;

	qts_life_notice(&life, QTS_NOTICE_FILL, 4, 70000, false, &counted);
	for (int i = 0; i < 60; i++)
		qts_life_ledger(&life, &seen, false);
	ok(life.book.booked_qty == 4 && life.status == QTS_ORDER_PARTIAL,
	   "B-E3: the ledger read sixty times counts a fill once");
	qts_life_notice(&life, QTS_NOTICE_FILL, 4, 70000, true, &counted);
	ok(!counted && life.book.booked_qty == 4, "B-E3: nor does the notice again");
}

/* The list is told in another order, and longer, each time: only sums count. */
static void
test_delta(void)
{
	QtsOrderLife life = sell_of(10);
	QtsLedgerSeen first = {.filled = 3, .amount = 210000, .remaining = 7, .cancelled = 0};
	QtsLedgerSeen second = {.filled = 5, .amount = 352000, .remaining = 5, .cancelled = 0};
	QtsFillStep step = qts_life_ledger(&life, &first, false);

	ok(step.qty == 3 && step.price == WON(70000), "B-E19: a row is a cumulative quantity");
	step = qts_life_ledger(&life, &second, false);
	ok(step.qty == 2 && step.price == WON(71000), "B-E19: what is new is the difference, at its own price");
	step = qts_life_ledger(&life, &second, false);
	ok(step.qty == 0 && life.book.booked_qty == 5, "B-E19: and is booked once");
}

static void
test_mirror(void)
{
	static const QtsOrderStatus ends[] = {QTS_ORDER_CANCELLED, QTS_ORDER_REJECTED, QTS_ORDER_EXPIRED,
										  QTS_ORDER_CANCELLED_PARTIAL};
	bool right = true;

	for (int i = 0; i < 4; i++)
		right = tap_note(qts_intent_mirror(ends[i]) != QTS_INTENT_FILLED, "order status %d", (int) ends[i]) &&
				right;
	ok(right, "B-E5: only a filled order makes a filled intent");
}

static void
test_late_answer(void)
{
	QtsOrderLife life = sell_of(10);
	bool counted;

	qts_life_notice(&life, QTS_NOTICE_FILL, 10, 70000, false, &counted);
	is(qts_life_answer(&life, QTS_OUTCOME_OK, 5, 0, QTS_SEC), QTS_ANSWER_LATE,
	   "B-E7: an answer after the fill changes nothing");
	is(life.status, QTS_ORDER_FILLED, "B-E7: a filled order is not opened again");
	ok(!qts_order_may_change(QTS_ORDER_PARTIAL, QTS_ORDER_SUBMITTED), "B-E7: nor a partly filled one");
}

static void
test_absence(void)
{
	QtsOrderLife life = sell_of(10);
	int told = 0;

	for (int i = 0; i < 10; i++)
		told += qts_life_absent(&life, true, false);
	ok(life.status == QTS_ORDER_SUBMITTED && told == 1,
	   "B-E8: a list without the order ends nothing, and somebody is told");
	life.status = QTS_ORDER_UNKNOWN;
	{
		QtsLedgerSeen seen = {.filled = 10, .amount = 700000, .remaining = 0, .cancelled = 0};

		qts_life_ledger(&life, &seen, false);
	}
	is(life.status, QTS_ORDER_FILLED, "B-E8: an unknown order stays in sight");
}

static void
test_day(void)
{
	QtsDate date;
	QtsTime morning;

	(void) qts_date_from_yyyymmdd(20261123, &date);
	morning = qts_seoul_instant(date, 8 * QTS_HOUR + 45 * QTS_MINUTE);
	is(qts_date_yyyymmdd(qts_seoul_date(morning)), 20261123,
	   "B-E9: the day begins at midnight in Seoul, not in Greenwich");
	is(qts_date_yyyymmdd(qts_seoul_date(morning + 16 * QTS_HOUR)), 20261124, "B-E9: and ends there");
}

static void
test_no_resend(void)
{
	QtsOrderLife life = sell_of(10);

	life.status = QTS_ORDER_PENDING_SUBMIT;
	is(qts_life_answer(&life, QTS_OUTCOME_UNKNOWN, 5, 0, QTS_SEC), QTS_ANSWER_UNKNOWN,
	   "B-E13: no answer is no failure");
	ok(life.status == QTS_ORDER_UNKNOWN && life.retry_at == QTS_TIME_NONE, "B-E13: and is never sent again");
	life = sell_of(10);
	life.status = QTS_ORDER_PENDING_SUBMIT;
	ok(qts_life_restart(&life) && life.status == QTS_ORDER_UNKNOWN,
	   "B-E15: after a crash the intent's own order is looked for, not called a duplicate");
}

static void
test_available(void)
{
	is(qts_available_qty(100, 50), 50, "B-E25: what open exits hold is not available");
	is(qts_available_qty(50, 50), 0, "B-E25: nor is it after a part of them filled");
	is(qts_available_qty(40, 50), 0, "B-E25: and it is never negative");
}

/* A notice cannot be late by a minute, nor can the ledger. */
static void
test_denied(void)
{
	QtsLedgerSeen none = {.filled = 0, .amount = 0, .remaining = 10, .cancelled = 0};
	QtsLedgerSeen all = {.filled = 10, .amount = 700000, .remaining = 0, .cancelled = 0};
	QtsTime then = 1000 * QTS_SEC;

	ok(!qts_life_denied(QTS_ORDER_FILLED, 10, &none, then, then + QTS_MINUTE - 1),
	   "a ledger may lag behind notices");
	ok(qts_life_denied(QTS_ORDER_FILLED, 10, &none, then, then + QTS_MINUTE), "but not for a minute");
	ok(qts_life_denied(QTS_ORDER_PARTIAL, 4, &none, then, then + QTS_MINUTE),
	   "fewer filled than a live order has booked");
	ok(qts_life_denied(QTS_ORDER_CANCELLED, 0, &none, then, then + QTS_MINUTE), "open though it ended here");
	ok(!qts_life_denied(QTS_ORDER_FILLED, 10, &all, then, then + QTS_HOUR), "agreement is none");
	ok(!qts_life_denied(QTS_ORDER_SUBMITTED, 0, &none, then, then + QTS_HOUR), "nor is an order that rests");
	ok(!qts_life_denied(QTS_ORDER_FILLED, 10, &none, QTS_TIME_NONE, then), "no time, no verdict");
}

int
main(void)
{
	test_reducer();
	test_recount();
	test_delta();
	test_mirror();
	test_late_answer();
	test_absence();
	test_day();
	test_no_resend();
	test_available();
	test_denied();
	return tap_done();
}
