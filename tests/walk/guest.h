/* SPDX-License-Identifier: GPL-2.0 */
/* The memory of a small guest: some pages, wherever. */
#ifndef WALK_GUEST_H
#define WALK_GUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/types.h>

#include "vtd_types.h"

#define GUEST_PAGE 4096ULL
#define GUEST_PAGES 64
#define GUEST_SLOTS 256 /* a power of two */

/**
 * struct guest - memory
 * @nr:		pages
 * @gpa:	where each page is
 * @slot:	number of a page plus one, or 0; a hash table
 * @page:	what is in them
 */
struct guest {
	unsigned int nr;
	uint64_t gpa[GUEST_PAGES];
	uint8_t slot[GUEST_SLOTS];
	uint64_t page[GUEST_PAGES][GUEST_PAGE / 8];
};

/* No page. What was in them stays. */
void guest_clear(struct guest *guest);

/* Add a page, unless there is one at @gpa. Return: its number, or -1. */
int guest_add(struct guest *guest, uint64_t gpa);

/* The page that holds @gpa, or -1. */
int guest_find(const struct guest *guest, uint64_t gpa);

/* Copy @words words. Return: false if a part of it is no memory. */
bool guest_read(const struct guest *guest, uint64_t gpa, uint64_t *to, unsigned int words);

#endif /* WALK_GUEST_H */
