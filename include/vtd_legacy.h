/* SPDX-License-Identifier: GPL-2.0 */
/* Legacy mode: specification 3.4.2, entries 9.1 and 9.3. */
#ifndef VTD_LEGACY_H
#define VTD_LEGACY_H

#include "vtd_second_level.h"

static __always_inline enum vtd_fault vtd_legacy_root(const struct vtd_state *s, __u64 *contexts)
{
	/* 16 bytes for each bus */
	__u64 gpa = (s->unit->root & VTD_TABLE_ADDRESS & ~s->beyond) |
		    (s->request->source_id >> 4 & 0xff0);
	__u64 root[2];

	if (s->read(s->memory, VTD_TABLE_ROOT, 0, gpa, root, VTD_ROOT_SIZE))
		return vtd_fail(s, VTD_FAULT_READ, VTD_TABLE_ROOT, 0);
	if (!(root[0] & VTD_ROOT_PRESENT))
		return vtd_fail(s, VTD_FAULT_ROOT_PRESENT, VTD_TABLE_ROOT, 0);
	if (root[0] & (VTD_ROOT_RESERVED | s->beyond) || root[1])
		return vtd_fail(s, VTD_FAULT_ROOT_RESERVED, VTD_TABLE_ROOT, 0);

	*contexts = root[0] & VTD_TABLE_ADDRESS;
	return VTD_OK;
}

static __always_inline enum vtd_fault vtd_legacy_context(const struct vtd_state *s, __u64 contexts,
							 __u64 *context)
{
	__u64 gpa = contexts | (s->request->source_id & 0xff) << 4;

	if (s->read(s->memory, VTD_TABLE_CONTEXT, 0, gpa, context, VTD_CONTEXT_SIZE))
		return vtd_fail(s, VTD_FAULT_READ, VTD_TABLE_CONTEXT, 0);
	if (!(context[0] & VTD_CONTEXT_PRESENT))
		return vtd_fail(s, VTD_FAULT_CONTEXT_PRESENT, VTD_TABLE_CONTEXT, 0);
	if (context[0] & (VTD_CONTEXT_RESERVED_0 | s->beyond) ||
	    context[1] & VTD_CONTEXT_RESERVED_1)
		return vtd_fail(s, VTD_FAULT_CONTEXT_RESERVED, VTD_TABLE_CONTEXT, 0);
	return VTD_OK;
}

/* As vtd_walk(), if the mode is VTD_ROOT_MODE_LEGACY. */
static __always_inline enum vtd_fault vtd_legacy(const struct vtd_state *s,
						 struct vtd_translation *translation)
{
	__u8 widths = s->unit->sagaw & VTD_WIDTHS, width;
	__u64 contexts, context[2], type;
	enum vtd_fault fault;

	if (s->request->pasid != VTD_NO_PASID)
		return vtd_fail(s, VTD_FAULT_PASID_REQUEST, VTD_TABLE_ROOT, 0);

	fault = vtd_legacy_root(s, &contexts);
	if (fault)
		return fault;
	fault = vtd_legacy_context(s, contexts, context);
	if (fault)
		return fault;

	type = context[0] & VTD_CONTEXT_TYPE;
	width = context[1] & VTD_CONTEXT_WIDTH_1;
	/* From here on, only the widths that are not smaller. */
	widths >>= width;
	if (type == VTD_CONTEXT_TYPE_RESERVED || !(widths & 1))
		return vtd_fail(s, VTD_FAULT_CONTEXT_TYPE, VTD_TABLE_CONTEXT, 0);

	if (type == VTD_CONTEXT_TYPE_PASS_THROUGH) {
		if (widths != 1 || !(s->unit->flags & VTD_UNIT_PASS_THROUGH))
			return vtd_fail(s, VTD_FAULT_CONTEXT_TYPE, VTD_TABLE_CONTEXT, 0);
		return vtd_pass_through(s, VTD_TABLE_CONTEXT, translation);
	}
	return vtd_second_level(s, VTD_TABLE_CONTEXT, context[0] & VTD_TABLE_ADDRESS,
				VTD_LEVELS(width), translation);
}

#endif /* VTD_LEGACY_H */
