// SPDX-License-Identifier: GPL-2.0
/* The page walk of VT-d in legacy mode: root, context, second level. */
#include "vtd_guest.h"

#define TYPE(type) ((uint64_t)(type) << 2)

static uint64_t *root, *context;
static uint64_t table;

/* Tables of @levels for the device of the request. */
static void use_levels(int levels)
{
	guest_init(0);
	table = new_page();
	root = at(ROOT_TABLE);
	context = at(CONTEXT_TABLE + 8 * 16);
	root[0] = CONTEXT_TABLE | 1;
	context[0] = table | 1;
	context[1] = levels - 2;
}

static int prepare(void **state)
{
	(void)state;
	use_levels(4);
	return 0;
}

/* Maps the page of @level of the request; returns its entry. */
static uint64_t *map(int levels, int level, uint64_t gpa)
{
	uint64_t *entry = entry_of(table, levels, guest.request.iova, level, 3);

	*entry = gpa | 3;
	if (level > 1)
		*entry |= BIT(7);
	return entry;
}

static void every_page_size_at_every_depth(void **state)
{
	const uint64_t iova = 0x3fedcba987ULL, gpa = 0x2aabc0000000ULL;

	(void)state;
	for (int levels = 3; levels <= 5; levels++)
		for (int level = 1; level <= 3; level++) {
			uint64_t size = SIZE_OF(level), page;

			use_levels(levels);
			guest.request.iova = iova;
			/* Bits that tell each index from the others. */
			if (levels > 3)
				guest.request.iova |= 0x5aULL << 39;
			if (levels > 4)
				guest.request.iova |= 0x123ULL << 48;
			page = gpa + size * 3;
			map(levels, level, page);
			assert_found(guest.request.iova & -size, page, size, 3, level);
			assert_int_equal(guest.reads, 2 + levels - level + 1);
			assert_true(guest.reads <= VTD_MAX_READS_LEGACY);
		}
}

static void each_device_has_its_entry(void **state)
{
	(void)state;
	*root = 0;
	root = at(ROOT_TABLE + 0xa5 * 16);
	root[0] = CONTEXT_TABLE | 1;
	context[0] = 0;
	context = at(CONTEXT_TABLE + 0xff * 16);
	context[0] = table | 1;
	context[1] = 2;
	guest.request.source_id = 0xa5ff;
	map(4, 1, 0x5000);
	assert_found(0, 0x5000, PAGE, 3, 1);

	guest.request.source_id = 0xa5fe;
	assert_fault(VTD_FAULT_CONTEXT_PRESENT, VTD_TABLE_CONTEXT, 0);
	guest.request.source_id = 0xa4ff;
	assert_fault(VTD_FAULT_ROOT_PRESENT, VTD_TABLE_ROOT, 0);
}

static void mode_is_legacy_or_scalable(void **state)
{
	(void)state;
	map(4, 1, 0x5000);
	guest.unit.root = ROOT_TABLE | 2 << 10;
	assert_fault(VTD_FAULT_MODE, VTD_TABLE_ROOT, 0);
	assert_int_equal(guest.reads, 0);
	guest.unit.root = ROOT_TABLE | 3 << 10;
	assert_fault(VTD_FAULT_MODE, VTD_TABLE_ROOT, 0);
	/* All that is neither mode nor address means nothing. */
	guest.unit.root = ROOT_TABLE | 0x3ff | BIT(WIDTH) | BIT(63);
	assert_found(0, 0x5000, PAGE, 3, 1);
}

static void there_are_no_pasids(void **state)
{
	(void)state;
	map(4, 1, 0x5000);
	guest.request.pasid = 0;
	assert_fault(VTD_FAULT_PASID_REQUEST, VTD_TABLE_ROOT, 0);
	assert_int_equal(guest.reads, 0);
}

static void root_entry(void **state)
{
	(void)state;
	map(4, 1, 0x5000);
	try_bits(&root[0], 0xffe | 0xffffc00000000000ULL, ADDRESS_BITS, VTD_FAULT_ROOT_RESERVED,
		 VTD_TABLE_ROOT, 0);
	try_bits(&root[1], ~0ULL, 0, VTD_FAULT_ROOT_RESERVED, VTD_TABLE_ROOT, 0);

	/* Not present is seen before what else is wrong. */
	root[0] = 0xffe;
	assert_fault(VTD_FAULT_ROOT_PRESENT, VTD_TABLE_ROOT, 0);
	guest.hole = ROOT_TABLE;
	assert_fault(VTD_FAULT_READ, VTD_TABLE_ROOT, 0);
	assert_int_equal(guest.reads, 1);
}

static void context_entry(void **state)
{
	(void)state;
	map(4, 1, 0x5000);
	try_bits(&context[0], 0xff0 | 0xffffc00000000000ULL, ADDRESS_BITS | 0xc,
		 VTD_FAULT_CONTEXT_RESERVED, VTD_TABLE_CONTEXT, 0);
	/* 70:67 are ignored, 87:72 is the domain. */
	try_bits(&context[1], 0xffffffffff000080ULL, 7, VTD_FAULT_CONTEXT_RESERVED,
		 VTD_TABLE_CONTEXT, 0);

	/* Reserved bits before types. */
	context[0] |= TYPE(3) | BIT(4);
	assert_fault(VTD_FAULT_CONTEXT_RESERVED, VTD_TABLE_CONTEXT, 0);
	context[0] &= ~1ULL;
	assert_fault(VTD_FAULT_CONTEXT_PRESENT, VTD_TABLE_CONTEXT, 0);
	guest.hole = CONTEXT_TABLE;
	assert_fault(VTD_FAULT_READ, VTD_TABLE_CONTEXT, 0);
	assert_int_equal(guest.reads, 2);
}

static void translation_types(void **state)
{
	(void)state;
	map(4, 1, 0x5000);
	context[0] = table | TYPE(1) | 1;
	assert_found(0, 0x5000, PAGE, 3, 1);
	context[0] = table | TYPE(3) | 1;
	assert_fault(VTD_FAULT_CONTEXT_TYPE, VTD_TABLE_CONTEXT, 0);
}

static void widths_are_those_of_the_unit(void **state)
{
	(void)state;
	for (unsigned int sagaw = 0; sagaw < 32; sagaw++)
		for (unsigned int width = 0; width < 8; width++) {
			bool good = width >= 1 && width <= 3 && sagaw & 1 << width;

			use_levels(4);
			map(width >= 1 && width <= 3 ? width + 2 : 4, 1, 0x5000);
			guest.unit.sagaw = sagaw;
			context[1] = width;
			if (good)
				assert_found(0, 0x5000, PAGE, 3, 1);
			else
				assert_fault(VTD_FAULT_CONTEXT_TYPE, VTD_TABLE_CONTEXT, 0);
		}
}

static void pass_through(void **state)
{
	(void)state;
	context[0] = TYPE(2) | 1;
	context[1] = 3;
	guest.request.iova = 0x123456789abcULL;
	assert_found(0x123440000000ULL, 0x123440000000ULL, 1ULL << 30, 3, 0);
	assert_int_equal(guest.reads, 2);

	/* As far as addresses go */
	guest.request.iova = BIT(WIDTH) - 1;
	assert_found(BIT(WIDTH) - BIT(30), BIT(WIDTH) - BIT(30), BIT(30), 3, 0);
	guest.request.iova = BIT(WIDTH);
	assert_fault(VTD_FAULT_WIDTH, VTD_TABLE_CONTEXT, 0);
	guest.request.iova = BIT(63);
	assert_fault(VTD_FAULT_WIDTH, VTD_TABLE_CONTEXT, 0);

	guest.request.iova = 0;
	guest.unit.flags = 0xf & ~VTD_UNIT_PASS_THROUGH;
	assert_fault(VTD_FAULT_CONTEXT_TYPE, VTD_TABLE_CONTEXT, 0);
}

static void pass_through_has_the_largest_width(void **state)
{
	(void)state;
	context[0] = TYPE(2) | 1;
	for (unsigned int sagaw = 0; sagaw < 32; sagaw++)
		for (unsigned int width = 0; width < 8; width++) {
			unsigned int largest = sagaw & 8 ? 3 : sagaw & 4 ? 2 : sagaw & 2 ? 1 : 99;

			guest.unit.sagaw = sagaw;
			context[1] = width;
			if (width == largest)
				assert_int_equal(walk(), VTD_OK);
			else
				assert_fault(VTD_FAULT_CONTEXT_TYPE, VTD_TABLE_CONTEXT, 0);
		}
}

static void addresses_within_the_width(void **state)
{
	(void)state;
	for (int levels = 3; levels <= 5; levels++) {
		uint64_t end = BIT(12 + 9 * levels);

		use_levels(levels);
		guest.request.iova = end - 1;
		map(levels, 1, 0x5000);
		assert_found(end - PAGE, 0x5000, PAGE, 3, 1);
		guest.request.iova = end;
		/* That is where the bits of the index would lead. */
		map(levels, 1, 0x6000);
		assert_fault(VTD_FAULT_WIDTH, VTD_TABLE_CONTEXT, 0);
		assert_int_equal(guest.reads, 2);
		guest.request.iova = BIT(63);
		assert_fault(VTD_FAULT_WIDTH, VTD_TABLE_CONTEXT, 0);
	}
}

static void address_width_of_the_unit(void **state)
{
	(void)state;
	for (int width = 32; width <= 52; width++) {
		uint64_t *entry;

		use_levels(4);
		guest.unit.address_width = width;
		entry = map(4, 1, BIT(width - 1));
		assert_found(0, BIT(width - 1), PAGE, 3, 1);
		if (width < 52) {
			*entry = BIT(width) | 3;
			assert_fault(VTD_FAULT_RESERVED, VTD_TABLE_SECOND_LEVEL, 1);
		} else {
			*entry = (~(BIT(52) - 1) & ~BIT(62)) | 0x1003;
			assert_found(0, 0x1000, PAGE, 3, 1);
		}
		root[0] |= BIT(width);
		assert_fault(VTD_FAULT_ROOT_RESERVED, VTD_TABLE_ROOT, 0);
		root[0] &= ~BIT(width);
		context[0] |= BIT(width);
		assert_fault(VTD_FAULT_CONTEXT_RESERVED, VTD_TABLE_CONTEXT, 0);
	}
}

static void reserved_bits_of_entries(void **state)
{
	(void)state;
	for (int level = 1; level <= 5; level++) {
		uint64_t reserved = BEYOND | BIT(62), *entry;

		use_levels(5);
		map(5, 1, 0x5000);
		entry = entry_of(table, 5, 0, level, 3);
		if (level > 1)
			reserved |= BIT(11);
		if (level > 3)
			reserved |= BIT(7);
		try_bits(entry, reserved, ADDRESS_BITS | (level == 2 || level == 3 ? BIT(7) : 0),
			 VTD_FAULT_RESERVED, VTD_TABLE_SECOND_LEVEL, level);
		if (level == 1)
			continue;
		/* Present before reserved, reserved before permissions. */
		*entry = new_page() | BIT(11);
		assert_fault(VTD_FAULT_PRESENT, VTD_TABLE_SECOND_LEVEL, level);
		*entry |= 2;
		assert_fault(VTD_FAULT_RESERVED, VTD_TABLE_SECOND_LEVEL, level);
	}
}

static void reserved_bits_of_large_pages(void **state)
{
	(void)state;
	for (int level = 2; level <= 3; level++) {
		uint64_t size = SIZE_OF(level), *entry;

		use_levels(5);
		entry = map(5, level, size);
		try_bits(entry, BEYOND | BIT(62) | (size - PAGE), ADDRESS_BITS & -size,
			 VTD_FAULT_RESERVED, VTD_TABLE_SECOND_LEVEL, level);

		guest.unit.large_pages = 1;
		assert_int_equal(walk(), level == 2 ? VTD_OK : VTD_FAULT_RESERVED);
		guest.unit.large_pages = 2;
		assert_int_equal(walk(), level == 3 ? VTD_OK : VTD_FAULT_RESERVED);
		guest.unit.large_pages = 0;
		assert_fault(VTD_FAULT_RESERVED, VTD_TABLE_SECOND_LEVEL, level);
		*entry &= ~1ULL;
		assert_fault(VTD_FAULT_RESERVED, VTD_TABLE_SECOND_LEVEL, level);
		*entry &= ~3ULL;
		assert_fault(VTD_FAULT_PRESENT, VTD_TABLE_SECOND_LEVEL, level);
	}
}

static void entries_not_present_or_not_there(void **state)
{
	(void)state;
	for (int levels = 3; levels <= 5; levels++)
		for (int level = 1; level <= levels; level++)
			for (int merge = 0; merge <= 1; merge++) {
				uint64_t *entry;

				use_levels(levels);
				guest.request.merge = merge;
				guest.request.iova = 0x7ffffff000ULL;
				map(levels, 1, 0x5000);
				entry = entry_of(table, levels, guest.request.iova, level, 3);
				*entry &= ~3ULL;
				assert_fault(VTD_FAULT_PRESENT, VTD_TABLE_SECOND_LEVEL, level);
				assert_int_equal(guest.reads, 2 + levels - level + 1);
				guest.hole = (char *)entry - (char *)guest.memory;
				assert_fault(VTD_FAULT_READ, VTD_TABLE_SECOND_LEVEL, level);

				/* Or the table is where no memory is. */
				if (level == 1)
					continue;
				guest.hole = ~0ULL;
				*entry = PAGES * PAGE | 3;
				assert_fault(VTD_FAULT_READ, VTD_TABLE_SECOND_LEVEL, level - 1);
			}
}

/* All combinations at four levels, for each access. */
static void permissions_of_all_levels(void **state)
{
	uint64_t *entries[4];

	(void)state;
	map(4, 1, 0x5000);
	for (int i = 0; i < 4; i++)
		entries[i] = entry_of(table, 4, 0, i + 1, 3);

	for (unsigned int perms = 0; perms < 256; perms++)
		for (int access = 1; access <= 3; access++) {
			enum vtd_fault expected = VTD_OK;
			int allowed = 3, level;

			for (int i = 0; i < 4; i++) {
				*entries[i] = (*entries[i] & ~3ULL) | (perms >> 2 * i & 3);
				allowed &= perms >> 2 * i & 3;
			}
			for (level = 4; level && !expected; level--) {
				int perm = perms >> 2 * (level - 1) & 3;

				if (!perm)
					expected = VTD_FAULT_PRESENT;
				else if ((perm & access) != access)
					expected = VTD_FAULT_PERMISSION;
			}
			guest.request.access = access;
			for (int merge = 0; merge <= 1; merge++) {
				guest.request.merge = merge;
				if (expected)
					assert_fault(expected, VTD_TABLE_SECOND_LEVEL, level + 1);
				else
					assert_found(0, 0x5000, PAGE, allowed, 1);
			}
		}
}

static void large_pages_have_permissions_of_all_levels(void **state)
{
	uint64_t *above;

	(void)state;
	for (int level = 2; level <= 3; level++) {
		use_levels(4);
		map(4, level, SIZE_OF(level));
		above = entry_of(table, 4, 0, level + 1, 3);
		*above &= ~2ULL;
		assert_found(0, SIZE_OF(level), SIZE_OF(level), VTD_READ, level);
		guest.request.access = 2;
		assert_fault(VTD_FAULT_PERMISSION, VTD_TABLE_SECOND_LEVEL, level + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_page_size_at_every_depth, prepare),
		cmocka_unit_test_setup(each_device_has_its_entry, prepare),
		cmocka_unit_test_setup(mode_is_legacy_or_scalable, prepare),
		cmocka_unit_test_setup(there_are_no_pasids, prepare),
		cmocka_unit_test_setup(root_entry, prepare),
		cmocka_unit_test_setup(context_entry, prepare),
		cmocka_unit_test_setup(translation_types, prepare),
		cmocka_unit_test_setup(widths_are_those_of_the_unit, prepare),
		cmocka_unit_test_setup(pass_through, prepare),
		cmocka_unit_test_setup(pass_through_has_the_largest_width, prepare),
		cmocka_unit_test_setup(addresses_within_the_width, prepare),
		cmocka_unit_test_setup(address_width_of_the_unit, prepare),
		cmocka_unit_test_setup(reserved_bits_of_entries, prepare),
		cmocka_unit_test_setup(reserved_bits_of_large_pages, prepare),
		cmocka_unit_test_setup(entries_not_present_or_not_there, prepare),
		cmocka_unit_test_setup(permissions_of_all_levels, prepare),
		cmocka_unit_test_setup(large_pages_have_permissions_of_all_levels, prepare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
