// SPDX-License-Identifier: GPL-2.0
/*
 * A line for each device and each virtqueue in each sample, as RFC 4180 has it.
 * Counts are since the start. What does not apply to a line, or is not known,
 * is empty. The manual page, iotlb-top(8), defines all columns.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"
#include "rates.h"
#include "view.h"

struct view {
	FILE *out;
};

/* Of a virtqueue, then of a device: sums of either over all lines are right. */
static const struct {
	const char *name;
	uint32_t counters;
	bool of_device;
} counts[] = {
	{"lookups", COUNTERS_LOOKUPS, false},
	{"hits_desc", COUNTER(HIT_DESC), false},
	{"hits_avail", COUNTER(HIT_AVAIL), false},
	{"hits_used", COUNTER(HIT_USED), false},
	{"hits_buffer", COUNTER(HIT_BUFFER), false},
	{"misses", COUNTER(MISS), false},
	{"buffer_misses", COUNTER(MISS_BUFFER), false},
	{"resolved", COUNTER(RESOLVED), false},
	{"buffer_resolved", COUNTER(RESOLVED_BUFFER), false},
	{"ring", COUNTER(MISS_RING), false},
	{"fd", COUNTER(MISS_FD), false},
	{"drops", COUNTER(MISS_DROP), false},
	{"fallback_timeout", COUNTER(FALLBACK_TIMEOUT), false},
	{"fallback_refused", COUNTER(FALLBACK_REFUSED), false},
	{"fallback_detached", COUNTER(FALLBACK_DETACHED), false},
	{"updates", COUNTER(UPDATE), true},
	{"failed_updates", COUNTER(UPDATE_FAILED), true},
	{"stale", COUNTER(UPDATE_STALE), true},
	{"invalidations", COUNTER(INVALIDATE), true},
	{"evictions", COUNTER(EVICT), true},
};

#define NR_COUNTS (sizeof(counts) / sizeof(counts[0]))
#define LINE_END "\r\n"

static struct view *csv_open(const struct view_options *options)
{
	struct view *view = calloc(1, sizeof(*view));
	size_t i;

	if (!view)
		return NULL;
	view->out = options->out;
	fputs("time,elapsed,final,dev,pid,command,path,tap,gone,vq,entries,limit", view->out);
	for (i = 0; i < NR_COUNTS; i++)
		fprintf(view->out, ",%s", counts[i].name);
	fputs(",answered,latency_sum_ns,latency_p50_ns,latency_p99_ns", view->out);
	fputs(",failed_accesses,pasid" LINE_END, view->out);
	return view;
}

static void print_text(FILE *out, const char *text)
{
	if (!text[strcspn(text, ",\"\r\n")]) {
		fprintf(out, ",%s", text);
		return;
	}
	fputs(",\"", out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void print_number(FILE *out, bool known, uint64_t number)
{
	if (known)
		fprintf(out, ",%" PRIu64, number);
	else
		fputc(',', out);
}

static void print_ns(FILE *out, bool known, double ns)
{
	if (known && !isnan(ns))
		fprintf(out, ",%.0f", ns);
	else
		fputc(',', out);
}

/* @queue: NULL for the line of the device */
static void print_line(FILE *out, const struct top_sample *sample, const struct top_device *device,
		       const struct top_queue *queue)
{
	const struct iotlb_counters *total = queue ? &queue->tally.total : &device->tally.total;
	bool latency = queue && !(sample->unavailable & UNAVAILABLE_LATENCY);
	bool entries = !queue && device->has_entries;
	size_t i;

	fprintf(out, "%.3f,%.6f,%d,%" PRIu64, sample->time, sample->elapsed, sample->final,
		device->id);
	print_number(out, device->pid, device->pid);
	print_text(out, device->comm);
	print_text(out, device->path);
	print_text(out, device->tap);
	print_number(out, true, device->state != TOP_HELD);
	print_number(out, queue, queue ? queue->vq : 0);
	print_number(out, entries, device->entries);
	print_number(out, entries, device->limit);
	for (i = 0; i < NR_COUNTS; i++)
		print_number(out,
			     counts[i].of_device == !queue &&
				     !(sample->unavailable & counts[i].counters),
			     counters_sum(total, counts[i].counters));
	print_number(out, latency, latency_answered(total));
	print_number(out, latency, total->count[IOTLB_LATENCY_NS]);
	print_ns(out, latency, latency_percentile(total, 0.50));
	print_ns(out, latency, latency_percentile(total, 0.99));
	print_number(out, queue && !(sample->unavailable & COUNTER(ACCESS_FAILED)),
		     total->count[IOTLB_ACCESS_FAILED]);
	print_number(out, queue, queue ? queue->asid : 0);
	fputs(LINE_END, out);
}

static int csv_sample(struct view *view, const struct top_sample *sample)
{
	const struct top_device *device;
	size_t i, j;

	for (i = 0; i < sample->count; i++) {
		device = sample->devices[i];
		print_line(view->out, sample, device, NULL);
		for (j = 0; j < device->count; j++)
			print_line(view->out, sample, device, &device->queues[j]);
	}
	return print_flush(view->out);
}

static int csv_summary(struct view *view, const struct top_sample *sample, unsigned long shown)
{
	(void)shown;
	return csv_sample(view, sample);
}

static void csv_close(struct view *view)
{
	free(view);
}

const struct view_ops view_csv = {
	.name = "CSV",
	.open = csv_open,
	.sample = csv_sample,
	.summary = csv_summary,
	.close = csv_close,
};
