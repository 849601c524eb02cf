/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOTLB_IOMMU_VIEW_H
#define IOTLB_IOMMU_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "vtd_types.h"

/**
 * struct iommu_view - the IOMMU of a guest, as one of its devices sees it
 * @unit:	the IOMMU
 * @pasid:	of the device's requests, VTD_NO_PASID for none
 * @source_id:	of its requests
 */
struct iommu_view {
	struct vtd_unit unit;
	uint32_t pasid;
	uint16_t source_id;
};

static inline bool iommu_view_same(const struct iommu_view *a, const struct iommu_view *b)
{
	return a->unit.root == b->unit.root && a->unit.address_width == b->unit.address_width &&
	       a->unit.sagaw == b->unit.sagaw && a->unit.large_pages == b->unit.large_pages &&
	       a->unit.flags == b->unit.flags && a->pasid == b->pasid &&
	       a->source_id == b->source_id;
}

/* What is known of it, if the guest is followed (guest.h) */
enum iommu_state {
	IOMMU_NOT_FOLLOWED,
	IOMMU_UNKNOWN, /* not, or of another time */
	IOMMU_OFF,
	IOMMU_ON,
};

#endif /* IOTLB_IOMMU_VIEW_H */
