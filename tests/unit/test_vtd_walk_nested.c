// SPDX-License-Identifier: GPL-2.0
/*
 * The page walk of VT-d: the first level nested in the second. What the first
 * level believes to be at X is at X + SHIFT.
 */
#include "vtd_scalable_guest.h"

#define SHIFT 0x80000ULL
#define IOVA 0x7654321000ULL

static int first_levels, second_levels;

static uint64_t *second_entry(uint64_t address, int level)
{
	return entry_of(SECOND_TABLE, second_levels, address, level, 3);
}

/* As entry_of(), for tables that are moved by SHIFT and mapped one by one. */
static uint64_t *first_entry(uint64_t address, int level)
{
	uint64_t table = FIRST_TABLE, *entry;

	for (int at_level = first_levels;; at_level--) {
		*second_entry(table, 1) = (table + SHIFT) | 3;
		entry = at(table + SHIFT + (address / SIZE_OF(at_level) % 512) * 8);
		if (at_level == level)
			return entry;
		if (!*entry)
			*entry = new_page() | P | RW | US | AD;
		table = *entry & 0xffffffffff000;
	}
}

static void use_levels(int first, int second)
{
	use_type(3);
	first_levels = first;
	second_levels = second;
	pasid_entry[0] = SECOND_TABLE | PGTT(3) | AW(second) | 1;
	pasid_entry[2] |= FLPM(first);
	guest.request.iova = IOVA;
}

/* Maps IOVA to the GPA 0x300000000 + offset, and that to 0x100000000 + offset. */
#define MIDDLE 0x300000000ULL
#define END 0x100000000ULL

static void map(int first, int second)
{
	uint64_t offset_1 = IOVA & (SIZE_OF(first) - 1) & ~(PAGE - 1);
	uint64_t middle = MIDDLE + offset_1;

	*first_entry(IOVA, first) = MIDDLE | P | RW | US | AD | (first > 1 ? PS : 0);
	*second_entry(middle, second) =
		((END + offset_1) & -SIZE_OF(second)) | 3 | (second > 1 ? PS : 0);
}

static int prepare(void **state)
{
	(void)state;
	use_levels(4, 4);
	map(1, 1);
	return 0;
}

static void the_smaller_page_counts(void **state)
{
	(void)state;
	for (int depth_1 = 4; depth_1 <= 5; depth_1++)
		for (int depth_2 = 3; depth_2 <= 5; depth_2++)
			for (int first = 1; first <= 3; first++)
				for (int second = 1; second <= 3; second++) {
					int level = first < second ? first : second;
					uint64_t offset =
						IOVA & (SIZE_OF(first) - 1) & ~(SIZE_OF(level) - 1);

					use_levels(depth_1, depth_2);
					map(first, second);
					guest.request.iova |= 0x321;
					assert_found(IOVA & -SIZE_OF(level), END + offset,
						     SIZE_OF(level), 3, level);
					assert_int_equal(guest.reads,
							 4 + (depth_1 - first + 1) * (depth_2 + 1) +
								 depth_2 - second + 1);
					assert_true(guest.reads <= VTD_MAX_READS_NESTED);
				}
}

static void no_more_reads_than_said(void **state)
{
	(void)state;
	use_levels(5, 5);
	map(1, 1);
	assert_int_equal(walk(), VTD_OK);
	assert_int_equal(guest.reads, VTD_MAX_READS_NESTED);
}

static void permissions_of_both(void **state)
{
	uint64_t *first = first_entry(IOVA, 1), *second = second_entry(MIDDLE, 1);

	(void)state;
	for (int f = 0; f <= 2; f += 2)
		for (int s = 1; s <= 3; s++)
			for (int access = 1; access <= 3; access++) {
				*first = MIDDLE | P | US | AD | f;
				*second = END | s;
				guest.request.access = access;
				if (access & 2 && !f)
					assert_fault(VTD_FAULT_PERMISSION, VTD_TABLE_FIRST_LEVEL,
						     1);
				else if ((s & access) != access)
					assert_fault(VTD_FAULT_NESTED_PERMISSION,
						     VTD_TABLE_SECOND_LEVEL, 1);
				else
					assert_found(IOVA, END, PAGE, (f | 1) & s, 1);
			}
}

static void tables_must_be_readable(void **state)
{
	(void)state;
	guest.request.access = 2;
	for (int level = 4; level >= 1; level--) {
		uint64_t table = level == 4 ? FIRST_TABLE : first_entry(IOVA, level + 1)[0];

		prepare(NULL);
		guest.request.access = 2;
		table &= ADDRESS_BITS;
		/* Reading is enough, writing is not. */
		*second_entry(table, 1) = (table + SHIFT) | 1;
		assert_found(IOVA, END, PAGE, 3, 1);
		*second_entry(table, 1) = (table + SHIFT) | 2;
		assert_fault(VTD_FAULT_NESTED_PERMISSION, VTD_TABLE_SECOND_LEVEL, 1);
		assert_int_equal(guest.reads, 4 + (4 - level) * 5 + 4);
	}
}

/* At each level of the second, on the way to each entry of the first. */
static void faults_of_the_second_level(void **state)
{
	(void)state;
	for (int level = 4; level >= 0; level--)
		for (int at_level = 4; at_level >= 1; at_level--) {
			uint64_t address = MIDDLE, *entry, good;
			unsigned int reads = 4 + (4 - level) * 5 + 4 - at_level + 1;

			prepare(NULL);
			if (level == 4)
				address = FIRST_TABLE;
			else if (level)
				address = *first_entry(IOVA, level + 1) & ADDRESS_BITS;
			entry = second_entry(address, at_level);
			/* Tables lie together: those above are met at once. */
			if (at_level > 1 && level && level < 4)
				continue;
			if (at_level == 4)
				reads = 5;
			good = *entry;
			*entry = 0;
			assert_fault(VTD_FAULT_NESTED_PRESENT, VTD_TABLE_SECOND_LEVEL, at_level);
			assert_int_equal(guest.reads, reads);
			*entry = good | BIT(WIDTH);
			assert_fault(VTD_FAULT_NESTED_RESERVED, VTD_TABLE_SECOND_LEVEL, at_level);
			*entry = good | BIT(62);
			assert_fault(VTD_FAULT_NESTED_RESERVED, VTD_TABLE_SECOND_LEVEL, at_level);
			*entry = good & ~1ULL;
			assert_fault(VTD_FAULT_NESTED_PERMISSION, VTD_TABLE_SECOND_LEVEL, at_level);
			*entry = PAGES * PAGE | 3;
			if (at_level > 1)
				assert_fault(VTD_FAULT_NESTED_READ, VTD_TABLE_SECOND_LEVEL,
					     at_level - 1);
			else if (level)
				assert_fault(VTD_FAULT_READ, VTD_TABLE_FIRST_LEVEL, level);
			else
				assert_found(IOVA, PAGES * PAGE, PAGE, 3, 1);
		}
}

static void faults_of_the_first_level(void **state)
{
	(void)state;
	for (int level = 4; level >= 1; level--) {
		uint64_t *entry = first_entry(IOVA, level), good = *entry;

		*entry = 0;
		assert_fault(VTD_FAULT_PRESENT, VTD_TABLE_FIRST_LEVEL, level);
		*entry = good | BIT(WIDTH);
		assert_fault(VTD_FAULT_RESERVED, VTD_TABLE_FIRST_LEVEL, level);
		*entry = good & ~US;
		assert_fault(VTD_FAULT_PERMISSION, VTD_TABLE_FIRST_LEVEL, level);
		*entry = good;
	}
	guest.request.iova = BIT(47);
	assert_fault(VTD_FAULT_WIDTH, VTD_TABLE_PASID, 0);
}

/* 3 levels have 39 bits. */
static void addresses_within_the_second_level(void **state)
{
	(void)state;
	use_levels(4, 3);
	map(1, 1);
	assert_found(IOVA, END, PAGE, 3, 1);
	for (int level = 4; level >= 1; level--) {
		uint64_t *entry = first_entry(IOVA, level), good = *entry;

		*entry |= BIT(39);
		assert_fault(VTD_FAULT_NESTED_WIDTH, VTD_TABLE_FIRST_LEVEL, level);
		*entry = good;
	}
	pasid_entry[2] |= BIT(39);
	assert_fault(VTD_FAULT_NESTED_WIDTH, VTD_TABLE_PASID, 0);
	assert_int_equal(guest.reads, 4);

	/* The last page of the second level is one of it. */
	use_levels(4, 3);
	*first_entry(IOVA, 1) = (BIT(39) - PAGE) | P | RW | US | AD;
	*second_entry(BIT(39) - PAGE, 1) = END | 3;
	assert_found(IOVA, END, PAGE, 3, 1);
}

static void a_line_of_entries(void **state)
{
	uint64_t *line = first_entry(IOVA & ~0x7fffULL, 1);
	const uint64_t start = IOVA & ~0x7fffULL;

	(void)state;
	guest.request.merge = 1;
	for (int i = 0; i < 8; i++)
		line[i] = (0x3ff000 - 2 * PAGE + i * PAGE) | P | RW | US | AD;
	/* Entries 0 to 2 are of one page of 2M, the others of the next. */
	*second_entry(0x200000, 2) = 0x40000000 | 3 | PS;
	*second_entry(0x400000, 2) = 0x80000000 | 3 | PS;
	for (int i = 0; i < 8; i++) {
		guest.request.iova = start + i * PAGE;
		if (i < 3)
			assert_found(start, 0x401fd000, 3 * PAGE, 3, 1);
		else
			assert_found(start + 3 * PAGE, 0x80000000, 5 * PAGE, 3, 1);
		assert_int_equal(guest.last_size, 8);
	}
	/* Smaller pages of the second level are not put together. */
	*second_entry(0x400000, 2) = 0;
	for (int i = 0; i < 5; i++)
		*second_entry(0x400000 + i * PAGE, 1) = (END + i * PAGE) | 3;
	guest.request.iova = start + 4 * PAGE;
	assert_found(start + 4 * PAGE, END + PAGE, PAGE, 3, 1);
}

static void support_for_large_pages_is_that_of_each(void **state)
{
	(void)state;
	use_levels(4, 4);
	map(3, 2);
	guest.unit.large_pages = 1;
	assert_int_equal(walk(), VTD_OK);
	guest.unit.large_pages = 2;
	assert_fault(VTD_FAULT_NESTED_RESERVED, VTD_TABLE_SECOND_LEVEL, 2);
	guest.unit.large_pages = 1;
	guest.unit.flags &= ~VTD_UNIT_FIRST_1G;
	assert_fault(VTD_FAULT_RESERVED, VTD_TABLE_FIRST_LEVEL, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_smaller_page_counts, prepare),
		cmocka_unit_test_setup(no_more_reads_than_said, prepare),
		cmocka_unit_test_setup(permissions_of_both, prepare),
		cmocka_unit_test_setup(tables_must_be_readable, prepare),
		cmocka_unit_test_setup(faults_of_the_second_level, prepare),
		cmocka_unit_test_setup(faults_of_the_first_level, prepare),
		cmocka_unit_test_setup(addresses_within_the_second_level, prepare),
		cmocka_unit_test_setup(a_line_of_entries, prepare),
		cmocka_unit_test_setup(support_for_large_pages_is_that_of_each, prepare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
