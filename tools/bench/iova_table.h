/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BENCH_IOVA_TABLE_H
#define BENCH_IOVA_TABLE_H

#include "layout.h"

/**
 * iova_table_write() - write all translations for a daemon that serves this run
 * @l:		layout
 * @path:	file, or "-" for the standard output
 *
 * One line for each mapping: `iova size gpa perm`, hexadecimal with 0x, perm
 * being r, w or rw.
 *
 * Return: 0, or -1 after a message.
 */
int iova_table_write(const struct layout *l, const char *path);

#endif /* BENCH_IOVA_TABLE_H */
