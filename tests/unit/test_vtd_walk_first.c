// SPDX-License-Identifier: GPL-2.0
/* The page walk of VT-d: the first level alone. */
#include "vtd_scalable_guest.h"

static int levels;

static void use_levels(int number)
{
	use_type(1);
	levels = number;
	pasid_entry[2] |= FLPM(number);
}

static int prepare(void **state)
{
	(void)state;
	use_levels(4);
	return 0;
}

static uint64_t *entry(int level)
{
	return entry_of(FIRST_TABLE, levels, guest.request.iova & (BIT(57) - 1), level,
			P | RW | US | AD);
}

/* Maps the page of @level of the request; returns its entry. */
static uint64_t *map(int level, uint64_t gpa)
{
	uint64_t *leaf = entry(level);

	*leaf = gpa | P | RW | US | AD | (level > 1 ? PS : 0);
	return leaf;
}

/* RID_PRIV, and SRE, which it needs */
static void use_privilege(void)
{
	scalable_context[1] |= BIT(20);
	pasid_entry[2] |= 1;
}

static void every_page_size_at_every_depth(void **state)
{
	(void)state;
	for (int depth = 4; depth <= 5; depth++)
		for (int level = 1; level <= 3; level++) {
			uint64_t size = SIZE_OF(level);

			use_levels(depth);
			guest.request.iova = 0x5afedcba9876ULL;
			if (depth == 5)
				guest.request.iova |= 0x91ULL << 48;
			map(level, size * 5);
			assert_found(guest.request.iova & -size, size * 5, size, 3, level);
			assert_int_equal(guest.reads, 4 + depth - level + 1);
			assert_true(guest.reads <= VTD_MAX_READS_SCALABLE);
		}
}

static void addresses_are_canonical(void **state)
{
	(void)state;
	for (int depth = 4; depth <= 5; depth++) {
		const uint64_t half = BIT(11 + 9 * depth);

		use_levels(depth);
		guest.request.iova = half - 1;
		map(1, 0x9000);
		assert_found(half - PAGE, 0x9000, PAGE, 3, 1);
		/* Lower end of the upper half: where the sign is set. */
		guest.request.iova = half;
		*entry_of(FIRST_TABLE, depth, half, 1, 0x67) = 0xa067;
		assert_fault(VTD_FAULT_WIDTH, VTD_TABLE_PASID, 0);
		assert_int_equal(guest.reads, 4);
		guest.request.iova = -half;
		assert_found(-half, 0xa000, PAGE, 3, 1);
		guest.request.iova = -half - 1;
		assert_fault(VTD_FAULT_WIDTH, VTD_TABLE_PASID, 0);
		guest.request.iova = half - 1 + 2 * half;
		assert_fault(VTD_FAULT_WIDTH, VTD_TABLE_PASID, 0);
		guest.request.iova = -1ULL;
		*entry_of(FIRST_TABLE, depth, 2 * half - 1, 1, 0x67) = 0xb067;
		assert_found(-PAGE, 0xb000, PAGE, 3, 1);
	}
}

static void reserved_bits_of_entries(void **state)
{
	(void)state;
	for (int has_nxe = 0; has_nxe <= 1; has_nxe++)
		for (int level = 1; level <= 5; level++) {
			uint64_t reserved = BEYOND;

			use_levels(5);
			pasid_entry[2] |= has_nxe ? BIT(5) : 0;
			map(1, 0x9000);
			if (!has_nxe)
				reserved |= BIT(63);
			if (level > 3)
				reserved |= PS;
			try_bits(entry(level), reserved,
				 ADDRESS_BITS | (level == 2 || level == 3 ? PS : 0),
				 VTD_FAULT_RESERVED, VTD_TABLE_FIRST_LEVEL, level);
			/* There are no larger pages, not even an aligned one. */
			if (level > 3) {
				*entry(level) = P | RW | US | AD | PS;
				assert_fault(VTD_FAULT_RESERVED, VTD_TABLE_FIRST_LEVEL, level);
			}
			/* Present before reserved, reserved before permissions. */
			*entry(level) = BIT(WIDTH) | RW | US;
			assert_fault(VTD_FAULT_PRESENT, VTD_TABLE_FIRST_LEVEL, level);
			*entry(level) = BIT(WIDTH) | P;
			assert_fault(VTD_FAULT_RESERVED, VTD_TABLE_FIRST_LEVEL, level);
		}
}

static void reserved_bits_of_large_pages(void **state)
{
	(void)state;
	for (int level = 2; level <= 3; level++) {
		uint64_t size = SIZE_OF(level), *leaf;

		use_levels(5);
		leaf = map(level, size);
		/* Bit 12 is PAT, and no part of the address. */
		try_bits(leaf, BEYOND | BIT(63) | (size - 2 * PAGE), ADDRESS_BITS & -size,
			 VTD_FAULT_RESERVED, VTD_TABLE_FIRST_LEVEL, level);
		*leaf |= BIT(12);
		assert_found(0, size, size, 3, level);

		/* 1G needs support. That of the second level is another thing. */
		guest.unit.large_pages = 0;
		guest.unit.flags = 0xf & ~VTD_UNIT_FIRST_1G;
		assert_int_equal(walk(), level == 2 ? VTD_OK : VTD_FAULT_RESERVED);
		guest.unit.flags = VTD_UNIT_FIRST_1G | VTD_UNIT_FIRST_5;
		assert_int_equal(walk(), VTD_OK);
	}
}

static void entries_not_present_or_not_there(void **state)
{
	(void)state;
	for (int depth = 4; depth <= 5; depth++)
		for (int level = 1; level <= depth; level++)
			for (int merge = 0; merge <= 1; merge++) {
				uint64_t *leaf;

				use_levels(depth);
				guest.request.merge = merge;
				guest.request.iova = 0x7ffffff000ULL;
				map(1, 0x9000);
				leaf = entry(level);
				*leaf &= ~P;
				assert_fault(VTD_FAULT_PRESENT, VTD_TABLE_FIRST_LEVEL, level);
				assert_int_equal(guest.reads, 4 + depth - level + 1);
				guest.hole = (char *)leaf - (char *)guest.memory;
				assert_fault(VTD_FAULT_READ, VTD_TABLE_FIRST_LEVEL, level);
			}
}

/*
 * All combinations of R/W and U/S at four levels, for each access, user and
 * supervisor, with write protection and without.
 */
static void permissions_of_all_levels(void **state)
{
	uint64_t *entries[4];

	(void)state;
	for (int i = 0; i < 4; i++) {
		map(1, 0x9000);
		entries[i] = entry(i + 1);
	}

	for (int privileged = 0; privileged <= 2; privileged++) {
		if (privileged)
			use_privilege();
		if (privileged == 2)
			pasid_entry[2] |= BIT(4);
		for (unsigned int flags = 0; flags < 256; flags++)
			for (int access = 1; access <= 3; access++) {
				int perm = 1, level = 0;
				bool may_write = true;

				for (int i = 3; i >= 0; i--) {
					uint64_t f = (flags >> 2 * i & 3) << 1;

					*entries[i] = (*entries[i] & ~(RW | US)) | f;
					may_write &= !!(f & RW) || privileged == 1;
					if (level)
						continue;
					if ((!(f & US) && !privileged) ||
					    (access & 2 && !may_write))
						level = i + 1;
				}
				perm |= may_write ? 2 : 0;
				guest.request.access = access;
				for (int merge = 0; merge <= 1; merge++) {
					guest.request.merge = merge;
					if (level)
						assert_fault(VTD_FAULT_PERMISSION,
							     VTD_TABLE_FIRST_LEVEL, level);
					else
						assert_found(0, 0x9000, PAGE, perm, 1);
				}
			}
	}
}

static void a_line_of_entries(void **state)
{
	uint64_t *line;

	(void)state;
	guest.request.merge = 1;
	guest.request.iova = 0x7fff8000;
	map(1, 0);
	line = entry(1);
	for (int i = 0; i < 8; i++)
		line[i] = (0x123456788000ULL + i * PAGE) | P | RW | US | AD;
	guest.request.iova = 0x7fffb000;
	assert_found(0x7fff8000, 0x123456788000ULL, 8 * PAGE, 3, 1);
	assert_int_equal(guest.last_size, 64);

	/* Ignored bits do not matter, those that count do. */
	line[1] |= 0x7ff0000000000ff8ULL;
	assert_found(0x7fff8000, 0x123456788000ULL, 8 * PAGE, 3, 1);
	line[7] &= ~P;
	assert_found(0x7fff8000, 0x123456788000ULL, 7 * PAGE, 3, 1);
	line[6] &= ~RW;
	assert_found(0x7fff8000, 0x123456788000ULL, 6 * PAGE, 3, 1);
	line[0] &= ~US;
	assert_found(0x7fff9000, 0x123456789000ULL, 5 * PAGE, 3, 1);
	line[1] |= BIT(WIDTH);
	assert_found(0x7fffa000, 0x12345678a000ULL, 4 * PAGE, 3, 1);
	/* Execute-disable is reserved without NXE, and else does not matter. */
	line[5] |= BIT(63);
	assert_found(0x7fffa000, 0x12345678a000ULL, 3 * PAGE, 3, 1);
	pasid_entry[2] |= BIT(5);
	assert_found(0x7fffa000, 0x12345678a000ULL, 4 * PAGE, 3, 1);
	guest.request.iova = 0x7fffd000;
	assert_found(0x7fffa000, 0x12345678a000ULL, 4 * PAGE, 3, 1);

	guest.request.iova = 0x7ffff000;
	assert_fault(VTD_FAULT_PRESENT, VTD_TABLE_FIRST_LEVEL, 1);
	guest.hole = (char *)line - (char *)guest.memory;
	assert_fault(VTD_FAULT_READ, VTD_TABLE_FIRST_LEVEL, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_page_size_at_every_depth, prepare),
		cmocka_unit_test_setup(addresses_are_canonical, prepare),
		cmocka_unit_test_setup(reserved_bits_of_entries, prepare),
		cmocka_unit_test_setup(reserved_bits_of_large_pages, prepare),
		cmocka_unit_test_setup(entries_not_present_or_not_there, prepare),
		cmocka_unit_test_setup(permissions_of_all_levels, prepare),
		cmocka_unit_test_setup(a_line_of_entries, prepare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
