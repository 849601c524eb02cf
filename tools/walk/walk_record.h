/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A walk, and everything that it has read.
 */
#ifndef WALK_RECORD_H
#define WALK_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "vtd_types.h"
#include "vtd_walk.h"

struct walk_memory;
struct walk_space;

#define WALK_MAX_WORDS 8

/**
 * struct walk_step - an entry that was read
 * @table:	of which table
 * @level:	of page tables; 0 above them
 * @gpa:	where it is
 * @count:	how many words it has
 * @words:	it
 * @err:	0, or a negative errno if it could not be read
 */
struct walk_step {
	enum vtd_table table;
	int level;
	uint64_t gpa;
	size_t count;
	uint64_t words[WALK_MAX_WORDS];
	int err;
};

/**
 * struct walk_record - a walk
 * @unit:	through the tables of this IOMMU
 * @request:	for this request
 * @space:	which begin here
 * @memory:	in this memory
 * @count:	of @steps
 * @steps:	what was read, in order
 * @parent:	in which a first level that is bound is nested
 * @where:	where it has ended
 * @translation: what came of it, unless that was a fault
 */
struct walk_record {
	const struct vtd_unit *unit;
	struct vtd_request request;
	const struct walk_space *space;
	const struct walk_memory *memory;
	size_t count;
	struct walk_step steps[VTD_MAX_READS_NESTED];
	struct vtd_parent parent;
	struct vtd_walk where;
	struct vtd_translation translation;
};

/* Makes a walk of unit, request, space and memory, and fills in the rest. */
void walk_record(struct walk_record *record);

#endif /* WALK_RECORD_H */
