// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "parse.h"

static void numbers_within_bounds(void **state)
{
	uint64_t value;

	(void)state;
	assert_true(parse_number("1", 1, 10, &value));
	assert_int_equal(value, 1);
	assert_true(parse_number("10", 1, 10, &value));
	assert_int_equal(value, 10);
	assert_true(parse_number("0x10", 1, 100, &value));
	assert_int_equal(value, 16);
	/* Not octal. */
	assert_true(parse_number("010", 1, 100, &value));
	assert_int_equal(value, 10);
	assert_true(parse_number("18446744073709551615", 0, UINT64_MAX, &value));
	assert_true(value == UINT64_MAX);
}

static void all_else_is_refused(void **state)
{
	static const char *const bad[] = {
		"",   "0",   "11", "-1",  "+1",
		" 1", "1 ",  "1k", "0x",  "0x1g",
		"x",  "1.5", "--", "1e1", "18446744073709551616",
	};
	uint64_t value = 42;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse_number(bad[i], 1, 10, &value))
			fail_msg("'%s' was taken for %ju", bad[i], (uintmax_t)value);
	assert_int_equal(value, 42);
	/* Wraps around to a number that would do, were overflow ignored. */
	assert_false(parse_number("18446744073709551617", 0, 10, &value));
}

static void words_must_match_wholly(void **state)
{
	static const char *const words[] = {"tx", "rx", "both", NULL};

	(void)state;
	assert_int_equal(parse_word("tx", words), 0);
	assert_int_equal(parse_word("both", words), 2);
	assert_int_equal(parse_word("bot", words), -1);
	assert_int_equal(parse_word("txx", words), -1);
	assert_int_equal(parse_word("", words), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_within_bounds),
		cmocka_unit_test(all_else_is_refused),
		cmocka_unit_test(words_must_match_wholly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
