/* SPDX-License-Identifier: GPL-2.0 */
/* The walks of include/vtd_walk.h and vtd_space.h, compared with the reference. */
#ifndef WALK_COMPARE_H
#define WALK_COMPARE_H

#include <stdbool.h>
#include <stdio.h>

#include "guest.h"
#include "reference.h"

/* More than three walks read. */
#define COMPARE_STEPS (2 * REFERENCE_STEPS)

/**
 * struct comparison - a walk, done twice
 * @expected:	by the reference
 * @returned:	by vtd_walk() or vtd_space_walk(); if that has found flags that are
 *		not set, by the one after they were, or by vtd_walk_whole()
 * @where, @translation: what else that has said
 * @quick, @quick_nr: where the first of these walks has ended, and what it has read
 * @nr:		of @step: what it has read
 * @nr_set:	of @set: what was set
 * @difference:	what is wrong, NULL if nothing is
 */
struct comparison {
	const struct walk_case *walk;
	struct reference expected;
	enum vtd_fault returned;
	struct vtd_walk where, quick;
	unsigned int quick_nr;
	struct vtd_translation translation;
	unsigned int nr;
	struct reference_step step[COMPARE_STEPS];
	unsigned int nr_set;
	struct reference_flags set[REFERENCE_LEVELS];
	const char *difference;
};

/* Return: true if both agree. */
bool compare_walk(struct comparison *c, const struct walk_case *walk);

/* All about it, as comments of TAP. */
void compare_print(const struct comparison *c, FILE *out);

#endif /* WALK_COMPARE_H */
