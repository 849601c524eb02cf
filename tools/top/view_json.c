// SPDX-License-Identifier: GPL-2.0
/*
 * One object a line for each sample, and a last one with "final": true. The
 * manual page, iotlb-top(8), defines all members.
 */
#include <math.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "log.h"
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
	add(latency, "log2", buckets);
	return latency;
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
			     bool has_watchdog)
{
	struct json_object *hits = json_object_new_object();

	add_count(hits, "desc", counters->count[IOTLB_HIT_DESC]);
	add_count(hits, "avail", counters->count[IOTLB_HIT_AVAIL]);
	add_count(hits, "used", counters->count[IOTLB_HIT_USED]);
	add_count(hits, "buffer", counters->count[IOTLB_HIT_BUFFER]);

	add_count(counts, "lookups", counters_sum(counters, COUNTERS_LOOKUPS));
	add(counts, "hits", hits);
	add_count(counts, "misses", counters->count[IOTLB_MISS]);
	add_count(counts, "buffer_misses", counters->count[IOTLB_MISS_BUFFER]);
	add_number(counts, "hit_rate", counters_hit_rate(counters), "%.6f");
	add_number(counts, "buffer_hit_rate", counters_buffer_hit_rate(counters), "%.6f");
	add_count(counts, "resolved", counters->count[IOTLB_RESOLVED]);
	add_count(counts, "ring", counters->count[IOTLB_MISS_RING]);
	add_count(counts, "fd", counters->count[IOTLB_MISS_FD]);
	add_count(counts, "drops", counters->count[IOTLB_MISS_DROP]);
	add(counts, "fallback", has_watchdog ? make_fallback(counters) : NULL);
	add(counts, "latency_ns", make_latency(counters));
}

static void add_device_counts(struct json_object *counts, const struct iotlb_counters *counters,
			      bool has_watchdog)
{
	add_count(counts, "updates", counters->count[IOTLB_UPDATE]);
	add_count(counts, "failed_updates", counters->count[IOTLB_UPDATE_FAILED]);
	if (has_watchdog)
		add_count(counts, "stale", counters->count[IOTLB_UPDATE_STALE]);
	else
		add(counts, "stale", NULL);
	add_count(counts, "invalidations", counters->count[IOTLB_INVALIDATE]);
	add_count(counts, "evictions", counters->count[IOTLB_EVICT]);
}

typedef void (*add_counts_fn)(struct json_object *counts, const struct iotlb_counters *counters,
			      bool has_watchdog);

static void add_all_counts(struct json_object *counts, const struct iotlb_counters *counters,
			   bool has_watchdog)
{
	add_queue_counts(counts, counters, has_watchdog);
	add_device_counts(counts, counters, has_watchdog);
}

static void add_delta_and_total(struct json_object *to, const struct iotlb_counters *delta,
				const struct iotlb_counters *total, add_counts_fn add_counts,
				bool has_watchdog)
{
	struct json_object *counts = json_object_new_object();

	add_counts(counts, delta, has_watchdog);
	add(to, "delta", counts);
	counts = json_object_new_object();
	add_counts(counts, total, has_watchdog);
	add(to, "total", counts);
}

static struct json_object *make_queue(const struct top_queue *queue, bool has_watchdog)
{
	struct json_object *object = json_object_new_object();

	add_count(object, "vq", queue->vq);
	add_delta_and_total(object, &queue->tally.delta, &queue->tally.total, add_queue_counts,
			    has_watchdog);
	return object;
}

static struct json_object *make_device(const struct top_device *device, bool has_watchdog)
{
	struct json_object *object = json_object_new_object();
	struct json_object *queues = json_object_new_array();
	size_t i;

	add_count(object, "dev", device->id);
	add(object, "pid", device->pid ? json_object_new_int(device->pid) : NULL);
	add(object, "comm", json_object_new_string(device->comm));
	add(object, "path", device->path[0] ? json_object_new_string(device->path) : NULL);
	add(object, "gone", json_object_new_boolean(device->state != TOP_HELD));
	add_delta_and_total(object, &device->tally.delta, &device->tally.total, add_device_counts,
			    has_watchdog);
	for (i = 0; i < device->count; i++)
		json_object_array_add(queues, make_queue(&device->queues[i], has_watchdog));
	add(object, "queues", queues);
	return object;
}

static void print_object(struct view *view, const struct top_sample *sample)
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
			    sample->has_watchdog);
	for (i = 0; i < sample->count; i++)
		json_object_array_add(devices,
				      make_device(sample->devices[i], sample->has_watchdog));
	add(object, "devices", devices);

	fprintf(view->out, "%s\n",
		json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
							       JSON_C_TO_STRING_NOSLASHESCAPE));
	fflush(view->out);
	json_object_put(object);
}

static void json_sample(struct view *view, const struct top_sample *sample)
{
	print_object(view, sample);
}

static void json_summary(struct view *view, const struct top_sample *sample, unsigned long shown)
{
	(void)shown;
	print_object(view, sample);
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
