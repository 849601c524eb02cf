// SPDX-License-Identifier: GPL-2.0
/*
 * One object a line for each sample, and a last one with "final": true. The
 * manual page, iotlb-top(8), defines all members.
 */
#include <math.h>
#include <stdlib.h>

#include "print.h"
#include "rates.h"
#include "view.h"

/**
 * struct view - where to write
 * @out:	there
 * @first:	what comes next is the first of its object or array
 */
struct view {
	FILE *out;
	bool first;
};

static struct view *json_open(const struct view_options *options)
{
	struct view *view = calloc(1, sizeof(*view));

	if (view)
		view->out = options->out;
	return view;
}

static void add_comma(struct view *view)
{
	if (!view->first)
		fputc(',', view->out);
	view->first = false;
}

static void add_name(struct view *view, const char *name)
{
	add_comma(view);
	fputc('"', view->out);
	fputs(name, view->out);
	fputs("\":", view->out);
}

/* An object or array, in an object if it has a name. */
static void begin(struct view *view, const char *name, char bracket)
{
	if (name)
		add_name(view, name);
	else
		add_comma(view);
	fputc(bracket, view->out);
	view->first = true;
}

static void end(struct view *view, char bracket)
{
	fputc(bracket, view->out);
	view->first = false;
}

static void add_null(struct view *view, const char *name)
{
	add_name(view, name);
	fputs("null", view->out);
}

static void add_bool(struct view *view, const char *name, bool value)
{
	add_name(view, name);
	fputs(value ? "true" : "false", view->out);
}

static void add_count(struct view *view, const char *name, uint64_t count)
{
	add_name(view, name);
	print_count(view->out, count);
}

/* Null if it is not known. */
static void add_known(struct view *view, const char *name, uint64_t count, bool known)
{
	if (known)
		add_count(view, name, count);
	else
		add_null(view, name);
}

/* JSON has no NAN; what cannot be told is null. */
static void add_number(struct view *view, const char *name, double number, const char *format)
{
	if (isnan(number)) {
		add_null(view, name);
		return;
	}
	add_name(view, name);
	fprintf(view->out, format, number);
}

static void add_text(struct view *view, const char *name, const char *text)
{
	add_name(view, name);
	fputc('"', view->out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', view->out);
		if ((unsigned char)*text < ' ')
			fprintf(view->out, "\\u%04x", *text);
		else
			fputc(*text, view->out);
	}
	fputc('"', view->out);
}

/* A sum of counters, null if one of them cannot be had. */
static void add_counter(struct view *view, const char *name, const struct iotlb_counters *counters,
			uint32_t which, uint64_t unavailable)
{
	add_known(view, name, counters_sum(counters, which), !(which & unavailable));
}

static void add_latency(struct view *view, const struct iotlb_counters *counters)
{
	int i, used = 0;

	for (i = 0; i < IOTLB_LATENCY_BUCKETS; i++)
		if (counters->latency[i])
			used = i + 1;
	begin(view, "latency_ns", '{');
	add_number(view, "p50", latency_percentile(counters, 0.50), "%.0f");
	add_number(view, "p99", latency_percentile(counters, 0.99), "%.0f");
	add_count(view, "sum", counters->count[IOTLB_LATENCY_NS]);
	begin(view, "log2", '[');
	for (i = 0; i < used; i++) {
		add_comma(view);
		print_count(view->out, counters->latency[i]);
	}
	end(view, ']');
	end(view, '}');
}

static void add_hits(struct view *view, const struct iotlb_counters *counters, uint64_t unavailable)
{
	begin(view, "hits", '{');
	add_counter(view, "desc", counters, COUNTER(HIT_DESC), unavailable);
	add_counter(view, "avail", counters, COUNTER(HIT_AVAIL), unavailable);
	add_counter(view, "used", counters, COUNTER(HIT_USED), unavailable);
	add_counter(view, "buffer", counters, COUNTER(HIT_BUFFER), unavailable);
	end(view, '}');
}

static void add_fallback(struct view *view, const struct iotlb_counters *counters)
{
	begin(view, "fallback", '{');
	add_count(view, "timeout", counters->count[IOTLB_FALLBACK_TIMEOUT]);
	add_count(view, "refused", counters->count[IOTLB_FALLBACK_REFUSED]);
	add_count(view, "detached", counters->count[IOTLB_FALLBACK_DETACHED]);
	end(view, '}');
}

static void add_queue_counts(struct view *view, const struct iotlb_counters *counters,
			     uint64_t unavailable)
{
	add_counter(view, "lookups", counters, COUNTERS_LOOKUPS, unavailable);
	add_hits(view, counters, unavailable);
	add_counter(view, "misses", counters, COUNTER(MISS), unavailable);
	add_counter(view, "buffer_misses", counters, COUNTER(MISS_BUFFER), unavailable);
	add_number(view, "hit_rate",
		   COUNTERS_LOOKUPS & unavailable ? NAN : counters_hit_rate(counters), "%.6f");
	add_number(view, "buffer_hit_rate",
		   COUNTERS_BUFFERS & unavailable ? NAN : counters_buffer_hit_rate(counters),
		   "%.6f");
	add_counter(view, "resolved", counters, COUNTER(RESOLVED), unavailable);
	add_counter(view, "ring", counters, COUNTER(MISS_RING), unavailable);
	add_counter(view, "fd", counters, COUNTER(MISS_FD), unavailable);
	add_counter(view, "drops", counters, COUNTER(MISS_DROP), unavailable);
	if (COUNTERS_FALLBACKS & unavailable)
		add_null(view, "fallback");
	else
		add_fallback(view, counters);
	add_counter(view, "failed_accesses", counters, COUNTER(ACCESS_FAILED), unavailable);
	if (UNAVAILABLE_LATENCY & unavailable)
		add_null(view, "latency_ns");
	else
		add_latency(view, counters);
}

static void add_device_counts(struct view *view, const struct iotlb_counters *counters,
			      uint64_t unavailable)
{
	add_counter(view, "updates", counters, COUNTER(UPDATE), unavailable);
	add_counter(view, "failed_updates", counters, COUNTER(UPDATE_FAILED), unavailable);
	add_counter(view, "stale", counters, COUNTER(UPDATE_STALE), unavailable);
	add_counter(view, "invalidations", counters, COUNTER(INVALIDATE), unavailable);
	add_counter(view, "evictions", counters, COUNTER(EVICT), unavailable);
}

typedef void (*add_counts_fn)(struct view *view, const struct iotlb_counters *counters,
			      uint64_t unavailable);

static void add_all_counts(struct view *view, const struct iotlb_counters *counters,
			   uint64_t unavailable)
{
	add_queue_counts(view, counters, unavailable);
	add_device_counts(view, counters, unavailable);
}

static void add_delta_and_total(struct view *view, const struct iotlb_counters *delta,
				const struct iotlb_counters *total, add_counts_fn add_counts,
				uint64_t unavailable)
{
	begin(view, "delta", '{');
	add_counts(view, delta, unavailable);
	end(view, '}');
	begin(view, "total", '{');
	add_counts(view, total, unavailable);
	end(view, '}');
}

static void add_queue(struct view *view, const struct top_queue *queue, uint64_t unavailable)
{
	begin(view, NULL, '{');
	add_count(view, "vq", queue->vq);
	add_count(view, "pasid", queue->asid);
	add_delta_and_total(view, &queue->tally.delta, &queue->tally.total, add_queue_counts,
			    unavailable);
	end(view, '}');
}

static void add_space(struct view *view, const struct top_space *space, uint64_t unavailable)
{
	begin(view, NULL, '{');
	add_count(view, "pasid", space->asid);
	add_bool(view, "gone", space->state != TOP_HELD);
	add_known(view, "entries", space->entries, space->has_entries);
	add_known(view, "limit", space->limit, space->has_entries);
	add_delta_and_total(view, &space->sum, &space->sum_total, add_all_counts, unavailable);
	end(view, '}');
}

/* None if there is none but 0; those that have long been gone at the end. */
static void add_spaces(struct view *view, const struct top_sample *sample,
		       const struct top_device *device)
{
	size_t i;

	begin(view, "pasids", '[');
	for (i = 0; i < device->nr_spaces; i++)
		if (device->spaces[i].state != TOP_RETIRED || sample->final)
			add_space(view, &device->spaces[i], sample->unavailable);
	end(view, ']');
}

/* Null if it is empty. */
static void add_name_of(struct view *view, const char *name, const char *text)
{
	if (text[0])
		add_text(view, name, text);
	else
		add_null(view, name);
}

static void add_device(struct view *view, const struct top_sample *sample,
		       const struct top_device *device)
{
	uint64_t unavailable = sample->unavailable;
	size_t i;

	begin(view, NULL, '{');
	add_count(view, "dev", device->id);
	add_known(view, "pid", device->pid, device->pid);
	add_text(view, "comm", device->comm);
	add_name_of(view, "path", device->path);
	add_name_of(view, "tap", device->tap);
	add_bool(view, "gone", device->state != TOP_HELD);
	add_known(view, "entries", device->entries, device->has_entries);
	add_known(view, "limit", device->limit, device->has_entries);
	add_delta_and_total(view, &device->tally.delta, &device->tally.total, add_device_counts,
			    unavailable);
	begin(view, "queues", '[');
	for (i = 0; i < device->count; i++)
		add_queue(view, &device->queues[i], unavailable);
	end(view, ']');
	add_spaces(view, sample, device);
	end(view, '}');
}

static int print_object(struct view *view, const struct top_sample *sample)
{
	size_t i;

	view->first = true;
	begin(view, NULL, '{');
	add_number(view, "time", sample->time, "%.3f");
	add_number(view, "elapsed", sample->elapsed, "%.6f");
	add_number(view, "seconds", sample->seconds, "%.6f");
	add_bool(view, "final", sample->final);
	add_count(view, "lost", sample->lost);
	add_count(view, "lost_total", sample->lost_total);
	add_delta_and_total(view, &sample->sum, &sample->sum_total, add_all_counts,
			    sample->unavailable);
	begin(view, "devices", '[');
	for (i = 0; i < sample->count; i++)
		add_device(view, sample, sample->devices[i]);
	end(view, ']');
	end(view, '}');
	fputc('\n', view->out);
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
