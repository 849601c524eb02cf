// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "pasid_walk.h"
#include "vtd_space.h"
#include "walk_memory.h"
#include "walk_record.h"
#include "walk_space.h"

/* For vtd_walk() */
static int read_step(void *arg, enum vtd_table table, int level, __u64 gpa, void *to, __u32 size)
{
	struct walk_record *record = arg;
	struct walk_step *step = &record->steps[record->count];

	if (record->count == VTD_MAX_READS_NESTED || size > sizeof(step->words))
		return -E2BIG;
	record->count++;
	*step = (struct walk_step){
		.table = table,
		.level = level,
		.gpa = gpa,
		.count = size / sizeof(step->words[0]),
	};
	step->err = walk_memory_read(record->memory, gpa, step->words, size);
	memcpy(to, step->words, size);
	return step->err;
}

/*
 * As iotlbd does it, but for neighbours, which would only be more to look at. If flags
 * are missing, it goes on: another fault counts more, see vtd_walk_whole().
 */
static void walk_given(struct walk_record *record)
{
	const struct walk_space *space = record->space;
	const uint32_t pasid = record->request.pasid;
	struct vtd_walk beyond;
	struct pasid_view view;
	size_t above;

	if (space->kind == WALK_SPACE_ATTACHED) {
		pasid_view_attached(&view, record->unit, pasid, &space->table);
	} else {
		if (space->has_iommu &&
		    vtd_parent_find(record->unit, record->request.source_id, read_step, record,
				    &record->parent, &record->where))
			return;
		pasid_view_bound(&view, record->unit, pasid, &space->binding, &record->parent);
	}
	above = record->count;
	if (vtd_space_walk(&view.unit, &record->request, &view.space, &view.parent, read_step,
			   record, &record->translation,
			   &record->where) != VTD_FAULT_ACCESSED_DIRTY)
		return;
	record->count = above;
	if (vtd_space_set(&view.unit, &record->request, &view.space, &view.parent, read_step,
			  vtd_set_none, true, record, &beyond))
		record->where = beyond;
}

/* By the guest's IOMMU */
static void walk_iommu(struct walk_record *record)
{
	struct vtd_walk beyond;

	if (vtd_walk(record->unit, &record->request, read_step, record, &record->translation,
		     &record->where) != VTD_FAULT_ACCESSED_DIRTY)
		return;
	record->count = 0;
	if (vtd_walk_set(record->unit, &record->request, read_step, vtd_set_none, true, record,
			 &beyond))
		record->where = beyond;
}

void walk_record(struct walk_record *record)
{
	record->count = 0;
	record->parent = (struct vtd_parent){};
	if (record->space->kind != WALK_SPACE_IOMMU)
		walk_given(record);
	else
		walk_iommu(record);
}
