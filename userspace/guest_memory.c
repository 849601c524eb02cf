// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <sys/uio.h>

#include "guest_memory.h"
#include "memory_table.h"

/* Where in the owner it lies, or NULL if it does not lie within one region. */
static void *address_of(const struct guest_memory *memory, uint64_t gpa, size_t size)
{
	const struct memory_region *region = memory_table_find(memory->table, gpa);

	if (!region || size - 1 > region->last - gpa)
		return NULL;
	return (void *)(uintptr_t)(region->hva + (gpa - region->gpa));
}

int guest_memory_read(const struct guest_memory *memory, uint64_t gpa, void *to, size_t size)
{
	struct iovec here = {.iov_base = to, .iov_len = size};
	struct iovec there = {.iov_base = address_of(memory, gpa, size), .iov_len = size};
	ssize_t got;

	if (!there.iov_base)
		return -EFAULT;
	got = process_vm_readv(memory->pid, &here, 1, &there, 1, 0);
	if (got < 0)
		return -errno;
	return (size_t)got == size ? 0 : -EFAULT;
}

size_t guest_memory_read_pieces(const struct guest_memory *memory, const struct guest_piece *pieces,
				size_t count, void *to)
{
	struct iovec there[GUEST_MEMORY_PIECES];
	struct iovec here = {.iov_base = to};
	ssize_t got;
	size_t i;

	for (i = 0; i < count && i < GUEST_MEMORY_PIECES; i++) {
		there[i].iov_base = address_of(memory, pieces[i].gpa, pieces[i].size);
		there[i].iov_len = pieces[i].size;
		if (!there[i].iov_base)
			break;
		here.iov_len += pieces[i].size;
	}
	if (!i)
		return 0;
	got = process_vm_readv(memory->pid, &here, 1, there, i, 0);
	for (i = 0; i < count && got >= (ssize_t)pieces[i].size; i++)
		got -= pieces[i].size;
	return i;
}

int guest_memory_check(const struct guest_memory *memory)
{
	struct pollfd owner = {.fd = memory->pidfd, .events = POLLIN};

	/* It becomes readable when the process ends. */
	return poll(&owner, 1, 0) ? -ESRCH : 0;
}
