/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Misses that the kernel is to resolve after all. To set accessed and dirty flags of
 * a guest's entries takes an atomic operation, and a process that only reads and
 * writes the guest's memory has none: it could write back what the guest has cleared.
 * The kernel can, but does not wait for memory that is not there. Now that we have
 * read it, it is there.
 *
 * If that does not help, the miss is here again, and then there is no answer. So it
 * is known what was tried: one miss of each virtqueue, which has no more at a time.
 */
#ifndef IOTLB_ONCE_MORE_H
#define IOTLB_ONCE_MORE_H

#include <stdbool.h>
#include <stdint.h>

struct iotlb_record;

#define ONCE_MORE_QUEUES 16

/* For how long a miss that has not come again keeps the place of other virtqueues */
#define ONCE_MORE_NS 1000000000ULL

/**
 * struct once_more - misses of a device that have been tried; all zero is none
 * @since_ns:	when, 0 if none was
 * @iova:	for which address
 * @asid:	in which address space
 * @vq:		of which virtqueue, at @vq % ONCE_MORE_QUEUES
 */
struct once_more {
	struct {
		uint64_t since_ns;
		uint64_t iova;
		uint32_t asid;
		uint32_t vq;
	} tried[ONCE_MORE_QUEUES];
};

/*
 * May this miss be tried once more? If so, it has been. If it was before, or another
 * virtqueue has the place, it may not, and the next one may.
 */
bool once_more_take(struct once_more *all, const struct iotlb_record *miss, uint64_t now_ns);

#endif /* IOTLB_ONCE_MORE_H */
