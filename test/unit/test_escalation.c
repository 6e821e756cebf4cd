/*-------------------------------------------------------------------------
 *
 * test_escalation.c
 *		Levels of stale data: entering, rising, recovering (runtime 4.16).
 *
 *-------------------------------------------------------------------------
 */
#include "core/escalation.h"
#include "exit_fixture.h"
#include "tap.h"

#define NOW (INT64_C(800000000) * QTS_SEC)

static QtsEscalation escalation;

static QtsHeldFigures
held(int count, int stale)
{
	QtsHeldFigures figures = {0};

	for (int i = 0; i < count; i++)
		qts_held_add(&figures, i < stale, false);
	return figures;
}

/* A look at so many ms, the first of a story at 0; the level after it. */
static QtsEscalationLevel
look(int count, int stale, int64_t ms)
{
	QtsHeldFigures figures = held(count, stale);

	(void) qts_escalation_look(&escalation, &figures, true, true, NOW + ms * QTS_MS);
	return escalation.level;
}

static void
begin(QtsEscalationLevel level)
{
	qts_escalation_start(&escalation, level);
}

/* At that level, with that many stale since 0 and looked at every second: the ms at which it changes, -1 = not in 10 min. */
static int64_t
changes_at(QtsEscalationLevel from, int count, int stale)
{
	begin(from);
	for (int64_t ms = 0; ms <= 600000; ms += 1000)
		if (look(count, stale, ms) != from)
			return ms;
	return -1;
}

static void
test_failure(void)
{
	begin(QTS_ESCALATION_NONE);
	is(look(7, 7, 0), QTS_ESCALATION_NONE, "nothing is fresh");
	is(look(7, 7, 29999), QTS_ESCALATION_NONE, "for 29.999 s");
	is(look(7, 7, 30000), QTS_ESCALATION_L3, "for 30 s: L3");
	begin(QTS_ESCALATION_NONE);
	(void) look(7, 7, 0);
	(void) look(7, 6, 15000);
	is(look(7, 7, 16000), QTS_ESCALATION_NONE, "one fresh look in between");
	is(look(7, 7, 45999), QTS_ESCALATION_NONE, "starts it again");
	is(look(7, 7, 46000), QTS_ESCALATION_L3, "and 30 s after that it is L3");
	is(changes_at(QTS_ESCALATION_NONE, 1, 1), 30000, "the only symbol held is all that is held");
	is(changes_at(QTS_ESCALATION_NONE, 0, 0), -1, "nothing is held");
	is(qts_escalation_mode(QTS_ESCALATION_L3), QTS_CONTROL_PAUSE_ALL, "L3: PAUSE_ALL");
	is(qts_escalation_mode(QTS_ESCALATION_L2), QTS_CONTROL_PAUSE_PROFIT, "L2: PAUSE_PROFIT");
}

static void
test_works(void)
{
	QtsHeldFigures figures = held(7, 0);
	QtsHeldFigures none = held(0, 0);

	begin(QTS_ESCALATION_NONE);
	(void) qts_escalation_look(&escalation, &figures, true, false, NOW);
	ok(!qts_escalation_look(&escalation, &figures, true, false, NOW + 29 * QTS_SEC),
	   "nobody works on prices, though they are fresh still");
	ok(qts_escalation_look(&escalation, &figures, true, false, NOW + 30 * QTS_SEC), "for 30 s");
	is(escalation.level, QTS_ESCALATION_L3, "it is L3");
	ok(!qts_escalation_look(&escalation, &figures, true, false, NOW + 90 * QTS_SEC),
	   "fresh prices alone do not end it");
	begin(QTS_ESCALATION_NONE);
	(void) qts_escalation_look(&escalation, &none, true, false, NOW);
	ok(!qts_escalation_look(&escalation, &none, true, false, NOW + QTS_HOUR),
	   "but nothing is held back where nothing is held");
}

static void
test_instability(void)
{
	begin(QTS_ESCALATION_NONE);
	is(look(20, 5, 0), QTS_ESCALATION_NONE, "five of twenty");
	is(look(20, 5, 59999), QTS_ESCALATION_NONE, "for 59.999 s");
	is(look(20, 5, 60000), QTS_ESCALATION_L2, "for a minute: L2");
	is(changes_at(QTS_ESCALATION_NONE, 20, 4), -1, "four of twenty are no instability");
	is(changes_at(QTS_ESCALATION_NONE, 8, 4), 60000, "four of eight are half");
	is(changes_at(QTS_ESCALATION_NONE, 7, 3), -1, "three of seven are not");
	is(changes_at(QTS_ESCALATION_NONE, 3, 2), 60000, "two of three");
	is(changes_at(QTS_ESCALATION_NONE, 2, 1), -1, "one of two is a single symbol");
	begin(QTS_ESCALATION_NONE);
	(void) look(20, 5, 0);
	(void) look(20, 20, 40000);
	is(look(20, 20, 60000), QTS_ESCALATION_L2, "L2 while it gets worse");
	is(look(20, 20, 69999), QTS_ESCALATION_L2, "until nothing was fresh for 30 s");
	is(look(20, 20, 70000), QTS_ESCALATION_L3, "then it rises to L3");
	is(look(20, 6, 71000), QTS_ESCALATION_L3, "and does not fall to L2");
	is(look(20, 6, 600000), QTS_ESCALATION_L3, "however long");
}

static void
test_recovery(void)
{
	begin(QTS_ESCALATION_L3);
	is(look(7, 4, 0), QTS_ESCALATION_L3, "three of seven update: half is stale");
	is(look(7, 3, 1000), QTS_ESCALATION_L3, "four of seven");
	is(look(7, 3, 30999), QTS_ESCALATION_L3, "for 29.999 s");
	is(look(7, 3, 31000), QTS_ESCALATION_NONE, "for 30 s: RUNNING");
	is(changes_at(QTS_ESCALATION_L2, 20, 4), 30000, "four stale");
	is(changes_at(QTS_ESCALATION_L2, 20, 5), -1, "five stale");
	is(changes_at(QTS_ESCALATION_L2, 4, 1), 30000, "three of four are enough");
	is(changes_at(QTS_ESCALATION_L2, 3, 1), -1, "two of three are not");
	is(changes_at(QTS_ESCALATION_L2, 2, 0), 30000, "all, where two are held");
	is(changes_at(QTS_ESCALATION_L2, 2, 1), -1, "not one of them");
	is(changes_at(QTS_ESCALATION_L2, 1, 0), 30000, "all, where one is held");
	is(changes_at(QTS_ESCALATION_L3, 0, 0), 30000, "when nothing is held any more it ends as well");
	begin(QTS_ESCALATION_L3);
	(void) look(7, 0, 0);
	(void) look(7, 7, 20000);
	is(look(7, 0, 21000), QTS_ESCALATION_L3, "a break");
	is(look(7, 0, 50999), QTS_ESCALATION_L3, "starts the 30 s again");
	is(look(7, 0, 51000), QTS_ESCALATION_NONE, "and it recovers");
	is(look(7, 7, 52000), QTS_ESCALATION_NONE, "what comes next");
	is(look(7, 7, 81999), QTS_ESCALATION_NONE, "needs its own time");
	is(look(7, 7, 82000), QTS_ESCALATION_L3, "of 30 s");
}

/* Whatever is held and stale: a level that stands ends, or what would set it is the case. */
static void
test_no_flapping(void)
{
	bool good = true;

	for (int count = 0; count <= 30; count++)
		for (int stale = 0; stale <= count; stale++)
		{
			bool enters = changes_at(QTS_ESCALATION_NONE, count, stale) >= 0;
			bool leaves = changes_at(QTS_ESCALATION_L2, count, stale) == 30000 &&
						  escalation.level == QTS_ESCALATION_NONE;

			good &= tap_note(!(enters && leaves), "%d of %d stale both enters and leaves", stale, count);
		}
	ok(good, "no figures both set a level and end it");
}

static void
test_clock(void)
{
	begin(QTS_ESCALATION_NONE);
	(void) look(7, 7, 0);
	is(look(7, 7, -3600000), QTS_ESCALATION_NONE, "the clock steps back by an hour");
	is(look(7, 7, -3600000 + 29999), QTS_ESCALATION_NONE, "the wait starts again");
	is(look(7, 7, -3600000 + 30000), QTS_ESCALATION_L3, "and ends");
	(void) look(7, 0, 0);
	is(look(7, 0, -60000), QTS_ESCALATION_L3, "the same in recovery");
	is(look(7, 0, -30000), QTS_ESCALATION_NONE, "nobody waits for an hour that comes again");
	begin(QTS_ESCALATION_NONE);
	escalation.failed_since = INT64_MIN + 1;
	is(look(7, 7, INT64_C(9000000000000000)), QTS_ESCALATION_L3,
	   "a difference that cannot be told is a long one");
}

static void
test_session(void)
{
	QtsHeldFigures figures = held(7, 7);

	begin(QTS_ESCALATION_NONE);
	(void) look(7, 7, 0);
	ok(!qts_escalation_look(&escalation, &figures, false, true, NOW + 40 * QTS_SEC),
	   "where no prices are expected nothing escalates");
	is(look(7, 7, 41000), QTS_ESCALATION_NONE, "the time before it does not count");
	is(look(7, 7, 71000), QTS_ESCALATION_L3, "the time after it does");
	ok(qts_escalation_look(&escalation, &figures, false, true, NOW + 72 * QTS_SEC), "a level ends");
	is(escalation.level, QTS_ESCALATION_NONE, "with the session");
}

static void
test_symbol(void)
{
	QtsSymbolHold symbol;
	QtsHeldFigures one = held(4, 1);
	QtsHeldFigures all = held(4, 4);

	qts_symbol_start(&symbol, false);
	(void) qts_symbol_look(&symbol, &one, true, NOW);
	ok(!qts_symbol_look(&symbol, &one, true, NOW + 179999 * QTS_MS), "a symbol is stale for 179.999 s");
	ok(qts_symbol_look(&symbol, &one, true, NOW + 180 * QTS_SEC) && symbol.held, "for 180 s: L1");
	ok(!qts_symbol_look(&symbol, &one, false, NOW + 181 * QTS_SEC), "it is fresh");
	ok(!qts_symbol_look(&symbol, &one, true, NOW + 200 * QTS_SEC), "and stale again");
	(void) qts_symbol_look(&symbol, &one, false, NOW + 201 * QTS_SEC);
	ok(!qts_symbol_look(&symbol, &one, false, NOW + 230999 * QTS_MS), "fresh for 29.999 s");
	ok(qts_symbol_look(&symbol, &one, false, NOW + 231 * QTS_SEC) && !symbol.held, "for 30 s: it ends");
	(void) qts_symbol_look(&symbol, &one, true, NOW + 300 * QTS_SEC);
	(void) qts_symbol_look(&symbol, &all, true, NOW + 400 * QTS_SEC);
	(void) qts_symbol_look(&symbol, &one, true, NOW + 500 * QTS_SEC);
	ok(!qts_symbol_look(&symbol, &one, true, NOW + 679 * QTS_SEC),
	   "time in which nothing is fresh is not about this symbol");
	ok(qts_symbol_look(&symbol, &one, true, NOW + 680 * QTS_SEC), "only what comes after it");
	(void) qts_symbol_look(&symbol, &one, false, NOW + 700 * QTS_SEC);
	ok(!qts_symbol_look(&symbol, &one, false, NOW + 600 * QTS_SEC), "the clock steps back");
	ok(qts_symbol_look(&symbol, &one, false, NOW + 630 * QTS_SEC), "the wait starts again");
}

/* What L1 deals with does not keep the others from recovering. */
static void
test_held_back(void)
{
	QtsHeldFigures figures = {0};

	for (int i = 0; i < 4; i++)
		qts_held_add(&figures, true, true);
	qts_held_add(&figures, false, false);
	begin(QTS_ESCALATION_L3);
	(void) qts_escalation_look(&escalation, &figures, true, true, NOW);
	ok(qts_escalation_look(&escalation, &figures, true, true, NOW + 30 * QTS_SEC),
	   "four held back and the other one fresh: recovered");
	qts_held_add(&figures, true, true);
	begin(QTS_ESCALATION_NONE);
	(void) qts_escalation_look(&escalation, &figures, true, true, NOW);
	ok(qts_escalation_look(&escalation, &figures, true, true, NOW + 60 * QTS_SEC),
	   "but five stale ones are five, held back or not");
}

/* What L1 lets through of one position. */
static void
test_position(void)
{
	QtsExitExplain rows[QTS_EXIT_ROWS];
	Fixture f = fixture();
	int n;

	f.position.held_back = true;
	ok(decided(fixture_at(&f, 94000), QTS_RULE_NONE, 0), "held back, -6 %: none");
	n = qts_exit_explain(&f.profile, &f.position, &f.state, &f.quote, f.control, f.now, rows);
	for (int i = 0; i < n; i++)
		if (rows[i].rule == QTS_RULE_SL2)
			is(rows[i].blocked_by, QTS_BLOCK_HELD_BACK, "and it is said why");
	ok(decided(fixture_at(&f, 107000), QTS_RULE_NONE, 0), "+7 %: none");
	ok(decided(fixture_at(&f, 89000), QTS_RULE_HARD_STOP, 100), "-11 %: HARD_STOP");
	f = fixture();
	f.position.held_back = true;
	f.control = QTS_CONTROL_PAUSE_PROFIT;
	ok(decided(fixture_at(&f, 94000), QTS_RULE_NONE, 0), "the stricter of the two holds");
	f.control = QTS_CONTROL_EMERGENCY_FLATTEN;
	ok(decided(fixture_at(&f, 100000), QTS_RULE_EMERGENCY, 100), "EMERGENCY is a person's");
	f = fixture();
	f.position.held_back = true;
	f.position.mode = QTS_POSITION_MANUAL_ONLY;
	ok(decided(fixture_at(&f, 89000), QTS_RULE_NONE, 0), "MANUAL_ONLY is left to people");
}

static void
test_names(void)
{
	is_text(qts_escalation_name(QTS_ESCALATION_L3), "L3", "as tables spell it");
	is(qts_escalation_parse("L2"), QTS_ESCALATION_L2, "and back");
	is(qts_escalation_parse(NULL), QTS_ESCALATION_NONE, "nothing is no level");
	is(qts_escalation_parse("L9"), QTS_ESCALATION_NONE, "as is anything else");
}

int
main(void)
{
	test_failure();
	test_works();
	test_instability();
	test_recovery();
	test_no_flapping();
	test_clock();
	test_session();
	test_symbol();
	test_held_back();
	test_position();
	test_names();
	return tap_done();
}
