/*-------------------------------------------------------------------------
 *
 * fault.c
 *		Names of faults and steps; the coverage matrix.
 *
 *-------------------------------------------------------------------------
 */
#include <inttypes.h>

#include "fault.h"

static const char *const fault_names[] = {
	[FAULT_CRASH] = "crash",
	[FAULT_ERROR] = "error",
	[FAULT_ANSWER_LOST] = "answer lost",
	[FAULT_ANSWER_BROKEN] = "answer broken",
	[FAULT_ANSWER_LATE] = "answer late",
	[FAULT_GATEWAY] = "gateway 5xx",
	[FAULT_REQUEST_LOST] = "request lost",
	[FAULT_NOT_SENT] = "not sent",
	[FAULT_RATE] = "rate refused",
	[FAULT_TOKEN] = "token expired",
	[FAULT_REJECTED] = "rejected",
	[FAULT_REJECTED_LATE] = "rejected late",
	[FAULT_CANCEL_LOST] = "cancel lost",
	[FAULT_CANCEL_REFUSED] = "cancel refused",
	[FAULT_CANCEL_RACE] = "cancel race",
	[FAULT_NOTICE_LOST] = "notice lost",
	[FAULT_NOTICE_TWICE] = "notice twice",
	[FAULT_NOTICE_LATE] = "notice late",
	[FAULT_NOTICE_EARLY] = "notice early",
	[FAULT_NOTICE_ELSEWHERE] = "notice elsewhere",
	[FAULT_FEED_DOWN] = "feed down",
	[FAULT_EQUAL_FILLS] = "equal fills",
	[FAULT_LEDGER_LAG] = "ledger lag",
	[FAULT_LEDGER_MISSING] = "ledger row missing",
	[FAULT_LEDGER_CUT] = "ledger cut",
	[FAULT_LEDGER_AMOUNT] = "ledger amount lag",
	[FAULT_LEDGER_EMPTY] = "ledger empty",
	[FAULT_LEDGER_FAILED] = "ledger failed",
	[FAULT_BALANCE_LAG] = "balance lag",
	[FAULT_BALANCE_ORDERABLE] = "orderable lag",
	[FAULT_BALANCE_CUT] = "balance cut",
	[FAULT_FOREIGN_HTS] = "foreign HTS",
	[FAULT_FOREIGN_API] = "foreign API",
	[FAULT_TWIN] = "twin order",
	[FAULT_HALTED] = "symbol halted",
	[FAULT_STOP] = "stop switch",
	[FAULT_SESSION_END] = "session end",
	[FAULT_NIGHT] = "night, numbers anew",
	[FAULT_CLOCK] = "clock skew",
};

static const char *const step_names[] = {"S0", "S1", "S2", "S3", "S4", "S5", "S6", "S7", "idle"};

const char *
chaos_fault_name(ChaosFault fault)
{
	return fault_names[fault];
}

const char *
chaos_step_name(ChaosStep step)
{
	return step_names[step];
}

void
coverage_add(ChaosCoverage *sum, const ChaosCoverage *more)
{
	for (int f = 0; f < FAULT_COUNT; f++)
		for (int s = 0; s < STEP_COUNT; s++)
			sum->hits[f][s] += more->hits[f][s];
}

void
coverage_print(const ChaosCoverage *coverage, FILE *out)
{
	fprintf(out, "%-20s", "fault");
	for (int s = 0; s < STEP_COUNT; s++)
		fprintf(out, " %9s", step_names[s]);
	fprintf(out, "\n");
	for (int f = 0; f < FAULT_COUNT; f++)
	{
		fprintf(out, "%-20s", fault_names[f]);
		for (int s = 0; s < STEP_COUNT; s++)
			if (coverage->hits[f][s] == 0)
				fprintf(out, " %9s", "-");
			else
				fprintf(out, " %9" PRIu64, coverage->hits[f][s]);
		fprintf(out, "\n");
	}
}

void
coverage_write(const ChaosCoverage *coverage, FILE *out)
{
	for (int f = 0; f < FAULT_COUNT; f++)
		for (int s = 0; s < STEP_COUNT; s++)
			fprintf(out, "%" PRIu64 "%c", coverage->hits[f][s], s + 1 == STEP_COUNT ? '\n' : ' ');
}

int
coverage_read(ChaosCoverage *coverage, FILE *in)
{
	for (int f = 0; f < FAULT_COUNT; f++)
		for (int s = 0; s < STEP_COUNT; s++)
			if (fscanf(in, "%" SCNu64, &coverage->hits[f][s]) != 1)
				return 0;
	return 1;
}
