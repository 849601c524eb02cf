/* SPDX-License-Identifier: GPL-2.0 */
/* What a guest can write into an entry of a table, to see what comes of it. */
#ifndef HOSTILE_BAD_ENTRY_H
#define HOSTILE_BAD_ENTRY_H

#include <stdint.h>

#include "prison.h"

#define BAD_ENTRIES 160

/**
 * bad_entries() - make some of a good one
 * @p:		the guest, as it should be
 * @gpa:	where the entry is
 * @value:	of it
 * @list:	result
 *
 * Each bit is another; it leads to its own table, to any that was before it, to
 * what lies beside its page and is no memory of the guest's, to nowhere, and to
 * large pages there.
 *
 * Return: how many.
 */
unsigned int bad_entries(const struct prison *p, uint64_t gpa, uint64_t value,
			 uint64_t list[BAD_ENTRIES]);

#endif /* HOSTILE_BAD_ENTRY_H */
