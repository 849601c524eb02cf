/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table of devices and virtqueues, as text.
 */
#ifndef TOP_TABLE_H
#define TOP_TABLE_H

#include <stdbool.h>

#include "model.h"

/**
 * struct table_options - how a table is made
 * @total:	counts since the beginning; else counts a second
 * @timestamps:	the first column says when the sample was taken
 * @width:	columns of the terminal, 0: no matter. What is least important
 *		is left out until the table fits.
 * @rows:	lines without the headings, 0: as many as there are
 */
struct table_options {
	bool total;
	bool timestamps;
	unsigned int width;
	unsigned int rows;
};

/**
 * struct table - lines of text
 * @lines:	the headings, which are TABLE_HEADINGS lines, and a line for
 *		each virtqueue; no newlines. To be freed by table_free().
 * @count:	elements of @lines
 * @left_out:	virtqueues for which there was no line
 */
struct table {
	char **lines;
	unsigned int count;
	unsigned int left_out;
};

#define TABLE_HEADINGS 2

/**
 * table_make() - make the table of a sample
 * @table:	filled in
 * @sample:	what happened
 * @devices:	devices of @sample, in the order in which they are wanted
 * @options:	see above
 *
 * Return: 0 or -ENOMEM.
 */
int table_make(struct table *table, const struct top_sample *sample,
	       const struct top_device *const *devices, const struct table_options *options);

void table_free(struct table *table);

#endif /* TOP_TABLE_H */
