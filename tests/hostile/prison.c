// SPDX-License-Identifier: GPL-2.0
#include "prison.h"

#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "tests/kernel/check.h"
#include "vtd.h"

#define WORDS (GUEST_PAGE / 8)

/* The pages, with one that is none before, between and behind them. */
#define CELLS (2 * GUEST_PAGES + 1)

#define BAIT_GPA 0x5a5a5a5000ULL

/* Present, readable, writable, by users: whatever it is taken for. */
#define BAIT_BITS 7

static uint64_t *cell(const struct prison *p, unsigned int number)
{
	return (uint64_t *)(p->cells + number * GUEST_PAGE);
}

uint64_t *prison_page(const struct prison *p, int page)
{
	return cell(p, 2 * page + 1);
}

uint64_t prison_bait_entry(const struct prison *p)
{
	return p->guest.gpa[p->bait] | BAIT_BITS;
}

static void fill(uint64_t *words, uint64_t value)
{
	for (unsigned int i = 0; i < WORDS; i++)
		words[i] = value;
}

void prison_restore(struct prison *p)
{
	for (unsigned int page = 0; page < p->guest.nr; page++)
		memcpy(prison_page(p, page), p->guest.page[page], GUEST_PAGE);
}

/* No address in use becomes that of the bait if one bit of it changes. */
static void move_bait(struct prison *p)
{
	uint64_t gpa[GUEST_PAGES];
	const unsigned int nr = p->guest.nr;

	memcpy(gpa, p->guest.gpa, sizeof(gpa));
	p->bait = nr - 1;
	gpa[p->bait] = BAIT_GPA;
	guest_clear(&p->guest);
	for (unsigned int i = 0; i < nr; i++)
		guest_add(&p->guest, gpa[i]);
}

void prison_expect(const struct prison *p, const struct vtd_request *request,
		   struct reference *result)
{
	const struct walk_case walk = {
		.unit = &p->unit,
		.request = request,
		.guest = &p->guest,
		.can_set = true,
	};

	reference_walk(&walk, result);
}

void prison_open(struct prison *p, enum deep_kind kind, unsigned int levels)
{
	deep_make(&p->guest, kind, levels, false, &p->unit, &p->request);
	move_bait(p);
	p->request.merge = 0;
	prison_expect(p, &p->request, &p->good);
	p->data = guest_find(&p->guest, p->good.gpa);
	if (p->good.fault || p->data < 0)
		bail_out("the tables are no good");

	p->cells = mmap(NULL, CELLS * GUEST_PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p->cells == MAP_FAILED)
		bail_out_errno("no memory");
	for (unsigned int i = 0; i < CELLS; i += 2)
		fill(cell(p, i), prison_bait_entry(p));
	fill(p->guest.page[p->bait], prison_bait_entry(p));
	for (unsigned int i = 0; i < WORDS; i++)
		p->guest.page[p->data][i] = DATA_WORD(i);
	prison_restore(p);
}

void prison_write(struct prison *p, uint64_t gpa, uint64_t value)
{
	const int page = guest_find(&p->guest, gpa);
	const unsigned int word = gpa % GUEST_PAGE / 8;

	p->guest.page[page][word] = value;
	__atomic_store_n(&prison_page(p, page)[word], value, __ATOMIC_RELEASE);
}

uint64_t prison_read(const struct prison *p, uint64_t gpa)
{
	uint64_t value = 0;

	guest_read(&p->guest, gpa, &value, 1);
	return value;
}

void prison_set_memory(const struct prison *p, const struct device *d, int page, uint64_t first,
		       uint64_t size)
{
	struct {
		struct vhost_memory head;
		struct vhost_memory_region regions[GUEST_PAGES];
	} table = {0};

	for (unsigned int i = 0; i < p->guest.nr; i++) {
		struct vhost_memory_region *region = &table.regions[table.head.nregions];

		*region = (struct vhost_memory_region){
			.guest_phys_addr = p->guest.gpa[i],
			.memory_size = GUEST_PAGE,
			.userspace_addr = (uintptr_t)prison_page(p, i),
		};
		if ((int)i == page) {
			region->guest_phys_addr += first;
			region->userspace_addr += first;
			region->memory_size = size;
		}
		table.head.nregions += region->memory_size > 0;
	}
	if (ioctl(d->fd, VHOST_SET_MEM_TABLE, &table))
		bail_out_errno("VHOST_SET_MEM_TABLE failed");
}

bool prison_is_intact(const struct prison *p)
{
	for (unsigned int i = 0; i < CELLS; i += 2)
		for (unsigned int word = 0; word < WORDS; word++)
			if (cell(p, i)[word] != prison_bait_entry(p))
				return false;
	return true;
}
