// SPDX-License-Identifier: GPL-2.0
/*
 * Reading ahead never shows: what a walk reads is what is there, whatever was
 * there for the one before. That it saves system calls is counted.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "guest_memory.h"
#include "memory_table.h"
#include "trail.h"
#include "vtd_walk.h"

/* Pages from GPA 0 on; the last ones are no guest memory. */
#define PAGES 12
#define VALID_PAGES 10

static uint64_t __attribute__((aligned(4096))) guest[PAGES][512];

static struct memory_region region = {.last = VALID_PAGES * 4096 - 1};
static const struct memory_table table = {.regions = &region, .count = 1};
static struct guest_memory memory = {.table = &table};

static const struct vtd_unit unit = {
	.address_width = 48,
	.sagaw = 1 << 1,
	.large_pages = 1,
};

/* Reads that went beyond what was read ahead */
static unsigned int singles;

static int prepare(void **state)
{
	(void)state;
	region.hva = (uintptr_t)guest;
	memory.pid = getpid();
	return 0;
}

/* Two devices' worth of tables: three levels for 4 MiB from IOVA 0 on. */
static void make_tables(void)
{
	size_t i;

	memset(guest, 0, sizeof(guest));
	guest[0][0] = 0x1000 | 1;
	guest[1][2 * 8] = 0x2000 | 1;
	guest[1][2 * 8 + 1] = 1;
	guest[2][0] = 0x3000 | 3;
	guest[3][0] = 0x4000 | 3;
	guest[3][1] = 0x5000 | 3;
	for (i = 0; i < 512; i++) {
		guest[4][i] = (uint64_t)(0x1000 + 2 * i) << 12 | 3;
		guest[5][i] = (uint64_t)(0x2000 + 2 * i) << 12 | 3;
	}
}

static int count_read(void *arg, enum vtd_table what, int level, __u64 gpa, void *to, __u32 size)
{
	struct trail_walk *walk = arg;
	size_t at = walk->at;
	int err = trail_read(walk, what, level, gpa, to, size);

	singles += walk->at == at;
	return err;
}

static enum vtd_fault walk_to(struct trail *trail, uint64_t iova, uint64_t *gpa)
{
	const struct vtd_request request = {
		.iova = iova,
		.pasid = VTD_NO_PASID,
		.source_id = 8,
		.access = VTD_READ,
		.merge = 1,
	};
	struct vtd_translation found = {};
	struct trail_walk walk;
	struct vtd_walk where;
	enum vtd_fault fault;

	singles = 0;
	trail_begin(&walk, &memory, trail, iova);
	fault = vtd_walk(&unit, &request, count_read, &walk, &found, &where);
	trail_end(&walk);
	*gpa = found.gpa + (iova - found.iova);
	return fault;
}

static void assert_leads(struct trail *trail, uint64_t iova, uint64_t wanted, unsigned int reads)
{
	uint64_t gpa;

	assert_int_equal(walk_to(trail, iova, &gpa), VTD_OK);
	assert_int_equal(gpa, wanted);
	assert_int_equal(singles, reads);
}

static void test_same_way(void **state)
{
	struct trail trail = {};

	(void)state;
	make_tables();
	assert_leads(&trail, 0x3123, 0x1006123, 5);
	assert_leads(&trail, 0x3123, 0x1006123, 0);
	assert_leads(&trail, 0x1ff000, 0x13fe000, 0);
	/* Another table: only that is to be read anew. */
	assert_leads(&trail, 0x203000, 0x2006000, 1);
	assert_leads(&trail, 0x207000, 0x200e000, 0);
}

static void test_without(void **state)
{
	(void)state;
	make_tables();
	assert_leads(NULL, 0x3000, 0x1006000, 5);
	assert_leads(NULL, 0x3000, 0x1006000, 5);
}

/* Whatever level is changed between two walks, the second one sees it. */
static void test_changes(void **state)
{
	struct trail trail = {};
	uint64_t gpa;

	(void)state;
	make_tables();
	assert_leads(&trail, 0x3000, 0x1006000, 5);
	guest[4][3] = 0x777000 | 3;
	assert_leads(&trail, 0x3000, 0x777000, 0);
	guest[3][0] = 0x5000 | 3;
	assert_leads(&trail, 0x3000, 0x2006000, 1);
	memcpy(guest[6], guest[3], sizeof(guest[6]));
	guest[6][0] = 0x4000 | 3;
	guest[2][0] = 0x6000 | 3;
	assert_leads(&trail, 0x3000, 0x777000, 2);
	guest[6][0] = 0x800000 | 3 | 1 << 7;
	assert_leads(&trail, 0x3000, 0x803000, 0);
	assert_leads(&trail, 0x203000, 0x2006000, 1);
	guest[1][2 * 8] = 0;
	assert_int_equal(walk_to(&trail, 0x3000, &gpa), VTD_FAULT_CONTEXT_PRESENT);
	guest[1][2 * 8] = 0x2000 | 1;
	assert_leads(&trail, 0x203000, 0x2006000, 3);
}

/* Where nothing can be read ahead any more, the walk decides what that means. */
static void test_no_memory(void **state)
{
	struct trail trail = {};
	uint64_t gpa;

	(void)state;
	make_tables();
	assert_leads(&trail, 0x3000, 0x1006000, 5);
	guest[3][0] = VALID_PAGES << 12 | 3;
	assert_int_equal(walk_to(&trail, 0x3000, &gpa), VTD_FAULT_READ);
	region.last = 0x3fff;
	assert_int_equal(walk_to(&trail, 0x203000, &gpa), VTD_FAULT_READ);
	region.last = 0xfff;
	assert_int_equal(walk_to(&trail, 0x203000, &gpa), VTD_FAULT_READ);
	region.last = VALID_PAGES * 4096 - 1;
	assert_leads(&trail, 0x203000, 0x2006000, 4);
	assert_leads(&trail, 0x203000, 0x2006000, 0);

	/* As if the owner had taken a page away. */
	region.hva = 0;
	assert_int_equal(walk_to(&trail, 0x203000, &gpa), VTD_FAULT_READ);
	region.hva = (uintptr_t)guest;
}

/* Reads that are none of a walk: more than there is room for. */
static void test_too_many(void **state)
{
	struct trail trail = {};
	struct trail_walk walk;
	uint64_t entry;
	int i, round;

	(void)state;
	make_tables();
	for (round = 0; round < 2; round++) {
		trail_begin(&walk, &memory, &trail, 0);
		for (i = 0; i < 3 * TRAIL_STEPS; i++)
			assert_int_equal(trail_read(&walk, VTD_TABLE_SECOND_LEVEL, i > 1, i * 8,
						    &entry, sizeof(entry)),
					 0);
		trail_end(&walk);
		assert_int_equal(trail.count, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_way), cmocka_unit_test(test_without),
		cmocka_unit_test(test_changes),	 cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
