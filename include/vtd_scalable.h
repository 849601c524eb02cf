/* SPDX-License-Identifier: GPL-2.0 */
/* Scalable mode: specification 3.4.3, entries 9.2 and 9.4 to 9.6. */
#ifndef VTD_SCALABLE_H
#define VTD_SCALABLE_H

#include "vtd_first_level.h"

static __always_inline enum vtd_fault vtd_scalable_root(const struct vtd_state *s, __u64 *contexts)
{
	/* 16 bytes for each bus */
	__u64 gpa = (s->unit->root & VTD_TABLE_ADDRESS & ~s->beyond) |
		    (s->request->source_id >> 4 & 0xff0);
	__u64 root[2], half;

	if (s->read(s->memory, VTD_TABLE_ROOT, 0, gpa, root, VTD_ROOT_SIZE))
		return vtd_fail(s, VTD_FAULT_READ, VTD_TABLE_ROOT, 0);

	half = s->request->source_id & 0x80 ? root[1] : root[0];
	if (!(half & VTD_ROOT_PRESENT))
		return vtd_fail(s, VTD_FAULT_ROOT_PRESENT, VTD_TABLE_ROOT, 0);
	if (half & (VTD_ROOT_RESERVED | s->beyond))
		return vtd_fail(s, VTD_FAULT_ROOT_RESERVED, VTD_TABLE_ROOT, 0);

	*contexts = half & VTD_TABLE_ADDRESS;
	return VTD_OK;
}

static __always_inline enum vtd_fault vtd_scalable_context(const struct vtd_state *s,
							   __u64 contexts, __u64 *context)
{
	__u64 gpa = contexts | (s->request->source_id & 0x7f) << 5;

	if (s->read(s->memory, VTD_TABLE_SCALABLE_CONTEXT, 0, gpa, context,
		    VTD_SCALABLE_CONTEXT_SIZE))
		return vtd_fail(s, VTD_FAULT_READ, VTD_TABLE_SCALABLE_CONTEXT, 0);
	if (!(context[0] & VTD_SCALABLE_CONTEXT_PRESENT))
		return vtd_fail(s, VTD_FAULT_CONTEXT_PRESENT, VTD_TABLE_SCALABLE_CONTEXT, 0);
	if (context[0] & (VTD_SCALABLE_CONTEXT_RESERVED_0 | s->beyond) ||
	    context[1] & VTD_SCALABLE_CONTEXT_RESERVED_1 || context[2] || context[3])
		return vtd_fail(s, VTD_FAULT_CONTEXT_RESERVED, VTD_TABLE_SCALABLE_CONTEXT, 0);
	return VTD_OK;
}

/* Which PASID, and whether it can be in the directory. */
static __always_inline enum vtd_fault
vtd_scalable_pasid(const struct vtd_state *s, const __u64 *context, __u32 *pasid, bool *privileged)
{
	__u64 size = context[0] & VTD_SCALABLE_CONTEXT_DIRECTORY_SIZE;
	__u32 shift = VTD_DIRECTORY_PASIDS_SHIFT + VTD_DIRECTORY_MIN_SHIFT + (size >> 9);

	*pasid = s->request->pasid;
	*privileged = false;
	if (*pasid == VTD_NO_PASID) {
		*pasid = context[1] & VTD_SCALABLE_CONTEXT_RID_PASID_1;
		*privileged = context[1] & VTD_SCALABLE_CONTEXT_RID_PRIVILEGE_1;
	} else if (!(context[0] & VTD_SCALABLE_CONTEXT_PASID)) {
		return vtd_fail(s, VTD_FAULT_PASID_REQUEST, VTD_TABLE_SCALABLE_CONTEXT, 0);
	}
	if (*pasid >> shift)
		return vtd_fail(s, VTD_FAULT_PASID_REQUEST, VTD_TABLE_SCALABLE_CONTEXT, 0);
	return VTD_OK;
}

static __always_inline enum vtd_fault vtd_scalable_directory(const struct vtd_state *s, __u64 base,
							     __u32 pasid, __u64 *entries)
{
	/* The directory may be larger than a page. */
	__u64 gpa = base + (pasid >> VTD_DIRECTORY_PASIDS_SHIFT) * VTD_DIRECTORY_SIZE;
	__u64 entry;

	if (s->read(s->memory, VTD_TABLE_PASID_DIRECTORY, 0, gpa, &entry, VTD_DIRECTORY_SIZE))
		return vtd_fail(s, VTD_FAULT_READ, VTD_TABLE_PASID_DIRECTORY, 0);
	if (!(entry & VTD_DIRECTORY_PRESENT))
		return vtd_fail(s, VTD_FAULT_DIRECTORY_PRESENT, VTD_TABLE_PASID_DIRECTORY, 0);
	if (entry & (VTD_DIRECTORY_RESERVED | s->beyond))
		return vtd_fail(s, VTD_FAULT_DIRECTORY_RESERVED, VTD_TABLE_PASID_DIRECTORY, 0);

	*entries = entry & VTD_TABLE_ADDRESS;
	return VTD_OK;
}

/* Which levels a type has; those that are reserved have none. */
static __always_inline bool vtd_type_has_first(__u64 type)
{
	return type == VTD_PASID_TYPE_FIRST || type == VTD_PASID_TYPE_NESTED;
}

static __always_inline bool vtd_type_has_second(__u64 type)
{
	return type == VTD_PASID_TYPE_SECOND || type == VTD_PASID_TYPE_NESTED;
}

static __always_inline enum vtd_fault vtd_scalable_entry(const struct vtd_state *s, __u64 entries,
							 __u32 pasid, __u64 *entry)
{
	__u32 index = pasid & ((1 << VTD_DIRECTORY_PASIDS_SHIFT) - 1);
	__u64 type, reserved;

	if (s->read(s->memory, VTD_TABLE_PASID, 0, entries | index * VTD_PASID_SIZE, entry,
		    VTD_PASID_USED_SIZE))
		return vtd_fail(s, VTD_FAULT_READ, VTD_TABLE_PASID, 0);
	if (!(entry[0] & VTD_PASID_PRESENT))
		return vtd_fail(s, VTD_FAULT_PASID_PRESENT, VTD_TABLE_PASID, 0);

	type = entry[0] & VTD_PASID_TYPE;
	reserved = (entry[0] & VTD_PASID_RESERVED_0) | (entry[1] & VTD_PASID_RESERVED_1) |
		   (entry[2] & VTD_PASID_RESERVED_2);
	if (vtd_type_has_first(type))
		reserved |= entry[2] & s->beyond;
	if (vtd_type_has_second(type))
		reserved |= entry[0] & s->beyond;
	if (reserved)
		return vtd_fail(s, VTD_FAULT_PASID_RESERVED, VTD_TABLE_PASID, 0);
	return VTD_OK;
}

/* Whether the unit has what the entry of the PASID table says. */
static __always_inline bool vtd_scalable_supports(const struct vtd_unit *unit, const __u64 *entry,
						  bool privileged)
{
	__u8 width = entry[0] >> VTD_PASID_WIDTH_SHIFT & 7;
	__u64 type = entry[0] & VTD_PASID_TYPE;

	if (type == VTD_PASID_TYPE_PASS_THROUGH)
		return unit->flags & VTD_UNIT_PASS_THROUGH;
	if (type == VTD_PASID_TYPE_NESTED && !(unit->flags & VTD_UNIT_NESTED))
		return false;
	if (vtd_type_has_second(type) && !((unit->sagaw & VTD_WIDTHS) >> width & 1))
		return false;
	if (!vtd_type_has_first(type))
		return vtd_type_has_second(type);

	if (privileged && !(entry[2] & VTD_PASID_SUPERVISOR_2))
		return false;
	switch (entry[2] & VTD_PASID_FIRST_LEVELS_2) {
	case VTD_PASID_FIRST_4_LEVELS_2:
		return true;
	case VTD_PASID_FIRST_5_LEVELS_2:
		return unit->flags & VTD_UNIT_FIRST_5;
	default:
		return false;
	}
}

static __always_inline struct vtd_first_level
vtd_scalable_first(const struct vtd_state *s, const __u64 *entry, bool privileged)
{
	struct vtd_first_level first = {
		.table = entry[2] & VTD_TABLE_ADDRESS,
		.allowed = ~0ULL,
		.reserved = s->beyond & VTD_PAGE_ADDRESS,
		.levels = entry[2] & VTD_PASID_FIRST_5_LEVELS_2 ? 5 : 4,
		.second_levels = VTD_LEVELS(entry[0] >> VTD_PASID_WIDTH_SHIFT & 7),
		.second_table = entry[0] & VTD_TABLE_ADDRESS,
	};

	/* 3.6.1: permissions; SRE was checked. */
	if (privileged) {
		first.granted = VTD_FIRST_USER;
		if (!(entry[2] & VTD_PASID_WRITE_PROTECT_2))
			first.granted |= VTD_FIRST_WRITE;
	}
	first.needed = VTD_FIRST_PRESENT | VTD_FIRST_USER | VTD_FIRST_ACCESSED;
	if (s->request->access & VTD_WRITE)
		first.needed |= VTD_FIRST_WRITE;
	first.needed &= ~first.granted;
	/* 3.6.2 */
	first.page_needed = first.needed;
	if (s->request->access & VTD_WRITE)
		first.page_needed |= VTD_FIRST_DIRTY;

	if (!(entry[2] & VTD_PASID_NO_EXECUTE_2))
		first.reserved |= VTD_FIRST_NO_EXECUTE;
	return first;
}

/* As vtd_walk(), if the mode is VTD_ROOT_MODE_SCALABLE. */
static __always_inline enum vtd_fault vtd_scalable(const struct vtd_state *s,
						   struct vtd_translation *translation)
{
	__u64 contexts, context[4], entries, entry[3];
	struct vtd_first_level first;
	enum vtd_fault fault;
	bool privileged;
	__u32 pasid;

	fault = vtd_scalable_root(s, &contexts);
	if (fault)
		return fault;
	fault = vtd_scalable_context(s, contexts, context);
	if (fault)
		return fault;
	fault = vtd_scalable_pasid(s, context, &pasid, &privileged);
	if (fault)
		return fault;
	fault = vtd_scalable_directory(s, context[0] & VTD_TABLE_ADDRESS, pasid, &entries);
	if (fault)
		return fault;
	fault = vtd_scalable_entry(s, entries, pasid, entry);
	if (fault)
		return fault;
	if (!vtd_scalable_supports(s->unit, entry, privileged))
		return vtd_fail(s, VTD_FAULT_PASID_TYPE, VTD_TABLE_PASID, 0);

	first = vtd_scalable_first(s, entry, privileged);
	switch (entry[0] & VTD_PASID_TYPE) {
	case VTD_PASID_TYPE_FIRST:
		return vtd_first_level(s, &first, translation);
	case VTD_PASID_TYPE_SECOND:
		return vtd_second_level(s, VTD_TABLE_PASID, first.second_table, first.second_levels,
					translation);
	case VTD_PASID_TYPE_NESTED:
		first.nested = true;
		return vtd_first_level(s, &first, translation);
	default: /* VTD_PASID_TYPE_PASS_THROUGH */
		return vtd_pass_through(s, VTD_TABLE_PASID, translation);
	}
}

#endif /* VTD_SCALABLE_H */
