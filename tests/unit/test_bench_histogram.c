// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "bench/histogram.h"

static struct histogram *new_histogram(void)
{
	struct histogram *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	return h;
}

static void empty_has_nothing(void **state)
{
	struct histogram *h = new_histogram();

	(void)state;
	assert_int_equal(histogram_percentile(h, 50), 0);
	assert_true(histogram_mean(h) == 0);
	free(h);
}

static void one_sample_is_every_percentile(void **state)
{
	static const uint64_t samples[] = {
		0,	    1,		1023,
		1024,	    1025,	13417,
		999999999,  1ULL << 39, (1ULL << 40) - 1,
		1ULL << 40, UINT64_MAX,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct histogram *h = new_histogram();

		histogram_add(h, samples[i]);
		assert_true(histogram_percentile(h, 0) == samples[i]);
		assert_true(histogram_percentile(h, 50) == samples[i]);
		assert_true(histogram_percentile(h, 100) == samples[i]);
		assert_true(h->min == samples[i] && h->max == samples[i]);
		free(h);
	}
}

static void percentiles_are_exact_to_a_thousandth(void **state)
{
	struct histogram *h = new_histogram();

	(void)state;
	for (uint64_t ns = 1; ns <= 1000000; ns++)
		histogram_add(h, ns);
	for (int percent = 1; percent <= 100; percent++) {
		uint64_t exact = 10000ULL * percent;
		uint64_t found = histogram_percentile(h, percent);

		assert_in_range(found, exact, exact + exact / 1000 + 1);
	}
	assert_true(histogram_mean(h) == 500000.5);
	free(h);
}

static void merging_is_adding(void **state)
{
	struct histogram *a = new_histogram(), *b = new_histogram();
	struct histogram *both = new_histogram();

	(void)state;
	for (uint64_t i = 1; i < 5000; i++) {
		histogram_add(i % 3 ? a : b, i * i);
		histogram_add(both, i * i);
	}
	histogram_merge(a, b);
	assert_memory_equal(a, both, sizeof(*a));
	free(b);
	b = new_histogram();
	/* An empty one must not bring its minimum of 0. */
	histogram_merge(a, b);
	assert_memory_equal(a, both, sizeof(*a));
	histogram_merge(b, a);
	assert_memory_equal(b, both, sizeof(*b));
	free(a);
	free(b);
	free(both);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_has_nothing),
		cmocka_unit_test(one_sample_is_every_percentile),
		cmocka_unit_test(percentiles_are_exact_to_a_thousandth),
		cmocka_unit_test(merging_is_adding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
