/* SPDX-License-Identifier: GPL-2.0 */
/* An iotlbd that serves this process. */
#ifndef RACE_DAEMON_H
#define RACE_DAEMON_H

#include <stdint.h>
#include <sys/types.h>

struct daemon {
	pid_t pid;
	int output; /* what it prints */
	int notify; /* what it tells a service manager */
};

struct daemon_counts {
	uint64_t misses, answered, stale, failed;
};

/**
 * daemon_start() - start it, and wait until it serves
 * @d:		result
 * @program:	file, relative to that of this program
 * @option:	that says how to translate
 */
void daemon_start(struct daemon *d, const char *program, const char *option);

/* End it, and see what it has done. */
void daemon_stop(struct daemon *d, struct daemon_counts *counts);

#endif /* RACE_DAEMON_H */
