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
 * @value:	this; the greatest comes first
 * @text:	or this, which is sorted ascending
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
	return -(double)device->pid;
}

static double value_id(const struct top_device *device, const struct iotlb_counters *counters)
{
	(void)counters;
	return -(double)device->id;
}

static double value_hit(const struct top_device *device, const struct iotlb_counters *counters)
{
	double rate = counters_buffer_hit_rate(counters);

	(void)device;
	return isnan(rate) ? -2 : -rate;
}

static double value_p99(const struct top_device *device, const struct iotlb_counters *counters)
{
	double ns = latency_percentile(counters, 0.99);

	(void)device;
	return isnan(ns) ? -1 : ns;
}

static const char *text_comm(const struct top_device *device)
{
	return device->comm;
}

static const struct sort_key keys[] = {
	{"misses", .counters = COUNTER(MISS)},
	{"lookups", .counters = COUNTERS_LOOKUPS},
	{"hit", .value = value_hit},
	{"drops", .counters = COUNTER(MISS_DROP)},
	{"updates", .counters = COUNTER(UPDATE)},
	{"invalidations", .counters = COUNTER(INVALIDATE)},
	{"evictions", .counters = COUNTER(EVICT)},
	{"fallbacks", .counters = COUNTERS_FALLBACKS},
	{"stale", .counters = COUNTER(UPDATE_STALE)},
	{"p99", .value = value_p99},
	{"pid", .value = value_pid},
	{"comm", .text = text_comm},
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

const char *sort_key_names(void)
{
	static char names[160];
	size_t i, length = 0;

	for (i = 0; i < NR_KEYS; i++)
		length += snprintf(names + length, sizeof(names) - length, "%s%s", i ? ", " : "",
				   keys[i].name);
	return names;
}

struct order {
	const struct sort_key *key;
	bool total;
};

static double value_of(const struct top_device *device, const struct order *order)
{
	const struct iotlb_counters *counters = order->total ? &device->sum_total : &device->sum;

	if (order->key->value)
		return order->key->value(device, counters);
	return (double)counters_sum(counters, order->key->counters);
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct top_device *left = *(const struct top_device *const *)a;
	const struct top_device *right = *(const struct top_device *const *)b;
	const struct order *order = arg;
	double difference;
	int ret;

	if (order->key->text) {
		ret = strcmp(order->key->text(left), order->key->text(right));
	} else {
		difference = value_of(right, order) - value_of(left, order);
		ret = (difference > 0) - (difference < 0);
	}
	return ret ? ret : (left->id > right->id) - (left->id < right->id);
}

void sort_devices(const struct top_device **devices, size_t count, const struct sort_key *key,
		  bool total)
{
	struct order order = {.key = key, .total = total};

	if (count)
		qsort_r(devices, count, sizeof(*devices), compare, &order);
}
