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
#include <unistd.h>

#include <cmocka.h>

#include "answer.h"
#include "memory_table.h"
#include "translator.h"

#define DEV 7

/* 64 KiB at 0, 64 KiB at 1 MiB and, right behind it, 64 KiB more elsewhere */
static const char fdinfo[] = "vhost-mem:\t0x0 0x10000 0x70000000\n"
			     "vhost-mem:\t0x100000 0x10000 0x71000000\n"
			     "vhost-mem:\t0x110000 0x10000 0x7f000000\n";

static struct memory_table mem;

static int read_memory(void **state)
{
	(void)state;
	return memory_table_parse(&mem, fdinfo);
}

static int clear_memory(void **state)
{
	(void)state;
	memory_table_clear(&mem);
	return 0;
}

static struct translator open_table(const char *text)
{
	struct translator table = {.ops = &translator_table};
	char path[] = "/tmp/test_translator.XXXXXX";
	struct translator_args args = {.table_path = path};
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	assert_int_equal(table.ops->check(&args), 0);
	assert_int_equal(table.ops->open(&table, &args), 0);
	unlink(path);
	return table;
}

static void assert_answer(struct translator *translator, uint64_t iova, uint32_t access,
			  uint64_t first, uint64_t last, uint64_t hva)
{
	struct mapping mapping;
	struct answer answer;

	assert_int_equal(answer_find(translator, &mem, DEV, iova, access, &answer, &mapping), 0);
	assert_int_equal(answer.iova, first);
	assert_int_equal(answer.last, last);
	assert_int_equal(answer.hva, hva);
	assert_int_equal(answer.perm, mapping.perm);
	assert_true(answer_covers(&answer, iova, access));
}

static void assert_no_answer(struct translator *translator, uint64_t iova, uint32_t access, int err)
{
	struct mapping mapping;
	struct answer answer;

	assert_int_equal(answer_find(translator, &mem, DEV, iova, access, &answer, &mapping), err);
}

static void test_by_name(void **state)
{
	(void)state;
	assert_ptr_equal(translator_by_name("identity"), &translator_identity);
	assert_ptr_equal(translator_by_name("table"), &translator_table);
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
	struct memory_table empty = {};
	struct mapping mapping;
	struct answer answer;

	(void)state;
	assert_int_equal(answer_find(&identity, &empty, DEV, 0, VHOST_ACCESS_RO, &answer, &mapping),
			 -EFAULT);
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
		struct mapping mapping;
		struct answer answer;
		char text[128];
		int err;

		snprintf(text, sizeof(text), "0x%lx %lu 0x%lx rw\n", iova, m_size, m_gpa);
		table = open_table(text);
		snprintf(text, sizeof(text), "vhost-mem:\t0x%lx 0x%lx 0x5000\n", gpa, size);
		assert_int_equal(memory_table_parse(&one, text), 0);
		err = answer_find(&table, &one, DEV, iova + at, VHOST_ACCESS_RO, &answer, &mapping);
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

static void test_arguments(void **state)
{
	struct translator_args none = {}, file = {.table_path = "x"};

	(void)state;
	assert_int_equal(translator_table.check(&none), -EINVAL);
	assert_int_equal(translator_identity.check(&file), -EINVAL);
	assert_int_equal(translator_identity.check(&none), 0);
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
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_missing_file),
	};

	return cmocka_run_group_tests(tests, read_memory, clear_memory);
}
