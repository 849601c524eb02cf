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

/* Room for the labels of a device or virtqueue, each byte of a name escaped. */
#define LABELS_SIZE 256

typedef char labels[LABELS_SIZE];

/**
 * struct view - where to write
 * @out:	standard output, unless there is a file
 * @file:	is replaced at each sample, NULL: none
 * @temporary:	becomes @file when it is complete
 * @prometheus:	the older format
 * @ends:	of the buckets, in seconds
 * @labels:	of each device and, after it, of each of its virtqueues, all but the
 *		closing bracket. There are many lines for each of them.
 * @room:	elements of @labels
 */
struct view {
	FILE *out;
	const char *file;
	char *temporary;
	bool prometheus;
	char ends[IOTLB_LATENCY_BUCKETS][32];
	labels *labels;
	size_t room;
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
		.name = "failed_accesses",
		.help = "Accesses that failed, because there is no such page.",
		.parts = {{.which = COUNTER(ACCESS_FAILED)}},
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

/* Of address spaces that have a virtqueue, so that there are never many. */
static const struct family space_families[] = {
	{
		.name = "pasid_hits",
		.help = "Translations of the address space that were found.",
		.label = "area",
		.parts = {{"desc", COUNTER(HIT_DESC)},
			  {"avail", COUNTER(HIT_AVAIL)},
			  {"used", COUNTER(HIT_USED)},
			  {"buffer", COUNTER(HIT_BUFFER)}},
	},
	{
		.name = "pasid_misses",
		.help = "Translations of the address space that were missing.",
		.parts = {{.which = COUNTER(MISS)}},
	},
	{
		.name = "pasid_buffer_misses",
		.help = "Those of these misses that are for buffers, not for the ring.",
		.parts = {{.which = COUNTER(MISS_BUFFER)}},
	},
	{
		.name = "pasid_resolved_buffer_misses",
		.help = "Those of these that a BPF program resolved in the kernel.",
		.parts = {{.which = COUNTER(RESOLVED_BUFFER)}},
	},
	{
		.name = "pasid_failed_accesses",
		.help = "Accesses to the address space that failed.",
		.parts = {{.which = COUNTER(ACCESS_FAILED)}},
	},
	{
		.name = "pasid_updates",
		.help = "Translations put into the address space.",
		.parts = {{.which = COUNTER(UPDATE)}},
	},
	{
		.name = "pasid_invalidations",
		.help = "Ranges of the address space dropped on demand.",
		.parts = {{.which = COUNTER(INVALIDATE)}},
	},
	{
		.name = "pasid_evictions",
		.help = "Translations of the address space dropped for want of room.",
		.parts = {{.which = COUNTER(EVICT)}},
	},
};

#define NR_SPACE_FAMILIES (sizeof(space_families) / sizeof(space_families[0]))

static struct view *openmetrics_open(const struct view_options *options)
{
	struct view *view = calloc(1, sizeof(*view));
	size_t length, suffix = strlen(PROMETHEUS_SUFFIX);
	int i;

	if (!view)
		return NULL;
	for (i = 0; i < IOTLB_LATENCY_BUCKETS; i++)
		snprintf(view->ends[i], sizeof(view->ends[i]), "%.12g",
			 (double)(1ULL << (i + 1)) / 1e9);
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

static char *add_label(char *to, const char *name, const char *value)
{
	to = stpcpy(stpcpy(stpcpy(to, ","), name), "=\"");
	for (; *value; value++) {
		if (*value == '\\' || *value == '"' || *value == '\n')
			*to++ = '\\';
		*to++ = *value == '\n' ? 'n' : *value;
	}
	return stpcpy(to, "\"");
}

/* Returns their end. */
static char *make_labels(labels text, const struct top_device *device)
{
	char pid[16] = "", *end;

	if (device->pid)
		snprintf(pid, sizeof(pid), "%d", device->pid);
	end = text + sprintf(text, "{device=\"%" PRIu64 "\"", device->id);
	end = add_label(end, "pid", pid);
	end = add_label(end, "command", device->comm);
	return add_label(end, "tap", device->tap);
}

_Static_assert(sizeof("{device=\"\",pid=\"\",command=\"\",tap=\"\",pasid=\"\"") + 20 + 11 + 10 +
			       2 * (sizeof(((struct top_device *)0)->comm) +
				    sizeof(((struct top_device *)0)->tap)) <=
		       LABELS_SIZE,
	       "all labels fit");

static int make_all_labels(struct view *view, const struct top_sample *sample)
{
	const struct top_device *device;
	size_t needed = 0, i, j, length;
	labels *next;

	for (i = 0; i < sample->count; i++)
		needed += 1 + sample->devices[i]->count;
	if (needed > view->room) {
		next = realloc(view->labels, needed * sizeof(*next));
		if (!next)
			return -ENOMEM;
		view->labels = next;
		view->room = needed;
	}
	next = view->labels;
	for (i = 0; i < sample->count; i++) {
		device = sample->devices[i];
		length = make_labels(*next, device) - *next;
		for (j = 0; j < device->count; j++) {
			memcpy(next[1 + j], *next, length);
			sprintf(next[1 + j] + length, ",vq=\"%" PRIu32 "\"", device->queues[j].vq);
		}
		next += 1 + device->count;
	}
	return 0;
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

static void print_value(FILE *out, uint64_t count)
{
	fputs("} ", out);
	print_count(out, count);
	fputc('\n', out);
}

static void print_counters(FILE *out, const struct family *family, const char *labels,
			   const struct iotlb_counters *total)
{
	size_t i;

	for (i = 0; family->parts[i].which; i++) {
		fputs("vhost_iotlb_", out);
		fputs(family->name, out);
		fputs("_total", out);
		fputs(labels, out);
		if (family->label)
			fprintf(out, ",%s=\"%s\"", family->label, family->parts[i].value);
		print_value(out, counters_sum(total, family->parts[i].which));
	}
}

static bool is_available(const struct family *family, const struct top_sample *sample)
{
	size_t i;

	for (i = 0; family->parts[i].which; i++)
		if (family->parts[i].which & sample->unavailable)
			return false;
	return true;
}

static void print_family(const struct view *view, FILE *out, const struct family *family,
			 const struct top_sample *sample)
{
	const struct top_device *device;
	const labels *next = view->labels;
	size_t i, j;

	if (!is_available(family, sample))
		return;
	declare_counter(view, out, family->name, family->help);
	for (i = 0; i < sample->count; i++) {
		device = sample->devices[i];
		if (family->of_device)
			print_counters(out, family, *next, &device->tally.total);
		else
			for (j = 0; j < device->count; j++)
				print_counters(out, family, next[1 + j],
					       &device->queues[j].tally.total);
		next += 1 + device->count;
	}
}

static void print_bucket(FILE *out, const char *labels, const char *end, uint64_t count)
{
	fputs(LATENCY "_bucket", out);
	fputs(labels, out);
	fputs(",le=\"", out);
	fputs(end, out);
	fputs("\"", out);
	print_value(out, count);
}

static void print_histogram(const struct view *view, FILE *out, const char *labels,
			    const struct iotlb_counters *total)
{
	uint64_t below = 0;
	int i;

	for (i = 0; i < IOTLB_LATENCY_BUCKETS; i++) {
		below += total->latency[i];
		/* The last has no end. */
		if (i >= FIRST_BUCKET && i < IOTLB_LATENCY_BUCKETS - 1)
			print_bucket(out, labels, view->ends[i], below);
	}
	print_bucket(out, labels, "+Inf", below);
	fputs(LATENCY "_count", out);
	fputs(labels, out);
	print_value(out, below);
	fprintf(out, LATENCY "_sum%s} %.9f\n", labels,
		(double)total->count[IOTLB_LATENCY_NS] / 1e9);
}

static void print_latencies(const struct view *view, FILE *out, const struct top_sample *sample)
{
	const struct top_device *device;
	const labels *next = view->labels;
	size_t i, j;

	if (sample->unavailable & UNAVAILABLE_LATENCY)
		return;
	declare(out, LATENCY, "histogram", "From a miss to the update that answers it.");
	if (!view->prometheus)
		fputs("# UNIT " LATENCY " seconds\n", out);
	for (i = 0; i < sample->count; i++) {
		device = sample->devices[i];
		for (j = 0; j < device->count; j++)
			print_histogram(view, out, next[1 + j], &device->queues[j].tally.total);
		next += 1 + device->count;
	}
}

static void print_gauge(const struct view *view, FILE *out, const struct top_sample *sample,
			const char *name, const char *help, bool limit)
{
	const struct top_device *device;
	const labels *next = view->labels;
	size_t i;

	declare(out, name, "gauge", help);
	for (i = 0; i < sample->count; i++) {
		device = sample->devices[i];
		if (device->has_entries) {
			fputs(name, out);
			fputs(*next, out);
			print_value(out, limit ? device->limit : device->entries);
		}
		next += 1 + device->count;
	}
}

/**
 * typedef space_fn - print a line about an address space
 * @out:	where to
 * @what:	what the line is about
 * @labels:	of the address space
 * @space:	the address space
 */
typedef void (*space_fn)(FILE *out, const void *what, const char *labels,
			 const struct top_space *space);

static void for_each_space(const struct view *view, FILE *out, const struct top_sample *sample,
			   space_fn fn, const void *what)
{
	const labels *next = view->labels;
	const struct top_device *device;
	labels text;
	size_t i, j;

	for (i = 0; i < sample->count; i++) {
		device = sample->devices[i];
		for (j = 0; j < device->nr_spaces; j++) {
			if (device->spaces[j].state != TOP_HELD)
				continue;
			sprintf(stpcpy(text, *next), ",pasid=\"%" PRIu32 "\"",
				device->spaces[j].asid);
			fn(out, what, text, &device->spaces[j]);
		}
		next += 1 + device->count;
	}
}

static void print_space_counters(FILE *out, const void *what, const char *labels,
				 const struct top_space *space)
{
	print_counters(out, what, labels, &space->sum_total);
}

static void print_space_entries(FILE *out, const void *what, const char *labels,
				const struct top_space *space)
{
	if (!space->has_entries)
		return;
	fprintf(out, "%s%s", (const char *)what, labels);
	print_value(out, space->entries);
}

static void print_queue_pasids(const struct view *view, FILE *out, const struct top_sample *sample)
{
	static const char name[] = "vhost_iotlb_virtqueue_pasid";
	const labels *next = view->labels;
	const struct top_device *device;
	size_t i, j;

	declare(out, name, "gauge", "Address space that the virtqueue is in.");
	for (i = 0; i < sample->count; i++) {
		device = sample->devices[i];
		for (j = 0; device->nr_spaces && j < device->count; j++) {
			fprintf(out, "%s%s", name, next[1 + j]);
			print_value(out, device->queues[j].asid);
		}
		next += 1 + device->count;
	}
}

/* None, if no device has several. */
static void print_spaces(const struct view *view, FILE *out, const struct top_sample *sample)
{
	static const char entries[] = "vhost_iotlb_pasid_entries";
	bool any = false;
	size_t i;

	for (i = 0; i < sample->count; i++)
		any |= sample->devices[i]->nr_spaces;
	if (!any)
		return;
	for (i = 0; i < NR_SPACE_FAMILIES; i++) {
		if (!is_available(&space_families[i], sample))
			continue;
		declare_counter(view, out, space_families[i].name, space_families[i].help);
		for_each_space(view, out, sample, print_space_counters, &space_families[i]);
	}
	declare(out, entries, "gauge", "Translations in the IOTLB of the address space.");
	for_each_space(view, out, sample, print_space_entries, entries);
	print_queue_pasids(view, out, sample);
}

static int print_exposition(struct view *view, FILE *out, const struct top_sample *sample)
{
	size_t i;
	int err = make_all_labels(view, sample);

	if (err)
		return err;
	for (i = 0; i < NR_FAMILIES; i++)
		print_family(view, out, &families[i], sample);
	print_latencies(view, out, sample);
	print_gauge(view, out, sample, "vhost_iotlb_entries", "Translations in the IOTLB.", false);
	print_gauge(view, out, sample, "vhost_iotlb_entries_limit",
		    "Most that the IOTLB will hold.", true);
	print_spaces(view, out, sample);
	declare_counter(view, out, "lost_events", "Events that could not be counted.");
	fprintf(out, "vhost_iotlb_lost_events_total %" PRIu64 "\n", sample->lost_total);
	if (!view->prometheus)
		fputs("# EOF\n", out);
	return print_flush(out);
}

/* Whoever reads the file finds all of it, be it the old one or the new one. */
static int replace_file(struct view *view, const struct top_sample *sample)
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
	free(view->labels);
	free(view);
}

const struct view_ops view_openmetrics = {
	.name = "OpenMetrics",
	.open = openmetrics_open,
	.sample = openmetrics_sample,
	.summary = openmetrics_summary,
	.close = openmetrics_close,
};
