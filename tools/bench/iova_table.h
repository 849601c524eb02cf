/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BENCH_IOVA_TABLE_H
#define BENCH_IOVA_TABLE_H

#include <stdio.h>

#include "layout.h"

/**
 * iova_table_write() - write all translations for a daemon that serves this run
 * @l:		layout
 * @file:	where to
 *
 * One line for each mapping: `iova size gpa perm', hexadecimal with 0x, perm
 * being r, w or rw.
 *
 * Return: 0, or < 0 on error.
 */
int iova_table_write(const struct layout *l, FILE *file);

#endif /* BENCH_IOVA_TABLE_H */
