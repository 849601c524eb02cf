// SPDX-License-Identifier: GPL-2.0
#include "compare.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "names.h"
#include "vtd_name.h"
#include "vtd_walk.h"

/* What reads of no memory leave behind; nobody may look at it. */
#define POISON 0xa5

#define OTHER_SAMPLES 2

static int differ(struct comparison *c, const char *difference)
{
	if (!c->difference)
		c->difference = difference;
	return -EFAULT;
}

/* Reads as vtd_read_fn says, and sees to it that it is called so. */
static int read_guest(void *memory, enum vtd_table table, int level, __u64 gpa, void *to,
		      __u32 size)
{
	struct comparison *c = memory;

	if (c->nr == REFERENCE_STEPS)
		return differ(c, "there is no end to what is read");
	c->step[c->nr++] = (struct reference_step){table, level, gpa, size / 8};
	if (gpa % 8 || size < 8 || size > 64 || size % 8)
		return differ(c, "an address or a size of a read is bad");
	if (gpa / GUEST_PAGE != (gpa + size - 1) / GUEST_PAGE)
		return differ(c, "a read goes across pages");
	if (!guest_read(c->guest, gpa, to, size / 8)) {
		memset(to, POISON, size);
		return -EFAULT;
	}
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
	struct vtd_request request = *c->request;
	struct reference page = {0};

	request.iova = iova;
	request.merge = 0;
	reference_walk(c->unit, &request, c->guest, &page);
	return !page.fault && page.gpa == t->gpa + (iova - t->iova) && page.perm == t->perm;
}

static bool is_contiguous(const struct comparison *c)
{
	const struct vtd_translation *t = &c->translation;
	uint64_t mix = c->request->iova * 0x9e3779b97f4a7c15ULL;

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
	const uint64_t iova = c->request->iova;

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

bool compare_walk(struct comparison *c, const struct vtd_unit *unit,
		  const struct vtd_request *request, const struct guest *guest)
{
	const struct reference *e = &c->expected;

	c->unit = unit;
	c->request = request;
	c->guest = guest;
	c->nr = 0;
	c->difference = NULL;
	memset(&c->translation, POISON, sizeof(c->translation));
	memset(&c->where, POISON, sizeof(c->where));

	reference_walk(unit, request, guest, &c->expected);
	c->returned = vtd_walk(unit, request, read_guest, c, &c->translation, &c->where);

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
	const struct reference *e = &c->expected;

	if (c->difference)
		fprintf(out, "# %s\n", c->difference);
	fprintf(out, "#   unit: root %#" PRIx64 " width %u sagaw %#x large %#x flags %#x\n",
		(uint64_t)c->unit->root, c->unit->address_width, c->unit->sagaw,
		c->unit->large_pages, c->unit->flags);
	fprintf(out, "#   request: iova %#" PRIx64 " pasid %#x source %#x access %u merge %u\n",
		(uint64_t)c->request->iova, c->request->pasid, c->request->source_id,
		c->request->access, c->request->merge);
	fprintf(out, "#   reference, %s: ", path_names[e->path]);
	if (e->fault)
		print_fault(out, e->fault, e->table, e->level);
	else
		fprintf(out,
			"%#" PRIx64 " perm %u level %u, %#" PRIx64 " before, %#" PRIx64 " after\n",
			e->gpa, e->perm, e->level, e->before, e->after);
	print_steps(out, c->guest, e->step, e->nr);
	fprintf(out, "#   walk: ");
	if (c->where.fault)
		print_fault(out, c->where.fault, c->where.fault_table, c->where.fault_level);
	else
		fprintf(out, "%#" PRIx64 " to %#" PRIx64 " size %#" PRIx64 " perm %u level %u\n",
			(uint64_t)t->iova, (uint64_t)t->gpa, (uint64_t)t->size, t->perm, t->level);
	print_steps(out, c->guest, c->step, c->nr);
}
