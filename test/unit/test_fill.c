/*-------------------------------------------------------------------------
 *
 * test_fill.c
 *		Fills from notices and ledger rows (runtime 6.5, kis-api 5.6).
 *
 *-------------------------------------------------------------------------
 */
#include "core/fill.h"
#include "tap.h"

#define STEP(step, want_qty, want_krw)                                                                       \
	((step).qty == (want_qty) && (step).price == QTS_PRICE(want_krw) && !(step).excess && !(step).dispute)

static void
test_notices(void)
{
	QtsFillBook book = {.ordered = 100};
	QtsFillStep step = qts_fill_notice(&book, 40, QTS_PRICE(70000), false);

	ok(STEP(step, 40, 70000) && book.booked_qty == 40 && book.booked_amount == 2800000,
	   "a notice is booked as it says");
	step = qts_fill_notice(&book, 40, QTS_PRICE(70000), true);
	ok(STEP(step, 0, 0) && book.notice_qty == 40, "an identical one is left to the ledger");
	step = qts_fill_notice(&book, 61, QTS_PRICE(70000), false);
	ok(step.excess && step.qty == 0 && book.notice_qty == 40, "more than ordered is not counted");
	step = qts_fill_notice(&book, 60, QTS_PRICE(70100), false);
	ok(STEP(step, 60, 70100) && book.booked_qty == 100, "the rest is");
	step = qts_fill_notice(&book, 1, QTS_PRICE(70100), false);
	ok(step.excess && book.booked_qty == 100, "a complete order takes no more");
	step = qts_fill_notice(&book, 0, QTS_PRICE(70100), false);
	ok(STEP(step, 0, 0), "no shares, no fill");
	step = qts_fill_notice(&book, INT64_MAX, QTS_PRICE(1), false);
	ok(step.excess, "absurd quantities do not overflow");
	book = (QtsFillBook){.ordered = 100};
	step = qts_fill_notice(&book, 5, 0, false);
	ok(STEP(step, 0, 0) && book.notice_qty == 0, "no price, no fill");
}

static void
test_ledger(void)
{
	QtsFillBook book = {.ordered = 100};
	QtsFillStep step = qts_fill_notice(&book, 40, QTS_PRICE(70000), false);

	step = qts_fill_ledger(&book, 40, 2800000, false);
	ok(STEP(step, 0, 0), "a row that agrees adds nothing");
	step = qts_fill_ledger(&book, 100, 2800000 + 60 * 70100, true);
	ok(STEP(step, 60, 70100) && book.booked_amount == 7006000,
	   "a lost notice is booked at the price of the difference");
	step = qts_fill_ledger(&book, 100, 7006000, true);
	ok(STEP(step, 0, 0), "the same row again adds nothing");
	step = qts_fill_notice(&book, 60, QTS_PRICE(70100), false);
	ok(STEP(step, 0, 0) && book.notice_qty == 100, "the late notice is absorbed");
	step = qts_fill_ledger(&book, 40, 2800000, false);
	ok(STEP(step, 0, 0) && book.ledger_qty == 100, "an old row takes nothing back");

	book = (QtsFillBook){.ordered = 10};
	step = qts_fill_ledger(&book, 5, 0, false);
	ok(STEP(step, 0, 0) && book.booked_qty == 0, "a row whose amount lags waits");
	step = qts_fill_ledger(&book, 5, 350000, false);
	ok(STEP(step, 5, 70000), "until the amount is there");
	(void) qts_fill_ledger(&book, 5, 350500, false);
	is(book.ledger_amount, 350500, "a corrected amount of the same quantity is kept");
	step = qts_fill_ledger(&book, 11, 770000, true);
	ok(step.dispute && step.qty == 0 && book.ledger_qty == 5, "more than ordered is disputed");
	step = qts_fill_ledger(&book, -1, 0, true);
	ok(step.dispute && book.ledger_qty == 5, "a negative row too");

	book = (QtsFillBook){.ordered = 10};
	(void) qts_fill_notice(&book, 8, QTS_PRICE(70000), false);
	step = qts_fill_ledger(&book, 5, 350000, false);
	ok(STEP(step, 0, 0), "a lagging row is no dispute");
	step = qts_fill_ledger(&book, 5, 350000, true);
	ok(step.dispute && step.qty == 0 && book.booked_qty == 8, "a final row below what is booked is");

	/* a notice with a wrong price has eaten the amount of the rest */
	book = (QtsFillBook){.ordered = 10};
	(void) qts_fill_notice(&book, 5, QTS_PRICE(700000), false);
	step = qts_fill_ledger(&book, 10, 700000, true);
	ok(step.qty == 5 && step.price == QTS_PRICE(70000), "a difference never has a silly price");

	book = (QtsFillBook){.ordered = 3};
	step = qts_fill_ledger(&book, 3, 100000, true);
	ok(step.qty == 3 && step.price == 333333333 && book.booked_amount == 100000,
	   "an average price rounds back to the amount");
}

static void
test_equal_fills(void)
{
	QtsFillBook book = {.ordered = 5};
	QtsFillStep step;

	/* 3 of 5, then two equal single shares in one second */
	(void) qts_fill_notice(&book, 3, QTS_PRICE(70000), false);
	(void) qts_fill_notice(&book, 1, QTS_PRICE(70000), false);
	(void) qts_fill_notice(&book, 1, QTS_PRICE(70000), true);
	is(book.booked_qty, 4, "the second equal fill is not booked on its word alone");
	step = qts_fill_ledger(&book, 5, 350000, true);
	ok(STEP(step, 1, 70000) && book.booked_qty == 5, "the ledger proves it genuine");

	book = (QtsFillBook){.ordered = 5};
	(void) qts_fill_notice(&book, 4, QTS_PRICE(70000), false);
	(void) qts_fill_notice(&book, 4, QTS_PRICE(70000), true);
	step = qts_fill_ledger(&book, 4, 280000, true);
	ok(STEP(step, 0, 0) && book.booked_qty == 4, "or a duplicate");

	/* a row that covers two notices of which one is still to come */
	book = (QtsFillBook){.ordered = 10};
	(void) qts_fill_ledger(&book, 5, 350000, false);
	step = qts_fill_notice(&book, 3, QTS_PRICE(70000), false);
	ok(STEP(step, 0, 0), "a notice inside what the ledger showed");
	step = qts_fill_notice(&book, 6, QTS_PRICE(70200), false);
	ok(STEP(step, 4, 70200) && book.booked_qty == 9, "one that reaches beyond books the excess");
}

/*
 * A true history of fills, told by notices that are lost, repeated or late
 * and by ledger rows that lag.  The final row is complete.
 */
#define FILLS 12

typedef struct Truth
{
	int count;
	QtsQty qty[FILLS];
	QtsPrice price[FILLS];
	QtsTime second[FILLS];
	bool told[FILLS];
} Truth;

static void
truth_invent(Truth *truth, TapRandom *rng, QtsQty ordered)
{
	QtsQty left = ordered;

	memset(truth, 0, sizeof(*truth));
	while (left > 0 && truth->count < FILLS && !tap_chance(rng, 10))
	{
		int i = truth->count++;

		truth->qty[i] = tap_range(rng, 1, left < 4 ? left : 4);
		truth->price[i] = QTS_PRICE(tap_range(rng, 700, 702) * 100);
		truth->second[i] = i / 3;
		left -= truth->qty[i];
	}
}

/* Has an identical notice been told already? */
static bool
truth_repeats(const Truth *truth, int which)
{
	for (int i = 0; i < truth->count; i++)
	{
		if (truth->told[i] && truth->second[i] == truth->second[which] &&
			truth->qty[i] == truth->qty[which] && truth->price[i] == truth->price[which])
			return true;
	}
	return false;
}

static QtsFillStep
truth_row(const Truth *truth, int upto, QtsFillBook *book)
{
	QtsQty qty = 0;
	QtsKrw amount = 0;

	for (int i = 0; i < upto; i++)
	{
		qty += truth->qty[i];
		amount += truth->qty[i] * (truth->price[i] / QTS_PRICE_SCALE);
	}
	return qts_fill_ledger(book, qty, amount, upto == truth->count);
}

static bool
run_history(uint64_t seed, QtsKrw *difference)
{
	TapRandom rng = {seed};
	QtsFillBook book = {.ordered = tap_range(&rng, 1, 30)};
	Truth truth;
	QtsQty booked = 0;
	QtsQty total = 0;
	QtsKrw amount = 0;
	QtsFillStep step;

	truth_invent(&truth, &rng, book.ordered);
	for (int now = 0; now < truth.count + 6; now++)
	{
		int happened = now < truth.count ? now + 1 : truth.count;
		QtsQty before = book.booked_qty;

		if (happened == 0)
			break;
		if (tap_chance(&rng, 60))
		{
			int which = (int) tap_range(&rng, 0, happened - 1);
			bool repeat = truth_repeats(&truth, which);

			step = qts_fill_notice(&book, truth.qty[which], truth.price[which], repeat);
			truth.told[which] = true;
			if (step.excess || step.dispute)
				return false;
		}
		else
		{
			int upto = (int) tap_range(&rng, 0, happened);

			/* a row cannot be final before all has happened */
			if (upto == truth.count && now < truth.count)
				continue;
			step = truth_row(&truth, upto, &book);
			if (step.dispute)
				return false;
		}
		booked += step.qty;
		if (book.booked_qty != before + step.qty || step.qty < 0 || book.booked_qty != booked ||
			book.booked_qty > book.ordered || (step.qty > 0 && step.price <= 0))
			return false;
	}
	step = truth_row(&truth, truth.count, &book);
	for (int i = 0; i < truth.count; i++)
	{
		total += truth.qty[i];
		amount += truth.qty[i] * (truth.price[i] / QTS_PRICE_SCALE);
	}
	*difference = book.booked_amount - amount;
	return !step.dispute && book.booked_qty == total && book.booked_qty == booked + step.qty;
}

static void
test_histories(void)
{
	bool good = true;
	bool money = true;

	for (uint64_t seed = 1; seed <= 200000 && good; seed++)
	{
		QtsKrw difference = 0;

		good = tap_note(run_history(seed, &difference), "seed %d", (int) seed);
		/* a late notice may book shares of an earlier one at its own price */
		money = tap_note(difference >= -200 * 30 && difference <= 200 * 30, "seed %d: %d KRW", (int) seed,
						 (int) difference) &&
				money;
	}
	ok(good, "the final row makes the booked quantity true, never beyond ordered, never less");
	ok(money, "and the amount differs at most by the spread of the prices");
}

/* Nothing a witness can say breaks the bounds. */
static bool
run_nonsense(uint64_t seed)
{
	TapRandom rng = {seed};
	QtsFillBook book = {.ordered = tap_range(&rng, 0, 50)};
	QtsQty sum = 0;

	for (int i = 0; i < 30; i++)
	{
		QtsFillBook before = book;
		QtsFillStep step;

		if (tap_chance(&rng, 50))
			step = qts_fill_notice(&book, tap_range(&rng, -2, 60), tap_range(&rng, -1, 100) * QTS_PRICE_SCALE,
								   tap_chance(&rng, 20));
		else
			step = qts_fill_ledger(&book, tap_range(&rng, -2, 60), tap_range(&rng, -5, 9000),
								   tap_chance(&rng, 20));
		sum += step.qty;
		if (step.qty < 0 || book.booked_qty != sum || book.booked_qty > book.ordered ||
			book.notice_qty < before.notice_qty || book.ledger_qty < before.ledger_qty ||
			book.booked_amount < before.booked_amount || book.ledger_amount < before.ledger_amount ||
			book.ledger_qty > book.ordered || (step.qty > 0 && step.price <= 0))
			return false;
	}
	return true;
}

static void
test_nonsense(void)
{
	bool good = true;

	for (uint64_t seed = 1; seed <= 50000 && good; seed++)
		good = tap_note(run_nonsense(seed), "seed %d", (int) seed);
	ok(good, "no input breaks the bounds of the book");
}

/* The ledger came first with the older fill; the notices come newest first. */
static void
test_late_notices(void)
{
	QtsFillBook book = {.ordered = 5};
	QtsFillStep step = qts_fill_ledger(&book, 2, 200, false);

	ok(step.qty == 2 && step.price == QTS_PRICE(100), "the ledger's two shares");
	step = qts_fill_notice(&book, 3, QTS_PRICE(110), false);
	ok(step.qty == 1, "a notice of three books the one share beyond them");
	step = qts_fill_notice(&book, 2, QTS_PRICE(100), false);
	ok(step.qty == 2 && book.booked_qty == 5 && book.booked_amount == 530,
	   "the last notice completes quantity and amount");
}

int
main(void)
{
	test_late_notices();
	test_notices();
	test_ledger();
	test_equal_fills();
	test_histories();
	test_nonsense();
	return tap_done();
}
