/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The second level: specification 3.7, entries 9.8. Legacy mode has nothing
 * else, so the code is such that little is left of it when it is compiled: one
 * comparison tells whether an entry is good, and only if it is not, which fault
 * it is.
 */
#ifndef VTD_SECOND_LEVEL_H
#define VTD_SECOND_LEVEL_H

#include "vtd_entry.h"

/**
 * struct vtd_second_level - a walk of the second level
 * @table:	of the level that is next
 * @address:	what to translate: an IOVA, or if @nested, a GPA
 * @allowed:	all entries until now, and'ed
 * @access:	what is wanted: bits that every entry must have
 * @checked:	bits that matter in every entry: @access and reserved ones
 * @levels:	of the tables
 * @nested:	on behalf of the first level, constant
 * @merge:	look at the neighbours of an entry of level 1
 */
struct vtd_second_level {
	__u64 table;
	__u64 address;
	__u64 allowed;
	__u64 access;
	__u64 checked;
	__u8 levels;
	bool nested;
	bool merge;
};

static __always_inline enum vtd_fault vtd_second_level_fail(const struct vtd_state *s,
							    const struct vtd_second_level *second,
							    int level, enum vtd_fault fault,
							    enum vtd_fault nested)
{
	return vtd_fail(s, second->nested ? nested : fault, VTD_TABLE_SECOND_LEVEL, level);
}

/* What no entry may have. */
static __always_inline __u64 vtd_second_level_reserved(const struct vtd_state *s)
{
	return (s->beyond & VTD_PAGE_ADDRESS) | VTD_SECOND_RESERVED;
}

/*
 * Checks an entry; @reserved are further bits that it may not have. Entries
 * above allow @access, so that what they all allow need not be looked at.
 */
static __always_inline enum vtd_fault vtd_second_level_check(const struct vtd_state *s,
							     struct vtd_second_level *second,
							     int level, __u64 entry, __u64 reserved)
{
	second->allowed &= entry;
	if ((entry & (second->checked | reserved)) == second->access)
		return VTD_OK;

	if (!(entry & (VTD_SECOND_READ | VTD_SECOND_WRITE)))
		return vtd_second_level_fail(s, second, level, VTD_FAULT_PRESENT,
					     VTD_FAULT_NESTED_PRESENT);
	if (entry & (vtd_second_level_reserved(s) | reserved))
		return vtd_second_level_fail(s, second, level, VTD_FAULT_RESERVED,
					     VTD_FAULT_NESTED_RESERVED);
	return vtd_second_level_fail(s, second, level, VTD_FAULT_PERMISSION,
				     VTD_FAULT_NESTED_PERMISSION);
}

static __always_inline enum vtd_fault vtd_second_level_read(const struct vtd_state *s,
							    const struct vtd_second_level *second,
							    int level, __u64 offset, void *to,
							    __u32 size)
{
	if (s->read(s->memory, VTD_TABLE_SECOND_LEVEL, level, second->table | offset, to, size))
		return vtd_second_level_fail(s, second, level, VTD_FAULT_READ,
					     VTD_FAULT_NESTED_READ);
	return VTD_OK;
}

/* Reads the entry of @level, which is constant. */
static __always_inline enum vtd_fault vtd_second_level_entry(const struct vtd_state *s,
							     const struct vtd_second_level *second,
							     int level, __u64 *entry)
{
	__u64 offset = vtd_entry_offset(second->address, level);

	return vtd_second_level_read(s, second, level, offset, entry, VTD_ENTRY_SIZE);
}

/* @entry of @level leads to the next table. */
static __always_inline enum vtd_fault vtd_second_level_table(const struct vtd_state *s,
							     struct vtd_second_level *second,
							     int level, __u64 entry)
{
	__u64 reserved = VTD_SECOND_SNOOP;

	if (level > 3)
		reserved |= VTD_PAGE_LARGE;
	second->table = entry & VTD_PAGE_ADDRESS;
	return vtd_second_level_check(s, second, level, entry, reserved);
}

static __always_inline enum vtd_fault vtd_second_level_page(const struct vtd_second_level *second,
							    int level, __u64 entry,
							    struct vtd_translation *page)
{
	vtd_page(second->address, level, entry, page);
	page->perm = second->allowed & (VTD_SECOND_READ | VTD_SECOND_WRITE);
	return VTD_OK;
}

/* @entry of @level maps a page of 2M or 1G. */
static __always_inline enum vtd_fault vtd_second_level_large(const struct vtd_state *s,
							     struct vtd_second_level *second,
							     int level, __u64 entry,
							     struct vtd_translation *page)
{
	__u64 reserved = VTD_BITS(vtd_page_shift(level) - 1, 12);
	enum vtd_fault fault;

	if (!(s->unit->large_pages & 1 << (level - 2)))
		reserved |= VTD_PAGE_LARGE;
	fault = vtd_second_level_check(s, second, level, entry, reserved);
	if (fault)
		return fault;
	return vtd_second_level_page(second, level, entry, page);
}

/* The last table, with the neighbours of the entry. */
static __always_inline enum vtd_fault vtd_second_level_line(const struct vtd_state *s,
							    struct vtd_second_level *second,
							    struct vtd_translation *page)
{
	__u64 line[VTD_LINE_SIZE / VTD_ENTRY_SIZE];
	__u64 offset = vtd_entry_offset(second->address, 1);
	__u32 at = vtd_line_index(offset);
	enum vtd_fault fault;

	fault = vtd_second_level_read(s, second, 1, vtd_line_offset(offset), line, VTD_LINE_SIZE);
	if (fault)
		return fault;
	fault = vtd_second_level_check(s, second, 1, line[at], 0);
	if (fault)
		return fault;

	vtd_second_level_page(second, 1, line[at], page);
	vtd_merge(s, line, at,
		  VTD_PAGE_ADDRESS | VTD_SECOND_READ | VTD_SECOND_WRITE | VTD_SECOND_RESERVED,
		  page);
	return VTD_OK;
}

/* The address is known to be within the width. */
static __always_inline enum vtd_fault vtd_second_level_walk(const struct vtd_state *s,
							    struct vtd_second_level *second,
							    struct vtd_translation *page)
{
	enum vtd_fault fault;
	__u64 entry;

	if (second->levels > 4) {
		fault = vtd_second_level_entry(s, second, 5, &entry);
		if (!fault)
			fault = vtd_second_level_table(s, second, 5, entry);
		if (fault)
			return fault;
	}
	if (second->levels > 3) {
		fault = vtd_second_level_entry(s, second, 4, &entry);
		if (!fault)
			fault = vtd_second_level_table(s, second, 4, entry);
		if (fault)
			return fault;
	}

	fault = vtd_second_level_entry(s, second, 3, &entry);
	if (fault)
		return fault;
	if (entry & VTD_PAGE_LARGE)
		return vtd_second_level_large(s, second, 3, entry, page);
	fault = vtd_second_level_table(s, second, 3, entry);
	if (fault)
		return fault;

	fault = vtd_second_level_entry(s, second, 2, &entry);
	if (fault)
		return fault;
	if (entry & VTD_PAGE_LARGE)
		return vtd_second_level_large(s, second, 2, entry, page);
	fault = vtd_second_level_table(s, second, 2, entry);
	if (fault)
		return fault;

	if (second->merge)
		return vtd_second_level_line(s, second, page);

	fault = vtd_second_level_entry(s, second, 1, &entry);
	if (fault)
		return fault;
	fault = vtd_second_level_check(s, second, 1, entry, 0);
	if (fault)
		return fault;
	return vtd_second_level_page(second, 1, entry, page);
}

/*
 * The walk for a request, of @levels from @table on. The width is that of
 * @source, the table whose entry gives both.
 */
static __always_inline enum vtd_fault vtd_second_level(const struct vtd_state *s,
						       enum vtd_table source, __u64 table,
						       __u8 levels, struct vtd_translation *page)
{
	struct vtd_second_level second = {
		.table = table,
		.address = s->request->iova,
		.allowed = ~0ULL,
		.access = s->request->access,
		.checked = vtd_second_level_reserved(s) | s->request->access,
		.levels = levels,
		.merge = s->request->merge,
	};

	if (second.address >> VTD_LEVELS_BITS(levels))
		return vtd_fail(s, VTD_FAULT_WIDTH, source, 0);
	return vtd_second_level_walk(s, &second, page);
}

#endif /* VTD_SECOND_LEVEL_H */
