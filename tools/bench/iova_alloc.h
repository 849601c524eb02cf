/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hands out addresses as Linux does (drivers/iommu/iova.c): from the top of the
 * space downwards, and first of all those that were given back last. All pieces
 * are of one size, so that one stack is enough.
 */
#ifndef BENCH_IOVA_ALLOC_H
#define BENCH_IOVA_ALLOC_H

#include <stdint.h>

#define IOVA_NONE UINT64_MAX

struct iova_alloc {
	uint64_t bottom;
	uint64_t next; /* above it, all have been handed out before */
	uint64_t unit; /* bytes of a piece */
	uint64_t *free;
	uint64_t nr_free;
};

/**
 * iova_alloc_init() - an allocator for a range of which all is free
 * @a:		result
 * @base:	first address
 * @unit:	bytes of a piece
 * @units:	pieces
 *
 * Return: 0, or -1 with errno.
 */
int iova_alloc_init(struct iova_alloc *a, uint64_t base, uint64_t unit, uint64_t units);

/* All is free again; the arguments are those of iova_alloc_init(). */
void iova_alloc_reset(struct iova_alloc *a, uint64_t base, uint64_t units);
void iova_alloc_free(struct iova_alloc *a);

/* Return: the first address of a piece, or IOVA_NONE if none is free. */
uint64_t iova_alloc_get(struct iova_alloc *a);

/* @iova is what iova_alloc_get() has returned, and was not put back since. */
void iova_alloc_put(struct iova_alloc *a, uint64_t iova);

#endif /* BENCH_IOVA_ALLOC_H */
