/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keys and values of the maps that deliver.bpf.c shares with its loader. What
 * goes through the ring buffer is in include/iotlb_record.h.
 */
#ifndef BPF_DELIVER_H
#define BPF_DELIVER_H

#include <linux/types.h>

/* Devices that can be served at once, and that can be set aside. */
#define DELIVER_MAX_DEVICES 4096

/* Virtqueues whose record found no room on the ring buffer. */
#define DELIVER_MAX_OVERFLOW 4096

/**
 * struct deliver_device - a device whose misses the loader answers
 * @throttled:	not for now: its misses go their usual way
 *
 * Written by the loader only.
 */
struct deliver_device {
	__u32 throttled;
};

/**
 * struct deliver_counts - misses of a device that did not go to the loader
 * @drops:	found no room on the ring buffer
 * @passed:	came while the device was throttled
 */
struct deliver_counts {
	__u64 drops;
	__u64 passed;
};

/**
 * struct deliver_queue - a virtqueue
 * @dev:	id of its device
 * @vq:		index
 * @reserved:	zero
 */
struct deliver_queue {
	__u64 dev;
	__u32 vq;
	__u32 reserved;
};

#endif /* BPF_DELIVER_H */
