/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOTLB_MAPPING_H
#define IOTLB_MAPPING_H

#include <stdint.h>

/**
 * struct mapping - what a (virtual) IOMMU says of a range of addresses
 * @iova:	first I/O virtual address
 * @last:	last I/O virtual address, not the one after it, so that a range
 *		may reach the end of the address space
 * @gpa:	guest-physical address of @iova; the whole range is contiguous
 * @perm:	VHOST_ACCESS_RO, _WO or _RW
 */
struct mapping {
	uint64_t iova;
	uint64_t last;
	uint64_t gpa;
	uint32_t perm;
};

#endif /* IOTLB_MAPPING_H */
