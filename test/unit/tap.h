/*-------------------------------------------------------------------------
 *
 * tap.h
 *		TAP output and a seeded generator for the unit tests.
 *
 * A property test reports one line: the first violation it met, with the
 * seed that shows it again.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_TEST_TAP_H
#define QTS_TEST_TAP_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int tap_count;
static int tap_failed;

static inline bool
ok(bool passed, const char *name)
{
	printf("%sok %d - %s\n", passed ? "" : "not ", ++tap_count, name);
	if (!passed)
		tap_failed++;
	return passed;
}

static inline bool
is(int64_t got, int64_t expected, const char *name)
{
	bool same = ok(got == expected, name);

	if (!same)
		printf("#      got: %" PRId64 "\n# expected: %" PRId64 "\n", got, expected);
	return same;
}

static inline bool
is_text(const char *got, const char *expected, const char *name)
{
	bool same = ok(strcmp(got, expected) == 0, name);

	if (!same)
		printf("#      got: %s\n# expected: %s\n", got, expected);
	return same;
}

/* Several cases under one name: says which one broke. */
static inline bool tap_note(bool passed, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline bool
tap_note(bool passed, const char *format, ...)
{
	if (!passed)
	{
		va_list args;

		va_start(args, format);
		printf("# ");
		vprintf(format, args);
		printf("\n");
		va_end(args);
	}
	return passed;
}

static inline int
tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed == 0 ? 0 : 1;
}

/* Small fast generator with a full 64-bit state; equal seeds give equal runs. */
typedef struct TapRandom
{
	uint64_t state;
} TapRandom;

static inline uint64_t
tap_random(TapRandom *rng)
{
	uint64_t x = rng->state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* Uniform enough in low..high. */
static inline int64_t
tap_range(TapRandom *rng, int64_t low, int64_t high)
{
	return low + (int64_t) (tap_random(rng) % (uint64_t) (high - low + 1));
}

static inline bool
tap_chance(TapRandom *rng, int percent)
{
	return tap_range(rng, 1, 100) <= percent;
}

#endif /* QTS_TEST_TAP_H */
