// SPDX-License-Identifier: GPL-2.0
#include "bad_entry.h"

#include <stdbool.h>

#include "vtd.h"

#define SIZE_2M (1ULL << 21)
#define SIZE_1G (1ULL << 30)

/* No guest has memory there. */
#define NOWHERE (1ULL << 40)

static void add(uint64_t *list, unsigned int *nr, uint64_t value)
{
	if (*nr < BAD_ENTRIES)
		list[(*nr)++] = value;
}

static void add_address(uint64_t *list, unsigned int *nr, uint64_t value, uint64_t address)
{
	add(list, nr, (value & ~VTD_PAGE_ADDRESS) | (address & VTD_PAGE_ADDRESS));
}

static void add_large(uint64_t *list, unsigned int *nr, uint64_t value, uint64_t address)
{
	add_address(list, nr, value | VTD_PAGE_LARGE, address);
	add_address(list, nr, value | VTD_PAGE_LARGE, address & ~(SIZE_2M - 1));
	add_address(list, nr, value | VTD_PAGE_LARGE, address & ~(SIZE_1G - 1));
}

static bool is_new(const struct prison *p, unsigned int step)
{
	for (unsigned int i = 0; i < step; i++)
		if (p->good.step[i].gpa / GUEST_PAGE == p->good.step[step].gpa / GUEST_PAGE)
			return false;
	return true;
}

unsigned int bad_entries(const struct prison *p, uint64_t gpa, uint64_t value,
			 uint64_t list[BAD_ENTRIES])
{
	const uint64_t own = gpa & ~(GUEST_PAGE - 1), end = 1ULL << p->unit.address_width;
	unsigned int nr = 0;

	for (unsigned int bit = 0; bit < 64; bit++)
		add(list, &nr, value ^ 1ULL << bit);
	add(list, &nr, 0);
	add(list, &nr, ~0ULL);

	for (unsigned int i = 0; i < p->good.nr && p->good.step[i].gpa != gpa; i++)
		if (is_new(p, i))
			add_address(list, &nr, value, p->good.step[i].gpa);
	add_address(list, &nr, value, own);
	add_address(list, &nr, value, own + GUEST_PAGE);
	add_address(list, &nr, value, own - GUEST_PAGE);
	add_address(list, &nr, value, value + GUEST_PAGE);
	add_address(list, &nr, value, value - GUEST_PAGE);
	add_address(list, &nr, value, p->good.gpa);
	add_address(list, &nr, value, p->good.gpa + GUEST_PAGE);
	add_address(list, &nr, value, p->good.gpa - GUEST_PAGE);
	add_address(list, &nr, value, 0);
	add_address(list, &nr, value, NOWHERE);
	add_address(list, &nr, value, end - GUEST_PAGE);
	add_address(list, &nr, value, end);

	add_large(list, &nr, value, own);
	add_large(list, &nr, value, value);
	add_large(list, &nr, value, p->good.gpa + SIZE_2M);
	add_large(list, &nr, value, NOWHERE);
	add_large(list, &nr, value, end - GUEST_PAGE);
	return nr;
}
