/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The first level, alone or nested in the second: specification 3.6 and 3.8,
 * entries 9.7.
 *
 * Hardware sets the accessed flag of each entry that it uses, and the dirty flag of
 * that of a page which it writes to. In most entries they are set already, so they
 * are looked at with all else that an entry must have, and only if that is not so
 * it matters what is missing.
 */
#ifndef VTD_FIRST_LEVEL_H
#define VTD_FIRST_LEVEL_H

#include "vtd_second_level.h"

/**
 * struct vtd_first_level - a walk of the first level
 * @table:	of the level that is next; a GPA, whether nested or not
 * @allowed:	all entries until now, and'ed
 * @needed:	bits that every entry must have
 * @page_needed: bits that the entry of a page must have
 * @granted:	bits that do not matter: the request is privileged
 * @reserved:	bits that no entry may have
 * @levels:	of the tables
 * @nested:	the second level has a part in this, constant
 * @second_table: of its first level
 * @second_levels: of its tables
 */
struct vtd_first_level {
	__u64 table;
	__u64 allowed;
	__u64 needed;
	__u64 page_needed;
	__u64 granted;
	__u64 reserved;
	__u8 levels;
	bool nested;
	__u8 second_levels;
	__u64 second_table;
};

#define VTD_FIRST_FLAGS (VTD_FIRST_ACCESSED | VTD_FIRST_DIRTY)

/* Where an entry was read, and whether the second level lets it be written. */
struct vtd_place {
	__u64 gpa;
	bool is_writable;
};

/*
 * Sends @gpa through the second level; it stands in an entry of @level, 0 for
 * that of the PASID table.
 */
static __always_inline enum vtd_fault vtd_nested(const struct vtd_state *s,
						 const struct vtd_first_level *first, int level,
						 __u64 gpa, __u8 access,
						 struct vtd_translation *page)
{
	struct vtd_second_level second = {
		.table = first->second_table,
		.address = gpa,
		.allowed = ~0ULL,
		.access = access,
		.checked = vtd_second_level_reserved(s) | access,
		.levels = first->second_levels,
		.nested = true,
	};

	if (gpa >> VTD_LEVELS_BITS(first->second_levels))
		return vtd_fail(s, VTD_FAULT_NESTED_WIDTH,
				level ? VTD_TABLE_FIRST_LEVEL : VTD_TABLE_PASID, level);
	return vtd_second_level_walk(s, &second, page);
}

/*
 * Reads @size bytes at @offset of the table that is next, of @level. It was
 * found in @above, the level above or 0. @place is where it begins.
 */
static __always_inline enum vtd_fault
vtd_first_level_read(const struct vtd_state *s, const struct vtd_first_level *first, int above,
		     int level, __u64 offset, void *to, __u32 size, struct vtd_place *place)
{
	__u64 gpa = first->table;
	struct vtd_translation page;
	enum vtd_fault fault;

	place->is_writable = true;
	if (first->nested) {
		fault = vtd_nested(s, first, above, gpa, VTD_READ, &page);
		if (fault)
			return fault;
		gpa = page.gpa + (gpa - page.iova);
		/* Who sets nothing need not know. */
		if (s->set)
			place->is_writable = page.perm & VTD_WRITE;
	}
	place->gpa = gpa;
	if (s->read(s->memory, VTD_TABLE_FIRST_LEVEL, level, gpa | offset, to, size))
		return vtd_fail(s, VTD_FAULT_READ, VTD_TABLE_FIRST_LEVEL, level);
	return VTD_OK;
}

/* Flags of an entry are not set. */
static __always_inline enum vtd_fault vtd_first_level_missing(const struct vtd_state *s, int level,
							      const struct vtd_place *place,
							      __u64 *entry, __u64 flags)
{
	if (!place->is_writable)
		return vtd_fail(s, VTD_FAULT_NESTED_WRITE, VTD_TABLE_FIRST_LEVEL, level);
	if (!s->set || (!s->is_trial && s->set(s->memory, place->gpa, *entry, flags)))
		return vtd_fail(s, VTD_FAULT_ACCESSED_DIRTY, VTD_TABLE_FIRST_LEVEL, level);
	*entry |= flags;
	return VTD_OK;
}

/*
 * Checks an entry that was read at @place; @reserved are further bits that it may
 * not have. Entries above have what is @needed, too.
 */
static __always_inline enum vtd_fault
vtd_first_level_check(const struct vtd_state *s, struct vtd_first_level *first, int level,
		      const struct vtd_place *place, __u64 *entry, __u64 needed, __u64 reserved)
{
	__u64 missing;

	reserved |= first->reserved;
	first->allowed &= *entry;
	if ((*entry & (reserved | needed)) == needed)
		return VTD_OK;

	if (!(*entry & VTD_FIRST_PRESENT))
		return vtd_fail(s, VTD_FAULT_PRESENT, VTD_TABLE_FIRST_LEVEL, level);
	if (*entry & reserved)
		return vtd_fail(s, VTD_FAULT_RESERVED, VTD_TABLE_FIRST_LEVEL, level);
	missing = needed & ~*entry;
	if (missing & ~VTD_FIRST_FLAGS)
		return vtd_fail(s, VTD_FAULT_PERMISSION, VTD_TABLE_FIRST_LEVEL, level);
	return vtd_first_level_missing(s, level, place, entry, missing);
}

/*
 * Reads and checks the entry of @level, and prepares for the next table. @level
 * and @above are constant.
 */
static __always_inline enum vtd_fault vtd_first_level_step(const struct vtd_state *s,
							   struct vtd_first_level *first, int above,
							   int level, __u64 *entry)
{
	__u64 offset = vtd_entry_offset(s->request->iova, level);
	__u64 needed = level > 1 ? first->needed : first->page_needed;
	struct vtd_place place;
	__u64 reserved = 0;
	enum vtd_fault fault;

	fault = vtd_first_level_read(s, first, above, level, offset, entry, VTD_ENTRY_SIZE, &place);
	if (fault)
		return fault;

	place.gpa |= offset;
	if (level > 3) {
		reserved = VTD_PAGE_LARGE;
	} else if (level > 1 && *entry & VTD_PAGE_LARGE) {
		needed = first->page_needed;
		reserved = VTD_BITS(vtd_page_shift(level) - 1, 13);
		if (level == 3 && !(s->unit->flags & VTD_UNIT_FIRST_1G))
			reserved |= VTD_PAGE_LARGE;
	}
	first->table = *entry & VTD_PAGE_ADDRESS;
	return vtd_first_level_check(s, first, level, &place, entry, needed, reserved);
}

/* Whoever writes to a page that is not dirty has to ask again, so that it becomes so. */
static __always_inline void vtd_first_level_page(const struct vtd_state *s,
						 const struct vtd_first_level *first, int level,
						 __u64 entry, struct vtd_translation *page)
{
	vtd_page(s->request->iova, level, entry, page);
	page->perm = VTD_READ;
	if ((first->allowed | first->granted) & VTD_FIRST_WRITE && entry & VTD_FIRST_DIRTY)
		page->perm |= VTD_WRITE;
}

/* The last table, with the neighbours of the entry. */
static __always_inline enum vtd_fault vtd_first_level_line(const struct vtd_state *s,
							   struct vtd_first_level *first,
							   struct vtd_translation *page)
{
	__u64 line[VTD_LINE_SIZE / VTD_ENTRY_SIZE];
	__u64 offset = vtd_entry_offset(s->request->iova, 1);
	__u32 at = vtd_line_index(offset);
	struct vtd_place place;
	enum vtd_fault fault;

	fault = vtd_first_level_read(s, first, 2, 1, vtd_line_offset(offset), line, VTD_LINE_SIZE,
				     &place);
	if (fault)
		return fault;
	place.gpa |= offset;
	fault = vtd_first_level_check(s, first, 1, &place, &line[at], first->page_needed, 0);
	if (fault)
		return fault;

	vtd_first_level_page(s, first, 1, line[at], page);
	vtd_merge(s, line, at,
		  VTD_PAGE_ADDRESS | VTD_FIRST_PRESENT | VTD_FIRST_WRITE | VTD_FIRST_USER |
			  VTD_FIRST_FLAGS | (first->reserved & VTD_FIRST_NO_EXECUTE),
		  page);
	return VTD_OK;
}

static __always_inline enum vtd_fault vtd_first_level_walk(const struct vtd_state *s,
							   struct vtd_first_level *first,
							   struct vtd_translation *page)
{
	enum vtd_fault fault;
	__u64 entry;
	int level;

	if (first->levels > 4) {
		fault = vtd_first_level_step(s, first, 0, 5, &entry);
		if (fault)
			return fault;
		fault = vtd_first_level_step(s, first, 5, 4, &entry);
	} else {
		fault = vtd_first_level_step(s, first, 0, 4, &entry);
	}
	if (fault)
		return fault;

	level = 3;
	fault = vtd_first_level_step(s, first, 4, 3, &entry);
	if (fault)
		return fault;
	if (entry & VTD_PAGE_LARGE)
		goto is_page;

	level = 2;
	fault = vtd_first_level_step(s, first, 3, 2, &entry);
	if (fault)
		return fault;
	if (entry & VTD_PAGE_LARGE)
		goto is_page;

	if (s->request->merge)
		return vtd_first_level_line(s, first, page);

	level = 1;
	fault = vtd_first_level_step(s, first, 2, 1, &entry);
	if (fault)
		return fault;

is_page:
	vtd_first_level_page(s, first, level, entry, page);
	return VTD_OK;
}

/* What the first level's range and the second level's have in common. */
static __always_inline void vtd_intersect(struct vtd_translation *first,
					  const struct vtd_translation *second)
{
	__u64 start = first->gpa, end = first->gpa + first->size;

	if (start < second->iova)
		start = second->iova;
	if (end > second->iova + second->size)
		end = second->iova + second->size;
	first->iova += start - first->gpa;
	first->gpa = second->gpa + (start - second->iova);
	first->size = end - start;
	first->perm &= second->perm;
	if (second->level < first->level)
		first->level = second->level;
}

/* The walk for a request; @first->nested is constant. */
static __always_inline enum vtd_fault vtd_first_level(const struct vtd_state *s,
						      struct vtd_first_level *first,
						      struct vtd_translation *page)
{
	__u64 iova = s->request->iova;
	struct vtd_translation second;
	enum vtd_fault fault;
	__s64 upper;

	/* Canonical: all bits from the sign on are the same. */
	upper = (__s64)iova >> (VTD_LEVELS_BITS(first->levels) - 1);
	if (upper != 0 && upper != -1)
		return vtd_fail(s, VTD_FAULT_WIDTH, VTD_TABLE_PASID, 0);

	fault = vtd_first_level_walk(s, first, page);
	if (fault || !first->nested)
		return fault;

	fault = vtd_nested(s, first, page->level, page->gpa + (iova - page->iova),
			   s->request->access, &second);
	if (fault)
		return fault;
	vtd_intersect(page, &second);
	return VTD_OK;
}

#endif /* VTD_FIRST_LEVEL_H */
