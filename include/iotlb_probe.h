/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What bpf/probe.bpf.c tells user space besides its counters.
 *
 * A vhost without the patches has no ids for its devices, so the program gives
 * them numbers. Slots are found by the address of the virtqueue or device; what
 * that is, stands beside them.
 */
#ifndef IOTLB_PROBE_H
#define IOTLB_PROBE_H

#include <linux/types.h>

/**
 * struct iotlb_thing - what a slot counts for
 * @dev:	number of the device, 0 while that is not known yet
 * @vq:		index of the virtqueue, or IOTLB_VQ_DEVICE or IOTLB_VQ_SPACE
 * @asid:	of an address space
 */
struct iotlb_thing {
	__u64 dev;
	__u32 vq;
	__u32 asid;
};

/**
 * struct iotlb_probe_fd - a vhost fd of a process
 * @tgid:	the process
 * @fd:		number of the fd
 * @dev:	address of the struct vhost_dev, the key in the map "numbers"
 * @has_iotlb:	the owner has switched on the device IOTLB
 * @entries:	number of translations in it
 * @limit:	most that it will hold
 * @tap:	network interface of the backend, "" if there is none
 */
struct iotlb_probe_fd {
	__u32 tgid;
	__u32 fd;
	__u64 dev;
	__u64 has_iotlb;
	__u32 entries;
	__u32 limit;
	char tap[16];
};

#endif /* IOTLB_PROBE_H */
