// SPDX-License-Identifier: GPL-2.0
/*
 * For monitoring systems: OpenMetrics 1.0, or the older text format of
 * Prometheus in a file for node_exporter. They differ in what a counter is
 * declared as: without "_total" in the former, with it in the latter. Counts
 * are since the start.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "print.h"
#include "rates.h"
#include "view.h"

/* Of the name of a file that node_exporter reads. */
#define PROMETHEUS_SUFFIX ".prom"

/* The first bucket ends at about a microsecond, and the rest are as they are
 * counted.
 */
#define FIRST_BUCKET 9

#define LATENCY "vhost_iotlb_miss_latency_seconds"

/**
 * struct view - where to write
 * @out:	standard output, unless there is a file
 * @file:	is replaced at each sample, NULL: none
 * @temporary:	becomes @file when it is complete
 * @prometheus:	the older format
 */
struct view {
	FILE *out;
	const char *file;
	char *temporary;
	bool prometheus;
};

/**
 * struct family - a metric
 * @name:	without "vhost_iotlb_" and "_total"
 * @help:	what it is; no backslash and no newline, which would be escapes
 * @label:	what its parts differ by, NULL: there is one part
 * @parts:	counters, up to the first without @which
 * @of_device:	counted for a device, else for a virtqueue
 */
struct family {
	const char *name;
	const char *help;
	const char *label;
	struct {
		const char *value;
		uint32_t which;
	} parts[5];
	bool of_device;
};

static const struct family families[] = {
	{
		.name = "hits",
		.help = "Translations that were found.",
		.label = "area",
		.parts = {{"desc", COUNTER(HIT_DESC)},
			  {"avail", COUNTER(HIT_AVAIL)},
			  {"used", COUNTER(HIT_USED)},
			  {"buffer", COUNTER(HIT_BUFFER)}},
	},
	{
		.name = "misses",
		.help = "Translations that were missing.",
		.parts = {{.which = COUNTER(MISS)}},
	},
	{
		.name = "buffer_misses",
		.help = "Those of the misses that are for buffers, not for the ring.",
		.parts = {{.which = COUNTER(MISS_BUFFER)}},
	},
	{
		.name = "resolved_misses",
		.help = "Misses that a BPF program resolved in the kernel.",
		.parts = {{.which = COUNTER(RESOLVED)}},
	},
	{
		.name = "resolved_buffer_misses",
		.help = "Those of the resolved misses that are for buffers.",
		.parts = {{.which = COUNTER(RESOLVED_BUFFER)}},
	},
	{
		.name = "ring_misses",
		.help = "Misses that a BPF program took.",
		.parts = {{.which = COUNTER(MISS_RING)}},
	},
	{
		.name = "fd_misses",
		.help = "Misses that were given out on the vhost fd.",
		.parts = {{.which = COUNTER(MISS_FD)}},
	},
	{
		.name = "dropped_misses",
		.help = "Misses that a BPF program failed to take.",
		.parts = {{.which = COUNTER(MISS_DROP)}},
	},
	{
		.name = "fallbacks",
		.help = "Misses that a BPF program took and that were given out after all.",
		.label = "reason",
		.parts = {{"timeout", COUNTER(FALLBACK_TIMEOUT)},
			  {"refused", COUNTER(FALLBACK_REFUSED)},
			  {"detached", COUNTER(FALLBACK_DETACHED)}},
	},
	{
		.name = "updates",
		.help = "Translations put into the IOTLB.",
		.parts = {{.which = COUNTER(UPDATE)}},
		.of_device = true,
	},
	{
		.name = "failed_updates",
		.help = "Translations that could not be put in.",
		.parts = {{.which = COUNTER(UPDATE_FAILED)}},
		.of_device = true,
	},
	{
		.name = "stale_updates",
		.help = "Translations that were refused for their age.",
		.parts = {{.which = COUNTER(UPDATE_STALE)}},
		.of_device = true,
	},
	{
		.name = "invalidations",
		.help = "Ranges of translations dropped on demand.",
		.parts = {{.which = COUNTER(INVALIDATE)}},
		.of_device = true,
	},
	{
		.name = "evictions",
		.help = "Translations dropped for want of room.",
		.parts = {{.which = COUNTER(EVICT)}},
		.of_device = true,
	},
};

#define NR_FAMILIES (sizeof(families) / sizeof(families[0]))

static struct view *openmetrics_open(const struct view_options *options)
{
	struct view *view = calloc(1, sizeof(*view));
	size_t length, suffix = strlen(PROMETHEUS_SUFFIX);

	if (!view)
		return NULL;
	view->out = options->out;
	view->file = options->file;
	if (!view->file)
		return view;

	length = strlen(view->file);
	view->prometheus =
		length >= suffix && !strcmp(view->file + length - suffix, PROMETHEUS_SUFFIX);
	/* In the same folder, under a name that nobody reads. */
	if (asprintf(&view->temporary, "%s.%d.tmp", view->file, getpid()) < 0) {
		free(view);
		return NULL;
	}
	return view;
}

static void print_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n') {
			fputs("\\n", out);
			continue;
		}
		if (*text == '\\' || *text == '"')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void print_label(FILE *out, const char *name, const char *value)
{
	fprintf(out, ",%s=\"", name);
	print_escaped(out, value);
	fputc('"', out);
}

/* All but the closing bracket; @queue may be NULL. */
static void print_labels(FILE *out, const struct top_device *device, const struct top_queue *queue)
{
	char pid[16] = "";

	if (device->pid)
		snprintf(pid, sizeof(pid), "%d", device->pid);
	fprintf(out, "{device=\"%" PRIu64 "\"", device->id);
	print_label(out, "pid", pid);
	print_label(out, "command", device->comm);
	print_label(out, "tap", device->tap);
	if (queue)
		fprintf(out, ",vq=\"%" PRIu32 "\"", queue->vq);
}

static void declare(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void declare_counter(const struct view *view, FILE *out, const char *name, const char *help)
{
	char full[64];

	snprintf(full, sizeof(full), "vhost_iotlb_%s%s", name, view->prometheus ? "_total" : "");
	declare(out, full, "counter", help);
}

static void print_counters(FILE *out, const struct family *family, const struct top_device *device,
			   const struct top_queue *queue)
{
	const struct iotlb_counters *total = queue ? &queue->tally.total : &device->tally.total;
	size_t i;

	for (i = 0; family->parts[i].which; i++) {
		fprintf(out, "vhost_iotlb_%s_total", family->name);
		print_labels(out, device, queue);
		if (family->label)
			print_label(out, family->label, family->parts[i].value);
		fprintf(out, "} %" PRIu64 "\n", counters_sum(total, family->parts[i].which));
	}
}

static void print_family(const struct view *view, FILE *out, const struct family *family,
			 const struct top_sample *sample)
{
	const struct top_device *device;
	size_t i, j;

	for (i = 0; family->parts[i].which; i++)
		if (family->parts[i].which & sample->unavailable)
			return;
	declare_counter(view, out, family->name, family->help);
	for (i = 0; i < sample->count; i++) {
		device = sample->devices[i];
		if (family->of_device)
			print_counters(out, family, device, NULL);
		else
			for (j = 0; j < device->count; j++)
				print_counters(out, family, device, &device->queues[j]);
	}
}

static void print_bucket(FILE *out, const struct top_device *device, const struct top_queue *queue,
			 const char *end, uint64_t count)
{
	fputs(LATENCY "_bucket", out);
	print_labels(out, device, queue);
	print_label(out, "le", end);
	fprintf(out, "} %" PRIu64 "\n", count);
}

static void print_histogram(FILE *out, const struct top_device *device,
			    const struct top_queue *queue)
{
	const struct iotlb_counters *total = &queue->tally.total;
	uint64_t below = 0;
	char end[32];
	int i;

	for (i = 0; i < IOTLB_LATENCY_BUCKETS; i++) {
		below += total->latency[i];
		snprintf(end, sizeof(end), "%.12g", (double)(1ULL << (i + 1)) / 1e9);
		/* The last has no end. */
		if (i >= FIRST_BUCKET && i < IOTLB_LATENCY_BUCKETS - 1)
			print_bucket(out, device, queue, end, below);
	}
	print_bucket(out, device, queue, "+Inf", below);
	fputs(LATENCY "_count", out);
	print_labels(out, device, queue);
	fprintf(out, "} %" PRIu64 "\n", below);
	fputs(LATENCY "_sum", out);
	print_labels(out, device, queue);
	fprintf(out, "} %.9f\n", (double)total->count[IOTLB_LATENCY_NS] / 1e9);
}

static void print_latencies(const struct view *view, FILE *out, const struct top_sample *sample)
{
	size_t i, j;

	if (sample->unavailable & UNAVAILABLE_LATENCY)
		return;
	declare(out, LATENCY, "histogram", "From a miss to the update that answers it.");
	if (!view->prometheus)
		fputs("# UNIT " LATENCY " seconds\n", out);
	for (i = 0; i < sample->count; i++)
		for (j = 0; j < sample->devices[i]->count; j++)
			print_histogram(out, sample->devices[i], &sample->devices[i]->queues[j]);
}

static void print_gauge(FILE *out, const struct top_device *device, const char *name,
			uint64_t value)
{
	if (!device->has_entries)
		return;
	fputs(name, out);
	print_labels(out, device, NULL);
	fprintf(out, "} %" PRIu64 "\n", value);
}

static void print_entries(FILE *out, const struct top_sample *sample)
{
	size_t i;

	declare(out, "vhost_iotlb_entries", "gauge", "Translations in the IOTLB.");
	for (i = 0; i < sample->count; i++)
		print_gauge(out, sample->devices[i], "vhost_iotlb_entries",
			    sample->devices[i]->entries);
	declare(out, "vhost_iotlb_entries_limit", "gauge", "Most that the IOTLB will hold.");
	for (i = 0; i < sample->count; i++)
		print_gauge(out, sample->devices[i], "vhost_iotlb_entries_limit",
			    sample->devices[i]->limit);
}

static int print_exposition(const struct view *view, FILE *out, const struct top_sample *sample)
{
	size_t i;

	for (i = 0; i < NR_FAMILIES; i++)
		print_family(view, out, &families[i], sample);
	print_latencies(view, out, sample);
	print_entries(out, sample);
	declare_counter(view, out, "lost_events", "Events that could not be counted.");
	fprintf(out, "vhost_iotlb_lost_events_total %" PRIu64 "\n", sample->lost_total);
	if (!view->prometheus)
		fputs("# EOF\n", out);
	return print_flush(out);
}

/* Whoever reads the file finds all of it, be it the old one or the new one. */
static int replace_file(const struct view *view, const struct top_sample *sample)
{
	FILE *out = fopen(view->temporary, "we");
	int err;

	if (!out)
		return -errno;
	err = print_exposition(view, out, sample);
	if (fclose(out) && !err)
		err = -errno;
	if (!err && rename(view->temporary, view->file))
		err = -errno;
	if (err)
		unlink(view->temporary);
	return err;
}

static int openmetrics_sample(struct view *view, const struct top_sample *sample)
{
	return view->file ? replace_file(view, sample) : print_exposition(view, view->out, sample);
}

static int openmetrics_summary(struct view *view, const struct top_sample *sample,
			       unsigned long shown)
{
	/* One exposition is what was asked for, and can be read by others. */
	if (shown == 1 && !view->file)
		return 0;
	return openmetrics_sample(view, sample);
}

static void openmetrics_close(struct view *view)
{
	free(view->temporary);
	free(view);
}

const struct view_ops view_openmetrics = {
	.name = "OpenMetrics",
	.open = openmetrics_open,
	.sample = openmetrics_sample,
	.summary = openmetrics_summary,
	.close = openmetrics_close,
};
