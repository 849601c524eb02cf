// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <string.h>

#include "cli.h"
#include "iotlb_counters.h"
#include "top_options.h"

/* Options without a letter. */
enum { KEY_CSV = 256, KEY_OPENMETRICS, KEY_PROBES, KEY_BY };

static const char doc[] =
	"Show what the device IOTLBs of vhost do: how often a virtqueue looked up "
	"a translation, how often it was missing, how long the answer took."
	"\v"
	"A line is a virtqueue, or what --by says; the columns from UPD on are about the whole "
	"device. Nothing is shown of the time before the start. INTERVAL is in "
	"seconds, 1 if not given; COUNT is the number of samples. Ctrl-C shows "
	"what happened in all and ends the program.\n"
	"\n"
	"Lines below the table tell of misses that a daemon had taken and that "
	"came out on the vhost fd nevertheless, and of answers that were refused "
	"because they were stale.\n"
	"\n"
	"Exit status: 0 good, 1 failed, 2 usage.";

static const struct argp_option help[] = {
	{"once", '1', NULL, 0, "Show one interval and end: the same as -n 1", 0},
	{"batch", 'b', NULL, 0,
	 "Show one table after the other (default if standard output is no terminal)", 0},
	{"duration", 'd', "SECONDS", 0, "End after this time", 0},
	{"by", KEY_BY, "queue|device|pasid", 0,
	 "What a line of a table is (default: queue); a PASID is an address space of a device", 0},
	{"csv", KEY_CSV, NULL, 0,
	 "Show counts since the start, a line for each device and virtqueue, separated by commas",
	 0},
	{"json", 'j', NULL, 0, "Show each sample as a JSON object on a line", 0},
	{"max-queues", 'm', "N", 0,
	 "Count at most N virtqueues and devices at a time (default and most 3072)", 0},
	{"count", 'n', "N", 0, "End after N samples", 0},
	{"openmetrics", KEY_OPENMETRICS, "FILE", OPTION_ARG_OPTIONAL,
	 "Show counts since the start as OpenMetrics, or replace FILE by them, which node_exporter "
	 "reads if its name ends in .prom",
	 0},
	{"pid", 'p', "PID", 0, "Only devices of this process", 0},
	{"probes", KEY_PROBES, NULL, 0,
	 "Count by probes on functions of vhost, as without the patches, even if it has "
	 "tracepoints",
	 0},
	{"rows", 'r', "N", 0, "At most N lines in a table", 0},
	{"sort", 's', "KEY", 0,
	 "Order of devices: misses (default), lookups, meta, buffers, hit, resolved, ring, fd, "
	 "drops, updates, failed, invalidations, evictions, fallbacks, accfail, stale, entries, "
	 "p50, p99, pid, comm, tap, dev",
	 0},
	{"timestamps", 'T', NULL, 0, "Begin each line with the time", 0},
	{"verbose", 'v', NULL, 0, "Tell when counting begins, and more about what fails", 0},
	{NULL, 'h', NULL, 0, "Show this help", -1},
	{},
};

static void set_count(struct top_options *options, unsigned long count, struct argp_state *state)
{
	if (options->count)
		argp_error(state,
			   "the number of samples is given twice; give one of -1, -n and COUNT");
	options->count = count;
}

static void set_format(struct top_options *options, enum top_format format,
		       struct argp_state *state)
{
	if (options->format != TOP_FOR_PEOPLE && options->format != format)
		argp_error(state, "give only one of --json, --csv and --openmetrics");
	options->format = format;
}

static void set_by(struct top_options *options, const char *what, struct argp_state *state)
{
	static const char *const names[] = {
		[TABLE_BY_QUEUE] = "queue",
		[TABLE_BY_DEVICE] = "device",
		[TABLE_BY_SPACE] = "pasid",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(what, names[i])) {
			options->by = i;
			return;
		}
	}
	argp_error(state, "--by \"%s\": must be queue, device or pasid", what);
}

static void parse_argument(struct top_options *options, char *text, struct argp_state *state)
{
	if (state->arg_num == 0)
		options->interval = cli_seconds(state, "interval", text);
	else if (state->arg_num == 1)
		set_count(options, cli_number(state, "count", text, 1, INT32_MAX), state);
	else
		argp_error(state, "too many arguments: \"%s\"", text);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct top_options *options = state->input;

	switch (key) {
	case '1':
		set_count(options, 1, state);
		break;
	case 'b':
		options->batch = true;
		break;
	case 'd':
		options->duration = cli_seconds(state, "duration", arg);
		break;
	case 'j':
		set_format(options, TOP_JSON, state);
		break;
	case KEY_BY:
		set_by(options, arg, state);
		break;
	case KEY_CSV:
		set_format(options, TOP_CSV, state);
		break;
	case KEY_OPENMETRICS:
		set_format(options, TOP_OPENMETRICS, state);
		options->file = arg;
		if (arg && !arg[0])
			argp_error(state, "--openmetrics= is given no name of a file");
		break;
	case 'm':
		options->max_queues = cli_number(state, "max-queues", arg, 1, IOTLB_SLOTS_USABLE);
		break;
	case 'n':
		set_count(options, cli_number(state, "count", arg, 1, INT32_MAX), state);
		break;
	case 'p':
		options->pid = cli_number(state, "pid", arg, 1, INT32_MAX);
		break;
	case KEY_PROBES:
		options->probes = true;
		break;
	case 'r':
		options->rows = cli_number(state, "rows", arg, 1, INT32_MAX);
		break;
	case 's':
		options->sort = sort_key_find(arg);
		if (!options->sort)
			argp_error(state, "sort key \"%s\": must be one of %s", arg,
				   sort_key_names());
		break;
	case 'T':
		options->timestamps = true;
		break;
	case ARGP_KEY_ARG:
		parse_argument(options, arg, state);
		break;
	default:
		return cli_common(key, arg, state);
	}
	return 0;
}

void top_options_parse(struct top_options *options, int argc, char **argv)
{
	static const struct cli cli = {
		.version = "iotlb-top " VERSION,
		.argp =
			{
				.options = help,
				.parser = parse,
				.args_doc = "[INTERVAL [COUNT]]",
				.doc = doc,
			},
		.decimal = true,
		.bad_number = "%1$s \"%2$s\": must be a number from %4$" PRIu64 " to %3$" PRIu64,
	};

	*options = (struct top_options){
		.interval = 1,
		.sort = sort_key_find("misses"),
		.max_queues = IOTLB_SLOTS_USABLE,
	};
	cli_parse(&cli, argc, argv, options);
}
