/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A table of mappings from a text file, one a line:
 *
 *	iova size gpa perm		# comment
 *
 * Numbers are decimal, or hexadecimal after 0x; the size may end in k, M, G or
 * T. perm is r (the device may read), w or rw.
 */
#ifndef IOTLB_MAP_TABLE_H
#define IOTLB_MAP_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "mapping.h"

/* Mappings in one table; it bounds the memory, 32 bytes each. */
#define MAP_TABLE_MAX 10000000

#define MAP_TABLE_ERROR_MAX 512

struct map_table_line;

/* All zero is an empty table. */
struct map_table {
	struct map_table_line *lines;
	size_t count;
};

/**
 * map_table_read() - fill an empty table
 * @table:	stays empty if this fails
 * @file:	the text
 * @name:	how errors name the file
 * @error:	what is wrong, "name:line:column: what"
 *
 * Return: 0, -EINVAL a fault in the text, -E2BIG too many lines, -ENOMEM or
 * another negative errno if reading has failed.
 */
int map_table_read(struct map_table *table, FILE *file, const char *name,
		   char error[MAP_TABLE_ERROR_MAX]);

/* Frees what the table holds and leaves it empty. */
void map_table_clear(struct map_table *table);

/**
 * map_table_find() - the mapping that holds an address
 * @table:	the table
 * @iova:	the address
 * @mapping:	filled in; exactly one line of the file
 *
 * Return: 0 or -ENOENT.
 */
int map_table_find(const struct map_table *table, uint64_t iova, struct mapping *mapping);

#endif /* IOTLB_MAP_TABLE_H */
