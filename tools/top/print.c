// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "log.h"
#include "notes.h"
#include "print.h"

static struct winsize terminal_size(FILE *out)
{
	struct winsize size = {};

	if (ioctl(fileno(out), TIOCGWINSZ, &size))
		return (struct winsize){};
	return size;
}

unsigned int terminal_columns(FILE *out)
{
	return terminal_size(out).ws_col;
}

unsigned int terminal_lines(FILE *out)
{
	return terminal_size(out).ws_row;
}

int print_make_table(struct table *table, const struct top_sample *sample,
		     const struct view_options *view, const struct table_options *options)
{
	const struct top_device **sorted;
	int err;

	sorted = calloc(sample->count + 1, sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	if (sample->count)
		memcpy(sorted, sample->devices, sample->count * sizeof(*sorted));
	sort_devices(sorted, sample->count, view->sort, options->total, false);
	err = table_make(table, sample, sorted, sample->count, options);
	free(sorted);
	return err;
}

int print_flush(FILE *out)
{
	errno = 0;
	if (!fflush(out) && !ferror(out))
		return 0;
	return errno ? -errno : -EIO;
}

static void print_table(const struct view_options *view, const struct top_sample *sample,
			bool total)
{
	struct table_options options = {
		.total = total,
		.by = view->by,
		.timestamps = view->timestamps,
		.width = terminal_columns(view->out),
		.rows = view->rows,
	};
	struct table table;
	unsigned int i;

	if (print_make_table(&table, sample, view, &options)) {
		log_error("out of memory for a table");
		return;
	}
	for (i = 0; i < table.count; i++)
		fprintf(view->out, "%s\n", table.lines[i]);
	if (table.left_out)
		fprintf(view->out, "(%u more)\n", table.left_out);
	if (table.hidden)
		fprintf(view->out, "(%u more column%s in a wider terminal)\n", table.hidden,
			table.hidden == 1 ? "" : "s");
	table_free(&table);
}

static void print_notes(const struct view_options *view, const struct iotlb_counters *counters)
{
	struct notes notes;
	unsigned int i;

	notes_make(&notes, counters);
	for (i = 0; i < notes.count; i++)
		fprintf(view->out, "%s\n", notes.lines[i]);
}

static void tell_lost(uint64_t lost)
{
	if (lost)
		log_warn("%" PRIu64 " events were not counted, because there were too many "
			 "virtqueues; make room with --max-queues",
			 lost);
}

void print_sample(const struct view_options *view, const struct top_sample *sample)
{
	print_table(view, sample, false);
	print_notes(view, &sample->sum);
	tell_lost(sample->lost);
}

void print_summary(const struct view_options *view, const struct top_sample *sample)
{
	fprintf(view->out, "In all %.1f s:\n", sample->elapsed);
	print_table(view, sample, true);
	print_notes(view, &sample->sum_total);
	tell_lost(sample->lost_total);
}

void print_count(FILE *out, uint64_t count)
{
	char text[24], *digit = text + sizeof(text);

	*--digit = '\0';
	do {
		*--digit = '0' + count % 10;
		count /= 10;
	} while (count);
	fputs(digit, out);
}
