/* SPDX-License-Identifier: GPL-2.0 */
/* Files about a run that others read. */
#ifndef BENCH_OUTPUT_H
#define BENCH_OUTPUT_H

#include <stdio.h>

#include "layout.h"

typedef int (*output_fn)(const struct layout *l, FILE *file);

/**
 * output_write() - have a file written
 * @path:	or "-" for the standard output
 * @what:	for messages
 * @write:	iova_table_write() or vtd_file_write()
 *
 * Return: 0, or -1 after a message.
 */
int output_write(const struct layout *l, const char *path, const char *what, output_fn write);

#endif /* BENCH_OUTPUT_H */
