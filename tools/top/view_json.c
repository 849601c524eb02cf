// SPDX-License-Identifier: GPL-2.0
/*
 * One object a line for each sample, and a last one with "final": true. The
 * manual page, iotlb-top(8), defines all members.
 */
#include <math.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "print.h"
#include "rates.h"
#include "view.h"

struct view {
	FILE *out;
};

static struct view *json_open(const struct view_options *options)
{
	struct view *view = calloc(1, sizeof(*view));

	if (view)
		view->out = options->out;
	return view;
}

static void add(struct json_object *to, const char *name, struct json_object *what)
{
	json_object_object_add(to, name, what);
}

static void add_count(struct json_object *to, const char *name, uint64_t count)
{
	add(to, name, json_object_new_uint64(count));
}

/* JSON has no NAN; what cannot be told is null. */
static void add_number(struct json_object *to, const char *name, double number, const char *format)
{
	char text[40];

	if (isnan(number)) {
		add(to, name, NULL);
		return;
	}
	snprintf(text, sizeof(text), format, number);
	add(to, name, json_object_new_double_s(number, text));
}

/* A sum of counters, null if one of them cannot be had. */
static void add_counter(struct json_object *to, const char *name,
			const struct iotlb_counters *counters, uint32_t which, uint64_t unavailable)
{
	if (which & unavailable)
		add(to, name, NULL);
	else
		add_count(to, name, counters_sum(counters, which));
}

static struct json_object *make_latency(const struct iotlb_counters *counters)
{
	struct json_object *latency = json_object_new_object();
	struct json_object *buckets = json_object_new_array();
	int i, used = 0;

	for (i = 0; i < IOTLB_LATENCY_BUCKETS; i++)
		if (counters->latency[i])
			used = i + 1;
	for (i = 0; i < used; i++)
		json_object_array_add(buckets, json_object_new_uint64(counters->latency[i]));
	add_number(latency, "p50", latency_percentile(counters, 0.50), "%.0f");
	add_number(latency, "p99", latency_percentile(counters, 0.99), "%.0f");
	add_count(latency, "sum", counters->count[IOTLB_LATENCY_NS]);
	add(latency, "log2", buckets);
	return latency;
}

static struct json_object *make_hits(const struct iotlb_counters *counters, uint64_t unavailable)
{
	struct json_object *hits = json_object_new_object();

	add_counter(hits, "desc", counters, COUNTER(HIT_DESC), unavailable);
	add_counter(hits, "avail", counters, COUNTER(HIT_AVAIL), unavailable);
	add_counter(hits, "used", counters, COUNTER(HIT_USED), unavailable);
	add_counter(hits, "buffer", counters, COUNTER(HIT_BUFFER), unavailable);
	return hits;
}

static struct json_object *make_fallback(const struct iotlb_counters *counters)
{
	struct json_object *fallback = json_object_new_object();

	add_count(fallback, "timeout", counters->count[IOTLB_FALLBACK_TIMEOUT]);
	add_count(fallback, "refused", counters->count[IOTLB_FALLBACK_REFUSED]);
	add_count(fallback, "detached", counters->count[IOTLB_FALLBACK_DETACHED]);
	return fallback;
}

static void add_queue_counts(struct json_object *counts, const struct iotlb_counters *counters,
			     uint64_t unavailable)
{
	add_counter(counts, "lookups", counters, COUNTERS_LOOKUPS, unavailable);
	add(counts, "hits", make_hits(counters, unavailable));
	add_counter(counts, "misses", counters, COUNTER(MISS), unavailable);
	add_counter(counts, "buffer_misses", counters, COUNTER(MISS_BUFFER), unavailable);
	add_number(counts, "hit_rate",
		   COUNTERS_LOOKUPS & unavailable ? NAN : counters_hit_rate(counters), "%.6f");
	add_number(counts, "buffer_hit_rate",
		   COUNTERS_BUFFERS & unavailable ? NAN : counters_buffer_hit_rate(counters),
		   "%.6f");
	add_counter(counts, "resolved", counters, COUNTER(RESOLVED), unavailable);
	add_counter(counts, "ring", counters, COUNTER(MISS_RING), unavailable);
	add_counter(counts, "fd", counters, COUNTER(MISS_FD), unavailable);
	add_counter(counts, "drops", counters, COUNTER(MISS_DROP), unavailable);
	add(counts, "fallback", COUNTERS_FALLBACKS & unavailable ? NULL : make_fallback(counters));
	add(counts, "latency_ns",
	    UNAVAILABLE_LATENCY & unavailable ? NULL : make_latency(counters));
}

static void add_device_counts(struct json_object *counts, const struct iotlb_counters *counters,
			      uint64_t unavailable)
{
	add_counter(counts, "updates", counters, COUNTER(UPDATE), unavailable);
	add_counter(counts, "failed_updates", counters, COUNTER(UPDATE_FAILED), unavailable);
	add_counter(counts, "stale", counters, COUNTER(UPDATE_STALE), unavailable);
	add_counter(counts, "invalidations", counters, COUNTER(INVALIDATE), unavailable);
	add_counter(counts, "evictions", counters, COUNTER(EVICT), unavailable);
}

typedef void (*add_counts_fn)(struct json_object *counts, const struct iotlb_counters *counters,
			      uint64_t unavailable);

static void add_all_counts(struct json_object *counts, const struct iotlb_counters *counters,
			   uint64_t unavailable)
{
	add_queue_counts(counts, counters, unavailable);
	add_device_counts(counts, counters, unavailable);
}

static void add_delta_and_total(struct json_object *to, const struct iotlb_counters *delta,
				const struct iotlb_counters *total, add_counts_fn add_counts,
				uint64_t unavailable)
{
	struct json_object *counts = json_object_new_object();

	add_counts(counts, delta, unavailable);
	add(to, "delta", counts);
	counts = json_object_new_object();
	add_counts(counts, total, unavailable);
	add(to, "total", counts);
}

static struct json_object *make_queue(const struct top_queue *queue, uint64_t unavailable)
{
	struct json_object *object = json_object_new_object();

	add_count(object, "vq", queue->vq);
	add_delta_and_total(object, &queue->tally.delta, &queue->tally.total, add_queue_counts,
			    unavailable);
	return object;
}

static struct json_object *make_device(const struct top_device *device, uint64_t unavailable)
{
	struct json_object *object = json_object_new_object();
	struct json_object *queues = json_object_new_array();
	size_t i;

	add_count(object, "dev", device->id);
	add(object, "pid", device->pid ? json_object_new_int(device->pid) : NULL);
	add(object, "comm", json_object_new_string(device->comm));
	add(object, "path", device->path[0] ? json_object_new_string(device->path) : NULL);
	add(object, "tap", device->tap[0] ? json_object_new_string(device->tap) : NULL);
	add(object, "gone", json_object_new_boolean(device->state != TOP_HELD));
	add(object, "entries",
	    device->has_entries ? json_object_new_uint64(device->entries) : NULL);
	add(object, "limit", device->has_entries ? json_object_new_uint64(device->limit) : NULL);
	add_delta_and_total(object, &device->tally.delta, &device->tally.total, add_device_counts,
			    unavailable);
	for (i = 0; i < device->count; i++)
		json_object_array_add(queues, make_queue(&device->queues[i], unavailable));
	add(object, "queues", queues);
	return object;
}

static int print_object(struct view *view, const struct top_sample *sample)
{
	struct json_object *object = json_object_new_object();
	struct json_object *devices = json_object_new_array();
	size_t i;

	add_number(object, "time", sample->time, "%.3f");
	add_number(object, "elapsed", sample->elapsed, "%.6f");
	add_number(object, "seconds", sample->seconds, "%.6f");
	add(object, "final", json_object_new_boolean(sample->final));
	add_count(object, "lost", sample->lost);
	add_count(object, "lost_total", sample->lost_total);
	add_delta_and_total(object, &sample->sum, &sample->sum_total, add_all_counts,
			    sample->unavailable);
	for (i = 0; i < sample->count; i++)
		json_object_array_add(devices,
				      make_device(sample->devices[i], sample->unavailable));
	add(object, "devices", devices);

	fprintf(view->out, "%s\n",
		json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
							       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
	return print_flush(view->out);
}

static int json_sample(struct view *view, const struct top_sample *sample)
{
	return print_object(view, sample);
}

static int json_summary(struct view *view, const struct top_sample *sample, unsigned long shown)
{
	(void)shown;
	return print_object(view, sample);
}

static void json_close(struct view *view)
{
	free(view);
}

const struct view_ops view_json = {
	.name = "json",
	.open = json_open,
	.sample = json_sample,
	.summary = json_summary,
	.close = json_close,
};
