// SPDX-License-Identifier: GPL-2.0
/*
 * The tables of the IOMMU, after each change against a model and by two walks:
 * one that is written out here, and the one that serves misses.
 */
#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bench/vtd_tables.h"
#include "vtd_walk.h"

#define BASE 0x10000000ULL
#define PAGES 64
#define DEVICES 3

static uint8_t memory[PAGES * 4096] __attribute__((aligned(4096)));
static struct vtd_tables tables;

static int setup(void **state)
{
	(void)state;
	memset(memory, 0, sizeof(memory));
	return vtd_tables_init(&tables, BASE, memory, PAGES, DEVICES);
}

static int teardown(void **state)
{
	(void)state;
	vtd_tables_free(&tables);
	return 0;
}

static uint64_t word(uint64_t gpa)
{
	uint64_t value;

	assert_in_range(gpa, BASE, BASE + sizeof(memory) - 8);
	memcpy(&value, memory + (gpa - BASE), 8);
	return le64toh(value);
}

struct answer {
	uint64_t gpa; /* of the address itself */
	uint32_t perm;
	int level;
};

/* As the specification's figures have it, 48 bits, and nothing checked. */
static struct answer simple_walk(unsigned int device, uint64_t iova)
{
	uint64_t context = word(BASE) & ~0xfffULL, entry;
	uint64_t table = word(context + (8 + device) * 16) & ~0xfffULL;
	struct answer a = {.perm = 3};

	for (int level = 4; level; level--) {
		int shift = 12 + 9 * (level - 1);

		entry = word(table + (iova >> shift & 511) * 8);
		a.perm &= entry & 3;
		if (!a.perm)
			return (struct answer){0};
		if (level == 1 || entry & 0x80) {
			a.level = level;
			a.gpa = (entry & 0xffffffffff000ULL) + (iova & ((1ULL << shift) - 1));
			return a;
		}
		table = entry & 0xffffffffff000ULL;
	}
	return a;
}

static int read_memory(void *arg, enum vtd_table table, int level, __u64 gpa, void *to, __u32 size)
{
	(void)arg;
	(void)table;
	(void)level;
	if (gpa < BASE || gpa - BASE > sizeof(memory) - size)
		return -EFAULT;
	memcpy(to, memory + (gpa - BASE), size);
	return 0;
}

static struct answer real_walk(unsigned int device, uint64_t iova)
{
	const struct vtd_unit unit = {
		.root = BASE, .address_width = 48, .sagaw = 4, .large_pages = 3};
	struct vtd_request request = {
		.iova = iova, .pasid = VTD_NO_PASID, .source_id = vtd_source_id(device)};
	struct vtd_translation t;
	struct vtd_walk where;
	enum vtd_fault fault;

	/* With one of the accesses it works, if with any. */
	for (request.access = VTD_READ; request.access <= VTD_WRITE; request.access++) {
		fault = vtd_walk(&unit, &request, read_memory, NULL, &t, &where);
		if (fault == VTD_OK)
			return (struct answer){t.gpa + (iova - t.iova), t.perm, t.level};
		assert_true(fault == VTD_FAULT_PRESENT || fault == VTD_FAULT_PERMISSION);
	}
	return (struct answer){0};
}

static void check(unsigned int device, uint64_t iova, uint64_t gpa, uint32_t perm, int level)
{
	struct answer a = simple_walk(device, iova), b = real_walk(device, iova);

	assert_true(a.gpa == gpa && a.perm == perm && a.level == level);
	assert_true(b.gpa == gpa && b.perm == perm && b.level == level);
}

static void nothing_is_mapped_at_first(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < DEVICES; i++)
		check(i, 0x1234567000, 0, 0, 0);
	assert_int_equal(vtd_source_id(0), 8);
}

static void every_page_size(void **state)
{
	static const uint64_t sizes[] = {1 << 12, 1 << 21, 1 << 30};
	const uint64_t base = 0x7ffc00000000;

	(void)state;
	for (int i = 0; i < 3; i++) {
		uint64_t page = sizes[i], iova = base + (uint64_t)i * (1ULL << 32);

		for (uint32_t perm = 1; perm <= 3; perm++) {
			assert_int_equal(vtd_tables_map(&tables, 1, iova, 0x4000000000, 3 * page,
							page, perm),
					 0);
			check(1, iova, 0x4000000000, perm, i + 1);
			check(1, iova + 3 * page - 1, 0x4000000000 + 3 * page - 1, perm, i + 1);
			check(1, iova + 3 * page, 0, 0, 0);
			check(1, iova - 1, 0, 0, 0);
			check(0, iova, 0, 0, 0);
			check(2, iova, 0, 0, 0);
		}
		assert_int_equal(vtd_tables_unmap(&tables, 1, iova + page, page, page), 0);
		check(1, iova, 0x4000000000, 3, i + 1);
		check(1, iova + page, 0, 0, 0);
		check(1, iova + 2 * page, 0x4000000000 + 2 * page, 3, i + 1);
		assert_int_equal(vtd_tables_unmap(&tables, 1, iova, 3 * page, page), -ENOENT);
		check(1, iova, 0, 0, 0);
		check(1, iova + 2 * page, 0, 0, 0);
	}
}

#define MODEL_PAGES 2048 /* more than one table of level 1 */

/* What is mapped follows from all that was done before. */
static void many_changes(void **state)
{
	/* Across where a table of level 3 ends. */
	const uint64_t base = (1ULL << 39) - MODEL_PAGES / 2 * 4096ULL;
	static struct answer model[DEVICES][MODEL_PAGES];
	uint64_t used;

	(void)state;
	srandom(1);
	for (int i = 0; i < 3000; i++) {
		unsigned int device = random() % DEVICES;
		uint64_t first = random() % MODEL_PAGES, count = 1 + random() % 20;
		uint64_t gpa = (1 + (uint64_t)random() % (1 << 24)) << 12;
		uint32_t perm = random() % 4;
		int missing = 0, result;

		if (first + count > MODEL_PAGES)
			count = MODEL_PAGES - first;
		for (uint64_t n = first; n < first + count; n++) {
			missing += !model[device][n].perm;
			model[device][n] = perm ? (struct answer){gpa + (n - first) * 4096, perm, 1}
						: (struct answer){0};
		}
		if (perm)
			assert_int_equal(vtd_tables_map(&tables, device, base + first * 4096, gpa,
							count * 4096, 4096, perm),
					 0);
		else {
			result = vtd_tables_unmap(&tables, device, base + first * 4096,
						  count * 4096, 4096);
			assert_int_equal(result, missing ? -ENOENT : 0);
		}
		for (int n = 0; n < 50; n++) {
			const struct answer *a;

			device = random() % DEVICES;
			first = random() % MODEL_PAGES;
			a = &model[device][first];
			check(device, base + first * 4096, a->gpa, a->perm, a->level);
		}
	}
	/* Tables are used again. */
	used = tables.pool.nr_used;
	assert_in_range(used, 1, 2 + DEVICES * (1 + 2 + 2 + 4));
}

static void bad_requests_are_refused(void **state)
{
	const uint64_t top = 1ULL << 48;

	(void)state;
	assert_int_equal(vtd_tables_map(&tables, 0, 0x800, 0, 4096, 4096, 3), -EINVAL);
	assert_int_equal(vtd_tables_map(&tables, 0, 0, 0x800, 4096, 4096, 3), -EINVAL);
	assert_int_equal(vtd_tables_map(&tables, 0, 0, 0, 0, 4096, 3), -EINVAL);
	assert_int_equal(vtd_tables_map(&tables, 0, 0, 0, 4096, 8192, 3), -EINVAL);
	assert_int_equal(vtd_tables_map(&tables, 0, 0, 0, 4096, 4096, 0), -EINVAL);
	assert_int_equal(vtd_tables_map(&tables, 0, 0, 0, 4096, 4096, 4), -EINVAL);
	assert_int_equal(vtd_tables_map(&tables, DEVICES, 0, 0, 4096, 4096, 3), -EINVAL);
	assert_int_equal(vtd_tables_map(&tables, 0, 1 << 21, 4096, 1 << 21, 1 << 21, 3), -EINVAL);
	assert_int_equal(vtd_tables_map(&tables, 0, top, 0, 4096, 4096, 3), -ERANGE);
	assert_int_equal(vtd_tables_map(&tables, 0, top - 4096, 0, 8192, 4096, 3), -ERANGE);
	assert_int_equal(vtd_tables_map(&tables, 0, top - 4096, 0, 4096, 4096, 3), 0);
	assert_int_equal(vtd_tables_unmap(&tables, 0, 0, 4096, 4096), -ENOENT);
	assert_int_equal(vtd_tables_unmap(&tables, 0, 0x800, 4096, 4096), -EINVAL);
}

static void sizes_do_not_mix(void **state)
{
	(void)state;
	assert_int_equal(vtd_tables_map(&tables, 0, 0x200000, 0x400000, 4096, 4096, 3), 0);
	assert_int_equal(vtd_tables_map(&tables, 0, 0x200000, 0, 1 << 21, 1 << 21, 3), -EEXIST);
	assert_int_equal(vtd_tables_unmap(&tables, 0, 0x200000, 1 << 21, 1 << 21), -ENOENT);
	check(0, 0x200000, 0x400000, 3, 1);
	assert_int_equal(vtd_tables_map(&tables, 0, 0x400000, 0x800000, 1 << 21, 1 << 21, 1), 0);
	assert_int_equal(vtd_tables_map(&tables, 0, 0x401000, 0, 4096, 4096, 3), -EEXIST);
	check(0, 0x401000, 0x801000, 1, 2);
}

static void room_is_finite(void **state)
{
	uint64_t iova = 0;
	int result;

	(void)state;
	do {
		result = vtd_tables_map(&tables, 0, iova, 0x1000, 4096, 4096, 3);
		iova += 1 << 21;
	} while (!result);
	assert_int_equal(result, -ENOSPC);
	assert_int_equal(tables.pool.nr_used, PAGES);
	check(0, iova - 2 * (1 << 21), 0x1000, 3, 1);
	vtd_tables_free(&tables);
	assert_int_equal(vtd_tables_init(&tables, BASE, memory, 2, DEVICES), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_mapped_at_first, setup, teardown),
		cmocka_unit_test_setup_teardown(every_page_size, setup, teardown),
		cmocka_unit_test_setup_teardown(many_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_requests_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(sizes_do_not_mix, setup, teardown),
		cmocka_unit_test_setup_teardown(room_is_finite, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
