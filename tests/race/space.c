// SPDX-License-Identifier: GPL-2.0
#include "space.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/if_ether.h>
#include <linux/vhost_types.h>

#include "bench/frame.h"
#include "bench/layout.h"
#include "report.h"

/* Above 4 GiB: whatever loses the upper half of an address shows. */
#define IOVA_BASE 0x300000000ULL

#define POISON 0xdead0bad5a5aa5a5ULL

_Static_assert(HEAD_SIZE == VNET_HEADER_SIZE + ETH_HLEN + sizeof(struct stamp), "as in layout.h");

uint64_t space_iova(unsigned int page)
{
	return IOVA_BASE + page * PAGE;
}

int space_page_of(uint64_t iova)
{
	if (iova < IOVA_BASE || iova >= space_iova(NR_PAGES))
		return -1;
	return (iova - IOVA_BASE) / PAGE;
}

unsigned int ring_page(int queue, int part)
{
	return FIRST_RING + queue * NR_PARTS + part;
}

static bool is_used_ring(unsigned int page)
{
	return page >= FIRST_RING && (page - FIRST_RING) % NR_PARTS == USED;
}

int space_permission(unsigned int page)
{
	if (is_used_ring(page))
		return VHOST_ACCESS_RW;
	if (page >= FIRST_RX && page < FIRST_RING)
		return VHOST_ACCESS_WO;
	return VHOST_ACCESS_RO;
}

uint64_t space_gpa(unsigned int page, unsigned int slot)
{
	return IOVA_BASE + (slot * NR_PAGES + page) * PAGE;
}

void *space_bank(struct space *s, unsigned int bank)
{
	return s->memory + bank * BANK_SIZE;
}

static unsigned int copy_of(unsigned int bank, unsigned int slot)
{
	return bank * SLOTS + slot;
}

void *space_copy(struct space *s, unsigned int page, unsigned int copy)
{
	return s->memory + (copy * NR_PAGES + page) * PAGE;
}

static struct stamp make_stamp(unsigned int page, uint64_t epoch)
{
	return (struct stamp){
		.page = page,
		.sum = (epoch * 0x9e3779b97f4a7c15ULL + page * 0x85ebca6bU) >> 32,
		.epoch = epoch,
	};
}

static bool read_stamp(const void *memory, struct stamp *stamp)
{
	struct stamp expected;

	memcpy(stamp, memory, sizeof(*stamp));
	expected = make_stamp(stamp->page, stamp->epoch);
	return stamp->sum == expected.sum;
}

static void write_stamp(void *memory, unsigned int page, uint64_t epoch)
{
	struct stamp stamp = make_stamp(page, epoch);

	memcpy(memory, &stamp, sizeof(stamp));
}

void poison(void *memory, size_t size)
{
	uint64_t *words = memory;

	for (size_t i = 0; i < size / sizeof(*words); i++)
		words[i] = POISON;
}

bool is_poisoned(const void *memory, size_t size)
{
	const uint64_t *words = memory;

	for (size_t i = 0; i < size / sizeof(*words); i++)
		if (words[i] != POISON)
			return false;
	return true;
}

/* Bytes at the start of a page that the device may write to. */
static size_t writable(unsigned int page)
{
	if (is_used_ring(page))
		return USED_SIZE;
	return page >= FIRST_RX && page < FIRST_RING ? RX_SIZE : 0;
}

static void fill(uint8_t *memory, unsigned int page, uint64_t epoch)
{
	/* Locally administered addresses. */
	static const uint8_t head[VNET_HEADER_SIZE + ETH_HLEN] = {
		[VNET_HEADER_SIZE + 0] = 2,
		[VNET_HEADER_SIZE + 5] = 1,
		[VNET_HEADER_SIZE + 6] = 2,
		[VNET_HEADER_SIZE + 11] = 2,
		[VNET_HEADER_SIZE + 12] = FRAME_ETHERTYPE >> 8,
		[VNET_HEADER_SIZE + 13] = FRAME_ETHERTYPE & 0xff,
	};

	write_stamp(memory + TAIL_AT, page, epoch);
	if (page >= FIRST_TX + NR_TX)
		return;
	write_stamp(memory, page, epoch);
	memcpy(memory + HEAD_AT, head, sizeof(head));
	write_stamp(memory + HEAD_AT + sizeof(head), page, epoch);
}

/* The same for those who walk the IOMMU's tables and for others. */
static void set_page_table(struct space *s, unsigned int page, unsigned int slot)
{
	iommu_map(&s->iommu, space_iova(page), space_gpa(page, slot), space_permission(page));
	__atomic_store_n(&s->entries[page].slot, slot, __ATOMIC_RELEASE);
}

struct space *space_create(int *fd)
{
	struct space *s;

	*fd = memfd_create("race", MFD_CLOEXEC);
	if (*fd < 0 || ftruncate(*fd, sizeof(*s)))
		bail_out_errno("no memory");
	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (s == MAP_FAILED)
		bail_out_errno("no memory");
	iommu_init(&s->iommu, IOVA_BASE);
	for (unsigned int page = 0; page < NR_PAGES; page++) {
		set_page_table(s, page, 0);
		for (unsigned int copy = 0; copy < COPIES; copy++)
			poison(space_copy(s, page, copy), writable(page));
		memset(space_copy(s, page, 0), 0, writable(page));
		fill(space_copy(s, page, 0), page, 0);
	}
	return s;
}

void space_destroy(struct space *s, int fd)
{
	munmap(s, sizeof(*s));
	close(fd);
}

void *space_walk(struct space *s, unsigned int page, uint64_t *epoch)
{
	uint32_t slot = __atomic_load_n(&s->entries[page].slot, __ATOMIC_ACQUIRE);
	uint32_t bank = __atomic_load_n(&s->bank, __ATOMIC_ACQUIRE);
	uint8_t *memory = space_copy(s, page, copy_of(bank, slot));
	struct stamp stamp;

	/* If it is being written right now, what was read is old. */
	*epoch = read_stamp(memory + TAIL_AT, &stamp) ? stamp.epoch : UINT64_MAX;
	return memory;
}

bool space_must_refuse(const struct space *s, unsigned int page, uint64_t epoch)
{
	return epoch < get(&s->entries[page].refused);
}

bool space_begin(struct space *s, unsigned int page, bool new_bank)
{
	struct entry *e = &s->entries[page];
	unsigned int bank = e->now / SLOTS, slot = e->now % SLOTS;
	uint8_t *memory;
	bool good;

	if (new_bank)
		bank = (bank + 1) % BANKS;
	else
		slot = (slot + 1) % SLOTS;
	e->before = e->now;
	e->now = copy_of(bank, slot);
	memory = space_copy(s, page, e->now);
	good = is_poisoned(memory, writable(page));
	memset(memory, 0, writable(page));
	set(&e->epoch, e->epoch + 1);
	fill(memory, page, e->epoch);
	return good;
}

void space_commit(struct space *s, unsigned int page)
{
	struct entry *e = &s->entries[page];

	set_page_table(s, page, e->now % SLOTS);
}

void space_commit_bank(struct space *s)
{
	__atomic_store_n(&s->bank, s->entries[0].now / SLOTS, __ATOMIC_RELEASE);
}

void space_refuse(struct space *s, unsigned int page)
{
	set(&s->entries[page].refused, s->entries[page].epoch);
}

void space_end(struct space *s, unsigned int page)
{
	struct entry *e = &s->entries[page];

	space_refuse(s, page);
	set(&e->ended, e->epoch);
	poison(space_copy(s, page, e->before), writable(page));
}

enum stamp_verdict space_check(const struct space *s, const void *stamp, unsigned int page,
			       uint64_t ended, uint64_t *epoch)
{
	struct stamp found;

	if (!read_stamp(stamp, &found) || found.page != page) {
		*epoch = UINT64_MAX;
		return STAMP_TORN;
	}
	*epoch = found.epoch;
	if (found.epoch > get(&s->entries[page].epoch))
		return STAMP_TORN;
	return found.epoch < ended ? STAMP_STALE : STAMP_GOOD;
}
