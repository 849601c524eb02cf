// SPDX-License-Identifier: GPL-2.0
/* The page walk of VT-d: accessed and dirty flags of the first level. */
#include "vtd_scalable_guest.h"

#define A 0x20ULL
#define D 0x40ULL
#define IOVA 0x7fffffb000ULL
#define GPA 0x40000000ULL

/* Where the second level has the tables of the first */
#define SHIFT 0x80000ULL

static bool is_nested;

/* What guest_set() is to do: so many times, the guest is faster. */
static int refuse, changes;
static unsigned int sets;

static int guest_set(void *memory, __u64 gpa, __u64 old, __u64 bits)
{
	assert_ptr_equal(memory, &guest);
	assert_int_equal(gpa % 8, 0);
	assert_true(bits && !(bits & ~(A | D)));
	assert_false(old & bits);
	if (refuse)
		return refuse;
	if (changes) {
		changes--;
		*at(gpa) ^= BIT(9);
	}
	if (*at(gpa) != old)
		return -EAGAIN;
	*at(gpa) |= bits;
	sets++;
	return 0;
}

/* Not inlined into every test. */
static __attribute__((noinline)) enum vtd_fault walk_set(bool is_trial)
{
	enum vtd_fault fault;

	sets = 0;
	memset(&guest.where, 0xee, sizeof(guest.where));
	fault = vtd_walk_set(&guest.unit, &guest.request, guest_read, guest_set, is_trial, &guest,
			     &guest.where);
	assert_int_equal(guest.where.fault, fault);
	return fault;
}

static enum vtd_fault set_flags(void)
{
	assert_int_equal(walk_set(true), VTD_OK);
	assert_int_equal(sets, 0);
	return walk_set(false);
}

/* Flags of entries above are missing, too; what is wrong comes to light on trial. */
static void assert_trial(enum vtd_fault fault, enum vtd_table table, int level)
{
	assert_fault(VTD_FAULT_ACCESSED_DIRTY, VTD_TABLE_FIRST_LEVEL, 4);
	assert_string_equal(vtd_fault_name(walk_set(true)), vtd_fault_name(fault));
	assert_int_equal(guest.where.fault_table, table);
	assert_int_equal(guest.where.fault_level, level);
	assert_int_equal(sets, 0);
}

static uint64_t *second_entry(uint64_t gpa)
{
	return entry_of(SECOND_TABLE, 4, gpa, 1, 3);
}

static uint64_t *entry(int level)
{
	uint64_t table = FIRST_TABLE, *entry;

	for (int at_level = 4;; at_level--) {
		if (is_nested && !*second_entry(table))
			*second_entry(table) = (table + SHIFT) | 3;
		entry = at(table + (is_nested ? SHIFT : 0) +
			   (guest.request.iova / SIZE_OF(at_level) % 512) * 8);
		if (at_level == level)
			return entry;
		if (!*entry)
			*entry = new_page() | P | RW | US;
		table = *entry & 0xffffffffff000;
	}
}

/* A page of @level, and no flags. */
static void map(bool nested, int level)
{
	use_type(nested ? 3 : 1);
	is_nested = nested;
	refuse = changes = 0;
	guest.request.iova = IOVA;
	*entry(level) = GPA | P | RW | US | (level > 1 ? PS : 0);
	if (nested)
		*entry_of(SECOND_TABLE, 4, GPA, 3, 3) = GPA | 3 | PS;
}

static void set_in(int from, int to, uint64_t flags)
{
	for (int level = from; level <= to; level++)
		*entry(level) |= flags;
}

#define for_each_page(nested, level)                                                               \
	for (int nested = 0; nested <= 1; nested++)                                                \
		for (int level = 1; level <= 3; level++)

static void each_entry_must_be_accessed(void **state)
{
	(void)state;
	for_each_page (nested, page)
		for (int level = page; level <= 4; level++) {
			map(nested, page);
			set_in(page, 4, A);
			*entry(level) &= ~A;
			assert_fault(VTD_FAULT_ACCESSED_DIRTY, VTD_TABLE_FIRST_LEVEL, level);
			assert_int_equal(set_flags(), VTD_OK);
			assert_int_equal(sets, 1);
			assert_true(*entry(level) & A);
			assert_int_equal(walk(), VTD_OK);
		}
}

/* The highest entry is the one that is named, and all are set at once. */
static void all_are_set(void **state)
{
	(void)state;
	for_each_page (nested, page)
		for (int access = 1; access <= 3; access++) {
			uint64_t before[5] = {0};

			map(nested, page);
			for (int level = page; level <= 4; level++)
				before[level] = *entry(level);
			guest.request.access = access;
			assert_fault(VTD_FAULT_ACCESSED_DIRTY, VTD_TABLE_FIRST_LEVEL, 4);
			assert_int_equal(set_flags(), VTD_OK);
			assert_int_equal(sets, 4 - page + 1);
			for (int level = page; level <= 4; level++)
				assert_int_equal(*entry(level),
						 before[level] | A |
							 (level == page && access & 2 ? D : 0));
			assert_int_equal(walk(), VTD_OK);
			assert_int_equal(set_flags(), VTD_OK);
			assert_int_equal(sets, 0);
		}
}

/* The next write must be seen; and whoever has written, has done so. */
static void what_is_not_dirty_is_read_only(void **state)
{
	(void)state;
	for_each_page (nested, page) {
		const uint64_t size = SIZE_OF(page), iova = IOVA & -size;

		map(nested, page);
		set_in(page, 4, A);
		assert_found(iova, GPA, size, 1, page);
		guest.request.access = 2;
		assert_fault(VTD_FAULT_ACCESSED_DIRTY, VTD_TABLE_FIRST_LEVEL, page);
		assert_int_equal(set_flags(), VTD_OK);
		assert_int_equal(sets, 1);
		assert_found(iova, GPA, size, 3, page);
		guest.request.access = 1;
		assert_found(iova, GPA, size, 3, page);
		/* It is the page that is dirty: in a table the bit has no meaning. */
		set_in(page + 1, 4, D);
		*entry(page) &= ~D;
		assert_found(iova, GPA, size, 1, page);
	}
}

/* A walk that ends with a fault sets none. */
static void a_fault_sets_nothing(void **state)
{
	(void)state;
	for_each_page (nested, page) {
		map(nested, page);
		*entry(page) &= ~P;
		assert_trial(VTD_FAULT_PRESENT, VTD_TABLE_FIRST_LEVEL, page);
		map(nested, page);
		*entry(page) |= BIT(WIDTH);
		assert_trial(VTD_FAULT_RESERVED, VTD_TABLE_FIRST_LEVEL, page);
		map(nested, page);
		*entry(page) &= ~RW;
		guest.request.access = 2;
		assert_trial(VTD_FAULT_PERMISSION, VTD_TABLE_FIRST_LEVEL, page);
	}
	map(true, 1);
	*entry_of(SECOND_TABLE, 4, GPA, 3, 3) = 0;
	assert_trial(VTD_FAULT_NESTED_PRESENT, VTD_TABLE_SECOND_LEVEL, 3);
}

static void the_second_level_must_let_tables_be_written(void **state)
{
	(void)state;
	for (int level = 4; level >= 1; level--) {
		uint64_t table = FIRST_TABLE;

		map(true, 1);
		if (level < 4)
			table = *entry(level + 1) & 0xffffffffff000;
		*second_entry(table) &= ~2ULL;
		/* Those before it could be set, and are not. */
		assert_trial(VTD_FAULT_NESTED_WRITE, VTD_TABLE_FIRST_LEVEL, level);
		/* Where nothing is to be set, nothing is to be written. */
		*entry(level) |= A;
		if (level > 1)
			assert_fault(VTD_FAULT_ACCESSED_DIRTY, VTD_TABLE_FIRST_LEVEL,
				     level == 4 ? 3 : 4);
		assert_int_equal(set_flags(), VTD_OK);
		assert_int_equal(sets, 3);
		assert_int_equal(walk(), VTD_OK);
	}
}

/* It is what there is when all flags are set that the request takes. */
static void assert_will_be(const struct vtd_translation *found)
{
	guest.request.merge = 0;
	assert_int_equal(set_flags(), VTD_OK);
	assert_int_equal(walk(), VTD_OK);
	assert_int_equal(found->iova, guest.found.iova);
	assert_int_equal(found->gpa, guest.found.gpa);
	assert_int_equal(found->size, guest.found.size);
	assert_int_equal(found->perm, guest.found.perm);
	assert_int_equal(found->level, guest.found.level);
}

/* Who can set none hears of all else that is wrong first, and what there will be. */
static void whole_walks(void **state)
{
	(void)state;
	for_each_page (nested, page) {
		struct vtd_translation found;
		struct vtd_walk where;

		map(nested, page);
		assert_int_equal(vtd_walk_whole(&guest.unit, &guest.request, guest_read, &guest,
						&found, &where),
				 VTD_FAULT_ACCESSED_DIRTY);
		assert_int_equal(where.fault, VTD_FAULT_ACCESSED_DIRTY);
		assert_int_equal(where.fault_level, 4);
		assert_will_be(&found);
		map(nested, page);
		*entry(page) &= ~P;
		assert_int_equal(vtd_walk_whole(&guest.unit, &guest.request, guest_read, &guest,
						&found, &where),
				 VTD_FAULT_PRESENT);
		assert_int_equal(where.fault, VTD_FAULT_PRESENT);
		assert_int_equal(where.fault_level, page);
	}
}

static void what_cannot_be_set(void **state)
{
	(void)state;
	for_each_page (nested, page) {
		map(nested, page);
		set_in(page + 1, 4, A);
		refuse = -EFAULT;
		assert_int_equal(set_flags(), VTD_FAULT_ACCESSED_DIRTY);
		assert_int_equal(guest.where.fault_level, page);
		assert_int_equal(guest.where.fault_table, VTD_TABLE_FIRST_LEVEL);
		assert_false(*entry(page) & A);
	}
}

/* The guest changes the entry: what it wrote stays. */
static void a_guest_that_is_faster(void **state)
{
	(void)state;
	for_each_page (nested, page) {
		uint64_t before;

		map(nested, page);
		before = *entry(4);
		changes = 1;
		assert_int_equal(set_flags(), VTD_FAULT_ACCESSED_DIRTY);
		assert_int_equal(*entry(4), before ^ BIT(9));
		assert_int_equal(set_flags(), VTD_OK);
		assert_int_equal(*entry(4), (before ^ BIT(9)) | A);
		assert_int_equal(walk(), VTD_OK);
	}
}

static void neighbours_have_the_same_flags(void **state)
{
	const uint64_t start = IOVA & ~0x7fffULL;

	(void)state;
	for (int nested = 0; nested <= 1; nested++) {
		uint64_t *line;

		map(nested, 1);
		guest.request.merge = 1;
		set_in(1, 4, A | D);
		line = entry(1) - 3;
		for (int i = 0; i < 8; i++)
			line[i] = (GPA + i * PAGE) | P | RW | US | A | D;
		assert_found(start, GPA, 8 * PAGE, 3, 1);
		line[0] &= ~A;
		line[7] &= ~D;
		assert_found(start + PAGE, GPA + PAGE, 6 * PAGE, 3, 1);
		line[3] &= ~D;
		line[4] &= ~D;
		assert_found(start + 3 * PAGE, GPA + 3 * PAGE, 2 * PAGE, 1, 1);
		/* Those beside it are not touched with it. */
		guest.request.access = 3;
		line[3] &= ~A;
		assert_fault(VTD_FAULT_ACCESSED_DIRTY, VTD_TABLE_FIRST_LEVEL, 1);
		assert_int_equal(set_flags(), VTD_OK);
		assert_int_equal(sets, 1);
		assert_false(line[4] & D);
		assert_found(start + PAGE, GPA + PAGE, 3 * PAGE, 3, 1);
	}
}

/* Also where R/W need not be set: 3.6.1 and 3.6.2 are apart. */
static void privileged_requests(void **state)
{
	(void)state;
	map(false, 1);
	scalable_context[1] |= BIT(20);
	pasid_entry[2] |= 1;
	*entry(1) &= ~RW;
	set_in(1, 4, A);
	assert_found(IOVA, GPA, PAGE, 1, 1);
	guest.request.access = 2;
	assert_fault(VTD_FAULT_ACCESSED_DIRTY, VTD_TABLE_FIRST_LEVEL, 1);
	assert_int_equal(set_flags(), VTD_OK);
	assert_found(IOVA, GPA, PAGE, 3, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_entry_must_be_accessed),
		cmocka_unit_test(all_are_set),
		cmocka_unit_test(what_is_not_dirty_is_read_only),
		cmocka_unit_test(a_fault_sets_nothing),
		cmocka_unit_test(the_second_level_must_let_tables_be_written),
		cmocka_unit_test(whole_walks),
		cmocka_unit_test(what_cannot_be_set),
		cmocka_unit_test(a_guest_that_is_faster),
		cmocka_unit_test(neighbours_have_the_same_flags),
		cmocka_unit_test(privileged_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
