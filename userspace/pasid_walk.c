// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "iommu_view.h"
#include "pasid_walk.h"
#include "sva.h"
#include "vtd_walk.h"

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

/* The second level of a device */

/**
 * struct search - a walk that ends where the page tables begin
 * @read:	reads guest memory
 * @memory:	first argument of @read
 * @legacy:	mode
 * @entry:	the context entry or that of the PASID table, whichever leads to them
 */
struct search {
	vtd_read_fn read;
	void *memory;
	bool legacy;
	uint64_t entry[3];
};

static bool is_paging(enum vtd_table table)
{
	return table == VTD_TABLE_FIRST_LEVEL || table == VTD_TABLE_SECOND_LEVEL;
}

static int search_read(void *arg, enum vtd_table table, int level, __u64 gpa, void *to, __u32 size)
{
	struct search *search = arg;
	int err;

	if (is_paging(table))
		return -ECANCELED;
	err = search->read(search->memory, table, level, gpa, to, size);
	if (!err && table == (search->legacy ? VTD_TABLE_CONTEXT : VTD_TABLE_PASID))
		memcpy(search->entry, to, size);
	return err;
}

static struct second_level legacy_second(const uint64_t *context)
{
	uint64_t type = context[0] & VTD_CONTEXT_TYPE;

	if (type == VTD_CONTEXT_TYPE_PASS_THROUGH)
		return (struct second_level){};
	return (struct second_level){
		.table = context[0] & VTD_TABLE_ADDRESS,
		.levels = VTD_LEVELS(context[1] & VTD_CONTEXT_WIDTH_1),
	};
}

static struct second_level scalable_second(const uint64_t *entry)
{
	if (!vtd_type_has_second(entry[0] & VTD_PASID_TYPE))
		return (struct second_level){};
	return (struct second_level){
		.table = entry[0] & VTD_TABLE_ADDRESS,
		.levels = VTD_LEVELS(entry[0] >> VTD_PASID_WIDTH_SHIFT & 7),
	};
}

enum vtd_fault second_level_find(const struct iommu_view *view, vtd_read_fn read, void *memory,
				 struct second_level *second, struct vtd_walk *where)
{
	const struct vtd_request request = {
		.pasid = VTD_NO_PASID,
		.source_id = view->source_id,
		.access = VTD_READ,
	};
	struct search search = {
		.read = read,
		.memory = memory,
		.legacy = (view->unit.root & VTD_ROOT_MODE) == VTD_ROOT_MODE_LEGACY,
	};
	struct vtd_translation unused;

	/* Where the first level of those requests lies is not asked for. */
	if (vtd_walk(&view->unit, &request, search_read, &search, &unused, where) &&
	    !is_paging(where->fault_table) && where->fault != VTD_FAULT_NESTED_WIDTH)
		return where->fault;
	where->fault = VTD_OK;
	*second = search.legacy ? legacy_second(search.entry) : scalable_second(search.entry);
	return VTD_OK;
}

/* Tables above the page tables */

static void begin(struct pasid_view *view, const struct vtd_unit *unit, uint32_t pasid,
		  uint64_t directory, uint8_t bits)
{
	*view = (struct pasid_view){.unit = unit ? *unit : every_unit, .pasid = pasid};
	view->unit.root = VTD_ROOT_MODE_SCALABLE;
	view->context[0] = VTD_SCALABLE_CONTEXT_PRESENT | VTD_SCALABLE_CONTEXT_PASID | directory |
			   (uint64_t)(bits - DIRECTORY_MIN_BITS) << PDTS_SHIFT;
}

void pasid_view_attached(struct pasid_view *view, const struct vtd_unit *unit, uint32_t pasid,
			 const struct sva_table *table)
{
	begin(view, unit, pasid, table->base, table->bits);
}

void pasid_view_bound(struct pasid_view *view, const struct vtd_unit *unit, uint32_t pasid,
		      const struct sva_binding *binding, const struct second_level *second)
{
	begin(view, unit, pasid, 0, SVA_PASID_BITS);
	view->is_bound = true;
	/* What the IOMMU of the guest offers to the guest is another matter. */
	view->unit.flags |= VTD_UNIT_NESTED;

	view->entry[0] = VTD_PASID_PRESENT;
	if (second->levels)
		view->entry[0] |= VTD_PASID_TYPE_NESTED | second->table |
				  (uint64_t)(second->levels - VTD_LEVELS(0))
					  << VTD_PASID_WIDTH_SHIFT;
	else
		view->entry[0] |= VTD_PASID_TYPE_FIRST;
	/* Page tables of processes have pages that are not to be executed. */
	view->entry[2] = binding->root | VTD_PASID_NO_EXECUTE_2;
	if (binding->width == 57)
		view->entry[2] |= VTD_PASID_FIRST_5_LEVELS_2;
	if (binding->flags & SVA_BIND_SRE)
		view->entry[2] |= VTD_PASID_SUPERVISOR_2;
	if (binding->flags & SVA_BIND_WPE)
		view->entry[2] |= VTD_PASID_WRITE_PROTECT_2;
}

/**
 * struct reading - a walk under way
 * @view:	the IOMMU
 * @read:	reads guest memory
 * @memory:	first argument of @read
 */
struct reading {
	const struct pasid_view *view;
	vtd_read_fn read;
	void *memory;
};

static int pasid_read(void *arg, enum vtd_table table, int level, __u64 gpa, void *to, __u32 size)
{
	static const uint64_t root[2] = {VTD_ROOT_PRESENT, VTD_ROOT_PRESENT};
	static const uint64_t directory = VTD_DIRECTORY_PRESENT;
	const struct reading *reading = arg;
	const struct pasid_view *view = reading->view;

	if (table == VTD_TABLE_ROOT)
		memcpy(to, root, size);
	else if (table == VTD_TABLE_SCALABLE_CONTEXT)
		memcpy(to, view->context, size);
	else if (view->is_bound && table == VTD_TABLE_PASID_DIRECTORY)
		memcpy(to, &directory, size);
	else if (view->is_bound && table == VTD_TABLE_PASID)
		memcpy(to, view->entry, size);
	else
		return reading->read(reading->memory, table, level, gpa, to, size);
	return 0;
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
	struct reading reading = {.view = view, .read = read, .memory = memory};

	return vtd_walk(&view->unit, &request, pasid_read, &reading, translation, where);
}
