/*-------------------------------------------------------------------------
 *
 * stats.c
 *		Samples of one measured thing, and what is printed of them.
 *
 * The bootstrap's random numbers have a fixed seed: the same samples always
 * give the same interval.
 *
 *-------------------------------------------------------------------------
 */
#include "stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RESAMPLES 400

int64_t
bench_mono_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t
bench_real_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void
samples_add(Samples *s, double value)
{
	if (s->count < SAMPLES_MAX)
		s->value[s->count++] = value;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return (x > y) - (x < y);
}

static double
quantile(double *value, int count, double q)
{
	int place = (int) (q * count);

	if (count == 0)
		return 0;
	qsort(value, (size_t) count, sizeof(double), compare);
	return value[place < count ? place : count - 1];
}

double
samples_quantile(Samples *s, double q)
{
	return quantile(s->value, s->count, q);
}

void
samples_title(const char *title, const char *unit)
{
	printf("\n%s\n  %-44s %6s %10s %10s %10s %10s\n", title, unit, "n", "p50", "p99", "p99.9", "max");
}

void
samples_print(Samples *s)
{
	printf("  %-44s %6d %10.1f %10.1f %10.1f %10.1f\n", s->name, s->count, samples_quantile(s, 0.5),
		   samples_quantile(s, 0.99), samples_quantile(s, 0.999), samples_quantile(s, 1));
}

static double
resample(const Samples *s, double q, unsigned *seed)
{
	static double copy[SAMPLES_MAX];

	for (int i = 0; i < s->count; i++)
		copy[i] = s->value[rand_r(seed) % s->count];
	return quantile(copy, s->count, q);
}

void
samples_ratio(Samples *a, Samples *b, double q)
{
	double ratios[RESAMPLES];
	double below = samples_quantile(b, q);
	unsigned seed = 1;

	if (a->count == 0 || b->count == 0 || below <= 0)
	{
		printf("  ratio p%g %s : %s = none, samples are missing\n", q * 100, a->name, b->name);
		return;
	}
	for (int i = 0; i < RESAMPLES; i++)
	{
		double top = resample(a, q, &seed);

		ratios[i] = top / resample(b, q, &seed);
	}
	qsort(ratios, RESAMPLES, sizeof(double), compare);
	printf("  ratio p%g %s : %s = %.2f (95 %% %.2f to %.2f)\n", q * 100, a->name, b->name,
		   samples_quantile(a, q) / below, ratios[RESAMPLES / 40], ratios[RESAMPLES - 1 - RESAMPLES / 40]);
}

void
samples_goal(Samples *s, double q, double limit)
{
	double got = samples_quantile(s, q);

	printf("  goal p%g %s <= %.0f: %.1f, %s\n", q * 100, s->name, limit, got,
		   got <= limit ? "met" : "MISSED");
}

void
samples_floor(Samples *s, double q, double limit)
{
	double got = samples_quantile(s, q);

	printf("  goal p%g %s >= %.0f: %.1f, %s\n", q * 100, s->name, limit, got,
		   got >= limit ? "met" : "MISSED");
}
