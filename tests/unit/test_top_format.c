// SPDX-License-Identifier: GPL-2.0
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "top/format.h"

static void short_numbers(void **state)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{0, "0"},
		{0.01, "<0.1"},
		{0.3, "0.3"},
		{1, "1"},
		{9.94, "9.9"},
		{9.96, "10"},
		{17.4, "17"},
		{999.4, "999"},
		{999.5, "1.0k"},
		{1200, "1.2k"},
		{9949, "9.9k"},
		{9951, "10k"},
		{45000, "45k"},
		{678e3, "678k"},
		{999.6e3, "1.0M"},
		{1.2e6, "1.2M"},
		{3.4e9, "3.4G"},
		{5e12, "5.0T"},
		{18446744073709551615.0, "18E"},
	};
	char text[FORMAT_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(format_short(text, cases[i].value), cases[i].text);
}

static void short_numbers_fit(void **state)
{
	char text[FORMAT_SIZE];
	double value;

	(void)state;
	for (value = 0.001; value < 1e18; value *= 1.013)
		assert_in_range(strlen(format_short(text, value)), 1, 4);
}

static void exact_numbers(void **state)
{
	char text[FORMAT_SIZE];

	(void)state;
	assert_string_equal(format_exact(text, 0), "0");
	assert_string_equal(format_exact(text, UINT64_MAX), "18446744073709551615");
}

static void percents_claim_all_and_none_only_if_so(void **state)
{
	char text[FORMAT_SIZE];

	(void)state;
	assert_string_equal(format_percent(text, NAN), "-");
	assert_string_equal(format_percent(text, 0), "0");
	assert_string_equal(format_percent(text, 1), "100");
	assert_string_equal(format_percent(text, 0.99999), "99.9");
	assert_string_equal(format_percent(text, 0.00001), "0.1");
	assert_string_equal(format_percent(text, 0.3333), "33.3");
}

static void microseconds(void **state)
{
	char text[FORMAT_SIZE];

	(void)state;
	assert_string_equal(format_us(text, NAN), "-");
	assert_string_equal(format_us(text, 2048), "2.0");
	assert_string_equal(format_us(text, 17600), "18");
	assert_string_equal(format_us(text, 2.5e6), "2.5k");
}

static void escape_sequences_are_taken_out(void **state)
{
	char text[] = "a\033[2J\n\177\303\244 b";

	(void)state;
	format_printable(text);
	assert_string_equal(text, "a?[2J???? b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_numbers),
		cmocka_unit_test(short_numbers_fit),
		cmocka_unit_test(exact_numbers),
		cmocka_unit_test(percents_claim_all_and_none_only_if_so),
		cmocka_unit_test(microseconds),
		cmocka_unit_test(escape_sequences_are_taken_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
