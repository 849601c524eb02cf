/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CHECK_OPTIONS_H
#define CHECK_OPTIONS_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * struct check_options - the command line of iotlb-check
 * @pid:	--pid
 * @qmp:	--qmp, NULL without
 * @monitor:	--monitor, NULL without
 * @duration:	--duration, seconds
 * @json:	--json
 */
struct check_options {
	pid_t pid;
	const char *qmp;
	const char *monitor;
	double duration;
	bool json;
};

/* Ends the program after an error (2), and after --help and --version (0). */
void check_options_parse(struct check_options *options, int argc, char **argv);

#endif /* CHECK_OPTIONS_H */
