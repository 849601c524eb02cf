/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The page walk of VT-d for a PASID whose page table was bound, or whose PASID
 * table was attached (sva.h): vtd_space.h, as the kernel has it, too.
 */
#ifndef IOTLB_PASID_WALK_H
#define IOTLB_PASID_WALK_H

#include <stdint.h>

#include "vtd_types.h"

struct iommu_view;
struct sva_binding;
struct sva_table;

/**
 * second_level_find() - the second level that the guest's IOMMU has for a device
 * @view:	the IOMMU, and the device
 * @read:	reads guest memory
 * @memory:	first argument of @read
 * @second:	set unless there is a fault; that of requests without PASID
 * @where:	where a fault was
 *
 * Return: VTD_OK, or the fault of the tables above the page tables.
 */
enum vtd_fault second_level_find(const struct iommu_view *view, vtd_read_fn read, void *memory,
				 struct vtd_parent *second, struct vtd_walk *where);

/* Where the walk begins, for the kernel */
struct vtd_space pasid_space_bound(const struct sva_binding *binding);
struct vtd_space pasid_space_attached(const struct sva_table *table);

/**
 * struct pasid_view - the IOMMU, as requests with a PASID see it
 * @unit:	what it can do
 * @pasid:	the PASID
 * @space:	where the walk begins
 * @parent:	in which a first level is nested
 */
struct pasid_view {
	struct vtd_unit unit;
	uint32_t pasid;
	struct vtd_space space;
	struct vtd_parent parent;
};

/**
 * pasid_view_bound() - of a PASID to which a page table is bound
 * @view:	filled in
 * @unit:	what the guest's IOMMU can do, NULL if there is none, so that it is all
 * @pasid:	the PASID
 * @binding:	the first level
 * @second:	in which it is nested
 */
void pasid_view_bound(struct pasid_view *view, const struct vtd_unit *unit, uint32_t pasid,
		      const struct sva_binding *binding, const struct vtd_parent *second);

/* Of a PASID that a table of the guest may have. */
void pasid_view_attached(struct pasid_view *view, const struct vtd_unit *unit, uint32_t pasid,
			 const struct sva_table *table);

/**
 * pasid_walk() - translate what a device asks for
 * @view:	the IOMMU
 * @iova:	address
 * @access:	VTD_READ, VTD_WRITE or both
 * @read:	reads guest memory
 * @memory:	first argument of @read
 * @translation: the answer, if there is no fault
 * @where:	where the walk ended
 *
 * Return: as for vtd_walk().
 */
enum vtd_fault pasid_walk(const struct pasid_view *view, uint64_t iova, uint8_t access,
			  vtd_read_fn read, void *memory, struct vtd_translation *translation,
			  struct vtd_walk *where);

#endif /* IOTLB_PASID_WALK_H */
