// SPDX-License-Identifier: GPL-2.0
#include "working_set.h"

#include <stdlib.h>

/* splitmix64, by Sebastiano Vigna (public domain). */
static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

int working_set_init(struct working_set *w, uint64_t size, uint64_t seed, unsigned int queue)
{
	uint64_t number = queue + 1;

	*w = (struct working_set){
		.state = seed ^ next(&number),
		.size = size,
		.is_taken = calloc(size, sizeof(*w->is_taken)),
	};
	return w->is_taken ? 0 : -1;
}

void working_set_free(struct working_set *w)
{
	free(w->is_taken);
	*w = (struct working_set){0};
}

uint64_t working_set_take(struct working_set *w)
{
	uint64_t nth;

	/* At least every second one is free. */
	do
		nth = (unsigned __int128)next(&w->state) * w->size >> 64;
	while (w->is_taken[nth]);
	w->is_taken[nth] = true;
	return nth;
}

void working_set_put(struct working_set *w, uint64_t nth)
{
	w->is_taken[nth] = false;
}
