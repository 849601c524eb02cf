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

/**
 * struct tally - numbers of walks
 * @faults:	by what the request was subject to, fault, table and level
 * @pages:	by the same, levels of the first and of the second level's
 *		tables, and level of the page
 * @merged:	by the same, and pages of 4K that were found together
 */
struct tally {
	uint64_t faults[NR_PATHS][VTD_NR_FAULTS][VTD_NR_TABLES][LEVELS + 1];
	uint64_t pages[NR_PATHS][LEVELS + 1][LEVELS + 1][4];
	uint64_t merged[NR_PATHS][TALLY_PAGES + 1];
};

/* Return: true if it is the first that ended so. */
bool tally_count(struct tally *t, const struct vtd_request *request,
		 const struct reference *result);

/* As comments of TAP. */
void tally_print(const struct tally *t);

/*
 * Has each way to end that there is come @least times? If not, says which has
 * not, as comments of TAP.
 */
bool tally_is_complete(const struct tally *t, uint64_t least);

#endif /* WALK_TALLY_H */
