/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tables of an Intel VT-d unit in scalable mode, as a guest's kernel builds
 * them that shares its processes' address spaces with devices: a PASID directory
 * for each device, a first level of four levels for each process, and nested
 * under all of these one second level. Formats: include/vtd.h.
 *
 * What the first level knows as addresses are not those of guest memory, but lie
 * SVA_NESTED above: so nobody gets right what leaves the second level out.
 */
#ifndef BENCH_SVA_TABLES_H
#define BENCH_SVA_TABLES_H

#include <pthread.h>
#include <stdint.h>

#include "table_pool.h"

/* Pages of 4K: root and context table, second level; directory and PASID tables. */
#define SVA_TABLES_COMMON 4
#define SVA_TABLES_PER_DEVICE 3

#define SVA_NESTED (1ULL << 39)

struct sva_tables {
	struct table_pool pool; /* the root table is its first page */
	uint64_t second;
	uint64_t *directories; /* GPA of each device's */
	unsigned int nr_devices;
	pthread_mutex_t lock; /* for who changes them in several threads */
};

/**
 * sva_tables_init() - root and context table, second level, empty directories
 * @t:		result
 * @gpa:	where the memory for them is, a multiple of 4K
 * @memory:	the same, as we see it; zeroed
 * @pages:	of 4K
 * @devices:	how many
 *
 * Return: 0, or a negative errno: -ENOMEM, -ENOSPC if @pages are too few.
 */
int sva_tables_init(struct sva_tables *t, uint64_t gpa, void *memory, uint64_t pages,
		    unsigned int devices);
void sva_tables_free(struct sva_tables *t);

/* What the guest writes to RTADDR_REG. */
uint64_t sva_tables_root(uint64_t gpa);

/* Return: GPA of the topmost table of an address space; 0: no room. */
uint64_t sva_space_new(struct sva_tables *t);

/* With all that was mapped there. */
void sva_space_free(struct sva_tables *t, uint64_t space);

/**
 * sva_space_map() - map a page of 4K
 * @t:		tables
 * @space:	what sva_space_new() has returned
 * @address:	of the process, below 1 << 47
 * @gpa:	the page
 * @perm:	VHOST_ACCESS_RO, _WO or _RW; what can be written can be read
 *
 * What was mapped there is replaced.
 *
 * Return: 0, or -ENOSPC: no room for another table.
 */
int sva_space_map(struct sva_tables *t, uint64_t space, uint64_t address, uint64_t gpa,
		  uint32_t perm);

/* Return: 0, or -ENOENT if nothing was mapped there. */
int sva_space_unmap(struct sva_tables *t, uint64_t space, uint64_t address);

/* PASIDs of a directory: as many as fit into the tables above. */
#define SVA_PASID_BITS 13

/* Return: 0, or -ENOSPC: no room for a PASID table. */
int sva_tables_bind(struct sva_tables *t, unsigned int device, uint32_t pasid, uint64_t space);
void sva_tables_unbind(struct sva_tables *t, unsigned int device, uint32_t pasid);

#endif /* BENCH_SVA_TABLES_H */
