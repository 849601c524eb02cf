/* SPDX-License-Identifier: GPL-2.0 */
/* The guest's memory: one anonymous mapping, laid out as layout.h says. */
#ifndef BENCH_GUEST_H
#define BENCH_GUEST_H

#include <stdint.h>

#include "layout.h"

#define GUEST_REGIONS 2 /* below and above 4 GiB */

struct guest_region {
	uint64_t gpa;
	uint64_t size;
	uint8_t *hva;
};

struct guest {
	struct guest_region regions[GUEST_REGIONS];
	uint64_t size;
};

/* Return: 0, or -1 after a message. */
int guest_create(struct guest *g, const struct layout *l);
void guest_destroy(struct guest *g);

/* Host address of @gpa; NULL if there is no memory. */
void *guest_memory(const struct guest *g, uint64_t gpa);

#endif /* BENCH_GUEST_H */
