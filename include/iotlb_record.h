/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the miss hook puts on its BPF ring buffer for the translation daemon.
 *
 * All fields are in host byte order. A reader refuses a record whose version
 * it does not know, or that is shorter than the version says.
 */
#ifndef IOTLB_RECORD_H
#define IOTLB_RECORD_H

#include <linux/types.h>

#define IOTLB_RECORD_VERSION 3

enum iotlb_record_kind {
	IOTLB_RECORD_MISS = 1,	   /* a virtqueue waits for a translation */
	IOTLB_RECORD_MEMORY = 2,   /* the owner has set a new memory table */
	IOTLB_RECORD_REPLACED = 3, /* the device has got a new IOTLB: its driver starts it */
	IOTLB_RECORD_FLUSHED = 4,  /* the owner has invalidated everything */
};

enum iotlb_record_flags {
	/*
	 * The daemon does not serve this device yet: the miss is on the vhost
	 * fd too, and the record is how the daemon learns of the device.
	 */
	IOTLB_RECORD_F_NEW = 1 << 0,
	/* The token is valid: vhost refuses answers that come too late. */
	IOTLB_RECORD_F_TOKEN = 1 << 1,
	/* The number of the memory table is valid. */
	IOTLB_RECORD_F_MEM_SEQ = 1 << 2,
};

/**
 * struct iotlb_record - a miss, or news of a device
 * @version:	IOTLB_RECORD_VERSION
 * @kind:	enum iotlb_record_kind
 * @flags:	enum iotlb_record_flags
 * @time_ns:	CLOCK_MONOTONIC, nanoseconds
 * @dev:	the device, as "vhost-id" in the fdinfo of its vhost fd names it
 * @iova:	first I/O virtual address, in bytes, that has no translation
 * @len:	bytes from @iova on that the device still wants
 * @vq:		index of the virtqueue that waits
 * @access:	VHOST_ACCESS_RO, VHOST_ACCESS_WO
 * @asid:	address space that it is in: a PASID, or 0 for requests without
 * @tgid:	process in whose context this happened: the owner of the device,
 *		unless its vhost workers are kernel threads
 * @mem_seq:	low half of the number of the memory table at the time of the
 *		miss; "vhost-mem-seq" in fdinfo is that of the table there
 * @token:	state of the device at the time of the miss, for the answer
 *
 * @iova to @asid, @mem_seq and @token are zero in records that are no miss.
 *
 * A miss with an @asid that is not zero, a PASID, is the kernel's half of a page
 * request, should it be that the guest has no page there: @asid, @iova, @access and
 * @len are pasid, addr, perm and length of struct iommu_hwpt_pgfault in
 * <linux/iommufd.h>. A page request group is what one virtqueue waits for, which has
 * one outstanding miss; its number, grpid and cookie, is given out by the daemon.
 */
struct iotlb_record {
	__u16 version;
	__u16 kind;
	__u32 flags;
	__u64 time_ns;
	__u64 dev;
	__u64 iova;
	__u64 len;
	__u16 vq;
	__u16 access;
	__u32 asid;
	__u32 tgid;
	__u32 mem_seq;
	__u64 token;
};

_Static_assert(sizeof(struct iotlb_record) == 64, "no implicit padding");

#endif /* IOTLB_RECORD_H */
