/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the views for people share: tables with what belongs around them.
 */
#ifndef TOP_PRINT_H
#define TOP_PRINT_H

#include "table.h"
#include "view.h"

/* Columns and lines of a terminal, 0 if it is none or does not tell. */
unsigned int terminal_columns(FILE *out);
unsigned int terminal_lines(FILE *out);

/* Sort the devices of a sample and make the table. Return: 0 or -ENOMEM. */
int print_make_table(struct table *table, const struct top_sample *sample,
		     const struct view_options *view, const struct table_options *options);

/* Return: 0, or a negative errno if not all that was printed got out. */
int print_flush(FILE *out);

void print_sample(const struct view_options *view, const struct top_sample *sample);
void print_summary(const struct view_options *view, const struct top_sample *sample);

/* The number; printf() takes several times as long, which is much of a sample. */
void print_count(FILE *out, uint64_t count);

#endif /* TOP_PRINT_H */
