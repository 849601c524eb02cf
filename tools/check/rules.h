/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What follows from the facts: why the device IOTLB is slow or silent, how that
 * can be seen, and what to change.
 */
#ifndef CHECK_RULES_H
#define CHECK_RULES_H

#include <stdbool.h>
#include <stddef.h>

struct check_facts;

enum finding_kind {
	FINDING_GOOD,	 /* as it should be */
	FINDING_NOTE,	 /* worth knowing; nothing need be done */
	FINDING_PROBLEM, /* costs speed, or makes that nothing is seen */
};

/**
 * struct finding - a conclusion
 * @kind:	see above
 * @name:	for machines, as in iotlb-check(8); never changes
 * @subject:	what it is about: a device, or ""
 * @what:	the conclusion
 * @evidence:	what was seen
 * @advice:	what to change, "" if nothing
 */
struct finding {
	enum finding_kind kind;
	const char *name;
	char subject[96];
	char what[192];
	char evidence[256];
	char advice[320];
};

#define FINDINGS_MAX 2048

/**
 * struct findings - conclusions, those that explain others first
 * @list:	of them
 * @count:	how many
 */
struct findings {
	struct finding list[FINDINGS_MAX];
	size_t count;
};

/* Draws all conclusions; there is at least one. */
void check_rules(const struct check_facts *facts, struct findings *findings);

/* Is something wrong? */
bool findings_have_problem(const struct findings *findings);

#endif /* CHECK_RULES_H */
