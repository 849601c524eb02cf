/* SPDX-License-Identifier: GPL-2.0 */
/* The walk of include/vtd_walk.h, compared with the reference. */
#ifndef WALK_COMPARE_H
#define WALK_COMPARE_H

#include <stdbool.h>
#include <stdio.h>

#include "guest.h"
#include "reference.h"

/**
 * struct comparison - a walk, done twice
 * @expected:	by the reference
 * @returned:	by vtd_walk()
 * @where, @translation: what else that has said
 * @nr:		of @step: what it has read
 * @difference:	what is wrong, NULL if nothing is
 */
struct comparison {
	const struct vtd_unit *unit;
	const struct vtd_request *request;
	const struct guest *guest;
	struct reference expected;
	enum vtd_fault returned;
	struct vtd_walk where;
	struct vtd_translation translation;
	unsigned int nr;
	struct reference_step step[REFERENCE_STEPS];
	const char *difference;
};

/* Return: true if both agree. */
bool compare_walk(struct comparison *c, const struct vtd_unit *unit,
		  const struct vtd_request *request, const struct guest *guest);

/* All about it, as comments of TAP. */
void compare_print(const struct comparison *c, FILE *out);

#endif /* WALK_COMPARE_H */
