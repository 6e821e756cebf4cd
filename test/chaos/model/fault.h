/*-------------------------------------------------------------------------
 *
 * fault.h
 *		The faults a schedule can meet, the steps of an order at which they
 *		meet it, and how often each pair has happened.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHAOS_FAULT_H
#define CHAOS_FAULT_H

#include <stdint.h>
#include <stdio.h>

/* Steps of anchors 4.2; the last column counts faults that met no order at all. */
typedef enum ChaosStep
{
	STEP_S0, /* intent committed */
	STEP_S1, /* claim and order row committed */
	STEP_S2, /* request leaving, not read by the broker */
	STEP_S3, /* request read by the broker */
	STEP_S4, /* answer here, not stored; or its outcome not known */
	STEP_S5, /* answer stored */
	STEP_S6, /* notice or ledger row here, not stored */
	STEP_S7, /* fill stored */
	STEP_IDLE,
	STEP_COUNT
} ChaosStep;

typedef enum ChaosFault
{
	FAULT_CRASH,		  /* process and shared memory gone (F1-F9) */
	FAULT_ERROR,		  /* a transaction fails, the worker starts afresh (F10) */
	FAULT_ANSWER_LOST,	  /* accepted or refused, the answer never comes (F11) */
	FAULT_ANSWER_BROKEN,  /* truncated, unreadable */
	FAULT_ANSWER_LATE,	  /* seconds later, after notices and lists */
	FAULT_GATEWAY,		  /* 5xx without explanation, accepted or not */
	FAULT_REQUEST_LOST,	  /* never read by the broker, no answer */
	FAULT_NOT_SENT,		  /* connection refused before the first byte (F12) */
	FAULT_RATE,			  /* EGW00201 (F18) */
	FAULT_TOKEN,		  /* EGW00123 (F17) */
	FAULT_REJECTED,		  /* refused by the broker */
	FAULT_REJECTED_LATE,  /* refused by the exchange after acceptance */
	FAULT_CANCEL_LOST,	  /* answer of a cancel lost, carried out or not */
	FAULT_CANCEL_REFUSED, /* refused again and again though the order is open */
	FAULT_CANCEL_RACE,	  /* filled while the cancel was under way (F15) */
	FAULT_NOTICE_LOST,	  /* F14 */
	FAULT_NOTICE_TWICE,
	FAULT_NOTICE_LATE,		/* and so out of order */
	FAULT_NOTICE_EARLY,		/* before the answer */
	FAULT_NOTICE_ELSEWHERE, /* another account of the same HTS ID */
	FAULT_FEED_DOWN,		/* F19 */
	FAULT_EQUAL_FILLS,		/* two genuine equal fills in one second */
	FAULT_LEDGER_LAG,
	FAULT_LEDGER_MISSING, /* a row is not there yet */
	FAULT_LEDGER_CUT,	  /* pages missing: incomplete */
	FAULT_LEDGER_AMOUNT,  /* quantity without its amount */
	FAULT_LEDGER_EMPTY,	  /* paper */
	FAULT_LEDGER_FAILED,
	FAULT_BALANCE_LAG,
	FAULT_BALANCE_ORDERABLE, /* sellable lags behind held */
	FAULT_BALANCE_CUT,
	FAULT_FOREIGN_HTS, /* F29 */
	FAULT_FOREIGN_API, /* F30 */
	FAULT_TWIN,		   /* an order elsewhere that looks like ours */
	FAULT_HALTED,	   /* halt or VI: refused (F28) */
	FAULT_STOP,		   /* emergency stop or pause while orders wait */
	FAULT_SESSION_END, /* silent expiry */
	FAULT_NIGHT,	   /* numbers are used again the next day (F27) */
	FAULT_CLOCK,	   /* the broker's clock is seconds off (F16) */
	FAULT_COUNT
} ChaosFault;

extern const char *chaos_fault_name(ChaosFault fault);
extern const char *chaos_step_name(ChaosStep step);

typedef struct ChaosCoverage
{
	uint64_t hits[FAULT_COUNT][STEP_COUNT];
} ChaosCoverage;

extern void coverage_add(ChaosCoverage *sum, const ChaosCoverage *more);
extern void coverage_print(const ChaosCoverage *coverage, FILE *out);

/* Written at the end of a job, added up by whoever started it; false: not readable. */
extern void coverage_write(const ChaosCoverage *coverage, FILE *out);
extern int coverage_read(ChaosCoverage *coverage, FILE *in);

#endif /* CHAOS_FAULT_H */
