/* SPDX-License-Identifier: GPL-2.0 */
/* Another process, to be killed. */
#ifndef KERNEL_TEST_PROCESS_H
#define KERNEL_TEST_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

struct process {
	pid_t pid;
};

/*
 * Start a process that calls @prepare and then waits to be killed. Returns
 * when it has done so.
 */
void process_start(struct process *p, void (*prepare)(void));

/* Kill it with SIGKILL, and wait until it is gone with all it held. */
void process_kill(struct process *p);

/* For the runner: kill those that a failed check has left. */
void process_kill_all(void);

/* Run a program to its end. Return: whether its exit status was 0. */
bool process_run(char *const argv[]);

#endif /* KERNEL_TEST_PROCESS_H */
