// SPDX-License-Identifier: GPL-2.0
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rates.h"
#include "sort.h"

/**
 * struct sort_key - something to sort by
 * @name:	as in the option --sort
 * @counters:	sum of these, or 0 if it is
 * @value:	this; the greatest comes first, NAN last
 * @text:	or this, which is sorted ascending; "" comes last
 */
struct sort_key {
	const char *name;
	uint32_t counters;
	double (*value)(const struct top_device *device, const struct iotlb_counters *counters);
	const char *(*text)(const struct top_device *device);
};

static double value_pid(const struct top_device *device, const struct iotlb_counters *counters)
{
	(void)counters;
	return device->pid ? -(double)device->pid : NAN;
}

static double value_id(const struct top_device *device, const struct iotlb_counters *counters)
{
	(void)counters;
	return -(double)device->id;
}

static double value_entries(const struct top_device *device, const struct iotlb_counters *counters)
{
	(void)counters;
	return device->has_entries ? (double)device->entries : NAN;
}

static double value_hit(const struct top_device *device, const struct iotlb_counters *counters)
{
	(void)device;
	return -counters_buffer_hit_rate(counters);
}

static double value_p50(const struct top_device *device, const struct iotlb_counters *counters)
{
	(void)device;
	return latency_percentile(counters, 0.50);
}

static double value_p99(const struct top_device *device, const struct iotlb_counters *counters)
{
	(void)device;
	return latency_percentile(counters, 0.99);
}

static const char *text_comm(const struct top_device *device)
{
	return device->comm;
}

static const char *text_tap(const struct top_device *device)
{
	return device->tap;
}

static const struct sort_key keys[] = {
	{"misses", .counters = COUNTER(MISS)},
	{"lookups", .counters = COUNTERS_LOOKUPS},
	{"meta", .counters = COUNTERS_HITS_META},
	{"buffers", .counters = COUNTER(HIT_BUFFER)},
	{"hit", .value = value_hit},
	{"resolved", .counters = COUNTER(RESOLVED)},
	{"ring", .counters = COUNTER(MISS_RING)},
	{"fd", .counters = COUNTER(MISS_FD)},
	{"drops", .counters = COUNTER(MISS_DROP)},
	{"updates", .counters = COUNTER(UPDATE)},
	{"failed", .counters = COUNTER(UPDATE_FAILED)},
	{"invalidations", .counters = COUNTER(INVALIDATE)},
	{"evictions", .counters = COUNTER(EVICT)},
	{"fallbacks", .counters = COUNTERS_FALLBACKS},
	{"accfail", .counters = COUNTER(ACCESS_FAILED)},
	{"stale", .counters = COUNTER(UPDATE_STALE)},
	{"entries", .value = value_entries},
	{"p50", .value = value_p50},
	{"p99", .value = value_p99},
	{"pid", .value = value_pid},
	{"comm", .text = text_comm},
	{"tap", .text = text_tap},
	{"dev", .value = value_id},
};

#define NR_KEYS (sizeof(keys) / sizeof(keys[0]))

const struct sort_key *sort_key_find(const char *name)
{
	size_t i;

	for (i = 0; i < NR_KEYS; i++)
		if (!strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

const char *sort_key_name(const struct sort_key *key)
{
	return key->name;
}

const char *sort_key_names(void)
{
	static char names[240];
	size_t i, length = 0;

	for (i = 0; i < NR_KEYS; i++)
		length += snprintf(names + length, sizeof(names) - length, "%s%s", i ? ", " : "",
				   keys[i].name);
	return names;
}

struct order {
	const struct sort_key *key;
	bool total;
	bool reverse;
};

static double value_of(const struct top_device *device, const struct order *order)
{
	const struct iotlb_counters *counters = order->total ? &device->sum_total : &device->sum;

	if (order->key->value)
		return order->key->value(device, counters);
	return (double)counters_sum(counters, order->key->counters);
}

static int compare_texts(const char *left, const char *right, const struct order *order)
{
	int ret;

	if (!left[0] || !right[0])
		return !left[0] - !right[0];
	ret = strcmp(left, right);
	return order->reverse ? -ret : ret;
}

static int compare_values(double left, double right, const struct order *order)
{
	int ret;

	if (isnan(left) || isnan(right))
		return !!isnan(left) - !!isnan(right);
	ret = (right > left) - (right < left);
	return order->reverse ? -ret : ret;
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct top_device *left = *(const struct top_device *const *)a;
	const struct top_device *right = *(const struct top_device *const *)b;
	const struct order *order = arg;
	int ret;

	if (order->key->text)
		ret = compare_texts(order->key->text(left), order->key->text(right), order);
	else
		ret = compare_values(value_of(left, order), value_of(right, order), order);
	return ret ? ret : (left->id > right->id) - (left->id < right->id);
}

void sort_devices(const struct top_device **devices, size_t count, const struct sort_key *key,
		  bool total, bool reverse)
{
	struct order order = {.key = key, .total = total, .reverse = reverse};

	if (count)
		qsort_r(devices, count, sizeof(*devices), compare, &order);
}
