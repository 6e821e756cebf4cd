/*-------------------------------------------------------------------------
 *
 * tally.c
 *		What many schedules came to.
 *
 *-------------------------------------------------------------------------
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tally.h"

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

void
tally_open(Tally *tally, uint64_t runs)
{
	*tally = (Tally){.places = 1024, .started = seconds()};
	while (tally->places < runs * 2)
		tally->places *= 2;
	tally->seen = calloc(tally->places, sizeof(uint64_t));
}

/* The set has twice the room it needs. */
static bool
tally_is_new(Tally *tally, uint64_t hash)
{
	uint64_t i = hash & (tally->places - 1);

	if (tally->seen == NULL)
		return true;
	if (hash == 0)
		hash = 1;
	for (; tally->seen[i] != 0; i = (i + 1) & (tally->places - 1))
		if (tally->seen[i] == hash)
			return false;
	tally->seen[i] = hash;
	return true;
}

bool
tally_add(Tally *tally, const World *w)
{
	tally->runs++;
	coverage_add(&tally->coverage, &w->coverage);
	tally->trading += w->trading;
	tally->posts += w->posts;
	tally->faults += w->faults;
	for (int i = 0; i < w->tables.norders; i++)
	{
		tally->quarantined += w->tables.order[i].quarantined;
		tally->not_accepted += w->tables.order[i].not_accepted;
	}
	if (w->failure[0] != '\0')
	{
		tally_fail(tally, w);
		return false;
	}
	if (w->full)
		tally->full++;
	else if (w->faults == 0)
		tally->faultless++;
	else if (w->trading < MIN_TRADING)
		tally->few++;
	else if (!tally_is_new(tally, w->hash))
		tally->twice++;
	else
		tally->counted++;
	return true;
}

void
tally_fail(Tally *tally, const World *w)
{
	tally->failed_seed = w->seed;
	snprintf(tally->failure, sizeof(tally->failure), "%s", w->failure);
}

int
tally_close(Tally *tally, int tier, const char *coverage_file)
{
	double took = seconds() - tally->started;
	FILE *out = coverage_file != NULL ? fopen(coverage_file, "w") : NULL;

	printf("# %" PRIu64 " schedules, %" PRIu64 " count (%" PRIu64 " too short, %" PRIu64
		   " without fault, %" PRIu64 " too long, %" PRIu64 " met before), %.1f s, %.0f an hour\n",
		   tally->runs, tally->counted, tally->few, tally->faultless, tally->full, tally->twice, took,
		   took > 0 ? (double) tally->counted * 3600 / took : 0.0);
	printf("# %" PRIu64 " trading events, %" PRIu64 " orders sent, %" PRIu64 " faults, %" PRIu64
		   " orders quarantined, %" PRIu64 " taken as not accepted\n",
		   tally->trading, tally->posts, tally->faults, tally->quarantined, tally->not_accepted);
	if (out != NULL)
	{
		coverage_write(&tally->coverage, out);
		fclose(out);
	}
	else
		coverage_print(&tally->coverage, stdout);
	free(tally->seen);
	if (tally->failure[0] == '\0')
		return 0;
	printf("# %s\nmake chaos TIER=%d SEED=%" PRIu64 "\n", tally->failure, tier, tally->failed_seed);
	return 1;
}
