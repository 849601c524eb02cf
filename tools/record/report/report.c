// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "assets.h"
#include "charts.h"
#include "clock.h"
#include "html.h"
#include "report.h"
#include "tables.h"

static void put_start(FILE *out, double start)
{
	const time_t seconds = (time_t)start;
	struct tm tm;
	char text[64];

	if (gmtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm))
		fputs(text, out);
}

static void put_head(const struct report *report)
{
	FILE *out = report->out;
	size_t i;

	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      /* Nothing is loaded, whatever may be in here. */
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n"
	      "<link rel=\"icon\" href=\"data:,\">\n<title>vhost IOTLB: ",
	      out);
	for (i = 0; i < report->count; i++) {
		const struct report_input *input = &report->inputs[i];

		if (i)
			fputs(" and ", out);
		if (input->name)
			html_text(out, input->name);
		else if (input->record->command[0])
			html_text(out, input->record->command);
		else
			fputs("record", out);
	}
	fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n", report_css);
}

static void put_end(const struct report *report, const struct record *record)
{
	FILE *out = report->out;

	if (record->end == RECORD_END_SIGNAL)
		fputs("Ended by a signal (Ctrl-C). ", out);
	if (record->end == RECORD_END_TIME)
		fputs("Ended when the time was up. ", out);
	if (!record->command[0])
		return;
	fprintf(out, "Exit status %d", record->status);
	if (record->status > 128)
		fprintf(out, " (signal %d)", record->status - 128);
	if (record->status && record->end == RECORD_END_COMMAND)
		fputs(": the command has failed", out);
	putc('.', out);
}

static void put_item(FILE *out, const char *name, const char *text)
{
	if (!text[0])
		return;
	fprintf(out, "<dt>%s</dt><dd>", name);
	html_text(out, text);
	fputs("</dd>", out);
}

static void put_run(const struct report *report, size_t which)
{
	const struct report_input *input = &report->inputs[which];
	const struct record *record = input->record;
	const struct record_machine *machine = &record->machine;
	char text[HTML_SIZE];
	FILE *out = report->out;

	if (report->count > 1)
		fprintf(out, "<h3>%s</h3>\n", report_letter(which));
	if (record->command[0]) {
		fputs("<pre><code>", out);
		html_text(out, record->command);
		fputs("</code></pre>\n", out);
	} else {
		fputs("<p>No command: what happened on this host.</p>\n", out);
	}
	fputs("<dl class=\"about\">", out);
	put_item(out, "File", input->name ?: "");
	fputs("<dt>Run</dt><dd>", out);
	put_start(out, record->start);
	fprintf(out, ", %s. ", html_time(text, (double)record->duration_ns));
	put_end(report, record);
	fputs("</dd>", out);
	put_item(out, "Kernel", machine->kernel);
	put_item(out, "vhost module", machine->vhost);
	if (machine->cpus) {
		fprintf(out, "<dt>CPU</dt><dd>%u × ", machine->cpus);
		html_text(out, machine->cpu[0] ? machine->cpu : "unknown");
		fputs("</dd>", out);
	}
	put_item(out, "iotlb-record", machine->toolkit);
	fputs("</dl>\n", out);
}

static void put_notes(const struct report *report, size_t which)
{
	const struct record *record = report->inputs[which].record;
	const char *of = report->count > 1 ? report_letter(which) : "";
	char text[HTML_SIZE];
	FILE *out = report->out;

	if (!record->lost_counts && !record->lost_events && !record->unavailable &&
	    !record->nr_others)
		return;
	fprintf(out, "<div class=\"notes\" role=\"note\">\n");
	if (record->lost_counts)
		fprintf(out,
			"<p>%s <b>%s events were not counted</b>: there were more virtqueues at a "
			"time than can be counted. All counts are too low.</p>\n",
			of, html_count(text, record->lost_counts));
	if (record->lost_events)
		fprintf(out,
			"<p>%s <b>%s events are missing in the maps</b> of IOVAs, as they came "
			"faster than they could be read. Counts, rates and latencies are "
			"complete. A larger <code>--buffer</code> helps.</p>\n",
			of, html_count(text, record->lost_events));
	if (record->unavailable)
		fprintf(out,
			"<p>%s This kernel's vhost, or the iotlb-record of that time, does not "
			"tell all: what is missing is shown as “–”.</p>\n",
			of);
	if (record->nr_others)
		fprintf(out,
			"<p>%s The table has the %zu devices with the most misses, and the sum of "
			"%s others.</p>\n",
			of, record->nr_devices, html_count(text, record->nr_others));
	fputs("</div>\n", out);
}

static void put_resolution(const struct report *report)
{
	const struct record *record = report->inputs[0].record;
	char text[HTML_SIZE];

	fprintf(report->out,
		"<p>Each step is %s%s. The longer a record, the longer its steps, so that reports "
		"stay small.</p>\n",
		html_time(text, (double)record->timeline.bucket_ns),
		report->count > 1 ? " (A)" : "");
}

static void put_devices(const struct report *report)
{
	size_t i;

	fputs("<h2>Devices</h2>\n", report->out);
	for (i = 0; i < report->count; i++) {
		if (report->count > 1)
			fprintf(report->out, "<h3>%s</h3>\n", report_letter(i));
		table_devices(report, i);
	}
	fputs("<p>“Hit rate” is that of buffers: 1 − misses of buffers / buffers first looked up. "
	      "The retry after a miss, which always hits, does not count, nor do lookups of the "
	      "ring, which nearly always hit. Point at a heading for what a column is.</p>\n",
	      report->out);
}

static double longest(const struct report_input *inputs, size_t count)
{
	double seconds = 0.001;
	size_t i;

	for (i = 0; i < count; i++)
		if ((double)inputs[i].record->duration_ns / NS_PER_SECOND > seconds)
			seconds = (double)inputs[i].record->duration_ns / NS_PER_SECOND;
	return seconds;
}

void report_write(const struct report_input *inputs, size_t count, FILE *out)
{
	const struct report report = {
		.inputs = inputs,
		.count = count,
		.seconds = longest(inputs, count),
		.out = out,
	};
	size_t i;

	put_head(&report);
	fputs(count > 1 ? "<h1>Two records of the vhost device IOTLB</h1>\n"
			: "<h1>What the vhost device IOTLB did</h1>\n",
	      out);
	for (i = 0; i < count; i++)
		put_run(&report, i);
	for (i = 0; i < count; i++)
		put_notes(&report, i);
	if (count > 1)
		table_compare(&report);
	else
		table_figures(&report);
	fputs("<h2>Over time</h2>\n", out);
	put_resolution(&report);
	chart_rate(&report);
	chart_misses(&report);
	chart_changes(&report);
	for (i = 0; i < count; i++)
		table_time(&report, i);
	chart_latency(&report);
	charts_of_devices(&report);
	put_devices(&report);
	fprintf(out, "</main>\n<script>\n%s</script>\n</body>\n</html>\n", report_js);
}
