/* SPDX-License-Identifier: GPL-2.0 */
/* Random numbers (SplitMix64), and dice for them. */
#ifndef WALK_RANDOM_H
#define WALK_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

static inline uint64_t random_next(struct random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* From 0 to @end - 1; @end is below 2^32. */
static inline uint32_t random_below(struct random *r, uint32_t end)
{
	return ((random_next(r) >> 32) * end) >> 32;
}

/* True in @times of 1000 cases. */
static inline bool random_chance(struct random *r, unsigned int times)
{
	return random_below(r, 1000) < times;
}

#define RANDOM_PICK(r, list) ((list)[random_below(r, sizeof(list) / sizeof(*(list)))])

#endif /* WALK_RANDOM_H */
