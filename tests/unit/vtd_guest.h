/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest's memory with tables in it, for the tests of the page walk. Numbers
 * here and in the tests are those of the specification, not of vtd.h, so that a
 * slip there is found.
 */
#ifndef VTD_GUEST_H
#define VTD_GUEST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "vtd_name.h"
#include "vtd_walk.h"

#define BIT(n) (1ULL << (n))
#define PAGE 4096ULL
#define PAGES 256
#define ROOT_TABLE 0x1000ULL
#define CONTEXT_TABLE 0x2000ULL
#define SIZE_OF(level) (PAGE << 9 * ((level)-1))

/* Of the address width that most tests have: 46 to 51 are reserved. */
#define WIDTH 46
#define ADDRESS_BITS 0x3ffffffff000ULL
#define BEYOND 0x000fc00000000000ULL

static struct guest {
	uint64_t memory[PAGES * 512];
	uint64_t next; /* free page */
	uint64_t hole; /* page that cannot be read */
	unsigned int reads;
	uint64_t last_read;
	uint32_t last_size;
	struct vtd_unit unit;
	struct vtd_request request;
	struct vtd_translation found;
	struct vtd_walk where;
} guest;

static inline int guest_read(void *memory, enum vtd_table table, int level, __u64 gpa, void *to,
			     __u32 size)
{
	bool is_paging = table == VTD_TABLE_FIRST_LEVEL || table == VTD_TABLE_SECOND_LEVEL;

	assert_ptr_equal(memory, &guest);
	assert_true(is_paging ? level >= 1 && level <= 5 : level == 0);
	assert_in_range(size, 8, 64);
	assert_int_equal(size % 8, 0);
	assert_int_equal(gpa % 8, 0);
	assert_true(gpa / PAGE == (gpa + size - 1) / PAGE);
	guest.reads++;
	guest.last_read = gpa;
	guest.last_size = size;
	if (gpa >= PAGES * PAGE || gpa / PAGE == guest.hole / PAGE)
		return -EFAULT;
	memcpy(to, (char *)guest.memory + gpa, size);
	return 0;
}

/* Not inlined into every test. */
static __attribute__((noinline)) enum vtd_fault walk(void)
{
	enum vtd_fault fault;

	guest.reads = 0;
	memset(&guest.found, 0xee, sizeof(guest.found));
	memset(&guest.where, 0xee, sizeof(guest.where));
	fault = vtd_walk(&guest.unit, &guest.request, guest_read, &guest, &guest.found,
			 &guest.where);
	assert_int_equal(guest.where.fault, fault);
	return fault;
}

static inline uint64_t *at(uint64_t gpa)
{
	assert_true(gpa < PAGES * PAGE);
	return &guest.memory[gpa / 8];
}

static inline uint64_t new_page(void)
{
	uint64_t page = guest.next;

	assert_true(page < PAGES * PAGE);
	guest.next += PAGE;
	return page;
}

static inline void guest_init(uint64_t mode)
{
	memset(&guest, 0, sizeof(guest));
	guest.next = 0x10000;
	guest.hole = ~0ULL;
	guest.unit = (struct vtd_unit){
		.root = ROOT_TABLE | mode,
		.address_width = WIDTH,
		.sagaw = 0xe,
		.large_pages = 3,
		.flags = 0xf,
	};
	guest.request = (struct vtd_request){
		.pasid = VTD_NO_PASID,
		.source_id = 0x0008,
		.access = VTD_READ,
	};
}

/* The entry of @level for @address in tables of @levels; in between is @flags. */
static inline uint64_t *entry_of(uint64_t table, int levels, uint64_t address, int level,
				 uint64_t flags)
{
	uint64_t *entry;

	for (;; levels--) {
		entry = at(table + (address / SIZE_OF(levels) % 512) * 8);
		if (levels == level)
			return entry;
		if (!*entry)
			*entry = new_page() | flags;
		table = *entry & 0xffffffffff000;
	}
}

#define assert_fault(expected, table, level)                                                       \
	do {                                                                                       \
		enum vtd_fault fault_ = walk();                                                    \
		if (fault_ != (expected))                                                          \
			fail_msg("%s instead of %s", vtd_fault_name(fault_),                       \
				 vtd_fault_name(expected));                                        \
		assert_string_equal(vtd_table_name(guest.where.fault_table),                       \
				    vtd_table_name(table));                                        \
		assert_int_equal(guest.where.fault_level, level);                                  \
	} while (0)

#define assert_found(iova_, gpa_, size_, perm_, level_)                                            \
	do {                                                                                       \
		enum vtd_fault fault_ = walk();                                                    \
		if (fault_)                                                                        \
			fail_msg("%s at level %u of %s", vtd_fault_name(fault_),                   \
				 guest.where.fault_level,                                          \
				 vtd_table_name(guest.where.fault_table));                         \
		assert_int_equal(guest.found.iova, iova_);                                         \
		assert_int_equal(guest.found.gpa, gpa_);                                           \
		assert_int_equal(guest.found.size, size_);                                         \
		assert_int_equal(guest.found.perm, perm_);                                         \
		assert_int_equal(guest.found.level, level_);                                       \
	} while (0)

/* Sets each bit that is clear, and expects a fault of those in @reserved. */
static inline void try_bits(uint64_t *word, uint64_t reserved, uint64_t skip, enum vtd_fault fault,
			    enum vtd_table of, int level)
{
	const uint64_t good = *word;

	for (int bit = 0; bit < 64; bit++) {
		if ((good | skip) & BIT(bit))
			continue;
		*word = good | BIT(bit);
		if (reserved & BIT(bit))
			assert_fault(fault, of, level);
		else if (walk())
			fail_msg("bit %d: %s", bit, vtd_fault_name(guest.where.fault));
	}
	*word = good;
}

#endif /* VTD_GUEST_H */
