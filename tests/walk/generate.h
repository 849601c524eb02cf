/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guests with an IOMMU: tables that mostly point to each other, so that walks
 * go deep, and mutilated here and there. All follows from random numbers.
 */
#ifndef WALK_GENERATE_H
#define WALK_GENERATE_H

#include <stdbool.h>
#include <stdint.h>

#include "guest.h"
#include "random.h"

#define LEVELS 5

/* A kind of page, and which pages are of it: @nr from @first on. */
struct range {
	unsigned int first, nr;
};

/**
 * struct scene - a guest, and what of it requests are about
 * @unit:	its IOMMU
 * @guest:	its memory
 * @scalable:	the mode that the tables are made for
 * @type:	most PASID entries have this type
 * @levels:	most second-level tables have this many
 * @first_levels: and first-level tables
 * @chaos:	of 1000 words, so many are mutilated
 * @unset:	of 1000 first-level entries, so many lack a flag
 * @via:	where the first level finds each page
 * @root, @context, @directory, @pasid: the pages that hold these tables
 * @second, @first: and page tables, by level
 * @last:	the request before
 */
struct scene {
	struct vtd_unit unit;
	struct guest guest;
	bool scalable;
	unsigned int type;
	unsigned int levels, first_levels;
	unsigned int chaos, unset;
	uint64_t via[GUEST_PAGES];
	struct range root, context, directory, pasid;
	struct range second[LEVELS + 1], first[LEVELS + 1];
	struct vtd_request last;
};

/**
 * struct wish - what the random numbers need not say
 * @chaos:	of 1000 words, mutilate so many; -1: as they say
 * @nested:	all is made for nested mode
 */
struct wish {
	int chaos;
	bool nested;
};

void generate_scene(struct scene *scene, struct random *r, const struct wish *wish);

void generate_request(struct scene *scene, struct random *r, struct vtd_request *request);

/**
 * struct start - where a walk begins, and whether it can set flags
 * @space, @parent: as of struct walk_case
 * @has_space:	or else at the root table
 */
struct start {
	struct vtd_space space;
	struct vtd_parent parent;
	bool has_space;
	bool can_set;
};

void generate_start(const struct scene *scene, struct random *r, const struct vtd_request *request,
		    struct start *start);

#endif /* WALK_GENERATE_H */
