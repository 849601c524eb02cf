/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What bpf/record.bpf.c puts on its ring buffer: one event each.
 */
#ifndef IOTLB_EVENT_H
#define IOTLB_EVENT_H

#include <linux/types.h>

enum iotlb_event_kind {
	IOTLB_EVENT_MISS,
	IOTLB_EVENT_UPDATE,
	IOTLB_EVENT_INVALIDATE,
	IOTLB_EVENT_EVICT,
	IOTLB_EVENT_FAIL, /* an access failed: there is no such page */
	IOTLB_EVENT_KINDS,
};

/**
 * struct iotlb_event - something that happened to a device IOTLB
 * @time:	nanoseconds of CLOCK_MONOTONIC
 * @dev:	id of the device
 * @iova:	where it begins
 * @size:	bytes; 0 stands for 2^64; 1 of an access that failed
 * @vq:		virtqueue that misses, or whose access failed; otherwise
 *		IOTLB_VQ_DEVICE
 * @kind:	enum iotlb_event_kind
 * @verdict:	of a miss: VHOST_IOTLB_MISS_* or a negative errno; of an update:
 *		0 or a negative errno; otherwise 0
 * @asid:	address space that it is about, 0 on a kernel that has only one, and
 *		if it is about all
 */
struct iotlb_event {
	__u64 time;
	__u64 dev;
	__u64 iova;
	__u64 size;
	__u32 vq;
	__u16 kind;
	__s16 verdict;
	__u32 asid;
	__u32 pad;
};

#endif /* IOTLB_EVENT_H */
