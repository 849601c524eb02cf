/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What bpf/invalidations.bpf.c counts for each device.
 */
#ifndef IOTLB_INVALIDATIONS_H
#define IOTLB_INVALIDATIONS_H

#include <linux/types.h>

#define IOTLB_INVALIDATIONS_DEVICES 1024

#define IOTLB_INVALIDATION_PAGE 4096ULL

/*
 * QEMU leaves the interrupt range, 0xfeexxxxx, out of an invalidation of
 * everything, and so makes two of it. Both are larger than this.
 */
#define IOTLB_INVALIDATION_ALL (1ULL << 31)

/**
 * struct iotlb_invalidations - INVALIDATEs of a device
 * @page:	of a page or less
 * @range:	of more
 * @all:	of all that there is, or a large part of it
 */
struct iotlb_invalidations {
	__u64 page;
	__u64 range;
	__u64 all;
};

#endif /* IOTLB_INVALIDATIONS_H */
