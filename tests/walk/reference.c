// SPDX-License-Identifier: GPL-2.0
#include "reference.h"

#include <string.h>

/*
 * A field is the bits from @high down to @low of an entry, which is an array of
 * words. The specification calls the width of addresses HAW; HAW + n is n bits
 * further up.
 */
#define HAW 1000

struct field {
	int high, low;
};

#define END                                                                                        \
	{                                                                                          \
		-1, -1                                                                             \
	}

/* Reserved bits of each kind of entry that is present. */

/* Section 9.1 */
static const struct field root[] = {{127, 64}, {63, HAW}, {11, 1}, END};

/* Section 9.2: the halves are used apart from each other. */
static const struct field scalable_root_half[] = {{63, HAW}, {11, 1}, END};

static const struct field beyond_width[] = {{63, HAW}, END};

/* Section 9.3 */
static const struct field context[] = {{127, 88}, {71, 71}, {63, HAW}, {11, 4}, END};

/* Section 9.4 */
static const struct field scalable_context[] = {{255, 192}, {191, 128}, {127, 85},
						{63, HAW},  {8, 5},	END};

/* Section 9.5 */
static const struct field directory[] = {{63, HAW}, {11, 2}, END};

/*
 * Section 9.6, as far as the entry is read, and without bits that had a meaning
 * once: 5, 129. An address that the type has no use for is ignored.
 */
static const struct field pasid_entry[] = {{139, 136}, {95, 91}, {86, 80}, {11, 10}, END};
static const struct field pasid_first_address[] = {{191, HAW + 128}, END};

/* Section 9.7 */
static const struct field first_table_5_4[] = {{51, HAW}, {7, 7}, END};
static const struct field first_table_3_2[] = {{51, HAW}, END};
static const struct field first_page_1g[] = {{51, HAW}, {29, 13}, END};
static const struct field first_page_2m[] = {{51, HAW}, {20, 13}, END};
static const struct field first_page_4k[] = {{51, HAW}, END};
/* The same without NXE, a bit that revision 5.10 has no more. */
static const struct field first_page_4k_no_execute[] = {{63, 63}, {51, HAW}, END};
static const struct field first_no_execute[] = {{63, 63}, END};

/* What pages that are mapped together have alike: P, R/W, U/S, A, D; R, W */
static const struct field first_alike[] = {{2, 0}, {6, 5}, END};
static const struct field second_alike[] = {{1, 0}, END};

/* Section 9.8, of units with snoop control */
static const struct field second_table_5_4[] = {{62, 62}, {51, HAW}, {11, 11}, {7, 7}, END};
static const struct field second_table_3_2[] = {{62, 62}, {51, HAW}, {11, 11}, END};
static const struct field second_page_1g[] = {{62, 62}, {51, HAW}, {29, 12}, END};
static const struct field second_page_2m[] = {{62, 62}, {51, HAW}, {20, 12}, END};
static const struct field second_page_4k[] = {{62, 62}, {51, HAW}, END};

/* Bits @high down to @low, which are in the same word, of an entry. */
static uint64_t bits(const uint64_t *entry, int high, int low)
{
	const uint64_t word = entry[low / 64] >> low % 64;
	const int count = high - low + 1;

	return count == 64 ? word : word & ((1ULL << count) - 1);
}

static bool any_set(const struct vtd_unit *unit, const uint64_t *entry, const struct field *list)
{
	for (; list->high >= 0; list++) {
		const int low = list->low < HAW ? list->low : list->low - HAW + unit->address_width;

		if (low <= list->high && bits(entry, list->high, low))
			return true;
	}
	return false;
}

static bool beyond(uint64_t address, unsigned int width)
{
	return width < 64 && address >> width;
}

/* What the parts of a walk need. */
struct walker {
	const struct vtd_unit *unit;
	const struct vtd_request *request;
	const struct guest *guest;
	const struct walk_case *walk;
	struct reference *result;
	const struct reference *before; /* the walk whose flags have been set, or NULL */
};

/**
 * struct stages - the page table, or tables, that a request is subject to
 * @pass_through: none
 * @first, @second: one, or both
 * @first_root, @second_root: addresses of them
 * @first_levels, @second_levels: levels
 * @supervisor:	the request is privileged
 * @write_protect: WPE
 * @no_execute:	NXE
 * @source:	the kind of table that says so
 */
struct stages {
	bool pass_through;
	bool first, second;
	uint64_t first_root, second_root;
	unsigned int first_levels, second_levels;
	bool supervisor, write_protect, no_execute;
	enum vtd_table source;
};

/* Return: false, for brevity of those who call. */
static bool fail(struct walker *w, enum vtd_fault fault, enum vtd_table table, unsigned int level)
{
	w->result->fault = fault;
	w->result->table = table;
	w->result->level = level;
	return false;
}

/* Memory, with the flags that have been set. */
static bool read_words(const struct walker *w, uint64_t gpa, uint64_t *to, unsigned int words)
{
	if (!guest_read(w->guest, gpa, to, words))
		return false;
	for (unsigned int word = 0; w->before && word < words; word++)
		for (unsigned int i = 0; i < w->before->nr_unset; i++)
			if (w->before->unset[i].gpa == gpa + word * 8)
				to[word] |= w->before->unset[i].flags;
	return true;
}

/* Read an entry of @words words at @gpa. */
static bool fetch(struct walker *w, enum vtd_table table, unsigned int level, uint64_t gpa,
		  uint64_t *entry, unsigned int words)
{
	struct reference *r = w->result;

	r->step[r->nr++] = (struct reference_step){table, level, gpa, words};
	return read_words(w, gpa, entry, words);
}

/**
 * struct page - where the path through one page table leads to
 * @address:	of the byte that was asked for
 * @before:	bytes before it that are mapped alike
 * @after:	bytes from it on
 */
struct page {
	uint64_t address;
	uint64_t before, after;
	unsigned int perm;
	unsigned int level;
};

static unsigned int index_of(uint64_t address, unsigned int level)
{
	return bits(&address, 9 * level + 11, 9 * level + 3);
}

/* Bits of an address that goes through so many levels. */
static unsigned int width_of(unsigned int levels)
{
	return 12 + 9 * levels;
}

static uint64_t page_size(unsigned int level)
{
	return level == 3 ? 1ULL << 30 : level == 2 ? 1ULL << 21 : 1ULL << 12;
}

/* The frame that an entry points to, which is its reserved bits' matter to check. */
static uint64_t address_in(uint64_t entry, unsigned int level)
{
	return bits(&entry, 51, 12) * 4096 / page_size(level) * page_size(level);
}

/* Faults of the second level have other names while it serves the first. */
static enum vtd_fault second_fault(bool nested, enum vtd_fault fault)
{
	if (!nested)
		return fault;
	switch (fault) {
	case VTD_FAULT_READ:
		return VTD_FAULT_NESTED_READ;
	case VTD_FAULT_PRESENT:
		return VTD_FAULT_NESTED_PRESENT;
	case VTD_FAULT_RESERVED:
		return VTD_FAULT_NESTED_RESERVED;
	default:
		return VTD_FAULT_NESTED_PERMISSION;
	}
}

static const struct field *second_reserved(unsigned int level, bool is_page)
{
	switch (level) {
	case 5:
	case 4:
		return second_table_5_4;
	case 3:
		return is_page ? second_page_1g : second_table_3_2;
	case 2:
		return is_page ? second_page_2m : second_table_3_2;
	default:
		return second_page_4k;
	}
}

/* Do the entries have the same bits, of these? */
static bool same(uint64_t a, uint64_t b, const struct field *list)
{
	for (; list->high >= 0; list++)
		if (bits(&a, list->high, list->low) != bits(&b, list->high, list->low))
			return false;
	return true;
}

/* Is @entry, of level 1, what @first would be for the page @pages further on? */
static bool continues(const struct walker *w, const struct field *reserved,
		      const struct field *alike, uint64_t first, int pages, uint64_t entry)
{
	return !any_set(w->unit, &entry, reserved) && same(entry, first, alike) &&
	       address_in(entry, 1) == address_in(first, 1) + pages * 4096;
}

/* The page that @entry maps. */
static void found_page(struct page *page, uint64_t address, uint64_t entry, unsigned int level,
		       unsigned int perm)
{
	const uint64_t offset = address % page_size(level);

	page->address = address_in(entry, level) + offset;
	page->before = offset;
	page->after = page_size(level) - offset;
	page->perm = perm;
	page->level = level;
}

/*
 * Make a page of 4K larger by its neighbours; its @entry is at @at. The line of
 * 64 bytes around that is looked at, up to the first that does not fit.
 */
static void merge(const struct walker *w, struct page *page, const struct field *reserved,
		  const struct field *alike, uint64_t at, uint64_t entry)
{
	const int place = at / 8 % 8;
	uint64_t line[8];

	if (!read_words(w, at - 8 * place, line, 8))
		return;
	for (int i = place + 1; i < 8; i++) {
		if (!continues(w, reserved, alike, entry, i - place, line[i]))
			break;
		page->after += 4096;
	}
	for (int i = place - 1; i >= 0; i--) {
		if (!continues(w, reserved, alike, entry, i - place, line[i]))
			break;
		page->before += 4096;
	}
}

/* Section 3.7. @nested: for the first level, which wants to go to @address. */
static bool walk_second(struct walker *w, const struct stages *stages, uint64_t address,
			unsigned int access, bool nested, struct page *page)
{
	unsigned int level = stages->second_levels;
	uint64_t table = stages->second_root;
	unsigned int perm = VTD_READ | VTD_WRITE;

	for (;; level--) {
		const uint64_t at = table + 8 * index_of(address, level);
		enum vtd_fault fault = VTD_OK;
		bool is_page;
		uint64_t entry;

		if (!fetch(w, VTD_TABLE_SECOND_LEVEL, level, at, &entry, 1))
			return fail(w, second_fault(nested, VTD_FAULT_READ), VTD_TABLE_SECOND_LEVEL,
				    level);

		is_page = level == 1 || (level <= 3 && bits(&entry, 7, 7));
		if (!bits(&entry, 0, 0) && !bits(&entry, 1, 1))
			fault = VTD_FAULT_PRESENT;
		else if (any_set(w->unit, &entry, second_reserved(level, is_page)))
			fault = VTD_FAULT_RESERVED;
		else if (is_page && level == 2 && !(w->unit->large_pages & 1))
			fault = VTD_FAULT_RESERVED;
		else if (is_page && level == 3 && !(w->unit->large_pages & 2))
			fault = VTD_FAULT_RESERVED;
		if (!bits(&entry, 0, 0))
			perm &= ~VTD_READ;
		if (!bits(&entry, 1, 1))
			perm &= ~VTD_WRITE;
		if (!fault && access & ~perm)
			fault = VTD_FAULT_PERMISSION;
		if (fault)
			return fail(w, second_fault(nested, fault), VTD_TABLE_SECOND_LEVEL, level);

		if (is_page) {
			found_page(page, address, entry, level, perm);
			if (w->request->merge && level == 1 && !nested)
				merge(w, page, second_page_4k, second_alike, at, entry);
			return true;
		}
		table = address_in(entry, 1);
	}
}

static const struct field *first_reserved(unsigned int level, bool is_page)
{
	switch (level) {
	case 5:
	case 4:
		return first_table_5_4;
	case 3:
		return is_page ? first_page_1g : first_table_3_2;
	case 2:
		return is_page ? first_page_2m : first_table_3_2;
	default:
		return first_page_4k;
	}
}

/* Section 3.6: are bits 63 to N the same as bit N - 1? */
static bool is_canonical(uint64_t address, unsigned int n)
{
	const uint64_t top = bits(&address, 63, n - 1);

	return top == 0 || top == bits(&(uint64_t){~0ULL}, 63, n - 1);
}

/*
 * Section 3.8: what the first level has found, in the entry at @level of @table,
 * goes through the second.
 */
static bool walk_nested(struct walker *w, const struct stages *stages, enum vtd_table table,
			unsigned int level, uint64_t address, unsigned int access,
			struct page *page)
{
	if (beyond(address, width_of(stages->second_levels)))
		return fail(w, VTD_FAULT_NESTED_WIDTH, table, level);
	return walk_second(w, stages, address, access, true, page);
}

/*
 * Section 3.6.2: the flags that a walk sets in an entry, which the second level must
 * let be written (3.8). It is only done if all goes well.
 */
static enum vtd_fault touch(struct walker *w, unsigned int level, const struct page *at,
			    uint64_t *entry, bool is_written)
{
	struct reference *r = w->result;
	uint64_t flags = 0;

	if (!bits(entry, 5, 5))
		flags += 1 << 5;
	if (is_written && !bits(entry, 6, 6))
		flags += 1 << 6;
	if (!flags)
		return VTD_OK;
	if (!r->unset_level)
		r->unset_level = level;
	if (!(at->perm & VTD_WRITE))
		return VTD_FAULT_NESTED_WRITE;
	r->unset[r->nr_unset++] = (struct reference_flags){at->address, flags};
	*entry += flags;
	return VTD_OK;
}

/* The last that can go wrong */
static bool can_touch(struct walker *w)
{
	const struct reference *r = w->result;

	if (r->nr_unset && (w->before || !w->walk->can_set))
		return fail(w, VTD_FAULT_ACCESSED_DIRTY, VTD_TABLE_FIRST_LEVEL, r->unset_level);
	return true;
}

/* Section 3.6, and 3.8 with @stages->second */
static bool walk_first(struct walker *w, const struct stages *stages, uint64_t address,
		       unsigned int access, struct page *page)
{
	unsigned int level = stages->first_levels;
	uint64_t table = stages->first_root;
	unsigned int perm = VTD_READ | VTD_WRITE;

	for (;; level--) {
		struct page at = {
			.address = table + 8 * index_of(address, level),
			.perm = VTD_READ | VTD_WRITE,
		};
		const bool is_root = level == stages->first_levels;
		enum vtd_fault fault = VTD_OK;
		bool is_page;
		uint64_t entry;

		if (stages->second &&
		    !walk_nested(w, stages, is_root ? VTD_TABLE_PASID : VTD_TABLE_FIRST_LEVEL,
				 is_root ? 0 : level + 1, at.address, VTD_READ, &at))
			return false;
		if (!fetch(w, VTD_TABLE_FIRST_LEVEL, level, at.address, &entry, 1))
			return fail(w, VTD_FAULT_READ, VTD_TABLE_FIRST_LEVEL, level);

		is_page = level == 1 || (level <= 3 && bits(&entry, 7, 7));
		if (!bits(&entry, 0, 0))
			fault = VTD_FAULT_PRESENT;
		else if (any_set(w->unit, &entry, first_reserved(level, is_page)))
			fault = VTD_FAULT_RESERVED;
		else if (!stages->no_execute && any_set(w->unit, &entry, first_no_execute))
			fault = VTD_FAULT_RESERVED;
		else if (is_page && level == 3 && !(w->unit->flags & VTD_UNIT_FIRST_1G))
			fault = VTD_FAULT_RESERVED;
		/* Section 3.6.1 */
		if (!stages->supervisor && !bits(&entry, 2, 2))
			perm = 0;
		if (!bits(&entry, 1, 1) && (!stages->supervisor || stages->write_protect))
			perm &= ~VTD_WRITE;
		if (!fault && access & ~perm)
			fault = VTD_FAULT_PERMISSION;
		if (!fault)
			fault = touch(w, level, &at, &entry, is_page && access & VTD_WRITE);
		if (fault)
			return fail(w, fault, VTD_TABLE_FIRST_LEVEL, level);

		if (is_page) {
			/* The next write has to come here, to make it dirty. */
			if (!bits(&entry, 6, 6))
				perm &= ~VTD_WRITE;
			found_page(page, address, entry, level, perm);
			if (w->request->merge && level == 1)
				merge(w, page,
				      stages->no_execute ? first_page_4k : first_page_4k_no_execute,
				      first_alike, at.address, entry);
			return true;
		}
		table = address_in(entry, 1);
	}
}

/* The levels that an address width of an entry stands for, 0 if there are none. */
static unsigned int levels_of(const struct vtd_unit *unit, uint64_t width)
{
	if (width < 1 || width > 3 || !(unit->sagaw >> width & 1))
		return 0;
	return width + 2;
}

static unsigned int most_levels(const struct vtd_unit *unit)
{
	for (unsigned int width = 3; width; width--)
		if (levels_of(unit, width))
			return width + 2;
	return 0;
}

/* Sections 3.4.2, 9.1 and 9.3 */
static bool find_legacy(struct walker *w, uint64_t table, struct stages *stages)
{
	const unsigned int bus = w->request->source_id / 256, devfn = w->request->source_id % 256;
	uint64_t r[2], c[2];
	unsigned int levels;

	if (w->request->pasid != VTD_NO_PASID)
		return fail(w, VTD_FAULT_PASID_REQUEST, VTD_TABLE_ROOT, 0);

	if (!fetch(w, VTD_TABLE_ROOT, 0, table + 16 * bus, r, 2))
		return fail(w, VTD_FAULT_READ, VTD_TABLE_ROOT, 0);
	if (!bits(r, 0, 0))
		return fail(w, VTD_FAULT_ROOT_PRESENT, VTD_TABLE_ROOT, 0);
	if (any_set(w->unit, r, root))
		return fail(w, VTD_FAULT_ROOT_RESERVED, VTD_TABLE_ROOT, 0);

	if (!fetch(w, VTD_TABLE_CONTEXT, 0, bits(r, 63, 12) * 4096 + 16 * devfn, c, 2))
		return fail(w, VTD_FAULT_READ, VTD_TABLE_CONTEXT, 0);
	if (!bits(c, 0, 0))
		return fail(w, VTD_FAULT_CONTEXT_PRESENT, VTD_TABLE_CONTEXT, 0);
	if (any_set(w->unit, c, context))
		return fail(w, VTD_FAULT_CONTEXT_RESERVED, VTD_TABLE_CONTEXT, 0);

	levels = levels_of(w->unit, bits(c, 66, 64));
	switch (bits(c, 3, 2)) {
	case 0:
	case 1:
		stages->second = true;
		break;
	case 2:
		stages->pass_through = true;
		if (!(w->unit->flags & VTD_UNIT_PASS_THROUGH) || levels != most_levels(w->unit))
			levels = 0;
		break;
	default:
		levels = 0;
		break;
	}
	if (!levels)
		return fail(w, VTD_FAULT_CONTEXT_TYPE, VTD_TABLE_CONTEXT, 0);

	stages->source = VTD_TABLE_CONTEXT;
	stages->second_levels = levels;
	stages->second_root = bits(c, 63, 12) * 4096;
	return true;
}

/* Section 9.4: the PASID, and where in its directory it is. */
static bool in_directory(struct walker *w, const uint64_t *c, struct stages *stages,
			 uint64_t *pasid, uint64_t *at)
{
	*pasid = w->request->pasid;
	if (*pasid == VTD_NO_PASID) {
		*pasid = bits(c, 83, 64);
		stages->supervisor = bits(c, 84, 84);
	} else if (!bits(c, 3, 3)) {
		return fail(w, VTD_FAULT_PASID_REQUEST, VTD_TABLE_SCALABLE_CONTEXT, 0);
	}
	/* 64 PASIDs for each entry of the directory */
	if (*pasid / 64 >= 1ULL << (bits(c, 11, 9) + 7))
		return fail(w, VTD_FAULT_PASID_REQUEST, VTD_TABLE_SCALABLE_CONTEXT, 0);
	*at = bits(c, 63, 12) * 4096 + *pasid / 64 * 8;
	return true;
}

/* Sections 3.4.3, 9.2 and 9.4: the PASID, and where the directory is. */
static bool find_pasid(struct walker *w, uint64_t table, struct stages *stages, uint64_t *pasid,
		       uint64_t *at)
{
	const unsigned int bus = w->request->source_id / 256, devfn = w->request->source_id % 256;
	const unsigned int half = devfn / 128;
	uint64_t r[2], c[4];

	if (!fetch(w, VTD_TABLE_ROOT, 0, table + 16 * bus, r, 2))
		return fail(w, VTD_FAULT_READ, VTD_TABLE_ROOT, 0);
	if (!bits(r + half, 0, 0))
		return fail(w, VTD_FAULT_ROOT_PRESENT, VTD_TABLE_ROOT, 0);
	if (any_set(w->unit, r + half, scalable_root_half))
		return fail(w, VTD_FAULT_ROOT_RESERVED, VTD_TABLE_ROOT, 0);

	if (!fetch(w, VTD_TABLE_SCALABLE_CONTEXT, 0,
		   bits(r + half, 63, 12) * 4096 + 32 * (devfn % 128), c, 4))
		return fail(w, VTD_FAULT_READ, VTD_TABLE_SCALABLE_CONTEXT, 0);
	if (!bits(c, 0, 0))
		return fail(w, VTD_FAULT_CONTEXT_PRESENT, VTD_TABLE_SCALABLE_CONTEXT, 0);
	if (any_set(w->unit, c, scalable_context))
		return fail(w, VTD_FAULT_CONTEXT_RESERVED, VTD_TABLE_SCALABLE_CONTEXT, 0);

	return in_directory(w, c, stages, pasid, at);
}

/* Section 9.6: does the unit support what the entry says? */
static bool is_supported(const struct vtd_unit *unit, const struct stages *stages,
			 const uint64_t *entry)
{
	if (stages->pass_through)
		return unit->flags & VTD_UNIT_PASS_THROUGH;
	if (!stages->first && !stages->second)
		return false;
	if (stages->first && stages->second && !(unit->flags & VTD_UNIT_NESTED))
		return false;
	if (stages->second && !stages->second_levels)
		return false;
	if (stages->first && bits(entry, 131, 130) > 1)
		return false;
	if (stages->first && bits(entry, 131, 130) == 1 && !(unit->flags & VTD_UNIT_FIRST_5))
		return false;
	if (stages->first && stages->supervisor && !bits(entry, 128, 128))
		return false;
	return true;
}

/* Section 9.6: what the entry of the PASID table says */
static bool find_stages(struct walker *w, const uint64_t *p, struct stages *stages)
{
	const unsigned int type = bits(p, 8, 6);

	stages->source = VTD_TABLE_PASID;
	stages->first = type == 1 || type == 3;
	stages->second = type == 2 || type == 3;
	stages->pass_through = type == 4;
	if (any_set(w->unit, p, pasid_entry) ||
	    (stages->first && any_set(w->unit, p, pasid_first_address)) ||
	    (stages->second && any_set(w->unit, p, beyond_width)))
		return fail(w, VTD_FAULT_PASID_RESERVED, VTD_TABLE_PASID, 0);

	stages->second_levels = levels_of(w->unit, bits(p, 4, 2));
	if (!is_supported(w->unit, stages, p))
		return fail(w, VTD_FAULT_PASID_TYPE, VTD_TABLE_PASID, 0);

	stages->second_root = bits(p, 63, 12) * 4096;
	stages->first_levels = bits(p, 131, 130) + 4;
	stages->first_root = bits(p, 191, 140) * 4096;
	stages->write_protect = bits(p, 132, 132);
	stages->no_execute = bits(p, 133, 133);
	return true;
}

/* Section 9.5: @at is the entry of the directory. */
static bool find_by_directory(struct walker *w, uint64_t at, uint64_t pasid, struct stages *stages)
{
	uint64_t d[1], p[3];

	if (!fetch(w, VTD_TABLE_PASID_DIRECTORY, 0, at, d, 1))
		return fail(w, VTD_FAULT_READ, VTD_TABLE_PASID_DIRECTORY, 0);
	if (!bits(d, 0, 0))
		return fail(w, VTD_FAULT_DIRECTORY_PRESENT, VTD_TABLE_PASID_DIRECTORY, 0);
	if (any_set(w->unit, d, directory))
		return fail(w, VTD_FAULT_DIRECTORY_RESERVED, VTD_TABLE_PASID_DIRECTORY, 0);

	if (!fetch(w, VTD_TABLE_PASID, 0, bits(d, 63, 12) * 4096 + pasid % 64 * 64, p, 3))
		return fail(w, VTD_FAULT_READ, VTD_TABLE_PASID, 0);
	if (!bits(p, 0, 0))
		return fail(w, VTD_FAULT_PASID_PRESENT, VTD_TABLE_PASID, 0);
	return find_stages(w, p, stages);
}

/* Section 3.4.3 */
static bool find_scalable(struct walker *w, uint64_t table, struct stages *stages)
{
	uint64_t pasid, at;

	return find_pasid(w, table, stages, &pasid, &at) && find_by_directory(w, at, pasid, stages);
}

/* A directory that was attached: with the size, as a context entry has it */
static bool find_attached(struct walker *w, struct stages *stages)
{
	const uint64_t word = w->walk->space->word;
	const unsigned int size = bits(&word, 11, 9);
	const uint64_t pasid = w->request->pasid;

	if (any_set(w->unit, &word, beyond_width))
		return fail(w, VTD_FAULT_CONTEXT_RESERVED, VTD_TABLE_SCALABLE_CONTEXT, 0);
	if (pasid >= 1ULL << (size + 13))
		return fail(w, VTD_FAULT_PASID_REQUEST, VTD_TABLE_SCALABLE_CONTEXT, 0);
	return find_by_directory(w, bits(&word, 63, 12) * 4096 + pasid / 64 * 8, pasid, stages);
}

/*
 * A page table that was bound: as if an entry of the PASID table said so, of an
 * IOMMU that has nested mode.
 */
static bool find_bound(struct walker *w, struct vtd_unit *unit, struct stages *stages)
{
	const struct vtd_parent *parent = w->walk->parent;
	uint64_t p[3] = {1, 0, w->walk->space->word};

	*unit = *w->unit;
	unit->flags |= VTD_UNIT_NESTED;
	w->unit = unit;
	if (parent->levels)
		p[0] += parent->table + 3 * 64 + (parent->levels - 2) * 4;
	else
		p[0] += 1 * 64;
	return find_stages(w, p, stages);
}

/* Is the address one that the page tables are for? */
static bool is_in_width(const struct walker *w, const struct stages *stages)
{
	const uint64_t iova = w->request->iova;

	if (stages->pass_through)
		return !beyond(iova, w->unit->address_width);
	if (stages->first)
		return is_canonical(iova, width_of(stages->first_levels));
	return !beyond(iova, width_of(stages->second_levels));
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool walk_tables(struct walker *w, const struct stages *stages)
{
	const struct vtd_request *request = w->request;
	struct reference *result = w->result;
	struct page first, page;

	if (stages->pass_through) {
		result->gpa = request->iova;
		result->before = request->iova % page_size(3);
		result->after = page_size(3) - result->before;
		result->perm = VTD_READ | VTD_WRITE;
		result->level = 0;
		return true;
	}
	if (!stages->first) {
		if (!walk_second(w, stages, request->iova, request->access, false, &page))
			return false;
	} else {
		if (!walk_first(w, stages, request->iova, request->access, &page))
			return false;
	}
	if (stages->first && stages->second) {
		first = page;
		if (!walk_nested(w, stages, VTD_TABLE_FIRST_LEVEL, first.level, first.address,
				 request->access, &page))
			return false;
		page.perm &= first.perm;
		page.level = least(page.level, first.level);
		page.before = least(page.before, first.before);
		page.after = least(page.after, first.after);
	}
	if (!can_touch(w))
		return false;
	result->gpa = page.address;
	result->before = page.before;
	result->after = page.after;
	result->perm = page.perm;
	result->level = page.level;
	return true;
}

static enum reference_path path_of(const struct stages *stages)
{
	if (stages->source == VTD_TABLE_CONTEXT)
		return stages->second ? PATH_LEGACY_SECOND : PATH_LEGACY_PASS_THROUGH;
	if (stages->first)
		return stages->second ? PATH_NESTED : PATH_FIRST;
	return stages->second ? PATH_SECOND : PATH_PASS_THROUGH;
}

static bool find_from_register(struct walker *w, struct stages *stages)
{
	const uint64_t root_register = w->unit->root;
	/* Bits beyond the width are not there. */
	const uint64_t table = bits(&root_register, w->unit->address_width - 1, 12) * 4096;

	switch (bits(&root_register, 11, 10)) {
	case 0:
		return find_legacy(w, table, stages);
	case 1:
		return find_scalable(w, table, stages);
	default:
		return fail(w, VTD_FAULT_MODE, VTD_TABLE_ROOT, 0);
	}
}

/* Return: whether there is a translation. */
static bool walk_once(const struct walk_case *walk, const struct reference *before,
		      struct reference *result)
{
	struct walker w = {walk->unit, walk->request, walk->guest, walk, result, before};
	struct stages stages = {0};
	struct vtd_unit unit;
	bool found;

	result->fault = VTD_OK;
	result->nr = 0;
	result->nr_unset = 0;
	result->unset_level = 0;
	if (!walk->space)
		found = find_from_register(&w, &stages);
	else if (walk->space->kind == VTD_SPACE_DIRECTORY)
		found = find_attached(&w, &stages);
	else
		found = find_bound(&w, &unit, &stages);
	result->path = found ? path_of(&stages) : PATH_UNKNOWN;
	result->first_levels = stages.first ? stages.first_levels : 0;
	result->second_levels = stages.second ? stages.second_levels : 0;
	if (found && !is_in_width(&w, &stages))
		return fail(&w, VTD_FAULT_WIDTH, stages.source, 0);
	return found && walk_tables(&w, &stages);
}

/* An entry can be met more than once: its flags are set the first time. */
static void leave_out_set(struct reference *r)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < r->nr_unset; i++) {
		struct reference_flags entry = r->unset[i];

		for (unsigned int k = 0; k < nr; k++)
			if (r->unset[k].gpa == entry.gpa)
				entry.flags &= ~r->unset[k].flags;
		if (entry.flags)
			r->unset[nr++] = entry;
	}
	r->nr_unset = nr;
}

/* And what comes of a walk that sets flags is seen when it is made again. */
void reference_walk(const struct walk_case *walk, struct reference *result)
{
	struct reference before;

	if (!walk_once(walk, NULL, result))
		result->nr_unset = 0;
	if (!result->nr_unset)
		return;
	leave_out_set(result);
	before = *result;
	walk_once(walk, &before, result);
	result->nr_unset = before.nr_unset;
	result->unset_level = before.unset_level;
	memcpy(result->unset, before.unset, sizeof(before.unset));
}
