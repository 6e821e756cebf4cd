/*-------------------------------------------------------------------------
 *
 * priority.c
 *		Which symbols matter most (runtime 3.4), and which of them are pushed
 *		(runtime 3.5).
 *
 * The scores of all other reasons together can pass that of a holding, so
 * that holdings come first is a rule of its own.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "core/priority.h"

static const int follow_points[] = {10000, 5000, 5000, 3000, 1000, 800, 500, 100};

int
qts_follow_score(unsigned why)
{
	int score = 0;

	for (size_t i = 0; i < sizeof(follow_points) / sizeof(follow_points[0]); i++)
	{
		if (why & (1u << i))
			score += follow_points[i];
	}
	return score;
}

int
qts_follow_compare(const void *a, const void *b)
{
	const QtsFollowed *left = a;
	const QtsFollowed *right = b;
	bool left_held = (left->why & QTS_FOLLOW_HELD) != 0;
	bool right_held = (right->why & QTS_FOLLOW_HELD) != 0;
	int left_score = qts_follow_score(left->why);
	int right_score = qts_follow_score(right->why);

	if (left_held != right_held)
		return left_held ? -1 : 1;
	if (left_score != right_score)
		return left_score > right_score ? -1 : 1;
	if (left->value != right->value)
		return left->value > right->value ? -1 : 1;
	return strcmp(left->symbol, right->symbol);
}

/* One that leaves loses its price until the poller comes to it: holdings never do. */
static bool
push_keeps(const QtsFollowed *symbol, const char (*current)[QTS_SYMBOL_LEN + 1], int ncurrent)
{
	if ((symbol->why & QTS_FOLLOW_HELD) == 0 || qts_follow_score(symbol->why) < QTS_SCORE_KEEP)
		return false;
	for (int i = 0; i < ncurrent; i++)
	{
		if (strcmp(current[i], symbol->symbol) == 0)
			return true;
	}
	return false;
}

int
qts_push_choose(const QtsFollowed *ranked, int n, const char (*current)[QTS_SYMBOL_LEN + 1], int ncurrent,
				int max, int *chosen)
{
	int keeps = 0;
	int used = 0;
	int free_places;

	for (int i = 0; i < n && keeps < max; i++)
		keeps += push_keeps(&ranked[i], current, ncurrent);
	free_places = max - keeps;
	for (int i = 0; i < n && used < max; i++)
	{
		if (push_keeps(&ranked[i], current, ncurrent))
			chosen[used++] = i;
		else if (free_places > 0)
		{
			chosen[used++] = i;
			free_places--;
		}
	}
	return used;
}
