/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which buffer does a packet use, if each uses a random one? The choice follows
 * from the seed, the queue and how many packets are in flight, and is the same
 * each time.
 */
#ifndef BENCH_WORKING_SET_H
#define BENCH_WORKING_SET_H

#include <stdbool.h>
#include <stdint.h>

struct working_set {
	uint64_t state;
	uint64_t size;
	bool *is_taken;
};

/* @queue: another one chooses others. Return: 0, or -1 with errno. */
int working_set_init(struct working_set *w, uint64_t size, uint64_t seed, unsigned int queue);
void working_set_free(struct working_set *w);

/* Return: one of the buffers that are not taken, which there must be; now it is. */
uint64_t working_set_take(struct working_set *w);
void working_set_put(struct working_set *w, uint64_t nth);

#endif /* BENCH_WORKING_SET_H */
