/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the page walk in vtd_walk.h have in common. Everything is
 * inlined into one function, so that structures and the address of the function
 * that reads memory are gone when BPF's verifier looks at it.
 */
#ifndef VTD_ENTRY_H
#define VTD_ENTRY_H

#include <stdbool.h>

#include "vtd.h"
#include "vtd_types.h"

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/*
 * A walk under way; the arguments of vtd_walk() and vtd_walk_set(). @set is constant, and
 * for BPF, so is whether there is a @where.
 */
struct vtd_state {
	const struct vtd_unit *unit;
	const struct vtd_request *request;
	vtd_read_fn read;
	vtd_set_fn set;
	bool is_trial;
	void *memory;
	struct vtd_walk *where;
	__u64 beyond; /* the bits of an address that are reserved, up to bit 63 */
};

static __always_inline enum vtd_fault vtd_fail(const struct vtd_state *s, enum vtd_fault fault,
					       enum vtd_table table, int level)
{
	if (s->where)
		*s->where = (struct vtd_walk){
			.fault = fault,
			.fault_level = level,
			.fault_table = table,
		};
	/* Or else each check would begin with making ready for its failure. */
	__asm__ volatile("");
	return fault;
}

static __always_inline int vtd_page_shift(int level)
{
	return 12 + 9 * (level - 1);
}

/* Where in its table the entry of a level is, bytes. */
static __always_inline __u64 vtd_entry_offset(__u64 address, int level)
{
	return address >> (vtd_page_shift(level) - 3) & 0xff8;
}

/* The same for the line that it is in, and where in the line it is. */
static __always_inline __u64 vtd_line_offset(__u64 offset)
{
	return offset & ~(__u64)(VTD_LINE_SIZE - 1);
}

static __always_inline __u32 vtd_line_index(__u64 offset)
{
	return offset % VTD_LINE_SIZE / VTD_ENTRY_SIZE;
}

/* What an entry that maps a page says, apart from the permission. */
static __always_inline void vtd_page(__u64 address, int level, __u64 entry,
				     struct vtd_translation *page)
{
	page->size = 1ULL << vtd_page_shift(level);
	page->iova = address & ~(page->size - 1);
	page->gpa = entry & VTD_PAGE_ADDRESS & ~(page->size - 1);
	page->level = level;
}

/*
 * Makes @page, which entry @at of a line of level 1 maps, larger by those next
 * to it that are the same but for the page. @same are the bits that matter, all
 * of VTD_PAGE_ADDRESS and none of 61:52 among them, so that an address below 0
 * is no entry's. One that is above the reserved bits' limit is cut off: within
 * the line, all entries from there on are reserved.
 */
static __always_inline void vtd_merge(const struct vtd_state *s, const __u64 *line, __u32 at,
				      __u64 same, struct vtd_translation *page)
{
	__u64 expected = (line[at] & same) - ((__u64)at << 12);
	__u64 limit = 1ULL << s->unit->address_width;
	__u32 first = 0, i;

	for (i = 0; i < 8; i++, expected += 1 << 12) {
		if ((line[i] & same) == expected)
			continue;
		if (i > at)
			break;
		first = i + 1;
	}
	page->iova -= (__u64)(at - first) << 12;
	page->gpa -= (__u64)(at - first) << 12;
	page->size = (__u64)(i - first) << 12;
	if (page->gpa + page->size > limit)
		page->size = limit - page->gpa;
}

/* 9.3, 9.6: the answer is the request's address. */
static __always_inline enum vtd_fault vtd_pass_through(const struct vtd_state *s,
						       enum vtd_table table,
						       struct vtd_translation *translation)
{
	__u64 iova = s->request->iova;

	if (iova & s->beyond)
		return vtd_fail(s, VTD_FAULT_WIDTH, table, 0);

	translation->size = 1ULL << 30;
	translation->iova = iova & ~(translation->size - 1);
	translation->gpa = translation->iova;
	translation->perm = VTD_READ | VTD_WRITE;
	translation->level = 0;
	return VTD_OK;
}

#endif /* VTD_ENTRY_H */
