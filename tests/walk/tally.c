// SPDX-License-Identifier: GPL-2.0
#include "tally.h"

#include <inttypes.h>
#include <stdio.h>

#include "names.h"
#include "vtd_name.h"

static enum tally_start start_of(const struct walk_case *walk)
{
	if (!walk->space)
		return START_ROOT;
	return walk->space->kind == VTD_SPACE_DIRECTORY ? START_DIRECTORY : START_FIRST;
}

bool tally_count(struct tally *all, const struct walk_case *walk, const struct reference *result)
{
	struct tally_part *t = &all->parts[start_of(walk)];
	const uint64_t size = result->before + result->after;
	bool is_first;

	if (result->fault)
		return !t->faults[result->path][result->fault][result->table][result->level]++;
	is_first = !t->pages[result->path][result->first_levels][result->second_levels]
			    [result->level]++;
	if (walk->request->merge && result->level == 1)
		is_first |= !t->merged[result->path][size / GUEST_PAGE]++;
	if (result->first_levels)
		is_first |= !all->set[result->nr_unset]++;
	return is_first;
}

/* Ends of a walk before it is known which page tables there are. */
static const struct {
	enum vtd_fault fault;
	enum vtd_table table;
} early[] = {
	{VTD_FAULT_MODE, VTD_TABLE_ROOT},
	{VTD_FAULT_READ, VTD_TABLE_ROOT},
	{VTD_FAULT_ROOT_PRESENT, VTD_TABLE_ROOT},
	{VTD_FAULT_ROOT_RESERVED, VTD_TABLE_ROOT},
	{VTD_FAULT_PASID_REQUEST, VTD_TABLE_ROOT},
	{VTD_FAULT_READ, VTD_TABLE_CONTEXT},
	{VTD_FAULT_CONTEXT_PRESENT, VTD_TABLE_CONTEXT},
	{VTD_FAULT_CONTEXT_RESERVED, VTD_TABLE_CONTEXT},
	{VTD_FAULT_CONTEXT_TYPE, VTD_TABLE_CONTEXT},
	{VTD_FAULT_READ, VTD_TABLE_SCALABLE_CONTEXT},
	{VTD_FAULT_CONTEXT_PRESENT, VTD_TABLE_SCALABLE_CONTEXT},
	{VTD_FAULT_CONTEXT_RESERVED, VTD_TABLE_SCALABLE_CONTEXT},
	{VTD_FAULT_PASID_REQUEST, VTD_TABLE_SCALABLE_CONTEXT},
	{VTD_FAULT_READ, VTD_TABLE_PASID_DIRECTORY},
	{VTD_FAULT_DIRECTORY_PRESENT, VTD_TABLE_PASID_DIRECTORY},
	{VTD_FAULT_DIRECTORY_RESERVED, VTD_TABLE_PASID_DIRECTORY},
	{VTD_FAULT_READ, VTD_TABLE_PASID},
	{VTD_FAULT_PASID_PRESENT, VTD_TABLE_PASID},
	{VTD_FAULT_PASID_RESERVED, VTD_TABLE_PASID},
	{VTD_FAULT_PASID_TYPE, VTD_TABLE_PASID},
};

/* Those of walks that begin at a directory: its entry in the context is made up. */
static bool is_of_directory(enum vtd_fault fault, enum vtd_table table)
{
	if (table == VTD_TABLE_SCALABLE_CONTEXT)
		return fault == VTD_FAULT_CONTEXT_RESERVED || fault == VTD_FAULT_PASID_REQUEST;
	return table == VTD_TABLE_PASID_DIRECTORY || table == VTD_TABLE_PASID;
}

/* And of those at a first level: its entry of the PASID table is made up. */
static bool is_of_first(enum vtd_fault fault)
{
	return fault == VTD_FAULT_PASID_RESERVED || fault == VTD_FAULT_PASID_TYPE;
}

/* Ends at each level of a page table. */
static const enum vtd_fault late[] = {
	VTD_FAULT_READ,
	VTD_FAULT_PRESENT,
	VTD_FAULT_RESERVED,
	VTD_FAULT_PERMISSION,
};
static const enum vtd_fault late_nested[] = {
	VTD_FAULT_NESTED_READ,
	VTD_FAULT_NESTED_PRESENT,
	VTD_FAULT_NESTED_RESERVED,
	VTD_FAULT_NESTED_PERMISSION,
};

static bool has_first(enum reference_path path)
{
	return path == PATH_FIRST || path == PATH_NESTED;
}

static bool has_second(enum reference_path path)
{
	return path == PATH_LEGACY_SECOND || path == PATH_SECOND || path == PATH_NESTED;
}

/* Does a walk that begins there come to this? */
static bool can_come(enum tally_start start, enum reference_path path)
{
	switch (start) {
	case START_ROOT:
		return true;
	case START_DIRECTORY:
		return path != PATH_LEGACY_SECOND && path != PATH_LEGACY_PASS_THROUGH;
	default:
		return path == PATH_UNKNOWN || has_first(path);
	}
}

/* Is there such an end? */
static bool can_fault(enum tally_start start, enum reference_path path, enum vtd_fault fault,
		      enum vtd_table table, unsigned int level)
{
	const bool legacy = path == PATH_LEGACY_SECOND || path == PATH_LEGACY_PASS_THROUGH;

	if (!can_come(start, path))
		return false;
	if (path == PATH_UNKNOWN) {
		if (start == START_DIRECTORY && !is_of_directory(fault, table))
			return false;
		if (start == START_FIRST && !is_of_first(fault))
			return false;
		for (size_t i = 0; i < sizeof(early) / sizeof(*early); i++)
			if (early[i].fault == fault && early[i].table == table && !level)
				return true;
		return false;
	}
	if (fault == VTD_FAULT_WIDTH)
		return table == (legacy ? VTD_TABLE_CONTEXT : VTD_TABLE_PASID) && !level;
	if (fault == VTD_FAULT_NESTED_WIDTH)
		return path == PATH_NESTED && ((table == VTD_TABLE_PASID && !level) ||
					       (table == VTD_TABLE_FIRST_LEVEL && level));
	if (!level)
		return false;
	if (fault == VTD_FAULT_ACCESSED_DIRTY)
		return has_first(path) && table == VTD_TABLE_FIRST_LEVEL;
	if (fault == VTD_FAULT_NESTED_WRITE)
		return path == PATH_NESTED && table == VTD_TABLE_FIRST_LEVEL;
	for (size_t i = 0; i < sizeof(late) / sizeof(*late); i++) {
		if (late[i] == fault && has_first(path) && table == VTD_TABLE_FIRST_LEVEL)
			return true;
		if (late[i] == fault && has_second(path) && !has_first(path) &&
		    table == VTD_TABLE_SECOND_LEVEL)
			return true;
		if (late_nested[i] == fault && path == PATH_NESTED &&
		    table == VTD_TABLE_SECOND_LEVEL)
			return true;
	}
	return false;
}

static bool can_find(enum tally_start start, enum reference_path path, unsigned int first,
		     unsigned int second, unsigned int level)
{
	if (path == PATH_UNKNOWN || !can_come(start, path))
		return false;
	if (has_first(path) ? first < 4 : first > 0)
		return false;
	if (has_second(path) ? second < 3 : second > 0)
		return false;
	return has_first(path) || has_second(path) ? level > 0 : !level;
}

static bool can_merge(enum tally_start start, enum reference_path path, unsigned int pages)
{
	return pages && can_come(start, path) && (has_first(path) || has_second(path));
}

typedef bool (*tally_fn)(const char *what, uint64_t times, bool possible, uint64_t least);

/* A group of numbers, and what to do with each */
struct tally_visit {
	enum tally_start start;
	enum reference_path path;
	tally_fn fn;
	uint64_t least;
};

static bool visit(const struct tally_visit *v, const char *what, uint64_t times, bool possible)
{
	static const char *const starts[NR_STARTS] = {"root", "directory", "first level"};
	char text[120];

	snprintf(text, sizeof(text), "from the %s, %s: %s", starts[v->start], path_names[v->path],
		 what);
	return v->fn(text, times, possible, v->least);
}

static bool visit_faults(const struct tally_part *t, const struct tally_visit *v)
{
	bool good = true;
	char what[80];

	for (unsigned int fault = VTD_OK + 1; fault < VTD_NR_FAULTS; fault++)
		for (unsigned int table = 0; table < VTD_NR_TABLES; table++)
			for (unsigned int level = 0; level <= LEVELS; level++) {
				snprintf(what, sizeof(what), "%s at level %u of %s",
					 vtd_fault_name(fault), level, vtd_table_name(table));
				good &= visit(v, what, t->faults[v->path][fault][table][level],
					      can_fault(v->start, v->path, fault, table, level));
			}
	return good;
}

static bool visit_pages(const struct tally_part *t, const struct tally_visit *v)
{
	bool good = true;
	char what[80];

	for (unsigned int first = 0; first <= LEVELS; first++)
		for (unsigned int second = 0; second <= LEVELS; second++)
			for (unsigned int level = 0; level < 4; level++) {
				snprintf(what, sizeof(what), "%u and %u levels, page of level %u",
					 first, second, level);
				good &= visit(v, what, t->pages[v->path][first][second][level],
					      can_find(v->start, v->path, first, second, level));
			}
	for (unsigned int pages = 0; pages <= TALLY_PAGES; pages++) {
		snprintf(what, sizeof(what), "%u pages merged", pages);
		good &= visit(v, what, t->merged[v->path][pages],
			      can_merge(v->start, v->path, pages));
	}
	return good;
}

/* Calls @fn for each number there is, or of one path. Return: false if one has. */
static bool visit_all(const struct tally *t, bool nested, tally_fn fn, uint64_t least)
{
	bool good = true;
	char what[80];

	for (unsigned int start = 0; start < NR_STARTS; start++)
		for (unsigned int path = 0; path < NR_PATHS; path++) {
			const struct tally_visit v = {start, path, fn, least};

			if (nested && path != PATH_NESTED)
				continue;
			good &= visit_faults(&t->parts[start], &v);
			good &= visit_pages(&t->parts[start], &v);
		}
	for (unsigned int entries = 0; entries <= REFERENCE_LEVELS; entries++) {
		snprintf(what, sizeof(what), "translations for which flags of %u entries were set",
			 entries);
		good &= fn(what, t->set[entries], true, least);
	}
	return good;
}

static bool print_one(const char *what, uint64_t times, bool possible, uint64_t least)
{
	(void)least;
	if (times || possible)
		printf("# %10" PRIu64 "  %s\n", times, what);
	return true;
}

static bool check_one(const char *what, uint64_t times, bool possible, uint64_t least)
{
	if (possible && times < least) {
		printf("# only %" PRIu64 " times: %s\n", times, what);
		return false;
	}
	if (!possible && times) {
		printf("# %" PRIu64 " times, and should not be: %s\n", times, what);
		return false;
	}
	return true;
}

void tally_print(const struct tally *t)
{
	visit_all(t, false, print_one, 0);
}

bool tally_is_complete(const struct tally *t, bool nested, uint64_t least)
{
	return visit_all(t, nested, check_one, least);
}
