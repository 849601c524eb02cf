/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RECORD_OPTIONS_H
#define RECORD_OPTIONS_H

#include <stdbool.h>

enum record_mode {
	RECORD_RUN,	/* record a command, or until the end is asked for */
	RECORD_REPORT,	/* make a report of a data file */
	RECORD_COMPARE, /* make a report of two */
};

/**
 * struct record_options - the command line
 * @mode:	what to do
 * @inputs:	data files to make a report of
 * @output:	the report, NULL: its name is made of the time
 * @force:	overwrite files
 * @duration:	seconds until the end, 0: no end
 * @buffer_kib:	size of the ring buffer
 * @perf:	have perf record, too
 * @quiet:	no progress
 * @command:	with its arguments, NULL-terminated; NULL if there is none
 */
struct record_options {
	enum record_mode mode;
	const char *inputs[2];
	const char *output;
	bool force;
	double duration;
	unsigned int buffer_kib;
	bool perf;
	bool quiet;
	char **command;
};

/* What iotlb-record itself cannot do, as opposed to the command. */
#define RECORD_EXIT_FAILED 125

/* Ends the program after an error (2), and after --help and --version (0). */
void record_options_parse(struct record_options *options, int argc, char **argv);

#endif /* RECORD_OPTIONS_H */
