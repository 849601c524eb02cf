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
	uint64_t misses, answered, stale, failed; /* of those that it was told */
	uint64_t resolved;			  /* in the kernel, without it */
};

/**
 * daemon_start() - start it, and wait until it serves
 * @d:		result
 * @program:	file, relative to that of this program
 * @options:	that say how to translate, two at most, with NULL at the end
 */
void daemon_start(struct daemon *d, const char *program, const char *const *options);

/* End it, and see what it has done. */
void daemon_stop(struct daemon *d, struct daemon_counts *counts);

#endif /* RACE_DAEMON_H */
