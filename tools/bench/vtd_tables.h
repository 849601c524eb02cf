/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tables of an Intel VT-d unit as a guest's kernel builds them: legacy
 * mode, a domain for each device, second-level tables of four levels. Formats:
 * include/vtd.h.
 *
 * Tables stay in use: as in Linux, one that has become empty waits for the next
 * mapping.
 */
#ifndef BENCH_VTD_TABLES_H
#define BENCH_VTD_TABLES_H

#include <stdint.h>

#include "table_pool.h"

#define VTD_LEAF_LEVELS 3 /* pages of 4K, 2M and 1G */

struct vtd_tables {
	struct table_pool pool; /* the root table is its first page */
	uint64_t *domains;	/* GPA of the topmost second-level table of each device */
	unsigned int nr_devices;
};

/* Device 0 is 00:01.0, the others follow. */
static inline uint16_t vtd_source_id(unsigned int device)
{
	return (1 << 3) + device;
}

/**
 * vtd_tables_init() - root table, context tables, and an empty domain for each device
 * @t:		result
 * @gpa:	where the memory for them is, a multiple of 4K
 * @memory:	the same, as we see it; zeroed
 * @pages:	of 4K
 * @devices:	how many
 *
 * The root table lies at @gpa.
 *
 * Return: 0, or a negative errno: -ENOMEM, -ENOSPC if @pages are too few.
 */
int vtd_tables_init(struct vtd_tables *t, uint64_t gpa, void *memory, uint64_t pages,
		    unsigned int devices);
void vtd_tables_free(struct vtd_tables *t);

/**
 * vtd_tables_map() - map a range in a device's domain
 * @t:		tables
 * @device:	whose domain
 * @iova:	first address, a multiple of @page
 * @gpa:	what it is to be, a multiple of @page
 * @size:	bytes, a multiple of @page
 * @page:	4K, 2M or 1G: the entries to use
 * @perm:	VHOST_ACCESS_RO, _WO or _RW
 *
 * What was mapped there is replaced.
 *
 * Return: 0; -ENOSPC: no room for another table; -EEXIST: a table or a large
 * page is where the other would have to be; -EINVAL: alignment, size, or no
 * permission; -ERANGE: more than the 48 bits that there are.
 */
int vtd_tables_map(struct vtd_tables *t, unsigned int device, uint64_t iova, uint64_t gpa,
		   uint64_t size, uint64_t page, uint32_t perm);

/**
 * vtd_tables_unmap() - remove what vtd_tables_map() has entered, with the same @page
 *
 * Return: 0; -ENOENT if some of it was not mapped: what was is gone all the
 * same; -EINVAL, -ERANGE as above.
 */
int vtd_tables_unmap(struct vtd_tables *t, unsigned int device, uint64_t iova, uint64_t size,
		     uint64_t page);

#endif /* BENCH_VTD_TABLES_H */
