// SPDX-License-Identifier: GPL-2.0
#include "iommu_view.h"
#include "pasid_walk.h"
#include "sva.h"
#include "vtd_space.h"

/* PASIDs that a directory of the smallest size is for */
#define DIRECTORY_MIN_BITS 13

#define PDTS_SHIFT 9

/* An IOMMU that can do all that the walk can. */
static const struct vtd_unit every_unit = {
	.address_width = 52,
	.sagaw = VTD_WIDTHS,
	.large_pages = 3,
	.flags = VTD_UNIT_PASS_THROUGH | VTD_UNIT_FIRST_1G | VTD_UNIT_FIRST_5 | VTD_UNIT_NESTED,
};

enum vtd_fault second_level_find(const struct iommu_view *view, vtd_read_fn read, void *memory,
				 struct vtd_parent *second, struct vtd_walk *where)
{
	return vtd_parent_find(&view->unit, view->source_id, read, memory, second, where);
}

struct vtd_space pasid_space_attached(const struct sva_table *table)
{
	return (struct vtd_space){
		.kind = VTD_SPACE_DIRECTORY,
		.word = table->base | (uint64_t)(table->bits - DIRECTORY_MIN_BITS) << PDTS_SHIFT,
	};
}

struct vtd_space pasid_space_bound(const struct sva_binding *binding)
{
	struct vtd_space space = {
		.kind = VTD_SPACE_FIRST,
		/* Page tables of processes have pages that are not to be executed. */
		.word = binding->root | VTD_PASID_NO_EXECUTE_2,
	};

	if (binding->width == 57)
		space.word |= VTD_PASID_FIRST_5_LEVELS_2;
	if (binding->flags & SVA_BIND_SRE)
		space.word |= VTD_PASID_SUPERVISOR_2;
	if (binding->flags & SVA_BIND_WPE)
		space.word |= VTD_PASID_WRITE_PROTECT_2;
	return space;
}

void pasid_view_attached(struct pasid_view *view, const struct vtd_unit *unit, uint32_t pasid,
			 const struct sva_table *table)
{
	*view = (struct pasid_view){
		.unit = unit ? *unit : every_unit,
		.pasid = pasid,
		.space = pasid_space_attached(table),
	};
}

void pasid_view_bound(struct pasid_view *view, const struct vtd_unit *unit, uint32_t pasid,
		      const struct sva_binding *binding, const struct vtd_parent *second)
{
	*view = (struct pasid_view){
		.unit = unit ? *unit : every_unit,
		.pasid = pasid,
		.space = pasid_space_bound(binding),
		.parent = *second,
	};
}

enum vtd_fault pasid_walk(const struct pasid_view *view, uint64_t iova, uint8_t access,
			  vtd_read_fn read, void *memory, struct vtd_translation *translation,
			  struct vtd_walk *where)
{
	const struct vtd_request request = {
		.iova = iova,
		.pasid = view->pasid,
		.access = access,
		.merge = 1,
	};

	return vtd_space_walk_whole(&view->unit, &request, &view->space, &view->parent, read,
				    memory, translation, where);
}
