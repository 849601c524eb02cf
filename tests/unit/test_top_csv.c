// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "top/rates.h"
#include "top/view.h"

static struct top_queue queue = {
	.vq = 5,
	.asid = 9,
	.tally.total =
		{
			.count =
				{
					[IOTLB_HIT_BUFFER] = 11,
					[IOTLB_MISS] = 7,
					[IOTLB_FALLBACK_TIMEOUT] = 2,
					[IOTLB_ACCESS_FAILED] = 5,
					[IOTLB_LATENCY_NS] = 6000,
				},
			.latency[10] = 4,
		},
};

static struct top_device device = {
	.id = 3,
	.pid = 42,
	.queues = &queue,
	.count = 1,
	.tally.total.count = {[IOTLB_UPDATE] = 13},
	.has_entries = true,
	.entries = 17,
	.limit = 2048,
};

static const struct top_device *devices[] = {&device};

static struct top_sample sample = {
	.time = 1.5,
	.elapsed = 2,
	.devices = devices,
	.count = 1,
};

/* Lines of the output, without their ends. */
static char *lines[8];
static char *text;

static int teardown(void **state)
{
	(void)state;
	free(text);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	strcpy(device.comm, "qemu");
	strcpy(device.path, "/dev/vhost-net");
	strcpy(device.tap, "");
	sample.unavailable = 0;
	return 0;
}

/* Prints the sample so many times and returns the number of lines. */
static int print(int samples)
{
	struct view_options options = {};
	struct view *view;
	size_t size;
	char *at, *end;
	int n = 0;

	options.out = open_memstream(&text, &size);
	assert_non_null(options.out);
	view = view_csv.open(&options);
	while (samples--)
		assert_int_equal(view_csv.sample(view, &sample), 0);
	view_csv.close(view);
	fclose(options.out);

	for (at = text; *at; at = end + 2) {
		end = strstr(at, "\r\n");
		assert_non_null(end);
		*end = '\0';
		lines[n++] = at;
	}
	return n;
}

static int commas(const char *line)
{
	int n = 0;

	for (; *line; line++)
		n += *line == ',';
	return n;
}

static void there_is_one_line_of_headings(void **state)
{
	(void)state;
	assert_int_equal(print(2), 1 + 2 * 2);
	assert_memory_equal(lines[0], "time,elapsed,final,dev,pid,command,path,tap,gone,vq,", 52);
	assert_int_equal(commas(lines[1]), commas(lines[0]));
	assert_int_equal(commas(lines[2]), commas(lines[0]));
}

static void what_does_not_apply_is_empty(void **state)
{
	(void)state;
	print(1);
	assert_string_equal(lines[1], "1.500,2.000000,0,3,42,qemu,/dev/vhost-net,,0,,17,2048"
				      ",,,,,,,,,,,,,,,,13,0,0,0,0,,,,,,");
	assert_string_equal(lines[2], "1.500,2.000000,0,3,42,qemu,/dev/vhost-net,,0,5,,"
				      ",18,0,0,0,11,7,0,0,0,0,0,0,2,0,0,,,,,"
				      ",4,6000,1536,2048,5,9");
}

static void what_cannot_be_had_is_empty(void **state)
{
	(void)state;
	sample.unavailable =
		COUNTER(MISS) | COUNTER(UPDATE) | COUNTER(ACCESS_FAILED) | UNAVAILABLE_LATENCY;
	print(1);
	assert_non_null(strstr(lines[1], ",,0,0,0,0,,,,"));
	/* Lookups are hits and misses. */
	assert_string_equal(strstr(lines[2], ",5,,"),
			    ",5,,,,0,0,0,11,,0,0,0,0,0,0,2,0,0,,,,,,,,,,,9");
}

static void texts_are_quoted_if_need_be(void **state)
{
	(void)state;
	strcpy(device.comm, "a,\"b\"");
	strcpy(device.tap, "x\ny");
	print(1);
	assert_non_null(strstr(lines[1], ",\"a,\"\"b\"\"\",/dev/vhost-net,\"x\ny\",0,,"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(there_is_one_line_of_headings),
		TEST(what_does_not_apply_is_empty),
		TEST(what_cannot_be_had_is_empty),
		TEST(texts_are_quoted_if_need_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
