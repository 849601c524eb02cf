// SPDX-License-Identifier: GPL-2.0
/*
 * iotlb-record - runs a command and leaves a report of what the device IOTLBs
 * did meanwhile.
 *
 * Theory of operation
 *
 * What happens comes in two ways. Counters, the same as those of iotlb-top, are
 * exact and tell of hits, too; they are sampled. Events tell where something
 * happened; they come through a ring buffer. Both go into a record, whose size
 * does not depend on how much there is to tell, and the record into files.
 *
 *	recorder	runs the command, samples counters, reads events
 *	owners		whose devices they are, without looking all the time
 *	events		the BPF programs that send events (bpf/record.bpf.c)
 *	command, perf	the processes that are run
 *	collector	puts samples and events into the record
 *	record		all there is to tell; timeline, heat: its bounded parts
 *	data_write, data_read	the record as JSON; json_file, json_get, names: for these
 *	output		files, which are not overwritten
 *	report		the record, or two of them, as HTML (report/)
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "record/data_file.h"
#include "record/output.h"
#include "record/record.h"
#include "record/record_options.h"
#include "record/recorder.h"
#include "record/report/report.h"

/* Return: NULL after an error, which has been told. */
static struct record *load(const char *path)
{
	struct record *record = record_new();
	char error[DATA_ERROR_MAX];
	FILE *in = fopen(path, "re");
	int err = 0;

	if (!record) {
		log_error("out of memory");
	} else if (!in) {
		log_error("cannot read %s: %s", path, strerror(errno));
		err = -errno;
	} else {
		err = data_read(record, in, error);
		if (err)
			log_error("cannot use %s: %s", path, error);
	}
	if (in)
		fclose(in);
	if (!err)
		return record;
	free(record);
	return NULL;
}

static void tell_of_losses(const struct record *record)
{
	if (record->lost_counts)
		log_warn("%llu events were not counted: more virtqueues at a time than can be",
			 (unsigned long long)record->lost_counts);
	if (record->lost_events)
		log_warn("%llu events are missing in the maps of the report, not in its counts; "
			 "a larger --buffer helps",
			 (unsigned long long)record->lost_events);
}

static bool write_record(const struct record *record, struct output *html, struct output *json)
{
	const struct report_input input = {.record = record};
	bool good;

	good = !data_write(record, json->file);
	if (!good)
		log_error("out of memory");
	report_write(&input, 1, html->file);
	/* Both, also if one fails. */
	good &= output_close(json);
	good &= output_close(html);
	if (good)
		log_info("the report is in %s, its data in %s", html->path, json->path);
	return good;
}

static int run(const struct record_options *options)
{
	struct record *record = record_new();
	struct output html = {}, json = {}, perf = {};
	int status = RECORD_EXIT_FAILED;
	bool perf_good = false;

	if (!record)
		log_error("out of memory");
	else if (output_open(&html, options->output, ".html", options->force) &&
		 output_open(&json, options->output, ".json", options->force) &&
		 (!options->perf ||
		  output_open(&perf, options->output, ".perf.data", options->force)))
		status = recorder_run(record, options, perf.path, &perf_good);
	if (!status) {
		tell_of_losses(record);
		status = record->status;
		/* The record is good even if perf's is not. */
		if (!write_record(record, &html, &json) || !perf_good)
			status = RECORD_EXIT_FAILED;
		if (perf.file && !output_close(&perf))
			status = RECORD_EXIT_FAILED;
	}
	output_remove(&html);
	output_remove(&json);
	output_remove(&perf);
	free(record);
	return status;
}

/* Of one data file or two. */
static int report(const struct record_options *options)
{
	const size_t count = options->mode == RECORD_COMPARE ? 2 : 1;
	struct report_input inputs[2] = {};
	struct record *records[2] = {};
	struct output html = {};
	char name[PATH_MAX];
	bool good = true;
	size_t i;

	for (i = 0; i < count && good; i++) {
		records[i] = load(options->inputs[i]);
		inputs[i] = (struct report_input){
			.record = records[i],
			.name = options->inputs[i],
		};
		good = records[i];
	}
	/* RECORD.json becomes RECORD.html, any other name NAME.html. */
	snprintf(name, sizeof(name), "%s", options->inputs[0]);
	if (strlen(name) > 5 && !strcmp(name + strlen(name) - 5, ".json"))
		name[strlen(name) - 5] = '\0';
	if (strlen(name) + sizeof(".html") <= sizeof(name))
		strcat(name, ".html");
	if (good)
		good = output_open(&html, options->output ?: name, ".html", options->force);
	if (good) {
		report_write(inputs, count, html.file);
		good = output_close(&html);
	}
	if (good)
		log_info("the report is in %s", html.path);
	for (i = 0; i < count; i++)
		free(records[i]);
	return good ? EXIT_SUCCESS : RECORD_EXIT_FAILED;
}

int main(int argc, char **argv)
{
	struct record_options options;

	record_options_parse(&options, argc, argv);
	return options.mode == RECORD_RUN ? run(&options) : report(&options);
}
