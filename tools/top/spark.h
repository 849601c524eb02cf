/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Values over time as a line of little bars, one character each.
 */
#ifndef TOP_SPARK_H
#define TOP_SPARK_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the text for so many values, with its NUL. */
#define SPARK_SIZE(count) ((count)*3 + 1)

/**
 * spark_make() - make the bars
 * @text:	SPARK_SIZE(@count) bytes
 * @values:	the oldest first; NAN leaves a gap
 * @count:	how many
 * @greatest:	value of the highest bar, nothing is lower than 0; 0: the
 *		greatest of the values
 * @utf8:	bars are block elements of Unicode; else of ASCII
 *
 * Only 0 has the lowest bar, so that the least that happens is seen.
 *
 * Return: @text.
 */
char *spark_make(char *text, const double *values, size_t count, double greatest, bool utf8);

#endif /* TOP_SPARK_H */
