/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What translates a PASID, where that is not said by the guest's IOMMU: as it was
 * given to iotlbd at its control socket (iotlbd-control(7)).
 */
#ifndef WALK_SPACE_H
#define WALK_SPACE_H

#include <stdbool.h>

#include "sva.h"
#include "vtd_types.h"

enum walk_space_kind {
	WALK_SPACE_IOMMU,    /* the guest's IOMMU says it */
	WALK_SPACE_BOUND,    /* a page table is bound to the PASID */
	WALK_SPACE_ATTACHED, /* a PASID table is attached to the device */
};

/**
 * struct walk_space - where a walk begins
 * @kind:	which of these
 * @binding:	of a PASID that is bound
 * @table:	that is attached
 * @has_iommu:	what is bound is nested in the second level that the guest's IOMMU
 *		has for the device
 */
struct walk_space {
	enum walk_space_kind kind;
	struct sva_binding binding;
	struct sva_table table;
	bool has_iommu;
};

/* An IOMMU that can do all that a walk can, for a guest that has none. */
struct vtd_unit walk_space_any_unit(void);

#endif /* WALK_SPACE_H */
