/*-------------------------------------------------------------------------
 *
 * main.c
 *		Tier 1: seeds FROM .. FROM + COUNT - 1, one after the other.
 *
 *	t1 [-t] [-k] FROM COUNT [COVERAGE_FILE]
 *
 *	t1 -m COVERAGE_FILE...	adds the files up and prints the matrix
 *
 * -t traces, -k goes on after a violation.  Ends with 1 if there was one.
 *
 *-------------------------------------------------------------------------
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t1.h"
#include "tally.h"

static World world;

static int
matrix(char **files)
{
	ChaosCoverage sum = {{{0}}};
	ChaosCoverage one;

	for (; *files != NULL; files++)
	{
		FILE *in = fopen(*files, "r");
		int good = in != NULL && coverage_read(&one, in);

		if (in != NULL)
			fclose(in);
		if (!good)
		{
			fprintf(stderr, "t1: %s cannot be read\n", *files);
			return 1;
		}
		coverage_add(&sum, &one);
	}
	coverage_print(&sum, stdout);
	return 0;
}

int
main(int argc, char **argv)
{
	bool trace = false;
	bool keep = false;
	uint64_t from;
	uint64_t count;
	Tally tally;

	if (argc > 2 && strcmp(argv[1], "-m") == 0)
		return matrix(argv + 2);
	for (; argc > 1 && argv[1][0] == '-'; argc--, argv++)
	{
		trace |= strcmp(argv[1], "-t") == 0;
		keep |= strcmp(argv[1], "-k") == 0;
	}
	if (argc < 3)
	{
		fprintf(stderr, "usage: t1 [-t] [-k] FROM COUNT [COVERAGE_FILE]\n");
		return 2;
	}
	from = strtoull(argv[1], NULL, 10);
	count = strtoull(argv[2], NULL, 10);
	tally_open(&tally, count);
	for (uint64_t seed = from; seed < from + count; seed++)
	{
		uint64_t hash;

		world_run(&world, seed, &t1_store, trace);
		if (!tally_add(&tally, &world))
		{
			if (!keep)
				break;
			printf("not ok - seed %" PRIu64 ": %s\n", seed, world.failure);
			continue;
		}
		/* I11: the same seed is the same run */
		hash = world.hash;
		if (seed % 100 != 0)
			continue;
		world_run(&world, seed, &t1_store, false);
		if (world.hash != hash)
		{
			world_fail(&world, "I11", "two runs of the seed differ");
			tally_fail(&tally, &world);
			break;
		}
	}
	return tally_close(&tally, 1, argc > 3 ? argv[3] : NULL);
}
