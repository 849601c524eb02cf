/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table of devices and virtqueues, as text.
 */
#ifndef TOP_TABLE_H
#define TOP_TABLE_H

#include <stdbool.h>

#include "model.h"
#include "sort.h"

#define TABLE_HEADINGS 2
#define TABLE_COLUMNS_MAX 32

/* What a line is about. */
enum table_by {
	TABLE_BY_QUEUE,
	TABLE_BY_DEVICE,
	TABLE_BY_SPACE, /* an address space of a device */
};

/**
 * struct table_options - how a table is made
 * @total:	counts since the beginning; else counts a second
 * @by:		what a line is
 * @sort:	marks the column that devices are sorted by, NULL: none
 * @reverse:	the mark says that it is the other way round
 * @timestamps:	the first column says when the sample was taken
 * @width:	columns of the terminal, 0: no matter. What is least important
 *		is left out until the table fits.
 * @rows:	lines without the headings, 0: as many as there are
 */
struct table_options {
	bool total;
	enum table_by by;
	const struct sort_key *sort;
	bool reverse;
	bool timestamps;
	unsigned int width;
	unsigned int rows;
};

/**
 * struct table - lines of text
 * @lines:	the headings, which are TABLE_HEADINGS lines, and a line for
 *		each virtqueue, device or address space; no newlines. To be
 *		freed by table_free().
 * @count:	elements of @lines
 * @left_out:	virtqueues, devices or address spaces for which there was no line
 * @hidden:	columns for which there was no room
 * @sorts:	what can be sorted by, in the order of the columns shown
 * @nr_sorts:	elements of @sorts
 */
struct table {
	char **lines;
	unsigned int count;
	unsigned int left_out;
	unsigned int hidden;
	const struct sort_key *sorts[TABLE_COLUMNS_MAX];
	unsigned int nr_sorts;
};

/**
 * table_make() - make the table of a sample
 * @table:	filled in
 * @sample:	what happened
 * @devices:	those of @sample that are wanted, in the order in which they are
 * @count:	elements of @devices
 * @options:	see above
 *
 * Return: 0 or -ENOMEM.
 */
int table_make(struct table *table, const struct top_sample *sample,
	       const struct top_device *const *devices, size_t count,
	       const struct table_options *options);

void table_free(struct table *table);

#endif /* TOP_TABLE_H */
