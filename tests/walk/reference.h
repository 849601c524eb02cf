/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What include/vtd_walk.h must find, worked out a second time: in the words of
 * the VT-d specification (revision 5.10, chapters 3, 7 and 9), in the order of
 * checks that the header documents, slowly, and for one address at a time.
 */
#ifndef WALK_REFERENCE_H
#define WALK_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "guest.h"

/* More than any walk reads. */
#define REFERENCE_STEPS 64

/* Of the first level */
#define REFERENCE_LEVELS 5

/* What a request is subject to; not known if a fault comes before. */
enum reference_path {
	PATH_UNKNOWN,
	PATH_LEGACY_SECOND,
	PATH_LEGACY_PASS_THROUGH,
	PATH_FIRST,
	PATH_SECOND,
	PATH_NESTED,
	PATH_PASS_THROUGH,
	NR_PATHS,
};

/**
 * struct walk_case - a walk to be made
 * @unit:	the IOMMU
 * @request:	what is asked for
 * @guest:	memory
 * @space:	where it begins; NULL is at the root table
 * @parent:	if @space is a first level: in which it is nested
 * @can_set:	accessed and dirty flags that are not set can be, as hardware does;
 *		otherwise their want is a fault
 */
struct walk_case {
	const struct vtd_unit *unit;
	const struct vtd_request *request;
	const struct guest *guest;
	const struct vtd_space *space;
	const struct vtd_parent *parent;
	bool can_set;
};

/* An entry that was read, or should have been. */
struct reference_step {
	enum vtd_table table;
	unsigned int level;
	uint64_t gpa;
	unsigned int words;
};

/* An entry whose flags have to be set. */
struct reference_flags {
	uint64_t gpa;
	uint64_t flags;
};

/**
 * struct reference - how a walk ends
 * @path:	what the request is subject to
 * @first_levels, @second_levels: of the page tables there
 * @fault:	why there is no translation
 * @table:	of the entry that the fault is about
 * @level:	of that entry; if there is no fault, of the page
 * @gpa:	what the address itself is mapped to
 * @perm:	all that the tables allow
 * @before:	so many bytes before it are mapped alike, in the same page or one
 *		that was merged with it
 * @after:	and so many from it on
 * @nr:		of @step
 * @unset_level: of the first entry that was met without such a flag, or 0
 * @nr_unset:	of @unset, the entries in which accessed or dirty flags are set by it:
 *		none if it is a fault that comes first
 */
struct reference {
	enum reference_path path;
	unsigned int first_levels, second_levels;
	enum vtd_fault fault;
	enum vtd_table table;
	unsigned int level;
	uint64_t gpa;
	unsigned int perm;
	uint64_t before, after;
	unsigned int nr;
	struct reference_step step[REFERENCE_STEPS];
	unsigned int unset_level;
	unsigned int nr_unset;
	struct reference_flags unset[REFERENCE_LEVELS];
};

/* The guest's memory stays as it is; the result is as if flags had been set. */
void reference_walk(const struct walk_case *walk, struct reference *result);

#endif /* WALK_REFERENCE_H */
