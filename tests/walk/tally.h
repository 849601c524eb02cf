/* SPDX-License-Identifier: GPL-2.0 */
/* How the walks ended, to see that no way to end is left out. */
#ifndef WALK_TALLY_H
#define WALK_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "generate.h"
#include "reference.h"

/* Pages of 4K that can be merged. */
#define TALLY_PAGES 8

/* Where walks begin */
enum tally_start {
	START_ROOT,
	START_DIRECTORY,
	START_FIRST,
	NR_STARTS,
};

/**
 * struct tally_part - numbers of walks that began alike
 * @faults:	by what the request was subject to, fault, table and level
 * @pages:	by the same, levels of the first and of the second level's
 *		tables, and level of the page
 * @merged:	by the same, and pages of 4K that were found together
 */
struct tally_part {
	uint64_t faults[NR_PATHS][VTD_NR_FAULTS][VTD_NR_TABLES][LEVELS + 1];
	uint64_t pages[NR_PATHS][LEVELS + 1][LEVELS + 1][4];
	uint64_t merged[NR_PATHS][TALLY_PAGES + 1];
};

/**
 * struct tally - numbers of walks
 * @parts:	by where they began
 * @set:	by flags that were set for translations
 */
struct tally {
	struct tally_part parts[NR_STARTS];
	uint64_t set[REFERENCE_LEVELS + 1];
};

/* Return: true if it is the first that ended so. */
bool tally_count(struct tally *t, const struct walk_case *walk, const struct reference *result);

/* As comments of TAP. */
void tally_print(const struct tally *t);

/*
 * Has each way to end that there is come @least times, or those of @nested mode? If
 * not, says which has not, as comments of TAP.
 */
bool tally_is_complete(const struct tally *t, bool nested, uint64_t least);

#endif /* WALK_TALLY_H */
