/*-------------------------------------------------------------------------
 *
 * exit_fixture.h
 *		A position, its state and a quote for the exit tests.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_TEST_EXIT_FIXTURE_H
#define QTS_TEST_EXIT_FIXTURE_H

#include "core/exit.h"
#include "core/money.h"
#include "tap.h"

#define FIXTURE_START (INT64_C(800000000) * QTS_SEC)

typedef struct Fixture
{
	QtsExitProfile profile;
	QtsExitPosition position;
	QtsExitState state;
	QtsExitQuote quote;
	QtsControlMode control;
	QtsTime now;
} Fixture;

/* 100 shares at 100,000 KRW, so that 1,000 KRW are one per cent. */
static inline Fixture
fixture(void)
{
	Fixture f = {
		.profile = qts_exit_profile_default(),
		.position =
			{
				.qty = 100,
				.available = 100,
				.original_qty = 100,
				.avg_price = QTS_PRICE(100000),
				.mode = QTS_POSITION_ENABLED,
			},
		.state = {.phase = QTS_PHASE_OPEN, .cycle = 1, .atr_pct = 0},
		.quote = {.in_session = true},
		.control = QTS_CONTROL_RUNNING,
		.now = FIXTURE_START,
	};

	return f;
}

/* A second later the bid is this. */
static inline QtsExitDecision
fixture_at(Fixture *f, QtsKrw bid)
{
	f->now += QTS_SEC;
	f->quote.bid = QTS_PRICE(bid);
	f->quote.last = QTS_PRICE(bid);
	return qts_exit_evaluate(&f->profile, &f->position, &f->state, &f->quote, f->control, f->now);
}

/* The broker confirms what was decided. */
static inline void
fixture_fill(Fixture *f, QtsExitRule rule, QtsQty filled)
{
	f->position.qty -= filled;
	f->position.available = f->position.qty;
	qts_exit_apply_fill(&f->profile, &f->state, rule, filled, f->position.qty, f->position.avg_price);
}

/* Bring a fresh position into a phase by confirmed fills. */
static inline Fixture
fixture_in(QtsExitPhase phase)
{
	Fixture f = fixture();

	(void) fixture_at(&f, 100000);
	if (phase >= QTS_PHASE_TP1_DONE)
		fixture_fill(&f, QTS_RULE_TP1, 25);
	if (phase >= QTS_PHASE_TP2_DONE)
		fixture_fill(&f, QTS_RULE_TP2, 25);
	if (phase == QTS_PHASE_TP3_DONE)
		f.profile.start_trailing = false;
	if (phase >= QTS_PHASE_TP3_DONE)
		fixture_fill(&f, QTS_RULE_TP3, 20);
	return f;
}

static inline bool
decided(QtsExitDecision decision, QtsExitRule rule, QtsQty qty)
{
	return tap_note(decision.rule == rule && decision.qty == qty, "decided %s of %d, hold %s",
					qts_exit_rule_name(decision.rule), (int) decision.qty,
					qts_exit_block_name(decision.hold));
}

#endif /* QTS_TEST_EXIT_FIXTURE_H */
