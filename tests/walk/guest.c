// SPDX-License-Identifier: GPL-2.0
#include "guest.h"

#include <string.h>

static unsigned int slot_of(uint64_t gpa)
{
	return (gpa / GUEST_PAGE * 0x9e3779b97f4a7c15ULL) >> 56;
}

void guest_clear(struct guest *guest)
{
	guest->nr = 0;
	memset(guest->slot, 0, sizeof(guest->slot));
}

int guest_find(const struct guest *guest, uint64_t gpa)
{
	unsigned int slot = slot_of(gpa);

	while (guest->slot[slot]) {
		const int page = guest->slot[slot] - 1;

		if (guest->gpa[page] == gpa / GUEST_PAGE * GUEST_PAGE)
			return page;
		slot = (slot + 1) % GUEST_SLOTS;
	}
	return -1;
}

int guest_add(struct guest *guest, uint64_t gpa)
{
	unsigned int slot = slot_of(gpa);

	gpa = gpa / GUEST_PAGE * GUEST_PAGE;
	if (guest->nr == GUEST_PAGES || guest_find(guest, gpa) >= 0)
		return -1;
	while (guest->slot[slot])
		slot = (slot + 1) % GUEST_SLOTS;
	guest->gpa[guest->nr] = gpa;
	guest->slot[slot] = ++guest->nr;
	return guest->nr - 1;
}

bool guest_read(const struct guest *guest, uint64_t gpa, uint64_t *to, unsigned int words)
{
	for (unsigned int i = 0; i < words; i++) {
		const int page = guest_find(guest, gpa + i * 8);

		if (page < 0)
			return false;
		to[i] = guest->page[page][(gpa + i * 8) % GUEST_PAGE / 8];
	}
	return true;
}
