/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages for an IOMMU's tables, from one piece of guest memory. Entries are words.
 * Others read while we write, so that each entry is written at once, and a table
 * before the entry that leads to it.
 */
#ifndef BENCH_TABLE_POOL_H
#define BENCH_TABLE_POOL_H

#include <endian.h>
#include <stdint.h>

#define TABLE_SIZE 4096
#define TABLE_WORDS (TABLE_SIZE / sizeof(uint64_t))

struct table_pool {
	uint64_t gpa;	 /* of the first page */
	uint64_t *words; /* what is there */
	uint64_t nr_pages;
	uint64_t nr_used; /* never given back, or given back */
	uint64_t free;	  /* GPA of one that was given back; 0: none */
};

static inline uint64_t *table_at(const struct table_pool *p, uint64_t gpa)
{
	return p->words + (gpa - p->gpa) / sizeof(uint64_t);
}

static inline void table_store(uint64_t *entry, uint64_t value)
{
	/* What the entry leads to is there before the entry is. */
	__atomic_store_n(entry, htole64(value), __ATOMIC_RELEASE);
}

static inline uint64_t table_load(const uint64_t *entry)
{
	return le64toh(*entry);
}

/* Return: GPA of a page of zeros; 0 if there is no room. */
uint64_t table_pool_get(struct table_pool *p);

/* Nothing leads to it any more. */
void table_pool_put(struct table_pool *p, uint64_t gpa);

#endif /* BENCH_TABLE_POOL_H */
