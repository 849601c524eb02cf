// SPDX-License-Identifier: GPL-2.0
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

#include "text_file.h"
#include "top/rates.h"
#include "top/view.h"

#define OF_DEVICE "{device=\"3\",pid=\"42\",command=\"qemu\",tap=\"tap0\""
#define OF_QUEUE OF_DEVICE ",vq=\"5\""
#define BUCKET "vhost_iotlb_miss_latency_seconds_bucket" OF_QUEUE ",le="

static struct top_queue queue = {
	.vq = 5,
	.tally.total =
		{
			.count =
				{
					[IOTLB_HIT_USED] = 3,
					[IOTLB_HIT_BUFFER] = 11,
					[IOTLB_MISS] = 7,
					[IOTLB_FALLBACK_REFUSED] = 2,
					[IOTLB_ACCESS_FAILED] = 6,
					[IOTLB_LATENCY_NS] = 20000001500,
				},
			.latency = {[0] = 1, [9] = 1, [10] = 4, [IOTLB_LATENCY_BUCKETS - 1] = 1},
		},
};

static struct top_device device = {
	.id = 3,
	.queues = &queue,
	.count = 1,
	.tally.total.count = {[IOTLB_UPDATE] = 13},
	.limit = 2048,
	.entries = 17,
};

static const struct top_device *devices[] = {&device};

static struct top_sample sample = {
	.devices = devices,
	.count = 1,
	.lost_total = 99,
};

static char *text;
static char folder[] = "/tmp/test_top_openmetrics.XXXXXX";
static char file[64];

static int setup(void **state)
{
	(void)state;
	device.pid = 42;
	device.has_entries = true;
	strcpy(device.comm, "qemu");
	strcpy(device.tap, "tap0");
	sample.unavailable = 0;
	device.nr_spaces = 0;
	queue.asid = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(text);
	text = NULL;
	return 0;
}

static void print(void)
{
	struct view_options options = {};
	struct view *view;
	size_t size;

	free(text);
	options.out = open_memstream(&text, &size);
	assert_non_null(options.out);
	view = view_openmetrics.open(&options);
	assert_int_equal(view_openmetrics.sample(view, &sample), 0);
	/* It would be the same once more. */
	assert_int_equal(view_openmetrics.summary(view, &sample, 1), 0);
	view_openmetrics.close(view);
	fclose(options.out);
}

static bool has_line(const char *line)
{
	const char *at = strstr(text, line);
	size_t length = strlen(line);

	return at && (at == text || at[-1] == '\n') && at[length] == '\n';
}

static void counters_have_labels(void **state)
{
	(void)state;
	print();
	assert_true(has_line("# TYPE vhost_iotlb_misses counter"));
	assert_true(has_line("vhost_iotlb_misses_total" OF_QUEUE "} 7"));
	assert_true(has_line("vhost_iotlb_hits_total" OF_QUEUE ",area=\"used\"} 3"));
	assert_true(has_line("vhost_iotlb_hits_total" OF_QUEUE ",area=\"buffer\"} 11"));
	assert_true(has_line("vhost_iotlb_fallbacks_total" OF_QUEUE ",reason=\"refused\"} 2"));
	assert_true(has_line("vhost_iotlb_failed_accesses_total" OF_QUEUE "} 6"));
	assert_true(has_line("vhost_iotlb_updates_total" OF_DEVICE "} 13"));
	assert_true(has_line("vhost_iotlb_entries" OF_DEVICE "} 17"));
	assert_true(has_line("vhost_iotlb_entries_limit" OF_DEVICE "} 2048"));
	assert_true(has_line("vhost_iotlb_lost_events_total 99"));
}

static void the_histogram_is_cumulative(void **state)
{
	(void)state;
	print();
	assert_true(has_line("# TYPE vhost_iotlb_miss_latency_seconds histogram"));
	assert_true(has_line("# UNIT vhost_iotlb_miss_latency_seconds seconds"));
	assert_true(has_line(BUCKET "\"1.024e-06\"} 2"));
	assert_true(has_line(BUCKET "\"2.048e-06\"} 6"));
	assert_true(has_line(BUCKET "\"17.179869184\"} 6"));
	assert_true(has_line(BUCKET "\"+Inf\"} 7"));
	assert_true(has_line("vhost_iotlb_miss_latency_seconds_count" OF_QUEUE "} 7"));
	assert_true(has_line("vhost_iotlb_miss_latency_seconds_sum" OF_QUEUE "} 20.000001500"));
	/* The last bucket has no end, and those below a microsecond are one. */
	assert_null(strstr(text, "le=\"34."));
	assert_null(strstr(text, "e-07"));
}

static void it_has_an_end(void **state)
{
	(void)state;
	print();
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
	assert_ptr_equal(strstr(text, "# EOF"), text + strlen(text) - 6);
}

static void labels_are_escaped(void **state)
{
	(void)state;
	strcpy(device.comm, "a\"b\\c\nd");
	device.pid = 0;
	print();
	assert_true(has_line("vhost_iotlb_updates_total{device=\"3\",pid=\"\","
			     "command=\"a\\\"b\\\\c\\nd\",tap=\"tap0\"} 13"));
}

static void what_cannot_be_had_is_no_metric(void **state)
{
	(void)state;
	sample.unavailable = COUNTER(MISS) | COUNTER(FALLBACK_TIMEOUT) | COUNTER(ACCESS_FAILED) |
			     UNAVAILABLE_LATENCY;
	device.has_entries = false;
	print();
	assert_null(strstr(text, "vhost_iotlb_misses"));
	assert_null(strstr(text, "vhost_iotlb_fallbacks"));
	assert_null(strstr(text, "failed_accesses"));
	assert_null(strstr(text, "latency"));
	assert_null(strstr(text, "vhost_iotlb_entries{"));
	assert_non_null(strstr(text, "vhost_iotlb_hits_total{"));
}

static void address_spaces_have_metrics_if_there_are_any(void **state)
{
	struct top_space spaces[] = {
		{.state = TOP_HELD, .has_entries = true, .entries = 4},
		{.asid = 9, .state = TOP_HELD, .sum_total.count = {[IOTLB_MISS] = 6}},
		/* So that there are never many. */
		{.asid = 10, .state = TOP_GONE, .sum_total.count = {[IOTLB_MISS] = 5}},
		{.asid = 11, .state = TOP_RETIRED},
	};

	(void)state;
	print();
	assert_null(strstr(text, "pasid"));

	device.spaces = spaces;
	device.nr_spaces = 4;
	queue.asid = 9;
	print();
	assert_true(has_line("# TYPE vhost_iotlb_pasid_misses counter"));
	assert_true(has_line("vhost_iotlb_pasid_misses_total" OF_DEVICE ",pasid=\"9\"} 6"));
	assert_true(has_line("vhost_iotlb_pasid_hits_total" OF_DEVICE
			     ",pasid=\"0\",area=\"buffer\"} 0"));
	assert_true(has_line("vhost_iotlb_pasid_entries" OF_DEVICE ",pasid=\"0\"} 4"));
	assert_null(strstr(text, "vhost_iotlb_pasid_entries" OF_DEVICE ",pasid=\"9\""));
	assert_true(has_line("vhost_iotlb_virtqueue_pasid" OF_QUEUE "} 9"));
	assert_null(strstr(text, "pasid=\"10\""));
	assert_null(strstr(text, "pasid=\"11\""));
	/* What there was is as it was. */
	assert_true(has_line("vhost_iotlb_misses_total" OF_QUEUE "} 7"));
	assert_true(has_line("vhost_iotlb_updates_total" OF_DEVICE "} 13"));
}

static struct view *open_file(const char *name)
{
	static struct view_options options = {.file = file};

	options.out = stdout;
	snprintf(file, sizeof(file), "%s/%s", folder, name);
	return view_openmetrics.open(&options);
}

static void a_file_for_node_exporter_is_of_its_format(void **state)
{
	struct view *view = open_file("x.prom");

	(void)state;
	assert_int_equal(view_openmetrics.sample(view, &sample), 0);
	assert_int_equal(text_file_read(file, &text), 0);
	assert_true(has_line("# TYPE vhost_iotlb_misses_total counter"));
	assert_null(strstr(text, "# EOF"));
	assert_null(strstr(text, "# UNIT"));

	/* The last sample is the latest, however many there were. */
	free(text);
	unlink(file);
	assert_int_equal(view_openmetrics.summary(view, &sample, 1), 0);
	assert_int_equal(text_file_read(file, &text), 0);
	view_openmetrics.close(view);
	unlink(file);
}

static void any_other_file_is_openmetrics(void **state)
{
	struct view *view = open_file("x.txt");

	(void)state;
	assert_int_equal(view_openmetrics.sample(view, &sample), 0);
	view_openmetrics.close(view);
	assert_int_equal(text_file_read(file, &text), 0);
	unlink(file);
	assert_true(has_line("# TYPE vhost_iotlb_misses counter"));
	assert_true(has_line("# EOF"));
	/* Nothing is left of how it was made. */
	assert_int_equal(rmdir(folder), 0);
	assert_non_null(mkdtemp(strcpy(folder, "/tmp/test_top_openmetrics.XXXXXX")));
}

static void a_file_that_cannot_be_written_is_an_error(void **state)
{
	struct view *view = open_file("no/such/folder");

	(void)state;
	assert_int_equal(view_openmetrics.sample(view, &sample), -ENOENT);
	view_openmetrics.close(view);
}

static int make_folder(void **state)
{
	(void)state;
	return !mkdtemp(folder);
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(counters_have_labels),
		TEST(the_histogram_is_cumulative),
		TEST(it_has_an_end),
		TEST(labels_are_escaped),
		TEST(what_cannot_be_had_is_no_metric),
		TEST(address_spaces_have_metrics_if_there_are_any),
		TEST(a_file_for_node_exporter_is_of_its_format),
		TEST(any_other_file_is_openmetrics),
		TEST(a_file_that_cannot_be_written_is_an_error),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
