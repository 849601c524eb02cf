/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's memory as the owner of a device has told vhost about it: which
 * guest-physical addresses (GPA) lie at which addresses of the owner (HVA).
 */
#ifndef IOTLB_MEMORY_TABLE_H
#define IOTLB_MEMORY_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct memory_region - a piece of guest memory
 * @gpa:	first guest-physical address
 * @last:	last guest-physical address, not the one after it
 * @hva:	address of @gpa in the owner's address space
 */
struct memory_region {
	uint64_t gpa;
	uint64_t last;
	uint64_t hva;
};

/* Regions in ascending order of @gpa; all zero is an empty table. */
struct memory_table {
	struct memory_region *regions;
	size_t count;
};

/**
 * memory_table_parse() - the "vhost-mem" lines of a vhost fd's fdinfo
 * @table:	its old contents are replaced, but kept if this fails
 * @text:	the whole fdinfo, NUL-terminated; other lines are skipped
 *
 * Return: 0, -ENOMEM, or -EPROTO if a line is malformed, a region is empty or
 * wraps around.
 */
int memory_table_parse(struct memory_table *table, const char *text);

/* Frees what the table holds and leaves it empty. */
void memory_table_clear(struct memory_table *table);

/* The contents of @from go to @to, whose own are freed; @from becomes empty. */
void memory_table_move(struct memory_table *to, struct memory_table *from);

/**
 * memory_table_keeps() - is all that the old table said still true?
 * @now:	new table, with perhaps more regions
 * @old:	table before
 *
 * If not, translations made by the old table must not be used any more.
 */
bool memory_table_keeps(const struct memory_table *now, const struct memory_table *old);

/**
 * memory_table_find() - the region that holds an address
 * @table:	the table
 * @gpa:	guest-physical address
 *
 * Return: the region, NULL if no region holds it. Should regions overlap, the
 * one that starts first, which is what vhost itself goes by.
 */
const struct memory_region *memory_table_find(const struct memory_table *table, uint64_t gpa);

#endif /* IOTLB_MEMORY_TABLE_H */
