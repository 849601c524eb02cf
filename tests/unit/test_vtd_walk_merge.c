// SPDX-License-Identifier: GPL-2.0
/* The page walk of VT-d: neighbours in a line of entries make an answer larger. */
#include "vtd_guest.h"

/* The request is for entry @index of a line in the middle of its table. */
#define LINE_IOVA 0x7fff8000ULL
#define LINE_GPA 0x123456788000ULL

static uint64_t *line;

static void use_second_level(void)
{
	uint64_t table = 0x8000;

	guest_init(0);
	*at(ROOT_TABLE) = CONTEXT_TABLE | 1;
	*at(CONTEXT_TABLE + 8 * 16) = table | 1;
	*at(CONTEXT_TABLE + 8 * 16 + 8) = 2;
	line = entry_of(table, 4, LINE_IOVA, 1, 3);
	guest.request.merge = 1;
}

static void fill(uint64_t gpa, uint64_t flags)
{
	for (int i = 0; i < 8; i++)
		line[i] = (gpa + i * PAGE) | flags;
}

static int prepare(void **state)
{
	(void)state;
	use_second_level();
	fill(LINE_GPA, 3);
	return 0;
}

static void ask(int index)
{
	guest.request.iova = LINE_IOVA + index * PAGE + 0x123;
}

/* The answer is pages @first to @last of the line. */
static void expect(int first, int last, int perm)
{
	assert_found(LINE_IOVA + first * PAGE, LINE_GPA + first * PAGE, (last - first + 1) * PAGE,
		     perm, 1);
}

static void a_whole_line(void **state)
{
	(void)state;
	for (int index = 0; index < 8; index++) {
		ask(index);
		expect(0, 7, 3);
		assert_int_equal(guest.reads, 6);
		assert_int_equal(guest.last_size, 64);
		assert_int_equal(guest.last_read, (char *)line - (char *)guest.memory);
	}
	/* Nothing that lies before or after it, even if it fits. */
	line[-1] = (LINE_GPA - PAGE) | 3;
	line[8] = (LINE_GPA + 8 * PAGE) | 3;
	expect(0, 7, 3);
}

static void only_if_asked_for(void **state)
{
	(void)state;
	guest.request.merge = 0;
	ask(3);
	expect(3, 3, 3);
	assert_int_equal(guest.last_size, 8);
}

/* Each set of entries that fit, each entry that is asked for. */
static void up_to_the_first_that_does_not_fit(void **state)
{
	static const uint64_t misfits[] = {
		0,		   /* not present */
		1,		   /* other permission, page set below */
		2,		   /* the same */
		PAGE * 100 | 3,	   /* elsewhere */
		1ULL << WIDTH | 3, /* reserved bit, page set below */
		1ULL << 51 | 3,	   /* the same */
	};

	(void)state;
	for (size_t misfit = 0; misfit < sizeof(misfits) / sizeof(misfits[0]); misfit++)
		for (unsigned int set = 0; set < 256; set++) {
			fill(LINE_GPA, 3);
			for (int i = 0; i < 8; i++) {
				if (set & 1 << i)
					continue;
				line[i] = misfits[misfit];
				if (misfit == 1 || misfit == 2 || misfit > 3)
					line[i] |= LINE_GPA + i * PAGE;
			}
			for (int index = 0; index < 8; index++) {
				int first = index, last = index;

				if (!(set & 1 << index))
					continue;
				while (first > 0 && set & 1 << (first - 1))
					first--;
				while (last < 7 && set & 1 << (last + 1))
					last++;
				ask(index);
				expect(first, last, 3);
			}
		}
}

static void same_page_or_backwards_is_not_contiguous(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++)
		line[i] = LINE_GPA | 3;
	ask(0);
	expect(0, 0, 3);
	for (int i = 0; i < 8; i++)
		line[i] = (LINE_GPA - i * PAGE) | 3;
	expect(0, 0, 3);
}

static void ignored_bits_do_not_matter(void **state)
{
	(void)state;
	line[1] |= 0xbff0000000000ffcULL;
	line[2] |= BIT(63);
	ask(0);
	expect(0, 7, 3);
	ask(1);
	expect(0, 7, 3);
}

static void reserved_bit_ends_it(void **state)
{
	(void)state;
	line[5] |= BIT(62);
	ask(2);
	expect(0, 4, 3);
	ask(6);
	expect(6, 7, 3);
}

static void permission_is_that_of_all_levels(void **state)
{
	uint64_t *above = entry_of(0x8000, 4, LINE_IOVA, 3, 3);

	(void)state;
	*above &= ~2ULL;
	line[7] &= ~2ULL;
	ask(5);
	/* The last one is the same in the end, but not the same entry. */
	expect(0, 6, 1);
	guest.request.access = 2;
	assert_fault(VTD_FAULT_PERMISSION, VTD_TABLE_SECOND_LEVEL, 3);
}

static void nothing_below_address_zero(void **state)
{
	(void)state;
	for (uint64_t below = 0; below < 2; below++) {
		fill(0x3000, 3);
		/* Page 0 is entry 2; entries 1 and 0 would go on below. */
		line[2] = 3;
		line[3] = 0x1003;
		line[4] = 0x2003;
		line[1] = (below ? 0xfffffffffffff003ULL : 0x000ffffffffff003ULL);
		line[0] = (below ? 0xffffffffffffe003ULL : 0x000fffffffffe003ULL);
		for (int width = 46; width <= 52; width += 6) {
			guest.unit.address_width = width;
			for (int index = 2; index <= 4; index++) {
				ask(index);
				assert_found(LINE_IOVA + 2 * PAGE, 0, 3 * PAGE, 3, 1);
			}
		}
	}
}

static void nothing_beyond_the_address_width(void **state)
{
	(void)state;
	for (int width = 32; width <= 52; width++) {
		guest.unit.address_width = width;
		for (int pages = 1; pages <= 8; pages++) {
			fill(BIT(width) - pages * PAGE, 3);
			for (int index = 0; index < pages; index++) {
				ask(index);
				assert_found(LINE_IOVA, BIT(width) - pages * PAGE, pages * PAGE, 3,
					     1);
			}
			if (pages == 8 || width == 52)
				continue;
			ask(pages);
			assert_fault(VTD_FAULT_RESERVED, VTD_TABLE_SECOND_LEVEL, 1);
		}
	}
}

static void faults_are_the_same(void **state)
{
	(void)state;
	ask(4);
	line[4] = 0;
	assert_fault(VTD_FAULT_PRESENT, VTD_TABLE_SECOND_LEVEL, 1);
	line[4] = LINE_GPA | 2;
	assert_fault(VTD_FAULT_PERMISSION, VTD_TABLE_SECOND_LEVEL, 1);
	line[4] = BIT(WIDTH) | 3;
	assert_fault(VTD_FAULT_RESERVED, VTD_TABLE_SECOND_LEVEL, 1);
	guest.hole = (char *)line - (char *)guest.memory;
	assert_fault(VTD_FAULT_READ, VTD_TABLE_SECOND_LEVEL, 1);
}

static void large_pages_stay_as_they_are(void **state)
{
	uint64_t *entry = entry_of(0x8000, 4, LINE_IOVA, 2, 3);

	(void)state;
	entry[0] = 0x83;
	entry[-1] = 0x200083;
	ask(0);
	assert_found(LINE_IOVA & -SIZE_OF(2), 0, SIZE_OF(2), 3, 2);
	assert_int_equal(guest.last_size, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_whole_line, prepare),
		cmocka_unit_test_setup(only_if_asked_for, prepare),
		cmocka_unit_test_setup(up_to_the_first_that_does_not_fit, prepare),
		cmocka_unit_test_setup(same_page_or_backwards_is_not_contiguous, prepare),
		cmocka_unit_test_setup(reserved_bit_ends_it, prepare),
		cmocka_unit_test_setup(ignored_bits_do_not_matter, prepare),
		cmocka_unit_test_setup(permission_is_that_of_all_levels, prepare),
		cmocka_unit_test_setup(nothing_below_address_zero, prepare),
		cmocka_unit_test_setup(nothing_beyond_the_address_width, prepare),
		cmocka_unit_test_setup(faults_are_the_same, prepare),
		cmocka_unit_test_setup(large_pages_stay_as_they_are, prepare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
