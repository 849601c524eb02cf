// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/vhost_types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "map_table.h"

static char error[MAP_TABLE_ERROR_MAX];

static int read_bytes(struct map_table *table, const char *text, size_t size)
{
	FILE *file = fmemopen((void *)text, size, "r");
	int err;

	assert_non_null(file);
	error[0] = '\0';
	err = map_table_read(table, file, "t", error);
	fclose(file);
	return err;
}

static int read_text(struct map_table *table, const char *text)
{
	return read_bytes(table, text, strlen(text));
}

static void assert_fault(const char *text, const char *expected)
{
	struct map_table table = {};

	assert_int_equal(read_text(&table, text), -EINVAL);
	assert_string_equal(error, expected);
	assert_null(table.lines);
	assert_int_equal(table.count, 0);
}

static void assert_mapping(const struct map_table *table, uint64_t at, uint64_t iova, uint64_t last,
			   uint64_t gpa, uint32_t perm)
{
	struct mapping mapping;

	assert_int_equal(map_table_find(table, at, &mapping), 0);
	assert_int_equal(mapping.iova, iova);
	assert_int_equal(mapping.last, last);
	assert_int_equal(mapping.gpa, gpa);
	assert_int_equal(mapping.perm, perm);
}

static void test_lines(void **state)
{
	struct map_table table = {};
	struct mapping mapping;

	(void)state;
	assert_int_equal(read_text(&table, "# comment\n"
					   "\n"
					   "0x1000 4k 0x2000 r\n"
					   " \t 8192 0x1000\t77 w # odd but allowed\r\n"
					   "0X100000000 1G 0 rw"),
			 0);
	assert_int_equal(table.count, 3);
	assert_mapping(&table, 0x1000, 0x1000, 0x1fff, 0x2000, VHOST_ACCESS_RO);
	assert_mapping(&table, 0x1fff, 0x1000, 0x1fff, 0x2000, VHOST_ACCESS_RO);
	assert_mapping(&table, 0x2abc, 0x2000, 0x2fff, 77, VHOST_ACCESS_WO);
	assert_mapping(&table, 0x13fffffff, 0x100000000, 0x13fffffff, 0, VHOST_ACCESS_RW);
	assert_int_equal(map_table_find(&table, 0, &mapping), -ENOENT);
	assert_int_equal(map_table_find(&table, 0xfff, &mapping), -ENOENT);
	assert_int_equal(map_table_find(&table, 0x3000, &mapping), -ENOENT);
	assert_int_equal(map_table_find(&table, 0x140000000, &mapping), -ENOENT);
	assert_int_equal(map_table_find(&table, UINT64_MAX, &mapping), -ENOENT);
	map_table_clear(&table);
}

static void test_adjacent_lines_stay_apart(void **state)
{
	struct map_table table = {};

	(void)state;
	assert_int_equal(read_text(&table, "0x1000 4k 0x1000 rw\n"
					   "0x2000 4k 0x2000 rw\n"),
			 0);
	assert_mapping(&table, 0x1fff, 0x1000, 0x1fff, 0x1000, VHOST_ACCESS_RW);
	assert_mapping(&table, 0x2000, 0x2000, 0x2fff, 0x2000, VHOST_ACCESS_RW);
	map_table_clear(&table);
}

static void test_order_does_not_matter(void **state)
{
	struct map_table table = {};
	char text[64 * 100], *end = text;
	unsigned int i;

	(void)state;
	for (i = 0; i < 100; i++)
		end += sprintf(end, "0x%x 4k 0x%x rw\n", (i * 37 % 100) * 0x2000, i * 0x1000);
	assert_int_equal(read_text(&table, text), 0);
	for (i = 0; i < 100; i++) {
		uint64_t iova = (i * 37 % 100) * 0x2000;

		assert_mapping(&table, iova + 1, iova, iova + 0xfff, i * 0x1000, VHOST_ACCESS_RW);
	}
	map_table_clear(&table);
}

static void test_ends_of_the_address_space(void **state)
{
	struct map_table table = {};

	(void)state;
	assert_int_equal(read_text(&table, "0 1 0xffffffffffffffff rw\n"
					   "0xffffffffffffffff 1 0 rw\n"),
			 0);
	assert_mapping(&table, 0, 0, 0, UINT64_MAX, VHOST_ACCESS_RW);
	assert_mapping(&table, UINT64_MAX, UINT64_MAX, UINT64_MAX, 0, VHOST_ACCESS_RW);
	map_table_clear(&table);

	assert_int_equal(read_text(&table, "1 18446744073709551615 0 rw\n"), 0);
	assert_mapping(&table, 5, 1, UINT64_MAX, 0, VHOST_ACCESS_RW);
	map_table_clear(&table);
}

static void test_empty(void **state)
{
	struct map_table table = {};
	struct mapping mapping;

	(void)state;
	assert_int_equal(read_text(&table, " # nothing"), 0);
	assert_int_equal(map_table_find(&table, 0, &mapping), -ENOENT);
	map_table_clear(&table);
}

static void test_numbers(void **state)
{
	(void)state;
	assert_fault("zero 4k 0 rw", "t:1:1: the iova \"zero\" is not a number");
	assert_fault("0x 4k 0 rw", "t:1:3: the iova \"0x\" is not a number");
	assert_fault("0x1g 4k 0 rw", "t:1:4: the iova \"0x1g\" is not a number");
	assert_fault("12ab 4k 0 rw", "t:1:3: the iova \"12ab\" is not a number");
	assert_fault("-1 4k 0 rw", "t:1:1: the iova \"-1\" is not a number");
	assert_fault("4k 4k 0 rw", "t:1:2: the iova \"4k\" is not a number");
	assert_fault("0 k 0 rw", "t:1:3: the size \"k\" is not a number");
	assert_fault("0 4kB 0 rw", "t:1:5: \"B\" follows the suffix of the size");
	assert_fault("0x10000000000000000 1 0 rw",
		     "t:1:1: the iova 0x10000000000000000 does not fit into 64 bits");
	assert_fault("18446744073709551616 1 0 rw",
		     "t:1:1: the iova 18446744073709551616 does not fit into 64 bits");
	assert_fault("0 17179869184G 0 rw",
		     "t:1:3: the size 17179869184G does not fit into 64 bits");
	assert_fault("0 0000000000000000000000000000000000000000001 0 rw",
		     "t:1:3: the size is too long");
}

static void test_ranges(void **state)
{
	(void)state;
	assert_fault("0x1000 0 0 rw", "t:1:8: the size is zero");
	assert_fault("0x1000 0k 0 rw", "t:1:8: the size is zero");
	assert_fault("0xfffffffffffff000 8k 0 rw", "t:1:20: the iova range wraps around at 2^64");
	assert_fault("0 8k 0xfffffffffffff000 rw", "t:1:6: the gpa range wraps around at 2^64");
}

static void test_fields(void **state)
{
	(void)state;
	assert_fault("\n0x1000", "t:2:7: the size is missing; a line is: iova size gpa perm");
	assert_fault("0x1000 4k # 0 rw\n",
		     "t:1:11: the gpa is missing; a line is: iova size gpa perm");
	assert_fault("0 4k 0\n", "t:1:7: the permission is missing; a line is: iova size gpa perm");
	assert_fault("0 4k 0 rwx\n", "t:1:8: the permission \"rwx\" is none of r, w, rw");
	assert_fault("0 4k 0 wr\n", "t:1:8: the permission \"wr\" is none of r, w, rw");
	assert_fault("0 4k 0 rw 1\n",
		     "t:1:11: something follows the permission; a line is: iova size gpa perm");
}

static void test_binary(void **state)
{
	struct map_table table = {};

	(void)state;
	assert_int_equal(read_bytes(&table, "0 4\0k 0 rw", 10), -EINVAL);
	assert_string_equal(error, "t:1:4: a character that cannot be part of the size");
	assert_int_equal(read_bytes(&table,
				    "\x7f"
				    "ELF",
				    4),
			 -EINVAL);
	assert_string_equal(error, "t:1:1: a character that cannot be part of the iova");
}

static void test_overlap_names_both_lines(void **state)
{
	(void)state;
	assert_fault("0x1000 8k 0 r\n"
		     "# between\n"
		     "0x2000 4k 0 r\n",
		     "t:3:1: 0x2000-0x2fff overlaps 0x1000-0x2fff of line 1");
	/* Not in order: still, the later line is at fault. */
	assert_fault("0x2000 4k 0 r\n"
		     "0x1000 8k 0 r\n",
		     "t:2:1: 0x1000-0x2fff overlaps 0x2000-0x2fff of line 1");
	assert_fault("0x1000 4k 0 r\n"
		     "0x1000 4k 0 r\n",
		     "t:2:1: 0x1000-0x1fff overlaps 0x1000-0x1fff of line 1");
	/* Around more than one. */
	assert_fault("0x3000 4k 0 r\n0x5000 4k 0 r\n0x1000 1M 0 r\n",
		     "t:3:1: 0x1000-0x100fff overlaps 0x3000-0x3fff of line 1");
}

static void test_long_comment(void **state)
{
	struct map_table table = {};
	size_t size = 1 << 20;
	char *text = malloc(size);

	(void)state;
	assert_non_null(text);
	memset(text, '#', size);
	memcpy(text, "0 1 0 r ", 8);
	assert_int_equal(read_bytes(&table, text, size), 0);
	assert_int_equal(table.count, 1);
	map_table_clear(&table);
	free(text);
}

static void test_unreadable(void **state)
{
	struct map_table table = {};
	FILE *directory = fopen("/", "r");

	(void)state;
	assert_non_null(directory);
	assert_int_equal(map_table_read(&table, directory, "/", error), -EISDIR);
	assert_string_equal(error, "/:1:1: cannot be read: Is a directory");
	fclose(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_adjacent_lines_stay_apart),
		cmocka_unit_test(test_order_does_not_matter),
		cmocka_unit_test(test_ends_of_the_address_space),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_binary),
		cmocka_unit_test(test_overlap_names_both_lines),
		cmocka_unit_test(test_long_comment),
		cmocka_unit_test(test_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
