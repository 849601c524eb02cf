/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads the entries of a page walk in one system call, if the walk goes the way
 * of the device's last one: through the same tables, whose entries for the new
 * address lie where they must lie. That is a guess where to read, and no more:
 * nothing that was read for one walk is used for another.
 *
 * It is as good as reading them one by one. They are read from the root on, each
 * after the one that leads to it (process_vm_readv(2): "buffers are processed in
 * array order"), and an entry is used only if the one before it, as it has just
 * been read, leads there. From the first that does not, the rest is read one by
 * one.
 */
#ifndef IOTLB_TRAIL_H
#define IOTLB_TRAIL_H

#include <stddef.h>
#include <stdint.h>

#include "vtd_types.h"

struct guest_memory;

/* As many as a walk without nesting reads: VTD_MAX_READS_SCALABLE. */
#define TRAIL_STEPS 9

/* Bytes that are read ahead at most; legacy mode takes 128. */
#define TRAIL_ROOM 256

/**
 * struct trail_step - something that was read
 * @gpa:	where
 * @size:	bytes
 * @level:	of a page table; 0 is no page table
 */
struct trail_step {
	uint64_t gpa;
	uint8_t size;
	uint8_t level;
};

/**
 * struct trail - what the last walk of a device has read
 * @steps:	in this order
 * @count:	how many; all zero is no walk
 */
struct trail {
	struct trail_step steps[TRAIL_STEPS];
	size_t count;
};

/**
 * struct trail_walk - a walk
 * @memory:	of the guest
 * @trail:	of the device
 * @ahead:	what is read ahead, where it is thought to be
 * @data:	what was there, one behind the other
 * @ahead_count: how many of them there are
 * @at:		the next one, and where in @data it is
 * @offset:	the same
 * @made:	what this walk has read so far
 */
struct trail_walk {
	const struct guest_memory *memory;
	struct trail *trail;
	struct trail_step ahead[TRAIL_STEPS];
	uint64_t data[TRAIL_ROOM / 8];
	size_t ahead_count;
	size_t at;
	size_t offset;
	struct trail made;
};

/* Begins a walk for an address; without a @trail, all is read one by one. */
void trail_begin(struct trail_walk *walk, const struct guest_memory *memory, struct trail *trail,
		 uint64_t iova);

/* Reads an entry; a vtd_read_fn for @walk. */
int trail_read(void *walk, enum vtd_table table, int level, __u64 gpa, void *to, __u32 size);

/* Ends the walk: it is the last one now. */
void trail_end(struct trail_walk *walk);

#endif /* IOTLB_TRAIL_H */
