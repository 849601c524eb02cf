/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOTLB_SYSCALL_FILTER_H
#define IOTLB_SYSCALL_FILTER_H

#include <stdbool.h>

/**
 * syscall_filter_install() - allow only the system calls that serving needs
 * @memory:	it needs the memory of other processes, for reading
 *
 * From now on, any other system call ends the process by SIGSYS, and the
 * kernel logs which. This cannot be undone.
 *
 * Return: 0 or a negative errno.
 */
int syscall_filter_install(bool memory);

#endif /* IOTLB_SYSCALL_FILTER_H */
