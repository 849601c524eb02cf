// SPDX-License-Identifier: GPL-2.0
#include "tally.h"

#include <inttypes.h>
#include <stdio.h>

#include "names.h"
#include "vtd_name.h"

bool tally_count(struct tally *t, const struct vtd_request *request, const struct reference *result)
{
	const uint64_t size = result->before + result->after;
	bool is_first;

	if (result->fault)
		return !t->faults[result->path][result->fault][result->table][result->level]++;
	is_first = !t->pages[result->path][result->first_levels][result->second_levels]
			    [result->level]++;
	if (request->merge && result->level == 1)
		is_first |= !t->merged[result->path][size / GUEST_PAGE]++;
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

/* Is there such an end? */
static bool can_fault(enum reference_path path, enum vtd_fault fault, enum vtd_table table,
		      unsigned int level)
{
	const bool legacy = path == PATH_LEGACY_SECOND || path == PATH_LEGACY_PASS_THROUGH;

	if (path == PATH_UNKNOWN) {
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

static bool can_find(enum reference_path path, unsigned int first, unsigned int second,
		     unsigned int level)
{
	if (path == PATH_UNKNOWN)
		return false;
	if (has_first(path) ? first < 4 : first > 0)
		return false;
	if (has_second(path) ? second < 3 : second > 0)
		return false;
	return has_first(path) || has_second(path) ? level > 0 : !level;
}

static bool can_merge(enum reference_path path, unsigned int pages)
{
	return pages && (has_first(path) || has_second(path));
}

typedef bool (*tally_fn)(const char *what, uint64_t times, bool possible, uint64_t least);

/* Calls @visit for each number there is. Return: false if one has. */
static bool tally_visit(const struct tally *t, tally_fn visit, uint64_t least)
{
	bool good = true;
	char what[100];

	for (unsigned int path = 0; path < NR_PATHS; path++) {
		for (unsigned int fault = VTD_OK + 1; fault < VTD_NR_FAULTS; fault++)
			for (unsigned int table = 0; table < VTD_NR_TABLES; table++)
				for (unsigned int level = 0; level <= LEVELS; level++) {
					snprintf(what, sizeof(what), "%s: %s at level %u of %s",
						 path_names[path], vtd_fault_name(fault), level,
						 vtd_table_name(table));
					good &= visit(what, t->faults[path][fault][table][level],
						      can_fault(path, fault, table, level), least);
				}
		for (unsigned int first = 0; first <= LEVELS; first++)
			for (unsigned int second = 0; second <= LEVELS; second++)
				for (unsigned int level = 0; level < 4; level++) {
					snprintf(what, sizeof(what),
						 "%s: %u and %u levels, page of level %u",
						 path_names[path], first, second, level);
					good &= visit(what, t->pages[path][first][second][level],
						      can_find(path, first, second, level), least);
				}
		for (unsigned int pages = 0; pages <= TALLY_PAGES; pages++) {
			snprintf(what, sizeof(what), "%s: %u pages merged", path_names[path],
				 pages);
			good &= visit(what, t->merged[path][pages], can_merge(path, pages), least);
		}
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
	tally_visit(t, print_one, 0);
}

bool tally_is_complete(const struct tally *t, uint64_t least)
{
	return tally_visit(t, check_one, least);
}
