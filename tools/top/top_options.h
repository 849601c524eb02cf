/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOP_OPTIONS_H
#define TOP_OPTIONS_H

#include <stdbool.h>
#include <sys/types.h>

#include "sort.h"
#include "table.h"

enum top_format {
	TOP_FOR_PEOPLE, /* tables */
	TOP_JSON,
	TOP_CSV,
	TOP_OPENMETRICS,
};

/**
 * struct top_options - the command line
 * @pid:	devices of this process only, 0: of all
 * @interval:	seconds between samples
 * @count:	samples, 0: no end
 * @duration:	seconds until the end, 0: no end
 * @format:	what is written
 * @file:	where to, NULL: standard output
 * @batch:	tables one after the other even on a terminal
 * @timestamps:	say when each sample was taken
 * @sort:	order of devices
 * @by:		what a line of a table is
 * @rows:	lines of a table, 0: all
 * @max_queues:	count so many virtqueues and devices at most
 * @probes:	probe functions even if there are tracepoints
 */
struct top_options {
	pid_t pid;
	double interval;
	unsigned long count;
	double duration;
	enum top_format format;
	const char *file;
	bool batch;
	bool timestamps;
	const struct sort_key *sort;
	enum table_by by;
	unsigned int rows;
	unsigned int max_queues;
	bool probes;
};

/* Ends the program after an error (2), and after --help and --version (0). */
void top_options_parse(struct top_options *options, int argc, char **argv);

#endif /* TOP_OPTIONS_H */
