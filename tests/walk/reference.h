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

/* An entry that was read, or should have been. */
struct reference_step {
	enum vtd_table table;
	unsigned int level;
	uint64_t gpa;
	unsigned int words;
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
};

void reference_walk(const struct vtd_unit *unit, const struct vtd_request *request,
		    const struct guest *guest, struct reference *result);

#endif /* WALK_REFERENCE_H */
