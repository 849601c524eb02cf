/* SPDX-License-Identifier: GPL-2.0 */
/* perf(1), which records beside us. */
#ifndef RECORD_PERF_H
#define RECORD_PERF_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * struct perf - perf that records
 * @pid:	its process, 0 if there is none
 * @control:	pipes by which it is told when to begin; it ends if they are closed
 * @ack:	by which it answers
 */
struct perf {
	pid_t pid;
	int control;
	int ack;
};

/**
 * perf_start() - have perf record all events of vhost
 * @perf:	filled in
 * @path:	its file
 *
 * Returns when it records. Return: false after an error, which has been told.
 */
bool perf_start(struct perf *perf, const char *path);

/* Ends it, if there is one, and waits until the file is complete. Return: false if
 * it may not be, which has been told.
 */
bool perf_stop(struct perf *perf);

#endif /* RECORD_PERF_H */
