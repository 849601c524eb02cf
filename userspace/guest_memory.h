/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest's memory, read out of the process that owns its device.
 */
#ifndef IOTLB_GUEST_MEMORY_H
#define IOTLB_GUEST_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct memory_table;

/* Pieces that are read at once, at most */
#define GUEST_MEMORY_PIECES 16

/**
 * struct guest_memory - where it is
 * @pid:	owner of the device
 * @pidfd:	the same, for being sure that it is; -1 if that does not matter
 * @table:	which guest-physical addresses lie where
 */
struct guest_memory {
	pid_t pid;
	int pidfd;
	const struct memory_table *table;
};

/**
 * guest_memory_read() - read guest-physical memory
 * @memory:	of which guest
 * @gpa:	from this address on
 * @to:		where to put it
 * @size:	bytes
 *
 * Return: 0, -EFAULT if it does not lie within one region of the memory table,
 * or the owner has none there, or another negative errno of
 * process_vm_readv(2).
 */
int guest_memory_read(const struct guest_memory *memory, uint64_t gpa, void *to, size_t size);

/**
 * struct guest_piece - some guest-physical memory
 * @gpa:	from here on
 * @size:	bytes
 */
struct guest_piece {
	uint64_t gpa;
	size_t size;
};

/**
 * guest_memory_read_pieces() - read some pieces, in this order
 * @memory:	of which guest
 * @pieces:	no more than GUEST_MEMORY_PIECES
 * @count:	how many
 * @to:		where to put them, one behind the other
 *
 * Ends before the first that cannot be read.
 *
 * Return: how many could be read, may be none.
 */
size_t guest_memory_read_pieces(const struct guest_memory *memory, const struct guest_piece *pieces,
				size_t count, void *to);

/* Was it the owner's memory that was read so far, and not that of a process
 * that has got its pid since?
 */
int guest_memory_check(const struct guest_memory *memory);

#endif /* IOTLB_GUEST_MEMORY_H */
