// SPDX-License-Identifier: GPL-2.0
/* Translators, and what comes out together with a memory table. */
#include <errno.h>
#include <linux/vhost_types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "answer.h"
#include "bpf/deliver.h"
#include "memory_table.h"
#include "translator.h"

#define DEV 7

/* 64 KiB at 0, 64 KiB at 1 MiB and, right behind it, 64 KiB more elsewhere */
static const char fdinfo[] = "vhost-mem:\t0x0 0x10000 0x70000000\n"
			     "vhost-mem:\t0x100000 0x10000 0x71000000\n"
			     "vhost-mem:\t0x110000 0x10000 0x7f000000\n";

static struct memory_table mem;

/* This process, whose memory is the guest's */
static int pidfd = -1;

static int read_memory(void **state)
{
	(void)state;
	pidfd = syscall(SYS_pidfd_open, getpid(), 0);
	return pidfd < 0 ? -1 : memory_table_parse(&mem, fdinfo);
}

static int clear_memory(void **state)
{
	(void)state;
	memory_table_clear(&mem);
	return 0;
}

static struct translator open_file(const struct translator_ops *ops, const char *text)
{
	struct translator table = {.ops = ops};
	char path[] = "/tmp/test_translator.XXXXXX";
	struct translator_args args = {};
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	if (ops == &translator_vtd)
		args.vtd_path = path;
	else
		args.table_path = path;
	assert_int_equal(table.ops->check(&args), 0);
	assert_int_equal(table.ops->open(&table, &args), 0);
	unlink(path);
	return table;
}

static struct translator open_table(const char *text)
{
	return open_file(&translator_table, text);
}

/* A miss of the device */
static struct lookup miss(uint64_t iova, uint32_t access)
{
	return (struct lookup){
		.dev = DEV,
		.iova = iova,
		.access = access,
		.memory = {.pid = getpid(), .pidfd = pidfd, .table = &mem},
	};
}

static void assert_answer(struct translator *translator, uint64_t iova, uint32_t access,
			  uint64_t first, uint64_t last, uint64_t hva)
{
	const struct lookup lookup = miss(iova, access);
	struct finding finding;
	struct answer answer;

	assert_int_equal(answer_find(translator, &lookup, &answer, &finding), 0);
	assert_int_equal(answer.iova, first);
	assert_int_equal(answer.last, last);
	assert_int_equal(answer.hva, hva);
	assert_int_equal(answer.perm, finding.mapping.perm);
	assert_int_equal(finding.walk.fault, VTD_OK);
	assert_true(answer_covers(&answer, iova, access));
}

static void assert_no_answer(struct translator *translator, uint64_t iova, uint32_t access, int err)
{
	const struct lookup lookup = miss(iova, access);
	struct finding finding;
	struct answer answer;

	assert_int_equal(answer_find(translator, &lookup, &answer, &finding), err);
}

static void test_by_name(void **state)
{
	(void)state;
	assert_ptr_equal(translator_by_name("identity"), &translator_identity);
	assert_ptr_equal(translator_by_name("table"), &translator_table);
	assert_ptr_equal(translator_by_name("vtd"), &translator_vtd);
	assert_null(translator_by_name("tabl"));
	assert_null(translator_by_name(""));
}

static void test_identity(void **state)
{
	struct translator identity = {.ops = &translator_identity};

	(void)state;
	assert_answer(&identity, 0, VHOST_ACCESS_RO, 0, 0xffff, 0x70000000);
	assert_answer(&identity, 0xffff, VHOST_ACCESS_RW, 0, 0xffff, 0x70000000);
	assert_answer(&identity, 0x100123, VHOST_ACCESS_WO, 0x100000, 0x10ffff, 0x71000000);
	assert_answer(&identity, 0x110000, VHOST_ACCESS_WO, 0x110000, 0x11ffff, 0x7f000000);
	assert_no_answer(&identity, 0x10000, VHOST_ACCESS_RO, -EFAULT);
	assert_no_answer(&identity, UINT64_MAX, VHOST_ACCESS_RO, -EFAULT);
	assert_no_answer(&identity, 0, 0, -EINVAL);
	assert_no_answer(&identity, 0, 4, -EINVAL);
	assert_no_answer(&identity, 0, UINT32_MAX, -EINVAL);
}

static void test_table(void **state)
{
	struct translator table = open_table("0x80000000 4k 0x2000 r\n"
					     "0x80001000 4k 0x3000 rw\n");

	(void)state;
	assert_answer(&table, 0x80000abc, VHOST_ACCESS_RO, 0x80000000, 0x80000fff, 0x70002000);
	assert_no_answer(&table, 0x80000abc, VHOST_ACCESS_WO, -EACCES);
	assert_no_answer(&table, 0x80000abc, VHOST_ACCESS_RW, -EACCES);
	assert_answer(&table, 0x80001000, VHOST_ACCESS_WO, 0x80001000, 0x80001fff, 0x70003000);
	assert_no_answer(&table, 0x80002000, VHOST_ACCESS_RO, -ENOENT);
	assert_no_answer(&table, 0, VHOST_ACCESS_RO, -ENOENT);
	table.ops->close(&table);
}

static void test_clipped_to_memory(void **state)
{
	/* From before the second region to behind the third. */
	struct translator table = open_table("0x80000000 256k 0xf0000 rw\n");

	(void)state;
	assert_no_answer(&table, 0x8000ffff, VHOST_ACCESS_RO, -EFAULT);
	assert_answer(&table, 0x80010000, VHOST_ACCESS_RO, 0x80010000, 0x8001ffff, 0x71000000);
	assert_answer(&table, 0x8001ffff, VHOST_ACCESS_RO, 0x80010000, 0x8001ffff, 0x71000000);
	assert_answer(&table, 0x80020000, VHOST_ACCESS_RO, 0x80020000, 0x8002ffff, 0x7f000000);
	assert_no_answer(&table, 0x80030000, VHOST_ACCESS_RO, -EFAULT);
	table.ops->close(&table);
}

static void test_outside_of_memory(void **state)
{
	struct translator table = open_table("0x1000 4k 0x7fffffff0000 rw\n");

	(void)state;
	assert_no_answer(&table, 0x1000, VHOST_ACCESS_RO, -EFAULT);
	table.ops->close(&table);
}

static void test_no_memory(void **state)
{
	struct translator identity = {.ops = &translator_identity};
	const struct memory_table empty = {};
	struct lookup lookup = miss(0, VHOST_ACCESS_RO);
	struct finding finding;
	struct answer answer;

	(void)state;
	lookup.memory.table = &empty;
	assert_int_equal(answer_find(&identity, &lookup, &answer, &finding), -EFAULT);
}

/* An answer is never wider than mapping and region, wherever they lie. */
static void test_bounds_at_random(void **state)
{
	struct memory_table one = {};
	unsigned int seed = 1;
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		uint64_t shift = rand_r(&seed) % 2 ? 0 : UINT64_MAX - 0xffff;
		uint64_t gpa = (rand_r(&seed) & 0xfff) + shift;
		uint64_t size = 1 + (rand_r(&seed) & 0xfff);
		uint64_t m_gpa = (rand_r(&seed) & 0xfff) + shift;
		uint64_t m_size = 1 + (rand_r(&seed) & 0xfff);
		uint64_t iova = shift - 0x8000;
		uint64_t at = rand_r(&seed) % m_size;
		struct translator table;
		struct lookup lookup;
		struct finding finding;
		struct answer answer;
		char text[128];
		int err;

		snprintf(text, sizeof(text), "0x%lx %lu 0x%lx rw\n", iova, m_size, m_gpa);
		table = open_table(text);
		snprintf(text, sizeof(text), "vhost-mem:\t0x%lx 0x%lx 0x5000\n", gpa, size);
		assert_int_equal(memory_table_parse(&one, text), 0);
		lookup = miss(iova + at, VHOST_ACCESS_RO);
		lookup.memory.table = &one;
		err = answer_find(&table, &lookup, &answer, &finding);
		table.ops->close(&table);

		if (m_gpa + at < gpa || m_gpa + at - gpa >= size) {
			assert_int_equal(err, -EFAULT);
			continue;
		}
		assert_int_equal(err, 0);
		assert_true(answer_covers(&answer, iova + at, VHOST_ACCESS_RO));
		assert_true(answer.iova >= iova);
		assert_true(answer.last <= iova + (m_size - 1));
		assert_true(answer.hva >= 0x5000);
		assert_true(answer.hva + (answer.last - answer.iova) <= 0x5000 + (size - 1));
		/* Both of IOVA and HVA lead to the same byte. */
		assert_int_equal(answer.hva - 0x5000 + gpa, m_gpa + (answer.iova - iova));
		/* And not narrower either. */
		assert_true(answer.iova == iova || answer.hva == 0x5000);
		assert_true(answer.last == iova + (m_size - 1) ||
			    answer.hva + (answer.last - answer.iova) == 0x5000 + (size - 1));
	}
	memory_table_clear(&one);
}

/* Guest memory of the IOMMU's tables: six pages from GPA 0 on */
static uint64_t __attribute__((aligned(4096))) guest[6][512];

static void make_tables(void)
{
	size_t i;

	memset(guest, 0, sizeof(guest));
	guest[0][0] = 0x1000 | 1;	     /* root entry of bus 0 */
	guest[1][8 * 2] = 0x2000 | 1;	     /* context entry of 00:01.0 */
	guest[1][8 * 2 + 1] = 1;	     /* 39 bits, 3 levels */
	guest[2][0] = 0x3000 | 3;	     /* level 3 */
	guest[2][1] = 0x9000 | 3;	     /* out of memory */
	guest[3][0] = 0x4000 | 3;	     /* level 2 */
	guest[3][1] = 0x200000 | 3 | 1 << 7; /* a page of 2M */
	for (i = 0; i < 8; i++)
		guest[4][i] = 0x100000 | i << 12 | 3; /* a line, contiguous */
	guest[4][8] = 0x100000 | 1;		      /* for reading */
}

static void read_guest(struct memory_table *table)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "vhost-mem:\t0x0 0x6000 %p\n"
		 "vhost-mem:\t0x100000 0x400000 0x70000000\n",
		 (void *)guest);
	assert_int_equal(memory_table_parse(table, text), 0);
}

static void assert_fault(struct translator *vtd, uint64_t iova, uint32_t access,
			 enum vtd_fault fault, enum vtd_table table, int level)
{
	const struct lookup lookup = miss(iova, access);
	struct finding finding;
	struct answer answer;

	assert_int_equal(answer_find(vtd, &lookup, &answer, &finding), -ENOENT);
	assert_int_equal(finding.walk.fault, fault);
	assert_int_equal(finding.walk.fault_table, table);
	assert_int_equal(finding.walk.fault_level, level);
}

static void test_vtd(void **state)
{
	struct translator vtd = open_file(&translator_vtd, "root 0\ndevice 00:01.0\n");
	struct memory_table before = {};

	(void)state;
	memory_table_move(&before, &mem);
	read_guest(&mem);
	make_tables();

	/* Neighbours come with it. */
	assert_answer(&vtd, 0x1234, VHOST_ACCESS_WO, 0, 0x7fff, 0x70000000);
	assert_answer(&vtd, 0x8000, VHOST_ACCESS_RO, 0x8000, 0x8fff, 0x70000000);
	assert_answer(&vtd, 0x212345, VHOST_ACCESS_RO, 0x200000, 0x3fffff, 0x70100000);

	assert_fault(&vtd, 0x8000, VHOST_ACCESS_WO, VTD_FAULT_PERMISSION, VTD_TABLE_SECOND_LEVEL,
		     1);
	assert_fault(&vtd, 0x9000, VHOST_ACCESS_RO, VTD_FAULT_PRESENT, VTD_TABLE_SECOND_LEVEL, 1);
	assert_fault(&vtd, 0x400000, VHOST_ACCESS_RO, VTD_FAULT_PRESENT, VTD_TABLE_SECOND_LEVEL, 2);
	assert_fault(&vtd, 0x40000000, VHOST_ACCESS_RO, VTD_FAULT_READ, VTD_TABLE_SECOND_LEVEL, 2);
	assert_fault(&vtd, 1ULL << 39, VHOST_ACCESS_RO, VTD_FAULT_WIDTH, VTD_TABLE_CONTEXT, 0);
	guest[0][0] = 0;
	assert_fault(&vtd, 0, VHOST_ACCESS_RO, VTD_FAULT_ROOT_PRESENT, VTD_TABLE_ROOT, 0);

	memory_table_move(&mem, &before);
	vtd.ops->close(&vtd);
}

/* The first device has no context entry, all others have. */
static void test_vtd_devices(void **state)
{
	struct translator vtd =
		open_file(&translator_vtd, "root 0\ndevice 00:02.0\ndevice 00:01.0\n");
	struct memory_table before = {};
	struct resolver_device device;
	struct finding finding;
	struct answer answer;
	size_t index;

	(void)state;
	memory_table_move(&before, &mem);
	read_guest(&mem);
	make_tables();
	assert_int_equal(vtd.ops->told_apart(&vtd), 2);
	for (index = 0; index < 3; index++) {
		struct lookup lookup = miss(0, VHOST_ACCESS_RO);

		lookup.index = index;
		assert_int_equal(answer_find(&vtd, &lookup, &answer, &finding),
				 index ? 0 : -ENOENT);
		vtd.ops->resolver(&vtd, index, &device);
		assert_int_equal(device.source_id, index ? 8 : 16);
		assert_int_equal(device.pasid, VTD_NO_PASID);
		assert_int_equal(device.resolved, 0);
	}
	memory_table_move(&mem, &before);
	vtd.ops->close(&vtd);
}

/* Nothing is described: the IOMMU is what each lookup comes with. */
static void test_vtd_views(void **state)
{
	const struct translator_args args = {.asks_qemu = true};
	struct translator vtd = {.ops = &translator_vtd};
	struct memory_table before = {};
	struct lookup lookup = miss(0x1234, VHOST_ACCESS_RO);
	struct iommu_view view = {
		.unit = {.root = 0, .address_width = 39, .sagaw = 2, .large_pages = 3},
		.pasid = VTD_NO_PASID,
		.source_id = 8,
	};
	struct finding finding;
	struct answer answer;

	(void)state;
	assert_int_equal(vtd.ops->check(&args), 0);
	assert_int_equal(vtd.ops->open(&vtd, &args), 0);
	assert_int_equal(vtd.ops->told_apart(&vtd), 1);
	memory_table_move(&before, &mem);
	read_guest(&mem);
	make_tables();
	lookup.view = &view;
	assert_int_equal(answer_find(&vtd, &lookup, &answer, &finding), 0);
	assert_int_equal(answer.hva, 0x70000000);
	view.source_id = 16;
	assert_int_equal(answer_find(&vtd, &lookup, &answer, &finding), -ENOENT);
	assert_int_equal(finding.walk.fault, VTD_FAULT_CONTEXT_PRESENT);
	view.source_id = 8;
	view.unit.sagaw = 4;
	assert_int_equal(answer_find(&vtd, &lookup, &answer, &finding), -ENOENT);
	assert_int_equal(finding.walk.fault, VTD_FAULT_CONTEXT_TYPE);
	memory_table_move(&mem, &before);
}

/* Whose memory it was cannot be told when the owner has ended. */
static void test_vtd_owner_gone(void **state)
{
	struct translator vtd = open_file(&translator_vtd, "root 0\ndevice 00:01.0\n");
	struct lookup lookup = miss(0, VHOST_ACCESS_RO);
	struct memory_table before = {};
	struct finding finding;
	struct answer answer;
	pid_t child = fork();

	(void)state;
	if (!child)
		_exit(0);
	lookup.memory.pidfd = syscall(SYS_pidfd_open, child, 0);
	assert_true(lookup.memory.pidfd >= 0);
	waitpid(child, NULL, 0);

	memory_table_move(&before, &mem);
	read_guest(&mem);
	make_tables();
	assert_int_equal(answer_find(&vtd, &lookup, &answer, &finding), -ESRCH);
	memory_table_move(&mem, &before);
	close(lookup.memory.pidfd);
	vtd.ops->close(&vtd);
}

static void test_arguments(void **state)
{
	struct translator_args none = {}, file = {.table_path = "x"}, vtd = {.vtd_path = "x"};
	struct translator_args both = {.table_path = "x", .vtd_path = "y"};

	(void)state;
	assert_int_equal(translator_table.check(&none), -EINVAL);
	assert_int_equal(translator_identity.check(&file), -EINVAL);
	assert_int_equal(translator_identity.check(&vtd), -EINVAL);
	assert_int_equal(translator_identity.check(&none), 0);
	assert_int_equal(translator_table.check(&both), -EINVAL);
	assert_int_equal(translator_table.check(&file), 0);
	assert_int_equal(translator_vtd.check(&none), -EINVAL);
	assert_int_equal(translator_vtd.check(&both), -EINVAL);
	assert_int_equal(translator_vtd.check(&vtd), 0);
}

static void test_missing_file(void **state)
{
	struct translator table = {.ops = &translator_table};
	struct translator_args args = {.table_path = "/nowhere/table"};

	(void)state;
	assert_int_equal(table.ops->open(&table, &args), -ENOENT);
	assert_null(table.state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_name),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_clipped_to_memory),
		cmocka_unit_test(test_outside_of_memory),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_bounds_at_random),
		cmocka_unit_test(test_vtd),
		cmocka_unit_test(test_vtd_devices),
		cmocka_unit_test(test_vtd_views),
		cmocka_unit_test(test_vtd_owner_gone),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_missing_file),
	};

	return cmocka_run_group_tests(tests, read_memory, clear_memory);
}
