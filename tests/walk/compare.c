// SPDX-License-Identifier: GPL-2.0
#include "compare.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "names.h"
#include "vtd_name.h"
#include "vtd_space.h"

/* What reads of no memory leave behind; nobody may look at it. */
#define POISON 0xa5

#define OTHER_SAMPLES 2

static int differ(struct comparison *c, const char *difference)
{
	if (!c->difference)
		c->difference = difference;
	return -EFAULT;
}

/* What was set is there for the walk, and not in the guest. */
static void add_flags(const struct comparison *c, uint64_t gpa, uint64_t *words, unsigned int nr)
{
	for (unsigned int i = 0; i < c->nr_set; i++)
		if (c->set[i].gpa - gpa < nr * 8ULL)
			words[(c->set[i].gpa - gpa) / 8] |= c->set[i].flags;
}

/* Reads as vtd_read_fn says, and sees to it that it is called so. */
static int read_guest(void *memory, enum vtd_table table, int level, __u64 gpa, void *to,
		      __u32 size)
{
	struct comparison *c = memory;

	if (c->nr == COMPARE_STEPS)
		return differ(c, "there is no end to what is read");
	c->step[c->nr++] = (struct reference_step){table, level, gpa, size / 8};
	if (gpa % 8 || size < 8 || size > 64 || size % 8)
		return differ(c, "an address or a size of a read is bad");
	if (gpa / GUEST_PAGE != (gpa + size - 1) / GUEST_PAGE)
		return differ(c, "a read goes across pages");
	if (!guest_read(c->walk->guest, gpa, to, size / 8)) {
		memset(to, POISON, size);
		return -EFAULT;
	}
	add_flags(c, gpa, to, size / 8);
	return 0;
}

/* Sets as vtd_set_fn says, what the reference says. */
static int set_guest(void *memory, __u64 gpa, __u64 old, __u64 bits)
{
	struct comparison *c = memory;
	const struct reference_flags *expected = &c->expected.unset[c->nr_set];
	uint64_t word;

	if (c->nr_set == c->expected.nr_unset || gpa != expected->gpa || bits != expected->flags)
		return differ(c, "something else is set");
	if (!guest_read(c->walk->guest, gpa, &word, 1))
		return differ(c, "what is set is no memory");
	add_flags(c, gpa, &word, 1);
	if (old != word)
		return differ(c, "what is set was not there before");
	c->set[c->nr_set++] = *expected;
	return 0;
}

static unsigned int most_reads(const struct reference *expected)
{
	switch (expected->path) {
	case PATH_LEGACY_SECOND:
	case PATH_LEGACY_PASS_THROUGH:
		return VTD_MAX_READS_LEGACY;
	case PATH_NESTED:
		return VTD_MAX_READS_NESTED;
	default:
		return VTD_MAX_READS_SCALABLE;
	}
}

/* Has each entry been read once, and in the same order? More than the entry may be read. */
static bool same_steps(const struct comparison *c)
{
	if (c->nr != c->expected.nr)
		return false;
	for (unsigned int i = 0; i < c->nr; i++) {
		const struct reference_step *a = &c->step[i], *b = &c->expected.step[i];
		/* Of a root entry, only a half is in use in scalable mode. */
		const bool is_root = b->table == VTD_TABLE_ROOT;

		if (a->table != b->table || a->level != b->level)
			return false;
		if (a->gpa > b->gpa + (is_root ? 8 : 0))
			return false;
		if (a->gpa + a->words * 8ULL < b->gpa + (is_root ? 8 : b->words * 8ULL))
			return false;
	}
	return true;
}

/* Is the page at @iova where the range says that it is? */
static bool is_in_range(const struct comparison *c, uint64_t iova)
{
	const struct vtd_translation *t = &c->translation;
	struct vtd_request request = *c->walk->request;
	struct walk_case walk = *c->walk;
	struct reference page = {0};

	request.iova = iova;
	request.merge = 0;
	walk.request = &request;
	reference_walk(&walk, &page);
	return !page.fault && page.gpa == t->gpa + (iova - t->iova) && page.perm == t->perm;
}

static bool is_contiguous(const struct comparison *c)
{
	const struct vtd_translation *t = &c->translation;
	uint64_t mix = c->walk->request->iova * 0x9e3779b97f4a7c15ULL;

	if (t->size <= 8 * GUEST_PAGE) {
		for (uint64_t at = 0; at < t->size; at += GUEST_PAGE)
			if (!is_in_range(c, t->iova + at))
				return false;
		return true;
	}
	if (!is_in_range(c, t->iova) || !is_in_range(c, t->iova + t->size - 1))
		return false;
	for (int i = 0; i < OTHER_SAMPLES; i++, mix = mix >> 32 | mix << 32)
		if (!is_in_range(c, t->iova + mix % t->size))
			return false;
	return true;
}

static void compare_translations(struct comparison *c)
{
	const struct vtd_translation *t = &c->translation;
	const struct reference *e = &c->expected;
	const uint64_t iova = c->walk->request->iova;

	if (!t->size || t->size % GUEST_PAGE || t->iova % GUEST_PAGE || t->gpa % GUEST_PAGE)
		differ(c, "the range is not made of pages");
	else if (iova - t->iova >= t->size)
		differ(c, "the address does not lie in the range");
	else if (t->gpa + (iova - t->iova) != e->gpa)
		differ(c, "the address is mapped to something else");
	else if (t->perm != e->perm)
		differ(c, "the permission is another");
	else if (t->level != e->level)
		differ(c, "the page is of another level");
	else if (iova - t->iova < e->before || t->size - (iova - t->iova) < e->after)
		differ(c, "the range is too small");
	else if (iova - t->iova > e->before || t->size - (iova - t->iova) > e->after)
		differ(c, "the range is too large");
	else if (!is_contiguous(c))
		differ(c, "the range is not contiguous");
}

static enum vtd_fault walk_once(struct comparison *c)
{
	const struct walk_case *walk = c->walk;

	c->nr = 0;
	memset(&c->translation, POISON, sizeof(c->translation));
	memset(&c->where, POISON, sizeof(c->where));
	if (walk->space)
		return vtd_space_walk(walk->unit, walk->request, walk->space, walk->parent,
				      read_guest, c, &c->translation, &c->where);
	return vtd_walk(walk->unit, walk->request, read_guest, c, &c->translation, &c->where);
}

/* As whoever cannot set flags does it; what it reads twice counts once. */
static enum vtd_fault walk_whole(struct comparison *c)
{
	const struct walk_case *walk = c->walk;
	const unsigned int nr = c->nr;

	memset(&c->where, POISON, sizeof(c->where));
	if (walk->space)
		c->returned =
			vtd_space_walk_whole(walk->unit, walk->request, walk->space, walk->parent,
					     read_guest, c, &c->translation, &c->where);
	else
		c->returned = vtd_walk_whole(walk->unit, walk->request, read_guest, c,
					     &c->translation, &c->where);
	c->nr -= 2 * nr;
	memmove(c->step, c->step + 2 * nr, c->nr * sizeof(*c->step));
	return c->returned;
}

static enum vtd_fault set_once(struct comparison *c, bool is_trial)
{
	const struct walk_case *walk = c->walk;

	c->nr = 0;
	memset(&c->where, POISON, sizeof(c->where));
	if (walk->space)
		return vtd_space_set(walk->unit, walk->request, walk->space, walk->parent,
				     read_guest, set_guest, is_trial, c, &c->where);
	return vtd_walk_set(walk->unit, walk->request, read_guest, set_guest, is_trial, c,
			    &c->where);
}

/* A walk by itself ends where flags are missing. */
static void check_quick(struct comparison *c)
{
	const struct reference *e = &c->expected;

	c->quick = c->where;
	c->quick_nr = c->nr;
	if (c->returned != c->where.fault)
		differ(c, "what is returned is not the fault");
	if ((c->returned == VTD_FAULT_ACCESSED_DIRTY) != (e->unset_level > 0))
		differ(c, "it is not seen, or wrongly, that flags are missing");
	if (e->unset_level && (c->where.fault_table != VTD_TABLE_FIRST_LEVEL ||
			       c->where.fault_level != e->unset_level))
		differ(c, "flags are missing elsewhere");
}

/* As whoever can set flags does it. */
static enum vtd_fault set_and_walk(struct comparison *c)
{
	enum vtd_fault fault = set_once(c, true);

	if (c->nr_set)
		differ(c, "flags are set on trial");
	if (fault)
		return fault;
	if (set_once(c, false))
		differ(c, "flags are not set");
	return walk_once(c);
}

static void make_walks(struct comparison *c)
{
	c->returned = walk_once(c);
	check_quick(c);
	if (c->returned == VTD_FAULT_ACCESSED_DIRTY)
		c->returned = c->walk->can_set ? set_and_walk(c) : walk_whole(c);
}

bool compare_walk(struct comparison *c, const struct walk_case *walk)
{
	const struct reference *e = &c->expected;

	c->walk = walk;
	c->nr_set = 0;
	c->difference = NULL;
	reference_walk(walk, &c->expected);
	make_walks(c);

	if (c->returned != c->where.fault)
		differ(c, "what is returned is not the fault");
	else if (c->where.fault != e->fault)
		differ(c, "the fault is another");
	else if (e->fault && c->where.fault_table != e->table)
		differ(c, "the fault is in another table");
	else if (e->fault && c->where.fault_level != e->level)
		differ(c, "the fault is at another level");
	else if (!same_steps(c))
		differ(c, "something else is read");
	else if (c->nr > most_reads(e))
		differ(c, "more is read than the header says");
	else if (c->nr_set != e->nr_unset)
		differ(c, "not all is set, or too much");
	else if (!e->fault)
		compare_translations(c);
	return !c->difference;
}

static void print_fault(FILE *out, enum vtd_fault fault, unsigned int table, unsigned int level)
{
	fprintf(out, "%s at level %u of %s\n", vtd_fault_name(fault), level, vtd_table_name(table));
}

static void print_steps(FILE *out, const struct guest *guest, const struct reference_step *step,
			unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		fprintf(out, "#     %-16s %u  at %#14" PRIx64, vtd_table_name(step[i].table),
			step[i].level, step[i].gpa);
		for (unsigned int word = 0; word < step[i].words; word++) {
			uint64_t value;

			if (guest_read(guest, step[i].gpa + 8 * word, &value, 1))
				fprintf(out, " %#" PRIx64, value);
			else
				fprintf(out, " -");
		}
		fputc('\n', out);
	}
}

void compare_print(const struct comparison *c, FILE *out)
{
	const struct vtd_translation *t = &c->translation;
	const struct vtd_request *request = c->walk->request;
	const struct vtd_unit *unit = c->walk->unit;
	const struct reference *e = &c->expected;

	if (c->difference)
		fprintf(out, "# %s\n", c->difference);
	fprintf(out, "#   unit: root %#" PRIx64 " width %u sagaw %#x large %#x flags %#x\n",
		(uint64_t)unit->root, unit->address_width, unit->sagaw, unit->large_pages,
		unit->flags);
	if (c->walk->space)
		fprintf(out, "#   from %#" PRIx64 " of kind %u, in %u levels at %#" PRIx64 "\n",
			(uint64_t)c->walk->space->word, c->walk->space->kind,
			c->walk->parent->levels, (uint64_t)c->walk->parent->table);
	fprintf(out,
		"#   request: iova %#" PRIx64 " pasid %#x source %#x access %u merge %u set %d\n",
		(uint64_t)request->iova, request->pasid, request->source_id, request->access,
		request->merge, c->walk->can_set);
	fprintf(out, "#   reference, %s: ", path_names[e->path]);
	if (e->fault)
		print_fault(out, e->fault, e->table, e->level);
	else
		fprintf(out,
			"%#" PRIx64 " perm %u level %u, %#" PRIx64 " before, %#" PRIx64 " after\n",
			e->gpa, e->perm, e->level, e->before, e->after);
	print_steps(out, c->walk->guest, e->step, e->nr);
	fprintf(out, "#   walk: ");
	if (c->where.fault)
		print_fault(out, c->where.fault, c->where.fault_table, c->where.fault_level);
	else
		fprintf(out, "%#" PRIx64 " to %#" PRIx64 " size %#" PRIx64 " perm %u level %u\n",
			(uint64_t)t->iova, (uint64_t)t->gpa, (uint64_t)t->size, t->perm, t->level);
	print_steps(out, c->walk->guest, c->step, c->nr);
}
