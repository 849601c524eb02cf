/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The page walk of Intel VT-d, for BPF programs and for user space alike: what
 * hardware does with an untranslated DMA request, 3.4 to 3.8 of the
 * specification that vtd.h names. See vtd_types.h for what goes in and out.
 *
 * Each entry is checked in this order; the first check that fails is the fault.
 *	1. it can be read
 *	2. it is present; of the second level, that is R or W
 *	3. no reserved bit is set: of the format; of an address, from the host
 *	   address width on (tables above the page tables: up to bit 63; of the
 *	   PASID table entry's two addresses, only of what the type makes use
 *	   of, by VTD_FAULT_PASID_RESERVED); of a large page, also that it is
 *	   aligned and that its size is supported
 *	4. what it says is supported: VTD_FAULT_CONTEXT_TYPE, _PASID_TYPE
 *	5. paging entries: permissions, this one's and those above together,
 *	   allow all that is wanted
 *	6. first level: flags that are not set, and have to be, can be set
 *
 * The walk as a whole, before the root entry: VTD_FAULT_MODE; then in legacy
 * mode, VTD_FAULT_PASID_REQUEST for any request with PASID. In scalable mode,
 * that comes after the context entry is known to be good, for
 *	- a PASID while PASIDE is not set
 *	- a PASID, of the request or else RID_PASID, beyond the directory
 * After the context entry (legacy mode) or PASID table entry, and before the
 * first paging entry: VTD_FAULT_WIDTH.
 *
 * Context entry: type 0 and 1 are the second level, 2 is pass-through, which
 * the unit must support and for which the width has to be the largest
 * supported. The width must be in @sagaw.
 *
 * PASID table entry: the width counts for the second level and nested mode, and
 * must be in @sagaw then. The number of levels counts for the first level and
 * nested mode; 5 need VTD_UNIT_FIRST_5, nested mode VTD_UNIT_NESTED,
 * pass-through VTD_UNIT_PASS_THROUGH. A request without PASID is privileged if
 * the context entry has RID_PRIV; with the first level and nested mode, the
 * entry must have SRE then (VTD_FAULT_PASID_TYPE).
 *
 * Pass-through: IOVAs must be below 1 << address_width, and the answer is the
 * aligned GiB around it, for reading and writing.
 *
 * First level: IOVAs are canonical for the number of levels. Reading takes no
 * more than the present bit, and U/S if the request is not privileged. Writing
 * also takes R/W, unless the request is privileged and WPE is 0.
 *
 * Nested mode: the address of each first-level entry, and at last of the page,
 * goes through the second level of the same PASID table entry. The former has
 * to be readable; the latter must allow what is wanted. The GPA must lie within
 * the width, or VTD_FAULT_NESTED_WIDTH. The answer is what the pages of both
 * have in common, and allow in common.
 *
 * @merge: an entry of level 1 of the last table (in nested mode: of the first
 * level) is read with the other seven of its aligned line of 64 bytes. Those
 * next to it, and on to the first that does not fit, make the answer larger if
 * they map the pages next to its page, with no reserved bit set and the same R
 * and W (first level: P, R/W, U/S, A and D).
 *
 * Accessed and dirty flags: of first-level entries, as 3.6.2 says; of the second
 * level there are none, as SSADE is not offered. Each entry must have A, that of a
 * page which is written to also D. Where D is not set, the answer does not allow
 * writing: the guest may throw away what is in the page. vtd_walk() sets none, and
 * ends at the first entry where one is missing. vtd_walk_set() does, where the second
 * level lets the entry be written (VTD_FAULT_NESTED_WRITE). Extended accessed flags
 * are not offered.
 *
 * The interrupt range, 0xfeexxxxx, is like any other: no guest has memory there.
 *
 * Reads, at most: 7 in legacy mode (2 + 5), 9 in scalable mode (4 + 5) without
 * nesting, else 39: 4, then 5 times 5 second-level entries and a first-level
 * one, and 5 second-level entries for the page.
 */
#ifndef VTD_WALK_H
#define VTD_WALK_H

#include "vtd_legacy.h"
#include "vtd_scalable.h"

#define VTD_MAX_READS_LEGACY 7
#define VTD_MAX_READS_SCALABLE 9
#define VTD_MAX_READS_NESTED 39

/* Of the functions below */
static __always_inline enum vtd_fault
vtd_walk_with(const struct vtd_unit *unit, const struct vtd_request *request, vtd_read_fn read,
	      vtd_set_fn set, bool is_trial, void *memory, struct vtd_translation *translation,
	      struct vtd_walk *where)
{
	struct vtd_state state = {
		.unit = unit,
		.request = request,
		.read = read,
		.set = set,
		.is_trial = is_trial,
		.memory = memory,
		.where = where,
		.beyond = ~0ULL << unit->address_width,
	};

	/*
	 * The caller's variables shall be in memory. In registers, those that
	 * a fault leaves without value may still be copied here and there, and
	 * BPF's verifier takes no program that copies what was never set.
	 */
	__asm__ volatile("" : "+r"(translation));
	if (where) {
		__asm__ volatile("" : "+r"(state.where));
		state.where->fault = VTD_OK;
	}
	switch (unit->root & VTD_ROOT_MODE) {
	case VTD_ROOT_MODE_LEGACY:
		return vtd_legacy(&state, translation);
	case VTD_ROOT_MODE_SCALABLE:
		return vtd_scalable(&state, translation);
	default:
		return vtd_fail(&state, VTD_FAULT_MODE, VTD_TABLE_ROOT, 0);
	}
}

/**
 * vtd_walk() - translate what a device asks for
 * @unit:	the IOMMU
 * @request:	what is asked for
 * @read:	reads guest memory; known when this is compiled, for BPF
 * @memory:	first argument of @read
 * @translation: the answer, if there is no fault; otherwise undefined
 * @where:	where the walk ended, or NULL
 *
 * Return: VTD_OK or a fault, as @where->fault.
 */
static __always_inline enum vtd_fault vtd_walk(const struct vtd_unit *unit,
					       const struct vtd_request *request, vtd_read_fn read,
					       void *memory, struct vtd_translation *translation,
					       struct vtd_walk *where)
{
	return vtd_walk_with(unit, request, read, NULL, false, memory, translation, where);
}

/**
 * vtd_walk_set() - set the flags that a walk has found missing
 * @unit:	the IOMMU
 * @request:	what is asked for
 * @read:	reads guest memory; known when this is compiled, for BPF
 * @set:	sets bits there; the same
 * @is_trial:	set none, but see whether all could be
 * @memory:	first argument of @read and @set
 * @where:	where the walk ended, or NULL
 *
 * For when vtd_walk() has ended with VTD_FAULT_ACCESSED_DIRTY; first as a trial, so
 * that a walk that ends with a fault sets nothing. What this walk finds it does not
 * tell: vtd_walk() will, which sees all flags together.
 *
 * Return: VTD_OK if none is missing any more, or else a fault; if it was none on
 * trial, the guest has changed its tables meanwhile, or @set cannot.
 */
static __always_inline enum vtd_fault vtd_walk_set(const struct vtd_unit *unit,
						   const struct vtd_request *request,
						   vtd_read_fn read, vtd_set_fn set, bool is_trial,
						   void *memory, struct vtd_walk *where)
{
	struct vtd_request alone = *request;
	struct vtd_translation unused;

	alone.merge = 0;
	return vtd_walk_with(unit, &alone, read, set, is_trial, memory, &unused, where);
}

static __always_inline int vtd_set_none(void *memory, __u64 gpa, __u64 old, __u64 bits)
{
	(void)memory;
	(void)gpa;
	(void)old;
	(void)bits;
	return -1;
}

/**
 * vtd_walk_whole() - vtd_walk() for those who can set no flags
 *
 * Flags that are missing are the last that it complains of: whoever can set them
 * meets all other faults first. @translation is then what there will be when they are
 * set. Too long for BPF.
 */
static __always_inline enum vtd_fault
vtd_walk_whole(const struct vtd_unit *unit, const struct vtd_request *request, vtd_read_fn read,
	       void *memory, struct vtd_translation *translation, struct vtd_walk *where)
{
	struct vtd_request alone = *request;
	struct vtd_walk other;

	if (vtd_walk(unit, request, read, memory, translation, where) != VTD_FAULT_ACCESSED_DIRTY)
		return where->fault;
	/* Neighbours that have no flags would not be neighbours any more. */
	alone.merge = 0;
	if (vtd_walk_with(unit, &alone, read, vtd_set_none, true, memory, translation, &other))
		*where = other;
	return where->fault;
}

#endif /* VTD_WALK_H */
