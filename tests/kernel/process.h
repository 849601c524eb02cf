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

/* Start a process that calls @work, and go on at once. */
void process_begin(struct process *p, void (*work)(void));

/* Wait until it is in a function of the kernel. Return: false after LIMIT_MS. */
bool process_wait_in(const struct process *p, const char *function);

/* Send SIGKILL. Return: whether that ends it; false after LIMIT_MS. */
bool process_can_be_killed(const struct process *p);

/* Kill it with SIGKILL, and wait until it is gone with all it held. */
void process_kill(struct process *p);

/* For the runner: kill those that a failed check has left. */
void process_kill_all(void);

/* Run a program to its end. Return: whether its exit status was 0. */
bool process_run(char *const argv[]);

#endif /* KERNEL_TEST_PROCESS_H */
