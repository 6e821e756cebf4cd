/*-------------------------------------------------------------------------
 *
 * rng.h
 *		Seeded generator of the chaos schedules: splitmix64 seeds xoshiro256**.
 *
 * Everything random in a schedule comes from one of these: equal seeds give
 * equal runs (invariant I11).
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHAOS_RNG_H
#define CHAOS_RNG_H

#include <stdbool.h>
#include <stdint.h>

typedef struct ChaosRng
{
	uint64_t s[4];
} ChaosRng;

static inline void
rng_seed(ChaosRng *rng, uint64_t seed)
{
	for (int i = 0; i < 4; i++)
	{
		uint64_t x = seed += UINT64_C(0x9e3779b97f4a7c15);

		x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
		rng->s[i] = x ^ (x >> 31);
	}
}

static inline uint64_t
rng_rotate(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

static inline uint64_t
rng_next(ChaosRng *rng)
{
	uint64_t *s = rng->s;
	uint64_t result = rng_rotate(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rng_rotate(s[3], 45);
	return result;
}

/* Uniform enough in low..high. */
static inline int64_t
rng_range(ChaosRng *rng, int64_t low, int64_t high)
{
	return low + (int64_t) (rng_next(rng) % (uint64_t) (high - low + 1));
}

/* True once in a while: per mille. */
static inline bool
rng_chance(ChaosRng *rng, int per_mille)
{
	return (int) (rng_next(rng) % 1000) < per_mille;
}

#endif /* CHAOS_RNG_H */
