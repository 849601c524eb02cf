// SPDX-License-Identifier: GPL-2.0
/*
 * Walks of bound page tables and attached PASID tables. What they have to find is
 * what the walk finds that begins in a guest's memory, where the same stands.
 */
#include "vtd_scalable_guest.h"

#include "iommu_view.h"
#include "pasid_walk.h"
#include "sva.h"

#define PASID 5
#define NXE 0x20ULL
#define XD BIT(63)

/* Tables of the first level are this far from where they believe to be. */
#define SHIFT 0x80000ULL

static int first_levels, second_levels;
static struct pasid_view view;

/* With a second level of 0 levels, there is none. */
static uint64_t moved(uint64_t gpa)
{
	if (!second_levels)
		return gpa;
	*entry_of(SECOND_TABLE, second_levels, gpa, 1, 3) = (gpa + SHIFT) | 3;
	return gpa + SHIFT;
}

static uint64_t *first_entry(uint64_t root, uint64_t address, int level)
{
	uint64_t table = root, *entry;

	for (int at_level = first_levels;; at_level--) {
		entry = at(moved(table) + (address / SIZE_OF(at_level) % 512) * 8);
		if (at_level == level)
			return entry;
		if (!*entry)
			*entry = new_page() | P | RW | US | AD;
		table = *entry & 0xffffffffff000;
	}
}

static struct sva_binding binding_of(uint64_t root)
{
	return (struct sva_binding){.root = root, .width = first_levels == 5 ? 57 : 48};
}

static void bind(const struct sva_binding *binding)
{
	const struct vtd_parent second = {
		.table = second_levels ? SECOND_TABLE : 0,
		.levels = second_levels,
	};

	pasid_view_bound(&view, &guest.unit, PASID, binding, &second);
}

/* A guest that has in its memory what is bound */
static void use_levels(int first, int second)
{
	const struct sva_binding binding = {.root = FIRST_TABLE, .width = first == 5 ? 57 : 48};

	use_type(second ? 3 : 1);
	first_levels = first;
	second_levels = second;
	scalable_context[0] |= BIT(3);
	pasid_entry[0] = PGTT(second ? 3 : 1) | 1;
	if (second)
		pasid_entry[0] |= SECOND_TABLE | AW(second);
	pasid_entry[2] = FIRST_TABLE | FLPM(first) | NXE;
	bind(&binding);
}

/* Finds the same from both beginnings. */
static enum vtd_fault assert_same(uint64_t iova, uint8_t access)
{
	struct vtd_translation found = {};
	struct vtd_walk where = {};
	enum vtd_fault fault;

	guest.request.pasid = view.pasid;
	guest.request.iova = iova;
	guest.request.access = access;
	guest.request.merge = 1;
	walk();
	fault = pasid_walk(&view, iova, access, guest_read, &guest, &found, &where);
	assert_string_equal(vtd_fault_name(fault), vtd_fault_name(guest.where.fault));
	assert_int_equal(where.fault, fault);
	if (fault) {
		assert_string_equal(vtd_table_name(where.fault_table),
				    vtd_table_name(guest.where.fault_table));
		assert_int_equal(where.fault_level, guest.where.fault_level);
		return fault;
	}
	assert_int_equal(found.iova, guest.found.iova);
	assert_int_equal(found.gpa, guest.found.gpa);
	assert_int_equal(found.size, guest.found.size);
	assert_int_equal(found.perm, guest.found.perm);
	assert_int_equal(found.level, guest.found.level);
	return VTD_OK;
}

/* Each entry of this set of addresses maps what lies at MIDDLE. */
#define MIDDLE 0x40000000ULL

static void try_page(int level, uint64_t flags, enum vtd_fault to_read, enum vtd_fault to_write)
{
	const uint64_t iova = 0x7f1234567000ULL & -SIZE_OF(level);

	*first_entry(FIRST_TABLE, iova, level) = MIDDLE | flags | (level > 1 ? PS : 0);
	moved(MIDDLE);
	assert_int_equal(assert_same(iova | 0x123, VTD_READ), to_read);
	assert_int_equal(assert_same(iova | 0x123, VTD_WRITE), to_write);
	assert_int_equal(assert_same(iova | 0x123, VTD_READ | VTD_WRITE), to_write);
}

static void test_same(void **state)
{
	int first, second, level;

	(void)state;
	for (first = 4; first <= 5; first++)
		for (second = 2; second <= 5; second++)
			for (level = 1; level <= 3; level++) {
				use_levels(first, second == 2 ? 0 : second);
				try_page(level, P | RW | US | AD, VTD_OK, VTD_OK);
				try_page(level, P | RW | US | AD | XD, VTD_OK, VTD_OK);
				try_page(level, P | US | AD, VTD_OK, VTD_FAULT_PERMISSION);
				try_page(level, P | RW, VTD_FAULT_PERMISSION, VTD_FAULT_PERMISSION);
				try_page(level, RW | US, VTD_FAULT_PRESENT, VTD_FAULT_PRESENT);
				try_page(level, P | RW | US | AD | BIT(WIDTH), VTD_FAULT_RESERVED,
					 VTD_FAULT_RESERVED);
			}
}

static void test_outside(void **state)
{
	int first;

	(void)state;
	for (first = 4; first <= 5; first++) {
		use_levels(first, 4);
		try_page(1, P | RW | US | AD, VTD_OK, VTD_OK);
		/* Not mapped, not canonical, and canonical only with 5 levels */
		assert_int_equal(assert_same(0x1000, VTD_READ), VTD_FAULT_PRESENT);
		assert_int_equal(assert_same(BIT(62), VTD_READ), VTD_FAULT_WIDTH);
		assert_int_equal(assert_same(BIT(50), VTD_READ),
				 first == 4 ? VTD_FAULT_WIDTH : VTD_FAULT_PRESENT);
		assert_int_equal(assert_same(~0ULL, VTD_READ), VTD_FAULT_PRESENT);
	}
	/* A page that the second level does not have, */
	use_levels(4, 4);
	*first_entry(FIRST_TABLE, 0x1000, 1) = 0x55555000 | P | RW | US | AD;
	assert_int_equal(assert_same(0x1000, VTD_READ), VTD_FAULT_NESTED_PRESENT);
	/* and a table that it does not have: unmapped since it was bound. */
	*entry_of(SECOND_TABLE, 4, FIRST_TABLE, 1, 3) = 0;
	assert_int_equal(assert_same(0x1000, VTD_READ), VTD_FAULT_NESTED_PRESENT);
	/* A root that is beyond what there is */
	use_levels(4, 0);
	pasid_entry[2] = BIT(WIDTH - 1) | NXE;
	bind(&(struct sva_binding){.root = BIT(WIDTH - 1), .width = 48});
	assert_int_equal(assert_same(0x1000, VTD_READ), VTD_FAULT_READ);
}

static void test_support(void **state)
{
	(void)state;
	use_levels(5, 0);
	guest.unit.flags &= ~VTD_UNIT_FIRST_5;
	bind(&(struct sva_binding){.root = FIRST_TABLE, .width = 57});
	assert_int_equal(assert_same(0x1000, VTD_READ), VTD_FAULT_PASID_TYPE);
	/* Nested it is in any case, whatever the guest may do by itself; and without an
	 * IOMMU of the guest, all is supported.
	 */
	use_levels(4, 4);
	guest.unit.flags &= ~VTD_UNIT_NESTED;
	bind(&(struct sva_binding){.root = FIRST_TABLE, .width = 48});
	guest.unit.flags |= VTD_UNIT_NESTED;
	try_page(1, P | RW | US | AD, VTD_OK, VTD_OK);
	use_levels(5, 0);
	pasid_view_bound(&view, NULL, PASID,
			 &(struct sva_binding){.root = FIRST_TABLE, .width = 57},
			 &(struct vtd_parent){});
	try_page(3, P | RW | US | AD, VTD_OK, VTD_OK);
}

static void test_flags(void **state)
{
	(void)state;
	use_levels(4, 0);
	bind(&(struct sva_binding){
		.root = FIRST_TABLE, .width = 48, .flags = SVA_BIND_SRE | SVA_BIND_WPE});
	pasid_entry[2] |= 1 | 0x10;
	assert_int_equal(view.space.word, pasid_entry[2]);
	/* Requests with a PASID are those of user mode. */
	try_page(1, P | RW, VTD_FAULT_PERMISSION, VTD_FAULT_PERMISSION);
}

/* Two processes have different pages at one address. */
static void test_isolation(void **state)
{
	const uint64_t iova = 0x7f0000001000, roots[2] = {FIRST_TABLE, 0x7000};
	struct vtd_translation found;
	struct vtd_walk where;
	int i;

	(void)state;
	use_levels(4, 4);
	for (i = 0; i < 2; i++) {
		*first_entry(roots[i], iova, 1) = (MIDDLE + i * PAGE) | P | RW | US | AD;
		moved(MIDDLE + i * PAGE);
	}
	for (i = 0; i < 4; i++) {
		const struct sva_binding binding = binding_of(roots[i % 2]);

		bind(&binding);
		assert_int_equal(
			pasid_walk(&view, iova, VTD_WRITE, guest_read, &guest, &found, &where),
			VTD_OK);
		assert_int_equal(found.gpa, MIDDLE + (i % 2) * PAGE + SHIFT);
	}
}

/* Attached tables: directory and entries are the guest's. */
static void test_attached(void **state)
{
	static const uint32_t pasids[] = {5, 63, 64, 8191, 8192, 0xfffff};
	const uint64_t iova = 0x7f1234567000;
	uint64_t *entry;
	size_t i;
	int bits;

	(void)state;
	for (bits = 13; bits <= 20; bits += 7)
		for (i = 0; i < sizeof(pasids) / sizeof(*pasids); i++) {
			use_levels(4, 4);
			scalable_context[0] = 0x20000 | (uint64_t)(bits - 13) << 9 | BIT(3) | 1;
			guest.next = 0x40000;
			pasid_view_attached(&view, &guest.unit, pasids[i],
					    &(struct sva_table){.base = 0x20000, .bits = bits});
			if (pasids[i] >> bits) {
				assert_int_equal(assert_same(iova, VTD_READ),
						 VTD_FAULT_PASID_REQUEST);
				continue;
			}
			assert_int_equal(assert_same(iova, VTD_READ), VTD_FAULT_DIRECTORY_PRESENT);
			*at(0x20000 + pasids[i] / 64 * 8) = PASID_TABLE | 1;
			entry = at(PASID_TABLE + pasids[i] % 64 * 64);
			memset(entry, 0, 64);
			assert_int_equal(assert_same(iova, VTD_READ), VTD_FAULT_PASID_PRESENT);
			entry[0] = SECOND_TABLE | AW(4) | PGTT(3) | 1;
			entry[2] = FIRST_TABLE | NXE;
			try_page(1, P | RW | US | AD, VTD_OK, VTD_OK);
		}
}

/* The second level of a device */

static void assert_second(uint64_t table, int levels)
{
	const struct iommu_view device = {.unit = guest.unit, .source_id = 8};
	struct vtd_parent second = {.levels = 99};
	struct vtd_walk where;

	assert_int_equal(second_level_find(&device, guest_read, &guest, &second, &where), VTD_OK);
	assert_int_equal(where.fault, VTD_OK);
	assert_int_equal(second.levels, levels);
	if (levels)
		assert_int_equal(second.table, table);
}

static void assert_no_second(enum vtd_fault fault, enum vtd_table table)
{
	const struct iommu_view device = {.unit = guest.unit, .source_id = 8};
	struct vtd_parent second;
	struct vtd_walk where;

	assert_string_equal(
		vtd_fault_name(second_level_find(&device, guest_read, &guest, &second, &where)),
		vtd_fault_name(fault));
	assert_int_equal(where.fault, fault);
	assert_int_equal(where.fault_table, table);
}

static void test_scalable_second(void **state)
{
	int levels;

	(void)state;
	for (levels = 3; levels <= 5; levels++) {
		use_type(2);
		pasid_entry[0] = SECOND_TABLE | PGTT(2) | AW(levels) | 1;
		assert_second(SECOND_TABLE, levels);
		pasid_entry[0] = SECOND_TABLE | PGTT(3) | AW(levels) | 1;
		assert_second(SECOND_TABLE, levels);
	}
	/* Whatever becomes of the first level of requests without PASID */
	pasid_entry[2] = BIT(WIDTH - 1);
	pasid_entry[0] = SECOND_TABLE | PGTT(3) | AW(3) | 1;
	assert_second(SECOND_TABLE, 3);
	use_type(1);
	assert_second(0, 0);
	use_type(4);
	assert_second(0, 0);

	use_type(2);
	pasid_entry[0] &= ~1ULL;
	assert_no_second(VTD_FAULT_PASID_PRESENT, VTD_TABLE_PASID);
	use_type(2);
	*at(DIRECTORY) = 0;
	assert_no_second(VTD_FAULT_DIRECTORY_PRESENT, VTD_TABLE_PASID_DIRECTORY);
	use_type(2);
	guest.hole = CONTEXT_TABLE;
	assert_no_second(VTD_FAULT_READ, VTD_TABLE_SCALABLE_CONTEXT);
	use_type(2);
	*at(ROOT_TABLE) = 0;
	assert_no_second(VTD_FAULT_ROOT_PRESENT, VTD_TABLE_ROOT);
	guest.unit.root = ROOT_TABLE | 3 << 10;
	assert_no_second(VTD_FAULT_MODE, VTD_TABLE_ROOT);
}

static void test_legacy_second(void **state)
{
	uint64_t *context;

	(void)state;
	guest_init(0);
	*at(ROOT_TABLE) = CONTEXT_TABLE | 1;
	context = at(CONTEXT_TABLE + 8 * 16);
	assert_no_second(VTD_FAULT_CONTEXT_PRESENT, VTD_TABLE_CONTEXT);
	context[0] = SECOND_TABLE | 1;
	context[1] = 2;
	assert_second(SECOND_TABLE, 4);
	context[0] |= 1 << 2;
	context[1] = 1;
	assert_second(SECOND_TABLE, 3);
	context[0] = SECOND_TABLE | 2 << 2 | 1;
	context[1] = 3;
	assert_second(0, 0);
	context[0] = SECOND_TABLE | 3 << 2 | 1;
	assert_no_second(VTD_FAULT_CONTEXT_TYPE, VTD_TABLE_CONTEXT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_outside),
		cmocka_unit_test(test_support),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_isolation),
		cmocka_unit_test(test_attached),
		cmocka_unit_test(test_scalable_second),
		cmocka_unit_test(test_legacy_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
