// SPDX-License-Identifier: GPL-2.0
#include "deep.h"

#include <string.h>

#include "vtd.h"

/* Where the pages are. */
#define FIRST_GPA 0x100000ULL
#define APART 0x200000ULL

/* Each address that the second level maps has its own entry at each level. */
#define PATH(n) (0x0001008040201000ULL * (n))

static struct guest *memory;
static uint64_t step, next, second_table;
static unsigned int second_levels;

/* Return: where the page is; what is in it, by @words, is zero. */
static uint64_t new_page(uint64_t **words)
{
	const uint64_t gpa = next;
	const int page = guest_add(memory, gpa);

	next += step;
	*words = memory->page[page];
	memset(*words, 0, GUEST_PAGE);
	return gpa;
}

static uint64_t *page_at(uint64_t gpa)
{
	return memory->page[guest_find(memory, gpa)];
}

static unsigned int index_of(uint64_t address, unsigned int level)
{
	return address >> (3 + 9 * level) & 511;
}

/* Fill the line around an entry of level 1 with the pages around it. */
static void fill_line(uint64_t *table, uint64_t address, uint64_t entry)
{
	const unsigned int at = index_of(address, 1), first = at & ~7U;

	for (unsigned int i = first; i < first + 8; i++)
		table[i] = entry + i * GUEST_PAGE - at * GUEST_PAGE;
}

/* Have the second level map the page at @from to that at @to. */
static void map_second(uint64_t from, uint64_t to)
{
	uint64_t *table = page_at(second_table);

	for (unsigned int level = second_levels; level > 1; level--) {
		uint64_t *entry = &table[index_of(from, level)];

		if (*entry)
			table = page_at(*entry & VTD_PAGE_ADDRESS);
		else
			*entry = new_page(&table) | VTD_SECOND_READ | VTD_SECOND_WRITE;
	}
	fill_line(table, from, to | VTD_SECOND_READ | VTD_SECOND_WRITE);
}

/* A page for the first level, which finds it at the address that is returned. */
static uint64_t new_first(bool is_nested, uint64_t **words)
{
	static unsigned int nr;
	const uint64_t gpa = new_page(words);
	uint64_t from;

	if (!is_nested)
		return gpa;
	from = PATH(nr++ % 8 + 1) & ~(~0ULL << (12 + 9 * second_levels));
	map_second(from, gpa);
	return from;
}

/* Return: what the first level maps @iova to, in a table of its own. */
static uint64_t make_first(uint64_t iova, unsigned int levels, bool is_nested)
{
	const uint64_t allowed = VTD_FIRST_PRESENT | VTD_FIRST_WRITE | VTD_FIRST_USER |
				 VTD_FIRST_ACCESSED | VTD_FIRST_DIRTY;
	uint64_t *table, *below, *data;
	const uint64_t root = new_first(is_nested, &table);

	for (unsigned int level = levels; level > 1; level--) {
		table[index_of(iova, level)] = new_first(is_nested, &below) | allowed;
		table = below;
	}
	fill_line(table, iova, new_first(is_nested, &data) | allowed);
	return root;
}

/* What is above the page tables. Return: the root table. */
static uint64_t make_legacy(unsigned int levels)
{
	uint64_t *root, *context;
	const uint64_t at = new_page(&root);

	root[0] = new_page(&context) | VTD_ROOT_PRESENT;
	context[0] = second_table | VTD_CONTEXT_PRESENT;
	context[1] = levels - 2;
	return at;
}

static uint64_t make_scalable(uint64_t type, unsigned int levels, uint64_t first_table)
{
	uint64_t *root, *context, *directory, *pasid;
	const uint64_t at = new_page(&root);

	root[0] = new_page(&context) | VTD_ROOT_PRESENT;
	context[0] = new_page(&directory) | VTD_SCALABLE_CONTEXT_PRESENT;
	directory[0] = new_page(&pasid) | VTD_DIRECTORY_PRESENT;
	pasid[0] = second_table | type | (levels - 2) << VTD_PASID_WIDTH_SHIFT | VTD_PASID_PRESENT;
	pasid[2] = first_table | (levels == 5 ? VTD_PASID_FIRST_5_LEVELS_2 : 0);
	return at | VTD_ROOT_MODE_SCALABLE;
}

void deep_make(struct guest *guest, enum deep_kind kind, unsigned int levels, bool is_one,
	       struct vtd_unit *unit, struct vtd_request *request)
{
	static const uint64_t types[] = {
		[DEEP_SECOND] = VTD_PASID_TYPE_SECOND,
		[DEEP_FIRST] = VTD_PASID_TYPE_FIRST,
		[DEEP_NESTED] = VTD_PASID_TYPE_NESTED,
	};
	const uint64_t iova = PATH(3) & ~(~0ULL << (12 + 9 * levels));
	uint64_t first_table = 0, *words;

	memory = guest;
	guest_clear(guest);
	next = FIRST_GPA;
	step = is_one ? GUEST_PAGE : APART;
	second_levels = levels;
	second_table = new_page(&words);

	if (kind == DEEP_FIRST || kind == DEEP_NESTED)
		first_table = make_first(iova, levels, kind == DEEP_NESTED);
	else
		map_second(iova, new_page(&words));

	*unit = (struct vtd_unit){
		.address_width = 52, .sagaw = 0xe, .large_pages = 3, .flags = 0xf};
	unit->root = kind == DEEP_LEGACY ? make_legacy(levels)
					 : make_scalable(types[kind], levels, first_table);
	*request = (struct vtd_request){
		.iova = iova,
		.pasid = VTD_NO_PASID,
		.access = VTD_READ,
		.merge = 1,
	};
	/* More regions to look through. */
	while (guest->nr < GUEST_PAGES)
		new_page(&words);
}
