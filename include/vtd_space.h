/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The page walk for requests with a PASID that somebody has said the beginning of:
 * a page table of a process, or a PASID directory. What is above that is in no
 * guest's memory: it is what a driver of a real IOMMU would have written there.
 * vtd_walk() reads it like the rest, so that there is no second walk to be kept
 * equal.
 *
 * For BPF programs and for user space alike, as vtd_walk.h. Which table is read is
 * known when this is compiled, and nothing is left of the tables that are not.
 *
 * Reads of both together are no more than VTD_MAX_READS_NESTED.
 */
#ifndef VTD_SPACE_H
#define VTD_SPACE_H

#include "vtd_walk.h"

/* What vtd_parent_find() has come upon. */
struct vtd_parent_search {
	vtd_read_fn read;
	void *memory;
	__u64 entry[3]; /* the context entry, or that of the PASID table */
};

static __always_inline bool vtd_is_paging(enum vtd_table table)
{
	return table == VTD_TABLE_FIRST_LEVEL || table == VTD_TABLE_SECOND_LEVEL;
}

/* The walk ends where the page tables begin. */
static __always_inline int vtd_parent_read(void *arg, enum vtd_table table, int level, __u64 gpa,
					   void *to, __u32 size)
{
	struct vtd_parent_search *search = arg;
	__u64 *words = to;
	int err;

	if (vtd_is_paging(table))
		return -1;
	err = search->read(search->memory, table, level, gpa, to, size);
	if (err)
		return err;
	if (table == VTD_TABLE_CONTEXT || table == VTD_TABLE_PASID) {
		search->entry[0] = words[0];
		search->entry[1] = words[1];
	}
	return 0;
}

/**
 * vtd_parent_find() - the second level that the guest's IOMMU has for a device
 * @unit:	the IOMMU
 * @source_id:	the device
 * @read:	reads guest memory; known when this is compiled, for BPF
 * @memory:	first argument of @read
 * @parent:	that of requests without PASID, if there is no fault
 * @where:	where a fault was
 *
 * Return: VTD_OK, or the fault of the tables above the page tables.
 */
static __always_inline enum vtd_fault vtd_parent_find(const struct vtd_unit *unit, __u16 source_id,
						      vtd_read_fn read, void *memory,
						      struct vtd_parent *parent,
						      struct vtd_walk *where)
{
	const struct vtd_request request = {
		.pasid = VTD_NO_PASID,
		.source_id = source_id,
		.access = VTD_READ,
	};
	struct vtd_parent_search search = {.read = read, .memory = memory};
	struct vtd_translation unused;
	__u32 width;

	/* Where the first level of those requests lies is not asked for. */
	if (vtd_walk(unit, &request, vtd_parent_read, &search, &unused, where) &&
	    !vtd_is_paging(where->fault_table) && where->fault != VTD_FAULT_NESTED_WIDTH)
		return where->fault;

	where->fault = VTD_OK;
	*parent = (struct vtd_parent){};
	if ((unit->root & VTD_ROOT_MODE) == VTD_ROOT_MODE_LEGACY) {
		if ((search.entry[0] & VTD_CONTEXT_TYPE) == VTD_CONTEXT_TYPE_PASS_THROUGH)
			return VTD_OK;
		width = search.entry[1] & VTD_CONTEXT_WIDTH_1;
	} else {
		if (!vtd_type_has_second(search.entry[0] & VTD_PASID_TYPE))
			return VTD_OK;
		width = search.entry[0] >> VTD_PASID_WIDTH_SHIFT & 7;
	}
	parent->table = search.entry[0] & VTD_TABLE_ADDRESS;
	parent->levels = VTD_LEVELS(width);
	return VTD_OK;
}

/* What vtd_space_walk() reads, and vtd_space_set() sets. */
struct vtd_space_tables {
	vtd_read_fn read;
	vtd_set_fn set;
	void *memory;
	const struct vtd_space *space;
	const struct vtd_parent *parent;
};

static __always_inline void vtd_space_context(const struct vtd_space_tables *tables, __u64 *context)
{
	context[0] = VTD_SCALABLE_CONTEXT_PRESENT | VTD_SCALABLE_CONTEXT_PASID;
	if (tables->space->kind == VTD_SPACE_DIRECTORY)
		context[0] |= tables->space->word;
	else /* a directory for every PASID that there can be */
		context[0] |= VTD_SCALABLE_CONTEXT_DIRECTORY_SIZE;
	context[1] = 0;
	context[2] = 0;
	context[3] = 0;
}

static __always_inline void vtd_space_entry(const struct vtd_space_tables *tables, __u64 *entry)
{
	const struct vtd_parent *parent = tables->parent;

	entry[0] = VTD_PASID_PRESENT | VTD_PASID_TYPE_FIRST;
	if (parent->levels)
		entry[0] = VTD_PASID_PRESENT | VTD_PASID_TYPE_NESTED | parent->table |
			   (__u64)(parent->levels - VTD_LEVELS(0)) << VTD_PASID_WIDTH_SHIFT;
	entry[1] = 0;
	entry[2] = tables->space->word;
}

static __always_inline int vtd_space_read(void *arg, enum vtd_table table, int level, __u64 gpa,
					  void *to, __u32 size)
{
	const struct vtd_space_tables *tables = arg;
	const bool is_first = tables->space->kind == VTD_SPACE_FIRST;
	__u64 *words = to;

	if (table == VTD_TABLE_ROOT) {
		words[0] = VTD_ROOT_PRESENT;
		words[1] = VTD_ROOT_PRESENT;
		return 0;
	}
	if (table == VTD_TABLE_SCALABLE_CONTEXT) {
		vtd_space_context(tables, words);
		return 0;
	}
	if (is_first && table == VTD_TABLE_PASID_DIRECTORY) {
		words[0] = VTD_DIRECTORY_PRESENT;
		return 0;
	}
	if (is_first && table == VTD_TABLE_PASID) {
		vtd_space_entry(tables, words);
		return 0;
	}
	return tables->read(tables->memory, table, level, gpa, to, size);
}

static __always_inline int vtd_space_set_word(void *arg, __u64 gpa, __u64 old, __u64 bits)
{
	const struct vtd_space_tables *tables = arg;

	return tables->set(tables->memory, gpa, old, bits);
}

static __always_inline struct vtd_unit vtd_space_unit(const struct vtd_unit *unit,
						      const struct vtd_space *space)
{
	struct vtd_unit seen = *unit;

	seen.root = VTD_ROOT_MODE_SCALABLE;
	/* What the IOMMU of the guest offers to the guest is another matter. */
	if (space->kind == VTD_SPACE_FIRST)
		seen.flags |= VTD_UNIT_NESTED;
	return seen;
}

/**
 * vtd_space_walk() - translate what a device asks for with a PASID
 * @unit:	what the IOMMU can do; where its root is does not matter
 * @request:	what is asked for; a PASID of VTD_PASID_BITS
 * @space:	what translates it, not VTD_SPACE_NONE
 * @parent:	VTD_SPACE_FIRST: in which it is nested
 * @read:	reads guest memory; known when this is compiled, for BPF
 * @memory:	first argument of @read
 * @translation: the answer, if there is no fault; otherwise undefined
 * @where:	where the walk ended, or NULL
 *
 * Return: VTD_OK or a fault, as @where->fault.
 */
static __always_inline enum vtd_fault
vtd_space_walk(const struct vtd_unit *unit, const struct vtd_request *request,
	       const struct vtd_space *space, const struct vtd_parent *parent, vtd_read_fn read,
	       void *memory, struct vtd_translation *translation, struct vtd_walk *where)
{
	struct vtd_space_tables tables = {
		.read = read,
		.memory = memory,
		.space = space,
		.parent = parent,
	};
	const struct vtd_unit seen = vtd_space_unit(unit, space);

	return vtd_walk(&seen, request, vtd_space_read, &tables, translation, where);
}

/* As vtd_walk_set(), for vtd_space_walk(). */
static __always_inline enum vtd_fault
vtd_space_set(const struct vtd_unit *unit, const struct vtd_request *request,
	      const struct vtd_space *space, const struct vtd_parent *parent, vtd_read_fn read,
	      vtd_set_fn set, bool is_trial, void *memory, struct vtd_walk *where)
{
	struct vtd_space_tables tables = {
		.read = read,
		.set = set,
		.memory = memory,
		.space = space,
		.parent = parent,
	};
	const struct vtd_unit seen = vtd_space_unit(unit, space);

	return vtd_walk_set(&seen, request, vtd_space_read, vtd_space_set_word, is_trial, &tables,
			    where);
}

/* As vtd_walk_whole(), for vtd_space_walk(). */
static __always_inline enum vtd_fault
vtd_space_walk_whole(const struct vtd_unit *unit, const struct vtd_request *request,
		     const struct vtd_space *space, const struct vtd_parent *parent,
		     vtd_read_fn read, void *memory, struct vtd_translation *translation,
		     struct vtd_walk *where)
{
	struct vtd_space_tables tables = {
		.read = read,
		.memory = memory,
		.space = space,
		.parent = parent,
	};
	const struct vtd_unit seen = vtd_space_unit(unit, space);

	return vtd_walk_whole(&seen, request, vtd_space_read, &tables, translation, where);
}

#endif /* VTD_SPACE_H */
