/*-------------------------------------------------------------------------
 *
 * test_priority.c
 *		Scores of symbols and the set that is pushed (runtime 3.4, 3.5).
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>

#include "core/priority.h"
#include "tap.h"

#define MANY 60

static QtsFollowed
followed(const char *symbol, unsigned why, QtsKrw value)
{
	QtsFollowed f = {.why = why, .value = value};

	snprintf(f.symbol, sizeof(f.symbol), "%s", symbol);
	return f;
}

static void
test_score(void)
{
	is(qts_follow_score(QTS_FOLLOW_HELD), 10000, "a holding");
	is(qts_follow_score(QTS_FOLLOW_HELD | QTS_FOLLOW_CLOSING), 15000, "one that is being sold");
	is(qts_follow_score(QTS_FOLLOW_ORDER), 5000, "an open order");
	is(qts_follow_score(QTS_FOLLOW_CANDIDATE), 3000, "a candidate");
	is(qts_follow_score(QTS_FOLLOW_WATCH), 1000, "watched");
	is(qts_follow_score(QTS_FOLLOW_SIGNAL), 800, "a buy signal");
	is(qts_follow_score(QTS_FOLLOW_SYSTEM), 500, "a system symbol");
	is(qts_follow_score(QTS_FOLLOW_RANKING), 100, "a ranking");
	is(qts_follow_score(QTS_FOLLOW_WATCH | QTS_FOLLOW_SIGNAL), 1800, "reasons add up");
	is(qts_follow_score(0), 0, "no reason");
}

static void
test_order(void)
{
	unsigned others = QTS_FOLLOW_ORDER | QTS_FOLLOW_CANDIDATE | QTS_FOLLOW_WATCH | QTS_FOLLOW_SIGNAL |
					  QTS_FOLLOW_SYSTEM | QTS_FOLLOW_RANKING;
	QtsFollowed held = followed("000001", QTS_FOLLOW_HELD, 1);
	QtsFollowed rich = followed("000002", QTS_FOLLOW_HELD, 2);
	QtsFollowed twin = followed("000003", QTS_FOLLOW_HELD, 1);
	QtsFollowed all = followed("000004", others, 0);

	ok(qts_follow_score(others) > qts_follow_score(QTS_FOLLOW_HELD) && qts_follow_compare(&held, &all) < 0,
	   "a holding goes before any sum of other reasons");
	ok(qts_follow_compare(&rich, &held) < 0, "the more valuable holding first");
	ok(qts_follow_compare(&held, &twin) < 0 && qts_follow_compare(&twin, &held) > 0,
	   "B-P4: of equals the symbol decides");
	is(qts_follow_compare(&held, &held), 0, "equal to itself");
}

static void
test_choose(void)
{
	QtsFollowed ranked[MANY];
	char current[MANY][QTS_SYMBOL_LEN + 1];
	int chosen[MANY];
	char name[QTS_SYMBOL_LEN + 1];
	bool good = true;

	for (int i = 0; i < MANY; i++)
	{
		snprintf(name, sizeof(name), "%06u", (unsigned) i % 1000000);
		ranked[i] = followed(name, i < 45 ? QTS_FOLLOW_HELD : QTS_FOLLOW_WATCH, 1000 - i);
	}
	is(qts_push_choose(ranked, MANY, NULL, 0, 40, chosen), 40, "no more than there are places");
	for (int i = 0; i < 40; i++)
		good &= chosen[i] == i;
	ok(good, "the first by rank");
	is(qts_push_choose(ranked, 3, NULL, 0, 40, chosen), 3, "fewer symbols than places");
	is(qts_push_choose(ranked, 0, NULL, 0, 40, chosen), 0, "none");
	is(qts_push_choose(ranked, MANY, NULL, 0, 0, chosen), 0, "no place");

	/* a holding of rank 44 has its place already, and a watched one too */
	memcpy(current[0], ranked[44].symbol, sizeof(current[0]));
	memcpy(current[1], ranked[50].symbol, sizeof(current[1]));
	is(qts_push_choose(ranked, MANY, (const char(*)[QTS_SYMBOL_LEN + 1]) current, 2, 40, chosen), 40,
	   "as many again");
	ok(chosen[39] == 44 && chosen[38] == 38,
	   "a holding that is pushed is never evicted, the last newcomer waits");
	ranked[44].why = QTS_FOLLOW_ORDER;
	qsort(ranked, MANY, sizeof(ranked[0]), qts_follow_compare);
	(void) qts_push_choose(ranked, MANY, (const char(*)[QTS_SYMBOL_LEN + 1]) current, 2, 40, chosen);
	ok(chosen[39] == 39, "once sold it is");
}

/* B-P4: whatever the order of the input, the same set. */
static void
test_deterministic(void)
{
	TapRandom rng = {11};
	bool good = true;

	for (int run = 0; run < 200 && good; run++)
	{
		QtsFollowed one[MANY];
		QtsFollowed two[MANY];
		int chosen[MANY];

		for (int i = 0; i < MANY; i++)
		{
			char name[QTS_SYMBOL_LEN + 1];

			snprintf(name, sizeof(name), "%06u", (unsigned) i % 1000000);
			one[i] = followed(name, (unsigned) tap_range(&rng, 0, 255), tap_range(&rng, 0, 3));
		}
		memcpy(two, one, sizeof(two));
		for (int i = MANY - 1; i > 0; i--)
		{
			int k = (int) tap_range(&rng, 0, i);
			QtsFollowed swap = two[i];

			two[i] = two[k];
			two[k] = swap;
		}
		qsort(one, MANY, sizeof(one[0]), qts_follow_compare);
		qsort(two, MANY, sizeof(two[0]), qts_follow_compare);
		good = tap_note(memcmp(one, two, sizeof(one)) == 0, "run %d", run);
		(void) qts_push_choose(one, MANY, NULL, 0, 40, chosen);
		for (int i = 0; i < MANY && good; i++)
			good = tap_note((one[i].why & QTS_FOLLOW_HELD) == 0 || i >= 40 || chosen[i] == i, "held %d", i);
	}
	ok(good, "B-P4: the same symbols in any order give the same set, holdings in front");
}

int
main(void)
{
	test_score();
	test_order();
	test_choose();
	test_deterministic();
	return tap_done();
}
