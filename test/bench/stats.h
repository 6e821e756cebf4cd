/*-------------------------------------------------------------------------
 *
 * stats.h
 *		Samples of one measured thing, and what is printed of them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BENCH_STATS_H
#define QTS_BENCH_STATS_H

#include <stdint.h>

#define SAMPLES_MAX 20000

typedef struct Samples
{
	const char *name;
	int count;
	double value[SAMPLES_MAX];
} Samples;

extern int64_t bench_mono_ns(void);
extern int64_t bench_real_us(void);

extern void samples_add(Samples *s, double value);

/* Sorts in place. */
extern double samples_quantile(Samples *s, double q);

extern void samples_title(const char *title, const char *unit);
extern void samples_print(Samples *s);

/* "a : b" at a quantile, with the 95 % interval of 400 bootstrap resamples. */
extern void samples_ratio(Samples *a, Samples *b, double q);

/* A goal and whether its limit (same unit as the samples) was kept. */
extern void samples_goal(Samples *s, double q, double limit);

/* The same for what must not be lower. */
extern void samples_floor(Samples *s, double q, double limit);

#endif /* QTS_BENCH_STATS_H */
