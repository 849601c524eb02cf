/* SPDX-License-Identifier: GPL-2.0 */
/* perf(1), which records beside us. */
#ifndef RECORD_PERF_H
#define RECORD_PERF_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * perf_start() - have perf record all events of vhost
 * @path:	its file
 * @pid:	its process
 *
 * Returns when it records. Return: false after an error, which has been told.
 */
bool perf_start(const char *path, pid_t *pid);

/* Ends it, and waits until the file is complete. */
bool perf_stop(pid_t pid);

#endif /* RECORD_PERF_H */
