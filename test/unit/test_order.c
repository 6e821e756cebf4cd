/*-------------------------------------------------------------------------
 *
 * test_order.c
 *		Order reducer and transitions (runtime 2.4, 4.7, 6.4; kis-api 3.9).
 *
 *-------------------------------------------------------------------------
 */
#include "core/order.h"
#include "tap.h"

#define O(status) QTS_ORDER_##status
#define I(status) QTS_INTENT_##status

typedef struct ReduceCase
{
	const char *name;
	QtsOrderStatus from;
	QtsOrderFacts facts;
	QtsOrderStatus to;
} ReduceCase;

/* facts: ordered, filled, cancelled, rejected, known, dead, session_over, cancel_asked */
static const ReduceCase reduce_cases[] = {
	{"nothing known", O(PENDING_SUBMIT), {10, 0, 0, 0, 0, 0, 0, 0}, O(UNKNOWN)},
	{"still nothing known", O(UNKNOWN), {10, 0, 0, 0, 0, 0, 0, 0}, O(UNKNOWN)},
	{"accepted", O(PENDING_SUBMIT), {10, 0, 0, 0, 1, 0, 0, 0}, O(SUBMITTED)},
	{"found again", O(UNKNOWN), {10, 0, 0, 0, 1, 0, 0, 0}, O(SUBMITTED)},
	{"refused at once", O(PENDING_SUBMIT), {10, 0, 0, 10, 0, 0, 0, 0}, O(REJECTED)},
	{"fill before the answer", O(PENDING_SUBMIT), {10, 10, 0, 0, 1, 0, 0, 0}, O(FILLED)},
	{"partly filled", O(SUBMITTED), {10, 4, 0, 0, 1, 0, 0, 0}, O(PARTIAL)},
	{"filled", O(PARTIAL), {10, 10, 0, 0, 1, 1, 0, 0}, O(FILLED)},
	{"filled beats cancelled", O(PARTIAL), {10, 10, 5, 0, 1, 1, 0, 1}, O(FILLED)},
	{"filled beats rejected", O(PARTIAL), {10, 10, 0, 5, 1, 1, 0, 0}, O(FILLED)},
	{"rejected by the exchange", O(SUBMITTED), {10, 0, 0, 10, 1, 1, 0, 0}, O(REJECTED)},
	{"rejected beats cancelled", O(SUBMITTED), {10, 0, 4, 6, 1, 1, 0, 1}, O(REJECTED)},
	{"cancelled, documented row", O(SUBMITTED), {10, 0, 10, 0, 1, 1, 0, 1}, O(CANCELLED)},
	{"cancelled, live row", O(SUBMITTED), {10, 0, 0, 0, 1, 1, 0, 1}, O(CANCELLED)},
	{"killed without our asking", O(SUBMITTED), {10, 0, 0, 0, 1, 1, 0, 0}, O(CANCELLED)},
	{"cancelled after the close", O(SUBMITTED), {10, 0, 10, 0, 1, 1, 1, 1}, O(CANCELLED)},
	{"vector 5", O(PARTIAL), {100, 40, 60, 0, 1, 1, 0, 1}, O(CANCELLED_PARTIAL)},
	{"cancelled rest, live row", O(PARTIAL), {100, 40, 0, 0, 1, 1, 0, 1}, O(CANCELLED_PARTIAL)},
	{"rejected rest", O(PARTIAL), {100, 40, 0, 60, 1, 1, 0, 0}, O(CANCELLED_PARTIAL)},
	{"silent expiry", O(SUBMITTED), {10, 0, 0, 10, 1, 1, 1, 0}, O(EXPIRED)},
	{"expiry without a count", O(SUBMITTED), {10, 0, 0, 0, 1, 1, 1, 0}, O(EXPIRED)},
	{"expiry of a rest", O(PARTIAL), {10, 3, 0, 7, 1, 1, 1, 0}, O(CANCELLED_PARTIAL)},
	{"the close alone kills nothing", O(SUBMITTED), {10, 0, 0, 0, 1, 0, 1, 0}, O(SUBMITTED)},
	{"asking alone cancels nothing", O(SUBMITTED), {10, 0, 0, 0, 1, 0, 0, 1}, O(SUBMITTED)},
	{"a part cancelled", O(SUBMITTED), {10, 0, 4, 0, 1, 0, 0, 1}, O(SUBMITTED)},
	{"a part cancelled and filled", O(PARTIAL), {10, 3, 4, 0, 1, 0, 0, 1}, O(PARTIAL)},
	{"counted out", O(PARTIAL), {10, 3, 7, 0, 1, 0, 0, 1}, O(CANCELLED_PARTIAL)},
	{"a missing row proves nothing", O(SUBMITTED), {10, 0, 0, 0, 0, 0, 0, 0}, O(SUBMITTED)},
	{"an old row takes no fill back", O(PARTIAL), {10, 0, 0, 0, 1, 0, 0, 0}, O(PARTIAL)},
	{"an old row revives nothing", O(FILLED), {10, 3, 0, 0, 1, 0, 0, 0}, O(FILLED)},
	{"cancelled stays", O(CANCELLED), {10, 0, 0, 0, 1, 0, 0, 0}, O(CANCELLED)},
	{"rejected stays", O(REJECTED), {10, 0, 0, 0, 1, 0, 0, 0}, O(REJECTED)},
	{"expired stays", O(EXPIRED), {10, 0, 0, 0, 1, 1, 0, 1}, O(EXPIRED)},
	{"late fill of a cancelled", O(CANCELLED), {10, 3, 7, 0, 1, 0, 0, 1}, O(CANCELLED_PARTIAL)},
	{"late full fill of a cancelled", O(CANCELLED), {10, 10, 0, 0, 1, 0, 0, 1}, O(FILLED)},
	{"late fill of a rejected", O(REJECTED), {10, 3, 0, 0, 1, 0, 0, 0}, O(CANCELLED_PARTIAL)},
	{"late fill of an expired", O(EXPIRED), {10, 10, 0, 0, 1, 1, 1, 0}, O(FILLED)},
	{"late rest", O(CANCELLED_PARTIAL), {10, 10, 0, 0, 1, 1, 0, 1}, O(FILLED)},
	{"late part", O(CANCELLED_PARTIAL), {10, 5, 0, 0, 1, 0, 0, 1}, O(CANCELLED_PARTIAL)},
	{"size unknown: not filled", O(UNKNOWN), {0, 0, 0, 0, 1, 0, 0, 0}, O(SUBMITTED)},
	{"size unknown: partly filled", O(UNKNOWN), {0, 3, 0, 0, 1, 0, 0, 0}, O(PARTIAL)},
	{"size unknown: dead", O(UNKNOWN), {0, 0, 0, 0, 1, 1, 0, 0}, O(CANCELLED)},
};

static void
test_reduce(void)
{
	for (size_t i = 0; i < sizeof(reduce_cases) / sizeof(reduce_cases[0]); i++)
	{
		const ReduceCase *c = &reduce_cases[i];

		is_text(qts_order_status_name(qts_order_reduce(c->from, &c->facts)), qts_order_status_name(c->to),
				c->name);
	}
}

static void
test_open(void)
{
	QtsOrderFacts facts = {.qty = 100, .filled = 40, .cancelled = 10, .rejected = 5};

	is(qts_order_open_qty(&facts), 45, "what is neither filled nor killed is open");
	facts.dead = true;
	is(qts_order_open_qty(&facts), 0, "nothing of a dead order");
	facts = (QtsOrderFacts){.qty = 10, .filled = 12};
	is(qts_order_open_qty(&facts), 0, "never negative");
	facts = (QtsOrderFacts){.qty = 0, .filled = INT64_MAX, .cancelled = INT64_MAX};
	is(qts_order_open_qty(&facts), 0, "no overflow");

	is(qts_available_qty(50, 50), 0, "incident 3: 50 held, 50 open, 0 available");
	is(qts_available_qty(100, 40), 60, "held less locked");
	is(qts_available_qty(100, 140), 0, "never below 0");
	is(qts_available_qty(100, -5), 100, "never above held");
	is(qts_available_qty(-5, 0), 0, "nothing held");
	is(qts_available_qty(INT64_MAX, INT64_MIN), INT64_MAX, "extremes do not overflow");
}

/* Expected matrices, one row per status, '1' = legal, in enum order. */
static const char *const order_matrix[] = {
	/* PUSPFCcRE */
	"111111111", /* PENDING_SUBMIT */
	"011111111", /* UNKNOWN */
	"001111111", /* SUBMITTED */
	"000110100", /* PARTIAL */
	"000010000", /* FILLED */
	"000011100", /* CANCELLED */
	"000010100", /* CANCELLED_PARTIAL */
	"000010110", /* REJECTED */
	"000010101", /* EXPIRED */
};

static const char *const intent_matrix[] = {
	/* ANsUSPFCcRfED: A pending approval, s submitting, f failed */
	"1100000100010", /* PENDING_APPROVAL */
	"0110000101111", /* NEW */
	"0011111111110", /* SUBMITTING */
	"0001111111110", /* UNKNOWN */
	"0000111111010", /* SUBMITTED */
	"0000011010000", /* PARTIAL */
	"0000001000000", /* FILLED */
	"0000001110000", /* CANCELLED */
	"0000001010000", /* CANCELLED_PARTIAL */
	"0000001011000", /* REJECTED */
	"0000001010100", /* FAILED */
	"0000001010010", /* EXPIRED */
	"0000000000001", /* DUPLICATE */
};

static void
test_transitions(void)
{
	bool orders = true;
	bool intents = true;

	for (int from = 0; from < QTS_ORDER_STATUS_COUNT; from++)
	{
		for (int to = 0; to < QTS_ORDER_STATUS_COUNT; to++)
			orders = tap_note(qts_order_may_change((QtsOrderStatus) from, (QtsOrderStatus) to) ==
								  (order_matrix[from][to] == '1'),
							  "%s -> %s", qts_order_status_name((QtsOrderStatus) from),
							  qts_order_status_name((QtsOrderStatus) to)) &&
					 orders;
	}
	ok(orders, "every pair of order statuses");
	for (int from = 0; from < QTS_INTENT_STATUS_COUNT; from++)
	{
		for (int to = 0; to < QTS_INTENT_STATUS_COUNT; to++)
			intents = tap_note(qts_intent_may_change((QtsIntentStatus) from, (QtsIntentStatus) to) ==
								   (intent_matrix[from][to] == '1'),
							   "%s -> %s", qts_intent_status_name((QtsIntentStatus) from),
							   qts_intent_status_name((QtsIntentStatus) to)) &&
					  intents;
	}
	ok(intents, "every pair of intent statuses");
	ok(!qts_order_may_change((QtsOrderStatus) 99, O(FILLED)) &&
		   !qts_order_may_change(O(UNKNOWN), QTS_ORDER_STATUS_COUNT) &&
		   !qts_intent_may_change((QtsIntentStatus) 99, (QtsIntentStatus) 99),
	   "no transition from or to nowhere");
}

static void
test_mirror(void)
{
	bool same = true;
	bool follows = true;
	bool live = true;

	for (int i = 0; i < QTS_ORDER_STATUS_COUNT; i++)
	{
		QtsOrderStatus order = (QtsOrderStatus) i;
		QtsIntentStatus intent = qts_intent_mirror(order);

		if (order != O(PENDING_SUBMIT))
			same = same && strcmp(qts_order_status_name(order), qts_intent_status_name(intent)) == 0;
		same = same && qts_order_terminal(order) == qts_intent_terminal(intent);
		for (int j = 0; j < QTS_ORDER_STATUS_COUNT; j++)
			follows = follows && (!qts_order_may_change(order, (QtsOrderStatus) j) ||
								  qts_intent_may_change(intent, qts_intent_mirror((QtsOrderStatus) j)));
	}
	ok(same, "a mirrored status has the order's name and finality");
	is(qts_intent_mirror(O(PENDING_SUBMIT)), I(SUBMITTING), "PENDING_SUBMIT is SUBMITTING");
	is(qts_intent_mirror((QtsOrderStatus) 99), I(UNKNOWN), "no status is UNKNOWN");
	ok(follows, "an intent can follow every transition of its order");
	for (int i = 0; i < QTS_INTENT_STATUS_COUNT; i++)
		live = live && qts_intent_live((QtsIntentStatus) i) != qts_intent_terminal((QtsIntentStatus) i) &&
			   qts_intent_live((QtsIntentStatus) i) == (i <= I(PARTIAL));
	ok(live, "an intent is either live or terminal");
}

static void
test_names(void)
{
	bool good = true;
	QtsOrderStatus order = O(UNKNOWN);
	QtsIntentStatus intent = I(UNKNOWN);

	for (int i = 0; i < QTS_ORDER_STATUS_COUNT; i++)
		good = good && qts_order_status_parse(qts_order_status_name((QtsOrderStatus) i), &order) &&
			   (int) order == i;
	for (int i = 0; i < QTS_INTENT_STATUS_COUNT; i++)
		good = good && qts_intent_status_parse(qts_intent_status_name((QtsIntentStatus) i), &intent) &&
			   (int) intent == i;
	ok(good, "names are read back");
	ok(!qts_order_status_parse("OPEN", &order) && !qts_order_status_parse(NULL, &order) &&
		   !qts_intent_status_parse("ACK", &intent) && !qts_intent_status_parse("", &intent),
	   "names of other vocabularies are refused");
	is_text(qts_order_status_name((QtsOrderStatus) -1), "INVALID", "no status, no name");
}

/* Facts that grow as a broker's would, seen in any order with gaps. */
static bool
run_random(uint64_t seed)
{
	TapRandom rng = {seed};
	QtsOrderStatus status = O(PENDING_SUBMIT);
	QtsOrderFacts facts = {.qty = tap_range(&rng, 1, 20)};

	for (int step = 0; step < 12; step++)
	{
		QtsOrderFacts seen;
		QtsOrderStatus next;

		if (tap_chance(&rng, 40))
			facts.filled += tap_range(&rng, 0, facts.qty - facts.filled);
		facts.known = facts.known || tap_chance(&rng, 50);
		facts.cancel_asked = facts.cancel_asked || tap_chance(&rng, 10);
		facts.dead = facts.dead || tap_chance(&rng, 10);
		seen = facts;
		if (tap_chance(&rng, 20))
			seen.known = seen.dead = false;
		next = qts_order_reduce(status, &seen);
		if (!qts_order_may_change(status, next) || qts_order_reduce(next, &seen) != next)
			return false;
		if ((next == O(FILLED)) != (facts.filled >= facts.qty))
			return false;
		if (facts.filled > 0 && next != O(FILLED) && next != O(PARTIAL) && next != O(CANCELLED_PARTIAL))
			return false;
		status = next;
	}
	return true;
}

static void
test_random(void)
{
	bool good = true;

	for (uint64_t seed = 1; seed <= 100000 && good; seed++)
		good = tap_note(run_random(seed), "seed %d", (int) seed);
	ok(good, "reducing is legal, idempotent and never hides a fill");
}

int
main(void)
{
	test_reduce();
	test_open();
	test_transitions();
	test_mirror();
	test_names();
	test_random();
	return tap_done();
}
