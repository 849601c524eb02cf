// SPDX-License-Identifier: GPL-2.0
/* The page walk of VT-d in scalable mode: what lies above the page tables. */
#include "vtd_scalable_guest.h"

#define ABOVE 0xffffc00000000000ULL

/* The second level, with 4 levels; maps the first page. */
static int prepare(void **state)
{
	(void)state;
	use_type(2);
	*entry_of(SECOND_TABLE, 4, 0, 1, 3) = 0x9003;
	*entry_of(FIRST_TABLE, 4, 0, 1, 0x67) = 0xa067;
	return 0;
}

static void second_level(void **state)
{
	(void)state;
	assert_found(0, 0x9000, PAGE, 3, 1);
	assert_int_equal(guest.reads, 8);

	for (int levels = 3; levels <= 5; levels++)
		for (int level = 1; level <= 3; level++) {
			use_type(2);
			pasid_entry[0] = SECOND_TABLE | PGTT(2) | AW(levels) | 1;
			guest.request.iova = BIT(12 + 9 * levels) - 1;
			*entry_of(SECOND_TABLE, levels, guest.request.iova, level, 3) =
				SIZE_OF(level) | 3 | (level > 1 ? 0x80 : 0);
			assert_found(BIT(12 + 9 * levels) - SIZE_OF(level), SIZE_OF(level),
				     SIZE_OF(level), 3, level);
			assert_int_equal(guest.reads, 4 + levels - level + 1);
			assert_true(guest.reads <= VTD_MAX_READS_SCALABLE);
			guest.request.iova++;
			assert_fault(VTD_FAULT_WIDTH, VTD_TABLE_PASID, 0);
			assert_int_equal(guest.reads, 4);
		}
}

static void second_level_has_its_faults(void **state)
{
	uint64_t *entry = entry_of(SECOND_TABLE, 4, 0, 1, 3);

	(void)state;
	*entry = 0x9002;
	assert_fault(VTD_FAULT_PERMISSION, VTD_TABLE_SECOND_LEVEL, 1);
	*entry = 0;
	assert_fault(VTD_FAULT_PRESENT, VTD_TABLE_SECOND_LEVEL, 1);
	*entry = BIT(WIDTH) | 3;
	assert_fault(VTD_FAULT_RESERVED, VTD_TABLE_SECOND_LEVEL, 1);
}

static void each_device_has_its_entry(void **state)
{
	uint64_t copy[4];

	(void)state;
	memcpy(copy, scalable_context, sizeof(copy));
	memset(at(CONTEXT_TABLE), 0, PAGE);
	*at(ROOT_TABLE) = 0;
	/* Lower half, upper half */
	for (int half = 0; half < 2; half++) {
		uint16_t id = 0xa57f | half << 7;

		*at(ROOT_TABLE + 0xa5 * 16 + half * 8) = CONTEXT_TABLE | 1;
		memcpy(at(CONTEXT_TABLE + 0x7f * 32), copy, sizeof(copy));
		guest.request.source_id = id;
		assert_found(0, 0x9000, PAGE, 3, 1);
		guest.request.source_id = id - 1;
		assert_fault(VTD_FAULT_CONTEXT_PRESENT, VTD_TABLE_SCALABLE_CONTEXT, 0);
		guest.request.source_id = id ^ 0x80;
		assert_fault(VTD_FAULT_ROOT_PRESENT, VTD_TABLE_ROOT, 0);
		guest.request.source_id = id ^ 0x100;
		assert_fault(VTD_FAULT_ROOT_PRESENT, VTD_TABLE_ROOT, 0);
		*at(ROOT_TABLE + 0xa5 * 16 + half * 8) = 0;
	}
}

static void root_entry(void **state)
{
	uint64_t *root = at(ROOT_TABLE);

	(void)state;
	try_bits(root, 0xffe | ABOVE, ADDRESS_BITS, VTD_FAULT_ROOT_RESERVED, VTD_TABLE_ROOT, 0);
	/* The other half does not matter. */
	root[1] = ~1ULL;
	assert_found(0, 0x9000, PAGE, 3, 1);
	root[0] = 0xffe;
	assert_fault(VTD_FAULT_ROOT_PRESENT, VTD_TABLE_ROOT, 0);
	guest.hole = ROOT_TABLE;
	assert_fault(VTD_FAULT_READ, VTD_TABLE_ROOT, 0);
	guest.hole = ~0ULL;
	/* What is above the address width in RTADDR_REG is ignored. */
	*root = CONTEXT_TABLE | 1;
	guest.unit.root |= ABOVE | 0x3ff;
	assert_found(0, 0x9000, PAGE, 3, 1);
}

static void context_entry(void **state)
{
	(void)state;
	/* FPD, DTE, PASIDE, PRE and the size of the directory are free. */
	try_bits(&scalable_context[0], 0x1e0 | ABOVE, ADDRESS_BITS, VTD_FAULT_CONTEXT_RESERVED,
		 VTD_TABLE_SCALABLE_CONTEXT, 0);
	/* RID_PASID is not tried here; RID_PRIV is for the first level. */
	try_bits(&scalable_context[1], 0xffffffffffe00000ULL, 0xfffff, VTD_FAULT_CONTEXT_RESERVED,
		 VTD_TABLE_SCALABLE_CONTEXT, 0);
	try_bits(&scalable_context[2], ~0ULL, 0, VTD_FAULT_CONTEXT_RESERVED,
		 VTD_TABLE_SCALABLE_CONTEXT, 0);
	try_bits(&scalable_context[3], ~0ULL, 0, VTD_FAULT_CONTEXT_RESERVED,
		 VTD_TABLE_SCALABLE_CONTEXT, 0);

	/* Reserved bits before what the request wants. */
	guest.request.pasid = 7;
	scalable_context[3] = 1;
	assert_fault(VTD_FAULT_CONTEXT_RESERVED, VTD_TABLE_SCALABLE_CONTEXT, 0);
	scalable_context[0] = 0;
	assert_fault(VTD_FAULT_CONTEXT_PRESENT, VTD_TABLE_SCALABLE_CONTEXT, 0);
	guest.hole = CONTEXT_TABLE;
	assert_fault(VTD_FAULT_READ, VTD_TABLE_SCALABLE_CONTEXT, 0);
	assert_int_equal(guest.reads, 2);
}

static void directory_entry(void **state)
{
	uint64_t *entry = at(DIRECTORY);

	(void)state;
	try_bits(entry, 0xffc | ABOVE, ADDRESS_BITS, VTD_FAULT_DIRECTORY_RESERVED,
		 VTD_TABLE_PASID_DIRECTORY, 0);
	*entry = ~1ULL;
	assert_fault(VTD_FAULT_DIRECTORY_PRESENT, VTD_TABLE_PASID_DIRECTORY, 0);
	guest.hole = DIRECTORY;
	assert_fault(VTD_FAULT_READ, VTD_TABLE_PASID_DIRECTORY, 0);
	assert_int_equal(guest.reads, 3);
}

static void pasid_table_entry(void **state)
{
	const uint64_t reserved_1 = 0xf87f0000, reserved_2 = 0xf00;

	(void)state;
	try_bits(&pasid_entry[0], 0xc00 | ABOVE, ADDRESS_BITS | 0x1dc, VTD_FAULT_PASID_RESERVED,
		 VTD_TABLE_PASID, 0);
	try_bits(&pasid_entry[1], reserved_1, 0, VTD_FAULT_PASID_RESERVED, VTD_TABLE_PASID, 0);
	/* The first level's address and modes do not matter. */
	try_bits(&pasid_entry[2], reserved_2, 0, VTD_FAULT_PASID_RESERVED, VTD_TABLE_PASID, 0);

	pasid_entry[0] = SECOND_TABLE | PGTT(1) | 1;
	assert_found(0, 0xa000, PAGE, 3, 1);
	/* Nor does the second level's, nor its width. */
	try_bits(&pasid_entry[0], 0xc00, 0x1c0, VTD_FAULT_PASID_RESERVED, VTD_TABLE_PASID, 0);
	try_bits(&pasid_entry[2], reserved_2 | ABOVE, ADDRESS_BITS | 0xc, VTD_FAULT_PASID_RESERVED,
		 VTD_TABLE_PASID, 0);

	/* Reserved before types */
	pasid_entry[0] = PGTT(7) | BIT(10) | 1;
	assert_fault(VTD_FAULT_PASID_RESERVED, VTD_TABLE_PASID, 0);
	pasid_entry[0] &= ~1ULL;
	assert_fault(VTD_FAULT_PASID_PRESENT, VTD_TABLE_PASID, 0);
	guest.hole = PASID_TABLE;
	assert_fault(VTD_FAULT_READ, VTD_TABLE_PASID, 0);
	assert_int_equal(guest.reads, 4);
}

static void nested_has_both_addresses(void **state)
{
	(void)state;
	pasid_entry[0] = SECOND_TABLE | PGTT(3) | AW(4) | 1;
	for (int bit = WIDTH; bit < 64; bit++) {
		pasid_entry[0] ^= BIT(bit);
		assert_fault(VTD_FAULT_PASID_RESERVED, VTD_TABLE_PASID, 0);
		pasid_entry[0] ^= BIT(bit);
		pasid_entry[2] ^= BIT(bit);
		assert_fault(VTD_FAULT_PASID_RESERVED, VTD_TABLE_PASID, 0);
		pasid_entry[2] ^= BIT(bit);
	}
}

static void types(void **state)
{
	(void)state;
	for (int type = 0; type < 8; type++)
		for (int flags = 0; flags < 16; flags++) {
			bool good = type == 1 || type == 2 || (type == 3 && flags & 8) ||
				    (type == 4 && flags & 1);

			prepare(NULL);
			/* So that the tables of the first level are found if nested. */
			*entry_of(SECOND_TABLE, 4, 0, 3, 3) = 0x83;
			pasid_entry[0] = SECOND_TABLE | PGTT(type) | AW(4) | 1;
			guest.unit.flags = flags;
			if (good)
				assert_int_equal(walk(), VTD_OK);
			else
				assert_fault(VTD_FAULT_PASID_TYPE, VTD_TABLE_PASID, 0);
		}
}

static void widths_of_the_second_level(void **state)
{
	(void)state;
	for (int type = 1; type <= 4; type++)
		for (int sagaw = 0; sagaw < 32; sagaw++)
			for (uint64_t width = 0; width < 8; width++) {
				bool good = width >= 1 && width <= 3 && sagaw & 1 << width;

				use_type(type);
				pasid_entry[0] = SECOND_TABLE | PGTT(type) | width << 2 | 1;
				guest.unit.sagaw = sagaw;
				walk();
				/* Only the second level, alone or not, has this width. */
				if ((type == 2 || type == 3) && !good)
					assert_fault(VTD_FAULT_PASID_TYPE, VTD_TABLE_PASID, 0);
				else
					assert_int_not_equal(walk(), VTD_FAULT_PASID_TYPE);
			}
}

static void levels_of_the_first_level(void **state)
{
	(void)state;
	for (int type = 1; type <= 3; type++)
		for (uint64_t mode = 0; mode < 4; mode++)
			for (int has_5 = 0; has_5 <= 1; has_5++) {
				use_type(type);
				pasid_entry[2] = FIRST_TABLE | mode << 2;
				guest.unit.flags = has_5 ? 0xf : 0xb;
				if (type == 2 || mode == 0 || (mode == 1 && has_5))
					assert_int_not_equal(walk(), VTD_FAULT_PASID_TYPE);
				else
					assert_fault(VTD_FAULT_PASID_TYPE, VTD_TABLE_PASID, 0);
			}
}

static void pass_through(void **state)
{
	(void)state;
	pasid_entry[0] = PGTT(4) | 1;
	guest.request.iova = BIT(WIDTH) - 1;
	assert_found(BIT(WIDTH) - BIT(30), BIT(WIDTH) - BIT(30), BIT(30), 3, 0);
	assert_int_equal(guest.reads, 4);
	guest.request.iova++;
	assert_fault(VTD_FAULT_WIDTH, VTD_TABLE_PASID, 0);
}

static void pasid_of_the_request(void **state)
{
	(void)state;
	memcpy(at(PASID_TABLE + 63 * 64), pasid_entry, 64);
	pasid_entry[0] = 0;
	guest.request.pasid = 63;
	assert_fault(VTD_FAULT_PASID_REQUEST, VTD_TABLE_SCALABLE_CONTEXT, 0);
	scalable_context[0] |= BIT(3);
	assert_found(0, 0x9000, PAGE, 3, 1);
	guest.request.pasid = VTD_NO_PASID;
	assert_fault(VTD_FAULT_PASID_PRESENT, VTD_TABLE_PASID, 0);
	guest.request.pasid = 64;
	assert_fault(VTD_FAULT_DIRECTORY_PRESENT, VTD_TABLE_PASID_DIRECTORY, 0);
}

/* The directory has 128 entries for 64 PASIDs each, or up to 128 times that. */
static void pasids_beyond_the_directory(void **state)
{
	(void)state;
	for (uint64_t size = 0; size < 8; size++) {
		uint32_t limit = 0x2000 << size;
		uint64_t directory;

		use_type(4);
		directory = guest.next;
		guest.next += 32 * PAGE;
		*at(directory + 8 * (limit / 64 - 1)) = PASID_TABLE | 1;
		memcpy(at(PASID_TABLE + 63 * 64), pasid_entry, 64);
		scalable_context[0] = directory | size << 9 | BIT(3) | 1;
		guest.request.pasid = limit - 1;
		assert_int_equal(walk(), VTD_OK);
		/* An entry there would not help. */
		*at(directory + 8 * (limit / 64)) = PASID_TABLE | 1;
		guest.request.pasid = limit;
		assert_fault(VTD_FAULT_PASID_REQUEST, VTD_TABLE_SCALABLE_CONTEXT, 0);
		guest.request.pasid = VTD_NO_PASID - 1;
		assert_fault(VTD_FAULT_PASID_REQUEST, VTD_TABLE_SCALABLE_CONTEXT, 0);

		/* The same holds for RID_PASID, whether or not PASIDs are enabled. */
		scalable_context[0] &= ~BIT(3);
		guest.request.pasid = VTD_NO_PASID;
		scalable_context[1] = limit - 1;
		assert_int_equal(walk(), VTD_OK);
		if (size == 7)
			continue;
		scalable_context[1] = limit;
		assert_fault(VTD_FAULT_PASID_REQUEST, VTD_TABLE_SCALABLE_CONTEXT, 0);
	}
}

static void privileged_requests_need_the_first_level_to_take_them(void **state)
{
	(void)state;
	for (int type = 1; type <= 4; type++) {
		bool has_first = type == 1 || type == 3;

		use_type(type);
		scalable_context[1] |= BIT(20);
		assert_int_equal(walk() == VTD_FAULT_PASID_TYPE, has_first);
		pasid_entry[2] |= 1;
		assert_int_not_equal(walk(), VTD_FAULT_PASID_TYPE);
		/* A request with PASID is not privileged. */
		pasid_entry[2] &= ~1ULL;
		scalable_context[0] |= BIT(3);
		guest.request.pasid = 5;
		assert_int_not_equal(walk(), VTD_FAULT_PASID_TYPE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(second_level, prepare),
		cmocka_unit_test_setup(second_level_has_its_faults, prepare),
		cmocka_unit_test_setup(each_device_has_its_entry, prepare),
		cmocka_unit_test_setup(root_entry, prepare),
		cmocka_unit_test_setup(context_entry, prepare),
		cmocka_unit_test_setup(directory_entry, prepare),
		cmocka_unit_test_setup(pasid_table_entry, prepare),
		cmocka_unit_test_setup(nested_has_both_addresses, prepare),
		cmocka_unit_test_setup(types, prepare),
		cmocka_unit_test_setup(widths_of_the_second_level, prepare),
		cmocka_unit_test_setup(levels_of_the_first_level, prepare),
		cmocka_unit_test_setup(pass_through, prepare),
		cmocka_unit_test_setup(pasid_of_the_request, prepare),
		cmocka_unit_test_setup(pasids_beyond_the_directory, prepare),
		cmocka_unit_test_setup(privileged_requests_need_the_first_level_to_take_them,
				       prepare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
