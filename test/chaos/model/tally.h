/*-------------------------------------------------------------------------
 *
 * tally.h
 *		What many schedules came to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHAOS_TALLY_H
#define CHAOS_TALLY_H

#include "world.h"

#define MIN_TRADING 50

typedef struct Tally
{
	ChaosCoverage coverage;
	uint64_t runs;
	uint64_t counted;	/* those that count: anchors 4.3 */
	uint64_t few;		/* too few trading events */
	uint64_t faultless; /* no fault came */
	uint64_t full;		/* no room left */
	uint64_t twice;		/* a schedule met before */
	uint64_t trading;
	uint64_t posts;
	uint64_t faults;
	uint64_t quarantined;
	uint64_t not_accepted;
	uint64_t failed_seed;
	char failure[256];
	uint64_t *seen; /* open hash of schedule hashes */
	uint64_t places;
	double started;
} Tally;

extern void tally_open(Tally *tally, uint64_t runs);

/* False: an invariant is violated. */
extern bool tally_add(Tally *tally, const World *w);
extern void tally_fail(Tally *tally, const World *w);

/* Prints the result; coverage goes to the file, or is printed.  Returns an exit code. */
extern int tally_close(Tally *tally, int tier, const char *coverage_file);

#endif /* CHAOS_TALLY_H */
