/* SPDX-License-Identifier: GPL-2.0 */
/* The guest's memory, laid out as layout.h says. */
#ifndef BENCH_GUEST_H
#define BENCH_GUEST_H

#include <stddef.h>
#include <stdint.h>

#include "layout.h"

#define GUEST_REGIONS 3 /* below 1 GiB, above, above 4 GiB */

struct guest_region {
	uint64_t gpa;
	uint64_t size;
	uint8_t *hva;
	uint64_t at; /* in the file that the memory is */
};

struct guest {
	struct guest_region regions[GUEST_REGIONS];
	unsigned int nr_regions;
	uint64_t size;
	uint8_t *memory;
	int fd;
};

/* Return: 0, or -1 after a message. */
int guest_create(struct guest *g, const struct layout *l);
void guest_destroy(struct guest *g);

/* Host address of @gpa; NULL if there is no memory. */
void *guest_memory(const struct guest *g, uint64_t gpa);

/**
 * guest_view() - see a part of an area in one piece, as the guest's kernel does
 * @g:		guest memory
 * @l:		layout
 * @place:	where it starts
 *
 * A ring part, or whatever else lies within l->pages of 4K.
 *
 * Return: where it is, or NULL after a message. guest_unview() is for it.
 */
void *guest_view(const struct guest *g, const struct layout *l, struct place place);
void guest_unview(const struct layout *l, void *view);

#endif /* BENCH_GUEST_H */
