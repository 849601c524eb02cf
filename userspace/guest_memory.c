// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <sys/uio.h>

#include "guest_memory.h"
#include "memory_table.h"

int guest_memory_read(const struct guest_memory *memory, uint64_t gpa, void *to, size_t size)
{
	const struct memory_region *region = memory_table_find(memory->table, gpa);
	struct iovec here = {.iov_base = to, .iov_len = size};
	struct iovec there = {.iov_len = size};
	ssize_t got;

	if (!region || size - 1 > region->last - gpa)
		return -EFAULT;
	there.iov_base = (void *)(uintptr_t)(region->hva + (gpa - region->gpa));
	got = process_vm_readv(memory->pid, &here, 1, &there, 1, 0);
	if (got < 0)
		return -errno;
	return (size_t)got == size ? 0 : -EFAULT;
}

int guest_memory_check(const struct guest_memory *memory)
{
	struct pollfd owner = {.fd = memory->pidfd, .events = POLLIN};

	/* It becomes readable when the process ends. */
	return poll(&owner, 1, 0) ? -ESRCH : 0;
}
