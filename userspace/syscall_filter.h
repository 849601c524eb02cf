/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOTLB_SYSCALL_FILTER_H
#define IOTLB_SYSCALL_FILTER_H

#include <stdbool.h>

/**
 * struct syscall_filter_needs - what not every daemon needs
 * @memory:	the memory of other processes, for reading
 * @clients:	to accept those who connect to a socket that listens
 */
struct syscall_filter_needs {
	bool memory;
	bool clients;
};

/**
 * syscall_filter_install() - allow only the system calls that serving needs
 * @needs:	what it needs beyond that
 *
 * From now on, any other system call ends the process by SIGSYS, and the
 * kernel logs which. This cannot be undone.
 *
 * Return: 0 or a negative errno.
 */
int syscall_filter_install(const struct syscall_filter_needs *needs);

#endif /* IOTLB_SYSCALL_FILTER_H */
