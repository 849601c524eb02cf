/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A unit, a request and what it reads of a guest's memory, as bytes: a struct
 * image_head and then any number of struct image_word. All bytes mean
 * something, so that a fuzzer can have its way with them.
 */
#ifndef WALK_IMAGE_H
#define WALK_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "reference.h"

/*
 * What @start is, as enum vtd_space_kind: 0 at the root table; otherwise @root is
 * the space's word. @second and @levels are of what it is nested in.
 */
struct image_head {
	uint64_t root, iova, second;
	uint32_t pasid;
	uint16_t source_id;
	uint8_t access, merge;
	uint8_t address_width, sagaw, large_pages, flags;
	uint8_t start, levels, can_set, pad;
};

/**
 * struct image - what was read
 * @walk:	of what follows
 */
struct image {
	struct walk_case walk;
	struct vtd_unit unit;
	struct vtd_request request;
	struct vtd_space space;
	struct vtd_parent parent;
	struct guest guest;
};

/* All else of the same page of 4K is 0, all other pages are no memory. */
struct image_word {
	uint64_t gpa, value;
};

/* Anything may be read, also less than a head. Pages beyond GUEST_PAGES are left out. */
void image_read(const uint8_t *bytes, size_t size, struct image *image);

#define IMAGE_MAX (sizeof(struct image_head) + 8 * REFERENCE_STEPS * sizeof(struct image_word))

/* @result: of this walk. Return: bytes, of IMAGE_MAX. */
size_t image_write(uint8_t *bytes, const struct walk_case *walk, const struct reference *result);

#endif /* WALK_IMAGE_H */
