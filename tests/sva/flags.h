/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Accessed and dirty flags of the processes' page tables: what whoever walks them
 * has set there, and a guest that changes other bits of the same entries meanwhile.
 */
#ifndef SVA_FLAGS_H
#define SVA_FLAGS_H

#include "tests/kernel/device.h"

/**
 * struct flags_counts - entries of a process
 * @tables:	that lead to a table, and are accessed
 * @pages:	that are for a page, and are accessed
 * @dirty:	pages that are dirty
 * @odd:	entries that are dirty and not accessed, or tables that are dirty
 */
struct flags_counts {
	unsigned int tables, pages, dirty, odd;
};

void flags_count(const struct device *d, int process, struct flags_counts *counts);

/*
 * Another thread clears accessed and dirty flags, as a guest does that wants to know
 * which pages are in use, and changes a bit in each entry that means nothing to
 * hardware. At the end, all entries must be as it has left them, but for flags.
 */
struct flags_changer;

struct flags_changer *flags_changer_begin(const struct device *d);

/* Return: how often an entry was changed; 0 if one has become something else. */
unsigned int flags_changer_end(struct flags_changer *changer);

#endif /* SVA_FLAGS_H */
