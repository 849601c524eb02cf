// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses of processes in a guest, by page tables that were bound. The guest's
 * memory is this process's. Numbers are those of the specification, not of vtd.h.
 */
#include <errno.h>
#include <linux/vhost_types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "answer.h"
#include "memory_table.h"
#include "sva.h"
#include "translator.h"

#define PAGE 4096ULL
#define PAGES 64

/* Flags of first-level entries: P, R/W, U/S, A, D */
#define USER 0x67ULL

#define IOVA 0x7f0000201000ULL

static uint64_t guest[PAGES * 512] __attribute__((aligned(4096)));
static uint64_t next_page;
static struct memory_table memory;
static int pidfd = -1;

static struct translator translator = {.ops = &translator_pasid};

static int begin(void **state)
{
	char fdinfo[128];

	(void)state;
	memset(guest, 0, sizeof(guest));
	next_page = 0x10000;
	snprintf(fdinfo, sizeof(fdinfo), "vhost-mem:\t0x0 0x%llx 0x%llx\n", PAGES * PAGE,
		 (unsigned long long)(uintptr_t)guest);
	pidfd = syscall(SYS_pidfd_open, getpid(), 0);
	return pidfd < 0 ? -1 : memory_table_parse(&memory, fdinfo);
}

static int end(void **state)
{
	(void)state;
	memory_table_clear(&memory);
	close(pidfd);
	return 0;
}

/* The entry of level 1 in tables of four levels. */
static uint64_t *entry_of(uint64_t root, uint64_t address, uint64_t flags)
{
	uint64_t table = root, *entry;
	int level;

	for (level = 4;; level--) {
		entry = &guest[table / 8 + (address >> (3 + 9 * level)) % 512];
		if (level == 1)
			return entry;
		if (!*entry) {
			*entry = next_page | flags;
			next_page += PAGE;
		}
		table = *entry & ~0xfffULL;
	}
}

static int find(const struct sva_space *space, const struct iommu_view *view, uint64_t iova,
		uint32_t access, struct answer *answer, struct finding *finding)
{
	const struct lookup lookup = {
		.iova = iova,
		.access = access,
		.memory = {.pid = getpid(), .pidfd = pidfd, .table = &memory},
		.view = view,
		.space = space,
	};

	return answer_find(&translator, &lookup, answer, finding);
}

/* Two processes with different pages at one address */
static void test_bound(void **state)
{
	const uint64_t roots[] = {0x1000, 0x2000};
	struct finding finding;
	struct answer answer;
	int i;

	(void)state;
	for (i = 0; i < 2; i++)
		*entry_of(roots[i], IOVA, USER) = (0x20000 + i * PAGE) | USER;
	for (i = 0; i < 2; i++) {
		const struct sva_binding binding = {.root = roots[i], .width = 48};
		const struct sva_space space = {.pasid = 5 + i, .binding = &binding};

		assert_int_equal(find(&space, NULL, IOVA | 8, VHOST_ACCESS_RW, &answer, &finding),
				 0);
		assert_int_equal(answer.iova, IOVA);
		assert_int_equal(answer.last, IOVA + PAGE - 1);
		assert_int_equal(answer.hva, (uintptr_t)guest + 0x20000 + i * PAGE);
		assert_int_equal(answer.perm, VHOST_ACCESS_RW);
		assert_int_equal(
			find(&space, NULL, IOVA + PAGE, VHOST_ACCESS_RO, &answer, &finding),
			-ENOENT);
		assert_int_equal(finding.walk.fault, VTD_FAULT_PRESENT);
		assert_int_equal(finding.walk.fault_table, VTD_TABLE_FIRST_LEVEL);
	}
}

static void test_outside(void **state)
{
	const struct sva_binding binding = {.root = 0x1000, .width = 48};
	const struct sva_space space = {.pasid = 5, .binding = &binding};
	struct finding finding;
	struct answer answer;

	(void)state;
	/* A page that is no memory of the guest, and a table that is none */
	*entry_of(0x1000, IOVA, USER) = (PAGES * PAGE) | USER;
	assert_int_equal(find(&space, NULL, IOVA, VHOST_ACCESS_RO, &answer, &finding), -EFAULT);
	guest[0x1000 / 8] = (PAGES * PAGE) | USER;
	assert_int_equal(find(&space, NULL, 0, VHOST_ACCESS_RO, &answer, &finding), -ENOENT);
	assert_int_equal(finding.walk.fault, VTD_FAULT_READ);
}

/* Whose IOMMU has a second level for the device: what the first level says is at X,
 * is in the page behind it.
 */
static void test_nested(void **state)
{
	const struct sva_binding binding = {.root = 0x1000, .width = 48};
	const struct sva_space space = {.pasid = 5, .binding = &binding};
	const struct iommu_view view = {
		.unit = {.root = 0x4000, .address_width = 46, .sagaw = 4, .large_pages = 3},
		.pasid = VTD_NO_PASID,
		.source_id = 8,
	};
	struct finding finding;
	struct answer answer;
	uint64_t page;

	(void)state;
	/* Legacy mode, second level of 4 levels at 0x6000 */
	guest[0x4000 / 8] = 0x5001;
	guest[0x5000 / 8 + 8 * 2] = 0x6001;
	guest[0x5000 / 8 + 8 * 2 + 1] = 2;
	/* So tables of the first level are one page behind where they believe to be. */
	for (page = 0x1000; page < 0x30000; page += PAGE)
		*entry_of(0x6000, page, 3) = (page + PAGE) | 3;
	guest[0x2000 / 8 + (IOVA >> 39) % 512] = 0x28000 | USER;
	guest[0x29000 / 8 + (IOVA >> 30) % 512] = 0x2a000 | USER;
	guest[0x2b000 / 8 + (IOVA >> 21) % 512] = 0x2c000 | USER;
	guest[0x2d000 / 8 + (IOVA >> 12) % 512] = 0x2e000 | USER;
	assert_int_equal(find(&space, &view, IOVA, VHOST_ACCESS_RW, &answer, &finding), 0);
	assert_int_equal(answer.hva, (uintptr_t)guest + 0x2f000);
	/* The second level may allow less. */
	*entry_of(0x6000, 0x2e000, 3) = 0x2f000 | 1;
	assert_int_equal(find(&space, &view, IOVA, VHOST_ACCESS_WO, &answer, &finding), -ENOENT);
	assert_int_equal(finding.walk.fault, VTD_FAULT_NESTED_PERMISSION);
	assert_int_equal(find(&space, &view, IOVA, VHOST_ACCESS_RO, &answer, &finding), 0);
	assert_int_equal(answer.perm, VHOST_ACCESS_RO);
	/* A device that its guest has blocked has no second level. */
	guest[0x5000 / 8 + 8 * 2] = 0;
	assert_int_equal(find(&space, &view, IOVA, VHOST_ACCESS_RO, &answer, &finding), -ENOENT);
	assert_int_equal(finding.walk.fault, VTD_FAULT_CONTEXT_PRESENT);
}

static void test_attached(void **state)
{
	const struct sva_table table = {.base = 0x3000, .bits = 13};
	struct sva_space space = {.pasid = 70, .table = &table};
	struct finding finding;
	struct answer answer;

	(void)state;
	*entry_of(0x1000, IOVA, USER) = 0x20000 | USER;
	guest[0x3000 / 8 + 1] = 0x4001;
	guest[0x4000 / 8 + 6 * 8] = 1 << 6 | 1;
	guest[0x4000 / 8 + 6 * 8 + 2] = 0x1000;
	assert_int_equal(find(&space, NULL, IOVA, VHOST_ACCESS_RW, &answer, &finding), 0);
	assert_int_equal(answer.hva, (uintptr_t)guest + 0x20000);
	space.pasid = 71;
	assert_int_equal(find(&space, NULL, IOVA, VHOST_ACCESS_RW, &answer, &finding), -ENOENT);
	assert_int_equal(finding.walk.fault, VTD_FAULT_PASID_PRESENT);
	space.pasid = 63;
	assert_int_equal(find(&space, NULL, IOVA, VHOST_ACCESS_RW, &answer, &finding), -ENOENT);
	assert_int_equal(finding.walk.fault, VTD_FAULT_DIRECTORY_PRESENT);
}

/* Nobody can choose it by name. */
static void test_not_listed(void **state)
{
	(void)state;
	assert_null(translator_by_name("pasid"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bound),    TEST(test_outside),    TEST(test_nested),
		TEST(test_attached), TEST(test_not_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
