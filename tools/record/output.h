/* SPDX-License-Identifier: GPL-2.0 */
/* The files that are left: names, and that none is overwritten by mistake. */
#ifndef RECORD_OUTPUT_H
#define RECORD_OUTPUT_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

/**
 * struct output - a file that is being written
 * @path:	its name
 * @file:	open for writing, NULL if it is not
 */
struct output {
	char path[PATH_MAX];
	FILE *file;
};

/**
 * output_open() - make a file
 * @output:	filled in
 * @base:	name of the report, which ends in .html; NULL: made of the time
 * @extension:	instead of .html
 * @force:	overwrite it if it is there
 *
 * Made before anything is recorded, so that no long run is in vain.
 *
 * Return: false after an error, which has been told.
 */
bool output_open(struct output *output, const char *base, const char *extension, bool force);

/* Return: false if something could not be written, which has been told. */
bool output_close(struct output *output);

/* There is nothing to be written after all. */
void output_remove(struct output *output);

#endif /* RECORD_OUTPUT_H */
