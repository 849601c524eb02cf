/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keys and values of the maps that deliver.bpf.c shares with its loader. What
 * goes through the ring buffer is in include/iotlb_record.h.
 */
#ifndef BPF_DELIVER_H
#define BPF_DELIVER_H

#include <linux/types.h>

#include "vtd_types.h"

/* Devices that can be served at once, and that can be set aside. */
#define DELIVER_MAX_DEVICES 4096

/* Virtqueues whose record found no room on the ring buffer. */
#define DELIVER_MAX_OVERFLOW 4096

/* Of all devices: PASIDs that the loader has said something of */
#define DELIVER_MAX_SPACES (65536 + DELIVER_MAX_DEVICES)

/**
 * struct deliver_device - a device whose misses the loader answers
 * @throttled:	not for now, as there are too many
 * @paused:	not for now, as it is not known how
 * @epoch:	if the loader follows guests: number of the IOTLB that @paused is
 *		about; misses with any other go their usual way, and tell the loader
 *		that there is another
 *
 * Written by the loader only.
 */
struct deliver_device {
	__u32 throttled;
	__u32 paused;
	__u64 epoch;
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
 * struct resolver_device - a device whose misses are resolved in the kernel
 * @dev:	its id, zero if there is none here
 * @unit:	IOMMU of its guest
 * @pasid:	of its requests, VTD_NO_PASID for none
 * @source_id:	of its requests
 * @reserved:	zero
 * @epoch:	number of the IOTLB that it is for; only looked at if the loader
 *		follows guests
 * @resolved:	misses that were
 * @large:	misses that go to the loader because one answer serves many
 * @faults:	misses that go to the loader because the walk has failed
 *
 * A device has its place at its id modulo DELIVER_MAX_DEVICES, which costs the
 * program less than to look for it. Should two want the same, the second one's
 * misses go to the loader.
 *
 * The program writes the last three, the loader the others. A walk must not see
 * a part of one unit and a part of another, and the program does nothing for it:
 *
 * - It looks at @dev first, and from there to its end uses what it has found.
 * - So whatever is here is only written while @dev is zero, and after all
 *   programs have ended that may have seen another @dev (a grace period of RCU,
 *   in which programs run). @dev is the last to be written.
 * - When @dev has become zero, no walk that begins later uses the unit; and one
 *   that is still under way ends before another unit gets here, also if that is
 *   of the same device.
 *
 * When the guest's driver starts a device, its IOTLB is replaced, and there may be
 * another guest behind the same IOMMU, set up in another way. So with another IOTLB
 * the unit is out of date. If it turns out that it is still right, nothing but
 * @epoch is written.
 *
 * Processors that let loads overtake each other could still load a part of the
 * unit before @dev. Those of amd64, which is all that is supported, do not.
 */
struct resolver_device {
	__u64 dev;
	struct vtd_unit unit;
	__u32 pasid;
	__u16 source_id;
	__u16 reserved;
	__u64 epoch;
	__u64 resolved;
	__u64 large;
	__u64 faults;
} __attribute__((aligned(64)));

/**
 * struct deliver_news - something that the loader has been told and not yet
 * looked at
 * @dev:	the device
 * @kind:	enum iotlb_record_kind
 * @reserved:	zero
 */
struct deliver_news {
	__u64 dev;
	__u32 kind;
	__u32 reserved;
};

/**
 * struct deliver_space - requests that have a PASID
 * @dev:	the device
 * @pasid:	the PASID; 0 for those that have no entry of their own
 * @reserved:	zero
 */
struct deliver_space {
	__u64 dev;
	__u32 pasid;
	__u32 reserved;
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
